"""Pulumi's deployment format, version 3: the state of a stack as `pulumi stack export` writes it."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from billing_provider.storage.documents import Document

__all__ = ["VERSION", "Deployment", "Export", "Operation", "StoredResource"]

VERSION = 3

# The Pulumi CLI writes null for an empty list.
_Texts = Annotated[list[str], BeforeValidator(lambda listed: [] if listed is None else listed)]


class StoredResource(Document):
    """One resource; its values are as written, with markers for secrets, and keys of newer versions are kept."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    urn: Annotated[str, Field(pattern=r"(?s)^urn:pulumi:.*::.*::.*::")]
    custom: bool = False
    delete: bool = False
    id: str = ""
    type: str
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = Field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, _Texts] = Field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)
    custom_timeouts: dict[str, float] = Field(default_factory=dict)
    retain_on_delete: bool = False
    deleted_with: str = ""
    ignore_changes: list[str] = Field(default_factory=list)
    replace_on_changes: list[str] = Field(default_factory=list)
    created: str = ""
    modified: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)


_Resource = TypeVar("_Resource", bound=StoredResource)


class Operation(Document, Generic[_Resource]):
    """A pending operation; its outcome is unknown as long as it is in the state."""

    type: str
    resource: _Resource


class Deployment(Document, Generic[_Resource]):
    """The resources of a stack, in order of dependency, and its pending operations."""

    resources: list[_Resource] = Field(default_factory=list)
    pending_operations: list[Operation[_Resource]] = Field(default_factory=list)
    secrets_providers: dict[str, Any] | None = None


class Export(Document, Generic[_Resource]):
    """The whole file."""

    version: Literal[3]
    deployment: Deployment[_Resource]
