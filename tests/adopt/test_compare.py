"""The comparison of live objects with states, for all inputs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from billing_provider.adopt.compare import KINDS, Finding, Live, compare
from billing_provider.adopt.states import Managed

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
OWNERS = {"enterprise/a", "organization/b"}
IDS = st.sampled_from([f"{owner}/{number}" for owner in (*sorted(OWNERS), "organization/other") for number in range(4)])
ENDS = st.sampled_from([None, NOW, NOW + timedelta(days=99)])
LIVES = st.lists(
    st.builds(Live, IDS.filter(lambda id_: "other" not in id_), st.sampled_from([None, "k1", "k2"]), ENDS),
    unique_by=lambda each: each.id,
)
MANAGED = st.lists(
    st.builds(Managed, IDS, st.sampled_from(["one", "two"]), st.sampled_from(["u1", "u2"]), leaving=st.booleans())
)


def of(kind: str, found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.kind == kind]


@given(LIVES, MANAGED, st.randoms())
def test_every_difference_is_found_once(lives: list[Live], managed: list[Managed], random: object) -> None:
    """Each live object is managed or found, each resource without its object is gone, and the order has no effect."""
    found = compare(lives, managed, OWNERS, NOW)
    random.shuffle(lives)  # type: ignore[attr-defined]
    random.shuffle(managed)  # type: ignore[attr-defined]
    assert compare(lives, managed, OWNERS, NOW) == found
    assert [each.kind for each in found] == sorted((each.kind for each in found), key=KINDS.index)

    ids, owned = {each.id for each in lives}, {each.id for each in managed}
    duplicates = [id_ for each in of("duplicates", found) for id_ in each.live]
    unmanaged = [id_ for each in of("unmanaged", found) for id_ in each.live]
    keys = [each.key for each in lives if each.key is not None]
    assert sorted(duplicates) == sorted(each.id for each in lives if keys.count(each.key) > 1)
    assert sorted(unmanaged) == sorted(ids - owned - set(duplicates))

    gone = [one.id for each in of("gone", found) for one in each.managed]
    assert set(gone) == {id_ for id_ in owned - ids if "other" not in id_}
    assert len(gone) == len({each for each in managed if each.id in set(gone)})

    staying = {(each.id, each.urn) for each in managed if not each.leaving}
    several = {id_ for id_ in ids if len([each for each in staying if each[0] == id_]) > 1}
    assert {each.live[0] for each in of("shared", found)} == several
    assert {each.live[0] for each in of("expires", found)} == {each.id for each in lives if each.ends == NOW}


@given(LIVES, MANAGED)
def test_following_the_findings_leaves_none(lives: list[Live], managed: list[Managed]) -> None:
    """After one duplicate is kept, the rest is adopted, and states forget what is gone or shared, nothing is found."""
    for each in compare(lives, managed, OWNERS, NOW):
        drop = set(each.live[1:]) if each.kind == "duplicates" else set()
        lives = [
            live for live in lives if live.id not in drop and not (each.kind == "expires" and live.id in each.live)
        ]
        if each.kind == "unmanaged":
            managed = [*managed, Managed(each.live[0], "one", "adopted")]
        elif each.kind in {"gone", "shared"}:
            kept = each.managed[:1] if each.kind == "shared" else ()
            managed = [one for one in managed if one not in each.managed or one in kept]
    ids, owned = {live.id for live in lives}, {one.id for one in managed}
    managed = [*(one for one in managed if one.id in ids), *(Managed(id_, "one", "adopted") for id_ in ids - owned)]
    assert compare(lives, list(dict.fromkeys(managed)), OWNERS, NOW) == []
