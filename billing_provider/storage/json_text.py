"""Parse untrusted JSON: refuse deep nesting and values that cannot be written again."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load", "parse", "storable", "too_deep"]

# Limits of our own: those of the interpreter differ between versions of Python, in value and in text.
_MOST_DEPTH = 100
# The digits of the largest float: a longer number cannot be written to a file of Pulumi.
_MOST_DIGITS = 309
# A string, also one without its end; one pattern for all between two brackets would take memory for each of them.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS = re.compile(r"[^][{}]+")
_AFTER_COMMA = re.compile(r",\s*")


def load(
    text: str | bytes,
    parse_constant: Callable[[str], Any] | None = None,
    parse_float: Callable[[str], Any] | None = None,
) -> Any:
    """Return the values of a JSON text.

    Args:
        text: UTF-8 where it is bytes.
        parse_constant: Called for NaN, Infinity and -Infinity, which are not JSON.
        parse_float: Called for numbers that are not whole.

    Raises:
        ValueError: It is not JSON, or is nested more than 100 levels deep.
    """
    decoded = text if isinstance(text, str) else text.decode()
    _check_brackets(decoded)
    try:
        return json.loads(decoded, parse_int=_integer, parse_constant=parse_constant, parse_float=parse_float)
    except json.JSONDecodeError as error:
        raise ValueError(_not_json(error)) from None


def parse(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the values of a JSON text that can be written again; see `load`.

    Raises:
        ValueError: As in `load`; or it has a number or text that cannot be stored.
    """
    value = load(text, parse_constant, _float)
    storable(value)
    return value


def storable(value: Any) -> None:
    """Check that values from JSON or YAML can be written as JSON.

    Raises:
        ValueError: They are nested more than 100 levels deep, or have a number or text that cannot be stored.
    """
    _check(value, _MOST_DEPTH)


def _check(value: Any, left: int) -> None:
    if isinstance(value, str):
        # A lone surrogate cannot be encoded.
        value.encode()
    elif isinstance(value, int):
        if abs(value) > sys.float_info.max:
            raise _too_large()
    elif isinstance(value, (list, dict)):
        if left == 0:
            raise too_deep()
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check(key, left)
            _check(item, left - 1)


def _check_brackets(text: str) -> None:
    """Check the depth before the text is parsed, as the interpreter has a limit of its own."""
    if text.count("[") + text.count("{") <= _MOST_DEPTH:
        return
    depth = 0
    for bracket in _NO_BRACKETS.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _MOST_DEPTH:
            raise too_deep()


def _integer(text: str) -> int:
    # The interpreter refuses to convert long texts to integers, from a length of its own; a part is too large too.
    return int(text[: _MOST_DIGITS + 2])


def _float(text: str) -> float:
    if math.isinf(value := float(text)):
        raise _too_large()
    return value


def _not_json(error: json.JSONDecodeError) -> str:
    """Return our own text: Python 3.13 reports a comma before a closing bracket elsewhere and in other words."""
    comma = _AFTER_COMMA.match(error.doc, error.pos) if "trailing comma" in error.msg else None
    position = comma.end() if comma else error.pos
    line = error.doc.count("\n", 0, position) + 1
    return f"it is not JSON: see line {line}, column {position - error.doc.rfind(chr(10), 0, position)}"


def _too_large() -> ValueError:
    return ValueError("a number is too large")


def too_deep() -> ValueError:
    """Return the error of a text that is nested too deeply."""
    return ValueError(f"it is nested more than {_MOST_DEPTH} levels deep")
