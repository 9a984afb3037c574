"""The time, as one object that tests replace."""

from __future__ import annotations

import os
import random
import time

from billing_provider import rules
from billing_provider.errors import ConfigError

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
            return rules.instant(fixed).timestamp()
        except ValueError:
            raise ConfigError(f"{TEST_TIME} must be a time as 2026-12-01T00:00:30Z: correct it or unset it") from None

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a number from 0 up to 1 by which waits of several programs are spread."""
        return random.random()  # noqa: S311 - spreads load, guards nothing
