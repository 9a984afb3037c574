"""Live budgets and cost centers as resources: what is declared, stored and skipped, in any form of reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.adopt.entries import find_entries
from billing_provider.adopt.inventory import Inventory, owners_of, read_inventories
from billing_provider.adopt.tables import Table, split
from billing_provider.budgets.models import Budget
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.core.resource import Stored
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.models import CostCenterDetails, CostCenterResource
from billing_provider.sandbox.operations.quirks import QUIRKS
from billing_provider.user_budgets.lifecycle import UserBudgetsLifecycle
from billing_provider.user_budgets.texts import from_texts
from tests.adopt.world import OtherClient, a_sandbox, people
from tests.support.harness import open_harness
from tests.support.quirks import under_every

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.adopt.entries import Entry, Skipped
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

OWNERS = owners_of(["octo-enterprise"], ["octo-org"])
ENTERPRISE, ORGANIZATION = OWNERS
READ = (
    *("plural_sku", "float_amounts", "bare_repository", "uuid_echo", "empty_entity", "recipients_reordered"),
    *("singular_ai_credit", "cost_center_scope_echo", "missing_entity", "consumed_everywhere", "get_omits_expiry"),
    *("uppercase_login_echo", "recipients_lowercased", "alerting_for_user_missing", "page_cap_10", "link_header"),
    *("page_flags_missing", "extra_fields", "multi_user_customer_empty_entity", "total_count_missing"),
    *("consumed_in_get",),
    *("resource_long_types", "long_ids"),
)
"""The quirks that change what is read."""
MADE = {"long_ids"}
"""Those of them that take effect when a budget is made."""
WRITTEN = {
    *("conflict_names_uuid", "cost_center_patch_needs_name", "create_echoes_user", "current_days_zero"),
    *("delete_says_budget_id", "deleted_name_held", "duplicates_refused", "enforce_limits", "expired_kept"),
    *(
        "organization_billed_by_enterprise",
        "export_fails",
        "feature_off",
        "flat_create",
        "list_lag",
        "list_lag_seconds",
        "manager_cannot_delete",
    ),
    *("monthly_usage", "no_id_in_create", "old_missing_user_text", "patch_ignores_identity"),
    *("premium_requests_converted", "user_usage_empty", "whole_month_counts"),
    *("exclusion_ignored", "patch_four_fields"),
    *("app_token_seconds", "cost_center_limit", "resource_limit"),
}
"""The quirks of writes, usage, time and access: they do not change how a live budget is read."""


def found(run: RunHarness) -> tuple[list[Entry], list[Skipped]]:
    return find_entries(run.run, read_inventories(run.run, OWNERS))


def lifecycle(run: RunHarness, entry: Entry) -> Any:
    budgets = {"EnterpriseBudget": run.enterprise, "OrgBudget": run.organization}
    return budgets.get(entry.kind) or CostCenterLifecycle(run.run)


def test_every_quirk_has_a_place() -> None:
    """Each quirk of the sandbox is in the list of those that change what is read, or in the other one."""
    assert {*READ, *WRITTEN} == set(QUIRKS)


@under_every(READ)
def test_a_preview_and_a_refresh_find_no_change(quirks: tuple[str, ...]) -> None:
    """Under each quirk, what is declared has no difference to what is stored, and a read returns what is stored."""
    with a_sandbox(*(MADE & {*quirks})) as sandbox:
        OtherClient(sandbox).everything(sandbox)
        for quirk in quirks:
            sandbox.switch(quirk)
        run = open_harness(sandbox)
        entries, skipped = found(run)
        # GitHub then names six repositories of the enterprise without their organization.
        bare = 6 * ("bare_repository" in quirks)
        assert (len(entries), len(skipped)) == (65 - bare, bare)
        assert all("write the repository as owner/name" in each.reason for each in skipped)
        later = open_harness(sandbox)
        for entry in entries:
            each, stored = lifecycle(later, entry), entry.stored
            checked = each.check(f"::{entry.id}", stored.inputs, entry.declared, frozenset())
            assert (checked.problems, checked.inputs) == ([], stored.inputs)
            assert each.diff(f"::{entry.id}", entry.id, stored.outputs, checked.inputs, frozenset()) == ([], [])
            read = each.read(entry.id, stored.outputs)
            assert read is not None
            # A listing has it for some scopes only, and it is never a difference.
            moving = {name: stored.outputs[name] for name in ("consumed_amount",) if name in stored.outputs}
            current = {name: value for name, value in read.outputs.items() if name != "consumed_amount"}
            assert (read.id, read.inputs, {**current, **moving}) == (stored.id, stored.inputs, stored.outputs)
        assert later.reporter.warnings == []
        assert sandbox.writes == []


def test_the_stored_values_are_those_of_an_adoption() -> None:
    """For each resource, a create that adopts the live object returns exactly what the export stores."""
    with a_sandbox() as sandbox:
        OtherClient(sandbox).everything(sandbox)
        entries, _ = found(open_harness(sandbox))
        run = open_harness(sandbox)
        for entry in entries:
            each = lifecycle(run, entry)
            checked = each.check(f"::{entry.id}", {}, entry.declared, frozenset())
            assert each.create(f"::{entry.id}", checked.inputs) == entry.stored
        assert sandbox.writes == []
        assert {entry.stored.outputs["kept_on_delete"] for entry in entries} == {True}


def parts(run: RunHarness, entries: list[Entry]) -> dict[str, Stored]:
    """Return what the state holds for each resource of the only table of an export, as the lifecycle has it."""
    ((group, *more), _) = split(entries)
    assert more == []
    stored = Table("people", "people.csv", group).parts(run.run)
    return {name: Stored(each.id, from_texts(each.inputs), from_texts(each.outputs)) for name, each in stored}


@under_every(READ)
def test_the_rows_of_a_table_are_stored_as_adopted(quirks: tuple[str, ...]) -> None:
    """Under each quirk, the state of a table is that of a create that adopts, and a refresh finds no change."""
    with a_sandbox(*(MADE & {*quirks})) as sandbox:
        people(sandbox, 51)
        for quirk in quirks:
            sandbox.switch(quirk)
        run = open_harness(sandbox)
        stored = parts(run, found(run)[0])
        assert run.reporter.warnings == []
        assert sum(len(each.outputs["budget_ids"]) for each in stored.values()) == 51
        assert "2999-12-31" in str(stored)
        run = open_harness(sandbox)
        lifecycle = UserBudgetsLifecycle(run.run)
        for name, each in stored.items():
            checked = lifecycle.check(f"::{name}", each.inputs, each.inputs, frozenset())
            assert (checked.problems, checked.inputs) == ([], each.inputs)
            assert lifecycle.diff(f"::{name}", each.id, each.outputs, checked.inputs, frozenset()) == ([], [])
            assert lifecycle.read(each.id, each.outputs) == each
        assert run.reporter.warnings == []
        run = open_harness(sandbox)
        lifecycle = UserBudgetsLifecycle(run.run)
        for name, each in stored.items():
            checked = lifecycle.check(f"::{name}", {}, each.inputs, frozenset())
            assert lifecycle.create(f"::{name}", checked.inputs) == each
        assert sandbox.writes == []


def test_defaults_are_left_out(harness: RunHarness, sandbox: Sandbox) -> None:
    """A budget of the owner itself without alerts and without a hard stop is declared by three inputs."""
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=5)
    sandbox.add_budget("organization", "octo-org", budget_amount=7, budget_product_sku="packages")
    entries, _ = found(harness)
    budgets = [entry.declared for entry in entries if entry.scope]
    assert budgets == [
        {"enterprise": "octo-enterprise", "budget_amount": 5, "budget_product_sku": "actions"},
        {"organization": "octo-org", "budget_amount": 7, "budget_product_sku": "packages"},
    ]


def test_names_are_readable() -> None:
    """The name says who pays and for what."""
    with a_sandbox() as sandbox:
        OtherClient(sandbox).everything(sandbox)
        entries, _ = found(open_harness(sandbox))
    names = {entry.wanted for entry in entries}
    assert len(names) == 65
    assert names >= {
        *("enterprise-actions", "enterprise-org-octo-lab-packages", "repo-octo-org-api-actions", "per-user-ai-credits"),
        *("cost-center-koln-codespaces", "cost-center-platform-per-user-ai-credits", "user-octocat-ai-credits"),
        *("org-octo-org-actions", "org-octo-org-repo-api-actions", "org-octo-org-user-hubot-ai-credits"),
        *("cost-center-research-development", "org-octo-org-per-user-ai-credits"),
    }


def live(*budgets: dict[str, Any], centers: tuple[CostCenterDetails, ...] = (), owner: Owner = ENTERPRISE) -> Inventory:
    """Return what an owner has, with defaults for what is not given."""
    plain = {"budget_amount": 1, "budget_product_sku": "actions", "budget_scope": owner.kind.noun}
    rows = [{"id": f"b{at}", "prevent_further_usage": False, **plain, **fields} for at, fields in enumerate(budgets)]
    return Inventory(owner, [Budget.model_validate(row) for row in rows], list(centers))


USER = {"budget_scope": "user", "budget_product_sku": "ai_credits", "prevent_further_usage": True}
PLATFORM = CostCenterDetails("c1", "Platform")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (live({}, {"budget_amount": 2}), "2 live budgets are for the same target and SKU (b0, b1): a program can"),
        (live({"budget_scope": "planet"}), "budget_scope: EnterpriseBudget takes one of"),
        (live({"budget_amount": 1.5}), "budget_amount: write a whole number"),
        (live({"expires_at": "2999-01-01"}), "expires_at: leave it out"),
        (live({**USER, "user": "ada", "expires_at": "2020-01-01"}), "it expired on 2020-01-01: GitHub removes it"),
        (live({**USER, "user": "ada", "expires_at": "soon"}), "expires_at: write a date such as"),
        (
            live({"budget_scope": "cost_center", "budget_entity_name": "Gone"}, centers=(PLATFORM,)),
            "it covers Gone, and no active cost center has that name",
        ),
        (
            live(
                {"budget_scope": "cost_center", "budget_entity_name": "platform"},
                centers=(PLATFORM, CostCenterDetails("c2", "PLATFORM")),
            ),
            "it covers platform, and more than one active cost center has that name",
        ),
    ],
)
def test_what_cannot_be_declared_is_skipped(harness: RunHarness, given: Inventory, reason: str) -> None:
    """Duplicates, budgets that this provider cannot express, expired ones and lost cost centers have a reason each."""
    entries, skipped = find_entries(harness.run, [given])
    skipped = [each for each in skipped if each.scope]
    assert [entry for entry in entries if entry.scope] == []
    assert [each.id for each in skipped] == [f"enterprise/octo-enterprise/{budget.id}" for budget in given.budgets]
    assert all(reason in each.reason for each in skipped), skipped


def test_an_expired_duplicate_does_not_hide_the_new_budget(harness: RunHarness) -> None:
    """Of two budgets of one user, only the one that has not expired is exported."""
    given = live({**USER, "user": "ada", "expires_at": "2020-01-01"}, {**USER, "user": "Ada"})
    entries, skipped = find_entries(harness.run, [given])
    assert [entry.id for entry in entries] == ["enterprise/octo-enterprise/b1"]
    assert [each.id for each in skipped] == ["enterprise/octo-enterprise/b0"]


def test_cost_centers_that_cannot_be_declared_are_skipped(harness: RunHarness) -> None:
    """A member of two cost centers is exported once; the budget of a skipped one names it by its id."""
    member = (CostCenterResource("User", "octocat"),)
    first = CostCenterDetails("c1", "Apps", resources=member, ai_credit_pool_enabled=True)
    second = CostCenterDetails("5d2b1c0e-0000-4000-8000-000000000000", "Billing", resources=member)
    budget = {"budget_scope": "cost_center", "budget_entity_name": "Billing"}
    entries, skipped = find_entries(harness.run, [live(budget, centers=(second, first))])
    assert [entry.wanted for entry in entries] == ["cost-center-apps", "cost-center-billing-actions"]
    assert entries[0].declared["ai_credit_pool_enabled"] is True
    assert entries[1].declared["budget_entity_name"] == second.id
    assert [each.what for each in skipped] == [f"cost center Billing ({second.id})"]
    assert f"Apps (c1) and Billing ({second.id}) both declare octocat" in skipped[0].reason


def test_of_two_cost_centers_of_one_name_one_is_exported(harness: RunHarness) -> None:
    """GitHub's names are unique; should two have one name, a program can declare only one."""
    entries, skipped = find_entries(harness.run, [live(centers=(PLATFORM, CostCenterDetails("c2", "Platform")))])
    assert [entry.id for entry in entries] == ["enterprise/octo-enterprise/c1"]
    assert [each.id for each in skipped] == ["enterprise/octo-enterprise/c2"]
    assert "declares the cost center Platform already" in skipped[0].reason


