"""Tables under every fault at every request, and the form of their state."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.sandbox import Sandbox
from tests.faults.matrix import FAULTS
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness
from tests.support.tables import ENTERPRISE, TableStack, live
from tests.user_budgets.test_user_budgets import SAME

BEFORE = dict.fromkeys(SAME[:4], 20)
AFTER: dict[str, dict[str, Any]] = {
    "create": {**BEFORE, SAME[4]: 5, SAME[5]: 6},
    "change": {**BEFORE, SAME[0]: 25, SAME[1]: 15},
    "remove": {SAME[0]: 20},
    "mixed": {SAME[0]: 25, SAME[1]: 20, SAME[4]: 7},
}
HOUR = 3600.0
STRANGER = {"budget_scope": "user", "budget_product_sku": "ai_credits", "user": "zoe", "prevent_further_usage": True}
# What is a lie about a listing, not a failure, can hide a budget from the run that needs it.
SETTLING = 2


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_lifts_or_doubles_a_cap(fault: str) -> None:
    """Whatever fails, at one of the requests: others stay, and quiet runs bring what is declared, once each."""
    # The first request lists, the others write.
    for nth, (operation, rows) in enumerate(AFTER.items(), start=1):
        clock = VirtualClock()
        with Sandbox(clock=clock.wall) as sandbox:
            play(sandbox, clock, fault, rows, nth)
            assert live(sandbox) == {**rows, "zoe": 9}, operation


def play(sandbox: Sandbox, clock: VirtualClock, fault: str, rows: dict[str, Any], nth: int) -> None:
    """Run a change with a fault, and then what a user runs after it."""
    sandbox.add_budget("enterprise", ENTERPRISE, budget_amount=9, **STRANGER)
    stack = TableStack(lambda **chosen: open_harness(sandbox, clock, request_timeout_seconds=0.5, **chosen))
    stack.up(stack.declare(BEFORE, on_delete="delete"))
    declared = stack.declare(rows, on_delete="delete", on_existing="adopt")
    sandbox.plan([{**FAULTS[fault].rule, "nth": nth}], required=False)
    stack.up(declared)
    # No cap of a row that stays has gone meanwhile, and no stranger's.
    assert set(live(sandbox)) >= {*(set(BEFORE) & set(rows)), "zoe"}
    sandbox.plan([])
    for quirk in sandbox.quirks():
        sandbox.switch(quirk, on=False)
    clock.sleep(HOUR)
    stack.refresh()
    for _ in range(SETTLING):
        assert stack.up(declared)[1] == []
    assert stack.pending() == {}


GOLDEN: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "bucket": "05",
    "budgets": {SAME[0]: 20, SAME[1]: {"budget_amount": 80, "expires_at": "2099-12-31", "reason": "launch"}},
    "budget_ids": {SAME[0]: "ID", SAME[1]: "ID"},
    "adopted": [],
    "kept_on_delete": [],
    "raised_to": {},
    "expired": [],
    "pending": {},
    "others": [],
}
"""What the lifecycle has of a table, and version 0.2.0 has stored; `test_texts.py` has what is stored now."""


def test_a_state_keeps_its_form() -> None:
    """A lifecycle returns the form of the golden table, and the golden one has no difference in this version."""
    clock = VirtualClock()
    with Sandbox(clock=clock.wall) as sandbox:
        stack = TableStack(lambda **chosen: open_harness(sandbox, clock, **chosen))
        declared = stack.declare(GOLDEN["budgets"])
        stack.up(declared)
        old = stack.stored["t-05"]
        ids = old.outputs["budget_ids"]
        assert old.id == "enterprise/octo-enterprise/users-05"
        assert {**old.outputs, "budget_ids": dict.fromkeys(ids, "ID")} == GOLDEN
        # An older state has fewer outputs.
        for missing in ("others", "pending", "expired", "raised_to"):
            old.outputs.pop(missing)
        sandbox.forget_requests()
        assert stack.up(declared)[1] == []
        assert sandbox.requests == []
