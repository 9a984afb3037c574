"""Findings in words: an orphan, duplicates, budgets made by hand, gone resources, and the ways to repair each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.adopt import inventory, report
from billing_provider.adopt.states import Interrupted, Managed, State
from billing_provider.core.clock import instant
from billing_provider.core.ids import resource_id
from billing_provider.sandbox import Sandbox
from tests.adopt.world import people
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.adopt.report import Row

E, ORG = "octo-enterprise", "octo-org"
URN = "urn:pulumi:dev::p::pulumi-python:dynamic/github-billing:EnterpriseBudget::b"
OTHER_URN = URN.replace("dev", "it's")
STOP: dict[str, Any] = {"budget_amount": 500, "prevent_further_usage": True}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without cost centers."""
    with Sandbox() as sandbox:
        for center in sandbox.cost_centers():
            path = f"enterprises/{E}/settings/billing/cost-centers/{center['id']}"
            headers = {"Authorization": f"Bearer {sandbox.token}"}
            requests.delete(f"{sandbox.url}/{path}", headers=headers, timeout=10)
        sandbox.forget_requests()
        yield sandbox


def find(sandbox: Sandbox, *states: State, days: int = 14, org: str | None = None) -> list[Row]:
    """Return the findings for the enterprise, and check that they were found by reads only."""
    harness = open_harness(sandbox)
    inventories = inventory.read_inventories(harness.run, inventory.owners_of([E], [org] if org else []))
    rows = report.find(harness.run, inventories, states, days)
    assert sandbox.writes == []
    return rows


def find_after(sandbox: Sandbox) -> list[Row]:
    """Return the findings after changes made by another client."""
    sandbox.forget_requests()
    return find(sandbox)


def state(*ids: str, source: str = "dev.json", urn: str = URN, leaving: bool = False) -> State:
    return State(source, [Managed(f"enterprise/{E}/{id_}", source, urn, leaving) for id_ in ids])


def commands(row: Row) -> list[str]:
    return [step.command for step in row.steps if step.command]


def test_a_budget_made_by_hand_is_adopted_or_removed(sandbox: Sandbox) -> None:
    """The finding has the declaration that adopts it, and the request that deletes it with its consequence."""
    made = sandbox.add_budget("enterprise", E, **STOP)["id"]
    (row,) = find(sandbox, State("dev.json", [Managed("enterprise/other/1", "dev.json", URN)]))
    assert (row.kind, row.cap, row.ids) == ("unmanaged", "$500, hard stop", (resource_id("enterprise", E, made),))
    adopt, remove = row.steps
    assert adopt.code.startswith("import billing_provider as billing\n\nbilling.EnterpriseBudget(\n")
    assert "budget_amount=500" in adopt.code
    assert remove.text == "or, if no other stack manages it, remove it: this lifts the hard stop at $500"
    verb, *_, url = shlex.split(remove.command)
    assert (verb, url) == ("curl", f"{sandbox.url}/enterprises/{E}/settings/billing/budgets/{made}")
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    assert requests.delete(url, headers=headers, timeout=10).ok
    assert find_after(sandbox) == []


def test_a_soft_budget_loses_its_alerts(sandbox: Sandbox) -> None:
    """Without a hard stop, a removal ends the alerts only; a name of another resource is not used again."""
    sandbox.add_budget("enterprise", E, budget_amount=7)
    taken = state("gone", urn=URN.replace("::b", "::enterprise-actions"))
    row, gone = find(sandbox, taken)
    assert row.steps[1].text.endswith("remove it: this ends the budget of $7 and its alerts")
    assert '"enterprise-actions-2"' in row.steps[0].code
    assert gone.kind == "gone"


