"""An audit of a live account: planted faults are found, and none is invented."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.adopt.inventory import read_inventories
from billing_provider.audit.recipients import with_recipients
from billing_provider.audit.rules import judge, read_rule, unstopped, why_not
from billing_provider.audit.subjects import Account, of_inventories
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.sandbox import Sandbox
from tests.support.app import app_harness
from tests.support.clock import START, VirtualClock
from tests.support.harness import open_harness

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
    "alerts ": {"budget_scope": "enterprise", "budget_product_sku": "packages", "budget_amount": 10, "told": "Ghost"},
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
    plain = {key: value for key, value in fields.items() if key not in {"silent", "soft", "told"}}
    told = {**TOLD, "alert_recipients": [fields.get("told", "octocat"), "hubot"]}
    alerting = {"will_alert": False, "alert_recipients": []} if fields.get("silent") else told
    if plain["budget_scope"] == "user":
        alerting = {"will_alert": False, "alert_recipients": []}
    if plain["budget_scope"] == "cost_center":
        plain["budget_entity_name"] = sandbox.cost_centers()[0]["id"]
    made = sandbox.add_budget(
        noun, name, **plain, prevent_further_usage=not fields.get("soft"), budget_alerting=alerting
    )
    return str(made["id"])


def account_of(sandbox: Sandbox, owners: list[Owner]) -> Account:
    run = open_harness(sandbox).run
    return with_recipients(run, of_inventories(read_inventories(run, owners)))


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
    assert account.owners == tuple(OWNERS)


def told(sandbox: Sandbox, *recipients: str) -> None:
    alerting = {"will_alert": True, "alert_recipients": list(recipients)}
    sandbox.add_budget("organization", ORG, **GOOD[0] | {"budget_scope": "organization"}, budget_alerting=alerting)


def found_and_warned(sandbox: Sandbox) -> tuple[list[str], list[str]]:
    harness = open_harness(sandbox)
    sandbox.forget_requests()
    account = with_recipients(harness.run, of_inventories(read_inventories(harness.run, OWNERS[1:])))
    return [each.text for each in judge(account, {"alerts": True})], harness.reporter.warnings


def looked_up(sandbox: Sandbox) -> list[str]:
    return [each.path.rpartition("/")[2] for each in sandbox.requests if "/users/" in each.path]


def test_each_alerted_login_is_looked_up_once(sandbox: Sandbox) -> None:
    """Case does not count, and a login of several budgets is one read; only those that do not exist are found."""
    told(sandbox, "OctoCat", "ghost", "hubot")
    told(sandbox, "octocat", "Ghost", "gone")
    found, warnings = found_and_warned(sandbox)
    assert sorted(found) == [f"it alerts {who}: GitHub has no such user" for who in ("ghost, gone", "ghost")]
    assert looked_up(sandbox) == ["ghost", "gone", "hubot", "octocat"]
    assert warnings == []


def test_what_proves_nothing_is_no_finding(sandbox: Sandbox) -> None:
    """A 404 for a managed user can mean that the token has no access; a mail address is not looked up."""
    told(sandbox, "mona_acme", "mona@example.com", "octocat")
    found, warnings = found_and_warned(sandbox)
    assert found == []
    mail, managed = (text.removeprefix("not known whether an alerted user exists: ") for text in warnings)
    assert mail == "mona@example.com: it is no login, so it was not looked up"
    assert managed.startswith("mona_acme: GitHub does not show this managed user, which can also mean that the token")
    assert looked_up(sandbox) == ["mona_acme", "octocat"]


def test_a_managed_user_who_is_shown_exists() -> None:
    """With access, it is a user as any other."""
    with Sandbox(users=["mona_acme"]) as sandbox:
        told(sandbox, "mona_acme")
        assert found_and_warned(sandbox) == ([], [])


@pytest.mark.parametrize("action", ["401", "403_permission", "500_before", "reset_before", "422", "wrong_content_type"])
def test_a_failed_read_never_says_that_somebody_does_not_exist(sandbox: Sandbox, action: str) -> None:
    """It ends the look-ups: what was known before stays, the others are not known, with the reason, in one line."""
    told(sandbox, "aaa", "ghost", "octocat")
    sandbox.plan([{"op": "get_user", "action": action, "nth": 2, "times": 99}])
    found, (warning,) = found_and_warned(sandbox)
    assert found == ["it alerts aaa: GitHub has no such user"]
    assert warning.startswith("not known whether an alerted user exists: ghost, octocat: look up the user ghost: ")
    assert "octocat" not in looked_up(sandbox)


def test_a_failed_read_ends_those_of_its_owner_only(sandbox: Sandbox) -> None:
    """Each owner may have a credential of its own."""
    told(sandbox, "ghost")
    alerting = {"will_alert": True, "alert_recipients": ["aaa", "bbb"]}
    sandbox.add_budget("enterprise", E, budget_alerting=alerting)
    sandbox.plan([{"op": "get_user", "action": "403_permission"}])
    harness = open_harness(sandbox)
    account = with_recipients(harness.run, of_inventories(read_inventories(harness.run, OWNERS)))
    assert account.absent == {"ghost"}
    (warning,) = harness.reporter.warnings
    assert warning.startswith("not known whether an alerted user exists: aaa, bbb: look up the user aaa: ")


def test_an_installation_looks_people_up_with_the_token_of_the_owner() -> None:
    """A path below `users` has no installation; that of the owner whose budget it is has one."""
    with Sandbox(app=True, clock=lambda: START) as sandbox:
        told(sandbox, "ghost")
        harness = app_harness(sandbox, VirtualClock())
        account = with_recipients(harness.run, of_inventories(read_inventories(harness.run, OWNERS[1:])))
        assert account.absent == {"ghost"}
        assert harness.reporter.warnings == []
