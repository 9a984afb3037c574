"""The caps of a plan by target: a target can lose a cap between two resources, and counts once in a sum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.budgets import consequences
from billing_provider.core.redact import clean
from billing_provider.review import items

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from billing_provider.review.items import Cap, Item

_SHOWN = 100


class Target(NamedTuple):
    """What a plan does to one target, such as all usage of a product by an organization.

    Attributes:
        before: The cap before.
        after: The cap after.
        former: The resource that has the cap before, in the program.
    """

    before: Cap
    after: Cap
    former: str


def by_target(found: Iterable[Item]) -> dict[Hashable, Target]:
    """Return what happens to each target: several resources can have its budget, one after the other."""
    listed: dict[Hashable, list[tuple[Item, Cap, Cap]]] = {}
    for item in found:
        for target, (before, after) in item.caps.items():
            listed.setdefault(target, []).append((item, before, after))
    targets = {}
    for target, rows in listed.items():
        # The one that takes over a budget that stays on GitHub comes before the one that leaves it there.
        rows.sort(key=lambda row: row[2] == row[1])
        place, before = _there([cap for _, cap, _ in rows])
        _, after = _there([cap for *_, cap in rows])
        targets[target] = Target(before, after, rows[place][0].name)
    return targets


def _there(caps: Sequence[Cap]) -> tuple[int, Cap]:
    """Return the first cap that is there, or may be, with its place; else the first one."""
    return next(((place, cap) for place, cap in enumerate(caps) if cap.terms or not cap.is_known), (0, caps[0]))


def with_former(item: Item, targets: Mapping[Hashable, Target]) -> Item:
    """Return an item with what its targets lose that another resource has before it."""
    pairs, texts = [], []
    for target, (own, after) in item.caps.items():
        before, _, former = targets[target]
        if own.terms is None and own.is_known and before.is_known and before.terms and after.is_known and after.terms:
            pairs.append((before.terms, after.terms))
            if words := consequences.losses(before.terms, after.terms):
                what, who = clean(str(target), _SHOWN), clean(former, _SHOWN)
                texts.append(f"{what}, of the resource {who} before: {'; '.join(words)}")
    if not pairs:
        return item
    more = len(texts) - items.MOST_TEXTS
    shown = [*texts[: items.MOST_TEXTS], *([f"and {more:,} more"] if more > 0 else [])]
    return replace(
        item,
        texts=(*item.texts, *shown),
        is_loss=item.is_loss or bool(texts),
        pairs=(*item.pairs, *pairs),
    )
