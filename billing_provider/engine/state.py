"""The state of a stack in Pulumi's deployment format, version 3."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Any

from billing_provider.engine import urns, wire
from billing_provider.engine.errors import StateError
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSION = 3

# Keys of a resource in the state file and the attributes of `Resource` that hold their values unchanged.
_PLAIN_KEYS = {
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "parent": "parent",
    "protect": "protect",
    "external": "external",
    "dependencies": "dependencies",
    "provider": "provider",
    "propertyDependencies": "property_dependencies",
    "pendingReplacement": "pending_replacement",
    "additionalSecretOutputs": "additional_secret_outputs",
    "aliases": "aliases",
    "customTimeouts": "custom_timeouts",
    "retainOnDelete": "retain_on_delete",
    "deletedWith": "deleted_with",
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
    "created": "created",
    "modified": "modified",
}
_URN_SEPARATORS = 3


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    # With this key, a secret would be read as a plain object.
    return isinstance(value, dict) and wire.SIGNATURE_KEY not in value


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_texts_by_key(value: Any) -> bool:
    return isinstance(value, dict) and all(_are_texts(listed or []) for listed in value.values())


# The type of each key of a resource; all others are text.
_FORMS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("custom", "delete", "protect", "external", "pendingReplacement", "retainOnDelete"), _is_flag),
    **dict.fromkeys(("dependencies", "additionalSecretOutputs", "aliases", "ignoreChanges"), _are_texts),
    "replaceOnChanges": _are_texts,
    "propertyDependencies": _are_texts_by_key,
    **dict.fromkeys(("customTimeouts", "inputs", "outputs"), _is_object),
}


@dataclass
class Resource:
    """One resource in the state."""

    urn: str
    custom: bool
    type: str
    id: str = ""
    inputs: wire.Values = field(default_factory=dict)
    outputs: wire.Values = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    additional_secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    created: str = ""
    modified: str = ""
    # Keys that the engine does not use are kept.
    other: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in the program."""
        return urns.name_of(self.urn)

    @property
    def provider_urn(self) -> str:
        """The URN of the resource's provider; empty for components and providers."""
        return self.provider.rpartition("::")[0]

    def references(self) -> set[str]:
        """Return the URNs of the resources that this one depends on."""
        referenced = {self.parent, self.provider_urn, self.deleted_with, *self.dependencies}
        for urns_of_property in self.property_dependencies.values():
            referenced.update(urns_of_property)
        return referenced - {""}

    def renamed(self, old: str, new: str) -> Resource:
        """Return a copy with each reference to `old` replaced by `new`."""
        provider = f"{new}::{self.provider.rpartition('::')[2]}" if self.provider_urn == old else self.provider
        return replace(
            self,
            parent=new if self.parent == old else self.parent,
            provider=provider,
            deleted_with=new if self.deleted_with == old else self.deleted_with,
            dependencies=[new if urn == old else urn for urn in self.dependencies],
            property_dependencies={
                key: [new if urn == old else urn for urn in listed]
                for key, listed in self.property_dependencies.items()
            },
        )

    def without(self, gone: set[str]) -> Resource:
        """Return a copy without dependencies on resources that are gone."""
        return replace(
            self,
            deleted_with="" if self.deleted_with in gone else self.deleted_with,
            dependencies=[urn for urn in self.dependencies if urn not in gone],
            property_dependencies={
                key: kept
                for key, listed in self.property_dependencies.items()
                if (kept := [urn for urn in listed if urn not in gone])
            },
        )

    def to_json(self) -> dict[str, Any]:
        """Return the resource in the format of the state file."""
        plain = {key: getattr(self, attribute) for key, attribute in _PLAIN_KEYS.items()}
        found = {key: value for key, value in plain.items() if value or key == "custom"}
        for key, values in (("inputs", self.inputs), ("outputs", self.outputs)):
            if values:
                found[key] = wire.to_json(values)
        return {**found, **self.other}

    @classmethod
    def from_json(cls, entry: Any) -> Resource:
        """Read a resource from a state file.

        Raises:
            ValueError: It is not a resource, or its secrets are encrypted.
        """
        _check_resource(entry)
        known = {attribute: entry[key] for key, attribute in _PLAIN_KEYS.items() if entry.get(key) is not None}
        if "property_dependencies" in known:
            # The Pulumi CLI writes null for an empty value.
            known["property_dependencies"] = {key: urns or [] for key, urns in known["property_dependencies"].items()}
        other = {key: value for key, value in entry.items() if key not in {*_PLAIN_KEYS, "inputs", "outputs"}}
        values = {key: wire.from_json(entry.get(key) or {}) for key in ("inputs", "outputs")}
        return cls(**{"custom": False, **known}, **values, other=other)


