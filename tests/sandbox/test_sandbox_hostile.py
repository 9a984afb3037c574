"""Hostile requests: the sandbox replies with HTTP to any bytes and serves the next client."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGETS = "/api/v3/enterprises/octo-enterprise/settings/billing/budgets"
CENTERS = "/api/v3/enterprises/octo-enterprise/settings/billing/cost-centers"
EXAMPLES = settings().max_examples
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all requests, with its control plane on."""
    with Sandbox(control=True) as served:
        yield served


@pytest.fixture(autouse=True)
def _quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """The serving threads print nothing, in particular no traceback."""
    yield
    assert capfd.readouterr().err == ""


def exchange(sandbox: Sandbox, raw: bytes, method: str = "GET", *, ends: bool = True) -> tuple[int, bytes]:
    """Send bytes on a new connection, close the sending side, and return status and body of the reply."""
    port = int(sandbox.url.split(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:

        def send() -> None:
            client.sendall(raw)
            if ends:
                client.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        answer = http.client.HTTPResponse(client, method=method)
        answer.begin()
        body = answer.read()
        sending.join()
    return answer.status, body


def request(sandbox: Sandbox, method: str, target: str, body: bytes = b"", headers: str = "") -> tuple[int, Any]:
    """Send a complete request, and return status and JSON body of the reply."""
    token = f"Authorization: Bearer {sandbox.token}\r\nX-Sandbox-Control: {sandbox.control_token}\r\nUser-Agent: x\r\n"
    lines = f"{method} {target} HTTP/1.1\r\n{token}Content-Length: {len(body)}\r\n{headers}".encode("latin-1")
    status, content = exchange(sandbox, lines + HOST + b"\r\n" + body, method, ends=False)
    return status, json.loads(content)


def is_served(sandbox: Sandbox) -> bool:
    url = sandbox.url + BUDGETS.removeprefix("/api/v3")
    reply = requests.get(url, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=30)
    return reply.status_code == 200 and isinstance(reply.json()["budgets"], list)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000,
        b'{"budget_amount":' + b"[" * 1500 + b"]" * 1500 + b"}",
        b'{"budget_amount":1' + b"0" * 400 + b"}",
        b'{"budget_amount":1' + b"0" * 5000 + b"}",
        b'{"budget_product_sku":"\\ud800"}',
        b'{"budget_amount":"\xff"}',
        b"\xff\xfe{}",
        b'{"budget_amount": NaN}',
    ],
    ids=["deep", "deep value", "10^400", "10^5000", "surrogate", "no UTF-8", "UTF-16", "NaN"],
)
def test_hostile_bodies_are_bad_requests(sandbox: Sandbox, body: bytes) -> None:
    """JSON that is nested too deeply, cannot be stored, or is not UTF-8 gets 400."""
    for method, target in (("POST", BUDGETS), ("PUT", "/_sandbox/snapshot"), ("PUT", "/_sandbox/faults")):
        status, answer = request(sandbox, method, target, body)
        assert (status, "message" in answer) == (400, True)
    assert is_served(sandbox)


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("1" + "0" * 20, 413),
        ("9" * 5000, 413),
        ("16777217", 413),
        ("-1", 411),
        ("x", 411),
        ("1.5", 411),
        ("5", 400),
    ],
)
def test_invalid_lengths_are_refused(sandbox: Sandbox, length: str, status: int) -> None:
    """A Content-Length that is too large, missing or wrong gets a JSON error."""
    raw = f"POST {BUDGETS} HTTP/1.1\r\nContent-Length: {length}\r\n".encode() + HOST + b"\r\n{}"
    got, body = exchange(sandbox, raw)
    assert (got, "message" in json.loads(body)) == (status, True)
    assert is_served(sandbox)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 421),
        (b"PUT /\r\n\r\n", 400),
        (b"GET / HTTP/0.9\r\n\r\n", 421),
        (b"GET / HTTP/7.0\r\n\r\n", 400),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET /%zz%ff%00 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"BREW / HTTP/1.1\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", 405),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
        (b"BREW / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 3_000_000, 405),
    ],
    ids=lambda value: str(value)[:30],
)
def test_invalid_requests_get_a_reply(sandbox: Sandbox, raw: bytes, status: int) -> None:
    """A request that reaches no route gets JSON with a status of 400 to 499, even before it is complete."""
    got, body = exchange(sandbox, raw)
    assert (got, "message" in json.loads(body)) == (status, True)
    assert is_served(sandbox)