def test_a_cost_center_is_adopted_or_archived(sandbox: Sandbox) -> None:
    """A cost center made by hand is found, with its members, and its budget too."""
    path = f"{sandbox.url}/enterprises/{E}/settings/billing/cost-centers"
    requests.post(path, json={"name": "Lab"}, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name="Lab", budget_amount=5)
    center = next(row for row in find_after(sandbox) if row.what.startswith("the cost center Lab"))
    assert 'name="Lab"' in center.steps[0].code
    assert "/settings/billing/cost-centers/" in center.steps[1].command
    assert "GitHub archives it" in center.steps[1].text
    assert (center.cap, len(find(sandbox))) == ("", 2)


def test_an_orphan_of_an_interrupted_run_is_adopted_by_that_run(sandbox: Sandbox) -> None:
    """A budget and a cost center whose create has no outcome in the state are adopted by running again."""
    sandbox.add_budget("enterprise", E, **STOP)
    inputs = {
        "enterprise": E.upper(),
        "budget_product_sku": "actions",
        "budget_scope": "enterprise",
        "budget_type": "ProductPricing",
        **STOP,
    }
    create = Interrupted("EnterpriseBudget", URN, inputs)
    (row,) = find(sandbox, State("dev.json", [], [create]))
    assert "a run was interrupted while it created b of the stack dev" in row.reason
    assert row.steps[0].command == "pulumi up --stack dev"
    (row,) = find(sandbox, State(".pulumi/try/dev.json", [], [create]))
    assert row.steps[0].command == "billing-provider try up --stack dev"
    for other in ({**inputs, "budget_amount": "x"}, {**inputs, "enterprise": "other"}, {}):
        (row,) = find(sandbox, State("dev.json", [], [Interrupted("EnterpriseBudget", URN, other)]))
        assert row.steps[0].code


def test_an_orphaned_cost_center_is_adopted_by_its_run(sandbox: Sandbox) -> None:
    """The name of a cost center identifies it."""
    path = f"{sandbox.url}/enterprises/{E}/settings/billing/cost-centers"
    requests.post(path, json={"name": "Lab"}, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)
    sandbox.forget_requests()
    create = Interrupted("CostCenter", URN, {"enterprise": E, "name": "Lab"})
    (row,) = find(sandbox, State("dev.json", [], [create]))
    assert row.steps[0].command == "pulumi up --stack dev"


KINDS = "github-billing:index:UserBudgets$pulumi-python:dynamic/github-billing:UserBudgetBucket"
PART = f"urn:pulumi:dev::p::{KINDS}::people-07"


def row(id_: str, login: str, source: str = "dev.json", urn: str = PART) -> State:
    """Return a state with one row of a table."""
    return State(source, [Managed(f"enterprise/{E}/{id_}", source, urn, row=login)])


def test_the_rows_of_a_table_are_managed(sandbox: Sandbox) -> None:
    """A person's budget in a row is no finding; one beside the table gets the row that adopts it."""
    made = people(sandbox, 3)
    given = State("dev.json", [*row(made["Dev-1"], "dev-1").managed, *row(made["Dev-2"], "dev-2").managed])
    (found,) = find(sandbox, given, days=14)
    assert found.ids == (f"enterprise/{E}/{made['Dev-0']}",)
    values = "budget_amount 10 and expires_at 2999-12-31"
    assert found.steps[0].text == (
        f"adopt it: give the table people of the stack dev a row for Dev-0 with {values}, then run `pulumi up`; "
        "GitHub is not changed, and a destroy keeps it"
    )
    assert found.steps[0].code == ""


def test_a_budget_that_no_row_can_declare_gets_a_declaration(sandbox: Sandbox) -> None:
    """Beside a table, a budget that is no person's is declared as a resource."""
    made = people(sandbox, 1)
    sandbox.add_budget("enterprise", E, **STOP)
    (found,) = find(sandbox, row(made["Dev-0"], "dev-0"))
    assert "billing.EnterpriseBudget(" in found.steps[0].code


