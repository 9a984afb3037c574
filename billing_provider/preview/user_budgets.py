"""What a preview says about a table of users' budgets: each row compared as a budget, and told in a few lines."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from billing_provider.budgets import consequences
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.change import Change, refusal
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.inputs import Problem
from billing_provider.core.owners import Owner
from billing_provider.preview.budgets import BudgetPreview
from billing_provider.preview.reads import NotComparedError
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.runtime.registry import name_of, table_of
from billing_provider.user_budgets.lifecycle import MANY, PROTECTED, declarer_of, id_of, others_of, row_urn
from billing_provider.user_budgets.rows import mistakes
from billing_provider.user_budgets.states import BucketState, leaving, read_bucket
from billing_provider.user_budgets.words import RowChange, as_message, first_lines, summary, topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.budgets.consequences import Terms
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import OwnerKind
    from billing_provider.preview.budgets import _Compared
    from billing_provider.preview.owners import KnownNames
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run
    from billing_provider.user_budgets.words import Fate

_ONCE = {consequences.UNCOVERED, consequences.UNKNOWN_PEOPLE}


class _RowPreview(BudgetPreview):
    """The comparison of the rows: what a single budget tells is collected."""

    def __init__(self, run: Run, reads: PreviewReads, names: KnownNames) -> None:
        super().__init__(run, reads, names)
        self._of_thread = threading.local()

    def collect(self) -> list[RowChange]:
        """Return the list in which this thread collects what changes."""
        self._of_thread.changes = changes = list[RowChange]()
        return changes

    def find(self, owner: Owner, state: Mapping[str, Any]) -> Budget | None:
        """Return the live budget of a row, or None if it is provably gone.

        Raises:
            NotComparedError: The listing lacks too many budgets.
            BillingError: GitHub cannot be read.
        """
        return self._find(owner, state["budget_id"], state)

    def _say(self, kind: OwnerKind, urn: str, compared: _Compared) -> list[Problem]:  # noqa: ARG002 - as the base
        change = compared.change
        if reason := refusal(self._run.guards, change, compared.replaced, self.remaining_cap):
            return [Problem("", reason)]
        if compared.owner is None:
            # The date of a new row has passed: nothing is created, and `check` says so.
            return []
        # A row is known as a whole, and is a budget after the change.
        owner, old, new = compared.owner, change.old, cast("Terms", change.new)
        told = [*self._stops(owner, compared, old, new), *self._uncovered(owner, compared)]
        texts = [text for text in told if text not in _ONCE]
        # What is said once a run is about no single row.
        for text in told:
            if text in _ONCE:
                self._run.reporter.warn(text)
        changes: list[RowChange] = self._of_thread.changes
        fate: Fate = "adopted" if compared.is_adoption else "row"
        changes.append(RowChange.of(compared.news["user"], old, new, fate=fate, texts=texts))
        return []


class UserBudgetsPreview:
    """The comparison of tables with GitHub, for one run; it only reads.

    Args:
        run: The state shared by the resources of this engine run.
        reads: Sends the reads.
        names: The names of owners and organizations that this run knows.
    """

    def __init__(self, run: Run, reads: PreviewReads, names: KnownNames) -> None:
        self._run, self._reads, self._names = run, reads, names
        self._rows = _RowPreview(run, reads, names)
        self._lock = threading.Lock()
        self._removed: set[str] = set()

    def compare(
        self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> list[Problem]:
        """Tell what a new resource of a table does, and return what prevents it; arguments as for a budget."""
        del unknown
        return [] if olds else self._compare(urn, BucketState(), read_bucket(news))

    def compare_update(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> bool:
        """Tell what a changed resource of a table does; return False, because it is never gone as a whole.

        Raises:
            ConfigError: The limits refuse a change, or GitHub refuses the read.
        """
        del id_, unknown
        if found := self._compare(urn, read_bucket(olds), read_bucket(news)):
            raise ConfigError("; ".join(str(problem) for problem in found))
        return False

    def _compare(self, urn: str, state: BucketState, wanted: BucketState) -> list[Problem]:
        changes = self._rows.collect()
        states, owner = dict(state.states()), Owner(wanted.kind, wanted.owner)
        rows, before = wanted.rows, state.rows
        differing = sum(login not in states or row != before[login] for login, row in rows.items())
        if differing + sum(login not in rows for login in states) > MANY:
            # What GitHub refuses, it refuses for each row; and one listing is less than a read of each.
            try:
                with suppress(NotComparedError):
                    self._reads.get(self._run.cache(OwnerCache, owner).complete)
            except BillingError as error:
                return [Problem(wanted.kind.noun, f"{error}{self._names.near_owner(owner)}")]
        with self._run.reporter.collecting() as texts:
            found = [
                Problem("", f"{login}: {problem}")
                for login in wanted.budgets
                for problem in self._compare_row(urn, login, states.pop(login, None), wanted)
            ]
            others = self._others(owner, wanted, state, found)
            for login, old in {**states, **others}.items():
                problems = self._remove(urn, owner, login, leaving(old, wanted), changes, is_other=login in others)
                found += [Problem("", f"{login}: {problem}") for problem in problems]
            removed = [change for change in changes if change.is_removal]
            if removed and wanted.protected:
                found.append(Problem("", f"{', '.join(each.login for each in removed[:3])}: {PROTECTED}"))
            found += self._removals(urn, removed)
        if found:
            return [Problem("", text) for text in mistakes(found)]
        for old in others.values():
            self._run.registry.mark_named(old["budget_id"])
        # In a preview, the program tells what all parts of the table do, in one line.
        table = table_of(urn)
        if (changes or texts) and not self._run.registry.tell(topic(name_of(table)), as_message(table, changes, texts)):
            for text in (*summary(changes), *first_lines(texts)):
                self._run.tell(f"{name_of(urn)}: {text}")
        return []

    def _compare_row(self, urn: str, login: str, old: dict[str, Any] | None, wanted: BucketState) -> Iterator[Problem]:
        own = row_urn(urn, login)
        declared = wanted.declared(login)
        if old is None:
            yield from self._rows.compare(wanted.kind, own, {}, declared, frozenset())
            return
        try:
            self._rows.compare_update(wanted.kind, own, id_of(old), old, declared, frozenset())
        except ConfigError as error:
            yield Problem("", str(error))

    def _remove(
        self,
        urn: str,
        owner: Owner,
        login: str,
        old: Mapping[str, Any],
        changes: list[RowChange],
        *,
        is_other: bool,
    ) -> Iterator[Problem]:
        """Collect the removal of a row, and yield why it is refused."""
        own, live = row_urn(urn, login), None
        if not old.get(EXPIRED):
            try:
                with suppress(NotComparedError):
                    live = self._reads.get(lambda: self._rows.find(owner, old))
            except BillingError as error:
                yield Problem("", str(error))
                return
        if other := declarer_of(self._run, owner, own, old, live):
            self._run.reporter.warn(f"{login} moves to {name_of(other)}, with the same budget")
            return
        if old.get(EXPIRED):
            return
        change = Change(Change.standing(owner, old, live), {})
        kept = bool(old.get(KEPT_ON_DELETE))
        if not kept and (reason := change.refusal(self._run.guards, self._rows.remaining_cap)):
            yield Problem("", reason)
        fate: Fate = "kept" if kept else "other" if is_other else "row"
        changes.append(RowChange.of(login, change.old, None, fate=fate))

    def _others(
        self, owner: Owner, wanted: BucketState, state: BucketState, found: list[Problem]
    ) -> dict[str, dict[str, Any]]:
        """Return the budgets of users whom an exclusive table does not have, by login; note why they are not known."""
        try:
            with suppress(NotComparedError):
                return (
                    self._reads.get(lambda: dict(others_of(self._run, owner, wanted, state)))
                    if wanted.exclusive
                    else {}
                )
        except BillingError as error:
            found.append(Problem(wanted.kind.noun, str(error)))
        return {}

    def _removals(self, urn: str, removed: list[RowChange]) -> Iterator[Problem]:
        """Yield that the run removes more budgets than it may."""
        most = self._run.guards.max_deletes
        with self._lock:
            self._removed |= {row_urn(urn, change.login) for change in removed}
            number = len(self._removed)
        if most is not None and number > most:
            yield Problem(
                "",
                f"the table removes {number} caps so far: {self._run.most_deletes()}",
            )
