"""Who serves a resource: the project's dynamic plugin, or for other packages a stand-in that makes up ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol

from billing_provider.engine import urns, wire
from billing_provider.engine.plugin import DiffAnswer, Failure, ReadAnswer

if TYPE_CHECKING:
    from billing_provider.engine.state import Resource

SIMULATED_ID_PREFIX = "simulated-"


class Provider(Protocol):
    """What the engine asks of whoever serves a resource."""

    def check(self, urn: str, olds: wire.Values, news: wire.Values) -> tuple[wire.Values, list[Failure]]:
        """Return the inputs as they are to be stored, and what is wrong with them."""

    def diff(self, old: Resource, news: wire.Values, ignore_changes: list[str]) -> DiffAnswer:
        """Return what differs."""

    def create(self, urn: str, inputs: wire.Values) -> tuple[str, wire.Values]:
        """Return the id and properties of a new resource."""

    def update(self, old: Resource, inputs: wire.Values, ignore_changes: list[str]) -> wire.Values:
        """Return the properties of a changed resource."""

    def delete(self, old: Resource) -> None:
        """Delete a resource."""

    def read(self, urn: str, id_: str, properties: wire.Values, inputs: wire.Values) -> ReadAnswer:
        """Return a resource as it is."""


class Simulated:
    """Stands in for the plugin of another package: it keeps what it is given and touches nothing."""

    def check(self, urn: str, olds: wire.Values, news: wire.Values) -> tuple[wire.Values, list[Failure]]:
        """Accept everything."""
        del urn, olds
        return news, []

    def diff(self, old: Resource, news: wire.Values, ignore_changes: list[str]) -> DiffAnswer:
        """Leave the comparison to the engine; nothing is ever replaced."""
        del old, news, ignore_changes
        return DiffAnswer(None)

    def create(self, urn: str, inputs: wire.Values) -> tuple[str, wire.Values]:
        """Make up an id that nobody takes for a real one."""
        id_ = str(uuid.uuid4()) if urns.is_provider(urns.type_of(urn)) else f"{SIMULATED_ID_PREFIX}{urns.name_of(urn)}"
        return id_, _outputs(urn, inputs)

    def update(self, old: Resource, inputs: wire.Values, ignore_changes: list[str]) -> wire.Values:
        """Keep the new inputs."""
        del ignore_changes
        return _outputs(old.urn, inputs)

    def delete(self, old: Resource) -> None:
        """Forget the resource."""

    def read(self, urn: str, id_: str, properties: wire.Values, inputs: wire.Values) -> ReadAnswer:
        """Find what was kept."""
        return ReadAnswer(id_, properties if properties != inputs else _outputs(urn, inputs), inputs)


def _outputs(urn: str, inputs: wire.Values) -> wire.Values:
    """Return the inputs and, where they lack them, the names by which other resources usually refer to one.

    A service would answer with many more; what is not here is absent, and a program that needs it is told so by
    whoever checks its inputs.
    """
    if urns.is_provider(urns.type_of(urn)):
        return inputs
    name = inputs.get("name", urns.name_of(urn))
    slug = name.lower().replace(" ", "-") if isinstance(name, str) else name
    package = urns.package_of(urns.type_of(urn))
    made_up = {
        "name": name,
        "slug": slug,
        "fullName": f"simulated/{slug}" if isinstance(slug, str) else slug,
        "arn": f"arn:simulated:{package}::{slug}" if isinstance(slug, str) else slug,
    }
    return {**made_up, **inputs}
