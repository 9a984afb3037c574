"""The command `try`: output, files and exit codes."""

from __future__ import annotations

import argparse
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import try_
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.operations.access import OWNER_TOKEN
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import pulumi
from billing_provider import EnterpriseBudget

pulumi.log.warn("mind the cap")
pulumi.log.info("thinking", ephemeral=True)
b = EnterpriseBudget(
    "b", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=AMOUNT,
    prevent_further_usage=True, budget_alerting={"will_alert": True, "alert_recipients": ["octocat"]},
)
pulumi.export("amount", b.budget_amount)
pulumi.export("id", b.budget_id)
pulumi.export("word", pulumi.Output.secret("hush"))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one budget, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    declare(tmp_path, 100)
    return tmp_path


def declare(folder: Path, amount: float) -> None:
    """Let the program declare an amount."""
    (folder / "__main__.py").write_text(PROGRAM.replace("AMOUNT", str(amount)))


def call(*arguments: str) -> int:
    """Run the verb."""
    parser = argparse.ArgumentParser()
    try_.add(parser.add_subparsers())
    args = parser.parse_args(["try", *arguments])
    code: int = args.run(args)
    return code


def test_all_verbs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb prints a title, uses the Pulumi CLI's words, and finds the state of the previous one."""
    assert call() == 0
    preview = capsys.readouterr().out
    first = preview.splitlines()[0]
    assert "this is not Pulumi" in first
    assert "this is not Pulumi" in first
    assert "Previewing update (dev):" in preview
    assert " +  pulumi-python:dynamic/github-billing:EnterpriseBudget b create\n" in preview
    assert "      + budget_amount: 100\n" in preview
    assert "    id: [unknown]\n    word: [secret]\n" in preview
    assert "Resources:\n    + 2 to create\n" in preview

    assert call("up") == 0
    up = capsys.readouterr().out
    assert "EnterpriseBudget b creating (0s)" in up
    assert "EnterpriseBudget b created (" in up
    assert "Diagnostics:\n  run:\n    warning: mind the cap\n" in up
    assert "Resources:\n    + 2 created\n" in up

    without = (project / "__main__.py").read_text().replace('pulumi.export("amount"', '("amount"')
    (project / "__main__.py").write_text(without)
    assert call() == 0
    assert "  - amount: 100\n" in capsys.readouterr().out

    declare(project, 120)
    assert call("up") == 0
    changed = capsys.readouterr().out
    assert "EnterpriseBudget b updating (0s) [diff: ~budget_amount]" in changed
    assert "      ~ budget_amount: 100 => 120\n" in changed
    assert "  ~ amount: 100 => 120\n" in changed
    assert "    ~ 1 updated\n    1 changes. 1 unchanged\n" in changed

    assert call("refresh", "--expect-no-changes") == 0
    assert "Refreshing (dev):" in capsys.readouterr().out
    assert call("destroy") == 0
    destroyed = capsys.readouterr().out
    assert "EnterpriseBudget b deleted (" in destroyed
    assert "    - 2 deleted\n" in destroyed
    assert "    thinking\n" in preview
    assert "hush" not in f"{preview}{up}{changed}{destroyed}"


def test_a_member_of_two_cost_centers_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person in two cost centers of a program fails in preview, with the names of both."""
    (project / "__main__.py").write_text(
        "from billing_provider import CostCenter\n"
        'for name in ("apps", "billing"):\n'
        '    CostCenter(name, enterprise="octo-enterprise", name=name, users=["octocat"])\n'
    )
    assert call() == 1
    assert "users: apps and billing both declare octocat: remove it from one of the two" in capsys.readouterr().out


def test_unexpected_changes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unexpected changes exit with 7, as with the Pulumi CLI; a failure exits with 1."""
    assert call("preview", "--expect-no-changes") == 7
    assert "no changes were expected" in capsys.readouterr().err
    declare(project, 1.5)
    assert call("preview", "--expect-no-changes") == 1


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only one JSON document is printed; it contains no secret output, and the state no token of the sandbox."""
    assert call("up", "--json", "--stack", "prod") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["stack"] == "prod"
    assert document["counts"] == {"create": 2}
    assert document["outputs"]["word"] == "[secret]"
    assert [step["op"] for step in document["steps"]] == ["create", "create"]
    assert document["diagnostics"][0]["message"] == "mind the cap"
    assert OWNER_TOKEN not in (project / ".pulumi" / "try" / "prod.json").read_text()
    assert "GITHUB_BILLING_TOKEN" not in os.environ


def test_running_sandbox_is_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running sandbox that GITHUB_API_URL names is used."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        assert call("up") == 0
        assert [budget["budget_amount"] for budget in sandbox.budgets()] == [100]
    assert not (project / ".pulumi" / "try" / "github.json").exists()


def test_a_real_token_is_never_sent(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address on loopback gets a sandbox's token, never the token of the stack; without one, nothing is sent."""
    (project / "Pulumi.dev.yaml").write_text("config: {'github-billing:token': ghp_ofTheStack1234567890}\n")
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", "ghp_ofTheEnvironment1234567890")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_ofTheMachine1234567890")
    with WireServer(answer(401, {"message": "no"})) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        assert call("up") == 2
        assert "run both `export` lines that it printed, or unset GITHUB_API_URL" in capsys.readouterr().err
        assert server.heard == []
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-read-only-5up3r")
        assert call("up") == 1
    assert server.heard
    assert all("Authorization: Bearer sandbox-read-only-5up3r\r\n" in request for request in server.heard)
    assert not any("ghp_" in request for request in server.heard)


