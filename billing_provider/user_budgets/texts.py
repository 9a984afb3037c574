"""The properties of one resource of a table, and the form in which an engine stores them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.storage import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

INPUTS = (
    *("enterprise", "organization", "bucket", "budgets", "exclusive", "protected"),
    *("on_existing", "on_delete", "on_raise"),
)
"""The inputs of one resource of a table."""
PENDING = "pending"
"""The output with what could not be written; as a changed property, it also stands for a change of no input."""
OTHERS = "others"
"""The output with the users who have a budget and are not in an exclusive table, as a refresh has found."""
_MAPPINGS = ("budgets", "budget_ids", RAISED_TO, PENDING)
_LISTS = ("adopted", KEPT_ON_DELETE, EXPIRED, OTHERS)
TEXTS = (*_MAPPINGS, *_LISTS)
"""The input and the outputs with an entry for each row or login; an engine stores each of them as one text.

An engine copies, compares and saves each value of a mapping by itself, which takes seconds for ten thousand rows. A
line of a text is a login, and in a mapping a space and its value, each as JSON. Such a text is neither JSON nor YAML:
of these, the Pulumi CLI shows all values when one changes, and of lines those that change.
"""
_LINE = re.compile(r'"([^"\\\x00-\x1f]*)"(?: (?:(0|[1-9][0-9]{0,14})|"([^"\\\x00-\x1f]*)"))?')
"""Nearly all lines: a login, an amount of a login, or an id of a login."""
_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"))
_NOTHING = object()


def as_texts(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties in the form in which an engine stores them."""
    return {**props, **{name: _text(props[name]) for name in TEXTS if props.get(name) is not None}}


def from_texts(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that an engine has stored; a state of 0.2.0 has mappings and lists in place of texts.

    A text of another form stays as it is: `read_bucket` then reports the property as invalid.
    """
    found = dict(props)
    for name in TEXTS:
        if isinstance(text := found.get(name), str):
            with suppress(ValueError):
                found[name] = _entries(name, text)
    return found


def _text(entries: Mapping[str, Any] | Sequence[str]) -> str:
    logins = sorted(entries, key=str.lower)
    if isinstance(entries, Mapping):
        return "".join(f"{_json(login)} {_json(_whole(entries[login]))}\n" for login in logins)
    return "".join(f"{_json(login)}\n" for login in logins)


def _whole(value: Any) -> Any:
    """Return a value with whole numbers as integers: an engine returns each number of a mapping as a float."""
    if isinstance(value, Mapping):
        return {name: _whole(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _json(value: Any) -> str:
    text = _ENCODER.encode(value)
    # What GitHub lists may have signs that nobody sees.
    return text if text.isprintable() else _ASCII_ENCODER.encode(value)


def _entries(name: str, text: str) -> dict[str, Any] | list[str]:
    """Return the mapping or the list of a text.

    Raises:
        ValueError: It has another form. A line that is read in another way than it was meant could delete a budget.
    """
    *lines, end = text.split("\n")
    found = dict(map(_entry, lines))
    if end or len(found) != len(lines) or any((value is _NOTHING) != (name in _LISTS) for value in found.values()):
        raise ValueError("a line is not complete, or stands twice")
    return list(found) if name in _LISTS else found


def _entry(line: str) -> tuple[str, Any]:
    """Return the login of a line and its value, or `_NOTHING` without one."""
    if match := _LINE.fullmatch(line):
        login, amount, text = match.groups()
        return login, int(amount) if amount else _NOTHING if text is None else text
    if not line.startswith('"'):
        raise ValueError("a line begins with a login")
    login, end = _DECODER.raw_decode(line)
    if line[end : end + 1] not in {" ", ""}:
        raise ValueError("a space follows a login")
    return login, json_text.load(line[end + 1 :]) if line[end:] else _NOTHING
