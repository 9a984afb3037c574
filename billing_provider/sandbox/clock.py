"""The sandbox's default clock: the machine's clock, or a fixed time from the environment."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone

__all__ = ["TEST_TIME", "wall"]

TEST_TIME = "GITHUB_BILLING_TEST_TIME"


def wall() -> float:
    """Return the seconds since 1970 (UTC); the variable is read on every call, so that a test can change it.

    Raises:
        ValueError: The variable is not a valid time.
    """
    fixed = os.environ.get(TEST_TIME)
    if not fixed:
        return time.time()
    try:
        # Python 3.10 does not parse "Z".
        moment = datetime.fromisoformat(fixed[:-1] + "+00:00" if fixed.endswith(("Z", "z")) else fixed)
        utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError(f"{TEST_TIME} must be a time such as 2026-12-01T00:00:30Z: correct it or unset it") from None
    return utc.timestamp()
