"""Processes that are forked from one with everything imported, because a new interpreter takes a second to start."""

from __future__ import annotations

import atexit
import functools
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import Self

from billing_provider.engine import ForkServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.engine.fork_server import ForkedProcess

_ROOT = Path(__file__).parents[2]
_MAIN = Path(__file__).with_name("forked_main.py")
_MODULES = (
    *("billing_provider.operations", "billing_provider.sdk.budget", "billing_provider.engine.display"),
    *("billing_provider.sandbox", "billing_provider.cli.try_", "billing_provider.cli.export"),
    "tests.support.forked_coverage",
)


@functools.cache
def fork_server() -> ForkServer:
    """Start the fork server of this test process; it ends with it."""
    with pytest.MonkeyPatch.context() as patch:
        # A program that a test changes twice in a second would run from its old bytecode.
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.setenv("PYTHONPATH", str(_ROOT))
        started = ForkServer(*_MODULES)
    atexit.register(started.__exit__, None, None, None)
    return started


class OnFirstUse(ForkServer):
    """The fork server of this test process, started by the first test that needs it."""

    def __init__(self) -> None:
        pass

    def start(self, *arguments: Any, **options: Any) -> ForkedProcess:
        """Fork a process."""
        return fork_server().start(*arguments, **options)


class Process:
    """A forked `billing-provider ARGUMENTS`, with the part of `subprocess.Popen` that tests use; its output is text."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: int | None = None,
    ) -> None:
        """Start it; `stdout` is a descriptor instead of a pipe."""
        pipes = [os.pipe() for _ in range(1 if stdout is not None else 2)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        written = [writer for _, writer in pipes]
        streams = [nothing, *([stdout] if stdout is not None else []), *written]
        whole = os.environ if env is None else env
        self._process = fork_server().start([str(_MAIN), *arguments], cwd=cwd or Path.cwd(), env=whole, streams=streams)
        for descriptor in (nothing, *written):
            os.close(descriptor)
        self.stderr = os.fdopen(pipes[-1][0])
        self.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY) if stdout is not None else pipes[0][0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.stderr.close()
        self._process.wait()

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    poll = property(lambda self: self._process.poll)
    send_signal = property(lambda self: self._process.send_signal)

    def kill(self) -> None:
        """Kill it; do nothing if it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)

    def communicate(self) -> tuple[str, str]:
        """Read both outputs to their ends, and wait for the process to end."""
        with ThreadPoolExecutor(1) as pool:
            errors = pool.submit(self.stderr.read)
            printed = self.stdout.read()
        self._process.wait()
        return printed, errors.result()


def run(*arguments: str, **options: Any) -> tuple[int | None, str, str]:
    """Run a command to its end; return its exit code and both outputs."""
    with Process(*arguments, **options) as process:
        printed, errors = process.communicate()
    return process.returncode, printed, errors
