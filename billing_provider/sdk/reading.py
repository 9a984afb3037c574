"""The id that a `.get` reads: from an id, from an address, or from the key of a declaration."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.links import READABLE, read_resource_id
from billing_provider.sdk.invoke import brief, check_settings, later

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R", bound=pulumi.Resource)


def id_to_read(
    resource: str,
    resource_name: str,
    id_: pulumi.Input[str] | None,
    key: dict[str, Any],
    find: Callable[..., str],
) -> pulumi.Output[str]:
    """Return the resource id to read.

    Args:
        resource: The name of the kind of resource.
        resource_name: The name of the resource in the program.
        id_: The id or the address, if one is given.
        key: The key; its inputs that are None are left out.
        find: Finds the resource id by a key, by reads.

    Raises:
        ConfigError: Both or none of them are given, or a setting is unknown.
    """
    check_settings()
    given = {name: value for name, value in key.items() if value is not None}
    if (id_ is None) is not bool(given):
        raise brief(ConfigError(f"{resource_name}: give {resource}.get either the id or address, or the key"))
    if id_ is None:
        return later(find, **given)
    (kind,) = [each for each in READABLE if each.resource == resource]

    def parse(text: str) -> str:
        try:
            return read_resource_id(kind, text)
        except BillingError as error:
            raise brief(ConfigError(f"{resource_name}: {error}")) from None

    return pulumi.Output.from_input(id_).apply(parse)


def with_known_id(resource: R, read: pulumi.Output[str]) -> R:
    """Return a resource that reads, with the id that it reads as its output `id`.

    With a Pulumi CLI that does not return the id of a read, such as 3.260, the SDK makes the id unknown in a preview.
    A budget that refers to it, by `cost_center=CostCenter.get(...)`, would then be shown as replaced.
    """
    # The URN adds the dependency on the resource.
    vars(resource)["id"] = pulumi.Output.all(read, resource.urn).apply(operator.itemgetter(0))
    return resource