@dataclass
class Operation:
    """A pending operation; its outcome is unknown as long as it is in state."""

    kind: str
    resource: Resource

    def to_json(self) -> dict[str, Any]:
        """Return the operation in the format of the state file."""
        return {"resource": self.resource.to_json(), "type": self.kind}

    @classmethod
    def from_json(cls, entry: Any) -> Operation:
        """Read an operation from a state file.

        Raises:
            ValueError: It is not an operation.
        """
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise ValueError("a pending operation has no type")  # noqa: TRY004 - as all that is wrong with a state
        return cls(entry["type"], Resource.from_json(entry.get("resource")))


@dataclass
class Deployment:
    """The content of a state file."""

    resources: list[Resource] = field(default_factory=list)
    pending: list[Operation] = field(default_factory=list)
    secrets_providers: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the state in the format of `pulumi stack export`."""
        return {
            "version": VERSION,
            "deployment": {
                **header(self.secrets_providers),
                "resources": [resource.to_json() for resource in self.resources],
                "pending_operations": [operation.to_json() for operation in self.pending],
                "metadata": {},
            },
        }

    @classmethod
    def from_json(cls, exported: Any) -> Deployment:
        """Read a state that `pulumi stack export` or this engine wrote.

        Raises:
            StateError: It is not a deployment of version 3, or its secrets are encrypted.
        """
        if not isinstance(exported, dict) or exported.get("version") != VERSION:
            raise StateError(f"this is not a state of deployment version {VERSION}")
        deployment = exported.get("deployment") or {}
        kinds = {"resources": list, "pending_operations": list, "secrets_providers": dict}
        if not isinstance(deployment, dict) or any(
            not isinstance(deployment.get(key) or kind(), kind) for key, kind in kinds.items()
        ):
            raise StateError("its deployment is damaged")
        try:
            return cls(
                resources=[Resource.from_json(entry) for entry in deployment.get("resources") or ()],
                pending=[Operation.from_json(entry) for entry in deployment.get("pending_operations") or ()],
                secrets_providers=deployment.get("secrets_providers"),
            )
        except ValueError as error:
            raise StateError(str(error)) from None


def _check_resource(entry: Any) -> None:
    if not isinstance(entry, dict) or not _is_urn(entry.get("urn")) or entry.get("type") is None:
        raise ValueError("a resource has no URN or no type")
    for key in (*_PLAIN_KEYS, "inputs", "outputs"):
        value = entry.get(key)
        if value is not None and not _FORMS.get(key, _is_text)(value):
            raise ValueError(f"{key} of {entry['urn']} is damaged")


def _is_urn(value: Any) -> bool:
    return _is_text(value) and value.startswith("urn:pulumi:") and value.count("::") >= _URN_SEPARATORS


def header(secrets_providers: dict[str, Any] | None) -> dict[str, Any]:
    """Return the first part of the state: version, time and the secrets provider."""
    version = metadata.version("pulumi")
    manifest = {"time": now(), "magic": hashlib.sha256(version.encode()).hexdigest(), "version": version}
    return {"manifest": manifest} | ({"secrets_providers": secrets_providers} if secrets_providers else {})


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
        return Deployment.from_json(json_text.parse(text))
    except (StateError, ValueError) as error:
        hint = "restore a copy of the file, or move it away to start with an empty stack"
        raise StateError(f"{path}: {error}; {hint}") from None
