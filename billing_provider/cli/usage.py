"""The verb `usage`: usage and its cost, grouped, with totals."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from billing_provider import cli
from billing_provider.cli import render
from billing_provider.cli.options import add_name, whole
from billing_provider.cli.tables import Column
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER
from billing_provider.usage import names
from billing_provider.usage.models import FILTERS, UsageReport, grouped
from billing_provider.usage.queries import OUTSIDE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from billing_provider.usage.models import Group, ReportName, UsageSummary

_PATHS: dict[str, ReportName] = {
    "summary": "usage/summary",
    "daily": "usage",
    "ai-credit": "ai_credit/usage",
    "premium-request": "premium_request/usage",
}
_LEAST = {"sku": 23, "model": 16, "repository": 12} | dict.fromkeys(
    ("date", "product", "organization", "cost-center"), 10
)
_MIXED = "mixed"
_OWNERS = (ENTERPRISE, ORGANIZATION, USER)
_PERIOD = {"year": 9999, "month": 12, "day": 31}
_NARROWED = ("repository", "model", "product", "sku", "cost_center")
_KEYS: dict[str, Callable[[Any], str]] = {
    "date": lambda item: str(item.date)[:10],
    "product": lambda item: str(item.product),
    "sku": lambda item: str(item.sku),
    "model": lambda item: item.model or "",
    "organization": lambda item: item.organization_name or "",
    "repository": lambda item: item.repository_name or "",
    "cost-center": lambda item: item.cost_center.name if item.cost_center else OUTSIDE,
}
_DAILY = ("date", "product", "sku", "organization", "repository", "cost-center")
_BY_MODEL = ("product", "sku", "model")
_CAN_GROUP = {"summary": ("product", "sku"), "daily": _DAILY, "ai-credit": _BY_MODEL, "premium-request": _BY_MODEL}
_FIGURES = ("quantity", "unit_type", "gross_amount", "discount_amount", "net_amount")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "usage",
        help="show usage and its cost",
        description="Show the usage of an enterprise, an organization or a user. The broadest of the three selects the "
        "report; the others filter it. Amounts are US dollars: gross before discounts, net as billed.",
    )
    for noun, text in ((ENTERPRISE, "an enterprise"), (ORGANIZATION, "an organization"), (USER, "a user")):
        add_name(parser, noun, text)
    reports = f"the report: {', '.join(_PATHS)} (default: summary)"
    parser.add_argument("--report", choices=tuple(_PATHS), metavar="REPORT", default="summary", help=reports)
    parser.add_argument("--by", nargs="+", choices=tuple(_KEYS), metavar="WHAT", help=f"group by: {', '.join(_KEYS)}")
    for name, most in _PERIOD.items():
        parser.add_argument(
            f"--{name}",
            type=whole(f"a {name}", 1, most),
            metavar=name.upper(),
            help="the period (default: this month; daily: this year)",
        )
    for name in ("repository", "model", "product", "sku"):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"only this {name}")
    parser.add_argument(
        "--cost-center",
        metavar="NAME",
        help="only this cost center (name or id), or none for usage without a cost center",
    )
    parser.add_argument("--all-cost-centers", action="store_true", help="include cost centers in the daily report")
    render.add_formats(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the usage; return 0, or exit with 2 for what the report does not support.

    Raises:
        BillingError: A request failed; or no usage was found, because nothing has the name of a filter.
    """
    by = tuple(args.by or ("product", "sku"))
    if strangers := [name for name in by if name not in _CAN_GROUP[args.report]]:
        args.parser.error(
            f"argument --by: the report {args.report} can be grouped by {', '.join(_CAN_GROUP[args.report])}, "
            f"not by {strangers[0]}"
        )
    given = {name: getattr(args, name) for name in (*_OWNERS, *_PERIOD, *_NARROWED)}
    _check_filters(args)
    if args.all_cost_centers:
        given["all_cost_centers"] = True
    with render.reading() as reader:
        path = _PATHS[args.report]
        report = reader.usage(**given) if path == "usage" else reader.summary(path, **given)
    names.check(report.usage_items, given, cli.flags(args.parser))
    groups = grouped(report.usage_items, lambda item: tuple(_KEYS[name](item) for name in by))
    if args.json:
        render.print_json(_document(args, report, by, groups))
    elif args.csv:
        # The files of several months and owners can be joined: each row says whose it is, of when, and if it is final.
        of = (getattr(args, _owners(args)[0]), _period(report), report.settled)
        rows = [[*key, *(getattr(group, name) for name in _FIGURES), *of] for key, group in groups.items()]
        render.print_csv([*by, *_FIGURES, "owner", "period", "settled"], rows)
    else:
        _print_table(args, report, by, groups)
    return 0


