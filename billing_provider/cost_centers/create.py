"""The create of a cost center: how to list, match, send and adopt it; `CreateOnce` is the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import OutcomeError
from billing_provider.core.redact import quoted
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import (
    ACTIVE,
    MEMBER_KINDS,
    CostCenterDetails,
    as_inputs,
    differing,
    plain_member,
)
from billing_provider.runtime.create_once import Created, CreateOnce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.core.errors import ApiError
    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

_CONFLICT = 409


class CostCenterCreate(CreateOnce[CostCenterDetails]):
    """The create of one cost center, without its members; the lifecycle adds them afterwards.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The enterprise.
        urn: The URN of the resource to create.
        inputs: The checked inputs.
    """

    effect_of_adopting = ", which makes its members those declared"

    def __init__(self, run: Run, owner: Owner, urn: str, inputs: Mapping[str, Any]) -> None:
        super().__init__(run, owner, urn, inputs.get("on_existing") or run.guards.on_existing)
        self._inputs = inputs
        self._api = run.api(CostCentersApi)

    def run(self) -> Created[CostCenterDetails]:
        """Create or adopt the cost center and return it; an adopted one is not changed yet.

        Raises:
            BillingError: As for `CreateOnce.create_or_adopt`.
        """
        with self._run.cache(CostCenterCache, self._owner).lock:
            return self.create_or_adopt()

    def what(self) -> str:
        """Return the description of the cost center, for messages."""
        return f"the cost center {quoted(self._inputs['name'])} of {self._owner}"

    def list_known(self) -> Mapping[str, CostCenterDetails]:
        """Return the enterprise's cost centers, including archived ones, from the listing of this run."""
        return {center.id: center for center in self._run.cache(CostCenterCache, self._owner).list_all()}

    def list_before(self) -> Mapping[str, CostCenterDetails]:
        """Return the enterprise's cost centers, including archived ones."""
        return self.list_now()

    def list_now(self) -> Mapping[str, CostCenterDetails]:
        """Return the enterprise's cost centers, including archived ones."""
        return {center.id: center for center in self._run.cache(CostCenterCache, self._owner).list_all(0.0)}

    def matches(
        self, listing: Mapping[str, CostCenterDetails]
    ) -> tuple[list[CostCenterDetails], list[CostCenterDetails]]:
        """Return the active cost centers of this name; the match is always certain.

        Raises:
            OutcomeError: There is none, and one that was not understood may have the name.
        """
        active = {id_: center for id_, center in listing.items() if center.state == ACTIVE}
        certain = self._with_name(active)
        for other in () if certain else self._run.cache(CostCenterCache, self._owner).opaque():
            if other.may_be(self._inputs["name"]) and not other.is_archived:
                raise OutcomeError(
                    f"{self.what()} may exist already as {other}. Compare it on GitHub: if it is the declared one, "
                    "remove one of the two, then run again."
                )
        return certain, []

    def is_new_and_ours(self, found: CostCenterDetails) -> bool:
        """Return whether a new cost center is empty: a create adds no members."""
        return not found.resources

    def send(self) -> CostCenterDetails:
        """Send the create once."""
        body = {name: self._inputs[name] for name in ("name", "ai_credit_pool_enabled") if name in self._inputs}
        return self._api.create_cost_center(self._owner, body)

    def is_conflict(self, error: ApiError) -> bool:
        """Return whether GitHub refused the name because it is taken."""
        return error.status == _CONFLICT

    def conflict_message(self, error: ApiError, listing: Mapping[str, CostCenterDetails]) -> str:
        """Return the message: an archived cost center has the name, or the listing does not show which one has it."""
        if self._with_name(listing):
            return (
                f"{self.what()}: {error} No active cost center has this name, so an archived one has it: "
                "choose another name."
            )
        return f"{self.what()} exists already, but the listing does not show it: {error} Run again later."

    def compare_existing(self, existing: CostCenterDetails) -> tuple[CostCenterDetails, list[str], list[str]]:
        """Return the cost center with all members, the inputs that differ, and those that only `adopt` may change.

        If all existing members are declared, others may be missing: an interrupted create leaves this state.
        """
        existing = self._api.get_cost_center(self._owner, existing.id)
        different = differing(as_inputs(existing), self._inputs)
        if self._has_others(existing):
            return existing, different, different
        return existing, different, [name for name in different if name not in MEMBER_KINDS]

    def allow(self, existing: CostCenterDetails | None, different: list[str]) -> None:
        """Allow every create: a new cost center or another member of one raises no cap."""

    def update(self, existing: CostCenterDetails, different: list[str]) -> CostCenterDetails:  # noqa: ARG002 - unused
        """Return the cost center unchanged: the lifecycle updates it afterwards."""
        return existing

    def _with_name(self, listing: Mapping[str, CostCenterDetails]) -> list[CostCenterDetails]:
        name = self._inputs["name"].lower()
        same = [center for center in listing.values() if center.name.lower() == name]
        return same or [center for center in listing.values() if center.name.strip().lower() == name.strip()]

    def _has_others(self, center: CostCenterDetails) -> bool:
        """Return whether a cost center has a member of any kind that is not declared."""
        declared = {(kind, plain_member(kind, name)) for kind in MEMBER_KINDS for name in self._inputs.get(kind, ())}
        there = [(resource.kind or "", resource.name) for resource in center.resources]
        return any((kind, plain_member(kind, name)) not in declared for kind, name in there)
