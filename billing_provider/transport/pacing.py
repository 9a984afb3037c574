"""Request pacing: pauses between writes and waits for limits, shared by all threads of the process."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from billing_provider.core.errors import WaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.clock import Clock
    from billing_provider.core.settings import Settings

MOST_READS = 10
"""Maximum number of reads at once; GitHub allows a hundred requests, which all clients of a token share."""
_TICK_SECONDS = 1.0
_LONG_SECONDS = 30.0


class Pacer:
    """Paces all requests: pauses between writes, writes per time window, and blocks.

    A write is sent while no other request is on its way, as GitHub recommends, so a rate limit applies to it at once.
    It starts a full interval after the answer to the previous write, so that GitHub also sees the interval. Reads can
    be on their way together, at most `MOST_READS`.
    """

    def __init__(self, settings: Settings, clock: Clock, status: Callable[[str, str], None]) -> None:
        self._settings, self._clock, self._status = settings, clock, status
        self._write_lock = threading.Lock()
        self._rooms = threading.Condition()
        self._taken, self._write_comes = 0, False
        self._start_lock = threading.Lock()
        self._block_lock = threading.Lock()
        self._writes: deque[float] = deque(maxlen=max(1, settings.writes_per_minute, settings.writes_per_hour))
        self._blocked_until, self._block_reason = float("-inf"), ""

    def block(self, seconds: float, reason: str) -> None:
        """Block all requests for this number of seconds; a longer block stays."""
        with self._block_lock:
            until = self._clock.now() + seconds
            if until > self._blocked_until:
                self._blocked_until, self._block_reason = until, reason

    @contextmanager
    def slot(self, *, write: bool, deadline: float, prepare: Callable[[], None]) -> Iterator[None]:
        """Wait until one request may be sent; while it runs, block writes, and all others if it is one.

        Args:
            write: Whether the request may change something.
            deadline: The latest end of the wait, on the clock.
            prepare: Called right before the request, after all waits and while no other request starts; it may raise
                to prevent the request.

        Raises:
            WaitError: The wait would pass the deadline; nothing was sent.
        """
        earliest = self._next_write if write else self._block
        with self._write_lock if write else nullcontext():
            while True:
                self._wait(earliest, deadline)
                with self._room(write=write):
                    with self._start_lock:
                        if earliest()[0] > self._clock.now():
                            # The previous request has caused a block.
                            continue
                        prepare()
                    if not write:
                        yield
                        return
                    try:
                        yield
                    finally:
                        self._writes.append(self._clock.now())
                    return

    def wait(self, seconds: float, reason: str, deadline: float) -> None:
        """Wait before a retry and show the reason.

        Raises:
            WaitError: The wait would pass the deadline.
        """
        until = self._clock.now() + seconds
        self._wait(lambda: (until, reason), deadline)

    @contextmanager
    def _room(self, *, write: bool) -> Iterator[None]:
        """Wait for the room of a request: a write takes all of it, and no read starts while one waits."""
        needed = MOST_READS if write else 1
        with self._rooms:
            self._write_comes |= write
            try:
                self._rooms.wait_for(lambda: self._taken + needed <= MOST_READS and (write or not self._write_comes))
                self._taken += needed
            finally:
                self._write_comes &= not write
                self._rooms.notify_all()
        try:
            yield
        finally:
            with self._rooms:
                self._taken -= needed
                self._rooms.notify_all()

    def _block(self) -> tuple[float, str]:
        """Return the end of the block and its reason."""
        return self._blocked_until, self._block_reason

    def _next_write(self) -> tuple[float, str]:
        """Return the earliest time of the next write and the reason."""
        settings, writes = self._settings, self._writes
        bounds = [self._block()]
        if writes:
            bounds.append((writes[-1] + settings.write_interval_seconds, "the pause between writes"))
        for span, most, window in (
            (60.0, settings.writes_per_minute, "a minute"),
            (3600.0, settings.writes_per_hour, "an hour"),
        ):
            if most and len(writes) >= most:
                bounds.append((writes[-most] + span, f"the limit of {most} writes in {window}"))
        return max(bounds)

    def _wait(self, until: Callable[[], tuple[float, str]], deadline: float) -> None:
        """Sleep until the time of `until`; call it again after each sleep, because blocks can be added."""
        end, about = 0.0, ""
        while True:
            now = self._clock.now()
            moment, reason = until()
            left = moment - now
            if left <= 0:
                return
            if moment > deadline:
                raise WaitError(
                    f"{reason} requires a wait of {left:.0f} s, longer than github-billing:maxWaitSeconds still "
                    "allows: nothing was sent. Run again later, or increase the setting."
                )
            if moment != end:
                # Each long wait is told at its beginning; short ones can be as many as the writes.
                end, about = moment, f"{reason} until {moment}" if left >= _LONG_SECONDS else reason
            if left >= _TICK_SECONDS:
                self._status(f"waiting {left:.0f} s for {reason}", about)
            self._clock.sleep(min(left, _TICK_SECONDS))
