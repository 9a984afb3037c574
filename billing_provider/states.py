"""What a state may hold, whichever version wrote it: the types of its values, read before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, ValidationError

from billing_provider.errors import ConfigError
from billing_provider.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.models import Alerting, BudgetSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=BaseModel)

_LENIENT = ConfigDict(extra="ignore", allow_inf_nan=False)


class BudgetState(BaseModel):
    """The inputs and outputs of a budget; None and a missing value mean the same."""

    model_config = _LENIENT

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


class CostCenterState(BaseModel):
    """The inputs and outputs of a cost center; None and a missing value mean the same."""

    model_config = _LENIENT

    enterprise: Sendable | None = None
    name: Sendable | None = None
    users: list[Sendable] | None = None
    organizations: list[Sendable] | None = None
    repositories: list[Sendable] | None = None
    enterprise_teams: list[Sendable] | None = None
    ai_credit_pool_enabled: StrictBool | None = None
    on_existing: Sendable | None = None
    cost_center_id: Id | None = None
    state: Sendable | None = None
    azure_subscription: Sendable | None = None
    adopted: StrictBool | None = None
    unfinished: StrictBool | None = None


def read_state(form: type[BudgetState | CostCenterState], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a state, without those that are None.

    Args:
        form: What it is the state of.
        raw: Its inputs or its outputs.

    Raises:
        ConfigError: A value has a wrong type.
    """
    there = {name: value for name, value in raw.items() if value is not None}
    return {**there, **_read(form, there).model_dump(exclude_none=True)}


def read_spec(inputs: Mapping[str, Any]) -> BudgetSpec:
    """Return the budget that checked inputs ask for.

    Raises:
        ConfigError: They are not what a check returns.
    """
    return _read(BudgetSpec, inputs)


def _read(form: type[M], values: Mapping[str, Any]) -> M:
    try:
        return form.model_validate(values)
    except ValidationError as error:
        wrong = sorted({str(detail["loc"][0]) for detail in error.errors(include_input=False)})
        raise ConfigError(
            f"the state holds a wrong value of {', '.join(wrong)}. Nothing was sent: correct it in the output of "
            "`pulumi stack export`, then run `pulumi stack import`."
        ) from None
