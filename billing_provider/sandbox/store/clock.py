"""The time of a sandbox: the machine's clock, or a fixed time from the environment, which every process sees."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TEST_TIME = "GITHUB_BILLING_TEST_TIME"
_FORM = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{3}(\d{3})?)?)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)


def wall() -> float:
    """Return the seconds since 1970 (UTC); the variable is read on every call, so that a test can change it.

    Raises:
        ValueError: The variable is not a valid time.
    """
    fixed = os.environ.get(TEST_TIME)
    if not fixed:
        return time.time()
    try:
        # Python 3.10 does not parse "Z"; 3.11 and newer parse other forms too.
        given = fixed if _FORM.fullmatch(fixed) else ""
        moment = datetime.fromisoformat(given[:-1] + "+00:00" if given.endswith(("Z", "z")) else given)
        utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError(f"{TEST_TIME} must be a time such as 2026-12-01T00:00:30Z: correct it or unset it") from None
    return utc.timestamp()


def utc(moment: float) -> datetime:
    """Return seconds since 1970 as a time (UTC)."""
    return datetime.fromtimestamp(moment, timezone.utc)


class SandboxClock:
    """The time of a sandbox, and, once it is set, of this process and of all that it starts.

    Args:
        source: Seconds since the epoch; such a clock cannot be set.
    """

    def __init__(self, source: Callable[[], float] = wall) -> None:
        self._source = source
        self._before: str | None = None
        self._is_set = False

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return self._source()

    def now(self) -> datetime:
        """Return the time (UTC)."""
        return utc(self())

    def set(self, moment: str) -> None:
        """Set the time, such as `2026-12-01` or `2026-12-01T00:00:30Z`; it stands still until it is set again.

        Raises:
            ValueError: It is not a time, or this clock has a source of its own.
        """
        if self._source is not wall:
            raise ValueError("the time cannot be set: this sandbox was made with a clock of its own")
        if not self._is_set:
            self._is_set, self._before = True, os.environ.get(TEST_TIME)
        previous = os.environ.get(TEST_TIME, "")
        os.environ[TEST_TIME] = moment
        try:
            wall()
        except ValueError:
            os.environ[TEST_TIME] = previous
            raise

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move the time forward; it stands still until it is moved again.

        Raises:
            ValueError: The duration is negative, or this clock has a source of its own.
        """
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if duration < timedelta(0):
            raise ValueError("the time only moves forward: use set() for an earlier one")
        self.set((self.now() + duration).isoformat())

    def restore(self) -> None:
        """Return to the time that was valid before the first `set` or `advance`."""
        if self._is_set and self._before is not None:
            os.environ[TEST_TIME] = self._before
        elif self._is_set:
            os.environ.pop(TEST_TIME, None)
        self._is_set = False
