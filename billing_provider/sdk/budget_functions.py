"""Data functions on budgets: those of an owner, what binds one user, and how far each user is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.sdk.invoke import ask, later
from billing_provider.usage.queries import Reader

if TYPE_CHECKING:
    import pulumi

    from billing_provider.budgets.user_states import EffectiveBudget, UserState
    from billing_provider.usage.queries import BudgetDetails


def get_budgets(
    *,
    enterprise: str | None = None,
    organization: str | None = None,
    scope: str | None = None,
    user: str | None = None,
) -> list[BudgetDetails]:
    """Return the budgets of an enterprise or an organization, whoever manages them.

    Args:
        enterprise: Slug of the enterprise; either it or `organization` is needed.
        organization: Login of the organization.
        scope: Only budgets of this scope.
        user: Only budgets that concern this login.

    Raises:
        BillingError: The owner is none, the token may not read this, or GitHub gave no answer.
    """
    return ask(Reader.budgets, enterprise=enterprise, organization=organization, scope=scope, user=user)


def get_budgets_output(
    *,
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
    scope: pulumi.Input[str] | None = None,
    user: pulumi.Input[str] | None = None,
) -> pulumi.Output[list[BudgetDetails]]:
    """Return what `get_budgets` does, from Inputs; unknown in a preview while one of them is."""
    return later(get_budgets, enterprise=enterprise, organization=organization, scope=scope, user=user)


def get_budget(
    *,
    budget_id: str,
    enterprise: str | None = None,
    organization: str | None = None,
) -> BudgetDetails:
    """Return one budget.

    Args:
        budget_id: GitHub's id of the budget, as the output `budget_id` of a resource shows it.
        enterprise: Slug of the enterprise that owns it; either it or `organization` is needed.
        organization: Login of the organization that owns it.

    Raises:
        NotFoundError: There is none, or it is hidden from the token (404).
        BillingError: The owner is none, the token may not read this, or GitHub gave no answer.
    """
    return ask(Reader.budget, budget_id=budget_id, enterprise=enterprise, organization=organization)


def get_budget_output(
    *,
    budget_id: pulumi.Input[str],
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
) -> pulumi.Output[BudgetDetails]:
    """Return what `get_budget` does, from Inputs; unknown in a preview while one of them is."""
    return later(get_budget, budget_id=budget_id, enterprise=enterprise, organization=organization)


def get_effective_budget(
    *,
    user: str,
    enterprise: str | None = None,
    organization: str | None = None,
) -> EffectiveBudget:
    """Return the budget that binds one person: an own one, that of a cost center, or the one for everybody.

    Args:
        user: Login of the person.
        enterprise: Slug of the enterprise; either it or `organization` is needed.
        organization: Login of the organization.

    Raises:
        BillingError: The owner is none, the token may not read this, or GitHub gave no answer.
    """
    return ask(Reader.effective_budget, user=user, enterprise=enterprise, organization=organization)


def get_effective_budget_output(
    *,
    user: pulumi.Input[str],
    enterprise: pulumi.Input[str] | None = None,
    organization: pulumi.Input[str] | None = None,
) -> pulumi.Output[EffectiveBudget]:
    """Return what `get_effective_budget` does, from Inputs; unknown in a preview while one of them is."""
    return later(get_effective_budget, user=user, enterprise=enterprise, organization=organization)


def get_user_states(
    *,
    enterprise: str,
    budget_id: str,
    user: str | None = None,
    rising: bool = False,
    threshold_lower_bound: int | None = None,
    threshold_upper_bound: int | None = None,
) -> list[UserState]:
    """Return how far each user of a budget of many users is; a user appears with the first use of the month.

    Args:
        enterprise: Slug of the enterprise.
        budget_id: GitHub's id of the budget.
        user: Only this login.
        rising: Whether those who used least come first.
        threshold_lower_bound: Only users at this percentage of the amount or more.
        threshold_upper_bound: Only users at this percentage of the amount or less.

    Raises:
        BillingError: The token may not read this, or GitHub gave no answer.
    """
    return ask(
        Reader.user_states,
        enterprise=enterprise,
        budget_id=budget_id,
        user=user,
        rising=rising,
        threshold_lower_bound=threshold_lower_bound,
        threshold_upper_bound=threshold_upper_bound,
    )


def get_user_states_output(
    *,
    enterprise: pulumi.Input[str],
    budget_id: pulumi.Input[str],
    user: pulumi.Input[str] | None = None,
    rising: pulumi.Input[bool] = False,
    threshold_lower_bound: pulumi.Input[int] | None = None,
    threshold_upper_bound: pulumi.Input[int] | None = None,
) -> pulumi.Output[list[UserState]]:
    """Return what `get_user_states` does, from Inputs; unknown in a preview while one of them is."""
    return later(
        get_user_states,
        enterprise=enterprise,
        budget_id=budget_id,
        user=user,
        rising=rising,
        threshold_lower_bound=threshold_lower_bound,
        threshold_upper_bound=threshold_upper_bound,
    )
