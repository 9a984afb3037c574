"""Bodies of a create and an update, derived from the declarations of the fields."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from billing_provider.budgets.fields import declared_fields
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, live_inputs, same
from billing_provider.budgets.models import FIELDS, Budget, BudgetInputs, BudgetSpec, complete
from billing_provider.budgets.rules import problems
from billing_provider.budgets.states import BudgetState
from billing_provider.budgets.wire import create_body, patch_body
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from tests.support.fields import WiderSpec

NOBODY: frozenset[str] = frozenset()
NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
BIG = Owner(ENTERPRISE_OWNER, "octo-enterprise")
PLAIN = {"enterprise": "octo-enterprise", "budget_amount": 5, "budget_product_sku": "actions"}
VALUES: dict[str, Any] = {
    "user": "octocat",
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
    "expires_at": "2027-01-31T00:00:00Z",
    "exclude_cost_center_usage": True,
    "on_raise": "keep",
}
"""A value of each field that not every scope has."""


def wider(**values: Any) -> WiderSpec:
    """Return a complete budget with one field more."""
    return WiderSpec.model_validate(complete(ENTERPRISE_OWNER, {**PLAIN, **values}, NOBODY))


def test_a_declared_field_is_sent() -> None:
    """A new declared field is part of the bodies of a create and an update."""
    assert create_body(wider(brand_new="x"), "")["brand_new"] == "x"
    assert "brand_new" not in create_body(wider(), "")
    assert patch_body(wider(brand_new="x"), ["brand_new"]) == {"brand_new": "x"}
    assert patch_body(wider(), ["brand_new"]) == {"brand_new": None}


def test_a_create_sends_required_and_declared_fields() -> None:
    """Required fields are always sent, others if declared, the owner and `on_existing` never."""
    always = {
        "budget_amount": 5,
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        "budget_scope": "enterprise",
        "budget_entity_name": "",
        "budget_type": "ProductPricing",
        "budget_product_sku": "actions",
    }
    assert create_body(wider(on_existing="adopt"), "") == always
    person = create_body(wider(**VALUES, budget_scope="user", prevent_further_usage=True), "elsewhere")
    assert person == {
        **always,
        "budget_scope": "user",
        "prevent_further_usage": True,
        "user": "octocat",
        "expires_at": "2027-01-31",
        "exclude_cost_center_usage": True,
    }


def test_every_field_has_one_effect() -> None:
    """A change of a field replaces, updates, is stored only or has no effect; every updatable field can be sent."""
    never_sent = {name for name, field in FIELDS.items() if field.change in {"stored", "nothing"}}
    assert sorted([*IDENTITY, *IN_PLACE, *never_sent]) == sorted(FIELDS)
    assert [name for name in IN_PLACE if FIELDS[name].sent == "never"] == []
    assert [*patch_body(wider(), IN_PLACE)] == [*IN_PLACE]
    limited = {name for name, field in FIELDS.items() if not all(map(field.in_scope, ENTERPRISE_OWNER.scopes))}
    assert limited == set(VALUES)
    assert set(BudgetInputs.model_fields) == set(FIELDS) < set(BudgetState.model_fields)


def test_a_field_without_a_declaration_is_an_error() -> None:
    """The error names a field whose annotation has no declaration."""

    class Silent(BudgetSpec):
        forgotten: str = ""

    with pytest.raises(TypeError, match="Silent: the annotation of forgotten needs one Declared"):
        declared_fields(Silent)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("scope", [*ENTERPRISE_OWNER.scopes, "of_tomorrow"])
def test_a_field_of_another_scope_is_refused(name: str, scope: str) -> None:
    """A field of another scope is a problem; GitHub's value of it counts only if that is declared."""
    field, values = FIELDS[name], {**PLAIN, "budget_scope": scope, name: VALUES[name]}
    found = [
        problem
        for problem in problems(ENTERPRISE_OWNER, values, NOBODY, NOW)
        if problem.field == name and "leave it out" in problem.reason
    ]
    # Of a scope that is not known nothing more than that is said.
    said_otherwise = name == "user" and scope not in ENTERPRISE_OWNER.scopes
    assert bool(found) == (not field.in_scope(scope) and not said_otherwise)
    live = Budget.model_validate({**PLAIN, "id": "one", "prevent_further_usage": True, **values})
    seen = live_inputs(BIG, {}, live, NOBODY)
    is_live = field.sent != "never"
    assert (seen.get(name) is not None) == (is_live and (field.in_scope(scope) or field.seen_elsewhere))
    assert same(BIG, name, seen, seen)
