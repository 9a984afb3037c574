"""One monthly amount, split between an AWS budget and a GitHub budget."""

import pulumi
import pulumi_aws as aws

from billing_provider import BudgetAlertingArgs, EnterpriseBudget

GITHUB_SHARE = 0.25

monthly_usd = pulumi.Config().get_int("monthlyUsd") or 8_000
github_usd = int(monthly_usd * GITHUB_SHARE)

cloud = aws.budgets.Budget(
    "cloud",
    budget_type="COST",
    time_unit="MONTHLY",
    limit_amount=str(monthly_usd - github_usd),
    limit_unit="USD",
    notifications=[
        aws.budgets.BudgetNotificationArgs(
            comparison_operator="GREATER_THAN",
            notification_type="FORECASTED",
            threshold=100,
            threshold_type="PERCENTAGE",
            subscriber_email_addresses=["finops@example.com"],
        )
    ],
)

builds = EnterpriseBudget(
    "builds",
    enterprise="octo-enterprise",
    budget_product_sku="actions",
    budget_amount=github_usd,
    prevent_further_usage=True,
    budget_alerting=BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"]),
)

pulumi.export("aws_usd", cloud.limit_amount)
pulumi.export("github_usd", builds.budget_amount)
