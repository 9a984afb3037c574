"""The usage reports of an enterprise, an organization or a user: filtered sums of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.replies import Reply, bad_request, forbidden, not_found
from billing_provider.sandbox.store import ledger
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.store.ledger import UsageRow
    from billing_provider.sandbox.store.records import StoredCostCenter

_FILTERS = ("organization", "repository", "user", "model", "product", "sku")
_NO_CENTER = "none"
_DECEMBER = 12


@dataclass(frozen=True)
class _Period:
    """The requested days, and the `timePeriod` of the reply."""

    start: date
    end: date
    named: dict[str, int]


def usage_report(call: Call) -> Reply:
    """Return the usage by day, SKU, organization and repository; an enterprise's report leaves out cost centers."""
    period = _period(call, whole_year=True)
    # By default, an enterprise's report leaves out the usage of cost centers.
    center = _cost_center(call) or (_NO_CENTER if call.owner_kind == "enterprise" else None)
    monthly = "monthly_usage" in call.quirks

    def group(row: UsageRow) -> tuple[str, ...]:
        day = row.day.replace(day=1) if monthly else row.day
        return (day.isoformat(), row.organization, row.repository, row.sku)

    items = []
    for (day, organization, repository, _), found in _grouped(_rows(call, period, center), group):
        item = _amounts(found)
        item = {
            "date": day,
            "product": found[0].product,
            "sku": found[0].sku_name,
            "quantity": item["grossQuantity"],
            "unitType": found[0].unit,
            **{name: item[name] for name in ("pricePerUnit", "grossAmount", "discountAmount", "netAmount")},
            "organizationName": organization,
        }
        if repository:
            item["repositoryName"] = repository
        if call.owner_kind == "user":
            del item["organizationName"]
        items.append(item)
    return Reply({"usageItems": items})


def usage_summary(call: Call) -> Reply:
    """Return the usage by SKU, of all cost centers or of one."""
    period = _period(call)
    center = _cost_center(call)
    items = [
        {"product": found[0].product, "sku": sku, "unitType": found[0].unit, **_amounts(found)}
        for (sku,), found in _grouped(_rows(call, period, center), lambda row: (row.sku,))
    ]
    return _headed(call, period, center, items)


def premium_request_usage(call: Call) -> Reply:
    """Return the premium requests by model."""
    return _by_model(call, "premium_request", "requests")


def ai_credit_usage(call: Call) -> Reply:
    """Return the AI credits by model."""
    return _by_model(call, "ai_credit", "ai-credits" if call.owner_kind == "user" else "credits")


def _by_model(call: Call, sku: str, unit: str) -> Reply:
    if call.token.organization is not None and call.owner_kind == "organization" and "user" in call.query:
        raise forbidden("Organization admins for enterprise owned organizations cannot filter usage by user")
    period = _period(call)
    center = _cost_center(call)
    chosen = [row for row in _rows(call, period, center) if sku in row.sku]
    if "current_days_zero" in call.quirks and "day" in period.named and _this_month(call, period.start):
        chosen = []
    items = [
        {"product": found[0].product, "sku": name, "model": model, "unitType": unit, **_amounts(found)}
        for (name, model), found in _grouped(chosen, lambda row: (row.sku_name, row.model))
    ]
    return _headed(call, period, center, items)


def _headed(call: Call, period: _Period, center: StoredCostCenter | str | None, items: list[dict[str, Any]]) -> Reply:
    body: dict[str, Any] = {"timePeriod": period.named, call.owner_kind: call.owner}
    body |= {name: call.query[name] for name in _FILTERS if name in call.query}
    if center is not None and not isinstance(center, str):
        body["costCenter"] = {"id": center.id, "name": center.name}
    return Reply({**body, "usageItems": items})


def _period(call: Call, *, whole_year: bool = False) -> _Period:
    today = call.state.today()
    # The default period is this year for the usage report and this month for the others.
    none = not {"year", "month", "day"} & set(call.query)
    year = call.whole_number("year", today.year)
    month = call.whole_number("month", today.month) if "year" not in call.query or "month" in call.query else None
    month = None if whole_year and none else month
    if "day" in call.query and month is None:
        month = today.month
    try:
        start = date(year, month or 1, call.whole_number("day", 1))
        month_end = (start.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise bad_request("Invalid value for year, month or day: there is no such day.") from error
    named = {"year": year}
    if month is None:
        end = date(year, _DECEMBER, 31)
    elif "day" in call.query:
        named, end = {"year": year, "month": month, "day": start.day}, start
    else:
        named, end = {"year": year, "month": month}, month_end
    if not whole_year and end < today - timedelta(days=731):
        raise bad_request("Only data from the past 24 months is accessible.")
    return _Period(start, end, named)


def _this_month(call: Call, day: date) -> bool:
    today = call.state.today()
    return (day.year, day.month) == (today.year, today.month)


def _cost_center(call: Call) -> StoredCostCenter | str | None:
    reference = call.query.get("cost_center_id")
    if reference is None or reference == _NO_CENTER:
        return reference
    center = call.state.cost_centers.get(reference)
    if center is None:
        raise bad_request("Invalid value for cost_center_id: no cost center has that id.")
    return center


def _rows(call: Call, period: _Period, center: StoredCostCenter | str | None) -> list[UsageRow]:
    _check_names(call)
    if call.owner_kind == "user" and "user_usage_empty" in call.quirks:
        return []
    wanted = [(name, call.query[name]) for name in _FILTERS if name in call.query]
    if call.owner_kind != "enterprise":
        wanted.append((call.owner_kind, call.owner))
    elif call.token.organization is not None:
        wanted.append(("organization", call.token.organization))
    return [
        row
        for row in ledger.rows(call.state, period.start, period.end)
        if all(_fits(row, name, value) for name, value in wanted)
        and (center is None or (ledger.cost_center_of(call.state, row) or _NO_CENTER) == center)
    ]


def _check_names(call: Call) -> None:
    for kind, noun in (("user", "login"), ("organization", "organization")):
        if kind in call.query and call.state.find_name(kind, call.query[kind]) is None:
            raise not_found(problem=f"the {noun} is unknown to the enterprise")


def _fits(row: UsageRow, name: str, value: str) -> bool:
    held: tuple[str, ...] = (row.sku, row.sku_name) if name == "sku" else (getattr(row, name),)
    return any(same_name(own, value) for own in held)


def _grouped(
    found: Iterable[UsageRow], key: Callable[[UsageRow], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], list[UsageRow]]]:
    groups: dict[tuple[str, ...], list[UsageRow]] = {}
    for row in found:
        groups.setdefault(key(row), []).append(row)
    return sorted(groups.items(), key=lambda entry: entry[0])


def _amounts(found: list[UsageRow]) -> dict[str, Any]:
    price = found[0].price
    gross, discount = sum(row.quantity for row in found), sum(row.discount for row in found)
    return {
        "pricePerUnit": ledger.dollars(price),
        "grossQuantity": gross,
        "grossAmount": ledger.dollars(gross * price),
        "discountQuantity": discount,
        "discountAmount": ledger.dollars(discount * price),
        "netQuantity": gross - discount,
        "netAmount": ledger.dollars((gross - discount) * price),
    }
