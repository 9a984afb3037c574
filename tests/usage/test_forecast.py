"""The forecast of a cap: its state, and when it is reached at the pace of the month."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.models import BudgetDetails
from billing_provider.core.clock import instant
from billing_provider.usage.forecast import (
    BELOW,
    FIRST_USE,
    NEAR,
    NO_PACE,
    NO_USAGE,
    NOT_THIS_MONTH,
    OVER,
    REACHED,
    RISING,
    STATES,
    THIS_MONTH,
    TOO_EARLY,
    UNKNOWN,
    forecast,
)
from billing_provider.usage.spend import DOLLARS, LICENSES, BudgetSpend

BUDGET = BudgetDetails("1", 100, "actions", None, "enterprise", None, None, True, None, None, None, None, None)  # noqa: FBT003
MIDDLE = "2026-09-16T00:00:00Z"


def spend(spent: float | None, cap: float = 100, unit: str = DOLLARS) -> BudgetSpend:
    return BudgetSpend(BudgetDetails(**{**vars(BUDGET), "budget_amount": cap}), spent, unit)


@pytest.mark.parametrize(
    ("given_spend", "now", "state", "when", "reaches"),
    [
        (spend(100), MIDDLE, OVER, REACHED, None),
        (spend(250), "2026-09-01T12:00:00Z", OVER, REACHED, None),
        (spend(1, cap=0), MIDDLE, OVER, REACHED, None),
        (spend(0, cap=0), MIDDLE, BELOW, FIRST_USE, None),
        (spend(0), MIDDLE, BELOW, NO_USAGE, None),
        (spend(-1), MIDDLE, BELOW, NO_USAGE, None),
        (spend(None), MIDDLE, UNKNOWN, UNKNOWN, None),
        (spend(None, cap=0), MIDDLE, UNKNOWN, UNKNOWN, None),
        (spend(75), MIDDLE, NEAR, THIS_MONTH, date(2026, 9, 21)),
        (spend(75), "2026-09-30T23:59:59Z", NEAR, NOT_THIS_MONTH, None),
        (spend(74.9), MIDDLE, RISING, THIS_MONTH, date(2026, 9, 21)),
        (spend(50), MIDDLE, BELOW, NOT_THIS_MONTH, None),
        (spend(51), MIDDLE, RISING, THIS_MONTH, date(2026, 9, 30)),
        (spend(20), "2026-09-01T23:59:59Z", BELOW, TOO_EARLY, None),
        (spend(80), "2026-09-01T00:00:00Z", NEAR, TOO_EARLY, None),
        (spend(20), "2026-09-02T00:00:00Z", RISING, THIS_MONTH, date(2026, 9, 6)),
        (spend(60, unit=LICENSES), MIDDLE, BELOW, NO_PACE, None),
        (spend(99, unit=LICENSES), MIDDLE, NEAR, NO_PACE, None),
        (spend(100, unit=LICENSES), MIDDLE, OVER, REACHED, None),
        (spend(5e-324), MIDDLE, BELOW, NOT_THIS_MONTH, None),
        (spend(1, cap=1e300), "2026-12-31T23:00:00Z", BELOW, NOT_THIS_MONTH, None),
    ],
    ids=str,
)
def test_states(given_spend: BudgetSpend, now: str, state: str, when: str, reaches: date | None) -> None:
    """Each combination of spend, cap and day has its state and its text; a day is only for this month."""
    found = forecast(given_spend, instant(now).timestamp(), 75)
    assert (found.state, found.when, found.reaches) == (state, when, reaches)


def test_the_share_from_which_a_cap_is_near() -> None:
    """The share is an argument."""
    now = instant(MIDDLE).timestamp()
    assert [forecast(spend(40), now, percent).state for percent in (39, 40, 41)] == [NEAR, NEAR, BELOW]


@given(
    st.none() | st.floats(-1e300, 1e300),
    st.floats(0, 1e300),
    st.sampled_from((DOLLARS, LICENSES)),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001
)
def test_every_figure_has_a_forecast(spent: float | None, cap: float, unit: str, now: datetime) -> None:
    """Any figures on any day have a forecast; a day is today or later, in this month."""
    found = forecast(spend(spent, cap, unit), now.timestamp(), 75)
    assert found.state in STATES
    assert (found.reaches is not None) == (found.when == THIS_MONTH)
    assert (found.state == UNKNOWN) == (spent is None)
    if found.reaches is not None:
        assert now.date() - timedelta(days=1) <= found.reaches
        assert (found.reaches.year, found.reaches.month) == (now.year, now.month)
