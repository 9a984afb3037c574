"""What a deletion of a part of a table removes, in words."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.user_budgets.removal import caps

STATE: dict[str, Any] = {
    "enterprise": "acme",
    "bucket": "00",
    "budgets": {"ann": 20, "bob": {"budget_amount": 40, "expires_at": "2028-12-31"}, "cid": 7},
    "budget_ids": {"ann": "1", "bob": "2", "cid": "3"},
    "expired": ["cid"],
}
BOTH = "$60 in hard stops of 2 people in acme"


@pytest.mark.parametrize(
    ("changed", "retained", "words"),
    [
        ({}, False, BOTH),
        ({}, True, f"{BOTH}, of which all stay on GitHub (retain_on_delete)"),
        ({"kept_on_delete": ["ann", "bob"]}, False, f"{BOTH}, of which all stay on GitHub (on_delete is keep)"),
        ({"kept_on_delete": ["bob"]}, False, f"{BOTH}, of which 1 stay on GitHub (on_delete is keep)"),
        ({"expired": ["bob", "cid"]}, False, "$20 in hard stops of 1 person in acme"),
        ({"expired": ["ann", "bob", "cid"]}, False, ""),
        ({"budget_ids": {}, "expired": []}, False, ""),
        ({"budgets": ["ann"]}, False, ""),
    ],
)
def test_the_caps_of_a_part_are_told_with_those_that_stay(changed: Any, *, retained: bool, words: str) -> None:
    """The sum and the number of people are told, and what is kept; nothing for a part without live rows."""
    assert caps({**STATE, **changed}, retained=retained) == words
