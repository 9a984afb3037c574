"""The verbs budgets, usage and cost-centers on the sandbox: figures, bars, totals, formats, texts."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main, render
from billing_provider.cli.tables import Cell
from billing_provider.core.clock import Clock
from billing_provider.core.owners import ENTERPRISE_OWNER
from billing_provider.reader import Reader
from billing_provider.sandbox import Sandbox
from billing_provider.usage.models import exact_sum
from billing_provider.usage.spend import BudgetSpend, SpendReport
from tests.support.clock import START
from tests.support.pictures import PLAIN, E, declare
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.owners import Owner
    from tests.support.harness import RunHarness


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment names, on a fixed day."""
    monkeypatch.setattr(Clock, "wall", lambda _clock: START)
    with Sandbox(clock=lambda: START) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def cells(table: str, *first: str) -> list[str]:
    """Return the cells of the line that begins with these words."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()]
    (found,) = [line for line in lines if tuple(line[: len(first)]) == first]
    return found


def test_budgets_show_spend_and_cap(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Each budget has its spend, GitHub's figure or the sum of the reports; an unknown spend is not 0."""
    served.switch("whole_month_counts")
    declare(served)
    table = shown(capsys, "budgets", "--enterprise", E)
    rows = json.loads(shown(capsys, "budgets", "--enterprise", E, "--json"))["budgets"]
    spent = {(row["budget_scope"], row["budget_product_sku"]): row["spent"] for row in rows}
    summary = json.loads(shown(capsys, "usage", "--enterprise", E, "--by", "product", "--json"))
    actions = next(row["net_amount"] for row in summary["rows"] if row["product"] == "Actions")
    assert spent["enterprise", "actions"] == actions
    licenses = next(row for row in rows if row["budget_product_sku"] == "copilot_for_business")
    assert (licenses["spent"], licenses["unit"], licenses["spent_from"]) == (3.0, "licenses", "usage")
    assert spent["repository", "ai_credits"] is None
    assert spent["enterprise", "ai_credits"] is None
    assert spent["enterprise", "codespaces"] == 0
    assert next(row for row in rows if row["budget_scope"] == "user")["spent_from"] == "budget"
    top = next(row for row in rows if row["budget_scope"] == "multi_user_customer")
    assert (top["spent_from"], top["spent_by"] is not None) == ("user states", True)
    line = cells(table, "enterprise", "all", "copilot_for_business")
    assert line[3:] == ["3", "4", "licenses", "75 %", "███████░░░", "stops"]
    assert cells(table, "cost_center", "Platform")[3:] == [
        f"{spent['cost_center', 'ai_credits']:.3f}",
        "0.00",
        "USD",
        "100 %",
        "██████████",
        "goes on",
    ]
    assert cells(table, "organization", "octo-org")[-1] == "alerts"
    assert cells(table, "repository", "octo-org/api")[3:] == ["-", "0.00", "USD", "-", "goes on"]
    assert "2,000.00" in table
    assert "- means unknown" in table
    scopes = [row["budget_scope"] for row in rows]
    assert scopes == sorted(scopes, key=list(ENTERPRISE_OWNER.scopes).index)
    lines = list(csv.DictReader(io.StringIO(shown(capsys, "budgets", "--enterprise", E, "--csv"))))
    assert [line["spent"] for line in lines] == ["" if row["spent"] is None else f"{row['spent']:g}" for row in rows]


