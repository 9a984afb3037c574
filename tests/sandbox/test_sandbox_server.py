"""The Sandbox class: ports, the log, the file, quirks, and concurrent clients."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from billing_provider.sandbox import Request, Sandbox
from billing_provider.sandbox.http.pipeline import RequestLog
from billing_provider.sandbox.operations.quirks import QUIRKS, Quirks, UnknownQuirkError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/enterprises/octo-enterprise/settings/billing/budgets"
BODY = {
    "budget_amount": 1,
    "prevent_further_usage": False,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "enterprise",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}


def session(sandbox: Sandbox) -> requests.Session:
    opened = requests.Session()
    opened.headers["Authorization"] = f"Bearer {sandbox.token}"
    return opened


def test_the_log_has_each_request_in_order() -> None:
    """The log has method, path, query, body, status and time, and can be emptied."""
    heard: list[Request] = []
    with Sandbox(clock=lambda: 1_790_000_000.0, on_request=heard.append) as sandbox, session(sandbox) as client:
        client.get(sandbox.url + PATH, params={"page": "1"})
        client.post(sandbox.url + PATH, json=BODY)
        assert [(entry.method, entry.path, entry.query, entry.body, entry.status, entry.at) for entry in heard] == [
            ("GET", PATH, {"page": "1"}, None, 200, 1_790_000_000.0),
            ("POST", PATH, {}, BODY, 200, 1_790_000_000.0),
        ]
        assert sandbox.requests == heard
        assert sandbox.writes == heard[1:]
        sandbox.forget_requests()
        assert sandbox.requests == []


def test_results_are_copies() -> None:
    """Changing a returned value does not change the stored data."""
    with Sandbox() as sandbox:
        sandbox.add_budget("enterprise", "octo-enterprise")["budget_alerting"]["alert_recipients"].append("x")
        sandbox.budgets()[0]["budget_alerting"]["alert_recipients"].append("x")
        sandbox.cost_centers()[0]["resources"].clear()
        assert sandbox.budgets()[0]["budget_alerting"]["alert_recipients"] == []
        assert len(sandbox.cost_centers()[0]["resources"]) == 2


def test_reset_restores_the_sample_data() -> None:
    """A reset removes budgets and requests, keeps quirks, and restarts the ids."""
    with Sandbox(quirks=["plural_sku"]) as sandbox, session(sandbox) as client:
        first = client.post(sandbox.url + PATH, json=BODY).json()["budget"]["id"]
        sandbox.reset()
        assert (sandbox.budgets(), sandbox.requests) == ([], [])
        assert client.post(sandbox.url + PATH, json=BODY).json()["budget"]["id"] == first
        assert "budget_product_skus" in client.get(sandbox.url + PATH).json()["budgets"][0]


def test_the_file_keeps_everything_between_runs(tmp_path: Path) -> None:
    """A second sandbox on the same file has the budgets and cost centers of the first, and continues its ids."""
    file = tmp_path / "state.json"
    with Sandbox(state_file=file) as sandbox, session(sandbox) as client:
        client.post(sandbox.url + PATH, json=BODY)
        sandbox.rename_cost_center("Data", "Numbers")
        kept = sandbox.budgets(), sandbox.cost_centers()
    assert json.loads(file.read_text())["version"] == 1
    with Sandbox(state_file=str(file)) as sandbox, session(sandbox) as client:
        assert (sandbox.budgets(), sandbox.cost_centers()) == kept
        client.post(sandbox.url + PATH, json=BODY)
        assert len({budget["id"] for budget in sandbox.budgets()}) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"made": 1}', '{"made": 1, "budgets": [{}], "cost_centers": []}'])
def test_an_invalid_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not a state is not changed, and the error names it."""
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json: "):
        Sandbox(state_file=file)
    assert file.read_text() == text


def test_the_port_opens_once_and_closes_with_every_connection() -> None:
    """A second start or stop does nothing; after the stop, the port and open connections are closed."""
    sandbox = Sandbox().start()
    url = sandbox.url
    assert sandbox.start().url == url
    with session(sandbox) as client:
        assert client.get(url + PATH).status_code == 200
        sandbox.stop()
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            client.get(url + PATH)


