"""Equivalent spellings of inputs cause no difference in check and diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.skus import pricing_type
from billing_provider.core.inputs import ON_EXISTING
from billing_provider.core.owners import (
    COST_CENTER_SCOPES,
    ENTERPRISE,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    PER_USER_SCOPES,
    REPOSITORY,
    USER,
)
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.declared import everything
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.resource import Stored

NOTHING: frozenset[str] = frozenset()
CASES: list[Callable[[str], str]] = [str, str.upper, str.lower, str.title, str.swapcase, lambda text: f" {text} "]
ONE_SKU = [{"premium_requests", "ai_credits"}, {"copilot_ai_credit", "copilot_ai_credits"}]
CENTER = {
    "enterprise": "octo-enterprise",
    "name": "Apps",
    "users": ["new-one", "new-two"],
    "enterprise_teams": ["core"],
    "ai_credit_pool_enabled": False,
}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[RunHarness, dict[str, dict[str, Any]], dict[str, Stored]]]:
    """Forty budgets and their states."""
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        harness, budgets = open_harness(sandbox), everything(sandbox)
        states = {}
        for urn, declared in budgets.items():
            found = harness.lifecycle(declared).check(urn, {}, declared, NOTHING)
            states[urn] = harness.lifecycle(declared).create(urn, found.inputs)
        yield harness, budgets, states


def respelled(data: st.DataObject, text: str) -> str:
    """Return a text in another case, or with blanks around it."""
    return str(data.draw(st.sampled_from(CASES))(text))


def people(data: st.DataObject, names: list[str]) -> list[str]:
    """Return names in another order and case, some of them twice."""
    return [respelled(data, name) for name in data.draw(st.permutations(names + names[:1]))]


def maybe(data: st.DataObject, inputs: dict[str, Any], name: str, *values: Any) -> None:
    """Write one of the values, or None, or leave the input out."""
    inputs.pop(name, None)
    inputs |= data.draw(st.sampled_from([{}, {name: None}, *({name: value} for value in values)]))


def entities(sandbox: Sandbox, noun: str, inputs: dict[str, Any]) -> list[str | None]:
    """Return every spelling of the entity of a budget, but for its case; None where it can be left out."""
    scope, entity, owner = inputs.get("budget_scope") or noun, inputs.get("budget_entity_name"), inputs[noun]
    if scope == USER:
        return [None, "", inputs["user"]]
    if scope in (noun, MULTI_USER_CUSTOMER):
        return [None, "", owner]
    if scope == REPOSITORY and noun == ORGANIZATION:
        name = str(entity).rpartition("/")[2]
        return [name, f"{owner}/{name}"]
    if scope in COST_CENTER_SCOPES:
        names = [(center["id"], center["name"]) for center in sandbox.cost_centers()]
        return next([*pair] for pair in names if str(entity).lower() in {text.lower() for text in pair})
    return [entity]


@given(data=st.data(), which=st.integers(0, 39))
def test_a_respelled_budget_does_not_differ(
    world: tuple[RunHarness, dict[str, dict[str, Any]], dict[str, Stored]], data: st.DataObject, which: int
) -> None:
    """Owner, entity, login, SKU, amount, recipients, expiry and defaults may have any equivalent spelling."""
    first, budgets, states = world
    urn = list(budgets)[which]
    inputs, stored = dict(budgets[urn]), states[urn]
    noun = ENTERPRISE if ENTERPRISE in inputs else ORGANIZATION
    scope, amount = inputs.get("budget_scope") or noun, int(inputs["budget_amount"])
    entity = data.draw(st.sampled_from(entities(first.sandbox, noun, inputs)))
    maybe(data, inputs, "budget_entity_name")
    if entity is not None:
        inputs["budget_entity_name"] = respelled(data, entity)
    inputs[noun] = respelled(data, inputs[noun])
    inputs["budget_amount"] = data.draw(st.sampled_from([amount, float(amount), str(amount)]))
    names = next((names for names in ONE_SKU if inputs["budget_product_sku"] in names), {inputs["budget_product_sku"]})
    inputs["budget_product_sku"] = data.draw(st.sampled_from(sorted(names)))
    maybe(data, inputs, "budget_type", pricing_type(inputs["budget_product_sku"]))
    maybe(data, inputs, "on_existing", *ON_EXISTING)
    if scope == noun:
        maybe(data, inputs, "budget_scope", noun)
    if not inputs.get("exclude_cost_center_usage"):
        maybe(data, inputs, "exclude_cost_center_usage", *[False])
    if inputs.get("prevent_further_usage") in (None, scope in PER_USER_SCOPES):
        maybe(data, inputs, "prevent_further_usage", scope in PER_USER_SCOPES)
    if scope == USER:
        inputs["user"] = respelled(data, inputs["user"])
    if told := inputs.get("budget_alerting"):
        inputs["budget_alerting"] = {**told, "alert_recipients": people(data, told.get("alert_recipients", []))}
    else:
        off = {"will_alert": False}
        maybe(data, inputs, "budget_alerting", {}, off, {**off, "alert_recipients": []})
    if expires_at := inputs.get("expires_at"):
        day = expires_at[:10]
        forms = [day, f"{day}T00:00:00Z", f"{day} 00:00:00", f"{day}T02:00:00+02:00", f" {day} "]
        inputs["expires_at"] = data.draw(st.sampled_from(forms))
    harness = open_harness(first.sandbox, first.clock)
    found = harness.lifecycle(inputs).check(urn, stored.inputs, inputs, NOTHING)
    assert found.problems == []
    assert harness.lifecycle(inputs).diff(urn, stored.id, stored.outputs, found.inputs, NOTHING) == ([], [])


@given(data=st.data())
def test_a_respelled_cost_center_does_not_differ(
    world: tuple[RunHarness, dict[str, dict[str, Any]], dict[str, Stored]], data: st.DataObject
) -> None:
    """Enterprise and members ignore case and order; another case of the name is a rename."""
    cycle = CostCenterLifecycle(open_harness(world[0].sandbox, world[0].clock).run)
    outputs = {**CENTER, "cost_center_id": "1", "state": "active", "adopted": False}
    inputs = {
        **CENTER,
        "enterprise": respelled(data, "octo-enterprise"),
        "name": data.draw(st.sampled_from(["Apps", " Apps "])),
        "users": people(data, ["new-one", "new-two"]),
        "enterprise_teams": people(data, [data.draw(st.sampled_from(["core", "ent:core"]))]),
    }
    maybe(data, inputs, "on_existing", *ON_EXISTING)
    found = cycle.check("urn", CENTER, inputs, NOTHING)
    assert found.problems == []
    assert cycle.diff("urn", "enterprise/octo-enterprise/1", outputs, found.inputs, NOTHING) == ([], [])
    renamed = cycle.check("urn", CENTER, {**inputs, "name": "APPS"}, NOTHING)
    assert cycle.diff("urn", "enterprise/octo-enterprise/1", outputs, renamed.inputs, NOTHING) == (["name"], [])
