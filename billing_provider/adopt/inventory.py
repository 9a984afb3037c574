"""Everything that owners have on GitHub: all budgets and all active cost centers, from complete listings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.skus import BUNDLES
from billing_provider.core.ids import read_slug
from billing_provider.core.owners import (
    COST_CENTER,
    ENTERPRISE,
    ENTERPRISE_OWNER,
    MULTI_USER_COST_CENTER,
    ORGANIZATION_OWNER,
    USER,
    Owner,
)
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE, USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from billing_provider.budgets.models import Budget
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run


@dataclass(frozen=True)
class Inventory:
    """What one owner has on GitHub.

    Attributes:
        owner: The owner.
        budgets: All its budgets.
        cost_centers: Its active cost centers, each with all its members; only an enterprise has some.
    """

    owner: Owner
    budgets: list[Budget]
    cost_centers: list[CostCenterDetails] = field(default_factory=list)


def owners_of(enterprises: Sequence[str], organizations: Sequence[str]) -> list[Owner]:
    """Return the owners by slug and login, each once, enterprises first.

    Raises:
        ConfigError: A slug or a login is invalid.
    """
    found = [Owner(ENTERPRISE_OWNER, read_slug("--enterprise", slug)) for slug in enterprises]
    found += [Owner(ORGANIZATION_OWNER, read_slug("--org", login)) for login in organizations]
    return list({owner.key: owner for owner in found}.values())


def read_inventories(run: Run, owners: Sequence[Owner]) -> list[Inventory]:
    """Read all budgets and active cost centers of owners; only GET requests are sent.

    Args:
        run: Endpoints and caches.
        owners: The owners.

    Raises:
        BillingError: A listing cannot be read, or stays incomplete.
    """
    return [Inventory(owner, list(_budgets(run, owner)), list(_cost_centers(run, owner))) for owner in owners]


def masked(inventories: Sequence[Inventory]) -> list[Inventory]:
    """Return the same with people's logins replaced by `user-1`, `user-2` and so on, to be shared."""
    logins = {login.lower() for inventory in inventories for login in _logins(inventory)}
    masks = {login: f"user-{number}" for number, login in enumerate(sorted(logins), 1)}
    return [_masked(inventory, masks) for inventory in inventories]


def _logins(inventory: Inventory) -> Iterator[str]:
    for budget in inventory.budgets:
        yield from filter(None, [budget.user, budget.budget_entity_name if budget.budget_scope == USER else None])
        yield from budget.budget_alerting.alert_recipients if budget.budget_alerting else ()
    for center in inventory.cost_centers:
        yield from center.members(USERS)


def _masked(inventory: Inventory, masks: Mapping[str, str]) -> Inventory:
    budgets = []
    for budget in inventory.budgets:
        changed: dict[str, Any] = {}
        if budget.user:
            changed["user"] = masks[budget.user.lower()]
        if budget.budget_scope == USER and budget.budget_entity_name:
            changed["budget_entity_name"] = masks[budget.budget_entity_name.lower()]
        if budget.budget_alerting:
            recipients = [masks[login.lower()] for login in budget.budget_alerting.alert_recipients]
            changed["budget_alerting"] = budget.budget_alerting.model_copy(update={"alert_recipients": recipients})
        budgets.append(budget.model_copy(update=changed))
    centers = [
        replace(
            center,
            resources=tuple(
                replace(member, name=masks[member.name.lower()]) if member.kind == USERS else member
                for member in center.resources
            ),
        )
        for center in inventory.cost_centers
    ]
    return Inventory(inventory.owner, budgets, centers)


def _budgets(run: Run, owner: Owner) -> Iterator[Budget]:
    listed = run.cache(OwnerCache, owner).complete()
    lists_per_member_scope = any(budget.budget_scope == MULTI_USER_COST_CENTER for budget in listed.values())
    for budget in listed.values():
        # Some accounts list a budget of this scope as cost_center; only the budget itself tells.
        looks_plain = budget.budget_scope == COST_CENTER and budget.prevent_further_usage
        if looks_plain and budget.budget_product_sku in BUNDLES and not lists_per_member_scope:
            run.reporter.status(f"budget {budget.id} of {owner}")
            scope = run.api(BudgetsApi).get_budget(owner, budget.id).budget_scope
            yield budget.model_copy(update={"budget_scope": scope})
        else:
            yield budget


def _cost_centers(run: Run, owner: Owner) -> Iterator[CostCenterDetails]:
    if owner.kind.noun != ENTERPRISE:
        return
    for center in run.cache(CostCenterCache, owner).list_all():
        if center.state == ACTIVE:
            run.reporter.status(f"cost center {center.name} of {owner}")
            # A listing may contain only some of the members.
            yield run.api(CostCentersApi).get_cost_center(owner, center.id)
