"""Cache of the cost centers of one enterprise."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import nearest
from billing_provider.core.redact import quoted
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.models import ACTIVE, DELETED, OpaqueCostCenter

if TYPE_CHECKING:
    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

FRESH_SECONDS = 300.0
"""Seconds for which a listing is used in one run; a change by this run invalidates it."""
_SHOWN = 60


class CostCenterCache:
    """Cached listing of the cost centers of an enterprise; safe to share between threads.

    Args:
        run: Provides the API client and the clock.
        owner: The enterprise.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner, self._clock = run, owner, run.clock
        self.lock = threading.RLock()
        self._cost_centers: list[CostCenterDetails] | None = None
        self._opaque: list[OpaqueCostCenter] = []
        self._centers_at = float("-inf")

    def list_all(self, max_age: float = FRESH_SECONDS) -> list[CostCenterDetails]:
        """Return all cost centers, including archived ones.

        Args:
            max_age: Maximum age of the listing in seconds; a change by this run also causes a new listing.

        Raises:
            ApiError: The token may not read them (401, 403).
        """
        with self.lock:
            if self._cost_centers is None or self._clock.now() - self._centers_at >= max_age:
                self._centers_at = self._clock.now()
                rows = self._run.api(CostCentersApi).list_cost_centers(self._owner)
                self._cost_centers = [row for row in rows if not isinstance(row, OpaqueCostCenter)]
                self._opaque = [row for row in rows if isinstance(row, OpaqueCostCenter)]
            return list(self._cost_centers)

    def opaque(self) -> list[OpaqueCostCenter]:
        """Return the cost centers of the last listing that do not fit the model; nothing is sent."""
        with self.lock:
            return list(self._opaque)

    def is_listed(self, cost_center_id: str) -> bool:
        """Return whether a new listing has an active cost center, or may have it: one without an id may be any.

        Raises:
            ApiError: The token may not read them (401, 403).
        """
        with self.lock:
            active = [each.id.lower() for each in self.list_all(0.0) if each.state != DELETED]
            active += [each.id.lower() for each in self._opaque if not each.is_archived]
            return not {cost_center_id.lower(), ""}.isdisjoint(active)

    def listed(self) -> list[CostCenterDetails]:
        """Return the cost centers that this run has listed since its last change of one; nothing is sent."""
        with self.lock:
            return list(self._cost_centers or ())

    def forget(self) -> None:
        """Invalidate the listing after this run created, renamed or archived a cost center, or moved members."""
        with self.lock:
            self._cost_centers = None

    def find(self, name_or_id: str, max_age: float = FRESH_SECONDS, *, archived: bool = False) -> CostCenterDetails:
        """Return a cost center by UUID or name; if the cached listing does not contain it, read a new one.

        The cost center may be newer than the listing, such as one that this deployment created (`get_usage_output`).

        Args:
            name_or_id: The UUID or the name, case-insensitive; a name in exact case takes precedence.
            max_age: As for `list_all`.
            archived: Whether to find archived ones too; by name, only if no active one has the name.

        Raises:
            ConfigError: No cost center matches, or several have the name.
            ApiError: The token may not read them (401, 403).
        """
        states = (ACTIVE, DELETED) if archived else (ACTIVE,)
        for age in (max_age, 0.0):
            centers = self.list_all(age)
            if found := matching(name_or_id, centers, states):
                break
        if len(found) == 1:
            return found[0]
        for other in self.opaque():
            if not found and other.may_be(name_or_id) and (archived or not other.is_archived):
                raise ConfigError(
                    f"the cost center {quoted(name_or_id, _SHOWN)} of {self._owner} may be {other}. "
                    "Compare it on GitHub."
                )
        names = nearest(name_or_id, (center.name for center in centers if center.state == ACTIVE)) or "none"
        fits = "more than one cost center" if found else "no cost center"
        raise ConfigError(
            f"{fits} of {self._owner} has the name or id {quoted(name_or_id, _SHOWN)}. Existing: {names}."
        )


def matching(name_or_id: str, centers: list[CostCenterDetails], states: tuple[str, ...]) -> list[CostCenterDetails]:
    """Return the cost centers with a UUID or a name: case-insensitive, but a name in exact case takes precedence.

    Only if none has the name, spaces at the ends of a name make no difference.

    Args:
        name_or_id: The UUID or the name.
        centers: The cost centers of an enterprise.
        states: The states to find; by name, a state is used only if none before it has the name.
    """
    text = name_or_id.lower()
    found = [center for center in centers if center.state in states and center.id.lower() == text]
    for state in states:
        named = [center for center in centers if center.state == state and center.name.lower() == text]
        named = named or [
            center for center in centers if center.state == state and center.name.strip().lower() == text.strip()
        ]
        found = found or [center for center in named if center.name == name_or_id] or named
    return found
