"""The terms of a cap, what a change of them means in dollars and people, and the refusal of accidental raises.

All functions are pure: no requests, no clock. Each text is one line for the row of the resource.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.budgets.models import FIELDS
from billing_provider.budgets.skus import LICENSE_SKUS, canonical_sku, counts_licenses
from billing_provider.core.clock import instant
from billing_provider.core.owners import COST_CENTER, ENTERPRISE, ORGANIZATION, PER_USER_SCOPES, REPOSITORY
from billing_provider.core.redact import clean
from billing_provider.core.resource import secret_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from billing_provider.core.limits import Limits

RAISED_TO = "raised_to"
"""The output with a higher amount on GitHub that `on_raise` keeps; absent if there is none."""
DOLLARS = "$"
LICENSES = "licenses"
MAX_LINE = 200
"""Maximum length of a text."""

UNCOVERED = (
    "a person's cap does not cover credits of Copilot CLI in Actions (GITHUB_TOKEN) or of reviews asked by bots or "
    "unlicensed users: only cost center, organization or enterprise budgets cap them"
)
"""The usage that the budgets of persons do not cover."""
UNKNOWN_PEOPLE = "who has used how much is not known, so a new or lower cap of a person may stop this person at once"
"""Said once per run: GitHub tells the use of people one by one, or for existing budgets only."""
UNKNOWN_SPEND = "how much is spent so far is not known, so a lower cap may stop usage at once"
"""Said once per run: the token may not read usage, or GitHub does not answer."""

_MAX_NAME, _MAX_COVERS, _SHOWN = 39, 60, 3
_MAX_PLAIN = 1e10
_INSIDE = frozenset({ORGANIZATION, COST_CENTER, REPOSITORY})
UMBRELLAS = frozenset({ENTERPRISE, ORGANIZATION})
"""The scopes of budgets that can cover others."""
_VALUES: dict[str, Callable[[Terms], Any]] = {
    "prevent_further_usage": lambda terms: terms.hard,
    "budget_amount": lambda terms: terms.amount,
    "budget_alerting": lambda terms: terms.alerts,
    "expires_at": lambda terms: terms.expires_at,
    "exclude_cost_center_usage": lambda terms: terms.excludes_cost_centers,
    "budget_product_sku": lambda terms: (terms.unit, terms.only_alerts),
}
"""The value in the terms that an input determines."""


class Terms(NamedTuple):
    """The amount of a budget, and how GitHub enforces and reports it.

    Attributes:
        amount: US dollars a month, or licenses.
        hard: Whether the budget is declared as a hard stop.
        alerts: Alerted logins in lower case; empty if only GitHub's default recipients are alerted; None if nobody is.
        expires_at: When GitHub removes the budget.
        excludes_cost_centers: Whether usage of cost centers is not covered.
        unit: `$` or `licenses`.
        only_alerts: Whether GitHub never stops usage of this SKU, even if the budget is a hard stop.
        unknown: The inputs whose values are not known: not yet in a preview, or not in GitHub's reply.
        secret: The inputs whose values no text may show.
    """

    amount: float
    hard: bool
    alerts: frozenset[str] | None
    expires_at: str | None = None
    excludes_cost_centers: bool = False
    unit: str = DOLLARS
    only_alerts: bool = False
    unknown: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()

    @classmethod
    def of(cls, fields: Mapping[str, Any], unknown: frozenset[str] = frozenset()) -> Terms:
        """Return the terms of a budget from its inputs; None and a missing input are equal.

        A budget of one user has no alerts, so its `alerts` are None.

        Args:
            fields: The inputs; `SECRET_INPUTS` among them names the secret ones.
            unknown: The inputs whose values are not known.
        """
        if "budget_scope" in unknown:
            # The scope decides the default of the hard stop, and whether there are alerts.
            unknown |= {"prevent_further_usage", "budget_alerting"} - set(fields)
        scope = fields.get("budget_scope") or ""
        sku = canonical_sku(fields.get("budget_product_sku") or "")
        hard = fields.get("prevent_further_usage")
        alerting = (fields.get("budget_alerting") if FIELDS["budget_alerting"].in_scope(scope) else None) or {}
        return cls(
            # GitHub's integers have no bound; a float has one.
            # In a state, a kept raise is what GitHub has.
            amount=float(max(0, min(fields.get(RAISED_TO) or fields.get("budget_amount") or 0, sys.float_info.max))),
            hard=scope in PER_USER_SCOPES if hard is None else hard,
            alerts=(
                frozenset(login.lower() for login in alerting.get("alert_recipients") or ())
                if alerting.get("will_alert")
                else None
            ),
            expires_at=fields.get("expires_at"),
            excludes_cost_centers=bool(fields.get("exclude_cost_center_usage")),
            unit=LICENSES if counts_licenses(sku) else DOLLARS,
            only_alerts=sku in LICENSE_SKUS,
            unknown=unknown,
            secret=secret_inputs(fields),
        )

    @property
    def stops(self) -> bool:
        """Whether GitHub stops usage at the amount."""
        return self.hard and not self.only_alerts

    @property
    def most(self) -> float:
        """The most that can be spent: the amount if GitHub stops usage there, else infinity."""
        return self.amount if self.stops else math.inf


@dataclass(frozen=True)
class Spend:
    """The spend of this month that a budget covers.

    Attributes:
        spent: US dollars this month, or licenses in use.
        day: Day of the month, from 1.
        days: Number of days in the month.
        covers: What is covered, such as `Actions of octo-org`.
    """

    spent: float
    day: int
    days: int
    covers: str


@dataclass(frozen=True)
class Person:
    """The consumption of one person this month.

    Attributes:
        login: The person's login, or None if unknown.
        used: US dollars used this month.
        cap: The amount of the person's own budget, which takes precedence, or None.
    """

    login: str | None
    used: float
    cap: float | None = None


def changes(old: Terms, new: Terms) -> list[str]:
    """Return every difference in words, losses first; `old` can be the live budget that is adopted."""
    return [*losses(old, new), *map(_line, _gains(old, _in_unit_of(old, new)))]


def losses(old: Terms, new: Terms) -> list[str]:
    """Return the differences that allow more, or tell fewer people, in words."""
    new = _in_unit_of(old, new)
    found = []
    open_fields = _open(old, new)
    if "prevent_further_usage" in open_fields and old.hard and not new.hard:
        found.append("removes the hard stop")
    if "budget_amount" in open_fields and old.unit != new.unit:
        found.append(f"changes the amount {_from_to(old, new)}")
    elif "budget_amount" in open_fields and new.amount > old.amount:
        found.append(_moved("raises", old, new))
    if "budget_alerting" in open_fields:
        found += _lost_alerts(old, new)
    if "expires_at" in open_fields and _expires_sooner(old, new):
        found.append(f"expires on {_day(new)}, which lifts the cap")
    if "exclude_cost_center_usage" in open_fields and new.excludes_cost_centers and not old.excludes_cost_centers:
        found.append("no longer covers cost centers")
    if "budget_product_sku" in open_fields and new.only_alerts and not old.only_alerts:
        found.append("is for licenses that GitHub does not stop")
    return [_line(text) for text in (*found, *_secret_changes(old, new), *_possible_losses(old, new))]


def _gains(old: Terms, new: Terms) -> list[str]:
    found = []
    open_fields = _open(old, new)
    if "prevent_further_usage" in open_fields and new.hard and not old.hard:
        found.append("adds a hard stop")
    if "budget_amount" in open_fields and old.unit == new.unit and new.amount < old.amount:
        found.append(_moved("lowers", old, new))
    if "budget_alerting" in open_fields:
        found += _more_alerts(old, new)
    if "expires_at" in open_fields and old.expires_at and not _expires_sooner(old, new):
        if not new.expires_at:
            found.append("no longer expires")
        elif _moment(old) != _moment(new):
            found.append(f"expires later, on {_day(new)}")
    if "exclude_cost_center_usage" in open_fields and old.excludes_cost_centers and not new.excludes_cost_centers:
        found.append("covers cost centers too")
    if "budget_product_sku" in open_fields and old.only_alerts and not new.only_alerts:
        found.append("is for usage that GitHub can stop")
    return found


def _lost_alerts(old: Terms, new: Terms) -> list[str]:
    if old.alerts is not None and new.alerts is None:
        return ["alerts nobody any more"]
    gone = (old.alerts or frozenset()) - (new.alerts or frozenset())
    return [f"no longer alerts {_names(gone)}"] if gone else []


def _more_alerts(old: Terms, new: Terms) -> list[str]:
    if new.alerts is not None and old.alerts is None:
        return [f"alerts {_names(new.alerts) if new.alerts else 'the default recipients of GitHub'}"]
    more = (new.alerts or frozenset()) - (old.alerts or frozenset())
    return [f"alerts {_names(more)} too"] if more else []


def _open(old: Terms, new: Terms) -> set[str]:
    """Return the inputs that are known on both sides and whose values may be shown."""
    return set(_VALUES) - old.unknown - new.unknown - old.secret - new.secret


def _secret_changes(old: Terms, new: Terms) -> list[str]:
    """Return that secret values change, without the values and without the direction."""
    secret = (old.secret | new.secret) - old.unknown - new.unknown
    return [secret_change(name) for name, value in _VALUES.items() if name in secret and value(old) != value(new)]


def secret_change(name: str) -> str:
    """Return that the value of a secret input changes."""
    return f"changes {name}, which is secret"


def _possible_losses(old: Terms, new: Terms) -> list[str]:
    """Return what a change can take away where the value before it is not known: GitHub's reply leaves it out."""
    found = []
    hidden = old.unknown - new.unknown - new.secret
    if "expires_at" in hidden and new.expires_at:
        found.append(f"expires on {_day(new)}, which lifts the cap")
    if "budget_alerting" in hidden and not new.alerts:
        whom = "nobody" if new.alerts is None else "only the default recipients of GitHub"
        found.append(f"alerts {whom}; GitHub's reply does not show whom it alerts now")
    if "exclude_cost_center_usage" in hidden and new.excludes_cost_centers:
        found.append("does not cover cost centers")
    return found


