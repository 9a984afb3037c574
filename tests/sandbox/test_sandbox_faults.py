"""The sandbox's planned faults on real sockets: replies, effects, limits and the control plane."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.http.actions import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/enterprises/octo-enterprise/settings/billing/budgets"
BODY = {
    "budget_amount": 1,
    "prevent_further_usage": False,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "enterprise",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}
LOST = requests.ConnectionError, requests.exceptions.ChunkedEncodingError


class Clock:
    """A clock that tests advance."""

    now = 1_790_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, control=True) as served:
        yield served


def ask(sandbox: Sandbox, method: str, path: str = PATH, data: Any = None, seconds: float = 10) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    return requests.request(
        method, sandbox.url + path, json=data, headers=headers, timeout=seconds, allow_redirects=False
    )


def create(sandbox: Sandbox, seconds: float = 10) -> requests.Response:
    return ask(sandbox, "POST", PATH, BODY, seconds)


@pytest.mark.parametrize(
    ("action", "status", "text", "stored"),
    [
        *[
            pytest.param(f"{status}_{when}", status, text, stored, id=f"{status}_{when}")
            for status, text in ((500, "Server Error"), (502, "<html>"), (503, "unavailable"), (504, "in time"))
            for when, stored in (("before", 0), ("after", 1))
        ],
        pytest.param("401", 401, "Bad credentials", 0, id="401"),
        pytest.param("403_permission", 403, "not accessible", 0, id="permission"),
        pytest.param("404", 404, "Not Found", 0, id="404"),
        pytest.param("410", 410, "no longer supported", 0, id="410"),
        pytest.param("422", 422, "budget_amount", 0, id="422"),
        pytest.param("bad_json", 200, "Budget successfully created", 1, id="bad_json"),
        pytest.param("empty_200", 200, "", 1, id="empty_200"),
        pytest.param("wrong_type", 200, '["unexpected"]', 1, id="wrong_type"),
        pytest.param("wrong_fields", 200, '{"message": ["Budget', 1, id="wrong_fields"),
        pytest.param("wrong_content_type", 200, "Unicorn", 1, id="wrong_content_type"),
        pytest.param("huge_body", 200, "xxxx", 1, id="huge_body"),
        pytest.param("slow_drip", 200, "Budget successfully created", 1, id="slow_drip"),
    ],
)
def test_reply_and_effect_of_each_fault(sandbox: Sandbox, action: str, status: int, text: str, stored: int) -> None:
    """A fault gives its status and text, stores the budget or not, and does not affect the next request."""
    sandbox.plan([{"op": "create_budget", "action": action, "seconds": 0.2}])
    reply = create(sandbox)
    assert (reply.status_code, text in reply.text) == (status, True)
    assert len(sandbox.budgets()) == stored
    assert sandbox.untriggered_faults() == []
    assert create(sandbox).status_code == 200


def test_bodies_of_faults(sandbox: Sandbox) -> None:
    """Truncated JSON is invalid, HTML has its content type, a huge body has 20 MB, a retired version its headers."""
    sandbox.plan(
        [{"action": name, "nth": number} for number, name in enumerate(("bad_json", "huge_body", "410"), start=1)]
    )
    with pytest.raises(ValueError, match="Expecting"):
        ask(sandbox, "GET").json()
    assert len(ask(sandbox, "GET").content) > 20_000_000
    assert {"Deprecation", "Sunset"} <= set(ask(sandbox, "GET").headers)
    sandbox.plan([{"action": "wrong_content_type"}])
    assert ask(sandbox, "GET").headers["Content-Type"] == "text/html"


@pytest.mark.parametrize(
    ("action", "stored"), [("reset_before", 0), ("reset_after", 1), ("reset_mid_body", 1)], ids=str
)
def test_a_reset_prevents_the_reply(sandbox: Sandbox, action: str, stored: int) -> None:
    """A reset before, after or within the reply is a connection error; the log has the status 0."""
    sandbox.plan([{"op": "create_budget", "action": action}])
    with pytest.raises(LOST):
        create(sandbox)
    assert len(sandbox.budgets()) == stored
    assert [request.status for request in sandbox.requests] == [0]


@pytest.mark.parametrize(("action", "stored"), [("stall_before", 0), ("stall_after", 1)], ids=["before", "after"])
def test_a_stall_ends_when_the_client_disconnects(sandbox: Sandbox, action: str, stored: int) -> None:
    """A stall lasts until the client disconnects; the request takes effect or not, as planned."""
    sandbox.plan([{"op": "create_budget", "action": action}])
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, seconds=0.1)
    assert len(sandbox.budgets()) == stored


def test_a_stall_has_a_limit(sandbox: Sandbox) -> None:
    """A stall ends without a reply after its duration, or when the sandbox closes."""
    sandbox.plan([{"action": "stall_before", "seconds": 0.1}, {"action": "stall_before", "nth": 2, "seconds": 600}])
    with pytest.raises(LOST):
        create(sandbox)
    closer = threading.Timer(0.2, sandbox.stop)
    closer.start()
    with pytest.raises(LOST):
        create(sandbox, seconds=60)
    closer.join()


def test_a_drip_ends_when_the_client_disconnects(sandbox: Sandbox) -> None:
    """A byte-by-byte reply stops when the client disconnects, and the sandbox serves other requests."""
    sandbox.plan([{"action": "slow_drip", "seconds": 5}])
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with requests.get(sandbox.url + PATH, headers=headers, timeout=10, stream=True) as reply:
        assert next(reply.iter_content(1)) == b"{"
    assert ask(sandbox, "GET").status_code == 200


def test_a_late_commit_follows_the_clock(sandbox: Sandbox, clock: Clock) -> None:
    """A late commit takes effect when the sandbox's clock has passed its duration."""
    sandbox.plan([{"op": "create_budget", "action": "late_commit"}])
    with pytest.raises(LOST):
        create(sandbox)
    clock.now += 8.9
    assert ask(sandbox, "GET").json()["total_count"] == 0
    clock.now += 0.2
    assert len(sandbox.budgets()) == 1
    assert ask(sandbox, "GET").json()["total_count"] == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("kind", "wait", "headers"),
    [
        pytest.param("primary", 61, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000061"}, id="primary"),
        pytest.param("secondary", 61, {"retry-after": "61"}, id="secondary"),
        pytest.param("secondary_bare", 60, {}, id="secondary without headers"),
    ],
)
def test_requests_while_blocked_are_counted(
    sandbox: Sandbox, clock: Clock, *, status: int, kind: str, wait: int, headers: dict[str, str]
) -> None:
    """A rate limit names its wait; requests before the end of the wait are counted, later ones are not.

    The first read of another connection is none: it can have been on its way.
    """
    sandbox.plan([{"action": f"{status}_{kind}", "seconds": 60.5}])
    reply = create(sandbox)
    assert (reply.status_code, sandbox.budgets()) == (status, [])
    names = ("x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
    assert {name: reply.headers[name] for name in names if name in reply.headers} == headers
    clock.now += wait - 0.1
    with requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {sandbox.token}"
        for count in (0, 1):
            client.get(f"{sandbox.url}{PATH}", timeout=10)
            assert sandbox.requests_while_blocked == count
    create(sandbox)
    assert sandbox.requests_while_blocked == 2
    clock.now += 0.1
    ask(sandbox, "GET")
    create(sandbox)
    assert sandbox.requests_while_blocked == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_the_same_url(sandbox: Sandbox, status: int) -> None:
    """Each redirect names the same URL with its query, and the request has no effect."""
    sandbox.plan([{"method": "GET", "action": f"redirect_{status}"}])
    reply = ask(sandbox, "GET", f"{PATH}?page=1")
    assert (reply.status_code, reply.headers["Location"]) == (status, f"{sandbox.url}{PATH}?page=1")


def test_followed_redirects_to_other_hosts_are_recorded(sandbox: Sandbox) -> None:
    """Redirects to another host, to https and in a loop are sent; a request to another host is recorded."""
    sandbox.plan(
        [
            {"action": "redirect_host", "status": 302},
            {"action": "redirect_scheme", "nth": 2},
            {"action": "redirect_loop", "nth": 3},
        ]
    )
    reply = ask(sandbox, "GET")
    assert (reply.status_code, reply.headers["Location"]) == (
        302,
        f"{sandbox.url}{PATH}".replace("127.0.0.1", "localhost"),
    )
    assert ask(sandbox, "GET").headers["Location"].startswith("https://127.0.0.1:")
    assert {ask(sandbox, "GET").status_code for _ in range(25)} == {307}
    assert ask(sandbox, "GET").status_code == 200
    assert sandbox.misdirected_requests == []
    requests.get(reply.headers["Location"], timeout=10)
    (line,) = sandbox.misdirected_requests
    assert line.endswith(f"GET /api/v3{PATH}")


def test_a_short_listing_keeps_its_count(sandbox: Sandbox) -> None:
    """A short listing lacks a budget, but its total_count is unchanged; other replies are not changed."""
    path = f"{PATH}/{create(sandbox).json()['budget']['id']}"
    sandbox.plan([{"action": "short_list", "times": 2}])
    listed = ask(sandbox, "GET").json()
    assert (listed["budgets"], listed["total_count"], listed["has_next_page"]) == ([], 1, False)
    assert ask(sandbox, "GET", path).json()["budget_amount"] == 1


def test_a_planned_switch_of_a_quirk(sandbox: Sandbox) -> None:
    """A planned switch takes effect with the request that it applies to."""
    sandbox.plan([{"op": "create_budget", "nth": 2, "action": "switch", "quirk": "duplicates_refused"}])
    assert [create(sandbox).status_code for _ in range(2)] == [200, 422]
    assert sandbox.quirks() == ["duplicates_refused"]


@pytest.mark.parametrize(
    ("rule", "triggered"),
    [
        pytest.param({}, [1], id="the first"),
        pytest.param({"nth": 3}, [3], id="the third"),
        pytest.param({"nth": 2, "times": 3}, [2, 3, 4], id="three from the second"),
        pytest.param({"every": 4}, [4, 8], id="every fourth"),
        pytest.param({"every": 2, "times": 2}, [2, 4], id="every second, twice"),
        pytest.param({"probability": 0.5, "seed": 7}, [1, 2, 4, 6, 7], id="by chance"),
        pytest.param({"probability": 0.5, "seed": 7, "times": 2}, [1, 2], id="by chance, twice"),
        pytest.param({"path": "*/budgets"}, [1], id="path"),
        pytest.param({"path": "*/cost-centers"}, [], id="another path"),
        pytest.param({"method": "POST"}, [], id="another method"),
        pytest.param({"op": "get_budget"}, [], id="another operation"),
    ],
)
def test_which_requests_a_rule_affects(sandbox: Sandbox, rule: dict[str, Any], triggered: list[int]) -> None:
    """A rule affects the requests that its fields select, and reports whether it occurred as often as planned."""
    sandbox.plan([{**rule, "action": "404"}])
    statuses = [ask(sandbox, "GET").status_code for _ in range(8)]
    assert [number for number, status in enumerate(statuses, start=1) if status == 404] == triggered
    assert [fault["triggered"] for fault in sandbox.triggered_faults()] == [len(triggered)] * bool(triggered)
    assert sandbox.untriggered_faults() == [{**rule, "action": "404", "triggered": 0}] * (not triggered)


def test_the_first_rule_applies(sandbox: Sandbox) -> None:
    """Of two rules for one request, the first applies; a rule that occurred too seldom is reported."""
    sandbox.plan([{"action": "404"}, {"action": "401"}, {"action": "422", "nth": 2, "times": 2}])
    assert [ask(sandbox, "GET").status_code for _ in range(2)] == [404, 401]
    assert sandbox.untriggered_faults() == [{"action": "422", "nth": 2, "times": 2, "triggered": 0}]
    ask(sandbox, "GET")
    assert sandbox.untriggered_faults() == [{"action": "422", "nth": 2, "times": 2, "triggered": 1}]
    sandbox.reset()
    assert sandbox.untriggered_faults() == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param({"action": "explode"}, "unknown fault 'explode'", id="action"),
        pytest.param({"action": "404", "when": 1}, r"faults\[0\].when: there is no such field", id="name"),
        pytest.param({"action": "404", "triggered": 1}, r"faults\[0\].triggered: there is no such field", id="counter"),
        pytest.param({"action": "404", "op": "make_budget"}, "unknown operation 'make_budget'", id="operation"),
        pytest.param({"action": "404", "nth": "2"}, r"faults\[0\].nth: Input should be a valid integer", id="number"),
        pytest.param({"action": "switch", "quirk": "plural"}, "unknown quirk", id="quirk"),
    ],
)
def test_an_invalid_plan_is_refused(sandbox: Sandbox, rule: dict[str, Any], text: str) -> None:
    """A rule with an unknown field or action is refused, and the plan is not changed."""
    sandbox.plan([{"action": "404"}])
    with pytest.raises(ValueError, match=text):
        sandbox.plan([rule])
    assert ask(sandbox, "GET").status_code == 404


