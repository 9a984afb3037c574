"""A budget whose spend no report tells is read alone: GitHub's description of October 2026 has its figure there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from billing_provider import cli

if TYPE_CHECKING:
    import pytest

    from billing_provider.sandbox import Sandbox

E = "octo-enterprise"


def shown(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], int]:
    """Return the budgets that the verb shows, and the number of single reads."""
    sandbox.forget_requests()
    assert cli.main(["budgets", "--enterprise", E, "--json"]) == 0
    reads = [request for request in sandbox.requests if "/budgets/" in request.path]
    return json.loads(capsys.readouterr().out)["budgets"], len(reads)


def test_a_single_read_tells_what_no_report_does(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the figure, each is known, at most twenty; without it, one read is enough to know that."""
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    fields = {"budget_type": "BundlePricing", "budget_product_sku": "ai_credits", "budget_amount": 90}
    for number in range(21):
        name = f"octo-org/repository-{number}"
        sandbox.add_budget("enterprise", E, budget_scope="repository", budget_entity_name=name, **fields)
    rows, reads = shown(sandbox, capsys)
    assert ([row["spent"] for row in rows], reads) == ([None] * 21, 1)
    sandbox.switch("consumed_in_get")
    rows, reads = shown(sandbox, capsys)
    assert ([row["spent_from"] for row in rows], reads) == (["budget"] * 20 + [None], 20)
    sandbox.plan([{"op": "get_budget", "action": "403_permission", "every": 1}])
    rows, reads = shown(sandbox, capsys)
    assert ([row["spent"] for row in rows], reads) == ([None] * 21, 20)
