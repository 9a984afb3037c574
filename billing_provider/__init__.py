"""A Pulumi provider that keeps GitHub's billing budgets as declared in code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_provider.budget_data import (
        get_budget,
        get_budget_output,
        get_budgets,
        get_budgets_output,
        get_effective_budget,
        get_effective_budget_output,
        get_user_states,
        get_user_states_output,
    )
    from billing_provider.calls_budgets import (
        EffectiveBudget,
        UserState,
    )
    from billing_provider.calls_reports import (
        UsageReportExport,
    )
    from billing_provider.cost_center_data import (
        get_cost_center,
        get_cost_center_output,
        get_cost_centers,
        get_cost_centers_output,
        get_usage_report_export,
        get_usage_report_export_output,
        get_usage_report_exports,
        get_usage_report_exports_output,
        get_usage_report_rows,
        get_usage_report_rows_output,
    )
    from billing_provider.cost_center_resource import (
        CostCenter,
        CostCenterArgs,
    )
    from billing_provider.cost_centers import (
        AiCreditPool,
        CostCenterDetails,
        CostCenterResource,
    )
    from billing_provider.errors import (
        BillingError,
    )
    from billing_provider.reads import (
        BudgetDetails,
    )
    from billing_provider.resources import (
        BudgetAlerting,
        BudgetAlertingArgs,
        BudgetAlertingArgsDict,
        EnterpriseBudget,
        EnterpriseBudgetArgs,
        OrgBudget,
        OrgBudgetArgs,
    )
    from billing_provider.sku_names import (
        product_identifier,
        sku_identifier,
    )
    from billing_provider.usage import (
        CostCenterName,
        TimePeriod,
        UsageItem,
        UsageReport,
        UsageSummary,
        UsageSummaryItem,
    )
    from billing_provider.usage_data import (
        get_ai_credit_usage,
        get_ai_credit_usage_output,
        get_premium_request_usage,
        get_premium_request_usage_output,
        get_usage,
        get_usage_output,
        get_usage_summary,
        get_usage_summary_output,
    )

__version__ = "0.1.0"

_ROOMS = {
    "AiCreditPool": "cost_centers",
    "BillingError": "errors",
    "BudgetAlerting": "resources",
    "BudgetAlertingArgs": "resources",
    "BudgetAlertingArgsDict": "resources",
    "BudgetDetails": "reads",
    "CostCenter": "cost_center_resource",
    "CostCenterArgs": "cost_center_resource",
    "CostCenterDetails": "cost_centers",
    "CostCenterName": "usage",
    "CostCenterResource": "cost_centers",
    "EffectiveBudget": "calls_budgets",
    "EnterpriseBudget": "resources",
    "EnterpriseBudgetArgs": "resources",
    "OrgBudget": "resources",
    "OrgBudgetArgs": "resources",
    "TimePeriod": "usage",
    "UsageItem": "usage",
    "UsageReport": "usage",
    "UsageReportExport": "calls_reports",
    "UsageSummary": "usage",
    "UsageSummaryItem": "usage",
    "UserState": "calls_budgets",
    "get_ai_credit_usage": "usage_data",
    "get_ai_credit_usage_output": "usage_data",
    "get_budget": "budget_data",
    "get_budget_output": "budget_data",
    "get_budgets": "budget_data",
    "get_budgets_output": "budget_data",
    "get_cost_center": "cost_center_data",
    "get_cost_center_output": "cost_center_data",
    "get_cost_centers": "cost_center_data",
    "get_cost_centers_output": "cost_center_data",
    "get_effective_budget": "budget_data",
    "get_effective_budget_output": "budget_data",
    "get_premium_request_usage": "usage_data",
    "get_premium_request_usage_output": "usage_data",
    "get_usage": "usage_data",
    "get_usage_output": "usage_data",
    "get_usage_report_export": "cost_center_data",
    "get_usage_report_export_output": "cost_center_data",
    "get_usage_report_exports": "cost_center_data",
    "get_usage_report_exports_output": "cost_center_data",
    "get_usage_report_rows": "cost_center_data",
    "get_usage_report_rows_output": "cost_center_data",
    "get_usage_summary": "usage_data",
    "get_usage_summary_output": "usage_data",
    "get_user_states": "budget_data",
    "get_user_states_output": "budget_data",
    "product_identifier": "sku_names",
    "sku_identifier": "sku_names",
}

__all__ = [
    "AiCreditPool",
    "BillingError",
    "BudgetAlerting",
    "BudgetAlertingArgs",
    "BudgetAlertingArgsDict",
    "BudgetDetails",
    "CostCenter",
    "CostCenterArgs",
    "CostCenterDetails",
    "CostCenterName",
    "CostCenterResource",
    "EffectiveBudget",
    "EnterpriseBudget",
    "EnterpriseBudgetArgs",
    "OrgBudget",
    "OrgBudgetArgs",
    "TimePeriod",
    "UsageItem",
    "UsageReport",
    "UsageReportExport",
    "UsageSummary",
    "UsageSummaryItem",
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


def __getattr__(name: str) -> Any:
    """Load a public name at its first use: the sandbox and the client do without Pulumi, whose import is slow."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