@pytest.mark.parametrize("address", ["https://api.github.com", "http://evil.example\\[::1]"])
def test_github_itself_is_never_used(
    address: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub's address, which CI systems set, and ambiguous addresses are ignored."""
    monkeypatch.setenv("GITHUB_API_URL", address)
    (project / "Pulumi.dev.yaml").write_text(
        "config: {'github-billing:baseUrl': 'https://api.github.com', 'github-billing:token': {secure: v1:x:y}}\n"
    )
    assert call("up") == 0
    assert "Budgets go to a sandbox, kept in" in capsys.readouterr().out
    assert "octocat" in (project / ".pulumi" / "try" / "github.json").read_text()


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a project, an error is printed and the exit code is 2."""
    monkeypatch.chdir(tmp_path)
    assert call("up") == 2
    assert "no Pulumi.yaml in" in capsys.readouterr().err


SEED = {
    "enterprise": "octo-enterprise",
    "budgets": [
        {
            "id": "b1",
            "budget_scope": "enterprise",
            "budget_entity_name": "octo-enterprise",
            "budget_type": "ProductPricing",
            "budget_product_sku": "actions",
            "budget_amount": 100,
            "prevent_further_usage": True,
            "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
        }
    ],
}


def test_a_seed_is_the_first_content(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs with a seed see its budgets as long as nothing was changed; later, the seed must be left out."""
    (project / "seed.json").write_text(json.dumps(SEED))
    for _ in range(2):
        assert call("preview", "--seed", "seed.json") == 0
        assert "b1" in capsys.readouterr().out
    kept = (project / ".pulumi" / "try" / "github.json").read_text()
    declare(project, 200)
    (project / "other.json").write_text("{}")
    assert call("preview", "--seed", "other.json") == 2
    assert "github.json has other content than other.json: omit --seed to continue" in capsys.readouterr().err
    assert (project / ".pulumi" / "try" / "github.json").read_text() == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("[]", "seed: it is not an object", id="list"),
        pytest.param("{", "seed.json", id="no JSON"),
    ],
)
def test_an_invalid_seed_starts_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    """A seed that cannot be used is one line, exit code 2, and leaves no file of a sandbox."""
    if text is not None:
        (project / "seed.json").write_text(text)
    assert call("preview", "--seed", "seed.json") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (project / ".pulumi" / "try" / "github.json").exists()


