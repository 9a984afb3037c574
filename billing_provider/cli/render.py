"""Output of the reading commands: tables, JSON, CSV and progress."""

from __future__ import annotations

import csv
import json
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import clean
from billing_provider.core.settings import read_settings
from billing_provider.runtime.run import Run
from billing_provider.usage.queries import Reader

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from billing_provider.core.owners import Owner

UNKNOWN = "-"
"""The text for an unknown value in a table."""
PATIENCE_SECONDS = 1.0
"""Seconds before a command shows what it waits for."""
_BAR_CELLS = 10
_MAX_PERCENT = 999_999_999
_FEWEST_DECIMALS, _FINEST = 2, Decimal("0.0001")
# The largest float has 309 digits before the point.
_EXACT = Context(prec=400)
_WIDE = 200
# GitHub alerts at 75 %; at 100 % it stops usage or continues to bill.
_COLOURS = ((1.0, "red"), (0.75, "yellow"), (float("-inf"), "green"))


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: Its heading, with the unit of its figures.
        right: Whether it is aligned to the right.
        total: The text below the column.
    """

    title: str
    right: bool = False
    total: str = ""


class StderrReporter:
    """Shows progress on standard error during a long wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown = False
        self._text = "waiting for GitHub"

    def warn(self, text: str) -> None:
        """Print a warning."""
        print(f"warning: {clean(text)}", file=sys.stderr)

    def status(self, text: str) -> None:
        """Show the current operation."""
        with self._lock:
            self._text = clean(text)
            if self._shown:
                self._print()

    def show(self) -> None:
        """Start the display."""
        with self._lock:
            self._shown = True
            self._print()

    def end(self) -> None:
        """Clear the line on a terminal."""
        with self._lock:
            if self._shown and sys.stderr.isatty():
                print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
            self._shown = False

    def _print(self) -> None:
        before, after = ("\r\x1b[2K", "") if sys.stderr.isatty() else ("", "\n")
        print(f"{before}{self._text} ...", end=after, file=sys.stderr, flush=True)


@contextmanager
def progress_reporter(patience_seconds: float = PATIENCE_SECONDS) -> Iterator[StderrReporter]:
    """Provide a reporter that shows progress after a delay."""
    reporter = StderrReporter()
    timer = threading.Timer(patience_seconds, reporter.show)
    timer.daemon = True
    timer.start()
    try:
        yield reporter
    finally:
        timer.cancel()
        timer.join()
        reporter.end()


@contextmanager
def reading(patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Reader]:
    """Provide a reader with the settings of the environment; it shows progress on standard error."""
    with progress_reporter(patience_seconds) as reporter:
        yield Reader(Run(lambda: read_settings(None, os.environ), reporter))


def add_formats(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose between a table, JSON and CSV."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON, with totals")
    formats.add_argument("--csv", action="store_true", help="print CSV")


def check_formats(args: argparse.Namespace) -> None:
    """Check that a table can be shown.

    Raises:
        ConfigError: Tables need the extra `cli`.
    """
    if not (args.json or args.csv):
        _rich()


def owner_of(owner: Owner) -> dict[str, str]:
    """Return an owner as all JSON documents hold it."""
    return {"kind": owner.kind.noun, "name": owner.slug}


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def print_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as CSV; unknown values are empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if value is None else value for value in row] for row in rows)


def print_table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]], notes: Sequence[str]) -> None:
    """Print a table with totals and notes.

    Args:
        title: The line above the table.
        columns: Its columns.
        rows: Its cells; texts are shown as they are, without markup, but what `bar` returns.
        notes: What stands below it.

    Raises:
        ConfigError: Tables need the extra `cli`.
    """
    rich = _rich()

    def shown(text: str) -> Any:
        return rich.Text(clean(text))

    table = rich.Table(box=rich.SIMPLE, show_footer=any(c.total for c in columns))
    for column in columns:
        table.add_column(
            column.title,
            column.total,
            justify="right" if column.right else "left",
            no_wrap=column.right,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(shown(cell) if isinstance(cell, str) else cell for cell in row))
    console = rich.Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(shown(title), style="bold", soft_wrap=True)
    if rows:
        console.print(table)
    for note in notes:
        console.print(shown(note), soft_wrap=True)


def amounts(values: Sequence[float | None]) -> list[str]:
    """Return figures of one column, all with as many decimals as the finest of them needs: 2 at least, 4 at most."""
    rounded = [None if value is None else _rounded(value) for value in values]
    needed = [-int(value.as_tuple().exponent) for value in rounded if value is not None]
    decimals = max([_FEWEST_DECIMALS, *needed])
    return [UNKNOWN if value is None else f"{value:,.{decimals}f}" for value in rounded]


def quantity(value: float | None) -> str:
    """Return a count with as few decimals as it needs."""
    return UNKNOWN if value is None else f"{_rounded(value):,f}"


def bar(share: float | None) -> Any:
    """Return a cell with a bar and the percentage spent; its colour follows GitHub's alert thresholds."""
    if share is None:
        return UNKNOWN
    cells = int(min(max(share, 0.0), 1.0) * _BAR_CELLS)
    percent = int(min(share * 100, _MAX_PERCENT))
    colour = next(colour for mark, colour in _COLOURS if share >= mark)
    return _rich().Text.assemble(("█" * cells, colour), f"{'░' * (_BAR_CELLS - cells)} {percent:>4} %")


def _rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_FINEST, context=_EXACT).normalize()


def _rich() -> Any:
    try:
        from billing_provider.cli import tables  # noqa: PLC0415 - an extra that may not be installed
    except ImportError:
        raise ConfigError(
            "tables need the extra `cli`: run `pip install 'github-billing-provider[cli]'`, or add --json or --csv"
        ) from None
    return tables
