"""The verb export: its files, its filters, its exit codes, and the import with the embedded engine or a `pulumi`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import UserBudgets
from billing_provider.adopt.folder import IMPORT_FILE, MASKED_MODULE, MODULE, NEW_MODULE
from billing_provider.cli import main
from billing_provider.engine import Engine
from billing_provider.storage import files
from tests.adopt.world import OtherClient, a_project, a_sandbox, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from billing_provider.sandbox import Sandbox

OWNERS = ("--enterprise", "octo-enterprise", "--org", "octo-org")
SKIPPED, CHANGED = 3, 7
USER: dict[str, Any] = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "prevent_further_usage": True,
}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment names."""
    with a_sandbox() as started:
        monkeypatch.setenv("GITHUB_API_URL", started.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", started.token)
        yield started


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose program is the exported module, as the current folder, without a `pulumi` on PATH."""
    (tmp_path / "project").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    a_project(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def export(sandbox: Sandbox, project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the verb, and return its exit code and its output; it must not write to GitHub."""

    def call(*arguments: str) -> tuple[int, str]:
        sandbox.forget_requests()
        code = main(["export", *OWNERS, "--out", ".", *arguments])
        assert sandbox.writes == []
        assert (project / "Pulumi.yaml").exists()
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def declare(sandbox: Sandbox) -> None:
    """Make four budgets and leave the two cost centers of the sample."""
    client = OtherClient(sandbox)
    client.budget(5, budget_product_sku="actions", budget_scope="enterprise", budget_entity_name="octo-enterprise")
    client.budget(6, **USER, user="octocat")
    client.budget(
        7, org="octo-org", budget_product_sku="actions", budget_scope="organization", budget_entity_name="octo-org"
    )
    center = sandbox.cost_centers()[0]["id"]
    client.budget(8, budget_product_sku="actions", budget_scope="cost_center", budget_entity_name=center)


def names(folder: Path) -> list[str]:
    return [each["name"] for each in json.loads((folder / IMPORT_FILE).read_text())["resources"]]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("budgets*")}


def engine(sandbox: Sandbox, project: Path) -> Engine:
    settings = {"github-billing:baseUrl": sandbox.url, "github-billing:token": sandbox.token}
    return Engine(project, "dev", project / ".pulumi" / "try" / "dev.json", settings=settings, check=True)


