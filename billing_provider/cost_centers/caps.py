"""The caps of a cost center at a write: which an archive lifts, whether the limits allow it, and whom a move frees."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple, Protocol

from billing_provider.core.errors import BillingError, OutcomeError
from billing_provider.cost_centers.words import first_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

_MAX_CAP = 300


class LostCap(NamedTuple):
    """A budget that loses its object: the cost center that it covers.

    Attributes:
        text: The cap, its cost center and the budget's id.
        is_hard_stop: Whether GitHub stops usage at the amount.
        people: Whom it caps, if it caps each member.
        is_certain: Whether it is known to cover the cost center.
    """

    text: str
    is_hard_stop: bool
    people: list[str]
    is_certain: bool = True

    def goes(self, *, is_done: bool) -> str:
        """Return the warning that it loses its object.

        Args:
            is_done: Whether the cost center is archived already.
        """
        freed = f", which frees {first_names(self.people)}" if self.people else ""
        verbs = ("loses", "has lost") if self.is_certain else ("may lose", "may have lost")
        return f"the {self.text} {verbs[is_done]} its object: the cost center is archived{freed}"


class Caps(Protocol):
    """The budgets of the cost centers of an enterprise; each method raises a `BillingError` if they cannot be read."""

    def lost(self, cost_center_id: str) -> list[LostCap]:
        """Return the budgets that lose their object if a cost center is archived."""

    def untold(self, name: str, cost_center: str, members: Mapping[str, list[str]], *, have_left: bool) -> list[str]:
        """Return whom a write frees of which cap, unless the comparison before it has told that.

        Args:
            name: The declared name of the cost center that is written.
            cost_center: The UUID or the name of the one that they leave.
            members: Who leaves, by kind.
            have_left: Whether they have left, as GitHub says; else only who is a member counts.
        """

    def expire(self) -> None:
        """Read the budgets anew, because the name of a cost center has changed."""


class NoCaps:
    """No cap of any cost center: nobody reads budgets."""

    def __init__(self, _run: Run, _owner: Owner) -> None:
        pass

    def lost(self, *_: object) -> list[LostCap]:
        """Return no cap."""
        return []

    def untold(self, *_: object, **__: object) -> list[str]:
        """Return nobody."""
        return []

    def expire(self) -> None:
        """Do nothing."""


class CapsAtWrite:
    """The caps of cost centers right before and after a write.

    Args:
        run: The state shared by the resources of this engine run.
        kind: Makes the caps of an enterprise.
    """

    def __init__(self, run: Run, kind: Callable[[Run, Owner], Caps]) -> None:
        self._run, self._kind = run, kind

    def freed(
        self, owner: Owner, name: str, cost_center: str, members: Mapping[str, list[str]], *, have_left: bool = False
    ) -> list[str]:
        """Return whom a write frees of which cap, as for `Caps.untold`; nobody if GitHub cannot be read."""
        if not any(members.values()):
            return []
        try:
            with self._run.transport.patience():
                return self._run.cache(self._kind, owner).untold(name, cost_center, members, have_left=have_left)
        except BillingError:
            return []

    def expire(self, owner: Owner) -> None:
        """Read the budgets anew, as for `Caps.expire`."""
        self._run.cache(self._kind, owner).expire()

    def foresee(self, owner: Owner, cost_center_id: str) -> list[LostCap]:
        """Return the caps that go, for a preview; none if GitHub cannot be read.

        Raises:
            OutcomeError: The limits refuse it.
        """
        if not self._run.guards.preview_reads:
            return []
        try:
            with self._run.transport.patience():
                lost = self._lost(owner, cost_center_id)
        except BillingError:
            return []
        self._check(owner, cost_center_id, lost)
        return lost

    def allow(self, owner: Owner, cost_center_id: str) -> list[LostCap]:
        """Return the caps that go, right before the archive; without limits, none if GitHub cannot be read.

        Raises:
            OutcomeError: The limits refuse it, or the caps are not known; nothing was sent.
        """
        try:
            with nullcontext() if self._run.guards.limits else self._run.transport.patience():
                lost = self._lost(owner, cost_center_id)
        except BillingError as error:
            what = f"it may take the object of a hard stop, because the budgets cannot be read ({error})"
            self._refuse(owner, cost_center_id, what)
            return []
        self._check(owner, cost_center_id, lost)
        return lost

    def _lost(self, owner: Owner, cost_center_id: str) -> list[LostCap]:
        return self._run.cache(self._kind, owner).lost(cost_center_id)

    def _check(self, owner: Owner, cost_center_id: str, lost: list[LostCap]) -> None:
        if hard := [cap.text for cap in lost if cap.is_hard_stop]:
            takes = "takes" if any(cap.is_certain for cap in lost if cap.is_hard_stop) else "may take"
            self._refuse(owner, cost_center_id, f"it {takes} the object of the {first_names(hard, _MAX_CAP)}")

    def _refuse(self, owner: Owner, cost_center_id: str, what: str) -> None:
        if reason := self._run.guards.limits.refusal_of_removal(what):
            raise OutcomeError(f"archive cost center {cost_center_id} of {owner}: {reason}. Nothing was sent.")
