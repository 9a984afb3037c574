"""The files of `try`: private, locked, refused if damaged; killed runs and full disks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main
from billing_provider.sandbox import Sandbox
from billing_provider.storage.files import locked
from tests.support.forked import Process
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
import pulumi
from billing_provider import OrgBudget

for sku in SKUS:
    OrgBudget(sku, organization="octo-org", budget_product_sku=sku, budget_amount=5, prevent_further_usage=True)
"""
STATE = ".pulumi/try/dev.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one budget, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    declare(tmp_path, "actions")
    return tmp_path


def declare(folder: Path, *skus: str) -> None:
    (folder / "__main__.py").write_text(PROGRAM.replace("SKUS", repr(skus)))


def start(folder: Path, *arguments: str, **env: str) -> Process:
    """Start the verb in a process of its own."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return Process("try", *arguments, cwd=folder, env={**environ, **env})


def call(folder: Path, *arguments: str, **env: str) -> tuple[int | None, str, str]:
    """Run the verb; return its exit code and what it printed."""
    with start(folder, *arguments, **env) as process:
        out, err = process.communicate()
    return process.returncode, out, err


@pytest.fixture
def refused(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return the error line of the command."""
    assert Path.cwd() == project

    def call_here(*arguments: str) -> str:
        assert main(["try", *arguments]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    return call_here


def counts(folder: Path, *arguments: str, **env: str) -> Any:
    code, out, err = call(folder, *arguments, "--json", **env)
    assert code == 0, out + err
    return json.loads(out)["counts"]


def kept(folder: Path) -> list[str]:
    """Return the products of the budgets that the project's own sandbox has stored."""
    with Sandbox(state_file=folder / ".pulumi" / "try" / "github.json") as sandbox:
        return sorted(budget["budget_product_sku"] for budget in sandbox.budgets(None))


def test_everything_is_private(project: Path) -> None:
    """All files have mode 0600 and the folder 0700, even if an older run created them with other modes."""
    folder = project / ".pulumi" / "try"
    folder.mkdir(parents=True, mode=0o755)
    assert call(project, "up")[0] == 0
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ["dev.json", "dev.json.lock", "github.json", "github.json.lock"], 0o600
    )


@pytest.mark.parametrize("name", ["dev.json", "dev.json.lock", "github.json", "github.json.lock"])
def test_linked_files_are_refused(project: Path, refused: Callable[..., str], name: str) -> None:
    """A symbolic link in place of a file is refused in one line; its target is not changed."""
    folder = project / ".pulumi" / "try"
    folder.mkdir(parents=True)
    (project / "precious").write_text("precious")
    (folder / name).symlink_to(project / "precious")
    assert f"{name}: it is a symbolic link, which is not followed; remove it" in refused("up")
    assert (project / "precious").read_text() == "precious"


