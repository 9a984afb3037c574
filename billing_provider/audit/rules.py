"""The rules: each has a name, a setting, a text, and one function over the budgets that a place knows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.budgets import consequences
from billing_provider.budgets.consequences import DOLLARS, UNCOVERED, worth
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import near
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from billing_provider.audit.subjects import Account, Subject
    from billing_provider.core.owners import Owner

FLAG, AMOUNT, NAMES = "", "DOLLARS", "NAME,..."
"""What a rule is set to: nothing, an amount in US dollars, or names."""
ALERTS = "alerts"
"""The rule for which the logins of a live account are looked up."""
_AMOUNT_INPUTS = ("budget_amount", "prevent_further_usage")
_AI_CREDITS = "ai_credits"
_SHOWN = 300
_WHOLE = re.compile(r"\d{1,12}")


class RuleFinding(NamedTuple):
    """One thing that breaks a rule.

    Attributes:
        rule: The name of the rule.
        what: The budget, or what has none.
        text: What is wrong.
        subject: The budget; None if one is missing.
    """

    rule: str
    what: str
    text: str
    subject: Subject | None = None


@dataclass(frozen=True)
class AuditRule:
    """A rule.

    Attributes:
        name: Its name.
        setting: What it is set to: `FLAG`, `AMOUNT` or `NAMES`.
        text: What it demands.
        judge: Yields what breaks it: the budget or the thing without one, and what is wrong.
        is_single: Whether each budget is judged by itself.
    """

    name: str
    setting: str
    text: str
    judge: Callable[[Account, Any], Iterator[tuple[Subject | str, str]]]
    is_single: bool = False


# --- what really stops


def why_not(subject: Subject, account: Account) -> str:
    """Return why GitHub stops nothing at the amount of a budget, or an empty text if it does.

    Args:
        subject: The budget.
        account: The budgets that are known.
    """
    terms = subject.terms
    login = subject.owner.slug.lower()
    if not subject.knows("prevent_further_usage"):
        return "whether it is a hard stop is not known"
    if not terms.hard:
        return "it only alerts"
    if terms.only_alerts:
        return "GitHub does not stop licenses: a budget for them only alerts"
    if subject.owner.kind.noun == ORGANIZATION and login in account.billed_by:
        enterprise = account.billed_by[login]
        return f"the enterprise {enterprise} bills the organization, whose own budgets may stop nothing"
    return ""


def unstopped(account: Account, owner: Owner, products: Iterable[str]) -> list[str]:
    """Return the products of which no budget stops all usage of an owner, in the given order."""
    stopped = {
        each.product
        for each in account.of(owner)
        if each.covers_owner and not each.terms.excludes_cost_centers and not why_not(each, account)
    }
    return [product for product in products if canonical_sku(product) not in stopped]


# --- the rules


def _hard_stop(account: Account, products: Iterable[str]) -> Iterator[tuple[Subject | str, str]]:
    wanted = {canonical_sku(product): product for product in products}
    for each in account.budgets:
        if each.product in wanted and (reason := why_not(each, account)):
            yield each, f"it is no hard stop: {reason}"
    for owner in account.owners:
        for product in unstopped(account, owner, wanted.values()):
            yield f"{product} of {owner}", "no hard stop covers all of it"


def _alerts(account: Account, _: Any) -> Iterator[tuple[Subject | str, str]]:
    for each in account.budgets:
        if each.scope != USER and each.knows("budget_alerting") and each.terms.alerts is None:
            yield each, "it alerts nobody"
        if absent := sorted(account.absent & (each.terms.alerts or frozenset())):
            yield each, f"it alerts {', '.join(absent)}: GitHub has no such user"


def _stop_above(account: Account, amount: float) -> Iterator[tuple[Subject | str, str]]:
    for each in _priced(account):
        if each.terms.amount > amount and (reason := why_not(each, account)):
            yield each, f"an amount above {worth(amount, DOLLARS)} needs a hard stop: {reason}"


def _capped(account: Account, names: Iterable[str]) -> Iterator[tuple[Subject | str, str]]:
    stopped: set[str] = set()
    for each in account.budgets:
        # The cap of one person is none of the organization, repository or cost center that has the same name.
        if not each.is_per_user and not why_not(each, account):
            stopped |= each.names | ({each.owner.slug.lower()} if each.covers_owner else set())
    for name in names:
        if name.lower() not in stopped:
            yield name, "no hard stop of its own is known"


def _max_amount(account: Account, amount: float) -> Iterator[tuple[Subject | str, str]]:
    for each in _priced(account):
        if each.terms.amount > amount:
            yield each, f"the amount is above {worth(amount, DOLLARS)}"


def _expiry(account: Account, amount: float) -> Iterator[tuple[Subject | str, str]]:
    for each in _priced(account):
        if each.scope == USER and each.knows("expires_at") and not each.terms.expires_at and each.terms.amount > amount:
            yield each, f"a budget of one person above {worth(amount, DOLLARS)} needs an expires_at"


def _umbrella(account: Account, _: Any) -> Iterator[tuple[Subject | str, str]]:
    known = [each for each in account.budgets if each.knows(*_AMOUNT_INPUTS) and not each.is_per_user]
    # Only budgets of one product that have the enterprise or the organization in common can cover each other.
    by_place: dict[tuple[str, str], list[Subject]] = {}
    for each in known:
        for place in {each.owner.slug.lower(), _entity(each).partition("/")[0]}:
            by_place.setdefault((each.product, place), []).append(each)
    for each in known:
        if each.scope not in {ENTERPRISE, ORGANIZATION}:
            continue
        place = _entity(each) if each.scope == ORGANIZATION else ""
        candidates = by_place[each.product, place or each.owner.slug.lower()]
        below = [other for other in candidates if consequences.covers(each.fields, other.fields)]
        if text := consequences.overcommitted("it", each.terms, [(other.scope, other.terms) for other in below]):
            yield each, text


def _entity(each: Subject) -> str:
    return str(each.fields.get("budget_entity_name") or "").lower()


def _stops_nothing(account: Account, _: Any) -> Iterator[tuple[Subject | str, str]]:
    for each in account.budgets:
        is_zero = each.knows(*_AMOUNT_INPUTS) and not each.terms.hard and each.terms.amount == 0
        if is_zero:
            yield each, "$0 without a hard stop blocks nothing: it only alerts"
        elif each.knows("prevent_further_usage") and each.terms.hard and (reason := why_not(each, account)):
            yield each, reason
    for owner in account.owners:
        credits_of = [each for each in account.of(owner) if each.product == _AI_CREDITS]
        if credits_of and all(each.is_per_user for each in credits_of):
            yield f"ai_credits of {owner}", UNCOVERED


RULES = {
    rule.name: rule
    for rule in (
        AuditRule("hard-stop", NAMES, "the named products have a hard stop", _hard_stop),
        AuditRule("stop-above", AMOUNT, "a larger amount is a hard stop", _stop_above, is_single=True),
        AuditRule("capped", NAMES, "each named organization, repository or cost center has a hard stop", _capped),
        AuditRule("max-amount", AMOUNT, "no amount is larger", _max_amount, is_single=True),
        AuditRule("expiry", AMOUNT, "a budget of one person with a larger amount expires", _expiry, is_single=True),
        AuditRule(ALERTS, FLAG, "each budget alerts somebody", _alerts, is_single=True),
        AuditRule("umbrella", FLAG, "a hard stop is not below the sum of the budgets that it covers", _umbrella),
        AuditRule("stops-nothing", FLAG, "no budget is a cap in name only", _stops_nothing),
    )
}
"""The rules by name, in the order of their findings."""
DEFAULTS: Mapping[str, Any] = {name: True for name, rule in RULES.items() if rule.setting == FLAG}
"""The rules that are on without a setting."""


def read_rule(text: str) -> tuple[str, Any]:
    """Return the name and the setting of a rule, from `NAME`, `NAME=DOLLARS` or `NAME=A,B`.

    Raises:
        ConfigError: There is no such rule, or the setting does not fit.
    """
    name, equals, value = text.partition("=")
    return name, read_setting(name, value if equals else True)


def read_setting(name: str, value: Any) -> Any:
    """Return the setting of a rule: True, an amount, or a list of names.

    Raises:
        ConfigError: There is no such rule, or the setting does not fit.
    """
    rule = RULES.get(name)
    if rule is None:
        similar = near(name, RULES) or list(RULES)
        raise ConfigError(f"rule: there is no rule {clean(name, 60)}: write {', '.join(similar)}")
    if rule.setting == FLAG:
        if value is not True:
            raise ConfigError(f"rule: {name} has no setting: write {name}")
        return True
    if rule.setting == AMOUNT:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return float(value)
        raise ConfigError(f"rule: write {name}={AMOUNT}, a whole number of US dollars")
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
        raise ConfigError(f"rule: write {name}={NAMES}")
    return [each.strip() for each in found]


def judge(account: Account, settings: Mapping[str, Any]) -> list[RuleFinding]:
    """Return what breaks the rules, in the order of the rules and of the budgets.

    Args:
        account: The budgets that are known.
        settings: The rules that are on, by name, with their settings.
    """
    found = []
    for name, rule in RULES.items():
        if name in settings:
            for about, text in rule.judge(account, settings[name]):
                subject = None if isinstance(about, str) else about
                what = about if isinstance(about, str) else about.what
                found.append(RuleFinding(name, clean(what, _SHOWN), clean(text, _SHOWN), subject))
    return found


def in_words(found: Sequence[RuleFinding]) -> list[str]:
    """Return a title with the number of findings of each rule, and a line for each finding."""
    counts = Counter(finding.rule for finding in found)
    each = ", ".join(f"{count} {name}" for name, count in counts.items())
    title = f"Rules: {each}." if found else "Rules: none is broken."
    return [title, *(f"{finding.rule}: {finding.what}: {finding.text}" for finding in found)]


def _priced(account: Account) -> Iterator[Subject]:
    """Yield the budgets with a known amount in US dollars."""
    for each in account.budgets:
        if each.knows("budget_amount", "budget_product_sku") and each.terms.unit == DOLLARS:
            yield each
