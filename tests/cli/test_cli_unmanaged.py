"""The verb `unmanaged` on the sandbox: states, formats, exit codes."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main
from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

E, ORG = "octo-enterprise", "octo-org"
TYPE = "pulumi-python:dynamic/github-billing:"
FOUND, FAILED, MISUSED = 3, 1, 2


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that the environment names; the working directory and PATH are empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def export_of(*ids: str) -> str:
    resources = [
        {
            "urn": f"urn:pulumi:dev::p::{TYPE}OrgBudget::b{number}",
            "type": f"{TYPE}OrgBudget",
            "id": id_ if "/" in id_ else f"organization/{ORG}/{id_}",
        }
        for number, id_ in enumerate(ids)
    ]
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def call(capsys: pytest.CaptureFixture[str], *arguments: str, org: str = ORG) -> tuple[int, str, str]:
    code = main(["unmanaged", "--org", org, *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_states_from_everywhere_are_put_together(
    served: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, standard input and a stack of `pulumi` count together; each is read once, and GitHub by reads only."""
    skus = ("actions", "packages", "codespaces")
    one, two, three = (served.add_budget("organization", ORG, budget_product_sku=sku)["id"] for sku in skus)
    Path("one.json").write_text(export_of(one))
    Path("prod").mkdir()
    program = Path("pulumi")
    program.write_text(
        f"#!/bin/sh\n[ \"$*\" = 'stack export --stack prod --non-interactive' ] && echo '{export_of(three)}'"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(export_of(two).encode())))
    code, out, _ = call(capsys, "--state", "one.json", "-", "--state", "prod", "one.json")
    assert (code, out.splitlines()[0]) == (0, f"Findings for organization {ORG}: 0; states compared: 3")
    assert served.writes == []


