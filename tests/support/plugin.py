"""The real plugin process, a minimal engine service for it, and a stack that calls it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc
from typing_extensions import Self

from billing_provider.core.clock import TEST_TIME
from billing_provider.engine import child_main
from tests.support.forked import fork_server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from billing_provider.engine.fork_server import ForkedProcess

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How an unknown value looks on the wire."""

PROVIDERS = {
    "EnterpriseBudget": (
        "gASVPQAAAAAAAACMGWJpbGxpbmdfcHJvdmlkZXIucHJvdmlkZXKUjBhFbnRlcnByaXNlQnVkZ2V0UHJvdmlkZXKUk5QpgZQu"
    ),
    "OrgBudget": "gASVNgAAAAAAAACMGWJpbGxpbmdfcHJvdmlkZXIucHJvdmlkZXKUjBFPcmdCdWRnZXRQcm92aWRlcpSTlCmBlC4=",
    "CostCenter": "gASVNwAAAAAAAACMGWJpbGxpbmdfcHJvdmlkZXIucHJvdmlkZXKUjBJDb3N0Q2VudGVyUHJvdmlkZXKUk5QpgZQu",
    "UserBudgetBucket": (
        "gASVPQAAAAAAAACMGWJpbGxpbmdfcHJvdmlkZXIucHJvdmlkZXKUjBhVc2VyQnVkZ2V0QnVja2V0UHJvdmlkZXKUk5QpgZQu"
    ),
}
"""What every state stores as `__provider`: the provider classes by name (pickle protocol 4, Python 3.8 to 3.13)."""


class Line(NamedTuple):
    """One log line of the plugin."""

    severity: str
    text: str
    urn: str
    ephemeral: bool


class FakeEngine(engine_pb2_grpc.EngineServicer):  # type: ignore[misc, unused-ignore]
    """The engine's gRPC service: it records the log lines of the plugin."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)  # type: ignore[no-untyped-call, unused-ignore]
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802 - the name on the wire
        """Record a line."""
        severity = engine_pb2.LogSeverity.Name(request.severity)
        self.lines.append(Line(severity, request.message, request.urn, request.ephemeral))
        return empty_pb2.Empty()

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """The warnings, each with the name of its resource."""
        return [(line.urn.rpartition("::")[2], line.text) for line in self.lines if line.severity == "WARNING"]

    def stop(self) -> None:
        """Stop, as after a kill."""
        self._server.stop(None).wait()


class CallError(Exception):
    """A call of the plugin failed; its text is the traceback, `last` is the last line."""

    @property
    def last(self) -> str:
        """The last line."""
        return str(self).strip().splitlines()[-1]


class Diff(NamedTuple):
    """The plugin's diff of two sets of properties."""

    changes: str
    replaces: list[str]
    delete_before_replace: bool


