"""Findings in words, each with its consequence and the commands or the code that repair it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.adopt import compare
from billing_provider.adopt.compare import Live
from billing_provider.adopt.entries import COST_CENTER_KIND, find_entries
from billing_provider.adopt.module import declaration
from billing_provider.adopt.names import unique
from billing_provider.adopt.states import BUCKET_KIND, Managed, stack_of
from billing_provider.adopt.tables import is_row, row_of
from billing_provider.budgets.consequences import Terms, worth
from billing_provider.budgets.identity import live_inputs, natural_key
from billing_provider.budgets.states import read_spec
from billing_provider.core.clock import instant
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import COST_CENTER_SCOPES, ENTERPRISE, REPOSITORY, USER, Owner
from billing_provider.core.redact import clean, quoted, redact
from billing_provider.cost_centers.cache import matching
from billing_provider.cost_centers.models import ACTIVE
from billing_provider.runtime.registry import name_of, table_of
from billing_provider.user_budgets.lifecycle import row_urn
from billing_provider.user_budgets.rows import budget_inputs
from billing_provider.user_budgets.states import read_bucket

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from billing_provider.adopt.compare import Finding, Kind
    from billing_provider.adopt.entries import Entry
    from billing_provider.adopt.inventory import Inventory
    from billing_provider.adopt.states import Interrupted, State
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

_SHOWN = 300


@dataclass(frozen=True)
class RepairStep:
    """One way to repair a finding.

    Attributes:
        text: What it does, and its consequence.
        command: The command for a shell; empty if there is none.
        code: The lines for a program; empty if there are none.
    """

    text: str
    command: str = ""
    code: str = ""


@dataclass(frozen=True)
class Row:
    """One finding in words.

    Attributes:
        kind: The kind of finding.
        what: The budget or cost center; for a resource that is gone, its name and its stack.
        cap: Its amount, and what happens there; empty for a cost center and for what is gone.
        ids: The resource ids of the live objects.
        urns: The resources in states, each with its source.
        reason: What is wrong.
        steps: The ways to repair it.
    """

    kind: Kind
    what: str
    cap: str
    ids: tuple[str, ...]
    urns: tuple[tuple[str, str], ...]
    reason: str
    steps: tuple[RepairStep, ...] = field(default=())


@dataclass(frozen=True)
class _Object:
    """A live budget or cost center, with its description."""

    id: str
    owner: Owner
    what: str
    objects: str
    loses: str
    cap: str = ""
    key: Hashable = None
    ends: datetime | None = None


def find(run: Run, inventories: Sequence[Inventory], states: Sequence[State], days: int) -> list[Row]:
    """Return what differs between GitHub and the states, in words; nothing is sent.

    Args:
        run: The settings, for the address of GitHub, and the clock.
        inventories: Everything that the owners have.
        states: The states of stacks.
        days: A budget that expires within this number of days is a finding.
    """
    return _Report(run, inventories, states).rows(days)


class _Report:
    """What is known about the live objects and the states."""

    def __init__(self, run: Run, inventories: Sequence[Inventory], states: Sequence[State]) -> None:
        self._run, self._states = run, states
        self._owners = {inventory.owner.key for inventory in inventories}
        self._objects = {each.id.lower(): each for inventory in inventories for each in _objects(inventory)}
        entries, skipped = find_entries(run, inventories)
        self._entries: dict[str, Entry] = {each.id.lower(): each for each in entries}
        self._skipped = {each.id.lower(): each.reason for each in skipped}
        self._names = {each.urn.rpartition("::")[2] for state in states for each in state.managed}
        self._interrupted = _interrupted(states, inventories)
        rows = [each for state in states for each in state.managed if each.row]
        self._tables = {each.owner: _table(each) for each in sorted(rows, reverse=True)}

    def rows(self, days: int) -> list[Row]:
        """Return the findings in words."""
        soon = self._run.clock.utc() + timedelta(days=days)
        live = [Live(id_, each.key, each.ends) for id_, each in self._objects.items()]
        managed = [each for state in self._states for each in state.managed]
        describe = {
            "unmanaged": self._unmanaged,
            "duplicates": self._duplicates,
            "shared": self._shared,
            "gone": self._gone,
            "expires": self._expires,
        }
        found = compare.compare(live, managed, self._owners, soon)
        # Ids are arbitrary: in the order of names, the findings of two days can be compared.
        found.sort(key=lambda each: (compare.KINDS.index(each.kind), self._what(each).casefold()))
        return [describe[finding.kind](finding) for finding in found]

    def _what(self, finding: Finding) -> str:
        return self._objects[finding.live[0]].what if finding.live else _name(finding.managed[0])

    def _unmanaged(self, finding: Finding) -> Row:
        each = self._objects[finding.live[0]]
        if (create := self._interrupted.get(each.key)) is not None:
            reason = f"no given stack manages it; a run was interrupted while it created {_name(create)}"
            again = RepairStep("adopt it: run the interrupted program again", _commands(create.source, create.urn).up)
            return self._row(finding, reason, (again, self._remove(each)))
        return self._row(finding, "no given stack manages it", (self._adopt(each), self._remove(each)))

    def _duplicates(self, finding: Finding) -> Row:
        managed = {each.id for each in finding.managed if not each.leaving}
        spare = [id_ for id_ in finding.live if id_ not in managed] or list(finding.live)
        which = "all but one" if len(spare) == len(finding.live) else "those that no given stack manages"
        steps = tuple(self._remove(self._objects[id_], f"remove {which}: ") for id_ in spare)
        reason = f"{len(finding.live)} budgets are for the same target and SKU: GitHub applies each of them"
        return self._row(finding, reason, steps)

    def _shared(self, finding: Finding) -> Row:
        reason = "several resources manage it: each takes back what the others change, and can delete it"
        text = "keep one of them. Forget the others first, and only then remove their declarations: "
        of_row = 'keep one of them. Give the table on_delete="keep", run `up`, and only then remove the row: '
        steps = (
            RepairStep(clean(f"{of_row}{_name(each)}", _SHOWN))
            if each.row
            else RepairStep(f"{text}{_name(each)}", _commands(each.source, each.urn).forget)
            for each in finding.managed
        )
        return self._row(finding, reason, tuple(steps))

    def _gone(self, finding: Finding) -> Row:
        reason = "it is in a state, but not on GitHub: no cap is there"
        steps: list[RepairStep] = []
        for each in finding.managed:
            commands = _commands(each.source, each.urn)
            steps.append(RepairStep("read it again: the next `up` then creates it if it is declared", commands.refresh))
            forget = RepairStep("or forget it, and remove its declaration", commands.forget)
            steps.append(RepairStep("or remove its row from the table") if each.row else forget)
        return self._row(finding, reason, tuple(steps))

    def _expires(self, finding: Finding) -> Row:
        each = self._objects[finding.live[0]]
        day = each.ends.date().isoformat() if each.ends else ""
        where = "row" if any(one.row for one in finding.managed) else "declaration"
        step = RepairStep(f"to keep the cap: give its {where} a later expires_at or none, then run `pulumi up`")
        return self._row(finding, f"GitHub removes it on {day}, which lifts its cap", (step,))

    def _row(self, finding: Finding, reason: str, steps: tuple[RepairStep, ...]) -> Row:
        objects = [self._objects[id_] for id_ in finding.live]
        return Row(
            finding.kind,
            clean(self._what(finding), _SHOWN),
            " and ".join(dict.fromkeys(each.cap for each in objects)),
            tuple(each.id for each in objects) or tuple(dict.fromkeys(each.id for each in finding.managed)),
            tuple((clean(each.source, _SHOWN), clean(_urn(each), _SHOWN)) for each in finding.managed),
            clean(reason, _SHOWN),
            steps,
        )

    def _adopt(self, each: _Object) -> RepairStep:
        entry = self._entries.get(each.id.lower())
        if entry is None:
            return RepairStep(clean(f"it cannot be adopted: {self._skipped[each.id.lower()]}", _SHOWN))
        if is_row(entry) and (table := self._tables.get(each.id.lower().rpartition("/")[0])):
            values = " and ".join(f"{name} {value}" for name, value in row_of(entry).items())
            text = f"adopt it: give {table} a row for {entry.declared[USER]} with {values}, then run `pulumi up`"
            return RepairStep(clean(f"{text}; GitHub is not changed, and a destroy keeps it", _SHOWN))
        name = unique(entry.wanted, self._names)
        self._names.add(name)
        text = "adopt it: add this to a program, then run `pulumi up`; GitHub is not changed, and a destroy keeps it"
        return RepairStep(text, code=f"import billing_provider as billing\n\n{redact(declaration(entry, name))}")

    def _remove(self, each: _Object, lead: str = "or, if no other stack manages it, remove it: ") -> RepairStep:
        path = f"{each.owner.kind.path}/{each.owner.slug}/settings/billing"
        url = f"{self._run.settings.base_url}/{path}/{each.objects}/{each.id.rpartition('/')[2]}"
        # The shell reads the token from the environment, so that it is in no file and no history.
        header = '"Authorization: Bearer $GITHUB_BILLING_TOKEN"'
        return RepairStep(f"{lead}{each.loses}", f"curl --fail --request DELETE --header {header} {shlex.quote(url)}")


def _objects(inventory: Inventory) -> Iterable[_Object]:
    owner = inventory.owner
    for center in inventory.active_cost_centers:
        what = f"the cost center {quoted(center.name)} of {owner}"
        loses = "GitHub archives it, and the usage of its members is in no cost center"
        key = _center_key(owner, center.name)
        yield _Object(f"{owner.kind.noun}/{owner.slug}/{center.id}", owner, what, "cost-centers", loses, key=key)
    for budget in inventory.budgets:
        fields = live_inputs(owner, {}, budget, frozenset())
        terms = Terms.of(fields)
        amount = worth(terms.amount, terms.unit)
        stops = terms.hard and not terms.only_alerts
        yield _Object(
            f"{owner.kind.noun}/{owner.slug}/{budget.id}",
            owner,
            str(natural_key(owner, fields)),
            "budgets",
            f"this lifts the hard stop at {amount}" if stops else f"this ends the budget of {amount} and its alerts",
            cap=f"{amount}, {'hard stop' if stops else 'no stop'}",
            key=_key(owner, fields, inventory.cost_centers),
            ends=_moment(budget.expires_at),
        )


def _center_key(owner: Owner, name: str) -> Hashable:
    return ("cost center", owner.key, name)


def _key(owner: Owner, fields: Mapping[str, Any], centers: Sequence[CostCenterDetails]) -> Hashable:
    """Return the key of a budget with the id of its cost center, or None if GitHub omits a part of it."""
    entity = fields.get("budget_entity_name") or ""
    scope = fields["budget_scope"]
    if scope in COST_CENTER_SCOPES:
        found = matching(entity, list(centers), (ACTIVE,))
        return natural_key(owner, {**fields, "budget_entity_name": found[0].id}) if len(found) == 1 else None
    if scope == REPOSITORY and "/" not in entity and owner.kind.noun == ENTERPRISE:
        return None
    return natural_key(owner, fields)


def _interrupted(states: Sequence[State], inventories: Sequence[Inventory]) -> dict[Hashable, Managed]:
    """Return where interrupted creates are in the states, by their keys; the inputs in a state are untrusted."""
    return {
        key: Managed("", state.source, each.urn, row=row)
        for state in states
        for each in state.interrupted
        for inventory in inventories
        for key, row in _keys_of_create(each, inventory)
        if key is not None
    }


def _keys_of_create(create: Interrupted, inventory: Inventory) -> Iterator[tuple[Hashable, str]]:
    """Yield the keys of an interrupted create for an owner, each with the login of a row of a table, if it is for one.

    A key can be None, and there is none for another owner.
    """
    owner, inputs = inventory.owner, create.inputs
    if str(inputs.get(owner.kind.noun)).lower() != owner.slug.lower():
        return
    if create.resource == COST_CENTER_KIND:
        yield _center_key(owner, str(inputs.get("name"))), ""
        return
    try:
        if create.resource == BUCKET_KIND:
            for login, row in read_bucket(inputs).rows.items():
                yield _key(owner, budget_inputs(owner.kind, owner.slug, login, row, {}), ()), login
        else:
            yield _key(owner, read_spec(inputs).model_dump(), inventory.cost_centers), ""
    except ConfigError:
        return


def _moment(text: str | None) -> datetime | None:
    try:
        return instant(text or "")
    except ValueError:
        return None


def _name(each: Managed) -> str:
    name = f"{table_of(name_of(each.urn))}/{each.row}" if each.row else name_of(each.urn)
    return clean(f"{name} of the stack {stack_of(each.urn)}", _SHOWN)


def _table(each: Managed) -> str:
    """Return the table of a row in words."""
    return f"the table {table_of(name_of(each.urn))} of the stack {stack_of(each.urn)}"


def _urn(each: Managed) -> str:
    return row_urn(each.urn, each.row) if each.row else each.urn


class _Commands(NamedTuple):
    """Commands for a resource in a state.

    Attributes:
        up: Runs the program.
        refresh: Reads the resource again.
        forget: Removes the resource from the state, and only from there; `try` has no such command.
    """

    up: str
    refresh: str
    forget: str


def _commands(source: str, urn: str) -> _Commands:
    """Return the commands for a resource by the source of its state and its URN."""
    stack, target = f"--stack {shlex.quote(stack_of(urn))}", shlex.quote(urn)
    if PurePath(source).parts[-3:-1] == (".pulumi", "try"):
        return _Commands(f"billing-provider try up {stack}", f"billing-provider try refresh {stack}", "")
    return _Commands(
        f"pulumi up {stack}", f"pulumi refresh {stack} --target {target}", f"pulumi state delete {stack} {target}"
    )
