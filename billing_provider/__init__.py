"""A Pulumi provider that keeps GitHub's billing budgets as declared in code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from billing_provider._version import __version__ as __version__

if TYPE_CHECKING:
    from billing_provider.budgets.models import BudgetDetails
    from billing_provider.budgets.skus import BudgetType, product_identifier, sku_identifier
    from billing_provider.budgets.user_states import EffectiveBudget, UserState
    from billing_provider.core.errors import BillingError
    from billing_provider.core.inputs import OnDelete, OnExisting, OnRaise
    from billing_provider.core.owners import BudgetScope, OrgBudgetScope
    from billing_provider.cost_centers.models import (
        AiCreditPool,
        CostCenterDetails,
        CostCenterResource,
        CostCenterState,
    )
    from billing_provider.sdk.budget import (
        BudgetAlerting,
        BudgetAlertingArgs,
        BudgetAlertingArgsDict,
        EnterpriseBudget,
        EnterpriseBudgetArgs,
        OrgBudget,
        OrgBudgetArgs,
    )
    from billing_provider.sdk.budget_functions import (
        get_budget,
        get_budget_output,
        get_budgets,
        get_budgets_output,
        get_effective_budget,
        get_effective_budget_output,
        get_user_states,
        get_user_states_output,
    )
    from billing_provider.sdk.cost_center import CostCenter, CostCenterArgs
    from billing_provider.sdk.cost_center_functions import (
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
    from billing_provider.sdk.usage_functions import (
        get_ai_credit_usage,
        get_ai_credit_usage_output,
        get_premium_request_usage,
        get_premium_request_usage_output,
        get_usage,
        get_usage_output,
        get_usage_summary,
        get_usage_summary_output,
    )
    from billing_provider.usage.exports_api import UsageReportExport, UsageReportType
    from billing_provider.usage.models import (
        CostCenterName,
        TimePeriod,
        UsageItem,
        UsageReport,
        UsageSummary,
        UsageSummaryItem,
    )

_MODULES = {
    "AiCreditPool": "cost_centers.models",
    "BillingError": "core.errors",
    "BudgetAlerting": "sdk.budget",
    "BudgetAlertingArgs": "sdk.budget",
    "BudgetAlertingArgsDict": "sdk.budget",
    "BudgetDetails": "budgets.models",
    "BudgetScope": "core.owners",
    "BudgetType": "budgets.skus",
    "CostCenter": "sdk.cost_center",
    "CostCenterArgs": "sdk.cost_center",
    "CostCenterDetails": "cost_centers.models",
    "CostCenterName": "usage.models",
    "CostCenterResource": "cost_centers.models",
    "CostCenterState": "cost_centers.models",
    "EffectiveBudget": "budgets.user_states",
    "EnterpriseBudget": "sdk.budget",
    "EnterpriseBudgetArgs": "sdk.budget",
    "OnDelete": "core.inputs",
    "OnExisting": "core.inputs",
    "OnRaise": "core.inputs",
    "OrgBudget": "sdk.budget",
    "OrgBudgetArgs": "sdk.budget",
    "OrgBudgetScope": "core.owners",
    "TimePeriod": "usage.models",
    "UsageItem": "usage.models",
    "UsageReport": "usage.models",
    "UsageReportExport": "usage.exports_api",
    "UsageReportType": "usage.exports_api",
    "UsageSummary": "usage.models",
    "UsageSummaryItem": "usage.models",
    "UserState": "budgets.user_states",
    "get_ai_credit_usage": "sdk.usage_functions",
    "get_ai_credit_usage_output": "sdk.usage_functions",
    "get_budget": "sdk.budget_functions",
    "get_budget_output": "sdk.budget_functions",
    "get_budgets": "sdk.budget_functions",
    "get_budgets_output": "sdk.budget_functions",
    "get_cost_center": "sdk.cost_center_functions",
    "get_cost_center_output": "sdk.cost_center_functions",
    "get_cost_centers": "sdk.cost_center_functions",
    "get_cost_centers_output": "sdk.cost_center_functions",
    "get_effective_budget": "sdk.budget_functions",
    "get_effective_budget_output": "sdk.budget_functions",
    "get_premium_request_usage": "sdk.usage_functions",
    "get_premium_request_usage_output": "sdk.usage_functions",
    "get_usage": "sdk.usage_functions",
    "get_usage_output": "sdk.usage_functions",
    "get_usage_report_export": "sdk.cost_center_functions",
    "get_usage_report_export_output": "sdk.cost_center_functions",
    "get_usage_report_exports": "sdk.cost_center_functions",
    "get_usage_report_exports_output": "sdk.cost_center_functions",
    "get_usage_report_rows": "sdk.cost_center_functions",
    "get_usage_report_rows_output": "sdk.cost_center_functions",
    "get_usage_summary": "sdk.usage_functions",
    "get_usage_summary_output": "sdk.usage_functions",
    "get_user_states": "sdk.budget_functions",
    "get_user_states_output": "sdk.budget_functions",
    "product_identifier": "budgets.skus",
    "sku_identifier": "budgets.skus",
}

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
    """Load a public name on first use: Pulumi imports slowly, and the sandbox and the client do not need it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not loaded yet."""
    return [*__all__, "__all__", "__doc__", "__version__"]
