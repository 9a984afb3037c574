"""One request under all rules: what is sent, what is followed, what is repeated, and what no error says."""

from __future__ import annotations

import gc
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core import errors
from billing_provider.core.redact import MASK
from billing_provider.core.settings import Settings
from billing_provider.transport.http import MAX_BODY_BYTES, Reply, Transport
from billing_provider.transport.pacing import Pacer
from tests.support.clock import START, VirtualClock
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "sandbox-canary-token-5up3r"
GOOD = answer(200, {"ok": True})
LIMITED = "You have exceeded a secondary rate limit."


class Line:
    """A transport on a virtual clock, and what it showed while it waited."""

    def __init__(self, base_url: str, clock: VirtualClock | None = None, **settings: Any) -> None:
        self.clock = clock or VirtualClock()
        self.said: list[str] = []
        self.leaving = 0
        plain: dict[str, Any] = {"write_interval_seconds": 0.0, "request_timeout_seconds": 5.0}
        chosen = Settings(token=TOKEN, base_url=base_url, **{**plain, **settings})
        pacer = Pacer(chosen, self.clock, self.said.append)
        self.transport = Transport(chosen, pacer, self.clock, self._leave)

    def _leave(self) -> None:
        self.leaving += 1

    def send(self, method: str = "GET", **request: Any) -> Reply:
        """Send one request."""
        return self.transport.request(method, "/budgets", tried="try it", **request)


def test_a_request_carries_what_github_asks_for() -> None:
    """Version, agent, token, JSON body and query go out; None values and compression do not."""
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


def test_the_last_check_is_made_before_writes_only() -> None:
    """Each write asks once more whether it may leave; a read does not."""
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
def test_every_status_is_an_answer_or_an_error_of_the_tree(method: str) -> None:
    """From 200 to 599: a success returns, anything else raises one ApiError with status, words and request id."""
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
            assert (caught.value.status, caught.value.said, caught.value.request_id) == (status, "no[2J!", "AB:1")
            assert str(caught.value).startswith(f"try it: GitHub returned {status}: no[2J! [request AB:1].")
            transient = status in {408, 500, 502, 503, 504}
            sent = 6 if status == 429 else 5 if transient and method == "GET" else 1
            assert len(server.heard) == sent


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(401, {"message": "Bad credentials"}), "--run-program"),
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
def test_a_refusal_says_what_to_do(reply: bytes, words: str) -> None:
    """The last words of an error are GitHub's own and ours, on one line and without the token."""
    with WireServer(reply) as server, pytest.raises(errors.ApiError) as caught:
        Line(server.url).send("POST", repeatable=False)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


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
def test_an_answer_that_cannot_be_read_leaves_a_create_open(reply: bytes, words: str) -> None:
    """Whatever comes back in place of JSON, a POST is sent once and its outcome is unknown, not "nothing sent"."""
    with WireServer(reply) as server, pytest.raises(errors.TransportError, match=words) as caught:
        Line(server.url).send("POST", body={}, repeatable=False)
    assert type(caught.value) is errors.TransportError
    assert len(server.heard) == 1


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_answer_of_two_lengths_leaves_a_create_open() -> None:
    """The same where the headers contradict each other.

    urllib3 leaves that socket to the garbage collector: collected here, its warning cannot fail a later test.
    """
    reply = GOOD.replace(b"Content-Length: 12", b"Content-Length: 12, 13")
    with WireServer(reply) as server, pytest.raises(errors.TransportError, match="no complete response"):
        Line(server.url).send("POST", body={}, repeatable=False)
    gc.collect()
    assert len(server.heard) == 1


def test_reads_are_repeated_until_there_is_an_answer() -> None:
    """A lost answer and a failing GitHub are tried again, after 1, 2, 4 and 8 seconds shaped by the dice."""
    clock = VirtualClock()
    with WireServer(b"", answer(500), answer(503), b"", GOOD) as server:
        line = Line(server.url, clock)
        assert line.send().data == {"ok": True}
    assert clock.now() == 0.75 * (1 + 2 + 4 + 8)
    assert line.said[0] == "waiting 2 s for the retry"


