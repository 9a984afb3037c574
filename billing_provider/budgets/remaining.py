"""The cap that remains for a person whose own budget goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import removal
from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, OwnerCache
from billing_provider.budgets.identity import live_inputs, unsure_scopes
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.owners import MULTI_USER_COST_CENTER, MULTI_USER_CUSTOMER, USER, owner_of
from billing_provider.core.resource import SECRET_INPUTS, secret_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from billing_provider.budgets.models import Budget
    from billing_provider.runtime.run import Run


def remaining(
    run: Run,
    before: Mapping[str, Any],
    listing: Callable[[OwnerCache], Mapping[str, Budget]] = lambda budgets: budgets.complete(CREATE_FRESH_SECONDS),
) -> dict[str, Any]:
    """Return the inputs of the cap that remains when a budget goes; empty if none does.

    Args:
        run: The state shared by the resources of this engine run.
        before: The inputs of the budget that goes.
        listing: Returns the budgets of an owner by id; only the budget of a person needs them.

    Raises:
        BillingError: The budgets cannot be listed.
    """
    if before.get("budget_scope") != USER:
        return {}
    return _largest(run, before, listing(run.cache(OwnerCache, owner_of(before))).values())


def words(run: Run, before: Mapping[str, Any]) -> str:
    """Return which cap remains for a person, as far as this run has listed it; nothing is sent.

    Args:
        run: The state shared by the resources of this engine run.
        before: The inputs of the budget that goes.
    """
    if before.get("budget_scope") != USER:
        return ""
    rest = _largest(run, before, run.cache(OwnerCache, owner_of(before)).listed())
    return f"without it, the person has at most the {removal.described(owner_of(rest).kind, rest)}" if rest else ""


def _largest(run: Run, before: Mapping[str, Any], budgets: Collection[Budget]) -> dict[str, Any]:
    """Return the inputs of the largest cap of every user, or of each member of a cost center.

    The cap of a cost center's members precedes that of every user. Who is a member is not always known, as through a
    team; so the largest one counts, and without one of every user, none.
    """
    sku, unsure = canonical_sku(before["budget_product_sku"]), unsure_scopes(budgets)
    alike = [budget for budget in budgets if canonical_sku(budget.budget_product_sku) == sku]
    of_all = [budget for budget in alike if budget.budget_scope == MULTI_USER_CUSTOMER]
    of_members = [each for each in alike if each.budget_scope == MULTI_USER_COST_CENTER or each.id in unsure]
    if not of_all:
        return {}
    largest = max([*of_all, *of_members], key=lambda budget: budget.budget_amount)
    secret = sorted(secret_inputs(run.registry.state(largest.id)))
    return {**live_inputs(owner_of(before), {}, largest, frozenset()), **({SECRET_INPUTS: secret} if secret else {})}
