"""A process that imports the SDK once and forks programs and plugins, which then start much faster.

This file is also the entry point of that process. It creates no gRPC channel, because channels do not survive a fork.
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

# Imported by default; the caller adds modules that its programs import.
_SDK = ("pulumi", "pulumi.dynamic", "pulumi.provider", "grpc", "dill")
_LENGTH_BYTES = 8


class ForkServer(contextlib.AbstractContextManager["ForkServer"]):
    """Starts Python processes by forking; Linux and macOS only."""

    def __init__(self, *modules: str) -> None:
        """Start the process; it imports the SDK and the named modules in the background."""
        self._socket, theirs = socket.socketpair()
        self._asking = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-u", __file__, str(theirs.fileno()), *_SDK, *modules],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], streams: Sequence[int]
    ) -> ForkedProcess:
        """Fork a process that runs `python ARGUMENTS`.

        Args:
            arguments: A file and its arguments.
            cwd: Its working folder.
            env: Its complete environment.
            streams: The descriptors that become its standard input, output and error.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}).encode()
            with self._asking:
                length = len(request).to_bytes(_LENGTH_BYTES, "big")
                socket.send_fds(self._socket, [length], [*streams, theirs.fileno()])
                self._socket.sendall(request)
        return ForkedProcess(ours)

    def __exit__(self, *_: object) -> None:
        """Stop the process; it also stops when this process exits."""
        self._socket.close()
        self._process.wait()


class ForkedProcess:
    """A forked process, with the interface of `subprocess.Popen`."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status.makefile("r")
        status.close()
        self.pid = int(self._status.readline())
        self._code: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to exit and return the exit code.

        Raises:
            TimeoutExpired: The process still runs.
        """
        if self._code is None:
            if timeout is not None and not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["python"], timeout)
            # No exit code arrives if the process that waits for it was killed.
            self._code = int(self._status.readline() or -signal.SIGKILL)
            self._status.close()
        return self._code

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; do nothing if it has exited."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork a process for each request; return the request in each new process, and None in this one at the end."""
    # A forked process must accept SIGINT, even if this process was started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Nothing waits for the processes that report.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        length, descriptors, _, _ = socket.recv_fds(requests, _LENGTH_BYTES, 4)
        if not length:
            return None
        message = requests.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
        if os.fork() == 0:
            requests.close()
            fork_and_report(*descriptors)
            wanted: dict[str, Any] = json.loads(message)
            return wanted
        for descriptor in descriptors:
            os.close(descriptor)


def fork_and_report(*descriptors: int) -> None:
    """Fork once more and return in the new process; report its id and its exit code from this one.

    Args:
        descriptors: What becomes standard input, output and error, and a socket for the report.
    """
    *streams, status = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(status)
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return
    for stream in streams:
        os.close(stream)
    # The requesting process may have exited.
    with contextlib.suppress(BrokenPipeError):
        os.write(status, f"{child}\n".encode())
        os.write(status, f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n".encode())
    os._exit(0)


def run(request: dict[str, Any]) -> None:
    """Run the file of a request, as `python ARGUMENTS` does."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = request["arguments"]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    # A garbage collection in a child would write to, and so copy, all shared memory.
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        wanted = serve(listening)
    if wanted is not None:
        run(wanted)
