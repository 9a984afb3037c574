"""The verb `audit`: which budgets of a live account really stop usage, which do not, and what breaks the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.adopt.inventory import read_inventories
from billing_provider.audit.recipients import with_recipients
from billing_provider.audit.rules import ALERTS, DEFAULTS, in_words, judge, unstopped, why_not
from billing_provider.audit.subjects import of_inventories
from billing_provider.budgets.consequences import worth
from billing_provider.budgets.skus import BUNDLES, PRODUCTS
from billing_provider.cli import render
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_owners, add_rules, read_owners, read_rules
from billing_provider.cli.tables import Cell, Column, wrapped
from billing_provider.core.markdown import escaped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from billing_provider.audit.rules import RuleFinding
    from billing_provider.audit.subjects import Account, Subject
    from billing_provider.core.owners import Owner

UNSEEN = (
    "GitHub does not tell which enterprise bills an organization: that is known only of organizations that a budget or "
    "a cost center of an enterprise names, if the audit reads this enterprise too. Whether a budget counts a certain "
    "repository or person is not tested."
)
"""What an audit of a live account cannot see."""
_COMMON = tuple(sorted((PRODUCTS | BUNDLES) - {"premium_requests", "sandbox"}))
"""The products of which the summary tells whether anything stops all of their usage."""
_YES, _NO = "yes", "no"
_IN_CSV = (
    *("owner", "budget_id", "budget_scope", "covers", "budget_product_sku", "budget_amount", "unit", "stops", "why"),
    *("rules", "findings"),
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "audit",
        help="show which budgets really stop usage, and what breaks the rules",
        description="Show which budgets of enterprises and organizations really stop usage and which do not, and what "
        "breaks the rules. The rules without a setting are on, unless --skip leaves them out; --rule adds others. Only "
        "reads. Exit code 3 if a rule is broken.",
    )
    add_owners(parser)
    add_rules(parser)
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        choices=sorted(DEFAULTS),
        metavar="RULE",
        help=f"leave out a rule that is on: {', '.join(DEFAULTS)}; can be repeated",
    )
    formats = render.add_formats(parser)
    formats.add_argument("--markdown", action="store_true", help="print Markdown, for an issue or a job summary")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the budgets and what breaks the rules.

    Returns:
        0, or 3 if a rule is broken.

    Raises:
        ConfigError: There is no owner.
        BillingError: GitHub cannot be read.
    """
    owners = read_owners(args)
    settings = {name: value for name, value in {**DEFAULTS, **read_rules(args)}.items() if name not in args.skip}
    with render.reading() as reader:
        account = of_inventories(read_inventories(reader.run, owners))
        if ALERTS in settings:
            account = with_recipients(reader.run, account)
    found = judge(account, settings)
    if args.json:
        render.print_json(_document(account, owners, found, settings))
    elif args.csv:
        rows = [_row(each, account, found) for each in account.budgets]
        rows += [_missing(finding) for finding in found if finding.subject is None]
        render.print_csv(_IN_CSV, [[row.get(name) for name in _IN_CSV] for row in rows])
    else:
        _print(account, owners, found, with_markdown=args.markdown)
    return FOUND if found else 0


# --- data


def _document(
    account: Account, owners: Sequence[Owner], found: Sequence[RuleFinding], settings: dict[str, Any]
) -> dict[str, Any]:
    rows = [_row(each, account, found) for each in account.budgets]
    return {
        "owners": [render.owner_of(owner) for owner in owners],
        "rules": settings,
        "budgets": [{name: row[name] for name in _IN_CSV if name not in {"rules", "findings"}} for row in rows],
        "findings": [
            {
                "rule": finding.rule,
                "what": finding.what,
                "budget_id": finding.subject and finding.subject.name,
                "text": finding.text,
            }
            for finding in found
        ],
        "not_stopped": {str(owner): unstopped(account, owner, _COMMON) for owner in owners},
        "totals": {"budgets": len(rows), "stop": sum(row["stops"] for row in rows), "findings": len(found)},
        "unseen": UNSEEN,
    }


def _row(each: Subject, account: Account, found: Sequence[RuleFinding]) -> dict[str, Any]:
    reason = why_not(each, account)
    broken = [finding for finding in found if finding.subject is each]
    fields = each.fields
    return {
        "owner": each.owner.key,
        "budget_id": each.name,
        "budget_scope": each.scope,
        "covers": fields.get("user") or fields.get("budget_entity_name") or each.owner.slug,
        "budget_product_sku": fields["budget_product_sku"],
        "budget_amount": fields["budget_amount"],
        "unit": render.unit_of(each.terms.unit),
        "stops": not reason,
        "why": reason,
        "rules": [finding.rule for finding in broken],
        "findings": [finding.text for finding in broken],
    }


def _missing(finding: RuleFinding) -> dict[str, Any]:
    return {"covers": finding.what, "rules": [finding.rule], "findings": [finding.text]}


# --- text


def _print(account: Account, owners: Sequence[Owner], found: Sequence[RuleFinding], *, with_markdown: bool) -> None:
    reasons = [why_not(each, account) for each in account.budgets]
    stops = reasons.count("")
    counts = render.counted(len(reasons), "budget")
    title = f"Audit of {', '.join(map(str, owners))}: {stops} of {counts} really stop usage"
    columns = [
        Column("stops"),
        Column("what it covers", least=20, named=True),
        Column("scope", least=10, leaves=1, named=True),
        Column("product or SKU", least=14, named=True),
        Column("cap", right=True),
        Column("why not", least=16, leaves=2),
    ]
    rows = [_cells(each, reason) for each, reason in zip(account.budgets, reasons, strict=True)]
    notes = [_not_stopped(account, owner) for owner in owners]
    write = render.print_markdown if with_markdown else render.print_table
    write(title, columns, rows, notes, "No budgets: nothing stops.")
    texts = in_words(found)
    if with_markdown:
        print(f"\n#### {texts[0]}\n")
        print(*(f"- {escaped(text)}" for text in texts[1:]), sep="\n")
        print(f"\n<sub>{UNSEEN}</sub>")
        return
    width = render.line_width()
    print("", texts[0], sep="\n")
    for text in texts[1:]:
        print(*wrapped(f" - {text}", width, indent=3), sep="\n")
    print("", *wrapped(UNSEEN, width), sep="\n")


def _cells(each: Subject, reason: str) -> tuple[str | Cell, ...]:
    covered = each.fields.get("user") or each.fields.get("budget_entity_name") or each.owner.slug
    return (
        Cell(_NO, "red") if reason else Cell(_YES, "green"),
        str(covered),
        each.scope,
        str(each.fields["budget_product_sku"]),
        worth(each.terms.amount, each.terms.unit),
        reason or ("not for cost centers" if each.terms.excludes_cost_centers else ""),
    )


def _not_stopped(account: Account, owner: Owner) -> str:
    missing = unstopped(account, owner, _COMMON)
    return f"No hard stop covers all usage of {owner} for: {', '.join(missing) or 'none'}."
