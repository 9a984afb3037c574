"""Check of random inputs: a list of problems, or inputs that the sandbox accepts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.budgets.models import INPUTS, BudgetSpec
from billing_provider.budgets.skus import BUDGET_TYPES
from billing_provider.core.errors import ApiError, ConfigError, OutcomeError
from billing_provider.core.inputs import ON_DELETE, ON_EXISTING
from billing_provider.core.owners import ENTERPRISE_OWNER, OWNER_KINDS, OwnerKind
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.store.skus import SKUS
from tests.support.clock import VirtualClock
from tests.support.declared import everything
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING: frozenset[str] = frozenset()
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.binary(max_size=4),
    st.sampled_from(
        ["", " ", "\0", "\x1b[2J", "\ud800", "x" * 10_000_000, "9" * 5000, math.nan, math.inf, 10**400, -1]
    ),
)
NESTED = st.recursive(
    ODD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["will_alert", "alert_recipients", "x", "\n"]), inner, max_size=3),
    ),
    max_leaves=6,
)
LOGINS = st.one_of(
    st.sampled_from(["octocat", "Mona-Lisa", "hubot_corp", "a", "x" * 100]),
    st.text("abcXYZ019-_[]@ .", max_size=12),
    st.text(max_size=6),
)
ENTITIES = st.sampled_from([
    "", "octo-enterprise", "OCTO-org", "octo-lab", "octo-org/website", "octo-org/..", "website", ".github", "a/b/c",
    "Platform", "platform", "Data", " Platform ", "octocat",
])  # fmt: skip
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "budget_amount": st.one_of(
        st.integers(0, 2**31), st.integers(0, 99).map(float), st.integers(0, 99).map(str), st.floats()
    ),
    "budget_product_sku": st.sampled_from(["actions", "ai_credits", "premium_requests", "copilot", *SKUS]),
    "budget_type": st.sampled_from([*BUDGET_TYPES, None]),
    "budget_scope": st.sampled_from([*ENTERPRISE_OWNER.scopes, None]),
    "budget_entity_name": st.one_of(ENTITIES, st.none()),
    "user": st.one_of(LOGINS, st.none()),
    "prevent_further_usage": st.sampled_from([True, False, None]),
    "budget_alerting": st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {}, optional={"will_alert": st.booleans(), "alert_recipients": st.lists(LOGINS, max_size=3)}
        ),
    ),
    "expires_at": st.one_of(
        st.none(),
        st.dates().map(str),
        st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        st.sampled_from(["2027-01-31", "2027-01-31T00:00:00Z", "9999-12-31", "2027-W04-7", "20270131", "2026-09-21"]),
    ),
    "exclude_cost_center_usage": st.sampled_from([True, False, None]),
    "on_existing": st.sampled_from([*ON_EXISTING, None]),
    "on_delete": st.sampled_from([*ON_DELETE, None]),
}
OWNERS = st.sampled_from([
    {"enterprise": "octo-enterprise"}, {"enterprise": "Octo-Enterprise"}, {"organization": "octo-org"},
    {"organization": "OCTO-ORG"},
])  # fmt: skip
# Refusals of valid forms: a check does not know which organizations, cost centers and members exist.
UNKNOWABLE = (
    "no such organization in this enterprise",
    "owner/repository of this account is needed",
    "requires the cost center to contain only user members",
    "has the name or id",
    "Invalid budget_product_sku. Valid products and SKUs for this account",
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all examples; each leaves it as it was."""
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        yield sandbox


@given(
    raw=st.dictionaries(st.one_of(st.sampled_from(INPUTS), st.text(max_size=10)), NESTED, max_size=8),
    olds=st.sampled_from([{}, {"enterprise": "octo-enterprise", "budget_amount": 5, "expires_at": "2026-01-31"}]),
    kind=st.sampled_from(list(OWNER_KINDS.values())),
)
@example(
    raw={"budget_alerting": {"will_alert": True, "alert_recipients": ["@"] * 5000}},
    olds={},
    kind=ENTERPRISE_OWNER,
)
def test_any_inputs_are_valid_or_problems(
    shared: Sandbox, raw: dict[str, Any], olds: dict[str, Any], kind: OwnerKind
) -> None:
    """Wrong types, odd numbers, control characters, long and nested values are short problems or valid inputs."""
    harness = open_harness(shared)
    lifecycle = harness.enterprise if kind is ENTERPRISE_OWNER else harness.organization
    found = lifecycle.check("urn::budget", olds, raw, NOTHING)
    assert bool(found.problems) != bool(found.inputs)
    for problem in found.problems:
        assert (problem.field + problem.reason).isprintable()
        assert len(problem.reason) < 500
    if found.inputs:
        BudgetSpec.model_validate(found.inputs)


@given(
    owner=OWNERS, fields=st.fixed_dictionaries({}, optional=RIGHT), unknown=st.frozensets(st.sampled_from(INPUTS[2:]))
)
def test_unknown_inputs_cause_no_additional_problems(
    shared: Sandbox, owner: dict[str, Any], fields: dict[str, Any], unknown: frozenset[str]
) -> None:
    """With unknown inputs, a preview finds no problem that the known inputs do not have."""
    harness = open_harness(shared)
    full = harness.lifecycle(owner).check("urn::budget", {}, {**owner, **fields}, NOTHING)
    known = {name: value for name, value in fields.items() if name not in unknown}
    part = harness.lifecycle(owner).check("urn::budget", {}, {**owner, **known}, unknown)
    if not full.problems:
        assert part.problems == []
        assert unknown.isdisjoint(part.inputs)
        assert part.inputs.items() <= full.inputs.items()


CHANGES = st.sets(st.sampled_from(sorted(RIGHT)), max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: RIGHT[name] for name in sorted(names)})
)


@given(which=st.integers(0, 39), changes=CHANGES)
@example(which=0, changes={"budget_product_sku": "tomorrows_sku"})
def test_checked_inputs_are_accepted_by_github(shared: Sandbox, which: int, changes: dict[str, Any]) -> None:
    """A valid budget with a few changed inputs has a problem, or the sandbox accepts its form."""
    budget = {**list(everything(shared).values())[which], **changes}
    harness = open_harness(shared)
    found = harness.lifecycle(budget).check("urn::budget", {}, budget, NOTHING)
    if found.problems:
        return
    try:
        harness.lifecycle(budget).create("urn::budget", found.inputs)
    except (ConfigError, OutcomeError) as error:
        refusal = str(error)
    except ApiError as error:
        refusal = error.message
    else:
        refusal = ""
        assert len(shared.budgets(owner=None)) == 1
    finally:
        shared.reset()
    assert not refusal or any(words in refusal for words in UNKNOWABLE)
