"""Values of Python programs as JSON has them."""

from __future__ import annotations

import itertools
import math
import numbers
from array import array
from collections import OrderedDict, deque
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.values import MAX_ITEMS, plain, scalar, text_of


class Scalar:
    """A scalar of numpy, as far as this project uses it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        """Return it as Python's own."""
        return self.value


class Index:
    """An integer of another library."""

    def __index__(self) -> int:
        return 7


class Registered(Index):
    """An integer that is registered as one."""


numbers.Integral.register(Registered)


class Scope(str, Enum):
    """A scope of a program."""

    USER = "user"


class Amount(IntEnum):
    """An amount of a program."""

    SMALL = 50


class Slug(str):
    """A text of another library."""

    __slots__ = ()


EXACT = [
    (Scope.USER, "user"),
    (Amount.SMALL, 50),
    (Slug("octo"), "octo"),
    (Scalar(5), 5),
    (Scalar([1, 2]), [1, 2]),
    (Index(), 7),
    (Registered(), 7),
    (Decimal(500), 500),
    (Decimal("500.00"), 500),
    (Decimal("0.5"), 0.5),
    (Fraction(10, 2), 5),
    (Fraction(1, 2), 0.5),
    (MappingProxyType({"a": (1,)}), {"a": [1]}),
    (OrderedDict(a={Scope.USER}), {"a": ["user"]}),
    ((1, (2, "b")), [1, [2, "b"]]),
    (deque("ab"), ["a", "b"]),
    (array("i", [1, 2]), [1, 2]),
    ({"b", "a", 3, 1, None}, [1, 3, "a", "b", None]),
    (frozenset({"b", "a"}), ["a", "b"]),
    ({"x": 1, "w": 2}.keys(), ["w", "x"]),
    ({"x": 1}.values(), [1]),
    ((each for each in "ba"), ["b", "a"]),
    (range(2), [0, 1]),
]


@pytest.mark.parametrize(("value", "expected"), EXACT, ids=range(len(EXACT)))
def test_an_exact_value_is_taken(value: Any, expected: Any) -> None:
    """What has an equal in JSON becomes that, with the type that JSON has."""
    found = plain(value)
    assert (found, type(found)) == (expected, type(expected))


UNCHANGED: list[Any] = [
    *(b"a", bytearray(b"a"), memoryview(b"a"), PurePosixPath("a/b"), date(2027, 1, 31), 1j, object()),
    *(Decimal("500.0000000000000000000001"), Decimal("sNaN"), Fraction(10**400, 3)),
]


@pytest.mark.parametrize("value", UNCHANGED, ids=range(len(UNCHANGED)))
def test_other_values_are_left_to_their_check(value: Any) -> None:
    """What JSON does not have, and what a float would round to a whole number, stays as it is."""
    assert plain(value) is value


def test_a_decimal_that_is_no_number_is_none() -> None:
    """The check of a number refuses it."""
    assert math.isnan(plain(Decimal("NaN")))
    assert math.isinf(plain(Decimal("Infinity")))
    assert math.isinf(plain(Decimal("1e999999999")))


def test_an_endless_generator_is_no_list() -> None:
    """It is left to the check after as many values as a list may have."""
    endless = itertools.count()
    assert plain(endless) is endless
    assert len(plain(iter(range(MAX_ITEMS)))) == MAX_ITEMS


def test_kept_types_stay_as_they_are() -> None:
    """A value of a kept type is not opened, wherever it is."""
    kept = MappingProxyType({"a": 1})
    assert plain([kept, {"b": kept}], (MappingProxyType,)) == [kept, {"b": kept}]
    assert plain([kept], (MappingProxyType,))[0] is kept


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_what_json_has_is_unchanged(value: Any) -> None:
    """A value that JSON has is equal afterwards, with the same types."""
    assert repr(plain(value)) == repr(value)


@given(st.decimals(allow_nan=False) | st.fractions())
def test_a_whole_number_is_exact(value: Any) -> None:
    """A number becomes an int only if it is equal to it, and never a float that is a whole one."""
    found = scalar(value)
    assert not isinstance(found, int) or found == value
    assert not isinstance(found, float) or not found.is_integer()


EAST = timezone(timedelta(hours=14))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (date(2027, 1, 31), "2027-01-31"),
        (datetime(2027, 1, 31), "2027-01-31"),  # noqa: DTZ001 - as programs write it
        (datetime(2027, 1, 31, tzinfo=timezone.utc), "2027-01-31"),
        (datetime(2027, 1, 31, 14, tzinfo=EAST), "2027-01-31"),
        (datetime(2027, 1, 31, tzinfo=EAST), "2027-01-30T10:00:00+00:00"),
        (datetime(2027, 1, 31, 12), "2027-01-31T12:00:00"),  # noqa: DTZ001 - as programs write it
        (datetime(1, 1, 1, tzinfo=EAST), "0001-01-01 00:00:00+14:00"),
    ],
    ids=str,
)
def test_a_date_has_one_text(moment: date, text: str) -> None:
    """A date and the UTC midnight of it are the same text; another time keeps its time."""
    assert text_of(moment) == text
