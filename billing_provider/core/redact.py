"""Remove tokens, line breaks and invisible characters from texts."""

from __future__ import annotations

import base64
import functools
import json
import math
import re
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MASK = "[secret]"
MAX_TEXT = 4000
"""The maximum length of a displayed text."""
MIN_TOKEN = 8
"""The minimum length of a masked token; a shorter text could be part of any word."""
_MIN_NUMBER = 10
_SECRETS: set[str] = set()
_HIDDEN: ContextVar[re.Pattern[str] | None] = ContextVar("hidden", default=None)
_ENCODINGS: tuple[Callable[[bytes], bytes], ...] = (base64.b64encode, base64.urlsafe_b64encode)

_LOOKS_SECRET = re.compile(
    r"""
    \b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{6,}(?:[.-][A-Za-z0-9_-]+)*  # GitHub's own token forms, ours or anybody's
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+  # a JSON web token
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    | (?<=://)[^/\s@]+@                                  # the user part of a URL
    | (?<=authorization)(["']?\s*[:=]\s*(?:b?["'])?)(?:(?:bearer|token|basic)\s+)?[^\s"',}]+
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_MARKS = (*(f"gh{kind}_" for kind in "pousr"), "github_pat_", "eyj", "-----begin ", "@", "authorization")
"""In lower case, each ASCII text that looks like a token has one of these."""


def remember(token: str) -> None:
    """Register a token that `clean` masks in every text."""
    _SECRETS.add(token)


@functools.cache
def forms(token: str) -> tuple[str, ...]:
    """Return the token in all its encodings, longest first."""
    if len(token) < MIN_TOKEN:
        return ()
    raw = token.encode()
    found = {token, quote(token, safe=""), quote_plus(token), json.dumps(token)[1:-1], repr(token)[1:-1]}
    percent = "".join(f"%{byte:02x}" for byte in raw)
    found |= {raw.hex(), raw.hex().upper(), percent, percent.upper()}
    found |= {_inner(raw, before, encode) for before in range(3) for encode in _ENCODINGS}
    return tuple(sorted(found, key=len, reverse=True))


def _inner(raw: bytes, before: int, encode: Callable[[bytes], bytes]) -> str:
    """Return the base64 of the token alone, at an offset (modulo 3) in a longer text."""
    text = encode(b"\0" * before + raw).decode().rstrip("=")
    return text[(0, 2, 3)[before] : len(text) - ((before + len(raw)) % 3 > 0)]


def redact(text: str, *tokens: str) -> str:
    """Return the text without the tokens in any encoding, and without anything that looks like a token."""
    for token in tokens:
        for form in forms(token):
            text = text.replace(form, MASK)
    lower = text.lower()
    if text.isascii() and not any(mark in lower for mark in _MARKS):
        # The pattern takes milliseconds for a page of a listing.
        return text
    return _LOOKS_SECRET.sub(
        lambda found: (found.group(1) or "") + MASK + ("@" if found[0].endswith("@") else ""), text
    )


def masked(value: Any, *tokens: str) -> Any:
    """Return JSON with every text, including keys, redacted and valid Unicode."""
    if isinstance(value, str):
        return redact(value.encode(errors="replace").decode(), *tokens)
    if isinstance(value, list):
        return [masked(each, *tokens) for each in value]
    if isinstance(value, dict):
        return {masked(key, *tokens): masked(each, *tokens) for key, each in value.items()}
    return value


def is_harmless(text: str, *tokens: str) -> bool:
    """Return whether `masked` changes no part of a text, such as the values in JSON: a listing has thousands of them.

    Args:
        text: The parts, with quotation marks or ends of lines between them.
        tokens: What is masked.
    """
    # JSON writes a value with an escape in another form.
    return "\\" not in text and redact(text, *tokens) == text


@contextmanager
def hiding(values: Iterable[Any]) -> Iterator[None]:
    """Mask names and numbers in every text of this thread that `clean` returns: the values of secret inputs.

    Args:
        values: Texts and numbers, also nested in lists and mappings.
    """
    words = sorted({word for value in values for word in _words(value)}, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE) if words else None
    before = _HIDDEN.set(pattern)
    try:
        yield
    finally:
        _HIDDEN.reset(before)


def _words(value: Any) -> Iterator[str]:
    """Yield how a value can stand in a text; flags and single digits are not masked: they are parts of other facts."""
    if isinstance(value, dict):
        yield from (word for item in value.values() for word in _words(item))
    elif isinstance(value, (list, tuple)):
        yield from (word for item in value for word in _words(item))
    elif isinstance(value, str):
        # Texts are shown on one line.
        yield from filter(None, [" ".join(value.split())])
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _MIN_NUMBER:
        forms_of = {f"{value:g}", f"{value:,.10g}", f"{value:,.2f}", f"{value:.2f}", str(value)}
        yield from forms_of | ({str(int(value))} if math.isfinite(value) else set())


def quoted(name: str, limit: int = MAX_TEXT) -> str:
    """Return a name for display; one with spaces or signs that nobody sees is in quotes, as a program writes it."""
    shown = clean(name)
    if shown == name or MASK in shown:
        return clean(name, limit)
    signs = ("\\x20" if pair == "  " else _literal(pair[-1]) for pair in map("".join, pairwise(f"_{name}")))
    return clean(f'"{"".join(signs)}"', limit)


def _literal(sign: str) -> str:
    if sign in {'"', "\\"}:
        return f"\\{sign}"
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text for display: on one line, without invisible characters and tokens, and truncated.

    Control, bidirectional and zero-width characters are removed first, because they could hide a token. The text is
    truncated last, because a part of a token would not be found.
    """
    visible = text if text.isprintable() else "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    shown = redact(" ".join(visible.split()), *_SECRETS)
    hidden = _HIDDEN.get()
    shown = shown if hidden is None else hidden.sub(MASK, shown)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."
