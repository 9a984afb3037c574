"""A preview under every quirk of GitHub: what it tells about a raise of any budget, and what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.owners import OWNER_KINDS
from billing_provider.sandbox import Sandbox
from tests.budgets.test_lifecycle import SWITCHES, create_all
from tests.support.clock import VirtualClock
from tests.support.declared import everything
from tests.support.harness import open_harness
from tests.support.quirks import under_every

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def settled() -> Iterator[Any]:
    """Forty budgets and their states; tests only read them."""
    clock = VirtualClock()
    with Sandbox(clock=clock.wall) as sandbox:
        budgets = everything(sandbox)
        yield sandbox, clock, budgets, create_all(open_harness(sandbox, clock), budgets)


@under_every(SWITCHES)
def test_a_raise_is_told_under_every_quirk(quirks: tuple[str, ...], settled: Any) -> None:
    """However GitHub spells a budget, a preview of a higher amount says so, has no problem, and only reads."""
    sandbox, clock, budgets, states = settled
    for quirk in quirks:
        sandbox.switch(quirk)
    try:
        sandbox.forget_requests()
        harness = open_harness(sandbox, clock)
        for urn, declared in budgets.items():
            higher = {**declared, "budget_amount": int(float(declared["budget_amount"])) + 100}
            stored = states[urn].inputs
            inputs = harness.lifecycle(declared).check(urn, stored, higher, NOTHING).inputs
            kind = OWNER_KINDS["enterprise" if "enterprise" in declared else "organization"]
            harness.reporter.warnings.clear()
            state = states[urn]
            assert not harness.operations[kind.resource].compare_update(
                urn, state.id, state.outputs, inputs, NOTHING
            ), urn
            assert any("raises the " in text for text in harness.reporter.warnings), urn
        assert sandbox.writes == []
        # One listing for each of the three owners, in pages of at most ten, and one of the cost centers.
        assert len(sandbox.requests) <= 10
    finally:
        for quirk in quirks:
            sandbox.switch(quirk, on=False)


@under_every(SWITCHES)
def test_an_adoption_is_told_under_every_quirk(quirks: tuple[str, ...], clock: VirtualClock) -> None:
    """However GitHub spells a budget, a preview of its adoption names it, or reports that it is not sure."""
    with Sandbox(clock=clock.wall) as sandbox:
        budgets = everything(sandbox)
        ids = {
            urn: stored.outputs["budget_id"]
            for urn, stored in create_all(open_harness(sandbox, clock), budgets).items()
        }
        # A listing that lags shows them by now.
        clock.sleep(3600)
        for quirk in quirks:
            sandbox.switch(quirk)
        sandbox.forget_requests()
        harness = open_harness(sandbox, clock)
        for urn, declared in budgets.items():
            inputs = harness.lifecycle(declared).check(urn, {}, {**declared, "on_existing": "adopt"}, NOTHING).inputs
            kind = OWNER_KINDS["enterprise" if "enterprise" in declared else "organization"]
            harness.reporter.warnings.clear()
            problems = [str(problem) for problem in harness.operations[kind.resource].compare(urn, {}, inputs, NOTHING)]
            told = [text for text in [*problems, *harness.reporter.warnings] if ids[urn] in text]
            assert told, (urn, problems, harness.reporter.warnings)
            assert all("may exist already" in problem for problem in problems), (urn, problems)
        assert sandbox.writes == []
