"""Consumption of budgets: the usage in their scope in this month, since their creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.access import only_enterprise_staff
from billing_provider.sandbox.operations.budget_rules import PER_USER_SCOPES
from billing_provider.sandbox.operations.replies import Reply, not_found
from billing_provider.sandbox.store import ledger, skus
from billing_provider.sandbox.store.clock import utc
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.operations.quirks import Quirks
    from billing_provider.sandbox.store.ledger import UsageRow
    from billing_provider.sandbox.store.records import StoredBudget
    from billing_provider.sandbox.store.state import SandboxState

_BUNDLES = {"ai_credits": "ai_credit", "premium_requests": "premium_request"}
_ALL = 100


def consumed(state: SandboxState, quirks: Quirks, budget: StoredBudget, user: str | None = None) -> float:
    """Return the consumption of a budget in dollars or licenses, optionally of one user.

    Budgets of single users count included usage too; the others count only usage beyond it. The users of the sandbox
    have Copilot Business: through GHEC, and standalone, Copilot includes nothing.
    """
    gross = budget.budget_scope in PER_USER_SCOPES
    total = 0
    for row in _rows(state, quirks, budget):
        if user is None or same_name(row.user, user):
            units = row.quantity if gross else row.net
            total += units * (ledger.MICRO if row.unit == ledger.LICENSES else row.price)
    return ledger.dollars(total)


def licenses_in_use(state: SandboxState, budget: StoredBudget) -> int:
    """Return the GHAS licenses in use this month in the scope of a budget, whenever it was created."""
    today = state.today()
    return sum(
        row.quantity
        for row in ledger.rows(state, today.replace(day=1), today)
        if row.sku in skus.GHAS and _covers(budget, row) and _concerns(state, budget, row)
    )


def effective_budget(
    state: SandboxState, quirks: Quirks, budgets: list[StoredBudget], user: str
) -> dict[str, Any] | None:
    """Return the effective budget of a user: the user's own, the cost center's, or the universal one."""
    for scope in ("user", "multi_user_cost_center", "multi_user_customer"):
        for budget in budgets:
            if budget.budget_scope == scope and _binds(state, budget, user):
                return {
                    "id": budget.id,
                    "budget_amount": budget.budget_amount,
                    "consumed_amount": consumed(state, quirks, budget, user),
                }
    return None


def user_states(call: Call) -> Reply:
    """Return the consumption of each user of a multi-user budget; users without usage are left out."""
    only_enterprise_staff(call.token, "retrieve a budget")
    budget = call.state.budgets.get(call.params["budget_id"])
    if budget is None or not budget.budget_scope.startswith("multi_user"):
        raise not_found(problem="only multi-user budgets of this enterprise have user states")
    states = _states(call.state, call.quirks, budget)
    lower = call.whole_number("threshold_lower_bound", 0, lowest=0)
    upper = call.whole_number("threshold_upper_bound", -1, lowest=0)
    wanted = call.query.get("user")
    kept = [
        state
        for state in states
        if (wanted is None or same_name(state["user"], wanted))
        and lower <= _percent(budget, state)
        and (upper < 0 or _percent(budget, state) <= upper)
    ]
    kept.sort(
        key=lambda state: (state["consumed_amount"], state["user"]), reverse=call.whole_number("sort_order", 0, 0) == 0
    )
    page, more = call.page(kept, default=10, cap=100)
    return Reply({"user_states": page, "has_next_page": more, "total_count": len(kept)})


def blocked(state: SandboxState, quirks: Quirks) -> list[dict[str, Any]]:
    """Return the exhausted hard budgets and whom each stops: logins, or its entity."""
    stops = []
    for budget in state.budgets.values():
        if not budget.prevent_further_usage:
            continue
        if budget.budget_scope.startswith("multi_user"):
            who = [
                entry["user"]
                for entry in _states(state, quirks, budget)
                if entry["consumed_amount"] >= entry["target_amount"] and "override_budget_id" not in entry
            ]
        else:
            is_used_up = consumed(state, quirks, budget) >= budget.budget_amount
            who = [budget.user or budget.budget_entity_name] if is_used_up else []
        if who:
            stops.append({"budget_id": budget.id, "budget_scope": budget.budget_scope, "blocks": who})
    return stops


def _states(state: SandboxState, quirks: Quirks, budget: StoredBudget) -> list[dict[str, Any]]:
    overrides = {
        other.user.casefold(): other
        for other in state.budgets.values()
        if other.user is not None
        and other.owner == budget.owner
        and other.budget_product_sku == budget.budget_product_sku
    }
    entries = []
    for user in sorted({row.user for row in _rows(state, quirks, budget)}):
        own = overrides.get(user.casefold())
        entry: dict[str, Any] = {
            "user": user,
            "consumed_amount": consumed(state, quirks, budget, user),
            "target_amount": float((own or budget).budget_amount),
        }
        if own is not None:
            entry["override_budget_id"] = own.id
        entries.append(entry)
    return entries


def _percent(budget: StoredBudget, state: dict[str, Any]) -> float:
    # The percentage is of the budget's own amount, also for a user with another one. Any usage exhausts a budget of 0.
    return float(state["consumed_amount"] * _ALL / budget.budget_amount) if budget.budget_amount else float(_ALL)


def _rows(state: SandboxState, quirks: Quirks, budget: StoredBudget) -> Iterator[UsageRow]:
    today = state.today()
    start = today.replace(day=1)
    if "whole_month_counts" not in quirks:
        start = max(start, utc(budget.created_at).date())
    for row in ledger.rows(state, start, today):
        if _covers(budget, row) and _concerns(state, budget, row):
            yield row


def _covers(budget: StoredBudget, row: UsageRow) -> bool:
    name = budget.budget_product_sku
    if budget.budget_type == "BundlePricing":
        return _BUNDLES[name] in row.sku
    if budget.budget_type == "ProductPricing":
        return row.product.lower().replace(" ", "_") == name
    return row.sku.removesuffix("s") == name.removesuffix("s")


def _concerns(state: SandboxState, budget: StoredBudget, row: UsageRow) -> bool:
    if budget.owner_kind == "organization" and not same_name(row.organization, budget.owner):
        return False
    scope, entity = budget.budget_scope, budget.budget_entity_name
    if budget.is_of_cost_center():
        center = ledger.cost_center_of(state, row)
        return center is not None and center.id == entity
    if scope == "enterprise":
        return not (budget.exclude_cost_center_usage and ledger.cost_center_of(state, row))
    named = {"organization": row.organization, "repository": row.repository, "user": row.user}
    return scope not in named or same_name(named[scope], entity)


def _binds(state: SandboxState, budget: StoredBudget, user: str) -> bool:
    if budget.budget_scope == "user":
        return same_name(budget.user or "", user)
    if budget.budget_scope == "multi_user_cost_center":
        members = state.cost_centers[budget.budget_entity_name].resources
        return any(member["type"] == "User" and same_name(member["name"], user) for member in members)
    return True
