"""Outputs that are read when a program uses them: the SDK makes futures and tasks for each Output of a resource."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
from pulumi._types import resource_types
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GET_RESOURCE = "pulumi:pulumi:getResource"
"""The engine's own function that returns the outputs of a resource of this run."""


class LateOutput(pulumi.Output[Any]):
    """An output of a resource that is read from the engine when a program uses it.

    It has the value that it would have if the declaration named it: None where the engine has none, or unknown while
    the resource is not there.

    Args:
        outputs: All outputs of the resource.
        name: The name of this one.
    """

    def __init__(self, outputs: _ReadOutputs, name: str) -> None:
        vars(self)["_late"] = (outputs, name)

    def __getattr__(self, item: str) -> Any:
        """Become a real Output if what the SDK keeps in one is missing."""
        self._become_real()
        return vars(self)[item] if item in vars(self) else super().__getattr__(item)

    def apply(self, *arguments: Any, **options: Any) -> pulumi.Output[Any]:
        """Return what a function makes of the value; before the SDK holds its lock, this is a real Output."""
        self._become_real()
        return super().apply(*arguments, **options)

    def _become_real(self) -> None:
        outputs, name = vars(self).pop("_late", (None, ""))
        if outputs is not None:
            vars(self).update(vars(outputs.get(name)))


class _ReadOutputs:
    """The outputs of a resource, as the engine has them; it is asked once."""

    def __init__(self, resource: pulumi.Resource) -> None:
        self._resource = resource
        self._read: pulumi.Output[Any] | None = None

    def get(self, name: str) -> pulumi.Output[Any]:
        """Return one of them, which depends on the resource."""
        if self._read is None:
            self._read = self._resource.urn.apply(_ask)
        return self._read.apply(partial(_value, type(self._resource), name))


async def _ask(urn: str) -> tuple[str, dict[str, Any]]:
    """Return the id and the outputs of a resource.

    The SDK's `invoke` does not serve: it asks nothing about a resource that a preview creates, although the engine
    knows the checked inputs, and one secret output makes all of them secret.
    """
    request = resource_pb2.ResourceInvokeRequest(tok=_GET_RESOURCE, acceptResources=True)
    request.args["urn"] = urn
    monitor: Any = get_monitor()
    try:
        answer = await asyncio.to_thread(monitor.Invoke, request)
    except grpc.RpcError:
        # The engine has no resource: it left it out, or it stops because another one failed.
        return "", {}
    found = getattr(answer, "return")
    return found["id"], rpc.deserialize_properties(found["state"])


def _value(kind: type[pulumi.Resource], name: str, found: tuple[str, Mapping[str, Any]]) -> Any:
    """Return an output in the type that its resource declares; a missing one is unknown until the resource exists."""
    id_, outputs = found
    # The engine's names are those of the outputs: `str` leaves them as they are.
    value = rpc.translate_output_properties(outputs.get(name), str, resource_types(kind).get(name))
    if rpc.is_rpc_secret(value):
        return pulumi.Output.secret(rpc.unwrap_rpc_secret(value))
    # A resource that a run with `--target` does not create has no id, and one whose update failed has no outputs.
    is_unsure = pulumi.runtime.is_dry_run() or not id_ or not outputs
    return pulumi.UNKNOWN if value is None and is_unsure else value


def add_late_outputs(resource: pulumi.Resource, names: Iterable[str]) -> None:
    """Give a resource the outputs that its declaration does not name.

    Args:
        resource: The resource, after its declaration.
        names: The names of all its outputs; those that it has stay.
    """
    outputs = _ReadOutputs(resource)
    for name in names:
        if name not in vars(resource):
            vars(resource)[name] = LateOutput(outputs, name)
