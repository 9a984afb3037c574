"""Check, diff, create, read, update and delete of one resource of a table: the lifecycle of a budget for each row."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import expiry
from billing_provider.budgets.approved_raises import known_amount
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.budgets.listing import login_of
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.errors import BillingError, ConfigError, InvalidError, NotFoundError, OutcomeError
from billing_provider.core.ids import read_slug, resource_id
from billing_provider.core.inputs import KEEP, Problem
from billing_provider.core.owners import OWNER_KINDS, USER, Owner, owner_of
from billing_provider.core.resource import Checked, Stored
from billing_provider.runtime.delete_confirmed import DELETES
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.runtime.registry import name_of, read_key, table_of
from billing_provider.user_budgets.rows import (
    PRODUCT,
    REASON,
    as_inputs,
    bucket_of,
    budget_inputs,
    choice_problems,
    mistakes,
    read_rows,
    user_key,
)
from billing_provider.user_budgets.states import BucketState, leaving, read_bucket
from billing_provider.user_budgets.texts import INPUTS, OTHERS, PENDING
from billing_provider.user_budgets.words import RowChange, first_lines, not_written, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from billing_provider.budgets.models import Budget
    from billing_provider.runtime.run import Run

_OF_A_ROW = (InvalidError, NotFoundError, OutcomeError)
"""Errors of one row; after each other error, the further rows would fail in the same way."""
PROTECTED = "this table is protected: give it protect=False for the run that removes rows"
"""Why no row of a protected table is removed."""
_MINUTE = 60.0
MANY = 3
"""Above this number of budgets, one listing needs fewer requests than a read of each."""


def row_urn(urn: str, login: str) -> str:
    """Return the identity of a row in this run, and its name in messages: that of the resource, and the login."""
    return f"{urn}/{login.lower()}"


class _Work:
    """The budgets that the resources of tables write in this run, and how long that takes.

    Args:
        run: The engine run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._total = self._done = 0

    def add(self, number: int) -> None:
        """Add budgets to write."""
        with self._lock:
            self._total += number

    def take(self) -> None:
        """Begin with the next one, and show how many there are and how long they take at GitHub's pace."""
        with self._lock:
            self._done += 1
            done, total = self._done, self._total
        if total > MANY:
            left = (total - done) * self._run.settings.write_interval_seconds
            then = f", at least {math.ceil(left / _MINUTE)} min left" if left > _MINUTE else ""
            self._run.show(f"budget {done:,} of {total:,}{then}", "budgets of users")


_RARE = frozenset({"expires_at", EXPIRED, RAISED_TO})
"""With one of these in the state, a row can differ although its inputs are the same."""


