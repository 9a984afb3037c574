"""The pytest fixtures as a user's tests have them: time, usage, secrets, faults and settings."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from billing_provider.testing.pytest_plugin import billing_sandbox, pulumi_fork_server, pulumi_stack

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory

__all__ = ["billing_sandbox", "pulumi_fork_server", "pulumi_stack"]

PROGRAM = """
import os
import pulumi
from billing_provider import EnterpriseBudget

contractor = EnterpriseBudget(
    "contractor", enterprise="octo-enterprise", budget_scope="user", user="octocat",
    budget_product_sku="premium_requests", budget_amount=10, prevent_further_usage=True, expires_at="2026-12-31",
)
pulumi.export("expired", contractor.expired)
pulumi.export("time", os.environ["GITHUB_BILLING_TEST_TIME"])
pulumi.export("word", pulumi.Output.secret("hush"))
pulumi.export("words", {"deep": [pulumi.Output.secret("hush")], "plain": 1})
pulumi.export("plain", 1)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a budget that expires."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


def test_program_provider_and_sandbox_share_the_time(
    pulumi_stack: StackFactory, billing_sandbox: Sandbox, project: Path
) -> None:
    """After the expiry, the sandbox has removed the budget, the provider says so, and the program sees the time."""
    billing_sandbox.clock.set("2026-12-01")
    stack = pulumi_stack("dev", project)
    assert stack.up().outputs.get("expired") is None
    assert len(billing_sandbox.budgets()) == 1
    billing_sandbox.clock.advance(days=40)
    stack.refresh()
    outputs = stack.up().outputs
    assert (outputs["expired"], outputs["time"]) == (True, "2027-01-10T00:00:00+00:00")
    assert billing_sandbox.budgets() == []


def test_secret_outputs_are_told(pulumi_stack: StackFactory, billing_sandbox: Sandbox, project: Path) -> None:
    """A result tells which outputs are secret, in a preview too; a misspelt output is an error with all names."""
    billing_sandbox.clock.set("2026-12-01")
    stack = pulumi_stack("dev", project)
    for result in (stack.preview(), stack.up()):
        assert [name for name in ("word", "words", "plain") if result.is_secret(name)] == ["word", "words"]
        with pytest.raises(KeyError, match=r"no output wrod; the outputs are .*time, word, words"):
            result.is_secret("wrod")


def test_settings_need_a_namespace(pulumi_stack: StackFactory, project: Path) -> None:
    """A setting without a namespace is an error with both possible names, because no program would see it."""
    said = "'onDelete' has no namespace: write 'github-billing:onDelete' for the provider or 'shop:onDelete' for the"
    with pytest.raises(ValueError, match=said):
        pulumi_stack("dev", project, settings={"onDelete": "keep"})


FAULTS = """
from billing_provider.testing.pytest_plugin import *

RULE = {"op": "create_budget", "action": "502_after"}

def test_untriggered(billing_sandbox):
    billing_sandbox.plan([RULE])

def test_optional(billing_sandbox):
    billing_sandbox.plan([RULE], required=False)
    assert billing_sandbox.untriggered_faults() == []

def test_replaced(billing_sandbox):
    billing_sandbox.plan([RULE])
    billing_sandbox.plan([])
"""


def test_untriggered_faults_fail_the_test(tmp_path: Path) -> None:
    """A planned fault that does not occur fails the test and is named, unless the plan says that it may not occur."""
    (tmp_path / "test_faults.py").write_text(FAULTS)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "planned faults that did not occur: [{'action': '502_after', 'op': 'create_budget', 'triggered': 0}]" in (
        result.stdout
    )
    assert "ERROR test_faults.py::test_untriggered" in result.stdout
    assert "3 passed, 1 error" in result.stdout