def stops(old: Terms | None, new: Terms, spend: Spend | None) -> list[str]:
    """Return what a new, lower or wider hard stop does to usage this month, at once or at today's pace.

    A new budget counts only spend after its creation, so only a new hard stop at 0 stops usage at once. Licenses in
    use count in any budget, and they have no pace.

    Args:
        old: The terms before the change, or None for a new budget.
        new: The terms after it.
        spend: What the budget covers, or None if the spend is unknown: then nothing is known to stop.
    """
    if spend is None or not tightens(old, new):
        return []
    counted = 0.0 if old is None and new.unit == DOLLARS else spend.spent
    return [_line(text) for text in _stop(new, spend, new.amount - counted)]


def _stop(new: Terms, spend: Spend, left: float) -> Iterable[str]:
    covered, pace = clean(spend.covers, _MAX_COVERS), spend.spent / spend.day
    spent, cap = worth(spend.spent, new.unit), worth(new.amount, new.unit)
    if left < 0 and new.unit == LICENSES:
        yield f"GitHub refuses a hard stop below use: {covered} has {spent}, the cap is {cap}"
    elif left <= 0:
        what = "new use" if new.unit == LICENSES else "usage"
        yield f"{what} of {covered} stops at once: {spent} are {_spent(new)}, the cap is {cap}"
    elif new.unit == DOLLARS and pace > 0 and left / pace <= spend.days - spend.day:
        yield f"at today's pace the cap of {cap} is reached on the {_ordinal(spend.day + math.ceil(left / pace))}"


