"""How the plugin process speaks to the engine that started it: warnings on a resource's row, and a status line."""

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
    """The engine at an address; without one, warnings go to standard error.

    Args:
        address: The engine's `host:port`, which it gives to the plugin process as its last argument.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = sys.argv[-1] if address is None else address
        self._lock = threading.Lock()
        self._engine: Any = None
        self._said: set[tuple[str, str]] = set()

    def warn(self, text: str) -> None:
        """Show a warning on the row of the resource being worked on, once."""
        urn = _request_urn()
        with self._lock:
            if (urn, text) in self._said:
                return
            self._said.add((urn, text))
        if not self._log(text, urn, engine_pb2.WARNING, ephemeral=False):
            print(f"warning: {clean(text)}", file=sys.stderr)  # noqa: T201 - nobody else is listening

    def status(self, text: str) -> None:
        """Show what is being waited for, in place of what was shown before."""
        self._log(text, _request_urn(), engine_pb2.INFO, ephemeral=True)

    def end_if_alone(self) -> None:
        """End this process if its engine is gone: nobody would remember what it writes, and the next run writes anew.

        After a `kill -9` of the engine the plugin lives on by itself, with calls in hand that wait for their turn.
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
        """Send a line to the engine; tell whether it took it. A lost line must never fail a deployment."""
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
        BillingError: It cannot be found. Without it, two resources could share one budget unnoticed.
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

    The SDK hands it to none of a dynamic provider's methods, yet the request in the frame that calls them has it.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the one documented way to a calling frame
    while frame is not None:
        urn = getattr(frame.f_locals.get("request"), "urn", None)
        if isinstance(urn, str):
            return urn
        frame = frame.f_back
    return ""
