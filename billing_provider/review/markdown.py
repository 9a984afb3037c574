"""A review as the comment of a pull request; the names in it are untrusted, and none of them is a link or a mention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from billing_provider.core.markdown import code, escaped
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from billing_provider.review.items import Item
    from billing_provider.review.review import Review

MAX_COMMENT = 65_536
"""GitHub's limit of a comment, in characters."""
_ROOM, _MOST_REASONS, _MOST_OF_A_TEXT = 300, 5, 400
_MARKER = "billing-provider review"
NOT_IN_A_PLAN = (
    "A plan has the state and the program. Who changed a budget on GitHub since the last refresh, what is spent, and "
    "who stops is known only if the preview could read GitHub and said so."
)
"""What a plan cannot show."""


def comment(review: Review, title: str) -> str:
    """Return a review as Markdown of at most 65,536 characters.

    The beginning with the summary always stays; of the rest, what does not fit is counted.

    Args:
        review: The review.
        title: The heading.
    """
    head = "\n".join(_head(review, title))
    blocks = list(_blocks(review))
    taken, left = [], MAX_COMMENT - len(head) - _ROOM
    for block in blocks:
        if left < len(block) + 1:
            break
        taken.append(block)
        left -= len(block) + 1
    missing = len(blocks) - len(taken)
    rest = [f"\n**{missing} more lines are left out**: a comment has at most {MAX_COMMENT:,} characters."]
    return "\n".join([head, *taken, *(rest if missing else [])]) + "\n"


def marker(review: Review) -> str:
    """Return the hidden line by which a later run finds the comment of this stack, whatever its heading is."""
    stack = re.sub(r"[^A-Za-z0-9_./]", "-", review.plan.stack)[:200]
    return f"<!-- {_MARKER}: {stack} -->"


def _head(review: Review, title: str) -> Iterable[str]:
    yield marker(review)
    yield f"### {escaped(title)}"
    yield ""
    yield f"**{headline(review)}**"
    reasons = review.unknown
    for reason in reasons[:_MOST_REASONS]:
        yield f"\n**Not known:** {escaped(reason)}"
    if len(reasons) > _MOST_REASONS:
        yield f"\nand {len(reasons) - _MOST_REASONS} more reasons."


def headline(review: Review) -> str:
    """Return how many losses and other changes there are."""
    if not review.items:
        known = ", as far as is known" if review.unknown else ""
        return "The preview failed." if review.plan.errors else f"No budget and no cost center changes{known}."
    losses, number = len(review.losses), len(review.items)
    others = number - losses
    counts: dict[str, int] = {}
    for item in review.items:
        counts[item.change] = counts.get(item.change, 0) + 1
    each = ", ".join(f"{count} {change}" for change, count in counts.items())
    changes = "1 change" if number == 1 else f"{number} changes"
    if not losses:
        return f"{changes}, no loss: {each}."
    if not others:
        return f"{changes}, only losses: {each}."
    return f"{losses} of {changes} allow more or tell fewer people: {each}."


def _blocks(review: Review) -> Iterable[str]:
    if review.totals:
        yield "\nThe most that can be spent a month, by the caps that change:\n"
        yield "| owner | product | scope | before | after |\n| --- | --- | --- | ---: | ---: |"
    for total in review.totals:
        each = " each" if total.is_each else ""
        cells = (escaped(total.owner), escaped(total.product), escaped(total.scope))
        yield f"| {' | '.join(cells)} | {total.before}{each} | {total.after}{each} |"
    losses = review.losses
    yield from _table("Losses", losses)
    yield from _table("Other changes", [item for item in review.items if not item.is_loss])
    if said := [text for text in review.said if text not in review.unknown]:
        yield "\n#### What else the preview says\n"
        yield from (f"- {escaped(clean(text, _MOST_OF_A_TEXT))}" for text in said)
    if texts := review.rules_in_words:
        yield f"\n#### {texts[0]}\n"
        yield from (f"- {escaped(text)}" for text in texts[1:-1])
        yield f"\n{escaped(texts[-1])}"
    if review.items:
        yield f"\n<sub>{NOT_IN_A_PLAN}</sub>"


def _table(title: str, found: Sequence[Item]) -> Iterable[str]:
    if not found:
        return
    yield f"\n#### {title}\n"
    yield "|  | before | after | what it means |\n| --- | --- | --- | --- |"
    for item in found:
        lines = "<br>".join(escaped(line) for line in item.lines)
        what = f"{item.change} {code(item.name)}"
        yield f"| {what} | {escaped(item.before) or 'nothing'} | {escaped(item.after) or 'nothing'} | {lines} |"
