"""The cost centers of one enterprise, listed once a run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from billing_provider.core.errors import ConfigError
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.models import ACTIVE, DELETED

if TYPE_CHECKING:
    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

FRESH_SECONDS = 300.0
"""How long a listing is used in one run; a change of ours ends it."""
_NAMES, _SHOWN = 20, 60


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

    def find(self, name_or_id: str, max_age: float = FRESH_SECONDS, *, archived: bool = False) -> CostCenterDetails:
        """Return a cost center by its UUID or its name; one that is not found is looked for in a new listing too.

        It may have been made since the list was read: by this very deployment, as in `get_usage_output`.

        Args:
            name_or_id: Either, in any case; a name in its own case goes first.
            max_age: As for `list_all`.
            archived: Whether an archived one is found too, by its name only if no active one has the name.

        Raises:
            ConfigError: There is none, or the name fits several.
            ApiError: The token may not read them (401, 403).
        """
        states = (ACTIVE, DELETED) if archived else (ACTIVE,)
        for age in (max_age, 0.0):
            centers = self.list_all(age)
            if found := _called(name_or_id, centers, states):
                break
        if len(found) == 1:
            return found[0]
        names = ", ".join(sorted(center.name for center in centers if center.state == ACTIVE)[:_NAMES]) or "none"
        fits = "several are" if found else "none is"
        raise ConfigError(
            f"find the cost center: {fits} called {name_or_id[:_SHOWN]} in {self._owner}; there are {names}"
        )


def _called(name_or_id: str, centers: list[CostCenterDetails], states: tuple[str, ...]) -> list[CostCenterDetails]:
    text = name_or_id.lower()
    found = [center for center in centers if center.state in states and center.id.lower() == text]
    for state in states:
        named = [center for center in centers if center.state == state and center.name.lower() == text]
        found = found or [center for center in named if center.name == name_or_id] or named
    return found
