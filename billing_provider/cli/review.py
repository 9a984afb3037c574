"""The verb `review`: what a plan does to budgets and cost centers, for a pull request, a terminal or a gate."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.states import MAX_BYTES
from billing_provider.cli import render
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_rules, read_rules
from billing_provider.cli.tables import Column, wrapped
from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import clean
from billing_provider.review.markdown import NOT_IN_A_PLAN, comment, headline
from billing_provider.review.plan import read_plan
from billing_provider.review.review import GATES, INCREASE, Gate, review

if TYPE_CHECKING:
    from billing_provider.review.items import Item
    from billing_provider.review.review import Review, Sum

_TITLE = "Budgets"
_STDIN = "-"
_INCREASE = re.compile(rf"{INCREASE}>(\d{{1,12}})")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "review",
        help="show what a plan does to budgets, for a pull request",
        description="Show what a plan does to budgets and cost centers, losses first: from `pulumi preview --json`, an "
        "event log, or `billing-provider try --json`. Prints nothing if nothing changes. Sends no requests. Exit code "
        "3 if --fail-on finds something.",
    )
    parser.add_argument("plan", metavar="PLAN", help="the file with the plan, or - for standard input")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        type=_gate,
        metavar="GATE",
        help="exit with 3 on loosening, deletion, increase>DOLLARS, blocks (usage or people stop at once), unknown or "
        "rules; can be repeated",
    )
    add_rules(parser)
    parser.add_argument("--always", action="store_true", help="print also if nothing changes")
    parser.add_argument("--title", default=_TITLE, help=f"the heading (default: {_TITLE})")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--markdown", action="store_true", help="print Markdown, for the comment of a pull request")
    parser.set_defaults(run=run)


def _gate(text: str) -> Gate:
    """Return a gate; the message of an error does not repeat a long text."""
    if found := _INCREASE.fullmatch(text):
        return Gate(INCREASE, float(found[1]))
    if text in GATES and text != INCREASE:
        return Gate(text)
    known = ", ".join(f"{gate}>DOLLARS" if gate == INCREASE else gate for gate in GATES)
    raise argparse.ArgumentTypeError(f"write one of {known}")


def run(args: argparse.Namespace) -> int:
    """Print the review.

    Returns:
        0, or 3 if a gate stops the plan.

    Raises:
        ConfigError: The plan cannot be read.
    """
    found = review(read_plan(args.plan, _content(args.plan)), read_rules(args))
    stopped = found.stopped(args.fail_on)
    if args.json:
        render.print_json(_document(found, stopped))
    elif found.changes or args.always:
        if args.markdown:
            print(comment(found, args.title), end="")
        else:
            _print(found, args.title)
    for gate in dict.fromkeys(gate for gate, _ in stopped):
        first, *more = [what for each, what in stopped if each == gate]
        rest = f" and {len(more)} more" if more else ""
        print(f"--fail-on {gate}: {clean(first, render.MAX_WHAT)}{rest}", file=sys.stderr)
    return FOUND if stopped else 0


def _content(name: str) -> bytes:
    if name == _STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"plan: cannot read {clean(name, render.MAX_WHAT)}: {error.strerror}") from None


def _document(found: Review, stopped: list[tuple[Gate, str]]) -> dict[str, Any]:
    return {
        "stack": clean(found.plan.stack),
        "complete": found.plan.is_complete and not found.plan.errors,
        "changes": [_item(item) for item in found.items],
        "totals": [
            {
                **{name: clean(getattr(total, name)) for name in ("owner", "product", "scope")},
                "each": total.is_each,
                "before": _sum(total.before),
                "after": _sum(total.after),
            }
            for total in found.totals
        ],
        "rules": [{"rule": each.rule, "what": each.what, "text": each.text} for each in found.broken],
        "unknown": found.unknown,
        "said": [clean(text) for text in found.said],
        "stopped": [{"gate": str(gate), "by": clean(what)} for gate, what in stopped],
    }


def _sum(total: Sum) -> dict[str, Any]:
    return {**total._asdict(), "unit": render.unit_of(total.unit)}


def _item(item: Item) -> dict[str, Any]:
    return {
        "change": item.change,
        "resource": item.resource,
        "name": item.name,
        "urn": clean(item.urn),
        "before": item.before,
        "after": item.after,
        "is_loss": item.is_loss,
        "deletes": item.deletes,
        "means": list(item.texts),
        "said": list(item.said),
        "unknown": list(item.unknown),
    }


def _print(found: Review, title: str) -> None:
    width = render.line_width()
    print(*wrapped(clean(f"{title}: {headline(found)}"), width), sep="\n")
    for reason in found.unknown:
        print("", *wrapped(f"Not known: {clean(reason)}", width), sep="\n")
    if found.totals:
        _print_totals(found)
    for item in found.items:
        sides = " → ".join(dict.fromkeys(each or "nothing" for each in (item.before, item.after)))
        print("", *wrapped(f"{item.change} {item.name}: {sides}", width, indent=3), sep="\n")
        for line in item.lines:
            print(*wrapped(f"   - {line}", width, indent=5), sep="\n")
    for text in found.other_said:
        print("", *wrapped(f"The preview says: {clean(text)}", width, indent=3), sep="\n")
    for text in found.rules_in_words:
        print(*wrapped(text, width, indent=3), sep="\n")
    if found.items:
        print("", *wrapped(NOT_IN_A_PLAN, width), sep="\n")


def _print_totals(found: Review) -> None:
    columns = [
        Column("owner", least=12, named=True),
        Column("product", least=10, named=True),
        Column("scope", least=8, named=True),
        Column("before", right=True),
        Column("after", right=True),
    ]
    rows = []
    for total in found.totals:
        each = " each" if total.is_each else ""
        rows.append((total.owner, total.product, total.scope, f"{total.before}{each}", f"{total.after}{each}"))
    print()
    render.print_table("The most that can be spent a month, by the caps that change", columns, rows, [], "")
