"""What each guard does when a hard stop is to go, on the embedded engine; `docs/deletion.md` shows the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from billing_provider.engine import Engine
    from billing_provider.sandbox import Sandbox

HARD_STOP = {
    "enterprise": "octo-enterprise",
    "budget_product_sku": "actions",
    "budget_amount": 500,
    "prevent_further_usage": True,
}
DESTROY = "the stack is destroyed"
CHANGES: dict[str, dict[str, Any] | None] = {
    "it leaves the program": None,
    "a change replaces it": {"budget_product_sku": "packages"},
    "an update removes its stop": {"prevent_further_usage": False},
    DESTROY: {},
}
"""What happens to the budget: its changed inputs, or None if it leaves the program."""


@dataclass(frozen=True)
class Guard:
    """One way to guard a budget, as it is written.

    Attributes:
        settings: Settings of the stack.
        options: Pulumi's options of the resource.
        inputs: Inputs of the resource.
    """

    settings: dict[str, str] = field(default_factory=dict)
    options: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)


GUARDS = {
    "no guard": Guard(),
    "`protect=True`": Guard(options="protect=True"),
    "`protectHardStops`": Guard({"github-billing:protectHardStops": "true"}),
    '`on_delete="keep"`': Guard(inputs={"on_delete": "keep"}),
    "`retain_on_delete=True`": Guard(options="retain_on_delete=True"),
    "`maxDeletes: 0`": Guard({"github-billing:maxDeletes": "0"}),
    "`maxIncreaseUsd`": Guard({"github-billing:maxIncreaseUsd": "1000"}),
}
PREVIEW, RUN = "refused by the preview", "refused by the run"
TOLD, SILENT, GONE = "stays, with a warning", "stays", "goes"
OUTCOMES = {
    "no guard": (GONE, GONE, GONE, GONE),
    "`protect=True`": (PREVIEW, PREVIEW, GONE, PREVIEW),
    "`protectHardStops`": (PREVIEW, PREVIEW, GONE, PREVIEW),
    '`on_delete="keep"`': (TOLD, TOLD, GONE, TOLD),
    "`retain_on_delete=True`": (SILENT, SILENT, GONE, SILENT),
    "`maxDeletes: 0`": (RUN, GONE, GONE, RUN),
    "`maxIncreaseUsd`": (RUN, PREVIEW, PREVIEW, RUN),
}
"""What comes of the old hard stop, by guard, for each of `CHANGES`."""


def program(guard: Guard, changes: dict[str, Any] | None) -> str:
    """Return a program with one guarded budget, or with none."""
    lines = ["import pulumi", "from billing_provider import EnterpriseBudget"]
    if changes is not None:
        inputs = {**HARD_STOP, **guard.inputs, **changes}
        lines.append(f'EnterpriseBudget("b", **{inputs!r}, opts=pulumi.ResourceOptions({guard.options}))')
    return "\n".join(lines)


def outcome(change: str, stack: Engine, sandbox: Sandbox) -> str:
    """Bring up what the program now says, or destroy the stack; return what comes of the old hard stop."""
    (old,) = sandbox.budgets()
    try:
        if change != DESTROY:
            stack.preview()
    except RunFailedError:
        return PREVIEW
    try:
        result = stack.destroy() if change == DESTROY else stack.up()
    except RunFailedError as refused:
        # Pulumi's destroy begins with a preview, which knows what is protected.
        return PREVIEW if "protected" in str(refused) else RUN
    if old not in sandbox.budgets():
        return GONE
    return TOLD if any("on_delete" in each.message for each in result.diagnostics) else SILENT


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_of_a_hard_stop(
    name: str, pulumi_stack: Callable[..., Engine], billing_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A hard stop leaves the program, is replaced, loses its stop or is destroyed with its stack."""
    guard = GUARDS[name]
    (tmp_path / "Pulumi.yaml").write_text("name: guards\nruntime: python\n")
    found = []
    for number, (change, changes) in enumerate(CHANGES.items()):
        billing_sandbox.reset()
        stack = pulumi_stack(f"stack-{number}", tmp_path, settings=guard.settings)
        (tmp_path / "__main__.py").write_text(program(guard, {}))
        stack.up()
        (tmp_path / "__main__.py").write_text(program(guard, changes))
        found.append(outcome(change, stack, billing_sandbox))
    assert tuple(found) == OUTCOMES[name]
