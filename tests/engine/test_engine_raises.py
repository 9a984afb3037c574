"""Raises that an owner approves behind the stack's back, through the embedded engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.test_preview_situations import write

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import Result
    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory

PERSON: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
    "budget_amount": 100,
}
KEPT = {**PERSON, "on_raise": "keep"}


def shown(result: Result) -> str:
    """Return the messages of a run."""
    return "\n".join(line.message for line in result.diagnostics)


def test_a_kept_raise_leaves_previews_empty(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox
) -> None:
    """`keep`: nothing differs before and after a refresh; a new amount is one PATCH; a destroy deletes the budget."""
    write(tmp_path, {"b": KEPT})
    stack = pulumi_stack("dev", tmp_path)
    stack.up()
    billing_sandbox.approve_raise("octocat", 130)
    billing_sandbox.forget_requests()
    assert not stack.preview().changed
    assert billing_sandbox.requests == []
    for _ in range(2):
        stack.refresh()
        assert not stack.preview().changed
    write(tmp_path, {"b": {**KEPT, "budget_amount": 120}})
    assert "ends the raise of octocat's budget to $130: the new amount is $120" in shown(stack.preview())
    assert billing_sandbox.writes == []
    stack.up()
    assert [(write.method, write.body) for write in billing_sandbox.writes] == [("PATCH", {"budget_amount": 120})]
    assert not stack.preview().changed
    billing_sandbox.approve_raise("octocat", 150)
    stack.refresh()
    stack.destroy()
    assert billing_sandbox.budgets() == []


def test_a_preview_shows_a_raise_that_is_taken_back(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox
) -> None:
    """`revert`: after a refresh, a preview shows both amounts; the advice to set `keep` then leaves the raise."""
    write(tmp_path, {"b": PERSON})
    stack = pulumi_stack("dev", tmp_path)
    stack.up()
    billing_sandbox.approve_raise("octocat", 130)
    billing_sandbox.forget_requests()
    assert not stack.preview().changed
    stack.refresh()
    text = "GitHub has $130 for octocat, the program declares $100: the next up takes the difference back"
    assert text in shown(stack.preview())
    write(tmp_path, {"b": KEPT})
    assert "keeps $130, which is above the declared $100" in shown(stack.up())
    stack.refresh()
    assert not stack.preview().changed
    assert billing_sandbox.writes == []
    assert billing_sandbox.budgets()[0]["budget_amount"] == 130
