"""Looking again and again until there is an answer, within the longest wait of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from billing_provider.core.errors import WaitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run

T = TypeVar("T")


def poll(run: Run, look: Callable[[], T | None], what: str, *, first_seconds: float, slowest_seconds: float) -> T:
    """Wait, then look, until there is an answer; each wait is twice as long as the one before.

    Args:
        run: Settings, clock and reporter.
        look: Returns the answer, or None while there is none.
        what: What is waited for, as the status line shows it.
        first_seconds: The first wait.
        slowest_seconds: The longest single wait.

    Raises:
        WaitError: It takes longer than `github-billing:maxWaitSeconds`.
    """
    deadline, pause = run.clock.now() + run.settings.max_wait_seconds, first_seconds
    while True:
        if run.clock.now() + pause > deadline:
            raise WaitError(
                f"{what} takes longer than github-billing:maxWaitSeconds allows. "
                "GitHub goes on with it: run again later."
            )
        run.reporter.status(f"waiting for {what}")
        run.clock.sleep(pause)
        if (found := look()) is not None:
            return found
        pause = min(pause * 2, slowest_seconds)
