"""Models of the usage reports: periods, items, and totals that are None when unknown."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from billing_provider.budgets.skus import sku_identifier
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER, OwnerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SETTLING_DAYS = 2
"""Number of full days after a day during which GitHub may still change its figures."""
KEPT_MONTHS = 24
"""Number of months that GitHub's reports cover."""

MAX_FIGURE = 1e300
"""Exclusive limit of an amount or a quantity in a report; no response has enough lines for an infinite sum."""
Figure = Annotated[float, Field(gt=-MAX_FIGURE, lt=MAX_FIGURE)]

USER_OWNER = OwnerKind(noun=USER, path="users", resource="", scopes=())
"""A user as the owner of usage; the API has no budgets for this owner."""

_WIRE = ConfigDict(alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False)

SummaryName = Literal["usage/summary", "premium_request/usage", "ai_credit/usage"]
ReportName = Literal["usage", SummaryName]

PERIOD = ("year", "month", "day")
_BY_MODEL: dict[str, tuple[str, ...]] = {
    ENTERPRISE: ("organization", "user", "model", "product", "cost_center_id"),
    ORGANIZATION: ("user", "model", "product"),
    USER: ("model", "product"),
}
FILTERS: dict[ReportName, dict[str, tuple[str, ...]]] = {
    "usage": {ENTERPRISE: ("cost_center_id",), ORGANIZATION: (), USER: ()},
    "usage/summary": {
        ENTERPRISE: ("organization", "repository", "product", "sku", "cost_center_id"),
        ORGANIZATION: ("repository", "product", "sku"),
        USER: ("repository", "product", "sku"),
    },
    "premium_request/usage": _BY_MODEL,
    "ai_credit/usage": _BY_MODEL,
}
"""Filters of each report besides the period, by the noun of the owner."""


@dataclass(config=_WIRE, frozen=True)
class TimePeriod:
    """A year, a month or a day, in UTC."""

    year: int
    month: int | None = None
    day: int | None = None

    def first(self) -> date:
        """Return the first day of the period.

        Raises:
            ValueError: The year, month or day is invalid.
        """
        try:
            return date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)
        except OverflowError as error:
            raise ValueError(self.year) from error

    def last(self) -> date:
        """Return the last day of the period.

        Raises:
            ValueError: The year, month or day is invalid.
        """
        first = self.first()
        if self.day is not None:
            return first
        if self.month is None:
            return date(self.year, 12, 31)
        return first.replace(day=monthrange(first.year, first.month)[1])


@dataclass(config=_WIRE, frozen=True)
class CostCenterName:
    """A cost center as it appears in reports."""

    id: str
    name: str


@dataclass(config=_WIRE, frozen=True)
class UsageItem:
    """One line of the usage report: what one product used on one day.

    Attributes:
        date: The day in GitHub's format; the text starts with a date such as `2026-01-31`.
        product: GitHub's display name.
        sku: GitHub's display name, such as `Actions Linux`.
        quantity: The quantity, in `unit_type`.
        unit_type: The unit, such as `minutes`.
        price_per_unit: US dollars.
        gross_amount: US dollars before discounts; included amounts, if the license has any, are reduced by it.
        discount_amount: US dollars of discounts and included amounts.
        net_amount: Billed US dollars.
        organization_name: The organization; None if GitHub does not return it.
        repository_name: The repository; None if GitHub does not return it.
        cost_center: The cost center; None outside cost centers, or if the report does not contain it.
        sku_id: The identifier that budgets use for this SKU; None if the display name is unknown.
        settled: Whether the figures of this day are final.
    """

    date: str
    product: str
    sku: str
    quantity: Figure
    unit_type: str
    price_per_unit: Figure
    gross_amount: Figure
    discount_amount: Figure
    net_amount: Figure
    organization_name: str | None = None
    repository_name: str | None = None
    cost_center: CostCenterName | None = None
    sku_id: str | None = None
    settled: bool = False


@dataclass(config=_WIRE, frozen=True)
class UsageSummaryItem:
    """One line of a summary: what one SKU (and model) used in the whole period.

    Attributes:
        product: GitHub's display name.
        sku: GitHub's name of the SKU: an identifier in the usage summary, a display name in the reports by model.
        unit_type: The unit.
        price_per_unit: US dollars.
        gross_quantity: The quantity before discounts.
        gross_amount: US dollars before discounts.
        discount_quantity: The discounted or included quantity.
        discount_amount: US dollars of discounts and included amounts.
        net_quantity: The billed quantity.
        net_amount: Billed US dollars.
        model: The AI model; None in the usage summary.
        sku_id: The identifier that budgets use; None if the name is unknown.
    """

    product: str
    sku: str
    unit_type: str
    price_per_unit: Figure
    gross_quantity: Figure
    gross_amount: Figure
    discount_quantity: Figure
    discount_amount: Figure
    net_quantity: Figure
    net_amount: Figure
    model: str | None = None
    sku_id: str | None = None


@dataclass(frozen=True)
class Totals:
    """Exact sums of items in US dollars, each None if GitHub's figures are not sufficient.

    Attributes:
        gross_amount: Before discounts.
        discount_amount: Discounts and included amounts.
        net_amount: The billed amount.
    """

    gross_amount: float | None
    discount_amount: float | None
    net_amount: float | None


