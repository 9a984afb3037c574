"""The time, as one object that tests replace."""

from __future__ import annotations

import os
import random
import time
from datetime import datetime, timezone

from billing_provider.core.errors import ConfigError

TEST_TIME = "GITHUB_BILLING_TEST_TIME"
"""The environment variable that fixes the wall clock in tests; settings refuse it for GitHub itself."""


class Clock:
    """The machine's clocks, its sleep and its dice; nothing else in the package waits or draws lots."""

    def now(self) -> float:
        """Return seconds that only ever grow, for measuring spans."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970 in UTC, for comparing with GitHub's times.

        The variable is read at each call: a test may change it while a process runs.

        Raises:
            ConfigError: The variable is set to a text that is no time.
        """
        fixed = os.environ.get(TEST_TIME)
        if not fixed:
            return time.time()
        try:
            return instant(fixed).timestamp()
        except ValueError:
            raise ConfigError(f"{TEST_TIME} must be a time as 2026-12-01T00:00:30Z: correct it or unset it") from None

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a number from 0 up to 1 by which waits of several programs are spread."""
        return random.random()  # noqa: S311 - spreads load, guards nothing


def instant(text: str) -> datetime:
    """Return the moment in UTC that an ISO 8601 date or time names; a date alone is its midnight, no zone is UTC.

    Raises:
        ValueError: The text is neither.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    try:
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error
