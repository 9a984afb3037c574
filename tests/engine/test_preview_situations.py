"""What a preview tells before anything is written, through the embedded engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.skus import SKUS
from billing_provider.engine import RunFailedError
from tests.support.situations import ACTIONS, SITUATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory


@pytest.fixture
def billing_sandbox_strict() -> bool:
    """The sandbox refuses owners that it does not know, as GitHub does."""
    return True


def write(folder: Path, declared: dict[str, dict[str, Any]]) -> None:
    """Write a project with one program."""
    (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    lines = ["from billing_provider import CostCenter, EnterpriseBudget"]
    for name, inputs in declared.items():
        lines.append(f"{'CostCenter' if 'name' in inputs else 'EnterpriseBudget'}({name!r}, **{inputs!r})")
    (folder / "__main__.py").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_preview_tells_a_situation(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox, name: str
) -> None:
    """The preview shows what is to happen, sends only the reads that this needs, and fails where the run would."""
    situation = SITUATIONS[name]
    situation.arrange(billing_sandbox)
    stack = pulumi_stack("dev", tmp_path)
    if situation.before:
        write(tmp_path, situation.before)
        stack.up()
    situation.happens(billing_sandbox)
    write(tmp_path, situation.declared)
    billing_sandbox.forget_requests()
    if situation.fails:
        with pytest.raises(RunFailedError) as failure:
            stack.preview()
        shown = str(failure.value)
    else:
        result = stack.preview()
        shown = "\n".join(line.message for line in result.diagnostics) + str([step.new for step in result.steps])
    assert [text for text in situation.words if text not in shown] == [], shown
    paths = [request.path for request in billing_sandbox.requests]
    assert len(paths) == len(situation.requests), paths
    assert all(path.endswith(end) for path, end in zip(paths, situation.requests, strict=True)), paths
    assert billing_sandbox.writes == []


def test_an_unchanged_stack_of_forty_sends_nothing(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox
) -> None:
    """Forty new budgets are listed once; unchanged they send nothing; one change is listed once again."""
    declared = {f"b{number}": {**ACTIONS, "budget_product_sku": sku} for number, sku in enumerate(sorted(SKUS)[:40])}
    write(tmp_path, declared)
    stack = pulumi_stack("dev", tmp_path)
    stack.preview()
    assert len(billing_sandbox.requests) == 1
    stack.up()
    billing_sandbox.forget_requests()
    assert not stack.preview().changed
    assert billing_sandbox.requests == []
    write(tmp_path, {**declared, "b7": {**declared["b7"], "budget_amount": 6}})
    stack.preview()
    assert len(billing_sandbox.requests) == 1
