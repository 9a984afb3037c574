"""The command `try`: output, files and exit codes."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

import pytest

from billing_provider.cli import try_
from billing_provider.sandbox import Sandbox
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
    assert Sandbox.token not in (project / ".pulumi" / "try" / "prod.json").read_text()
    assert os.environ.get("GITHUB_BILLING_TOKEN") != Sandbox.token


def test_running_sandbox_is_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running sandbox that GITHUB_API_URL names is used."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        assert call("up") == 0
        assert [budget["budget_amount"] for budget in sandbox.budgets()] == [100]
    assert not (project / ".pulumi" / "try" / "github.json").exists()


def test_a_real_token_is_never_sent(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address on loopback gets a sample token, never the token of the stack."""
    (project / "Pulumi.dev.yaml").write_text("config: {'github-billing:token': ghp_ofTheStack1234567890}\n")
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", "ghp_ofTheEnvironment1234567890")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_ofTheMachine1234567890")
    with WireServer(answer(401, {"message": "no"})) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        assert call("up") == 1
    assert server.heard
    assert all(f"Authorization: Bearer {Sandbox.token}\r\n" in request for request in server.heard)
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
