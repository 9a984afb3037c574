"""The helper of the tests that waits for another process."""

from __future__ import annotations

import pytest

from tests.support.waiting import wait_until


def test_a_wait_ends_with_what_it_waits_for() -> None:
    """A wait ends when it happened, also right before the process ended, and fails if the process ended without it."""
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), lambda: True)
    late = iter([False, True, True])
    wait_until(lambda: next(late), lambda: False)
    with pytest.raises(AssertionError, match="ended before this happened"):
        wait_until(lambda: False, lambda: False)
