"""A review as the comment of a pull request; the names in it are untrusted, and none of them is a link or a mention."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.core.markdown import code, escaped
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from billing_provider.review.items import Item
    from billing_provider.review.review import Review

MAX_COMMENT = 65_536
"""GitHub's limit of a comment, in characters."""
_ROOM, _MOST_REASONS, _MOST_OF_A_TEXT = 300, 5, 400
_MOST_SUMS, _MOST_LINES = 100, 40
_SUMS, _LOSSES, _OTHERS, _SAID, _RULES, _NOTE = "sums", "losses", "others", "said", "rules", "note"
_RANKS = (_LOSSES, _NOTE, _RULES, _SUMS, _OTHERS, _SAID)
"""The parts of a comment, in the order in which the room is for them."""
_MARKER = "billing-provider review"
NOT_IN_A_PLAN = (
    "A plan has the state and the program. Who changed a budget on GitHub since the last refresh, what is spent, and "
    "who stops is known only if the preview could read GitHub and said so."
)
"""What a plan cannot show."""


def comment(review: Review, title: str) -> str:
    """Return a review as Markdown of at most 65,536 characters.

    The beginning with the summary always stays, and losses have the room before all else. What does not fit is counted.

    Args:
        review: The review.
        title: The heading.
    """
    head = "\n".join(_head(review, title))
    blocks = list(_blocks(review))
    taken, begun, left = set[int](), set[int](), MAX_COMMENT - len(head) - _ROOM
    for place in sorted(range(len(blocks)), key=lambda each: blocks[each].rank):
        rank, size = blocks[place].rank, len(blocks[place].text) + 1
        # The first block of a part is its heading, without which its rows are no table.
        is_first = place == 0 or blocks[place - 1].rank != rank
        if size <= left and (is_first or rank in begun):
            begun.add(rank)
            taken.add(place)
            left -= size
    missing = len(blocks) - len(taken)
    rest = [f"\n**{missing} more lines are left out**: a comment has at most {MAX_COMMENT:,} characters."]
    return "\n".join([head, *(blocks[place].text for place in sorted(taken)), *(rest if missing else [])]) + "\n"


def marker(review: Review) -> str:
    """Return the hidden line by which a later run finds the comment of this stack, whatever its heading is."""
    stack = re.sub(r"[^A-Za-z0-9_./]", "-", review.plan.stack)[:200]
    # A plan without steps names no stack; its marker is not a part of that of a stack.
    return f"<!-- {_MARKER}: {stack or '(no stack)'} -->"


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
    """Return how many losses and other changes there are, and how many of them stop something at once."""
    if not review.items:
        known = ", as far as is known" if review.unknown else ""
        return "The preview failed." if review.plan.errors else f"No budget and no cost center changes{known}."
    losses, number = review.losses, len(review.items)
    others = [item for item in review.items if not item.is_loss]
    changes = "1 change" if number == 1 else f"{number} changes"
    if not losses:
        text = f"{changes}, no loss: {_counted(others)}."
    elif not others:
        text = f"{changes}, only losses: {_counted(losses)}."
    else:
        # The two lists stand apart: in one, a reader cannot tell which changes the first number counts.
        text = f"{len(losses)} of {changes} allow more or tell fewer people: {_counted(losses)}."
        text += f" The others: {_counted(others)}."
    stops = sum(item.told.stops for item in review.items)
    return f"{text} {stops} {'stops' if stops == 1 else 'stop'} usage or people at once." if stops else text


def _counted(found: Iterable[Item]) -> str:
    return ", ".join(f"{count} {change}" for change, count in Counter(item.change for item in found).items())


class _Block(NamedTuple):
    """A part of a comment that is there as a whole or not at all.

    Attributes:
        rank: Its place among those that the room is for, as `_RANKS`.
        text: The text.
    """

    rank: int
    text: str


def _blocks(review: Review) -> Iterator[_Block]:
    losses, others = review.losses, [item for item in review.items if not item.is_loss]
    parts = {
        _SUMS: _totals(review),
        _LOSSES: _table("Losses", losses),
        _OTHERS: _table("Other changes", others),
        _SAID: _said(review),
        _RULES: _rules(review),
        _NOTE: [f"\n<sub>{NOT_IN_A_PLAN}</sub>"] if review.items else [],
    }
    for name, texts in parts.items():
        yield from (_Block(_RANKS.index(name), text) for text in texts)


def _totals(review: Review) -> Iterable[str]:
    if review.totals:
        title = "\nThe most that can be spent a month, by the caps that change:\n\n"
        yield f"{title}| owner | product | scope | before | after |\n| --- | --- | --- | ---: | ---: |"
    for total in review.totals[:_MOST_SUMS]:
        each = " each" if total.is_each else ""
        cells = (escaped(total.owner), escaped(total.product), escaped(total.scope))
        yield f"| {' | '.join(cells)} | {total.before}{each} | {total.after}{each} |"
    if (more := len(review.totals) - _MOST_SUMS) > 0:
        yield f"\nand {more:,} more."


def _said(review: Review) -> Iterable[str]:
    if said := review.other_said:
        yield "\n#### What else the preview says\n"
        yield from (f"- {escaped(clean(text, _MOST_OF_A_TEXT))}" for text in said)


def _rules(review: Review) -> Iterable[str]:
    if texts := review.rules_in_words:
        yield f"\n#### {texts[0]}\n"
        yield from (f"- {escaped(text)}" for text in texts[1:-1])
        yield f"\n{escaped(texts[-1])}"


def _table(title: str, found: Sequence[Item]) -> Iterable[str]:
    if not found:
        return
    yield f"\n#### {title}\n\n| change | before | after | what it means |\n| --- | --- | --- | --- |"
    for item in found:
        more = len(item.lines) - _MOST_LINES
        shown = [*map(escaped, item.lines[:_MOST_LINES]), *([f"and {more} more"] if more > 0 else [])]
        lines = "<br>".join(f"- {line}" for line in shown)
        what = f"{item.change} {code(item.name)}"
        yield f"| {what} | {escaped(item.before) or 'nothing'} | {escaped(item.after) or 'nothing'} | {lines} |"
