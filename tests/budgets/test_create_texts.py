"""Messages and requests of a create, compared literally."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.budgets.create import _is_conflict
from billing_provider.core.errors import InvalidError, OutcomeError
from tests.faults.matrix import ENTERPRISE, budget
from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import RunHarness


@pytest.mark.parametrize(
    ("policy", "amount", "says"),
    [
        pytest.param("error", 500, 'it is as declared. .*="adopt_if_identical"; else remove one of the', id="same"),
        pytest.param(
            "error", 900, r'it differs in budget_amount \(500 there, 900 declared\)\. .*on_existing="adopt"', id="other"
        ),
        pytest.param(
            "adopt_if_identical",
            900,
            r'it differs in budget_amount \(500 there, 900 declared\)\. .*on_existing="adopt"',
            id="not_identical",
        ),
    ],
)
def test_an_existing_budget_is_named_with_the_adoption_setting(policy: str, amount: int, says: str) -> None:
    """The error has the key, the id, and the setting that adopts the budget."""
    with World() as world:
        there = world.add_budget("enterprise", "octo-enterprise", budget_amount=500)
        failure = world.up({"a": budget(ENTERPRISE, amount, on_existing=policy)})
    assert isinstance(failure, OutcomeError)
    with pytest.raises(OutcomeError, match=f"the actions budget of enterprise.* exists already as {there}.*{says}"):
        raise failure


@pytest.mark.parametrize("quirk", ["duplicates_refused"])
def test_a_refused_duplicate_is_adopted(quirk: str, new_run: Callable[..., RunHarness]) -> None:
    """If GitHub refuses a second budget of a key, the existing one is found and adopted."""
    harness = new_run()
    harness.sandbox.switch(quirk)
    urn, inputs = "urn:pulumi:s::p::t::a", budget(ENTERPRISE, 500)
    checked = harness.enterprise.check(urn, {}, inputs, frozenset())
    other = harness.enterprise.check(f"{urn}b", {}, budget(ENTERPRISE, 1, sku="packages"), frozenset())
    harness.enterprise.create(f"{urn}b", other.inputs)
    there = harness.sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)["id"]
    stored = harness.enterprise.create(urn, checked.inputs)
    assert (stored.outputs["budget_id"], stored.outputs["adopted"]) == (there, True)
    told = f"adopted the existing budget {there} as it is; a destroy keeps it (on_delete)"
    assert any(text.endswith(told) for text in harness.reporter.warnings)


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("words", ["Budget already exists", "Duplicate budget"])
def test_refused_duplicates_are_recognized(status: int, words: str) -> None:
    """The error for a second budget is not documented, so each likely status and text is recognized."""
    assert _is_conflict(InvalidError("create", status, words, "", ""))
    assert not _is_conflict(InvalidError("create", 403, words, "", ""))
    assert not _is_conflict(InvalidError("create", status, "Validation Failed", "", ""))


@pytest.mark.parametrize("policy", ["adopt_if_identical", "adopt", "error"])
def test_an_existing_budget_of_another_pricing_type_is_not_adopted(policy: str) -> None:
    """An update cannot change the type, so the error names the options, and nothing is written."""
    with World() as world:
        there = world.add_budget(
            "enterprise", "octo-enterprise", budget_product_sku="actions_linux", budget_type="ProductPricing"
        )
        failure = world.up({"a": budget(ENTERPRISE, 500, sku="actions_linux", on_existing=policy)})
        assert world.sandbox.writes == []
    assert isinstance(failure, OutcomeError)
    assert f"exists already as {there}, with the budget_type ProductPricing" in str(failure)


def test_other_refusals_are_not_duplicates(new_run: Callable[..., RunHarness]) -> None:
    """Any other refusal is raised unchanged, and no listing is read."""
    harness = new_run()
    checked = harness.enterprise.check("urn:pulumi:s::p::t::a", {}, budget(ENTERPRISE, 500), frozenset())
    harness.sandbox.plan([{"action": "422", "op": "create_budget"}])
    with pytest.raises(InvalidError, match="Validation Failed"):
        harness.enterprise.create("urn:pulumi:s::p::t::a", checked.inputs)
    assert [request.method for request in harness.sandbox.requests] == ["GET", "POST"]


def test_a_budget_created_in_this_run_is_not_adopted(new_run: Callable[..., RunHarness]) -> None:
    """A second resource with the same key gets an error with the first resource's name and the id."""
    harness = new_run()
    inputs = harness.enterprise.check("a", {}, budget(ENTERPRISE, 500), frozenset()).inputs
    made = harness.enterprise.create("a", inputs).outputs["budget_id"]
    with pytest.raises(OutcomeError, match=f"is declared twice: it is {made} of a already"):
        harness.enterprise.create("b", inputs)
