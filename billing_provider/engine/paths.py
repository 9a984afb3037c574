"""Property paths such as `tags[0].name`: parse them, reset the value at a path, compare values by path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from billing_provider.engine.wire import UNKNOWN, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
Kind = Literal["add", "delete", "update"]

_MISSING = object()
_PART = re.compile(r"""\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]""", re.DOTALL)


def parse(text: str) -> Path:
    """Parse a path.

    Raises:
        ValueError: The text is not a path.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a property path")
        name, index, quoted = match.groups()
        if index is not None:
            parts.append(index if index == "*" else int(index))
        else:
            parts.append(name if name is not None else re.sub(r"(?s)\\(.)", r"\1", quoted))
        position = match.end()
    return tuple(parts)


def contains(outer: Path, inner: Path) -> bool:
    """Return whether `inner` lies at or below `outer`, where `*` stands for any one part."""
    return len(outer) <= len(inner) and all(part in ("*", inner[at]) for at, part in enumerate(outer))


def reset(path: Path, source: Any, target: Any) -> Any:
    """Return `target` with the value at the path replaced by that of `source`; remove it if `source` has none.

    An element of a list is replaced only if both lists have it; a list keeps its length.
    """
    if not path:
        return source
    head, rest = path[0], path[1:]
    if isinstance(target, Secret):
        return Secret(reset(path, _open(source), target.value))
    source = _open(source)
    if isinstance(target, dict) and isinstance(head, str):
        keys = [*target, *(key for key in (source if isinstance(source, dict) else {}) if key not in target)]
        chosen = keys if head == "*" else [head]
        return _reset_keys(chosen, rest, source if isinstance(source, dict) else {}, target)
    if isinstance(target, list) and isinstance(source, list):
        chosen_items = range(len(target)) if head == "*" else (head,)
        return [
            reset(rest, source[at], item) if at in chosen_items and at < len(source) else item
            for at, item in enumerate(target)
        ]
    return target


def _open(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value


def _reset_keys(keys: list[str], rest: Path, source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for key in keys:
        if rest and key in target:
            result[key] = reset(rest, source.get(key), target[key])
        elif not rest and key in source:
            result[key] = source[key]
        elif not rest:
            result.pop(key, None)
    return result


@dataclass(frozen=True)
class Difference:
    """One value that differs, and its path."""

    path: Path
    kind: Kind
    old: Any = None
    new: Any = None
    # Whether one of the two is inside a secret and must not be shown.
    secret: bool = False


def differences(old: Any, new: Any, path: Path = (), *, secret: bool = False) -> Iterator[Difference]:
    """Yield the differences between two values, innermost paths only; secrets are compared by value."""
    secret = secret or isinstance(old, Secret) or isinstance(new, Secret)
    old, new = _open(old), _open(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _different_item(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key), secret=secret)
    elif isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            left, right = (items[at] if at < len(items) else _MISSING for items in (old, new))
            yield from _different_item(left, right, (*path, at), secret=secret)
    elif old is UNKNOWN or new is UNKNOWN or type(old) is not type(new) or old != new:
        yield Difference(path, "update", old, new, secret)


def _different_item(old: Any, new: Any, path: Path, *, secret: bool) -> Iterator[Difference]:
    if old is _MISSING:
        yield Difference(path, "add", None, new, secret)
    elif new is _MISSING:
        yield Difference(path, "delete", old, None, secret)
    else:
        yield from differences(old, new, path, secret=secret)
