"""Reporter of the plugin process: sends warnings and status lines of a resource to the engine."""

from __future__ import annotations

import os
import socket
import sys
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from billing_provider.core.errors import BillingError
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from types import FrameType

_ANSWER_SECONDS = 5.0


class EngineLog:
    """Reporter to the engine at an address; without an address, warnings go to standard error.

    Args:
        address: The engine's `host:port`, the last argument of the plugin process.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = sys.argv[-1] if address is None else address
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
        self._log(text, _request_urn(), engine_pb2.INFO, ephemeral=True)

    def exit_if_engine_died(self) -> None:
        """Exit if the engine died: further writes would not reach the state, and the next run would repeat them.

        After a `kill -9` of the engine, the plugin process continues, with pending calls that wait for a lock.
        """
        host, _, port = self._address.rpartition(":")
        if not host or not port.isdigit():
            return
        try:
            with socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS):
                pass
        except OSError:
            os._exit(1)

    def _log(self, text: str, urn: str, severity: Any, *, ephemeral: bool) -> bool:
        """Send a line to the engine and return whether it was accepted; a failure is not an error."""
        if ":" not in self._address:
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
