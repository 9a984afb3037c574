"""What a preview says about one cost center: an adoption, a conflict, moved members, and whom a change frees."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from billing_provider.budgets.cache import OwnerCache
from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError, OutcomeError
from billing_provider.core.inputs import Problem
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, Owner
from billing_provider.core.redact import quoted
from billing_provider.core.resource import read_state
from billing_provider.cost_centers.api import MAX_ACTIVE
from billing_provider.cost_centers.cache import CostCenterCache, matching
from billing_provider.cost_centers.create import CostCenterCreate
from billing_provider.cost_centers.models import (
    ACTIVE,
    IN_PLACE,
    MEMBER_KINDS,
    as_inputs,
    missing_members,
    plain_member,
    same_input,
)
from billing_provider.cost_centers.states import CostCenterState
from billing_provider.cost_centers.words import ADOPTS, changes, first_names, moved_line
from billing_provider.preview.cost_center_caps import REFUSED_KINDS, CostCenterCaps, members_after
from billing_provider.preview.reads import NotComparedError
from billing_provider.runtime.create_once import ELSEWHERE
from billing_provider.runtime.on_delete import OnDelete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.preview.cost_center_caps import Members
    from billing_provider.preview.owners import KnownNames
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run


T = TypeVar("T")


@dataclass(frozen=True)
class _Change:
    """The change of one cost center.

    Attributes:
        urn: The URN of the resource.
        owner: The enterprise.
        centers: All cost centers of the enterprise.
        own: The live cost center; None for a new one, and if this run does not know its name.
        olds: The inputs before: of the state, or of the cost center that is adopted.
        news: The declared inputs.
    """

    urn: str
    owner: Owner
    centers: Sequence[CostCenterDetails]
    own: CostCenterDetails | None
    olds: Mapping[str, Any]
    news: Mapping[str, Any]

    @property
    def added(self) -> Members:
        """The members that the change adds."""
        news, olds = self.news, self.olds
        return {kind: missing_members(kind, news[kind], olds.get(kind, ())) for kind in MEMBER_KINDS if kind in news}

    @property
    def after(self) -> Members:
        """The members after the change."""
        return members_after(self.own, self.olds, self.news)

    @property
    def left(self) -> Members:
        """The members that the change removes."""
        if self.own is None:
            return {}
        after = self.after
        return {kind: missing_members(kind, self.own.members(kind), after[kind]) for kind in MEMBER_KINDS}

    @property
    def joining(self) -> Members:
        """The members that the change adds and that no cost center has."""
        there = [center for center in self.centers if center.state == ACTIVE]
        return {
            kind: missing_members(kind, names, [name for center in there for name in center.members(kind)])
            for kind, names in self.added.items()
        }

    def taken(self) -> Iterator[tuple[CostCenterDetails, Members]]:
        """Yield each other cost center with the members that the change takes from it."""
        for center in self.centers:
            if center.state == ACTIVE and (self.own is None or center.id != self.own.id):
                there = {kind: {plain_member(kind, name) for name in center.members(kind)} for kind in MEMBER_KINDS}
                found = {
                    kind: [name for name in names if plain_member(kind, name) in there[kind]]
                    for kind, names in self.added.items()
                }
                if any(found.values()):
                    yield center, found


class CostCenterPreview:
    """The comparison of declared cost centers with GitHub, for one run; it only reads.

    Args:
        run: The state shared by the resources of this engine run.
        reads: Sends the reads.
        names: The names of owners that this run knows.
    """

    def __init__(self, run: Run, reads: PreviewReads, names: KnownNames) -> None:
        self._run, self._reads, self._names = run, reads, names

    def compare(
        self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> list[Problem]:
        """Warn of the consequences of a change, and return what prevents it; an unchanged cost center sends nothing.

        Args:
            urn: The URN of the resource.
            olds: The stored inputs; empty for a new cost center and for the new resource of a replacement.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet.
        """
        olds = read_state(CostCenterState, olds)
        if not unknown.isdisjoint((ENTERPRISE, "name")):
            return []
        owner = Owner(ENTERPRISE_OWNER, news[ENTERPRISE])
        self._caps(owner).declare(urn, olds, news, unknown)
        # The engine checks the new resource of a replacement again, as a new cost center.
        if olds and (not _changed(olds, news) or not same_input(ENTERPRISE, olds[ENTERPRISE], owner.slug)):
            return []
        try:
            lines = self._reads.get(lambda: list(self._compare(owner, urn, olds, news)))
        except NotComparedError:
            return []
        except (ConfigError, OutcomeError) as error:
            return [Problem("", str(error))]
        except (ForbiddenError, NotFoundError) as error:
            return [Problem(ENTERPRISE, f"{error}{self._names.near_owner(owner)}")]
        for line in lines:
            self._run.reporter.warn(f"the cost center {quoted(news['name'])}: {line}")
        return []

    def _caps(self, owner: Owner) -> CostCenterCaps:
        return self._run.cache(CostCenterCaps, owner)

    def _compare(self, owner: Owner, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
        """Yield the consequences of a change.

        Raises:
            ConfigError: GitHub would refuse it.
            OutcomeError: A create could not adopt the existing cost center.
            BillingError: GitHub cannot be read.
        """
        centers = self._run.cache(CostCenterCache, owner).list_all()
        self._names.add_owner(owner)
        if olds:
            # It may have the new name already, by hand.
            olds = {"name": news["name"], **olds}
            own = _active(centers, olds["name"]) or _active(centers, news["name"])
            change = _Change(urn, owner, centers, own, olds, news)
            yield from self._renamed(change)
        else:
            found = CostCenterCreate(self._run, owner, urn, news).adoptable()
            own = found[0] if found else None
            before = as_inputs(own) if own else {}
            change = _Change(urn, owner, centers, own, before, news)
            yield from self._created(change, found)
        yield from _declared_first(change)
        yield from self._members(change)

    def _renamed(self, change: _Change) -> Iterator[str]:
        """Yield what the new name of a cost center meets.

        Raises:
            ConfigError: Another active one has the name.
        """
        name = change.news["name"]
        if change.own is None or change.olds["name"].lower() == name.lower():
            return
        others = [each for each in change.centers if each.name.lower() == name.lower() and each.id != change.own.id]
        for other in others:
            if other.state != ACTIVE:
                yield f"the archived cost center {other.id} has this name: GitHub may refuse it for another one"
            elif self._caps(change.owner).is_renamed(name):
                yield f"cost center {other.id} has this name until this run renames it: add depends_on, to be after it"
            else:
                raise ConfigError(f"cost center {other.id} of {change.owner} has the name {name}: choose another name")

    def _created(self, change: _Change, found: tuple[CostCenterDetails, list[str]] | None) -> Iterator[str]:
        """Yield what a create adopts, or that the enterprise is full."""
        if found:
            on_delete = OnDelete(self._run, "cost center")
            kept = on_delete.keeps(change.news, adopted=True)
            yield _adoption(*found, change.news) + on_delete.after_adoption(kept=kept)
            if self._run.is_new(ELSEWHERE):
                yield ELSEWHERE
            return
        active = sum(center.state == ACTIVE for center in change.centers)
        if active >= MAX_ACTIVE:
            yield (
                f"{change.owner} has {active:,} active cost centers and GitHub's limit is {MAX_ACTIVE:,}, so the "
                "create will probably be refused: archive one before"
            )

    def _members(self, change: _Change) -> Iterator[str]:
        """Yield the members that a change moves, and whom it frees of a cap.

        Raises:
            ConfigError: GitHub refuses a new member beside a budget of the cost center.
            BillingError: GitHub cannot be read.
        """
        taken, left, own = list(change.taken()), change.left, change.own
        for center, members in taken:
            for kind, names in members.items():
                if names:
                    yield moved_line("moves", kind, names, center.name)
        caps, is_listed = self._caps(change.owner), False
        try:
            is_refusable = own is not None and any(change.added.get(kind) for kind in REFUSED_KINDS)
            reads = self._run.cache(OwnerCache, change.owner).complete
            is_listed = bool(taken or any(left.values()) or is_refusable) and self._find(reads) is not None
        except NotComparedError:
            # The user was warned, and the write tells it if it can.
            pass
        else:
            for members in (left, *(members for _, members in taken)):
                caps.compare(change.news["name"], members)
        caps.check_member(change.news["name"], own if is_listed else None, change.centers, change.added)
        if is_listed and own is not None:
            yield from caps.freed(change.urn, own, change.centers, left, change.after)
        for center, members in taken if is_listed else ():
            yield from caps.freed(change.urn, center, change.centers, members, {})
        with suppress(NotComparedError):
            yield from self._find(lambda: list(caps.joined(change.joining))) or []

    def _find(self, read: Callable[[], T]) -> T | None:
        """Return the result of a read of budgets, or None if the token may not read them.

        Raises:
            NotComparedError: GitHub cannot be read.
        """
        try:
            return self._reads.get(read)
        except (ForbiddenError, NotFoundError):
            return None


def _active(centers: Sequence[CostCenterDetails], name: str) -> CostCenterDetails | None:
    """Return the active cost center of a name, or None."""
    return next(iter(matching(name, list(centers), (ACTIVE,))), None)


def _declared_first(change: _Change) -> Iterator[str]:
    """Yield the members that a kind loses because its list is declared for the first time."""
    for kind in MEMBER_KINDS if change.own is not None else ():
        if kind in change.news and kind not in change.olds and change.left[kind]:
            yield (
                f"declaring {kind} removes {first_names(change.left[kind])} from this cost center, "
                "because the declared list does not contain them"
            )


def _changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return any(
        name in news and (name not in olds or not same_input(name, olds[name], news[name]))
        for name in (ENTERPRISE, *IN_PLACE)
    )


def _adoption(center: CostCenterDetails, different: list[str], news: Mapping[str, Any]) -> str:
    """Return what an adoption changes, removed members first."""
    words = changes(as_inputs(center), news, different)
    return f"{ADOPTS}{center.id}" + (f": {'; '.join(words)}" if words else " as it is")