def test_each_report_is_read_once_for_all_budgets(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Budgets with the same usage share one request."""
    for sku in ("actions", "packages", "codespaces"):
        fields = {**PLAIN, "budget_scope": "organization", "budget_product_sku": sku, "budget_amount": 100}
        served.add_budget("organization", "octo-org", **fields)
    served.forget_requests()
    shown(capsys, "budgets", "--org", "octo-org")
    assert [request.path.rpartition("/billing/")[2] for request in served.requests] == ["budgets", "usage/summary"]


def test_an_owner_without_budgets(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Without budgets, a sentence stands for the table, and JSON has an empty list."""
    assert served.url
    assert shown(capsys, "budgets", "--org", "octo-org") == ("Budgets of organization octo-org: 0\n\nNo budgets.\n")
    document = json.loads(shown(capsys, "budgets", "--org", "octo-org", "--json"))
    assert (document["organization"], document["budgets"]) == ("octo-org", [])
    assert document["totals"] == {"budgets": 0, "stops": 0, "at_cap": 0, "unknown": 0}


@pytest.mark.parametrize("report", ["summary", "daily", "ai-credit", "premium-request"])
@pytest.mark.parametrize("owner", [("--enterprise", E), ("--org", "octo-org")], ids=str)
def test_totals_are_the_same_in_every_format(
    report: str, owner: tuple[str, str], served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows of JSON and CSV add up to the totals of JSON and of the table."""
    assert served.url
    ask = ("usage", *owner, "--report", report, "--year", "2026", "--month", "8")
    document = json.loads(shown(capsys, *ask, "--json"))
    lines = list(csv.DictReader(io.StringIO(shown(capsys, *ask, "--csv"))))
    total = cells(shown(capsys, *ask), "total")
    for number, figure in enumerate(("gross_amount", "discount_amount", "net_amount"), 1):
        expected = document["totals"][figure]
        assert exact_sum(row[figure] for row in document["rows"]) == expected
        assert exact_sum(float(line[figure]) for line in lines) == expected
        assert float(total[number].replace(",", "")) == round(expected, 4)
    assert document["time_period"] == {"year": 2026, "month": 8, "day": None}
    assert (document["settled"], document["currency"]) == (True, "USD")
    assert document["leaves_out_cost_centers"] == (report == "daily" and owner[0] == "--enterprise")


def test_figures_are_aligned_to_the_right(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The amounts of a column are aligned to the right, with equal decimals."""
    assert served.url
    table = shown(capsys, "usage", "--org", "octo-org", "--month", "8")
    body = [line.rstrip() for line in table.splitlines() if re.search(r"\.\d\d+$", line.rstrip())]
    assert len(body) > 3
    assert len({len(line) for line in body}) == 1
    assert len({line.rpartition(".")[2] and len(line.rpartition(".")[2]) for line in body}) == 1


def test_usage_is_grouped(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A report can be grouped by each of its keys, can include cost centers, and has no sum of mixed units."""
    assert served.url
    every = ("usage", "--enterprise", E, "--report", "daily", "--month", "8", "--all-cost-centers")
    by = ("--by", "date", "organization", "repository", "cost-center")
    rows = json.loads(shown(capsys, *every, *by, "--json"))["rows"]
    assert {"Platform", "Data", "none"} == {row["cost-center"] for row in rows}
    assert len({row["date"] for row in rows}) > 5
    assert {row["unit_type"] for row in rows} > {None, "minutes"}
    models = json.loads(shown(capsys, "usage", "--enterprise", E, "--report", "ai-credit", "--by", "model", "--json"))
    assert {row["model"] for row in models["rows"]} > {"GPT-5"}
    table = shown(capsys, *every, "--by", "cost-center")
    assert cells(table, "none")[0] == "none"
    assert "leaves out" not in table
    assert "--all-cost-centers includes them" in shown(capsys, "usage", "--enterprise", E, "--report", "daily")


def test_unknown_and_preliminary_figures_have_a_note(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes below the table name unknown and preliminary figures."""
    served.switch("current_days_zero")
    assert "can still change" in shown(capsys, "usage", "--org", "octo-org")
    day = "10"
    unknown = shown(capsys, "usage", "--org", "octo-org", "--report", "ai-credit", "--day", day)
    assert "No usage is reported yet" in unknown
    assert "No usage.\n" not in unknown
    document = json.loads(shown(capsys, "usage", "--org", "octo-org", "--report", "ai-credit", "--day", day, "--json"))
    assert document["totals"] == {"gross_amount": None, "discount_amount": None, "net_amount": None}


def test_cost_centers_and_members(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb shows all cost centers with totals, or the members of one."""
    platform, data = (center["id"] for center in served.cost_centers())
    table = shown(capsys, "cost-centers", "--enterprise", E)
    assert cells(table, "Platform") == ["Platform", "active", "2", "0", "0", "0", "off", platform]
    assert cells(table, "total") == ["total", "2", "1", "0", "0"]
    members = shown(capsys, "cost-centers", "data", "--enterprise", E)
    assert members.startswith(f"Cost center Data of enterprise {E}: 1 member\n")
    assert cells(members, "Org") == ["Org", "octo-lab"]
    assert f"id {data}, active, AI-credit pool off" in members
    document = json.loads(shown(capsys, "cost-centers", "--enterprise", E, "--state", "active", "--json"))
    assert [center["name"] for center in document["cost_centers"]] == ["Platform", "Data"]
    lines = shown(capsys, "cost-centers", "--enterprise", E, "--csv").splitlines()
    assert lines[0] == "cost_center,id,state,type,member"
    assert lines[1:] == [
        f"Platform,{platform},active,User,monalisa",
        f"Platform,{platform},active,User,hubot",
        f"Data,{data},active,Org,octo-lab",
    ]
    assert shown(capsys, "cost-centers", "--enterprise", E, "--state", "deleted") == (
        f"Deleted cost centers of enterprise {E}: 0\n\nNo deleted cost centers.\n"
    )


def test_a_refusal_exits_with_1(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A request that GitHub refuses exits with 1, and standard output is empty."""
    assert served.url
    assert main(["cost-centers", "--enterprise", "nobody"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error: list the cost centers of enterprise nobody: GitHub returned" in printed.err


def test_the_command_prints_a_table(served: Sandbox) -> None:
    """In a pipe, a table has its full width, and names are printed unchanged."""
    served.rename_cost_center("Platform", "[red]Platform[/red]")
    command = [sys.executable, "-c", "import sys; from billing_provider.cli import main; sys.exit(main())"]
    command += ["cost-centers", "--enterprise", E]
    # The readline that pytest loads puts COLUMNS into the process, which only a given environment leaves behind.
    env = {**os.environ}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "[red]Platform[/red]" in done.stdout
    assert served.cost_centers()[0]["id"] in done.stdout
    assert done.stderr == ""


CANARY = "sandbox-canary-token-5up3r"
ECHO = f"[red]{CANARY}[/]\n\x1b[2J\u202e:smile: gh\u200bp_0123456789abcdef \ud800"
AMOUNTS = dict.fromkeys(
    [
        *("pricePerUnit", "grossQuantity", "grossAmount", "discountQuantity"),
        *("discountAmount", "netQuantity", "netAmount"),
    ],
    1.0,
)
ECHOES = {
    "cost-centers": {
        "costCenters": [{"id": "1", "name": ECHO, "state": ECHO, "resources": [{"type": ECHO, "name": ECHO}]}]
    },
    "budgets": {
        "budgets": [
            {
                "id": "1",
                "budget_scope": ECHO,
                "budget_entity_name": ECHO,
                "budget_product_sku": ECHO,
                "budget_amount": 5,
                "consumed_amount": 5,
                "prevent_further_usage": False,
                "user": ECHO,
            }
        ],
        "has_next_page": False,
    },
    "usage": {
        "timePeriod": {"year": 2026},
        "usageItems": [{"product": ECHO, "sku": ECHO, "unitType": ECHO, "model": ECHO, CANARY: 1, **AMOUNTS}],
    },
}


ECHOES["budgets --forecast"] = ECHOES["budgets"]


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
@pytest.mark.parametrize("verb", ECHOES)
def test_output_never_shows_the_token(
    verb: str, form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token in any field of a reply is masked in every format; a table shows plain text on one line."""
    with WireServer(answer(200, ECHOES[verb])) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", CANARY)
        printed = shown(capsys, *verb.split(), "--enterprise", E, *form)
    assert CANARY not in printed
    assert "[secret]" in printed
    if not form:
        assert "\x1b" not in printed
        assert "[red][secret][/] [2J:smile: [secret] ?" in " ".join(printed.split())


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, True),
    ],
    ids=str,
)
def test_colours_are_for_terminals(
    variables: dict[str, str], expected: bool, served: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal gets colours, unless NO_COLOR is set or the terminal has none; the text is the same without them."""
    declare(served)
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    printed = []
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["budgets", "--enterprise", E]) == 0
        printed.append(stream.getvalue())
    assert ("\x1b[31m██████████\x1b[0m" in printed[0]) == expected
    assert ("\x1b[1mproduct or SKU\x1b[0m" in printed[0]) == expected
    assert re.sub(r"\x1b\[\d+m", "", printed[0]) == printed[1]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (io.StringIO, "warning: look\nwaiting for GitHub ...\nthe rest ...\n"),
        (Terminal, "warning: look\n\r\x1b[2Kwaiting for GitHub ...\r\x1b[2Kthe rest ...\r\x1b[2K"),
    ],
    ids=["piped", "terminal"],
)
def test_progress_is_shown_after_a_delay(
    stream: Callable[[], io.StringIO], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long wait is shown on standard error: in place on a terminal, else line by line."""
    heard = stream()
    monkeypatch.setattr(sys, "stderr", heard)
    reporter = render.StderrReporter()
    reporter.warn("look")
    reporter.status("waiting for GitHub")
    reporter.show()
    reporter.status("the rest")
    reporter.end()
    reporter.status("nothing more")
    assert heard.getvalue() == expected


def test_progress_needs_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long wait is shown even without a status; a short one is not."""
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)
    with render.reading(patience_seconds=60):
        pass
    assert heard.getvalue() == ""
    with render.reading(patience_seconds=0):
        while not heard.getvalue():
            pass
    assert heard.getvalue() == "waiting for GitHub ...\n"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([1, 2.5], ["1.00", "2.50"]),
        ([0.276, 1000.0, None], ["0.276", "1,000.000", "-"]),
        ([0.123456, 100], ["0.1235", "100.0000"]),
        ([1e15, 1e-9], ["1,000,000,000,000,000.00", "0.00"]),
        ([1e300], [f"1{',000' * 100}.00"]),
    ],
    ids=str,
)
def test_amounts_of_a_column_share_their_decimals(values: list[float | None], expected: list[str]) -> None:
    """A column has two to four decimals, as many as its values need."""
    assert render.amounts(values) == expected


def test_shares_and_counts() -> None:
    """The length of a bar is its share, at most the full width; counts have only the decimals they need."""
    assert (render.percent(None), render.bar(None)) == ("-", Cell(""))
    shares = (-0.5, 0.0, 0.749, 0.75, 3.0, 1e308)
    assert [render.percent(share) for share in shares] == ["-50 %", "0 %", "74 %", "75 %", "300 %", "999999999 %"]
    assert [render.bar(share) for share in shares] == [
        Cell("░░░░░░░░░░", "green"),
        Cell("░░░░░░░░░░", "green"),
        Cell("███████░░░", "green"),
        Cell("███████░░░", "yellow"),
        Cell("██████████", "red"),
        Cell("██████████", "red"),
    ]
    assert [render.quantity(value) for value in (None, 0, 1234.0, 2.5, 1e6)] == ["-", "0", "1,234", "2.5", "1,000,000"]


def numbered(rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        row["id"] = str(number)


BUDGET = {"budget_product_sku": "ai_credits", "prevent_further_usage": True}


def test_inaccessible_usage_is_unknown(new_run: Callable[..., RunHarness], enterprise: Owner) -> None:
    """A refused report, an unknown user, refused users and delayed figures give an unknown spend; 0 of 0 is 0 %."""
    empty = {"timePeriod": {"year": 2026, "month": 9, "day": 20}, "usageItems": []}
    rows: list[dict[str, Any]] = [
        {**BUDGET, "budget_scope": "user", "user": "ghost", "budget_amount": 5},
        {**BUDGET, "budget_scope": "user", "user": "x", "budget_amount": 5, "budget_product_sku": "actions"},
        {**BUDGET, "budget_scope": "organization", "budget_entity_name": "o", "budget_amount": 0},
        {**BUDGET, "budget_scope": "multi_user_cost_center", "budget_amount": 0},
        {**BUDGET, "budget_scope": "multi_user_customer", "budget_amount": 5},
        {**BUDGET, "budget_scope": "enterprise", "budget_amount": 5, "budget_product_sku": "actions"},
        {**BUDGET, "budget_scope": "brand_new", "budget_amount": 5, "consumed_amount": 1},
    ]
    numbered(rows)
    alone = answer(404, {"message": "Not Found"})
    replies = [
        answer(200, {"budgets": rows, "has_next_page": False}),
        answer(404, {"message": "Not Found"}),
        # What no report tells is read alone.
        alone,
        alone,
        answer(403, {"message": "no"}),
        alone,
        answer(200, {"user_states": [], "has_next_page": False}),
        answer(403, {"message": "no"}),
        answer(200, empty),
        alone,
    ]
    with WireServer(*replies) as server:
        reader = Reader(new_run(base_url=server.url).run)
        spends = list(SpendReport(reader, enterprise).of(reader.budgets(enterprise=E)))
    assert [(spend.spent, spend.share) for spend in spends] == [
        (None, None),
        (None, None),
        (None, None),
        (0.0, 0.0),
        (None, None),
        (None, None),
        (1.0, 0.2),
    ]


def test_bare_repositories_and_multi_user_budgets_of_an_organization(
    new_run: Callable[..., RunHarness], organization: Owner
) -> None:
    """A repository of an organization is matched without its owner; only enterprises have user states."""
    rows: list[dict[str, Any]] = [
        {**BUDGET, "budget_scope": "repository", "budget_entity_name": "api", "budget_amount": 5,
         "budget_product_sku": "actions"},
        {**BUDGET, "budget_scope": "multi_user_customer", "budget_amount": 5},
        {**BUDGET, "budget_scope": "organization", "budget_amount": 5, "budget_product_sku": "ghas"},
    ]  # fmt: skip
    numbered(rows)
    empty = {"timePeriod": {"year": 2026, "month": 9}, "usageItems": []}
    with WireServer(answer(200, {"budgets": rows, "has_next_page": False}), answer(200, empty)) as server:
        reader = Reader(new_run(base_url=server.url).run)
        spends = list(SpendReport(reader, organization).of(reader.budgets(organization="octo-org")))
        assert "repository=octo-org%2Fapi" in server.heard[1]
    assert [(spend.spent, spend.unit) for spend in spends] == [(0.0, "USD"), (None, "USD"), (0.0, "licenses")]
    assert BudgetSpend(spends[0].budget, 5.0, "USD").share == 1.0


def test_an_unknown_scope_is_last(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A scope that this package does not know is shown after the known ones."""
    rows: list[dict[str, Any]] = [
        {**BUDGET, "budget_scope": "brand_new", "budget_amount": 5, "consumed_amount": 1},
        {**BUDGET, "budget_scope": "user", "user": "x", "budget_amount": 5, "consumed_amount": 1},
    ]
    numbered(rows)
    with WireServer(answer(200, {"budgets": rows, "has_next_page": False})) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-token")
        document = json.loads(shown(capsys, "budgets", "--enterprise", E, "--json"))
    assert [row["budget_scope"] for row in document["budgets"]] == ["user", "brand_new"]
