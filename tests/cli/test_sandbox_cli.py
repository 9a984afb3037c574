"""The verb `sandbox`: its output, its exit codes, and invalid options."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
import pytest
import requests

from billing_provider.cli import main
from billing_provider.core.clock import Clock
from tests.support.forked import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def started(*arguments: str) -> Iterator[Process]:
    """Start the verb, and kill it at the end."""
    with Process("sandbox", *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call the verb with what it refuses with exit code 2, and return its error."""

    def call(*arguments: str) -> str:
        try:
            code: object = main(["sandbox", *arguments])
        except SystemExit as ended:
            code = ended.code
        assert code == 2
        return capsys.readouterr().err

    return call


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """The first two lines are working exports, requests are printed on stderr, and a signal ends it with 0."""
    file = tmp_path / "state.json"
    suffix = ("--token-suffix", "local")
    with started("--state", str(file), "--quirk", "plural_sku", "--quirk", "list_lag=3", *suffix) as process:
        (url, token) = (process.stdout.readline().strip().partition("=") for _ in range(2))
        assert (url[0], token[0]) == ("export GITHUB_API_URL", "export GITHUB_BILLING_TOKEN")
        path = "/organizations/octo-org/settings/billing/budgets"
        reply = requests.get(url[2] + path, headers={"Authorization": f"Bearer {token[2]}"}, timeout=10)
        assert reply.status_code == 200
        process.send_signal(number)
        rest, remarks = process.communicate()
    assert (process.returncode, rest) == (0, "")
    assert f"200 GET {path}" in remarks
    assert "Quirks: plural_sku, list_lag=3" in remarks
    assert token[2] == "sandbox-enterprise-owner-local"
    assert "\n  sandbox-read-only-local         read-only: " in remarks
    assert file.exists()


def test_the_sandbox_has_the_names_of_the_options() -> None:
    """--enterprise, --org and --user replace the names of the sample data, and the start prints them."""
    with started("--enterprise", "acme", "--org", "acme-web", "--org", "acme-api", "--user", "alice") as process:
        url, token = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        headers = {"Authorization": f"Bearer {token}"}
        for path in ("enterprises/acme", "organizations/acme-web", "organizations/acme-api"):
            assert requests.get(f"{url}/{path}/settings/billing/budgets", headers=headers, timeout=10).ok
        process.send_signal(signal.SIGTERM)
        _, remarks = process.communicate()
    assert "Sandbox: enterprise acme; organizations acme-web, acme-api;\n" in remarks
    assert "users alice; cost centers Platform, Data." in remarks
    assert "octo" not in remarks


def test_unknown_names_are_created(tmp_path: Path) -> None:
    """With --create-unknown an unknown owner is created and said on stderr; the next start prints it."""
    for said in (1, 0):
        with started("--create-unknown", "--state", str(tmp_path / "state.json")) as process:
            url, token = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
            path = "enterprises/acme/settings/billing/budgets"
            assert requests.get(f"{url}/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10).ok
            process.send_signal(signal.SIGTERM)
            _, remarks = process.communicate()
        assert remarks.count("The sandbox has created the enterprise acme, which it did not know.\n") == said
    assert "Sandbox: enterprise acme; organizations none;\n" in remarks


def test_an_app_has_two_lines_in_place_of_the_token() -> None:
    """With --app, two lines are the App's id and a private file with its key, which is removed at the end."""
    with started("--app", "--quirk", "app_token_seconds=3") as process:
        lines = [process.stdout.readline().strip().partition("=") for _ in range(3)]
        names = ["export GITHUB_BILLING_APP_ID", "export GITHUB_BILLING_APP_PRIVATE_KEY_FILE"]
        assert [name for name, _, _ in lines[1:]] == names
        url, key = lines[0][2], Path(lines[2][2])
        assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        now = int(Clock().wall())
        claims = {"iat": now, "exp": now + 60, "iss": lines[1][2]}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, key.read_text(), algorithm='RS256')}"}
        assert requests.get(f"{url}/orgs/octo-org/installation", headers=headers, timeout=10).json()["app_id"] == 424242
        process.send_signal(signal.SIGTERM)
        _, remarks = process.communicate()
    assert (process.returncode, key.parent.exists()) == (0, False)
    assert "PRIVATE KEY" not in remarks


def test_quirks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """--list-quirks prints the name, evidence and effect of each quirk."""
    assert main(["sandbox", "--list-quirks"]) == 0
    printed = capsys.readouterr().out
    assert "plural_sku                        documented  budgets are returned with " in printed
    assert "list_lag[=2]" in printed


