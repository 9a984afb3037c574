"""Read-only queries on plain values; they validate owners and filters and combine several API calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.lookup import find_budget
from billing_provider.budgets.user_states import EffectiveBudget, UserState, UserStatesApi
from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import read_flag, read_id, read_slug, read_text, read_whole, resource_id
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, ORGANIZATION_OWNER, OWNER_KINDS, Owner
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE, DELETED, CostCenterDetails
from billing_provider.usage.api import UsageApi
from billing_provider.usage.exports import Exports
from billing_provider.usage.exports_api import ReportsApi, UsageReportExport
from billing_provider.usage.models import (
    FILTERS,
    PERIOD,
    USER_OWNER,
    CostCenterName,
    ReportName,
    TimePeriod,
    UsageReport,
    UsageSummary,
    read_report,
)

if TYPE_CHECKING:
    from billing_provider.budgets.models import Budget
    from billing_provider.runtime.run import Run

OUTSIDE = "none"
"""Used as the cost center filter: selects usage outside all cost centers."""
_KINDS = (ENTERPRISE_OWNER, ORGANIZATION_OWNER, USER_OWNER)
_INPUT = {"cost_center_id": "cost_center"}

ModelReport = Literal["premium_request/usage", "ai_credit/usage"]


@dataclass(frozen=True)
class BudgetDetails:
    """A budget as stored by GitHub; fields missing in the response are None.

    Attributes:
        id: The budget's id, assigned by GitHub.
        budget_amount: Whole US dollars a month, or licences.
        budget_product_sku: Identifier of the product or SKU.
        budget_type: Its pricing type.
        budget_scope: The scope covered.
        budget_entity_name: The organization, repository, cost center (by its name) or owner covered.
        user: Login of the user whose usage is limited.
        prevent_further_usage: Whether GitHub stops usage at the amount.
        will_alert: Whether GitHub sends alerts.
        alert_recipients: Logins of the people who receive alerts.
        expires_at: When GitHub removes it.
        exclude_cost_center_usage: Whether usage of cost centers is excluded.
        consumed_amount: US dollars used this month.
    """

    id: str
    budget_amount: float
    budget_product_sku: str
    budget_type: str | None
    budget_scope: str
    budget_entity_name: str | None
    user: str | None
    prevent_further_usage: bool
    will_alert: bool | None
    alert_recipients: list[str] | None
    expires_at: str | None
    exclude_cost_center_usage: bool | None
    consumed_amount: float | None


class Reader:
    """Read-only queries of one run; this class does not cache results.

    Args:
        run: Endpoints, clock and reporter.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def usage(self, *, all_cost_centers: bool = False, **given: Any) -> UsageReport:
        """Return a usage report.

        Args:
            all_cost_centers: Whether cost centers are added to an enterprise's report, with one call each.
            **given: `enterprise`, `organization` or `user`; the period; `cost_center`.

        Raises:
            BillingError: A filter is not supported, or a request to GitHub failed.
        """
        read_flag("all_cost_centers", all_cost_centers)
        owner, query, period = self._read_query("usage", given)
        if all_cost_centers and (owner.kind.noun != ENTERPRISE or "cost_center_id" in query):
            raise ConfigError("all_cost_centers: use it only for the report of a whole enterprise, without cost_center")
        api = UsageApi(self.run.transport, self.run.clock)
        outside = query.get("cost_center_id") in (None, OUTSIDE)
        if outside:
            query.pop("cost_center_id", None)
        center = None if outside else self._named(owner, query["cost_center_id"])
        items = api.get_usage(owner, query, center)
        if all_cost_centers:
            centers = self.run.cache(CostCenterCache, owner).list_all()
            for number, each in enumerate(centers, 1):
                self.run.reporter.status(f"usage of cost center {number} of {len(centers)}: {each.name}")
                name = CostCenterName(each.id, each.name)
                items += api.get_usage(owner, {**query, "cost_center_id": each.id}, name)
        leaves_out = owner.kind.noun == ENTERPRISE and outside and not all_cost_centers
        return read_report(period, items, api.today(), leaves_out=leaves_out)

    def usage_summary(self, **given: Any) -> UsageSummary:
        """Return usage by SKU.

        Args:
            **given: `enterprise`, `organization` or `user`; the period; `organization`, `repository`, `product`, `sku`
                and `cost_center` if the owner's report supports them.

        Raises:
            BillingError: A filter is not supported, or a request to GitHub failed.
        """
        owner, query, _ = self._read_query("usage/summary", given)
        return UsageApi(self.run.transport, self.run.clock).get_usage_summary(owner, query)

    def model_usage(self, report: ModelReport, **given: Any) -> UsageSummary:
        """Return the use of premium requests or of AI credits by model.

        Args:
            report: The report to read.
            **given: `enterprise`, `organization` or `user`; the period; `organization`, `user`, `model`, `product` and
                `cost_center` if the owner's report supports them.

        Raises:
            BillingError: A filter is not supported, or a request to GitHub failed.
        """
        owner, query, _ = self._read_query(report, given)
        api = UsageApi(self.run.transport, self.run.clock)
        if report == "ai_credit/usage":
            return api.get_ai_credit_usage(owner, query)
        return api.get_premium_request_usage(owner, query)

    def cost_centers(self, *, enterprise: str, state: str | None = None) -> list[CostCenterDetails]:
        """Return the cost centers of an enterprise.

        Raises:
            BillingError: The state is invalid, or a request to GitHub failed.
        """
        if state not in (None, ACTIVE, DELETED):
            raise ConfigError(f"state: write {ACTIVE} or {DELETED}, or leave it out")
        owner = _owner(enterprise=enterprise)
        # Request all states: the state filter has been seen to hang on a large enterprise.
        return [center for center in self.run.cache(CostCenterCache, owner).list_all() if state in (None, center.state)]

    def cost_center(self, *, enterprise: str, cost_center: str) -> CostCenterDetails:
        """Return one cost center, by its name or its UUID, with all its members.

        Raises:
            BillingError: No or more than one cost center matches, or a request to GitHub failed.
        """
        owner = _owner(enterprise=enterprise)
        found = self._named(owner, read_text("cost_center", cost_center))
        return self.run.api(CostCentersApi).get_cost_center(owner, found.id)

    def budgets(
        self,
        *,
        enterprise: str | None = None,
        organization: str | None = None,
        scope: str | None = None,
        user: str | None = None,
    ) -> list[BudgetDetails]:
        """Return the budgets of an owner, from all pages.

        Raises:
            BillingError: The owner is invalid, or a request to GitHub failed.
        """
        owner = _budget_owner(enterprise, organization)
        filters = {
            name: read_text(name, value) for name, value in (("scope", scope), ("user", user)) if value is not None
        }
        return [_details(budget) for budget in self.run.api(BudgetsApi).list_budgets(owner, filters=filters)]

    def find_budget(self, *, noun: str, key: dict[str, Any]) -> str:
        """Return the resource id of the only live budget with a natural key.

        Args:
            noun: The kind of the owner.
            key: The inputs that identify the budget, as in a declaration.

        Raises:
            BillingError: As for `lookup.find_budget`.
        """
        owner, budget = find_budget(self.run, OWNER_KINDS[noun], key)
        return resource_id(noun, owner.slug, budget.id)

    def find_cost_center(self, *, enterprise: str, name: str) -> str:
        """Return the resource id of the only active cost center with a name, or with a UUID.

        Raises:
            BillingError: The enterprise is invalid, no or more than one cost center matches, or a request failed.
        """
        owner = _owner(enterprise=enterprise)
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
        return _details(self.run.api(BudgetsApi).get_budget(owner, read_id("budget_id", budget_id)))

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
        owner, read_from = _owner(enterprise=enterprise), read_id("budget_id", budget_id)
        return list(self.run.api(UserStatesApi).list_user_states(owner, read_from, filters))

    def report_exports(self, *, enterprise: str) -> list[UsageReportExport]:
        """Return the report exports that GitHub has not removed yet.

        Raises:
            BillingError: A request to GitHub failed.
        """
        return self.run.api(ReportsApi).list_report_exports(_owner(enterprise=enterprise))

    def report_export(self, *, enterprise: str, report_id: str) -> UsageReportExport:
        """Return one report export.

        Raises:
            BillingError: A request to GitHub failed.
        """
        return self.run.api(ReportsApi).get_report_export(
            _owner(enterprise=enterprise), read_id("report_id", report_id)
        )

    def report_rows(self, *, enterprise: str, report_type: str, start_date: str, end_date: str) -> list[dict[str, str]]:
        """Return the rows of a report export; request the export if none exists.

        Raises:
            BillingError: As for `Exports.rows`.
        """
        return Exports(self.run, _owner(enterprise=enterprise)).rows(report_type, start_date, end_date)

    def _read_query(self, report: ReportName, given: dict[str, Any]) -> tuple[Owner, dict[str, Any], TimePeriod]:
        """Return the owner, the query and the period of a report, with GitHub's defaults filled in."""
        given = {name: value for name, value in given.items() if value is not None}
        owner = _owner(**given)
        query = {("cost_center_id" if name == "cost_center" else name): value for name, value in given.items()}
        del query[owner.kind.noun]
        takes = (*PERIOD, *FILTERS[report][owner.kind.noun])
        if unsupported := [_INPUT.get(name, name) for name in query if name not in takes]:
            others = [other for other in get_args(ReportName) if _takes(other, owner, unsupported)]
            raise ConfigError(
                f"{', '.join(unsupported)}: the report {report} of an {owner.kind.noun} supports only "
                f"{', '.join(_INPUT.get(name, name) for name in takes)}"
                + (f". Reports that support it: {', '.join(others)}" if others else "")
            )
        for name, value in query.items():
            if name not in PERIOD:
                read_text(_INPUT.get(name, name), value)
        period = self._period(query, whole_year=report == "usage")
        if query.get("cost_center_id") not in (None, OUTSIDE):
            query["cost_center_id"] = self._named(owner, query["cost_center_id"]).id
        return owner, query, period

    def _period(self, query: dict[str, Any], *, whole_year: bool) -> TimePeriod:
        """Fill in GitHub's defaults for missing parts of the period, and return the period."""
        today = UsageApi(self.run.transport, self.run.clock).today()
        for name in PERIOD:
            if name in query:
                query[name] = read_whole(name, query[name])
        if "day" in query:
            query.setdefault("month", today.month)
        if not whole_year and "year" not in query:
            query.setdefault("month", today.month)
        query.setdefault("year", today.year)
        period = TimePeriod(query["year"], query.get("month"), query.get("day"))
        try:
            period.last()
        except ValueError:
            raise ConfigError("year, month, day: this date does not exist") from None
        return period

    def _named(self, owner: Owner, text: str) -> CostCenterName:
        """Return a cost center by its UUID or its name; an archived one only if no active one has the name."""
        center = self.run.cache(CostCenterCache, owner).find(text, archived=True)
        return CostCenterName(center.id, center.name)


def _takes(report: ReportName, owner: Owner, names: list[str]) -> bool:
    takes = [_INPUT.get(name, name) for name in FILTERS[report][owner.kind.noun]]
    return all(name in takes for name in names)


def _owner(**given: Any) -> Owner:
    """Return the broadest of the given owners; the others are filters of its report."""
    for kind in _KINDS:
        if given.get(kind.noun):
            return Owner(kind, read_slug(kind.noun, given[kind.noun]))
    raise ConfigError(f"set the owner: one of {', '.join(kind.noun for kind in _KINDS)}")


def _budget_owner(enterprise: str | None, organization: str | None) -> Owner:
    if bool(enterprise) == bool(organization):
        raise ConfigError("set the owner of the budgets: either enterprise or organization")
    return _owner(enterprise=enterprise, organization=organization)


def _details(budget: Budget) -> BudgetDetails:
    alerting = budget.budget_alerting
    return BudgetDetails(
        will_alert=alerting.will_alert if alerting else None,
        alert_recipients=list(alerting.alert_recipients) if alerting else None,
        **budget.model_dump(exclude={"budget_alerting"}),
    )
