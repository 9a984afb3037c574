"""Two drivers for scenarios: the embedded engine, and the real Pulumi CLI if installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from billing_provider.engine.config import secret_variable
from tests.engine import toy
from tests.engine.bench import ToyProject
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from billing_provider.engine import ForkServer
    from tests.engine.scenarios import Do, Scenario

_KILLED_UP = """
import sys
from pathlib import Path
from billing_provider.engine import Engine
Engine(Path(sys.argv[1]), "dev", Path(sys.argv[2])).up()
"""
_SUMMARY = {
    "create": r"\+ (\d+) (?:to create|created)",
    "update": r"~ (\d+) (?:to update|updated)",
    "delete": r"- (\d+) (?:to delete|deleted)",
    "replace": r"\+-(\d+) (?:to replace|replaced)",
    "read": r"> ?(\d+) (?:to read|read)",
    "same": r"(\d+) unchanged",
}
_FIXED_ID = "00000000-0000-4000-8000-000000000000"
# Scenarios ignore times and source positions.
_UNCOMPARED = {"created", "modified", "sourcePosition", "stackTrace"}


@dataclass(frozen=True)
class Outcome:
    """The result of one step."""

    # The exit code of the Pulumi CLI or of `try`.
    code: int
    counts: dict[str, int]
    said: str


class Embedded:
    """Runs steps on the embedded engine."""

    def __init__(self, folder: Path, scenario: Scenario, fork_server: ForkServer | None = None) -> None:
        self.bench = ToyProject(folder, fork_server)
        self.env = self.bench.engine.env
        self.env |= {secret_variable(key): value for key, value in scenario.secrets.items()}
        _write_settings(self.bench.project, scenario.config, {key: {"secure": "v1:x:y"} for key in scenario.secrets})

    def run(self, step: Do) -> Outcome:
        """Run one step."""
        if step.verb == "killed up":
            arguments = [sys.executable, "-c", _KILLED_UP, str(self.bench.project), str(self.bench.state_file)]
            kill_in_creation(arguments, self.bench.project, self.bench.remote, {**os.environ, **self.bench.engine.env})
            return Outcome(-signal.SIGKILL, counts={}, said="")
        result = getattr(self.bench.engine, step.verb)()
        said = "\n".join(diagnostic.message for diagnostic in result.diagnostics)
        return Outcome(result.exit_code, dict(result.counts), said)

    def state(self) -> dict[str, Any]:
        """Return the part of the state that both drivers share."""
        if not self.bench.state_file.exists():
            return {"resources": [], "pending_operations": []}
        return comparable(json.loads(self.bench.state_file.read_text()))

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the resources in the state."""
        exported = json.loads(self.bench.state_file.read_text())
        for entry in exported["deployment"]["resources"]:
            change(entry)
        self.bench.state_file.write_text(json.dumps(exported))


