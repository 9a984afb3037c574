"""Our nouns against an independent client's models of GitHub's description: the same fields under the same names."""

from __future__ import annotations

import importlib
from dataclasses import fields
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from billing_provider import cost_centers, usage
from billing_provider.calls_budgets import UserState
from billing_provider.calls_reports import UsageReportExport

GHEC = "githubkit_schemas.ghec_v2026_03_10.models"
DOTCOM = "githubkit_schemas.v2026_03_10.models"

CAMEL: tuple[tuple[type[Any], str, str, set[str] | None], ...] = (
    (usage.UsageItem, GHEC, "BillingUsageReportPropUsageItemsItems", {"cost_center", "sku_id", "settled"}),
    (usage.UsageSummaryItem, GHEC, "BillingUsageSummaryReportGhePropUsageItemsItems", {"model", "sku_id"}),
    (usage.UsageSummaryItem, GHEC, "BillingAiCreditUsageReportGhePropUsageItemsItems", {"sku_id"}),
    (usage.UsageSummaryItem, GHEC, "BillingPremiumRequestUsageReportGhePropUsageItemsItems", {"sku_id"}),
    (usage.UsageItem, DOTCOM, "BillingUsageReportUserPropUsageItemsItems", None),
    (usage.TimePeriod, GHEC, "BillingUsageSummaryReportGhePropTimePeriod", set()),
    (usage.CostCenterName, GHEC, "BillingUsageSummaryReportGhePropCostCenter", set()),
)
SNAKE: tuple[tuple[type[Any], str, set[str]], ...] = (
    (UserState, "GetBudgetUserStatesPropUserStatesItems", set()),
    (UsageReportExport, "UsageReportExport", set()),
    (cost_centers.CostCenterDetails, "GetCostCenter", {"has_next_page"}),
    (cost_centers.CostCenterResource, "GetCostCenterPropResourcesItems", set()),
    (cost_centers.AiCreditPool, "GetCostCenterPropAiCreditPoolState", set()),
)


def described(room: str, name: str) -> set[str]:
    """Return the names that the independent model reads from the wire."""
    model: Any = getattr(importlib.import_module(room), name)
    return {field.alias or own for own, field in model.model_fields.items()}


@pytest.mark.parametrize(("noun", "room", "name", "ours"), CAMEL, ids=lambda value: getattr(value, "__name__", None))
def test_reports_have_githubs_fields(noun: type[Any], room: str, name: str, ours: set[str] | None) -> None:
    """Every field of the description is read under its name, and what is ours beside them is known."""
    names = {field.name for field in fields(noun)}
    assert described(room, name) <= {to_camel(each) for each in names}
    if ours is not None:
        assert {to_camel(each) for each in names - ours} == described(room, name)


@pytest.mark.parametrize(("noun", "name", "theirs"), SNAKE, ids=lambda value: getattr(value, "__name__", None))
def test_the_other_nouns_have_githubs_fields(noun: type[Any], name: str, theirs: set[str]) -> None:
    """The same for what travels under the names that a program uses too."""
    assert {field.name for field in fields(noun)} == described(GHEC, name) - theirs