def test_head_has_no_body(sandbox: Sandbox) -> None:
    """HEAD, which is not supported, is refused without a body."""
    assert exchange(sandbox, b"HEAD /api/v3/user HTTP/1.1\r\n" + HOST + b"\r\n", "HEAD") == (405, b"")


def test_expect_100_continue(sandbox: Sandbox) -> None:
    """A client that waits for `100 Continue` before its body gets that line."""
    port = int(sandbox.url.split(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        head = f"POST {BUDGETS} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n".encode()
        client.sendall(head + HOST + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"{}")
        assert client.recv(100).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "faults", {}),
        ("PUT", "faults", None),
        ("PUT", "faults", [5]),
        ("PUT", "faults", [{"action": []}]),
        ("PUT", "faults", [{"action": None}]),
        ("PUT", "faults", [{"action": "404", "path": 5}]),
        ("PUT", "faults", [{"action": "404", "method": []}]),
        ("PUT", "faults", [{"action": "404", "every": 0}]),
        ("PUT", "faults", [{"action": "404", "nth": None}]),
        ("PUT", "faults", [{"action": "404", "nth": 1.5}]),
        ("PUT", "faults", [{"action": "404", "probability": 2}]),
        ("PUT", "faults", [{"action": "404", "seed": True}]),
        ("PUT", "faults", [{"action": "429_secondary", "seconds": 1e300}]),
        ("PUT", "faults", [{"action": "429_secondary", "seconds": -1}]),
        ("PUT", "faults", [{"action": "redirect_host", "status": 99999}]),
        ("PUT", "faults", [{"action": "switch", "quirk": 5}]),
        ("PATCH", "quirks", None),
        ("PATCH", "quirks", {"plural_sku": "yes"}),
        ("PATCH", "quirks", {"plural_sku": True, "none": True}),
        ("PATCH", "quirks", {"list_lag_seconds=" + "9" * 400: True}),
        ("PATCH", "quirks", {"list_lag_seconds=-1": True}),
        ("PUT", "snapshot", None),
        ("PUT", "snapshot", {"made": 0, "budgets": [{"id": []}], "cost_centers": []}),
    ],
    ids=str,
)
def test_invalid_values_on_the_control_plane_change_nothing(
    sandbox: Sandbox, method: str, path: str, body: Any
) -> None:
    """An invalid plan, switch or snapshot gets 400 with a text, has no effect, and requests are still served."""
    before = sandbox.snapshot(), sandbox.quirks(), sandbox.untriggered_faults()
    status, answer = request(sandbox, method, f"/_sandbox/{path}", json.dumps(body).encode())
    assert (status, answer["message"] != "") == (400, True)
    assert (sandbox.snapshot(), sandbox.quirks(), sandbox.untriggered_faults()) == before
    assert is_served(sandbox)


def test_null_in_a_fault_is_no_value(sandbox: Sandbox) -> None:
    """Null in a fault means no value, for fields without a default."""
    body = [{"action": "404", "method": None, "path": None, "op": "delete_budget", "times": None}]
    assert request(sandbox, "PUT", "/_sandbox/faults", json.dumps(body).encode()) == (200, None)
    assert request(sandbox, "PUT", "/_sandbox/faults", b"[]") == (200, None)


