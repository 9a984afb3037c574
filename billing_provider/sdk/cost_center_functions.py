"""Data functions for cost centers and enterprise teams."""

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
        BillingError: It does not exist, the token may not read this, GitHub did not respond, or members on several
            pages changed while they were read.
    """
    return run_query(Reader.cost_center, **locals())


get_cost_center_output = output_form(get_cost_center)


def get_enterprise_team_members(
    *,
    enterprise: str,
    enterprise_team: str,
) -> list[str]:
    """Return the logins of all members of an enterprise team.

    Nobody is left out: if the list may be incomplete, or a member has no login, the function raises an error.

    Args:
        enterprise: Slug of the enterprise.
        enterprise_team: The slug of the team, with or without `ent:`.

    Raises:
        NotFoundError: The team does not exist or is hidden from the token (404).
        BillingError: The token may not read this, GitHub did not respond, or the team changed while it was read.
    """
    return run_query(Reader.enterprise_team_members, **locals())


get_enterprise_team_members_output = output_form(get_enterprise_team_members)
