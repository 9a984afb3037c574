"""The properties of one resource of a table, and how an engine has them; a program needs no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.core.ids import LOGIN
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
"""The input and the outputs with an entry for each row or login; an engine has each of them as one text.

It copies, compares and saves each value of a mapping by itself, which takes seconds for ten thousand rows. Of a text
with many lines, the Pulumi CLI shows those that change. A line is a login, and in a mapping a space and its value as
JSON.
"""


def as_texts(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties as an engine has them."""
    return {**props, **{name: _text(props[name]) for name in TEXTS if props.get(name) is not None}}


def from_texts(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that an engine has, or a state of 0.2.0, which has mappings and lists in place of texts.

    A text of another form stays, for the check of its type.
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
        return "\n".join(f"{_shown(login)} {_json(entries[login])}" for login in logins)
    return "\n".join(map(_shown, logins))


def _json(value: Any) -> str:
    # Nearly all values are amounts.
    return str(value) if type(value) is int else json.dumps(value, separators=(",", ":"))


def _shown(login: str) -> str:
    """Return a login as it is in a line: one that GitHub lists may be any text."""
    return login if LOGIN.fullmatch(login) else json.dumps(login).replace(" ", r"\u0020")


def _entries(name: str, text: str) -> dict[str, Any] | list[str]:
    """Return the mapping or the list of a text.

    Raises:
        ValueError: It has another form.
    """
    lines = [line.partition(" ") for line in text.split("\n")] if text else []
    logins = [json_text.load(login) if login.startswith('"') else login for login, _, _ in lines]
    if name in _LISTS:
        if any(space for _, space, _ in lines):
            raise ValueError("a login has a value")
        return logins
    values = json_text.load(f"[{','.join(value for _, _, value in lines)}]")
    return dict(zip(logins, values, strict=True))
