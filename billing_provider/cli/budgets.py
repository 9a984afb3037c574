"""The verb `budgets`: the budgets of an owner, each with the amount spent this month."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.models import BudgetDetails
from billing_provider.cli import render
from billing_provider.cli.options import add_name, add_owner, read_owner
from billing_provider.cli.tables import Column
from billing_provider.core.owners import ENTERPRISE_OWNER, USER
from billing_provider.usage.spend import LICENCES, SpendReport

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from billing_provider.core.owners import Owner
    from billing_provider.usage.spend import Spend

__all__ = ["add", "run"]

_SCOPES = ENTERPRISE_OWNER.scopes


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "budgets",
        help="show budgets and the amounts spent",
        description="Show the budgets of an enterprise or an organization, each with the amount spent this month: "
        "GitHub's own figure, or the sum of the usage reports if there is none. Read-only.",
    )
    add_owner(parser)
    parser.add_argument("--scope", choices=_SCOPES, help="only budgets of this scope")
    add_name(parser, USER, "only budgets that apply to this user")
    render.add_formats(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the budgets and return exit code 0, or exit with 2 for a scope that the owner does not have."""
    owner = read_owner(args)
    kind = owner.kind
    if args.scope not in (None, *kind.scopes):
        args.parser.error(f"argument --scope: a budget of an {kind.noun} has the scope {' or '.join(kind.scopes)}")
    with render.reading() as reader:
        found = reader.budgets(**{kind.noun: owner.slug}, scope=args.scope, user=args.user)
        found.sort(key=_rank)
        spends = list(SpendReport(reader, owner).of(found))
    rows = [_row(spend) for spend in spends]
    if args.json:
        totals = {
            "budgets": len(rows),
            "stops": sum(spend.budget.prevent_further_usage for spend in spends),
            "at_cap": sum(spend.share is not None and spend.share >= 1 for spend in spends),
            "unknown": sum(spend.spent is None for spend in spends),
        }
        document = {"owner": render.owner_of(owner), kind.noun: owner.slug, "budgets": rows, "totals": totals}
        render.print_json(document)
    elif args.csv:
        names = [*(field.name for field in fields(BudgetDetails)), "unit", "spent", "spent_from", "spent_by"]
        render.print_csv(names, [[row[name] for name in names] for row in rows])
    else:
        _print_table(owner, spends)
    return 0


def _rank(budget: BudgetDetails) -> tuple[int, str, str]:
    """Order budgets from the widest scope to the narrowest; a scope that is newer than this package comes last."""
    scope = _SCOPES.index(budget.budget_scope) if budget.budget_scope in _SCOPES else len(_SCOPES)
    return scope, (budget.budget_entity_name or "").lower(), budget.budget_product_sku


def at_cap(budget: BudgetDetails) -> str:
    """Return what happens at the cap."""
    return "stops" if budget.prevent_further_usage else "alerts" if budget.will_alert else "goes on"


def covered(owner: Owner, budget: BudgetDetails) -> str | None:
    """Return the name of what a budget covers, `all` for everything of its owner, or None if it is unknown."""
    name = budget.user or budget.budget_entity_name
    return "all" if name and name.lower() == owner.slug.lower() else name


def amounts_of(spends: Sequence[Spend]) -> list[tuple[str, str]]:
    """Return what was spent and the cap of each budget, with equal decimals for all dollars."""
    spent = render.amounts([spend.spent for spend in spends])
    caps = render.amounts([spend.budget.budget_amount for spend in spends])
    return [
        (render.quantity(spend.spent), render.quantity(spend.budget.budget_amount))
        if spend.unit == LICENCES
        else (spent[number], caps[number])
        for number, spend in enumerate(spends)
    ]


def _row(spend: Spend) -> dict[str, Any]:
    spending = {"unit": spend.unit, "spent": spend.spent, "spent_from": spend.source, "spent_by": spend.user}
    return {**asdict(spend.budget), **spending}


def _print_table(owner: Owner, spends: list[Spend]) -> None:
    columns = (
        Column("scope", least=10, leaves=3),
        Column("of", least=12),
        Column("product or SKU", least=14),
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
            at_cap(spend.budget),
        )
        for spend, figures in zip(spends, amounts_of(spends), strict=True)
    ]
    notes = ["Amounts are for this month; a budget counts only the usage after its creation."]
    if any(spend.spent is None for spend in spends):
        notes.append(render.UNKNOWN_NOTE)
    render.print_table(f"Budgets of {owner}: {len(spends)}", columns, rows, notes if spends else [], "No budgets.")


def _whose(owner: Owner, spend: Spend) -> str:
    name = covered(owner, spend.budget) or render.UNKNOWN
    return f"{name} (most: {spend.user})" if spend.user else name
