"""GitHub's rules for the fields of a budget: each one returns the value to store, or refuses with GitHub's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.replies import bad_request, not_found, refuse_unknown, require
from billing_provider.sandbox.store import skus
from billing_provider.sandbox.store.names import is_login, repository_owner, same_name
from billing_provider.sandbox.store.records import parse_day

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.store.records import StoredAlerting

IDENTITY = ("budget_scope", "budget_entity_name", "user", "budget_type", "budget_product_sku")
PER_USER_SCOPES = ("multi_user_customer", "multi_user_cost_center", "user")
SCOPES = {
    "enterprise": ("enterprise", "organization", "repository", "cost_center", *PER_USER_SCOPES),
    "organization": ("organization", "repository", "multi_user_customer", "user"),
}
_TYPES = ("BundlePricing", "ProductPricing", "SkuPricing")


def amount(value: Any) -> int:
    """Return a budget's amount as the whole dollars (or licenses) that are stored."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != value // 1 or value < 0:
        raise bad_request("Invalid value for budget_amount: a whole number from 0 is needed.")
    return int(value)


def hard_stop(scope: str, value: Any) -> bool:
    """Return prevent_further_usage; it must be true for budgets of single users."""
    if not isinstance(value, bool):
        raise bad_request("Invalid value for prevent_further_usage: true or false is needed.")
    if scope in PER_USER_SCOPES and not value:
        raise bad_request(f"prevent_further_usage must be true for {scope} budgets.")
    return value


def alerting(value: Any, stored: StoredAlerting | None = None) -> StoredAlerting:
    """Return budget_alerting; a create (`stored` is None) needs both keys, an update may leave one out."""
    if not isinstance(value, dict):
        raise bad_request("Invalid value for budget_alerting: an object is needed.")
    known = ["will_alert", "alert_recipients"]
    refuse_unknown("field of budget_alerting", value, known)
    if stored is None:
        require(value, known, "budget_alerting.")
    merged = {**(stored or {}), **value}
    if not isinstance(merged["will_alert"], bool):
        raise bad_request("Invalid value for budget_alerting.will_alert: true or false is needed.")
    recipients = merged["alert_recipients"]
    if not isinstance(recipients, list) or not all(is_login(login) for login in recipients):
        raise bad_request("Invalid value for budget_alerting.alert_recipients: a list of user logins is needed.")
    return {"will_alert": merged["will_alert"], "alert_recipients": list(recipients)}


def expiry(call: Call, scope: str, value: Any) -> str:
    """Return expires_at: a date after today (UTC), only for budgets of a single user."""
    if scope != "user":
        raise bad_request("expires_at is only supported for budgets with the scope user.")
    day = parse_day(value)
    if day is None:
        raise bad_request("Invalid value for expires_at: a date in the form YYYY-MM-DD is needed.")
    if day <= call.state.today():
        raise bad_request("Invalid value for expires_at: only dates in the future are accepted.")
    return day.isoformat()


def identity(call: Call) -> tuple[str, str, str, str, str | None]:
    """Return the identity of a new budget: scope, stored entity, type, SKU and user."""
    body = call.body
    scopes = SCOPES[call.owner_kind]
    scope = body["budget_scope"]
    if scope not in scopes:
        raise bad_request(f"Invalid value for budget_scope: one of {', '.join(scopes)} is needed.")
    user = body.get("user")
    if scope == "user" and not user:
        field = "budget_entity_name" if "old_missing_user_text" in call.quirks else "user"
        raise bad_request(f"Missing required fields: {field}")
    if scope != "user" and user is not None:
        raise bad_request("user is only supported for budgets with the scope user.")
    if user is not None and not is_login(user):
        raise bad_request("Invalid value for user: a login is needed.")
    kind, sku = _product(call, scope)
    return scope, entity(call, scope, user), kind, sku, user


def _product(call: Call, scope: str) -> tuple[str, str]:
    kind, sku = call.body["budget_type"], call.body["budget_product_sku"]
    if kind not in _TYPES:
        raise bad_request(f"Invalid value for budget_type: one of {', '.join(_TYPES)} is needed.")
    fitting = skus.pricing_type(sku) if isinstance(sku, str) else None
    if fitting is None:
        valid = ", ".join(sorted((*skus.BUNDLES, *skus.PRODUCTS, *skus.SKUS)))
        raise not_found(f"Invalid budget_product_sku. Valid products and SKUs for this account: {valid}")
    if kind != fitting:
        raise bad_request(f"budget_product_sku {sku} does not fit the budget_type {kind}; it has {fitting}.")
    if scope in PER_USER_SCOPES and sku not in skus.BUNDLES:
        raise bad_request(
            f"The scope {scope} is only supported when budget_product_sku is ai_credits or premium_requests."
        )
    if sku == "premium_requests" and "premium_requests_converted" in call.quirks:
        sku = "ai_credits"
    return kind, sku


def entity(call: Call, scope: str, user: str | None) -> str:
    """Return the entity to store: the owner's slug, a login, `owner/repo` or the UUID of a cost center."""
    given = call.body.get("budget_entity_name", "")
    if not isinstance(given, str):
        raise bad_request("Invalid value for budget_entity_name: a string is needed.")
    if scope == "user":
        own = user or ""
    elif scope in {call.owner_kind, "multi_user_customer"}:
        own = call.owner
    else:
        return _other_entity(call, scope, given)
    if given and not same_name(given, own):
        raise bad_request(f"Invalid value for budget_entity_name: leave it out, or write {own}.")
    return own


def _other_entity(call: Call, scope: str, given: str) -> str:
    if not given:
        raise bad_request("Missing required fields: budget_entity_name")
    if scope == "organization":
        login = call.state.find_name("organization", given)
        if login is None:
            raise bad_request("Invalid value for budget_entity_name: no such organization in this enterprise.")
        return login
    if scope == "repository":
        owner = repository_owner(given)
        if owner is None or not _is_owner(call, owner):
            raise bad_request("Invalid value for budget_entity_name: owner/repository of this account is needed.")
        return given
    center = call.state.find_cost_center(given)
    if center is None:
        raise bad_request("Invalid value for budget_entity_name: no active cost center has that id or name.")
    if scope == "multi_user_cost_center" and not center.has_only_people():
        raise bad_request(
            "A multi_user_cost_center budget requires the cost center to contain only user members. "
            "Cost centers with organization or repository members are not supported."
        )
    return center.id


def _is_owner(call: Call, login: str) -> bool:
    if call.owner_kind == "organization":
        return same_name(call.owner, login)
    return call.state.find_name("organization", login) is not None
