"""The 33 operations of GitHub's billing API, and those on people: each has a method, a route, a use, and a test."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

import billing_provider
from billing_provider import cli
from billing_provider.budgets.api import BudgetsApi
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.sandbox.http.routes import ROUTES
from billing_provider.usage.api import UsageApi
from billing_provider.usage.models import USER_OWNER
from billing_provider.usage.people_api import PeopleApi
from billing_provider.usage.report_exports_api import ReportExportsApi
from billing_provider.usage.user_states import UserStatesApi

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

CALLS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (BudgetsApi, UserStatesApi, CostCentersApi, ReportExportsApi, UsageApi, PeopleApi)
}
OWNERS = {
    "enterprises/{enterprise}": Owner(ENTERPRISE_OWNER, "octo-enterprise"),
    "organizations/{org}": Owner(ORGANIZATION_OWNER, "octo-org"),
    "users/{username}": Owner(USER_OWNER, "octocat"),
}

BUDGET_VERBS = {
    ("GET", "/budgets"): ("BudgetsApi.get_budget_page", "get_budgets, budgets"),
    ("POST", "/budgets"): ("BudgetsApi.create_budget", "{resource}"),
    ("GET", "/budgets/{budget_id}"): ("BudgetsApi.get_budget", "get_budget, {resource}"),
    ("PATCH", "/budgets/{budget_id}"): ("BudgetsApi.update_budget", "{resource}"),
    ("DELETE", "/budgets/{budget_id}"): ("BudgetsApi.delete_budget", "{resource}"),
}
REPORTS = {
    ("GET", "/usage"): ("UsageApi.get_usage", "get_usage, usage"),
    ("GET", "/usage/summary"): ("UsageApi.get_usage_summary", "get_usage_summary, usage, budgets"),
    ("GET", "/premium_request/usage"): ("UsageApi.get_premium_request_usage", "get_premium_request_usage, usage"),
    ("GET", "/ai_credit/usage"): ("UsageApi.get_ai_credit_usage", "get_ai_credit_usage, usage, budgets"),
}
CENTER = "/cost-centers/{cost_center_id}"
ENTERPRISE_ALONE = {
    ("GET", "/budgets/{budget_id}/user-states"): ("UserStatesApi.list_user_states", "get_user_states, budgets"),
    ("GET", "/cost-centers"): ("CostCentersApi.list_cost_centers", "get_cost_centers, cost-centers"),
    ("POST", "/cost-centers"): ("CostCentersApi.create_cost_center", "CostCenter"),
    ("GET", CENTER): ("CostCentersApi.get_cost_center", "get_cost_center, cost-centers, CostCenter"),
    ("PATCH", CENTER): ("CostCentersApi.update_cost_center", "CostCenter"),
    ("DELETE", CENTER): ("CostCentersApi.delete_cost_center", "CostCenter"),
    ("POST", f"{CENTER}/resource"): ("CostCentersApi.add_resources", "CostCenter"),
    ("DELETE", f"{CENTER}/resource"): ("CostCentersApi.remove_resources", "CostCenter"),
    ("GET", "/reports"): ("ReportExportsApi.list_report_exports", "get_usage_report_exports"),
    ("POST", "/reports"): ("ReportExportsApi.create_report_export", "get_usage_report_rows"),
    ("GET", "/reports/{report_id}"): ("ReportExportsApi.get_report_export", "get_usage_report_export"),
}
TEAM = "/enterprises/{enterprise}/teams/{enterprise_team}/memberships"
PEOPLE = {
    ("GET", TEAM): ("PeopleApi.list_team_members", "get_enterprise_team_members"),
    ("GET", "/users/{username}"): ("PeopleApi.shows_user", "audit"),
}
TABLE: dict[tuple[str, str], tuple[str, str]] = {
    (verb, f"/{owner}/settings/billing{path}"): (method, used.format(resource=resource))
    for owner, resource, rows in (
        ("enterprises/{enterprise}", "EnterpriseBudget", {**BUDGET_VERBS, **ENTERPRISE_ALONE, **REPORTS}),
        ("organizations/{org}", "OrgBudget", {**BUDGET_VERBS, **REPORTS}),
        (
            "users/{username}",
            "",
            {key: (method, used.removesuffix(", budgets")) for key, (method, used) in REPORTS.items()},
        ),
    )
    for (verb, path), (method, used) in rows.items()
} | PEOPLE
VERBS = {"audit", "budgets", "usage", "cost-centers"}
IDS = [f"{verb} {path}" for verb, path in TABLE]


def test_the_sandbox_has_all_33_operations() -> None:
    """The operations of the table and of the sandbox are those that GitHub documents."""
    assert len(TABLE) == 33 + len(PEOPLE)
    assert set(TABLE) == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("operation", TABLE, ids=IDS)
def test_each_operation_has_a_documented_method(operation: tuple[str, str]) -> None:
    """The last line of a client method's docstring names its operation."""
    room, _, name = TABLE[operation][0].partition(".")
    said = (inspect.getdoc(getattr(CALLS[room], name)) or "").splitlines()[-1]
    verb, path = operation
    shared = re.sub(r"^/[a-z]+/\{\w+\}", "/{owner}", path)
    assert said in (f"GitHub: {verb} {path}", f"GitHub: {verb} {shared}")


