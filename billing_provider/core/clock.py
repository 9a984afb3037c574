"""The clock, as one object that tests replace."""

from __future__ import annotations

import os
import random
import time
from datetime import datetime, timezone

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

    def sleep(self, seconds: float) -> None:
        """Sleep for this number of seconds."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a random number from 0 to 1, to spread the waits of several processes."""
        return random.random()  # noqa: S311 - spreads load; not used for security


def instant(text: str) -> datetime:
    """Parse an ISO 8601 date or time to UTC; a date means midnight, and the default zone is UTC.

    Raises:
        ValueError: The text is not a date or time.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    try:
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error
