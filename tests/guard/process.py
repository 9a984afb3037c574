"""A plugin process inside this one: the SDK's own servicer with the real adapters, without a port of its own."""

from __future__ import annotations

import ast
import contextvars
import functools
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from pulumi.runtime.proto import provider_pb2

from billing_provider import provider
from billing_provider.core.clock import TEST_TIME
from tests.support.clock import VirtualClock
from tests.support.plugin import CallError, Plugin, write

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

    from billing_provider.runtime.run import Run


class MachineClock(VirtualClock):
    """The clock of one machine, over the time that GitHub and all machines share.

    Args:
        time: The shared time; a wait lets it pass.
        ahead: Seconds by which this machine's calendar is ahead.
    """

    def __init__(self, time: VirtualClock, ahead: float = 0.0) -> None:
        super().__init__()
        self._time, self._ahead = time, ahead

    def now(self) -> float:
        """Return the shared time."""
        return self._time.now()

    def wall(self) -> float:
        """Return the seconds since 1970 as this machine has them."""
        return self._time.wall() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Let the shared time pass."""
        self._time.sleep(seconds)


class _FreshProcess(provider._Process):
    """What a new plugin process starts with, on the clock of its machine."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def _new_run(self, get: Callable[[str], str | None]) -> Run:
        run = super()._new_run(get)
        run.clock = self._clock
        return run


@functools.cache
def _plugin_module() -> ModuleType:
    """Return the SDK's plugin program, without the last line that serves it on a port for ever."""
    spec = importlib.util.find_spec("pulumi.dynamic.__main__")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    last = tree.body.pop()
    assert isinstance(last, (ast.Expr, ast.If)), "the last statement starts the server"
    module = ModuleType("pulumi_plugin_in_process")
    exec(compile(tree, spec.origin, "exec"), vars(module))  # noqa: S102 - the installed SDK's own program
    return module


class LocalPlugin(Plugin):
    """A plugin process inside this one, called as the engine calls it; from `__enter__` to `stop`.

    Args:
        engine: The address of the engine.
        env: The variables of the process; others that begin like those of the provider are not there.
        config: The stack's configuration.
        clock: The clock of the machine.
    """

    def __init__(
        self,
        engine: str,
        env: Mapping[str, str],
        config: Mapping[str, str] | None = None,
        *,
        clock: VirtualClock,
    ) -> None:
        module = _plugin_module()
        self._patch = pytest.MonkeyPatch()
        for name in [name for name in os.environ if name.startswith(("GITHUB_", "PULUMI_")) and name != TEST_TIME]:
            self._patch.delenv(name)
        for name, value in env.items():
            self._patch.setenv(name, value)
        self._patch.setattr(sys, "argv", ["-m", engine])
        self._patch.setattr(provider, "_PROCESS", _FreshProcess(clock))
        self._patch.setattr(module, "_PROVIDER_CACHE", {})
        self._servicer = module.DynamicResourceProviderServicer()
        # The SDK's settings are variables of a context: those of the tests stay as they are.
        self._context = contextvars.copy_context()
        self._call("Configure", provider_pb2.ConfigureRequest(args=write(config or {}), acceptSecrets=True))

    def stop(self, end: signal.Signals | None = None) -> int:  # noqa: ARG002 - no process ends
        """End it; a second call does nothing."""
        self._patch.undo()
        return 0

    def abort(self, _code: Any, details: str) -> NoReturn:
        """Fail the current call, as a context of gRPC does.

        Raises:
            CallError: Always.
        """
        raise CallError(details)

    def _call(self, verb: str, request: Any) -> Any:
        try:
            return self._context.run(getattr(self._servicer, verb), request, self)
        except CallError as error:
            raise CallError(str(error)) from None
        finally:
            # The adapter shortens tracebacks for the whole process.
            vars(sys).pop("tracebacklimit", None)
