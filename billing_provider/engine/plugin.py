"""The provider plugin: the SDK's dynamic plugin process and its calls, with plain values."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from billing_provider.engine import urns, wire
from billing_provider.engine.process import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from billing_provider.engine.fork_server import ForkServer
    from billing_provider.engine.state import Resource

_Answer = TypeVar("_Answer")

# The message limit of the SDK; no proxy for calls on loopback.
MESSAGE_LIMIT = 400 * 1024 * 1024
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.enable_http_proxy", 0)]
_FRAME = re.compile(r"^(\s|Traceback |During handling |The above exception |$)")


class PluginError(RuntimeError):
    """A call of the plugin failed; `traceback` is its full message.

    Without an answer (the process died or was stopped) the outcome of the call is unknown.
    """

    def __init__(self, traceback: str, *, answered: bool = True) -> None:
        super().__init__(_conclusion(traceback))
        self.traceback = traceback
        self.answered = answered


def _conclusion(traceback: str) -> str:
    """Return the last part of a traceback: the exception and its message, which may span lines."""
    lines = traceback.strip().splitlines()
    start = len(lines) - 1
    while start > 0 and not _FRAME.match(lines[start - 1]):
        start -= 1
    return "\n".join(lines[max(start, 0) :])


@dataclass(frozen=True)
class Failure:
    """One failure of a check."""

    property: str
    reason: str


@dataclass(frozen=True)
class DiffAnswer:
    """The result of a diff; `changes` is None if the engine has to compare the inputs."""

    changes: bool | None
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True)
class ReadAnswer:
    """The result of a read; an empty id means that the resource is gone, `inputs` may be None."""

    id: str
    outputs: wire.Values
    inputs: wire.Values | None


class Plugin(contextlib.AbstractContextManager["Plugin"]):
    """The running `pulumi.dynamic` process; it starts at once, and the first call connects to it."""

    def __init__(
        self,
        python: str,
        engine_address: str,
        *,
        cwd: Path,
        env: Mapping[str, str],
        config: wire.Values,
        on_line: Callable[[str], None],
        fork_server: ForkServer | None = None,
    ) -> None:
        self._config = config
        self._port = ""
        self._announced = threading.Event()
        self._connecting = threading.Lock()
        self._stub: provider_pb2_grpc.ResourceProviderStub | None = None
        self._channel: grpc.Channel | None = None
        self._child = Child(
            python,
            ["-m", "pulumi.dynamic", engine_address],
            cwd=cwd,
            env=env,
            on_line=on_line,
            announce=self._announce,
            fork_server=fork_server,
        )

    def _announce(self, line: str) -> None:
        self._port = line
        self._announced.set()

    def _connected(self) -> provider_pb2_grpc.ResourceProviderStub:
        with self._connecting:
            if self._stub is None:
                self._announced.wait()
                if not self._port.isdigit():
                    raise PluginError(f"the provider plugin did not start: {self._port or 'it exited without output'}")
                self._channel = grpc.insecure_channel(f"127.0.0.1:{self._port}", options=_CHANNEL_OPTIONS)
                stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
                args = _sent(self._config)
                _call(stub.Configure, provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))
                self._stub = stub
            return self._stub

    def check(self, urn: str, olds: wire.Values, news: wire.Values) -> tuple[wire.Values, list[Failure]]:
        """Return the inputs to store and the failures."""
        request = provider_pb2.CheckRequest(**_named(urn), olds=_sent(olds), news=_sent(news))
        answer = _call(self._connected().Check, request)
        failures = [Failure(failure.property, failure.reason) for failure in answer.failures]
        return wire.mark_secrets(wire.read_struct(answer.inputs), news), failures

    def diff(self, old: Resource, news: wire.Values, ignore_changes: list[str]) -> DiffAnswer:
        """Return the diff between a resource and its new inputs."""
        request = provider_pb2.DiffRequest(**_change(old, news, ignore_changes))
        answer = _call(self._connected().Diff, request)
        kinds = {provider_pb2.DiffResponse.DIFF_NONE: False, provider_pb2.DiffResponse.DIFF_SOME: True}
        return DiffAnswer(kinds.get(answer.changes), tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, urn: str, inputs: wire.Values) -> tuple[str, wire.Values]:
        """Create the resource and return its id and properties."""
        request = provider_pb2.CreateRequest(**_named(urn), properties=_sent(inputs))
        answer = _call(self._connected().Create, request)
        return answer.id, wire.mark_secrets(wire.read_struct(answer.properties), inputs)

    def update(self, old: Resource, inputs: wire.Values, ignore_changes: list[str]) -> wire.Values:
        """Update the resource and return its properties."""
        request = provider_pb2.UpdateRequest(**_change(old, inputs, ignore_changes))
        answer = _call(self._connected().Update, request)
        return wire.mark_secrets(wire.read_struct(answer.properties), inputs)

    def delete(self, old: Resource) -> None:
        """Delete the resource."""
        request = provider_pb2.DeleteRequest(
            **_named(old.urn), id=old.id, properties=_sent(old.outputs), old_inputs=_sent(old.inputs)
        )
        _call(self._connected().Delete, request)

    def read(self, urn: str, id_: str, properties: wire.Values, inputs: wire.Values) -> ReadAnswer:
        """Return the current resource."""
        request = provider_pb2.ReadRequest(**_named(urn), id=id_, properties=_sent(properties), inputs=_sent(inputs))
        answer = _call(self._connected().Read, request)
        found = wire.mark_secrets(wire.read_struct(answer.inputs), inputs) if answer.HasField("inputs") else None
        outputs = wire.mark_secrets(wire.read_struct(answer.properties), found if found is not None else inputs)
        return ReadAnswer(answer.id, outputs, found)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop the process."""
        if self._channel is not None:
            self._channel.close()
        if self._stub is None:
            # No call was sent, so nothing is running. SIGINT would print a traceback while it loads.
            self._child.kill()
        self._child.__exit__(kind)


def _sent(values: wire.Values) -> Any:
    return wire.write_struct(wire.for_plugin(values))


def _named(urn: str) -> dict[str, Any]:
    return {"urn": urn, "name": urns.name_of(urn), "type": urns.type_of(urn)}


def _change(old: Resource, news: wire.Values, ignore_changes: list[str]) -> dict[str, Any]:
    sides = {"olds": _sent(old.outputs), "old_inputs": _sent(old.inputs), "news": _sent(news)}
    return {**_named(old.urn), "id": old.id, **sides, "ignoreChanges": ignore_changes}


def _call(method: Callable[[Any], _Answer], request: Any) -> _Answer:
    try:
        return method(request)
    except grpc.RpcError as error:
        # The plugin reports every exception as UNKNOWN; any other code comes from the connection.
        raise PluginError(str(error.details()), answered=error.code() is grpc.StatusCode.UNKNOWN) from None
