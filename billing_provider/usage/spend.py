"""Spend against each budget this month: GitHub's own figure, or the sum of the usage reports."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.skus import (
    PRODUCTS,
    canonical_sku,
    counts_licenses,
    product_identifier,
    sku_identifier,
)
from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError, UnexpectedError
from billing_provider.core.owners import (
    COST_CENTER,
    ENTERPRISE,
    MULTI_USER_COST_CENTER,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    REPOSITORY,
    USER,
)
from billing_provider.usage.models import exact_sum
from billing_provider.usage.queries import OUTSIDE
from billing_provider.usage.user_states import UserStatesApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from billing_provider.budgets.models import BudgetDetails
    from billing_provider.core.owners import Owner
    from billing_provider.usage.models import UsageSummary
    from billing_provider.usage.queries import UsageReader
    from billing_provider.usage.user_states import UserState

DOLLARS = "USD"
LICENSES = "licenses"
FROM_BUDGET = "budget"
FROM_USAGE = "usage"
FROM_USER_STATES = "user states"

_AI_CREDITS = "ai_credits"
_MOST_SINGLES = 20
"""Maximum number of budgets that one report reads one by one."""
_OF_MANY = (MULTI_USER_CUSTOMER, MULTI_USER_COST_CENTER)


@dataclass(frozen=True)
class BudgetSpend:
    """One budget with its spend.

    Attributes:
        budget: The budget.
        spent: Spend this month, in `unit`; for a budget of many users, the spend of the user with the highest usage.
            None if unknown.
        unit: `USD` or `licenses`.
        source: Source of the figure: `budget` (GitHub's own), `usage` (the sum of the reports; GitHub counts only
            usage after the budget's creation) or `user states`.
        user: The user with the highest usage, for a budget of many users.
    """

    budget: BudgetDetails
    spent: float | None
    unit: str
    source: str | None = None
    user: str | None = None

    @property
    def share(self) -> float | None:
        """The spent fraction of the amount, 1.0 if all is spent; None if unknown."""
        if self.spent is None:
            return None
        if not self.budget.budget_amount:
            return 1.0 if self.spent else 0.0
        return self.spent / self.budget.budget_amount


class SpendReport:
    """The spend of one owner's budgets; each report is read once.

    Args:
        reader: Sends the queries.
        owner: The owner of the budgets.
        status: Shows a text and what it is about; by default the run does.
    """

    def __init__(self, reader: UsageReader, owner: Owner, status: Callable[[str, str], None] | None = None) -> None:
        self._reader, self._owner = reader, owner
        self._status = status or reader.run.show
        self._singles_left = _MOST_SINGLES
        self._read: dict[tuple[str, ...], UsageSummary | None] = {}

    def of(self, budgets: Iterable[BudgetDetails]) -> Iterator[BudgetSpend]:
        """Yield the budgets with their spend, in the given order.

        Raises:
            BillingError: GitHub did not respond. Spend is None if the token may not read it, if it does not exist, or,
                with a warning, if GitHub's figures have an unexpected form.
        """
        for budget in budgets:
            unit = LICENSES if counts_licenses(budget.budget_product_sku) else DOLLARS
            if budget.consumed_amount is not None:
                yield BudgetSpend(budget, budget.consumed_amount, unit, FROM_BUDGET)
            elif budget.budget_scope not in _OF_MANY:
                spent, source = self._from_usage(budget, unit), FROM_USAGE
                if spent is None:
                    spent, source = self._from_budget(budget), FROM_BUDGET
                yield BudgetSpend(budget, spent, unit, None if spent is None else source)
            elif self._owner.kind.noun == ENTERPRISE:
                yield from self._of_many(budget, islice(self._states(budget, {"sort_order": "0"}), 1))
            else:
                # GitHub provides user states for enterprises only.
                yield BudgetSpend(budget, None, DOLLARS)

    def by_user(self, budgets: Iterable[BudgetDetails], user: str | None = None) -> Iterator[BudgetSpend]:
        """Yield the budgets with their spend; a budget of many users once for each user whom it limits.

        A user with an own budget is left out, because that budget takes precedence and is listed too.

        Args:
            budgets: The budgets.
            user: The only user to yield of a budget of many users; all if None.

        Raises:
            BillingError: As for `of`.
        """
        for budget in budgets:
            if budget.budget_scope in _OF_MANY and self._owner.kind.noun == ENTERPRISE:
                of = f"the {budget.budget_product_sku} budget of {budget.budget_entity_name or self._owner}"
                self._status(f"reading the users of {of}", "reading users")
                states = self._states(budget, None if user is None else {"user": user})
                yield from self._of_many(budget, (state for state in states if state.override_budget_id is None))
            else:
                yield from self.of([budget])

    def _states(self, budget: BudgetDetails, filters: dict[str, str] | None = None) -> Iterator[UserState]:
        return self._reader.run.api(UserStatesApi).list_user_states(self._owner, budget.id, filters)

    def _of_many(self, budget: BudgetDetails, states: Iterable[UserState]) -> list[BudgetSpend]:
        """Return the spend of each user; None if the token may not read it or it does not exist."""
        try:
            found = [
                BudgetSpend(budget, state.consumed_amount, DOLLARS, FROM_USER_STATES, state.user) for state in states
            ]
        except (ForbiddenError, NotFoundError):
            return [BudgetSpend(budget, None, DOLLARS)]
        except UnexpectedError as error:
            self._reader.run.reporter.warn(str(error))
            return [BudgetSpend(budget, None, DOLLARS)]
        return found or [BudgetSpend(budget, 0.0, DOLLARS, FROM_USER_STATES)]

    def _from_budget(self, budget: BudgetDetails) -> float | None:
        """Return the figure in a single read of a budget, which no report tells; listings have it for few scopes.

        GitHub's description of October 2026 has it as optional: after one without it, no other budget is read so.
        """
        if self._singles_left <= 0 or not budget.id:
            return None
        self._singles_left -= 1
        try:
            found = self._reader.run.api(BudgetsApi).get_budget(self._owner, budget.id).consumed_amount
        except (ForbiddenError, NotFoundError, UnexpectedError):
            return None
        if found is None:
            self._singles_left = 0
        return found

    def _from_usage(self, budget: BudgetDetails, unit: str) -> float | None:
        sku = canonical_sku(budget.budget_product_sku)
        filters = self._filters(budget)
        if sku == _AI_CREDITS:
            if "repository" in filters or filters.get("cost_center") == OUTSIDE:
                # The reports by model cannot filter by repository or by usage outside cost centers.
                return None
            summary = self._summary(filters, by_model=True)
            return None if summary is None else summary.net_amount
        summary = None if "user" in filters else self._summary(filters, by_model=False)
        if summary is None or summary.net_amount is None:
            return None
        items = [
            item
            for item in summary.usage_items
            if (product_identifier(item.product) if sku in PRODUCTS else sku_identifier(item.sku)) == sku
        ]
        return exact_sum(item.gross_quantity if unit == LICENSES else item.net_amount for item in items)

    def _filters(self, budget: BudgetDetails) -> dict[str, str]:
        """Return the report filters that select the usage a budget covers."""
        scope, entity = budget.budget_scope, budget.budget_entity_name or ""
        if scope == USER:
            return {"user": budget.user or entity}
        if scope == COST_CENTER:
            return {"cost_center": entity}
        if scope == REPOSITORY:
            bare = "/" not in entity and self._owner.kind.noun == ORGANIZATION
            return {"repository": f"{self._owner.slug}/{entity}" if bare else entity}
        if scope == ORGANIZATION and self._owner.kind.noun == ENTERPRISE:
            return {"organization": entity}
        return {"cost_center": OUTSIDE} if budget.exclude_cost_center_usage else {}

    def _summary(self, filters: dict[str, str], *, by_model: bool) -> UsageSummary | None:
        """Return a report of this month, or None if the token may not read it or it does not exist."""
        narrowed = tuple(f"{name} {value.lower()}" for name, value in filters.items())
        key = ("AI credits" if by_model else "usage", *narrowed)
        if key not in self._read:
            given = {self._owner.kind.noun: self._owner.slug, **filters}
            covered = (f"{name.replace('_', ' ')} {value}" for name, value in filters.items())
            self._status(f"reading {' of '.join((key[0], *covered))}", "reading usage")
            try:
                self._read[key] = self._reader.summary("ai_credit/usage" if by_model else "usage/summary", **given)
            except (ForbiddenError, NotFoundError):
                self._read[key] = None
            except (ConfigError, UnexpectedError) as error:
                # Such as a budget of a cost center that was not understood.
                self._reader.run.reporter.warn(str(error))
                self._read[key] = None
        return self._read[key]