class UserBudgetsLifecycle:
    """The lifecycle of the resources of tables; what happens to a row is the lifecycle of a budget.

    Args:
        run: The state shared by the resources of this engine run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._budgets = {noun: Lifecycle(kind, run) for noun, kind in OWNER_KINDS.items()}
        self._work = _Work(run)

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]) -> Checked:
        """Validate the inputs of one resource of a table; nothing is sent.

        Args:
            urn: The URN of the resource, for messages and registry.
            olds: The stored inputs; empty for a new resource.
            news: The inputs from the component.
            unknown: The names of the inputs not known yet; each is refused, because a table is compared by its rows.
        """
        self._run.registry.check(urn, anew=not olds)
        _ = self._run.guards
        if unknown:
            reason = "write plain values: a preview cannot compare rows that are not known yet"
            return Checked({}, [Problem(name, reason) for name in sorted(unknown)])
        inputs = {name: news[name] for name in INPUTS if news.get(name) is not None}
        found = list(_problems(inputs))
        if found:
            return Checked({}, found)
        before, wanted = read_bucket(olds), read_bucket(inputs)
        if olds and Owner(before.kind, before.owner).key != Owner(wanted.kind, wanted.owner).key:
            reason = f"a table cannot move from {before.owner}: declare another one, then remove this one"
            return Checked({}, [Problem(wanted.kind.noun, reason)])
        if wanted.exclusive and (obstacle := self._not_exclusive(urn, wanted)):
            return Checked({}, [Problem("exclusive", obstacle)])
        spelled = {login.lower(): login for login in before.budgets}
        rows = {spelled.get(login.lower(), login): row for login, row in wanted.rows.items()}
        inputs["budgets"] = rows
        if olds:
            inputs[wanted.kind.noun] = before.owner
        wanted = read_bucket(inputs)
        is_same = not _differing_inputs(before, wanted)
        with self._run.reporter.collecting() as texts:
            found = [
                problem
                for login, row in wanted.rows.items()
                for problem in self._check_row(
                    urn, login, before, wanted, is_same=is_same and before.rows.get(login) == row
                )
            ]
        self._show(texts)
        if found:
            return Checked({}, [Problem("", text) for text in mistakes(found)])
        return Checked(inputs, [])

    def _not_exclusive(self, urn: str, wanted: BucketState) -> str | None:
        """Claim all users of the owner for this table, or return why it cannot be exclusive."""
        if (wanted.on_delete or self._run.guards.on_delete) == KEEP:
            return 'this removes budgets, and on_delete keeps them: leave one out, or set on_delete="delete"'
        key = user_key(Owner(wanted.kind, wanted.owner), "")[:2]
        other = self._run.registry.claim(table_of(urn), key)
        return other and f"this table is exclusive, and {name_of(other)} declares a person too: declare all as its rows"

    def _check_row(
        self, urn: str, login: str, before: BucketState, wanted: BucketState, *, is_same: bool
    ) -> list[Problem]:
        own, declared = row_urn(urn, login), wanted.declared(login)
        if is_same and "expires_at" not in declared:
            registry, key = self._run.registry, user_key(Owner(wanted.kind, wanted.owner), login)
            registry.check(own, anew=False)
            first = registry.declare(own, key)
            registry.declare_inputs(own, declared)
            if first is None and registry.claimant(own, key) is None:
                return []
        old = before.declared(login) if login in before.budgets else {}
        found = self._of(wanted).check(own, old, declared, frozenset()).problems
        return [Problem("", f"{login}: {problem}") for problem in found]

    def diff(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> tuple[list[str], list[str]]:
        """Return the inputs that changed in meaning; no change replaces a resource of a table. Nothing is sent.

        Args:
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs, from any version of this package.
            news: The checked inputs.
            unknown: The names of the inputs not known yet: none, as `check` requires.
        """
        del id_, unknown
        state, wanted = read_bucket(olds), read_bucket(news)
        if not self._run.registry.is_checked(urn):
            return [], []
        states, state_rows = dict(state.states()), state.rows
        of_table = _differing_inputs(state, wanted)
        changed = set(of_table)
        with self._run.reporter.collecting() as texts:
            for login, row in wanted.rows.items():
                old = states.pop(login, None)
                is_seen = row != state_rows.get(login)
                is_same = not (is_seen or of_table)
                differs = old is None or self._row_differs(urn, login, old, wanted, is_same=is_same)
                changed |= {"budgets"} if is_seen else {PENDING} if differs else set()
        self._show(texts)
        changed |= {"budgets"} if states else set()
        changed |= {PENDING} if state.pending or (wanted.exclusive and state.others) else set()
        return sorted(changed), []

    def _row_differs(self, urn: str, login: str, old: Mapping[str, Any], wanted: BucketState, *, is_same: bool) -> bool:
        """Return whether a row differs in meaning, and record that the row has its budget.

        Args:
            urn: The URN of the resource.
            login: The login of the row.
            old: The state of its budget.
            wanted: The resource as declared.
            is_same: Whether the row and its table are declared as in the state.
        """
        own, lifecycle = row_urn(urn, login), self._of(wanted)
        if is_same and _RARE.isdisjoint(old):
            # Nearly all rows of a large table; their inputs are those in the state.
            return bool(lifecycle.diff_unchanged(own, old["budget_id"], old, old))
        changed, _ = lifecycle.diff(own, id_of(old), old, wanted.declared(login), frozenset())
        return bool(changed)

    def create(self, urn: str, inputs: Mapping[str, Any]) -> Stored:
        """Create or adopt the budget of each row; what could not be written is pending.

        Raises:
            BillingError: An error that is not of one row, such as a refused token, before anything was written.
        """
        return self._write(urn, BucketState(), read_bucket(inputs), inputs)

    def update(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Stored:
        """Write the rows that differ: new and changed ones first, then those that go; the rest is pending.

        Raises:
            BillingError: An error that is not of one row, such as a refused token, before anything was written.
        """
        return self._write(urn, read_bucket(olds), read_bucket(news), news)

    def read(self, id_: str, olds: Mapping[str, Any]) -> Stored:
        """Return the current rows; one whose budget is provably gone is no row any more.

        Args:
            id_: The resource's id.
            olds: The stored outputs.

        Raises:
            ConfigError: It is read with `.get`, which tables do not have.
            BillingError: A budget cannot be read; it may still exist.
        """
        state = read_bucket(olds)
        if not state.owner:
            raise ConfigError(f"{id_} is a part of a table: read a person's budget with EnterpriseBudget.get")
        owner, states = Owner(state.kind, state.owner), dict(state.states())
        if len(states) > MANY:
            self._run.cache(OwnerCache, owner).complete()
        rows: dict[str, Any] = {}
        kept: dict[str, Mapping[str, Any]] = {}
        with self._run.reporter.collecting() as texts:
            for login, old in states.items():
                stored = self._one(old).read(id_of(old), old)
                if stored is None:
                    continue
                rows[login], kept[login] = self._read_row(login, state.rows[login], stored), stored.outputs
        self._show(texts)
        # Budgets of others are no rows: a destroy, or a table that is exclusive no longer, leaves them alone.
        others = sorted(login for login, _ in others_of(self._run, owner, state, state)) if state.exclusive else []
        inputs = {name: olds[name] for name in INPUTS if olds.get(name) is not None}
        return _stored(id_, {**inputs, "budgets": rows}, rows, kept, state.pending, others)

    def _read_row(self, login: str, row: Any, stored: Stored) -> Any:
        """Return a row as it is on GitHub."""
        live = stored.inputs
        if live["user"].lower() != login.lower():
            self._run.reporter.warn(
                f"the budget of {login} is now that of {live['user']}: if the person was renamed, change the login"
            )
        declared = {name: value for name, value in as_inputs(row).items() if name in {"on_raise", REASON}}
        current = {name: live[name] for name in ("budget_amount", "expires_at") if live.get(name) is not None}
        current |= declared
        return current["budget_amount"] if set(current) == {"budget_amount"} else current

    def delete(self, urn: str, id_: str, olds: Mapping[str, Any]) -> None:
        """Delete the budget of each row, as `on_delete` says; one that is provably gone is a success.

        Raises:
            BillingError: Some could not be deleted; the next run deletes the rest.
        """
        del id_
        failed: dict[str, str] = {}
        states, gone = list(read_bucket(olds).states()), list[RowChange]()
        self._work.add(len(states))
        try:
            with self._run.reporter.collecting() as texts:
                for login, old in states:
                    self._work.take()
                    told = len(texts)
                    with _noting(failed, login):
                        self._one(old).delete(row_urn(urn, login), id_of(old), old)
                    if any(text.startswith(DELETES) for text in texts[told:]):
                        gone.append(RowChange(login, known_amount(old), None))
        finally:
            for text in (*summary(gone), *first_lines(texts)):
                self._run.reporter.warn(text)
        if failed:
            raise OutcomeError(not_written(failed, len(states), "deleted"))

    def _write(self, urn: str, state: BucketState, wanted: BucketState, news: Mapping[str, Any]) -> Stored:
        owner = Owner(wanted.kind, wanted.owner)
        states = dict(state.states())
        # A row that is written, or is still as it was; a row that could not be created is not among them.
        rows = {login: row for login, row in state.rows.items() if login in states}
        kept: dict[str, Mapping[str, Any]] = dict(states)
        work: list[tuple[str, Callable[[], Stored | None]]] = [
            (login, self._work_on(row_urn(urn, login), states.get(login), wanted.declared(login)))
            for login in wanted.budgets
        ]
        gone = {login: old for login, old in states.items() if login not in wanted.budgets}
        others = dict(others_of(self._run, owner, wanted, state)) if wanted.exclusive else {}
        work += [(login, self._removal(row_urn(urn, login), owner, old, wanted)) for login, old in gone.items()]
        work += [
            (login, self._removal_of_other(row_urn(urn, login), owner, old, wanted)) for login, old in others.items()
        ]
        unchanged = {login for login, row in wanted.rows.items() if rows.get(login) == row}
        pending: dict[str, str] = {}
        stopped, is_written = "", False
        self._work.add(len(work) - len(unchanged))
        try:
            with self._run.reporter.collecting() as texts:
                for login, act in work:
                    if login not in unchanged:
                        self._work.take()
                    if stopped:
                        if login not in unchanged:
                            pending[login] = stopped
                        continue
                    try:
                        stored = act()
                    except _OF_A_ROW as error:
                        pending[login] = str(error)
                    except BillingError as error:
                        if not is_written:
                            raise
                        stopped = pending[login] = str(error)
                    else:
                        is_written = is_written or login not in unchanged
                        self._note(login, stored, wanted, rows, kept)
        finally:
            self._show(texts)
        if pending:
            self._run.reporter.warn(not_written(pending, len(work) - len(unchanged - set(pending)), "written"))
        id_ = resource_id(wanted.kind.noun, wanted.owner, f"users-{wanted.bucket}")
        return _stored(id_, news, rows, kept, pending, sorted(set(others) & set(pending)))

    @staticmethod
    def _note(
        login: str,
        stored: Stored | None,
        wanted: BucketState,
        rows: dict[str, Any],
        kept: dict[str, Mapping[str, Any]],
    ) -> None:
        """Note the result of a row: its budget as it is stored, or that it has none any more."""
        if stored is None:
            # The budget of another user was no row.
            rows.pop(login, None)
            kept.pop(login, None)
        else:
            rows[login], kept[login] = wanted.rows[login], stored.outputs

    def _work_on(
        self, urn: str, old: Mapping[str, Any] | None, declared: Mapping[str, Any]
    ) -> Callable[[], Stored | None]:
        """Return what writes a declared row: the create of its budget, or an update, which may send nothing."""
        budgets, registry = self._one(declared), self._run.registry
        if (
            old is None
            or expiry.comes_back(old, declared, self._run.clock.utc())
            or registry.is_gone(str(old.get("budget_id")))
        ):
            return lambda: budgets.create(urn, declared)
        return lambda: budgets.update(id_of(old), old, declared)

    def _removal(self, urn: str, owner: Owner, old: Mapping[str, Any], wanted: BucketState) -> Callable[[], None]:
        """Return what removes a row: its budget stays if the program declares or reads it elsewhere."""
        old = leaving(old, wanted)

        def remove() -> None:
            budgets = self._run.cache(OwnerCache, owner)
            live = budgets.known(old["budget_id"]) or budgets.read(old["budget_id"]) if "budget_id" in old else None
            if other := declarer_of(self._run, owner, urn, old, live):
                self._run.reporter.warn(f"kept the budget of {old[USER]}: {name_of(other)} has it")
                return
            if wanted.protected and not old[KEPT_ON_DELETE]:
                raise OutcomeError(f"{PROTECTED}. Nothing was sent.")
            self._one(old).delete(urn, id_of(old), old)

        return remove

    def _removal_of_other(
        self, urn: str, owner: Owner, live: Mapping[str, Any], wanted: BucketState
    ) -> Callable[[], None]:
        """Return what removes the budget of a user who is not in an exclusive table, if the user was told of it."""

        def remove() -> None:
            if not self._run.registry.is_named(live["budget_id"]):
                raise OutcomeError(f"{live[USER]} has a budget that no preview of this run has named: run again.")
            self._removal(urn, owner, {**live, KEPT_ON_DELETE: False}, wanted)()

        return remove

    def _show(self, texts: list[str]) -> None:
        for text in first_lines(texts):
            self._run.reporter.warn(text)

    def _of(self, bucket: BucketState) -> Lifecycle:
        return self._budgets[bucket.kind.noun]

    def _one(self, budget: Mapping[str, Any]) -> Lifecycle:
        return self._budgets[owner_of(budget).kind.noun]


@contextmanager
def _noting(failed: dict[str, str], login: str) -> Iterator[None]:
    """Note the error of one row, and go on with the others."""
    try:
        yield
    except _OF_A_ROW as error:
        failed[login] = str(error)


def declarer_of(run: Run, owner: Owner, urn: str, old: Mapping[str, Any], live: Budget | None) -> str | None:
    """Return the URN of another resource that declares the budget of a row, or None.

    Args:
        run: The engine run.
        owner: The owner of the budget.
        urn: The URN of the row.
        old: The state of the budget.
        live: The budget on GitHub, if it is there; its user may have another login now.
    """
    logins = dict.fromkeys((old[USER], login_of(live) if live else old[USER]))
    keys = [user_key(owner, login) for login in logins]
    keys += [read_key(old["budget_id"])] if "budget_id" in old else []
    found = (run.registry.declarer(key, urn) for key in keys)
    return next((other for other in found if other is not None), None)


def others_of(run: Run, owner: Owner, table: BucketState, state: BucketState) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the budgets of users on GitHub who belong to one resource of a table and are none of its rows.

    Args:
        run: The engine run.
        owner: The owner of the budgets.
        table: The resource of the table, with its rows.
        state: The resource as it is in the state: a row that goes is no other user.

    Raises:
        BillingError: GitHub's listing cannot be read.
    """
    declared, mine = {login.lower() for login in table.budgets}, set(state.budget_ids.values())
    for live in run.cache(OwnerCache, owner).complete().values():
        login = login_of(live)
        is_other = (
            live.budget_scope == USER
            and canonical_sku(live.budget_product_sku) == PRODUCT
            and login.lower() not in declared
        )
        if not login or not is_other or bucket_of(login) != table.bucket or live.id in mine:
            continue
        if run.registry.declarer(user_key(owner, login), "") is None:
            budget = budget_inputs(owner.kind, owner.slug, login, live.budget_amount, {})
            yield login, {**budget, "budget_id": live.id}


