"""A Pulumi provider that keeps GitHub's billing budgets as declared in code."""

from __future__ import annotations

import importlib
from typing import Any

from billing_provider._version import __version__ as __version__

_PUBLIC = {
    "budgets.models": ("BudgetDetails",),
    "budgets.skus": ("BudgetType", "product_identifier", "sku_identifier"),
    "core.errors": ("BillingError",),
    "core.inputs": ("OnDelete", "OnExisting", "OnRaise"),
    "core.owners": ("BudgetScope", "OrgBudgetScope"),
    "cost_centers.models": ("AiCreditPool", "CostCenterDetails", "CostCenterResource", "CostCenterState"),
    "sdk.budget": (
        "BudgetAlerting",
        "BudgetAlertingArgs",
        "BudgetAlertingArgsDict",
        "EnterpriseBudget",
        "EnterpriseBudgetArgs",
        "OrgBudget",
        "OrgBudgetArgs",
    ),
    "sdk.budget_functions": (
        "get_budget",
        "get_budget_output",
        "get_budgets",
        "get_budgets_output",
        "get_effective_budget",
        "get_effective_budget_output",
        "get_user_states",
        "get_user_states_output",
    ),
    "sdk.cost_center": ("CostCenter", "CostCenterArgs"),
    "sdk.cost_center_functions": (
        "get_cost_center",
        "get_cost_center_output",
        "get_cost_centers",
        "get_cost_centers_output",
        "get_enterprise_team_members",
        "get_enterprise_team_members_output",
    ),
    "sdk.usage_functions": (
        "get_ai_credit_usage",
        "get_ai_credit_usage_output",
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
    ),
    "sdk.user_budgets": ("UserBudgetRow", "UserBudgets"),
    "usage.models": ("CostCenterName", "TimePeriod", "UsageItem", "UsageReport", "UsageSummary", "UsageSummaryItem"),
    "usage.report_exports_api": ("UsageReportExport", "UsageReportType"),
    "usage.user_states": ("EffectiveBudget", "UserState"),
}
"""The public names by module; type checkers read `__init__.pyi`, which `make docs` writes from this table."""

_MODULES = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - the stub has the list


def __getattr__(name: str) -> Any:
    """Load a public name on first use: Pulumi imports slowly, and the sandbox and the client do not need it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not loaded yet."""
    return [*__all__, "__all__", "__doc__", "__version__"]
