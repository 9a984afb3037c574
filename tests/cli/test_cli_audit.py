"""The verb `audit` on the sandbox: formats, rules, exit codes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main
from billing_provider.cli.audit import UNSEEN
from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

E = "octo-enterprise"
FOUND = 3
TOLD = {"will_alert": True, "alert_recipients": ["octocat"]}
HARD: dict[str, Any] = {
    "budget_scope": "enterprise",
    "budget_product_sku": "actions",
    "budget_amount": 100,
    "prevent_further_usage": True,
    "budget_alerting": TOLD,
}
SEATS = {**HARD, "budget_product_sku": "copilot_for_business", "budget_amount": 4}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment names, without a terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["audit", "--enterprise", E, *arguments])
    return code, capsys.readouterr().out


def test_a_sound_account(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a broken rule the exit code is 0, and the table tells what stops; only reads are sent."""
    served.add_budget("enterprise", E, **HARD, exclude_cost_center_usage=True)
    code, out = call(capsys)
    assert code == 0
    assert out.splitlines()[0] == f"Audit of enterprise {E}: 1 of 1 budget really stop usage"
    assert "yes    octo-enterprise  enterprise  actions         $100  not for cost centers\n" in out
    assert f"No hard stop covers all usage of enterprise {E} for: actions, ai_credits" in out
    assert out.endswith(f"\nRules: none is broken.\n\n{UNSEEN}\n")
    assert served.writes == []


def test_no_budget_stops_nothing(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An account without budgets is told as such."""
    assert served.url
    code, out = call(capsys)
    assert code == 0
    assert "No budgets: nothing stops.\n" in out


def test_findings_in_each_format(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The table, Markdown, JSON and CSV have the budget that is a cap in name only; the exit code is 3."""
    served.add_budget("enterprise", E, **HARD)
    made = served.add_budget("enterprise", E, **SEATS)["id"]
    reason = "GitHub does not stop licenses: a budget for them only alerts"
    options = ("--rule", "capped=octo-org", "--skip", "alerts")
    code, table = call(capsys, *options)
    assert code == FOUND
    assert "\nRules: 1 capped, 1 stops-nothing.\n - capped: octo-org: no hard stop of its own is known\n" in table
    code, markdown = call(capsys, "--markdown", *options)
    assert code == FOUND
    assert f"| no | `octo-enterprise` | `enterprise` | `copilot_for_business` | 4 licenses | {reason} |\n" in markdown
    assert (
        "\n#### Rules: 1 capped, 1 stops-nothing.\n\n- capped: octo-org: no hard stop of its own is known\n" in markdown
    )
    assert markdown.endswith(f"\n<sub>{UNSEEN}</sub>\n")
    code, text = call(capsys, "--json", *options)
    found = json.loads(text)
    assert code == FOUND
    assert found["totals"] == {"budgets": 2, "stop": 1, "findings": 2}
    assert found["rules"] == {"umbrella": True, "stops-nothing": True, "capped": ["octo-org"]}
    assert [(each["rule"], each["budget_id"]) for each in found["findings"]] == [
        ("capped", None), ("stops-nothing", made),
    ]  # fmt: skip
    assert [(each["stops"], each["why"], each["unit"]) for each in found["budgets"]] == [
        (True, "", "USD"), (False, reason, "licenses"),
    ]  # fmt: skip
    assert "actions" not in found["not_stopped"][f"enterprise {E}"]
    code, text = call(capsys, "--csv", *options)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == FOUND
    assert [(row["budget_id"] == made, row["covers"], row["stops"], row["rules"]) for row in rows] == [
        (False, E, "true", ""), (True, E, "false", "stops-nothing"), (False, "octo-org", "", "capped"),
    ]  # fmt: skip
