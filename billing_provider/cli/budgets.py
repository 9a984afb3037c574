"""The verb `budgets`: the budgets of an owner, each with the amount spent this month, or with a forecast."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from billing_provider import cli
from billing_provider.budgets.models import BudgetDetails
from billing_provider.cli import render
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_name, add_owner, add_scope, read_owner, whole
from billing_provider.cli.tables import Column
from billing_provider.core.owners import ENTERPRISE_OWNER, USER
from billing_provider.usage.forecast import BELOW, NEAR, OVER, RISING, STATES, UNKNOWN, forecast
from billing_provider.usage.spend import FROM_USER_STATES, LICENSES, SpendReport

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from billing_provider.core.owners import Owner
    from billing_provider.usage.forecast import Forecast
    from billing_provider.usage.spend import BudgetSpend

    Print = Callable[[str, Sequence[Column], Sequence[Sequence[Any]], Sequence[str], str], None]

_SCOPES = ENTERPRISE_OWNER.scopes
_OF_FORECAST = ("at", "all", "fail_on")
_PERCENT, _DIGITS = 75, 4
_NO_DAY = "9999"
_IN_CSV = (*(field.name for field in fields(BudgetDetails)), "unit", "spent", "spent_from", "spent_by")
_CAPS_IN_CSV = (
    *("budget_id", "budget_scope", "who", "budget_product_sku", "state", "spent", "cap", "unit", "share"),
    *("spent_from", "when", "reaches", "prevent_further_usage"),
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "budgets",
        help="show budgets, the amounts spent, and who is near a cap",
        description="Show the budgets of an enterprise or an organization, each with the amount spent this month: "
        "GitHub's own figure, or the sum of the usage reports if there is none. With --forecast, show who is near a "
        "cap or over it, and when the rest is spent at the pace of this month. Read-only.",
    )
    add_owner(parser)
    add_scope(parser, _SCOPES)
    add_name(parser, USER, "only budgets that apply, or may apply, to this user")
    parser.add_argument(
        "--forecast",
        action="store_true",
        help="show who is near a cap or over it, and until when; a budget of many users has a line for each user",
    )
    parser.add_argument(
        "--at",
        type=whole("a percentage", 1, 100),
        metavar="PERCENT",
        help=f"with --forecast: the share from which a cap is near (default: {_PERCENT})",
    )
    parser.add_argument("--all", action="store_true", help="with --forecast: show also who is below")
    parser.add_argument(
        "--fail-on",
        metavar="STATE",
        choices=(OVER, NEAR, RISING),
        help="with --forecast: exit with 3 if a cap has this state or a more urgent one",
    )
    formats = render.add_formats(parser)
    formats.add_argument("--markdown", action="store_true", help="print Markdown, for a summary in CI")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the budgets or the forecast.

    Returns:
        0, or 3 for a state of --fail-on; it exits with 2 for a scope that the owner does not have.
    """
    owner = read_owner(args)
    kind = owner.kind
    if args.scope not in (None, *kind.scopes):
        args.parser.error(f"argument --scope: a budget of an {kind.noun} has the scope {' or '.join(kind.scopes)}")
    if alone := [cli.flags(args.parser)[name] for name in _OF_FORECAST if getattr(args, name) and not args.forecast]:
        args.parser.error(f"argument {alone[0]}: use it with --forecast")
    with render.reading() as reader:
        found = reader.budgets(**{kind.noun: owner.slug}, scope=args.scope, user=args.user)
        found.sort(key=_rank)
        report, now = SpendReport(reader, owner), reader.run.clock.wall()
        spends = list(report.by_user(found, args.user) if args.forecast else report.of(found))
    if not args.forecast:
        _print(args, owner, spends)
        return 0
    forecasts = [forecast(spend, now, args.at or _PERCENT) for spend in spends]
    forecasts.sort(key=_urgency)
    counts = Counter(each.state for each in forecasts)
    totals = {state: counts[state] for state in STATES}
    _print_forecasts(args, owner, [each for each in forecasts if args.all or each.state != BELOW], totals, now)
    failing = STATES[: STATES.index(args.fail_on) + 1] if args.fail_on else ()
    return FOUND if any(totals[state] for state in failing) else 0


def _rank(budget: BudgetDetails) -> tuple[int, str, str]:
    """Order budgets from the widest scope to the narrowest; a scope that is newer than this package comes last."""
    scope = _SCOPES.index(budget.budget_scope) if budget.budget_scope in _SCOPES else len(_SCOPES)
    return scope, (budget.budget_entity_name or "").lower(), budget.budget_product_sku


def _urgency(each: Forecast) -> tuple[int, str, float]:
    """Order caps from the most urgent state, by the day on which they are reached, then by their share."""
    return STATES.index(each.state), str(each.reaches or _NO_DAY), -(each.spend.share or 0)


# --- budgets


def _print(args: argparse.Namespace, owner: Owner, spends: list[BudgetSpend]) -> None:
    rows = [_row(spend) for spend in spends]
    if args.json:
        totals = {
            "budgets": len(rows),
            "stops": sum(spend.budget.prevent_further_usage for spend in spends),
            "at_cap": sum(spend.share is not None and spend.share >= 1 for spend in spends),
            "unknown": sum(spend.spent is None for spend in spends),
        }
        document = {"owner": render.owner_of(owner), owner.kind.noun: owner.slug, "budgets": rows, "totals": totals}
        render.print_json(document)
    elif args.csv:
        render.print_csv(_IN_CSV, [[row[name] for name in _IN_CSV] for row in rows])
    else:
        _print_table(_printer(args), owner, spends)