class Plugin:
    """The running `python -m pulumi.dynamic`, called as the engine calls it."""

    def __init__(
        self,
        engine: str,
        env: Mapping[str, str],
        config: Mapping[str, str] | None = None,
        *,
        interpreter: bool = False,
    ) -> None:
        """Start it, forked or in a new interpreter, and send the configuration."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PULUMI_"))}
        whole = {**clean, TEST_TIME: os.environ[TEST_TIME], "PULUMI_PROJECT": "p", **env}
        (their_line, self._line), (output, their_output) = os.pipe(), os.pipe()
        arguments = [child_main.__file__, "-m", "pulumi.dynamic", engine]
        self._process: subprocess.Popen[bytes] | ForkedProcess
        if interpreter:
            self._process = subprocess.Popen(
                [sys.executable, "-u", *arguments],
                env=whole,
                stdin=their_line,
                stdout=their_output,
                stderr=their_output,
            )
        else:
            streams = [their_line, their_output, their_output]
            self._process = fork_server().start(arguments, cwd=Path.cwd(), env=whole, streams=streams)
        os.close(their_line)
        os.close(their_output)
        self.printed: list[str] = []
        self._output = os.fdopen(output, encoding="utf-8")
        port = self._output.readline().strip()
        self._drain = threading.Thread(target=self.printed.extend, args=(self._output,), daemon=True)
        self._drain.start()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]
        self._call("Configure", provider_pb2.ConfigureRequest(args=write(config or {}), acceptSecrets=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, end: signal.Signals = signal.SIGINT) -> int:
        """End the process as the engine does, and return its exit code; a second call does nothing."""
        # Python overlooks a signal that comes right before its main thread begins to wait, as this one's does first.
        for _ in range(5):
            if self._process.poll() is None:
                self._process.send_signal(end)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        code = self._process.wait()
        self._channel.close()
        self._drain.join()
        if not self._output.closed:
            self._output.close()
            os.close(self._line)
        return code

    def wait(self) -> int:
        """Wait until the process exits, and return its exit code."""
        return self._process.wait(30)

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the inputs to store and the problems, as `property: reason`."""
        reply = self._call("Check", provider_pb2.CheckRequest(urn=urn, olds=write(olds), news=write(news)))
        return read(reply.inputs), [f"{failure.property}: {failure.reason}" for failure in reply.failures]

    def diff(self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        """Return what differs."""
        reply = self._call("Diff", provider_pb2.DiffRequest(urn=urn, id=id_, olds=write(olds), news=write(news)))
        name = provider_pb2.DiffResponse.DiffChanges.Name(reply.changes)
        return Diff(name, sorted(reply.replaces), reply.deleteBeforeReplace)

    def create(self, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create and return id and outputs."""
        reply = self._call("Create", provider_pb2.CreateRequest(urn=urn, properties=write(inputs)))
        return reply.id, read(reply.properties)

    def read(
        self, urn: str, id_: str, outputs: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return id, outputs and inputs; the id is empty if the resource is gone."""
        request = provider_pb2.ReadRequest(urn=urn, id=id_, properties=write(outputs), inputs=write(inputs))
        reply = self._call("Read", request)
        return reply.id, read(reply.properties), read(reply.inputs)

    def update(self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """Update and return the outputs."""
        request = provider_pb2.UpdateRequest(urn=urn, id=id_, olds=write(olds), news=write(news))
        return read(self._call("Update", request).properties)

    def delete(self, urn: str, id_: str, outputs: Mapping[str, Any]) -> None:
        """Delete."""
        self._call("Delete", provider_pb2.DeleteRequest(urn=urn, id=id_, properties=write(outputs)))

    def _call(self, verb: str, request: Any) -> Any:
        try:
            return getattr(self._stub, verb)(request, timeout=60)
        except grpc.RpcError as error:
            raise CallError(error.details()) from None  # type: ignore[attr-defined, unused-ignore]


def write(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Convert plain values to a message; None is left out, as in the engine."""
    struct = struct_pb2.Struct()
    struct.update({name: value for name, value in values.items() if value is not None})
    return struct


def read(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Convert a message to plain values; whole numbers are integers, as in state."""
    return {name: _whole(value) for name, value in json_format.MessageToDict(struct).items()}


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def urn_of(kind: str, name: str) -> str:
    """Return the URN of a budget."""
    return f"urn:pulumi:s::p::pulumi-python:dynamic/github-billing:{kind}::{name}"


@dataclass
class Entry:
    """One budget in a stack's state; `pending` marks a replaced resource that is to be deleted."""

    kind: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    pending: bool = False

    @property
    def urn(self) -> str:
        """Its URN."""
        return urn_of(self.kind, self.name)


@dataclass
class Stack:
    """The state and the steps of a stack, in the engine's order: check, diff, write; deletes at the end.

    The state is correct after each call, so another plugin can continue an interrupted run.
    """

    entries: list[Entry] = field(default_factory=list)

    def up(self, plugin: Plugin, declared: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, str]:
        """Create or change the declared resources, by kind and name, and return the step of each name."""
        steps = {name: self._step(plugin, kind, name, inputs) for (kind, name), inputs in declared.items()}
        for entry in list(self.entries):
            if entry.pending or (entry.kind, entry.name) not in declared:
                plugin.delete(entry.urn, entry.id, entry.outputs)
                self.entries.remove(entry)
                steps.setdefault(entry.name, "delete")
        return steps

    def refresh(self, plugin: Plugin) -> dict[str, str]:
        """Read all resources, and return the differences by name: a diff, or that the resource is gone."""
        found = {}
        for entry in list(self.entries):
            id_, outputs, inputs = plugin.read(entry.urn, entry.id, entry.outputs, entry.inputs)
            if not id_:
                found[entry.name] = "gone"
                self.entries.remove(entry)
                continue
            if plugin.diff(entry.urn, entry.id, outputs, entry.inputs).changes != "DIFF_NONE":
                found[entry.name] = "drift"
            entry.inputs, entry.outputs = inputs, outputs
        return found

    def destroy(self, plugin: Plugin) -> None:
        """Delete everything."""
        for entry in list(self.entries):
            plugin.delete(entry.urn, entry.id, entry.outputs)
            self.entries.remove(entry)

    def _step(self, plugin: Plugin, kind: str, name: str, inputs: Mapping[str, Any]) -> str:
        urn, news = urn_of(kind, name), {**inputs, "__provider": PROVIDERS[kind]}
        old = next((entry for entry in self.entries if entry.urn == urn and not entry.pending), None)
        checked = self._checked(plugin, urn, old.inputs if old else {}, news)
        if old is None:
            self.entries.append(Entry(kind, name, *self._create(plugin, urn, checked)))
            return "create"
        diff = plugin.diff(urn, old.id, old.outputs, checked)
        if diff.changes == "DIFF_NONE" or (diff.changes == "DIFF_UNKNOWN" and checked == old.inputs):
            old.inputs = checked
            return "same"
        if not diff.replaces:
            old.outputs = plugin.update(urn, old.id, old.outputs, checked)
            old.inputs = checked
            return "update"
        checked = self._checked(plugin, urn, {}, news)
        if diff.delete_before_replace:
            plugin.delete(urn, old.id, old.outputs)
            self.entries.remove(old)
        new = Entry(kind, name, *self._create(plugin, urn, checked))
        old.pending = True
        self.entries.append(new)
        return "replace"

    @staticmethod
    def _checked(plugin: Plugin, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        checked, problems = plugin.check(urn, olds, news)
        assert problems == []
        return checked

    @staticmethod
    def _create(plugin: Plugin, urn: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
        id_, outputs = plugin.create(urn, inputs)
        return id_, inputs, outputs