def test_faults_are_listed_and_reported_if_they_did_not_occur(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--list-faults prints the actions; a planned fault that did not occur is reported at the end, with exit code 1."""
    assert main(["sandbox", "--list-faults"]) == 0
    assert "reset_after" in capsys.readouterr().out
    plan = tmp_path / "faults.json"
    plan.write_text(json.dumps([{"op": "create_budget", "action": "reset_after"}]))
    with started("--faults", str(plan), "--control") as process:
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, remarks = process.communicate()
    assert process.returncode == 1
    assert 'fault did not occur as planned: {"action": "reset_after", "op": "create_budget", "triggered": 0}' in remarks
    assert "X-Sandbox-Control: " in remarks


def test_help_lists_what_is_not_imitated(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists the tokens, each on lines of its own, and what the sandbox does not imitate."""
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])
    said = capsys.readouterr().out
    assert "\nWhat it does not imitate" in said
    assert "\n  sandbox-expired-SUFFIX           expired: 401\n" in said


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["--seed", __file__], "test_sandbox_cli.py: it is not JSON: see line 1, column", id="seed"),
        pytest.param(["--org", "a b"], "organizations: 'a b' is not a name of letters", id="organization"),
        pytest.param(["--quirk", "plural_skus"], "similar: plural_sku", id="quirk"),
        pytest.param(["--faults", __file__], "test_sandbox_cli.py: it is not JSON: see line 1, column", id="faults"),
        pytest.param(["--faults", "/none"], "/none", id="no faults"),
        pytest.param(["--port", "65536"], "'65536' is not a port: use a number from 0 to 65535", id="port"),
        pytest.param(["--port", "x"], "'x' is not a port", id="no port"),
        pytest.param(["--state", "/proc/none/state.json"], "/proc/none", id="state file"),
    ],
)
def test_an_invalid_option_exits_with_2(refused: Callable[..., str], arguments: list[str], text: str) -> None:
    """An invalid option is reported without a traceback, with exit code 2."""
    said = refused(*arguments)
    assert (text in said, "Traceback" in said) == (True, False)


def test_the_environment_fixes_the_time(monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]) -> None:
    """GITHUB_BILLING_TEST_TIME fixes the time of the process; an invalid time exits with 2."""
    monkeypatch.setenv("GITHUB_BILLING_TEST_TIME", "2026-12-01T00:00:30Z")
    with started() as process:
        url = process.stdout.readline().strip().partition("=")[2]
        assert requests.get(url, timeout=10).headers["Date"] == "Tue, 01 Dec 2026 00:00:30 GMT"
    monkeypatch.setenv("GITHUB_BILLING_TEST_TIME", "soon")
    said = refused()
    assert "Traceback" not in said
    assert "GITHUB_BILLING_TEST_TIME must be a time such as" in said


@pytest.mark.parametrize("text", ["{}", "[5]", '[{"action": 5}]', "[" * 5000, "5", "null", "\udcff"])
def test_an_invalid_faults_file_exits_with_2(tmp_path: Path, refused: Callable[..., str], text: str) -> None:
    """An invalid faults file is reported in one line that names the file."""
    plan = tmp_path / "faults.json"
    plan.write_text(text, encoding="utf-8", errors="surrogateescape")
    said = refused("--faults", str(plan))
    assert said.count("\n") == 1
    assert said.startswith(f"billing-provider sandbox: {plan}: ")


def test_a_seed_of_null_exits_with_2(tmp_path: Path, refused: Callable[..., str]) -> None:
    """A seed file of null is refused in one line that names the file."""
    seed = tmp_path / "seed.json"
    seed.write_text("null")
    assert refused("--seed", str(seed)) == f"billing-provider sandbox: {seed}: it is not an object\n"
    seed.write_text('{"budgets": 5}')
    assert "seed: budgets: it is not a list" in refused("--seed", str(seed))


def test_a_used_port_or_state_file_exits_with_2(tmp_path: Path, refused: Callable[..., str]) -> None:
    """A port or state file that another sandbox uses is reported in one line; the other sandbox is not affected."""
    file = tmp_path / "state.json"
    with started("--state", str(file)) as process:
        port = process.stdout.readline().split(":")[2].partition("/")[0]
        said = f"cannot open port {port}: Address already in use; use another one with --port"
        assert refused("--port", port) == f"billing-provider sandbox: {said}\n"
        assert f"another run is using {file}" in refused("--state", str(file))
        assert process.poll() is None


def test_control_characters_are_not_printed() -> None:
    """An escape sequence in a path is not printed."""
    with started() as process:
        port = int(process.stdout.readline().split(":")[2].partition("/")[0])
        process.stdout.readline()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /api/v3/\x1b[31m HTTP/1.0\r\nHost: localhost\r\n\r\n")
            while client.recv(1000):
                pass
        process.send_signal(signal.SIGINT)
        assert "GET /?[31m" in process.communicate()[1]