class CommandLine:
    """Runs steps on the real Pulumi CLI, with a separate backend and home."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        self.bench = ToyProject(folder)
        home, backend = folder / "home", folder / "backend"
        home.mkdir()
        backend.mkdir()
        (self.bench.project / ".venv").symlink_to(sys.prefix)
        self.env = {
            **os.environ,
            toy.REMOTE: str(self.bench.remote),
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        _write_settings(self.bench.project, scenario.config, {})
        self.call("stack", "init", "dev")
        for key, value in scenario.secrets.items():
            self.call("config", "set", "--secret", key, value)

    def call(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Call the command line."""
        done = subprocess.run(
            ["pulumi", *arguments],  # noqa: S607 - whichever is on PATH is what is compared with
            cwd=self.bench.project,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout
        return done

    def run(self, step: Do) -> Outcome:
        """Run one step."""
        if step.verb == "killed up":
            arguments = ["pulumi", "up", "--yes", "--skip-preview"]
            kill_in_creation(arguments, self.bench.project, self.bench.remote, self.env)
            self.call("cancel", "--yes")
            return Outcome(-signal.SIGKILL, counts={}, said="")
        options = [] if step.verb == "preview" else ["--yes", "--skip-preview"]
        done = self.call(step.verb, *options, check=False)
        summary = done.stdout.rpartition("\nResources:")[2]
        found = {op: re.search(pattern, summary) for op, pattern in _SUMMARY.items()}
        return Outcome(done.returncode, {op: int(match[1]) for op, match in found.items() if match}, done.stdout)

    def state(self) -> dict[str, Any]:
        """Return the part of the state that both drivers share."""
        return comparable(self.export())

    def export(self) -> dict[str, Any]:
        """Return the state as exported by the Pulumi CLI, with decrypted secrets."""
        exported: dict[str, Any] = json.loads(self.call("stack", "export", "--show-secrets").stdout)
        return exported

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the resources in the state."""
        exported = self.export()
        for entry in exported["deployment"]["resources"]:
            change(entry)
        edited = self.bench.project / "edited.json"
        edited.write_text(json.dumps(exported))
        self.call("stack", "import", "--file", str(edited))


def kill_in_creation(arguments: list[str], project: Path, remote: Path, env: dict[str, str]) -> None:
    """Start a run; kill it and its children during a create."""
    process = subprocess.Popen(
        arguments, cwd=project, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    begun = remote / "a.begun"
    wait_until(lambda: begun.exists() and begun.read_text(), lambda: process.poll() is None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # The plugin has its own process group and would continue.
    os.kill(int(begun.read_text()), signal.SIGKILL)


def comparable(exported: dict[str, Any]) -> dict[str, Any]:
    """Return a state without values that differ between runs; it can still be imported."""
    deployment = exported["deployment"]
    ids = {entry["id"] for entry in deployment.get("resources") or () if entry["type"].startswith("pulumi:providers:")}
    text = json.dumps(
        {
            "resources": sorted(
                (_comparable_entry(entry) for entry in deployment.get("resources") or ()),
                key=lambda entry: (entry["urn"], entry.get("delete", False), entry.get("id", "")),
            ),
            "pending_operations": [
                {"type": operation["type"], "resource": _comparable_entry(operation["resource"])}
                for operation in deployment.get("pending_operations") or ()
            ],
        }
    )
    for id_ in ids:
        text = text.replace(id_, _FIXED_ID)
    found: dict[str, Any] = json.loads(text)
    return found


def _comparable_entry(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["type"].startswith("pulumi:providers:"):
        # The embedded engine stores no secret settings: a known difference with its own test.
        entry = {**entry, **{key: _without_secrets(entry.get(key) or {}) for key in ("inputs", "outputs")}}
    kept: dict[str, Any] = {
        key: value for key, value in entry.items() if key not in _UNCOMPARED and value not in ({}, [], "", False)
    }
    if "dependencies" in kept:
        kept["dependencies"] = sorted(kept["dependencies"])
    if "propertyDependencies" in kept:
        kept["propertyDependencies"] = {key: sorted(urns or ()) for key, urns in kept["propertyDependencies"].items()}
    return kept


def _without_secrets(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not isinstance(value, dict)}


def play(driver: Embedded | CommandLine, scenario: Scenario) -> list[dict[str, Any]]:
    """Run a scenario and return the results in the form of a recording."""
    recorded: list[dict[str, Any]] = []
    for step in scenario.steps:
        if step.program is not None:
            driver.bench.program(step.program)
        for id_, edited in step.edit.items():
            driver.bench.edit(id_, **edited)
        for id_ in step.remove:
            driver.bench.remove(id_)
        outcome = driver.run(step)
        calls = driver.bench.calls("check", "diff", "read", "create", "update", "delete")
        assert (outcome.code == 0) == step.ok, outcome.said
        for phrase in step.says:
            assert phrase in outcome.said
        changes = [call for call in calls if call[0] in ("create", "update", "delete")]
        recorded.append(
            {
                "verb": step.verb,
                "code": outcome.code,
                "counts": outcome.counts if step.counted else {},
                "changes": changes if scenario.ordered else sorted(changes),
                "questions": sorted(call for call in calls if call not in changes) if step.asked else [],
                "remote": driver.bench.toys(),
                "state": driver.state(),
            }
        )
    return recorded


def versions() -> dict[str, str]:
    """Return the versions of a recording."""
    asked = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True)  # noqa: S607
    return {"cli": asked.stdout.strip(), "sdk": metadata.version("pulumi")}


def chosen(names: list[str], *usual: str) -> list[str]:
    """Return the scenarios to run: a few, or all with COMPARE=all in the environment (takes minutes)."""
    return names if os.environ.get("COMPARE") == "all" else list(usual)


def command_line_here() -> bool:
    """Return whether the Pulumi CLI is installed."""
    return shutil.which("pulumi") is not None


def _write_settings(project: Path, config: dict[str, str], secrets: dict[str, Any]) -> None:
    # JSON is YAML.
    (project / "Pulumi.dev.yaml").write_text(json.dumps({"config": {**config, **secrets}}))
