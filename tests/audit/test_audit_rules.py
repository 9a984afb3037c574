"""The rules, one table each: what breaks them, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.audit.rules import DEFAULTS, RULES, in_words, judge, read_rule, read_setting
from billing_provider.audit.subjects import Account, Subject, of_resource, of_resources
from billing_provider.budgets.consequences import UNCOVERED
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, OWNER_KINDS, Owner
from billing_provider.core.resource import SECRET_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

E, ORG = "octo-enterprise", "octo-org"
ENTERPRISE, ORGANIZATION = Owner(ENTERPRISE_OWNER, E), Owner(ORGANIZATION_OWNER, ORG)
TOLD = {"will_alert": True, "alert_recipients": ["octocat"]}
HARD: dict[str, Any] = {
    "enterprise": E,
    "budget_amount": 100,
    "budget_product_sku": "actions",
    "budget_scope": "enterprise",
    "budget_entity_name": "",
    "prevent_further_usage": True,
    "budget_alerting": TOLD,
}
SOFT = {**HARD, "prevent_further_usage": False}
OWN = {**{name: value for name, value in HARD.items() if name != "enterprise"}, "organization": ORG}
OWN |= {"budget_scope": "organization"}
PERSON = {**HARD, "budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits"}
EACH = {**HARD, "budget_scope": "multi_user_customer", "budget_product_sku": "ai_credits"}
WEB = {**HARD, "budget_scope": "repository", "budget_entity_name": "octo-org/website"}
SEATS = {**HARD, "budget_product_sku": "copilot_for_business"}


def subject(fields: dict[str, Any], *unknown: str, name: str = "b") -> Subject:
    kind = next(kind for noun, kind in OWNER_KINDS.items() if noun in fields or noun in unknown)
    return Subject.of(kind, fields, frozenset(unknown), name, f"urn::{name}")


def broken(rule: str, *budgets: dict[str, Any] | Subject, complete: bool = False, billed: bool = False) -> list[str]:
    found = [each if isinstance(each, Subject) else subject(each) for each in budgets]
    name, setting = read_rule(rule)
    account = of_resources(found)
    owners = (ENTERPRISE, ORGANIZATION) if complete else ()
    account = Account(account.budgets, owners, {ORG: E} if billed else account.billed_by)
    return [f"{each.what}: {each.text}" for each in judge(account, {name: setting})]


CAP = "$100 hard stop on actions of octo-enterprise"
ALERT = "$100 budget that only alerts on actions of octo-enterprise"
BILLED = "the enterprise octo-enterprise bills the organization, whose own budgets may stop nothing"


@pytest.mark.parametrize(
    ("rule", "budgets", "expected"),
    [
        ("hard-stop=actions", [HARD], []),
        ("hard-stop=Actions,packages", [SOFT, {**SOFT, "budget_product_sku": "ghas"}],
         [f"{ALERT}: it is no hard stop: it only alerts"]),
        ("hard-stop=copilot_for_business", [SEATS],
         [("100 licenses budget that only alerts on copilot_for_business of octo-enterprise: it is no hard stop: "
          "GitHub does not stop licenses: a budget for them only alerts")]),
        ("stop-above=99", [SOFT, HARD], [f"{ALERT}: an amount above $99 needs a hard stop: it only alerts"]),
        ("stop-above=100", [SOFT], []),
        ("stop-above=1", [{**SEATS, "prevent_further_usage": False}], []),
        ("max-amount=99", [HARD, SEATS], [f"{CAP}: the amount is above $99"]),
        ("max-amount=100", [HARD], []),
        ("expiry=99", [PERSON, HARD],
         [("$100 hard stop on ai_credits of octocat in octo-enterprise: a budget of one person above $99 needs an "
          "expires_at")]),
        ("expiry=100", [PERSON], []),
        ("expiry=99", [{**PERSON, "expires_at": "2027-01-31"}], []),
        ("capped=octo-enterprise,OCTO-ORG/website", [HARD, WEB], []),
        ("capped=octocat", [PERSON], ["octocat: no hard stop of its own is known"]),
        ("capped=octo-org,octo-org/api", [{**WEB, "prevent_further_usage": False}, WEB],
         ["octo-org: no hard stop of its own is known", "octo-org/api: no hard stop of its own is known"]),
        ("capped=octo-org", [OWN], []),
        ("alerts", [HARD, PERSON, {**EACH, "budget_alerting": {"will_alert": True, "alert_recipients": []}}], []),
        ("alerts", [{**HARD, "budget_alerting": {"will_alert": False, "alert_recipients": []}}],
         [f"{CAP}: it alerts nobody"]),
        ("umbrella", [HARD, {**WEB, "budget_amount": 60}], []),
        ("umbrella", [HARD, {**WEB, "budget_amount": 60}, {**WEB, "budget_amount": 60, "budget_entity_name": "o/r"}],
         [(f"{CAP}: it allows $100, the budgets that it "
          "covers allow $120 in sum: they cannot all be used")]),
        ("stops-nothing", [HARD, SOFT, PERSON, EACH, OWN, {**HARD, "budget_amount": 0}], []),
        ("stops-nothing", [SEATS],
         [("100 licenses budget that only alerts on copilot_for_business of octo-enterprise: GitHub does not stop "
          "licenses: a budget for them only alerts")]),
        ("stops-nothing", [{**SOFT, "budget_amount": 0}],
         [("$0 budget that only alerts on actions of octo-enterprise: $0 without a hard stop blocks nothing: it only "
          "alerts")]),
        ("stops-nothing", [OWN, {**HARD, "budget_scope": "organization", "budget_entity_name": "Octo-Org"}],
         [f"$100 hard stop on actions of octo-org: {BILLED}"]),
    ],
)  # fmt: skip
def test_a_rule(rule: str, budgets: list[dict[str, Any]], expected: list[str]) -> None:
    """A rule finds what breaks it, and nothing else."""
    assert broken(rule, *budgets) == expected


def test_what_is_not_known_is_not_judged() -> None:
    """A secret or unknown value breaks no rule of values, and is no proof of a hard stop."""
    secret = {**SOFT, SECRET_INPUTS: ["budget_amount", "prevent_further_usage"], "budget_amount": 0}
    for rule in ("max-amount=0", "stop-above=0", "stops-nothing", "umbrella", "alerts"):
        assert broken(rule, secret) == [], rule
        unknown = {name: value for name, value in SOFT.items() if name in {"enterprise", "budget_product_sku"}}
        names = ("budget_amount", "prevent_further_usage", "budget_alerting", "budget_scope", "budget_entity_name")
        assert broken(rule, subject(unknown, *names)) == [], rule
    (text,) = broken("hard-stop=actions", secret)
    assert text == "budget on actions of octo-enterprise: it is no hard stop: whether it is a hard stop is not known"
    assert broken("capped=octo-enterprise", secret) == ["octo-enterprise: no hard stop of its own is known"]


def test_a_secret_owner_is_not_shown() -> None:
    """The text of a budget shows no secret name and no value that is not known yet."""
    hidden = {**HARD, "budget_scope": "organization", "budget_entity_name": "octo-org", "budget_alerting": None}
    found = subject({**hidden, SECRET_INPUTS: ["budget_entity_name"]})
    assert found.what == "$100 hard stop on actions of [secret]"
    plain = {name: value for name, value in OWN.items() if name != "organization"}
    assert subject(plain, "organization").what == "$100 hard stop on actions of (not known yet)"
    assert Subject.of(ORGANIZATION_OWNER, plain, frozenset(), "b", "").owner.slug == "[secret]"


def test_a_complete_account_is_asked_for_more() -> None:
    """Where all budgets of an owner are known, a missing hard stop and uncovered AI credits are found too."""
    assert broken("hard-stop=actions", HARD, OWN, complete=True) == []
    assert broken("hard-stop=actions", HARD, OWN, complete=True, billed=True) == [
        f"$100 hard stop on actions of octo-org: it is no hard stop: {BILLED}",
        "actions of organization octo-org: no hard stop covers all of it",
    ]
    assert broken("hard-stop=actions", {**HARD, "exclude_cost_center_usage": True}, OWN, complete=True) == [
        "actions of enterprise octo-enterprise: no hard stop covers all of it"
    ]
    assert broken("stops-nothing", PERSON, EACH) == []
    assert broken("stops-nothing", PERSON, EACH, complete=True) == [
        f"ai_credits of enterprise octo-enterprise: {UNCOVERED}"
    ]
    credit = {**HARD, "budget_product_sku": "ai_credits"}
    assert broken("stops-nothing", PERSON, EACH, credit, complete=True) == []


def test_every_rule_has_a_table() -> None:
    """Each rule is tested above, and those without a setting are on by default."""
    marks = test_a_rule.pytestmark
    tested = {rule.partition("=")[0] for rule, *_ in marks[0].args[1]}
    assert tested == set(RULES)
    assert list(DEFAULTS) == ["alerts", "umbrella", "stops-nothing"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hard_stop=actions", "there is no rule hard_stop: write hard-stop"),
        ("zzz", "there is no rule zzz: write hard-stop, stop-above, capped"),
        ("alerts=1", "alerts has no setting: write alerts"),
        ("max-amount", "write max-amount=DOLLARS, a whole number of US dollars"),
        ("max-amount=1.5", "write max-amount=DOLLARS"),
        ("max-amount=-1", "write max-amount=DOLLARS"),
        ("capped", "write capped=NAME,..."),
        ("capped=a,,b", "write capped=NAME,..."),
    ],
)
def test_a_wrong_rule_is_refused(text: str, reason: str) -> None:
    """A misspelt rule and a setting that does not fit are refused, with the form to write."""
    with pytest.raises(ConfigError) as error:
        read_rule(text)
    assert str(error.value).startswith(f"rule: {reason}")


def test_settings_are_values_too() -> None:
    """A policy pack has numbers and lists where an option has text."""
    assert read_rule("capped= a ,b") == ("capped", ["a", "b"])
    assert read_setting("max-amount", 5) == read_setting("max-amount", 5.0) == 5.0
    assert read_setting("capped", ["a"]) == ["a"]
    for value in (True, -1, "x", [1]):
        with pytest.raises(ConfigError):
            read_setting("max-amount", value)
    with pytest.raises(ConfigError):
        read_setting("capped", [1])


def test_findings_in_words() -> None:
    """The title counts the findings of each rule; a finding is one line."""
    found = judge(of_resources([subject(SOFT), subject(SEATS)]), {"stop-above": 1.0, "max-amount": 1.0})
    assert in_words(found)[:2] == [
        "Rules: 1 stop-above, 1 max-amount.",
        f"stop-above: {ALERT}: an amount above $1 needs a hard stop: it only alerts",
    ]
    assert in_words([]) == ["Rules: none is broken."]


def test_a_damaged_state_is_no_budget() -> None:
    """Values of a wrong type are no subject."""
    assert list(of_resource("EnterpriseBudget", {**HARD, "budget_amount": []}, frozenset(), "b", "")) == []
    assert len(list(of_resource("EnterpriseBudget", HARD, frozenset(), "b", ""))) == 1
    assert list(of_resource("CostCenter", HARD, frozenset(), "b", "")) == []


class Counted(tuple[Subject, ...]):
    """Budgets that count how often all of them are read."""

    __slots__ = ()
    reads = 0

    def __iter__(self) -> Iterator[Subject]:
        type(self).reads += 1
        return super().__iter__()


@pytest.mark.parametrize("rule", ["hard-stop=actions,packages", "stops-nothing", "capped=a,b", "umbrella"])
def test_a_rule_reads_the_budgets_a_fixed_number_of_times(rule: str) -> None:
    """However many owners there are, a rule does not read all budgets for each of them."""
    name, setting = read_rule(rule)
    counts = []
    for number in (2, 40):
        found = [subject({**OWN, "organization": f"o{place}"}) for place in range(number)]
        Counted.reads = 0
        judge(Account(Counted(found), tuple(each.owner for each in found)), {name: setting})
        counts.append(Counted.reads)
    assert counts[0] == counts[1]
