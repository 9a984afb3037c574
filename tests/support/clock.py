"""A virtual clock that records its waits."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone

from billing_provider.core.clock import TEST_TIME, Clock

# Every process that a test starts has this time too, because it inherits the variable. `make dates` sets others.
os.environ.setdefault(TEST_TIME, "2026-09-21T14:13:20Z")
TODAY = datetime.fromtimestamp(Clock().wall(), timezone.utc).date().isoformat()
"""The date wherever a test sets none."""
START = 1_790_000_000.0
"""The virtual beginning of time: 2026-09-21T14:13:20Z. It stays, so tests of figures use it."""


class VirtualClock(Clock):
    """A clock that only `sleep` advances; thread-safe.

    Attributes:
        sleeps: Every wait so far, in seconds.
        dice: The result of `jitter`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passed = 0.0
        self.sleeps: list[float] = []
        self.dice = 0.5

    def now(self) -> float:
        """Return the total seconds of all sleeps."""
        with self._lock:
            return self._passed

    def wall(self) -> float:
        """Return the same time as seconds since 1970."""
        return START + self.now()

    def sleep(self, seconds: float) -> None:
        """Advance the clock at once."""
        with self._lock:
            self.sleeps.append(seconds)
            self._passed += seconds

    def jitter(self) -> float:
        """Return `dice`."""
        return self.dice
