"""The verb export with the real Pulumi CLI and a file backend."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.clock import TEST_TIME
from billing_provider.engine import Engine
from tests.adopt.test_entries import MADE, READ
from tests.adopt.world import PROGRAM, OtherClient, a_sandbox, people
from tests.cli.test_cli_engine import Cli
from tests.engine.drivers import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.sandbox import Sandbox

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Sixty budgets and five cost centers that another client made."""
    with a_sandbox() as started:
        OtherClient(started).everything(started)
        yield started


@pytest.fixture
def cli(tmp_path: Path, sandbox: Sandbox) -> Cli:
    """A project whose program is the exported module."""
    made = Cli(tmp_path, sandbox)
    (made.project / "__main__.py").write_text(PROGRAM)
    return made


def export(cli: Cli, *arguments: str) -> tuple[int, str]:
    """Run the verb in the project."""
    cli.sandbox.forget_requests()
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("billing-provider")),
            *("export", "--enterprise", "octo-enterprise", "--org", "octo-org", "--out", "."),
            *arguments,
        ],
        cwd=cli.project,
        env={**cli._env, "GITHUB_BILLING_TOKEN": cli.sandbox.token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_sixty_budgets_are_taken_over(cli: Cli, sandbox: Sandbox) -> None:
    """65 are imported, 0 created; up and refresh only read; a second export changes no byte; a destroy keeps all."""
    live = sandbox.budgets(None), sandbox.cost_centers()
    code, said = export(cli, "--import", "s")
    assert code == 0, said
    assert "Imported into s: 65." in said
    assert "A preview of s finds no changes." in said
    assert sandbox.writes == []
    assert "66 unchanged" in cli.up()
    assert sandbox.requests == []
    cli.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert sandbox.writes == []
    files = {path: path.read_bytes() for path in cli.project.glob("budgets*")}
    assert export(cli)[0] == 0
    assert {path: path.read_bytes() for path in cli.project.glob("budgets*")} == files
    for quirk in (quirk for quirk in READ if quirk not in MADE):
        sandbox.switch(quirk)
    cli.unchanged("--refresh")
    cli.run("destroy", "--yes", "--skip-preview")
    assert sandbox.writes == []
    assert (sandbox.budgets(None), sandbox.cost_centers()) == live


def test_the_import_is_undone(cli: Cli, sandbox: Sandbox) -> None:
    """A program that declares nothing gives exit code 7, and the command that it is told restores the state."""
    (cli.project / "__main__.py").write_text("")
    before = comparable(cli.state())
    code, said = export(cli, "--import", "s")
    assert code == 7, said
    assert "EnterpriseBudget: (delete)" in said
    (undo,) = (line.partition(": pulumi ")[2] for line in said.splitlines() if line.startswith("To undo the import,"))
    cli.run(*undo.split())
    assert comparable(cli.state()) == before
    assert sandbox.writes == []


def test_a_table_is_taken_over(cli: Cli, sandbox: Sandbox) -> None:
    """A component and its parts are imported, 0 created; up and refresh find no change; a destroy keeps every row."""
    people(sandbox, 50)
    live = sandbox.budgets(None)
    code, said = export(cli, "--only", "budgets", "--scope", "user", "--import", "s")
    assert code == 0, said
    assert "Imported into s: 62." in said
    assert "A preview of s finds no changes." in said
    assert sandbox.requests
    assert sandbox.writes == []
    assert "21 unchanged" in cli.up()
    assert sandbox.requests == []
    cli.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    cli.run("destroy", "--yes", "--skip-preview")
    assert sandbox.writes == []
    assert sandbox.budgets(None) == live


def test_both_engines_import_the_same_state(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """The embedded engine's state after an import is that of the CLI, also of a table."""
    people(sandbox, 50)
    assert export(cli, "--import", "s")[0] == 0
    state: dict[str, Any] = cli.state()
    resources = json.loads((cli.project / "budgets-import.json").read_text())["resources"]
    embedded = Engine(cli.project, "s", tmp_path / "state.json", env={"PULUMI_CONFIG_PASSPHRASE": "x", TEST_TIME: ""})
    embedded.import_resources(resources)
    both = [comparable(each)["resources"] for each in (state, embedded.export())]
    assert [each["urn"] for each in both[0]] == [each["urn"] for each in both[1]]
    for one, other in zip(*both, strict=True):
        assert one == other
