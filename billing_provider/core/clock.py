"""The clock, as one object that tests replace."""

from __future__ import annotations

import os
import random
import re
import time
from datetime import date, datetime, timezone

from billing_provider.core.errors import ConfigError

TEST_TIME = "GITHUB_BILLING_TEST_TIME"
"""The environment variable that fixes the wall clock in tests; settings refuse it for github.com."""


class Clock:
    """The system's clocks, sleep and random numbers; the rest of the package uses only this class."""

    def now(self) -> float:
        """Return monotonic seconds, to measure durations."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970 (UTC), to compare with GitHub's times.

        The variable is read on every call, so that a test can change it while a process runs.

        Raises:
            ConfigError: The variable is not a valid time.
        """
        fixed = os.environ.get(TEST_TIME)
        if not fixed:
            return time.time()
        try:
            return instant(fixed).timestamp()
        except ValueError:
            raise ConfigError(
                f"{TEST_TIME} must be a time such as 2026-12-01T00:00:30Z: correct it or unset it"
            ) from None

    def utc(self) -> datetime:
        """Return the current time in UTC, as for `wall`."""
        return datetime.fromtimestamp(self.wall(), timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Sleep for this number of seconds."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a random number from 0 to 1, to spread the waits of several processes."""
        return random.random()  # noqa: S311 - spreads load; not used for security


# What every supported Python reads; 3.11 and newer accept more, such as 20260131.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    rf"(?P<date>{_DATE.pattern})([T ](?P<time>([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)(\.(?P<fraction>\d{{1,9}}))?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


def day(text: str) -> date:
    """Parse a date in the form `2026-01-31`.

    Raises:
        ValueError: The text is not a date in this form.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def instant(text: str) -> datetime:
    """Parse an ISO 8601 date or time to UTC; a date means midnight, and the default zone is UTC.

    Raises:
        ValueError: The text is not a date or time.
    """
    found = _INSTANT.fullmatch(text)
    if not found:
        raise ValueError(text)
    zone = "+00:00" if (found["zone"] or "Z") in "Zz" else found["zone"]
    # Python 3.10 reads a fraction of three or six digits only.
    fraction = (found["fraction"] or "").ljust(6, "0")[:6]
    moment = datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}{zone}")
    try:
        return moment.replace(microsecond=int(fraction)).astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error