def test_every_action_has_a_summary() -> None:
    """Each action has a summary for --list-faults."""
    assert all(action.summary for action in ACTIONS.values())


@pytest.mark.parametrize(
    ("gap", "fits", "wait"),
    [pytest.param(0.5, 80, "20", id="eighty a minute"), pytest.param(1.5, 500, "2850", id="five hundred an hour")],
)
def test_enforced_limits_of_writes(clock: Clock, gap: float, fits: int, wait: str) -> None:
    """With enforce_limits, the 81st write of a minute and the 501st of an hour are refused with a wait."""
    with Sandbox(clock=clock, quirks=["enforce_limits"]) as sandbox, requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {sandbox.token}"

        def wait_after_write() -> str:
            clock.now += gap
            return client.delete(f"{sandbox.url}{PATH}/none", timeout=10).headers.get("retry-after", "")

        assert {wait_after_write() for _ in range(fits)} == {""}
        assert wait_after_write() == wait
        assert sandbox.unpaced_writes == (fits if gap < 1 else 0)
        clock.now += int(wait) - gap
        assert wait_after_write() == ""
        assert sandbox.requests_while_blocked == 0


def test_enforced_limit_of_all_requests(sandbox: Sandbox) -> None:
    """With enforce_limits, a request above the hourly limit gets 403 with 0 remaining requests."""
    sandbox.switch("enforce_limits=20")
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with requests.Session() as client:
        statuses = [client.get(f"{sandbox.url}/user", headers=headers, timeout=10).status_code for _ in range(20)]
        assert set(statuses) == {200}
        reply = client.get(f"{sandbox.url}/user", headers=headers, timeout=10)
    assert (reply.status_code, reply.headers["x-ratelimit-remaining"]) == (403, "0")


