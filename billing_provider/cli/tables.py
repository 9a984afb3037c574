"""Text that fits a width: tables whose columns are shortened or left out, and sentences that wrap between words."""

from __future__ import annotations

import textwrap
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from billing_provider.core.markdown import code
from billing_provider.core.redact import clean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "  "
_ELLIPSIS = "…"
_LEAST = 6
_COLOURS = {"bold": "1", "red": "31", "yellow": "33", "green": "32"}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: Its heading, with the unit of its figures.
        right: Whether it is aligned to the right.
        total: The text below the column.
        least: The width to which its texts may be shortened; 0: they are not shortened.
        leaves: The order in which columns are left out if the rest does not fit, 1 first, equal ones together; 0: it
            always stays.
        named: Whether its texts are names, which others may have chosen.
    """

    title: str
    right: bool = False
    total: str = ""
    least: int = 0
    leaves: int = 0
    named: bool = False


@dataclass(frozen=True)
class Cell:
    """A text with a colour: `bold`, `red`, `yellow` or `green`."""

    text: str
    colour: str = ""


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], width: int | None, *, with_colours: bool
) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and the titles of the columns that were left out.

    No cell is wrapped. In a table that is too wide, the widest texts are shortened at their right end, down to the
    `least` of their columns; then the least important columns are left out, and the texts are shortened anew.

    Args:
        columns: The columns.
        rows: Their cells.
        width: The number of characters of a line; None if there is no limit.
        with_colours: Whether the lines contain colours.
    """
    cells = [
        [
            each if isinstance(each, Cell) else Cell((quoted if column.named else clean)(each))
            for each, column in zip(row, columns, strict=True)
        ]
        for row in rows
    ]
    titles = [Cell(column.title, "bold") for column in columns]
    totals = [Cell(column.total, "bold") for column in columns]
    body = [titles, *cells, totals]
    widths = _fit(columns, [max(_width(row[number].text) for row in body) for number in range(len(columns))], width)

    def line(row: Sequence[Cell]) -> str:
        parts = [
            _padded(row[number], columns[number], kept, with_colours=with_colours) for number, kept in widths.items()
        ]
        return _GAP.join(parts).rstrip()

    rule = "─" * _total(widths)
    lines = [line(titles), rule, *map(line, cells)]
    if any(column.total for column in columns):
        lines += [rule, line(totals)]
    left_out = [column.title for number, column in enumerate(columns) if number not in widths and column.title]
    return lines, left_out


def markdown(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]]) -> list[str]:
    """Return the lines of a table in Markdown; names are code, so that they are no links, mentions or HTML."""
    lines = [[column.title for column in columns], ["---:" if column.right else "---" for column in columns]]
    lines += [[_markdown_cell(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _markdown_cell(cell: str | Cell, column: Column) -> str:
    text = cell.text if isinstance(cell, Cell) else (quoted if column.named else clean)(cell)
    return code(text) if column.named and text else text


def wrapped(text: str, width: int | None, indent: int = 0) -> list[str]:
    """Return a text in lines that break between words; all lines but the first begin with `indent` spaces."""
    if width is None:
        return [text]
    # A narrow terminal still gets a few words in each line.
    width = max(width, indent + 20)
    return textwrap.wrap(
        text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    ) or [""]


def coloured(text: str, colour: str) -> str:
    """Return a text in a colour of a terminal."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def _fit(columns: Sequence[Column], natural: list[int], width: int | None) -> dict[int, int]:
    """Return the widths of the columns that stay, by their numbers."""
    widths = dict(enumerate(natural))
    while width is not None and (over := _total(widths) - width) > 0:
        leaving = [number for number in widths if columns[number].leaves]
        # If no further column can be left out, the texts become as short as necessary.
        least = {
            number: columns[number].least if leaving else min(columns[number].least, _LEAST)
            for number in widths
            if columns[number].least
        }
        while over > 0 and (wide := [number for number in least if widths[number] > least[number]]):
            widths[max(wide, key=lambda number: widths[number])] -= 1
            over -= 1
        if over <= 0 or not leaving:
            break
        first = min(columns[number].leaves for number in leaving)
        widths = {number: natural[number] for number in widths if columns[number].leaves != first}
    return widths


def _total(widths: dict[int, int]) -> int:
    """Return the width of a line."""
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _padded(cell: Cell, column: Column, width: int, *, with_colours: bool) -> str:
    text = _shortened(cell.text, width)
    space = " " * (width - _width(text))
    if with_colours and cell.colour:
        text = coloured(text, cell.colour)
    return space + text if column.right else text + space


def _shortened(text: str, width: int) -> str:
    """Return a text that is at most so wide; a longer one ends with an ellipsis."""
    if _width(text) <= width:
        return text
    ends = list(accumulate(map(_width, text)))
    return text[: bisect_right(ends, width - 1)].rstrip() + _ELLIPSIS


def _width(text: str) -> int:
    """Return the number of places that a text takes on a terminal."""
    return sum(
        0 if unicodedata.category(sign) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )
