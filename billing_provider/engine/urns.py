"""Build and parse URNs."""

from __future__ import annotations

ROOT_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE_PREFIX = "pulumi:providers:"
DYNAMIC_PACKAGE = "pulumi-python"


def build(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return the URN of a resource; its type is prefixed by the types of its parents, without the stack."""
    qualified = type_
    if parent and type_of(parent) != ROOT_TYPE:
        qualified = f"{qualified_type_of(parent)}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def of_stack(stack: str, project: str) -> str:
    """Return the URN of the stack itself."""
    return build(stack, project, "", ROOT_TYPE, f"{project}-{stack}")


def qualified_type_of(urn: str) -> str:
    """Return the type part of a URN: the types of the parents and of the resource."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """Return the resource's own type."""
    return qualified_type_of(urn).rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """Return the resource's name."""
    return urn.split("::", 3)[3]


def package_of(type_: str) -> str:
    """Return the package of a type; for a provider's type, the package that it configures."""
    if type_.startswith(PROVIDER_TYPE_PREFIX):
        return type_.removeprefix(PROVIDER_TYPE_PREFIX)
    return type_.split(":", 1)[0]


def is_default_provider(urn: str) -> bool:
    """Return whether the URN is that of a default provider, which is not displayed."""
    return is_provider(type_of(urn)) and name_of(urn).split("_")[0] == "default"


def is_provider(type_: str) -> bool:
    """Return whether the type is that of a provider."""
    return type_.startswith(PROVIDER_TYPE_PREFIX)
