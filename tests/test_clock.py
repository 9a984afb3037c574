"""The real clock, of which everything else sees only a virtual one."""

from __future__ import annotations

import time

from billing_provider.clock import Clock


def test_the_clock_is_the_machines() -> None:
    """Spans only grow, the wall shows UTC's seconds, a sleep passes, and the dice stay within their range."""
    clock = Clock()
    start = clock.now()
    before = time.time()
    clock.sleep(0.001)
    assert clock.now() > start
    assert before <= clock.wall() <= time.time()
    assert all(0 <= clock.jitter() < 1 for _ in range(100))
