"""A Pulumi provider that keeps GitHub's billing budgets as declared in code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_provider.errors import BillingError
    from billing_provider.resources import (
        BudgetAlerting,
        BudgetAlertingArgs,
        BudgetAlertingArgsDict,
        EnterpriseBudget,
        EnterpriseBudgetArgs,
        OrgBudget,
        OrgBudgetArgs,
    )

__version__ = "0.1.0"

_ROOMS = {
    "BillingError": "errors",
    "BudgetAlerting": "resources",
    "BudgetAlertingArgs": "resources",
    "BudgetAlertingArgsDict": "resources",
    "EnterpriseBudget": "resources",
    "EnterpriseBudgetArgs": "resources",
    "OrgBudget": "resources",
    "OrgBudgetArgs": "resources",
}

__all__ = [
    "BillingError",
    "BudgetAlerting",
    "BudgetAlertingArgs",
    "BudgetAlertingArgsDict",
    "EnterpriseBudget",
    "EnterpriseBudgetArgs",
    "OrgBudget",
    "OrgBudgetArgs",
]


def __getattr__(name: str) -> Any:
    """Load a public name at its first use: the sandbox and the client do without Pulumi, whose import is slow."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
