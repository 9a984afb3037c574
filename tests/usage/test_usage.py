"""Usage models: exact sums, periods, unknown figures, and names of SKUs."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.skus import SKUS, canonical_sku, product_identifier, sku_identifier
from billing_provider.core.errors import TransportError
from billing_provider.usage.api import UsageApi
from billing_provider.usage.models import (
    MAX_FIGURE,
    CostCenterName,
    TimePeriod,
    UsageItem,
    exact_sum,
    grouped,
    read_items,
    read_report,
    read_summary,
)
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from tests.support.harness import RunHarness

TODAY = date(2026, 9, 21)
CENTS = st.decimals(0, 10**6, places=3)


def item(**fields: Any) -> dict[str, Any]:
    plain = {
        "date": "2026-09-01",
        "product": "Actions",
        "sku": "Actions Linux",
        "quantity": 100,
        "unitType": "minutes",
        "pricePerUnit": 0.008,
        "grossAmount": 0.8,
        "discountAmount": 0,
        "netAmount": 0.8,
    }
    return {**plain, **fields}


def line(**fields: Any) -> dict[str, Any]:
    amounts = {f"{kind}{what}": 1.5 for kind in ("gross", "discount", "net") for what in ("Quantity", "Amount")}
    return {"product": "Actions", "sku": "actions_linux", "unitType": "minutes", "pricePerUnit": 1, **amounts, **fields}


@given(st.lists(CENTS, max_size=30))
def test_sums_are_exact_in_decimals(amounts: list[Decimal]) -> None:
    """For any amounts, the sum has no accumulated binary rounding errors."""
    assert exact_sum(float(amount) for amount in amounts) == float(sum(amounts, Decimal(0)))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), CENTS, st.sampled_from(("h", "GB")))))
def test_groups_add_up_to_the_total(rows: list[tuple[str, str, Decimal, str]]) -> None:
    """The groups of every key add up to the total, and a group has a quantity if its lines have one unit."""
    wire = [item(product=product, sku=sku, netAmount=float(net), unitType=unit) for product, sku, net, unit in rows]
    items = read_items(wire, TODAY)
    keys: tuple[Callable[[UsageItem], tuple[str, ...]], ...] = (
        lambda each: (each.product,),
        lambda each: (each.sku,),
        lambda each: (each.product, each.sku, each.unit_type),
    )
    for key in keys:
        groups = grouped(items, key)
        assert list(groups) == sorted(groups)
        nets = [group.net_amount for group in groups.values() if group.net_amount is not None]
        assert exact_sum(nets) == exact_sum(each.net_amount for each in items)
        for name, group in groups.items():
            units = {each.unit_type for each in items if key(each) == name}
            assert (group.unit_type is None, group.quantity is None) == (len(units) > 1, len(units) > 1)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (TimePeriod(2026), date(2026, 1, 1), date(2026, 12, 31)),
        (TimePeriod(2024, 2), date(2024, 2, 1), date(2024, 2, 29)),
        (TimePeriod(2026, 12), date(2026, 12, 1), date(2026, 12, 31)),
        (TimePeriod(2026, 9, 20), date(2026, 9, 20), date(2026, 9, 20)),
    ],
    ids=str,
)
def test_first_and_last_day_of_a_period(period: TimePeriod, first: date, last: date) -> None:
    """A year, a month and a day have the correct first and last day."""
    assert (period.first(), period.last()) == (first, last)


@pytest.mark.parametrize(
    ("period", "net", "settled"),
    [
        (TimePeriod(2026, 8), 0.0, True),
        (TimePeriod(2026, 9), 0.0, False),
        (TimePeriod(2026, 9, 18), 0.0, True),
        (TimePeriod(2026, 9, 19), None, False),
        (TimePeriod(2026, 9, 21), None, False),
        (TimePeriod(2026, 10), None, False),
        (TimePeriod(2024, 9), 0.0, True),
        (TimePeriod(2024, 8), None, True),
    ],
    ids=str,
)
def test_totals_of_empty_reports(period: TimePeriod, net: float | None, settled: bool) -> None:
    """An empty report is 0 if a day of it is final, and None for future, unsettled or no longer covered days."""
    report = read_report(period, [], TODAY, leaves_out=False)
    assert (report.net_amount, report.gross_amount, report.settled) == (net, net, settled)


def test_figures_of_an_unsettled_day_are_counted() -> None:
    """A figure of yesterday is counted and marked as not final."""
    items = read_items([item(date="2026-09-20"), item(date="2026-08-31T00:00:00Z")], TODAY)
    assert [each.settled for each in items] == [False, True]
    report = read_report(TimePeriod(2026, 9, 20), items[:1], TODAY, leaves_out=True)
    assert (report.net_amount, report.settled, report.leaves_out_cost_centers) == (0.8, False, True)


def test_a_monthly_line_of_the_current_month_is_not_settled() -> None:
    """Some accounts get one line a month, dated the first day; the current month's line is not final."""
    lines = read_items([item(date="2026-09-01"), item(date="2026-08-01")], TODAY)
    assert [each.settled for each in lines] == [False, True]


