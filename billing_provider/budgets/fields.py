"""The declaration of a field: its text, the effect of a change, how values compare, and how a value is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.clock import instant
from billing_provider.core.owners import (
    ENTERPRISE,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    PER_USER_SCOPES,
    REPOSITORY,
    USER,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from billing_provider.core.owners import Owner


class FieldTypes(NamedTuple):
    """The types of one field's values.

    Attributes:
        inputs: The type in a program.
        state: The type in a state of any version.
    """

    inputs: Any
    state: Any


class Context(NamedTuple):
    """The owner and the scope of the budget that contains a value."""

    owner: Owner
    scope: str


def _as_it_is(value: Any) -> Any:
    return value


def _alone(value: Any, _place: Context) -> Any:
    return value


def _every(_scope: str) -> bool:
    return True


@dataclass(frozen=True)
class Declared:
    """The declaration of one field of a budget, in the field's annotation.

    Attributes:
        text: The description of the field in the reference.
        change: The effect of a change: it replaces the budget, updates it by one PATCH, is stored in the state only,
            or has no effect.
        form: The types of the values.
        sent: When a create sends the field: always, only if it is declared, or never.
        required: Whether a program must set the field.
        write: Converts a value for a request.
        normalize: Normalizes a value for comparison, in a budget; absent and None are equal.
        in_scope: Whether budgets of a scope have the field; a scope may be newer than this package.
        seen_elsewhere: Whether a value that GitHub returns for another scope counts as a difference.
        described: Whether GitHub's description of its API has the field. What GitHub does with one that it lacks is not
            known, so an update sends it in a request of its own, and its result is not taken for granted.
    """

    text: str
    change: Literal["replaces", "updates", "stored", "nothing"]
    form: FieldTypes
    sent: Literal["always", "if_declared", "never"]
    required: bool = False
    write: Callable[[Any], Any] = _as_it_is
    normalize: Callable[[Any, Context], Any] = _alone
    in_scope: Callable[[str], bool] = _every
    seen_elsewhere: bool = False
    described: bool = True


def declared_fields(model: type[BaseModel]) -> dict[str, Declared]:
    """Return the declarations of the fields of a model, in their order.

    Raises:
        TypeError: A field does not have exactly one declaration.
    """
    found = {
        name: [entry for entry in field.metadata if isinstance(entry, Declared)]
        for name, field in model.model_fields.items()
    }
    if silent := [name for name, entries in found.items() if len(entries) != 1]:
        raise TypeError(f"{model.__name__}: the annotation of {', '.join(silent)} needs one Declared(...)")
    return {name: entry for name, (entry,) in found.items()}


# --- scopes of a field


def only(wanted: str) -> Callable[[str], bool]:
    """Return a function that accepts one scope."""
    return lambda scope: scope == wanted


def all_but(unwanted: str) -> Callable[[str], bool]:
    """Return a function that accepts all other scopes."""
    return lambda scope: scope != unwanted


# --- normalized values


def fold(value: Any, _place: Context) -> str:
    """Return a login or a slug in lower case."""
    return str(value or "").lower()


def entity(value: Any, place: Context) -> str:
    """Return a normalized entity; it is empty if the scope determines the entity."""
    owner, scope = place
    name = fold(value, place)
    if scope in (ENTERPRISE, MULTI_USER_CUSTOMER, USER) or scope == owner.kind.noun:
        return ""
    if scope == REPOSITORY and "/" not in name and owner.kind.noun == ORGANIZATION:
        return f"{owner.slug}/{name}".lower()
    return name


def sku(value: Any, _place: Context) -> str:
    """Return the canonical name of a product or SKU."""
    return canonical_sku(value or "")


def pricing(value: Any, place: Context) -> Any:
    """Return a pricing type; a budget of users covers one product, so its type has no meaning, and accounts differ."""
    return None if place.scope in PER_USER_SCOPES else value


def recipients(value: Any, _place: Context) -> Any:
    """Return the set of alerted logins; absent and disabled alerting are equal, regardless of the recipients."""
    enabled = bool(value and value["will_alert"])
    return enabled and frozenset(login.lower() for login in value["alert_recipients"])


def moment(value: Any, _place: Context) -> Any:
    """Return a time, or the unchanged value if it cannot be parsed."""
    try:
        return instant(value) if value else None
    except ValueError:
        # GitHub's time formats are not fully known; a value that cannot be parsed equals only itself.
        return value


def flag(value: Any, _place: Context) -> bool:
    """Return a flag; absent means False."""
    return bool(value)


# --- values in requests


def write_day(value: str | None) -> str | None:
    """Return an expiry in the form that GitHub accepts, or None, which clears it."""
    return instant(value).date().isoformat() if value else None
