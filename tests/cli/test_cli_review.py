"""The verb `review`: files, formats, gates, and silence."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from billing_provider.cli import main
from billing_provider.review.markdown import NOT_IN_A_PLAN
from tests.review.world import HARD, PLANS, document, step

FOUND = 3
RAISED = document(step("update", HARD, {**HARD, "budget_amount": 700}))


def call(capsys: pytest.CaptureFixture[str], value: dict[str, Any], *arguments: str) -> tuple[int, str, str]:
    Path("plan.json").write_text(json.dumps(value))
    code = main(["review", "plan.json", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in an empty folder, without a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_terminal_gets_sums_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an option, the sums are a table, and each change has its sides and words."""
    code, out, err = call(capsys, RAISED)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Budgets: 1 change, only losses: 1 raised."
    assert "enterprise octo-enterprise  actions  enterprise    $100   $700\n" in out
    assert (
        "\nraised b: $100 hard stop on actions of octo-enterprise → $700 hard stop on actions of octo-enterprise\n"
        in out
    )
    assert "\n   - raises the most that can be spent by $600 (+600 %)\n" in out
    assert out.endswith(f"\n{NOT_IN_A_PLAN}\n")


def test_a_failed_preview_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A failed preview prints its reason, and no sentence about changes."""
    failed = {**document(), "diagnostics": [{"message": "error: no token", "severity": "error"}]}
    code, out, _ = call(capsys, failed, "--fail-on", "loosening")
    assert (code, out) == (
        0,
        "Budgets: The preview failed.\n\nNot known: the preview failed, so the plan lacks steps: no token\n",
    )
    code, _, err = call(capsys, failed, "--fail-on", "unknown")
    assert (code, err) == (FOUND, "--fail-on unknown: the preview failed, so the plan lacks steps: no token\n")


def test_what_is_said_without_a_change_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan that was not compared with GitHub is no silence, and other warnings are below it."""
    said = document(step("same", HARD, HARD), said={"b": ["not compared with GitHub: 503", "hello"]})
    _, out, _ = call(capsys, said)
    assert out == (
        "Budgets: No budget and no cost center changes, as far as is known.\n"
        "\nNot known: b: not compared with GitHub: 503\n\nThe preview says: b: hello\n"
    )
    _, out, _ = call(capsys, said, "--markdown")
    assert "**Not known:** b: not compared with GitHub: 503" in out
    _, out, _ = call(capsys, said, "--json")
    assert json.loads(out)["said"] == ["b: not compared with GitHub: 503", "b: hello"]


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has the changes, the sums, what is not known, and the gates that stop."""
    code, out, err = call(capsys, RAISED, "--json", "--fail-on", "increase>500", "--fail-on", "deletion")
    found = json.loads(out)
    assert (code, err) == (FOUND, "--fail-on increase>500: EnterpriseBudget b\n")
    assert (found["stack"], found["complete"], found["unknown"]) == ("shop/dev", True, [])
    assert found["stopped"] == [{"gate": "increase>500", "by": "EnterpriseBudget b"}]
    (change,) = found["changes"]
    assert (change["change"], change["is_loss"], change["deletes"]) == ("raised", True, False)
    assert change["means"] == ["raises the most that can be spent by $600 (+600 %)"]
    (total,) = found["totals"]
    assert total["after"] == {"amount": 700.0, "unit": "USD", "capped": 1, "unlimited": 0, "unknown": 0}


def test_markdown_has_the_title(capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown has the hidden marker, and the given heading."""
    _, out, _ = call(capsys, RAISED, "--markdown", "--title", "Caps of production")
    assert out.splitlines()[:2] == ["<!-- billing-provider review: shop/dev -->", "### Caps of production"]


def test_a_rule_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A second setting of a rule would replace the first one, so it is refused."""
    code, out, err = call(capsys, RAISED, "--rule", "capped=octo-org", "--rule", "capped=octo-lab")
    assert (code, out) == (2, "")
    assert "--rule: capped is given twice: give it once, names as in capped=A,B" in err


def test_rules_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule names the budgets that break it after the plan, and what it cannot see; the gate `rules` stops."""
    options = ("--rule", "max-amount=600", "--rule", "capped=octo-org", "--fail-on", "rules")
    value = {**RAISED, "changeSummary": {"same": 2}}
    code, out, err = call(capsys, value, *options)
    what = "$700 hard stop on actions of octo-enterprise: the amount is above $600"
    assert (code, err) == (FOUND, "--fail-on rules: capped: octo-org and 1 more\n")
    assert (
        f"\nRules: 1 capped, 1 max-amount.\ncapped: octo-org: no hard stop of its own is known\nmax-amount: {what}\n"
        in out
    )
    assert "made by hand. 2 unchanged resources are not in it.\n" in out
    code, out, _ = call(capsys, value, *options, "--markdown")
    assert "\n#### Rules: 1 capped, 1 max-amount.\n\n- capped: octo-org: no hard stop of its own is known\n" in out
    assert f"\n- max-amount: {what}\n" in out
    code, out, _ = call(capsys, value, *options, "--json")
    assert [each["rule"] for each in json.loads(out)["rules"]] == ["capped", "max-amount"]
    damaged = document(step("update", HARD, {**HARD, "budget_amount": []}), step("delete", HARD, name="c"))
    code, out, _ = call(capsys, damaged, "--rule", "alerts", "--fail-on", "rules")
    assert code == 0
    assert "\nRules: none is broken.\n" in out


def test_nothing_is_said_about_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan without a change prints nothing, unless asked; JSON is always a document."""
    same = document(step("same", HARD, HARD), same=1)
    assert call(capsys, same, "--markdown", "--fail-on", "unknown") == (0, "", "")
    assert call(capsys, same, "--always") == (0, "Budgets: No budget and no cost center changes.\n", "")
    assert "**No budget and no cost center changes.**" in call(capsys, same, "--always", "--markdown")[1]
    assert json.loads(call(capsys, same, "--json")[1])["changes"] == []


def test_a_gate_names_the_first_and_counts_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each gate on standard error, however many resources stop it."""
    steps = [step("delete", {**HARD, "budget_amount": number}, name=f"b{number}") for number in range(1, 4)]
    code, _, err = call(capsys, document(*steps), "--fail-on", "deletion", "--fail-on", "blocks")
    assert (code, err) == (FOUND, "--fail-on deletion: EnterpriseBudget b1 and 2 more\n")


def test_a_plan_on_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign - is standard input."""
    content = (PLANS / "stream.jsonl").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["review", "-", "--markdown"]) == 0
    assert "<!-- billing-provider review: p/s -->" in capsys.readouterr().out


def test_other_files_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file and a state are errors in one line, with exit code 2."""
    assert main(["review", "none.json"]) == 2
    assert capsys.readouterr().err == "error: plan: cannot read none.json: No such file or directory\n"
    code, out, err = call(capsys, {"version": 3, "deployment": {}})
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not a plan" in err
