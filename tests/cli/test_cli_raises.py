"""Raises that an owner approves behind the stack's back, with the real Pulumi CLI."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.test_cli_engine import Cli, cli

__all__ = ["cli"]

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]

PERSON = {
    "enterprise": "octo-enterprise",
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
    "budget_amount": 100,
}
KEPT = {**PERSON, "on_raise": "keep"}


def test_a_kept_raise_leaves_previews_empty(cli: Cli) -> None:
    """`keep`: nothing differs before, during and after a refresh; a new amount is one PATCH; a destroy deletes it."""
    cli.declare(b=KEPT)
    cli.up()
    cli.sandbox.approve_raise("octocat", 130)
    cli.unchanged()
    assert cli.sandbox.requests == []
    cli.unchanged("--refresh")
    cli.run("up", "--yes", "--refresh", "--expect-no-changes")
    cli.run("refresh", "--yes")
    (budget,) = [
        resource for resource in cli.state()["deployment"]["resources"] if "raised_to" in resource.get("outputs", {})
    ]
    assert (budget["outputs"]["raised_to"], budget["inputs"]["budget_amount"]) == (130, 100)
    cli.unchanged()
    cli.unchanged("--refresh")
    cli.declare(b={**KEPT, "budget_amount": 120})
    assert "ends the raise of octocat's budget to $130: the new amount is $120" in cli.run("preview", "--diff")
    assert cli.writes == []
    cli.up()
    assert [(write.method, write.body) for write in cli.sandbox.writes] == [("PATCH", {"budget_amount": 120})]
    cli.unchanged("--refresh")
    cli.sandbox.approve_raise("octocat", 150)
    cli.declare(renamed={**KEPT, "budget_amount": 120, "opts": "aliases=[pulumi.Alias(name='b')]"})
    cli.up("--refresh")
    assert cli.writes == []
    assert list(cli.live.values()) == [150]
    cli.run("refresh", "--yes")
    cli.run("destroy", "--yes")
    assert cli.live == {}


def test_a_preview_shows_a_raise_that_is_taken_back(cli: Cli) -> None:
    """`revert`: a preview with a refresh shows both amounts; `keep` then leaves the raise, `revert` ends it."""
    cli.declare(b=PERSON)
    cli.up()
    cli.sandbox.approve_raise("octocat", 130)
    cli.unchanged()
    assert cli.sandbox.requests == []
    shown = cli.run("preview", "--refresh", "--diff")
    assert "lowers the most that can be spent by $30" in shown
    assert "GitHub has $130 for octocat, the program declares $100: the next up takes the difference back" in shown
    cli.run("refresh", "--yes")
    cli.declare(b=KEPT)
    assert "keeps $130, which is above the declared $100" in cli.run("preview", "--diff")
    cli.up()
    assert cli.writes == []
    cli.unchanged("--refresh")
    cli.declare(b=PERSON)
    cli.up()
    assert [(write.method, write.body) for write in cli.sandbox.writes] == [("PATCH", {"budget_amount": 100})]
    cli.unchanged("--refresh")
