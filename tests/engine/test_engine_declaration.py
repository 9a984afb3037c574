"""What a declaration adds, on the embedded engine: names of secrets in a check, protected hard stops, shared ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import RunFailedError
from tests.engine.budgets import against, declared
from tests.engine.drivers import CommandLine, command_line_here
from tests.engine.scenarios import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import Engine
    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory

PROTECTING = {"github-billing:protectHardStops": "true"}
RECORDER = """
import json, sys
from pathlib import Path
import pulumi
from billing_provider import CostCenter, EnterpriseBudget
from billing_provider.provider import CostCenterProvider, EnterpriseBudgetProvider
from billing_provider.runtime.shared_ids import SharedIds
from billing_provider.engine_log import calling_urn

class Recording:
    def check(self, olds, news):
        shared, ids = SharedIds(sys.argv[-1]), Path("ids").read_text().split() if Path("ids").exists() else []
        plain = {name: value for name, value in news.items() if not pulumi.contains_unknowns(value)}
        record = {
            "name": calling_urn().rpartition("::")[2],
            "inputs": {name: value for name, value in plain.items() if name != "__provider"},
            "held": {each: (shared.holder(each) or "").rpartition("::")[2] for each in ids},
        }
        with open("checks", "a") as file:
            file.write(json.dumps(record) + "\\n")
        return super().check(olds, news)

class BudgetRecording(Recording, EnterpriseBudgetProvider):
    pass

class CenterRecording(Recording, CostCenterProvider):
    pass

class RecordedBudget(EnterpriseBudget, module="github-billing", name="EnterpriseBudget"):
    _provider_class = BudgetRecording
"""
START = """
import pulumi
from pulumi import Output, ResourceOptions
from recorder import RecordedBudget
from billing_provider import CostCenter, EnterpriseBudget, OrgBudget

E = "octo-enterprise"
"""


class Project:
    """A project whose plugin records what it is asked to check."""

    def __init__(self, folder: Path, factory: StackFactory, **settings: Any) -> None:
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
        (folder / "recorder.py").write_text(RECORDER)
        self.stack: Engine = factory("dev", folder, **settings)

    def program(self, text: str) -> None:
        """Replace the program."""
        (self.folder / "__main__.py").write_text(START + text)

    def checks(self) -> list[dict[str, Any]]:
        """Return what the plugin was asked to check since the last call."""
        file = self.folder / "checks"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state, by name."""
        resources = self.stack.export()["deployment"]["resources"]
        return {entry["urn"].rpartition("::")[2]: entry for entry in resources}


@pytest.fixture
def project(tmp_path: Path, pulumi_stack: StackFactory) -> Project:
    """A project that records."""
    return Project(tmp_path, pulumi_stack)


SECRET = """
center = CostCenter("c", enterprise=E, name="Apps", users=[Output.secret("mona")])
RecordedBudget(
    "b", enterprise=E, budget_product_sku="actions", budget_amount=Output.secret(AMOUNT), cost_center=center,
    budget_alerting={"will_alert": True, "alert_recipients": ["octocat", Output.secret("mona")]},
)
RecordedBudget("plain", enterprise=E, budget_product_sku="packages", budget_amount=Output.from_input(5))
"""


def test_a_check_gets_the_names_of_the_secret_inputs(project: Project, billing_sandbox: Sandbox) -> None:
    """Preview and run send them as plain names, also beside a value that is not known yet; then nothing changes."""
    project.program(SECRET.replace("AMOUNT", "500"))
    for verb in ("preview", "up"):
        getattr(project.stack, verb)()
        checks = {check["name"]: check["inputs"] for check in project.checks()}
        assert checks["b"]["__secret_inputs"] == ["budget_alerting", "budget_amount"]
        assert "__secret_inputs" not in checks["plain"]
        # In a preview, the cost center has no id yet.
        assert ("budget_entity_name" in checks["b"]) is (verb == "up")
    billing_sandbox.forget_requests()
    assert not project.stack.preview().changed
    assert billing_sandbox.requests == []
    assert len(project.checks()) == 2
    # A value that is no secret any more, and a change of the value, are changes as before.
    project.program(SECRET.replace("Output.secret(AMOUNT)", "600"))
    project.stack.up()
    assert {each["name"]: each["inputs"] for each in project.checks()}["b"]["__secret_inputs"] == ["budget_alerting"]
    assert {budget["budget_amount"] for budget in billing_sandbox.budgets()} == {600, 5}
    assert not project.stack.preview().changed


def test_exports_do_not_have_the_names(project: Project) -> None:
    """A program that exports a whole resource exports its outputs only."""
    program = 'pulumi.export("b", RecordedBudget("b", enterprise=E, budget_product_sku="actions", **AMOUNT))'
    project.program(program.replace("AMOUNT", "{'budget_amount': Output.secret(5)}"))
    result = project.stack.up()
    assert result.outputs["b"]["budget_amount"] == 5
    assert [name for name in result.outputs["b"] if name.startswith("_")] == []


