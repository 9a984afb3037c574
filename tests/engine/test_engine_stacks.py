"""The example stacks end to end, tested as users test their stacks; resources of other packages are simulated."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from billing_provider.engine import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import Result
    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory


def simulated(result: Result) -> set[str]:
    """Return the names of the simulated resources, without providers."""
    return {step.urn.rpartition("::")[2] for step in result.steps if step.simulated and step.new and step.new.parent}


def test_quickstart(pulumi_stack: StackFactory, billing_sandbox: Sandbox) -> None:
    """The quickstart creates its budgets, keeps them, detects and repairs an external edit, and deletes them."""
    stack = pulumi_stack("quickstart")
    assert stack.up().counts == {"create": 3}
    (budget,) = billing_sandbox.budgets()
    assert stack.outputs()["actions_budget_id"] == budget["id"]
    assert not stack.up().changed
    billing_sandbox.edit_budget(budget["id"], budget_amount=1)
    assert stack.refresh().counts["update"] == 1
    assert stack.up().counts["update"] == 1
    assert billing_sandbox.budgets() == [budget]
    stack.destroy()
    assert billing_sandbox.budgets(owner=None) == []


def test_guardrails(pulumi_stack: StackFactory, billing_sandbox: Sandbox) -> None:
    """The guardrails stack creates four budgets of the enterprise."""
    stack = pulumi_stack("copilot_guardrails", settings={"github-budgets:overrideUntil": "2099-01-31"})
    assert stack.up().outputs["override_until"] == "2099-01-31"
    assert len(billing_sandbox.budgets()) == 4


def test_two_clouds(pulumi_stack: StackFactory, billing_sandbox: Sandbox) -> None:
    """One amount sets the simulated budget of the other cloud and the budget on GitHub."""
    stack = pulumi_stack("one_budget_two_clouds")
    assert simulated(stack.preview()) == {"cloud"}
    result = stack.up()
    assert simulated(result) == {"cloud"}
    assert result.outputs == {"aws_usd": "6000", "github_usd": 2000}
    assert [budget["budget_amount"] for budget in billing_sandbox.budgets()] == [2000]
    assert not stack.up().changed
    assert stack.destroy().counts == {"delete": 3}


def test_platform_team(pulumi_stack: StackFactory, billing_sandbox: Sandbox) -> None:
    """The platform stack creates budgets named after simulated repositories."""
    stack = pulumi_stack("platform_team")
    result = stack.up()
    assert {"website", "api"} <= simulated(result)
    assert {"octo-org/website", "octo-org/api"} <= {
        budget["budget_entity_name"] for budget in billing_sandbox.budgets(owner=None)
    }
    assert not stack.up().changed
    assert not stack.refresh().changed
    stack.destroy()
    assert billing_sandbox.budgets(owner=None) == []


def test_an_unknown_example_lists_the_examples(pulumi_stack: StackFactory) -> None:
    """A stack without an example of its name is refused; the message lists the examples."""
    with pytest.raises(RunFailedError, match="name the stack like one of budget_from_usage, copilot_guardrails"):
        pulumi_stack("quickstar").preview()


def test_failed_run_raises_the_messages(pulumi_stack: StackFactory, tmp_path: Path) -> None:
    """A stack under test that fails raises an error with the messages that a user would see."""
    (tmp_path / "Pulumi.yaml").write_text("name: wrong\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(
        "from billing_provider import EnterpriseBudget\n"
        'EnterpriseBudget("b", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=1.5)\n'
    )
    with pytest.raises(RunFailedError, match=r"(?s)preview failed.*b: .*budget_amount") as raised:
        pulumi_stack("dev", tmp_path).preview()
    assert raised.value.result.errors


def test_an_unknown_setting_ends_the_run(pulumi_stack: StackFactory, billing_sandbox: Sandbox) -> None:
    """The embedded engine shows an unknown setting in one line, before a resource is registered."""
    stack = pulumi_stack("quickstart", settings={"github-billing:settleSecond": "1"})
    with pytest.raises(RunFailedError) as raised:
        stack.up()
    (error,) = raised.value.result.errors
    assert error.message.startswith("github-billing:settleSecond: no such setting; did you mean settleSeconds?")
    assert "\n" not in error.message.strip()
    assert (stack.outputs(), billing_sandbox.requests) == ({}, [])


def test_project_is_found_above_the_test(tmp_path: Path) -> None:
    """A test below the project folder finds it; without a project, the message says what to do."""
    project = tmp_path / "project"
    for folder in (project, tmp_path / "elsewhere"):
        (folder / "tests").mkdir(parents=True)
        # As the entry point does for a user.
        (folder / "tests" / "conftest.py").write_text("from billing_provider.testing.pytest_plugin import *")
    (project / "Pulumi.yaml").write_text("name: mine\nruntime: python")
    (project / "__main__.py").write_text("import pulumi\npulumi.export('answer', 42)")
    (project / "tests" / "test_mine.py").write_text(
        "def test_mine(pulumi_stack):\n    assert pulumi_stack().up().outputs == {'answer': 42}\n"
    )
    (tmp_path / "elsewhere" / "tests" / "test_lost.py").write_text("def test_lost(pulumi_stack):\n    pulumi_stack()\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "project/tests", "elsewhere/tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "LookupError: no Pulumi.yaml above" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


OWNED = """
from billing_provider import OrgBudget

for sku in ("actions", "packages"):
    OrgBudget(sku, organization="octo-org", budget_product_sku=sku, budget_amount=100)
"""


def test_a_destroy_keeps_only_the_adopted_budget(
    pulumi_stack: StackFactory, billing_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A destroy deletes the created budget and keeps the adopted one, with a refresh in between."""
    (tmp_path / "Pulumi.yaml").write_text("name: owned\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(OWNED)
    there = billing_sandbox.add_budget("organization", "octo-org", budget_amount=100)
    stack = pulumi_stack("dev", tmp_path)
    assert stack.up().counts == {"create": 3}
    assert not stack.refresh().changed
    assert not stack.up().changed
    assert len(billing_sandbox.budgets(owner=None)) == 2
    assert stack.destroy().counts == {"delete": 3}
    assert [budget["id"] for budget in billing_sandbox.budgets(owner=None)] == [there["id"]]