def test_a_failing_github_may_ask_for_time() -> None:
    """A failure that names its time is waited for that long at least; a shorter one changes nothing."""
    clock = VirtualClock()
    replies = (answer(503, Retry_After="20"), answer(500, Retry_After="0"), answer(502, Retry_After="soon"), GOOD)
    with WireServer(*replies) as server:
        assert Line(server.url, clock).send().data == {"ok": True}
    assert clock.now() == 20 + 0.75 * (2 + 4)


def test_a_failing_github_that_asks_for_too_much_time_ends_it() -> None:
    """Where that time is longer than the patience, the failure itself is told at once."""
    with (
        WireServer(answer(503, Retry_After="3600")) as server,
        pytest.raises(errors.ApiError, match="GitHub returned 503"),
    ):
        Line(server.url).send()
    assert len(server.heard) == 1


@pytest.mark.parametrize("last", [b"", answer(502, {"message": "Bad Gateway"})])
def test_the_fifth_failure_is_the_last(last: bytes) -> None:
    """After four repeats the failure itself is raised."""
    with WireServer(last) as server, pytest.raises((errors.TransportError, errors.ApiError)):
        Line(server.url).send()
    assert len(server.heard) == 5


def test_repeats_end_with_the_patience() -> None:
    """A repeat that would pass the longest wait is not made: the failure is told, not the wait."""
    with WireServer(answer(500)) as server, pytest.raises(errors.ApiError, match="GitHub returned 500"):
        Line(server.url, max_wait_seconds=2.0).send()
    assert len(server.heard) == 2


