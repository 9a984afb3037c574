"""The verb `unmanaged`: budgets and cost centers that no stack manages, and states that do not fit GitHub."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING

from billing_provider.adopt import report
from billing_provider.adopt.inventory import read_inventories
from billing_provider.cli import render
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_owners, add_states, read_owners, read_state, whole
from billing_provider.cli.tables import Column, wrapped
from billing_provider.core.markdown import escaped
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from billing_provider.adopt.report import RepairStep, Row

_SHOWN = 300
_FEW, _MOST_STEPS = 10, 2
_MANY = "To adopt all of them, run this; GitHub is not changed, and a destroy keeps them"
_EMPTY = "Every budget and cost center is managed, exists once, and expires later."


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "unmanaged",
        help="show budgets and cost centers that no stack manages",
        description="Compare the live budgets and cost centers of enterprises and organizations with the states of "
        "stacks, and show what no stack manages, what is gone, what exists twice and what expires soon, each with the "
        "commands that adopt or remove it. Only reads. Exit code 3 if there is a finding.",
    )
    add_owners(parser)
    add_states(parser, "the state of a stack")
    parser.add_argument(
        "--days",
        type=whole("a number of days", 0, 9999),
        metavar="N",
        default=14,
        help="budgets that expire within N days (default: 14)",
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--markdown", action="store_true", help="print Markdown, for an issue or a job summary")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings.

    Returns:
        0 if there is none, else 3.

    Raises:
        ConfigError: There is no owner, or a state cannot be read.
        BillingError: GitHub cannot be read.
    """
    owners = read_owners(args)
    states = [read_state(name) for name in dict.fromkeys(args.state)]
    with render.reading() as reader:
        rows = report.find(reader.run, read_inventories(reader.run, owners), states, args.days)
    title = f"Findings for {', '.join(map(str, owners))}: {len(rows)}; states compared: {len(states)}"
    read = {owner.key for owner in owners}
    others = sorted({each.owner for state in states for each in state.managed if each.owner not in read})
    notes = [f"Owners in the states that were not read: {', '.join(others)}."] if others else []
    if not states:
        notes.append("No state was given, so everything counts as unmanaged: see --state.")
    if args.json:
        render.print_json(
            {
                "owners": [render.owner_of(owner) for owner in owners],
                "states": [clean(state.source, _SHOWN) for state in states],
                "owners_not_read": others,
                "findings": [_document(row) for row in rows],
            }
        )
    elif args.markdown:
        print("\n".join(_markdown(title, rows, notes, _export_command(args))))
    else:
        _print_text(title, rows, notes, _export_command(args))
    return FOUND if rows else 0


def _document(row: Row) -> dict[str, object]:
    return {**asdict(row), "urns": [{"state": source, "urn": urn} for source, urn in row.urns]}


def _print_text(title: str, rows: Sequence[Row], notes: Sequence[str], export: str) -> None:
    """Print each finding in at most three lines; where one command adopts many, these are a table."""
    many, others = _split(rows)
    if many or not rows:
        columns = [Column("", right=True), Column("unmanaged", least=20, named=True), Column("cap", least=10)]
        cells = [(str(number), row.what, row.cap) for number, row in enumerate(many, 1)]
        render.print_table(title, columns, cells, notes, _EMPTY)
    else:
        print(*(line for text in (title, *notes) for line in wrapped(clean(text), render.line_width())), sep="\n")
    if many:
        print(f"\n{_MANY}:\n  {export}")
    for number, row in enumerate(others, len(many) + 1):
        about = f"{number}. {row.kind}: {row.what}{row.cap and f' ({row.cap})'}: {row.reason}."
        print("", *wrapped(about, render.line_width(), indent=3), sep="\n")
        shown = [f"{step.text}{_inline(step)}" for step in row.steps]
        left_out = len(shown) - _MOST_STEPS
        for number_of_step, line in enumerate(shown[:_MOST_STEPS], 1):
            more = f" (and {left_out} more, with --json)" if left_out > 0 and number_of_step == _MOST_STEPS else ""
            # Whole, so that it can be copied.
            print(f"     {line}{more}")


def _split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the objects that one command adopts, which is simpler for many, and the other findings."""
    # What cannot be adopted, and what an interrupted run created, has a way of its own.
    many = [row for row in rows if row.kind == "unmanaged" and row.steps[0].code]
    return ([], list(rows)) if len(many) <= _FEW else (many, [row for row in rows if row not in many])


def _inline(step: RepairStep) -> str:
    """Return the command or the code of a step, on one line, after a colon."""
    code = ast.unparse(ast.parse(step.code).body[-1]) if step.code else step.command
    return code and f": {code}"


def _export_command(args: argparse.Namespace) -> str:
    """Return the command that writes what no given stack manages as a program."""
    owners = [*(("--enterprise", name) for name in args.enterprise), *(("--org", name) for name in args.organization)]
    words = ["billing-provider", "export", *(word for pair in owners for word in pair), "--out", "."]
    states = list(dict.fromkeys(args.state))
    return shlex.join([*words, *(["--state", *states] if states else [])])


def _markdown(title: str, rows: Sequence[Row], notes: Sequence[str], export: str) -> Iterator[str]:
    many, others = _split(rows)
    rows = [*many, *others]
    yield f"## {escaped(title)}"
    if rows:
        yield "\n|  | finding | budget or cost center | cap |\n| --- | --- | --- | --- |"
    for number, row in enumerate(rows, 1):
        yield f"| {number} | {row.kind} | {escaped(row.what)} | {escaped(row.cap)} |"
    for note in notes:
        yield f"\n{escaped(note)}"
    if many:
        yield f"\n{escaped(_MANY)}:\n{_fenced(export)}"
    for number, row in enumerate(others, len(many) + 1):
        yield f"\n### {number}. {escaped(row.what)}\n\n{escaped(row.reason)}.\n"
        for text, code in _steps(row):
            yield f"- {escaped(text)}"
            if code:
                yield _fenced(code, indent="  ")


def _fenced(code: str, indent: str = "") -> str:
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join(f"{indent}{line}".rstrip() for line in ("", fence, *code.splitlines(), fence, ""))


def _steps(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the ways to repair a finding: what it is about, and the commands or the code."""
    for id_ in row.ids:
        yield f"id {id_}", ""
    for source, urn in row.urns:
        yield f"in {source}: {urn}", ""
    for step in row.steps:
        yield step.text, step.command or step.code
