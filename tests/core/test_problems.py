"""Reports of problems are short and contain no values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.models import INPUTS
from billing_provider.core.inputs import MOST_IN_ALL, MOST_PROBLEMS, Problem, first_problems
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.rules import INPUTS as CENTER_INPUTS
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.harness import RunHarness

NOTHING: frozenset[str] = frozenset()
SECRET = "gh secret p@ss/word"
BUDGET = {"enterprise": "octo-enterprise", "budget_amount": 5, "budget_product_sku": "actions"}
CENTER = {"enterprise": "octo-enterprise", "name": "Apps"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("bad", "many"), [("mona@example.com", 10_000), (5, 10_000)])
def test_many_invalid_recipients_are_summarized(harness: RunHarness, bad: Any, many: int) -> None:
    """The first ten invalid recipients are reported with their position; the others are counted."""
    alerting = {"will_alert": True, "alert_recipients": ["octocat", *[bad] * many]}
    found = harness.enterprise.check("urn", {}, {**BUDGET, "budget_alerting": alerting}, NOTHING).problems
    assert len(found) == MOST_PROBLEMS + 1
    assert found[0].reason.startswith("alert_recipients.1: ")
    assert found[-1] == Problem("budget_alerting", f"and {many - MOST_PROBLEMS} more problems of this input")


@pytest.mark.parametrize("kind", ["users", "organizations", "repositories", "enterprise_teams"])
def test_many_invalid_members_are_summarized(harness: RunHarness, kind: str) -> None:
    """The first ten invalid members of each kind are reported; the others are counted."""
    members = {kind: ["a b"] * 10_000}
    found = CostCenterLifecycle(harness.run).check("urn", {}, {**CENTER, **members}, NOTHING).problems
    assert len(found) == MOST_PROBLEMS + 1
    assert found[0].reason.startswith(f"{kind}.0: ")
    assert found[-1] == Problem(kind, "and 9990 more problems of this input")


@pytest.mark.parametrize("resource", ["budget", "cost center"])
def test_many_unknown_inputs_are_summarized(harness: RunHarness, resource: str) -> None:
    """The first thirty problems of a resource are reported; the others are counted."""
    unknown = {f"unknown_{number}": number for number in range(10_000)}
    if resource == "budget":
        found = harness.enterprise.check("urn", {}, {**BUDGET, **unknown}, NOTHING).problems
    else:
        found = CostCenterLifecycle(harness.run).check("urn", {}, {**CENTER, **unknown}, NOTHING).problems
    assert [problem.field for problem in found] == [f"unknown_{number}" for number in range(MOST_IN_ALL + 1)]
    assert found[-1].reason == f"and {10_000 - MOST_IN_ALL} more problems"


@given(counts=st.lists(st.integers(0, 30), max_size=60))
def test_every_problem_is_reported_or_counted(counts: list[int]) -> None:
    """The reported and the counted problems add up to all problems, and the report is short."""
    short = first_problems(
        Problem(str(field), str(number)) for field, count in enumerate(counts) for number in range(count)
    )
    lines = []
    for field, count in enumerate(counts):
        more = [f"and {count - MOST_PROBLEMS} more problems of this input"] if count > MOST_PROBLEMS else []
        lines += [(str(field), reason) for reason in [*map(str, range(min(count, MOST_PROBLEMS))), *more]]
    assert [(problem.field, problem.reason) for problem in short][:MOST_IN_ALL] == lines[:MOST_IN_ALL]
    assert len(short) == min(len(lines), MOST_IN_ALL + 1)
    counted = [int(problem.reason.split()[1]) for problem in short if problem.reason.startswith("and ")]
    assert len(short) - len(counted) + sum(counted) == sum(counts)


@pytest.mark.parametrize("value", [SECRET, [SECRET], {SECRET: 1}, {"alert_recipients": [SECRET], "will_alert": True}])
@pytest.mark.parametrize("scope", ["organization", "repository", "user", "cost_center", None])
def test_problems_do_not_contain_input_values(shared: Sandbox, scope: str | None, value: Any) -> None:
    """A problem never contains the value of an input, because the value may be a secret."""
    harness = open_harness(shared)
    said = [
        problem
        for name in INPUTS
        for problem in harness.enterprise.check(
            f"urn::{name}", {}, {**BUDGET, "budget_scope": scope, name: value}, NOTHING
        ).problems
    ]
    said += [
        problem
        for name in CENTER_INPUTS
        for other in (value, f"{SECRET}/x")
        for problem in CostCenterLifecycle(harness.run)
        .check(f"urn::{name}", {}, {**CENTER, name: other}, NOTHING)
        .problems
    ]
    assert said
    # The name of a key is no value.
    assert [problem for problem in said if "word" in problem.reason and "unknown key" not in problem.reason] == []
