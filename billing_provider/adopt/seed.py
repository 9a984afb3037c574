"""The seed of a sandbox from what an account has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.inventory import entity_of, names_in
from billing_provider.budgets.skus import pricing_type
from billing_provider.core.errors import TransportError
from billing_provider.core.owners import COST_CENTER_SCOPES, ENTERPRISE, ORGANIZATION
from billing_provider.cost_centers.cache import matching
from billing_provider.cost_centers.models import (
    ACTIVE,
    DELETED,
    ENTERPRISE_TEAMS,
    MEMBER_KINDS,
    ORGANIZATIONS,
    REPOSITORIES,
    USERS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from billing_provider.adopt.inventory import Inventory
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def seed_of(inventories: Sequence[Inventory]) -> dict[str, Any]:
    """Return what an enterprise and some organizations have as the seed of a sandbox, with GitHub's ids.

    It has no usage, so the sandbox has none.

    Args:
        inventories: What the enterprise has, then what the organizations have.

    Raises:
        TransportError: The readings do not fit together.
    """
    enterprise, *organizations = inventories
    centers = enterprise.cost_centers
    budgets = [
        _budget_entry(enterprise.owner, budget, centers)
        for budget in enterprise.budgets
        # A cost center that was not understood is left out, and so are its budgets.
        if not (enterprise.odd_cost_centers and _covers_no_center(budget, centers))
    ]
    for each in organizations:
        own = [_budget_entry(each.owner, budget, centers) for budget in each.budgets]
        budgets += [{ORGANIZATION: each.owner.slug, **budget} for budget in own]
    names = names_in(inventories)
    repositories = [name for name in names.repositories if "/" in name]
    owners = [name.partition("/")[0] for name in repositories]
    return {
        ENTERPRISE: enterprise.owner.slug,
        ORGANIZATIONS: _once([*names.organizations, *owners]),
        REPOSITORIES: _once(repositories),
        # GitHub may send mail addresses among the recipients. The order would tell where a masked login was found.
        USERS: sorted(filter(_LOGIN.fullmatch, _once(names.people)), key=str.lower),
        "cost_centers": [_center_entry(center) for center in centers],
        "budgets": budgets,
        "generated_usage": False,
    }


def _center_entry(center: CostCenterDetails) -> dict[str, Any]:
    return {
        "id": center.id,
        "name": center.name,
        "state": center.state,
        "ai_credit_pool_enabled": bool(center.ai_credit_pool_enabled),
        **{
            kind: [name.removeprefix("ent:") if kind == ENTERPRISE_TEAMS else name for name in center.members(kind)]
            for kind in MEMBER_KINDS
        },
    }


def _budget_entry(owner: Owner, budget: Budget, centers: list[CostCenterDetails]) -> dict[str, Any]:
    scope, alerting = budget.budget_scope, budget.budget_alerting
    entity = entity_of(owner, budget) or budget.user or owner.slug
    if scope in COST_CENTER_SCOPES:
        entity = _center_id(owner, budget, centers)
    entry = {
        "id": budget.id,
        "budget_scope": scope,
        "budget_entity_name": entity,
        "budget_type": budget.budget_type or pricing_type(budget.budget_product_sku),
        "budget_product_sku": budget.budget_product_sku,
        "budget_amount": budget.budget_amount,
        "prevent_further_usage": budget.prevent_further_usage,
        "budget_alerting": {
            "will_alert": alerting is not None and alerting.will_alert,
            "alert_recipients": [] if alerting is None else list(alerting.alert_recipients),
        },
    }
    optional = ("user", "expires_at", "exclude_cost_center_usage")
    return {**entry, **{name: value for name in optional if (value := getattr(budget, name)) is not None}}


def _covers_no_center(budget: Budget, centers: list[CostCenterDetails]) -> bool:
    return budget.budget_scope in COST_CENTER_SCOPES and not _named(budget, centers)


def _named(budget: Budget, centers: list[CostCenterDetails]) -> list[CostCenterDetails]:
    return matching(budget.budget_entity_name or "", centers, (ACTIVE, DELETED))


def _center_id(owner: Owner, budget: Budget, centers: list[CostCenterDetails]) -> str:
    """Return the id of the cost center that a listing names."""
    fitting = _named(budget, centers)
    if not fitting:
        raise TransportError(
            f"read the budgets of {owner}: budget {budget.id} names the cost center {budget.budget_entity_name}, "
            "which GitHub does not list. Nothing was written: run again."
        )
    return fitting[0].id


def _once(names: Iterable[str]) -> list[str]:
    """Return the names in their first spelling; GitHub ignores case."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return list(found.values())