@pytest.mark.parametrize(
    ("period", "rows", "lags", "net"),
    [
        ({"year": 2026, "month": 9, "day": 10}, [], True, None),
        ({"year": 2026, "month": 9, "day": 10}, [], False, 0.0),
        ({"year": 2026, "month": 8, "day": 10}, [], True, 0.0),
        ({"year": 2026, "month": 9}, [], True, 0.0),
        ({"year": 2026, "month": 9, "day": 10}, [line(model="GPT-5")], True, 1.5),
        ({"year": 2026, "month": 9, "day": 10}, [line(grossAmount=0, netAmount=0, discountAmount=0)], True, None),
    ],
)
def test_zero_for_a_recent_day_is_unknown_in_reports_by_model(
    period: dict[str, int], rows: list[dict[str, Any]], lags: bool, net: float | None
) -> None:
    """In reports by model, 0 for a single day of the current month is None."""
    summary = read_summary({"timePeriod": period, "usageItems": rows}, TODAY, lags_by_day=lags)
    assert summary.net_amount == net
    assert summary.time_period == TimePeriod(**period)


def test_a_summary_contains_its_cost_center() -> None:
    """The requested cost center is returned with its id and name."""
    center = {"id": "1", "name": "Data"}
    data = {"timePeriod": {"year": 2026}, "usageItems": [line()], "costCenter": center}
    summary = read_summary(data, TODAY, lags_by_day=False)
    assert summary.cost_center == CostCenterName("1", "Data")
    assert summary.usage_items[0].sku_id == "actions_linux"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Actions Linux", "actions_linux"),
        ("Actions macOS", "actions_macos"),
        ("actions_windows_4_core", "actions_windows_4_core"),
        ("Actions Linux 4-core", "actions_linux_4_core"),
        ("Copilot AI Credits", "copilot_ai_credits"),
        ("copilot_ai_credit", "copilot_ai_credits"),
        ("Copilot Business", "copilot_for_business"),
        ("  Git  LFS storage", "git_lfs_storage"),
        ("Copilot Premium Request", None),
        ("Actions", None),
        ("Something New", None),
        ("", None),
    ],
)
def test_display_names_of_skus(name: str, expected: str | None) -> None:
    """A display name returns the identifier that budgets use, and an unknown name returns None."""
    assert sku_identifier(name) == expected


@pytest.mark.parametrize("sku", sorted(SKUS))
def test_identifiers_are_their_own_display_names(sku: str) -> None:
    """An identifier, also written as capitalized words, returns itself."""
    assert sku_identifier(sku) == sku_identifier(sku.replace("_", " ").title()) == canonical_sku(sku)


def test_display_names_of_products() -> None:
    """Words and case do not matter; a product that budgets do not have returns None."""
    assert (product_identifier("Actions"), product_identifier(" Git  LFS ")) == ("actions", "git_lfs")
    assert product_identifier("Models") is None


BAD_SUMMARIES: tuple[Any, ...] = (
    {"timePeriod": {"year": 2026}, "usageItems": "none"},
    {"timePeriod": {"year": 2026}, "usageItems": [line(netAmount=None)]},
    {"timePeriod": {"year": 2026, "month": 13}, "usageItems": []},
    {"timePeriod": {"year": 2026}, "usageItems": [], "costCenter": "Data"},
    {"usageItems": []},
    [],
    {},
)


@pytest.mark.parametrize("amount", [1e308, -1e308, 1e300])
def test_amounts_whose_sum_could_be_infinite_are_refused(
    amount: float, enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """A usage report and a summary with a huge amount are errors that name the field; the sum is never infinite."""
    report = {"usageItems": [item(netAmount=amount)] * 2}
    summary = {"timePeriod": {"year": 2026}, "usageItems": [line(grossQuantity=amount)] * 2}
    with WireServer(answer(200, report), answer(200, summary)) as server:
        harness = new_run(base_url=server.url)
        api = UsageApi(harness.run.transport, harness.clock)
        with pytest.raises(TransportError, match=r"read the usage of enterprise octo-enterprise: .*netAmount"):
            api.get_usage(enterprise, {})
        with pytest.raises(TransportError, match=r"read the usage summary of .*: .*grossQuantity"):
            api.get_usage_summary(enterprise, {})


@given(st.lists(st.floats(-MAX_FIGURE, MAX_FIGURE, exclude_min=True, exclude_max=True), max_size=30))
def test_sums_of_accepted_amounts_are_finite(amounts: list[float]) -> None:
    """The sum of amounts that a report may contain is a finite number."""
    assert math.isfinite(exact_sum(amounts))


@pytest.mark.parametrize("body", BAD_SUMMARIES, ids=str)
@pytest.mark.parametrize("name", ["get_usage_summary", "get_premium_request_usage", "get_ai_credit_usage"])
def test_an_invalid_summary_is_an_error(
    name: str, body: Any, enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """An invalid response is an error that names the report, not an empty report."""
    with WireServer(answer(200, body)) as server:
        harness = new_run(base_url=server.url)
        calls = UsageApi(harness.run.transport, harness.clock)
        with pytest.raises(TransportError, match=r"usage( summary)? of enterprise octo-enterprise"):
            getattr(calls, name)(enterprise, {})


PRICELESS = {name: value for name, value in item().items() if name != "pricePerUnit"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("none", "an invalid value"),
        ([item(), PRICELESS], r"no pricePerUnit in row 2\."),
        ([item(netAmount="much")], "an invalid value"),
        (None, "an invalid value"),
    ],
    ids=str,
)
def test_an_invalid_usage_report_is_an_error(
    rows: Any, words: str, enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """An invalid response is an error; a response without a list is an empty report, as GitHub returns it."""
    with WireServer(answer(200, {"usageItems": rows}), answer(200, {})) as server:
        harness = new_run(base_url=server.url)
        calls = UsageApi(harness.run.transport, harness.clock)
        with pytest.raises(TransportError, match=f"read the usage of .*: GitHub's response has {words}"):
            calls.get_usage(enterprise, {})
        assert calls.get_usage(enterprise, {}) == []
