"""Whether the budget after a change caps all that the one before did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.change import Change
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from tests.support.harness import RunHarness

HARD: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_scope": "cost_center",
    "budget_entity_name": "Platform",
    "budget_product_sku": "ai_credits",
    "budget_amount": 100,
    "prevent_further_usage": True,
}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (HARD, {**HARD, "budget_entity_name": "PLATFORM", "enterprise": "Octo-Enterprise"}, True),
        (HARD, {**HARD, "budget_scope": "enterprise", "budget_entity_name": ""}, True),
        (HARD, {**HARD, "budget_scope": "multi_user_customer", "budget_entity_name": ""}, False),
        (HARD, {**HARD, "enterprise": "octo-lab"}, False),
        (HARD, {}, False),
        ({**HARD, "budget_scope": None}, HARD, False),
        ({}, HARD, False),
    ],
)
def test_what_a_replacement_covers(before: dict[str, Any], after: dict[str, Any], expected: bool) -> None:
    """The same target or a wider one covers; nothing, another target, and a state that does not say it do not."""
    assert Change(before, after, replaces=True).is_covered is expected
    assert Change(before, after).is_covered is bool(after)


def test_an_identity_that_is_not_known_yet_is_left_to_the_write() -> None:
    """A preview refuses nothing for a name that it does not know."""
    after = {name: value for name, value in HARD.items() if name != "budget_entity_name"}
    assert Change(HARD, after, unknown=frozenset({"budget_entity_name"}), replaces=True).is_covered


def test_a_state_that_names_no_cap_is_still_deleted(harness: RunHarness) -> None:
    """A delete of an incomplete state tells no cap, and deletes the budget all the same."""
    given = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 5}
    checked = harness.enterprise.check("urn::b", {}, given, frozenset())
    stored = harness.enterprise.create("urn::b", checked.inputs)
    later = open_harness(harness.sandbox, harness.clock)
    later.enterprise.delete("urn::b", stored.id, {"budget_id": stored.outputs["budget_id"]})
    assert (later.reporter.warnings, harness.sandbox.budgets()) == ([], [])
