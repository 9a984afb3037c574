"""Cache of the live budgets of one owner: few requests, and a budget is reported as gone only with proof."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.listing import Listing
from billing_provider.budgets.models import OpaqueBudget
from billing_provider.core.errors import NotFoundError
from billing_provider.core.owners import COST_CENTER_SCOPES, USER
from billing_provider.transport.paging import expected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing_provider.budgets.api import Page
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

FRESH_SECONDS = 300.0
"""Seconds for which a listing is used in one run; writes of this run update it immediately."""
CREATE_FRESH_SECONDS = 10.0
"""Maximum age of the listing before a create, in seconds.

Ten creates in a row, one second apart, can share a listing. A budget that somebody else created between the preview and
the create is still detected; of users, only one that is older than `age_for_creates`.
"""
_SECONDS_A_BUDGET = 0.02
"""Seconds that each listed budget adds to the maximum age: a page of a hundred budgets adds two seconds."""

_PAGES_A_READ = 3
"""Remaining pages of a listing that cost as much as one single read: they are read side by side."""


class OwnerCache:
    """Cached budgets of one owner; safe to share between threads, because a lock serializes the access.

    Args:
        run: Provides the API client, the clock, and the counter of single reads.
        owner: The owner of the budgets.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner, self._clock = run, owner, run.clock
        self.lock = threading.RLock()
        self._listing: Listing | None = None
        self._opaque: dict[str, OpaqueBudget] = {}
        self._deleted: set[str] = set()
        self._listed_at = float("-inf")
        self._first_page: Page | None = None
        self._paged_at = float("-inf")
        self._single_reads = 0
        self._parts: dict[str, Listing] = {}

    def read(self, budget_id: str) -> Budget | None:
        """Return one budget, or None if it is provably gone: a 404 and a complete listing without it.

        A run that reads few budgets reads each of them with one request. A run that reads many reads the listing, but
        continues with single reads while they need far fewer requests than the remaining pages of the listing.

        Raises:
            ApiError: GitHub refused the read or the listing; the budget may still exist.
            TransportError: There is no readable reply, or the listing stays incomplete.
        """
        with self.lock:
            if self._is_fresh() or self._recent_first_page() or not self._single_is_cheaper():
                listed = self._from_pages(budget_id)
                if listed is not None:
                    return listed
            self._single_reads += 1
        # Single reads, and a listing of another thread, are on their way together.
        try:
            return self._api.get_budget(self._owner, budget_id)
        except NotFoundError:
            with self.lock:
                listed = self._proof(budget_id).get(budget_id)
                if listed is None and self._may_be_opaque(budget_id):
                    raise
                return listed

    def complete(self, max_age: float = FRESH_SECONDS) -> dict[str, Budget]:
        """Return all budgets of the owner by id; the argument and the errors are those of `listing`."""
        return self.listing(max_age).all()

    def is_complete(self) -> bool:
        """Return whether this run has a complete listing that is recent enough for a preview."""
        with self.lock:
            return self._is_fresh()

    def listing(self, max_age: float = FRESH_SECONDS) -> Listing:
        """Return one complete listing, which the writes of this run change.

        Args:
            max_age: Maximum age of the cached listing in seconds; 0 always reads a new one.

        Raises:
            ApiError, TransportError: As for `BudgetsApi.list_budgets`.
        """
        with self.lock:
            if not self._is_fresh(max_age):
                first = self._recent_first_page(max_age)
                started = self._clock.now() if first is None else self._paged_at
                everything = list(self._api.list_budgets(self._owner, first))
                # The listing may still contain a budget that this run deleted; it must not be adopted.
                self._opaque.clear()
                self._listing = self._understood(everything)
                self._listed_at, self._first_page = started, None
            assert self._listing is not None  # noqa: S101 - set in the lines above
            return self._listing

    def age_for_creates(self) -> float:
        """Return the maximum age of the listing before the create of a user's budget, in seconds.

        There can be thousands of these creates, and a listing of thousands of budgets is many requests: together, the
        listings need one request in two seconds.
        """
        with self.lock:
            return min(FRESH_SECONDS, max(CREATE_FRESH_SECONDS, len(self._listing or ()) * _SECONDS_A_BUDGET))

    def recent(self, budget_id: str, max_age: float) -> Budget:
        """Return one budget from a recent listing, else by one request.

        Args:
            budget_id: GitHub's id.
            max_age: Maximum age of the listing in seconds.

        Raises:
            ApiError: GitHub refused the read; the budget may still exist.
            TransportError: There is no readable reply.
        """
        with self.lock:
            listed = self._listing.get(budget_id) if self._listing is not None and self._is_fresh(max_age) else None
        return listed or self._api.get_budget(self._owner, budget_id)

    def of_scope(self, scope: str) -> Listing:
        """Return the budgets of a scope, and maybe others; for a preview, which shares the listing of its run.

        An owner can have thousands of budgets for users, on many pages. For another scope, a listing of this scope
        alone is read if it needs fewer requests than the remaining pages.

        Args:
            scope: The scope. Some accounts list other scopes for cost centers, so these always need all budgets.

        Raises:
            ApiError, TransportError: As for `BudgetsApi.list_budgets`.
        """
        with self.lock:
            # GitHub filters by scope and not by user: its `user` only says whose consumption is returned.
            if self._is_fresh() or scope in {USER, *COST_CENTER_SCOPES}:
                return self.listing()
            if scope not in self._parts:
                first = self._first()
                if first.more is False or len(self._parts) + 1 >= expected(first.rows, first.total) - 1:
                    return self.listing()
                listed = self._api.list_budgets(self._owner, filters={"scope": scope})
                self._parts[scope] = self._understood(listed)
            return self._parts[scope]

    def opaque(self) -> list[OpaqueBudget]:
        """Return the budgets in the listings of this run that do not fit the model; nothing is sent."""
        with self.lock:
            return [other for other in self._opaque.values() if other.id not in self._deleted]

    def is_listed(self, budget_id: str) -> bool:
        """Return whether GitHub's complete listing has a budget, or may have it: one without an id may be any.

        Raises:
            ApiError, TransportError: As for `BudgetsApi.list_budgets`.
        """
        with self.lock:
            return budget_id in self._proof(budget_id) or self._may_be_opaque(budget_id)

    def listed(self) -> list[Budget]:
        """Return the budgets that this run has listed so far, all or of some scopes; nothing is sent."""
        with self.lock:
            return list({id_: budget for part in self._known_parts() for id_, budget in part.all().items()}.values())

    def known(self, budget_id: str) -> Budget | None:
        """Return a budget that this run has listed so far, or None; nothing is sent."""
        with self.lock:
            found = (part.get(budget_id) for part in self._known_parts())
            return next((budget for budget in found if budget is not None), None)

    def remember(self, budget: Budget) -> None:
        """Add a budget that this run has written to the listing."""
        with self.lock:
            self._first_page = None
            if self._listing is not None:
                self._listing.add(budget)

    def forget(self, budget_id: str) -> None:
        """Remove a budget that this run has deleted from the listing."""
        with self.lock:
            self._first_page = None
            self._deleted.add(budget_id)
            if self._listing is not None:
                self._listing.remove(budget_id)

    def expire(self) -> None:
        """Read the next listing anew: budgets of a cost center are listed with its name, and it has another one now."""
        with self.lock:
            self._listed_at, self._first_page = float("-inf"), None
            self._parts.clear()

    @property
    def _api(self) -> BudgetsApi:
        return self._run.api(BudgetsApi)

    def _known_parts(self) -> list[Listing]:
        return [self._listing] if self._listing is not None else list(self._parts.values())

    def _proof(self, budget_id: str) -> Listing:
        """Return the listing that decides, after a 404, whether a budget is gone: a recent one without it is enough."""
        listing = self._listing
        if listing is not None and budget_id not in listing and self._is_fresh(CREATE_FRESH_SECONDS):
            return listing
        return self.listing(0)

    def _understood(self, rows: Iterable[Budget | OpaqueBudget]) -> Listing:
        """Return the budgets of a listing, and note the others."""
        found: list[Budget] = []
        for row in rows:
            if isinstance(row, OpaqueBudget):
                self._opaque[row.key] = row
            elif row.id not in self._deleted:
                found.append(row)
        return Listing(self._owner, found)

    def _may_be_opaque(self, budget_id: str) -> bool:
        return any(other.id in {budget_id, ""} for other in self._opaque.values())

    def _is_fresh(self, max_age: float = FRESH_SECONDS) -> bool:
        return self._clock.now() - self._listed_at < max_age

    def _recent_first_page(self, max_age: float = FRESH_SECONDS) -> Page | None:
        """Return the first page if only that page of the listing was read and it is recent enough, else None."""
        if self._clock.now() - self._paged_at >= max_age:
            self._first_page = None
        return self._first_page

    def _first(self) -> Page:
        """Return the recent first page of the listing, or read it."""
        first = self._recent_first_page()
        if first is None:
            self._paged_at = self._clock.now()
            first = self._first_page = self._api.get_budget_page(self._owner, 1)
        return first

    def _single_is_cheaper(self) -> bool:
        """Return whether a single read costs less than the listing, estimated from its first page."""
        page = self._recent_first_page()
        if page is None:
            return self._run.single_reads.take()
        return page.more is not False and self._single_reads * _PAGES_A_READ < expected(page.rows, page.total) - 1

    def _from_pages(self, budget_id: str) -> Budget | None:
        """Return the budget from the listing, or None; read more pages if that needs fewer requests."""
        if not self._is_fresh():
            first = self._first()
            if self._single_is_cheaper():
                return self._understood(first.rows).get(budget_id)
            self.listing()
        return None if self._listing is None else self._listing.get(budget_id)
