"""What each declaration adds: a quiet end, protection of hard stops, names of secret inputs, its id for the plugins."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import weakref
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime.config import CONFIG

from billing_provider.budgets.expiry import NEVER_CREATED
from billing_provider.core.owners import PER_USER_SCOPES
from billing_provider.core.redact import clean
from billing_provider.core.resource import SECRET_INPUTS
from billing_provider.core.settings import NAMESPACE
from billing_provider.runtime.shared_ids import SharedIds, key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

__all__ = [
    "SECRET_INPUTS",
    "end_quietly",
    "engine_address",
    "listen",
    "protected",
    "secret_inputs",
    "share_declared",
    "share_id",
    "share_ids",
]

_HOST_SCRIPT = "pulumi-language-python-exec"
_PROTECT = f"{NAMESPACE}:protectHardStops"


# --- the end of a failed run


def end_quietly() -> None:
    """Let SIGINT end the process of a program at once, where Pulumi's language host runs it.

    The language host sends SIGINT when a resource has failed. Python's own handler would print a traceback of Pulumi's
    event loop, of 24 lines or more, before the error of the resource. A handler of the program's own stays, and so does
    each handler in a process that is the user's: a test, the Automation API, the embedded engine.
    """
    # Python sets handlers in the main thread only.
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    if any(PurePath(word).name == _HOST_SCRIPT for word in sys.orig_argv):
        signal.signal(signal.SIGINT, signal.SIG_DFL)


# --- protection


def protected(opts: pulumi.ResourceOptions | None, args: Mapping[str, Any]) -> pulumi.ResourceOptions | None:
    """Return the options of a budget, with `protect` for a hard stop if the stack's configuration asks for it.

    Args:
        opts: The options from the program; they are not changed, and their own `protect` stays.
        args: The inputs of the budget.
    """
    # The value is checked already: this runs for each resource.
    if CONFIG.get().get(_PROTECT) != "true" or not _may_stop(args):
        return opts
    if getattr(opts, "protect", None) is not None or getattr(opts, "id", None) is not None:
        return opts
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True))


def _may_stop(args: Mapping[str, Any]) -> bool:
    """Return whether a budget is a hard stop, or may be one because an input is not known yet."""
    stops, scope = args.get("prevent_further_usage"), args.get("budget_scope")
    if stops is not None:
        return stops is not False
    return scope in PER_USER_SCOPES if isinstance(scope, str) else scope is not None


# --- secret inputs


def secret_inputs(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the property that names the secret inputs of a resource; empty if no input contains an Output.

    The plugin gets secrets as plain values, because the SDK's servicer takes no others. With the names it can keep
    them out of its messages.

    Args:
        args: The inputs of the resource, as they are sent.
    """
    found = {name: outputs for name, value in args.items() if (outputs := list(_outputs(value)))}
    return {SECRET_INPUTS: pulumi.Output.from_input(_secret(found))} if found else {}


def _outputs(value: Any) -> Iterator[pulumi.Output[Any]]:
    """Return the Outputs in an input."""
    if isinstance(value, pulumi.Output):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _outputs(each)


async def _secret(found: Mapping[str, list[pulumi.Output[Any]]]) -> list[str] | None:
    """Return the names of the secret inputs, or None: Pulumi does not send a property that is None.

    Not by `apply`: the names must be known and no secret, also where a value is not known or is a secret.
    """
    secret: set[str] = set()
    for name, outputs in found.items():
        for output in outputs:
            if await output.is_secret():
                secret.add(name)
    return sorted(secret) or None


# --- ids


class _Files:
    """The files of the engine runs of this process: with the Automation API these are several, also at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: weakref.WeakKeyDictionary[EngineStub, SharedIds] = weakref.WeakKeyDictionary()

    def of(self, engine: EngineStub) -> SharedIds:
        """Return the file of an engine run; it begins with the first resource, and ends with the program."""
        with self._lock:
            if engine not in self._files:
                started = SharedIds(engine_address(engine))
                started.start()
                # The SDK holds the engine until the engine has done everything, in a process of its own until the exit.
                weakref.finalize(engine, started.end)
                self._files[engine] = started
            return self._files[engine]


_FILES = _Files()


def share_id(resource: pulumi.CustomResource) -> None:
    """Share the id of a declared resource with the plugins of this engine run, once it is known.

    With `--target`, a plugin is not asked about the other resources, but it may be told to delete what they declare.
    """
    if (shared := _shared()) is None:
        return

    async def record() -> None:
        id_ = await resource.id.future() if await resource.id.is_known() else None
        # Many budgets have the id of one that expired before it was created.
        if id_ and id_.rpartition("/")[2] != NEVER_CREATED:
            shared.add(id_, await resource.urn.future() or "")

    # One Output, not one for each `apply`. Pulumi waits for it before it lets the engine delete anything.
    is_known: asyncio.Future[bool] = asyncio.Future()
    is_known.set_result(True)
    pulumi.Output(set(), record(), is_known)


def share_ids(resource: pulumi.CustomResource, ids: pulumi.Output[dict[str, str]]) -> None:
    """Share the ids of the budgets of a resource that has many, as `share_id` does.

    Args:
        resource: The resource.
        ids: GitHub's ids by login.
    """
    if (shared := _shared()) is None:
        return

    def record(known: dict[str, str] | None) -> pulumi.Output[None] | None:
        if not known:
            return None
        return resource.urn.apply(
            lambda urn: shared.add_all((id_, f"{urn}/{login.lower()}") for login, id_ in known.items())
        )

    ids.apply(record)


def share_declared(name: str, keys: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Share the budgets that a declaration has, before the engine knows of them.

    A table removes a row while other resources are still to come: one of them may declare the budget of this row.

    Args:
        name: The name of the resource or the table.
        keys: What follows the name, a slash and a login for a row of a table, and the natural key.
    """
    if shared := _shared():
        urn = f"urn:pulumi:program::{clean(name)}"
        shared.add_all((key_id(key), f"{urn}{row}") for row, key in keys)


def listen(topic: str) -> Callable[[], list[str]]:
    """Let the plugins tell a topic to this program; the result returns what they have told."""
    if (shared := _shared()) is None:
        return list
    shared.listen(topic)
    return lambda: shared.told(topic)


def _shared() -> SharedIds | None:
    engine = pulumi_settings.SETTINGS.engine
    return None if engine is None or not engine_address(engine) else _FILES.of(engine)


def engine_address(engine: EngineStub) -> str:
    """Return the address of an engine, as its plugins get it; empty if it is not a client of the SDK."""
    # The SDK does not keep the address itself.
    channel: Any = getattr(getattr(engine, "Log", None), "_channel", None)
    target = channel.target() if hasattr(channel, "target") else b""
    return target.decode().rpartition("/")[2] if isinstance(target, bytes) else ""
