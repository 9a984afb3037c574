"""Invalid values in states and inputs: a clear error or a normal result, and no request."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_provider.budgets.states import BudgetState
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.states import CostCenterState
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTHING: frozenset[str] = frozenset()
BUDGET = {
    "enterprise": "octo-enterprise",
    "budget_amount": 5,
    "budget_product_sku": "ai_credits",
    "budget_scope": "cost_center",
    "budget_entity_name": "Platform",
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
    "on_existing": "adopt",
}
CENTER = {"enterprise": "octo-enterprise", "name": "Apps", "users": ["new-one"], "ai_credit_pool_enabled": True}
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["\ud800", "\0", "", "x" * 300, "octocat", "cost_center", "user", "2027-01-31T10:00:00Z"]),
    st.sampled_from([10**400, -(10**400), math.nan, math.inf, -math.inf, -0.0, 1e308, 2**63]),
)
HOSTILE = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["will_alert", "alert_recipients", "x"]), inner, max_size=2),
    ),
    max_leaves=4,
)
WRONG: dict[str, list[Any]] = {
    "budget_scope": [["user"], 5, True, "\ud800", {}],
    "budget_amount": ["5", True, math.nan, math.inf, [5], {}],
    "budget_alerting": [5, True, "octocat", [], {"will_alert": "yes"}, {"alert_recipients": [5]}],
    "budget_entity_name": [5, ["Platform"], "\ud800"],
    "expires_at": [5, [], {}],
    "budget_id": [5, "a/b", "..", "", []],
    "enterprise": [5, [], {}],
    "adopted": ["yes", 1, []],
    "kept_on_delete": ["yes", 1, []],
    "on_delete": [5, []],
    "consumed_amount": ["5", True, 10**400, math.nan],
}
WRONG_CENTER: dict[str, list[Any]] = {
    "name": [5, [], "\ud800"],
    "users": ["octocat", [5], [None], {}, ["\ud800"]],
    "ai_credit_pool_enabled": ["yes", 1],
    "cost_center_id": [5, "a/b", ".."],
    "unfinished": ["yes"],
    "kept_on_delete": ["yes", 1],
    "on_delete": [5],
    "azure_subscription": [5],
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        yield sandbox


def refusal(call: Callable[[], Any]) -> str:
    """Return what a call's billing error says, or nothing."""
    try:
        call()
    except BillingError as error:
        return str(error)
    return ""


def calls(cycle: Any, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return every verb but create."""
    return {
        "check": lambda: cycle.check("urn", olds, news, NOTHING),
        "diff": lambda: cycle.diff("urn", id_, olds, news, NOTHING),
        "read": lambda: cycle.read(id_, olds),
        "update": lambda: cycle.update(id_, olds, news),
        "delete": lambda: cycle.delete("urn::deleted", id_, olds),
    }


@pytest.mark.parametrize("verb", ["check", "diff", "read", "update"])
@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [("budget", field, value) for field, values in WRONG.items() for value in values]
    + [("center", field, value) for field, values in WRONG_CENTER.items() for value in values],
    ids=lambda value: ascii(value)[:30],
)
def test_an_invalid_state_sends_nothing(resource: str, field: str, value: Any, verb: str, shared: Sandbox) -> None:
    """The error names the invalid value and the correction; no token is needed."""
    harness = open_harness(shared)
    shared.forget_requests()
    cycle = harness.enterprise if resource == "budget" else CostCenterLifecycle(harness.run)
    declared = BUDGET if resource == "budget" else CENTER
    olds = {**declared, field: value}
    with pytest.raises(ConfigError, match=f"the state contains an invalid value of {field}. Nothing was sent"):
        calls(cycle, "enterprise/octo-enterprise/1", olds, declared)[verb]()
    assert shared.requests == []


@pytest.mark.parametrize("field", ["budget_amount", "budget_scope", "prevent_further_usage", "expires_at"])
def test_unchecked_inputs_are_not_sent(field: str, shared: Sandbox) -> None:
    """An update and a create with inputs that no check returned name the invalid one."""
    harness = open_harness(shared)
    shared.forget_requests()
    inputs = harness.enterprise.check("urn", {}, BUDGET, NOTHING).inputs
    wrong = {**inputs, field: ["soon"]}
    with pytest.raises(ConfigError, match=f"invalid value of {field}"):
        harness.enterprise.update("enterprise/octo-enterprise/1", inputs, wrong)
    with pytest.raises(ConfigError, match=f"invalid value of {field}"):
        harness.enterprise.create("urn", wrong)
    assert shared.requests == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    budget=st.dictionaries(st.sampled_from([*BudgetState.model_fields, "x"]), HOSTILE, max_size=4),
    center=st.dictionaries(st.sampled_from([*CostCenterState.model_fields, "x"]), HOSTILE, max_size=4),
    news=st.dictionaries(st.sampled_from([*BudgetState.model_fields]), HOSTILE, max_size=2),
    other_news=st.dictionaries(st.sampled_from([*CostCenterState.model_fields]), HOSTILE, max_size=2),
    whole=st.booleans(),
)
def test_invalid_states_and_inputs_raise_only_billing_errors(  # noqa: PLR0917 - what hypothesis draws
    shared: Sandbox,
    budget: dict[str, Any],
    center: dict[str, Any],
    news: dict[str, Any],
    other_news: dict[str, Any],
    whole: bool,
) -> None:
    """Check, diff, read, update and delete return a result or raise a billing error."""
    shared.reset()
    shared.add_budget("enterprise", "octo-enterprise", budget_scope="cost_center", budget_entity_name="Platform")
    harness = open_harness(shared)
    cycles: list[tuple[Any, str, dict[str, Any], dict[str, Any]]] = [
        (harness.enterprise, shared.budgets()[0]["id"], {**BUDGET, **budget} if whole else budget, {**BUDGET, **news}),
        (
            CostCenterLifecycle(harness.run),
            shared.cost_centers()[0]["id"],
            {**CENTER, **center} if whole else center,
            {**CENTER, **other_news},
        ),
    ]
    for cycle, github_id, olds, changed in cycles:
        id_ = f"enterprise/octo-enterprise/{github_id}"
        every = calls(cycle, id_, olds, changed)
        for call in every.values():
            said = refusal(call)
            assert said.isprintable()
            assert len(said) < 1000
