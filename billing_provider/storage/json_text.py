"""Parse untrusted JSON: refuse deep nesting and values that cannot be written again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse"]

# Python's recursion limit would allow about ten times this depth.
_MOST_DEPTH = 100


def parse(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the values of a JSON text.

    Args:
        text: UTF-8 where it is bytes.
        parse_constant: Called for NaN, Infinity and -Infinity, which are not JSON.

    Raises:
        ValueError: It is not JSON, is nested too deeply, or has a number or text that cannot be stored.
    """
    decoded = text if isinstance(text, str) else text.decode()
    try:
        value = json.loads(decoded, parse_constant=parse_constant)
    except RecursionError:
        raise _too_deep() from None
    _check(value, _MOST_DEPTH)
    return value


def _check(value: Any, left: int) -> None:
    if left == 0:
        raise _too_deep()
    if isinstance(value, str):
        # A lone surrogate cannot be encoded.
        value.encode()
    elif isinstance(value, int):
        try:
            float(value)
        except OverflowError:
            raise ValueError("a number is too large") from None
    elif isinstance(value, list):
        for item in value:
            _check(item, left - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, left)
            _check(item, left - 1)


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {_MOST_DEPTH} levels deep")