def _row(spend: BudgetSpend) -> dict[str, Any]:
    spending = {"unit": spend.unit, "spent": spend.spent, "spent_from": spend.source, "spent_by": spend.user}
    return {**asdict(spend.budget), **spending}


def _print_table(write: Print, owner: Owner, spends: list[BudgetSpend]) -> None:
    columns = (
        Column("scope", least=10, leaves=3, named=True),
        Column("of", least=12, named=True),
        Column("product or SKU", least=14, named=True),
        Column("spent", right=True),
        Column("cap", right=True),
        Column("unit", leaves=2),
        Column("used", right=True),
        Column("", leaves=1),
        Column("at cap"),
    )
    rows = [
        (
            spend.budget.budget_scope,
            _whose(owner, spend),
            spend.budget.budget_product_sku,
            *figures,
            spend.unit,
            render.percent(spend.share),
            render.bar(spend.share),
            _at_cap(spend.budget),
        )
        for spend, figures in zip(spends, _amounts(spends), strict=True)
    ]
    notes = ["Amounts are for this month; a budget counts only the usage after its creation."]
    if any(spend.spent is None for spend in spends):
        notes.append(render.UNKNOWN_NOTE)
    write(f"Budgets of {owner}: {len(spends)}", columns, rows, notes if spends else [], "No budgets.")


def _whose(owner: Owner, spend: BudgetSpend) -> str:
    name = _covered(owner, spend.budget) or render.UNKNOWN
    return f"{name} (most: {spend.user})" if spend.user else name


# --- forecasts


def _print_forecasts(
    args: argparse.Namespace, owner: Owner, shown: Sequence[Forecast], totals: dict[str, int], now: float
) -> None:
    rows = [_row_of_forecast(owner, each) for each in shown]
    if args.json:
        as_of = datetime.fromtimestamp(int(now), timezone.utc).isoformat()
        document = {"owner": render.owner_of(owner), "as_of": as_of, "near_percent": args.at or _PERCENT}
        render.print_json({**document, "caps": rows, "totals": totals})
    elif args.csv:
        render.print_csv(_CAPS_IN_CSV, [[row[name] for name in _CAPS_IN_CSV] for row in rows])
    else:
        _print_caps(_printer(args), owner, shown, totals)


def _row_of_forecast(owner: Owner, each: Forecast) -> dict[str, Any]:
    budget, spend = asdict(each.spend.budget), each.spend
    names = ("budget_scope", "budget_entity_name", "budget_product_sku", "prevent_further_usage", "will_alert")
    return {
        "budget_id": budget["id"],
        **{name: budget[name] for name in names},
        "user": spend.user or budget["user"],
        "who": _who(owner, spend),
        "state": each.state,
        "spent": spend.spent,
        "cap": budget["budget_amount"],
        "unit": spend.unit,
        "share": None if spend.share is None else round(spend.share, _DIGITS),
        "spent_from": spend.source,
        "when": each.when,
        "reaches": each.reaches and each.reaches.isoformat(),
    }


def _print_caps(write: Print, owner: Owner, shown: Sequence[Forecast], totals: dict[str, int]) -> None:
    columns = (
        Column("who", least=12, named=True),
        Column("scope", least=10, leaves=2, named=True),
        Column("product or SKU", least=14, named=True),
        Column("spent", right=True, leaves=3),
        Column("cap", right=True, leaves=4),
        Column("unit", leaves=1),
        Column("used", right=True),
        Column("all spent"),
        Column("at cap"),
    )
    rows = [
        (
            _who(owner, each.spend) or render.UNKNOWN,
            each.spend.budget.budget_scope,
            each.spend.budget.budget_product_sku,
            *figures,
            each.spend.unit,
            render.percent(each.spend.share),
            each.when if each.reaches is None else each.reaches.isoformat(),
            _at_cap(each.spend.budget),
        )
        for each, figures in zip(shown, _amounts([each.spend for each in shown]), strict=True)
    ]
    notes = []
    if rows:
        notes.append(
            "The pace is what was spent this month, divided by the days so far. GitHub's figures can lag by two days."
        )
    if totals[UNKNOWN]:
        notes.append(render.UNKNOWN_NOTE)
    counts = ", ".join(f"{number} {state}" for state, number in totals.items())
    empty = "Nobody is near a cap." if any(totals.values()) else "No budgets."
    write(f"Caps of {owner}: {counts}", columns, rows, notes, empty)


def _who(owner: Owner, spend: BudgetSpend) -> str | None:
    """Return the user, or what the budget covers; None if GitHub does not name it."""
    if spend.source == FROM_USER_STATES and spend.spent:
        return spend.user
    return _covered(owner, spend.budget)


# --- both


def _printer(args: argparse.Namespace) -> Print:
    return render.print_markdown if args.markdown else render.print_table


def _at_cap(budget: BudgetDetails) -> str:
    """Return what happens at the cap."""
    return "stops" if budget.prevent_further_usage else "alerts" if budget.will_alert else "goes on"


def _covered(owner: Owner, budget: BudgetDetails) -> str | None:
    """Return the name of what a budget covers, `all` for everything of its owner, or None if it is unknown."""
    name = budget.user or budget.budget_entity_name
    return "all" if name and name.lower() == owner.slug.lower() else name


def _amounts(spends: Sequence[BudgetSpend]) -> list[tuple[str, str]]:
    """Return what was spent and the cap of each budget, with equal decimals for all dollars."""
    spent = render.amounts([spend.spent for spend in spends])
    caps = render.amounts([spend.budget.budget_amount for spend in spends])
    return [
        (render.quantity(spend.spent), render.quantity(spend.budget.budget_amount))
        if spend.unit == LICENSES
        else (spent[number], caps[number])
        for number, spend in enumerate(spends)
    ]
