"""Client of GitHub's endpoints for exports of usage reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from billing_provider.core.errors import TransportError
from billing_provider.core.ids import Id  # noqa: TC001 - pydantic reads the annotation
from billing_provider.transport.rest import billing_path, mapping, same_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport

UsageReportType = Literal["detailed", "summarized", "premium_request", "ai_credit"]
"""A type of usage report export."""
REPORT_TYPES: tuple[UsageReportType, ...] = get_args(UsageReportType)

PROCESSING = "processing"
COMPLETED = "completed"


@dataclass(config=ConfigDict(allow_inf_nan=False), frozen=True)
class UsageReportExport:
    """One export of a usage report.

    Attributes:
        id: The export's id, assigned by GitHub.
        report_type: One of `REPORT_TYPES`.
        start_date: First day, as `2026-01-31`.
        end_date: Last day.
        status: `processing`, `completed` or `failed`.
        download_urls: URLs of its parts, once completed; each URL is a temporary secret and is not shown.
        created_at: When it was requested, as ISO 8601; None if GitHub does not return it.
        actor: Login of the requester; None if GitHub does not return it.
    """

    id: Id
    report_type: str
    start_date: str
    end_date: str
    status: str
    download_urls: tuple[str, ...] = Field(default=(), repr=False)
    created_at: str | None = None
    actor: str | None = None


_ONE = TypeAdapter(UsageReportExport)
_ALL = TypeAdapter(list[UsageReportExport])


class ReportExportsApi:
    """Client of the report export endpoints of an enterprise."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_report_exports(self, owner: Owner) -> list[UsageReportExport]:
        """Return the exports that GitHub has not removed yet.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).

        GitHub: GET /enterprises/{enterprise}/settings/billing/reports
        """
        action = f"list the report exports of {owner}"
        path = billing_path(owner, what="reports")
        data = mapping(self._transport.request("GET", path, action=action), action)
        try:
            return _ALL.validate_python(data.get("usage_report_exports"))
        except ValidationError:
            raise TransportError(f"{action}: GitHub's response has no list of exports.") from None

    def create_report_export(self, owner: Owner, body: Mapping[str, Any]) -> UsageReportExport:
        """Request an export; GitHub processes one at a time, which takes minutes.

        Args:
            owner: The enterprise.
            body: `report_type`, `start_date`, `end_date` (31 days at most), `send_email`.

        Raises:
            ApiError: Another export is in progress (409).
            InvalidError: GitHub rejects the dates or the type (400).
            TransportError: No readable response; the export may be in progress.

        GitHub: POST /enterprises/{enterprise}/settings/billing/reports
        """
        action = f"request a {body.get('report_type')} report of {owner}"
        path = billing_path(owner, what="reports")
        reply = self._transport.request("POST", path, action=action, body=body, repeatable=False)
        return _export(mapping(reply, action), action)

    def get_report_export(self, owner: Owner, report_id: str) -> UsageReportExport:
        """Return one export.

        Raises:
            NotFoundError: The export does not exist or has been removed (404).
            TransportError: The response is about a different export.

        GitHub: GET /enterprises/{enterprise}/settings/billing/reports/{report_id}
        """
        action = f"read the report export {report_id} of {owner}"
        path = billing_path(owner, report_id, what="reports")
        data = mapping(self._transport.request("GET", path, action=action), action)
        export = _export(data, action)
        same_id(data, report_id, action)
        return export


def _export(data: dict[str, Any], action: str) -> UsageReportExport:
    try:
        return _ONE.validate_python(data)
    except ValidationError:
        raise TransportError(f"{action}: GitHub's response has an unexpected form.") from None
