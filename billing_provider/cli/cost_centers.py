"""The verb `cost-centers`: an enterprise's cost centers, or the members of one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from billing_provider.cli import render
from billing_provider.cli.options import add_name
from billing_provider.cli.tables import Column
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, Owner
from billing_provider.core.redact import quoted
from billing_provider.cost_centers.models import ACTIVE, DELETED, MEMBER_KINDS

if TYPE_CHECKING:
    import argparse

    from billing_provider.cost_centers.models import CostCenterDetails

_TITLES = {"users": "users", "organizations": "orgs", "repositories": "repos", "enterprise_teams": "teams"}
_POOL_NOTE = "AI pool says whether the cost center has a pool of AI credits."
_POOL = {True: "on", False: "off", None: render.UNKNOWN}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "cost-centers",
        help="show cost centers and their members",
        description="Show the cost centers of an enterprise, or the members of one. Read-only.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="show the members of this cost center (name or id)")
    add_name(parser, ENTERPRISE, "the enterprise", required=True)
    parser.add_argument("--state", choices=(ACTIVE, DELETED), help="only cost centers in this state")
    render.add_formats(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the cost centers, or one, and return exit code 0."""
    with render.reading() as reader:
        if args.name:
            found = [reader.cost_center(enterprise=args.enterprise, cost_center=args.name)]
        else:
            found = reader.cost_centers(enterprise=args.enterprise, state=args.state)
    if args.json:
        render.print_json(
            {
                "owner": render.owner_of(Owner(ENTERPRISE_OWNER, args.enterprise)),
                "enterprise": args.enterprise,
                "cost_centers": [asdict(center) for center in found],
                "totals": {"cost_centers": len(found), **_totals(found)},
            }
        )
    elif args.csv:
        rows = [
            (center.name, center.id, center.state, *member)
            for center in found
            for member in [(each.type, each.name) for each in center.resources] or [("", "")]
        ]
        render.print_csv(("cost_center", "id", "state", "type", "member"), rows)
    elif args.name:
        _print_members(args.enterprise, found[0])
    else:
        _print_table(args, found)
    return 0


def _totals(centers: list[CostCenterDetails]) -> dict[str, int]:
    return {kind: sum(len(center.members(kind)) for center in centers) for kind in MEMBER_KINDS}


def _print_members(enterprise: str, center: CostCenterDetails) -> None:
    columns = (Column("kind"), Column("member", least=20, named=True))
    rows = [(each.type, each.name) for each in center.resources]
    notes = [f"id {center.id}, {center.state}, AI-credit pool {_POOL[center.ai_credit_pool_enabled]}"]
    title = f"Cost center {quoted(center.name)} of enterprise {enterprise}: {render.counted(len(rows), 'member')}"
    render.print_table(title, columns, rows, notes, "No members.")


def _print_table(args: argparse.Namespace, centers: list[CostCenterDetails]) -> None:
    columns = [Column("name", total="total", least=12, named=True), Column("state", leaves=3)]
    columns += [Column(_TITLES[kind], right=True, total=str(total)) for kind, total in _totals(centers).items()]
    columns += [Column("AI pool", leaves=2), Column("id", leaves=1)]
    rows = [
        (
            center.name,
            center.state,
            *(str(len(center.members(kind))) for kind in MEMBER_KINDS),
            _POOL[center.ai_credit_pool_enabled],
            center.id,
        )
        for center in centers
    ]
    which = f"{args.state} cost centers" if args.state else "cost centers"
    title = f"{which.capitalize()} of enterprise {args.enterprise}: {len(rows)}"
    render.print_table(title, columns, rows, [_POOL_NOTE] if rows else [], f"No {which}.")
