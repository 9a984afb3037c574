"""The words about a table: what a change does to its rows, in a few lines, and what could not be written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing_provider.budgets import consequences
from billing_provider.budgets.consequences import dollars
from billing_provider.core.redact import clean
from billing_provider.runtime.delete_confirmed import DELETES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from billing_provider.budgets.consequences import Terms

MOST_LINES = 5
"""Maximum number of lines about single rows; the rest is counted."""
MOST_CHANGES = 10
"""Maximum number of rows that the line of the largest changes names."""
_MAX_LOGIN, _MOST_NAMES = 39, 3


@dataclass(frozen=True)
class RowChange:
    """What a change does to one row.

    Attributes:
        login: The user.
        old: The amount before, in US dollars; None if there was no budget.
        new: The amount after; None if there is none.
        is_adoption: Whether an existing budget is taken over.
        texts: What it does beyond the amount.
    """

    login: str
    old: float | None
    new: float | None
    is_adoption: bool = False
    texts: Sequence[str] = ()

    @property
    def amount(self) -> float:
        """The change of the amount in US dollars."""
        return (self.new or 0.0) - (self.old or 0.0)

    @classmethod
    def of(
        cls, login: str, old: Terms | None, new: Terms | None, *, is_adoption: bool, texts: Sequence[str]
    ) -> RowChange:
        """Return what happens between two terms."""
        beyond = consequences.changes(old._replace(amount=new.amount), new) if old and new else []
        return cls(login, old and old.amount, new and new.amount, is_adoption, (*beyond, *texts))


def table_of(name: str) -> str:
    """Return the name of a table from that of one of its resources: `developers` from `developers-07`."""
    return name.rpartition("-")[0]


def summary(changes: Sequence[RowChange]) -> Iterator[str]:
    """Yield what a change does to the rows of a table: the sums, the largest changes, then what else happens."""
    groups: dict[str, list[RowChange]] = {}
    for change in changes:
        groups.setdefault(_group(change), []).append(change)
    if not groups:
        return
    parts = ", ".join(_part(name, groups[name]) for name in _GROUPS if name in groups)
    moved = sorted((each for each in changes if each.amount), key=lambda each: (-abs(each.amount), each.login.lower()))
    more = len(moved) - MOST_CHANGES
    shown = ", ".join(_moved(each) for each in moved[:MOST_CHANGES]) + (f", and {more:,} more" if more > 0 else "")
    yield f"{parts}: {shown}" if shown else parts
    yield from first_lines([f"{each.login}: {text}" for each in changes for text in each.texts])


_GROUPS = {
    "removed": ("removes the caps of", -1),
    "raised": ("raises the caps of", 1),
    "lowered": ("lowers the caps of", -1),
    "new": ("adds caps for", 1),
    "adopted": ("adopts the budgets of", 0),
    "other": ("changes the budgets of", 0),
}


def _group(change: RowChange) -> str:
    if change.new is None:
        return "removed"
    if change.old is None:
        return "new"
    if change.amount:
        return "raised" if change.amount > 0 else "lowered"
    return "adopted" if change.is_adoption else "other"


def _part(name: str, rows: Sequence[RowChange]) -> str:
    verb, sign = _GROUPS[name]
    people = f"{len(rows):,} {'person' if len(rows) == 1 else 'people'}"
    total = abs(sum(each.amount for each in rows))
    adopted = sum(each.is_adoption for each in rows if name in {"raised", "lowered"})
    then = f", {adopted:,} of them existing budgets that it adopts" if adopted else ""
    return f"{verb} {people}" + (f" ({'+' if sign > 0 else '-'}{dollars(total)} a month)" if sign else "") + then


def _moved(change: RowChange) -> str:
    name = clean(change.login, _MAX_LOGIN)
    if change.old is None or change.new is None:
        return f"{name} {'+' if change.amount > 0 else '-'}{dollars(abs(change.amount))}"
    return f"{name} {dollars(change.old)} to {dollars(change.new)}"


def as_message(changes: Sequence[RowChange], texts: Sequence[str]) -> str:
    """Return what happens to a part of a table, and further lines about it, as one line for the program."""
    rows = [[each.login, each.old, each.new, each.is_adoption, list(each.texts)] for each in changes]
    return json.dumps({"rows": rows, "texts": list(texts)})


def from_messages(messages: Iterable[str]) -> list[str]:
    """Return the lines about a table, from what its parts have told."""
    changes: list[RowChange] = []
    texts: list[str] = []
    for message in map(json.loads, messages):
        changes += [RowChange(*row) for row in message["rows"]]
        texts += message["texts"]
    return [*summary(changes), *first_lines(texts)]


def first_lines(texts: Sequence[str]) -> list[str]:
    """Return the first lines about single rows, and the number of the others."""
    # The deleted caps are summed up in a line of their own.
    others = [text for text in texts if not text.startswith(DELETES)]
    more = len(others) - MOST_LINES
    lines = "line" if more == 1 else "lines"
    return [*others[:MOST_LINES], *([f"and {more:,} more {lines} about rows of this table"] if more > 0 else [])]


def not_written(pending: Mapping[str, str], total: int, what: str) -> str:
    """Return which rows could not be written, grouped by the reason, and what to do.

    Args:
        pending: The reason by login.
        total: The number of rows that had to be written.
        what: The participle of what did not happen.
    """
    reasons = Counter(pending.values()).most_common(3)
    shown = "; ".join(f"{_logins(pending, reason)}: {reason}" for reason, _ in reasons)
    return f"{len(pending):,} of {total:,} budgets are not {what}: run again. {shown}"


def _logins(pending: Mapping[str, str], reason: str) -> str:
    return _names(login for login, why in pending.items() if why == reason)


def _names(logins: Iterable[str]) -> str:
    names = [clean(login, _MAX_LOGIN) for login in logins]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
