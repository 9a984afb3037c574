"""The cost centers of one enterprise, listed once a run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from billing_provider.core.errors import OutcomeError
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.models import ACTIVE

if TYPE_CHECKING:
    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

FRESH_SECONDS = 300.0
"""How long a listing is used in one run; a change of ours ends it."""


class CostCenterCache:
    """What a run knows of an enterprise's cost centers; safe to share between threads.

    Args:
        run: The endpoints and the clock.
        owner: The enterprise.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner, self._clock = run, owner, run.clock
        self.lock = threading.RLock()
        self._cost_centers: list[CostCenterDetails] | None = None
        self._centers_at = float("-inf")

    def list_all(self, max_age: float = FRESH_SECONDS) -> list[CostCenterDetails]:
        """Return every cost center, archived ones too.

        Args:
            max_age: Seconds that a listing may be old; after a change of ours GitHub is asked too.

        Raises:
            ApiError: The token may not read them (401, 403).
        """
        with self.lock:
            if self._cost_centers is None or self._clock.now() - self._centers_at >= max_age:
                self._centers_at = self._clock.now()
                self._cost_centers = self._run.api(CostCentersApi).list_cost_centers(self._owner)
            return list(self._cost_centers)

    def forget(self) -> None:
        """Note that this run has created, renamed or archived one, or moved members."""
        with self.lock:
            self._cost_centers = None

    def find(self, name_or_id: str, max_age: float = FRESH_SECONDS) -> CostCenterDetails:
        """Return a cost center by its UUID or its name.

        Args:
            name_or_id: Either, in any case.
            max_age: As for `all`.

        Raises:
            OutcomeError: There is none, or the name fits several.
            ApiError: The token may not read them (401, 403).
        """
        active = [center for center in self.list_all(max_age) if center.state == ACTIVE]
        found = [center for center in active if center.id.lower() == name_or_id.lower()]
        found = found or [center for center in active if center.name == name_or_id]
        found = found or [center for center in active if center.name.lower() == name_or_id.lower()]
        if len(found) == 1:
            return found[0]
        names = ", ".join(sorted(center.name for center in active)[:20]) or "none"
        fits = "several are" if found else "none is"
        raise OutcomeError(f"find the cost center {name_or_id} of {self._owner}: {fits} called so; there are {names}")
