"""What the deletion of a budget removes, told from its state before it happens; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import consequences
from billing_provider.budgets.change import Change
from billing_provider.budgets.consequences import Terms
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.states import BudgetState
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import (
    COST_CENTER,
    MULTI_USER_COST_CENTER,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    OWNER_KINDS,
    REPOSITORY,
    USER,
    Owner,
    OwnerKind,
)
from billing_provider.core.redact import clean
from billing_provider.core.resource import read_state, secret_inputs
from billing_provider.core.settings import NAMESPACE
from billing_provider.runtime.on_delete import KEPT_ON_DELETE, ON_DELETE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.budgets.models import Budget

_KINDS = {f"pulumi-python:dynamic/{NAMESPACE}:{kind.resource}": kind for kind in OWNER_KINDS.values()}
_COVERED = {
    COST_CENTER: "cost center {budget_entity_name} in {owner}",
    MULTI_USER_COST_CENTER: "each user of cost center {budget_entity_name} in {owner}",
    MULTI_USER_CUSTOMER: "each user of {owner}",
    ORGANIZATION: "{budget_entity_name}",
    REPOSITORY: "{budget_entity_name}",
    USER: "{user} in {owner}",
}


def cap(type_: str, state: Mapping[str, Any]) -> str:
    """Return the cap of a budget in the state, such as `$100 hard stop on actions of octo-org`.

    It is empty for a resource that is no budget, and for a state that is incomplete or damaged: then the deletion
    itself reports what is wrong.

    Args:
        type_: The type of the resource.
        state: Its inputs and outputs.
    """
    kind = _KINDS.get(type_)
    return cap_in_state(kind, state) if kind else ""


def cap_in_state(kind: OwnerKind, state: Mapping[str, Any], live: Budget | None = None) -> str:
    """Return the cap of a budget in the state, as it stands; empty if the state is incomplete or damaged.

    Args:
        kind: The kind of its owner.
        state: Its inputs and outputs.
        live: The budget on GitHub, if it was read.
    """
    try:
        known = read_state(BudgetState, state)
        return clean(_cap(kind, Change.standing(Owner(kind, known[kind.noun]), known, live)))
    except (ConfigError, KeyError):
        return ""


def described(kind: OwnerKind, fields: Mapping[str, Any], unknown: frozenset[str] = frozenset()) -> str:
    """Return the cap of a budget and what it covers, from its inputs.

    Args:
        kind: The kind of its owner.
        fields: The inputs.
        unknown: The names of the inputs not known yet.
    """
    return _cap(kind, {**dict.fromkeys(unknown, "[not known yet]"), **fields}, unknown)


def remains(state: Mapping[str, Any], *, retained: bool) -> str:
    """Return why no cap goes by the deletion of a budget, or an empty text: it stays on GitHub, or is gone already.

    Args:
        state: Its inputs and outputs.
        retained: Whether the program keeps it by Pulumi's option.
    """
    if state.get(EXPIRED) is True:
        return "which has expired"
    reason = "retain_on_delete" if retained else f"{ON_DELETE} is keep" if state.get(KEPT_ON_DELETE) is True else ""
    return f"which stays on GitHub ({reason})" if reason else ""


def _cap(kind: OwnerKind, state: Mapping[str, Any], unknown: frozenset[str] = frozenset()) -> str:
    covered = _COVERED.get(state["budget_scope"], "{owner}")
    if state["budget_scope"] == kind.noun:
        covered = "{owner}"
    shown = {**state, **dict.fromkeys(secret_inputs(state), "[secret]")}
    where = covered.format_map({**shown, "owner": shown[kind.noun]})
    known = {name: value for name, value in state.items() if name not in unknown}
    return f"{consequences.cap(Terms.of(known, unknown))} on {shown['budget_product_sku']} of {where}"
