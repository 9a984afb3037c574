"""Budgets by id and by what they cover: of thousands, a change looks at the few that it can concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.budgets.fields import Context, entity
from billing_provider.core.owners import USER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner


class Listing:
    """The budgets of one owner, from a complete listing or one of a scope.

    Writes need the lock of the owner. A read beside a write sees the budget as it was before or as it is after.

    Args:
        owner: The owner of the budgets.
        budgets: The budgets.
    """

    def __init__(self, owner: Owner, budgets: Iterable[Budget]) -> None:
        self._owner = owner
        self._by_id: dict[str, Budget] = {}
        self._by_name: dict[str, dict[str, Budget]] = {}
        for budget in budgets:
            self.add(budget)

    def __contains__(self, budget_id: object) -> bool:
        return budget_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, budget_id: str) -> Budget | None:
        """Return a budget by its id, or None."""
        return self._by_id.get(budget_id)

    def all(self) -> dict[str, Budget]:
        """Return all budgets by id."""
        return dict(self._by_id)

    def named(self, scope: str, names: Collection[str]) -> dict[str, Budget]:
        """Return the budgets by id that may cover one of these; all others cover something else.

        Args:
            scope: The scope of what is looked for.
            names: The logins of the users or the names of the entities.
        """
        found = [self._by_name.get(key, {}) for key in {_name(self._owner, scope, name) for name in names}]
        return {id_: budget for some in found for id_, budget in dict(some).items()}

    def add(self, budget: Budget) -> None:
        """Add a budget, or replace it by its newer form."""
        key, former = self._key(budget), self._by_id.get(budget.id)
        self._by_name.setdefault(key, {})[budget.id] = budget
        self._by_id[budget.id] = budget
        if former is not None and self._key(former) != key:
            del self._by_name[self._key(former)][budget.id]

    def remove(self, budget_id: str) -> None:
        """Remove a budget, if it is there."""
        gone = self._by_id.pop(budget_id, None)
        if gone is not None:
            del self._by_name[self._key(gone)][budget_id]

    def _key(self, budget: Budget) -> str:
        name = login_of(budget) if budget.budget_scope == USER else budget.budget_entity_name or ""
        return _name(self._owner, budget.budget_scope, name)


def _name(owner: Owner, scope: str, name: str) -> str:
    """Return what two names of one user or entity have in common: GitHub may leave out the owner of a repository."""
    return name.lower() if scope == USER else entity(name, Context(owner, scope)).rpartition("/")[2]


def login_of(budget: Budget) -> str:
    """Return the login of a user's budget; GitHub may return it as the entity."""
    return budget.user or budget.budget_entity_name or ""
