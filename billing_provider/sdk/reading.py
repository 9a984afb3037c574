"""The id that a `.get` reads: from an id, from an address, or from the key of a declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.links import READABLE, read_resource_id
from billing_provider.sdk.invoke import brief, check_settings, later

if TYPE_CHECKING:
    from collections.abc import Callable


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
