"""What a create says and sends, to the letter, where a slip would misguide a person or GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.budgets.create import _says_taken
from billing_provider.core.errors import InvalidError, OutcomeError
from tests.faults.matrix import ENTERPRISE, budget
from tests.faults.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import RunHarness


@pytest.mark.parametrize(
    ("policy", "amount", "says"),
    [
        pytest.param("error", 500, 'it is as declared. .*on_existing="adopt_if_identical"', id="same"),
        pytest.param("error", 900, 'it differs in budget_amount. .*on_existing="adopt"', id="other"),
        pytest.param(
            "adopt_if_identical", 900, 'it differs in budget_amount. .*on_existing="adopt"', id="not_identical"
        ),
    ],
)
def test_a_twin_is_named_with_the_way_to_adopt_it(policy: str, amount: int, says: str) -> None:
    """A budget that may not be taken over is named by key and id, with the setting that adopts it."""
    with World() as world:
        there = world.add_budget("enterprise", "octo-enterprise", budget_amount=500)
        failure = world.up({"a": budget(ENTERPRISE, amount, on_existing=policy)})
    assert isinstance(failure, OutcomeError)
    with pytest.raises(OutcomeError, match=f"the actions budget of enterprise.* exists already as {there}.*{says}"):
        raise failure


@pytest.mark.parametrize("quirk", ["duplicates_refused"])
def test_a_refused_twin_is_adopted(quirk: str, new_run: Callable[..., RunHarness]) -> None:
    """Where GitHub refuses a second budget of a key, the live one is looked up and adopted."""
    harness = new_run()
    harness.sandbox.switch(quirk)
    urn, inputs = "urn:pulumi:s::p::t::a", budget(ENTERPRISE, 500)
    checked = harness.enterprise.check(urn, {}, inputs, frozenset())
    other = harness.enterprise.check(f"{urn}b", {}, budget(ENTERPRISE, 1, sku="packages"), frozenset())
    harness.enterprise.create(f"{urn}b", other.inputs)
    there = harness.sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)["id"]
    stored = harness.enterprise.create(urn, checked.inputs)
    assert (stored.outputs["budget_id"], stored.outputs["adopted"]) == (there, True)
    assert f"adopted the existing budget {there} as it is" in harness.reporter.warnings


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("words", ["Budget already exists", "Duplicate budget"])
def test_a_refusal_of_a_twin_is_known_by_its_words(status: int, words: str) -> None:
    """GitHub's words for a refused second budget are not documented: each likely status and word is looked up."""
    assert _says_taken(InvalidError("create", status, words, "", ""))
    assert not _says_taken(InvalidError("create", 403, words, "", ""))
    assert not _says_taken(InvalidError("create", status, "Validation Failed", "", ""))


@pytest.mark.parametrize("policy", ["adopt_if_identical", "adopt", "error"])
def test_a_twin_of_another_pricing_type_is_not_taken_over(policy: str) -> None:
    """No PATCH changes the type, so what is declared could never hold: the way out is named, and nothing is written."""
    with World() as world:
        there = world.add_budget(
            "enterprise", "octo-enterprise", budget_product_sku="actions_linux", budget_type="ProductPricing"
        )
        failure = world.up({"a": budget(ENTERPRISE, 500, sku="actions_linux", on_existing=policy)})
        assert world.sandbox.writes == []
    assert isinstance(failure, OutcomeError)
    assert f"exists already as {there}, with the budget_type ProductPricing" in str(failure)


def test_another_refusal_is_no_twin(new_run: Callable[..., RunHarness]) -> None:
    """A refusal that says nothing of a existing is shown as it is, and nothing is looked up after it."""
    harness = new_run()
    checked = harness.enterprise.check("urn:pulumi:s::p::t::a", {}, budget(ENTERPRISE, 500), frozenset())
    harness.sandbox.plan([{"action": "422", "op": "create_budget"}])
    with pytest.raises(InvalidError, match="Validation Failed"):
        harness.enterprise.create("urn:pulumi:s::p::t::a", checked.inputs)
    assert [request.method for request in harness.sandbox.requests] == ["GET", "POST"]


def test_a_budget_that_this_run_has_made_is_taken_over_by_no_other_resource(new_run: Callable[..., RunHarness]) -> None:
    """What one resource of a run has created, another one with the same key is told of, by name and id."""
    harness = new_run()
    inputs = harness.enterprise.check("a", {}, budget(ENTERPRISE, 500), frozenset()).inputs
    made = harness.enterprise.create("a", inputs).outputs["budget_id"]
    with pytest.raises(OutcomeError, match=f"is declared twice: it is {made} of a already"):
        harness.enterprise.create("b", inputs)
