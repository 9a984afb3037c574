"""A table of users' budgets in a CSV file."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import did_you_mean
from billing_provider.storage import files
from billing_provider.user_budgets.rows import ROW_INPUTS, mistakes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

MAX_BYTES = 10_000_000
"""Maximum size of a file, in bytes: some hundred thousand rows."""
_COLUMNS = ("login", *ROW_INPUTS)
_REQUIRED = ("login", "budget_amount")
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)


def read_csv(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the rows of a CSV file by login: an amount, or a mapping of the columns that are not empty.

    The first line names the columns: `login` and `budget_amount`, and any of `expires_at`, `on_raise` and `reason`.
    Commas, semicolons or tabs separate them.

    Args:
        path: The file, UTF-8 text.

    Raises:
        ConfigError: It cannot be read, its header is wrong, or rows are incomplete or repeated; the message has the
            first ones and the number of the others.
    """
    text = _read(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: dict[str, Any] = {}
    first: dict[str, int] = {}
    wrong: list[str] = []
    try:
        columns = [name.strip() for name in next(reader, [])]
        wrong += _header_mistakes(columns)
        if wrong:
            raise ConfigError(f"{path}: {'; '.join(wrong)}")
        for cells in reader:
            row = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
            if not row and len(cells) <= len(columns):
                continue
            wrong += _row_mistakes(reader.line_num, len(columns), cells, row, first)
            login, amount = row.pop("login", ""), row.get("budget_amount", "")
            # What is no number is left to the check of the rows.
            given = {**row, "budget_amount": int(amount)} if _NUMBER.fullmatch(amount) else row
            rows[login] = given["budget_amount"] if set(row) == {"budget_amount"} else given
    except csv.Error as error:
        raise ConfigError(f"{path}: line {reader.line_num} is no line of a CSV file: {error}") from None
    if wrong:
        raise ConfigError(f"{path}: {'; '.join(mistakes(wrong))}")
    return rows


def _read(path: str | os.PathLike[str]) -> str:
    try:
        # Spreadsheet programs begin such a file with a byte order mark.
        return files.read_given(Path(path), MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8 text: save it as CSV UTF-8") from None
    except files.FileError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def _header_mistakes(columns: list[str]) -> Iterator[str]:
    if missing := [name for name in _REQUIRED if name not in columns]:
        yield f"the first line lacks the column {' and '.join(missing)}; the columns are {', '.join(_COLUMNS)}"
    for name in dict.fromkeys(columns):
        if name not in _COLUMNS:
            yield f"there is no column {name[:40]!r}{did_you_mean(name, _COLUMNS)}"
        elif columns.count(name) > 1:
            yield f"the column {name} is there twice"


def _row_mistakes(line: int, width: int, cells: list[str], row: dict[str, str], first: dict[str, int]) -> Iterator[str]:
    if len(cells) > width:
        yield f"line {line} has {len(cells)} cells, the first line has {width}"
    if missing := [name for name in _REQUIRED if name not in row]:
        yield f"line {line} lacks {' and '.join(missing)}"
        return
    before = first.setdefault(row["login"].lower(), line)
    if before != line:
        yield f"line {line} repeats {row['login'][:40]} of line {before}"