def test_a_repository_of_an_organization_has_its_owner(harness: RunHarness) -> None:
    """A reply without the owner gives the same declaration as one with it."""
    rows = ({"budget_scope": "repository", "budget_entity_name": name} for name in ("site", "octo-org/site"))
    for row in rows:
        (entry,), _ = find_entries(harness.run, [live(row, owner=ORGANIZATION)])
        assert entry.declared["budget_entity_name"] == "octo-org/site"
        assert entry.wanted == "org-octo-org-repo-site-actions"


def test_owners_are_each_read_once() -> None:
    """The same owner in another case is not read twice; an organization has no cost centers."""
    assert owners_of(["Acme", "acme"], ["acme"]) == [Owner(ENTERPRISE_OWNER, "acme"), Owner(ORGANIZATION_OWNER, "acme")]


def test_a_listing_with_the_scope_per_member_is_believed(new_run: Callable[..., RunHarness], sandbox: Sandbox) -> None:
    """Single budgets are read only if the listing cannot tell the two scopes of cost centers apart."""
    center = sandbox.cost_centers()[0]["id"]
    fields = {**USER, "budget_type": "BundlePricing", "budget_amount": 1, "budget_entity_name": center}
    for scope in ("cost_center", "multi_user_cost_center"):
        sandbox.add_budget("enterprise", "octo-enterprise", **{**fields, "budget_scope": scope})
    for quirk, reads in ((None, 0), ("cost_center_scope_echo", 2)):
        if quirk:
            sandbox.switch(quirk)
        sandbox.forget_requests()
        entries, skipped = found(new_run())
        assert sorted(entry.scope for entry in entries) == ["", "", "cost_center", "multi_user_cost_center"]
        assert skipped == []
        assert sum("/budgets/" in request.path for request in sandbox.requests) == reads


