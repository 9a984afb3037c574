"""The state that the resources of one run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.settings import Settings
from billing_provider.runtime.run import Run
from billing_provider.transport.pacing import Pacer
from tests.support.harness import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import VirtualClock

FOREVER = float("inf")


def settings() -> Iterator[Settings]:
    yield Settings(Credentials(Token("word-of-no-known-form")))


def test_settings_are_read_once() -> None:
    """The settings are read at first use, and only once."""
    told = settings()
    run = Run(lambda: next(told), Listener())
    assert run.settings is run.settings


def test_without_a_terminal_a_wait_is_one_line_and_one_each_half_minute(clock: VirtualClock) -> None:
    """A wait says how long it lasts at its beginning and each half minute, as the next one does."""
    reporter = Listener(is_live=False)
    run = Run(lambda: Settings(Credentials(Token("word-of-no-known-form"))), reporter, clock)
    pacer = Pacer(run.settings, clock, run.show)
    pacer.wait(65.0, "GitHub's hourly limit", FOREVER)
    pacer.wait(3.0, "a retry: list budgets", FOREVER)
    pacer.wait(4.0, "a retry: list budgets", FOREVER)
    pacer.wait(40.0, "GitHub's hourly limit", FOREVER)
    limit = "s for GitHub's hourly limit"
    retry = "waiting 3 s for a retry: list budgets"
    first, second = ([f"waiting {left} {limit}" for left in told] for told in ((65, 35, 5), (40, 10)))
    assert reporter.statuses == [*first, retry, *second]


def test_on_a_terminal_a_status_is_shown_each_time(clock: VirtualClock) -> None:
    """Where a line replaces the one before, a wait counts down."""
    run = Run(lambda: Settings(Credentials(Token("word-of-no-known-form"))), reporter := Listener(), clock)
    Pacer(run.settings, clock, run.show).wait(3.0, "a retry", FOREVER)
    assert reporter.statuses == [f"waiting {left} s for a retry" for left in (3, 2, 1)]
