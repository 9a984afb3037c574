"""Data functions for budgets, the effective budget of a user, and user states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.reader import Reader
from billing_provider.sdk.invoke import output_form, run_query

if TYPE_CHECKING:
    from billing_provider.budgets.models import BudgetDetails
    from billing_provider.core.owners import BudgetScope
    from billing_provider.usage.user_states import EffectiveBudget, UserState


def get_budgets(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    scope: BudgetScope | None = None,
    user: str | None = None,
) -> list[BudgetDetails]:
    """Return all budgets of an enterprise or an organization, managed by Pulumi or not.

    Args:
        enterprise: Slug of the enterprise; either this or `organization` is required.
        organization: Login of the organization.
        scope: Only budgets of this scope.
        user: Only budgets that apply, or may apply, to this login: of the caps per user the narrowest, budgets of cost
            centers with this member, and those that cover the usage of everyone.

    Raises:
        BillingError: The owner is invalid, the token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.budgets, **locals())


get_budgets_output = output_form(get_budgets)


def get_budget(
    *,
    budget_id: str,
    enterprise: str | None = None,
    organization: str | None = None,
) -> BudgetDetails:
    """Return one budget.

    Args:
        budget_id: GitHub's id of the budget, as the output `budget_id` of a resource shows it.
        enterprise: Slug of the enterprise that owns it; either this or `organization` is required.
        organization: Login of the organization that owns it.

    Raises:
        NotFoundError: The budget does not exist or is hidden from the token (404).
        BillingError: The owner is invalid, the token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.budget, **locals())


get_budget_output = output_form(get_budget)


def get_effective_budget(
    *,
    user: str,
    enterprise: str | None = None,
    organization: str | None = None,
) -> EffectiveBudget:
    """Return the budget that applies to one user: the individual, cost center or general budget.

    Args:
        user: Login of the user.
        enterprise: Slug of the enterprise; either this or `organization` is required.
        organization: Login of the organization.

    Raises:
        BillingError: The owner is invalid, the token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.effective_budget, **locals())


get_effective_budget_output = output_form(get_effective_budget)


def get_user_states(
    *,
    enterprise: str,
    budget_id: str,
    user: str | None = None,
    rising: bool = False,
    threshold_lower_bound: int | None = None,
    threshold_upper_bound: int | None = None,
) -> list[UserState]:
    """Return the consumption of each user of a budget; users without usage this month are not listed.

    Args:
        enterprise: Slug of the enterprise.
        budget_id: GitHub's id of the budget.
        user: Only this login.
        rising: Whether users with the lowest consumption come first.
        threshold_lower_bound: Only users at this percentage of the amount or more. GitHub takes the percentage of this
            budget's amount, also for a user with a budget of their own.
        threshold_upper_bound: Only users at this percentage of the amount or less.

    Raises:
        BillingError: The token may not read this, or GitHub did not respond.
    """
    return run_query(Reader.user_states, **locals())


get_user_states_output = output_form(get_user_states)
