"""How an engine has the rows of a table: as texts, one line for each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.core.errors import ConfigError
from billing_provider.user_budgets.states import read_bucket
from billing_provider.user_budgets.texts import TEXTS, as_texts, from_texts

# GitHub lists the logins of others: they may be any text.
LOGINS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.from_regex(r"[A-Za-z0-9-]{1,8}")
VALUES = st.integers() | st.text(max_size=8) | st.dictionaries(st.sampled_from(["reason", "budget_amount"]), st.text())
MAPPINGS = st.dictionaries(LOGINS, VALUES, max_size=4)
LISTS = st.lists(LOGINS, unique=True, max_size=4)
FORMS = {name: MAPPINGS if name in {"budgets", "budget_ids", "raised_to", "pending"} else LISTS for name in TEXTS}
TABLES = st.fixed_dictionaries({"bucket": st.just("05")}, optional=FORMS)


OLD: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "bucket": "05",
    "budgets": {"ann": 20, "bob": {"budget_amount": 80, "expires_at": "2099-12-31", "reason": "launch: \u2713"}},
    "budget_ids": {"ann": "11111111-1111-4111-8111-111111111111", "bob": "22"},
    "adopted": ["bob"],
    "kept_on_delete": ["ann", "bob"],
    "raised_to": {"ann": 30},
    "expired": [],
    "pending": {"zoe": "GitHub returned 422: no"},
    "others": ["a b", "dan"],
}
"""What a state of 0.2.0 has of a part of a table."""
NEW: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "bucket": "05",
    "budgets": '"ann" 20\n"bob" {"budget_amount":80,"expires_at":"2099-12-31","reason":"launch: \u2713"}\n',
    "budget_ids": '"ann" "11111111-1111-4111-8111-111111111111"\n"bob" "22"\n',
    "adopted": '"bob"\n',
    "kept_on_delete": '"ann"\n"bob"\n',
    "raised_to": '"ann" 30\n',
    "expired": "",
    "pending": '"zoe" "GitHub returned 422: no"\n',
    "others": '"a b"\n"dan"\n',
}
"""What later versions store of the same part."""


def test_each_version_stays_readable() -> None:
    """Both forms of a state mean the same, and only the later one is written."""
    assert read_bucket(OLD) == read_bucket(NEW)
    assert as_texts(OLD) == NEW
    assert from_texts(NEW) == from_texts(OLD) == OLD


@given(table=TABLES)
@example(table={"budgets": {"a b": 1, '"c"': "\n", "": 2}, "others": ["", "d\ne"]})
def test_texts_hold_what_they_are_made_of(table: dict[str, Any]) -> None:
    """Any mapping or list comes back, in the order of the logins; a text has a line for each entry."""
    texts = as_texts(table)
    assert from_texts(texts) == {
        name: sorted(value, key=str.lower) if isinstance(value, list) else value for name, value in table.items()
    }
    assert from_texts(table) == table
    for name in TEXTS & table.keys():
        assert texts[name].count("\n") == len(table[name])
        assert texts[name].replace("\n", "").isprintable()


PIECES = st.sampled_from(['"ann"', '"b"', "ann", " ", "1", "01", '"x"', "{", "}", "[", "]", ",", ":", "\n", "\r", "\\"])


@given(text=st.lists(PIECES, max_size=9).map("".join), name=st.sampled_from(TEXTS))
@example(text='"ann" "1"\n"ann" "2"\n', name="budget_ids")
@example(text='"ann" {"budget_amount":5\n"b" "reason":"x"},3\n', name="budgets")
@example(text='"ann","b"\n', name="kept_on_delete")
@example(text='["ann","b"]', name="kept_on_delete")
@example(text='"ann"\r\n"b"\r\n', name="kept_on_delete")
def test_an_edited_text_is_read_in_full_or_an_error(text: str, name: str) -> None:
    """Each line is one login once, with one value in a mapping; all else is an error that names the property."""
    lines = text.split("\n")
    try:
        read = getattr(read_bucket({"enterprise": "e", "bucket": "05", name: text}), name)
    except ConfigError as error:
        assert str(error).startswith(f"the state contains an invalid value of {name}. Nothing was sent: ")  # noqa: PT017
        return
    assert lines.pop() == ""
    is_list = isinstance(read, list)
    pairs = [(json.loads(line), None) if is_list else json.loads(f"[{line.replace(' ', ',', 1)}]") for line in lines]
    assert [login for login, _ in pairs] == list(read)
    assert is_list or [read[login] for login, _ in pairs] == [value for _, value in pairs]


@pytest.mark.parametrize("text", ["ann 1\n", '"ann"\n', '"ann" 1', '"ann" 1,2\n', '"ann" {"reason":1}\n'])
def test_a_damaged_text_is_an_error(text: str) -> None:
    """A line without quotation marks, value or end, with two values, or with a value of another form."""
    with pytest.raises(ConfigError, match="an invalid value of budgets"):
        read_bucket({"enterprise": "e", "bucket": "05", "budgets": text})