def test_a_row_in_two_places_is_shared(sandbox: Sandbox) -> None:
    """A budget in rows of two tables, or in a row and a resource, is told; no command forgets a whole part."""
    made = people(sandbox, 1)["Dev-0"]
    other = PART.replace(":dev:", ":prod:").replace("people", "staff")
    (found,) = find(sandbox, row(made, "dev-0"), row(made, "dev-0", "prod.json", other), state(made, source="x"))
    assert found.kind == "shared"
    assert found.urns == (("dev.json", f"{PART}/dev-0"), ("prod.json", f"{other}/dev-0"), ("x", URN))
    assert [step.text.rpartition(": ")[2] for step in found.steps] == [
        *("people/dev-0 of the stack dev", "staff/dev-0 of the stack prod", "b of the stack dev"),
    ]
    assert 'Give the table on_delete="keep", run `up`, and only then remove the row' in found.steps[0].text
    assert commands(found) == [f"pulumi state delete --stack dev {shlex.quote(URN)}"]
    assert [each.kind for each in find(sandbox, row(made, "dev-0"), row(made, "dev-0", "again.json"))] == []


def test_a_row_that_is_gone_is_read_again_or_removed(sandbox: Sandbox) -> None:
    """The refresh is that of the part of the table; no command forgets the other rows of it."""
    (found,) = find(sandbox, row("lost", "ann"))
    assert (found.kind, found.what) == ("gone", "people/ann of the stack dev")
    assert commands(found) == [f"pulumi refresh --stack dev --target {shlex.quote(PART)}"]
    assert found.steps[1].text == "or remove its row from the table"


def test_a_row_that_expires_is_named(sandbox: Sandbox) -> None:
    """The date is one of the row."""
    made = people(sandbox, 1)["Dev-0"]
    (found,) = find(sandbox, row(made, "dev-0"), days=400_000)
    assert "give its row a later expires_at or none" in found.steps[0].text


def test_rows_of_an_interrupted_run_are_adopted_by_that_run(sandbox: Sandbox) -> None:
    """A budget that a killed run created for a row is adopted by running again; a damaged state names no row."""
    people(sandbox, 1)
    create = Interrupted("UserBudgetBucket", PART, {"enterprise": E, "budgets": {"dev-0": 10, "ann": 5}})
    (found,) = find(sandbox, State("dev.json", [], [create]))
    assert "a run was interrupted while it created people/dev-0 of the stack dev" in found.reason
    assert found.steps[0].command == "pulumi up --stack dev"
    damaged = Interrupted("UserBudgetBucket", PART, {"enterprise": E, "budgets": ["dev-0"]})
    (found,) = find(sandbox, State("dev.json", [], [damaged]))
    assert found.steps[0].code


def test_duplicates_are_told_with_the_one_to_remove(sandbox: Sandbox) -> None:
    """Of two budgets for one target, the one that no stack manages is to be removed; without any, all but one."""
    one, two = (sandbox.add_budget("enterprise", E, budget_amount=amount)["id"] for amount in (5, 6))
    (row,) = find(sandbox, state(one))
    assert (row.kind, set(row.ids)) == ("duplicates", {f"enterprise/{E}/{id_}" for id_ in (one, two)})
    assert [command.endswith(two) for command in commands(row)] == [True]
    assert row.steps[0].text.startswith("remove those that no given stack manages: this ends the budget of $6")
    assert len(commands(find(sandbox, state(one, leaving=True))[0])) == 2
    (row,) = find(sandbox)
    assert len(commands(row)) == 2
    assert {step.text.partition(":")[0] for step in row.steps} == {"remove all but one"}


def test_budgets_of_two_repositories_with_one_name_are_no_duplicates(sandbox: Sandbox) -> None:
    """If GitHub omits a part of the entity, two budgets are not taken for one, and cannot be adopted."""
    sandbox.switch("bare_repository")
    for owner in (ORG, "octo-lab"):
        sandbox.add_budget("enterprise", E, budget_scope="repository", budget_entity_name=f"{owner}/api")
    rows = find(sandbox)
    assert [row.kind for row in rows] == ["unmanaged", "unmanaged"]
    assert all(row.steps[0].text.startswith("it cannot be adopted: ") for row in rows)


