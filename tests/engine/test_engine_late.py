"""Outputs that are read when they are used, on both engines: as those of a resource that declares each of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.drivers import CommandLine
from tests.engine.scenarios import Do

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.engine.drivers import Embedded

DEFAULTS = ("budget_alerting", "budget_entity_name", "budget_scope", "budget_type", "prevent_further_usage")
PROGRAM = """
import json
from pathlib import Path
import pulumi
from pulumi.dynamic import Resource
from billing_provider import EnterpriseBudget
from billing_provider.provider import EnterpriseBudgetProvider

NAMES = (
    "enterprise", "budget_amount", "budget_product_sku", "budget_type", "budget_scope", "budget_entity_name", "user",
    "prevent_further_usage", "budget_alerting", "expires_at", "exclude_cost_center_usage", "on_existing", "on_delete",
    "on_raise", "budget_id", "consumed_amount", "github_entity_name", "cost_center_id", "adopted", "kept_on_delete",
    "raised_to", "expired",
)

class Plain(EnterpriseBudget, module="github-billing", name="EnterpriseBudget"):
    def __init__(self, name, opts=None, **inputs):
        Resource.__init__(self, EnterpriseBudgetProvider(), name, {**dict.fromkeys(NAMES), **inputs}, opts)

found = {"late": {}, "plain": {}}

def watch(kind, made):
    async def look(name, output):
        value = await output.future()
        found[kind][name] = [
            await output.is_known(), type(value).__name__, dict(value) if isinstance(value, dict) else value,
            await output.is_secret(), [each is made for each in await output.resources()],
        ]
        Path("found.json").write_text(json.dumps(found))

    for name in NAMES:
        pulumi.export(f"{kind}-{name}", pulumi.Output.from_input(look(name, getattr(made, name))))
"""


def both(opts: str = "", amount: str = "5", **inputs: Any) -> str:
    """Return a program that declares a budget of each kind, for two products, and notes what each output is."""
    options = f"opts=pulumi.ResourceOptions({opts})"
    given = f"{options}, enterprise='octo-enterprise', budget_amount={amount}, **{inputs!r}"
    return PROGRAM + (
        f"watch('late', EnterpriseBudget('late', budget_product_sku='actions', {given}))\n"
        f"watch('plain', Plain('plain', budget_product_sku='packages', {given}))\n"
    )


def known(driver: Embedded | CommandLine, verb: str, program: str, *options: str) -> dict[str, Any]:
    """Run a program, compare the outputs of the two budgets, and return the known ones."""
    driver.bench.program(program)
    if isinstance(driver, CommandLine) and options:
        driver.call(verb, "--yes", "--skip-preview", *options, check="--continue-on-error" not in options)
    else:
        outcome = driver.run(Do(verb))  # type: ignore[arg-type]
        assert outcome.code == 0, outcome.said
    found = json.loads((driver.bench.project / "found.json").read_text())
    # They are two budgets, for two products.
    for kind in found:
        del found[kind]["budget_product_sku"]
        found[kind]["budget_id"][2] = bool(found[kind]["budget_id"][2])
    assert found["late"] == found["plain"]
    assert all(belongs == [True] for *_, belongs in found["late"].values())
    return {name: value for name, (is_known, _, value, *_) in found["late"].items() if is_known}


def test_each_output_has_the_value_of_a_declared_one(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """In previews and runs: of a new, unchanged, changed and replaced budget, and with an input that changes ignore."""
    assert set(known(driver, "preview", both())) == {"enterprise", "budget_amount", *DEFAULTS}
    created = known(driver, "up", both())
    assert (created["adopted"], created["raised_to"], created["budget_scope"]) == (False, None, "enterprise")
    assert created["budget_alerting"] == {"will_alert": False, "alert_recipients": []}
    assert known(driver, "preview", both())["adopted"] is False
    assert "adopted" not in known(driver, "preview", both(amount="6"))
    assert known(driver, "up", both(amount="6"))["budget_amount"] == 6
    ignoring = "ignore_changes=['budget_amount', 'on_delete']"
    assert known(driver, "up", both(ignoring, "7", on_delete="keep"))["budget_amount"] == 6
    moved = {"budget_scope": "organization", "budget_entity_name": "octo-org"}
    assert "adopted" not in known(driver, "preview", both(**moved))
    assert known(driver, "up", both(**moved))["budget_scope"] == "organization"
    assert {budget["budget_scope"] for budget in sandbox.budgets()} == {"organization"}


def test_each_output_is_as_secret_as_a_declared_one(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A secret input and an output that a program hides; the others are none."""
    secret = both("additional_secret_outputs=['adopted']", "pulumi.Output.secret(5)")
    for verb in ("preview", "up", "preview"):
        known(driver, verb, secret)
        found = json.loads((driver.bench.project / "found.json").read_text())["late"]
        hidden = {name for name, (*_, is_secret, _) in found.items() if is_secret}
        assert hidden == {"budget_amount", *(["adopted"] if found["adopted"][0] else [])}
    assert len(sandbox.budgets()) == 2


def test_outputs_of_a_budget_that_a_run_leaves_out(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """With `--target`, the engine creates no other new resource; the outputs of these are unknown."""
    if not isinstance(driver, CommandLine):
        pytest.skip("the embedded engine has no --target")
    program = (
        both()
        + "EnterpriseBudget('it', enterprise='octo-enterprise', budget_product_sku='codespaces', budget_amount=1)"
    )
    assert "budget_id" not in known(driver, "up", program, "--target", "**EnterpriseBudget::it")
    assert len(sandbox.budgets()) == 1
    assert known(driver, "up", program)["budget_id"]
    assert known(driver, "up", program, "--target", "**EnterpriseBudget::it")["budget_id"]


@pytest.mark.parametrize("operation", ["create_budget", "update_budget"])
def test_outputs_of_a_budget_that_failed(driver: Embedded | CommandLine, sandbox: Sandbox, operation: str) -> None:
    """With `--continue-on-error`, a program goes on after a failed resource; its outputs are unknown."""
    if not isinstance(driver, CommandLine):
        pytest.skip("the embedded engine has no --continue-on-error")
    if operation == "update_budget":
        known(driver, "up", both())
    sandbox.plan([{"action": "422", "op": operation, "times": 2}])
    assert "adopted" not in known(driver, "up", both(amount="6"), "--continue-on-error")
    assert sandbox.untriggered_faults() == []
    assert known(driver, "up", both(amount="6"))["adopted"] is False
