"""Providers of resources: the project's dynamic plugin, or a simulation for other packages."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from billing_provider.engine import urns, wire
from billing_provider.engine.plugin import DiffAnswer, Failure, Plugin, ReadAnswer

if TYPE_CHECKING:
    from billing_provider.engine.state import Resource

SIMULATED_ID_PREFIX = "simulated-"


class Simulated:
    """Simulates the plugin of another package: it returns the inputs as outputs and creates nothing."""

    def check(self, urn: str, olds: wire.Values, news: wire.Values) -> tuple[wire.Values, list[Failure]]:
        """Accept everything."""
        del urn, olds
        return news, []

    def diff(self, old: Resource, news: wire.Values, ignore_changes: list[str]) -> DiffAnswer:
        """Leave the comparison to the engine; replace nothing."""
        del old, news, ignore_changes
        return DiffAnswer(None)

    def create(self, urn: str, inputs: wire.Values) -> tuple[str, wire.Values]:
        """Return an id that is visibly simulated."""
        id_ = str(uuid.uuid4()) if urns.is_provider(urns.type_of(urn)) else f"{SIMULATED_ID_PREFIX}{urns.name_of(urn)}"
        return id_, _outputs(urn, inputs)

    def update(self, old: Resource, inputs: wire.Values, ignore_changes: list[str]) -> wire.Values:
        """Return the new inputs as outputs."""
        del ignore_changes
        return _outputs(old.urn, inputs)

    def delete(self, old: Resource) -> None:
        """Do nothing."""

    def read(self, urn: str, id_: str, properties: wire.Values, inputs: wire.Values) -> ReadAnswer:
        """Return the stored resource unchanged."""
        return ReadAnswer(id_, properties if properties != inputs else _outputs(urn, inputs), inputs)


Provider = Plugin | Simulated


def _outputs(urn: str, inputs: wire.Values) -> wire.Values:
    """Return the inputs, plus the names by which other resources usually refer to a resource.

    A real service returns many more outputs; here they are absent, and checks of dependent inputs report that.
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
