"""The time that a test sets: of the sandbox, of this process, and of those that it starts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from billing_provider.core.clock import TEST_TIME, Clock
from billing_provider.sandbox import Sandbox

PRINTED = "from billing_provider.core.clock import Clock; print(Clock().wall())"


@pytest.fixture(params=["2026-09-21T14:13:20Z", None], ids=["fixed", "of the machine"])
def before(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The time before a sandbox is made."""
    if request.param is None:
        monkeypatch.delenv(TEST_TIME, raising=False)
    else:
        monkeypatch.setenv(TEST_TIME, request.param)
    return str(request.param) if request.param else None


def test_sandbox_provider_and_new_processes_share_the_time(before: str | None) -> None:
    """After `set` and `advance`, everything has the same time, which stands still; the end restores the former one."""
    with Sandbox() as sandbox:
        sandbox.clock.set("2027-01-31")
        sandbox.clock.advance(days=40, hours=1, minutes=2, seconds=3)
        assert sandbox.clock.now().isoformat() == "2027-03-12T01:02:03+00:00"
        assert Clock().wall() == sandbox.clock()
        printed = subprocess.run([sys.executable, "-c", PRINTED], check=True, capture_output=True, text=True).stdout
        assert float(printed) == sandbox.clock()
    assert os.environ.get(TEST_TIME) == before


def test_time_moves_forward_from_now(before: str | None) -> None:
    """`advance` starts from the current time, whether it is the machine's or a fixed one."""
    with Sandbox() as sandbox:
        began = sandbox.clock.now()
        sandbox.clock.advance(days=40)
        assert (sandbox.clock.now() - began).days == 40
        if before:
            assert sandbox.clock.now().isoformat() == "2026-10-31T14:13:20+00:00"


def test_expiry_and_the_month_follow_the_time(before: str | None) -> None:
    """An expired budget is removed, and what was spent last month no longer blocks."""
    del before
    with Sandbox() as sandbox:
        sandbox.clock.set("2026-11-30T23:59:00Z")
        sandbox.add_budget("organization", "octo-org", budget_amount=42, prevent_further_usage=True)
        sandbox.spend("octo-org", "actions_linux", 42)
        assert len(sandbox.blocked()) == 1
        sandbox.clock.advance(minutes=1)
        assert sandbox.blocked() == []


@pytest.mark.usefixtures("before")
def test_a_wrong_time_is_refused() -> None:
    """A wrong time and a negative duration are errors, and the time stays."""
    with Sandbox() as sandbox:
        sandbox.clock.set("2026-12-01T00:00:30Z")
        with pytest.raises(ValueError, match="must be a time such as"):
            sandbox.clock.set("tomorrow")
        with pytest.raises(ValueError, match="only moves forward: use set"):
            sandbox.clock.advance(days=-1)
        assert sandbox.clock.now().isoformat() == "2026-12-01T00:00:30+00:00"


def test_a_clock_of_its_own_cannot_be_set() -> None:
    """A sandbox with a clock of its own follows that clock only."""
    with Sandbox(clock=lambda: 1_790_000_000) as sandbox:
        assert sandbox.clock() == 1_790_000_000
        with pytest.raises(ValueError, match="a clock of its own"):
            sandbox.clock.advance(days=1)
