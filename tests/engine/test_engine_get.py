"""A declared budget that becomes a `.get`, on both engines: it is never deleted and never made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.budgets import declared
from tests.engine.scenarios import Do

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.engine.drivers import CommandLine, Embedded

E = "octo-enterprise"
ADDRESS = f"https://github.com/enterprises/{E}/billing/budgets/ID/edit"
KEY = f"enterprise={E!r}, budget_product_sku='actions'"


def get(arguments: str, name: str = "b") -> str:
    """Return a program that reads a budget."""
    return (
        f"from billing_provider import EnterpriseBudget\nb = EnterpriseBudget.get({name!r}, {arguments})\n"
        'pulumi.export("amount", b.budget_amount)\n'
    )


def run(driver: Embedded | CommandLine, verb: str, program: str | None = None) -> str:
    """Run a verb that must succeed, and return what it said."""
    step = Do(verb, program)  # type: ignore[arg-type]
    if program is not None:
        driver.bench.program(program)
    outcome = driver.run(step)
    assert outcome.code == 0, outcome.said
    return outcome.said


def resource(driver: Embedded | CommandLine) -> dict[str, Any]:
    """Return the one budget in the state."""
    (found,) = [entry for entry in driver.state()["resources"] if entry["type"].endswith(":EnterpriseBudget")]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "arguments",
    [f"'enterprise/{E}/ID'", f"{ADDRESS!r}", KEY, f"'enterprise/{E.title()}/ID'"],
    ids=["id", "address", "key", "another spelling of the owner"],
)
def test_a_declared_budget_becomes_a_get(driver: Embedded | CommandLine, sandbox: Sandbox, arguments: str) -> None:
    """The preview and the run only read, the state has it as read, and a declaration takes it back as it is."""
    run(driver, "up", declared())
    (live,) = sandbox.budgets()
    sandbox.forget_requests()
    read = get(arguments.replace("ID", live["id"]))
    run(driver, "preview", read)
    said = run(driver, "up")
    assert sandbox.writes == []
    assert sandbox.budgets() == [live]
    assert resource(driver)["external"] is True
    assert ("kept enterprise/" in said) is ("Octo" in arguments)
    run(driver, "up", declared())
    assert sandbox.writes == []
    assert resource(driver)["outputs"]["adopted"] is True
    run(driver, "destroy")
    assert sandbox.budgets() == [live]


def test_a_get_of_another_budget_keeps_the_declared_one(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """The engine deletes the former budget of the resource; the provider keeps it, and says that nobody manages it."""
    run(driver, "up", declared())
    (first,) = sandbox.budgets()
    other = sandbox.add_budget("enterprise", E, budget_product_sku="packages", budget_amount=9)
    sandbox.forget_requests()
    run(driver, "preview", get(f"'enterprise/{E}/{other['id']}'"))
    said = run(driver, "up")
    assert f"kept enterprise/{E}/{first['id']} on GitHub: b is read with .get, which deletes nothing" in said
    assert sandbox.writes == []
    assert {budget["id"] for budget in sandbox.budgets()} == {first["id"], other["id"]}
    assert resource(driver)["id"] == f"enterprise/{E}/{other['id']}"
    run(driver, "destroy")
    assert len(sandbox.budgets()) == 2


def test_a_renamed_get_keeps_the_declared_budget(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A declared budget that another resource of the run reads is not deleted with its declaration."""
    run(driver, "up", declared())
    (live,) = sandbox.budgets()
    said = run(driver, "up", get(KEY, name="other"))
    assert f"kept enterprise/{E}/{live['id']} on GitHub: other is read with .get" in said
    assert sandbox.budgets() == [live]


def test_a_budget_of_a_cost_center_that_is_read_is_not_replaced(
    driver: Embedded | CommandLine, sandbox: Sandbox
) -> None:
    """The id of a `.get` is known in a preview, so a budget that refers to it has no change there."""
    program = (
        "from billing_provider import CostCenter, EnterpriseBudget\n"
        f"center = CostCenter.get('c', enterprise={E!r}, name='Platform')\n"
        f"EnterpriseBudget('b', {KEY}, budget_amount=5, cost_center=center)\n"
    )
    run(driver, "up", program)
    sandbox.forget_requests()
    said = run(driver, "preview")
    assert "replace" not in said
    outcome = driver.run(Do("preview"))
    assert {op for op in outcome.counts if op not in {"same", "read"}} == set()
    center = next(each for each in sandbox.cost_centers() if each["name"] == "Platform")
    (reader,) = [each for each in driver.state()["resources"] if each["type"].endswith(":EnterpriseBudget")]
    assert reader["inputs"]["budget_entity_name"] == center["id"]
    assert len(reader["dependencies"]) == 1
    assert sandbox.writes == []


def test_a_key_that_is_not_known_yet_is_not_looked_up(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A preview in which a part of the key is unknown reads nothing for it, and does not fail."""
    program = (
        "from billing_provider import CostCenter, EnterpriseBudget\n"
        f"center = CostCenter('c', enterprise={E!r}, name='New')\n"
        f"pulumi.export('amount', EnterpriseBudget.get('b', {KEY}, cost_center=center).budget_amount)\n"
    )
    run(driver, "preview", program)
    assert [request.path for request in sandbox.requests if request.path.endswith("/budgets")] == []
