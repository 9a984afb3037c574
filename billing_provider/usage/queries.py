"""The reads of usage reports: owners and filters are checked, and several calls are combined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import read_flag, read_slug, read_text, read_whole
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.usage.api import UsageApi
from billing_provider.usage.models import (
    FILTERS,
    PERIOD,
    USER_OWNER,
    CostCenterName,
    ReportName,
    SummaryName,
    TimePeriod,
    UsageReport,
    UsageSummary,
    read_report,
)

if TYPE_CHECKING:
    from billing_provider.runtime.run import Run

OUTSIDE = "none"
"""Used as the cost center filter: selects usage outside all cost centers."""
_KINDS = (ENTERPRISE_OWNER, ORGANIZATION_OWNER, USER_OWNER)
_INPUT = {"cost_center_id": "cost_center"}


class UsageReader:
    """Reads the usage reports of one run; this class does not cache results.

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
                self.run.show(f"usage of cost center {number} of {len(centers)}: {each.name}", "usage of cost centers")
                name = CostCenterName(each.id, each.name)
                items += api.get_usage(owner, {**query, "cost_center_id": each.id}, name)
            for odd in self.run.cache(CostCenterCache, owner).opaque():
                if odd.id:
                    name = CostCenterName(odd.id, odd.text("name") or odd.id)
                    items += api.get_usage(owner, {**query, "cost_center_id": odd.id}, name)
                else:
                    self.run.reporter.warn(f"{odd}, is left out")
        leaves_out = owner.kind.noun == ENTERPRISE and outside and not all_cost_centers
        return read_report(period, items, api.today(), leaves_out=leaves_out)

    def summary(self, report: SummaryName, **given: Any) -> UsageSummary:
        """Return usage by SKU; the reports of premium requests and of AI credits are by model too.

        Args:
            report: The report to read.
            **given: `enterprise`, `organization` or `user`; the period; `organization`, `user`, `repository`, `model`,
                `product`, `sku` and `cost_center` if the owner's report supports them.

        Raises:
            BillingError: A filter is not supported, or a request to GitHub failed.
        """
        owner, query, _ = self._read_query(report, given)
        api = UsageApi(self.run.transport, self.run.clock)
        reads = {
            "usage/summary": api.get_usage_summary,
            "premium_request/usage": api.get_premium_request_usage,
            "ai_credit/usage": api.get_ai_credit_usage,
        }
        return reads[report](owner, query)

    def _read_query(self, report: ReportName, given: dict[str, Any]) -> tuple[Owner, dict[str, Any], TimePeriod]:
        """Return the owner, the query and the period of a report, with GitHub's defaults filled in."""
        given = {name: value for name, value in given.items() if value is not None}
        owner = read_owner(**given)
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
        if "day" in query or not (whole_year or "year" in query):
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


def read_owner(**given: Any) -> Owner:
    """Return the broadest of the given owners; the others are filters of its report."""
    for kind in _KINDS:
        if given.get(kind.noun):
            return Owner(kind, read_slug(kind.noun, given[kind.noun]))
    raise ConfigError(f"set the owner: one of {', '.join(kind.noun for kind in _KINDS)}")