def test_a_running_sandbox_takes_no_seed(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the sandbox of GITHUB_API_URL, a seed is refused, because it would have no effect."""
    (project / "seed.json").write_text(json.dumps(SEED))
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        assert call("preview", "--seed", "seed.json") == 2
        assert sandbox.requests == []
    assert "has its own content: omit --seed" in capsys.readouterr().err


SETTINGS = """
import pulumi
from billing_provider import EnterpriseBudget, OrgBudget

config = pulumi.Config()
amount = config.get_int("amount") or 100
if config.get("gone") is None:
    EnterpriseBudget(
        "b", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=amount,
        prevent_further_usage=True, budget_alerting={"will_alert": False},
    )
    packages = config.get_secret_int("packages") if config.get("hide") else config.get_int("packages")
    if packages:
        OrgBudget(
            "kept", organization="octo-org", budget_product_sku="packages", budget_amount=packages,
            on_delete="keep", budget_alerting={"will_alert": False},
        )
pulumi.export("word", config.get_secret("word"))
pulumi.export("other", pulumi.Config("other").get("place"))
"""


PROPERTIES = [
    "budget_amount: 100",
    'budget_entity_name: ""',
    'budget_product_sku: "actions"',
    'budget_scope: "enterprise"',
    'budget_type: "ProductPricing"',
    'enterprise: "octo-enterprise"',
    "prevent_further_usage: true",
]


@pytest.fixture
def configured(project: Path) -> Path:
    """A project whose program reads settings."""
    (project / "__main__.py").write_text(SETTINGS)
    return project


def rows(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the printed steps of budgets with their properties, but not the alerts, whose order is not fixed."""
    lines = [line for line in capsys.readouterr().out.splitlines() if re.match(" .. +pulumi-python:|      ", line)]
    short = [line.replace("pulumi-python:dynamic/github-billing:", "") for line in lines if "_alerting" not in line]
    return [re.sub(r"\(\d+\.\d+s\)", "(1s)", line) for line in short]


def test_a_deletion_names_the_cap_before_it_happens(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview, an up and a destroy say which cap goes; the line comes before the deletion."""
    assert call("up") == 0
    rows(capsys)
    assert call("preview", "--config", "gone=yes") == 0
    assert rows(capsys) == [" -  EnterpriseBudget b delete: $100 hard stop on actions of octo-enterprise"]
    assert call("up", "-c", "gone=yes") == 0
    assert rows(capsys) == [
        " -  EnterpriseBudget b deleting (0s): $100 hard stop on actions of octo-enterprise",
        " -  EnterpriseBudget b deleted (1s)",
    ]
    assert call("up", "--config", "amount=7") == 0
    rows(capsys)
    assert call("destroy") == 0
    assert rows(capsys) == [
        " -  EnterpriseBudget b deleting (0s): $7 hard stop on actions of octo-enterprise",
        " -  EnterpriseBudget b deleted (1s)",
    ]
    assert (configured / ".pulumi" / "try" / "dev.json").exists()


def test_the_deletion_of_a_table_names_its_caps(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that leaves a program is told with the sum and the number of people, for each of its parts."""
    table = (
        "from billing_provider import UserBudgets\nUserBudgets('t', enterprise='acme', budgets={'ann': 5, 'bob': 6})"
    )
    (project / "__main__.py").write_text(table)
    assert call("up") == 0
    (project / "__main__.py").write_text("")
    rows(capsys)
    assert call("preview") == 0
    told = sorted(line.partition(": ")[2] for line in rows(capsys) if ": " in line)
    assert told == ["$5 in hard stops of 1 person in acme", "$6 in hard stops of 1 person in acme"]


@pytest.mark.usefixtures("configured")
def test_a_deletion_that_keeps_the_budget_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A budget with `on_delete` keep stays on GitHub; of one that is gone from GitHub, a refresh names the cap."""
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_API_URL", sandbox.url)
        patch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        assert call("up", "--config", "packages=5", "--config", "amount=9") == 0
        rows(capsys)
        assert call("preview", "--config", "gone=yes") == 0
        kept = "$5 budget that only alerts on packages of octo-org"
        assert sorted(rows(capsys)) == [
            " -  EnterpriseBudget b delete: $9 hard stop on actions of octo-enterprise",
            f" -  OrgBudget kept delete: {kept}, which stays on GitHub (on_delete is keep)",
        ]
        for budget in sandbox.budgets(None):
            sandbox.remove_budget(budget["id"])
        assert call("refresh") == 0
        assert sorted(rows(capsys)) == [
            " -  EnterpriseBudget b deleted (1s): $9 hard stop on actions of octo-enterprise",
            f" -  OrgBudget kept deleted (1s): {kept}",
        ]


@pytest.mark.usefixtures("configured")
def test_diff_shows_every_property(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--diff` an up lists the properties of a new budget, and a preview those of one that goes."""
    assert call("up", "--diff") == 0
    assert rows(capsys) == [
        " +  EnterpriseBudget b creating (0s)",
        " +  EnterpriseBudget b created (1s)",
        *(f"      + {line}" for line in PROPERTIES),
    ]
    assert call("preview", "--config", "gone=yes", "--diff") == 0
    assert rows(capsys) == [
        " -  EnterpriseBudget b delete: $100 hard stop on actions of octo-enterprise",
        *(f"      - {line}" for line in PROPERTIES),
    ]


@pytest.mark.usefixtures("configured")
def test_json_has_old_and_new_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Each step has the values before and after it, and a deletion the cap that goes."""

    def step(*arguments: str) -> dict[str, Any]:
        assert call(*arguments, "--json") == 0
        (found,) = [step for step in json.loads(capsys.readouterr().out)["steps"] if step["urn"].endswith("Budget::b")]
        shown: dict[str, Any] = found
        return shown

    created = step("up")
    assert (created["op"], created["old"], created["means"]) == ("create", None, None)
    assert created["new"] == {
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        "budget_amount": 100,
        "budget_entity_name": "",
        "budget_product_sku": "actions",
        "budget_scope": "enterprise",
        "budget_type": "ProductPricing",
        "enterprise": "octo-enterprise",
        "prevent_further_usage": True,
    }
    updated = step("preview", "--config", "amount=120")
    assert (updated["op"], updated["differs"]) == ("update", ["budget_amount"])
    assert updated["old"] == created["new"]
    assert updated["new"] == {**created["new"], "budget_amount": 120}
    deleted = step("preview", "--config", "gone=yes")
    assert (deleted["op"], deleted["old"], deleted["new"]) == ("delete", created["new"], None)
    assert deleted["means"] == "$100 hard stop on actions of octo-enterprise"


@pytest.mark.usefixtures("configured")
def test_a_secret_is_masked_on_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    """A value that is a secret before or after a step is shown on neither side, nor in the text of a deletion."""
    hidden, shown = ("--secret", "packages=4711", "--config", "hide=yes"), ("--config", "packages=4711")
    for arguments in (("up", *hidden), ("preview", *shown, "--diff"), ("preview", *shown, "--json"), ("up", *hidden)):
        assert call(*arguments) == 0
    assert call("preview", "--config", "gone=yes", "--json") == 0
    printed = capsys.readouterr().out
    assert "4711" not in printed
    *_, last = printed.partition('{\n  "verb": "preview"')
    assert '"budget_amount": "[secret]"' in last
    assert '"means": "$100 hard stop on actions of octo-enterprise"' in last
    assert "packages of octo-org" not in last


def test_settings_of_the_command_line(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting counts for one run, goes before the stack's file, and has the project's namespace by default."""
    stack = configured / "Pulumi.dev.yaml"
    stack.write_text("config: {shop:amount: 5, other:place: here}\n")
    written = stack.read_text()
    assert call("up", "-c", "amount=6", "-c", "shop:amount=8", "-c", "other:place=a=b", "--secret", "word=hush") == 0
    assert "hush" not in capsys.readouterr().out
    assert call("up", "-c", "amount=9", "-c", "other:place=a=b", "--secret", "word=hush", "--json") == 0
    printed = capsys.readouterr().out
    document = json.loads(printed)
    assert document["outputs"] == {"word": "[secret]", "other": "a=b"}
    assert [step["new"]["budget_amount"] for step in document["steps"] if step["differs"]] == [9]
    assert stack.read_text() == written
    assert "hush" not in printed
    assert call("preview", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert [step["new"]["budget_amount"] for step in again["steps"] if step["differs"]] == [5]
    assert again["outputs"] == {"other": "here"}


@pytest.mark.parametrize("option", ["--config", "-c", "--secret"])
@pytest.mark.parametrize("text", ["hush", "=hush", ":word=hush", "a:b:c=hush", "shop:=hush", "my word=hush"])
def test_a_malformed_setting_is_refused(
    option: str, text: str, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the option and the form, not the text, which may be a secret; nothing is run."""
    with pytest.raises(SystemExit) as ended:
        call("up", option, text)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"{option}" in said
    assert "write KEY=VALUE; the key is NAME or NAMESPACE:NAME" in said
    assert "hush" not in said
    assert not (configured / ".pulumi").exists()


@pytest.mark.parametrize("key", ["github-billing:token", "github-billing:baseUrl", "github-billing:credentials"])
def test_the_sandbox_is_not_replaced_by_a_setting(
    key: str, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address and the credentials are always those of the sandbox."""
    assert call("up", "--config", f"{key}=https://api.github.com") == 2
    assert f"error: {key} cannot be set: try uses the address and the token of its sandbox" in capsys.readouterr().err
    assert not (configured / ".pulumi" / "try" / "github.json").exists()


@pytest.mark.usefixtures("configured")
def test_a_misspelt_setting_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A setting of the provider that does not exist gets the nearest name."""
    assert call("preview", "--config", "github-billing:onDelte=keep") == 1
    assert "github-billing:onDelte: no such setting; did you mean onDelete" in capsys.readouterr().out
