"""Values of Python programs as JSON has them: exact, or unchanged for the check that refuses them."""

from __future__ import annotations

import inspect
import itertools
import numbers
import operator
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

MAX_ITEMS = 100_000
"""Maximum number of values of an iterable: a generator may not end."""


def plain(value: Any, kept: tuple[type[Any], ...] = ()) -> Any:
    """Return a value with its containers as dicts and lists, and its scalars as `scalar` returns them.

    A set becomes a sorted list, so that no two runs differ. What is no container and no scalar stays as it is, such as
    a date.

    Args:
        value: The value.
        kept: Types whose values stay as they are.
    """
    # A future of asyncio has an iterator, which only `await` may use.
    if isinstance(value, kept) or inspect.isawaitable(value):
        return value
    value = scalar(value)
    if isinstance(value, Mapping):
        return {key: plain(value[key], kept) for key in value}
    if isinstance(value, (str, bytes, bytearray, memoryview)) or not isinstance(value, Iterable):
        return value
    items = list(itertools.islice(value, MAX_ITEMS + 1))
    if len(items) > MAX_ITEMS:
        return value
    listed = [plain(each, kept) for each in items]
    return sorted(listed, key=_order) if isinstance(value, AbstractSet) else listed


def scalar(value: Any) -> Any:
    """Return the value of an `Enum`, a text, a flag, or a number as an int if it is whole; others stay as they are.

    Numbers are recognized by their interfaces: those of numpy and pandas are too, without an import of these.
    """
    if isinstance(value, Enum):
        return scalar(value.value)
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if callable(getattr(type(value), "tolist", None)) and not isinstance(value, memoryview):
        # numpy's scalars and arrays, and pandas' series.
        return value.tolist()
    if isinstance(value, numbers.Integral) or hasattr(type(value), "__index__"):
        return operator.index(value)
    return _number(value) if isinstance(value, (Decimal, numbers.Real)) else value


def text_of(moment: date) -> str:
    """Return a date, or a UTC midnight as its date, as `2027-01-31`; another time as ISO 8601, in UTC.

    A time without a zone is one of UTC, as in all texts.
    """
    if not isinstance(moment, datetime):
        return moment.isoformat()
    try:
        utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment
        return utc.date().isoformat() if utc.time() == time.min else utc.isoformat()
    except (OverflowError, ValueError):
        # The first or last day of the calendar in a zone with another one, or pandas' time that is none.
        return str(moment)


def kind_of(value: Any) -> str:
    """Return what a value is, for a message that does not show it."""
    return f"a value of type {type(value).__name__}"


def _number(value: Any) -> Any:
    """Return a number as an int if it is whole, or as the nearest float; unchanged if a float takes it for a whole one.

    Only as a float: the digits of `Decimal("1e999999999")` would fill the memory.
    """
    try:
        rounded = float(value)
    except (OverflowError, ValueError):
        return value
    if not rounded.is_integer():
        return rounded
    return int(rounded) if rounded == value else value


def _order(item: Any) -> tuple[str, Any]:
    """Order numbers and texts by their values, and what has no order last."""
    if isinstance(item, str):
        return "text", item
    return ("number", item) if isinstance(item, (int, float)) else ("without an order", 0)
