"""The workflows to copy: each step's own command runs, on the embedded engine and on the `pulumi` on PATH."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.docs.blocks import SAMPLES
from tests.docs.generate import ROOT
from tests.support import forked
from tests.support.app import secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterator

GITLAB = ("budgets-review", "budgets-up", "budgets-drift", "budgets-usage")
KIT = ROOT / "docs" / "ci"
HERE = Path(__file__).parent
WORKFLOWS = [*sorted(KIT.glob("budgets-*.yml")), *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
INSTALLS = re.compile(r"pulumi install|python -m venv|pip install")
PROGRAM = """
from billing_provider import EnterpriseBudget

EnterpriseBudget(
    "actions",
    enterprise="octo-enterprise",
    budget_product_sku="actions",
    budget_amount={amount},
    prevent_further_usage=True,
    budget_alerting={{"will_alert": True, "alert_recipients": ["octocat"]}},
)
"""
FOREIGN: dict[str, Any] = {
    "id": 5,
    "user": {"login": "monalisa"},
    "body": "<!-- billing-provider review: budgets/prod -->\nmine",
}


@dataclass
class Runner:
    """A clone of a repository on a machine that runs the steps of workflows.

    Attributes:
        project: The folder of the clone.
        sandbox: GitHub's billing API.
        environ: The environment of every step.
        log: What all steps printed.
    """

    project: Path
    sandbox: Sandbox
    environ: dict[str, str]
    log: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def declare(self, amount: int) -> None:
        """Write the program."""
        (self.project / "__main__.py").write_text(PROGRAM.format(amount=amount))

    def job(self, name: str) -> int:
        """Run the job of one of GitHub's workflows as its runner does; return the exit code."""
        document = yaml.safe_load((KIT / f"{name}.yml").read_text())
        (job,) = document["jobs"].values()
        # Each environment has an App of its own.
        level = {"budgets-preview": "read", "budgets": "write"}[job["environment"]]
        self.sandbox.install_app("octo-enterprise", {"enterprise_billing": level})
        code = 0
        for step in job["steps"]:
            script = step.get("run", "")
            after_failure = step.get("if") == "${{ !cancelled() && steps.preview.outcome != 'skipped' }}"
            assert after_failure or "if" not in step
            if not script or INSTALLS.search(script) or (code and not after_failure):
                continue
            given = {**job["env"], **step.get("env", {})}
            environ = {key: self._filled(SAMPLES.get(value, value)) for key, value in given.items()}
            code = self._run(script, environ) or code
        return code

    def store(self) -> Any:
        """Return the comments and issues."""
        return json.loads(Path(self.environ["GH_STORE"]).read_text())

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (?:vars|secrets|github)\.([\w.]+) \}\}", lambda found: self.values[found[1]], text)

    def _run(self, script: str, environ: dict[str, str]) -> int:
        # GitHub writes a step into a file and runs it with these options.
        done = subprocess.run(
            ["/usr/bin/env", "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.project,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log += done.stdout
        return done.returncode


class _Fork(socketserver.StreamRequestHandler):
    """Fork one command for `tests/ci/billing-provider`."""

    def handle(self) -> None:
        """Run it, and answer with its exit code and both outputs."""
        arguments, folder, environ = json.load(self.rfile)
        done = forked.run(*arguments, cwd=Path(folder), env=environ)
        self.wfile.write(json.dumps(done).encode())


@contextlib.contextmanager
def forking() -> Iterator[str]:
    """Fork commands for the processes of this test; yield the port."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Fork) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield str(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


REAL = pytest.param(
    True,
    id="pulumi",
    marks=[pytest.mark.cli, pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH")],
)


@pytest.fixture(params=[pytest.param(False, id="engine"), REAL])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    """A machine with a clone, the command line of GitHub, and an engine."""
    programs, project = tmp_path / "programs", tmp_path / "clone"
    for made in (programs, project, tmp_path / "home", tmp_path / "backend"):
        made.mkdir()
    (programs / "gh").symlink_to(HERE / "gh")
    options = "{toolchain: pip, virtualenv: .venv}"
    (project / "Pulumi.yaml").write_text(f"name: budgets\nruntime: {{name: python, options: {options}}}\n")
    (tmp_path / "store.json").write_text(
        json.dumps({"token": "of-the-job", "repository": "o/r", "comments": [FOREIGN], "issues": [], "labels": []})
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PULUMI_"))}
    with Sandbox(app=True, clock=time.time) as sandbox:
        environ = {
            **clean,
            # Tokens of an App end as real time passes.
            TEST_TIME: "",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "GH_STORE": str(tmp_path / "store.json"),
            "GITHUB_API_URL": sandbox.url,
            "SANDBOX_TOKEN": sandbox.token,
            "GITHUB_REPOSITORY": "o/r",
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        values = {
            "BILLING_APP_ID": sandbox.app_id,
            "BILLING_APP_PRIVATE_KEY": sandbox.app_private_key,
            "PULUMI_ACCESS_TOKEN": "pul-made-up",
            "token": "of-the-job",
            "event.number": "7",
            "repository": "o/r",
        }
        machine = Runner(project, sandbox, environ, values=values)
        if request.param:
            (project / ".venv").symlink_to(sys.prefix)
            assert machine._run("pulumi stack init prod --non-interactive", {}) == 0
        else:
            (programs / "pulumi").symlink_to(HERE / "pulumi")
            (project / ".venv" / "bin").mkdir(parents=True)
            (project / ".venv" / "bin" / "billing-provider").symlink_to(HERE / "billing-provider")
        with forking() as environ["FORKED_PORT"]:
            yield machine
        assert secrets_in(sandbox, machine.log) == []


@pytest.mark.skipif(shutil.which("jq") is None, reason="stands in for the filters of gh")
def test_a_raise_and_a_drift(runner: Runner) -> None:
    """A raise stops at the gate with one comment, which the next run updates; a drift is one issue until its repair.

    Another person's comment stays, even if it begins like ours.
    """
    runner.declare(500)
    assert runner.job("budgets-up") == 0, runner.log
    (budget,) = runner.sandbox.budgets("octo-enterprise")
    runner.declare(900)
    assert runner.job("budgets-review") == 3, runner.log
    _, comment = runner.store()["comments"]
    assert comment["body"].splitlines()[0] == FOREIGN["body"].splitlines()[0]
    assert "raises the most that can be spent by $400 (+80 %)" in comment["body"]
    runner.declare(500)
    runner.sandbox.edit_budget(budget["id"], budget_amount=700, prevent_further_usage=False)
    assert runner.job("budgets-review") == 0, runner.log
    foreign, updated = runner.store()["comments"]
    assert (foreign, updated["id"]) == (FOREIGN, comment["id"])
    assert "$700" in updated["body"]
    assert "$900" not in updated["body"]
    assert runner.job("budgets-drift") == 0, runner.log
    (opened,) = runner.store()["issues"]
    assert "$700" in opened["body"]
    runner.sandbox.edit_budget(budget["id"], budget_amount=800)
    assert runner.job("budgets-drift") == 0, runner.log
    (edited,) = runner.store()["issues"]
    assert (edited["state"], edited["number"]) == ("open", opened["number"])
    assert "$800" in edited["body"]
    assert runner.job("budgets-up") == 0, runner.log
    (repaired,) = runner.sandbox.budgets("octo-enterprise")
    assert repaired == budget
    assert runner.job("budgets-drift") == 0, runner.log
    assert [each["state"] for each in runner.store()["issues"]] == ["closed"]


@pytest.mark.parametrize("job", GITLAB)
def test_gitlab_has_the_same_commands(job: str) -> None:
    """Each job for GitLab has the commands of the workflow for GitHub, without its comment and its issue."""
    there = yaml.safe_load((KIT / "gitlab-ci.yml").read_text())[job]["script"]
    (ours,) = yaml.safe_load((KIT / f"{job}.yml").read_text())["jobs"].values()
    known = " ".join(step.get("run", "").replace("\\\n", " ") for step in ours["steps"]).split()
    known += ["--expect-no-changes", "review.md"]
    assert set(" ".join(there).split()) <= set(known)


@pytest.mark.parametrize("runner", [False], indirect=True, ids=["usage"])
def test_the_usage_of_the_last_month_is_a_file(runner: Runner) -> None:
    """The usage of the month before is one CSV file with a row of titles, which is named after the month."""
    assert runner.job("budgets-usage") == 0, runner.log
    (file,) = runner.project.glob("usage-*.csv")
    assert re.fullmatch(r"usage-\d{4}-\d\d\.csv", file.name)
    (titles, *_) = csv.reader(file.read_text().splitlines())
    assert {"sku", "net_amount"} <= set(titles)


def pins() -> dict[str, set[str]]:
    """Return, for each action of all workflows, how it is pinned."""
    found: dict[str, set[str]] = {}
    for file in WORKFLOWS:
        for name, pin in re.findall(r"uses: ([^@\s]+)@(.*)", file.read_text()):
            found.setdefault(name, set()).add(pin)
    return found


def test_actions_are_pinned_by_commit_and_version() -> None:
    """Each action has one pin in all workflows: the hash of a commit, and its version in a comment."""
    for name, found in pins().items():
        (pin,) = found
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), name


@pytest.mark.parametrize("tool", ["actionlint", "zizmor"])
def test_linters_find_nothing(tool: str, tmp_path: Path) -> None:
    """`actionlint` and `zizmor`, where they are installed, find nothing in the workflows, also in those to copy."""
    program = shutil.which(tool, path=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{tool} is not installed")
    # Both look at workflows only in a repository's own folder.
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for file in WORKFLOWS:
        shutil.copy(file, folder)
    command = {"actionlint": [], "zizmor": ["--offline", "--persona", "pedantic", "--min-severity", "low", "."]}[tool]
    done = subprocess.run([program, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_grant_little() -> None:
    """Each workflow reads only; a job that writes says what, and no script contains an expression."""
    for file in WORKFLOWS:
        document = yaml.safe_load(file.read_text())
        assert document["permissions"] in ({"contents": "read"}, {}), file.name
        for job in document["jobs"].values():
            assert "write-all" not in str(job.get("permissions"))
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), file.name
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False