@dataclass(frozen=True)
class Group(Totals):
    """The totals of a group of lines.

    Attributes:
        quantity: The quantity before discounts; None if the lines have several units.
        unit_type: The unit; None if the lines have several units.
    """

    quantity: float | None
    unit_type: str | None


@dataclass(frozen=True)
class UsageReport(Totals):
    """The usage of a period by day, with its totals.

    Attributes:
        time_period: The period.
        usage_items: The lines, in GitHub's order.
        settled: Whether the figures of the whole period are final.
        leaves_out_cost_centers: Whether the usage of cost centers is missing, as in an enterprise's report.
    """

    time_period: TimePeriod
    usage_items: list[UsageItem]
    settled: bool
    leaves_out_cost_centers: bool


@dataclass(frozen=True)
class UsageSummary(Totals):
    """The usage of a period by SKU (and model), with its totals.

    Attributes:
        time_period: The period that GitHub returned.
        usage_items: The lines, in GitHub's order.
        settled: Whether the figures of the whole period are final.
        cost_center: The requested cost center; None for all usage, inside and outside cost centers.
    """

    time_period: TimePeriod
    usage_items: list[UsageSummaryItem]
    settled: bool
    cost_center: CostCenterName | None = None


_ITEMS = TypeAdapter(list[UsageItem])
_SUMMARY_ITEMS = TypeAdapter(list[UsageSummaryItem])
_PERIOD = TypeAdapter(TimePeriod)
_COST_CENTER = TypeAdapter(CostCenterName)


def settled_through(today: date) -> date:
    """Return the last day whose figures are final."""
    return today - timedelta(days=SETTLING_DAYS + 1)


def read_items(rows: Any, today: date, cost_center: CostCenterName | None = None) -> list[UsageItem]:
    """Return the lines of a usage report.

    Raises:
        pydantic.ValidationError: The lines have an unexpected form.
    """
    settled = settled_through(today).isoformat()
    # Some accounts get one line per month, dated the first day; the current month's line still changes.
    month = today.replace(day=1).isoformat()
    return [
        replace(
            item,
            cost_center=cost_center,
            sku_id=sku_identifier(item.sku),
            settled=item.date[: len(settled)] <= settled and not item.date.startswith(month),
        )
        for item in _ITEMS.validate_python(rows)
    ]


def read_report(period: TimePeriod, items: list[UsageItem], today: date, *, leaves_out: bool) -> UsageReport:
    """Create a usage report with totals from the lines."""
    sums = _totals(items, knowable=_is_knowable(period, today))
    settled = period.last() <= settled_through(today)
    return UsageReport(*sums, period, items, settled, leaves_out)


def read_summary(data: Mapping[str, Any], today: date, *, lags_by_day: bool) -> UsageSummary:
    """Create a summary with totals from GitHub's response.

    Args:
        data: GitHub's response.
        today: The current date in UTC.
        lags_by_day: Whether this report shows 0 for single days of the current month, like the reports by model.

    Raises:
        pydantic.ValidationError: The response has an unexpected form.
    """
    period = _PERIOD.validate_python(data.get("timePeriod"))
    items = [
        replace(item, sku_id=sku_identifier(item.sku))
        for item in _SUMMARY_ITEMS.validate_python(data.get("usageItems"))
    ]
    center = data.get("costCenter")
    lags = lags_by_day and period.day is not None and period.first() >= today.replace(day=1)
    sums = _totals(items, knowable=not lags and _is_knowable(period, today))
    settled = period.last() <= settled_through(today) and not lags
    return UsageSummary(*sums, period, items, settled, center and _COST_CENTER.validate_python(center))


def exact_sum(amounts: Iterable[float]) -> float:
    """Return the decimal sum of the amounts, without accumulated floating-point errors."""
    return float(sum((Decimal(repr(amount)) for amount in amounts), Decimal(0)))


def grouped(
    items: Iterable[UsageItem] | Iterable[UsageSummaryItem], key: Callable[[Any], tuple[str, ...]]
) -> dict[tuple[str, ...], Group]:
    """Return exact totals per key, sorted by key; their sum equals the totals of all lines."""
    parts: dict[tuple[str, ...], list[Any]] = {}
    for item in items:
        parts.setdefault(key(item), []).append(item)
    return {name: _group(parts[name]) for name in sorted(parts)}


def _group(items: list[Any]) -> Group:
    units = {item.unit_type for item in items}
    unit = units.pop() if len(units) == 1 else None
    amounts = (item.quantity if isinstance(item, UsageItem) else item.gross_quantity for item in items)
    return Group(*_totals(items, knowable=True), exact_sum(amounts) if unit else None, unit)


def _is_knowable(period: TimePeriod, today: date) -> bool:
    """Return whether an empty report means no usage: a part of the period is final and still covered."""
    oldest = today.year * 12 + today.month - KEPT_MONTHS
    last = period.last()
    return period.first() <= settled_through(today) and last.year * 12 + last.month >= oldest


def _totals(items: Iterable[Any], *, knowable: bool) -> tuple[float | None, float | None, float | None]:
    items = list(items)
    gross = exact_sum(item.gross_amount for item in items)
    if not knowable and not gross:
        return None, None, None
    return gross, exact_sum(item.discount_amount for item in items), exact_sum(item.net_amount for item in items)
