"""An orphan, a duplicate and a budget made by hand: found by `unmanaged`, and followed to an empty preview."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import requests

from billing_provider.cli import main
from billing_provider.sandbox import Sandbox
from tests.engine.budgets import declared
from tests.engine.drivers import Embedded
from tests.engine.scenarios import Do, Scenario
from tests.engine.test_engine_get import run
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.engine.drivers import CommandLine

E = "octo-enterprise"
_KILLED_UP = """
import sys
from pathlib import Path
from billing_provider.engine import Engine
Engine(Path(sys.argv[1]), "dev", Path(sys.argv[2])).up()
"""


def exported(driver: Embedded | CommandLine) -> str:
    """Return the state of the driver's stack, as its engine exports it."""
    state = driver.bench.engine.export() if isinstance(driver, Embedded) else driver.export()
    return json.dumps(state)


def findings(
    state: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> list[dict[str, Any]]:
    """Return what `unmanaged` finds for budgets, by reads only."""
    file = folder / "export.json"
    file.write_text(state)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    sandbox.forget_requests()
    capsys.readouterr()
    main(["unmanaged", "--enterprise", E, "--state", str(file), "--json"])
    assert sandbox.writes == []
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return [each for each in found if "cost center" not in each["what"]]


def test_a_budget_made_by_hand_and_a_duplicate(
    driver: Embedded | CommandLine,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The code adopts the one, the command removes the other, and then nothing is found and nothing changes."""
    run(driver, "up", declared())
    (mine,) = sandbox.budgets()
    by_hand = sandbox.add_budget("enterprise", E, budget_product_sku="packages", budget_amount=70)
    duplicate = sandbox.add_budget("enterprise", E, budget_amount=70, prevent_further_usage=True)
    adopt, remove = findings(exported(driver), sandbox, capsys, monkeypatch, tmp_path)
    assert (adopt["kind"], adopt["ids"]) == ("unmanaged", [f"enterprise/{E}/{by_hand['id']}"])
    assert (remove["kind"], set(remove["ids"])) == (
        "duplicates",
        {f"enterprise/{E}/{b['id']}" for b in (mine, duplicate)},
    )

    (step,) = remove["steps"]
    assert step["text"].endswith("this lifts the hard stop at $70")
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    assert requests.delete(shlex.split(step["command"])[-1], headers=headers, timeout=10).ok
    sandbox.forget_requests()
    said = run(driver, "up", declared() + adopt["steps"][0]["code"])
    assert "adopted the existing budget" in said
    assert sandbox.writes == []
    assert findings(exported(driver), sandbox, capsys, monkeypatch, tmp_path) == []
    if isinstance(driver, Embedded):
        assert not driver.bench.engine.preview().changed
    else:
        assert driver.call("preview", "--expect-no-changes", check=False).returncode == 0


def test_an_orphan_after_a_kill(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After a kill in the middle of a create the budget is found with its interrupted run, which adopts it."""
    driver = Embedded(tmp_path, Scenario([]))
    driver.bench.program(declared())
    with Sandbox() as sandbox:
        environment = {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        driver.env |= environment
        sandbox.plan([{"op": "create_budget", "action": "stall_after"}])
        arguments = [sys.executable, "-c", _KILLED_UP, str(driver.bench.project), str(driver.bench.state_file)]
        process = subprocess.Popen(arguments, env={**os.environ, **driver.env}, start_new_session=True)
        wait_until(lambda: sandbox.budgets() != [], lambda: process.poll() is None)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        (orphan,) = sandbox.budgets()
        (found,) = findings(exported(driver), sandbox, capsys, monkeypatch, tmp_path)
        assert found["ids"] == [f"enterprise/{E}/{orphan['id']}"]
        assert "a run was interrupted while it created b of the stack dev" in found["reason"]
        assert found["steps"][0]["command"] == "pulumi up --stack dev"
        outcome = driver.run(Do("up"))
        assert outcome.code == 0, outcome.said
        assert sandbox.writes == []
        assert sandbox.budgets() == [orphan]
        assert not driver.bench.engine.preview().changed
        assert findings(exported(driver), sandbox, capsys, monkeypatch, tmp_path) == []
