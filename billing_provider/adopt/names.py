"""Names of exported resources: readable, unique, and the same in each export."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from billing_provider.core.owners import (
    COST_CENTER_SCOPES,
    ENTERPRISE,
    MULTI_USER_COST_CENTER,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    REPOSITORY,
    USER,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from billing_provider.core.owners import Owner

_MOST = 60
"""The maximum length of one part of a name, in characters."""


def budget_name(owner: Owner, inputs: Mapping[str, Any], cost_center: str) -> str:
    """Return the readable name of a budget; other budgets can have the same.

    Args:
        owner: The owner of the budget.
        inputs: Its checked inputs.
        cost_center: The name of the cost center that it covers, if it covers one.
    """
    scope, entity = inputs["budget_scope"], inputs["budget_entity_name"]
    covers = {
        ENTERPRISE: (ENTERPRISE,),
        ORGANIZATION: (ENTERPRISE, "org", entity),
        REPOSITORY: ("repo", entity),
        MULTI_USER_CUSTOMER: ("per-user",),
        USER: ("user", inputs.get("user", "")),
    }
    parts: tuple[str, ...] = ("cost-center", cost_center) if scope in COST_CENTER_SCOPES else covers[scope]
    if scope == MULTI_USER_COST_CENTER:
        parts += ("per-user",)
    if owner.kind.noun == ORGANIZATION:
        parts = ("org", owner.slug, *(parts if scope != ORGANIZATION else ()))
        if scope == REPOSITORY:
            parts = (*parts[:-1], entity.rpartition("/")[2])
    return _joined(*parts, inputs["budget_product_sku"])


def cost_center_name(name: str) -> str:
    """Return the readable name of a cost center; others can have the same."""
    return _joined("cost-center", name)


def table_name(owner: Owner) -> str:
    """Return the readable name of the table of an owner's people; others can have the same."""
    return _joined("org", owner.slug, "people") if owner.kind.noun == ORGANIZATION else "people"


def unique(wanted: str, taken: Collection[str]) -> str:
    """Return the wanted name, with the lowest number that makes it unique."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def variable(name: str) -> str:
    """Return the variable that holds the resource of a name."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if word.isidentifier() and not keyword.iskeyword(word) else f"resource_{word}"


def _joined(*parts: str) -> str:
    return "-".join(filter(None, map(_word, parts)))


def _word(text: str) -> str:
    """Return a text in lower case, with only letters, digits and hyphens; it can be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_MOST].strip("-")
