"""Data functions for usage: quantities, costs before discounts, billed amounts, and report exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from billing_provider.core.errors import ConfigError
from billing_provider.reader import Reader
from billing_provider.sdk.invoke import brief, output_form, run_query
from billing_provider.usage import names

if TYPE_CHECKING:
    from billing_provider.usage.models import UsageReport, UsageSummary
    from billing_provider.usage.report_exports_api import UsageReportExport, UsageReportType


def get_usage(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    user: str | None = None,
    year: int | None = None,
    month: int | None = None,
    day: int | None = None,
    cost_center: str | None = None,
    all_cost_centers: bool = False,
) -> UsageReport:
    """Return the usage of an enterprise, an organization or a user by day, SKU and repository.

    GitHub's report of an enterprise excludes all cost centers; `all_cost_centers` adds them, with one call each.
    The figures of a day may change for about two days; `settled` is True, per line and for the period, once they are
    final. A total is None if GitHub shows no usage but may not have recorded it yet.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the user; GitHub shows no usage for members of an enterprise or organization.
        year: The year; this year when left out.
        month: The month; the whole year when left out, unless `day` is given.
        day: The day of the month, in UTC.
        cost_center: One cost center of an enterprise, by its name or its UUID.
        all_cost_centers: Whether the usage of all cost centers of an enterprise is added.

    Raises:
        BillingError: A filter is not supported, the token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.usage, **locals())


get_usage_output = output_form(get_usage)


def get_usage_summary(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    user: str | None = None,
    year: int | None = None,
    month: int | None = None,
    day: int | None = None,
    repository: str | None = None,
    product: str | None = None,
    sku: str | None = None,
    cost_center: str | None = None,
) -> UsageSummary:
    """Return the usage of a period by SKU, including cost centers.

    The broadest of `enterprise`, `organization` and `user` selects the report; the others filter it.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the user, for the report of a user; this report cannot be filtered by user.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        repository: A repository as `owner/name`.
        product: A product, such as `actions`.
        sku: A SKU, such as `actions_linux`.
        cost_center: One cost center of an enterprise, by its name or its UUID; `none` for usage outside all of them.

    Raises:
        BillingError: A filter is not supported, a name without usage is not known, the token may not read this, or
            GitHub did not respond.
    """
    return run_query(names.summary, report="usage/summary", **locals())


get_usage_summary_output = output_form(get_usage_summary)


def get_premium_request_usage(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    user: str | None = None,
    year: int | None = None,
    month: int | None = None,
    day: int | None = None,
    model: str | None = None,
    product: str | None = None,
    cost_center: str | None = None,
) -> UsageSummary:
    """Return the use of premium requests in a period by model.

    The broadest of `enterprise`, `organization` and `user` selects the report; the others filter it. GitHub shows 0 for
    single days of the current month, although the month's total is correct; the totals are then None.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the user.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        model: An AI model, such as `GPT-5`.
        product: A product, such as `Copilot`.
        cost_center: One cost center of an enterprise, by its name or its UUID.

    Raises:
        BillingError: A filter is not supported, a name without usage is not known, the token may not read this, or
            GitHub did not respond.
    """
    return run_query(names.summary, report="premium_request/usage", **locals())


get_premium_request_usage_output = output_form(get_premium_request_usage)


def get_ai_credit_usage(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    user: str | None = None,
    year: int | None = None,
    month: int | None = None,
    day: int | None = None,
    model: str | None = None,
    product: str | None = None,
    cost_center: str | None = None,
) -> UsageSummary:
    """Return the use of AI credits in a period by model.

    The broadest of `enterprise`, `organization` and `user` selects the report; the others filter it. GitHub shows 0 for
    single days of the current month, although the month's total is correct; the totals are then None.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the user.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        model: An AI model, such as `GPT-5`.
        product: A product, such as `Copilot`.
        cost_center: One cost center of an enterprise, by its name or its UUID.

    Raises:
        BillingError: A filter is not supported, a name without usage is not known, the token may not read this, or
            GitHub did not respond.
    """
    return run_query(names.summary, report="ai_credit/usage", **locals())


get_ai_credit_usage_output = output_form(get_ai_credit_usage)


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
