"""Output of the reading commands: tables, JSON, CSV and progress."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import threading
from contextlib import contextmanager
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.consequences import DOLLARS
from billing_provider.cli.tables import Cell, coloured, markdown, table, wrapped
from billing_provider.core.ids import is_name
from billing_provider.core.redact import MASK, clean
from billing_provider.core.settings import read_settings
from billing_provider.reader import Reader
from billing_provider.runtime.run import Run
from billing_provider.usage.spend import DOLLARS as USD

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from billing_provider.cli.tables import Column
    from billing_provider.core.owners import Owner

UNKNOWN = "-"
"""The text for an unknown value in a table."""
UNKNOWN_NOTE = f"The sign {UNKNOWN} means unknown: GitHub has no figure or name, or not for this token."
PATIENCE_SECONDS = 1.0
"""Seconds before a command shows what it waits for."""
MAX_WHAT = 300
"""Maximum length of a name in an error."""
_FORMULA = ("=", "+", "-", "@")
_BAR_CELLS = 10
_MAX_PERCENT = 999_999_999
_FEWEST_DECIMALS, _FINEST = 2, Decimal("0.0001")
# The largest float has 309 digits before the point.
_EXACT = Context(prec=400)
# GitHub alerts at 75 %; at 100 % it stops usage or continues to bill.
_COLOURS = ((1.0, "red"), (0.75, "yellow"), (float("-inf"), "green"))


class StderrReporter:
    """Shows progress on standard error during a long wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown = False
        self._text = "waiting for GitHub"

    @property
    def is_live(self) -> bool:
        """Whether standard error is a terminal."""
        return sys.stderr.isatty()

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


def add_formats(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Add the options that choose between a table, JSON and CSV, and return their group."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON, with totals")
    formats.add_argument("--csv", action="store_true", help="print CSV")
    return formats


def owner_of(owner: Owner) -> dict[str, str]:
    """Return an owner as all JSON documents hold it."""
    return {"kind": owner.kind.noun, "name": owner.slug}


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def print_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as CSV, one line each.

    Unknown values are empty, whole numbers have no decimals, and the entries of a list are joined by semicolons. A text
    that a spreadsheet would read as a formula begins with an apostrophe.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_plain(value) for value in row] for row in rows)


def _plain(value: Any) -> str | int | float:
    if isinstance(value, (list, tuple)):
        value = ";".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        # The names come from GitHub, where others choose them.
        text = clean(value)
        if is_name(value) and MASK not in text:
            text = value
        return f"'{text}" if text.startswith(_FORMULA) else text
    return "" if value is None else value


def print_table(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[str | Cell]], notes: Sequence[str], empty: str
) -> None:
    """Print a table with totals and notes, as wide as the terminal or the variable COLUMNS allows.

    Args:
        title: The line above the table.
        columns: Its columns.
        rows: Its cells; texts are shown as they are.
        notes: The sentences below it.
        empty: The sentence that stands for a table without rows.
    """
    width, with_colours = line_width(), _with_colours()
    left_out: list[str] = []
    for line in wrapped(clean(title), width):
        print(coloured(line, "bold") if with_colours else line)
    if rows:
        lines, left_out = table(columns, rows, width, with_colours=with_colours)
        print("", *lines, sep="\n")
    more = [f"Left out at this width: {', '.join(left_out)}."] if left_out else []
    for number, note in enumerate([*([] if rows else [empty]), *notes, *more]):
        print(*([] if number else [""]), *wrapped(clean(note), width), sep="\n")


def print_markdown(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[str | Cell]], notes: Sequence[str], empty: str
) -> None:
    """Print in Markdown what `print_table` prints on a terminal."""
    print(f"### {clean(title)}", "", *(markdown(columns, rows) if rows else [empty]), sep="\n")
    for note in notes:
        print("", clean(note), sep="\n")


def line_width() -> int | None:
    """Return the width of the terminal, or of the variable COLUMNS; None if the output is no terminal."""
    return shutil.get_terminal_size((0, 0)).columns or None


def unit_of(unit: str) -> str:
    """Return the unit of an amount as JSON and CSV have it."""
    return USD if unit == DOLLARS else unit


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def amounts(values: Sequence[float | None]) -> list[str]:
    """Return figures of one column, all with as many decimals as the finest of them needs: 2 at least, 4 at most."""
    rounded = [None if value is None else _rounded(value) for value in values]
    needed = [-int(value.as_tuple().exponent) for value in rounded if value is not None]
    decimals = max([_FEWEST_DECIMALS, *needed])
    return [UNKNOWN if value is None else f"{value:,.{decimals}f}" for value in rounded]


def quantity(value: float | None) -> str:
    """Return a count with as few decimals as it needs."""
    return UNKNOWN if value is None else f"{_rounded(value):,f}"


def percent(share: float | None) -> str:
    """Return the percentage spent."""
    return UNKNOWN if share is None else f"{int(min(share * 100, _MAX_PERCENT))} %"


def bar(share: float | None) -> Cell:
    """Return a bar of the fraction spent; its colour follows GitHub's alert thresholds."""
    if share is None:
        return Cell("")
    cells = int(min(max(share, 0.0), 1.0) * _BAR_CELLS)
    colour = next(colour for mark, colour in _COLOURS if share >= mark)
    return Cell("█" * cells + "░" * (_BAR_CELLS - cells), colour)


def _rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_FINEST, context=_EXACT).normalize()


def _with_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
