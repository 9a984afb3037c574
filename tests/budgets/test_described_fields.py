"""Updates send the fields of GitHub's description alone; another declared field is never dropped without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import InvalidError, OutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
DESCRIBED = {"budget_amount", "prevent_further_usage", "budget_alerting", "expires_at"}
"""The fields of a PATCH in GitHub's description since September 2026, for both owners."""
PLAIN: dict[str, Any] = {"enterprise": E, "budget_product_sku": "actions", "budget_amount": 50}
EXCLUDING = {**PLAIN, "exclude_cost_center_usage": True}


def up(harness: RunHarness, news: dict[str, Any], olds: Stored | None = None) -> Stored:
    """Check and write one budget."""
    lifecycle = harness.lifecycle(news)
    inputs = lifecycle.check("urn::b", olds.inputs if olds else {}, news, NOTHING).inputs
    return lifecycle.update(olds.id, olds.outputs, inputs) if olds else lifecycle.create("urn::b", inputs)


def patched(sandbox: Sandbox) -> list[set[str]]:
    """Return the fields of each PATCH."""
    return [set(request.body) for request in sandbox.writes if request.method == "PATCH"]


HARD: dict[str, Any] = {"prevent_further_usage": True, "budget_alerting": {"will_alert": True}}


@pytest.mark.parametrize(
    ("budget", "change", "others"),
    [
        (EXCLUDING, {**HARD, "exclude_cost_center_usage": False}, [{"exclude_cost_center_usage"}]),
        ({"organization": "octo-org", "budget_product_sku": "actions", "budget_amount": 50}, HARD, []),
        (
            {**PLAIN, "budget_product_sku": "ai_credits", "budget_scope": "user", "user": "mona"},
            {"expires_at": "2999-01-01"},
            [],
        ),
    ],
    ids=["enterprise", "organization", "user"],
)
def test_an_update_sends_the_described_fields_alone(
    budget: dict[str, Any],
    change: dict[str, Any],
    others: list[set[str]],
    sandbox: Sandbox,
    new_run: Callable[[], RunHarness],
) -> None:
    """All fields that can change are sent in one PATCH, and one that GitHub does not describe in another one."""
    stored = up(new_run(), budget)
    up(new_run(), {**budget, "budget_amount": 60, **change}, stored)
    *rest, last = patched(sandbox)
    assert last == ({"budget_amount", *change} & DESCRIBED)
    assert rest == others


def test_a_refused_field_leaves_the_budget_as_the_state_has_it(
    sandbox: Sandbox, new_run: Callable[[], RunHarness]
) -> None:
    """If GitHub refuses the field that it does not describe, nothing is changed: the state could not tell it."""
    stored = up(new_run(), PLAIN)
    sandbox.switch("patch_four_fields")
    with pytest.raises(InvalidError, match="unknown body field exclude_cost_center_usage"):
        up(new_run(), {**EXCLUDING, "budget_amount": 60}, stored)
    assert sandbox.budgets()[0]["budget_amount"] == 50


@pytest.mark.parametrize("is_adoption", [True, False])
def test_a_later_request_that_fails_says_what_was_changed(
    sandbox: Sandbox, new_run: Callable[[], RunHarness], *, is_adoption: bool
) -> None:
    """After the first request of an update, the error says what GitHub has now, and not that nothing was sent."""
    stored = up(new_run(), PLAIN)
    sandbox.plan([{"op": "update_budget", "action": "422", "nth": 2}])
    news = {**EXCLUDING, "budget_amount": 60, "on_existing": "adopt"}
    with pytest.raises(OutcomeError, match="Before that, exclude_cost_center_usage was changed on GitHub: run `pulumi"):
        up(new_run(), news, None if is_adoption else stored)
    assert sandbox.budgets()[0]["budget_amount"] == 50


def test_an_ignored_field_is_told(sandbox: Sandbox, new_run: Callable[[], RunHarness]) -> None:
    """If GitHub ignores it, the create, the update and the adoption say so."""
    sandbox.switch("exclusion_ignored")
    said = "GitHub's description of its API has no exclude_cost_center_usage, and its reply does not show it"
    harness = new_run()
    stored = up(harness, EXCLUDING)
    assert said in "\n".join(harness.reporter.warnings)
    harness = new_run()
    up(harness, {**PLAIN, "exclude_cost_center_usage": False}, stored)
    assert said in "\n".join(harness.reporter.warnings)
    harness = new_run()
    up(harness, {**EXCLUDING, "budget_amount": 70, "on_existing": "adopt"})
    assert said in "\n".join(harness.reporter.warnings)
    sandbox.switch("exclusion_ignored", on=False)
    harness = new_run()
    up(harness, {**EXCLUDING, "budget_amount": 80, "on_existing": "adopt"})
    assert said not in "\n".join(harness.reporter.warnings)
