"""Every form of a token taken out of a text before anybody reads it."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "[secret]"
_ENCODINGS: tuple[Callable[[bytes], bytes], ...] = (base64.b64encode, base64.urlsafe_b64encode)
# What is left of a shorter one at the worst alignment could stand in any text.
_LEAST_BYTES = 8

_LOOKS_SECRET = re.compile(
    r"""
    \b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{6,}        # GitHub's own token forms, ours or anybody's
    | (?<=://)[^/\s@]+@                                  # the user part of a URL
    | (?<=authorization)(["']?\s*[:=]\s*(?:b?["'])?)(?:(?:bearer|token|basic)\s+)?[^\s"',}]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def forms(token: str) -> list[str]:
    """Return the token in every encoding in which it travels, the longest first."""
    raw = token.encode()
    found = {token, quote(token, safe=""), quote_plus(token), json.dumps(token)[1:-1], repr(token)[1:-1]}
    percent = "".join(f"%{byte:02x}" for byte in raw)
    found |= {raw.hex(), raw.hex().upper(), percent, percent.upper()}
    if len(raw) >= _LEAST_BYTES:
        found |= {_inner(raw, before, encode) for before in range(3) for encode in _ENCODINGS}
    return sorted(found, key=len, reverse=True)


def _inner(raw: bytes, before: int, encode: Callable[[bytes], bytes]) -> str:
    """Return what base64 makes of the token alone, where so many bytes (modulo 3) of another text stand before it."""
    text = encode(b"\0" * before + raw).decode().rstrip("=")
    return text[(0, 2, 3)[before] : len(text) - ((before + len(raw)) % 3 > 0)]


def redact(text: str, *tokens: str) -> str:
    """Return the text without the tokens, in any of their forms, and without anything that looks like one."""
    for token in tokens:
        for form in forms(token) if token else ():
            text = text.replace(form, MASK)
    return _LOOKS_SECRET.sub(
        lambda found: (found.group(1) or "") + MASK + ("@" if found[0].endswith("@") else ""), text
    )
