"""An exception on the embedded engine, over its date: each verb is a run at another time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.core.clock import TEST_TIME

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import Result
    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory

PROGRAM = """
from billing_provider import EnterpriseBudget

EnterpriseBudget(
    "b", enterprise="octo-enterprise", budget_product_sku="ai_credits", budget_amount=40,
    budget_scope="user", user="octocat", expires_at="DATE",
)
"""


def is_told(result: Result) -> bool:
    """Return whether a run warned that the budget has expired."""
    told = "expired on 2026-11-30: remove it, or give a new date"
    return any(line.severity == "warning" and line.message.endswith(told) for line in result.diagnostics)


@pytest.mark.parametrize("is_kept", [False, True])
def test_story_of_an_exception(
    is_kept: bool,
    billing_sandbox: Sandbox,
    pulumi_stack: StackFactory,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """It is over on its date, stays in the state, and a new date brings back one budget, removed by GitHub or not."""
    billing_sandbox.switch("expired_kept", on=is_kept)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    stack = pulumi_stack(project_dir=tmp_path)

    def run(verb: str, date: str) -> tuple[Result, list[str]]:
        billing_sandbox.forget_requests()
        (tmp_path / "__main__.py").write_text(PROGRAM.replace("DATE", date))
        result: Result = getattr(stack, verb)()
        return result, [request.method for request in billing_sandbox.requests]

    monkeypatch.setenv(TEST_TIME, "2026-11-20T12:00:00Z")
    result, sent = run("up", "2026-11-30")
    assert (is_told(result), sent) == (False, ["GET", "GET", "POST"])
    (first,) = billing_sandbox.budgets()

    monkeypatch.setenv(TEST_TIME, "2026-12-01T12:00:00Z")
    result, sent = run("preview", "2026-11-30")
    assert (result.changed, is_told(result), sent) == (False, True, [])
    result, sent = run("refresh", "2026-11-30")
    assert sent == (["GET"] if is_kept else ["GET", "GET"])
    result, sent = run("preview", "2026-11-30")
    assert (result.changed, is_told(result), sent) == (False, True, [])
    assert billing_sandbox.budgets() == ([first] if is_kept else [])

    result, sent = run("preview", "2026-12-31")
    # The listing, and what the person has used.
    reads = ["GET"] if is_kept else ["GET", "GET"]
    assert (result.counts["replace"], is_told(result), sent) == (1, False, reads)
    result, sent = run("up", "2026-12-31")
    assert (result.counts["replace"], sent) == (1, [*reads, "PATCH" if is_kept else "POST"])
    (live,) = billing_sandbox.budgets()
    assert (live["expires_at"], live["id"] == first["id"]) == ("2026-12-31", is_kept)
    result, sent = run("preview", "2026-12-31")
    assert (result.changed, sent) == (False, [])
    result, sent = run("destroy", "2026-12-31")
    assert (billing_sandbox.budgets(), sent) == ([], ["DELETE"])
