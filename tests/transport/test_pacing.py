"""How fast is written, and when nothing is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import WaitError
from billing_provider.core.settings import Settings
from billing_provider.transport.pacing import Pacer
from tests.support.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

FOREVER = float("inf")


class Gate:
    """A pacer on a virtual clock, with the start and the end of each request that it let through."""

    def __init__(self, clock: VirtualClock, **settings: Any) -> None:
        self.clock = clock
        self.said: list[str] = []
        self.writes: list[tuple[float, float]] = []
        self.pacer = Pacer(Settings(token="sandbox-owner-token", **settings), clock, self.said.append)

    def send(self, seconds: float = 0.0, *, write: bool = True, within: float = FOREVER) -> float:
        """Send a request that takes so long, and return when it started."""
        with self.pacer.slot(write=write, deadline=self.clock.now() + within, before_write=lambda: None):
            started = self.clock.now()
            self.clock.sleep(seconds)
            if write:
                self.writes.append((started, self.clock.now()))
        return started


STEPS = st.tuples(
    st.sampled_from(["write", "read", "block", "idle"]), st.floats(0, 30).map(lambda value: round(value, 3))
)


@given(
    steps=st.lists(STEPS, max_size=60),
    interval=st.sampled_from([0.0, 1.0, 2.5]),
    minute=st.sampled_from([0, 1, 3, 80]),
    hour=st.sampled_from([0, 2, 5, 500]),
)
def test_gaps_windows_and_blocks_hold(steps: list[tuple[str, float]], interval: float, minute: int, hour: int) -> None:
    """In any sequence of requests the pauses, both windows and every block are kept."""
    gate = Gate(VirtualClock(), write_interval_seconds=interval, writes_per_minute=minute, writes_per_hour=hour)
    blocked_until = 0.0
    for what, seconds in steps:
        if what == "block":
            gate.pacer.block(seconds, "a limit")
            blocked_until = max(blocked_until, gate.clock.now() + seconds)
        elif what == "idle":
            gate.clock.sleep(seconds)
        else:
            assert gate.send(seconds / 10, write=what == "write") >= blocked_until
    # Sums of floats: a millionth of a second is no difference.
    for (_, end), (start, _) in pairwise(gate.writes):
        assert start - end >= interval - 1e-6
    for span, most in ((60.0, minute), (3600.0, hour)):
        for (_, end), (start, _) in zip(gate.writes, gate.writes[most:] if most else [], strict=False):
            assert start - end >= span - 1e-6


def test_four_threads_keep_the_pause_together(clock: VirtualClock) -> None:
    """Writes of all threads go one at a time, a full pause after the answer of the one before."""
    gate = Gate(clock, write_interval_seconds=1.0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: gate.send(0.25), range(12)))
    gaps = [start - end for (_, end), (start, _) in pairwise(gate.writes)]
    assert gaps == [1.0] * 11


class BusyClock(VirtualClock):
    """A clock during whose naps other threads get on."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass, and then the next thing happen."""
        super().sleep(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


def test_a_block_added_while_waiting_is_obeyed() -> None:
    """A wait asks anew after each nap, and so sees a limit that another thread has met meanwhile."""
    clock = BusyClock()
    gate = Gate(clock)
    gate.pacer.block(2.0, "one limit")
    clock.meanwhile = [lambda: None, lambda: gate.pacer.block(5.0, "another limit")]
    assert gate.send(write=False) == 7.0


def test_a_shorter_block_leaves_the_longer_one(clock: VirtualClock) -> None:
    """Two limits at once: the longer one counts, with its own reason."""
    gate = Gate(clock)
    gate.pacer.block(9.0, "the long one")
    gate.pacer.block(3.0, "the short one")
    assert gate.send() == 9.0
    assert gate.said[0] == "waiting 9 s for the long one"


def test_waits_are_shown_from_a_second(clock: VirtualClock) -> None:
    """The status line counts down once a second, and shorter waits are nobody's business."""
    gate = Gate(clock, write_interval_seconds=2.5)
    gate.send()
    gate.send()
    assert gate.said == ["waiting 2 s for the pause between writes"] * 2
    assert clock.sleeps[1:4] == [1.0, 1.0, 0.5]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"writes_per_minute": 2}, "the limit of 2 writes in a minute"),
        ({"writes_per_hour": 2, "writes_per_minute": 0}, "the limit of 2 writes in an hour"),
    ],
)
def test_a_full_window_says_which(clock: VirtualClock, settings: dict[str, int], reason: str) -> None:
    """The status line names the window that is full."""
    gate = Gate(clock, write_interval_seconds=0.0, **settings)
    for _ in range(3):
        gate.send()
    assert gate.said[0].endswith(f"for {reason}")


