"""One request: headers, redirects, retries, limits and errors."""

from __future__ import annotations

import gc
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core import errors
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.redact import MASK
from billing_provider.core.settings import Settings
from billing_provider.transport.http import MAX_BODY_BYTES, Transport
from billing_provider.transport.pacing import Pacer
from tests.support.clock import START, VirtualClock
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.transport.session import Reply

TOKEN = "sandbox-canary-token-5up3r"
GOOD = answer(200, {"ok": True})
LIMITED = "You have exceeded a secondary rate limit."


class Line:
    """A transport on a virtual clock, and what it showed while it waited."""

    def __init__(
        self, base_url: str, clock: VirtualClock | None = None, source: str = "GITHUB_TOKEN", **settings: Any
    ) -> None:
        self.clock = clock or VirtualClock()
        self.said: list[str] = []
        self.leaving = 0
        plain: dict[str, Any] = {"write_interval_seconds": 0.0, "request_timeout_seconds": 5.0}
        credentials = Credentials(Token(TOKEN, source))
        chosen = Settings(credentials, base_url, **{**plain, **settings})
        pacer = Pacer(chosen, self.clock, lambda text, _: self.said.append(text))
        self.transport = Transport(chosen, pacer, self.clock, self._leave)

    def _leave(self) -> None:
        self.leaving += 1

    def send(self, method: str = "GET", **request: Any) -> Reply:
        """Send one request."""
        return self.transport.request(method, "/budgets", action="try it", **request)


def test_headers_body_and_query_of_a_request() -> None:
    """API version, agent, token, JSON body and query are sent; None values and compression are not."""
    with WireServer(GOOD) as server:
        reply = Line(server.url).send("PATCH", query={"page": 2, "scope": None, "user": "a&b"}, body={"amount": 5})
    assert (reply.status, reply.data) == (200, {"ok": True})
    head, _, body = server.heard[0].partition("\r\n\r\n")
    lines = head.splitlines()
    assert lines[0] == "PATCH /api/v3/budgets?page=2&user=a%26b HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in lines
    assert "X-GitHub-Api-Version: 2026-03-10" in lines
    assert "Accept: application/vnd.github+json" in lines
    assert "Content-Type: application/json" in lines
    assert "Accept-Encoding: identity" in lines
    assert [line for line in lines if line.startswith("User-Agent: github-billing-provider/")]
    assert json.loads(body) == {"amount": 5}


def test_before_write_is_called_for_writes_only() -> None:
    """`before_write` is called directly before each write, and not for a read."""
    with WireServer(GOOD) as server:
        line = Line(server.url)
        line.send("GET")
        line.send("POST")
        line.send("DELETE")
    assert line.leaving == 2


