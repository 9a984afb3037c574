"""The HTTP session of API requests and downloads: deadlines, cookies, proxies and certificates."""

from __future__ import annotations

import ssl
from datetime import datetime, timezone
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.core import errors
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.settings import Settings
from billing_provider.transport.download import download
from billing_provider.transport.http import Transport
from billing_provider.transport.pacing import Pacer
from tests.support.clock import VirtualClock
from tests.support.wire import Endless, WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "sandbox-canary-token-5up3r"
GOOD = answer(200, {"ok": True})


def settings(url: str, **chosen: Any) -> Settings:
    return Settings(
        **{"credentials": Credentials(Token(TOKEN)), "base_url": url, "write_interval_seconds": 0.0, **chosen}
    )


def transport(url: str, **chosen: Any) -> Transport:
    clock, told = VirtualClock(), settings(url, **chosen)
    return Transport(told, Pacer(told, clock, lambda *_: None), clock, lambda: None)


def send(url: str, **chosen: Any) -> Any:
    """Send one write, which is not repeated."""
    return transport(url, **chosen).request("POST", "/x", action="try it", body={}, repeatable=False).data


def fetch(url: str, **chosen: Any) -> Any:
    """Download one file."""
    if "request_timeout_seconds" in chosen:
        chosen = {"max_wait_seconds": chosen["request_timeout_seconds"], "request_timeout_seconds": 60.0}
    return download(url, settings(url, **chosen), "try it")