def blocks(old: Terms | None, new: Terms, people: Sequence[Person] | None) -> list[str]:
    """Return whom a new or lower cap per person stops at once; a person's own budget takes precedence.

    Args:
        old: The terms before the change, or None for a new budget. Whoever they stopped is not counted.
        new: The terms after it.
        people: The consumption of each person whom the budget covers, or None if it is unknown: then nobody is known
            to be stopped.
    """
    if people is None or not tightens(old, new):
        return []
    cap, before = worth(new.amount, new.unit), math.inf if old is None else old.most
    stopped = [person for person in people if person.cap is None and new.amount <= person.used < before]
    if not stopped:
        return []
    stopped.sort(key=lambda person: -person.used)
    first = stopped[0]
    if len(stopped) == 1:
        name = _name(first.login)
        return [_line(f"stops {name} at once: {worth(first.used, new.unit)} are used, the cap is {cap}")]
    highest = ", ".join(f"{_name(person.login)} {worth(person.used, new.unit)}" for person in stopped[:_SHOWN])
    shown = f"the three highest: {highest}" if len(stopped) > _SHOWN else highest
    return [_line(f"stops {len(stopped):,} people at once: they have used at least {cap} this month ({shown})")]


def cap(terms: Terms) -> str:
    """Return the amount of a budget and how GitHub enforces it, such as `$100 hard stop`."""
    hidden = terms.secret | terms.unknown
    amount = "" if "budget_amount" in hidden else f"{worth(terms.amount, terms.unit)} "
    kind = "budget" if "prevent_further_usage" in hidden else "hard stop" if terms.stops else "budget that only alerts"
    return f"{amount}{kind}"


