"""Tables in an export: the budgets of many people of one owner as one declaration, its CSV file and its state."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.entries import quiet
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.owners import OWNER_KINDS, USER, Owner
from billing_provider.core.resource import Stored
from billing_provider.user_budgets.lifecycle import UserBudgetsLifecycle
from billing_provider.user_budgets.rows import PRODUCT, ROW_INPUTS, as_inputs, buckets_of, read_rows
from billing_provider.user_budgets.texts import as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from billing_provider.adopt.entries import Entry
    from billing_provider.runtime.run import Run

MOST_SINGLE = 50
"""The most people of one owner with a declaration for each; more of them are one table."""


@dataclass(frozen=True)
class Table:
    """A table of an export.

    Attributes:
        name: Its name.
        file: The name of its CSV file.
        rows: The budget of each person, in the order of the logins.
    """

    name: str
    file: str
    rows: Sequence[Entry]

    @property
    def owner(self) -> Owner:
        """The owner of the budgets."""
        return owner_of(self.rows[0])

    @property
    def budgets(self) -> dict[str, Any]:
        """The rows, as a program passes them to the table."""
        given = {each.declared[USER]: row_of(each) for each in self.rows}
        return read_rows(self.owner.kind, given)[0]

    @property
    def csv(self) -> str:
        """The content of its file; it has no column without a value."""
        rows = [{"login": login, **as_inputs(row)} for login, row in self.budgets.items()]
        columns = ["login", *(name for name in ROW_INPUTS if any(name in row for row in rows))]
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def parts(self, run: Run) -> Iterator[tuple[str, Stored]]:
        """Yield the name of each resource of the table, and what a create that adopts the budgets would store.

        Args:
            run: The clock; nothing is sent.
        """
        lifecycle, owner = UserBudgetsLifecycle(quiet(run)), self.owner
        ids = {each.declared[USER]: each.id.rpartition("/")[2] for each in self.rows}
        for bucket, part in buckets_of(self.budgets):
            urn = f"::{part_name(self.name, bucket)}"
            given = {owner.kind.noun: owner.slug, "bucket": bucket, "budgets": part}
            inputs = lifecycle.check(urn, {}, given, frozenset()).inputs
            known = {"budget_ids": {login: ids[login] for login in part}, "adopted": list(part)}
            # Nothing differs, so the update sends nothing, and returns the state that it would store.
            stored = lifecycle.update(urn, {**inputs, **known}, inputs)
            yield part_name(self.name, bucket), Stored(stored.id, as_texts(stored.inputs), as_texts(stored.outputs))


def part_name(table: str, bucket: str) -> str:
    """Return the name of a resource of a table."""
    return f"{table}-{bucket}"


def is_row(entry: Entry) -> bool:
    """Return whether a row of a table can declare an entry."""
    if entry.scope != USER or canonical_sku(entry.declared["budget_product_sku"]) != PRODUCT:
        return False
    return set(entry.declared) <= {*OWNER_KINDS, "budget_product_sku", "budget_scope", USER, *ROW_INPUTS}


def owner_of(entry: Entry) -> Owner:
    """Return the owner of a budget."""
    noun, slug, _ = entry.id.split("/")
    return Owner(OWNER_KINDS[noun], slug)


def split(entries: Sequence[Entry]) -> tuple[list[list[Entry]], list[Entry]]:
    """Return the entries that become tables, one list for each in the order of the logins, and the other entries."""
    people: dict[str, list[Entry]] = defaultdict(list)
    for entry in filter(is_row, entries):
        people[owner_of(entry).key].append(entry)
    groups = [in_order(group) for group in people.values() if len(group) > MOST_SINGLE]
    in_tables = {entry.id for group in groups for entry in group}
    return groups, [entry for entry in entries if entry.id not in in_tables]


def in_order(rows: Sequence[Entry]) -> list[Entry]:
    """Return rows in the order of their logins."""
    return sorted(rows, key=lambda each: each.declared[USER].lower())


def row_of(entry: Entry) -> dict[str, Any]:
    """Return the row that declares an entry."""
    return {name: entry.declared[name] for name in ROW_INPUTS if name in entry.declared}
