"""Usage that a test sets: budgets, user states and reports show exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.store.skus import SKUS
from billing_provider.usage.api import UsageApi

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.core.owners import Owner
    from tests.support.clock import VirtualClock
    from tests.support.harness import RunHarness

DAY = 86400


def test_the_reports_show_what_was_spent(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """The usage summary has exactly the spent amounts, by SKU with its product, and nothing generated."""
    sandbox.spend("octo-org", "actions_linux", 41.5, repository="octo-org/website")
    sandbox.spend("octo-lab", "actions_linux", 0.5, day="2026-09-01")
    sandbox.spend("octo-org", "copilot_for_business", 2, user="octocat")
    sandbox.spend("octo-org", "coding_agent_premium_request", 3)
    sandbox.spend("octo-org", "git_lfs_storage", 1)
    sandbox.spend("octo-org", "actions_linux", 7, day="2026-08-31")
    api = UsageApi(harness.run.transport, harness.run.clock)
    items = api.get_usage_summary(enterprise, {"year": 2026, "month": 9}).usage_items
    assert [(item.product, item.sku, item.gross_quantity, item.net_amount) for item in items] == [
        ("Actions", "actions_linux", 4200, 42),
        ("Copilot", "coding_agent_premium_request", 300, 3),
        ("Copilot", "copilot_for_business", 2, 38),
        ("Git LFS", "git_lfs_storage", 100, 1),
    ]
    (item,) = api.get_usage_summary(enterprise, {"year": 2026, "organization": "octo-lab"}).usage_items
    assert item.net_amount == 0.5


def test_a_budget_shows_what_was_spent(sandbox: Sandbox) -> None:
    """A budget is exhausted by exactly its amount; before, nobody is blocked, whatever the generated usage was."""
    budget = sandbox.add_budget("organization", "octo-org", budget_amount=42, prevent_further_usage=True)
    sandbox.spend("octo-org", "actions_linux", 41.99, repository="octo-org/website")
    assert sandbox.blocked() == []
    sandbox.spend("OCTO-ORG", "actions_macos", 0.01)
    (stop,) = sandbox.blocked()
    assert (stop["budget_id"], stop["blocks"]) == (budget["id"], ["octo-org"])


@pytest.mark.parametrize("sku", SKUS)
def test_every_sku_can_be_spent(sandbox: Sandbox, sku: str) -> None:
    """Each SKU has a product and counts for a budget of that SKU."""
    sandbox.add_budget(
        *("organization", "octo-org"),
        budget_type="SkuPricing",
        budget_product_sku=sku,
        budget_amount=1,
        prevent_further_usage=True,
    )
    sandbox.spend("octo-org", sku, 1)
    assert len(sandbox.blocked()) == 1


def test_spending_outside_a_budget_does_not_count(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Other SKUs, other organizations, and days before the creation of a budget do not count."""
    sandbox.spend("octo-org", "actions_linux", 100)
    clock.sleep(DAY)
    sandbox.add_budget("organization", "octo-org", budget_amount=42, prevent_further_usage=True)
    sandbox.spend("octo-org", "packages_storage", 100)
    sandbox.spend("octo-lab", "actions_linux", 100)
    assert sandbox.blocked() == []
    sandbox.spend("octo-org", "actions_linux", 42)
    assert len(sandbox.blocked()) == 1
    clock.sleep(40 * DAY)
    assert sandbox.blocked() == []


def test_licenses_are_counted(sandbox: Sandbox) -> None:
    """The amount of a license SKU is a number of licenses, as the amount of its budget."""
    sandbox.add_budget(
        *("enterprise", "octo-enterprise"),
        budget_type="SkuPricing",
        budget_product_sku="copilot_for_business",
        budget_amount=3,
        prevent_further_usage=True,
    )
    sandbox.spend("octo-org", "copilot_for_business", 2, user="octocat")
    assert sandbox.blocked() == []
    sandbox.spend("octo-org", "copilot_for_business", 1, user="hubot")
    assert len(sandbox.blocked()) == 1


def test_a_person_is_blocked_by_what_they_spent(sandbox: Sandbox) -> None:
    """A budget per person stops the person who spent it, not the others."""
    sandbox.add_budget(
        *("enterprise", "octo-enterprise"),
        budget_scope="multi_user_customer",
        budget_type="BundlePricing",
        budget_amount=10,
        budget_product_sku="premium_requests",
        prevent_further_usage=True,
    )
    sandbox.spend("octo-org", "copilot_premium_request", 10, user="Octocat", model="GPT-5")
    sandbox.spend("octo-org", "coding_agent_premium_request", 9.99, user="monalisa")
    (stop,) = sandbox.blocked()
    assert stop["blocks"] == ["octocat"]


def test_a_snapshot_has_what_was_spent(tmp_path: Path) -> None:
    """Spent usage is kept in the state file and in snapshots; a reset returns to the generated usage."""
    with Sandbox(state_file=tmp_path / "s.json") as sandbox:
        generated = sandbox.snapshot()
        sandbox.spend("octo-org", "git_lfs_storage", 5)
        spent = sandbox.snapshot()
    with Sandbox(state_file=tmp_path / "s.json") as sandbox:
        assert sandbox.snapshot() == spent
        sandbox.reset()
        assert sandbox.snapshot() == generated
        sandbox.restore(spent)
        assert len(sandbox.snapshot()["spent"]) == 1
        with pytest.raises(ValueError, match=r"state: spent\[0\].sku: there is no such SKU"):
            sandbox.restore({**spent, "spent": [{**spent["spent"][0], "sku": "x"}]})


def test_a_file_of_an_older_version_has_no_spending(sandbox: Sandbox) -> None:
    """A snapshot without spent usage is accepted; its usage is the generated one."""
    older = sandbox.snapshot()
    del older["spent"]
    sandbox.spend("octo-org", "actions_linux", 1)
    sandbox.restore(older)
    assert sandbox.snapshot()["spent"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"organization": "acme"}, "organization: the sandbox has no acme; it has octo-org"),
        ({"user": "ghost"}, "user: the sandbox has no ghost"),
        ({"sku": "actions"}, "'actions' is not a SKU"),
        ({"amount": 0.001}, "not a number of dollars and cents"),
        ({"amount": -1}, "not a number of dollars and cents"),
        ({"amount": float("nan")}, "not a number of dollars and cents"),
        ({"amount": 1.5, "sku": "ghas_licenses"}, "1.5 is not a number of licenses"),
        ({"repository": "other/website"}, "is not one of octo-org: write octo-org/NAME"),
        ({"day": "2026-09-22"}, "day: 2026-09-22 is not from 2025-09-01 to 2026-09-21"),
        ({"day": "2025-08-31"}, "is not from 2025-09-01"),
        ({"day": "monday"}, "Invalid isoformat"),
    ],
)
def test_invalid_spending_is_refused(sandbox: Sandbox, given: dict[str, Any], said: str) -> None:
    """A wrong name, SKU, amount or day is an error that names it, and nothing is stored."""
    with pytest.raises(ValueError, match=said):
        sandbox.spend(**{"organization": "octo-org", "sku": "actions_linux", "amount": 1, **given})
    assert sandbox.snapshot()["spent"] == []
