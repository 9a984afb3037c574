"""How fast to write and when to send nothing at all: one gate for every thread of the process."""

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

_TICK_SECONDS = 1.0


class Pacer:
    """The gate that every request passes: pauses between writes, their number in a window, and blocks.

    Requests go one after another, as GitHub asks: a limit that one of them meets holds for the next.
    Writes go one at a time, each starting a full interval after the one before has been answered; so GitHub sees the
    interval too, however long an answer takes.
    """

    def __init__(self, settings: Settings, clock: Clock, status: Callable[[str], None]) -> None:
        self._settings, self._clock, self._status = settings, clock, status
        self._writing = threading.Lock()
        self._line = threading.Lock()
        self._guard = threading.Lock()
        self._writes: deque[float] = deque(maxlen=max(1, settings.writes_per_minute, settings.writes_per_hour))
        self._blocked_until, self._block_reason = float("-inf"), ""

    def block(self, seconds: float, reason: str) -> None:
        """Let nothing pass for that many seconds from now; a longer block stays."""
        with self._guard:
            until = self._clock.now() + seconds
            if until > self._blocked_until:
                self._blocked_until, self._block_reason = until, reason

    @contextmanager
    def turn(self, *, write: bool, deadline: float, before_write: Callable[[], None]) -> Iterator[None]:
        """Wait for the right to send one request, and hold it while the request runs.

        Args:
            write: Whether the request may change something.
            deadline: The clock's time by which waiting must be over.
            before_write: Called right before a write is sent, after all waiting; it may raise to prevent it.

        Raises:
            WaitError: The wait would pass the deadline; nothing was sent.
        """
        earliest = self._next_write if write else self._block
        with self._writing if write else nullcontext():
            while True:
                self._wait(earliest, deadline)
                with self._line:
                    if earliest()[0] > self._clock.now():
                        # The answer that this one waited for has closed the gate.
                        continue
                    if not write:
                        yield
                        return
                    before_write()
                    try:
                        yield
                    finally:
                        self._writes.append(self._clock.now())
                    return

    def wait(self, seconds: float, reason: str, deadline: float) -> None:
        """Wait before a repeat, showing why.

        Raises:
            WaitError: The wait would pass the deadline.
        """
        until = self._clock.now() + seconds
        self._wait(lambda: (until, reason), deadline)

    def _block(self) -> tuple[float, str]:
        """Return when the block ends, and the reason for it."""
        return self._blocked_until, self._block_reason

    def _next_write(self) -> tuple[float, str]:
        """Return the earliest time of the next write and the reason for it."""
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
        """Sleep until the time that `until` names, asking it anew after each nap since blocks can be added."""
        while True:
            now = self._clock.now()
            moment, reason = until()
            left = moment - now
            if left <= 0:
                return
            if moment > deadline:
                raise WaitError(
                    f"{reason} asks for {left:.0f} s more, above what github-billing:maxWaitSeconds leaves: "
                    "nothing was sent; run again later, or raise that setting"
                )
            if left >= _TICK_SECONDS:
                self._status(f"waiting {left:.0f} s for {reason}")
            self._clock.sleep(min(left, _TICK_SECONDS))
