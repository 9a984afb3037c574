"""The state of a cost center, as any version of this package may have stored it."""

from __future__ import annotations

from pydantic import BaseModel, StrictBool

from billing_provider.core.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.core.resource import STATE_CONFIG, UNFINISHED
from billing_provider.runtime.on_delete import KEPT_ON_DELETE

OUTPUTS = ("cost_center_id", "state", "azure_subscription", "adopted", KEPT_ON_DELETE, UNFINISHED)
"""Outputs of a cost center that are not inputs."""


class CostCenterState(BaseModel):
    """The inputs and outputs of a cost center; None and a missing value are equivalent."""

    model_config = STATE_CONFIG

    enterprise: Sendable | None = None
    name: Sendable | None = None
    users: list[Sendable] | None = None
    organizations: list[Sendable] | None = None
    repositories: list[Sendable] | None = None
    enterprise_teams: list[Sendable] | None = None
    ai_credit_pool_enabled: StrictBool | None = None
    on_existing: Sendable | None = None
    on_delete: Sendable | None = None
    cost_center_id: Id | None = None
    state: Sendable | None = None
    azure_subscription: Sendable | None = None
    adopted: StrictBool | None = None
    kept_on_delete: StrictBool | None = None
    unfinished: StrictBool | None = None
