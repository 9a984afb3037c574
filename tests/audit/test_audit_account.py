"""An audit of a live account: planted faults are found, and none is invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.adopt.inventory import read_inventories
from billing_provider.audit.rules import judge, read_rule, unstopped, why_not
from billing_provider.audit.subjects import Account, of_inventories
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

E, ORG = "octo-enterprise", "octo-org"
OWNERS = [Owner(ENTERPRISE_OWNER, E), Owner(ORGANIZATION_OWNER, ORG)]
TOLD = {"will_alert": True, "alert_recipients": ["octocat"]}
RULES = ("alerts", "umbrella", "stops-nothing", "max-amount=5000", "stop-above=1000", "expiry=50")

GOOD: tuple[dict[str, Any], ...] = (
    {"budget_scope": "enterprise", "budget_product_sku": "actions", "budget_amount": 4000},
    {"budget_scope": "enterprise", "budget_product_sku": "ai_credits", "budget_amount": 900},
    {"budget_scope": "enterprise", "budget_product_sku": "codespaces", "budget_amount": 0},
    {"budget_scope": "cost_center", "budget_entity_name": "Platform", "budget_product_sku": "actions",
     "budget_amount": 100},
    {"budget_scope": "multi_user_customer", "budget_product_sku": "ai_credits", "budget_amount": 20},
    {"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits", "budget_amount": 60,
     "expires_at": "2030-01-31"},
)  # fmt: skip
"""Budgets without a fault."""

PLANTED: dict[str, dict[str, Any]] = {
    "alerts": {"budget_scope": "enterprise", "budget_product_sku": "packages", "budget_amount": 10, "silent": True},
    "stops-nothing": {"budget_scope": "enterprise", "budget_product_sku": "ghec_licenses", "budget_amount": 10},
    "stops-nothing ": {"budget_scope": "enterprise", "budget_product_sku": "git_lfs", "budget_amount": 0, "soft": True},
    "max-amount": {"budget_scope": "enterprise", "budget_product_sku": "git_lfs_storage", "budget_amount": 5001},
    "stop-above": {"budget_scope": "enterprise", "budget_product_sku": "sandbox", "budget_amount": 1001, "soft": True},
    "expiry": {"budget_scope": "user", "user": "hubot", "budget_product_sku": "ai_credits", "budget_amount": 51},
    "umbrella": {"budget_scope": "organization", "budget_entity_name": "octo-lab", "budget_product_sku": "actions",
                 "budget_amount": 4001},
}  # fmt: skip
"""A budget with one fault, by the rule that it breaks; of a sum, the umbrella is at fault."""


def plant(sandbox: Sandbox, noun: str, name: str, fields: dict[str, Any]) -> str:
    plain = {key: value for key, value in fields.items() if key not in {"silent", "soft"}}
    alerting = {"will_alert": False, "alert_recipients": []} if fields.get("silent") else TOLD
    if plain["budget_scope"] == "user":
        alerting = {"will_alert": False, "alert_recipients": []}
    if plain["budget_scope"] == "cost_center":
        plain["budget_entity_name"] = sandbox.cost_centers()[0]["id"]
    made = sandbox.add_budget(
        noun, name, **plain, prevent_further_usage=not fields.get("soft"), budget_alerting=alerting
    )
    return str(made["id"])


def account_of(sandbox: Sandbox, owners: list[Owner]) -> Account:
    return of_inventories(read_inventories(open_harness(sandbox).run, owners))


def test_good_budgets_break_no_rule(sandbox: Sandbox) -> None:
    """No fault is invented, and only reads are sent."""
    for fields in GOOD:
        plant(sandbox, "enterprise", E, fields)
    account = account_of(sandbox, OWNERS[:1])
    assert judge(account, dict(map(read_rule, RULES))) == []
    assert {why_not(each, account) for each in account.budgets} == {""}
    assert unstopped(account, OWNERS[0], ("actions", "codespaces", "packages")) == ["packages"]
    assert sandbox.writes == []


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(sandbox: Sandbox, fault: str) -> None:
    """Each fault is found once, by its rule and with its budget, among budgets without a fault."""
    for fields in GOOD:
        plant(sandbox, "enterprise", E, fields)
    made = plant(sandbox, "enterprise", E, PLANTED[fault])
    found = judge(account_of(sandbox, OWNERS[:1]), dict(map(read_rule, RULES)))
    shown = [(each.rule, each.subject and each.subject.name) for each in found]
    if fault == "umbrella":
        (each,) = found
        assert each.rule == "umbrella"
        assert each.subject is not None
        assert each.subject.product == "actions"
    else:
        assert shown == [(fault.strip(), made)]


def test_an_organization_that_its_enterprise_bills(sandbox: Sandbox) -> None:
    """The own budget of an organization that an enterprise's cost center names may stop nothing."""
    made = plant(sandbox, "organization", "octo-lab", {**GOOD[0], "budget_scope": "organization"})
    lab = Owner(ORGANIZATION_OWNER, "octo-lab")
    assert judge(account_of(sandbox, [lab]), {"stops-nothing": True}) == []
    (found,) = judge(account_of(sandbox, [OWNERS[0], lab]), {"stops-nothing": True})
    assert found.subject is not None
    assert found.subject.name == made
    assert found.text.startswith("the enterprise octo-enterprise bills the organization")


def test_names_of_what_is_capped(sandbox: Sandbox) -> None:
    """A cost center counts by its name and its id, a repository by its full name; a person does not count."""
    center = sandbox.cost_centers()[0]
    for fields in GOOD:
        plant(sandbox, "enterprise", E, fields)
    website = {**GOOD[0], "budget_scope": "repository", "budget_entity_name": "octo-org/website", "budget_amount": 5}
    plant(sandbox, "organization", ORG, website)
    account = account_of(sandbox, OWNERS)
    names = [center["id"], center["name"], "octocat", "Octo-Org/Website", E, "octo-org", "nothing"]
    found = judge(account, {"capped": names})
    assert [each.what for each in found] == ["octocat", "octo-org", "nothing"]
    assert [owner.key for owner in account.every_owner] == [owner.key for owner in OWNERS]
    assert all(account.is_complete(owner) for owner in OWNERS)
