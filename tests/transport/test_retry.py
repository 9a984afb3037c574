"""Retry rules: when a request is repeated, and after which wait."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitError,
)
from billing_provider.transport.retry import (
    MAX_REPEATS,
    SECONDARY_WAIT_SECONDS,
    Limit,
    NoAnswer,
    error_of,
    http_date,
    is_transient,
    limit_of,
    next_wait,
    repeat_wait,
    reset_wait,
)

NOW = 1_790_000_000.0
HOURLY = "GitHub's hourly limit"
SECONDARY = "GitHub's secondary limit"
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 300)}
# What the header of a reply can hold.
LATIN = st.characters(max_codepoint=255)
WORDS = "You have exceeded a secondary rate limit."


def test_transient_statuses() -> None:
    """Only 408, 500, 502, 503 and 504 are transient."""
    assert [status for status in range(100, 600) if is_transient(status)] == [408, 500, 502, 503, 504]


@pytest.mark.parametrize(
    ("attempt", "shortest", "longest"), [(0, 0.5, 1.0), (1, 1.0, 2.0), (2, 2.0, 4.0), (3, 4.0, 8.0)]
)
def test_retry_waits_double(attempt: int, shortest: float, longest: float) -> None:
    """The wait doubles, and the jitter changes it within the upper half only."""
    assert repeat_wait(attempt, 0.0) == shortest
    assert repeat_wait(attempt, 1.0) == longest
    assert repeat_wait(attempt, 0.5) == (shortest + longest) / 2


@pytest.mark.parametrize("attempt", [MAX_REPEATS, MAX_REPEATS + 1])
def test_there_are_four_retries(attempt: int) -> None:
    """After four retries there is no further one."""
    assert MAX_REPEATS == 4
    assert repeat_wait(attempt, 0.5) is None


LIMITED, NOT_SENT, LOST = NoAnswer.LIMITED, NoAnswer.NOT_SENT, NoAnswer.LOST


@pytest.mark.parametrize(
    ("outcome", "repeatable", "repeats", "limit_waits", "asked", "wait"),
    [
        # A limit did nothing: it is sent again whatever it is, and the gate holds the wait.
        (LIMITED, True, 0, 0, None, 0.0),
        (LIMITED, False, 0, 0, 17.0, 0.0),
        (LIMITED, False, 4, 4, None, 0.0),
        (LIMITED, True, 0, 5, None, None),
        (LIMITED, False, 0, 5, 17.0, None),
        # So did a request that was never sent.
        (NOT_SENT, True, 0, 0, None, 1.0),
        (NOT_SENT, False, 0, 0, None, 1.0),
        (NOT_SENT, False, 3, 5, None, 8.0),
        (NOT_SENT, False, 4, 0, None, None),
        # A failure leaves open what was done: only what does no harm twice is sent again.
        (LOST, True, 0, 0, None, 1.0),
        (LOST, True, 4, 0, None, None),
        (LOST, False, 0, 0, None, None),
        *((status, True, 1, 5, None, 2.0) for status in (408, 500, 502, 503, 504)),
        *((status, True, 4, 0, None, None) for status in (408, 500, 502, 503, 504)),
        *((status, False, 0, 0, 1.0, None) for status in (408, 500, 502, 503, 504)),
        # The longer of the two waits counts.
        (503, True, 0, 0, 30.0, 30.0),
        (503, True, 2, 0, 3.0, 4.0),
        (503, True, 0, 0, 0.0, 1.0),
        (503, True, 4, 0, 30.0, None),
        # A refusal stays one.
        *((status, True, 0, 0, 5.0, None) for status in (300, 400, 401, 403, 404, 409, 410, 418, 422, 501)),
    ],
)
def test_next_wait_after_every_outcome(
    *,
    outcome: NoAnswer | int,
    repeatable: bool,
    repeats: int,
    limit_waits: int,
    asked: float | None,
    wait: float | None,
) -> None:
    """The table of all outcomes: whether the request is retried, and after which wait."""
    found = next_wait(
        outcome, repeatable=repeatable, repeats=repeats, limit_waits=limit_waits, requested=asked, jitter=1.0
    )
    assert found == wait


@given(st.sampled_from([LOST, *range(300, 600)]), st.integers(0, 9), st.integers(0, 9), st.none() | st.floats(0, 1e5))
def test_a_request_that_may_have_been_applied_is_never_retried(
    outcome: NoAnswer | int, repeats: int, limit_waits: int, asked: float | None
) -> None:
    """If a repeat is unsafe, neither a lost response nor any status causes one."""
    assert (
        next_wait(outcome, repeatable=False, repeats=repeats, limit_waits=limit_waits, requested=asked, jitter=0.5)
        is None
    )


def test_error_class_of_each_status() -> None:
    """A limit has its own error class, whatever its status; every other status has one class."""
    kinds = {400: InvalidError, 401: ForbiddenError, 403: ForbiddenError, 404: NotFoundError, 422: InvalidError}
    for status in range(300, 600):
        assert error_of(status, limited=False) is kinds.get(status, ApiError)
        assert error_of(status, limited=True) is RateLimitError


@pytest.mark.parametrize(
    ("status", "headers", "message", "waits", "expected"),
    [
        # No limit: a success, a refusal, a failure; whatever the headers say.
        (200, SPENT, "", 0, None),
        (403, {}, "Resource not accessible by personal access token", 0, None),
        (403, {"x-ratelimit-remaining": "1"}, "", 0, None),
        (404, {"retry-after": "5"}, WORDS, 0, None),
        (503, {"retry-after": "5"}, "", 0, None),
        # The marks of a limit, each alone.
        (429, {}, "", 0, Limit(60, SECONDARY)),
        (403, {}, WORDS, 0, Limit(60, SECONDARY)),
        (403, {}, "You have triggered an ABUSE DETECTION mechanism", 0, Limit(60, SECONDARY)),
        (403, {}, "secondary limit", 0, Limit(60, SECONDARY)),
        (403, {"retry-after": "17"}, "", 0, Limit(17, SECONDARY)),
        (403, {"x-ratelimit-remaining": " 0 "}, "", 0, Limit(60, SECONDARY)),
        # GitHub's order: retry-after, else the reset, else a minute doubled each time.
        (403, {**SPENT, "retry-after": "17"}, "", 0, Limit(17, HOURLY)),
        (403, SPENT, "", 0, Limit(301, HOURLY)),
        (429, SPENT, "", 3, Limit(301, HOURLY)),
        (429, {}, "", 1, Limit(120, SECONDARY)),
        (429, {}, "", 4, Limit(960, SECONDARY)),
        # A reset in the past, or told by a clock that is ahead of ours.
        (403, {**SPENT, "x-ratelimit-reset": "1"}, "", 0, Limit(1, HOURLY)),
        (403, {**SPENT, "date": formatdate(NOW + 200, usegmt=True)}, "", 0, Limit(101, HOURLY)),
        # retry-after as a date, by GitHub's clock where it is told.
        (429, {"retry-after": formatdate(NOW + 30, usegmt=True)}, "", 0, Limit(31, SECONDARY)),
        (429, {"retry-after": formatdate(NOW - 30, usegmt=True)}, "", 0, Limit(1, SECONDARY)),
        (
            429,
            {"retry-after": formatdate(NOW + 30, usegmt=True), "date": formatdate(NOW + 20, usegmt=True)},
            "",
            0,
            Limit(11, SECONDARY),
        ),
        # What cannot be read counts as not told.
        (429, {"retry-after": "soon"}, "", 0, Limit(60, SECONDARY)),
        (429, {"retry-after": "-5"}, "", 0, Limit(60, SECONDARY)),
        (429, {"retry-after": "\u00b2"}, "", 0, Limit(60, SECONDARY)),
        (429, {"retry-after": ""}, "", 0, Limit(60, SECONDARY)),
        (403, {**SPENT, "x-ratelimit-reset": "later"}, "", 0, Limit(60, SECONDARY)),
        (403, {**SPENT, "x-ratelimit-reset": "nan"}, "", 0, Limit(60, SECONDARY)),
        (403, {**SPENT, "date": "yesterday"}, "", 0, Limit(301, HOURLY)),
    ],
)
def test_limits_are_recognized(
    status: int, headers: dict[str, str], message: str, waits: int, expected: Limit | None
) -> None:
    """Each kind of limit is recognized by status, headers or message, with the wait that GitHub requests."""
    assert limit_of(status, headers, message, waits, NOW) == expected


@pytest.mark.parametrize(("headers", "expected"), [({}, None), ({"x-ratelimit-reset": str(int(NOW) + 9)}, 10.0)])
def test_one_second_is_added_to_the_reset(headers: dict[str, str], expected: float | None) -> None:
    """Both times are whole seconds, so one second is added; without a reset the wait is unknown."""
    assert reset_wait(headers, NOW) == expected


@pytest.mark.parametrize("offset", ["GMT", "-0000", ""])
@pytest.mark.usefixtures("far_zone")
def test_a_date_without_a_zone_is_utc(offset: str) -> None:
    """The local time zone does not change the wait, however the server writes UTC."""
    assert http_date(f"Tue, 01 Dec 2026 00:00:30 {offset}".strip()) == 1_796_083_230


@given(asked=st.integers(0, 10**6), remaining=st.sampled_from(["0", "7"]), reset=st.integers(0, 10**4))
def test_retry_after_is_the_minimum_wait(asked: int, remaining: str, reset: int) -> None:
    """The wait is at least `retry-after`, whatever the other headers contain."""
    headers = {"retry-after": str(asked), "x-ratelimit-remaining": remaining, "x-ratelimit-reset": str(reset)}
    limit = limit_of(403, headers, "", 0, NOW)
    assert limit is not None
    assert limit.seconds >= asked


@given(left=st.floats(0, 3600), skew=st.floats(-3600, 3600))
def test_the_wait_ends_after_the_reset(left: float, skew: float) -> None:
    """By GitHub's clock, the wait ends after the reset, however wrong the local clock is."""
    github = NOW + skew
    reset = int(github + left)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset), "date": formatdate(github, usegmt=True)}
    limit = limit_of(403, headers, "", 0, NOW)
    assert limit is not None
    assert github + limit.seconds >= reset


@given(
    status=st.sampled_from([403, 429]),
    names=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "date"]),
        st.one_of(st.text(LATIN, max_size=40), st.sampled_from(["0", "1e400", "Mon, 01 Jan 0001 00:00:00 -0000"])),
    ),
)
def test_any_header_gives_a_valid_limit_or_none(status: int, names: dict[str, str]) -> None:
    """For any headers, the result is a limit with a wait of zero or more, or None."""
    limit = limit_of(status, names, "", 0, NOW)
    assert limit is None or limit.seconds >= 0
    if status == 429 and not names:
        assert limit == Limit(SECONDARY_WAIT_SECONDS, SECONDARY)