def test_an_input_that_fails_is_the_only_error(project: Project) -> None:
    """The error of an Output ends the program as before: the look for secrets adds none."""
    project.program(
        "def fail(_):\n    raise pulumi.RunError('no amount')\n"
        "amount = Output.from_input(7).apply(fail)\n"
        "RecordedBudget('b', enterprise=E, budget_product_sku='actions', budget_amount=amount,"
        " user=Output.secret('mona'))\n"
    )
    with pytest.raises(RunFailedError) as failure:
        project.stack.preview()
    assert [error.message for error in failure.value.result.errors][:1] == ["no amount"]
    assert str(failure.value).count("no amount") == 1


STOPS = """
EnterpriseBudget("stop", enterprise=E, budget_product_sku="actions", budget_amount=9, prevent_further_usage=True)
EnterpriseBudget("alert", enterprise=E, budget_product_sku="packages", budget_amount=9)
OrgBudget("person", organization="octo-org", budget_scope="user", user="mona", budget_product_sku="ai_credits",
    budget_amount=9)
EnterpriseBudget("free", enterprise=E, budget_product_sku="codespaces", budget_amount=9, prevent_further_usage=True,
    opts=ResourceOptions(protect=False))
"""


def test_a_hard_stop_is_protected_until_the_program_says_otherwise(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox
) -> None:
    """With the setting, a preview refuses the removal of a hard stop; with `protect=False`, it goes."""
    project = Project(tmp_path, pulumi_stack, settings=PROTECTING)
    project.program(STOPS)
    project.stack.up()
    protected = {name for name, entry in project.state().items() if entry.get("protect")}
    assert protected == {"stop", "person"}
    assert not project.stack.preview().changed
    billing_sandbox.forget_requests()
    project.program(STOPS.partition("OrgBudget")[0])
    with pytest.raises(RunFailedError, match=r"::person\" cannot be deleted\nbecause it is protected"):
        project.stack.preview()
    with pytest.raises(RunFailedError, match="cannot be deleted"):
        project.stack.up()
    assert len(billing_sandbox.budgets()) + len(billing_sandbox.budgets(owner="octo-org")) >= 3
    assert [write.method for write in billing_sandbox.writes if "octo-org" in write.path] == []
    project.program(STOPS.replace("budget_amount=9)", "budget_amount=9, opts=ResourceOptions(protect=False))"))
    project.stack.up()
    project.program(STOPS.partition("OrgBudget")[0])
    project.stack.up()
    assert "person" not in project.state()


def test_a_protected_hard_stop_is_not_replaced(tmp_path: Path, pulumi_stack: StackFactory) -> None:
    """A change that needs another budget is refused in the preview too, because it deletes the old one."""
    project = Project(tmp_path, pulumi_stack, settings=PROTECTING)
    project.program(STOPS)
    project.stack.up()
    project.program(STOPS.replace('"actions"', '"git_lfs"'))
    with pytest.raises(RunFailedError, match="it is protected, and a replacement deletes it"):
        project.stack.preview()


def test_the_plugin_knows_the_ids_of_the_program(
    tmp_path: Path, pulumi_stack: StackFactory, billing_sandbox: Sandbox
) -> None:
    """A program has shared the id of a resource before the engine asks about one that depends on it."""
    temp = tmp_path / "temp"
    temp.mkdir()
    project = Project(tmp_path, pulumi_stack, env={"TMPDIR": str(temp)})
    one = 'one = RecordedBudget("one", enterprise=E, budget_product_sku="actions", budget_amount=9)\n'
    two = (
        'RecordedBudget("two", enterprise=E, budget_product_sku="packages", budget_amount=9,'
        " opts=ResourceOptions(depends_on=[one]))\n"
    )
    project.program(one)
    project.stack.up()
    (budget,) = billing_sandbox.budgets()
    (project.folder / "ids").write_text(f"enterprise/octo-enterprise/{budget['id']} unknown")
    project.program(one + two)
    project.checks()
    for verb in ("preview", "up", "preview"):
        getattr(project.stack, verb)()
        held = {check["name"]: list(check["held"].values()) for check in project.checks()}
        assert held == {"one": ["", ""], "two": ["one", ""]}
    assert [each for each in temp.rglob("*") if each.is_file()] == []


@pytest.mark.cli
@pytest.mark.skipif(not command_line_here(), reason="no pulumi on PATH")
def test_a_targeted_run_keeps_what_the_program_declares(tmp_path: Path) -> None:
    """A budget that was renamed without an alias is kept when a run is for its former name only."""
    driver = CommandLine(tmp_path, Scenario([]))
    with against(driver) as sandbox:

        def up(name: str, target: str) -> str:
            driver.bench.program(declared(name, on_delete="delete"))
            return driver.call("up", "--yes", "--target", f"**EnterpriseBudget::{target}").stdout

        up("a", "a")
        up("b", "b")
        (live,) = sandbox.budgets()
        said = up("b", "a")
        assert f"kept budget {live['id']}: b declares it" in said
        assert sandbox.budgets() == [live]
        assert driver.call("preview", "--expect-no-changes").returncode == 0
