"""The operations on budgets: list, create, get, update and delete, for both kinds of owner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from billing_provider.sandbox.operations import access, budget_rules
from billing_provider.sandbox.operations.budget_view import show
from billing_provider.sandbox.operations.consumption import effective_budget, licenses_in_use
from billing_provider.sandbox.operations.replies import (
    Reply,
    bad_request,
    forbidden,
    invalid,
    not_found,
    refuse_unknown,
    require,
)
from billing_provider.sandbox.store.names import same_name
from billing_provider.sandbox.store.records import StoredBudget

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.call import Call

_SCOPES = budget_rules.SCOPES["enterprise"]
_DESCRIBED = ("budget_amount", "prevent_further_usage", "budget_alerting", "expires_at")
_REQUIRED = (
    "budget_amount",
    "prevent_further_usage",
    "budget_alerting",
    "budget_scope",
    "budget_type",
    "budget_product_sku",
)


def list_budgets(call: Call) -> Reply:
    """Return one page of an owner's budgets, filtered by scope; a user filter adds the user's effective budget."""
    scope = call.query.get("scope")
    if scope is not None and scope not in _SCOPES:
        raise bad_request(f"Invalid value for scope: one of {', '.join(_SCOPES)} is needed.")
    user = call.query.get("user")
    listed = [budget for budget in _of_owner(call) if scope in {None, budget.budget_scope} and _is_listed(call, budget)]
    cap = 10 if "page_cap_10" in call.quirks else call.page_cap
    page, more = call.page(listed, default=min(10, cap), cap=cap)
    body: dict[str, Any] = {"budgets": [show(call.state, call.quirks, budget, "list", user) for budget in page]}
    if user is not None:
        body["user"] = user
        effective = effective_budget(call.state, call.quirks, _of_owner(call), user)
        if effective is not None:
            body["effective_budget"] = effective
    if "page_flags_missing" not in call.quirks:
        body["has_next_page"] = more
        if "total_count_missing" not in call.quirks:
            body["total_count"] = len(listed)
    reply = Reply(body)
    if more and "link_header" in call.quirks:
        query = {**call.query, "page": str(call.whole_number("page", 1) + 1)}
        reply.headers["Link"] = f'<{call.url}?{urlencode(query)}>; rel="next"'
    return reply


def create_budget(call: Call) -> Reply:
    """Store a new budget; GitHub accepts duplicates."""
    require(call.body, _REQUIRED)
    budget = _new_budget(call)
    if not access.sees_budget(call.token, budget):
        raise forbidden("Insufficient permissions to create a budget.")
    if "duplicates_refused" in call.quirks and any(budget.key() == other.key() for other in _of_owner(call)):
        raise invalid("Budget", "budget_entity_name", "already_exists")
    call.state.budgets[budget.id] = budget
    body = show(call.state, call.quirks, budget, "create")
    if "flat_create" in call.quirks:
        return Reply(body)
    return Reply({"message": "Budget successfully created.", "budget": body})


def get_budget(call: Call) -> Reply:
    """Return one budget, without an envelope."""
    return Reply(show(call.state, call.quirks, _find(call, "retrieve a budget"), "get"))


def update_budget(call: Call) -> Reply:
    """Change the fields of a PATCH; the identity of a budget cannot change."""
    budget = _find(call, "update a budget", f"Budget with ID {call.params['budget_id']} not found.")
    body = call.body
    if not body:
        raise bad_request("Bad request: at least one field to update is needed.")
    if "patch_four_fields" in call.quirks:
        refuse_unknown("body field", body, _DESCRIBED)
    fixed = [name for name in budget_rules.IDENTITY if name in body and not _is_stored(call, budget, name)]
    if fixed and "patch_ignores_identity" not in call.quirks:
        raise bad_request(f"{', '.join(fixed)} cannot be changed after a budget is created.")
    changes = _changes(call, budget)
    _check_licenses(call, replace(budget, **changes))
    for name, value in changes.items():
        setattr(budget, name, value)
    return Reply({"message": "Budget successfully updated.", "budget": show(call.state, call.quirks, budget, "update")})


def delete_budget(call: Call) -> Reply:
    """Delete one budget."""
    budget = _find(call, "delete a budget")
    if call.token.role == "manager" and "manager_cannot_delete" in call.quirks:
        raise forbidden("Insufficient permissions to delete a budget.", "only an enterprise owner can delete budgets")
    del call.state.budgets[budget.id]
    key = "budget_id" if "delete_says_budget_id" in call.quirks else "id"
    return Reply({"message": "Budget successfully deleted.", key: budget.id})


def _new_budget(call: Call) -> StoredBudget:
    body = call.body
    scope, entity, kind, sku, user = budget_rules.identity(call)
    alerting = budget_rules.alerting(body["budget_alerting"])
    if scope == "user" and alerting != {"will_alert": False, "alert_recipients": []}:
        raise bad_request("budget_alerting is not supported for user budgets.")
    budget = StoredBudget(
        id="",
        owner_kind=call.owner_kind,
        owner=call.owner,
        budget_scope=scope,
        budget_entity_name=entity,
        budget_type=kind,
        budget_product_sku=sku,
        budget_amount=budget_rules.amount(body["budget_amount"]),
        prevent_further_usage=budget_rules.hard_stop(scope, body["prevent_further_usage"]),
        budget_alerting=alerting,
        user=user,
        created_at=call.state.clock(),
        hidden_listings=call.quirks.number("list_lag"),
    )
    if "expires_at" in body:
        budget.expires_at = budget_rules.expiry(call, scope, body["expires_at"])
    if "exclude_cost_center_usage" in body and "exclusion_ignored" not in call.quirks:
        budget.exclude_cost_center_usage = _exclusion(scope, body["exclude_cost_center_usage"])
    _check_licenses(call, budget)
    budget.id = call.state.new_id() + ("d" if "long_ids" in call.quirks else "")
    return budget


def _is_stored(call: Call, budget: StoredBudget, name: str) -> bool:
    """Return whether a PATCH repeats a part of the identity as it is stored; a cost center has a UUID and a name."""
    held, given = getattr(budget, name), call.body[name]
    names = [held]
    if name == "budget_entity_name" and held in call.state.cost_centers:
        names.append(call.state.cost_center_name(held))
    return given in names or (isinstance(given, str) and any(same_name(given, each or "") for each in names))


def _check_licenses(call: Call, budget: StoredBudget) -> None:
    used = licenses_in_use(call.state, budget)
    if budget.prevent_further_usage and budget.budget_amount < used:
        raise bad_request(f"budget_amount must be at least {used}, the number of licenses in use.")


def _exclusion(scope: str, value: Any) -> bool:
    if scope != "enterprise":
        raise bad_request("exclude_cost_center_usage is only supported for budgets with the scope enterprise.")
    if not isinstance(value, bool):
        raise bad_request("Invalid value for exclude_cost_center_usage: true or false is needed.")
    return value


def _changes(call: Call, budget: StoredBudget) -> dict[str, Any]:
    body, scope = call.body, budget.budget_scope
    changes: dict[str, Any] = {}
    if "budget_amount" in body:
        changes["budget_amount"] = budget_rules.amount(body["budget_amount"])
    if "prevent_further_usage" in body:
        changes["prevent_further_usage"] = budget_rules.hard_stop(scope, body["prevent_further_usage"])
    # GitHub refuses alerting for a single user's budget on creation and ignores it here.
    if "budget_alerting" in body and scope != "user":
        changes["budget_alerting"] = budget_rules.alerting(body["budget_alerting"], budget.budget_alerting)
    if "expires_at" in body:
        clears = body["expires_at"] is None or (body["expires_at"] == 0 and body["expires_at"] is not False)
        changes["expires_at"] = (
            None if clears and scope == "user" else budget_rules.expiry(call, scope, body["expires_at"])
        )
    if "exclude_cost_center_usage" in body and "exclusion_ignored" not in call.quirks:
        changes["exclude_cost_center_usage"] = _exclusion(scope, body["exclude_cost_center_usage"])
    return changes


def _of_owner(call: Call) -> list[StoredBudget]:
    return [
        budget
        for budget in call.state.budgets.values()
        if budget.owner_kind == call.owner_kind
        and same_name(budget.owner, call.owner)
        and access.sees_budget(call.token, budget)
    ]


def _is_listed(call: Call, budget: StoredBudget) -> bool:
    if budget.hidden_listings:
        # A listing of several pages counts once, at its first page.
        budget.hidden_listings -= call.whole_number("page", 1) == 1
        return False
    return call.state.clock() >= budget.created_at + call.quirks.number("list_lag_seconds")


def _find(call: Call, does: str, text: str = "Not Found") -> StoredBudget:
    budget = call.state.budgets.get(call.params["budget_id"])
    if budget is None or budget.owner_kind != call.owner_kind or not same_name(budget.owner, call.owner):
        raise not_found(text)
    if not access.sees_budget(call.token, budget):
        raise forbidden(f"Insufficient permissions to {does}.", "the token administers another organization")
    return budget
