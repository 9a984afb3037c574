"""Allowed addresses, read by two URL parsers."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from billing_provider.core.address import api_address, is_loopback, origin_of
from billing_provider.core.errors import ConfigError


@pytest.mark.parametrize(
    ("given_url", "used", "local"),
    [
        ("https://api.github.com/", "https://api.github.com", False),
        (" https://API.GitHub.com:443\n", "https://api.github.com", False),
        ("https://api.octo-corp1.ghe.com", "https://api.octo-corp1.ghe.com", False),
        ("http://127.0.0.1:1234/api/v3/", "http://127.0.0.1:1234/api/v3", True),
        ("http://localhost:1234", "http://localhost:1234", True),
        ("https://LOCALHOST", "https://localhost", True),
        ("http://[::1]:1234", "http://[::1]:1234", True),
        ("HTTP://[::1]:01234/api", "http://[::1]:1234/api", True),
    ],
)
def test_allowed_addresses_are_normalized(given_url: str, used: str, local: bool) -> None:
    """GitHub and its tenants over https, and this machine, are allowed; the address is rebuilt from its parts."""
    assert api_address(given_url) == used
    assert is_loopback(used) == local


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com",
        "https://api.github.com:8443",
        "https://api.github.com/api/v3",
        "https://api.github.com?x=1",
        "https://api.github.com#x",
        "https://user@api.github.com",
        "https://:pass@api.github.com",
        "https://user:pass@127.0.0.1",
        "https://@127.0.0.1",
        "https://github.com",
        "https://api.github.com.",
        "https://api.github.com.evil.example",
        "https://api.github.com@evil.example",
        "https://evil.example/api.github.com",
        "https://api.ghe.com",
        "https://api..ghe.com",
        "https://api.a.b.ghe.com",
        "https://api.-.ghe.com",
        "https://api.-.ghe.com/x",
        "https://api.octo.ghe.com.evil.example",
        "https://evilapi.octo.ghe.com",
        "https://api.\u00f6cto.ghe.com",
        "https://api.g\u0131thub.com",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:80@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://evil.example\\[::1]",
        "http://evil.example\\[::1]:80/api/v3",
        "http://evil.example#[::1]",
        "http://evil.example?[::1]",
        "http://[::1]evil.example",
        "http://[::1%25evil]:80",
        "http://127.0.0.1:80\\.evil.example",
        "http://127.0.0.1 .evil.example",
        "http://127.0.0.1/\t@evil.example",
        "http://127.0.0.1/..",
        "http://127.0.0.1/api/../x",
        "http://127.0.0.1/a%2e",
        "http://127.0.0.1/a?b",
        "http://127.0.0.1:",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:\u0661",
        "http://\uff11\uff12\uff17.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://[::1",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//127.0.0.1",
        "127.0.0.1:8080",
        "nonsense",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """An address that could send the token to another host is a configuration error."""
    with pytest.raises(ConfigError, match=r"github-billing:baseUrl .* must be https://api.github.com"):
        api_address(url)


PIECES = st.sampled_from(
    [
        *("http://", "https://", "//", "127.0.0.1", "localhost", "[::1]", "::1", "api.github.com", "api.octo.ghe.com"),
        *("evil.example", "\\", "/", "@", ":", "#", "?", "%", "%2f", "%5c", "[", "]", ".", "..", ":80", ":443", ";"),
        *(" ", "\t", "\r\n", "\0", "\u200b", "\u3002", "\uff0f", "\uff20", "\u00ad", "user", "/api/v3"),
    ]
)
HOSTILE = st.one_of(
    st.lists(PIECES, max_size=8).map("".join),
    st.text(max_size=40),
    st.text(string.printable, max_size=40).map("http://127.0.0.1".__add__),
    st.from_regex(r"https?://[a-z0-9.@:/\\\[\]#?-]{0,40}", fullmatch=True),
)


def hosts(url: str) -> set[str]:
    """Return the host to which a request goes, once by each parser, after the client has prepared it."""
    prepared = requests.Request("GET", f"{url}/rate_limit").prepare().url or ""
    return {urlsplit(prepared).hostname or "", (parse_url(prepared).host or "").strip("[]")}


@given(url=st.from_regex(r"https?://[a-z0-9.-]{1,20}(:[0-9]{1,5})?(/[a-z0-9_-]{1,9}){0,3}", fullmatch=True))
@example("https://api.github.com")
@example("http://a..b:443/x-_/1")
@example("http://127.0.0.1:65536")
def test_all_parsers_read_a_plain_address_in_the_same_way(url: str) -> None:
    """What is not given to the second parser is an address that it would read as the first one does, or refuse."""
    try:
        origin, other = origin_of(url), parse_url(url)
    except ValueError:
        with pytest.raises(LocationParseError):
            parse_url(url)
        return
    assert (origin.scheme, origin.host, origin.port) == (other.scheme, other.host, other.port)
    assert urlsplit(url).path == (other.path or "")
    assert other.auth is None


@given(url=HOSTILE)
@example("http://evil.example\\[::1]")
@example("http://127.0.0.1/\n@evil.example")
@example("http://[127.0.0.1]")
def test_any_text_is_refused_or_an_allowed_host(url: str) -> None:
    """For any text, both URL parsers see an allowed host, or the text is a configuration error."""
    try:
        used = api_address(url)
    except ConfigError:
        return
    (host,) = hosts(used)
    assert host in {"127.0.0.1", "localhost", "::1", "api.github.com", "api.octo.ghe.com"}
    assert is_loopback(used) == (host in {"127.0.0.1", "localhost", "::1"})
    assert used.startswith("https://") or is_loopback(used)
    assert api_address(used) == used


@given(url=HOSTILE)
@example("http://evil.example\\[::1]")
@example("http://" + "a" * 70 + "\u00e9.example")
@example("http://\ud800")
def test_urls_that_parsers_read_differently_have_no_origin(url: str) -> None:
    """A URL that the two parsers read differently has no origin and is not loopback."""
    try:
        host = origin_of(url).host
    except ValueError:
        assert not is_loopback(url)
        return
    assert {urlsplit(url).hostname, (parse_url(url).host or "").strip("[]").lower()} == {host}
