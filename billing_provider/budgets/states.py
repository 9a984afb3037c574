"""What a state may hold, whichever version wrote it: the types of its values, read before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, StrictBool, StrictFloat, StrictInt

from billing_provider.budgets.models import Alerting, BudgetSpec
from billing_provider.core.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.core.resource import STATE_CONFIG, read_form

if TYPE_CHECKING:
    from collections.abc import Mapping


class BudgetState(BaseModel):
    """The inputs and outputs of a budget; None and a missing value mean the same."""

    model_config = STATE_CONFIG

    enterprise: Sendable | None = None
    organization: Sendable | None = None
    budget_amount: StrictInt | StrictFloat | None = None
    budget_product_sku: Sendable | None = None
    budget_type: Sendable | None = None
    budget_scope: Sendable | None = None
    budget_entity_name: Sendable | None = None
    user: Sendable | None = None
    prevent_further_usage: StrictBool | None = None
    budget_alerting: Alerting | None = None
    expires_at: Sendable | None = None
    exclude_cost_center_usage: StrictBool | None = None
    on_existing: Sendable | None = None
    budget_id: Id | None = None
    consumed_amount: StrictFloat | None = None
    github_entity_name: Sendable | None = None
    cost_center_id: Sendable | None = None
    adopted: StrictBool | None = None


def read_spec(inputs: Mapping[str, Any]) -> BudgetSpec:
    """Return the budget that checked inputs ask for.

    Raises:
        ConfigError: They are not what a check returns.
    """
    return read_form(BudgetSpec, inputs)
