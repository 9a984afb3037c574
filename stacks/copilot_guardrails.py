"""Budgets for AI credits: per user, per cost center, a temporary override for one user, and a hard stop."""

from datetime import date, datetime, timedelta, timezone

import pulumi

from billing_provider import BudgetAlertingArgs, EnterpriseBudget

ENTERPRISE = "octo-enterprise"
finops = BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"])


def end_of_next_quarter(today: date) -> date:
    """Return the last day of the next quarter; it is stable within a quarter and at least three months away."""
    months = 3 * ((today.month - 1) // 3) + 6
    return date(today.year + months // 12, months % 12 + 1, 1) - timedelta(days=1)


# Applies to each user of the enterprise, per month; users are not listed.
everybody = EnterpriseBudget(
    "everybody",
    enterprise=ENTERPRISE,
    budget_scope="multi_user_customer",
    budget_product_sku="ai_credits",
    budget_amount=40,
    budget_alerting=finops,
)

platform = EnterpriseBudget(
    "platform",
    enterprise=ENTERPRISE,
    budget_scope="cost_center",
    budget_entity_name="Platform",
    budget_product_sku="ai_credits",
    budget_amount=1_500,
    prevent_further_usage=True,
    budget_alerting=finops,
)

# The override expires unless this program is run again in a later quarter; `pulumi config set overrideUntil 2027-01-31`
# sets a fixed date.
until = pulumi.Config().get("overrideUntil") or end_of_next_quarter(datetime.now(timezone.utc).date()).isoformat()
migration_lead = EnterpriseBudget(
    "migration-lead",
    enterprise=ENTERPRISE,
    budget_scope="user",
    user="monalisa",
    budget_product_sku="ai_credits",
    budget_amount=200,
    expires_at=until,
)

hard_stop = EnterpriseBudget(
    "hard-stop",
    enterprise=ENTERPRISE,
    budget_product_sku="ai_credits",
    budget_amount=5_000,
    prevent_further_usage=True,
    budget_alerting=finops,
)

pulumi.export("override_until", migration_lead.expires_at)
pulumi.export("monthly_cap_usd", hard_stop.budget_amount)