# Every status that is no success and no redirect, with the error that stands for it.
KINDS = {
    400: errors.InvalidError,
    401: errors.ForbiddenError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    422: errors.InvalidError,
    429: errors.RateLimitError,
}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_status_is_a_reply_or_one_api_error(method: str) -> None:
    """From 200 to 599, a success returns; any other status raises one ApiError with status, message and request id."""
    statuses = [status for status in range(200, 600) if status not in {204, 304}]
    replies = {status: answer(status, {"message": "no\x1b[2J!"}, X_GitHub_Request_Id="AB:1") for status in statuses}
    with WireServer() as server:
        for status in statuses:
            server.heard.clear()
            server.replies = [replies[status]]
            line = Line(server.url, max_wait_seconds=86_400.0)
            if status < 300:
                assert line.send(method).status == status
                continue
            with pytest.raises(errors.ApiError) as caught:
                line.send(method, repeatable=method == "GET")
            assert type(caught.value) is KINDS.get(status, errors.ApiError)
            assert (caught.value.status, caught.value.message, caught.value.request_id) == (status, "no[2J!", "AB:1")
            assert str(caught.value).startswith(f"try it: GitHub returned {status}: no[2J! [request AB:1].")
            transient = status in {408, 500, 502, 503, 504}
            sent = 6 if status == 429 else 5 if transient and method == "GET" else 1
            assert len(server.heard) == sent


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(401, {"message": "Bad credentials"}), "renew it."),
        (answer(403, {"message": "No"}), "role"),
        (answer(404, {"message": "Not Found"}), "billing budgets are turned off"),
        (answer(410, {"message": "Gone"}), "update this package"),
        (answer(403, {"message": "No"}, X_GitHub_SSO="required; url=https://example.com"), "single sign-on"),
        (answer(422, {"message": "Validation Failed", "errors": [{"field": "a", "code": "b"}]}), "Failed; a b."),
        (answer(422, {"message": "Failed.", "errors": [{"index": 1}]}), "Failed.; {'index': 1}."),
        (
            answer(422, {"message": "Failed.", "errors": [{"message": "too big"}, "odd", 7]}),
            "Failed.; too big; odd; 7.",
        ),
        (answer(422, {"message": None, "errors": "none"}), "no message"),
        (answer(422, ["a", "list"]), "no message"),
        (answer(422, "<html>", content_type="text/html"), "no message"),
        (answer(422, "{", content_type="application/json"), "no message"),
        (answer(422, " " * (MAX_BODY_BYTES + 1)), "no message"),
        (answer(422, {"message": f"you sent {TOKEN}"}, X_GitHub_Request_Id=TOKEN), f"you sent {MASK} [request {MASK}]"),
    ],
)
def test_error_messages_contain_advice(reply: bytes, words: str) -> None:
    """The message has GitHub's text and the advice, on one line and without the token."""
    with WireServer(reply) as server, pytest.raises(errors.ApiError) as caught:
        Line(server.url).send("POST", repeatable=False)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_advice_about_a_token_fits_its_source() -> None:
    """It names the source; only a token of the stack's configuration can be an old one, which a plain refresh uses."""
    with WireServer(answer(401, {"message": "Bad credentials"})) as server:
        for source, expected in (("github-billing:token", True), ("GITHUB_TOKEN", False)):
            with pytest.raises(errors.ForbiddenError) as caught:
                Line(server.url, source=source).send("GET")
            assert ("--run-program" in str(caught.value)) == expected
            assert f"renew it. It is from {source}." in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(200, "<html>", content_type="text/html"), "is not JSON"),
        (answer(200, '{"budgets": [', content_type="application/json"), "is not JSON"),
        (answer(200, "", content_type="application/json"), "is not JSON"),
        (answer(200, b"\xff\xfe\xfa", content_type="application/json"), "is not JSON"),
        (answer(200, "[" * 100_000, content_type="application/json"), "is not JSON"),
        (answer(200, " " * (MAX_BODY_BYTES + 1)), "larger than 16 MiB"),
        (GOOD.replace(b"Content-Length: 12", b"Content-Length: 400"), "no complete response"),
        (GOOD.replace(b"Content-Length: 12", b"Transfer-Encoding: chunked"), "no complete response"),
        (b"GARBAGE\r\n\r\n", "no complete response"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", "no complete response"),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "no complete response"),
        (b"", "no complete response"),
    ],
    ids=[
        "HTML", "cut JSON", "empty", "no text", "nested", "too large", "cut body", "no chunk", "no HTTP",
        "many headers", "long line", "reset",
    ],
)  # fmt: skip
def test_an_unreadable_response_leaves_the_outcome_of_a_create_unknown(reply: bytes, words: str) -> None:
    """After an unreadable response, a POST is not repeated and its outcome is unknown."""
    with WireServer(reply) as server, pytest.raises(errors.TransportError, match=words) as caught:
        Line(server.url).send("POST", body={}, repeatable=False)
    assert type(caught.value) is errors.TransportError
    assert len(server.heard) == 1


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_contradicting_lengths_leave_the_outcome_of_a_create_unknown() -> None:
    """The same where the headers contradict each other.

    urllib3 leaves that socket to the garbage collector: collected here, its warning cannot fail a later test.
    """
    reply = GOOD.replace(b"Content-Length: 12", b"Content-Length: 12, 13")
    with WireServer(reply) as server, pytest.raises(errors.TransportError, match="no complete response"):
        Line(server.url).send("POST", body={}, repeatable=False)
    gc.collect()
    assert len(server.heard) == 1