def _differing_inputs(state: BucketState, wanted: BucketState) -> set[str]:
    """Return the inputs of the table that differ, besides its rows."""
    return {name for name in INPUTS if name != "budgets" and getattr(state, name) != getattr(wanted, name)}


def _problems(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the inputs of a resource of a table, apart from the rules for budgets."""
    nouns = [noun for noun in OWNER_KINDS if inputs.get(noun)]
    if len(nouns) != 1:
        yield Problem("", "write either the enterprise or the organization that owns the budgets")
        return
    try:
        read_slug(nouns[0], inputs[nouns[0]])
    except ConfigError as error:
        yield Problem("", str(error))
    yield from choice_problems(inputs)
    _, found = read_rows(OWNER_KINDS[nouns[0]], inputs.get("budgets") or {})
    yield from (Problem("", text) for text in mistakes(found))
    strangers = [login for login in inputs.get("budgets") or {} if bucket_of(login) != inputs.get("bucket")]
    if strangers:
        yield Problem("", f"{strangers[0]} belongs to another part of the table: declare the rows with UserBudgets")


def id_of(state: Mapping[str, Any]) -> str:
    """Return the resource id that the budget of a row would have as a resource of its own."""
    owner = owner_of(state)
    return resource_id(owner.kind.noun, owner.slug, state.get("budget_id") or expiry.NEVER_CREATED)


def _stored(  # noqa: PLR0917 - what a state has
    id_: str,
    inputs: Mapping[str, Any],
    rows: Mapping[str, Any],
    kept: Mapping[str, Mapping[str, Any]],
    pending: Mapping[str, str],
    others: Sequence[str],
) -> Stored:
    """Return a resource of a table as stored by the engine.

    Args:
        id_: The resource's id.
        inputs: Its inputs.
        rows: The rows that are on GitHub.
        kept: The outputs of the budget of each of these rows.
        pending: What could not be written, and why.
        others: The users who are not in the table and have a budget, if the table is exclusive.
    """
    with_id = {login: kept[login]["budget_id"] for login in rows if kept[login].get("budget_id")}
    flags = ("adopted", KEPT_ON_DELETE, expiry.EXPIRED)
    listed = {name: [login for login in rows if kept[login].get(name)] for name in flags}
    raised = {login: kept[login][RAISED_TO] for login in rows if kept[login].get(RAISED_TO) is not None}
    known = {"budget_ids": with_id, **listed, RAISED_TO: raised, PENDING: dict(pending), OTHERS: list(others)}
    outputs = {**inputs, "budgets": dict(rows), **known}
    return Stored(id_, dict(inputs), outputs)
