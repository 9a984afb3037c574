"""The embedded engine with a GitHub App as the only credential, whose tokens end during the run."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.clock import TEST_TIME
from billing_provider.engine import Engine
from billing_provider.sandbox import Sandbox
from tests.support.app import files_below, mints, tokens_seen

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import ForkServer
    from billing_provider.engine.events import Event

PROGRAM = """
from billing_provider import EnterpriseBudget, OrgBudget, get_budgets

for number in range(6):
    quarter = {"budget_amount": number, "budget_scope": "user", "budget_product_sku": "ai_credits"}
    EnterpriseBudget(f"e{number}", enterprise="octo-enterprise", user=f"person-{number}", **quarter)
    OrgBudget(f"o{number}", organization="octo-org", user=f"person-{number}", **quarter)
get_budgets(enterprise="octo-enterprise")
"""


@pytest.mark.parametrize("source", ["settings", "environment"])
def test_budgets_of_two_owners_with_an_app(
    source: str, tmp_path: Path, pulumi_fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up, refresh and destroy work while tokens end, and no state, event or log contains the key or a token."""
    # Tokens of an App end as real time passes.
    monkeypatch.setenv(TEST_TIME, "")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (project / "__main__.py").write_text(PROGRAM)
    events: list[Event] = []
    with Sandbox(app=True, clock=time.time, quirks=["app_token_seconds=1"]) as sandbox:
        app = {"appId": int(sandbox.app_id), "appPrivateKey": sandbox.app_private_key}
        settings: dict[str, Any] = {"github-billing:baseUrl": sandbox.url}
        env = {"GITHUB_APP_ID": sandbox.app_id, "GITHUB_APP_PRIVATE_KEY": sandbox.app_private_key}
        if source == "settings":
            env = {}
            settings["github-billing:credentials"] = json.dumps({"octo-org": app, "enterprise/Octo-Enterprise": app})
        engine = Engine(
            *(project, "dev", tmp_path / "state.json"),
            env=env,
            settings=settings,
            listener=events.append,
            fork_server=pulumi_fork_server,
        )
        budgets = []
        for verb in ("up", "refresh", "destroy"):
            result = getattr(engine, verb)()
            assert result.exit_code == 0, result.diagnostics
            budgets.append(len(sandbox.budgets(None)))
        assert budgets == [12, 12, 0]
        assert {request.status for request in sandbox.requests} <= {200, 201, 204}
        assert len(set(mints(sandbox))) == 2
        assert tokens_seen(sandbox, [repr(events), *files_below(tmp_path)]) == []
