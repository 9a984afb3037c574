"""Exports of usage: created one at a time, polled, and downloaded as CSV from a URL without a token."""

from __future__ import annotations

import csv
import io
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.access import only_enterprise_staff
from billing_provider.sandbox.operations.replies import Reply, bad_request, conflict, not_found, require
from billing_provider.sandbox.store import ledger
from billing_provider.sandbox.store.clock import utc
from billing_provider.sandbox.store.records import StoredExport, parse_day

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.store.ledger import UsageRow
    from billing_provider.sandbox.store.state import SandboxState

DOWNLOADS = "/_download/"
_TYPES = ("detailed", "summarized", "premium_request", "ai_credit")
_MOST_DAYS = 31
_OLDEST_DAYS = 731
_WORK_SECONDS = 5
_WORK_LOOKS = 2
_DAY_SECONDS = 86400
_COLUMNS = (
    *("date", "product", "sku", "model", "quantity", "unit_type", "applied_cost_per_quantity"),
    *("gross_amount", "discount_amount", "net_amount", "username", "organization", "repository", "cost_center_name"),
)


def create_export(call: Call) -> Reply:
    """Start an export; it is refused while another one is in progress."""
    only_enterprise_staff(call.token, "create a usage report")
    body = call.body
    require(body, ("report_type", "start_date"))
    if body["report_type"] not in _TYPES:
        raise bad_request(f"Invalid value for report_type: one of {', '.join(_TYPES)} is needed.")
    if not isinstance(body.get("send_email", False), bool):
        raise bad_request("Invalid value for send_email: true or false is needed.")
    today = call.state.today()
    start = _date(body, "start_date", today)
    end = _date(body, "end_date", today)
    if not start <= end <= today or (end - start).days >= _MOST_DAYS or (today - start).days > _OLDEST_DAYS:
        raise bad_request(f"The dates must span at most {_MOST_DAYS} days of the past 24 months.")
    _retire(call.state)
    if any(not _is_done(call, export) for export in call.state.exports.values()):
        raise conflict("A usage report export is already in progress.")
    export = StoredExport(
        id=call.state.new_id(),
        report_type=body["report_type"],
        start_date=start.isoformat(),
        end_date=end.isoformat(),
        created_at=call.state.clock(),
        actor=call.token.login,
    )
    call.state.exports[export.id] = export
    return Reply(_show(call, export), HTTPStatus.ACCEPTED)


def list_exports(call: Call) -> Reply:
    """Return all exports of the last 31 days."""
    only_enterprise_staff(call.token, "retrieve usage reports")
    _retire(call.state)
    return Reply({"usage_report_exports": [_show(call, export) for export in call.state.exports.values()]})


def get_export(call: Call) -> Reply:
    """Return one export; each read advances its progress."""
    only_enterprise_staff(call.token, "retrieve usage reports")
    _retire(call.state)
    export = call.state.exports.get(call.params["report_id"])
    if export is None:
        raise not_found()
    export.looks += 1
    return Reply(_show(call, export))


def download(state: SandboxState, name: str) -> str | None:
    """Return the CSV of a finished export, or None if there is no such file."""
    export = state.exports.get(name.removesuffix(".csv"))
    if export is None:
        return None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    start, end = date.fromisoformat(export.start_date), date.fromisoformat(export.end_date)
    for row in ledger.rows(state, start, end):
        if export.report_type in {"detailed", "summarized"} or export.report_type in row.sku:
            writer.writerow(_line(state, row))
    return text.getvalue()


def _line(state: SandboxState, row: UsageRow) -> tuple[Any, ...]:
    center = ledger.cost_center_of(state, row)
    amounts = (ledger.dollars(units * row.price) for units in (1, row.quantity, row.discount, row.net))
    return (
        *(row.day, row.product.lower(), row.sku, row.model, row.quantity, row.unit, *amounts),
        *(row.user, row.organization, row.repository, center.name if center else ""),
    )


def _date(body: dict[str, Any], name: str, default: date) -> date:
    if name not in body:
        return default
    day = parse_day(body[name])
    if day is None:
        raise bad_request(f"Invalid value for {name}: a date in the form YYYY-MM-DD is needed.")
    return day


def _retire(state: SandboxState) -> None:
    kept = state.clock() - _MOST_DAYS * _DAY_SECONDS
    state.exports = {name: export for name, export in state.exports.items() if export.created_at > kept}


def _is_done(call: Call, export: StoredExport) -> bool:
    return export.looks >= _WORK_LOOKS or call.state.clock() >= export.created_at + _WORK_SECONDS


def _show(call: Call, export: StoredExport) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": export.id,
        "report_type": export.report_type,
        "start_date": export.start_date,
        "end_date": export.end_date,
        "status": "processing",
        "created_at": utc(export.created_at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "actor": export.actor,
    }
    if _is_done(call, export):
        failed = "export_fails" in call.quirks
        body["status"] = "failed" if failed else "completed"
        if not failed:
            root = call.url.partition("/api/")[0]
            body["download_urls"] = [f"{root}{DOWNLOADS}{export.id}.csv"]
    return body
