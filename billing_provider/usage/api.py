"""Client of GitHub's usage report endpoints for an enterprise, an organization or a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from billing_provider.core.errors import UnexpectedError
from billing_provider.transport.rest import billing_path, invalid, mapping
from billing_provider.usage.models import UsageSummary, read_items, read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from billing_provider.core.clock import Clock
    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport
    from billing_provider.usage.models import CostCenterName, ReportName, SummaryName, UsageItem


class UsageApi:
    """Client of the usage endpoints; GitHub sends each report in one response, without pagination.

    Args:
        transport: Sends the requests.
        clock: The clock; it determines which figures are final.
    """

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport, self._clock = transport, clock

    def today(self) -> date:
        """Return the current date in UTC, the time zone of GitHub's billing."""
        return self._clock.utc().date()

    def get_usage(
        self, owner: Owner, query: Mapping[str, Any], cost_center: CostCenterName | None = None
    ) -> list[UsageItem]:
        """Return the lines of a usage report; an enterprise's report excludes cost centers unless one is requested.

        Args:
            owner: The owner of the usage.
            query: `year`, `month`, `day`; also `cost_center_id` for an enterprise.
            cost_center: The requested cost center; it is recorded in each line.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The owner does not exist or is hidden from the token (404).
            InvalidError: GitHub rejects a filter (400).

        GitHub: GET /{owner}/settings/billing/usage
        """
        data, action = self._get(owner, "usage", query)
        try:
            return read_items(data.get("usageItems", []), self.today(), cost_center)
        except ValidationError as error:
            raise invalid(action, error) from None

    def get_usage_summary(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return usage by SKU, including cost centers.

        Args:
            owner: The owner of the usage.
            query: The period, `repository`, `product` and `sku`; also `organization` and `cost_center_id`
                (`none` for usage outside cost centers) for an enterprise.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            InvalidError: GitHub rejects a filter (400).

        GitHub: GET /{owner}/settings/billing/usage/summary
        """
        return self._summary(owner, "usage/summary", query)

    def get_premium_request_usage(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return the use of premium requests by model.

        Args:
            owner: The owner of the usage.
            query: The period, `model` and `product`; also `user` for an organization, and `organization` and
                `cost_center_id` for an enterprise.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The user does not exist, or the owner is hidden from the token (404).

        GitHub: GET /{owner}/settings/billing/premium_request/usage
        """
        return self._summary(owner, "premium_request/usage", query)

    def get_ai_credit_usage(self, owner: Owner, query: Mapping[str, Any]) -> UsageSummary:
        """Return the use of AI credits by model.

        Args:
            owner: The owner of the usage.
            query: As for `get_premium_request_usage`.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The user does not exist, or the owner is hidden from the token (404).

        GitHub: GET /{owner}/settings/billing/ai_credit/usage
        """
        return self._summary(owner, "ai_credit/usage", query)

    def _summary(self, owner: Owner, report: SummaryName, query: Mapping[str, Any]) -> UsageSummary:
        data, action = self._get(owner, report, query)
        try:
            return read_summary(data, self.today(), lags_by_day=report != "usage/summary")
        except ValidationError as error:
            raise invalid(action, error) from None
        except ValueError:
            raise UnexpectedError(f"{action}: the time period in GitHub's response is invalid.") from None

    def _get(self, owner: Owner, report: ReportName, query: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        action = f"read the {report.replace('_', ' ').replace('/', ' ')} of {owner}"
        path = billing_path(owner, what=report)
        return mapping(self._transport.request("GET", path, action=action, query=query), action), action
