"""Compare our data classes with the models of githubkit: the same fields under the same names."""

from __future__ import annotations

import importlib
from dataclasses import fields
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from billing_provider.cost_centers.models import AiCreditPool, CostCenterDetails, CostCenterResource
from billing_provider.usage.models import CostCenterName, TimePeriod, UsageItem, UsageSummaryItem
from billing_provider.usage.report_exports_api import UsageReportExport
from billing_provider.usage.user_states import UserState

GHEC = "githubkit_schemas.ghec_v2026_03_10.models"
DOTCOM = "githubkit_schemas.v2026_03_10.models"

CAMEL: tuple[tuple[type[Any], str, str, set[str] | None], ...] = (
    (UsageItem, GHEC, "BillingUsageReportPropUsageItemsItems", {"cost_center", "sku_id", "settled"}),
    (UsageSummaryItem, GHEC, "BillingUsageSummaryReportGhePropUsageItemsItems", {"model", "sku_id"}),
    (UsageSummaryItem, GHEC, "BillingAiCreditUsageReportGhePropUsageItemsItems", {"sku_id"}),
    (UsageSummaryItem, GHEC, "BillingPremiumRequestUsageReportGhePropUsageItemsItems", {"sku_id"}),
    (UsageItem, DOTCOM, "BillingUsageReportUserPropUsageItemsItems", None),
    (TimePeriod, GHEC, "BillingUsageSummaryReportGhePropTimePeriod", set()),
    (CostCenterName, GHEC, "BillingUsageSummaryReportGhePropCostCenter", set()),
)
SNAKE: tuple[tuple[type[Any], str, set[str]], ...] = (
    (UserState, "GetBudgetUserStatesPropUserStatesItems", set()),
    (UsageReportExport, "UsageReportExport", set()),
    (CostCenterDetails, "GetCostCenter", {"has_next_page"}),
    (CostCenterResource, "GetCostCenterPropResourcesItems", set()),
    (AiCreditPool, "GetCostCenterPropAiCreditPoolState", set()),
)


def described(room: str, name: str) -> set[str]:
    """Return the field names of a githubkit model."""
    model: Any = getattr(importlib.import_module(room), name)
    return {field.alias or own for own, field in model.model_fields.items()}


@pytest.mark.parametrize(("noun", "room", "name", "ours"), CAMEL, ids=lambda value: getattr(value, "__name__", None))
def test_reports_have_githubs_fields(noun: type[Any], room: str, name: str, ours: set[str] | None) -> None:
    """The report classes have every field of GitHub's description, and only known additional fields."""
    names = {field.name for field in fields(noun)}
    assert described(room, name) <= {to_camel(each) for each in names}
    if ours is not None:
        assert {to_camel(each) for each in names - ours} == described(room, name)


@pytest.mark.parametrize(("noun", "name", "theirs"), SNAKE, ids=lambda value: getattr(value, "__name__", None))
def test_the_other_classes_have_githubs_fields(noun: type[Any], name: str, theirs: set[str]) -> None:
    """The other classes have every field of GitHub's description under the same name."""
    assert {field.name for field in fields(noun)} == described(GHEC, name) - theirs
