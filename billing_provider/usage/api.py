"""GitHub's usage reports of an enterprise, an organization or a user: one short method each."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from billing_provider.core.errors import TransportError
from billing_provider.transport.rest import billing_path, mapping
from billing_provider.usage.models import UsageSummary, read_items, read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from billing_provider.core.clock import Clock
    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport
    from billing_provider.usage.models import CostCenterName, ReportName, UsageItem


class UsageApi:
    """The calls that read usage; GitHub sends each report in one reply, without pages.

    Args:
        transport: What sends them.
        clock: The time; it tells which figures have settled.
    """

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport, self._clock = transport, clock

    def today(self) -> date:
        """Return the day in UTC, by which GitHub bills."""
        return datetime.fromtimestamp(self._clock.wall(), timezone.utc).date()

    def get_usage(
        self, owner: Owner, query: Mapping[str, Any], cost_center: CostCenterName | None = None
    ) -> list[UsageItem]:
        """Return the lines of a usage report; an enterprise's leaves out cost centers unless it is asked for one.

        Args:
            owner: Whose usage.
            query: `year`, `month`, `day`; for an enterprise `cost_center_id` too.
            cost_center: The cost center asked for, to be noted with each line.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: No such owner, or it is hidden from the token (404).
            InvalidError: A filter is refused (400).

        GitHub: GET /{owner}/settings/billing/usage
        """
        data, tried = self._get(owner, "usage", query)
        try:
            return read_items(data.get("usageItems", []), self.today(), cost_center)
        except ValidationError:
            raise TransportError(f"{tried}: the answer has unexpected usage items.") from None

    def get_usage_summary(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return usage by SKU, cost centers included.

        Args:
            owner: Whose usage.
            query: The period, `repository`, `product` and `sku`; for an enterprise `organization` and `cost_center_id`
                (`none` for what is outside cost centers) too.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            InvalidError: A filter is refused (400).

        GitHub: GET /{owner}/settings/billing/usage/summary
        """
        return self._summary(owner, "usage/summary", query, lags_by_day=False)

    def get_premium_request_usage(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return the use of premium requests by model.

        Args:
            owner: Whose usage.
            query: The period, `model` and `product`; for an organization `user`, for an enterprise `organization` and
                `cost_center_id` too.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: GitHub does not know the user, or hides the owner (404).

        GitHub: GET /{owner}/settings/billing/premium_request/usage
        """
        return self._summary(owner, "premium_request/usage", query, lags_by_day=True)

    def get_ai_credit_usage(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return the use of AI credits by model.

        Args:
            owner: Whose usage.
            query: As for `get_premium_request_usage`.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: GitHub does not know the user, or hides the owner (404).

        GitHub: GET /{owner}/settings/billing/ai_credit/usage
        """
        return self._summary(owner, "ai_credit/usage", query, lags_by_day=True)

    def _summary(
        self, owner: Owner, report: ReportName, query: Mapping[str, Any], *, lags_by_day: bool
    ) -> UsageSummary:
        data, tried = self._get(owner, report, query)
        try:
            return read_summary(data, self.today(), lags_by_day=lags_by_day)
        except (ValidationError, ValueError):
            raise TransportError(f"{tried}: the answer has an unexpected form.") from None

    def _get(self, owner: Owner, report: ReportName, query: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        tried = f"read the {report.replace('_', ' ').replace('/', ' ')} of {owner}"
        path = billing_path(owner, what=report)
        return mapping(self._transport.request("GET", path, tried=tried, query=query), tried), tried
