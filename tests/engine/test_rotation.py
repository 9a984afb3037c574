"""A token that is renewed or removed while a stack has recorded the old one, on both engines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from billing_provider.core.clock import TEST_TIME
from billing_provider.engine import Engine
from billing_provider.sandbox import Sandbox
from tests.support.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from billing_provider.engine import ForkServer

PROGRAM = """
from billing_provider import EnterpriseBudget
EnterpriseBudget("a", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=5)
"""
SETTING = "github-billing:token"


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with Sandbox() as sandbox, Front(sandbox, tmp_path) as started:
        yield started


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


def test_the_embedded_engine(
    front: Front, project: Path, tmp_path: Path, pulumi_fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine hands over today's settings; the variable precedes them, and a 401 names the source."""
    # No time may be fixed for an address that is not of this machine.
    monkeypatch.setenv(TEST_TIME, "")
    engine = Engine(project, "dev", tmp_path / "state.json", env=front.env, fork_server=pulumi_fork_server)
    engine.settings = {SETTING: front.token}

    def run(verb: str) -> tuple[int, str]:
        result = getattr(engine, verb)()
        return result.exit_code, " ".join(each.message for each in result.diagnostics)

    assert run("up")[0] == 0
    front.token = "the-second-token"
    code, said = run("refresh")
    assert (code != 0, f"renew it. It is from {SETTING}. " in said) == (True, True), said
    assert "set GITHUB_BILLING_TOKEN, which precedes it" in said
    engine.env = {**front.env, "GITHUB_BILLING_TOKEN": front.token}
    assert run("refresh")[0] == 0
    engine.settings, engine.env = {SETTING: front.token}, front.env
    assert run("refresh")[0] == 0
    engine.settings = {}
    assert "no token: set GITHUB_BILLING_TOKEN" in run("destroy")[1]
    engine.env = {**front.env, "GITHUB_BILLING_TOKEN": front.token}
    assert run("destroy")[0] == 0
    assert set(front.refused) == {"the-first-token"}
    assert "the-" not in (tmp_path / "state.json").read_text()


@pytest.mark.cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH")
def test_the_command_line(front: Front, project: Path, tmp_path: Path) -> None:
    """Plain refresh and destroy use the recorded token, unless the variable or --run-program gives today's."""
    (tmp_path / "home").mkdir()
    (tmp_path / "backend").mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    (project / "Pulumi.yaml").write_text(
        "name: shop\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
    )
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PULUMI_"))},
        **front.env,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def run(*arguments: str, fails: bool = False, token: str = "") -> str:
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(
            command,
            cwd=project,
            env={**environ, "GITHUB_BILLING_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return " ".join(said.split())

    new = "the-second-token"
    refresh, destroy = (("refresh", "--yes", "--skip-preview"), ("destroy", "--yes", "--skip-preview"))
    run("stack", "init", "dev")
    run("config", "set", "--secret", SETTING, front.token)
    run("up", "--yes", "--skip-preview")
    front.token = new
    run("config", "set", "--secret", SETTING, front.token)
    said = run(*refresh, fails=True)
    assert f"renew it. It is from {SETTING}. " in said
    assert "set GITHUB_BILLING_TOKEN, which precedes it, or add --run-program." in said
    run(*refresh, token=new)
    run(*refresh, "--run-program")
    run("config", "rm", SETTING)
    run(*destroy, "--run-program", fails=True)
    run(*destroy, token=new)
    assert set(front.refused) == {"the-first-token"}
