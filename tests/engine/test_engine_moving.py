"""Moving house on both engines: renames, splits, forgotten and adopted budgets; GitHub is never written to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import Engine
from tests.engine.budgets import declared
from tests.engine.drivers import CommandLine, Embedded
from tests.engine.test_engine_get import run

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.sandbox import Sandbox

E = "octo-enterprise"
PACKAGES = f"""
EnterpriseBudget("p", enterprise={E!r}, budget_product_sku="packages", budget_amount=5)
"""
SPLIT = f"""
from billing_provider import EnterpriseBudget
if pulumi.get_stack() == "dev":
    EnterpriseBudget("b", enterprise={E!r}, budget_product_sku="actions", budget_amount=100)
else:
    {PACKAGES.strip()}
"""


class House:
    """A project with the stacks `dev` and `other` on one engine.

    Args:
        driver: The engine with the stack `dev`.
    """

    def __init__(self, driver: Embedded | CommandLine) -> None:
        self._driver = driver
        if isinstance(driver, CommandLine):
            driver.call("stack", "init", "other")
            driver.call("stack", "select", "dev")

    def export(self, stack: str = "dev") -> dict[str, Any]:
        """Return the state of a stack."""
        if isinstance(self._driver, CommandLine):
            found: dict[str, Any] = json.loads(self._driver.call("stack", "export", "--stack", stack).stdout)
            return found
        return self._engine(stack).export()

    def urn(self, name: str, stack: str = "dev") -> str:
        """Return the URN of a budget in a state."""
        resources = self.export(stack)["deployment"]["resources"]
        (urn,) = [each["urn"] for each in resources if each["urn"].endswith(f":EnterpriseBudget::{name}")]
        return str(urn)

    def forget(self, name: str) -> None:
        """Remove a budget from the state of `dev`: with `state delete`, or in the exported state."""
        urn = self.urn(name)
        if isinstance(self._driver, CommandLine):
            self._driver.call("state", "delete", "--yes", urn)
            return
        state = self.export()
        _take(state, urn)
        self._engine("dev").import_(state)

    def move(self, name: str) -> None:
        """Move a budget from `dev` to `other`: with `state move`, or between the exported states."""
        urn = self.urn(name)
        if isinstance(self._driver, CommandLine):
            self._driver.call("state", "move", "--yes", "--source", "dev", "--dest", "other", urn)
            return
        source, dest = self.export("dev"), self.export("other")
        there = {each["urn"] for each in dest["deployment"]["resources"]}
        needed = [each for each in source["deployment"]["resources"] if not each["urn"].endswith("::b")]
        moved = json.loads(
            json.dumps(needed).replace("urn:pulumi:dev::", "urn:pulumi:other::").replace("-dev", "-other")
        )
        dest["deployment"]["resources"] += [each for each in moved if each["urn"] not in there]
        _take(source, urn)
        self._engine("other").import_(dest)
        self._engine("dev").import_(source)

    def assert_settled(self, stack: str = "dev") -> None:
        """Check that a preview of a stack finds no changes."""
        if isinstance(self._driver, CommandLine):
            done = self._driver.call("preview", "--stack", stack, "--expect-no-changes", check=False)
            assert done.returncode == 0, done.stdout
        else:
            result = self._engine(stack).preview().checked()
            assert not result.changed, result.steps

    def _engine(self, stack: str) -> Engine:
        bench = self._driver.bench
        file: Path = bench.state_file.with_name(f"{stack}.json")
        return Engine(bench.project, stack, file, env=bench.engine.env)


def _take(state: dict[str, Any], urn: str) -> None:
    resources = state["deployment"]["resources"]
    state["deployment"]["resources"] = [each for each in resources if each["urn"] != urn]


@pytest.fixture
def house(driver: Embedded | CommandLine) -> House:
    """A project with two stacks."""
    return House(driver)


def test_a_rename_with_an_alias(driver: Embedded | CommandLine, sandbox: Sandbox, house: House) -> None:
    """A renamed budget with an alias is the same one."""
    run(driver, "up", declared())
    live = sandbox.budgets()
    sandbox.forget_requests()
    run(driver, "up", declared("other", "ResourceOptions(aliases=[pulumi.Alias(name='b')])"))
    house.assert_settled()
    driver.bench.program(declared("other"))
    house.assert_settled()
    assert (sandbox.writes, sandbox.budgets()) == ([], live)


def test_a_stack_is_split(driver: Embedded | CommandLine, sandbox: Sandbox, house: House) -> None:
    """A budget moves to the state of another stack before the programs change."""
    run(driver, "up", declared() + PACKAGES)
    live = sandbox.budgets()
    sandbox.forget_requests()
    house.move("p")
    driver.bench.program(SPLIT)
    house.assert_settled("other")
    run(driver, "up")
    house.assert_settled()
    assert house.urn("p", "other").startswith("urn:pulumi:other::")
    assert (sandbox.writes, sandbox.budgets()) == ([], live)


def test_a_forgotten_budget_is_adopted_again(driver: Embedded | CommandLine, sandbox: Sandbox, house: House) -> None:
    """A budget that was removed from a state stays on GitHub, a declaration adopts it, and then a destroy keeps it."""
    run(driver, "up", declared())
    live = sandbox.budgets()
    sandbox.forget_requests()
    house.forget("b")
    assert "adopted the existing budget" in run(driver, "up")
    house.assert_settled()
    said = run(driver, "destroy")
    assert "on GitHub, where it goes on counting usage (on_delete is keep)" in said
    assert (sandbox.writes, sandbox.budgets()) == ([], live)


def test_a_destroy_keeps_what_was_adopted(driver: Embedded | CommandLine, sandbox: Sandbox, house: House) -> None:
    """A stack that adopted a budget made by hand leaves it on GitHub, and can be set up again."""
    sandbox.add_budget("enterprise", E, budget_amount=100)
    live = sandbox.budgets()
    run(driver, "up", declared())
    run(driver, "destroy")
    run(driver, "up")
    house.assert_settled()
    assert (sandbox.writes, sandbox.budgets()) == ([], live)
