"""A process that has the SDK loaded and forks programs and plugins from itself: they start in a fraction of the time.

This file is also what that process runs. It never makes a gRPC channel, because those do not survive a fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

# Loaded once for all; whoever knows the program adds what that imports.
_SDK = ("pulumi", "pulumi.dynamic", "pulumi.provider", "grpc", "dill")
_LENGTH_BYTES = 8
_WAKES_AT_ONCE = 64


class ForkServer:
    """Starts Python processes by forking; Linux and macOS only."""

    def __init__(self, *modules: str) -> None:
        """Start the process; it loads the SDK and the named modules while this one goes on."""
        self._socket, theirs = socket.socketpair()
        self._asking = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-u", __file__, str(theirs.fileno()), *_SDK, *modules],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], streams: Sequence[int]) -> Born:
        """Fork a process that does what `python ARGUMENTS` would do.

        Args:
            arguments: A file and the arguments for it.
            cwd: Its working folder.
            env: Its whole environment.
            streams: The descriptors that become its standard input, output and error.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}).encode()
            with self._asking:
                length = len(request).to_bytes(_LENGTH_BYTES, "big")
                socket.send_fds(self._socket, [length], [*streams, theirs.fileno()])
                self._socket.sendall(request)
        return Born(ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process; it ends by itself when this one has gone."""
        self._socket.close()
        self._process.wait()


class Born:
    """A forked process, as `subprocess.Popen` shows one."""

    def __init__(self, news: socket.socket) -> None:
        self._news = news.makefile("r")
        news.close()
        self.pid = int(self._news.readline())
        self._code: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            TimeoutExpired: It goes on.
        """
        if self._code is None:
            if timeout is not None and not _readable(self._news.fileno(), timeout):
                raise subprocess.TimeoutExpired(["python"], timeout)
            # Without a word from it, whoever watched over it was killed.
            self._code = int(self._news.readline() or -signal.SIGKILL)
            self._news.close()
        return self._code

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; one that has just ended needs none."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def _readable(descriptor: int, timeout: float) -> bool:
    return bool(select.select([descriptor], [], [], timeout)[0])


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork a process for each request; returns the request in each new process, and None in this one at the end."""
    # Python writes a byte here when a child ends, so that one wait is for both: requests and ends.
    ended, wake = os.pipe()
    for descriptor in (ended, wake):
        os.set_blocking(descriptor, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    # A forked process can be interrupted from its start, also where this one was started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    news: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([requests.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, _WAKES_AT_ONCE)
            _tell_ends(news)
        if requests.fileno() not in ready:
            continue
        length, descriptors, _, _ = socket.recv_fds(requests, _LENGTH_BYTES, 4)
        if not length:
            return None
        message = requests.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
        *streams, told = descriptors
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (requests.detach(), ended, wake, told, *news.values()):
                os.close(descriptor)
            os.setsid()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            wanted: dict[str, Any] = json.loads(message)
            return wanted
        news[child] = told
        os.write(told, f"{child}\n".encode())
        for stream in streams:
            os.close(stream)


def _tell_ends(news: dict[int, int]) -> None:
    """Tell of each process that has ended how it did."""
    for child in list(news):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            told = news.pop(child)
            # Whoever asked may have gone.
            with contextlib.suppress(BrokenPipeError):
                os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(told)


def become(request: dict[str, Any]) -> None:
    """Do what the interpreter would do with the arguments of a request."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = request["arguments"]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    # What is loaded stays as it is: a collection in a child would touch, and so copy, all of its memory.
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        wanted = serve(listening)
    if wanted is not None:
        become(wanted)
