"""Import of resources that exist already: they are added to the state with given inputs and outputs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from billing_provider.engine import state, urns, wire
from billing_provider.engine.errors import StateError
from billing_provider.storage.documents import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing_provider.engine.config import Project


def add(deployment: state.Deployment, stack: str, project: Project, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Add resources to a state, with the stack and their default provider if it lacks them; return the new URNs.

    As with the file of `pulumi import` that has outputs, nothing is read. A resource that is there already, with the
    same id, stays as it is.

    Args:
        deployment: The state.
        stack: The stack's name.
        project: The settings of the project and of the stack.
        entries: The resources, each with `type`, `name`, `id`, `inputs` and `outputs`, and the name of its `parent` if
            it has one; a component with `component`, `type` and `name`, before its parts.

    Raises:
        StateError: An entry is damaged, is of another provider, or its name is that of a resource with another id.
    """
    there = {each.urn: each for each in deployment.resources if not each.delete}
    root = urns.of_stack(stack, project.name)
    provider_type = urns.PROVIDER_TYPE_PREFIX + urns.DYNAMIC_PACKAGE
    provider_urn = urns.build(stack, project.name, "", provider_type, "default")
    settings: wire.Values = dict(project.recorded_config())
    provider = there.get(provider_urn) or state.Resource(
        urn=provider_urn, custom=True, type=provider_type, id=str(uuid.uuid4()), inputs=settings, outputs=settings
    )
    new = {}
    components: dict[str, str] = {}
    for entry in entries:
        resource = _read(entry, stack, project.name, _parent(entry, components) or root)
        if resource.custom:
            resource.provider = f"{provider.urn}::{provider.id}"
        else:
            components[resource.name] = resource.urn
        old = there.get(resource.urn)
        if old is None:
            new[resource.urn] = resource
        elif old.id != resource.id:
            raise StateError(f"{resource.name} is the name of {old.id} in this stack, so {resource.id} needs another")
    if new:
        needed = [state.Resource(urn=root, custom=False, type=urns.ROOT_TYPE), provider]
        first = [each for each in needed if each.urn not in there]
        for each in first:
            each.created = each.modified = state.now()
        deployment.resources = [*first, *deployment.resources, *new.values()]
    return list(new)


def _parent(entry: Mapping[str, Any], components: Mapping[str, str]) -> str:
    """Return the URN of the component that has an entry, or an empty text."""
    parent = entry.get("parent")
    if parent is None:
        return ""
    try:
        return components[parent]
    except (KeyError, TypeError):
        raise StateError(f"{entry.get('name')}: no component before it has the name of its parent, {parent}") from None


def _read(entry: Mapping[str, Any], stack: str, project: str, parent: str) -> state.Resource:
    is_component = entry.get("component") is True
    try:
        type_ = str(entry["type"])
        urn = urns.build(stack, project, parent, type_, str(entry["name"]))
        given = {key: entry[key] for key in (("type",) if is_component else ("type", "id", "inputs", "outputs"))}
        resource = state.Resource.model_validate({"urn": urn, "custom": not is_component, **given})
    except KeyError as error:
        raise StateError(f"a resource to import is damaged: {error} is missing") from None
    except ValidationError as error:
        raise StateError(f"{entry['name']}: the resource to import is damaged: {explain(error)}") from None
    if resource.custom and urns.package_of(type_) != urns.DYNAMIC_PACKAGE:
        raise StateError(f"{resource.name} is of {type_}: only dynamic resources can be imported")
    resource.parent = parent
    resource.created = resource.modified = state.now()
    return resource
