"""The entry point of each child process: run a file or module, and exit when the engine dies.

`python child_main.py FILE ARGUMENTS` or `python child_main.py -m MODULE ARGUMENTS`; standard input is a pipe whose
other end only the engine holds. A killed engine cannot stop its children, but the operating system closes the pipe.
The project's own interpreter runs this file, so it uses the standard library only.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

GRACE_SECONDS = 5.0
"""From SIGINT to SIGKILL."""
INTERRUPTED = 130


def enable_sigint() -> None:
    """Let SIGINT interrupt this process, even if the engine ignores it (nohup): ignored signals are inherited."""
    # A SIGINT sent before this line was blocked until now. It ends the process here, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    signal.signal(signal.SIGINT, signal.default_int_handler)


def detach_stdin() -> int:
    """Replace standard input by /dev/null and return the descriptor of the pipe."""
    pipe = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return pipe


def exit_with(pipe: int) -> None:
    """Wait until the pipe closes, then send SIGINT to this process; exit after the grace period."""
    os.read(pipe, 1)
    # A plugin finishes its running calls first. The signal must wake the main thread.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def run(arguments: list[str]) -> None:
    """Run a file or module, as `python ARGUMENTS` does; an interruption that it does not handle is no traceback."""
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            sys.path[0] = str(Path.cwd())
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except KeyboardInterrupt:
        # It came while the program or the plugin was still being imported.
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    enable_sigint()
    threading.Thread(target=exit_with, args=[detach_stdin()], daemon=True).start()
    run(sys.argv[1:])
