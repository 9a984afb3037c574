"""The provider with the real Pulumi CLI and a file backend."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.support.plugin import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]

ACTIONS = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 500}
PACKAGES = {"organization": "octo-org", "budget_product_sku": "packages", "budget_amount": 100}


class Cli:
    """A project with one program and one stack, and all output of the Pulumi CLI."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox, self.backend, self.project = sandbox, folder / "backend", folder / "project"
        self.said = ""
        for made in (self.backend, self.project, folder / "home"):
            made.mkdir()
        (self.project / "Pulumi.yaml").write_text(
            "name: p\nruntime:\n  name: python\n  options:\n"
            f"    toolchain: pip\n    virtualenv: {json.dumps(sys.prefix)}\n"
        )
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PULUMI_"))}
        self._env = {
            **clean,
            TEST_TIME: os.environ[TEST_TIME],
            "GITHUB_API_URL": sandbox.url,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.run("stack", "init", "s")
        if not sandbox.app_id:
            self.run("config", "set", "--secret", "github-billing:token", sandbox.token)
            return
        # Tokens of an App end as real time passes. A value must not begin like an option.
        self._env[TEST_TIME] = ""
        of_one = "github-billing:credentials.octo-org"
        self.run("config", "set", "github-billing:appId", sandbox.app_id)
        self.run("config", "set", "--secret", "github-billing:appPrivateKey", f"\n{sandbox.app_private_key}")
        self.run("config", "set", "--path", f"{of_one}.appId", sandbox.app_id)
        self.run("config", "set", "--secret", "--path", f"{of_one}.appPrivateKey", f"\n{sandbox.app_private_key}")

    def declare(self, **budgets: dict[str, Any]) -> None:
        """Write the program: budgets and cost centers by name; `opts` is Python code."""
        lines = ["import pulumi", "from billing_provider import CostCenter, EnterpriseBudget, OrgBudget"]
        for name, inputs in budgets.items():
            kind = "EnterpriseBudget" if "enterprise" in inputs else "OrgBudget"
            kind = "CostCenter" if "name" in inputs else kind
            plain = {key: value for key, value in inputs.items() if key not in ("opts", "secret_amount")}
            extra = ", opts=pulumi.ResourceOptions({})".format(inputs["opts"]) if "opts" in inputs else ""
            if "secret_amount" in inputs:
                extra += f", budget_amount=pulumi.Output.secret({inputs['secret_amount']})"
            lines.append(f"{kind}({name!r}, **{plain!r}{extra})")
        (self.project / "__main__.py").write_text("\n".join(lines) + "\n")

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Empty the log of requests, run one command, and return its output; `code` None accepts any exit code."""
        self.sandbox.forget_requests()
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 - whichever the developer has
            cwd=self.project,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.said += done.stdout
        if code is not None:
            assert done.returncode == code, done.stdout
        return done.stdout

    def up(self, *arguments: str, code: int | None = 0) -> str:
        """Run `pulumi up`."""
        return self.run("up", "--yes", "--skip-preview", *arguments, code=code)

    def unchanged(self, *arguments: str) -> None:
        """Assert that a preview finds no changes."""
        self.run("preview", "--expect-no-changes", *arguments)

    def state(self) -> dict[str, Any]:
        """Return the state of the stack, with encrypted secrets."""
        text = self.run("stack", "export")
        exported: dict[str, Any] = json.loads(text)
        return exported

    def load(self, state: dict[str, Any]) -> None:
        """Replace the stack's state."""
        file = self.project / "state.json"
        file.write_text(json.dumps(state))
        self.run("stack", "import", "--file", str(file))

    @property
    def writes(self) -> list[str]:
        """The methods of the last command's write requests, in order."""
        return [write.method for write in self.sandbox.writes]

    @property
    def live(self) -> dict[str, int]:
        """The amounts of the stored budgets by id."""
        return {budget["id"]: budget["budget_amount"] for budget in self.sandbox.budgets(None)}


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    with Sandbox() as sandbox:
        yield Cli(tmp_path, sandbox)


def forty(platform: str) -> dict[str, dict[str, Any]]:
    """Return 40 budgets with different inputs, of both resources and all scopes."""
    loud = {"budget_alerting": {"will_alert": True, "alert_recipients": ["octocat", "Monalisa"]}}
    quiet = {"budget_alerting": {"will_alert": False}}
    hard = {"prevent_further_usage": True}
    e, o = {"enterprise": "octo-enterprise"}, {"organization": "octo-org"}
    person = {"budget_product_sku": "ai_credits", "budget_scope": "user"}
    rows: list[dict[str, Any]] = [
        {**e, "budget_product_sku": "actions", **loud},
        {**e, "budget_product_sku": "packages", **quiet},
        {**e, "budget_product_sku": "codespaces", **hard, **loud},
        {**e, "budget_product_sku": "ai_credits", "exclude_cost_center_usage": True, **hard},
        {**e, "budget_product_sku": "actions_linux", "budget_type": "SkuPricing", "budget_scope": "enterprise"},
        {**e, "budget_product_sku": "copilot_ai_credits", **loud},
        {**e, "budget_product_sku": "ghas_licenses", "budget_amount": 25, **loud},
        {**e, "budget_product_sku": "git_lfs_storage", "budget_entity_name": "octo-enterprise"},
        {**e, "budget_product_sku": "packages_storage", "budget_amount": 0},
        {**e, "budget_product_sku": "copilot", "budget_type": "ProductPricing", "exclude_cost_center_usage": False},
        *(
            {**e, "budget_product_sku": "actions", "budget_scope": "organization", "budget_entity_name": name, **extra}
            for name, extra in (("octo-org", loud), ("octo-lab", hard), ("Octo-Apps", quiet))
        ),
        *(
            {**e, "budget_product_sku": sku, "budget_scope": "repository", "budget_entity_name": name, **extra}
            for sku in ("actions", "packages_bandwidth")
            for name, extra in (("octo-org/website", loud), ("octo-org/API", hard))
        ),
        *(
            {**e, "budget_product_sku": sku, "budget_scope": "cost_center", "budget_entity_name": name, **loud}
            for sku in ("actions", "codespaces", "ai_credits")
            for name in ("Data", platform)
        ),
        {**e, "budget_product_sku": "ai_credits", "budget_scope": "multi_user_customer", "budget_amount": 30},
        {
            **e,
            "budget_product_sku": "ai_credits",
            "budget_scope": "multi_user_cost_center",
            "budget_entity_name": platform,
        },
        {**e, **person, "user": "octocat"},
        {**e, **person, "user": "Monalisa", "expires_at": "2999-12-31", **hard},
        {**e, **person, "user": "hubot", "expires_at": "2999-06-30T00:00:00Z"},
        {**o, "budget_product_sku": "actions", **loud},
        {**o, "budget_product_sku": "packages", "budget_scope": "organization", **hard},
        {**o, "budget_product_sku": "codespaces", "budget_entity_name": "octo-org", **quiet},
        {**o, "budget_product_sku": "actions_windows", "budget_type": "SkuPricing", "on_existing": "error"},
        *(
            {**o, "budget_product_sku": sku, "budget_scope": "repository", "budget_entity_name": name, **extra}
            for sku in ("actions", "packages")
            for name, extra in (("website", loud), ("octo-org/api", hard))
        ),
        {**o, "budget_product_sku": "ai_credits", "budget_scope": "multi_user_customer"},
        {**o, **person, "user": "octocat", "on_existing": "adopt"},
        {**o, **person, "user": "monalisa", "budget_amount": 0},
        {**o, **person, "user": "hubot", "expires_at": "2999-12-31"},
    ]
    return {f"b{number}": {"budget_amount": 100 + number, **row} for number, row in enumerate(rows)}


QUIRKS_OF_READING = (
    *("plural_sku", "float_amounts", "bare_repository", "uuid_echo", "empty_entity", "recipients_reordered"),
    *("singular_ai_credit", "cost_center_scope_echo", "missing_entity", "consumed_everywhere", "get_omits_expiry"),
    *("uppercase_login_echo", "recipients_lowercased", "alerting_for_user_missing", "page_cap_10", "link_header"),
    *("page_flags_missing", "extra_fields", "multi_user_customer_empty_entity", "total_count_missing"),
)


def test_forty_budgets_are_unchanged_under_every_quirk(cli: Cli) -> None:
    """After `up`, a preview sends no requests, a refresh sends few, and no quirk causes a change."""
    platform = next(center["id"] for center in cli.sandbox.cost_centers() if center["name"] == "Platform")
    declared = forty(platform)
    assert len(declared) == 40
    cli.declare(**declared)
    cli.up()
    assert sorted(cli.live.values()) == sorted(inputs["budget_amount"] for inputs in declared.values())
    cli.unchanged()
    assert cli.sandbox.requests == []
    cli.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert len(cli.sandbox.requests) <= 10
    cli.unchanged()
    for quirk in QUIRKS_OF_READING:
        cli.sandbox.switch(quirk)
        cli.unchanged("--refresh")
        assert len(cli.sandbox.requests) <= 10
        cli.sandbox.switch(quirk, on=False)
    cli.run("destroy", "--yes", "--skip-preview")
    assert cli.live == {}
    texts = chain(
        [cli.said, json.dumps(cli.state())], (file.read_text() for file in cli.backend.rglob("*") if file.is_file())
    )
    assert [text for text in texts if cli.sandbox.token in text] == []


def test_three_budgets_are_refreshed_by_three_requests(cli: Cli) -> None:
    """A few budgets are read one by one, and a secret amount is secret in the state."""
    cli.declare(
        a=ACTIONS,
        b=PACKAGES,
        c={"enterprise": "octo-enterprise", "budget_product_sku": "packages", "secret_amount": 4711},
    )
    cli.up()
    cli.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert len(cli.sandbox.requests) <= 3
    cli.unchanged()
    (secret,) = (entry for entry in cli.state()["deployment"]["resources"] if entry["urn"].endswith("::c"))
    assert "ciphertext" in secret["inputs"]["budget_amount"]
    assert "ciphertext" in secret["outputs"]["budget_amount"]
    assert "4711" not in json.dumps(secret)


def test_a_cost_center_and_its_budget(cli: Cli) -> None:
    """A cost center is created, changed and archived in an order in which its budget always finds it."""
    center = {"enterprise": "octo-enterprise", "name": "Apps", "users": ["octocat"]}
    budget = {**ACTIONS, "cost_center": "Apps", "opts": "depends_on=[center]"}

    def declare(**changes: Any) -> None:
        cli.declare(center={**center, **changes}, budget={**budget, "cost_center": changes.get("name", "Apps")})
        program = cli.project / "__main__.py"
        program.write_text(program.read_text().replace("CostCenter('center'", "center = CostCenter('center'"))

    declare()
    cli.up()
    (made,) = (found for found in cli.sandbox.cost_centers() if found["name"] == "Apps")
    assert cli.sandbox.budgets()[0]["budget_entity_name"] == "Apps"
    before = cli.live
    cli.unchanged("--refresh")
    declare(name="Applications", users=["monalisa"])
    said = cli.run("preview", "--diff")
    assert "~ budget_entity_name" in said
    assert "replaces" not in said
    cli.up()
    (renamed,) = (found for found in cli.sandbox.cost_centers() if found["id"] == made["id"])
    assert (renamed["name"], [member["name"] for member in renamed["resources"]]) == ("Applications", ["monalisa"])
    assert cli.live == before
    cli.unchanged("--refresh")
    cli.run("destroy", "--yes", "--skip-preview")
    (gone,) = (found for found in cli.sandbox.cost_centers() if found["id"] == made["id"])
    assert (gone["state"], cli.live) == ("deleted", {})


def test_an_organization_that_was_renamed_on_github(cli: Cli) -> None:
    """The refresh names both names, the preview says which one keeps the budget, and with it nothing changes."""
    declared = {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-org"}
    cli.declare(a=declared)
    cli.up()
    ((id_, _),) = cli.live.items()
    cli.sandbox.edit_budget(id_, budget_entity_name="octo-lab")
    told = cli.run("refresh", "--yes", "--skip-preview")
    assert f"the budget {id_} of enterprise octo-enterprise has budget_entity_name octo-lab (octo-org in" in told
    assert "after its creation" not in told
    assert "if octo-org is now octo-lab on GitHub, declare octo-lab: then the budget is kept" in cli.run("preview")
    cli.declare(a={**declared, "budget_entity_name": "octo-lab"})
    cli.unchanged("--refresh")


def test_a_rename_without_an_alias_keeps_the_budget(cli: Cli) -> None:
    """The new name adopts the budget, the delete of the old name is skipped, and destroy deletes the budget."""
    cli.declare(old=ACTIONS)
    cli.up()
    before = cli.live
    cli.declare(new=ACTIONS)
    said = cli.up()
    assert "adopted the existing budget" in said
    assert "kept budget" in said
    assert (cli.live, cli.writes) == (before, [])
    cli.unchanged("--refresh")
    cli.declare(new={**ACTIONS, "on_delete": "delete"})
    cli.up()
    assert cli.writes == []
    cli.run("destroy", "--yes", "--skip-preview", "--refresh")
    assert cli.live == {}


def test_errors_are_shown_without_tracebacks(cli: Cli) -> None:
    """A failed `up` ends, and neither the provider's nor a function's error shows a line of their code."""
    cli.declare(a={**ACTIONS, "budget_product_sku": "known_to_nobody"})
    said = cli.up(code=None)
    assert (
        "    error: billing_provider.core.errors.NotFoundError: create a budget of enterprise octo-enterprise" in said
    )
    assert "provider.py" not in said
    (cli.project / "__main__.py").write_text(
        'from billing_provider import get_budget\nget_budget(enterprise="octo-enterprise", budget_id="none")\n'
    )
    said = cli.up(code=None)
    assert "    error: read budget none of enterprise octo-enterprise: GitHub returned 404" in said
    assert "Traceback" not in said


def test_undeclared_budgets_are_deleted_after_a_refresh(cli: Cli) -> None:
    """`up --refresh` deletes undeclared budgets, and both kinds of destroy delete the rest."""
    cli.declare(a=ACTIONS, b=PACKAGES)
    cli.up()
    cli.declare(a=ACTIONS)
    cli.up("--refresh")
    assert list(cli.live.values()) == [500]
    cli.run("destroy", "--yes", "--skip-preview", "--run-program")
    assert cli.live == {}
    cli.up()
    cli.run("destroy", "--yes", "--skip-preview")
    assert cli.live == {}


def test_a_replacement_is_created_before_the_delete(cli: Cli) -> None:
    """A new identity creates the new budget first; `delete_before_replace` reverses the order."""
    cli.declare(a=ACTIONS)
    cli.up()
    cli.declare(a={**ACTIONS, "budget_product_sku": "codespaces"})
    cli.up()
    assert cli.writes == ["POST", "DELETE"]
    cli.declare(a={**ACTIONS, "opts": "delete_before_replace=True"})
    cli.up()
    assert cli.writes == ["DELETE", "POST"]
    assert list(cli.live.values()) == [500]
    cli.unchanged("--refresh")


def test_a_replacement_of_the_same_budget_creates_no_duplicate(cli: Cli) -> None:
    """`--replace` keeps the budget, and `replace_on_changes` updates it, unless the program asks to delete first."""
    actions = {**ACTIONS, "on_delete": "delete"}
    cli.declare(a=actions)
    cli.up()
    before = cli.live
    cli.up("--replace", "**a")
    assert (cli.live, cli.writes) == (before, [])
    on_changes = 'replace_on_changes=["budget_amount"]'
    cli.declare(a={**actions, "budget_amount": 600, "opts": on_changes})
    cli.up()
    assert (cli.live, cli.writes) == (dict.fromkeys(before, 600), ["PATCH"])
    cli.declare(a={**actions, "budget_amount": 700, "opts": f"{on_changes}, delete_before_replace=False"})
    before = cli.live
    cli.up()
    assert (cli.live, cli.writes) == (dict.fromkeys(before, 700), ["PATCH"])
    cli.declare(a={**actions, "budget_amount": 800, "opts": f"{on_changes}, delete_before_replace=True"})
    cli.up()
    assert (list(cli.live.values()), cli.writes) == ([800], ["DELETE", "POST"])
    cli.unchanged("--refresh")


def test_dependents_of_a_replaced_budget_are_replaced(cli: Cli) -> None:
    """With `delete_before_replace`, a dependent budget is deleted too, and both are created once."""
    program = (
        "import pulumi\n"
        "from billing_provider import EnterpriseBudget\n"
        "first = pulumi.ResourceOptions(delete_before_replace=True)\n"
        "a = EnterpriseBudget('a', first, enterprise='octo-enterprise', budget_product_sku={sku!r}, budget_amount=1)\n"
        "sku = a.budget_product_sku.apply({{'actions': 'packages', 'codespaces': 'ghas'}}.get)\n"
        "b = EnterpriseBudget('b', enterprise='octo-enterprise', budget_product_sku=sku, budget_amount=2)\n"
    )
    for sku, writes in (("actions", ["POST", "POST"]), ("codespaces", ["DELETE", "DELETE", "POST", "POST"])):
        (cli.project / "__main__.py").write_text(program.format(sku=sku))
        cli.up()
        assert cli.writes == writes
    assert sorted(budget["budget_product_sku"] for budget in cli.sandbox.budgets()) == ["codespaces", "ghas"]
    cli.unchanged("--refresh")


def test_two_swapped_names_keep_their_budgets(cli: Cli) -> None:
    """Swapping the names of two resources sends no write request."""
    packages = {**ACTIONS, "budget_product_sku": "packages"}
    cli.declare(a=ACTIONS, b=packages)
    cli.up()
    before = cli.live
    cli.declare(a=packages, b=ACTIONS)
    cli.up()
    assert (cli.live, cli.writes) == (before, [])


def test_a_reverted_program_after_a_failed_delete_keeps_the_budget(cli: Cli) -> None:
    """A replaced budget whose delete failed is kept when the program is reverted; the replacement is deleted."""
    cli.declare(a=ACTIONS)
    cli.up()
    before = cli.live
    cli.declare(a={**ACTIONS, "budget_product_sku": "codespaces"})
    cli.sandbox.plan([{"op": "delete_budget", "action": "403_permission"}])
    assert "GitHub returned 403" in cli.up(code=None)
    assert len(cli.live) == 2
    cli.declare(a=ACTIONS)
    cli.up()
    assert (cli.live, cli.writes) == (before, ["DELETE"])
    cli.unchanged("--refresh")


def test_a_pending_delete_of_a_declared_budget_is_skipped(cli: Cli) -> None:
    """A state with a pending delete for the id of a declared budget, as after a crash, deletes no budget."""
    cli.declare(a=ACTIONS)
    cli.up()
    before, state = cli.live, cli.state()
    resources = state["deployment"]["resources"]
    resources.append(
        {**copy.deepcopy(next(entry for entry in resources if entry["urn"].endswith("::a"))), "delete": True}
    )
    cli.load(state)
    assert "kept budget" in cli.up()
    assert (cli.live, cli.writes) == (before, [])
    cli.unchanged("--refresh")


def test_an_import_file_imports_budgets(cli: Cli) -> None:
    """An import file with inputs and outputs imports an existing budget; a preview then finds no changes."""
    live = cli.sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)
    inputs = {
        **ACTIONS,
        "budget_scope": "enterprise",
        "budget_entity_name": "",
        "budget_type": "ProductPricing",
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        "__provider": PROVIDERS["EnterpriseBudget"],
    }
    entry = {
        "type": "pulumi-python:dynamic/github-billing:EnterpriseBudget",
        "name": "a",
        "id": f"enterprise/octo-enterprise/{live['id']}",
        "inputs": inputs,
        "outputs": {**inputs, "budget_id": live["id"], "adopted": True, "kept_on_delete": True},
    }
    file = cli.project / "import.json"
    file.write_text(json.dumps({"resources": [entry]}))
    cli.declare(a=ACTIONS)
    cli.run("import", "--file", str(file), "--generate-code=false", "--protect=false", "--yes", "--skip-preview")
    assert cli.sandbox.writes == []
    cli.unchanged()
    cli.unchanged("--refresh")
    assert cli.live == {live["id"]: 500}


def test_an_unknown_setting_ends_the_run_before_anything_is_registered(cli: Cli) -> None:
    """Preview and up name the nearest setting in one line and send nothing; corrected, the stack comes up."""
    cli.declare(a=ACTIONS)
    cli.run("config", "set", "github-billing:onDelte", "keep")
    for shown in (cli.run("preview", code=None), cli.up(code=None)):
        assert "error: github-billing:onDelte: no such setting; did you mean onDelete?" in shown
        assert "Traceback" not in shown
        assert "EnterpriseBudget" not in shown
        assert cli.sandbox.requests == []
    cli.run("config", "rm", "github-billing:onDelte")
    cli.run("config", "set", "github-billing:onDelete", "keep")
    cli.up()
    assert cli.state()["deployment"]["resources"][-1]["outputs"]["kept_on_delete"] is True