def test_reads_are_retried_after_failures() -> None:
    """A lost response or a 5xx status is retried after 1, 2, 4 and 8 seconds, changed by the jitter."""
    clock = VirtualClock()
    with WireServer(b"", answer(500), answer(503), b"", GOOD) as server:
        line = Line(server.url, clock)
        assert line.send().data == {"ok": True}
    assert clock.now() == 0.75 * (1 + 2 + 4 + 8)
    assert line.said[0] == "waiting 2 s for a retry: try it"


def test_retry_after_of_a_failure_is_obeyed() -> None:
    """A failure with `retry-after` is retried after that time at least; a shorter one changes nothing."""
    clock = VirtualClock()
    replies = (answer(503, Retry_After="20"), answer(500, Retry_After="0"), answer(502, Retry_After="soon"), GOOD)
    with WireServer(*replies) as server:
        assert Line(server.url, clock).send().data == {"ok": True}
    assert clock.now() == 20 + 0.75 * (2 + 4)


def test_a_retry_after_above_the_maximum_wait_raises_the_failure() -> None:
    """If `retry-after` exceeds the maximum wait, the failure is raised immediately."""
    with (
        WireServer(answer(503, Retry_After="3600")) as server,
        pytest.raises(errors.ApiError, match="GitHub returned 503"),
    ):
        Line(server.url).send()
    assert len(server.heard) == 1


@pytest.mark.parametrize("last", [b"", answer(502, {"message": "Bad Gateway"})])
def test_retries_end_after_the_fifth_failure(last: bytes) -> None:
    """After four retries, the failure is raised."""
    with WireServer(last) as server, pytest.raises((errors.TransportError, errors.ApiError)):
        Line(server.url).send()
    assert len(server.heard) == 5


def test_retries_end_at_the_maximum_wait() -> None:
    """A retry beyond the maximum wait is not made, and the failure is raised instead of the wait."""
    with WireServer(answer(500)) as server, pytest.raises(errors.ApiError, match="GitHub returned 500"):
        Line(server.url, max_wait_seconds=2.0).send()
    assert len(server.heard) == 2


