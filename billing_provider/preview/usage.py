"""The live figures that a change is compared with: what a budget has spent, and what people have used."""

from __future__ import annotations

import calendar
import threading
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.consequences import Person, Spend
from billing_provider.budgets.models import BudgetDetails
from billing_provider.core.owners import ENTERPRISE, USER
from billing_provider.usage.queries import UsageReader
from billing_provider.usage.spend import SpendReport
from billing_provider.usage.user_states import UserStatesApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run

MOST_PEOPLE = 20
"""Maximum number of reads of a single person's consumption in one run."""


class LiveUsage:
    """The usage of one owner this month; each report is read once.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The owner of the budgets.
        reads: Sends the reads.
    """

    def __init__(self, run: Run, owner: Owner, reads: PreviewReads) -> None:
        self._run, self._owner, self._reads = run, owner, reads
        # `pulumi preview --diff` prints every status line, and these reads are short.
        self._report = SpendReport(UsageReader(run), owner, status=lambda _text, _about: None)
        self._lock = threading.Lock()
        self._people_left = MOST_PEOPLE

    def spend(self, fields: Mapping[str, Any], consumed: float | None = None) -> Spend | None:
        """Return the spend that a budget covers, or None if it is unknown.

        Args:
            fields: The inputs of the budget.
            consumed: GitHub's own figure, if it is known.
        """
        today = self._run.clock.utc().date()
        spent = consumed
        if spent is None:
            budget = _details(fields)
            spent = self._reads.find(lambda: next(self._report.of([budget])).spent)
        if spent is None:
            return None
        days = calendar.monthrange(today.year, today.month)[1]
        whom = fields.get("user") or fields.get("budget_entity_name") or self._owner.slug
        return Spend(spent, today.day, days, f"{fields['budget_product_sku']} of {whom}")

    def people(self, fields: Mapping[str, Any], budget_id: str | None, above: float) -> list[Person] | None:
        """Return the people who have used at least an amount under a budget per person, or None if it is unknown.

        Args:
            fields: The inputs of the budget.
            budget_id: The id of the live budget, or None for a new one.
            above: Only people who have used this much, in US dollars.
        """
        if fields["budget_scope"] == USER:
            return self._person(fields["user"])
        if budget_id is None or self._owner.kind.noun != ENTERPRISE:
            # GitHub lists the consumption of people for existing budgets of enterprises only.
            return None

        def read() -> list[Person]:
            states = self._run.api(UserStatesApi).list_user_states(self._owner, budget_id, {"sort_order": "0"})
            return [
                Person(state.user, state.consumed_amount, state.target_amount if state.override_budget_id else None)
                for state in takewhile(lambda state: state.consumed_amount >= above, states)
            ]

        return self._reads.find(read)

    def _person(self, user: str) -> list[Person] | None:
        with self._lock:
            self._people_left -= 1
            if self._people_left < 0:
                return None
        found = self._reads.find(lambda: self._run.api(UserStatesApi).get_effective_budget(self._owner, user))
        return None if found is None or found.consumed_amount is None else [Person(user, found.consumed_amount)]


def _details(fields: Mapping[str, Any]) -> BudgetDetails:
    """Return declared inputs as a budget without figures of its own."""
    return BudgetDetails(
        id="",
        budget_amount=fields["budget_amount"],
        budget_product_sku=fields["budget_product_sku"],
        budget_type=fields.get("budget_type"),
        budget_scope=fields["budget_scope"],
        budget_entity_name=fields.get("budget_entity_name"),
        user=fields.get("user"),
        prevent_further_usage=fields["prevent_further_usage"],
        will_alert=None,
        alert_recipients=None,
        expires_at=None,
        exclude_cost_center_usage=fields.get("exclude_cost_center_usage"),
        consumed_amount=None,
    )