def test_sixty_budgets_are_taken_over(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """Everything is imported, up and refresh only read, a second export changes no byte, and a destroy keeps all."""
    OtherClient(sandbox).everything(sandbox)
    live = sandbox.budgets(None), sandbox.cost_centers()
    code, said = export("--import", "dev")
    assert code == 0
    assert "To declare: 60 budgets, 5 cost centers. Skipped: 0." in said
    assert "No `pulumi` is on PATH: importing into the state of `billing-provider try`." in said
    assert "Imported into dev: 65. In its state already: 0. GitHub is unchanged." in said
    assert "A preview of dev finds no changes." in said
    stack = engine(sandbox, project)
    assert stack.up().counts == {"same": 66}
    assert stack.refresh().counts == {"same": 66}
    before = content(project)
    code, said = export("--import", "dev")
    assert code == 0
    assert "Imported into dev: 0. In its state already: 65." in said
    assert content(project) == before
    stack.destroy()
    assert sandbox.writes == []
    assert (sandbox.budgets(None), sandbox.cost_centers()) == live


def test_a_further_export_takes_over_what_is_new(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """A new budget is appended and imported; the state before it is kept in a file that no later one replaces."""
    declare(sandbox)
    code, said = export()
    assert code == 0
    assert "Next: `import budgets` in the program, then run again with --import STACK." in said
    assert export("--import", "dev")[0] == 0
    first = (project / MODULE).read_bytes()
    OtherClient(sandbox).budget(9, **USER, user="hubot")
    code, said = export("--import", "dev")
    assert code == 0
    assert "New: 1. In . already: 6." in said
    assert "Imported into dev: 1. In its state already: 6." in said
    assert (project / MODULE).read_bytes().startswith(first)
    backups = [json.loads((project / f"before-import-dev{at}.json").read_text()) for at in ("", "-2")]
    assert [len(each["deployment"].get("resources", [])) for each in backups] == [0, 8]


def test_many_people_are_taken_over_as_a_table(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """51 people are one table and a CSV file; up and refresh only read, and a destroy keeps every budget."""
    declare(sandbox)
    people(sandbox, 50)
    live = sandbox.budgets(None)
    code, said = export("--import", "dev")
    assert code == 0, said
    assert "To declare: 54 budgets, 2 cost centers. Skipped: 0." in said
    assert "Wrote people.csv." in said
    assert "Imported into dev: 56. In its state already: 0. GitHub is unchanged." in said
    assert "A preview of dev finds no changes." in said
    rows = UserBudgets.from_csv(project / "people.csv")
    assert len(rows) == 51
    assert rows["Dev-0"] == {"budget_amount": 10, "expires_at": "2999-12-31"}
    assert (rows["Dev-1"], rows["octocat"]) == (11, 6)
    assert "user-octocat" not in (project / MODULE).read_text()
    stack = engine(sandbox, project)
    assert stack.up().counts == {"same": 23}
    assert stack.refresh().counts == {"same": 23}
    stack.destroy()
    assert sandbox.writes == []
    assert sandbox.budgets(None) == live


def test_fifty_people_stay_single(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """Fifty people have a declaration each; those of another owner, and what no row can declare, do not count."""
    made = people(sandbox, 50)
    OtherClient(sandbox).budget(6, org="octo-org", **USER, user="octocat")
    assert export()[0] == 0
    assert "UserBudgets" not in (project / MODULE).read_text()
    assert not (project / "people.csv").exists()
    assert len(names(project)) == len(made) + 3


def test_a_further_export_leaves_a_table_alone(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """A new person is a resource of its own, a row that is gone is named, and more than fifty are another table."""
    made = people(sandbox, 51)
    assert export("--only", "budgets", "--import", "dev")[0] == 0
    before = content(project), (project / "people.csv").read_bytes()
    code, said = export("--only", "budgets", "--import", "dev")
    assert (code, (content(project), (project / "people.csv").read_bytes())) == (0, before)
    assert "Imported into dev: 0. In its state already: 51." in said
    OtherClient(sandbox).budget(9, **USER, user="hubot")
    code, said = export("--only", "budgets", "--import", "dev")
    assert code == 0, said
    assert "New: 1. In . already: 51." in said
    assert "Imported into dev: 1. In its state already: 51." in said
    assert (project / "people.csv").read_bytes() == before[1]
    sandbox.remove_budget(made["Dev-7"])
    code, said = export("--only", "budgets")
    assert code == SKIPPED
    reason = "its row was exported, but it is no longer on GitHub: remove the row, and its id from budgets-import.json"
    assert f"skipped: people/Dev-7: {reason}" in said
    people(sandbox, 51, "Ops")
    code, said = export("--only", "budgets", "--import", "dev")
    assert code == SKIPPED
    assert "Imported into dev: 51. In its state already: 51." in said
    assert "A preview of dev finds no changes." in said
    assert (project / "people-2.csv").read_text().startswith("login,budget_amount,expires_at\nOps-0,10,2999-12-31\n")
    assert "Dev-7" in (project / "people.csv").read_text()


def test_rows_of_a_stack_are_left_out(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """What the rows of a state manage is left out with --state."""
    people(sandbox, 51)
    assert export("--only", "budgets", "--import", "dev")[0] == 0
    state = project / "state.json"
    state.write_text(json.dumps(engine(sandbox, project).export()))
    code, said = export("--only", "budgets", "--out", "rest", "--state", str(state))
    assert (code, said.splitlines()[0]) == (0, "To declare: 0 budgets, 0 cost centers. Skipped: 0.")


def test_a_preview_that_is_not_empty_says_what_differs(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """A program without the module gives exit code 7, the differences, and the commands that undo the import."""
    declare(sandbox)
    (project / "__main__.py").write_text("")
    code, said = export("--import", "dev")
    assert code == CHANGED
    assert "EnterpriseBudget enterprise-actions delete" in said
    assert "the program does not declare them: import budgets.py in it" in said
    undo = "cp before-import-dev.json .pulumi/try/dev.json"
    assert f"To undo the import, which changes nothing on GitHub: {undo}" in said
    assert os.system(f"/bin/{undo}") == 0  # noqa: S605 - the command that the user is told
    assert engine(sandbox, project).preview().counts == {"create": 1}
    a_project(project)
    assert export("--import", "dev")[0] == 0


def test_a_changed_value_is_imported_as_it_is(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """A value that changed on GitHub since the export is in the state, so the preview shows the difference."""
    declare(sandbox)
    export()
    before = content(project)
    (first, *_) = sandbox.budgets()
    sandbox.edit_budget(first["id"], budget_amount=50)
    code, said = export("--import", "dev")
    assert code == CHANGED
    assert "~ budget_amount: 50 => 5" in said
    assert content(project) == before


def test_filters(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """Only cost centers, only budgets, only a scope, only what no stack owns."""
    declare(sandbox)
    for at, (arguments, expected) in enumerate(
        (
            (("--only", "cost-centers"), ["cost-center-data", "cost-center-platform"]),
            (("--only", "budgets", "--scope", "user"), ["user-octocat-ai-credits"]),
            (
                ("--scope", "enterprise"),
                ["cost-center-data", "cost-center-platform", "enterprise-actions"],
            ),
        )
    ):
        assert export("--out", f"f{at}", *arguments)[0] == 0
        assert names(project / f"f{at}") == expected
    export("--only", "cost-centers", "--import", "dev")
    state = project / "state.json"
    state.write_text(json.dumps(engine(sandbox, project).export()))
    assert export("--out", "rest", "--state", str(state))[0] == 0
    assert names(project / "rest") == [
        *("cost-center-platform-actions", "enterprise-actions", "org-octo-org-actions", "user-octocat-ai-credits"),
    ]
    assert 'budget_entity_name="' in (project / "rest" / MODULE).read_text()


def test_nothing_to_declare_writes_nothing(project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """Without budgets of the scope there is no file and no next step."""
    code, said = export("--only", "budgets")
    assert (code, said) == (0, "To declare: 0 budgets, 0 cost centers. Skipped: 0.\nNew: 0. In . already: 0.\n")
    assert content(project) == {}


def test_what_is_skipped_is_listed(sandbox: Sandbox, export: Callable[..., tuple[int, str]]) -> None:
    """Duplicates are listed with their ids and exit with 3; so is an entry whose budget is no longer on GitHub."""
    declare(sandbox)
    gone = OtherClient(sandbox).budget(3, **USER, user="hubot")
    other = OtherClient(sandbox).budget(4, org="octo-org", **USER, user="hubot")
    export()
    sandbox.remove_budget(gone)
    sandbox.remove_budget(other)
    duplicate = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=50)["id"]
    code, said = export()
    assert code == SKIPPED
    assert "To declare: 5 budgets, 2 cost centers." not in said
    assert f"{duplicate}" in said
    assert said.count("2 live budgets are for the same target and SKU") == 2
    reason = "it is in budgets-import.json, but no longer on GitHub: remove it from both files"
    assert f"skipped: user-hubot-ai-credits: {reason}" in said
    assert f"skipped: org-octo-org-user-hubot-ai-credits: {reason}" in said
    assert main(["export", "--enterprise", "octo-enterprise", "--out", "."]) == SKIPPED
    assert export("--import", "dev")[0] == CHANGED


def test_an_edited_module_is_left_alone(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """The reason is printed, and the new declarations are in a file beside it."""
    declare(sandbox)
    export("--only", "cost-centers")
    (project / MODULE).write_text("mine = 1\n")
    code, said = export()
    assert code == 0
    assert "budgets.py was not changed: `import billing_provider as billing` is missing." in said
    assert (project / NEW_MODULE).exists()
    code, said = export("--import", "dev")
    assert code == 2
    assert "budgets.new.py exists: move its declarations to budgets.py, then remove it, and run again." in said
    assert "Nothing was imported." in said
    assert not (project / ".pulumi").exists()


def test_a_stack_with_other_resources_takes_over_too(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """Simulated resources of the embedded engine stay; a damaged state imports nothing."""
    declare(sandbox)
    bucket = 'import pulumi\npulumi.CustomResource("aws:s3/bucket:Bucket", "b", {})\n'
    (project / "__main__.py").write_text(bucket)
    files.make_folder(project, ".pulumi", "try")
    engine(sandbox, project).up()
    (project / "__main__.py").write_text(bucket + "import budgets\n")
    assert export("--import", "dev")[0] == 0
    assert engine(sandbox, project).up().counts == {"same": 8}
    state = project / ".pulumi" / "try" / "dev.json"
    state.write_text("{")
    code, said = export("--import", "dev")
    assert code == 2
    assert "the state of dev cannot be read: it is not JSON" in said
    assert state.read_text() == "{"


def test_masked_logins(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """The module to share has no login, and there is no import file, which the output says."""
    declare(sandbox)
    code, said = export("--mask-logins")
    assert code == 0
    assert "There is no import file: logins are masked." in said
    assert content(project).keys() == {MASKED_MODULE}
    text = (project / MASKED_MODULE).read_text()
    assert "person-1" in text
    assert not any(login in text for login in ("octocat", "monalisa", "hubot"))


def test_masked_logins_of_a_table(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """The rows to share have no login, and their order tells nothing about it."""
    people(sandbox, 60)
    code, said = export("--only", "budgets", "--mask-logins")
    assert (code, "Wrote budgets-masked.py and people-masked.csv, to share." in said) == (0, True)
    assert [path.name for path in project.glob("*.csv")] == ["people-masked.csv"]
    both = (project / MASKED_MODULE).read_text() + (project / "people-masked.csv").read_text()
    assert "dev-" not in both.lower()
    logins = list(UserBudgets.from_csv(project / "people-masked.csv"))
    assert (len(logins), logins) == (60, sorted(logins))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "."], "name an owner"),
        (["--org", "a b", "--out", "."], "--org: write a slug or login"),
        (["--org", "octo-org", "--out", ".", "--mask-logins", "--import", "dev"], "leave out --import"),
        (["--org", "octo-org", "--out", ".", "--state", "none.json"], "there is no file none.json"),
        (["--org", "nobody", "--out", "."], "GitHub returned 404"),
        (["--org", "octo-org", "--out", ".", "--import", "a/b"], "'a/b' is not a valid stack name"),
    ],
)
@pytest.mark.usefixtures("sandbox", "project")
def test_mistakes_are_errors(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is one line and exit code 2; a refusal of GitHub is exit code 1."""
    assert main(["export", *arguments]) == (1 if "GitHub" in message else 2)
    assert message in capsys.readouterr().err


STATE = {"version": 3, "deployment": {}}


def pulumi(project: Path, **replies: Any) -> Path:
    """Write a `pulumi` that logs its arguments and replies to each verb with an exit code and an output."""
    log = project / "log"
    lines = ["#!/bin/sh", f'echo "$@" >> {log}']
    given = {"stack": (0, json.dumps(STATE)), "import": (0, ""), "preview": (0, ""), **replies}
    for verb, (code, output) in given.items():
        (project / f"{verb}.reply").write_text(output)
        lines.append(f'[ "$1" = {verb} ] && {{ /bin/cat {project / f"{verb}.reply"}; exit {code}; }}')
    path = project.parent / "bin" / "pulumi"
    path.write_text("\n".join([*lines, ""]))
    path.chmod(0o755)
    return log


def test_the_pulumi_on_path_is_used(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """The state is exported first; the import writes no code and asks nothing; a preview follows."""
    declare(sandbox)
    log = pulumi(project)
    code, said = export("--import", "acme/prod")
    assert code == 0
    calls = [line.split() for line in log.read_text().splitlines()]
    assert [call[0] for call in calls] == ["stack", "import", "preview"]
    assert {"--generate-code=false", "--protect=false", "--yes", "--skip-preview"} <= set(calls[1])
    assert all(call[call.index("--stack") + 1] == "acme/prod" for call in calls)
    assert "--expect-no-changes" in calls[2]
    assert json.loads((project / "before-import-acme-prod.json").read_text()) == STATE
    assert "No `pulumi`" not in said


def test_a_preview_of_pulumi_with_changes(
    sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]
) -> None:
    """Its lines are shown, and how to restore the state; if nothing was imported, there is nothing to undo."""
    declare(sandbox)
    pulumi(project, preview=(255, "  + to create\n\n\x1b[31m  error: no changes were expected\n"))
    code, said = export("--import", "dev")
    assert code == CHANGED
    assert "\n    + to create\n" in said
    assert "\x1b" not in said
    undo = "pulumi stack import --stack dev --file before-import-dev.json"
    assert f"To undo the import, which changes nothing on GitHub: {undo}" in said
    imported = json.loads((project / IMPORT_FILE).read_text())["resources"]
    resources = [{**each, "urn": f"urn:pulumi:dev::p::{each['type']}::{each['name']}"} for each in imported]
    state = {**STATE, "deployment": {"resources": resources}}
    pulumi(project, stack=(0, json.dumps(state)), preview=(1, "error"))
    code, said = export("--import", "dev")
    assert code == CHANGED
    assert "To undo" not in said


def test_a_long_preview_is_shortened(sandbox: Sandbox, export: Callable[..., tuple[int, str]], project: Path) -> None:
    """The first lines and the summary at the end are shown."""
    declare(sandbox)
    pulumi(project, preview=(255, "\n".join(f"line {number}" for number in range(200))))
    _, said = export("--import", "dev")
    shown = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert shown == [
        *(f"line {number}" for number in range(40)),
        "(145 lines left out)",
        *(f"line {number}" for number in range(185, 200)),
    ]


def test_a_failing_pulumi_is_an_error(sandbox: Sandbox, project: Path, export: Callable[..., tuple[int, str]]) -> None:
    """A missing stack imports nothing; a failed import says how to restore the state."""
    declare(sandbox)
    log = pulumi(project, stack=(255, ""))
    code, said = export("--import", "dev")
    assert code == 2
    assert "pulumi stack export:" in said
    assert "Nothing was imported." in said
    assert log.read_text().count("\n") == 1
    pulumi(project, **{"import": (255, "error: it exists")})
    code, said = export("--import", "dev")
    assert code == 1
    assert "pulumi import: error: it exists" in said
    assert "To undo what was imported: pulumi stack import --stack dev --file before-import-dev.json" in said
