"""Waits for something that another process or thread does; a wait ends when that process or thread has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(happened: Callable[[], object], running: Callable[[], bool]) -> None:
    """Wait until something has happened.

    Args:
        happened: Whether it has happened.
        running: Whether the process or the thread that does it still runs; without it, the wait would not end.
    """
    while not happened():
        # It may have happened right before the end.
        assert running() or happened(), "the process or thread ended before this happened"
        time.sleep(0.005)
