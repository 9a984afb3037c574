"""The cap that remains for a person whose own budget goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import removal
from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, OwnerCache
from billing_provider.budgets.identity import live_inputs, unsure_scopes
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.owners import MULTI_USER_COST_CENTER, MULTI_USER_CUSTOMER, PER_USER_SCOPES, USER, owner_of
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
    return _largest(run, before, listing(run.cache(OwnerCache, owner_of(before))).values())[0]


def words(run: Run, before: Mapping[str, Any]) -> str:
    """Return which cap remains for a person, as far as this run has listed it; nothing is sent.

    Args:
        run: The state shared by the resources of this engine run.
        before: The inputs of the budget that goes.
    """
    if before.get("budget_scope") != USER:
        return ""
    budgets = run.cache(OwnerCache, owner_of(before))
    # A listing of one scope does not show which other caps there are.
    rest, is_sure = _largest(run, before, budgets.listed()) if budgets.is_complete() else ({}, False)
    if not is_sure:
        return ""
    return f"without it, the person has at most the {removal.described(owner_of(rest).kind, rest)}"


def _largest(run: Run, before: Mapping[str, Any], budgets: Collection[Budget]) -> tuple[dict[str, Any], bool]:
    """Return the inputs of the largest cap of every user, or of each member of a cost center, and whether it is one.

    The cap of a cost center's members precedes that of every user. Who is a member is not always known, as through a
    team; so the largest one counts, and without one of every user, none. Some accounts list caps of members as those of
    the whole cost center, unless this run knows better.
    """
    sku, unsure = canonical_sku(before["budget_product_sku"]), unsure_scopes(budgets)
    scopes = {
        budget.id: run.registry.state(budget.id).get("budget_scope", MULTI_USER_COST_CENTER)
        if budget.id in unsure
        else budget.budget_scope
        for budget in budgets
        if canonical_sku(budget.budget_product_sku) == sku
    }
    if MULTI_USER_CUSTOMER not in scopes.values():
        return {}, False
    caps = [each for each in budgets if scopes.get(each.id) in {MULTI_USER_CUSTOMER, MULTI_USER_COST_CENTER}]
    largest = max(caps, key=lambda budget: budget.budget_amount)
    # Without a program, as in a destroy, the run does not know what another resource declares as secret.
    known = secret_inputs(run.registry.state(largest.id))
    secret = sorted(known if run.registry.has_checked() else known | {"budget_amount"})
    inputs = live_inputs(owner_of(before), {}, largest, frozenset())
    return {**inputs, **({SECRET_INPUTS: secret} if secret else {})}, largest.budget_scope in PER_USER_SCOPES
