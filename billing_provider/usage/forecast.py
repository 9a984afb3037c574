"""Who is near a cap or over it, and when the cap is reached at the pace of this month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from billing_provider.usage.spend import LICENSES

if TYPE_CHECKING:
    from datetime import date

    from billing_provider.usage.spend import BudgetSpend

OVER, NEAR, RISING, UNKNOWN, BELOW = "over", "near", "rising", "unknown", "below"
STATES = (OVER, NEAR, RISING, UNKNOWN, BELOW)
"""The states, the most urgent first."""

REACHED = "reached"
THIS_MONTH = "this month"
NOT_THIS_MONTH = "not this month"
FIRST_USE = "at the first use"
NO_USAGE = "no usage yet"
TOO_EARLY = "too early"
NO_PACE = "no pace"


@dataclass(frozen=True)
class Forecast:
    """The forecast of one cap: its state, and when it is reached.

    Attributes:
        spend: The budget, and what was spent of it; for a budget of many users, by one user.
        state: `over` (all is spent), `near` (the given share is spent), `rising` (all will be spent this month),
            `unknown` or `below`.
        when: When all is spent at today's pace: `reached`, `this month`, `not this month`, `at the first use` (the cap
            is 0), `no usage yet`, `too early` (on the first day of a month), `no pace` (licenses) or `unknown`.
        reaches: The day on which all is spent, in UTC; None unless `when` is `this month`.
    """

    spend: BudgetSpend
    state: str
    when: str
    reaches: date | None


def forecast(spend: BudgetSpend, wall_seconds: float, near_percent: int) -> Forecast:
    """Return the forecast of one cap.

    Args:
        spend: The budget, and what was spent of it.
        wall_seconds: The current time, in seconds since 1970.
        near_percent: The share from which a cap is near, in percent.
    """
    when, reaches = _when(spend, datetime.fromtimestamp(wall_seconds, timezone.utc))
    if spend.share is None:
        state = UNKNOWN
    elif when == REACHED:
        state = OVER
    elif spend.share * 100 >= near_percent:
        state = NEAR
    else:
        state = RISING if reaches else BELOW
    return Forecast(spend, state, when, reaches)


def _when(spend: BudgetSpend, now: datetime) -> tuple[str, date | None]:
    """Return when the cap is reached, and the day if it is in this month."""
    cap, spent = spend.budget.budget_amount, spend.spent
    if spent is None:
        return UNKNOWN, None
    if spent <= 0:
        return NO_USAGE if cap else FIRST_USE, None
    if spent >= cap:
        return REACHED, None
    if spend.unit == LICENSES:
        # Licenses are not used up over a month.
        return NO_PACE, None
    if now.day == 1:
        return TOO_EARLY, None
    return _at_pace(cap / spent, now)


def _at_pace(times: float, now: datetime) -> tuple[str, date | None]:
    """Return when so many times the spend so far is reached, and the day if it is in this month."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    passed = now - start
    # No month has more than 31 days, and a much later time cannot be represented.
    reaching = start + passed * min(times, timedelta(days=31) / passed)
    if reaching.month != now.month:
        return NOT_THIS_MONTH, None
    return THIS_MONTH, reaching.date()
