"""The verb `sandbox`: what it prints first, how it ends, and what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The verb alone: its neighbours have tests of their own.
PROGRAM = """
import argparse, sys
from billing_provider.cli import sandbox
parser = argparse.ArgumentParser()
sandbox.add(parser.add_subparsers())
args = parser.parse_args()
sys.exit(args.run(args))
"""
COMMAND = [sys.executable, "-c", PROGRAM, "sandbox"]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the verb, and leave it running for nobody."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """Its first two lines are exports that work, it tells each request on stderr, and a signal ends it with 0."""
    file = tmp_path / "state.json"
    with started("--state", str(file), "--quirk", "plural_sku", "--quirk", "list_lag=3") as process:
        assert process.stdout is not None
        (url, token) = (process.stdout.readline().strip().partition("=") for _ in range(2))
        assert (url[0], token[0]) == ("export GITHUB_API_URL", "export GITHUB_BILLING_TOKEN")
        path = "/organizations/octo-org/settings/billing/budgets"
        reply = requests.get(url[2] + path, headers={"Authorization": f"Bearer {token[2]}"}, timeout=10)
        assert reply.status_code == 200
        process.send_signal(number)
        rest, remarks = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "")
    assert f"200 GET {path}" in remarks
    assert "Quirks: plural_sku, list_lag=3" in remarks
    assert file.exists()


def test_quirks_are_listed() -> None:
    """--list-quirks prints name, grade and effect of each, and ends."""
    result = run("--list-quirks")
    assert result.returncode == 0
    assert "plural_sku                        documented  budgets are read with budget_product_skus" in result.stdout
    assert "list_lag[=2]" in result.stdout


def test_faults_are_listed_and_told_when_never_met(tmp_path: Path) -> None:
    """--list-faults prints the actions; a planned fault that was never met is told at the end, with exit code 1."""
    assert "reset_after" in run("--list-faults").stdout
    plan = tmp_path / "faults.json"
    plan.write_text(json.dumps([{"op": "create_budget", "action": "reset_after"}]))
    with started("--faults", str(plan), "--control") as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, remarks = process.communicate(timeout=30)
    assert process.returncode == 1
    assert 'never met as planned: {"action": "reset_after", "op": "create_budget", "met": 0}' in remarks
    assert "X-Sandbox-Control: " in remarks


def test_help_says_what_is_not_imitated() -> None:
    """The help names what the sandbox does not imitate."""
    assert "What it does not imitate" in run("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["--quirk", "plural_skus"], "near ones: plural_sku", id="quirk"),
        pytest.param(["--faults", "/dev/null"], "Expecting value", id="faults"),
        pytest.param(["--state", "/proc/none/state.json"], "/proc/none", id="state file"),
    ],
)
def test_a_wrong_option_ends_it_with_2(arguments: list[str], text: str) -> None:
    """An unknown quirk and a file that cannot be written are told in one line, with exit code 2."""
    result = run(*arguments)
    assert (result.returncode, text in result.stderr, "Traceback" in result.stderr) == (2, True, False)


def test_the_time_of_tests_is_the_sandboxs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process tells the time that the environment fixes, and a text that is no time ends it with 2."""
    monkeypatch.setenv("GITHUB_BILLING_TEST_TIME", "2026-12-01T00:00:30Z")
    with started() as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().partition("=")[2]
        assert requests.get(url, timeout=10).headers["Date"] == "Tue, 01 Dec 2026 00:00:30 GMT"
    monkeypatch.setenv("GITHUB_BILLING_TEST_TIME", "soon")
    result = run()
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "GITHUB_BILLING_TEST_TIME must be a time as" in result.stderr
