"""The verb `near`: who is near a cap or over it, and until when at today's pace."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from billing_provider.cli import render
from billing_provider.cli.budgets import amounts_of, at_cap, covered
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_owner, read_owner, whole
from billing_provider.cli.tables import Column
from billing_provider.usage.near import BELOW, NEAR, OVER, RISING, STATES, UNKNOWN, outlook
from billing_provider.usage.spend import FROM_USER_STATES, SpendReport

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from billing_provider.core.owners import Owner
    from billing_provider.usage.near import Outlook
    from billing_provider.usage.spend import Spend

__all__ = ["add", "run"]

_PERCENT = 75
_DIGITS = 4
_NO_DAY = "9999"
_IN_CSV = (
    *("budget_id", "budget_scope", "who", "budget_product_sku", "state", "spent", "cap", "unit", "share"),
    *("spent_from", "when", "reaches", "prevent_further_usage"),
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "near",
        help="show who is near a cap or over it, and until when",
        description="Show who is near a cap or over it, and when the rest is spent at the pace of this month. A budget "
        "of many users has a line for each user. Read-only.",
    )
    add_owner(parser)
    parser.add_argument(
        "--at",
        type=whole("a percentage", 1, 100),
        default=_PERCENT,
        metavar="PERCENT",
        help="the share from which a cap is near (default: 75)",
    )
    parser.add_argument("--all", action="store_true", help="show also who is below")
    parser.add_argument(
        "--fail-on",
        dest="state",
        choices=(OVER, NEAR, RISING),
        help="exit with 3 if a cap has this state or a more urgent one",
    )
    render.add_formats(parser).add_argument(
        "--markdown", action="store_true", help="print Markdown, for a summary in CI"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print who is near a cap; return 3 for a state of --fail-on, else 0."""
    owner = read_owner(args)
    with render.reading() as reader:
        now = reader.run.clock.wall()
        budgets = reader.budgets(**{owner.kind.noun: owner.slug})
        found = [outlook(spend, now, args.at) for spend in SpendReport(reader, owner).by_user(budgets)]
    found.sort(key=_rank)
    counts = Counter(each.state for each in found)
    totals = {state: counts[state] for state in STATES}
    shown = [each for each in found if args.all or each.state != BELOW]
    if args.json:
        as_of = datetime.fromtimestamp(int(now), timezone.utc).isoformat()
        rows = [_row(owner, each) for each in shown]
        document = {"owner": render.owner_of(owner), "as_of": as_of, "near_percent": args.at}
        render.print_json({**document, "caps": rows, "totals": totals})
    elif args.csv:
        render.print_csv(_IN_CSV, [[_row(owner, each)[name] for name in _IN_CSV] for each in shown])
    else:
        _print(owner, shown, totals, render.print_markdown if args.markdown else render.print_table)
    failing = STATES[: STATES.index(args.state) + 1] if args.state else ()
    return FOUND if any(totals[state] for state in failing) else 0


def _rank(each: Outlook) -> tuple[int, str, float]:
    """Order caps from the most urgent state, by the day on which they are reached, then by their share."""
    return STATES.index(each.state), str(each.reaches or _NO_DAY), -(each.spend.share or 0)


def _who(owner: Owner, spend: Spend) -> str | None:
    """Return the user, or what the budget covers; None if GitHub does not name it."""
    if spend.source == FROM_USER_STATES and spend.spent:
        return spend.user
    return covered(owner, spend.budget)


def _row(owner: Owner, each: Outlook) -> dict[str, Any]:
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


def _print(owner: Owner, shown: Sequence[Outlook], totals: dict[str, int], write: Callable[..., None]) -> None:
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
    figures = amounts_of([each.spend for each in shown])
    rows = [
        (
            _who(owner, each.spend) or render.UNKNOWN,
            each.spend.budget.budget_scope,
            each.spend.budget.budget_product_sku,
            *figures[number],
            each.spend.unit,
            render.percent(each.spend.share),
            each.when if each.reaches is None else each.reaches.isoformat(),
            at_cap(each.spend.budget),
        )
        for number, each in enumerate(shown)
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
