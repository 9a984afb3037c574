"""Requests of the program (register or read a resource) and the answers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from billing_provider.engine import state, wire

if TYPE_CHECKING:
    from billing_provider.engine.paths import Path


@dataclass
class Goal:
    """A resource as the program declares it."""

    urn: str
    type: str
    custom: bool
    inputs: wire.Values
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    protect: bool = False
    # None: the provider decides.
    delete_before_replace: bool | None = None
    ignore_changes: list[str] = field(default_factory=list)
    ignored_paths: list[Path] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    replacing_paths: list[Path] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    retain_on_delete: bool = False
    deleted_with: str = ""
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    # The id of a resource that is only read.
    id: str = ""
    version: str = ""

    def resource(self, *, external: bool = False) -> state.Resource:
        """Return the resource as state stores it."""
        return state.Resource(
            urn=self.urn,
            custom=self.custom,
            type=self.type,
            id=self.id,
            inputs=self.inputs,
            parent=self.parent,
            provider=self.provider,
            dependencies=sorted(self.dependencies),
            property_dependencies={key: sorted(listed) for key, listed in sorted(self.property_dependencies.items())},
            protect=self.protect,
            external=external,
            retain_on_delete=self.retain_on_delete,
            deleted_with=self.deleted_with,
            additional_secret_outputs=self.additional_secret_outputs,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            custom_timeouts=self.custom_timeouts,
        )


@dataclass(frozen=True)
class Answer:
    """The answer to a request of the program; after a failure it has no properties."""

    urn: str
    id: str = ""
    properties: wire.Values = field(default_factory=dict)
    ok: bool = True