NAMES = sorted({name for route in ROUTES for name in (*(route.body or ()), *route.query)})
WORDS = st.sampled_from(
    ["enterprise", "cost_center", "user", "multi_user_customer", "ai_credits", "actions", "BundlePricing", "Platform",
     "octocat", "octo-org", "octo-org/app", "2026-11-30", "detailed", "none", "active", "404", "switch", "reset_after"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | WORDS, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), VALUES, max_size=8) | VALUES
PART = st.text(max_size=8) | WORDS
QUERIES = st.dictionaries(st.sampled_from(NAMES), PART | st.integers().map(str), max_size=4)
OWNERS = {"enterprise": "octo-enterprise", "org": "octo-org", "username": "octocat"}


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@settings(max_examples=4 * EXAMPLES)
@given(st.sampled_from(ROUTES), PART, QUERIES, BODIES)
def test_no_values_on_any_route_drop_a_connection(
    sandbox: Sandbox, route: Any, name: str, query: dict[str, str], body: Any
) -> None:
    """Any JSON and any parameters on any route get a JSON reply with a status below 500."""
    target = route.path
    for key in ("enterprise", "org", "username"):
        target = target.replace(f"{{{key}}}", OWNERS[key])
    center = next(iter(sandbox.cost_centers()))["id"]
    target = target.replace("{cost_center_id}", center).replace("{budget_id}", encoded(name))
    target = target.replace("{report_id}", encoded(name))
    text = "&".join(f"{key}={encoded(value)}" for key, value in query.items())
    status, _ = request(sandbox, route.method, f"/api/v3{target}?{text}", json.dumps(body).encode())
    assert 200 <= status < 500
    assert is_served(sandbox)


@settings(max_examples=2 * EXAMPLES)
@given(
    st.sampled_from([("PUT", "faults"), ("PATCH", "quirks"), ("PUT", "snapshot"), ("DELETE", "requests")]),
    VALUES
    | st.lists(
        st.fixed_dictionaries(
            {
                "action": st.sampled_from(
                    ["404", "slow_drip", "switch", "429_secondary", "redirect_host", "late_commit"]
                ),
                # The default length of a slow answer is many real seconds, so a plan that is accepted has its own.
                "seconds": st.floats(0, 0.01) | st.text() | st.just([]),
            },
            optional={
                **dict.fromkeys(("nth", "every", "times", "status", "seed"), st.integers(0, 400) | VALUES),
                **dict.fromkeys(("probability", "method", "path", "op", "quirk"), VALUES),
            },
        ),
        max_size=2,
    ),
)
def test_no_values_on_the_control_plane_drop_a_connection(sandbox: Sandbox, route: tuple[str, str], body: Any) -> None:
    """Any JSON on the control plane, and the next request of the API, get a JSON reply with a status below 500."""
    status, _ = request(sandbox, route[0], f"/_sandbox/{route[1]}", json.dumps(body).encode())
    assert 200 <= status < 500
    if not any(fault["action"] == "late_commit" for fault in sandbox.untriggered_faults()):
        assert request(sandbox, "GET", "/api/v3/user")[0] < 500
    request(sandbox, "PUT", "/_sandbox/faults", b"[]")
    for quirk in sandbox.quirks():
        sandbox.switch(quirk, on=False)
    assert is_served(sandbox)


@settings(max_examples=4 * EXAMPLES)
@given(
    st.sampled_from(
        [b"", b"GET ", b"POST ", BUDGETS.encode(), b"GET / HTTP/1.1\r\n", b"POST /_sandbox/reset HTTP/1.1\r\n"]
    ),
    st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"\r\n\r\n", b": ", b"HTTP/1.1", b"%ff", b"Host"])),
)
def test_no_bytes_drop_a_connection(sandbox: Sandbox, start: bytes, rest: list[bytes]) -> None:
    """Any bytes get a valid reply with a status below 500; there is no reply only if there was no request."""
    raw = start + b"".join(rest)
    if raw:
        status, _ = exchange(sandbox, raw)
        assert 200 <= status < 500
    assert is_served(sandbox)
