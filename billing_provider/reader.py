"""The reads that programs and the command line share."""

from __future__ import annotations

from typing import Any

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.lookup import find_budget
from billing_provider.budgets.models import BudgetDetails, OpaqueBudget
from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError
from billing_provider.core.ids import read_flag, read_id, read_slug, read_text, read_whole, resource_id
from billing_provider.core.inputs import did_you_mean
from billing_provider.core.owners import ENTERPRISE, OWNER_KINDS, Owner
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import (
    ACTIVE,
    DELETED,
    ENTERPRISE_TEAMS,
    CostCenterDetails,
    plain_member,
)
from billing_provider.usage.of_user import of_user
from billing_provider.usage.people_api import PeopleApi
from billing_provider.usage.queries import UsageReader, read_owner
from billing_provider.usage.report_exports import ReportExports
from billing_provider.usage.report_exports_api import ReportExportsApi, UsageReportExport
from billing_provider.usage.user_states import EffectiveBudget, UserState, UserStatesApi


class Reader(UsageReader):
    """Read-only queries of one run on plain values: they check their arguments, and can combine several calls."""

    def cost_centers(self, *, enterprise: str, state: str | None = None) -> list[CostCenterDetails]:
        """Return the cost centers of an enterprise.

        Raises:
            BillingError: The state is invalid, or a request to GitHub failed.
        """
        if state not in (None, ACTIVE, DELETED):
            raise ConfigError(f"state: write {ACTIVE} or {DELETED}, or leave it out")
        owner = read_owner(enterprise=enterprise)
        # Request all states: the state filter has been seen to hang on a large enterprise.
        listed = self.run.cache(CostCenterCache, owner).list_all()
        for opaque in self.run.cache(CostCenterCache, owner).opaque():
            self.run.reporter.warn(f"{opaque}, is left out")
        return [center for center in listed if state in (None, center.state)]

    def cost_center(self, *, enterprise: str, cost_center: str) -> CostCenterDetails:
        """Return one cost center, by its name or its UUID, with all its members.

        Members of more than one page are read twice, because one that leaves during the read hides another one.

        Raises:
            BillingError: No or more than one cost center matches, a request to GitHub failed, or the members changed.
        """
        owner = read_owner(enterprise=enterprise)
        found = self._named(owner, read_text("cost_center", cost_center))
        return self.run.api(CostCentersApi).get_cost_center(owner, found.id, is_whole=True)

    def enterprise_team_members(self, *, enterprise: str, enterprise_team: str) -> list[str]:
        """Return the logins of all members of an enterprise team, by its slug, with or without `ent:`.

        Raises:
            BillingError: A request to GitHub failed, or the list may be incomplete.
        """
        slug = plain_member(ENTERPRISE_TEAMS, read_text("enterprise_team", enterprise_team))
        team = read_slug("enterprise_team", slug)
        return self.run.api(PeopleApi).list_team_members(read_owner(enterprise=enterprise), team)

    def budgets(
        self,
        *,
        enterprise: str | None = None,
        organization: str | None = None,
        scope: str | None = None,
        user: str | None = None,
    ) -> list[BudgetDetails]:
        """Return the budgets of an owner, from all pages; with a user, those that apply or may apply to the user.

        Raises:
            BillingError: The owner is invalid, or a request to GitHub failed.
        """
        owner = _budget_owner(enterprise, organization)
        wanted = None if scope is None else _scope(owner, scope)
        login = None if user is None else read_text("user", user)
        # All scopes for a user: a cap of another scope may take precedence. GitHub's filter selects the user's figures.
        filters = {"user": login} if login is not None else {} if wanted is None else {"scope": wanted}
        found = []
        for row in self.run.api(BudgetsApi).list_budgets(owner, filters=filters):
            if isinstance(row, OpaqueBudget):
                self.run.reporter.warn(f"{row}, is left out")
            else:
                found.append(BudgetDetails.of(row))
        if login is None:
            return found
        return [
            budget
            for budget in of_user(found, login, lambda: self._cost_centers(owner))
            if wanted in (None, budget.budget_scope)
        ]

    def _cost_centers(self, owner: Owner) -> list[CostCenterDetails] | None:
        """Return the cost centers of an enterprise, or None if the token may not read them."""
        try:
            return self.run.cache(CostCenterCache, owner).list_all()
        except (ForbiddenError, NotFoundError):
            return None

    def find_budget(self, *, noun: str, key: dict[str, Any]) -> str:
        """Return the resource id of the only live budget with a natural key.

        Args:
            noun: The kind of the owner.
            key: The inputs that identify the budget, as in a declaration.

        Raises:
            BillingError: As for `budgets.lookup.find_budget`.
        """
        owner, budget = find_budget(self.run, OWNER_KINDS[noun], key)
        return resource_id(noun, owner.slug, budget.id)

    def find_cost_center(self, *, enterprise: str, name: str) -> str:
        """Return the resource id of the only active cost center with a name, or with a UUID.

        Raises:
            BillingError: The enterprise is invalid, no or more than one cost center matches, or a request failed.
        """
        owner = read_owner(enterprise=enterprise)
        center = self.run.cache(CostCenterCache, owner).find(read_text("name", name))
        return resource_id(ENTERPRISE, owner.slug, center.id)

    def budget(
        self, *, enterprise: str | None = None, organization: str | None = None, budget_id: str
    ) -> BudgetDetails:
        """Return one budget.

        Raises:
            BillingError: The owner is invalid, or a request to GitHub failed.
        """
        owner = _budget_owner(enterprise, organization)
        return BudgetDetails.of(self.run.api(BudgetsApi).get_budget(owner, read_id("budget_id", budget_id)))

    def effective_budget(
        self, *, enterprise: str | None = None, organization: str | None = None, user: str
    ) -> EffectiveBudget:
        """Return the budget that applies to one user.

        Raises:
            BillingError: The owner is invalid, or a request to GitHub failed.
        """
        owner = _budget_owner(enterprise, organization)
        return self.run.api(UserStatesApi).get_effective_budget(owner, read_text("user", user))

    def user_states(
        self,
        *,
        enterprise: str,
        budget_id: str,
        user: str | None = None,
        rising: bool = False,
        threshold_lower_bound: int | None = None,
        threshold_upper_bound: int | None = None,
    ) -> list[UserState]:
        """Return the consumption of each user of a budget, highest first unless `rising`.

        Raises:
            BillingError: A request to GitHub failed.
        """
        bounds = {"threshold_lower_bound": threshold_lower_bound, "threshold_upper_bound": threshold_upper_bound}
        filters: dict[str, Any] = {
            "sort_order": "1" if read_flag("rising", rising) else "0",
            **({} if user is None else {"user": read_text("user", user)}),
            **{name: read_whole(name, value) for name, value in bounds.items() if value is not None},
        }
        owner, read_from = read_owner(enterprise=enterprise), read_id("budget_id", budget_id)
        return list(self.run.api(UserStatesApi).list_user_states(owner, read_from, filters))

    def report_exports(self, *, enterprise: str) -> list[UsageReportExport]:
        """Return the report exports that GitHub has not removed yet.

        Raises:
            BillingError: A request to GitHub failed.
        """
        return self.run.api(ReportExportsApi).list_report_exports(read_owner(enterprise=enterprise))

    def report_export(self, *, enterprise: str, report_id: str) -> UsageReportExport:
        """Return one report export.

        Raises:
            BillingError: A request to GitHub failed.
        """
        return self.run.api(ReportExportsApi).get_report_export(
            read_owner(enterprise=enterprise), read_id("report_id", report_id)
        )

    def report_rows(self, *, enterprise: str, report_type: str, start_date: str, end_date: str) -> list[dict[str, str]]:
        """Return the rows of a report export; request the export if none exists.

        Raises:
            BillingError: As for `ReportExports.rows`.
        """
        return ReportExports(self.run, read_owner(enterprise=enterprise)).rows(report_type, start_date, end_date)


def _budget_owner(enterprise: str | None, organization: str | None) -> Owner:
    if bool(enterprise) == bool(organization):
        raise ConfigError("set the owner of the budgets: either enterprise or organization")
    return read_owner(enterprise=enterprise, organization=organization)


def _scope(owner: Owner, scope: str) -> str:
    text, scopes = read_text("scope", scope), owner.kind.scopes
    if text not in scopes:
        raise ConfigError(f"scope: write one of {', '.join(scopes)}{did_you_mean(text, scopes)}")
    return text
