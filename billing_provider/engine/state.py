"""The state of a stack: its resources and pending operations, read from Pulumi's deployment format."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_serializer

from billing_provider.engine import urns, wire
from billing_provider.engine.errors import StateError
from billing_provider.storage import deployment, files, json_text
from billing_provider.storage.documents import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _read_values(written: Any) -> Any:
    if isinstance(written, dict) and wire.SIGNATURE_KEY in written:
        raise ValueError("only a value can be a secret, not all of them")
    return wire.from_json(written)


_Values = Annotated[wire.Values, BeforeValidator(_read_values)]


class Resource(deployment.StoredResource):
    """One resource in the state; secrets and unknown values are objects."""

    inputs: _Values = Field(default_factory=dict)
    outputs: _Values = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in the program."""
        return urns.name_of(self.urn)

    @property
    def provider_urn(self) -> str:
        """The URN of the resource's provider; empty for components and providers."""
        return self.provider.rpartition("::")[0]

    def continue_from(self, old: Resource) -> None:
        """Take over what an update keeps: the id, the time of creation, and keys that the engine does not use."""
        self.id, self.created, self.__pydantic_extra__ = old.id, old.created, old.__pydantic_extra__

    def references(self) -> set[str]:
        """Return the URNs of the resources that this one depends on."""
        referenced = {self.parent, self.provider_urn, self.deleted_with, *self.dependencies}
        return referenced.union(*self.property_dependencies.values()) - {""}

    def rename(self, old: str, new: str) -> None:
        """Replace each reference to `old` by one to `new`."""
        self.provider = f"{new}::{self.provider.rpartition('::')[2]}" if self.provider_urn == old else self.provider
        self.parent = new if self.parent == old else self.parent
        self.deleted_with = new if self.deleted_with == old else self.deleted_with
        for listed in (self.dependencies, *self.property_dependencies.values()):
            listed[:] = [new if urn == old else urn for urn in listed]

    def without(self, gone: set[str]) -> Resource:
        """Return a copy without dependencies on resources that are gone."""
        kept = {key: [urn for urn in listed if urn not in gone] for key, listed in self.property_dependencies.items()}
        changes = {
            "deleted_with": "" if self.deleted_with in gone else self.deleted_with,
            "dependencies": [urn for urn in self.dependencies if urn not in gone],
            "property_dependencies": {key: listed for key, listed in kept.items() if listed},
        }
        return self.model_copy(update=changes)

    @field_serializer("inputs", "outputs")
    def _write(self, values: wire.Values) -> Any:
        return wire.to_json(values)

    def to_json(self) -> dict[str, Any]:
        """Return the resource in the format of the state file, without what is empty."""
        return {"custom": self.custom, **self.model_dump(by_alias=True, exclude_defaults=True)}


Operation = deployment.Operation[Resource]
Deployment = deployment.Deployment[Resource]


def read(exported: Any) -> Deployment:
    """Return a state that `pulumi stack export` or this engine wrote.

    Raises:
        StateError: It is not a deployment of version 3, or its secrets are encrypted.
    """
    try:
        return deployment.Export[Resource].model_validate(exported).deployment
    except ValidationError as error:
        raise StateError(f"this is not a state of deployment version {deployment.VERSION}: {explain(error)}") from None


def render(resource: Resource) -> str:
    """Return the text of a resource in the state file."""
    return json.dumps(resource.to_json())


def write(current: Deployment, render_resource: Callable[[Resource], str] = render) -> str:
    """Return the text of the state file, which is that of `pulumi stack export`.

    Args:
        current: The state.
        render_resource: Returns the text of a resource; a run keeps the texts of those that do not change.
    """
    version = metadata.version("pulumi")
    head: dict[str, Any] = {
        "manifest": {"time": now(), "magic": hashlib.sha256(version.encode()).hexdigest(), "version": version}
    }
    if current.secrets_providers:
        head["secrets_providers"] = current.secrets_providers
    resources = ",\n".join(map(render_resource, current.resources))
    pending = ",\n".join(
        json.dumps({"resource": operation.resource.to_json(), "type": operation.type})
        for operation in current.pending_operations
    )
    return (
        f'{{"version": {deployment.VERSION}, "deployment": {json.dumps(head)[:-1]},\n"resources": [\n{resources}\n],\n'
        f'"pending_operations": [{pending}],\n"metadata": {{}}}}}}\n'
    )


def now() -> str:
    """Return the current time in the format of the state file."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def load(path: Path) -> Deployment:
    """Read a state file; a missing file means an empty stack.

    Raises:
        StateError: The file is not a state, its secrets are encrypted, or it cannot be read.
    """
    try:
        text = files.read(path)
    except files.FileError as error:
        raise StateError(str(error)) from None
    if text is None:
        return Deployment()
    try:
        return read(json_text.parse(text))
    except (StateError, ValueError) as error:
        hint = "restore a copy of the file, or move it away to start with an empty stack"
        raise StateError(f"{path}: {error}; {hint}") from None