def send_control(
    sandbox: Sandbox, method: str, path: str, data: Any = None, token: str | None = None
) -> requests.Response:
    headers = {"X-Sandbox-Control": sandbox.control_token if token is None else token}
    url = sandbox.url.replace("/api/v3", "/_sandbox")
    return requests.request(method, url + path, json=data, headers=headers, timeout=10)


def test_the_control_plane(sandbox: Sandbox) -> None:
    """Another process can plan faults, read the log, switch quirks, restore a snapshot, reset, and approve a raise."""
    empty = send_control(sandbox, "GET", "/snapshot").json()
    create(sandbox)
    assert [entry["status"] for entry in send_control(sandbox, "GET", "/requests").json()] == [200]
    assert send_control(sandbox, "PUT", "/faults", [{"action": "404"}]).status_code == 200
    assert len(send_control(sandbox, "GET", "/faults").json()["untriggered"]) == 1
    assert send_control(sandbox, "PATCH", "/quirks", {"plural_sku": True, "float_amounts": False}).status_code == 200
    assert send_control(sandbox, "GET", "/quirks").json() == ["plural_sku"]
    assert send_control(sandbox, "PUT", "/snapshot", empty).status_code == 200
    assert sandbox.budgets() == []
    send_control(sandbox, "DELETE", "/requests")
    assert sandbox.requests == []
    send_control(sandbox, "POST", "/reset")
    assert sandbox.untriggered_faults() == []
    sandbox.add_budget("organization", "octo-org", budget_scope="user", user="octocat", budget_amount=5)
    approved = send_control(sandbox, "POST", "/raises", {"user": "Octocat", "amount": 9, "owner": "octo-org"})
    assert approved.json()["budget_amount"] == 9


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        pytest.param("PUT", "/faults", [{"action": "none"}], 400, id="wrong fault"),
        pytest.param("PUT", "/faults", 5, 400, id="no list"),
        pytest.param("PUT", "/snapshot", {}, 400, id="no snapshot"),
        pytest.param("PATCH", "/quirks", {"none": True}, 400, id="wrong quirk"),
        pytest.param("PATCH", "/quirks", ["plural_sku"], 400, id="no object"),
        pytest.param("POST", "/raises", {"user": "octocat", "amount": 5}, 400, id="no budget"),
        pytest.param("POST", "/raises", {"user": "octocat"}, 400, id="no amount"),
        pytest.param("POST", "/raises", {"user": "octocat", "amount": 5, "by": "hubot"}, 400, id="wrong key"),
        pytest.param("POST", "/raises", ["octocat", 5], 400, id="no raise"),
        pytest.param("GET", "/nothing", None, 404, id="unknown"),
    ],
)
def test_the_control_plane_refuses_invalid_requests(
    sandbox: Sandbox, method: str, path: str, data: Any, status: int
) -> None:
    """An invalid control request gets an error text and changes nothing."""
    before = sandbox.snapshot()
    assert send_control(sandbox, method, path, data).status_code == status
    assert sandbox.snapshot() == before


def test_the_control_plane_is_off_by_default(sandbox: Sandbox) -> None:
    """The control plane is off without the option; with it, its token is required."""
    assert send_control(sandbox, "GET", "/requests", token="guess").status_code == 401
    with Sandbox() as closed:
        reply = send_control(closed, "GET", "/requests")
    assert (reply.status_code, "--control" in json.dumps(reply.json())) == (404, True)
