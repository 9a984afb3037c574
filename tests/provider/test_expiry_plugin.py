"""Budgets whose date has passed, through the real plugin process: each run is a plugin at another time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.clock import TEST_TIME, instant
from billing_provider.sandbox import Sandbox
from tests.support.plugin import PROVIDERS, FakeEngine, Plugin, Stack, urn_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNERS = {"EnterpriseBudget": {"enterprise": "octo-enterprise"}, "OrgBudget": {"organization": "octo-org"}}
PERSON = {"budget_amount": 50, "budget_product_sku": "ai_credits", "budget_scope": "user", "user": "octocat"}
BEFORE, AFTER = "2026-11-20T12:00:00Z", "2026-12-01T12:00:00Z"
TOLD = "expired on 2026-11-30: remove it, or give a new date"


@dataclass
class Bench:
    """A stack of one budget, and the time at which its runs take place."""

    kind: str
    sandbox: Sandbox
    engine: FakeEngine
    now: list[str]
    stack: Stack = field(default_factory=Stack)

    def plugin(self) -> Plugin:
        """Start the plugin of the next run, and forget what the last one sent and showed."""
        self.sandbox.forget_requests()
        self.engine.lines.clear()
        environment = {"GITHUB_API_URL": self.sandbox.url, "GITHUB_BILLING_TOKEN": self.sandbox.token}
        return Plugin(self.engine.address, {**environment, TEST_TIME: self.now[0]})

    def up(self, **change: Any) -> tuple[str, list[str]]:
        """Run the program with one budget; return its step, and the methods of the requests."""
        with self.plugin() as plugin:
            steps = self.stack.up(plugin, {(self.kind, "b"): {**OWNERS[self.kind], **PERSON, **change}})
        return steps["b"], self.sent

    def refresh(self) -> tuple[dict[str, str], list[str]]:
        """Refresh; return what is different, and the methods of the requests."""
        with self.plugin() as plugin:
            return self.stack.refresh(plugin), self.sent

    def destroy(self) -> list[str]:
        """Delete everything; return the methods of the requests."""
        with self.plugin() as plugin:
            self.stack.destroy(plugin)
        return self.sent

    @property
    def sent(self) -> list[str]:
        """The methods of the requests of the last run."""
        return [request.method for request in self.sandbox.requests]

    def is_told(self) -> bool:
        """Return whether the last run warned on the row that the budget has expired."""
        return any(name == "b" and text.endswith(TOLD) for name, text in self.engine.warnings)


@pytest.fixture(params=OWNERS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A stack without a budget, some days before the date."""
    now, engine = [BEFORE], FakeEngine()
    with Sandbox(clock=lambda: instant(now[0]).timestamp()) as sandbox:
        yield Bench(request.param, sandbox, engine, now)
    engine.stop()


def test_the_life_of_an_exception(bench: Bench) -> None:
    """It is created, expires, is kept by a refresh, comes back with a new date, and is deleted."""
    brief = {"expires_at": "2026-11-30"}
    # The preview reads the listing, which the create uses too, and what the person has used.
    assert bench.up(**brief) == ("create", ["GET", "GET", "POST"])
    assert not bench.is_told()
    (entry,) = bench.stack.entries
    bench.now[0] = AFTER
    assert bench.up(**brief) == ("same", [])
    assert bench.is_told()
    # The clock of a machine proves nothing: comparison and update look whether GitHub has removed it.
    step, requests = bench.up(**brief, budget_amount=70)
    assert (step, set(requests)) == ("update", {"GET"})
    assert entry.outputs["expired"] is True
    assert bench.refresh() == ({}, [])
    assert bench.up(**brief, budget_amount=70) == ("same", [])
    assert bench.is_told()
    assert bench.up(expires_at="2026-12-31", budget_amount=70) == ("replace", ["GET", "GET", "POST"])
    assert not bench.is_told()
    (entry,) = bench.stack.entries
    (live,) = bench.sandbox.budgets(None)
    assert (entry.outputs["budget_id"], live["expires_at"]) == (live["id"], "2026-12-31")
    assert bench.up(expires_at="2026-12-31", budget_amount=70) == ("same", [])
    assert bench.destroy() == ["DELETE"]
    assert bench.sandbox.budgets(None) == []


@pytest.mark.parametrize("date", ["2026-12-31", None])
def test_a_budget_that_is_not_removed_yet_is_kept(bench: Bench, date: str | None) -> None:
    """With a new date the same budget goes on, without a moment in which it does not exist."""
    bench.sandbox.switch("expired_kept")
    bench.up(expires_at="2026-11-30", on_existing="error")
    bench.now[0] = AFTER
    assert bench.refresh() == ({}, ["GET"])
    (before,) = bench.sandbox.budgets(None)
    assert bench.up(expires_at=date, on_existing="error") == ("replace", ["GET", "PATCH"])
    (after,) = bench.sandbox.budgets(None)
    assert (after["id"], after.get("expires_at")) == (before["id"], date)
    assert bench.up(expires_at=date, on_existing="error") == ("same", [])
    assert bench.refresh() == ({}, ["GET"])
    assert bench.destroy() == ["DELETE"]


def test_a_budget_with_a_past_date_is_never_created(bench: Bench) -> None:
    """A new resource with a past date sends nothing in any step, until it gets a new date."""
    bench.now[0] = AFTER
    assert bench.up(expires_at="2026-11-30") == ("create", [])
    assert bench.is_told()
    assert bench.stack.entries[0].id.endswith("/expired")
    assert bench.up(expires_at="2026-11-30") == ("same", [])
    assert bench.refresh() == ({}, [])
    assert bench.up(expires_at="2026-12-31") == ("replace", ["GET", "GET", "POST"])
    assert bench.up(expires_at="2026-12-31") == ("same", [])
    assert bench.destroy() == ["DELETE"]
    bench.up(expires_at="2026-11-30")
    assert bench.destroy() == []


def test_a_replacement_is_reported_without_a_changed_input(bench: Bench) -> None:
    """A budget that another machine stored as expired too early is replaced: the engine alone finds no difference."""
    bench.now[0] = AFTER
    bench.up(expires_at="2026-11-30")
    bench.now[0] = BEFORE
    (entry,) = bench.stack.entries
    declared = {**OWNERS[bench.kind], **PERSON, "expires_at": "2026-11-30", "__provider": PROVIDERS[bench.kind]}
    with bench.plugin() as plugin:
        urn = urn_of(bench.kind, "b")
        inputs, problems = plugin.check(urn, entry.inputs, declared)
        assert problems == []
        assert inputs == entry.inputs
        assert plugin.diff(urn, entry.id, entry.outputs, inputs) == ("DIFF_SOME", ["expires_at"], False)


def test_a_past_date_is_refused_for_a_live_budget(bench: Bench) -> None:
    """The error is in the preview, and nothing is sent."""
    bench.up()
    (entry,) = bench.stack.entries
    declared = {**OWNERS[bench.kind], **PERSON, "expires_at": "2026-11-01", "__provider": PROVIDERS[bench.kind]}
    with bench.plugin() as plugin:
        _, problems = plugin.check(urn_of(bench.kind, "b"), entry.inputs, declared)
    assert problems == [": expires_at: choose a date in the future: GitHub removes an expired budget"]
    assert bench.sent == []
