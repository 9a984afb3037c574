"""How an engine has the rows of a table: as texts, one line for each."""

from __future__ import annotations

import json
import re
from typing import Any, get_origin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.budgets.identity import natural_key
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import OWNER_KINDS, Owner
from billing_provider.user_budgets.rows import user_key
from billing_provider.user_budgets.states import BucketState, read_bucket
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
    # An engine returns the numbers of a mapping as floats.
    floats = json.loads(json.dumps(OLD), parse_int=float)
    assert as_texts(floats) == NEW


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


def test_each_property_with_entries_is_a_text() -> None:
    """A property with an entry for each row that is added later is stored as a text too."""
    fields = BucketState.model_fields
    assert {name for name, field in fields.items() if get_origin(field.annotation) in {dict, list}} == {*TEXTS}


@given(login=st.from_regex(r"[A-Za-z0-9_-]{1,9}", fullmatch=True), slug=st.sampled_from(["Acme", "octo"]))
def test_a_row_has_the_key_of_a_single_budget(login: str, slug: str) -> None:
    """A person who is declared in a row and by a single budget is found by one key."""
    for kind in OWNER_KINDS.values():
        owner = Owner(kind, slug)
        single = {"budget_scope": "user", "user": login, "budget_product_sku": "ai_credits"}
        assert user_key(owner, login) == natural_key(owner, single).parts


NAMES = st.sampled_from(['"ann"', '"b b"', '"c"', '"d\\n"', "ann", '"ann', "1", ""])
SIGNS = st.sampled_from([" ", " ", " ", "", "  ", ",", ":", "\t"])
WORDS = st.sampled_from(
    ['"x"', "20", "0", '{"budget_amount":5}', '{"budget_amount":5', '"reason":"x"},3', "01", "1,2", ""]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\n", "\r\n", "", "\n\n"])
LINES = st.tuples(NAMES, SIGNS, WORDS, ENDS).map("".join) | st.tuples(NAMES, ENDS).map("".join)


def meant(text: str, *, is_list: bool) -> dict[str, Any] | None:
    """Return the entries of a text by login, read piece by piece, or None if it has another form."""
    found: dict[str, Any] = {}
    for line in text.removesuffix("\n").split("\n") if text else []:
        opened = line.startswith('"') and re.match(r'"(?:[^"\\]|\\.)*"', line)
        if not opened:
            return None
        login, rest = json.loads(opened[0]), line[opened.end() :]
        if login in found or is_list != (rest == "") or not (is_list or rest.startswith(" ")):
            return None
        try:
            found[login] = None if is_list else json.loads(rest[1:])
        except ValueError:
            return None
    return found if text.endswith("\n") or not text else None


@given(text=st.lists(LINES, max_size=3).map("".join), name=st.sampled_from(["budgets", "budget_ids", "adopted"]))
@example(text='"ann" 20\n"b b" {"budget_amount":5}\n', name="budgets")
@example(text='"ann" "x"\n"b b" "x"\n', name="budget_ids")
@example(text='"ann"\n"b b"\n', name="adopted")
@example(text='"ann",1\n', name="budgets")
@example(text='"ann" 01\n', name="budgets")
@example(text='"ann" "1"\n"ann" "2"\n', name="budget_ids")
@example(text='"ann" {"budget_amount":5\n"b" "reason":"x"},3\n', name="budgets")
@example(text='"ann","b"\n', name="adopted")
@example(text='["ann","b"]', name="adopted")
@example(text='"ann"\r\n"b"\r\n', name="adopted")
def test_an_edited_text_is_read_as_it_is_written_or_stays(text: str, name: str) -> None:
    """Each line is one login once, with one value in a mapping; another text stays one, so its type is wrong."""
    read, wanted = from_texts({name: text})[name], meant(text, is_list=name == "adopted")
    assert read == (text if wanted is None else list(wanted) if name == "adopted" else wanted)


@pytest.mark.parametrize(
    "text",
    ["ann 1\n", '"ann",1\n', '"ann":1\n', '"ann" 01\n', '"ann"\n', '"ann" 1', '"ann" 1,2\n', '"ann" {"reason":1}\n'],
)
def test_a_damaged_text_is_an_error(text: str) -> None:
    """A line without quotation marks, value or end, with two values, or with a value of another form."""
    with pytest.raises(ConfigError, match="an invalid value of budgets"):
        read_bucket({"enterprise": "e", "bucket": "05", "budgets": text})