def _owners(args: argparse.Namespace) -> list[str]:
    """Return which owners are given; the first selects the report, the others filter it."""
    return [name for name in _OWNERS if getattr(args, name)]


def _check_filters(args: argparse.Namespace) -> None:
    """Exit with 2 if there is no owner, or if the report has not all filters."""
    flags = cli.flags(args.parser)
    owners = _owners(args)
    if not owners:
        args.parser.error(f"one of the arguments {' '.join(flags[name] for name in _OWNERS)} is required")
    owner = owners[0]
    takes = {report: FILTERS[path][owner] for report, path in _PATHS.items()}
    for name in (*owners[1:], *(name for name in _NARROWED if getattr(args, name))):
        other = [report for report, names in takes.items() if name in names or f"{name}_id" in names]
        if args.report not in other:
            instead = f"; use --report {' or '.join(other)}" if other else ""
            args.parser.error(
                f"argument {flags[name]}: the report {args.report} of this {owner} has no such filter{instead}"
            )
    if "cost-center" in (args.by or ()) and owner != ENTERPRISE:
        args.parser.error(f"argument --by: a report of this {owner} has no cost centers")
    if args.all_cost_centers and (args.report, owner, args.cost_center) != ("daily", ENTERPRISE, None):
        args.parser.error(
            "argument --all-cost-centers: use it with --report daily and --enterprise, without --cost-center"
        )


def _document(
    args: argparse.Namespace,
    report: UsageReport | UsageSummary,
    by: tuple[str, ...],
    groups: dict[tuple[str, ...], Group],
) -> dict[str, Any]:
    rows = [
        {**{name: part or None for name, part in zip(by, key, strict=True)}, **asdict(group)}
        for key, group in groups.items()
    ]
    owner, *narrower = _owners(args)
    totals = {figure: getattr(report, figure) for figure in _FIGURES[2:]}
    return {
        "owner": {"kind": owner, "name": getattr(args, owner)},
        "filters": {name: given for name in (*narrower, *_NARROWED) if (given := getattr(args, name))},
        "report": args.report,
        "time_period": asdict(report.time_period),
        "settled": report.settled,
        "leaves_out_cost_centers": _leaves_out(report),
        "currency": "USD",
        "rows": rows,
        "totals": totals,
    }


def _print_table(
    args: argparse.Namespace,
    report: UsageReport | UsageSummary,
    by: tuple[str, ...],
    groups: dict[tuple[str, ...], Group],
) -> None:
    columns = [Column(each, total="total" if number == 0 else "", least=_LEAST[each]) for number, each in enumerate(by)]
    columns += [Column("quantity", right=True, leaves=3), Column("unit", leaves=3)]
    cells = [[part or render.UNKNOWN for part in key] for key in groups]
    for row, group in zip(cells, groups.values(), strict=True):
        row += [render.quantity(group.quantity) if group.unit_type else "", group.unit_type or _MIXED]
    for figure, leaves in zip(_FIGURES[2:], (2, 1, 0), strict=True):
        *shown, total = render.amounts(
            [*(getattr(group, figure) for group in groups.values()), getattr(report, figure)]
        )
        columns.append(Column(f"{figure.partition('_')[0]} USD", right=True, total=total, leaves=leaves))
        for row, text in zip(cells, shown, strict=True):
            row.append(text)
    owner, *filters = (
        f"{name.replace('_', ' ')} {given}" for name in (*_OWNERS, *_NARROWED) if (given := getattr(args, name))
    )
    title = f"Usage of {owner}, {', '.join([args.report, _period(report), *filters])}"
    notes = _notes(report)
    if any(render.UNKNOWN in row for row in cells):
        notes.append(render.UNKNOWN_NOTE)
    if any(OUTSIDE in row for row in cells):
        notes.append(f"{OUTSIDE} is the usage outside all cost centers.")
    # Figures that GitHub has not reported yet are unknown; there can be usage.
    empty = notes.pop(0) if report.net_amount is None and not cells else "No usage."
    render.print_table(title, columns, cells, notes, empty)


def _period(report: UsageReport | UsageSummary) -> str:
    """Return the period as ISO 8601: a year, a month or a day."""
    period = report.time_period
    return "-".join(f"{part:02}" for part in (period.year, period.month, period.day) if part)


def _notes(report: UsageReport | UsageSummary) -> list[str]:
    notes = []
    if report.net_amount is None:
        notes.append("No usage is reported yet: GitHub's figures lag by about two days.")
    elif not report.settled:
        notes.append("Figures of the last days can still change for about two days.")
    if _leaves_out(report):
        notes.append("This report leaves out cost centers: --all-cost-centers includes them.")
    return notes


def _leaves_out(report: UsageReport | UsageSummary) -> bool:
    return isinstance(report, UsageReport) and report.leaves_out_cost_centers
