"""The resources of this provider in exported states, whose content is untrusted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from billing_provider.budgets.expiry import EXPIRED, NEVER_CREATED
from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import parse_resource_id
from billing_provider.core.links import READABLE
from billing_provider.core.redact import clean
from billing_provider.core.settings import NAMESPACE
from billing_provider.storage import json_text
from billing_provider.storage.deployment import Export, StoredResource
from billing_provider.storage.documents import explain
from billing_provider.user_budgets.states import read_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 200_000_000
"""The largest state that is read, in bytes: some 50,000 budgets."""
TYPE_PREFIX = "pulumi-python:dynamic/github-billing:"
"""The beginning of the type of every resource of this provider, in states and import files."""
BUCKET_KIND = "UserBudgetBucket"
"""The kind of the resources of which a table of users' budgets consists."""
TABLE_TYPE = f"{NAMESPACE}:index:UserBudgets"
"""The type of a table, a component."""
_NOUNS = {each.resource: each.noun for each in READABLE}
# Commands contain the URN and the name of the stack.
_URN = re.compile(r"urn:pulumi:[A-Za-z0-9_.][A-Za-z0-9_.-]*::[^:]+::.+", re.ASCII)
_SHOWN = 100


@dataclass(frozen=True, order=True)
class Managed:
    """A resource in a state, or a row of one.

    Attributes:
        id: Its resource id, in lower case; for a row, that of its budget.
        source: The state that has it.
        urn: Its URN; for a row of a table, that of the resource that has the row.
        leaving: Whether the engine deletes it in the next run: it was replaced.
        row: The login of a row of a table; else empty.
    """

    id: str
    source: str
    urn: str
    leaving: bool = False
    row: str = ""

    @property
    def owner(self) -> str:
        """The owner, as the beginning of the id."""
        return self.id.rpartition("/")[0]


@dataclass(frozen=True)
class Interrupted:
    """A create that an interrupted run left unclear, or an update of a part of a table, which creates rows.

    Attributes:
        resource: The name of the kind of resource.
        urn: Its URN.
        inputs: Its inputs, unchecked.
    """

    resource: str
    urn: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class State:
    """The resources of this provider in one state.

    Attributes:
        source: Where the state comes from, for messages.
        managed: The resources that the stack manages, and the rows of its tables.
        interrupted: The creates whose outcome the state does not have.
        parts: The URNs of the resources of its tables, also of those without rows.
    """

    source: str
    managed: list[Managed] = field(default_factory=list)
    interrupted: list[Interrupted] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)


def read_state_export(source: str, content: bytes) -> State:
    """Return the resources of this provider in the output of `pulumi stack export`, or in a state of `try`.

    A state that is not understood completely is refused: a resource that was overlooked would count as unmanaged, and
    its object would be offered for removal.

    Args:
        source: Where it comes from, for messages.
        content: The state.

    Raises:
        ConfigError: It is not such a state, or a resource of this provider in it is invalid.
    """
    shown = clean(source, _SHOWN)
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{shown} has more than {MAX_BYTES // 1_000_000} MB, so it is not read")
    try:
        export = Export[StoredResource].model_validate(json_text.parse(content))
    except ValidationError as error:
        reason = clean(explain(error), _SHOWN)
        raise ConfigError(f"{shown} is not the output of `pulumi stack export`: {reason}") from None
    except ValueError as error:
        raise ConfigError(f"{shown} cannot be read: {clean(str(error), _SHOWN)}") from None
    state = State(source)
    for entry in export.deployment.resources:
        kind = _resource(entry)
        if kind is None or entry.external:
            continue
        if kind == BUCKET_KIND:
            state.parts.append(entry.urn)
            state.managed.extend(_rows(shown, source, entry))
        elif entry.id.rpartition("/")[2] != NEVER_CREATED and not entry.outputs.get(EXPIRED):
            id_ = _id(shown, _NOUNS[kind], kind, entry)
            state.managed.append(Managed(id_, source, entry.urn, leaving=entry.delete))
    for operation in export.deployment.pending_operations:
        kind = _resource(operation.resource)
        if kind is not None and operation.type in {"creating", *(("updating",) if kind == BUCKET_KIND else ())}:
            state.interrupted.append(Interrupted(kind, operation.resource.urn, operation.resource.inputs))
    return state


def stack_of(urn: str) -> str:
    """Return the name of the stack in a URN."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def _resource(entry: StoredResource) -> str | None:
    """Return the name of the kind of resource, or None for a resource of another provider.

    Raises:
        ConfigError: The URN of a resource of this provider is invalid.
    """
    kind = entry.type.removeprefix(TYPE_PREFIX)
    if kind == entry.type or kind not in {*_NOUNS, BUCKET_KIND}:
        return None
    if not (_URN.fullmatch(entry.urn) and entry.urn.isprintable()):
        raise ConfigError(f"the state has an invalid URN, {clean(entry.urn, _SHOWN)}: restore a copy of it")
    return kind


def _rows(shown: str, source: str, entry: StoredResource) -> Iterator[Managed]:
    """Yield the rows of a part of a table whose budgets are live."""
    try:
        part = read_bucket(entry.outputs)
    except ConfigError as error:
        raise ConfigError(f"{shown}: {clean(entry.urn, _SHOWN)}: {error}") from None
    owner = _id(shown, part.kind.noun, BUCKET_KIND, entry).rpartition("/")[0]
    for login, id_ in part.budget_ids.items():
        if login not in part.expired:
            yield Managed(f"{owner}/{id_}".lower(), source, entry.urn, leaving=entry.delete, row=login)


def _id(source: str, noun: str, kind: str, entry: StoredResource) -> str:
    try:
        owner, id_ = parse_resource_id(noun, kind, entry.id)
    except ConfigError:
        raise ConfigError(
            f"{source}: the id of {clean(entry.urn, _SHOWN)} is invalid, so the state is not read: restore a copy of it"
        ) from None
    return f"{noun}/{owner}/{id_}".lower()
