"""Registry of resources and their objects: prevents duplicate declarations and the delete of a declared object."""

from __future__ import annotations

import threading


def name_of(urn: str) -> str:
    """Return the name of a resource, for messages."""
    return urn.rpartition("::")[2]


class ResourceRegistry:
    """The resources of one run, with the keys that they declare and the ids that they hold.

    The engine deletes, by id, the budgets of old state entries. Another resource may hold the same budget: a resource
    was renamed without an alias and its budget was adopted, or a run died between an adoption and the delete of the
    old entry. The delete would then lift a declared cap. A resource that became a `.get` is such an old entry too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: dict[tuple[str, ...], str] = {}
        self._checked: set[str] = set()
        self._holders: dict[str, str] = {}
        self._adopted: set[str] = set()
        self._replaced: dict[str, frozenset[str]] = {}
        self._read: dict[str, str] = {}

    def declare(self, urn: str, key: tuple[str, ...]) -> str | None:
        """Register a key for a resource; return the URN of another resource that registered it earlier, or None."""
        with self._lock:
            first = self._declared.setdefault(key, urn)
            return None if first == urn else first

    def is_declared(self, key: tuple[str, ...]) -> bool:
        """Return whether a resource has registered a key so far."""
        with self._lock:
            return key in self._declared

    def hold(self, urn: str, budget_id: str) -> None:
        """Record the resource that holds a budget, so that a delete of the budget is skipped."""
        with self._lock:
            self._holders[budget_id] = urn

    def adopt(self, urn: str, budget_id: str) -> None:
        """Record that a resource adopted a budget, so that a delete by its previous resource is skipped."""
        with self._lock:
            self._holders[budget_id] = urn
            self._adopted.add(budget_id)

    def replace(self, urn: str, budget_id: str) -> None:
        """Record that the budget of a resource is to be replaced; the resource may adopt it if GitHub still has it."""
        with self._lock:
            self._replaced[urn] = self.replaced(urn) | {budget_id}

    def replaced(self, urn: str) -> frozenset[str]:
        """Return the ids of the budgets of a resource that this run replaces."""
        return self._replaced.get(urn, frozenset())

    def check(self, urn: str, *, anew: bool) -> None:
        """Record a declared resource; if `anew` (to be created or replaced), its old budget may be deleted."""
        with self._lock:
            self._checked.add(urn)
            if not anew:
                return
            for budget_id in [held for held, holder in self._holders.items() if holder == urn]:
                if budget_id not in self._adopted:
                    del self._holders[budget_id]
                    self._replaced[urn] = self.replaced(urn) | {budget_id}

    def is_checked(self, urn: str) -> bool:
        """Return whether the program has declared a resource so far."""
        with self._lock:
            return urn in self._checked

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

    def holder(self, budget_id: str) -> str | None:
        """Return the URN of the resource that holds a budget, or None."""
        with self._lock:
            return self._holders.get(budget_id)