@pytest.mark.parametrize("operation", TABLE, ids=IDS)
def test_each_operation_is_used(operation: tuple[str, str]) -> None:
    """Each operation is used by a function, a resource or a command."""
    for name in TABLE[operation][1].split(", "):
        if name in VERBS:
            assert name in cli.parser().format_help()
        else:
            assert name in billing_provider.__all__


@pytest.mark.parametrize("operation", TABLE, ids=IDS)
def test_each_method_sends_its_operation(operation: tuple[str, str], sandbox: Sandbox, harness: RunHarness) -> None:
    """On a real socket, each method sends its documented request, and the sandbox accepts it."""
    verb, path = operation
    prefix = next(owner for owner in OWNERS if path.startswith(f"/{owner}"))
    owner = OWNERS[prefix]
    arguments = prepared(sandbox, harness, owner)
    room, _, name = TABLE[operation][0].partition(".")
    transport = harness.run.transport
    calls = UsageApi(transport, harness.clock) if room == "UsageApi" else CALLS[room](transport)
    sandbox.forget_requests()
    answer = getattr(calls, name)(owner, *arguments[name])
    if inspect.isgenerator(answer):
        list(answer)
    (request,) = sandbox.requests
    wanted = re.sub(r"\{[a-z_]+\}", "[^/]+", path)
    assert request.method == verb
    assert re.fullmatch(wanted, request.path)
    assert request.status < 300


def prepared(sandbox: Sandbox, harness: RunHarness, owner: Owner) -> dict[str, tuple[Any, ...]]:
    """Return arguments for every method, of things that are there."""
    quiet = {"will_alert": False, "alert_recipients": []}
    fields = {"budget_product_sku": "ai_credits", "budget_type": "BundlePricing", "budget_amount": 5}
    scope = {"budget_scope": "multi_user_customer", "prevent_further_usage": True, "budget_alerting": quiet}
    budget = {"id": ""}
    report = {"id": ""}
    if owner.kind is not USER_OWNER:
        budget = sandbox.add_budget(owner.kind.noun, owner.slug, **fields, **scope, budget_entity_name="")
    if owner.kind is ENTERPRISE_OWNER:
        days = {"report_type": "detailed", "start_date": "2026-08-01", "end_date": "2026-08-02"}
        report = vars(harness.run.api(ReportExportsApi).create_report_export(owner, days))
        harness.clock.sleep(60)
    platform = sandbox.cost_centers()[0]["id"]
    period = {"year": 2026, "month": 8}
    return {
        "get_budget_page": (1,),
        "create_budget": ({**fields, **scope, "budget_product_sku": "premium_requests"},),
        "get_budget": (budget["id"],),
        "update_budget": (budget["id"], {"budget_amount": 6}),
        "delete_budget": (budget["id"],),
        "list_user_states": (budget["id"],),
        "list_cost_centers": (),
        "create_cost_center": ({"name": "New"},),
        "get_cost_center": (platform,),
        "update_cost_center": (platform, {"name": "Newer"}),
        "delete_cost_center": (platform,),
        "add_resources": (platform, "users", ["octocat"]),
        "remove_resources": (platform, "users", ["hubot"]),
        "list_team_members": ("developers",),
        "shows_user": ("monalisa",),
        "list_report_exports": (),
        "create_report_export": ({"report_type": "ai_credit", "start_date": "2026-08-01", "end_date": "2026-08-02"},),
        "get_report_export": (report["id"],),
        "get_usage": (period,),
        "get_usage_summary": (period,),
        "get_premium_request_usage": (period,),
        "get_ai_credit_usage": (period,),
    }
