"""The request bodies of a create and an update, built from the declarations of the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets.fields import declared_fields
from billing_provider.core.owners import USER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing_provider.budgets.models import BudgetSpec


def create_body(spec: BudgetSpec, entity: str) -> dict[str, Any]:
    """Return the body of a create: the fields that GitHub requires, and the others only if they are declared.

    Args:
        spec: The budget.
        entity: The entity in the form that GitHub accepts.
    """
    values = {**dict(spec), "budget_entity_name": "" if spec.budget_scope == USER else entity}
    return {
        name: field.write(values[name])
        for name, field in declared_fields(type(spec)).items()
        if field.sent == "always" or (field.sent == "if_declared" and values[name])
    }


def patch_body(spec: BudgetSpec, names: Iterable[str]) -> dict[str, Any]:
    """Return the body of an update of these fields, with their complete declared values; an expiry can be cleared."""
    declared = declared_fields(type(spec))
    return {name: declared[name].write(getattr(spec, name)) for name in names}
