"""Budgets by what they cover: whatever may be the declared budget is found, also after changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.identity import Match, match, unsure_scopes
from billing_provider.budgets.listing import Listing
from billing_provider.budgets.models import Budget, BudgetSpec
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, USER, Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import OwnerKind
    from tests.support.harness import RunHarness

NAMES = st.sampled_from(
    ["", "a", "A", "b", "a/b", "A/B", "c/b", "octo", "OCTO", "octo/b", "a/b/c", "9d7ac2ba-5ba1-4ab5-a24a-a5af69a0a7d8"]
)
SCOPES = st.sampled_from([*ENTERPRISE_OWNER.scopes, *ORGANIZATION_OWNER.scopes])
SKUS = st.sampled_from(["ai_credits", "actions"])
LIVE = st.fixed_dictionaries(
    {"budget_scope": SCOPES, "budget_product_sku": SKUS, "budget_entity_name": NAMES, "user": st.none() | NAMES}
)


def budget(number: int, fields: dict[str, Any]) -> Budget:
    """Return a live budget."""
    plain = {"id": f"id-{number}", "budget_amount": 5, "prevent_further_usage": True}
    return Budget.model_validate({**plain, **fields})


@given(
    kind=st.sampled_from([ENTERPRISE_OWNER, ORGANIZATION_OWNER]),
    rows=st.lists(LIVE, max_size=8),
    declared=LIVE,
    changes=st.lists(st.tuples(st.integers(0, 9), st.none() | LIVE), max_size=6),
    other_name=NAMES,
)
def test_what_may_be_the_declared_budget_is_found(
    kind: OwnerKind,
    rows: list[dict[str, Any]],
    declared: dict[str, Any],
    changes: list[tuple[int, dict[str, Any] | None]],
    other_name: str,
) -> None:
    """All that match are among the named ones, of any scope and spelling; a new form of a budget replaces it."""
    owner = Owner(kind, "Octo")
    listing = Listing(owner, [budget(number, fields) for number, fields in enumerate(rows)])
    spec = BudgetSpec(budget_amount=5, budget_type="x", prevent_further_usage=True, **declared)
    names = frozenset({declared["budget_entity_name"], other_name})
    looked_for = {declared["user"] or ""} if declared["budget_scope"] == USER else names
    expected = {f"id-{number}": budget(number, fields) for number, fields in enumerate(rows)}
    for number, fields in [(-1, None), *changes]:
        if fields is None:
            listing.remove(f"id-{number}")
            expected.pop(f"id-{number}", None)
        else:
            expected.pop(f"id-{number}", None)
            expected[f"id-{number}"] = budget(number, fields)
            listing.add(budget(number, fields))
        unsure = unsure_scopes(expected.values())
        alike = {
            id_
            for id_, live in expected.items()
            if match(owner, spec, live, names, scope_is_unsure=id_ in unsure) is not Match.NO
        }
        assert alike <= set(listing.named(declared["budget_scope"], looked_for))
        assert listing.all() == expected
        assert len(listing) == len(expected)


def test_a_changed_budget_is_found_beside_a_write() -> None:
    """A budget that is replaced by its newer form is never missing in between."""
    owner = Owner(ENTERPRISE_OWNER, "Octo")
    seen: list[int] = []

    class Watched(Listing):
        def _key(self, budget: Budget) -> str:
            # Each write asks for the key of a budget between its steps.
            if seen:
                seen.append(len(Listing.named(self, "user", {"a"})) + len(Listing.named(self, "user", {"b"})))
            return Listing._key(self, budget)

    fields = {"budget_scope": "user", "budget_product_sku": "ai_credits"}
    listing = Watched(owner, [budget(1, {**fields, "user": "a"})])
    seen.append(1)
    listing.add(budget(1, {**fields, "user": "a", "budget_amount": 7}))
    listing.add(budget(1, {**fields, "user": "b"}))
    assert set(seen) <= {1, 2}
    assert len(seen) > 3
    assert list(listing.named("user", {"b"})) == ["id-1"]
    assert listing.named("user", {"a"}) == {}


@pytest.mark.parametrize("scope", ["user", "repository"])
def test_thousands_of_creates_look_at_few_budgets(
    new_run: Callable[..., RunHarness], monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    """A create compares what may be its budget, and not all that the owner has."""
    compared: list[str] = []

    def counted(*arguments: Any, **options: Any) -> Match:
        compared.append(arguments[2].id)
        return match(*arguments, **options)

    monkeypatch.setattr("billing_provider.budgets.create.match", counted)
    harness = new_run()
    for number in range(30):
        name = {"user": f"person-{number}"} if scope == USER else {"budget_entity_name": f"octo-org/r{number}"}
        declared = {"enterprise": "octo-enterprise", "budget_product_sku": "ai_credits", "budget_amount": 5}
        inputs = harness.enterprise.check(f"u{number}", {}, {**declared, "budget_scope": scope, **name}, frozenset())
        harness.enterprise.create(f"u{number}", inputs.inputs)
    assert len(compared) < 30