def test_a_client_that_disconnects_early() -> None:
    """A connection that is reset while the sandbox reads does not affect others."""
    with Sandbox() as sandbox, session(sandbox) as client:
        host, _, port = sandbox.url.removeprefix("http://").partition("/")[0].partition(":")
        with socket.create_connection((host, int(port))) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            rude.sendall(b"POST /api/v3/user HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        assert client.get(sandbox.url + PATH).status_code == 200


def test_an_internal_error_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """An exception in a serving thread is printed, and the client gets no reply."""

    def fail(_: Request) -> None:
        raise RuntimeError("the listener fell over")

    with Sandbox(on_request=fail) as sandbox, pytest.raises(requests.ConnectionError), session(sandbox) as client:
        client.get(sandbox.url + PATH)
    assert "the listener fell over" in capfd.readouterr().err


def test_concurrent_clients_lose_nothing() -> None:
    """Eight threads that create budgets concurrently store each budget once."""
    with Sandbox() as sandbox:
        local = threading.local()

        def create(_: int) -> int:
            if not hasattr(local, "client"):
                local.client = session(sandbox)
            return int(local.client.post(sandbox.url + PATH, json=BODY).status_code)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(create, range(100))) == {200}
        assert len({budget["id"] for budget in sandbox.budgets()}) == 100


@pytest.mark.parametrize("name", ["plural_skus", "plural_sku=2", "list_lag=x", "0123456789"])
def test_an_unknown_quirk_is_an_error(name: str) -> None:
    """An unknown quirk or an unexpected number is refused; similar names are listed."""
    with pytest.raises(UnknownQuirkError, match="--list-quirks") as caught:
        Sandbox(quirks=[name])
    assert ("similar: " in str(caught.value)) == (name != "0123456789")


def test_quirks_have_evidence_and_are_sorted() -> None:
    """Every quirk has its evidence and a summary, and the table is sorted."""
    assert list(QUIRKS) == sorted(QUIRKS)
    assert {quirk.evidence for quirk in QUIRKS.values()} == {"documented", "observed", "guessed"}
    switched = Quirks(["list_lag=7", "plural_sku"])
    switched.switch("plural_sku", on=False)
    assert (switched.names(), switched.number("list_lag")) == (["list_lag"], 7)


@pytest.fixture
def served() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"),
        *("[::2]", "127.0.0.1@x", "", None),
    ],
)
@pytest.mark.parametrize("prefix", ["/api/v3/rate_limit", "/_sandbox/requests", "/_download/1.csv"])
def test_another_host_is_refused(served: Sandbox, host: str | None, prefix: str) -> None:
    """A page whose name was pointed at this machine gets 421 with the reason, whatever it asks."""
    status, body = raw_get(served, prefix, [] if host is None else [host])
    assert (status, "must be 127.0.0.1 or localhost" in body) == (421, True)
    assert served.requests == []


def test_the_second_of_two_hosts_counts_too(served: Sandbox) -> None:
    """A request with a loopback host and another one is refused."""
    assert raw_get(served, "/api/v3/rate_limit", ["127.0.0.1", "evil.example"])[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:{port}", "LOCALHOST:{port}", "[::1]:{port}", "127.8.9.10"])
def test_names_of_this_machine_are_served(served: Sandbox, host: str) -> None:
    """Every name of loopback is accepted, with and without a port."""
    port = served.url.split(":")[2].partition("/")[0]
    assert raw_get(served, "/api/v3/rate_limit", [host.format(port=port)])[0] == 200


def raw_get(sandbox: Sandbox, path: str, hosts: list[str]) -> tuple[int, str]:
    """Send one GET with these Host headers and the owner's token; return status and body."""
    port = int(sandbox.url.split(":")[2].partition("/")[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("User-Agent", "x")
    connection.putheader("Authorization", f"Bearer {sandbox.token}")
    for host in hosts:
        connection.putheader("Host", host)
    connection.endheaders()
    with contextlib.closing(connection):
        reply = connection.getresponse()
        return reply.status, reply.read().decode()


def test_the_log_keeps_the_newest_requests() -> None:
    """The log has at most 10,000 requests, and forgets old ones with large bodies: a sandbox does not grow."""
    log = RequestLog()
    for number in range(10_003):
        log.add(Request("GET", f"/{number}", {}, None, 200, 0.0), 10)
    assert [len(log.entries()), log.entries()[0].path] == [10_000, "/3"]
    for number in range(2):
        log.add(Request("POST", f"/{number}", {}, None, 200, 0.0), 20 * 1024 * 1024)
    log.add(Request("GET", "/new", {}, None, 200, 0.0), 10)
    assert [entry.path for entry in log.entries()] == ["/1", "/new"]
