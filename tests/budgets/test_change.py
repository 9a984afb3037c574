"""Whether the budget after a change caps all that the one before did."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.budgets.change import Change

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