@pytest.mark.parametrize("reply", [answer(502), answer(500), answer(408), b""], ids=["502", "500", "408", "reset"])
def test_what_may_have_been_applied_is_not_sent_twice(reply: bytes) -> None:
    """A POST goes out once where its outcome is open."""
    with WireServer(reply, GOOD) as server, pytest.raises((errors.TransportError, errors.ApiError)):
        Line(server.url).send("POST", repeatable=False)
    assert len(server.heard) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_never_made_is_tried_again(method: str) -> None:
    """Nothing was sent, so even a POST may be repeated; in the end the error says that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    line = Line(f"http://127.0.0.1:{port}")
    with pytest.raises(errors.NotSentError, match=f"no connection to 127.0.0.1:{port} .*Nothing was sent"):
        line.send(method, repeatable=False)
    assert line.clock.now() == 0.75 * 15


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limit_is_waited_for(method: str, status: int) -> None:
    """A limit answer did nothing, so even a POST is sent again, no sooner than GitHub asks."""
    with WireServer(answer(status, {"message": LIMITED}, retry_after="17"), GOOD) as server:
        line = Line(server.url)
        line.send(method, repeatable=False)
    assert line.clock.now() == 17.0
    assert line.said[0] == "waiting 17 s for GitHub's secondary limit"


def test_a_limit_that_does_not_end_is_given_up() -> None:
    """After five waits of a minute, doubled each time, the limit itself is the error."""
    with WireServer(answer(403, {"message": LIMITED})) as server:
        line = Line(server.url, max_wait_seconds=86_400.0)
        with pytest.raises(errors.RateLimitError, match="secondary rate limit"):
            line.send()
    assert len(server.heard) == 6
    assert line.clock.now() == 60 * (1 + 2 + 4 + 8 + 16)


def test_a_limit_beyond_the_patience_ends_at_once() -> None:
    """A wait above maxWaitSeconds is refused with its reason, and the gate stays closed for all others."""
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
def test_the_last_request_of_an_hour_closes_the_gate(headers: dict[str, str], waited: float) -> None:
    """A success that used up the hourly limit is a success, and the next request waits for the reset."""
    with WireServer(answer(200, {}, **headers), GOOD) as server:
        line = Line(server.url)
        line.send()
        line.send()
    assert line.clock.now() == waited


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_redirect_to_the_same_host_keeps_the_request(method: str, status: int) -> None:
    """Method, body and token go along, to an absolute or a relative address of the same origin."""
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


def test_see_other_is_followed_by_reads_alone() -> None:
    """A 303 would turn a write into a read, which is no answer to it."""
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
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    """Another scheme, host or port, or no address at all, gets neither the token nor the body."""
    with WireServer() as server:
        server.replies = [answer(307, location=location.format(port=server.port)), GOOD]
        with pytest.raises(errors.TransportError, match="redirected the request to another host"):
            Line(server.url).send("POST", body={}, repeatable=False)
        assert len(server.heard) == 1


def test_a_redirect_to_an_address_with_the_token_is_refused() -> None:
    """Addresses are logged on their way."""
    with WireServer(answer(307, location=f"/x?token={TOKEN}"), GOOD) as server:
        with pytest.raises(errors.TransportError, match="a URL that contains a secret"):
            Line(server.url).send("POST", repeatable=False)
        assert len(server.heard) == 1


def test_a_query_that_is_no_text_is_refused() -> None:
    """A lone surrogate cannot be sent, and nothing is."""
    with WireServer(GOOD) as server:
        with pytest.raises(errors.ConfigError, match=r"try it: .* Nothing was sent"):
            Line(server.url).send(query={"user": "\ud800"})
        assert server.heard == []


def test_redirects_come_to_an_end() -> None:
    """More than five in a row are a loop."""
    with WireServer(answer(307, location="/api/v3/again")) as server:
        with pytest.raises(errors.TransportError, match="more than 5 redirects"):
            Line(server.url).send("POST", repeatable=False)
        assert len(server.heard) == 6


def test_a_redirect_without_a_place_is_an_answer_that_says_no() -> None:
    """A 302 that does not say where to is raised with its status."""
    with WireServer(answer(302, {"message": "Found"})) as server, pytest.raises(errors.ApiError) as caught:
        Line(server.url).send()
    assert caught.value.status == 302


def test_silence_is_given_up() -> None:
    """A server that takes the request and says nothing is left after the request's time."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        line = Line(f"http://127.0.0.1:{mute.getsockname()[1]}", request_timeout_seconds=0.05)
        with pytest.raises(errors.TransportError, match=r"no complete response from 127.0.0.1:\d+ within .*\(0.05 s\)"):
            line.send("POST", repeatable=False)


def test_a_failure_of_tls_leaves_a_create_open() -> None:
    """TLS can break off after a request was sent: it does not count as never sent, and names the certificates."""
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


def test_a_netrc_file_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Our token goes out though a netrc file names the host, on redirects too."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with WireServer(answer(307, location="/api/v3/there"), GOOD) as server:
        Line(server.url).send()
    assert [f"Authorization: Bearer {TOKEN}" in request for request in server.heard] == [True, True]


def test_a_proxy_that_is_not_there_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address, which may hold a password, is not in the error."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush-hush@127.0.0.1:9")
    with pytest.raises(errors.NotSentError, match="Nothing was sent: check the address and the proxy") as caught:
        Line("https://budgets.invalid").send("POST", repeatable=False)
    assert "hush" not in str(caught.value)


def test_a_token_in_an_answer_is_masked_where_it_is_read() -> None:
    """No value, no key and no header that leaves the transport holds the token or another one; surrogates are gone."""
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


def test_a_delete_without_content_is_done() -> None:
    """204 is the whole answer to a DELETE; to another write, which has something to tell, it is none."""
    with WireServer(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        reply = Line(server.url).send("DELETE")
        assert (reply.status, reply.data) == (204, None)
        with pytest.raises(errors.TransportError, match="204 is not JSON"):
            Line(server.url).send("POST", repeatable=False)


def test_nothing_tells_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """Neither debug logs nor errors, in their text or their chain, hold the token."""
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