@pytest.mark.parametrize("reply", [answer(502), answer(500), answer(408), b""], ids=["502", "500", "408", "reset"])
def test_a_create_with_unknown_outcome_is_sent_once(reply: bytes) -> None:
    """A POST with an unknown outcome is not repeated."""
    with WireServer(reply, GOOD) as server, pytest.raises((errors.TransportError, errors.ApiError)):
        Line(server.url).send("POST", repeatable=False)
    assert len(server.heard) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_failed_connections_are_retried(method: str) -> None:
    """Without a connection, even a POST is retried; the final error says that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    line = Line(f"http://127.0.0.1:{port}")
    with pytest.raises(errors.NotSentError, match=f"no connection to 127.0.0.1:{port} .*Nothing was sent"):
        line.send(method, repeatable=False)
    assert line.clock.now() == 0.75 * 15


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limited_request_is_sent_again(method: str, status: int) -> None:
    """A limited request was not applied, so even a POST is sent again, not earlier than GitHub requests."""
    with WireServer(answer(status, {"message": LIMITED}, retry_after="17"), GOOD) as server:
        line = Line(server.url)
        line.send(method, repeatable=False)
    assert line.clock.now() == 17.0
    assert line.said[0] == "waiting 17 s for GitHub's secondary limit"


def test_a_permanent_limit_is_an_error() -> None:
    """After five waits, each twice as long as the previous one, the limit is the error."""
    with WireServer(answer(403, {"message": LIMITED})) as server:
        line = Line(server.url, max_wait_seconds=86_400.0)
        with pytest.raises(errors.RateLimitError, match="secondary rate limit"):
            line.send()
    assert len(server.heard) == 6
    assert line.clock.now() == 60 * (1 + 2 + 4 + 8 + 16)


def test_a_limit_above_the_maximum_wait_is_an_error() -> None:
    """A wait above maxWaitSeconds is refused with its reason, and other requests remain blocked."""
    with WireServer(answer(429, {"message": LIMITED}, retry_after="601"), GOOD) as server:
        line = Line(server.url)
        for _ in range(2):
            with pytest.raises(errors.WaitError, match="secondary limit requires a wait of 601 s"):
                line.send()
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(START) + 40)}, 41.0),
        ({"X_RateLimit_Remaining": "0"}, 0.0),
        ({"X_RateLimit_Remaining": "1", "X_RateLimit_Reset": str(int(START) + 40)}, 0.0),
    ],
)
def test_the_last_request_of_the_hourly_limit_blocks_the_next(headers: dict[str, str], waited: float) -> None:
    """A success that uses up the hourly limit returns, and the next request waits for the reset."""
    with WireServer(answer(200, {}, **headers), GOOD) as server:
        line = Line(server.url)
        line.send()
        line.send()
    assert line.clock.now() == waited


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_redirects_to_the_same_origin_are_followed(method: str, status: int) -> None:
    """Method, body and token are sent again to an absolute or relative URL of the same origin."""
    with WireServer() as server:
        server.replies = [
            answer(status, location=f"{server.url}/moved"),
            answer(status, location="further?x=1"),
            GOOD,
        ]
        Line(server.url).send(method, body={"a": 1}, repeatable=False)
    assert [request.split(" HTTP", 1)[0] for request in server.heard] == [
        f"{method} /api/v3/budgets",
        f"{method} /api/v3/moved",
        f"{method} /api/v3/further?x=1",
    ]
    assert all(f"Authorization: Bearer {TOKEN}" in request for request in server.heard)
    assert all(request.endswith('{"a": 1}') for request in server.heard)


def test_redirect_303_is_followed_for_reads_only() -> None:
    """A 303 would turn a write into a read, so it is an error for a write."""
    with WireServer() as server:
        server.replies = [answer(303, location="/api/v3/there"), GOOD]
        assert Line(server.url).send("GET").data == {"ok": True}
    with WireServer(answer(303, location="/api/v3/there"), GOOD) as server:
        with pytest.raises(errors.TransportError, match="returned redirect 303 for a write"):
            Line(server.url).send("POST", repeatable=False)
        assert len(server.heard) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:1/x",
        "//localhost/x",
        "http://somebody@127.0.0.1:{port}/x",
        "http://[/x",
        "ftp://127.0.0.1:{port}/x",
    ],
)
def test_redirects_to_other_origins_are_refused(location: str) -> None:
    """Another scheme, host or port, or an invalid URL, receives neither the token nor the body."""
    with WireServer() as server:
        server.replies = [answer(307, location=location.format(port=server.port)), GOOD]
        with pytest.raises(errors.TransportError, match="redirected the request to another host"):
            Line(server.url).send("POST", body={}, repeatable=False)
        assert len(server.heard) == 1


def test_redirects_to_a_url_with_the_token_are_refused() -> None:
    """A URL that contains the token is not requested, because URLs are logged."""
    with WireServer(answer(307, location=f"/x?token={TOKEN}"), GOOD) as server:
        with pytest.raises(errors.TransportError, match="a URL that contains a secret"):
            Line(server.url).send("POST", repeatable=False)
        assert len(server.heard) == 1


def test_an_invalid_query_is_refused() -> None:
    """A lone surrogate in the query is an error, and nothing is sent."""
    with WireServer(GOOD) as server:
        with pytest.raises(errors.ConfigError, match=r"try it: .* Nothing was sent"):
            Line(server.url).send(query={"user": "\ud800"})
        assert server.heard == []


def test_redirect_loops_are_an_error() -> None:
    """More than five redirects in a row are an error."""
    with WireServer(answer(307, location="/api/v3/again")) as server:
        with pytest.raises(errors.TransportError, match="more than 5 redirects"):
            Line(server.url).send("POST", repeatable=False)
        assert len(server.heard) == 6


def test_a_redirect_without_a_location_is_an_api_error() -> None:
    """A 302 without a location is raised with its status."""
    with WireServer(answer(302, {"message": "Found"})) as server, pytest.raises(errors.ApiError) as caught:
        Line(server.url).send()
    assert caught.value.status == 302


def test_a_server_that_sends_nothing_is_a_timeout() -> None:
    """A server that accepts the request and sends nothing is an error after the request timeout."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        line = Line(f"http://127.0.0.1:{mute.getsockname()[1]}", request_timeout_seconds=0.05)
        with pytest.raises(errors.TransportError, match=r"no complete response from 127.0.0.1:\d+ within .*\(0.05 s\)"):
            line.send("POST", repeatable=False)