@pytest.mark.parametrize("write", [False, True])
def test_a_wait_beyond_the_deadline_is_refused_at_once(clock: VirtualClock, write: bool) -> None:
    """A limit longer than what is left ends the request with its reason, without a wait and without sending."""
    gate = Gate(clock)
    gate.pacer.block(61.0, "GitHub's hourly limit")
    with pytest.raises(
        WaitError, match=r"GitHub's hourly limit requires a wait of 61 s.*maxWaitSeconds.*nothing was sent"
    ):
        gate.send(write=write, within=60.0)
    assert clock.sleeps == []
    assert gate.writes == []


def test_a_wait_up_to_the_deadline_is_waited(clock: VirtualClock) -> None:
    """A limit that ends exactly at the deadline is waited for."""
    gate = Gate(clock)
    gate.pacer.block(60.0, "a limit")
    assert gate.send(within=60.0) == 60.0


def test_a_repeat_waits_within_its_deadline(clock: VirtualClock) -> None:
    """The wait before a repeat is as long as asked, or refused where it would pass the deadline."""
    pacer = Gate(clock).pacer
    pacer.wait(3.0, "the retry", deadline=3.0)
    assert clock.now() == 3.0
    with pytest.raises(WaitError, match="the retry"):
        pacer.wait(1.0, "the retry", deadline=3.5)


def test_a_write_that_may_not_leave_takes_no_turn(clock: VirtualClock) -> None:
    """Where the check before a write raises, nothing counts as written and the next one need not pause."""
    gate = Gate(clock, write_interval_seconds=5.0)

    def refuse() -> None:
        raise RuntimeError("the engine is gone")

    with (
        pytest.raises(RuntimeError, match="the engine is gone"),
        gate.pacer.slot(write=True, deadline=FOREVER, before_write=refuse),
    ):
        pytest.fail("it was sent")
    assert gate.send() == 0.0


def test_the_check_comes_after_all_waiting(clock: VirtualClock) -> None:
    """The check before a write is made right before it leaves, and never for a read."""
    gate = Gate(clock, write_interval_seconds=4.0)
    asked: list[float] = []
    gate.send()
    for write in (True, False):
        with gate.pacer.slot(write=write, deadline=FOREVER, before_write=lambda: asked.append(clock.now())):
            pass
    assert asked == [4.0]


def test_a_write_that_failed_counts(clock: VirtualClock) -> None:
    """A request that raised may have reached GitHub, so the next write pauses after it."""
    gate = Gate(clock, write_interval_seconds=1.0)
    with (
        pytest.raises(RuntimeError),
        gate.pacer.slot(write=True, deadline=FOREVER, before_write=lambda: None),
    ):
        raise RuntimeError
    assert gate.send() == 1.0


def test_a_request_in_hand_holds_up_the_next(clock: VirtualClock) -> None:
    """Requests go one after another, so a limit that one of them meets holds for one that was already in line."""
    gate = Gate(clock)
    with ThreadPoolExecutor(1) as pool:
        with gate.pacer.slot(write=True, deadline=FOREVER, before_write=lambda: None):
            read = pool.submit(gate.send, write=False)
            assert wait([read], 0.05).not_done == {read}
            gate.pacer.block(30, "GitHub's hourly limit")
        assert read.result(10) == 30.0


def test_reads_pass_while_a_write_waits_for_its_turn(clock: VirtualClock) -> None:
    """The pause between writes holds up no read."""
    gate = Gate(clock)
    assert gate.send() == 0.0
    assert gate.send(write=False) == 0.0
    assert gate.send() == 1.0