def test_budgets_of_a_cost_center_that_is_unknown_are_no_duplicates(sandbox: Sandbox) -> None:
    """A budget of an archived cost center has no certain key."""
    path = f"{sandbox.url}/enterprises/{E}/settings/billing/cost-centers"
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    center = requests.post(path, json={"name": "Lab"}, headers=headers, timeout=10).json()["id"]
    for _ in range(2):
        sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name=center)
    assert [row.kind for row in find_after(sandbox)] == ["unmanaged", "duplicates"]
    requests.delete(f"{path}/{center}", headers=headers, timeout=10)
    assert [row.kind for row in find_after(sandbox)] == ["unmanaged", "unmanaged"]


def test_a_budget_of_two_stacks_is_to_be_forgotten_by_one(sandbox: Sandbox) -> None:
    """Each stack has its command, quoted for a shell; a resource that the engine is about to delete does not count."""
    made = sandbox.add_budget("enterprise", E)["id"]
    (row,) = find(sandbox, state(made), state(made, source="two.json", urn=OTHER_URN))
    assert row.kind == "shared"
    assert [shlex.split(command)[-3:] for command in commands(row)] == [
        ["--stack", "dev", URN],
        ["--stack", "it's", OTHER_URN],
    ]
    assert "Forget the others first, and only then remove their declarations" in row.steps[0].text
    assert find(sandbox, state(made), state(made, source="two.json", urn=OTHER_URN, leaving=True)) == []
    assert find(sandbox, state(made), state(made, source="the same again.json")) == []
    (row,) = find(sandbox, state(made), state(made, source=".pulumi/try/x.json", urn=OTHER_URN))
    assert len(commands(row)) == 1


def test_a_budget_that_is_gone_is_read_again_or_forgotten(sandbox: Sandbox) -> None:
    """A resource without its budget has the commands of its engine; one of an owner that was not read is left out."""
    (row,) = find(sandbox, state("1"))
    assert (row.kind, row.what, row.ids) == ("gone", "b of the stack dev", (f"enterprise/{E}/1",))
    assert commands(row) == [
        f"pulumi refresh --stack dev --target {URN}",
        f"pulumi state delete --stack dev {URN}",
    ]
    (row,) = find(sandbox, state("1", source="/srv/.pulumi/try/dev.json"))
    assert commands(row) == ["billing-provider try refresh --stack dev"]
    assert find(sandbox, State("s", [Managed("enterprise/other/1", "s", URN)])) == []


def test_a_budget_that_expires_soon_is_told(sandbox: Sandbox) -> None:
    """A budget whose date is near is a finding, managed or not; the number of days decides."""
    now = open_harness(sandbox).clock.wall()
    person: dict[str, Any] = {"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits", **STOP}
    made = sandbox.add_budget("organization", ORG, **person, expires_at="2099-01-01")["id"]
    days = int((instant("2099-01-01").timestamp() - now) // 86_400) + 1
    managed = State("dev.json", [Managed(f"organization/{ORG}/{made}", "dev.json", URN)])
    (row,) = find(sandbox, managed, days=days, org=ORG)
    assert (row.kind, row.reason) == ("expires", "GitHub removes it on 2099-01-01, which lifts its cap")
    assert row.urns == (("dev.json", URN),)
    assert find(sandbox, managed, days=days - 2, org=ORG) == []


def test_texts_of_github_stay_on_one_line(sandbox: Sandbox) -> None:
    """A hostile name of a cost center is cleaned in texts and quoted in code."""
    path = f"{sandbox.url}/enterprises/{E}/settings/billing/cost-centers"
    name = 'x"; import os\u202e ```'
    requests.post(path, json={"name": name}, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)
    (row,) = find_after(sandbox)
    assert row.what.isprintable()
    code = row.steps[0].code
    compile(code, "code", "exec")
    assert "\u202e" not in code
