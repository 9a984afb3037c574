"""Request a usage report export, wait for it with progress messages, and download its rows."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING

from billing_provider.core.clock import day
from billing_provider.core.errors import ApiError, ConfigError, OutcomeError, TransportError
from billing_provider.runtime.poll import poll
from billing_provider.transport import retry
from billing_provider.transport.download import download
from billing_provider.usage.models import settled_through
from billing_provider.usage.report_exports_api import COMPLETED, PROCESSING, REPORT_TYPES, ReportExportsApi

if TYPE_CHECKING:
    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run
    from billing_provider.usage.report_exports_api import UsageReportExport

MOST_DAYS = 31
"""Maximum number of days of one export; a longer period is requested in parts."""
_CONFLICT = 409
_FIRST_POLL_SECONDS = 2.0
_LONGEST_POLL_SECONDS = 15.0


def read_day(name: str, text: str) -> date:
    """Parse a date in the form `2026-01-31`.

    Raises:
        ConfigError: The text is not a valid date.
    """
    try:
        return day(text)
    except (TypeError, ValueError):
        raise ConfigError(f"{name}: write a date such as 2026-01-31, not {ascii(text)[:60]}") from None


class ReportExports:
    """The report exports of one enterprise.

    Args:
        run: Endpoints, clock and reporter.
        owner: The enterprise.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner = run, owner
        self._api = run.api(ReportExportsApi)

    def rows(self, report_type: str, start_date: str, end_date: str) -> list[dict[str, str]]:
        """Return the rows of a report as dicts, keyed by GitHub's column names.

        An existing export of the same report is reused if its figures are final or it was created today.

        Args:
            report_type: One of `REPORT_TYPES`.
            start_date: First day.
            end_date: Last day; more than 31 days are requested in parts, sequentially.

        Raises:
            ConfigError: The type or a date is invalid.
            OutcomeError: GitHub failed to create the export.
            WaitError: The export takes longer than `github-billing:maxWaitSeconds`.
            ApiError, TransportError: The export cannot be requested or read.
        """
        if report_type not in REPORT_TYPES:
            raise ConfigError(f"report_type: write one of {', '.join(REPORT_TYPES)}")
        start, end = read_day("start_date", start_date), read_day("end_date", end_date)
        if start > end:
            raise ConfigError("start_date: choose a date that is not after end_date")
        rows: list[dict[str, str]] = []
        while start <= end:
            last = min(end, start + timedelta(days=MOST_DAYS - 1))
            rows += self._part(report_type, start, last)
            start = last + timedelta(days=1)
        return rows

    def _part(self, report_type: str, start: date, end: date) -> list[dict[str, str]]:
        name = f"the {report_type} report of {self._owner}, {start} to {end}"
        export = self._wait_for(self._find_or_request(report_type, start, end, name), name)
        rows: list[dict[str, str]] = []
        for number, url in enumerate(export.download_urls, 1):
            self._run.show(f"fetching {name}: part {number} of {len(export.download_urls)}", f"fetching {name}")
            text = download(url, self._run.settings, f"fetch {name}")
            rows += _table(text, f"fetch {name}")
        return rows

    def _find_or_request(self, report_type: str, start: date, end: date, name: str) -> UsageReportExport:
        """Return an export for these days; request one only if none exists."""
        body = {"report_type": report_type, "start_date": str(start), "end_date": str(end), "send_email": False}

        def find_or_request() -> UsageReportExport | None:
            if (export := self._existing(report_type, start, end)) is not None:
                return export
            try:
                return self._api.create_report_export(self._owner, body)
            except (TransportError, ApiError) as error:
                if isinstance(error, ApiError) and error.status == _CONFLICT:
                    return None
                lost = isinstance(error, TransportError) or retry.is_transient(error.status)
                if lost and (export := self._existing(report_type, start, end)) is not None:
                    return export
                raise

        what, pause = f"another report before {name}", _LONGEST_POLL_SECONDS
        return find_or_request() or poll(self._run, find_or_request, what, first_seconds=pause, longest_seconds=pause)

    def _existing(self, report_type: str, start: date, end: date) -> UsageReportExport | None:
        """Return an existing export for these days, if it is final, in progress or created today."""
        today = self._run.clock.utc().date()
        for export in self._api.list_report_exports(self._owner):
            same = (export.report_type, export.start_date, export.end_date) == (report_type, str(start), str(end))
            made = _day_of(export.created_at)
            final = made is not None and end <= settled_through(made)
            if same and (export.status == PROCESSING or (export.status == COMPLETED and (final or made == today))):
                return export
        return None

    def _wait_for(self, export: UsageReportExport, name: str) -> UsageReportExport:
        """Wait until GitHub has completed the export, and return it."""

        def completed_or_failed() -> UsageReportExport | None:
            now = self._api.get_report_export(self._owner, export.id)
            return None if now.status == PROCESSING else now

        made = export
        if export.status == PROCESSING:
            first, longest = _FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS
            made = poll(self._run, completed_or_failed, name, first_seconds=first, longest_seconds=longest)
        if made.status != COMPLETED:
            raise OutcomeError(
                f"{name}: the export ended with the status {made.status}. Request it again, or request fewer days."
            )
        return made


def _day_of(moment: str | None) -> date | None:
    """Return the date of a timestamp, or None if it is missing or invalid."""
    try:
        return day((moment or "")[:10])
    except ValueError:
        return None


def _table(text: str, action: str) -> list[dict[str, str]]:
    """Parse a CSV file into dicts, keyed by column name.

    Raises:
        TransportError: The file is not valid CSV: a row does not match the columns, or a quote is not closed.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(text), restval=None, strict=True))
    except csv.Error as error:
        raise TransportError(f"{action}: the file is not a valid table ({error}). Request the report again.") from None
    if any(None in row or None in row.values() for row in rows):
        raise TransportError(
            f"{action}: the file is not a valid table (a row does not match the columns). Request the report again."
        )
    return rows
