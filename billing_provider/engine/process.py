"""Child processes: in their own process group, output read line by line, SIGINT before SIGKILL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from billing_provider.engine import child_main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from billing_provider.engine.fork_server import ForkedProcess, ForkServer


class Child(contextlib.AbstractContextManager["Child"]):
    """One child process in a process group of its own.

    Ctrl-C at the terminal reaches the engine only; it finishes the running operations before it stops its children.
    """

    def __init__(
        self,
        python: str,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        announce: Callable[[str], None] | None = None,
        fork_server: ForkServer | None = None,
    ) -> None:
        """Start the process.

        Args:
            python: The interpreter.
            arguments: The file or module to run, and its arguments.
            cwd: Its working folder.
            env: Its complete environment.
            on_line: Called with each line of output, from threads of this object.
            announce: Called with the first line of output instead, or with an empty text if there is none.
            fork_server: Forks the process if it runs the same interpreter.
        """
        (their_line, self._line), (output, their_output), (errors, their_errors) = os.pipe(), os.pipe(), os.pipe()
        streams = [their_line, their_output, their_errors]
        arguments = [child_main.__file__, *arguments]
        if fork_server is not None and python == sys.executable:
            self._process: subprocess.Popen[bytes] | ForkedProcess = fork_server.start(
                arguments, cwd=cwd, env=env, streams=streams
            )
        else:
            # Blocked until the child handles SIGINT: it would lose an early one if the engine ignores SIGINT.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the interpreter and modules of this project
                    [python, "-u", *arguments],
                    cwd=cwd,
                    env=dict(env),
                    stdin=their_line,
                    stdout=their_output,
                    stderr=their_errors,
                    start_new_session=True,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for stream in streams:
            os.close(stream)
        self._drains = [
            threading.Thread(target=_drain, args=(output, on_line, announce), daemon=True),
            threading.Thread(target=_drain, args=(errors, on_line, None), daemon=True),
        ]
        for drain in self._drains:
            drain.start()

    def wait(self) -> int:
        """Wait for the exit and the last line of output; return the exit code."""
        code = self._process.wait()
        for drain in self._drains:
            drain.join()
        return code

    def stop(self, grace_seconds: float = child_main.GRACE_SECONDS) -> None:
        """Send SIGINT to the process; kill its group after the grace period."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self.wait()

    def kill(self) -> None:
        """Kill the process and its group at once; do nothing if it has exited."""
        if self._process.poll() is None:
            # A process that was forked just now is not in a group of its own yet.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.send_signal(signal.SIGKILL)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # No grace period after a second Ctrl-C.
        self.stop(0 if kind is KeyboardInterrupt else child_main.GRACE_SECONDS)
        os.close(self._line)


def _drain(descriptor: int, on_line: Callable[[str], None], announce: Callable[[str], None] | None) -> None:
    with open(descriptor, encoding="utf-8", errors="replace") as pipe:
        if announce is not None:
            announce(pipe.readline().strip())
        for line in pipe:
            on_line(line.rstrip("\n"))