def new_meter(spent: float | None) -> str:
    """Return that a new budget counts only usage after its creation.

    Args:
        spent: US dollars spent this month in the budget's scope, or None if unknown.
    """
    before = "usage from" if spent is None else f"{worth(spent, DOLLARS)} used"
    return f"counts from 0: {before} earlier this month {'is' if spent is None else 'are'} not included"


def overcommitted(umbrella_name: str, umbrella: Terms, covered: Sequence[tuple[str, Terms]]) -> str | None:
    """Return that the budgets below a hard stop allow more than it does, or None.

    Args:
        umbrella_name: The covering budget, for the text.
        umbrella: Its terms.
        covered: The scope and the terms of each budget that it covers. Budgets of one scope do not overlap, those of
            several scopes can: the scope with the largest sum counts.
    """
    sums: dict[str, float] = {}
    for scope, terms in covered:
        if terms.most < math.inf:
            sums[scope] = sums.get(scope, 0.0) + terms.most
    largest = max(sums.values(), default=0.0)
    if largest <= umbrella.most:
        return None
    allowed, in_sum = (worth(amount, umbrella.unit) for amount in (umbrella.amount, largest))
    name = clean(umbrella_name, _MAX_COVERS)
    return _line(f"{name} allows {allowed}, the budgets that it covers allow {in_sum} in sum: they cannot all be used")


