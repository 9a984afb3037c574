"""Polling: the waits, the status line and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.core.errors import WaitError
from billing_provider.runtime.poll import poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import RunHarness


def test_waits_double_up_to_the_longest(harness: RunHarness) -> None:
    """It waits before each check, shows the reason, and returns the first result."""
    answers = iter([None, None, None, "made"])
    found = poll(harness.run, lambda: next(answers), "the report", first_seconds=2.0, longest_seconds=5.0)
    assert found == "made"
    assert harness.clock.sleeps == [2.0, 4.0, 5.0, 5.0]
    assert harness.reporter.statuses == ["waiting for the report"] * 4


def test_polling_ends_at_the_maximum_wait(new_run: Callable[..., RunHarness]) -> None:
    """A wait that would pass the maximum wait is not started."""
    harness = new_run(max_wait_seconds=10.0)
    with pytest.raises(WaitError, match="the report takes longer than github-billing:maxWaitSeconds allows"):
        poll(harness.run, lambda: None, "the report", first_seconds=2.0, longest_seconds=5.0)
    assert harness.clock.sleeps == [2.0, 4.0]
