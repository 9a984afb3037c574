"""The depth of a JSON text, found before it is parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.storage import json_text

KEYS = st.text(st.sampled_from('a"[]{}\\,: \n'), max_size=5)
INNER = st.recursive(
    st.none() | KEYS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner), max_leaves=20
)


@given(value=INNER, around=st.integers(90, 105), many=st.integers(0, 60), is_list=st.booleans())
def test_the_limit_is_a_hundred_levels(value: Any, around: int, many: int, is_list: bool) -> None:
    """Brackets in strings do not count, nor those of a neighbour: the innermost value decides."""
    for _ in range(around):
        value = [value, *[["x"]] * (many if is_list else 0)] if is_list else {"k[": value}
    text = json.dumps(value)
    if depth(value) > 100:
        with pytest.raises(ValueError, match="nested more than 100 levels deep"):
            json_text.load(text)
    else:
        assert json_text.load(text) == value


def depth(value: Any) -> int:
    """Return how many lists and mappings are around the innermost value."""
    levels, level = [value], 0
    while levels := [each for each in levels if isinstance(each, (list, dict))]:
        level += 1
        levels = [inner for each in levels for inner in (each.values() if isinstance(each, dict) else each)]
    return level


@pytest.mark.parametrize("text", ['["' + "[" * 200, "[" * 101, "]" * 200 + "[" * 200, '{"a": "' + "{" * 200 + '"'])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    """A string without its end, or brackets without theirs, is an error in any case."""
    with pytest.raises(ValueError, match=r"not JSON|nested more than"):
        json_text.load(text)
