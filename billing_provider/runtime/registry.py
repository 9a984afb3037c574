"""Registry of resources and their objects: prevents duplicate declarations and the delete of a declared object."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from billing_provider.runtime.shared_ids import key_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.runtime.shared_ids import SharedIds

_NOTHING: Mapping[str, Any] = {}


def name_of(urn: str) -> str:
    """Return the name of a resource, for messages."""
    return urn.rpartition("::")[2]


def table_of(urn: str) -> str:
    """Return the URN of the table of a row, or of one of its resources: without the login and the number."""
    # A type has slashes too.
    before, colons, name = urn.rpartition("::")
    return f"{before}{colons}{name.partition('/')[0].rpartition('-')[0]}"


def read_key(budget_id: str) -> tuple[str, ...]:
    """Return the key of a budget that the program only reads (`.get`)."""
    return ("read", budget_id.lower())


class ResourceRegistry:
    """The resources of one run, with the keys that they declare and the ids that they hold.

    The engine deletes, by id, the budgets of old state entries. Another resource may hold the same budget: a resource
    was renamed without an alias and its budget was adopted, or a run died between an adoption and the delete of the
    old entry. The delete would then lift a declared cap. A resource that became a `.get` is such an old entry too.

    Args:
        shared: The ids that other processes of this engine run know: a program also declares resources that a run
            with `--target` does not check.
    """

    def __init__(self, shared: SharedIds | None = None) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._declared: dict[tuple[str, ...], str] = {}
        self._named: set[str] = set()
        self._claims: dict[tuple[str, ...], str] = {}
        self._checked: set[str] = set()
        self._holders: dict[str, str] = {}
        self._held: dict[str, dict[str, None]] = {}
        self._adopted: set[str] = set()
        self._states: dict[str, Mapping[str, Any]] = {}
        self._inputs: dict[str, Mapping[str, Any]] = {}
        self._replaced: dict[str, frozenset[str]] = {}
        self._read: dict[str, str] = {}
        self._kept: set[str] = set()
        self._gone: set[str] = set()

    def declare(self, urn: str, key: tuple[str, ...]) -> str | None:
        """Register a key for a resource; return the URN of another resource that registered it earlier, or None."""
        with self._lock:
            first = self._declared.setdefault(key, urn)
            return None if first == urn else first

    def is_declared(self, key: tuple[str, ...]) -> bool:
        """Return whether a resource has registered a key so far."""
        with self._lock:
            return key in self._declared

    def held_by_declared(self, key: tuple[str, ...]) -> str:
        """Return the id, in lower case, of the object that the resource with a key has in the state; empty for none."""
        with self._lock:
            held = self._held.get(self._declared.get(key, ""), {})
            return next(iter(held), "").lower()

    def declarer(self, key: tuple[str, ...], asking: str) -> str | None:
        """Return the URN of another resource that declares a key in this run, or None.

        Args:
            key: The key.
            asking: The URN of the resource that asks.
        """
        with self._lock:
            found = self._declared.get(key)
        if found is None and self._shared is not None:
            # The engine may not have checked it yet, or never does in a run with `--target`.
            found = self._shared.holder(key_id(key))
        return None if found == asking else found

    def claim(self, table: str, key: tuple[str, ...]) -> str | None:
        """Record that a table claims all keys that begin with `key`; return the URN of another resource that has one.

        Args:
            table: The table, as `table_of` returns it.
            key: The first parts of the keys.
        """
        with self._lock:
            self._claims[key] = table
            found = [urn for declared, urn in self._declared.items() if declared[: len(key)] == key]
        return next((urn for urn in found if table_of(urn) != table), None)

    def claimant(self, urn: str, key: tuple[str, ...]) -> str | None:
        """Return the table that claims a key of another resource, or None."""
        with self._lock:
            found = [table for claimed, table in self._claims.items() if key[: len(claimed)] == claimed]
        return next((table for table in found if table_of(urn) != table), None)

    def mark_named(self, budget_id: str) -> None:
        """Record that this run has told that a budget is removed which no resource has."""
        with self._lock:
            self._named.add(budget_id)

    def is_named(self, budget_id: str) -> bool:
        """Return whether this run has told that a budget is removed which no resource has."""
        with self._lock:
            return budget_id in self._named

    def tell(self, topic: str, message: str) -> bool:
        """Tell the program a message of one line, and return whether it listens to the topic."""
        return self._shared is not None and self._shared.tell(topic, message)

    def hold(self, urn: str, budget_id: str, state: Mapping[str, Any] = _NOTHING) -> None:
        """Record the resource that holds a budget, and its outputs, so that a delete of the budget is skipped."""
        with self._lock:
            self._give(budget_id, urn)
            if state:
                self._states[budget_id] = state

    def adopt(self, urn: str, budget_id: str) -> None:
        """Record that a resource adopted a budget, so that a delete by its previous resource is skipped."""
        with self._lock:
            self._give(budget_id, urn)
            self._adopted.add(budget_id)
        if self._shared is not None:
            self._shared.add(budget_id, urn)

    def replace(self, urn: str, budget_id: str, state: Mapping[str, Any] = _NOTHING) -> None:
        """Record that the budget of a resource is to be replaced; the resource may adopt it if GitHub still has it."""
        with self._lock:
            if self._holders.get(budget_id) == urn and budget_id not in self._adopted:
                self._take(budget_id)
            self._states[budget_id] = state
            self._replaced[urn] = self.replaced(urn) | {budget_id}

    def replaced(self, urn: str) -> frozenset[str]:
        """Return the ids of the budgets of a resource that this run replaces."""
        return self._replaced.get(urn, frozenset())

    def former(self, urn: str) -> dict[str, Mapping[str, Any]]:
        """Return the outputs in the state of the budgets of a resource that this run replaces, by id.

        One that another resource has taken over stays, so this resource takes the place of nothing.
        """
        with self._lock:
            mine = [each for each in sorted(self.replaced(urn)) if self._holders.get(each, urn) == urn]
            return {budget_id: self._states.get(budget_id, _NOTHING) for budget_id in mine}

    def state(self, budget_id: str) -> Mapping[str, Any]:
        """Return the outputs in the state of a budget that the program declares; empty if no `diff` has told them."""
        with self._lock:
            return self._states.get(budget_id, _NOTHING)

    def keep(self, budget_id: str) -> None:
        """Record that a delete keeps an object: an interrupted replacement leaves two entries of it in the state."""
        with self._lock:
            self._kept.add(budget_id)

    def is_kept(self, budget_id: str) -> bool:
        """Return whether a delete of this run keeps an object."""
        with self._lock:
            return budget_id in self._kept

    def mark_gone(self, budget_id: str) -> None:
        """Record that an object is provably gone from GitHub."""
        with self._lock:
            self._gone.add(budget_id)

    def is_gone(self, budget_id: str) -> bool:
        """Return whether this run has found that an object is gone."""
        with self._lock:
            return budget_id in self._gone

    def declare_inputs(self, urn: str, inputs: Mapping[str, Any]) -> None:
        """Record the checked inputs of a resource, all of them known."""
        with self._lock:
            self._inputs[urn] = inputs

    def declared_inputs(self, urn: str) -> Mapping[str, Any]:
        """Return the checked inputs of a resource; empty if the program does not declare it."""
        with self._lock:
            return self._inputs.get(urn, _NOTHING)

    def check(self, urn: str, *, anew: bool) -> None:
        """Record a declared resource; if `anew` (to be created or replaced), its old budget may be deleted."""
        with self._lock:
            self._checked.add(urn)
            if not anew:
                return
            for budget_id in list(self._held.get(urn, ())):
                if budget_id not in self._adopted:
                    self._take(budget_id)
                    self._replaced[urn] = self.replaced(urn) | {budget_id}

    def _give(self, budget_id: str, urn: str) -> None:
        """Make a resource the holder of a budget."""
        if self._holders.get(budget_id) == urn:
            return
        if budget_id in self._holders:
            self._take(budget_id)
        self._holders[budget_id] = urn
        self._held.setdefault(urn, {})[budget_id] = None

    def _take(self, budget_id: str) -> None:
        """Leave a budget without a holder."""
        del self._held[self._holders.pop(budget_id)][budget_id]

    def is_checked(self, urn: str) -> bool:
        """Return whether the program has declared a resource so far."""
        with self._lock:
            return urn in self._checked

    def has_checked(self) -> bool:
        """Return whether a program has declared any resource in this run."""
        with self._lock:
            return bool(self._checked)

    def read(self, urn: str, id_: str) -> None:
        """Record that a resource only reads an object (`.get`), by GitHub's id."""
        with self._lock:
            self._read[urn] = id_.lower()

    def reader(self, urn: str, id_: str) -> str | None:
        """Return the URN of a resource that only reads an object, or None; the resource itself, if it reads any.

        The engine deletes the object of a resource that becomes a `.get` with another id: also with the same id in
        another spelling.
        """
        with self._lock:
            readers = [reader for reader, read in self._read.items() if read == id_.lower()]
            return urn if urn in self._read else next(iter(readers), None)

    def holder(self, budget_id: str, asking: str = "") -> str | None:
        """Return the URN of the resource that holds a budget, or None.

        Args:
            budget_id: GitHub's id.
            asking: The URN of the resource that asks: what the program says of this one does not count.
        """
        with self._lock:
            held = self._holders.get(budget_id)
        if held is None and self._shared is not None:
            return self._shared.holder(budget_id, other_than=asking)
        return held
