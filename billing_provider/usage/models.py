"""The nouns of the usage reports: periods, items, and totals that say when they cannot be known."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from billing_provider.budgets.skus import sku_identifier
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER, OwnerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SETTLING_DAYS = 2
"""Whole days after the end of a day for which GitHub's figures of that day still move."""
KEPT_MONTHS = 24
"""Months that GitHub's reports reach back."""

USER_OWNER = OwnerKind(noun=USER, path="users", resource="", scopes=())
"""A person as the owner of usage; a person owns no budgets that the API tells of."""

_WIRE = ConfigDict(alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False)

ReportName = Literal["usage", "usage/summary", "premium_request/usage", "ai_credit/usage"]

PERIOD = ("year", "month", "day")
FILTERS: dict[ReportName, dict[str, tuple[str, ...]]] = {
    "usage": {ENTERPRISE: ("cost_center_id",), ORGANIZATION: (), USER: ()},
    "usage/summary": {
        ENTERPRISE: ("organization", "repository", "product", "sku", "cost_center_id"),
        ORGANIZATION: ("repository", "product", "sku"),
        USER: ("repository", "product", "sku"),
    },
    "premium_request/usage": {
        ENTERPRISE: ("organization", "user", "model", "product", "cost_center_id"),
        ORGANIZATION: ("user", "model", "product"),
        USER: ("model", "product"),
    },
    "ai_credit/usage": {
        ENTERPRISE: ("organization", "user", "model", "product", "cost_center_id"),
        ORGANIZATION: ("user", "model", "product"),
        USER: ("model", "product"),
    },
}
"""What each report can be narrowed to, by the noun of its owner, besides the period."""


@dataclass(config=_WIRE, frozen=True)
class TimePeriod:
    """A year, a month of it, or a day of that, in UTC."""

    year: int
    month: int | None = None
    day: int | None = None

    def first(self) -> date:
        """Return its first day.

        Raises:
            ValueError: There is no such year, month or day.
        """
        try:
            return date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)
        except OverflowError as error:
            raise ValueError(self.year) from error

    def last(self) -> date:
        """Return its last day.

        Raises:
            ValueError: There is no such year, month or day.
        """
        first = self.first()
        if self.day is not None:
            return first
        if self.month is None:
            return date(self.year, 12, 31)
        return first.replace(day=monthrange(first.year, first.month)[1])


@dataclass(config=_WIRE, frozen=True)
class CostCenterName:
    """A cost center as reports name it."""

    id: str
    name: str