def covers(umbrella: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether all usage that one budget counts is counted by another one too, as far as their inputs tell.

    Budgets of persons are not compared: with Copilot Business and Enterprise licenses, they act on included credits
    too, the others only after these are used up.
    """
    if not umbrella.get("budget_product_sku") or _sku(umbrella) != _sku(other):
        return False
    scope, below = umbrella.get("budget_scope"), other.get("budget_scope")
    if scope == ENTERPRISE:
        inside = _INSIDE - {COST_CENTER} if umbrella.get("exclude_cost_center_usage") else _INSIDE
        return below in inside and _folded(umbrella, ENTERPRISE) == _folded(other, ENTERPRISE) != ""
    if scope == ORGANIZATION and below == REPOSITORY:
        login = _folded(umbrella, "budget_entity_name") or _folded(umbrella, ORGANIZATION)
        owner, _, _ = _folded(other, "budget_entity_name").rpartition("/")
        return (owner or _folded(other, ORGANIZATION)) == login != ""
    return False


def refused(old: Terms | None, new: Terms | None, limits: Limits) -> str | None:
    """Return why a change is refused as a possible accident, or None.

    Refused are a hard stop that goes, a larger raise than the limits allow, and a new budget above them.

    Args:
        old: The terms before the change, or None for a new budget.
        new: The terms after it, or None for a deletion.
        limits: The largest raise that is allowed.
    """
    if old is not None and new is not None:
        new = _in_unit_of(old, new)
    sides = [side for side in (old, new) if side is not None]
    if removal := _removes(old, new):
        refusal = limits.refusal_of_removal(removal)
    else:
        raised, percent, what = _increase(old, new, limits)
        is_secret = any("budget_amount" in side.secret for side in sides)
        what = "raises the amount, which is secret" if is_secret else what
        refusal = limits.refusal(what, raised, percent, is_secret=is_secret)
    return refusal and _line(refusal)


def _removes(old: Terms | None, new: Terms | None) -> str:
    """Return how a hard stop goes without another one; empty if it stays, if there was none, or if it is not known."""
    if old is None or "prevent_further_usage" in old.unknown | (new.unknown if new else frozenset()):
        return ""
    if new is None:
        # A license budget is declared as a stop and is none.
        return f"deletes the {cap(old)}" if old.stops else ""
    return "removes the hard stop" if (old.hard and not new.hard) or (old.stops and not new.stops) else ""


def _increase(old: Terms | None, new: Terms | None, limits: Limits) -> tuple[float, float, str]:
    """Return the raise in units and in percent, and its description; values that are not known do not count."""
    unknown = (old.unknown if old else frozenset()) | (new.unknown if new else frozenset())
    if new is None or "budget_amount" in unknown:
        return 0.0, 0.0, ""
    if old is None or old.unit != new.unit:
        return new.amount, 0.0, f"sets an amount of {worth(new.amount, new.unit)}"
    raised = new.amount - old.amount
    # From 0, each raise is above each percentage, unless a limit in dollars allows it.
    within_usd = limits.usd is not None and raised <= limits.usd
    percent = 0.0 if old.amount == 0 and within_usd else _percentage(old, new)
    return raised, percent, f"raises the amount by {_difference(old, new)}"


# --- comparison


def _in_unit_of(old: Terms, new: Terms) -> Terms:
    """Return the new terms; with a SKU that is not known yet, the unit and the enforcement are those of the old one."""
    is_known = "budget_product_sku" not in new.unknown
    return new if is_known else new._replace(unit=old.unit, only_alerts=old.only_alerts)


def tightens(old: Terms | None, new: Terms) -> bool:
    """Return whether a hard stop is new or lower, or covers more usage."""
    if {"budget_amount", "prevent_further_usage"} & (new.unknown | new.secret | (old.secret if old else frozenset())):
        return False
    if old is None or new.most == math.inf:
        return new.most < math.inf
    return new.most < old.most or (old.excludes_cost_centers and not new.excludes_cost_centers)


def _moment(terms: Terms) -> datetime | str | None:
    """Return the expiry, or its text if it is not a time: GitHub's time formats are not fully known."""
    try:
        return instant(terms.expires_at) if terms.expires_at else None
    except ValueError:
        return terms.expires_at


def _expires_sooner(old: Terms, new: Terms) -> bool:
    """Return whether an expiry is new, earlier, or different and not comparable."""
    before, after = _moment(old), _moment(new)
    if after is None or before == after:
        return False
    if before is None or isinstance(before, str) or isinstance(after, str):
        return True
    return after < before


def _percentage(old: Terms, new: Terms) -> float:
    """Return the change of the amount in percent of the old one; infinite from 0."""
    change = new.amount - old.amount
    return change / old.amount * 100 if old.amount else math.copysign(math.inf, change) if change else 0.0


def _sku(fields: Mapping[str, Any]) -> str:
    return canonical_sku(fields.get("budget_product_sku") or "")


def _folded(fields: Mapping[str, Any], name: str) -> str:
    return str(fields.get(name) or "").lower()


# --- words


def _line(text: str) -> str:
    return clean(text, MAX_LINE)


def _moved(verb: str, old: Terms, new: Terms) -> str:
    if old.most < math.inf and new.most < math.inf:
        return f"{verb} the most that can be {_spent(new)} by {_difference(old, new)}"
    return f"{verb} the amount {_from_to(old, new)}"


def _from_to(old: Terms, new: Terms) -> str:
    return f"from {worth(old.amount, old.unit)} to {worth(new.amount, new.unit)}"


def _difference(old: Terms, new: Terms) -> str:
    """Return the change of the amount without its sign, and in percent with it; from 0 there is no percentage."""
    amount = worth(abs(new.amount - old.amount), new.unit)
    if not old.amount:
        return amount
    rounded = float(f"{_percentage(old, new):.3g}")
    return f"{amount} ({rounded:+,g} %)"


def _spent(terms: Terms) -> str:
    return "used" if terms.unit == LICENSES else "spent"


def dollars(amount: float) -> str:
    """Return an amount of US dollars, with cents only where there are any."""
    # GitHub's integers have no bound; a float has one.
    return worth(min(amount, sys.float_info.max), DOLLARS)


def worth(amount: float, unit: str) -> str:
    """Return an amount with its unit, with cents only where there are any."""
    number = f"{amount:,.2f}".removesuffix(".00") if amount < _MAX_PLAIN else f"{amount:.3g}"
    if unit == DOLLARS:
        return f"${number}"
    return f"{number} license" if number == "1" else f"{number} licenses"


def _day(terms: Terms) -> str:
    moment = _moment(terms)
    return clean(str(moment), _MAX_NAME) if moment is None or isinstance(moment, str) else moment.date().isoformat()


def _ordinal(day: int) -> str:
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _name(login: str | None) -> str:
    return clean(login or "", _MAX_NAME) or "one person"


def _names(logins: Iterable[str]) -> str:
    """Return the first logins, and the number of the others."""
    names = [_name(login) for login in sorted(logins)]
    if len(names) > _SHOWN:
        names = [*names[:_SHOWN], f"{len(names) - _SHOWN:,} more"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
