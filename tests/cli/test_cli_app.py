"""The real Pulumi CLI with a GitHub App as the only credential, whose tokens end after three seconds."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from billing_provider.sandbox import Sandbox
from tests.cli.test_cli_engine import Cli, forty
from tests.support.app import files_below, mints, tokens_seen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]


def test_forty_budgets_with_an_app(tmp_path: Path) -> None:
    """Up, refresh and destroy of 40 budgets work, and no file, output or log contains the key or a token."""
    asked = []
    with Sandbox(app=True, clock=time.time, quirks=["app_token_seconds=3"]) as sandbox:
        cli = Cli(tmp_path, sandbox)
        cli.declare(**forty(sandbox.cost_centers()[0]["id"]))
        for verb in ("up", "refresh", "preview", "destroy"):
            options = ["--expect-no-changes"] if verb == "preview" else ["--yes", "--skip-preview"]
            cli.run(verb, *options)
            asked.append((len(sandbox.budgets(None)), {request.status for request in sandbox.requests}, mints(sandbox)))
        assert tokens_seen(sandbox, [cli.said, *files_below(tmp_path)]) == []
    up, refresh, _, destroy = asked
    assert (up[0], refresh[0], destroy[0]) == (40, 40, 0)
    assert [seen[1] - {200, 201, 204} for seen in asked] == [set()] * 4
    assert len(set(up[2])) == len(set(refresh[2])) == 2
