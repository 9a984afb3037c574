"""The live budgets of one owner: read as cheaply as can be, and found gone only when that is proved."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from billing_provider.budgets.api import BudgetsApi
from billing_provider.core.errors import NotFoundError

if TYPE_CHECKING:
    from billing_provider.budgets.api import Page
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

FRESH_SECONDS = 300.0
"""How long a listing stands for the truth in one run; our own writes are entered at once."""
CREATE_FRESH_SECONDS = 10.0
"""Oldest listing before a create: long enough for ten creates in a row, with a second between two writes, to share one,
and short enough that a budget made by somebody else between the preview and the create is seen."""


class OwnerCache:
    """What a run knows of one owner's budgets; safe to share between threads, which take turns.

    Args:
        run: The endpoints, the clock, and the number of single reads.
        owner: Whose budgets.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner, self._clock = run, owner, run.clock
        self.lock = threading.RLock()
        self._listing: dict[str, Budget] | None = None
        self._deleted: set[str] = set()
        self._listed_at = float("-inf")
        self._first_page: Page | None = None
        self._paged_at = float("-inf")
        self._single_reads = 0

    def read(self, budget_id: str) -> Budget | None:
        """Return one budget, or None when it is provably gone: a 404, and a complete listing without it.

        A run that reads few budgets asks for them one by one. One that reads many lists them, and goes on asking
        for single ones only while that is cheaper than the listing's remaining pages.

        Raises:
            ApiError: GitHub said no to the read or to the listing, which proves nothing about the budget.
            TransportError: No readable answer, or a listing that stays incomplete.
        """
        with self.lock:
            if self._is_fresh() or self._recent_first_page() or not self._single_is_cheaper():
                listed = self._from_pages(budget_id)
                if listed is not None:
                    return listed
            self._single_reads += 1
            try:
                return self._api.get_budget(self._owner, budget_id)
            except NotFoundError:
                return self.complete(max_age=0).get(budget_id)

    def complete(self, max_age: float = FRESH_SECONDS) -> dict[str, Budget]:
        """Return every budget of the owner by id, from one complete listing.

        Args:
            max_age: GitHub is asked unless this run has listed them less than so many seconds ago; 0 asks always.

        Raises:
            ApiError, TransportError: As for `BudgetsApi.list_budgets`.
        """
        with self.lock:
            if not self._is_fresh(max_age):
                first = self._recent_first_page(max_age)
                started = self._clock.now() if first is None else self._paged_at
                everything = self._api.list_budgets(self._owner, first)
                # A listing that lags behind our own deletion must not offer that budget for adoption.
                self._listing = {budget.id: budget for budget in everything if budget.id not in self._deleted}
                self._listed_at, self._first_page = started, None
            assert self._listing is not None  # noqa: S101 - set in the lines above
            return dict(self._listing)

    def remember(self, budget: Budget) -> None:
        """Enter a budget that this run has written."""
        with self.lock:
            self._first_page = None
            if self._listing is not None:
                self._listing[budget.id] = budget

    def forget(self, budget_id: str) -> None:
        """Take out a budget that this run has deleted."""
        with self.lock:
            self._first_page = None
            self._deleted.add(budget_id)
            if self._listing is not None:
                self._listing.pop(budget_id, None)

    @property
    def _api(self) -> BudgetsApi:
        return self._run.api(BudgetsApi)

    def _is_fresh(self, max_age: float = FRESH_SECONDS) -> bool:
        return self._clock.now() - self._listed_at < max_age

    def _recent_first_page(self, max_age: float = FRESH_SECONDS) -> Page | None:
        """Return the first page of a listing that has not been read further, unless it is too old to be the truth."""
        if self._clock.now() - self._paged_at >= max_age:
            self._first_page = None
        return self._first_page

    def _single_is_cheaper(self) -> bool:
        """Decide between one more single read and the listing, knowing its number of pages from its first."""
        page = self._recent_first_page()
        if page is None:
            return self._run.single_reads.take()
        pages = -(-page.total // len(page.budgets)) if page.total and page.budgets else 2
        return page.more is not False and self._single_reads < pages - 1

    def _from_pages(self, budget_id: str) -> Budget | None:
        """Look the budget up in what has been listed, listing more where that pays."""
        if not self._is_fresh():
            first = self._recent_first_page()
            if first is None:
                self._paged_at = self._clock.now()
                first = self._first_page = self._api.get_budget_page(self._owner, 1)
            if self._single_is_cheaper():
                listed = {budget.id: budget for budget in first.budgets}
                return listed.get(budget_id)
            self.complete()
        return (self._listing or {}).get(budget_id)
