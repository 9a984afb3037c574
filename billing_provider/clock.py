"""The time, as one object that tests replace."""

from __future__ import annotations

import random
import time


class Clock:
    """The machine's clocks, its sleep and its dice; nothing else in the package waits or draws lots."""

    def now(self) -> float:
        """Return seconds that only ever grow, for measuring spans."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970 in UTC, for comparing with GitHub's times."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a number from 0 up to 1 by which waits of several programs are spread."""
        return random.random()  # noqa: S311 - spreads load, guards nothing
