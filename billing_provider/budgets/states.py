"""The state of a budget, as any version of this package may have stored it: its types are checked before a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, StrictBool, StrictFloat, StrictInt, create_model

from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.models import FIELDS, BudgetSpec
from billing_provider.core.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.core.resource import STATE_CONFIG, read_form
from billing_provider.runtime.on_delete import KEPT_ON_DELETE

if TYPE_CHECKING:
    from collections.abc import Mapping

_FROM_CREATE = ("budget_id", "consumed_amount", "github_entity_name", "cost_center_id", "adopted")
OUTPUTS = (*_FROM_CREATE, KEPT_ON_DELETE, RAISED_TO, EXPIRED)
"""Outputs of a resource that are not inputs; they come from GitHub or from the create."""


class _Outputs(BaseModel):
    """Outputs of a resource that are not inputs."""

    model_config = STATE_CONFIG

    budget_id: Id | None = None
    consumed_amount: StrictFloat | None = None
    github_entity_name: Sendable | None = None
    cost_center_id: Sendable | None = None
    adopted: StrictBool | None = None
    expired: StrictBool | None = None
    kept_on_delete: StrictBool | None = None
    raised_to: StrictInt | StrictFloat | None = None


_FORMS: dict[str, Any] = {name: (field.form.state | None, None) for name, field in FIELDS.items()}
BudgetState = create_model("BudgetState", __base__=_Outputs, **_FORMS)
"""The inputs and outputs of a budget; None and a missing value are equivalent."""


def read_spec(inputs: Mapping[str, Any]) -> BudgetSpec:
    """Return the budget that the checked inputs declare.

    Raises:
        ConfigError: The inputs are not the result of a check.
    """
    return read_form(BudgetSpec, inputs)
