"""A project with names of its own in `try` and under pytest, as its user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import forked

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from billing_provider import CostCenter, EnterpriseBudget, OrgBudget

ACME = {"enterprise": "acme", "prevent_further_usage": True}
team = CostCenter("web", enterprise="acme", name="Web shop", users=["alice", "bob"], repositories=["acme-web/shop"])
EnterpriseBudget(
    "web", budget_scope="cost_center", budget_entity_name=team.name, budget_product_sku="actions", budget_amount=9,
    **ACME
)
EnterpriseBudget(
    "alice", budget_scope="user", user="alice", budget_product_sku="ai_credits", budget_amount=50, **ACME
)
OrgBudget(
    "shop", organization="acme-web", budget_scope="repository", budget_entity_name="acme-web/shop",
    budget_product_sku="actions", budget_amount=5,
)
"""
TEST = """
def test_budgets(pulumi_stack, billing_sandbox):
    stack = pulumi_stack()
    stack.up()
    print(sorted(budget["budget_entity_name"] for budget in billing_sandbox.budgets()))
    assert len(billing_sandbox.budgets()) == 2
    assert not stack.up().changed
    assert False
"""
SAID = "The sandbox has created the"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project for the enterprise acme."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in a folder, with neither tokens nor addresses."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def attempt(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """Run `try` and return its exit code and its output."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    code, printed, errors = forked.run("try", *arguments, cwd=folder, env=environ)
    return code, printed + errors


def test_try_creates_the_names_and_says_each_once(project: Path) -> None:
    """Preview and up need no sample name, each new name is said once, and the second up changes nothing."""
    seen = [attempt(project, *verb) for verb in (["preview"], ["up"], ["up", "--expect-no-changes"])]
    assert [code for code, _ in seen] == [0, 0, 0], seen
    whole = "".join(text for _, text in seen)
    assert [line for line in whole.splitlines() if SAID in line] == [
        f"{SAID} enterprise acme, which it did not know.",
        f"{SAID} organization acme-web, which it did not know.",
    ]
    assert not any(name in whole for name in ("octo-", "octocat", "monalisa", "hubot", "Platform"))


def test_a_strict_try_refuses_unknown_owners(project: Path) -> None:
    """With --strict, the preview names the owner that is missing, and nothing is created."""
    code, text = attempt(project, "preview", "--strict")
    assert code == 1
    assert "acme" in text
    assert SAID not in text


def test_pytest_creates_the_names(project: Path) -> None:
    """The fixtures run the project; a failing test shows each name that was created, and no sample name.

    A test that overrides `billing_sandbox_strict` gets an error for an unknown owner. Both run in one pytest, because
    each one takes seconds to start.
    """
    (project / "conftest.py").write_text("from billing_provider.testing.pytest_plugin import *")
    (project / "test_stack.py").write_text(TEST)
    strict = project / "strict"
    strict.mkdir()
    (strict / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef billing_sandbox_strict():\n    return True\n"
    )
    (strict / "test_strict.py").write_text(TEST)
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider", "test_stack.py", "strict")
    loose, refused = done.stdout.split("RunFailedError", 1)
    assert "assert False" in loose
    assert f"{SAID} enterprise acme" in loose
    assert "['Web shop', 'alice']" in loose
    assert not any(name in done.stdout for name in ("octo-", "octocat", "monalisa", "hubot", "Platform"))
    assert SAID not in refused
    assert "2 failed" in refused
