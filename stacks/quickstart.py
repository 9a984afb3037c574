"""One budget of each kind: the whole enterprise's Actions spend, and one organization's Packages spend."""

import pulumi

from billing_provider import BudgetAlertingArgs, EnterpriseBudget, OrgBudget

actions = EnterpriseBudget(
    "actions",
    enterprise="octo-enterprise",
    budget_product_sku="actions",
    budget_amount=500,
    prevent_further_usage=True,
    budget_alerting=BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"]),
)

packages = OrgBudget(
    "packages",
    organization="octo-org",
    budget_product_sku="packages",
    budget_amount=100,
    budget_alerting={"will_alert": True, "alert_recipients": ["monalisa"]},
)

pulumi.export("actions_budget_id", actions.budget_id)
pulumi.export("monthly_cap_usd", pulumi.Output.all(actions.budget_amount, packages.budget_amount).apply(sum))
