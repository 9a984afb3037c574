"""Pauses between writes, windows and blocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.errors import WaitError
from billing_provider.core.settings import Settings
from billing_provider.transport.pacing import MOST_READS, Pacer
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
        self.pacer = Pacer(
            Settings(Credentials(Token("sandbox-owner-token")), **settings),
            clock,
            lambda text, _: self.said.append(text),
        )

    def send(self, seconds: float = 0.0, *, write: bool = True, within: float = FOREVER) -> float:
        """Send a request that takes so long, and return when it started."""
        with self.pacer.slot(write=write, deadline=self.clock.now() + within, prepare=lambda: None):
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
def test_pauses_windows_and_blocks_are_obeyed(
    steps: list[tuple[str, float]], interval: float, minute: int, hour: int
) -> None:
    """Any sequence of requests obeys the pauses, both windows and every block."""
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


def test_the_pause_applies_across_threads(clock: VirtualClock) -> None:
    """Writes of all threads are sent one at a time, each a full pause after the previous response."""
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
    """A wait reads the block again after each sleep, so a block from another thread is obeyed."""
    clock = BusyClock()
    gate = Gate(clock)
    gate.pacer.block(2.0, "one limit")
    clock.meanwhile = [lambda: None, lambda: gate.pacer.block(5.0, "another limit")]
    assert gate.send(write=False) == 7.0


def test_the_longer_of_two_blocks_applies(clock: VirtualClock) -> None:
    """If two limits apply, the longer one counts, with its own reason."""
    gate = Gate(clock)
    gate.pacer.block(9.0, "the long one")
    gate.pacer.block(3.0, "the short one")
    assert gate.send() == 9.0
    assert gate.said[0] == "waiting 9 s for the long one"


def test_waits_of_a_second_or_more_are_shown(clock: VirtualClock) -> None:
    """The status line counts down once a second; shorter waits are not shown."""
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
def test_the_status_names_the_full_window(clock: VirtualClock, settings: dict[str, int], reason: str) -> None:
    """The status line names the window that is full."""
    gate = Gate(clock, write_interval_seconds=0.0, **settings)
    for _ in range(3):
        gate.send()
    assert gate.said[0].endswith(f"for {reason}")


@pytest.mark.parametrize("write", [False, True])
def test_a_wait_beyond_the_deadline_is_an_error(clock: VirtualClock, write: bool) -> None:
    """A limit longer than the remaining time is an error with its reason; nothing is sent."""
    gate = Gate(clock)
    gate.pacer.block(61.0, "GitHub's hourly limit")
    with pytest.raises(
        WaitError, match=r"GitHub's hourly limit requires a wait of 61 s.*maxWaitSeconds.*nothing was sent"
    ):
        gate.send(write=write, within=60.0)
    assert clock.sleeps == []
    assert gate.writes == []


def test_a_wait_until_the_deadline_is_allowed(clock: VirtualClock) -> None:
    """A limit that ends exactly at the deadline is obeyed."""
    gate = Gate(clock)
    gate.pacer.block(60.0, "a limit")
    assert gate.send(within=60.0) == 60.0


def test_the_wait_before_a_retry_ends_at_the_deadline(clock: VirtualClock) -> None:
    """The wait before a retry is as long as requested, or an error if it would pass the deadline."""
    pacer = Gate(clock).pacer
    pacer.wait(3.0, "the retry", deadline=3.0)
    assert clock.now() == 3.0
    with pytest.raises(WaitError, match="the retry"):
        pacer.wait(1.0, "the retry", deadline=3.5)


def test_a_prevented_write_is_not_counted(clock: VirtualClock) -> None:
    """If `prepare` raises, no write is counted and the next one does not pause."""
    gate = Gate(clock, write_interval_seconds=5.0)

    def refuse() -> None:
        raise RuntimeError("the engine is gone")

    with (
        pytest.raises(RuntimeError, match="the engine is gone"),
        gate.pacer.slot(write=True, deadline=FOREVER, prepare=refuse),
    ):
        pytest.fail("it was sent")
    assert gate.send() == 0.0


def test_prepare_is_called_after_all_waits(clock: VirtualClock) -> None:
    """`prepare` is called directly before each request is sent."""
    gate = Gate(clock, write_interval_seconds=4.0)
    asked: list[float] = []
    gate.send()
    for write in (False, True):
        with gate.pacer.slot(write=write, deadline=FOREVER, prepare=lambda: asked.append(clock.now())):
            pass
    assert asked == [0.0, 4.0]


def test_a_failed_write_is_counted(clock: VirtualClock) -> None:
    """A write that raised may have reached GitHub, so the next write pauses after it."""
    gate = Gate(clock, write_interval_seconds=1.0)
    with (
        pytest.raises(RuntimeError),
        gate.pacer.slot(write=True, deadline=FOREVER, prepare=lambda: None),
    ):
        raise RuntimeError
    assert gate.send() == 1.0


def test_a_write_is_sent_alone(clock: VirtualClock) -> None:
    """No read is sent during a write, so a limit applies to requests that are already waiting."""
    gate = Gate(clock)
    with ThreadPoolExecutor(1) as pool:
        with gate.pacer.slot(write=True, deadline=FOREVER, prepare=lambda: None):
            read = pool.submit(gate.send, write=False)
            assert wait([read], 0.05).not_done == {read}
            gate.pacer.block(30, "GitHub's hourly limit")
        assert read.result(10) == 30.0


def test_ten_reads_are_sent_together(clock: VirtualClock) -> None:
    """Ten reads are on their way together; an eleventh waits until one of them has its answer."""
    gate, together = Gate(clock), Barrier(MOST_READS + 1)
    answered = Event()

    def read() -> None:
        with gate.pacer.slot(write=False, deadline=FOREVER, prepare=lambda: None):
            together.wait()
            assert answered.wait(30)

    with ThreadPoolExecutor(MOST_READS + 1) as pool:
        reads = [pool.submit(read) for _ in range(MOST_READS)]
        together.wait()
        eleventh = pool.submit(gate.send, write=False)
        assert wait([eleventh], 0.05).not_done == {eleventh}
        answered.set()
        assert eleventh.result(30) == 0.0
        assert [one.result(30) for one in reads] == [None] * MOST_READS


def test_a_write_waits_for_the_reads_before_it(clock: VirtualClock) -> None:
    """A write is sent when all reads have their answers, and reads that come later are sent after it."""
    gate, sent = Gate(clock), list[str]()

    def send(what: str, *, write: bool) -> None:
        with gate.pacer.slot(write=write, deadline=FOREVER, prepare=lambda: sent.append(what)):
            pass

    with ThreadPoolExecutor(2) as pool:
        with gate.pacer.slot(write=False, deadline=FOREVER, prepare=lambda: sent.append("first")):
            write = pool.submit(send, "write", write=True)
            assert wait([write], 0.05).not_done == {write}
            later = pool.submit(send, "later", write=False)
            assert wait([later], 0.05).not_done == {later}
        assert [one.result(30) for one in (write, later)] == [None, None]
    assert sent == ["first", "write", "later"]


def test_reads_do_not_wait_for_the_pause_between_writes(clock: VirtualClock) -> None:
    """A read is sent while a write waits for the pause between writes."""
    gate = Gate(clock)
    assert gate.send() == 0.0
    assert gate.send(write=False) == 0.0
    assert gate.send() == 1.0
