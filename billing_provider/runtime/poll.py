"""Polling until a result is available, limited by the maximum wait in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from billing_provider.core.errors import WaitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run

T = TypeVar("T")


def poll(run: Run, check: Callable[[], T | None], what: str, *, first_seconds: float, longest_seconds: float) -> T:
    """Wait and call `check` until it returns a result; each wait is twice as long as the previous one.

    Args:
        run: Settings, clock and reporter.
        check: Returns the result, or None if it is not available yet.
        what: The awaited result, for the status line.
        first_seconds: The first wait.
        longest_seconds: The longest single wait.

    Raises:
        WaitError: The result takes longer than `github-billing:maxWaitSeconds`.
    """
    deadline, pause = run.clock.now() + run.settings.max_wait_seconds, first_seconds
    while True:
        if run.clock.now() + pause > deadline:
            raise WaitError(
                f"{what} takes longer than github-billing:maxWaitSeconds allows. "
                "GitHub continues to process it: run again later, or increase the setting."
            )
        run.show(f"waiting for {what}", what)
        run.clock.sleep(pause)
        if (found := check()) is not None:
            return found
        pause = min(pause * 2, longest_seconds)
