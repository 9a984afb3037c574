"""What a preview says about one cost center: an adoption, a conflict, and the members that a change moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError, OutcomeError
from billing_provider.core.inputs import Problem
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, Owner
from billing_provider.core.resource import read_state
from billing_provider.cost_centers.api import MAX_ACTIVE, moved_line
from billing_provider.cost_centers.cache import CostCenterCache
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
from billing_provider.preview.reads import NotComparedError
from billing_provider.runtime.on_delete import OnDelete

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.preview.owners import KnownNames
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run

_SHOWN = 10


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
        if not unknown.isdisjoint((ENTERPRISE, "name")) or (olds and not _changed(olds, news)):
            return []
        owner = Owner(ENTERPRISE_OWNER, news[ENTERPRISE])
        if olds and not same_input(ENTERPRISE, olds[ENTERPRISE], owner.slug):
            # The engine checks the new resource of a replacement again, as a new cost center.
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
            self._run.reporter.warn(f"the cost center {news['name']}: {line}")
        return []

    def _compare(self, owner: Owner, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
        centers = self._run.cache(CostCenterCache, owner).list_all()
        self._names.add_owner(owner)
        if not olds:
            adoptable = CostCenterCreate(self._run, owner, urn, news).adoptable()
            active = sum(center.state == ACTIVE for center in centers)
            if adoptable is None and active >= MAX_ACTIVE:
                yield (
                    f"{owner} has {active:,} active cost centers and GitHub's limit is {MAX_ACTIVE:,}, so the create "
                    "will probably be refused: archive one before"
                )
            if adoptable is not None:
                on_delete = OnDelete(self._run, "cost center")
                yield _adoption(*adoptable, news) + on_delete.after_adoption(kept=on_delete.keeps(news, adopted=True))
                olds = {"name": news["name"], **as_inputs(adoptable[0])}
        names = {str(side.get("name")).lower() for side in (olds, news)}
        own = [center for center in centers if center.state == ACTIVE and center.name.lower() in names]
        added = {kind: missing_members(kind, news[kind], olds.get(kind, ())) for kind in MEMBER_KINDS if kind in news}
        for center in own:
            for kind in MEMBER_KINDS:
                if olds and kind in news and kind not in olds:
                    for name in missing_members(kind, center.members(kind), news[kind]):
                        yield (
                            f"declaring {kind} removes {name} from this cost center, "
                            "because the declared list does not contain it"
                        )
        for center in centers:
            if center.state == ACTIVE and center not in own:
                yield from _moved(center, added)


def _changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return any(
        name in news and (name not in olds or not same_input(name, olds[name], news[name]))
        for name in (ENTERPRISE, *IN_PLACE)
    )


def _adoption(center: CostCenterDetails, different: list[str], news: Mapping[str, Any]) -> str:
    """Return what an adoption changes, removed members first."""
    live = as_inputs(center)
    words = []
    for kind in MEMBER_KINDS:
        if kind in different:
            removed = missing_members(kind, live[kind], news[kind])
            words += [f"removes {_listed(kind, removed)}"] if removed else []
    for kind in MEMBER_KINDS:
        if kind in different:
            added = missing_members(kind, news[kind], live[kind])
            words += [f"adds {_listed(kind, added)}"] if added else []
    words += [f"{name}: {live.get(name)} → {news[name]}" for name in different if name not in MEMBER_KINDS]
    return f"adopts the existing cost center {center.id}" + (f": {'; '.join(words)}" if words else " as it is")


def _listed(kind: str, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{kind} {', '.join(names[:_SHOWN])}{more}"


def _moved(other: CostCenterDetails, added: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the members that a write takes from another cost center: each of them may lose a cap."""
    for kind, names in added.items():
        there = {plain_member(kind, name) for name in other.members(kind)}
        for name in names:
            if plain_member(kind, name) in there:
                yield moved_line(name, other.name)
