"""Mistakes that type checkers must find: in each statement marked `# error WORD`, and in no other; WORD is in it."""

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

# Names and types of inputs: the message names the input.
OrgBudget("b", organization=O, budget_amount=1)  # error budget_product_sku
OrgBudget("b", budget_amount=1, budget_product_sku="actions")  # error organization
OrgBudget("b", organization=O, budget_ammount=1, budget_product_sku="actions")  # error budget_ammount
OrgBudget("b", organization=O, budget_amount="1", budget_product_sku="actions")  # error budget_amount
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku=5, budget_scope="user")  # error budget_product_sku
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="a", expires_at=5)  # error expires_at
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="a", prevent_further_usage="yes")  # error prevent
OrgBudget("b", enterprise=E, budget_amount=1, budget_product_sku="actions")  # error enterprise
EnterpriseBudget("a", organization=O, budget_amount=1, budget_product_sku="actions")  # error organization
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", cost_center="Apps")  # error cost_center
CostCenter("c", enterprise=E, name="Apps", user=["octocat"])  # error user
CostCenter("c", enterprise=E)  # error name
CostCenter("c", enterprise=E, name=5)  # error name

# Values of a fixed set.
EnterpriseBudget("a", enterprise=E, budget_amount=1, budget_product_sku="a", budget_scope="org")  # error scope
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="a", budget_scope="enterprise")  # error budget_scope
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="a", budget_type="Product")  # error budget_type
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="a", on_existing="adopt_identical")  # error existing
OrgBudget("b", organization=O, budget_amount=1, budget_product_sku="actions", on_delete="retain")  # error on_delete
CostCenter("c", enterprise=E, name="Apps", on_existing="yes")  # error on_existing
CostCenter("c", enterprise=E, name="Apps", on_delete="archive")  # error on_delete
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