@pytest.mark.parametrize("name", [".pulumi", ".pulumi/try"])
def test_linked_folders_are_refused(project: Path, refused: Callable[..., str], name: str) -> None:
    """A symbolic link in place of a folder is refused; nothing is written to its target."""
    (project / "elsewhere").mkdir()
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).symlink_to(project / "elsewhere")
    assert f"{name}: it is a symbolic link" in refused("up")
    assert list((project / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("stack", ["../../../x", "a/b", "", "x" * 101, "a\nb", "ä", "github", "GitHub"])
def test_invalid_stack_names_are_refused(project: Path, refused: Callable[..., str], stack: str) -> None:
    """An invalid stack name, or that of the sandbox's file, is refused before anything is written."""
    before = sorted(project.rglob("*"))
    assert "stack" in refused("up", "--stack", stack)
    assert sorted(project.rglob("*")) == before


def test_nothing_is_written_without_a_project(tmp_path: Path) -> None:
    """In a folder without a project, no state folder is created."""
    code, _, err = call(tmp_path)
    assert (code, "no Pulumi.yaml in" in err, list(tmp_path.iterdir())) == (2, True, [])


def test_concurrent_runs_lose_no_budget(project: Path) -> None:
    """Concurrent runs in one folder wait for each other and print a line; all budgets are kept."""
    (project / "__main__.py").write_text(PROGRAM.replace("SKUS", "[pulumi.get_stack()]"))
    folder = project / ".pulumi" / "try"
    folder.mkdir(parents=True)
    stacks = ("actions", "packages", "packages")
    with contextlib.ExitStack() as stack:
        with locked(folder / "github.json"):
            runs = [stack.enter_context(start(project, "up", "--stack", name)) for name in stacks]
            lines = [run.stderr.readline() for run in runs]
        outputs = [run.communicate()[0] for run in runs]
        assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert lines == ["waiting: another run uses .pulumi/try/github.json ...\n"] * 3
    assert kept(project) == ["actions", "packages"]


def test_concurrent_runs_of_one_stack_on_a_running_sandbox(project: Path) -> None:
    """On a shared sandbox, a second run of the same stack is refused in one line; the first continues."""
    with Sandbox() as sandbox:
        env = {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        (project / ".pulumi" / "try").mkdir(parents=True)
        with locked(project / STATE):
            code, _, err = call(project, "up", **env)
        assert (code, err) == (
            2,
            f"error: another run is using {project / STATE}; wait until it ends, then run again\n",
        )
        assert counts(project, "up", **env) == {"create": 2}


@pytest.mark.parametrize("lands", [True, False], ids=["done", "not done"])
def test_recovery_from_a_kill_during_a_destroy(project: Path, lands: bool) -> None:
    """After a kill during a delete, the next run reads the budget again; a deleted one is created, others are kept."""
    declare(project, "actions", "packages")
    with Sandbox() as sandbox:
        env = {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        assert counts(project, "up", **env) == {"create": 3}
        action = "stall_after" if lands else "stall_before"
        sandbox.plan([{"op": "delete_budget", "action": action, "every": 1}])
        with start(project, "destroy", **env) as process:
            wait_until(
                lambda: any(request.method == "DELETE" for request in sandbox.requests), lambda: process.poll() is None
            )
            process.kill()
        sandbox.plan([])
        gone = 2 - len(sandbox.budgets(None))
        assert (gone > 0) == lands
        operations = json.loads((project / STATE).read_text())["deployment"]["pending_operations"]
        assert {operation["type"] for operation in operations} == {"deleting"}
        code, out, _ = call(project, "preview", "--json", **env)
        document = json.loads(out)
        assert document["counts"] == ({"create": gone, "same": 3 - gone} if gone else {"same": 3})
        said = document["diagnostics"][0]["message"]
        assert (code, "an earlier run was interrupted; these resources were read again:" in said) == (0, True)
        assert f"interrupted while deleting: it {'does not exist' if lands else 'exists'}" in said
        assert counts(project, "up", **env) == document["counts"]
        assert len(sandbox.budgets(None)) == 2
        assert json.loads((project / STATE).read_text())["deployment"]["pending_operations"] == []
        code, out, _ = call(project, "up", "--json", **env)
        assert json.loads(out)["counts"] == {"same": 3}
        assert "interrupted" not in out


URN = "urn:pulumi:dev::shop::a:b:C::c"
RESOURCE = {"urn": URN, "type": "a:b:C", "custom": True}


def state(*resources: Any, pending: Any = ()) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": resources, "pending_operations": pending}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON: see line 1, column 1"),
        ("{", "it is not JSON: see line 1, column 2"),
        (b"\xff", "is not UTF-8 text"),
        ("[" * 5000, "nested more than 100 levels deep"),
        ("[]", "not a state of deployment version 3: its content: Input should be a valid dictionary"),
        ('{"version": 3, "deployment": 5}', "deployment: Input should be a valid dictionary"),
        ('{"version": 3, "deployment": {"resources": {"a": 1}}}', "deployment.resources: Input should be a valid list"),
        (state(5), "deployment.resources.0: Input should be a valid dictionary"),
        (state({"urn": "urn:x", "type": "t"}), "deployment.resources.0.urn: String should match pattern"),
        (state({"urn": URN}), "deployment.resources.0.type: Field required"),
        (state({**RESOURCE, "id": 5}), "deployment.resources.0.id: Input should be a valid string"),
        (state({**RESOURCE, "inputs": []}), "deployment.resources.0.inputs: Input should be a valid dictionary"),
        (
            state({**RESOURCE, "outputs": {"4dabf18193072939515e22adb298388d": "x"}}),
            "deployment.resources.0.outputs: only a value can be a secret",
        ),
        (
            state({**RESOURCE, "dependencies": [1]}),
            "deployment.resources.0.dependencies.0: Input should be a valid string",
        ),
        (
            state({**RESOURCE, "propertyDependencies": {"a": 5}}),
            "deployment.resources.0.propertyDependencies.a: Input should be a valid list",
        ),
        (state({**RESOURCE, "custom": "yes"}), "deployment.resources.0.custom: Input should be a valid boolean"),
        (state({**RESOURCE, "inputs": {"a": 10**400}}), "a number is too large"),
        (state(pending=[5]), "deployment.pending_operations.0: Input should be a valid dictionary"),
        (state(pending=[{"type": "creating"}]), "deployment.pending_operations.0.resource: Field required"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damaged_state_is_refused(project: Path, refused: Callable[..., str], text: str | bytes, said: str) -> None:
    """A damaged state is a one-line error with the file and a repair; the file is kept, and no budget is created."""
    file = project / STATE
    file.parent.mkdir(parents=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = file.read_bytes()
    line = refused("up")
    assert all(part in line for part in (STATE, said, "restore a copy of", "move it away to start"))
    assert file.read_bytes() == before
    assert kept(project) == []


def test_damaged_sandbox_is_refused(project: Path, refused: Callable[..., str]) -> None:
    """A damaged sandbox file is a one-line error with its name; file and state are kept."""
    assert call(project, "up")[0] == 0
    file = project / ".pulumi" / "try" / "github.json"
    file.write_text(file.read_text()[:-20])
    before = file.read_bytes(), (project / STATE).read_bytes()
    assert "restore a copy of the file, or move it away to start with the sample data" in refused("up")
    assert (file.read_bytes(), (project / STATE).read_bytes()) == before


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_missing_program(project: Path, refused: Callable[..., str], verb: str) -> None:
    """A missing program is a one-line error; `destroy` does not need one."""
    (project / "__main__.py").unlink()
    assert "__main__.py is missing: create the program, or" in refused(verb)
    assert call(project, "destroy")[0] == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("- a", "Pulumi.dev.yaml: its content: Input should be a valid dictionary"),
        ("config: {shop:a: .nan}", "Pulumi.dev.yaml: the value of shop:a cannot be written as JSON"),
        ("config: {5: x}", "Pulumi.dev.yaml: 5 is not a key of a setting"),
    ],
)
def test_invalid_settings_are_refused(project: Path, refused: Callable[..., str], settings: str, said: str) -> None:
    """An invalid Pulumi.<stack>.yaml is a one-line error, as other misuse is."""
    (project / "Pulumi.dev.yaml").write_text(settings)
    assert said in refused("preview")


def test_read_only_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without write permission is a one-line error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        folder.chmod(0o555)
        monkeypatch.chdir(folder)
        user = os.geteuid()
        # File modes do not apply to root.
        os.seteuid(user or 65534)
        try:
            code = main(["try", "up"])
        finally:
            os.seteuid(user)
    assert (code, capsys.readouterr().err) == (2, "error: cannot create the folder .pulumi: Permission denied\n")


def test_interruption_while_waiting(project: Path) -> None:
    """Ctrl-C while waiting for another run prints one line and exits with 130, without a traceback."""
    (project / ".pulumi" / "try").mkdir(parents=True)
    with locked(project / ".pulumi" / "try" / "github.json"), start(project, "up") as process:
        assert "waiting" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate()[1] == "error: up was stopped: run it again to resume\n"
    assert process.returncode == 130


def test_a_closed_output_pipe_does_not_stop_the_run(project: Path) -> None:
    """When the output pipe is closed, the run continues to its end, without a traceback."""
    with start(project, "up") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert (process.returncode, kept(project)) == (0, ["actions"])