def test_a_tls_failure_leaves_the_outcome_of_a_create_unknown() -> None:
    """TLS can fail after a request was sent, so the outcome is unknown; the error names the certificates."""
    with socket.create_server(("127.0.0.1", 0)) as plain, ThreadPoolExecutor(1) as pool:

        def speak_no_tls() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(GOOD)

        pool.submit(speak_no_tls)
        with pytest.raises(errors.TransportError, match=r"\(SSLError\): check the certificates") as caught:
            Line(f"https://127.0.0.1:{plain.getsockname()[1]}").send("POST", repeatable=False)
    assert type(caught.value) is errors.TransportError


def test_netrc_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The token is sent even if a netrc file contains the host, also after redirects."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with WireServer(answer(307, location="/api/v3/there"), GOOD) as server:
        Line(server.url).send()
    assert [f"Authorization: Bearer {TOKEN}" in request for request in server.heard] == [True, True]


def test_an_unreachable_proxy_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that nothing was sent, and does not contain the proxy's URL, which may contain a password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush-hush@127.0.0.1:9")
    with pytest.raises(errors.NotSentError, match="Nothing was sent: check the address and the proxy") as caught:
        Line("https://budgets.invalid").send("POST", repeatable=False)
    assert "hush" not in str(caught.value)


def test_tokens_in_responses_are_masked() -> None:
    """No value, key or header that leaves the transport contains a token or a lone surrogate."""
    other = "ghp_" + "a" * 36
    escaped = "".join(f"\\u{ord(character):04x}" for character in TOKEN)
    body = (
        f'{{"id": "{TOKEN}", "{TOKEN}": [{{"name": "x {other}"}}, "{TOKEN.encode().hex()}"],'
        f' "escaped": "{escaped}", "odd": "\\ud800", "rest": [1, true, null, 1.5, "caf\u00e9"]}}'
    )
    with WireServer(answer(200, body, X_OAuth_Scopes=f"repo, {TOKEN}", **{TOKEN: "1"})) as server:
        reply = Line(server.url).send()
    assert reply.data == {
        "id": MASK,
        MASK: [{"name": f"x {MASK}"}, MASK],
        "escaped": MASK,
        "odd": "?",
        "rest": [1, True, None, 1.5, "caf\u00e9"],
    }
    assert reply.headers["x-oauth-scopes"] == f"repo, {MASK}"
    assert TOKEN not in str(reply.headers)


def test_status_204_is_a_success_for_a_delete_only() -> None:
    """A 204 is a complete response to a DELETE, and an error for other writes."""
    with WireServer(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        reply = Line(server.url).send("DELETE")
        assert (reply.status, reply.data) == (204, None)
        with pytest.raises(errors.TransportError, match="204 is not JSON"):
            Line(server.url).send("POST", repeatable=False)


def test_logs_and_errors_do_not_contain_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """Neither debug logs nor errors, including chained ones, contain the token."""
    caplog.set_level(logging.DEBUG)
    echo = answer(400, {"message": f"Authorization: Bearer {TOKEN}", "errors": [{"message": TOKEN}]})
    with WireServer(echo, b"", answer(307, location=f"http://{TOKEN}/")) as server:
        line = Line(server.url)
        for _ in range(3):
            with pytest.raises(errors.BillingError) as caught:
                line.send("POST", repeatable=False)
            assert caught.value.__cause__ is None
            assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text
