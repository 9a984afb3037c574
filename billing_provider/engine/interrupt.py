"""Ctrl-C and SIGTERM during a run: the first lets running operations finish, the second exits at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def handled(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """Call `stop` at the first signal; yield an event that is set by it.

    Only the main thread can handle signals; in another thread this does nothing.

    Raises:
        KeyboardInterrupt: There was a second signal.
    """
    interrupted = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()
        # In a thread: a signal handler interrupts the main thread, which may hold the same locks.
        threading.Thread(target=stop, daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
