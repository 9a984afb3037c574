"""What each child process runs first: it does what it was started for, and ends when its engine has gone.

`python child_main.py FILE ARGUMENTS` or `python child_main.py -m MODULE ARGUMENTS`; standard input is a pipe whose
other end only the engine holds. A killed engine cannot end its children, but the system then closes the pipe.
The project's own interpreter runs this file, so it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

# As much as an engine that lives gives its children, see `Child.stop`.
_GRACE_SECONDS = 5.0


def listen() -> None:
    """Let SIGINT interrupt this process, also where the engine ignores it (nohup): ignored signals are inherited."""
    # The engine may have sent one before this line: it was held back, and ends the process here without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    signal.signal(signal.SIGINT, signal.default_int_handler)


def take() -> int:
    """Take the pipe off standard input, which then is empty, and return its descriptor."""
    pipe = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return pipe


def end_with(pipe: int) -> None:
    """Wait for the pipe's other end to close; then interrupt this process, and end it if that does not."""
    os.read(pipe, 1)
    # A plugin lets the calls in hand end; the signal must wake the main thread, whatever that waits for.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


def become(arguments: list[str]) -> None:
    """Do what the interpreter would do with these arguments."""
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    listen()
    threading.Thread(target=end_with, args=[take()], daemon=True).start()
    become(sys.argv[1:])
