"""JSON and CSV of the verbs: formats that only grow, read by jq and by the csv module."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main, render
from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.support.clock import START
from tests.support.pictures import E, declare

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = ("--enterprise", E)
VERBS = {
    "budgets": ("budgets", *OWNER),
    "cost-centers": ("cost-centers", *OWNER),
    "cost-centers NAME": ("cost-centers", "Data", *OWNER),
    "forecast": ("budgets", *OWNER, "--forecast", "--all"),
    "skus": ("skus",),
    "usage": ("usage", *OWNER, "--report", "daily", "--by", "organization", "repository", "cost-center"),
}
LISTS = {
    "budgets": "budgets",
    "forecast": "caps",
    "cost-centers": "cost_centers",
    "cost-centers NAME": "cost_centers",
    "skus": "skus",
}
"""The list of a document; `rows` if it is not here."""

# These tables only get more entries: scripts of users read what is in them.
KEYS = {
    "budgets": {"owner", "enterprise", "budgets", "totals"},
    "cost-centers": {"owner", "enterprise", "cost_centers", "totals"},
    "cost-centers NAME": {"owner", "enterprise", "cost_centers", "totals"},
    "forecast": {"owner", "as_of", "near_percent", "caps", "totals"},
    "skus": {"skus", "totals"},
    "usage": {"owner", "filters", "report", "time_period", "settled", "leaves_out_cost_centers", "currency"}
    | {"rows", "totals"},
}
TOTALS = {
    "budgets": {"budgets", "stops", "at_cap", "unknown"},
    "cost-centers": {"cost_centers", "users", "organizations", "repositories", "enterprise_teams"},
    "cost-centers NAME": {"cost_centers", "users", "organizations", "repositories", "enterprise_teams"},
    "forecast": {"over", "near", "rising", "unknown", "below"},
    "skus": {"skus"},
    "usage": {"gross_amount", "discount_amount", "net_amount"},
}
HEADERS = {
    "budgets": "id,budget_amount,budget_product_sku,budget_type,budget_scope,budget_entity_name,user,"
    "prevent_further_usage,will_alert,alert_recipients,expires_at,exclude_cost_center_usage,consumed_amount,"
    "unit,spent,spent_from,spent_by",
    "cost-centers": "cost_center,id,state,type,member",
    "cost-centers NAME": "cost_center,id,state,type,member",
    "forecast": "budget_id,budget_scope,who,budget_product_sku,state,spent,cap,unit,share,spent_from,when,reaches,"
    "prevent_further_usage",
    "skus": "budget_product_sku,budget_type,unit,source,date",
    "usage": "organization,repository,cost-center,quantity,unit_type,gross_amount,discount_amount,net_amount,"
    "owner,period,settled",
}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with budgets, which the environment names, on a fixed day."""
    monkeypatch.setenv(TEST_TIME, "2026-09-21T14:13:20Z")
    with Sandbox(clock=lambda: START) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        declare(sandbox)
        yield sandbox


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("verb", VERBS)
def test_json_has_its_keys(verb: str, served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A document has its owner, its rows and its totals, and every key that it ever had."""
    assert served.url
    document = json.loads(shown(capsys, *VERBS[verb], "--json"))
    assert set(document) >= KEYS[verb]
    assert set(document["totals"]) >= TOTALS[verb]
    assert document[LISTS.get(verb, "rows")]
    if "owner" in KEYS[verb]:
        assert document["owner"] == {"kind": "enterprise", "name": E}


@pytest.mark.parametrize("verb", VERBS)
def test_csv_has_its_columns(verb: str, served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV begins with the columns that it ever had, and each cell is a plain value."""
    assert served.url
    text = shown(capsys, *VERBS[verb], "--csv")
    assert text.partition("\n")[0].startswith(HEADERS[verb])
    rows = read_csv(text)
    assert len(rows) == text.count("\n") - 1
    for row in rows:
        assert None not in row
        for cell in row.values():
            assert cell not in {"None", "True", "False", "[]"}
            assert not cell.endswith(".0")
            assert not cell.startswith(("[", "{", "("))


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq on PATH")
@pytest.mark.parametrize("verb", VERBS)
def test_jq_reads_json(verb: str, served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The program jq counts the rows of a document and reads its totals."""
    assert served.url
    text = shown(capsys, *VERBS[verb], "--json")
    name = LISTS.get(verb, "rows")
    done = subprocess.run(
        ["jq", "-c", f"[(.{name} | length), .totals]"],  # noqa: S607 - whichever the developer has
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(text)
    assert json.loads(done.stdout) == [len(document[name]), document["totals"]]


def test_values_of_budgets(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV and JSON hold the same values: flags, whole amounts, lists, and nothing for what is unknown."""
    served.add_budget(
        "enterprise",
        E,
        budget_type="SkuPricing",
        budget_product_sku="actions_macos",
        budget_scope="enterprise",
        budget_amount=70,
        prevent_further_usage=True,
        budget_alerting={"will_alert": True, "alert_recipients": ["octocat", "monalisa"]},
    )
    document = json.loads(shown(capsys, *VERBS["budgets"], "--json"))
    rows = read_csv(shown(capsys, *VERBS["budgets"], "--csv"))
    assert [row["id"] for row in rows] == [row["id"] for row in document["budgets"]]
    (row,) = (row for row in rows if row["budget_product_sku"] == "actions_macos")
    assert (row["budget_amount"], row["prevent_further_usage"], row["will_alert"]) == ("70", "true", "true")
    assert (row["alert_recipients"], row["user"]) == ("octocat;monalisa", "")
    for one, other in zip(rows, document["budgets"], strict=True):
        assert one["spent"] == "" if other["spent"] is None else float(one["spent"]) == other["spent"]
    assert document["totals"]["budgets"] == len(rows)
    assert document["totals"]["stops"] == sum(row["prevent_further_usage"] == "true" for row in rows)
    assert document["totals"]["unknown"] == sum(row["spent"] == "" for row in rows) > 0
    assert document["totals"]["at_cap"] > 0


def test_no_budgets_have_the_same_columns(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV without rows has its header."""
    assert served.url
    assert shown(capsys, "budgets", "--org", "octo-org", "--csv") == f"{HEADERS['budgets']}\n"


def test_a_cost_center_without_members_has_a_row(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A cost center without members is in the CSV, and the totals count all kinds of members."""
    document = json.loads(shown(capsys, *VERBS["cost-centers"], "--json"))
    assert document["totals"] == {
        "cost_centers": 2, "users": 2, "organizations": 1, "repositories": 0, "enterprise_teams": 0,
    }  # fmt: skip
    content = served.snapshot()
    content["cost_centers"][0]["resources"] = []
    served.restore(content)
    row = read_csv(shown(capsys, *VERBS["cost-centers"], "--csv"))[0]
    assert (row["cost_center"], row["state"], row["type"], row["member"]) == ("Platform", "active", "", "")


def test_the_filters_of_usage(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The owner is the broadest one, and the document names the filters."""
    assert served.url
    ask = ("usage", *OWNER, "--org", "octo-org", "--product", "Actions", "--json")
    document = json.loads(shown(capsys, *ask))
    assert document["owner"] == {"kind": "enterprise", "name": E}
    assert document["filters"] == {"organization": "octo-org", "product": "Actions"}


def test_unknown_and_outside_differ(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage outside all cost centers is `none`; an unknown repository is null in JSON and empty in CSV."""
    assert served.url
    rows = json.loads(shown(capsys, *VERBS["usage"], "--json"))["rows"]
    lines = read_csv(shown(capsys, *VERBS["usage"], "--csv"))
    assert {row["cost-center"] for row in rows} == {line["cost-center"] for line in lines} == {"none"}
    assert [row["repository"] or "" for row in rows] == [line["repository"] for line in lines]
    assert None in {row["repository"] for row in rows}


@pytest.mark.parametrize(
    ("asked", "period", "settled"),
    [
        (("--month", "8"), "2026-08", "true"),
        ((), "2026-09", "false"),
        (("--month", "8", "--day", "3"), "2026-08-03", "true"),
        (("--report", "daily"), "2026", "false"),
    ],
    ids=["month", "this month", "day", "year"],
)
def test_rows_of_usage_can_be_joined(
    asked: tuple[str, ...], period: str, settled: str, served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row of the CSV says whose usage it is, of which period, and whether the figures are final."""
    assert served.url
    for kind, name in (("--enterprise", E), ("--org", "octo-org")):
        rows = read_csv(shown(capsys, "usage", kind, name, *asked, "--csv"))
        assert {(row["owner"], row["period"], row["settled"]) for row in rows} == {(name, period, settled)}


def test_a_part_of_a_report_is_not_printed(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """If the usage of one cost center cannot be read, no line is printed: a sum of a part would be wrong."""
    served.plan([{"path": "*/settings/billing/usage", "action": "404", "nth": 3}])
    asked = ("--report", "daily", "--all-cost-centers", "--by", "cost-center", "--csv")
    assert main(["usage", *OWNER, *asked]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error: " in printed.err


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (5.0, "5"),
        (-5.25, "-5.25"),
        (0.1, "0.1"),
        ([], ""),
        (["a", "b"], "a;b"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@a", "'@a"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        (["=a", "b"], "'=a;b"),
        ("a=b", "a=b"),
        ("two\nlines\x1b", "two lines"),
    ],
    ids=str,
)
def test_a_cell_is_plain(value: Any, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell has one line and no Python, and no spreadsheet reads a text as a formula; a number stays a number."""
    render.print_csv(["cell"], [[value]])
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:] == [[expected]]
