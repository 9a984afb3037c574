"""The words about a table: what a change does to its rows, in a few lines, and what could not be written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from billing_provider.budgets import consequences
from billing_provider.budgets.consequences import dollars
from billing_provider.core.redact import clean
from billing_provider.runtime.delete_confirmed import DELETES
from billing_provider.runtime.shared_ids import key_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from billing_provider.budgets.consequences import Terms

MOST_LINES = 10
"""Maximum number of lines about single rows; the rest is counted."""
MOST_CHANGES = 10
"""Maximum number of rows that the line of the largest changes names."""
_MAX_LOGIN, _MOST_NAMES, _NAMES_A_LINE = 39, 3, 40


Fate = Literal["row", "adopted", "kept", "other"]
"""What a change is to its row: of the row itself; an existing budget is taken over; the row goes and its budget stays
on GitHub; or a budget goes that was no row of this exclusive table."""


@dataclass(frozen=True)
class RowChange:
    """What a change does to one row.

    Attributes:
        login: The user.
        old: The amount before, in US dollars; None if there was no budget.
        new: The amount after; None if there is none.
        fate: What it is to the row.
        texts: What it does beyond the amount.
    """

    login: str
    old: float | None
    new: float | None
    fate: Fate = "row"
    texts: Sequence[str] = ()

    @property
    def amount(self) -> float:
        """The change of the amount in US dollars."""
        return (self.new or 0.0) - (self.old or 0.0)

    @property
    def is_removal(self) -> bool:
        """Whether a budget goes from GitHub."""
        return self.new is None and self.fate != "kept"

    @classmethod
    def of(
        cls, login: str, old: Terms | None, new: Terms | None, *, fate: Fate, texts: Sequence[str] = ()
    ) -> RowChange:
        """Return what happens between two terms."""
        beyond = consequences.changes(old._replace(amount=new.amount), new) if old and new else []
        return cls(login, old and old.amount, new and new.amount, fate, (*beyond, *texts))


def topic(table: str) -> str:
    """Return the topic under which the parts of a table tell what they do, from its name."""
    return key_id(("table", table))


def summary(changes: Sequence[RowChange]) -> Iterator[str]:
    """Yield what a change does to the rows of a table: sums and names, caps that go first, then what else happens."""
    groups: dict[str, list[RowChange]] = {}
    for change in changes:
        groups.setdefault(_group(change), []).append(change)
    others = groups.pop("others", [])
    if groups:
        parts = ", ".join(_part(name, groups[name]) for name in _GROUPS if name in groups)
        named = [each for name in _GROUPS for each in _largest(groups.get(name, []))]
        more = len(named) - MOST_CHANGES
        shown = ", ".join(map(_moved, named[:MOST_CHANGES])) + (f", and {more:,} more" if more > 0 else "")
        yield f"{parts}: {shown}"
    for start in range(0, len(others), _NAMES_A_LINE):
        # Each is named: nobody has declared them.
        part = others[start : start + _NAMES_A_LINE]
        names = ", ".join(f"{clean(each.login, _MAX_LOGIN)} {dollars(each.old or 0.0)}" for each in part)
        yield f"lifts the caps of {_people(part)} who {'is' if len(part) == 1 else 'are'} not in this table: {names}"
    yield from first_lines([f"{each.login}: {text}" for each in changes for text in each.texts])


_GROUPS = {
    "removed": ("lifts the caps of", ""),
    "raised": ("raises the caps of", "+"),
    "lowered": ("lowers the caps of", "-"),
    "new": ("adds caps for", "+"),
    "adopted": ("adopts the budgets of", ""),
    "kept": ("leaves on GitHub, where no table has them, the budgets of", ""),
    "other": ("changes the budgets of", ""),
}
"""The words and the sign of each group, in the order of what is lost."""


def _group(change: RowChange) -> str:
    if change.new is None:
        return {"kept": "kept", "other": "others"}.get(change.fate, "removed")
    if change.old is None:
        return "new"
    if change.amount:
        return "raised" if change.amount > 0 else "lowered"
    return "adopted" if change.fate == "adopted" else "other"


def _largest(rows: Sequence[RowChange]) -> list[RowChange]:
    return sorted(rows, key=lambda each: (-abs(each.amount), each.login.lower()))


def _part(name: str, rows: Sequence[RowChange]) -> str:
    verb, sign = _GROUPS[name]
    total = dollars(abs(sum(each.amount for each in rows)))
    adopted = sum(each.fate == "adopted" for each in rows if name in {"raised", "lowered"})
    then = f", {adopted:,} of them existing budgets that it adopts" if adopted else ""
    worth = f" ({sign}{total} a month)" if sign or name == "removed" else ""
    return f"{verb} {_people(rows)}{worth}{then}"


def _people(rows: Sequence[RowChange]) -> str:
    return f"{len(rows):,} {'person' if len(rows) == 1 else 'people'}"


def _moved(change: RowChange) -> str:
    name = clean(change.login, _MAX_LOGIN)
    if change.old is None or change.new is None:
        return f"{name} {dollars((change.old if change.new is None else change.new) or 0.0)}"
    return f"{name} {dollars(change.old)} to {dollars(change.new)}" if change.amount else name


def as_message(table: str, changes: Sequence[RowChange], texts: Sequence[str]) -> str:
    """Return what happens to a part of a table, and further lines about it, as one line for the program."""
    rows = [[each.login, each.old, each.new, each.fate, list(each.texts)] for each in changes]
    return json.dumps({"table": table, "rows": rows, "texts": list(texts)})


def from_messages(table: str, messages: Iterable[str]) -> list[str]:
    """Return the lines about a table, from what its parts have told.

    Args:
        table: The URN of the table; another one can have the same name, with another parent.
        messages: What the parts of tables of this name have told.
    """
    changes: list[RowChange] = []
    texts: list[str] = []
    for message in map(json.loads, messages):
        if message["table"] != table:
            continue
        changes += [RowChange(*row) for row in message["rows"]]
        texts += message["texts"]
    return [*summary(changes), *first_lines(texts)]


def first_lines(texts: Sequence[str]) -> list[str]:
    """Return the first lines about single rows, and the number of the others."""
    # The comparison before the write, or a line of their own, tells the deleted caps.
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
