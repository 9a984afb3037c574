"""Reporter of the plugin process: sends warnings and status lines of a resource to the engine."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from billing_provider.core.errors import BillingError
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from types import FrameType

_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 3.0
_PLUGIN = "pulumi.dynamic.__main__"
_URN: ContextVar[str] = ContextVar("urn", default="")
"""The URN of the resource, for threads that work for the one that has the engine's request."""


class EngineLog:
    """Reporter to the engine at an address; without an address, warnings go to standard error.

    Args:
        address: The engine's `host:port`, the last argument of the plugin process.
    """

    # The plugin cannot see whether the engine has a terminal.
    is_live = False

    def __init__(self, address: str | None = None) -> None:
        self._address = sys.argv[-1] if address is None else address
        host, _, port = self._address.rpartition(":")
        self._listening = (host, int(port)) if host and port.isdecimal() else None
        self._lock = threading.Lock()
        self._engine: Any = None
        self._warned: set[tuple[str, str]] = set()

    def warn(self, text: str) -> None:
        """Show a warning for the current resource, once."""
        urn = _request_urn()
        with self._lock:
            if (urn, text) in self._warned:
                return
            self._warned.add((urn, text))
        if not self._log(text, urn, engine_pb2.WARNING, ephemeral=False):
            print(f"warning: {clean(text)}", file=sys.stderr)  # noqa: T201 - there is no engine to log to

    def status(self, text: str) -> None:
        """Show the current wait as a status line; it replaces the previous one."""
        self._log(text, _request_urn() or _URN.get(), engine_pb2.INFO, ephemeral=True)

    def exit_if_engine_died(self) -> None:
        """Exit if the engine died: further writes would not reach the state, and the next run would repeat them.

        After a `kill -9` of the engine, the plugin process continues, with pending calls that wait for a lock.
        """
        if self._is_engine_dead():
            os._exit(1)

    def exit_with_engine(self) -> None:
        """Exit within seconds after the engine's death, also if nothing is written.

        A killed engine cannot stop its plugins, and the parent process of a plugin can be a shell that lives on. Do
        nothing in a process that is not the SDK's plugin, and without an engine that answers now.
        """
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        is_plugin = spec is not None and spec.name == _PLUGIN
        if is_plugin and self._listening is not None and not self._is_engine_dead():
            threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self.exit_if_engine_died()
            time.sleep(_LOOK_SECONDS)

    def _is_engine_dead(self) -> bool:
        """Return whether nothing listens at the engine's address any more.

        Only a refused connection proves it: a stopped engine (Ctrl-Z) answers late, and descriptors can run out.
        """
        if self._listening is None:
            return False
        try:
            with socket.create_connection(self._listening, timeout=_ANSWER_SECONDS):
                return False
        except OSError as error:
            return isinstance(error, ConnectionRefusedError)

    def _log(self, text: str, urn: str, severity: Any, *, ephemeral: bool) -> bool:
        """Send a line to the engine and return whether it was accepted; a failure is not an error."""
        if self._listening is None:
            return False
        try:
            with self._lock:
                if self._engine is None:
                    self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))
            line = engine_pb2.LogRequest(severity=severity, message=clean(text), urn=urn, ephemeral=ephemeral)
            self._engine.Log(line, timeout=_ANSWER_SECONDS)
        except grpc.RpcError:
            return False
        return True


def calling_urn() -> str:
    """Return the URN of the resource that this thread works on.

    Raises:
        BillingError: The URN cannot be found. Without it, two resources could manage the same budget undetected.
    """
    urn = _request_urn()
    if not urn:
        raise BillingError(
            "cannot find the URN of this resource in the calls of the Pulumi SDK: nothing was sent. "
            f"Install a version of the package pulumi that this provider supports, instead of {version('pulumi')}."
        )
    _URN.set(urn)
    return urn


def _request_urn() -> str:
    """Return the URN in the request that the engine sent to this thread, or an empty text.

    The SDK does not pass the URN to the methods of a dynamic provider; the request in the calling frame contains it.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only documented access to a calling frame
    while frame is not None:
        urn = getattr(frame.f_locals.get("request"), "urn", None)
        if isinstance(urn, str):
            return urn
        frame = frame.f_back
    return ""
