# Written by `make docs`.

import pulumi

from billing_provider._version import __version__ as __version__
from billing_provider.budgets.models import BudgetDetails
from billing_provider.budgets.skus import BudgetType, product_identifier, sku_identifier
from billing_provider.core.errors import BillingError
from billing_provider.core.inputs import OnDelete, OnExisting, OnRaise
from billing_provider.core.owners import BudgetScope, OrgBudgetScope
from billing_provider.cost_centers.models import AiCreditPool, CostCenterDetails, CostCenterResource, CostCenterState
from billing_provider.sdk.budget import (
    BudgetAlerting,
    BudgetAlertingArgs,
    BudgetAlertingArgsDict,
    EnterpriseBudget,
    EnterpriseBudgetArgs,
    OrgBudget,
    OrgBudgetArgs,
)
from billing_provider.sdk.budget_functions import get_budget, get_budgets, get_effective_budget, get_user_states
from billing_provider.sdk.cost_center import CostCenter, CostCenterArgs
from billing_provider.sdk.cost_center_functions import get_cost_center, get_cost_centers, get_enterprise_team_members
from billing_provider.sdk.usage_functions import (
    get_ai_credit_usage,
    get_premium_request_usage,
    get_usage,
    get_usage_report_export,
    get_usage_report_exports,
    get_usage_report_rows,
    get_usage_summary,
)
from billing_provider.sdk.user_budgets import UserBudgetRow, UserBudgets
from billing_provider.usage.models import (
    CostCenterName,
    TimePeriod,
    UsageItem,
    UsageReport,
    UsageSummary,
    UsageSummaryItem,
)
from billing_provider.usage.report_exports_api import UsageReportExport, UsageReportType
from billing_provider.usage.user_states import EffectiveBudget, UserState

__all__ = [
    "AiCreditPool",
    "BillingError",
    "BudgetAlerting",
    "BudgetAlertingArgs",
    "BudgetAlertingArgsDict",
    "BudgetDetails",
    "BudgetScope",
    "BudgetType",
    "CostCenter",
    "CostCenterArgs",
    "CostCenterDetails",
    "CostCenterName",
    "CostCenterResource",
    "CostCenterState",
    "EffectiveBudget",
    "EnterpriseBudget",
    "EnterpriseBudgetArgs",
    "OnDelete",
    "OnExisting",
    "OnRaise",
    "OrgBudget",
    "OrgBudgetArgs",
    "OrgBudgetScope",
    "TimePeriod",
    "UsageItem",
    "UsageReport",
    "UsageReportExport",
    "UsageReportType",
    "UsageSummary",
    "UsageSummaryItem",
    "UserBudgetRow",
    "UserBudgets",
    "UserState",
    "get_ai_credit_usage",
    "get_ai_credit_usage_output",
    "get_budget",
    "get_budget_output",
    "get_budgets",
    "get_budgets_output",
    "get_cost_center",
    "get_cost_center_output",
    "get_cost_centers",
    "get_cost_centers_output",
    "get_effective_budget",
    "get_effective_budget_output",
    "get_enterprise_team_members",
    "get_enterprise_team_members_output",
    "get_premium_request_usage",
    "get_premium_request_usage_output",
    "get_usage",
    "get_usage_output",
    "get_usage_report_export",
    "get_usage_report_export_output",
    "get_usage_report_exports",
    "get_usage_report_exports_output",
    "get_usage_report_rows",
    "get_usage_report_rows_output",
    "get_usage_summary",
    "get_usage_summary_output",
    "get_user_states",
    "get_user_states_output",
    "product_identifier",
    "sku_identifier",
]

def get_ai_credit_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    model: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return the result of `get_ai_credit_usage` for Inputs; unknown in a preview while an Input is unknown."""

def get_budget_output(
    *,
    budget_id: pulumi.Input[str],
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
) -> pulumi.Output[BudgetDetails]:
    """Return the result of `get_budget` for Inputs; unknown in a preview while an Input is unknown."""

def get_budgets_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    scope: pulumi.Input[BudgetScope] | None = None,
    user: pulumi.Input[str] | None = None,
) -> pulumi.Output[list[BudgetDetails]]:
    """Return the result of `get_budgets` for Inputs; unknown in a preview while an Input is unknown."""

def get_cost_center_output(
    *,
    enterprise: pulumi.Input[str],
    cost_center: pulumi.Input[str],
) -> pulumi.Output[CostCenterDetails]:
    """Return the result of `get_cost_center` for Inputs; unknown in a preview while an Input is unknown."""

def get_cost_centers_output(
    *,
    enterprise: pulumi.Input[str],
    state: pulumi.Input[CostCenterState] | None = None,
) -> pulumi.Output[list[CostCenterDetails]]:
    """Return the result of `get_cost_centers` for Inputs; unknown in a preview while an Input is unknown."""

def get_effective_budget_output(
    *,
    user: pulumi.Input[str],
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
) -> pulumi.Output[EffectiveBudget]:
    """Return the result of `get_effective_budget` for Inputs; unknown in a preview while an Input is unknown."""

def get_enterprise_team_members_output(
    *,
    enterprise: pulumi.Input[str],
    enterprise_team: pulumi.Input[str],
) -> pulumi.Output[list[str]]:
    """Return the result of `get_enterprise_team_members` for Inputs; unknown in a preview while an Input is unknown."""

def get_premium_request_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    model: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return the result of `get_premium_request_usage` for Inputs; unknown in a preview while an Input is unknown."""

def get_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    cost_center: pulumi.Input[str] | None = None,
    all_cost_centers: pulumi.Input[bool] = False,
) -> pulumi.Output[UsageReport]:
    """Return the result of `get_usage` for Inputs; unknown in a preview while an Input is unknown."""

def get_usage_report_export_output(
    *,
    enterprise: pulumi.Input[str],
    report_id: pulumi.Input[str],
) -> pulumi.Output[UsageReportExport]:
    """Return the result of `get_usage_report_export` for Inputs; unknown in a preview while an Input is unknown."""

def get_usage_report_exports_output(
    *,
    enterprise: pulumi.Input[str],
) -> pulumi.Output[list[UsageReportExport]]:
    """Return the result of `get_usage_report_exports` for Inputs; unknown in a preview while an Input is unknown."""

def get_usage_report_rows_output(
    *,
    enterprise: pulumi.Input[str],
    report_type: pulumi.Input[UsageReportType],
    start_date: pulumi.Input[str],
    end_date: pulumi.Input[str],
) -> pulumi.Output[list[dict[str, str]]]:
    """Return the result of `get_usage_report_rows` for Inputs; unknown in a preview, which writes nothing."""

def get_usage_summary_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    repository: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    sku: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return the result of `get_usage_summary` for Inputs; unknown in a preview while an Input is unknown."""

def get_user_states_output(
    *,
    enterprise: pulumi.Input[str],
    budget_id: pulumi.Input[str],
    user: pulumi.Input[str] | None = None,
    rising: pulumi.Input[bool] = False,
    threshold_lower_bound: pulumi.Input[int] | None = None,
    threshold_upper_bound: pulumi.Input[int] | None = None,
) -> pulumi.Output[list[UserState]]:
    """Return the result of `get_user_states` for Inputs; unknown in a preview while an Input is unknown."""
