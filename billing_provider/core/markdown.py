"""Untrusted text in Markdown: no part of it becomes a link, a mention, a formula, HTML or a column of a table."""

from __future__ import annotations

import re

from billing_provider.core.redact import clean

# Words and amounts without any sign that Markdown or GitHub reads.
_PLAIN = re.compile(r"\(?[+-]?\$?[A-Za-z0-9]+(?:[.,'][A-Za-z0-9]+)*(?:-[A-Za-z0-9]+)*\)?[.,;:]?|[+%→=-]\)?|%\)[.,;:]?")
# GitHub links these: commits, issues of this and other trackers, and names of hosts.
_LINKED = re.compile(r"[0-9a-f]{7,}|[A-Z][A-Z0-9]*-\d+|www\.", re.IGNORECASE)
# These have no escape that each engine reads in code and in a table; in entities, mail addresses become links.
_LOOK_ALIKES = str.maketrans("`|\\", "'¦\N{SET MINUS}")


def escaped(text: str) -> str:
    """Return a text whose words stay as they are, and in which everything else is code.

    In code there are no links, mentions, references, formulas, HTML and columns of tables.
    """
    return " ".join(map(_word, clean(text).split()))


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word) and not _LINKED.search(word):
        return word
    end = word.rstrip(".,;:)")
    inner = end.removeprefix("(")
    if not inner or "(" in inner:
        return code(word)
    return f"{'(' * (len(end) - len(inner))}{code(inner)}{word[len(end) :]}"


def code(text: str) -> str:
    """Return a text as code; a backtick, a bar and a backslash become signs that look like them."""
    return f"`{text.translate(_LOOK_ALIKES)}`"
