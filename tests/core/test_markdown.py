"""Untrusted text in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.markdown import code, escaped
from billing_provider.core.redact import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("raises the most by $1,000.50 (+80 %): who's next?", "raises the most by $1,000.50 (+80 %): who's `next?`"),
        ("octo-org alerts octocat, hubot and @team.", "octo-org alerts octocat, hubot and `@team`."),
        ("octo-org/website (on_delete is keep)", "`octo-org/website` (`on_delete` is keep)"),
        ("[a](https://x.y) <b> &lt; a|b `c` d\\e", "`[a](https://x.y)` `<b>` `&lt`; `a¦b` `'c'` `d\N{SET MINUS}e`"),
        ("deadbeef GH-1 www.x.y www #7 a@b.c ((", "`deadbeef` `GH-1` `www.x.y` www `#7` `a@b.c` `((`"),
        ("$x$ _a_ *b* ~c~ :tada: !", "`$x$` `_a_` `*b*` `~c~` `:tada`: `!`"),
        ("first\nsecond\u202e", "first second"),
    ],
)
def test_words_stay_and_everything_else_is_code(text: str, shown: str) -> None:
    """Plain words and amounts stay readable; what Markdown or GitHub would read is code."""
    assert escaped(text) == shown


@given(st.text())
def test_outside_of_code_there_is_no_sign_of_markdown(text: str) -> None:
    """Whatever a text contains, it is one line, its code spans are closed, and outside of them nothing is special."""
    shown = escaped(text)
    assert shown.count("`") % 2 == 0
    outside = re.sub(r"`[^`]+`", "", shown)
    assert re.search(r"[@#*_\[\]<>|&~\\^!/\n]|\$\D", outside) is None
    assert "|" not in shown
    assert shown.replace("`", "") == " ".join(clean(text).split()).translate(str.maketrans("`|\\", "'¦\N{SET MINUS}"))


def test_a_name_is_code() -> None:
    """A name with spaces is one piece of code."""
    assert code("a `b` | c") == "`a 'b' ¦ c`"
