"""Create a cost center once: look first, send once, settle what is unknown by looking again, adopt by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import ApiError, BillingError, NotSentError, OutcomeError, TransportError
from billing_provider.core.inputs import ADOPT, ADOPT_IF_IDENTICAL, ERROR
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE, as_inputs, differing
from billing_provider.transport import retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

MAX_POSTS = 3
"""Most POSTs of one create; each but the first only after GitHub provably did not apply the one before."""
_CONFLICT = 409
_FIRST_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class CreatedCostCenter:
    """The cost center that now stands for a resource.

    Attributes:
        center: As GitHub stores it.
        adopted: Whether it was there before.
    """

    center: CostCenterDetails
    adopted: bool


class CostCenterCreate:
    """One create of one cost center; its members come later.

    Args:
        run: What the resources of this engine run share.
        owner: The enterprise.
        urn: The resource that asks.
        inputs: Its checked inputs.
    """

    def __init__(self, run: Run, owner: Owner, urn: str, inputs: Mapping[str, Any]) -> None:
        self._run, self._owner, self._urn, self._inputs = run, owner, urn, inputs
        self._calls = run.api(CostCentersApi)

    def run(self) -> CreatedCostCenter:
        """Bring the cost center about and return it; at no time are there two.

        Raises:
            OutcomeError: One of this name exists and may not be taken over, or the outcome stays unknown.
            ApiError: GitHub refused it; nothing was created.
            NotSentError: No connection; nothing was created.
        """
        with self._run.cache(CostCenterCache, self._owner).lock:
            before = {center.id: center for center in self._calls.list_cost_centers(self._owner)}
            existing = self._named(before)
            if existing is not None:
                return self._adopt(existing)
            try:
                return self._post(before)
            except ApiError as error:
                if error.status != _CONFLICT:
                    raise
                return self._adopt(self._holder_of_name(error))

    def _named(self, listing: Mapping[str, CostCenterDetails]) -> CostCenterDetails | None:
        name = self._inputs["name"].lower()
        found = [center for center in listing.values() if center.state == ACTIVE and center.name.lower() == name]
        if len(found) > 1:
            ids = " and ".join(center.id for center in found)
            raise OutcomeError(f"{self._what()} exists more than once: {ids}. Delete all but one, then run again.")
        return found[0] if found else None

    def _holder_of_name(self, error: ApiError) -> CostCenterDetails:
        """Return the active cost center because of which GitHub refused the name."""
        existing = self._named({center.id: center for center in self._calls.list_cost_centers(self._owner)})
        if existing is None:
            raise OutcomeError(
                f"{self._what()}: {error} No active cost center has this name, so an archived one holds it: "
                "choose another name."
            ) from None
        return existing

    def _adopt(self, existing: CostCenterDetails) -> CreatedCostCenter:
        """Take over a cost center that is there, as far as `on_existing` allows; it is not changed here."""
        holder = self._run.registry.holder(existing.id)
        if holder not in (None, self._urn):
            raise OutcomeError(f"{self._what()} is declared twice: it is {existing.id} of {holder} already.")
        existing = self._calls.get_cost_center(self._owner, existing.id)
        policy = self._inputs.get("on_existing") or ADOPT_IF_IDENTICAL
        different = differing(as_inputs(existing), self._inputs)
        if policy == ERROR or (different and policy != ADOPT):
            how = "is as declared" if not different else f"differs in {', '.join(different)}"
            choice = ADOPT_IF_IDENTICAL if not different else ADOPT
            raise OutcomeError(
                f"{self._what()} exists already as {existing.id}; it {how}. To manage it here set "
                f'on_existing="{choice}", which makes its members those declared, or import it.'
            )
        self._run.registry.adopt(self._urn, existing.id)
        return CreatedCostCenter(existing, adopted=True)

    def _post(self, before: Mapping[str, CostCenterDetails]) -> CreatedCostCenter:
        """Send the create, and again only when the one before provably did nothing."""
        body = {name: self._inputs[name] for name in ("name", "ai_credit_pool_enabled") if name in self._inputs}
        for _ in range(MAX_POSTS):
            started = self._run.clock.now()
            center, failure = self._post_once(before, body)
            center = center or self._confirm(before, started, failure)
            if center is not None:
                self._run.registry.hold(self._urn, center.id)
                return CreatedCostCenter(center, adopted=False)
            if isinstance(failure, OutcomeError):
                raise failure
        raise OutcomeError(f"{self._what()} was not created, as GitHub's listing shows: {failure} Run again later.")

    def _post_once(
        self, before: Mapping[str, CostCenterDetails], body: Mapping[str, Any]
    ) -> tuple[CostCenterDetails | None, BillingError | None]:
        """Return the created cost center, or None with the failure that leaves open whether there is one."""
        try:
            center = self._calls.create_cost_center(self._owner, body)
        except NotSentError:
            raise
        except TransportError as error:
            return None, error
        except ApiError as error:
            if not retry.is_transient(error.status):
                raise
            return None, error
        if center.id in before:
            return None, OutcomeError(
                f"{self._what()}: GitHub answers with the id of {center.id}, which was there before. "
                "Run again: the next run looks first and takes it over."
            )
        return center, None

    def _confirm(
        self, before: Mapping[str, CostCenterDetails], started: float, failure: BillingError | None
    ) -> CostCenterDetails | None:
        """Look for the cost center of an unanswered create until GitHub can no longer be working on it.

        Returns:
            The one new cost center of our name, or None when it is certain that there is none.

        Raises:
            OutcomeError: The listing cannot be read, or shows one that is not ours.
        """
        clock, longest = self._run.clock, self._run.settings.settle_seconds
        look = _FIRST_LOOK_SECONDS
        while True:
            look = min(look, longest)
            clock.sleep(max(0.0, started + look - clock.now()))
            try:
                listing = self._calls.list_cost_centers(self._owner)
            except (ApiError, TransportError) as error:
                raise OutcomeError(
                    f"{self._what()} may have been created: {failure} It could not be looked up: {error} "
                    "Run again: the next run looks first and takes it over."
                ) from None
            found = self._named({center.id: center for center in listing if center.id not in before})
            if found is not None:
                if found.resources:
                    raise OutcomeError(
                        f"{self._what()}: somebody else made {found.id} at this moment. Check it, then run again."
                    )
                return found
            if look >= longest:
                return None
            look = look * 2 + 1

    def _what(self) -> str:
        return f"the cost center {self._inputs['name']} of {self._owner}"