def test_findings_are_shown_in_each_format(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The table, Markdown and JSON have the finding and its commands; the exit code is 3."""
    made = served.add_budget("organization", ORG, budget_amount=5)["id"]
    code, table, _ = call(capsys)
    assert code == FOUND
    assert "No state was given, so everything counts as unmanaged" in table
    what = "the actions budget of organization octo-org, scope organization"
    *_, about, adopt, remove = table.splitlines()
    assert about == f"1. unmanaged: {what} ($5, no stop): no given stack manages it."
    declared = f"billing.OrgBudget('org-octo-org-actions', organization='{ORG}', budget_product_sku='actions', "
    assert adopt.endswith(f"and a destroy keeps it: {declared}budget_amount=5)")
    assert remove.endswith(f"/organizations/{ORG}/settings/billing/budgets/{made}")
    code, markdown, _ = call(capsys, "--markdown")
    assert code == FOUND
    assert (
        "| 1 | unmanaged | the actions budget of organization octo-org, scope organization | $5, no stop |" in markdown
    )
    assert "\n  ```\n  import billing_provider as billing\n" in markdown
    Path("s.json").write_text(export_of("enterprise/x/1").replace("OrgBudget", "EnterpriseBudget"))
    code, document, _ = call(capsys, "--json", "--state", "s.json")
    found: dict[str, Any] = json.loads(document)
    assert code == FOUND
    assert (found["owners"], found["states"]) == ([{"kind": "organization", "name": ORG}], ["s.json"])
    assert found["owners_not_read"] == ["enterprise/x"]
    (finding,) = found["findings"]
    assert (finding["kind"], finding["ids"], finding["urns"]) == ("unmanaged", [f"organization/{ORG}/{made}"], [])
    assert [set(step) for step in finding["steps"]] == [{"text", "command", "code"}] * 2
    _, markdown, _ = call(capsys, "--markdown", "--state", "s.json")
    assert "Owners in the states that were not read: `enterprise/x`." in markdown
    _, table, _ = call(capsys, "--state", "s.json")
    assert "Owners in the states that were not read: enterprise/x." in table


def test_gone_resources_name_their_state(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding about a state shows the state and the URN; Markdown escapes what they contain."""
    assert served.writes == []
    Path("a_b.json").write_text(export_of("7"))
    code, table, _ = call(capsys, "--state", "a_b.json")
    assert code == FOUND
    about, refresh, forget = table.splitlines()[-3:]
    assert about == "1. gone: b0 of the stack dev: it is in a state, but not on GitHub: no cap is there."
    assert refresh.endswith(f": pulumi refresh --stack dev --target urn:pulumi:dev::p::{TYPE}OrgBudget::b0")
    assert forget.endswith(f": pulumi state delete --stack dev urn:pulumi:dev::p::{TYPE}OrgBudget::b0")
    _, markdown, _ = call(capsys, "--state", "a_b.json", "--markdown")
    assert "- in `a_b.json`: `urn:pulumi:dev::p::" in markdown
    assert "- id `organization/octo-org/7`\n" in markdown


def test_many_objects_are_adopted_by_one_command(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Above ten objects each is a row, in the order of names, and one command adopts all; other findings stay."""
    person = {"budget_scope": "user", "budget_product_sku": "ai_credits", "budget_type": "BundlePricing"}
    logins = [f"user-{letter}" for letter in "kcbeadfhgji"]
    for login in logins[:10]:
        served.add_budget("organization", ORG, **person, user=login, prevent_further_usage=True)
    assert "billing-provider export" not in call(capsys)[1]
    served.add_budget("organization", ORG, **person, user=logins[10], prevent_further_usage=True)
    for amount in (1, 2, 3):
        served.add_budget("organization", ORG, budget_amount=amount)
    Path("a b.json").write_text(export_of("enterprise/x/1").replace("OrgBudget", "EnterpriseBudget"))
    _, table, _ = call(capsys, "--state", "a b.json")
    lines = table.splitlines()
    rows = [line for line in lines if "scope user" in line]
    assert [line.split("scope user ")[1].split()[0] for line in rows] == sorted(logins)
    assert f"  billing-provider export --org {ORG} --out . --state 'a b.json'" in lines
    about, first, second = lines[-3:]
    assert about.startswith("12. duplicates: the actions budget of organization octo-org, scope organization ($")
    assert (first.count("curl"), second.endswith(" (and 1 more, with --json)")) == (1, True)
    _, markdown, _ = call(capsys, "--state", "a b.json", "--markdown")
    assert f"\n```\nbilling-provider export --org {ORG} --out . --state 'a b.json'\n```\n" in markdown
    assert [line for line in markdown.splitlines() if line.startswith("### ")] == [
        "### 12. the actions budget of organization octo-org, scope organization"
    ]


def test_an_empty_report_says_so_in_markdown(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Without findings there is no table."""
    assert served.writes == []
    code, out, _ = call(capsys, "--markdown")
    assert (code, "|" in out, out.startswith("## Findings for organization octo-org: 0;")) == (0, False, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--state", "nowhere"], "--state: there is no file nowhere, and no `pulumi` on PATH"),
        (["--state", "bad.json"], "bad.json cannot be read: it is not JSON"),
        (["--state", "pipe"], "--state: cannot read pipe: it is not a regular file"),
    ],
)
def test_a_state_that_cannot_be_read_ends_the_verb(
    served: Sandbox,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """The error names the state, and GitHub is not asked."""
    Path("bad.json").write_text("{")
    os.mkfifo("pipe")
    code, _, err = call(capsys, *arguments)
    assert code in {FAILED, MISUSED}
    assert said in err
    assert served.requests == []


def test_an_unknown_stack_ends_the_verb(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """What `pulumi` says is shown on one line."""
    Path("pulumi").write_text("#!/bin/sh\nprintf 'no stack\\nnamed so' >&2; exit 255\n")
    Path("pulumi").chmod(0o700)
    code, _, err = call(capsys, "--state", "prod")
    assert code in {FAILED, MISUSED}
    assert "--state: pulumi stack export prod: no stack named so" in err
    assert served.requests == []


def test_an_owner_is_required(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an owner nothing can be compared."""
    assert main(["unmanaged"]) in {FAILED, MISUSED}
    assert "name an owner: --enterprise SLUG or --org LOGIN" in capsys.readouterr().err
    assert served.requests == []


@pytest.mark.parametrize("days", ["-1", "x", "10000", "1.5"])
def test_days_are_a_whole_number(capsys: pytest.CaptureFixture[str], days: str) -> None:
    """A number of days that is not one is a misuse."""
    with pytest.raises(SystemExit) as ended:
        main(["unmanaged", "--org", ORG, "--days", days])
    assert ended.value.code == MISUSED
    assert "is not a number of days: use a number from 0 to 9999" in capsys.readouterr().err
