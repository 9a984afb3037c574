"""Retry rules: when a request may be repeated and after which wait, without clock and network."""

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
"""Maximum number of retries after failures; the waits of 1, 2, 4 and 8 seconds cover a short outage."""
MAX_LIMIT_WAITS = 5
"""Maximum number of waits for a limit per request; GitHub bans clients that keep retrying."""
SECONDARY_WAIT_SECONDS = 60.0
"""First wait for a limit without a time, in seconds; GitHub requires at least one minute."""

_TRANSIENT = frozenset({408, 500, 502, 503, 504})
_ERRORS: dict[int, type[ApiError]] = {
    400: InvalidError,
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    422: InvalidError,
}


class NoAnswer(Enum):
    """Why a request has no final response."""

    LIMITED = "limited"
    """GitHub rejected the request because of a limit; nothing was applied."""
    NOT_SENT = "not sent"
    """No connection could be made."""
    LOST = "lost"
    """No readable response; a write may have been applied."""


def error_of(status: int, *, limited: bool) -> type[ApiError]:
    """Return the error class for an unsuccessful response."""
    return RateLimitError if limited else _ERRORS.get(status, ApiError)


def next_wait(
    outcome: NoAnswer | int, *, repeatable: bool, repeats: int, limit_waits: int, requested: float | None, jitter: float
) -> float | None:
    """Return the seconds to wait before a failed request is retried, or None to give up.

    Args:
        outcome: The status of the response, or why there is none.
        repeatable: Whether the request is safe to repeat. After a limit or a failed connection it is retried in any
            case, because nothing was applied.
        repeats: Number of retries after failures so far, from 0.
        limit_waits: Number of waits for a limit so far, from 0.
        requested: The wait in seconds that the response requests, if any. The pacer applies a limit to all requests, so
            this function returns 0 for a limit.
        jitter: From 0 up to 1; see `repeat_wait`.
    """
    if outcome is NoAnswer.LIMITED:
        return 0.0 if limit_waits < MAX_LIMIT_WAITS else None
    did_nothing = outcome is NoAnswer.NOT_SENT
    failed = outcome is NoAnswer.LOST or (isinstance(outcome, int) and is_transient(outcome))
    if not (did_nothing or (failed and repeatable)):
        return None
    wait = repeat_wait(repeats, jitter)
    return None if wait is None else max(wait, requested or 0.0)


def is_transient(status: int) -> bool:
    """Return whether a status means a failure of GitHub; the outcome of a write is then unknown."""
    return status in _TRANSIENT


def repeat_wait(attempt: int, jitter: float) -> float | None:
    """Return the seconds to wait before a retry, or None after the last one.

    Args:
        attempt: Number of retries so far, from 0.
        jitter: From 0 up to 1; spreads the waits of several programs over the upper half of the interval.
    """
    return None if attempt >= MAX_REPEATS else 2.0**attempt * (0.5 + jitter / 2)


@dataclass(frozen=True)
class Limit:
    """A rate limit that GitHub has announced.

    Attributes:
        seconds: Seconds during which nothing may be sent.
        reason: Its name, for messages.
    """

    seconds: float
    reason: str


def limit_of(
    status: int, headers: Mapping[str, str], message: str, waits_so_far: int, wall_seconds: float
) -> Limit | None:
    """Return the limit that a response announces, or None if it announces none.

    Order defined by GitHub: `retry-after`, the reset of an exhausted primary limit, or a minute, doubled each time.

    Args:
        status: HTTP status.
        headers: Response headers, looked up case-insensitively.
        message: GitHub's message; a secondary limit may be recognizable only by this text.
        waits_so_far: Number of waits of this request for a limit, from 0.
        wall_seconds: Local time in seconds since 1970, used if the response has no `Date`.
    """
    exhausted = headers.get("x-ratelimit-remaining", "").strip() == "0"
    retry_after = headers.get("retry-after")
    words = message.lower()
    named = any(word in words for word in ("rate limit", "secondary limit", "abuse detection"))
    if status not in (403, 429) or not (status == 429 or retry_after or exhausted or named):  # noqa: PLR2004
        return None
    if (requested := requested_wait(headers, wall_seconds)) is not None:
        return Limit(requested, "GitHub's secondary limit" if not exhausted else "GitHub's hourly limit")
    if exhausted and (left := reset_wait(headers, wall_seconds)) is not None:
        return Limit(left, "GitHub's hourly limit")
    return Limit(SECONDARY_WAIT_SECONDS * 2**waits_so_far, "GitHub's secondary limit")


def requested_wait(headers: Mapping[str, str], wall_seconds: float) -> float | None:
    """Return the seconds requested by `retry-after` (a number or a date), or None if it is missing."""
    requested = headers.get("retry-after", "").strip()
    if requested.isdecimal():
        return float(requested)
    moment = http_date(requested)
    return None if moment is None else max(0.0, moment - (http_date(headers.get("date")) or wall_seconds)) + 1.0


def reset_wait(headers: Mapping[str, str], wall_seconds: float) -> float | None:
    """Return the seconds until the primary limit resets, by GitHub's clock, or None if unknown."""
    now = http_date(headers.get("date")) or wall_seconds
    try:
        reset = float(headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    # Add one second, because both times are whole seconds.
    return None if math.isnan(reset) else max(0.0, reset - now) + 1.0


def http_date(text: str | None) -> float | None:
    """Return an HTTP date in seconds since 1970, or None if invalid; the default zone is UTC."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
