"""Explicit providers with the real Pulumi CLI: what `docs/credentials.md` warns of."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.test_cli_engine import PACKAGES, Cli, cli

__all__ = ["cli"]

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]
PROVIDER = """
import pulumi
from billing_provider import OrgBudget

own = pulumi.ProviderResource("pulumi-python", "own", {"github-billing:token": %r})
"""
BUDGET = f'OrgBudget("b", **{PACKAGES!r}, opts=pulumi.ResourceOptions(provider=own))\n'


def test_an_explicit_provider_has_settings_of_its_own(cli: Cli) -> None:
    """The stack's `maxDeletes` and token do not reach it, and a token among its inputs is in the state."""
    cli.run("config", "set", "github-billing:maxDeletes", "0")
    cli.run("config", "set", "--secret", "github-billing:token", "no-such-token")
    provider = PROVIDER % cli.sandbox.token
    (cli.project / "__main__.py").write_text(provider + BUDGET)
    cli.up()
    assert cli.sandbox.token in json.dumps(cli.state())
    (cli.project / "__main__.py").write_text(provider)
    cli.up()
    assert cli.live == {}
