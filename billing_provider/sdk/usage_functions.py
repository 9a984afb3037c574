"""Data functions on usage: what was used, what it costs before discounts, and what is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.sdk.invoke import ask, later
from billing_provider.usage.queries import Reader

if TYPE_CHECKING:
    import pulumi

    from billing_provider.usage.models import UsageReport, UsageSummary


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
    """Return the usage of an enterprise, an organization or a person by day, SKU and repository.

    GitHub's report of an enterprise leaves out all cost centers; `all_cost_centers` adds them, with one call each.
    The figures of a day move for about two days: `settled` tells, per line and for the period. A total is None where
    nothing is shown and nothing can be known yet.

    Args:
        enterprise: Slug of the enterprise whose usage it is.
        organization: Login of the organization whose usage it is.
        user: Login of the person whose usage it is; none is shown for members of an enterprise or organization.
        year: The year; this year when left out.
        month: The month; the whole year when left out, unless `day` is given.
        day: The day of the month, in UTC.
        cost_center: One cost center of an enterprise, by its name or its UUID.
        all_cost_centers: Whether the usage of all cost centers of an enterprise is added.

    Raises:
        BillingError: A filter does not fit, the token may not read this, or GitHub gave no answer.
    """
    return ask(
        Reader.usage,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        cost_center=cost_center,
        all_cost_centers=all_cost_centers,
    )


def get_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    cost_center: pulumi.Input[str] | None = None,
    all_cost_centers: pulumi.Input[bool] = False,
) -> pulumi.Output[UsageReport]:
    """Return what `get_usage` does, from Inputs; unknown in a preview while one of them is."""
    return later(
        get_usage,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        cost_center=cost_center,
        all_cost_centers=all_cost_centers,
    )


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
    """Return the usage of a period by SKU, cost centers included.

    The widest of `enterprise`, `organization` and `user` is whose usage it is; narrower ones narrow it down.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the person whose own usage it is; this report cannot be narrowed to a user.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        repository: A repository as `owner/name`.
        product: A product, such as `actions`.
        sku: A SKU, such as `actions_linux`.
        cost_center: One cost center of an enterprise, by its name or its UUID; `none` for what is outside all of them.

    Raises:
        BillingError: A filter does not fit, the token may not read this, or GitHub gave no answer.
    """
    return ask(
        Reader.usage_summary,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        repository=repository,
        product=product,
        sku=sku,
        cost_center=cost_center,
    )


def get_usage_summary_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    repository: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    sku: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return what `get_usage_summary` does, from Inputs; unknown in a preview while one of them is."""
    return later(
        get_usage_summary,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        repository=repository,
        product=product,
        sku=sku,
        cost_center=cost_center,
    )


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

    The widest of `enterprise`, `organization` and `user` is whose usage it is; narrower ones narrow it down. For single
    days of the current month GitHub shows 0 although the month's total is real: the totals are None then.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the person.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        model: An AI model, such as `GPT-5`.
        product: A product, such as `Copilot`.
        cost_center: One cost center of an enterprise, by its name or its UUID.

    Raises:
        BillingError: A filter does not fit, the token may not read this, or GitHub gave no answer.
    """
    return ask(
        Reader.model_usage,
        report="premium_request/usage",
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        model=model,
        product=product,
        cost_center=cost_center,
    )


def get_premium_request_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    model: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return what `get_premium_request_usage` does, from Inputs; unknown in a preview while one of them is."""
    return later(
        get_premium_request_usage,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        model=model,
        product=product,
        cost_center=cost_center,
    )


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

    The widest of `enterprise`, `organization` and `user` is whose usage it is; narrower ones narrow it down. For single
    days of the current month GitHub shows 0 although the month's total is real: the totals are None then.

    Args:
        enterprise: Slug of the enterprise.
        organization: Login of the organization.
        user: Login of the person.
        year: The year; this year when left out.
        month: The month; this month when left out, the whole year if `year` is given.
        day: The day of the month, in UTC.
        model: An AI model, such as `GPT-5`.
        product: A product, such as `Copilot`.
        cost_center: One cost center of an enterprise, by its name or its UUID.

    Raises:
        BillingError: A filter does not fit, the token may not read this, or GitHub gave no answer.
    """
    return ask(
        Reader.model_usage,
        report="ai_credit/usage",
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        model=model,
        product=product,
        cost_center=cost_center,
    )


def get_ai_credit_usage_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
    year: pulumi.Input[int] | None = None,
    month: pulumi.Input[int] | None = None,
    day: pulumi.Input[int] | None = None,
    model: pulumi.Input[str] | None = None,
    product: pulumi.Input[str] | None = None,
    cost_center: pulumi.Input[str] | None = None,
) -> pulumi.Output[UsageSummary]:
    """Return what `get_ai_credit_usage` does, from Inputs; unknown in a preview while one of them is."""
    return later(
        get_ai_credit_usage,
        enterprise=enterprise,
        organization=organization,
        user=user,
        year=year,
        month=month,
        day=day,
        model=model,
        product=product,
        cost_center=cost_center,
    )
