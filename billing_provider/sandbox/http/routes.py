"""The table of all routes: method, path, accepted names and handler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from billing_provider.sandbox.operations import (
    budget_rules,
    budgets,
    consumption,
    cost_centers,
    exports,
    people,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.operations.replies import Reply

# The path parameter of the owner, by kind of owner.
OWNERS = {"enterprise": "enterprise", "org": "organization", "username": "user"}


@dataclass(frozen=True)
class Route:
    """One operation; `does` completes GitHub's "Insufficient permissions to ...", `body` has its fields.

    `permission` is what an App needs, if it is not the one for the billing of the owner; None: every token will do.
    """

    method: str
    path: str
    operation: str
    does: str
    answer: Callable[[Call], Reply] = field(repr=False)
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    permission: str | None = ""

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the path parameters if the request matches this route, else None."""
        wanted, given = self.path.split("/"), path.split("/")
        if method != self.method or len(wanted) != len(given):
            return None
        params = {}
        for name, part in zip(wanted, given, strict=True):
            if name.startswith("{") and part:
                params[name[1:-1]] = unquote(part)
            elif name != part:
                return None
        return params


_BILLING = {
    "enterprise": "/enterprises/{enterprise}/settings/billing",
    "organization": "/organizations/{org}/settings/billing",
    "user": "/users/{username}/settings/billing",
}
_PAGE = ("page", "per_page")
_BUDGET = (
    "budget_amount",
    "prevent_further_usage",
    "budget_alerting",
    *budget_rules.IDENTITY,
    "expires_at",
    "exclude_cost_center_usage",
)
_MEMBERS = ("users", "organizations", "repositories", "enterprise_teams")


def _budget_routes(root: str) -> tuple[Route, ...]:
    path = f"{root}/budgets"
    one = f"{path}/{{budget_id}}"
    return (
        Route("GET", path, "list_budgets", "retrieve budgets", budgets.list_budgets, query=(*_PAGE, "scope", "user")),
        Route("POST", path, "create_budget", "create a budget", budgets.create_budget, body=_BUDGET),
        Route("GET", one, "get_budget", "retrieve a budget", budgets.get_budget),
        Route("PATCH", one, "update_budget", "update a budget", budgets.update_budget, body=_BUDGET),
        Route("DELETE", one, "delete_budget", "delete a budget", budgets.delete_budget),
    )


def _usage_routes(kind: str) -> tuple[Route, ...]:
    root, period, does = _BILLING[kind], ("year", "month", "day"), "retrieve usage"
    center = ("cost_center_id",) if kind == "enterprise" else ()
    organization = ("organization",) if kind == "enterprise" else ()
    user = () if kind == "user" else ("user",)
    by_model = (*period, *organization, *user, "model", "product", *center)
    by_sku = (*period, *organization, "repository", "product", "sku", *center)
    return (
        Route("GET", f"{root}/usage", "usage_report", does, usage.usage_report, query=(*period, *center)),
        Route("GET", f"{root}/usage/summary", "usage_summary", does, usage.usage_summary, query=by_sku),
        Route(
            "GET",
            f"{root}/premium_request/usage",
            "premium_request_usage",
            does,
            usage.premium_request_usage,
            query=by_model,
        ),
        Route("GET", f"{root}/ai_credit/usage", "ai_credit_usage", does, usage.ai_credit_usage, query=by_model),
    )


def _enterprise_routes(root: str) -> tuple[Route, ...]:
    path, does = f"{root}/reports", "manage usage reports"
    fields = ("report_type", "start_date", "end_date", "send_email")
    filters = (*_PAGE, "sort_order", "user", "threshold_lower_bound", "threshold_upper_bound")
    states = f"{root}/budgets/{{budget_id}}/user-states"
    return (
        Route("GET", states, "list_user_states", "retrieve a budget", consumption.user_states, query=filters),
        Route("GET", path, "list_exports", does, exports.list_exports),
        Route("POST", path, "create_export", does, exports.create_export, body=fields),
        Route("GET", f"{path}/{{report_id}}", "get_export", does, exports.get_export),
    )


def _cost_center_routes(root: str) -> tuple[Route, ...]:
    path = f"{root}/cost-centers"
    one = f"{path}/{{cost_center_id}}"
    fields = ("name", "ai_credit_pool_enabled")
    does = "manage cost centers"
    return (
        Route("GET", path, "list_cost_centers", does, cost_centers.list_cost_centers, query=("state",)),
        Route("POST", path, "create_cost_center", does, cost_centers.create_cost_center, body=fields),
        Route("GET", one, "get_cost_center", does, cost_centers.get_cost_center, query=_PAGE),
        Route("PATCH", one, "update_cost_center", does, cost_centers.update_cost_center, body=fields),
        Route("DELETE", one, "delete_cost_center", does, cost_centers.delete_cost_center),
        Route("POST", f"{one}/resource", "add_resources", does, cost_centers.add_resources, body=_MEMBERS),
        Route("DELETE", f"{one}/resource", "remove_resources", does, cost_centers.remove_resources, body=_MEMBERS),
    )


_PEOPLE = (
    Route(
        "GET",
        "/enterprises/{enterprise}/teams/{enterprise_team}/memberships",
        "list_team_members",
        "retrieve enterprise teams",
        people.list_team_members,
        query=_PAGE,
        permission="enterprise_teams",
    ),
    Route("GET", "/users/{username}", "get_user", "retrieve a user", people.get_user, permission=None),
)

ROUTES: tuple[Route, ...] = (
    *_budget_routes(_BILLING["enterprise"]),
    *_budget_routes(_BILLING["organization"]),
    *_cost_center_routes(_BILLING["enterprise"]),
    *_enterprise_routes(_BILLING["enterprise"]),
    *_usage_routes("enterprise"),
    *_usage_routes("organization"),
    *_usage_routes("user"),
    *_PEOPLE,
)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request with its path parameters, or None."""
    for route in ROUTES:
        params = route.match(method, path)
        if params is not None:
            return route, params
    return None
