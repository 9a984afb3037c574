"""A report or a list of user states with one odd row: no figure is summed from the rest, and nothing else ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.core.clock import TEST_TIME

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

ODD = [json.loads(line) for line in (Path(__file__).parent / "odd_rows.jsonl").read_text().splitlines()]
"""An operation, and fields that its replies have one day; each line is played with every verb and resource."""
E = "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
ODD_REPORTS = [row for row in ODD if "list_user_states" not in row]
CREDITS: dict[str, Any] = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "prevent_further_usage": True,
    "budget_amount": 7,
}


@pytest.fixture(autouse=True)
def budgets(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets whose spend comes from each kind of report, on the day of the sandbox."""
    monkeypatch.setenv(TEST_TIME, "2026-09-21T14:13:20Z")
    sandbox.add_budget("enterprise", E, budget_product_sku="packages", budget_amount=50)
    sandbox.add_budget("enterprise", E, budget_scope="organization", budget_entity_name="octo-org", **CREDITS)
    sandbox.add_budget("enterprise", E, budget_scope="multi_user_customer", **CREDITS)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)


def show(sandbox: Sandbox, odd: dict[str, Any]) -> str:
    """Let the sandbox show an odd row, and return the name of its field."""
    ((operation, fields),) = odd.items()
    sandbox.show_oddly(operation, **fields)
    return str(next(iter(fields)))


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
@pytest.mark.parametrize("option", [[], ["--forecast", "--all"]], ids=["spent", "forecast"])
def test_budgets_go_on(
    odd: dict[str, Any], option: list[str], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """All budgets are shown; a figure that was not understood is unknown, and one line says why."""
    field = show(sandbox, odd)
    assert cli.main(["budgets", "--enterprise", E, *option, "--json"]) == 0
    out, err = capsys.readouterr()
    shown = json.loads(out)
    assert {row["budget_product_sku"] for row in shown.get("budgets") or shown["caps"]} == {"packages", "ai_credits"}
    # The daily report gives no figure of a budget.
    is_read = "usage_report" not in odd
    assert [field in line for line in err.splitlines() if line.startswith("warning")] == [True] * is_read
    assert shown["totals"]["unknown"] == is_read


@pytest.mark.parametrize("odd", ODD_REPORTS, ids=json.dumps)
def test_a_report_names_the_field(odd: dict[str, Any], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The report itself is an error of one line that names the field: a sum without the row would be wrong."""
    field = show(sandbox, odd)
    report = {"usage_report": "daily", "usage_summary": "summary", "ai_credit_usage": "ai-credit"}[next(iter(odd))]
    assert cli.main(["usage", "--enterprise", E, "--report", report]) == 1
    out, err = capsys.readouterr()
    # Before it, a slow machine says that it waits.
    line = err.splitlines()[-1]
    assert (out, line.startswith("error:"), f"0 {field}" in line) == ("", True, True), err


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_a_preview_goes_on(odd: dict[str, Any], sandbox: Sandbox, harness: RunHarness) -> None:
    """A preview compares everything else, in the same run too."""
    show(sandbox, odd)
    operations = harness.operations["EnterpriseBudget"]
    for number, sku in enumerate(("actions", "git_lfs", "packages")):
        news = {"enterprise": E, "budget_product_sku": sku, "budget_amount": 1, "prevent_further_usage": True}
        checked = operations.check(f"urn::{number}", {}, {**news, "on_existing": "adopt"}, NOTHING)
        assert checked.problems == []
    assert any("adopts the existing budget" in line for line in harness.reporter.warnings)
    assert not any("not compared" in line for line in harness.reporter.warnings)
