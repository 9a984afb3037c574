"""A budget from spend: last month's net Actions spend of an organization, plus headroom, in steps of ten dollars."""

import math
from datetime import date, datetime, timedelta, timezone

import pulumi

from billing_provider import OrgBudget, get_usage_summary

organization = "octo-org"
headroom = pulumi.Config().get_float("headroom") or 1.2
# `pulumi config set today 2026-09-21` runs the program with that date.
today = date.fromisoformat(pulumi.Config().get("today") or datetime.now(timezone.utc).date().isoformat())

# GitHub's figures of a day may change for two days, so a month is used from the fourth day of the next month.
# From then on, all runs within a month compute the same amount.
last_month = (today - timedelta(days=3)).replace(day=1) - timedelta(days=1)

usage = get_usage_summary(organization=organization, product="actions", year=last_month.year, month=last_month.month)
if usage.net_amount is None:
    raise SystemExit(f"GitHub does not know what {organization} spent in {last_month:%Y-%m}")
amount = math.ceil(usage.net_amount * headroom / 10) * 10

OrgBudget(
    "actions",
    organization=organization,
    budget_product_sku="actions",
    budget_amount=amount,
    budget_alerting={"will_alert": True, "alert_recipients": ["octocat"]},
)

pulumi.export("spent_last_month_usd", usage.net_amount)
pulumi.export("monthly_budget_usd", amount)
