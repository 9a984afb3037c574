"""The budgets of a listing that apply to one user: GitHub's filter `user` selects figures, not budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.owners import (
    COST_CENTER_SCOPES,
    MULTI_USER_COST_CENTER,
    MULTI_USER_CUSTOMER,
    PER_USER_SCOPES,
    USER,
)
from billing_provider.cost_centers.cache import matching
from billing_provider.cost_centers.models import ACTIVE, ENTERPRISE_TEAMS, ORGANIZATIONS, USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from billing_provider.budgets.models import BudgetDetails
    from billing_provider.cost_centers.models import CostCenterDetails

    Centers = Sequence[CostCenterDetails]

_NARROWEST_FIRST = (USER, MULTI_USER_COST_CENTER, MULTI_USER_CUSTOMER)


def of_user(
    budgets: Sequence[BudgetDetails], user: str, read_centers: Callable[[], Centers | None]
) -> list[BudgetDetails]:
    """Return the budgets that apply, or may apply, to a user.

    Of the caps per user for one SKU, the narrowest applies: the user's own, that of the cost center, the one for every
    user. A budget of a cost center applies to its members. Other budgets apply to whoever uses what they cover.

    Args:
        budgets: All budgets of an owner.
        user: The login.
        read_centers: Returns the cost centers of the owner, or None if the token may not read them.
    """
    login = user.lower()
    mine = [each for each in budgets if each.budget_scope != USER or _login(each) == login]
    # Whether the user is a member; None if that is not known.
    member: dict[str, bool | None] = {}
    if any(each.budget_scope in COST_CENTER_SCOPES or each.exclude_cost_center_usage for each in mine):
        centers = read_centers()
        for each in mine:
            if each.budget_scope in COST_CENTER_SCOPES:
                member[each.id] = _is_in(each.budget_entity_name or "", login, centers)
            elif each.exclude_cost_center_usage and any(_has(center, login) for center in centers or ()):
                member[each.id] = False
    mine = [each for each in mine if member.get(each.id, True) is not False]
    # The narrowest cap that applies for certain, by SKU.
    narrowest: dict[str, int] = {}
    for each in mine:
        if each.budget_scope in PER_USER_SCOPES and member.get(each.id, True):
            sku = canonical_sku(each.budget_product_sku)
            narrowest[sku] = min(_rank(each), narrowest.get(sku, _rank(each)))
    return [each for each in mine if _rank(each) <= narrowest.get(canonical_sku(each.budget_product_sku), _rank(each))]


def _rank(budget: BudgetDetails) -> int:
    """Return the place of a cap per user, from the narrowest; 0 for another budget."""
    return _NARROWEST_FIRST.index(budget.budget_scope) if budget.budget_scope in PER_USER_SCOPES else 0


def _login(budget: BudgetDetails) -> str:
    return (budget.user or budget.budget_entity_name or "").lower()


def _has(center: CostCenterDetails, login: str) -> bool:
    return center.state == ACTIVE and login in map(str.lower, center.members(USERS))


def _is_in(name: str, login: str, centers: Centers | None) -> bool | None:
    """Return whether a user is in a cost center: False, unless GitHub lists the user or other kinds of members there.

    A user is in one cost center at most, and a membership by login takes precedence.
    """
    found = matching(name, list(centers or ()), (ACTIVE,))
    if any(_has(center, login) for center in found):
        return True
    if found and any(_has(center, login) for center in centers or ()):
        return False
    others = any(center.members(kind) for center in found for kind in (ORGANIZATIONS, ENTERPRISE_TEAMS))
    return None if others or not found else False
