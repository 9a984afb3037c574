"""Data functions for cost centers and for the usage report exports of an enterprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from billing_provider.core.errors import ConfigError
from billing_provider.reader import Reader
from billing_provider.sdk.invoke import brief, output_form, run_query

if TYPE_CHECKING:
    from billing_provider.cost_centers.models import CostCenterDetails, CostCenterState
    from billing_provider.usage.exports_api import UsageReportExport, UsageReportType


def get_cost_centers(
    *,
    enterprise: str,
    state: CostCenterState | None = None,
) -> list[CostCenterDetails]:
    """Return the cost centers of an enterprise with their members.

    Args:
        enterprise: Slug of the enterprise.
        state: `active` or `deleted`; both when left out.

    Raises:
        BillingError: The token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.cost_centers, **locals())


get_cost_centers_output = output_form(get_cost_centers)


def get_cost_center(
    *,
    enterprise: str,
    cost_center: str,
) -> CostCenterDetails:
    """Return one cost center with all its members.

    Args:
        enterprise: Slug of the enterprise.
        cost_center: Its name or its UUID.

    Raises:
        BillingError: It does not exist, the token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.cost_center, **locals())


get_cost_center_output = output_form(get_cost_center)


def get_usage_report_exports(
    *,
    enterprise: str,
) -> list[UsageReportExport]:
    """Return the usage report exports that GitHub has not removed yet.

    Args:
        enterprise: Slug of the enterprise.

    Raises:
        BillingError: The token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.report_exports, **locals())


get_usage_report_exports_output = output_form(get_usage_report_exports)


def get_usage_report_export(
    *,
    enterprise: str,
    report_id: str,
) -> UsageReportExport:
    """Return one export of a usage report, with its state.

    Args:
        enterprise: Slug of the enterprise.
        report_id: GitHub's id of the export.

    Raises:
        NotFoundError: The export does not exist or has been removed (404).
        BillingError: The token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.report_export, **locals())


get_usage_report_export_output = output_form(get_usage_report_export)


def get_usage_report_rows(
    *,
    enterprise: str,
    report_type: UsageReportType,
    start_date: str,
    end_date: str,
) -> list[dict[str, str]]:
    """Return the rows of a usage report export as dicts, keyed by GitHub's column names.

    An existing export for these days is reused if its figures are final or it was created today; otherwise a new one
    is requested. GitHub processes one export at a time, which takes minutes; a status line shows the progress. A
    preview writes nothing, so this function raises an error there; use `get_usage_report_rows_output`, which is
    unknown in a preview.

    Args:
        enterprise: Slug of the enterprise.
        report_type: `detailed`, `summarized`, `premium_request` or `ai_credit`.
        start_date: First day, as `2026-01-01`.
        end_date: Last day; more than 31 days are requested in parts.

    Raises:
        ConfigError: This is a preview; no request is sent.
        OutcomeError: GitHub failed to create the report.
        BillingError: A date is invalid, the token may not do this, GitHub did not respond, or the wait is too long.
    """
    if pulumi.runtime.is_dry_run():
        raise brief(
            ConfigError(
                "read the rows of a usage report: a preview writes nothing, so no export is asked for. Use "
                "get_usage_report_rows_output, which is unknown in a preview, or skip the call where "
                "pulumi.runtime.is_dry_run()."
            )
        )
    return run_query(Reader.report_rows, **locals())


get_usage_report_rows_output = output_form(get_usage_report_rows, writes=True)
