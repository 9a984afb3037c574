"""The example that sets a budget from last month's spend: the figure, its headroom, and that it stays."""

from __future__ import annotations

import math
import runpy
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.reader import Reader
from billing_provider.sandbox import Sandbox
from tests.support.clock import TODAY
from tests.support.harness import open_harness
from tests.support.mocked import run
from tests.support.plugin import Plugin, Stack
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parents[2] / "stacks" / "budget_from_usage.py"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox at which the environment points."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def declared(**config: str) -> dict[str, Any]:
    """Return the budget that the example declares."""

    def program() -> None:
        runpy.run_path(str(PROGRAM))

    given = {"today": TODAY, **config}
    return run(program, config={f"p:{key}": value for key, value in given.items()}).named("actions").inputs


def test_the_budget_is_last_months_spend_with_headroom(served: Sandbox) -> None:
    """It is the month's net spend and a fifth more, in whole steps, and configuration may ask for another share."""
    month = (date.fromisoformat(TODAY) - timedelta(days=3)).replace(day=1) - timedelta(days=1)
    reader = Reader(open_harness(served).run)
    given = {"organization": "octo-org", "product": "actions", "year": month.year, "month": month.month}
    spent = reader.summary("usage/summary", **given).net_amount
    assert spent is not None
    assert declared()["budget_amount"] == math.ceil(spent * 1.2 / 10) * 10
    assert declared(headroom="3")["budget_amount"] == math.ceil(spent * 3 / 10) * 10


def test_a_second_run_on_the_day_changes_nothing(served: Sandbox) -> None:
    """The figure is read anew and is the same, so the preview is empty."""
    stack = Stack()
    environment = {"GITHUB_API_URL": served.url, "GITHUB_BILLING_TOKEN": served.token}
    with Plugin("nobody", environment) as plugin:
        assert stack.up(plugin, {("OrgBudget", "actions"): declared()}) == {"actions": "create"}
        served.forget_requests()
        assert stack.up(plugin, {("OrgBudget", "actions"): declared()}) == {"actions": "same"}
        assert [(request.method, request.path.rpartition("/billing/")[2]) for request in served.requests] == [
            ("GET", "usage/summary")
        ]


def test_a_spend_that_cannot_be_known_makes_no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget of 0 by mistake would stop or alert at once: the program ends instead."""
    empty = {"timePeriod": {"year": 1999, "month": 1}, "usageItems": []}
    with WireServer(answer(200, empty)) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-token")
        with pytest.raises(SystemExit, match="GitHub does not know what octo-org spent in"):
            declared()
