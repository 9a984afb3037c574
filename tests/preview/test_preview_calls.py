"""The work of a preview of many budgets, as the number of Python's function calls: it grows with their number."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import Sandbox
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from types import FrameType

MOST_GROWTH = 2.2
NOTHING: frozenset[str] = frozenset()


def calls_of_a_preview(many: int) -> int:
    """Return the number of function calls in which so many changed budgets of repositories are compared."""
    with Sandbox() as sandbox:
        states = []
        for number in range(many):
            fields = {"budget_scope": "repository", "budget_entity_name": f"octo-org/r{number}"}
            budget_id = sandbox.add_budget("enterprise", "octo-enterprise", **fields)["id"]
            states.append((f"enterprise/octo-enterprise/{budget_id}", {"enterprise": "octo-enterprise", **fields}))
        harness = open_harness(sandbox)
        budgets = harness.operations["EnterpriseBudget"]
        count = 0

        def note(_: FrameType, event: str, __: Any) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(note)
        try:
            for id_, fields in states:
                inputs = {"budget_product_sku": "actions", "budget_amount": 7, **fields}
                checked = budgets.check(id_, inputs, inputs, NOTHING).inputs
                before = {**checked, "budget_amount": 9, "budget_id": id_.rpartition("/")[2]}
                changed = budgets.diff(id_, id_, before, checked, NOTHING)
                assert changed.changed == ["budget_amount"]
        finally:
            sys.setprofile(None)
    return count


def test_twice_as_many_changes_are_twice_the_work() -> None:
    """Each changed budget is compared with the umbrellas above it, not with all budgets built anew."""
    assert calls_of_a_preview(160) <= MOST_GROWTH * calls_of_a_preview(80)
