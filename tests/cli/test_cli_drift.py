"""Drift with the real Pulumi CLI: what the nightly check of `docs/drift.md` finds, and its exit codes."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.test_cli_engine import PACKAGES, Cli, cli

__all__ = ["cli"]

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]
CHECK = ("preview", "--refresh", "--expect-no-changes", "--diff")


def test_a_nightly_check_finds_drift(cli: Cli) -> None:
    """Only `--refresh` finds a change on GitHub: 7 with both amounts, 1 if GitHub refuses; then `up` repairs it."""
    cli.declare(b=PACKAGES)
    cli.up()
    (budget_id,) = cli.live
    cli.sandbox.edit_budget(budget_id, budget_amount=900)
    cli.unchanged()
    assert cli.sandbox.requests == []
    state = cli.state()
    said = cli.run(*CHECK, code=7)
    assert len(cli.sandbox.requests) <= 2
    assert "budget_amount: 900 => 100" in said
    assert "lowers the amount from $900 to $100" in said
    assert cli.state() == state
    cli.sandbox.plan([{"action": "401"}])
    assert cli.run(*CHECK, code=None).count("GitHub returned 401") > 0
    cli.sandbox.plan([])
    cli.up("--refresh")
    assert list(cli.live.values()) == [100]
    cli.run(*CHECK)
    cli.sandbox.remove_budget(budget_id)
    assert "+ 1 to create" in cli.run(*CHECK, code=7)
