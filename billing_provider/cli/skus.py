"""The verb `skus`: the bundles, products and SKUs that this package knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.budgets.skus import BUDGET_TYPES, SOURCES, counts_licenses, pricing_type
from billing_provider.cli import render
from billing_provider.cli.tables import Column
from billing_provider.core.inputs import near
from billing_provider.usage.spend import DOLLARS, LICENSES

if TYPE_CHECKING:
    import argparse

_NAMES = ("budget_product_sku", "budget_type", "unit", "source", "date")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "skus",
        help="show the products and SKUs of budgets",
        description="Show the bundles, products and SKUs of budgets, each with the source of its name. "
        "The valid ones differ by account. Sends no requests.",
    )
    parser.add_argument("--near", metavar="NAME", help="only names that are similar to this one, most similar first")
    render.add_formats(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the products and SKUs and return exit code 0."""
    names = sorted(SOURCES, key=_rank) if args.near is None else near(args.near, SOURCES)
    rows = [_row(name) for name in names]
    if args.json:
        found = [dict(zip(_NAMES, row, strict=True)) for row in rows]
        render.print_json({"skus": found, "totals": {"skus": len(found)}})
    elif args.csv:
        render.print_csv(_NAMES, rows)
    else:
        columns = (
            Column("product or SKU", least=24),
            Column("budget_type", leaves=3),
            Column("unit"),
            Column("source of the name", least=18, leaves=1),
            Column("date", leaves=2),
        )
        notes = ["The valid names differ by account: GitHub's answer to an invalid one lists them."]
        render.print_table(f"Products and SKUs: {len(rows)}", columns, rows, notes, "No similar name is known.")
    return 0


def _rank(name: str) -> tuple[int, str]:
    """Order names from the widest type to the narrowest."""
    return BUDGET_TYPES.index(pricing_type(name)), name


def _row(name: str) -> tuple[str, ...]:
    return name, pricing_type(name), LICENSES if counts_licenses(name) else DOLLARS, *SOURCES[name]