BOTH = pytest.mark.parametrize("ask", [send, fetch])

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "status line": Endless(b"HTTP/1.1 200 ", b"O"),
    "first bytes": Endless(b"", b"H"),
    "one header": Endless(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "continue": Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of continue": Endless(b"HTTP/1.1 100 Continue\r\nX: ", b"x"),
    "chunk extension": Endless(CHUNKED + b"1;", b"x"),
    "chunks": Endless(CHUNKED, b"1\r\n \r\n"),
    "trailers": Endless(CHUNKED + b"0\r\n", b"X: 1\r\n"),
    "body": Endless(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n", b" "),
    "body without an end": Endless(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" "),
}


@BOTH
@pytest.mark.parametrize("place", DRIPS)
def test_a_slow_response_is_a_timeout(place: str, ask: Callable[..., Any]) -> None:
    """A response that arrives byte by byte ends at the request timeout, and the error names the setting."""
    with WireServer(DRIPS[place]) as server, pytest.raises(errors.TransportError, match=r"Seconds \(0.2 s\)") as caught:
        ask(server.url, request_timeout_seconds=0.2)
    assert type(caught.value) is errors.TransportError
    assert len(server.heard) == 1


def test_redirects_share_the_request_timeout() -> None:
    """A redirect whose body uses up the request timeout is not followed."""
    slow = Endless(b"HTTP/1.1 307 Moved\r\nLocation: /y\r\nContent-Length: 9999\r\n\r\n", b" ")
    with WireServer(slow, GOOD) as server, pytest.raises(errors.TransportError, match="within"):
        send(server.url, request_timeout_seconds=0.2)
    assert len(server.heard) == 1


def test_nothing_is_sent_after_the_deadline() -> None:
    """If the deadline has passed before a request is sent, nothing is sent."""
    with WireServer(GOOD) as server, pytest.raises(errors.TransportError, match="within"):
        send(server.url, request_timeout_seconds=0.0)
    assert server.heard == []


def test_the_status_of_a_slow_error_response_is_used() -> None:
    """For an error response, the status is sufficient even if the body does not end."""
    drip = Endless(b"HTTP/1.1 403 No\r\nContent-Length: 9999\r\n\r\n", b" ")
    with WireServer(drip) as server, pytest.raises(errors.ForbiddenError):
        send(server.url, request_timeout_seconds=0.2)


def test_a_reused_connection_has_a_new_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request on a kept connection has its own deadline."""
    kept = GOOD.replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1)
    monkeypatch.setattr("tests.support.wire.WireServer._answer", _answer_twice(kept))
    with WireServer(GOOD) as server:
        line = transport(server.url, request_timeout_seconds=5.0)
        for _ in range(2):
            assert line.request("GET", "/x", action="try it").data == {"ok": True}


def _answer_twice(reply: bytes) -> Callable[..., None]:
    def answer_twice(_self: Any, connection: Any) -> None:
        with connection.makefile("rb") as reader:
            for _ in range(2):
                while reader.readline() != b"\r\n":
                    pass
                connection.sendall(reply)

    return answer_twice


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for this machine, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "this machine")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2199, 1, 1, tzinfo=timezone.utc))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    return file


def secured(certificate: Path, *replies: bytes | Endless) -> WireServer:
    """Return a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return WireServer(*replies, wrap=partial(context.wrap_socket, server_side=True))


@BOTH
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_ca_bundles_of_the_environment_are_used(
    variable: str, ask: Callable[..., Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both variables name the trusted CA certificates; without them the server is not trusted."""
    with secured(certificate, GOOD) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(errors.TransportError, match="SSLError"):
            ask(url)
        monkeypatch.setenv(variable, str(certificate))
        assert ask(url) in ({"ok": True}, '{"ok": true}')


@BOTH
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_missing_ca_bundle_is_an_error(
    variable: str, ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, the file and the correction, and says that nothing was sent."""
    monkeypatch.setenv(variable, str(tmp_path / "nothing.pem"))
    with pytest.raises(
        errors.ConfigError, match=rf"{variable} .* be read: .*nothing\.pem .No such.*Nothing was sent: "
    ):
        ask("https://127.0.0.1:9")


@BOTH
@pytest.mark.parametrize("place", DRIPS)
def test_a_slow_response_over_tls_is_a_timeout(
    place: str, ask: Callable[..., Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same deadline applies inside TLS."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with secured(certificate, DRIPS[place]) as server, pytest.raises(errors.TransportError, match=r"Seconds \(0.3 s\)"):
        ask(server.url.replace("http:", "https:"), request_timeout_seconds=0.3)


@BOTH
def test_a_slow_proxy_is_a_timeout(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The response of a proxy to CONNECT is read under the deadline too."""
    with WireServer(DRIPS["headers of continue"]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(errors.TransportError):
            ask("https://budgets.invalid", request_timeout_seconds=0.2)
    assert proxy.heard[0].startswith("CONNECT budgets.invalid:443 ")
    assert TOKEN not in proxy.heard[0]


@BOTH
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_is_used_for_loopback(variable: str, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to loopback is sent directly, whatever proxy is configured."""
    with WireServer(GOOD) as proxy, WireServer(GOOD) as server:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        ask(server.url)
        assert (proxy.heard, len(server.heard)) == ([], 1)
        ask(server.url.replace("127.0.0.1", "localhost"))
        assert (proxy.heard, len(server.heard)) == ([], 2)


def test_a_configured_proxy_is_used_for_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """For any other host HTTP_PROXY is used, unless NO_PROXY excludes the host."""
    with WireServer(GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert send("http://budgets.invalid") == {"ok": True}
        assert proxy.heard[0].startswith("POST http://budgets.invalid/x HTTP/1.1")
        monkeypatch.setenv("NO_PROXY", "budgets.invalid")
        monkeypatch.setattr("socket.getaddrinfo", _unknown)
        with pytest.raises(errors.NotSentError):
            send("http://budgets.invalid")
        assert len(proxy.heard) == 1


def _unknown(*_: Any, **__: Any) -> Any:
    raise OSError("no such host")


@BOTH
@pytest.mark.parametrize(
    "proxy", ["http://[", "http://127.0.0.1:99999", "http://", "nonsense://127.0.0.1:9", "socks5://127.0.0.1:9", "\x00"]
)
def test_a_malformed_proxy_is_a_billing_error(
    proxy: str, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any proxy in the environment, a failure is an error of this package."""
    monkeypatch.setattr(
        "billing_provider.transport.session.requests.utils.get_environ_proxies", lambda *_, **__: {"all": proxy}
    )
    with pytest.raises(errors.TransportError):
        ask("https://budgets.invalid")


@BOTH
def test_cookies_are_not_kept(ask: Callable[..., Any]) -> None:
    """A cookie of a response or a redirect is not sent back."""
    cookies = {"Set_Cookie": "session=abc; Path=/; Max-Age=9999"}
    with WireServer() as server:
        server.replies = [answer(307, location="/api/v3/x", **cookies), answer(200, {"ok": True}, **cookies)]
        if ask is send:
            line = transport(server.url)
            for _ in range(2):
                line.request("GET", "/x", action="try it")
        else:
            ask(server.url)
    assert len(server.heard) >= 2
    assert "cookie" not in "".join(server.heard).lower()


@given(link=st.one_of(st.text(max_size=60), st.text(max_size=30).map("https://".__add__)))
@example("https://[")
@example("https://127.0.0.1:9\\@evil.example/")
@example("https://" + "a" * 70 + ".invalid/")
@example("https://127.0.0.1:9/\ud800")
@example("https://127.0.0.1:9/a b\r\nX: 1")
def test_an_invalid_download_link_is_a_billing_error(link: str) -> None:
    """For any download link, a failure is an error of this package that does not contain the link."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getaddrinfo", _unknown)
        with pytest.raises(errors.TransportError, match=r"^fetch it: "):
            download(link, settings("https://api.github.com"), "fetch it")


def test_http_links_are_allowed_on_loopback_only() -> None:
    """A sandbox may return http links to this machine, and to no other host."""
    with pytest.raises(errors.TransportError, match="the link is not an https URL"):
        download("http://budgets.invalid/part", settings("http://127.0.0.1:9"), "fetch it")
    moved = answer(302, "", location="http://evil.example\\[::1]/")
    with WireServer(moved) as server, pytest.raises(errors.TransportError, match="the link is not a valid URL"):
        download(server.url, settings(server.url), "fetch it")
