"""Programs that type checkers must accept; the checkers read this file, nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pulumi

from billing_provider import (
    BudgetAlertingArgs,
    BudgetScope,
    BudgetType,
    CostCenter,
    CostCenterState,
    EnterpriseBudget,
    OnDelete,
    OnExisting,
    OrgBudget,
    OrgBudgetScope,
    UsageReportType,
    get_budgets,
    get_budgets_output,
    get_cost_centers,
    get_usage_report_rows_output,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from typing_extensions import Unpack

    from billing_provider import EnterpriseBudgetArgs, OrgBudgetArgs

E = "octo-enterprise"
O = "octo-org"  # noqa: E741 - as short as the calls below need it
config = pulumi.Config()

# Every scope with what it needs.
whole = EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions")
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="enterprise")
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="multi_user_customer")
for scope in ("organization", "repository", "cost_center", "multi_user_cost_center"):
    EnterpriseBudget(
        "a",
        enterprise=E,
        budget_amount=1,
        budget_product_sku="ai_credits",
        budget_scope=scope,
        budget_entity_name="octo-org",
    )
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="ai_credits", budget_scope="user", user="hubot")
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_scope="organization")
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="ai_credits", budget_scope="multi_user_customer")
OrgBudget(
    "b",
    organization=O,
    budget_amount=1,
    budget_product_sku="actions",
    budget_scope="repository",
    budget_entity_name="octo-org/api",
)
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="ai_credits", budget_scope="user", user="hubot")

# GitHub names the owner as the entity of a budget of the whole owner.
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_entity_name=E)
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_entity_name=None)

# A cost center as a resource, an id, a name or an output.
platform = CostCenter("c", enterprise=E, name="Platform", users=["octocat"], organizations=("octo-org",))
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", cost_center=platform)
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", cost_center="Platform")
EnterpriseBudget(
    "a",
    enterprise=E,
    budget_amount=1,
    budget_product_sku="ai_credits",
    budget_scope="multi_user_cost_center",
    cost_center=platform.cost_center_id,
)

# Values that are outputs, and None for an input that is left out.
EnterpriseBudget(
    "a",
    pulumi.ResourceOptions(protect=True),
    enterprise=whole.enterprise,
    budget_amount=whole.budget_amount.apply(lambda amount: amount * 2),
    budget_product_sku=whole.budget_product_sku,
    budget_type="ProductPricing",
    prevent_further_usage=None,
    on_existing="adopt",
    on_delete="keep",
)


# Lists of logins, of each kind that a program has.
def alerts(several: Sequence[str], known: list[str], late: pulumi.Output[list[str]], some: pulumi.Output[str]) -> None:
    """Pass lists."""
    for logins in (several, known, ["octocat"], ("octocat", some), [some]):
        BudgetAlertingArgs(will_alert=True, alert_recipients=logins)
    BudgetAlertingArgs(will_alert=True, alert_recipients=late)
    OrgBudget(
        "b",
        organization=O,
        budget_amount=1,
        budget_product_sku="actions",
        budget_alerting={"will_alert": True, "alert_recipients": known},
    )
    CostCenter("c", enterprise=E, name="Apps", users=several, organizations=late, repositories=[some, "octo-org/api"])
    CostCenter("c", enterprise=E, name="Apps", users={"octocat", some}, organizations={"octo-org": 1}.keys())


# A date as Python has it.
def expiring(day: date, late: pulumi.Output[date]) -> None:
    """Pass dates."""
    for each in ("2027-01-31", day, late):
        OrgBudget(
            "b",
            organization=O,
            budget_amount=1,
            budget_product_sku="ai_credits",
            budget_scope="user",
            user="hubot",
            expires_at=each,
        )


# Values that are known only when the program runs.
OrgBudget(
    "b",
    organization=O,
    budget_amount=config.require_int("amount"),
    budget_product_sku=config.require("sku"),
    budget_type=cast("BudgetType | None", config.get("type")),
    on_existing=cast("OnExisting", config.require("onExisting")),
    on_delete=cast("OnDelete", config.require("onDelete")),
    budget_scope=cast("OrgBudgetScope", config.require("scope")),
    budget_entity_name=config.get("entity"),
    user=config.get("user"),
)
EnterpriseBudget(
    "a",
    enterprise=E,
    budget_amount=1,
    budget_product_sku="ai_credits",
    budget_scope=pulumi.Output.from_input("user").apply(lambda text: cast("BudgetScope", text)),
    budget_entity_name=None,
    cost_center=None,
    user="hubot",
)
settings: dict[str, Any] = config.require_object("budget")
OrgBudget("b", organization=O, **settings)


# Functions that pass the inputs of a budget on.
def team_budget(name: str, **budget: Unpack[OrgBudgetArgs]) -> OrgBudget:
    """Declare a budget."""
    return OrgBudget(f"team-{name}", **budget)


def our_budget(name: str, **budget: Unpack[EnterpriseBudgetArgs]) -> EnterpriseBudget:
    """Declare a budget."""
    return EnterpriseBudget(f"our-{name}", **budget)


team_budget("web", organization=O, budget_amount=1, budget_product_sku="actions", on_delete="keep")
our_budget("all", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="enterprise")

# What is managed elsewhere, by id and by key.
EnterpriseBudget.get("by-id", "enterprise/octo-enterprise/1", pulumi.ResourceOptions(protect=True))
OrgBudget.get("by-key", organization=O, budget_product_sku="actions", budget_scope="repository", budget_entity_name="a")
EnterpriseBudget.get(
    "read-cost-center",
    enterprise=E,
    budget_product_sku="actions",
    cost_center=CostCenter.get("read", enterprise=E, name="Apps"),
)

# Data functions.
STATE: CostCenterState = "active"
TYPE: UsageReportType = "detailed"
names = [center.name for center in get_cost_centers(enterprise=E, state=STATE)]
amounts = [budget.budget_amount for budget in get_budgets(organization=O, scope="repository")]
get_budgets_output(enterprise=whole.enterprise, scope="user").apply(len)
get_usage_report_rows_output(enterprise=E, report_type=TYPE, start_date="2026-01-01", end_date="2026-01-31")
