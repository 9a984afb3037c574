"""The Sandbox class: ports, the log, the file, quirks, and concurrent clients."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from billing_provider.sandbox import Request, Sandbox
from billing_provider.sandbox.operations.quirks import QUIRKS, Quirks, UnknownQuirkError

if TYPE_CHECKING:
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
