"""The request bodies of a create and an update, built from the declarations of the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets.fields import declared_fields
from billing_provider.core.errors import BillingError, OutcomeError
from billing_provider.core.owners import USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from billing_provider.budgets.models import Budget, BudgetSpec


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


def patch_bodies(spec: BudgetSpec, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the bodies of an update: fields that GitHub does not describe, which it may refuse, then the others."""
    declared = declared_fields(type(spec))
    changed = list(names)
    together = [name for name in changed if declared[name].described]
    parts = [*([name] for name in changed if name not in together), together]
    return [patch_body(spec, part) for part in parts if part]


def send_parts(
    send: Callable[[dict[str, Any]], Budget | None], bodies: Iterable[dict[str, Any]]
) -> list[Budget | None]:
    """Send the bodies of an update one after the other, and return the replies.

    Raises:
        BillingError: The first one failed, and nothing was changed.
        OutcomeError: A later one failed.
    """
    replies: list[Budget | None] = []
    done: list[str] = []
    for body in bodies:
        try:
            replies.append(send(body))
        except BillingError as error:
            if not done:
                raise
            raise OutcomeError(
                f"{error} Before that, {', '.join(done)} was changed on GitHub: run `pulumi refresh`, then `pulumi up`."
            ) from None
        done += body
    return replies


def doubts(spec: BudgetSpec, budget: Budget, names: Iterable[str]) -> list[str]:
    """Return what a reply says of written fields that GitHub does not describe: it can ignore them.

    Args:
        spec: The budget as declared.
        budget: The budget in the reply.
        names: The fields that were written; others are ignored.
    """
    undescribed = {name for name, field in declared_fields(type(spec)).items() if not field.described}
    return [
        f"GitHub's description of its API has no {name}, and its reply "
        + ("does not show it" if (live := getattr(budget, name)) is None else f"says {str(live).lower()}")
        + ": check it on GitHub"
        for name in names
        if name in undescribed and getattr(budget, name) != getattr(spec, name)
    ]
