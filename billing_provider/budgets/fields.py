"""What is declared of a field: its text, what a change does, how values compare, and how a value is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.clock import instant
from billing_provider.core.owners import ENTERPRISE, MULTI_USER_CUSTOMER, ORGANIZATION, REPOSITORY, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from billing_provider.core.owners import Owner


class Form(NamedTuple):
    """The types of one field's values.

    Attributes:
        inputs: As a program writes it.
        state: As a state of any version holds it.
    """

    inputs: Any
    state: Any


class Place(NamedTuple):
    """The budget in which a value stands."""

    owner: Owner
    scope: str


def _as_it_is(value: Any) -> Any:
    return value


def _alone(value: Any, _place: Place) -> Any:
    return value


def _every(_scope: str) -> bool:
    return True


@dataclass(frozen=True)
class Declared:
    """Everything that is known of one field of a budget; it stands in the annotation of the field.

    Attributes:
        text: What it means, as in the reference.
        change: What a change does to the budget: it replaces it, one PATCH updates it, or nothing happens.
        form: The types of its values.
        sent: When a create sends it: always, only where it is declared, or never.
        required: Whether a program must give it.
        write: How its value is sent.
        meaning: What two values of one meaning have in common, in a budget; absent and None are equal.
        in_scope: Whether the budgets of a scope have it; a scope may be newer than this package.
        seen_elsewhere: Whether a value that GitHub shows for another scope counts as a difference.
    """

    text: str
    change: Literal["replaces", "updates", "nothing"]
    form: Form
    sent: Literal["always", "if_declared", "never"]
    required: bool = False
    write: Callable[[Any], Any] = _as_it_is
    meaning: Callable[[Any, Place], Any] = _alone
    in_scope: Callable[[str], bool] = _every
    seen_elsewhere: bool = False


def declared_fields(model: type[BaseModel]) -> dict[str, Declared]:
    """Return what a model declares of its fields, in their order.

    Raises:
        TypeError: A field declares nothing.
    """
    found = {
        name: [entry for entry in field.metadata if isinstance(entry, Declared)]
        for name, field in model.model_fields.items()
    }
    if silent := [name for name, entries in found.items() if len(entries) != 1]:
        raise TypeError(f"{model.__name__}: the annotation of {', '.join(silent)} needs one Declared(...)")
    return {name: entry for name, (entry,) in found.items()}


# --- which scopes have a field


def only(wanted: str) -> Callable[[str], bool]:
    """Return the test for one scope."""
    return lambda scope: scope == wanted


def all_but(unwanted: str) -> Callable[[str], bool]:
    """Return the test for all other scopes."""
    return lambda scope: scope != unwanted


# --- what values mean


def fold(value: Any, _place: Place) -> str:
    """Read a login or a slug, in any case."""
    return str(value or "").lower()


def entity(value: Any, place: Place) -> str:
    """Return an entity in one spelling: empty where the scope leaves no choice."""
    owner, scope = place
    name = fold(value, place)
    if scope in (ENTERPRISE, MULTI_USER_CUSTOMER, USER) or scope == owner.kind.noun:
        return ""
    if scope == REPOSITORY and "/" not in name and owner.kind.noun == ORGANIZATION:
        return f"{owner.slug}/{name}".lower()
    return name


def sku(value: Any, _place: Place) -> str:
    """Read a product or SKU under any of its names."""
    return canonical_sku(value or "")


def recipients(value: Any, _place: Place) -> Any:
    """Read alerting as the set of those who are told; absent and switched off are equal, whoever is listed."""
    told = bool(value and value["will_alert"])
    return told and frozenset(login.lower() for login in value["alert_recipients"])


def moment(value: Any, _place: Place) -> Any:
    """Read a time."""
    try:
        return instant(value) if value else None
    except ValueError:
        # Nobody has seen how GitHub writes all of them; what is no time equals only itself.
        return value


def flag(value: Any, _place: Place) -> bool:
    """Read a flag that is off when it is absent."""
    return bool(value)


# --- how values are sent


def write_day(value: str | None) -> str | None:
    """Return an expiry in the one form that GitHub takes, or None, which clears it."""
    return instant(value).date().isoformat() if value else None
