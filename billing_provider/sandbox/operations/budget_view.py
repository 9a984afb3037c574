"""A stored budget in the form of GitHub's replies, with the quirks."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.consumption import consumed

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.quirks import Quirks
    from billing_provider.sandbox.store.records import StoredBudget
    from billing_provider.sandbox.store.state import SandboxState


def plain(state: SandboxState, budget: StoredBudget) -> dict[str, Any]:
    """Return a budget as documented: GitHub's names, the name of a cost center, no empty fields."""
    name = budget.budget_entity_name
    body: dict[str, Any] = {
        "id": budget.id,
        "budget_type": budget.budget_type,
        "budget_product_sku": budget.budget_product_sku,
        "budget_scope": budget.budget_scope,
        "budget_entity_name": state.cost_center_name(name) if budget.is_of_cost_center() else name,
        "budget_amount": budget.budget_amount,
        "prevent_further_usage": budget.prevent_further_usage,
        "budget_alerting": copy.deepcopy(budget.budget_alerting),
    }
    if budget.user is not None:
        body["user"] = budget.user
    if budget.expires_at is not None:
        body["expires_at"] = budget.expires_at
    if budget.budget_scope == "enterprise":
        body["exclude_cost_center_usage"] = budget.exclude_cost_center_usage
    return body


def show(
    state: SandboxState, quirks: Quirks, budget: StoredBudget, reply: str, user: str | None = None
) -> dict[str, Any]:
    """Return a budget as this sandbox replies it, with quirks.

    Args:
        state: The state with cost centers and usage.
        quirks: The differences from the documentation.
        budget: The budget.
        reply: `list`, `get`, `create` or `update`.
        user: The user whose share of a multi-user budget is requested.
    """
    body = plain(state, budget)
    is_asked = user is not None and budget.budget_scope.startswith("multi_user")
    is_single = reply == "get" and "consumed_in_get" in quirks
    is_shown = budget.budget_scope == "user" or is_asked or is_single or "consumed_everywhere" in quirks
    if reply != "create" and is_shown:
        body["consumed_amount"] = consumed(state, quirks, budget, user if is_asked else None)
    _change_entity(quirks, budget, body, reply)
    _change_recipients(quirks, budget, body)
    if reply == "create":
        if "create_echoes_user" not in quirks:
            body.pop("user", None)
        if "no_id_in_create" in quirks:
            del body["id"]
    if reply == "get" and "get_omits_expiry" in quirks:
        body.pop("expires_at", None)
    if reply == "list" and "cost_center_scope_echo" in quirks and budget.budget_scope == "multi_user_cost_center":
        body["budget_scope"] = "cost_center"
    _change_product(quirks, budget, body, reply)
    if "exclusion_ignored" in quirks:
        body.pop("exclude_cost_center_usage", None)
    if "extra_fields" in quirks:
        body["budget_thresholds"] = {"75": True, "90": True, "100": True}
    return {**body, **(budget.shown_as or {})}


def _change_product(quirks: Quirks, budget: StoredBudget, body: dict[str, Any], reply: str) -> None:
    if "singular_ai_credit" in quirks and budget.budget_product_sku == "copilot_ai_credits":
        body["budget_product_sku"] = "copilot_ai_credit"
    if "plural_sku" in quirks and reply in {"list", "get"}:
        body["budget_product_skus"] = [body.pop("budget_product_sku")]
    if "float_amounts" in quirks:
        body["budget_amount"] = float(budget.budget_amount)


def _change_entity(quirks: Quirks, budget: StoredBudget, body: dict[str, Any], reply: str) -> None:
    scope = budget.budget_scope
    if scope == "enterprise" and "empty_entity" in quirks:
        body["budget_entity_name"] = ""
    if scope == "enterprise" and reply == "list" and "missing_entity" in quirks:
        del body["budget_entity_name"]
    if scope == "multi_user_customer" and "multi_user_customer_empty_entity" in quirks:
        body["budget_entity_name"] = ""
    if scope == "repository" and "bare_repository" in quirks:
        body["budget_entity_name"] = budget.budget_entity_name.partition("/")[2]
    if budget.is_of_cost_center() and "uuid_echo" in quirks:
        body["budget_entity_name"] = budget.budget_entity_name
    if scope in {"user", "organization"} and "uppercase_login_echo" in quirks:
        body["budget_entity_name"] = budget.budget_entity_name.capitalize()
        if "user" in body:
            body["user"] = body["user"].capitalize()


def _change_recipients(quirks: Quirks, budget: StoredBudget, body: dict[str, Any]) -> None:
    if budget.budget_scope == "user" and "alerting_for_user_missing" in quirks:
        del body["budget_alerting"]
        return
    recipients = body["budget_alerting"]["alert_recipients"]
    if "recipients_lowercased" in quirks:
        recipients[:] = [login.lower() for login in recipients]
    if "recipients_reordered" in quirks:
        recipients.reverse()