@dataclass(config=_WIRE, frozen=True)
class UsageItem:
    """One line of the usage report: what one product used on one day.

    Attributes:
        date: The day as GitHub writes it, `2026-01-31` first.
        product: GitHub's display name.
        sku: GitHub's display name, such as `Actions Linux`.
        quantity: How much, in `unit_type`.
        unit_type: The unit, such as `minutes`.
        price_per_unit: US dollars.
        gross_amount: US dollars before discounts; what included amounts and pools are drained by.
        discount_amount: US dollars of discounts and included amounts.
        net_amount: US dollars that are billed.
        organization_name: Where it was used; None where GitHub does not say.
        repository_name: Where it was used; None where GitHub does not say.
        cost_center: Whose it is; None outside cost centers, or where one report cannot tell.
        sku_id: The identifier that budgets use for this SKU; None where the display name is not known.
        settled: Whether the figures of this day have stopped moving.
    """

    date: str
    product: str
    sku: str
    quantity: float
    unit_type: str
    price_per_unit: float
    gross_amount: float
    discount_amount: float
    net_amount: float
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
        gross_quantity: How much, before discounts.
        gross_amount: US dollars before discounts.
        discount_quantity: How much of it is discounted or included.
        discount_amount: US dollars of that.
        net_quantity: How much is billed.
        net_amount: US dollars that are billed.
        model: The AI model; None in the usage summary.
        sku_id: The identifier that budgets use; None where the name is not known.
    """

    product: str
    sku: str
    unit_type: str
    price_per_unit: float
    gross_quantity: float
    gross_amount: float
    discount_quantity: float
    discount_amount: float
    net_quantity: float
    net_amount: float
    model: str | None = None
    sku_id: str | None = None


@dataclass(frozen=True)
class Totals:
    """Exact sums of items in US dollars, each None where GitHub's figures do not allow one.

    Attributes:
        gross_amount: Before discounts.
        discount_amount: Discounts and included amounts.
        net_amount: What is billed.
    """

    gross_amount: float | None
    discount_amount: float | None
    net_amount: float | None


@dataclass(frozen=True)
class Group(Totals):
    """The totals of some lines.

    Attributes:
        quantity: How much, before discounts; None where the lines have several units.
        unit_type: The unit; None where there are several.
    """

    quantity: float | None
    unit_type: str | None


@dataclass(frozen=True)
class UsageReport(Totals):
    """The usage of a period by day, with its totals.

    Attributes:
        time_period: The period.
        usage_items: The lines, as GitHub orders them.
        settled: Whether the figures of the whole period have stopped moving.
        leaves_out_cost_centers: Whether the usage of cost centers is missing, as it is in an enterprise's report.
    """

    time_period: TimePeriod
    usage_items: list[UsageItem]
    settled: bool
    leaves_out_cost_centers: bool


@dataclass(frozen=True)
class UsageSummary(Totals):
    """The usage of a period by SKU (and model), with its totals.

    Attributes:
        time_period: The period, as GitHub understood it.
        usage_items: The lines, as GitHub orders them.
        settled: Whether the figures of the whole period have stopped moving.
        cost_center: The cost center asked for; None for all of them and what is outside.
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
    """Return the last day whose figures no longer move."""
    return today - timedelta(days=SETTLING_DAYS + 1)


def read_items(rows: Any, today: date, cost_center: CostCenterName | None = None) -> list[UsageItem]:
    """Return the lines of a usage report.

    Raises:
        pydantic.ValidationError: They have an unexpected form.
    """
    settled = settled_through(today).isoformat()
    # Some accounts get one line a month, dated its first day: in the current month that line still grows.
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
    """Return a usage report of these lines, with its totals."""
    sums = _totals(items, knowable=_is_knowable(period, today))
    settled = period.last() <= settled_through(today)
    return UsageReport(*sums, period, items, settled, leaves_out)


def read_summary(data: Mapping[str, Any], today: date, *, lags_by_day: bool) -> UsageSummary:
    """Return a summary, with its totals.

    Args:
        data: GitHub's answer.
        today: The day in UTC.
        lags_by_day: Whether this report reads 0 for single days of the current month, as the reports by model do.

    Raises:
        pydantic.ValidationError: It has an unexpected form.
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
    """Return the sum of the amounts as they are written: no error of binary fractions adds up."""
    return float(sum((Decimal(repr(amount)) for amount in amounts), Decimal(0)))


def grouped(
    items: Iterable[UsageItem] | Iterable[UsageSummaryItem], key: Callable[[Any], tuple[str, ...]]
) -> dict[tuple[str, ...], Group]:
    """Return exact totals of the lines that share a key, sorted by key; they add up to the totals of all."""
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
    """Tell whether an empty report of the period means that nothing was used: some of it has settled and is kept."""
    oldest = today.year * 12 + today.month - KEPT_MONTHS
    last = period.last()
    return period.first() <= settled_through(today) and last.year * 12 + last.month >= oldest


def _totals(items: Iterable[Any], *, knowable: bool) -> tuple[float | None, float | None, float | None]:
    items = list(items)
    gross = exact_sum(item.gross_amount for item in items)
    if not knowable and not gross:
        return None, None, None
    return gross, exact_sum(item.discount_amount for item in items), exact_sum(item.net_amount for item in items)
