"""When a request may be sent again, and how long to wait before: decisions only, no clock and no network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

from billing_provider.core.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REPEATS = 4
"""Repeats after failures; with waits of 1, 2, 4 and 8 seconds they outlast a short outage."""
MAX_LIMIT_WAITS = 5
"""Times that one request waits for a limit; GitHub bans who keeps asking."""
SECONDARY_WAIT_SECONDS = 60.0
"""First wait for a limit that names no time: GitHub asks for a minute at least."""

_TRANSIENT = frozenset({408, 500, 502, 503, 504})
_ERRORS: dict[int, type[ApiError]] = {
    400: InvalidError,
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    422: InvalidError,
}


class NoAnswer(Enum):
    """Why a request has no answer of its own."""

    LIMITED = "limited"
    """GitHub answered with a limit and did nothing."""
    NOT_SENT = "not sent"
    """No connection could be made."""
    LOST = "lost"
    """No readable answer: a write may have been applied."""


def error_of(status: int, *, limited: bool) -> type[ApiError]:
    """Return the error that tells of an answer that is no success."""
    return RateLimitError if limited else _ERRORS.get(status, ApiError)


def next_wait(
    outcome: NoAnswer | int, *, repeatable: bool, repeats: int, limit_waits: int, asked: float | None, jitter: float
) -> float | None:
    """Return the seconds before a request that did not succeed is sent again, or None to give it up.

    Args:
        outcome: The status of the answer, or why there is none.
        repeatable: Whether sending it twice does no harm. After a limit and without a connection it is sent again all
            the same: GitHub has done nothing then.
        repeats: How often it has been repeated after a failure, from 0.
        limit_waits: How often it has waited for a limit, from 0.
        asked: The seconds that the answer asks to wait, if it does. A limit closes the gate for every request, so its
            own wait is 0 here.
        jitter: From 0 up to 1; see `repeat_wait`.
    """
    if outcome is NoAnswer.LIMITED:
        return 0.0 if limit_waits < MAX_LIMIT_WAITS else None
    did_nothing = outcome is NoAnswer.NOT_SENT
    failed = outcome is NoAnswer.LOST or (isinstance(outcome, int) and is_transient(outcome))
    if not (did_nothing or (failed and repeatable)):
        return None
    wait = repeat_wait(repeats, jitter)
    return None if wait is None else max(wait, asked or 0.0)


def is_transient(status: int) -> bool:
    """Tell whether a status says that GitHub failed, which leaves open what became of a write."""
    return status in _TRANSIENT


def repeat_wait(attempt: int, jitter: float) -> float | None:
    """Return the seconds to wait before a repeat, or None when it has been repeated often enough.

    Args:
        attempt: How many repeats there have been, from 0.
        jitter: From 0 up to 1; spreads the waits of several programs over the upper half.
    """
    return None if attempt >= MAX_REPEATS else 2.0**attempt * (0.5 + jitter / 2)


@dataclass(frozen=True)
class Limit:
    """A limit that GitHub put in force.

    Attributes:
        seconds: How long nothing may be sent.
        reason: Its name, as a person reads it.
    """

    seconds: float
    reason: str


def limit_of(
    status: int, headers: Mapping[str, str], message: str, waits_so_far: int, wall_seconds: float
) -> Limit | None:
    """Return the limit that an answer announces, or None for any other answer.

    GitHub's order: `retry-after`, else the reset of an exhausted primary limit, else a minute, doubled each time.

    Args:
        status: HTTP status.
        headers: Answer headers, looked up without regard to case.
        message: GitHub's message; a secondary limit may be told by its words alone.
        waits_so_far: How often this request has waited for a limit, from 0.
        wall_seconds: Our time in seconds since 1970, used where the answer has no `Date`.
    """
    exhausted = headers.get("x-ratelimit-remaining", "").strip() == "0"
    retry_after = headers.get("retry-after")
    words = message.lower()
    told = any(word in words for word in ("rate limit", "secondary limit", "abuse detection"))
    if status not in (403, 429) or not (status == 429 or retry_after or exhausted or told):  # noqa: PLR2004
        return None
    if (asked := asked_wait(headers, wall_seconds)) is not None:
        return Limit(asked, "GitHub's secondary limit" if not exhausted else "GitHub's hourly limit")
    if exhausted and (left := reset_wait(headers, wall_seconds)) is not None:
        return Limit(left, "GitHub's hourly limit")
    return Limit(SECONDARY_WAIT_SECONDS * 2**waits_so_far, "GitHub's secondary limit")


def asked_wait(headers: Mapping[str, str], wall_seconds: float) -> float | None:
    """Return the seconds that `retry-after` asks for, as a number or a date, or None where it does not."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    moment = http_date(asked)
    return None if moment is None else max(0.0, moment - (http_date(headers.get("date")) or wall_seconds)) + 1.0


def reset_wait(headers: Mapping[str, str], wall_seconds: float) -> float | None:
    """Return the seconds until the primary limit is reset, by GitHub's own clock, or None where it is not told."""
    now = http_date(headers.get("date")) or wall_seconds
    try:
        reset = float(headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    # A second more: both times are whole seconds.
    return None if math.isnan(reset) else max(0.0, reset - now) + 1.0


def http_date(text: str | None) -> float | None:
    """Return the seconds since 1970 of an HTTP date, or None where there is none; without a zone it is UTC."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