def test_an_archived_cost_center_is_not_read(harness: RunHarness, sandbox: Sandbox) -> None:
    """Only active cost centers are exported."""
    archived = sandbox.cost_centers()[0]
    path = f"/enterprises/octo-enterprise/settings/billing/cost-centers/{archived['id']}"
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    requests.delete(f"{sandbox.url}{path}", headers=headers, timeout=10).raise_for_status()
    entries, skipped = found(harness)
    assert [entry.declared["name"] for entry in entries] == ["Data"]
    assert skipped == []


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=20))
def test_any_text_is_skipped_or_declared(entity: str, sku: str, scope: str) -> None:
    """Whatever GitHub returns as a name becomes an entry or is skipped, on one line."""
    row = {"budget_scope": scope, "budget_entity_name": entity, "budget_product_sku": sku}
    try:
        given_ = live(row, {**row, "budget_scope": "cost_center"}, centers=(CostCenterDetails("c", entity),))
    except ValueError:
        # A lone surrogate, which the client refuses.
        return
    # Nothing is sent, so the sandbox is not started.
    entries, skipped = find_entries(open_harness(a_sandbox()).run, [given_])
    assert len(entries) + len(skipped) == 3
    assert all(len(text) <= 300 and "\n" not in text for each in skipped for text in (each.what, each.reason))
