"""Mistakes that type checkers must find: in each statement marked `# error`, and in no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from billing_provider import (
    BudgetAlertingArgs,
    CostCenter,
    EnterpriseBudget,
    OrgBudget,
    get_budgets,
    get_budgets_output,
    get_cost_centers,
    get_cost_centers_output,
    get_usage_report_rows,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from billing_provider import OrgBudgetArgs

E = "octo-enterprise"
O = "octo-org"  # noqa: E741 - as short as the calls below need it
config = pulumi.Config()

# Names and types of inputs.
OrgBudget("b", organization=O, budget_amount=1)  # error
OrgBudget("b", budget_amount=1, budget_product_sku="actions")  # error
OrgBudget("b", organization=O, budget_ammount=1, budget_product_sku="actions")  # error
OrgBudget("b", organization=O, budget_amount="1", budget_product_sku="actions")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", prevent_further_usage="yes")  # error
OrgBudget("b", enterprise=E, budget_amount=1, budget_product_sku="actions")  # error
EnterpriseBudget("a", organization=O, budget_amount=1, budget_product_sku="actions")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", cost_center="Apps")  # error

# A scope without the input that it needs, and an input that the scope does not have.
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="ai_credits", budget_scope="user")  # error
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="cost_center")  # error
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="repository")  # error
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="organization")  # error
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", user="octocat")  # error
EnterpriseBudget(  # error
    "a",
    enterprise=E,
    budget_amount=1,
    budget_product_sku="ai_credits",
    budget_scope="multi_user_cost_center",
    user="octocat",
)
EnterpriseBudget(  # error
    "a",
    enterprise=E,
    budget_amount=1,
    budget_product_sku="actions",
    budget_scope="organization",
    cost_center="Platform",
)
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="ai_credits", budget_scope="user")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_scope="repository")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", user="octocat")  # error

# Values of a fixed set.
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="actions", budget_scope="organisation")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_scope="enterprise")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_type="Product")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", on_existing="adopt_identical")  # error
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", on_delete="retain")  # error
CostCenter("c", enterprise=E, name="Apps", on_existing="yes")  # error
CostCenter("c", enterprise=E, name="Apps", on_delete="archive")  # error
get_budgets(enterprise=E, scope="organisation")  # error
get_budgets_output(enterprise=E, scope="organisation")  # error
get_cost_centers(enterprise=E, state="archived")  # error
get_cost_centers_output(enterprise=E, state="archived")  # error
get_usage_report_rows(enterprise=E, report_type="daily", start_date="2026-01-01", end_date="2026-01-02")  # error
EnterpriseBudget.get("b", enterprise=E, budget_product_sku="actions", budget_scope="team")  # error
OrgBudget.get("b", organization=O, budget_product_sku="actions", budget_scope="enterprise")  # error
OrgBudget.get("b", enterprise=E)  # error

# A text that is known only when the program runs.
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", on_delete=config.require("x"))  # error
late = pulumi.Output.from_input("repository")
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", budget_scope=late)  # error

# A text in place of a list of texts.
BudgetAlertingArgs(will_alert=True, alert_recipients="octocat")  # error
OrgBudget(  # error
    "b",
    organization=O,
    budget_amount=1,
    budget_product_sku="actions",
    budget_alerting={"will_alert": True, "alert_recipients": "octocat"},
)
CostCenter("c", enterprise=E, name="Apps", users="octocat")  # error
CostCenter("c", enterprise=E, name="Apps", organizations="octo-org")  # error
CostCenter("c", enterprise=E, name="Apps", repositories="octo-org/api")  # error
CostCenter("c", enterprise=E, name="Apps", enterprise_teams=5)  # error


# The inputs of a budget that a function passes on.
def team_budget(name: str, **budget: Unpack[OrgBudgetArgs]) -> OrgBudget:
    """Declare a budget."""
    return OrgBudget(f"team-{name}", **budget)


team_budget("web", organization=O, budget_amount=1, budget_product_sku="actions", on_delete="retain")  # error
