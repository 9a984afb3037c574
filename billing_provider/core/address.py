"""Allowed addresses: GitHub, its tenants and this machine; two URL parsers must agree on each."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from billing_provider.core.errors import ConfigError

GITHUB = "https://api.github.com"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_GITHUB_HOST = re.compile(r"api\.(?:github|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.ghe)\.com")
_PLAIN = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?::[1-9][0-9]{0,4})?(?:/[a-z0-9_-]+)*", re.ASCII)
"""Addresses that all parsers read in the same way."""
# Refuse everything that URL parsers treat differently: backslashes, spaces, control characters, percent signs in a
# path, user names, queries and fragments.
_BASE = re.compile(r"https?://(?:\[::1\]|[a-z0-9.-]+)(?::[0-9]{1,5})?(?:/[a-z0-9._/-]*)?", re.ASCII | re.IGNORECASE)


class Origin(NamedTuple):
    """The origin of a URL.

    Attributes:
        scheme: The scheme in lower case.
        host: The host in lower case, without brackets.
        port: The port, or None for the scheme's own.
    """

    scheme: str
    host: str
    port: int | None


def origin_of(url: str) -> Origin:
    """Return the origin of a URL.

    `urllib.parse` and `urllib3`, which opens the connections, read malformed addresses differently.

    Raises:
        ValueError: There is no host, there is a user name, or the two parsers disagree.
    """
    one = urlsplit(url)
    origin, other = Origin(one.scheme, one.hostname or "", one.port), _as_sent(url)
    if not origin.host or "@" in one.netloc or other.has_user:
        raise ValueError("no host, or a user name")
    if origin != other.origin:
        raise ValueError("two parsers disagree")
    return origin


class _Sent(NamedTuple):
    """An address as the HTTP client reads it."""

    origin: Origin
    path: str
    has_user: bool


def _as_sent(url: str) -> _Sent:
    """Return an address as the HTTP client reads it.

    Raises:
        ValueError: It is none.
    """
    if _PLAIN.fullmatch(url):
        one = urlsplit(url)
        return _Sent(Origin(one.scheme, one.hostname or "", one.port), one.path, has_user=False)
    # A program rarely has another address to check, and the client takes long to import.
    from urllib3.exceptions import LocationParseError  # noqa: PLC0415 - see above
    from urllib3.util import parse_url  # noqa: PLC0415 - see above

    try:
        other = parse_url(url)
    except LocationParseError:
        raise ValueError("not an address") from None
    host = (other.host or "").strip("[]").lower()
    return _Sent(Origin(other.scheme or "", host, other.port), other.path or "", other.auth is not None)


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine; False for an invalid address."""
    try:
        return origin_of(url).host in _LOOPBACK
    except ValueError:
        return False


def api_address(text: str) -> str:
    """Return the normalized base URL of the API, without a trailing slash.

    Args:
        text: The setting or variable. Unchecked, it could send the token to another host.

    Raises:
        ConfigError: The token may not be sent there.
    """
    wrong = ConfigError(
        f"github-billing:baseUrl (or GITHUB_API_URL) must be {GITHUB} or https://api.TENANT.ghe.com; "
        "any other address must be on this machine, such as http://127.0.0.1:PORT"
    )
    url = text.strip()
    try:
        scheme, host, port = origin_of(url)
    except ValueError:
        raise wrong from None
    path = urlsplit(url).path.rstrip("/")
    if not _BASE.fullmatch(url) or path != _as_sent(url).path.rstrip("/"):
        raise wrong
    if host in _LOOPBACK:
        name = f"[{host}]" if ":" in host else host
        return f"{scheme}://{name}{'' if port is None else f':{port}'}{path}"
    if scheme == "https" and port in (None, 443) and not path and _GITHUB_HOST.fullmatch(host):
        return f"https://{host}"
    raise wrong
