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


@given(table=TABLES)
@example(table={"budgets": {"a b": 1, '"c"': "\n", "": 2}, "others": ["", "d\ne"]})
def test_texts_hold_what_they_are_made_of(table: dict[str, Any]) -> None:
    """Any mapping or list comes back, sorted, also from itself; a text has a line for each entry."""
    texts = as_texts(table)
    assert from_texts(texts) == {
        name: sorted(value, key=str.lower) if isinstance(value, list) else value for name, value in table.items()
    }
    assert from_texts(table) == table
    for name in TEXTS & table.keys():
        assert isinstance(texts[name], str)
        assert len(texts[name].split("\n")) == max(len(table[name]), 1)


def test_the_form_of_a_text() -> None:
    """A state is read by people: a line is the login and what belongs to it, in the order of the logins."""
    rows = {"Zoe": 20, "ann": {"budget_amount": 80, "reason": "launch: \u2713"}, "b b": 5}
    assert as_texts({"budgets": rows, "adopted": ["Zoe", "ann"], "expired": None, "bucket": "05"}) == {
        "bucket": "05",
        "budgets": 'ann {"budget_amount":80,"reason":"launch: \\u2713"}\n"b\\u0020b" 5\nZoe 20',
        "adopted": "ann\nZoe",
        "expired": None,
    }


@given(
    text=st.text(max_size=20) | st.from_regex(r'("?[a-c ]"? ?[0-9,{}"\[\]]{0,4}\n?){1,3}'), name=st.sampled_from(TEXTS)
)
def test_any_text_is_read_or_an_error_of_the_state(text: str, name: str) -> None:
    """A text that somebody has edited is read in full, or named by an error that says what to do."""
    given_table = {"enterprise": "e", "bucket": "05", name: text}
    try:
        read = read_bucket(given_table)
    except ConfigError as error:
        assert str(error).startswith(f"the state contains an invalid value of {name}. Nothing was sent: ")  # noqa: PT017
        return
    assert len(getattr(read, name)) <= len(text.split("\n"))


@pytest.mark.parametrize("text", ["ann", "ann 1,2", "ann 1\n", "ann 1] [", "ann 1],[2", 'ann {"reason":1}'])
def test_a_damaged_text_is_an_error(text: str) -> None:
    """A line without its value, with two of them, or with one of another form."""
    with pytest.raises(ConfigError, match="an invalid value of budgets"):
        read_bucket({"enterprise": "e", "bucket": "05", "budgets": text})


def test_a_list_has_no_values() -> None:
    """A mapping where the state has a list is damage too."""
    with pytest.raises(ConfigError, match="an invalid value of adopted"):
        read_bucket({"enterprise": "e", "bucket": "05", "adopted": f"ann {json.dumps(1)}"})
