"""Data functions for cost centers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.reader import Reader
from billing_provider.sdk.invoke import output_form, run_query

if TYPE_CHECKING:
    from billing_provider.cost_centers.models import CostCenterDetails, CostCenterState


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
