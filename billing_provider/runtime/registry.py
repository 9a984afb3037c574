"""Which resource of a run holds which budget, so that no budget is declared twice or deleted while it is declared."""

from __future__ import annotations

import threading


class ResourceRegistry:
    """The registry of one run, by the URN of the resource that makes them.

    The engine deletes by id what its state no longer needs. A budget can meanwhile be needed under the same id: a
    resource was renamed without an alias and its budget adopted, or a run died between an adoption and the deletion
    of the old entry. Deleting it then would lift a declared cap.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: dict[tuple[str, ...], str] = {}
        self._checked: set[str] = set()
        self._holders: dict[str, str] = {}
        self._adopted: set[str] = set()

    def declare(self, urn: str, key: tuple[str, ...]) -> str | None:
        """Claim a key for a resource; return the URN of another one that has claimed it before, or None."""
        with self._lock:
            first = self._declared.setdefault(key, urn)
            return None if first == urn else first

    def hold(self, urn: str, budget_id: str) -> None:
        """Note that a resource is this budget, and is to stay it."""
        with self._lock:
            self._holders[budget_id] = urn

    def adopt(self, urn: str, budget_id: str) -> None:
        """Note that a resource has taken over a budget, which therefore outlives whatever was it before."""
        with self._lock:
            self._holders[budget_id] = urn
            self._adopted.add(budget_id)

    def check(self, urn: str, *, anew: bool) -> None:
        """Note that the program declares a resource; anew: it is created, or replaced and its old budget may go."""
        with self._lock:
            self._checked.add(urn)
            if not anew:
                return
            for budget_id in [held for held, holder in self._holders.items() if holder == urn]:
                if budget_id not in self._adopted:
                    del self._holders[budget_id]

    def is_checked(self, urn: str) -> bool:
        """Tell whether the program declares a resource, as far as it has been run."""
        with self._lock:
            return urn in self._checked

    def holder(self, budget_id: str) -> str | None:
        """Return the URN of the resource that is this budget, or None."""
        with self._lock:
            return self._holders.get(budget_id)
