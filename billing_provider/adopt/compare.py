"""The comparison of live objects with states: pure, on ids and keys."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable
    from datetime import datetime

    from billing_provider.adopt.states import Managed

Kind = Literal["unmanaged", "duplicates", "shared", "gone", "expires"]
KINDS: tuple[Kind, ...] = ("unmanaged", "duplicates", "shared", "gone", "expires")
"""The kinds of findings, in the order of a report."""


@dataclass(frozen=True)
class Live:
    """A budget or a cost center on GitHub.

    Attributes:
        id: Its resource id, in lower case.
        key: What only one live object may be for; None if GitHub omits a part of it.
        ends: When GitHub removes it, if it does.
    """

    id: str
    key: Hashable = None
    ends: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """One difference.

    Attributes:
        kind: `unmanaged`: a live object in no state. `duplicates`: live objects for one key. `shared`: a live object of
            several resources or rows; a URN in two states is one resource, because a state may be given twice.
            `gone`: a resource in a state whose object is not live. `expires`: GitHub removes it soon.
        live: The ids of the live objects.
        managed: The resources in states that have one of them, or that are gone.
    """

    kind: Kind
    live: tuple[str, ...] = ()
    managed: tuple[Managed, ...] = ()


def compare(live: Iterable[Live], managed: Iterable[Managed], owners: Collection[str], soon: datetime) -> list[Finding]:
    """Return what differs, in the order of `KINDS` and of the ids; the order of the arguments has no effect.

    Args:
        live: Everything that the owners have.
        managed: The resources of all states, also of other owners.
        owners: The owners that were read, as the beginnings of ids.
        soon: An object that ends at this time or before is a finding.
    """
    lives = {each.id: each for each in live}
    states: dict[str, list[Managed]] = defaultdict(list)
    for each in sorted(set(managed)):
        states[each.id].append(each)
    duplicates = _duplicates(lives.values())
    in_duplicates = {id_ for ids in duplicates for id_ in ids}
    found = [Finding("duplicates", ids, tuple(each for id_ in ids for each in states[id_])) for ids in duplicates]
    for id_ in sorted(lives):
        having, ends = tuple(states[id_]), lives[id_].ends
        if not having and id_ not in in_duplicates:
            found.append(Finding("unmanaged", (id_,)))
        staying = tuple(each for each in having if not each.leaving)
        if len({(each.urn, each.row) for each in staying}) > 1:
            found.append(Finding("shared", (id_,), staying))
        if ends is not None and ends <= soon:
            found.append(Finding("expires", (id_,), having))
    found += [
        Finding("gone", (), tuple(having))
        for id_, having in states.items()
        if having and id_ not in lives and having[0].owner in owners
    ]
    return sorted(found, key=lambda each: (KINDS.index(each.kind), each.live, each.managed))


def _duplicates(live: Iterable[Live]) -> list[tuple[str, ...]]:
    """Return the ids of the live objects that share a key, for each such key."""
    keys: dict[Hashable, list[str]] = defaultdict(list)
    for each in live:
        if each.key is not None:
            keys[each.key].append(each.id)
    return [tuple(sorted(ids)) for ids in keys.values() if len(ids) > 1]
