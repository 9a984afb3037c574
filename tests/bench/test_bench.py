"""The bench itself: a small run, the counting of round trips, the tables, and the chart."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from billing_provider.sandbox import Sandbox
from tests.bench import chart, floor, measure, naive, processes, report, results, traffic, worlds
from tests.bench.results import Cell, Results
from tests.bench.traffic import Answered
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
needs_linux = pytest.mark.skipif(not processes.is_supported(), reason="the bench reads /proc")


def cell(kind: str, step: str = "preview", latency: int = 0, group: str = "1000", **figures: Any) -> Cell:
    """Return a cell of three repetitions: the floor takes 2 s, ours 3, the naive provider 4."""
    half = [{"floor": 1.0, "ours": 1.5, "naive": 2.0}[kind]] * 3
    made = Cell("cli", group, kind, step, latency, int(group), program=half, plugin=half, engine_cpu=[0.0] * 3)
    return replace(made, wall=made.cpu, peak=[70.0] * 3, **figures)


def measured() -> Results:
    """Return results of two steps."""
    cells = [
        cell(kind, step, latency, requests=asked, trips=10 if asked else 0)
        for step, latency in (("preview", 0), ("create", 0), ("refresh", 150))
        for kind, asked in (("floor", {}), ("ours", {"list": 10} if latency else {}), ("naive", {"get": 1000}))
    ]
    return Results(
        machine={"date": "2026-11-30", "cores": "2", "processor": "one <kind>", "memory": "8 GB", "system": "Linux",
                 "python": "3.11.7", "sdk": "3.272.0"},
        cells=cells,
        imports={"pulumi": [0.3, 0.3], "package": [0.31, 0.31], "ours": [0.4, 0.4]},
        pace={"count": 1000, "seconds": 4100.0, "refused": 0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "chain"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (1, 2), (2, 3)], 3),
        ([(0, 1), (0.1, 1.1), (0.2, 1.2)], 1),
        ([(0, 1), (1.5, 2.5), (1.6, 2.6), (3, 4)], 3),
        ([(0, 9), (1, 2), (3, 4)], 2),
    ],
    ids=["none", "one", "in a row", "at once", "two at once", "beside a long one"],
)
def test_round_trips(spans: list[tuple[float, float]], chain: int) -> None:
    """Requests that wait for each other are counted, those at the same time only once."""
    assert traffic.round_trips(Answered("get", start=start, end=end) for start, end in spans) == chain


@needs_linux
def test_a_small_run(tmp_path: Path) -> None:
    """Two budgets, the floor and the naive provider run on the embedded engine; each value is told and kept."""
    told: list[str] = []
    group = replace(worlds.budgets(2), steps=[worlds.Step("create", "up", 20, 20)])
    found = Results(cells=measure.measure("embedded", group, 1, told.append))
    assert len(told) == len(found.cells) == 3
    asked = {each.kind: each.requests.get("post", 0) for each in found.cells}
    assert asked == {"ours": 2, "floor": 0, "naive": 2}
    assert all(each.plugin[0] > 0 and each.engine_cpu[0] > 0 and each.peak[0] > 10 for each in found.cells)
    results.write(found, tmp_path / "bench.json")
    assert results.read(tmp_path / "bench.json") == found
    assert max(map(len, report.text(found))) <= report.COLUMNS


def test_the_floor_has_the_properties_of_a_budget() -> None:
    """What does nothing has the inputs and outputs of a budget of the bench in its state, by name."""
    given: dict[str, Any] = {}
    declared = worlds.budgets(1).programs["ours"].partition("\n")[2].replace("COUNT", "1").replace("AMOUNT", "20")
    exec(declared, {"Made": lambda _, **inputs: given.update(inputs)})  # noqa: S102 - the bench's program
    with Sandbox(create_unknown=lambda _: None) as sandbox:
        lifecycle = open_harness(sandbox).enterprise
        inputs = lifecycle.check("b", {}, given, frozenset()).inputs
        stored = lifecycle.create("b", inputs)
    assert inputs.keys() == {*given, *floor.INPUTS}
    assert stored.outputs.keys() == {*given, *floor.INPUTS, *floor.OUTPUTS}


def test_the_naive_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider to compare with creates, reads, changes and deletes a budget, with one request each."""
    with Sandbox(create_unknown=lambda _: None) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        provider = naive.OneByOneProvider()
        props = {"user": "octocat", "budget_product_sku": "ai_credits", "budget_amount": 20.0}
        props |= {"budget_scope": "user", "budget_type": "BundlePricing", "prevent_further_usage": True}
        made = provider.create(props)
        assert made.outs is not None
        provider.update(str(made.id), made.outs, {**props, "budget_amount": 30.0})
        read = provider.read(str(made.id), made.outs)
        assert read.outs is not None
        assert read.outs["budget_amount"] == 30
        provider.delete(str(made.id), made.outs)
        assert sandbox.budgets() == []
        assert [each.method for each in sandbox.requests] == ["POST", "PATCH", "GET", "DELETE"]


@needs_linux
def test_a_failed_command_shows_its_output(tmp_path: Path) -> None:
    """A command that fails ends the bench, with what it printed."""
    with pytest.raises(processes.FailedCommandError, match="no such thing"):
        processes.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], tmp_path, {})


@needs_linux
def test_the_processes_below_a_command_are_counted_by_role(tmp_path: Path) -> None:
    """A child counts by what it does, also one of a child."""
    (tmp_path / "pulumi.dynamic.py").write_text("held = bytearray(60_000_000)\nfor _ in range(5_000_000): pass\n")
    code = "import subprocess, sys; subprocess.run([sys.executable, 'pulumi.dynamic.py'], check=True)"
    used = processes.run([sys.executable, "-c", code], tmp_path, {})
    assert used.cpu["plugin"] > 0
    assert used.peak["plugin"] > 50
    assert used.cpu["program"] == used.peak["program"] == 0


def test_the_least_time() -> None:
    """500 writes need a second between two, and the next one is of the next hour."""
    assert measure.least_seconds(0) == 0
    assert measure.least_seconds(500) == 499
    assert measure.least_seconds(501) == 3600
    assert measure.least_seconds(1000) == 3600 + 499


def test_creates_on_a_virtual_clock() -> None:
    """Twelve creates take the least time, and none is refused."""
    assert measure.pace(12) == {"count": 12, "seconds": measure.least_seconds(12), "refused": 0}


def test_the_table_fits_a_terminal() -> None:
    """A step is one line, with ratios to the floor and to the naive provider; no line has more than 80 columns."""
    lines = report.text(measured())
    assert max(map(len, lines)) <= report.COLUMNS
    (line,) = [line for line in lines if line.startswith("refresh 150ms")]
    assert line.split() == ["refresh", "150ms", "3.00", "1.50", "±0.00", "0.75", "3.00", "1.50", "10/1000", "10/10"]


def test_goals() -> None:
    """A goal is met or not, for what was measured alone."""
    found = {goal.text: (goal.shown, goal.is_met) for goal in report.goals(measured())}
    assert found["Pulumi CLI: unchanged preview of 1,000, at most 1.12 of the floor's processor time"] == (
        "1.50",
        False,
    )
    assert found["Pulumi CLI: unchanged preview of 1,000, requests: at most 0"] == ("0", True)
    assert found["Pulumi CLI: refresh of 1,000, round trips: at most 3"] == ("10", False)
    assert found["`import billing_provider` adds at most 60 ms of processor time"] == ("10 ms", True)
    resource = "from billing_provider import EnterpriseBudget"
    assert found[f"`{resource}` adds at most 60 ms of processor time"] == ("100 ms", False)
    assert found["1,000 creates on a virtual clock at most 1.02 of the least time, none refused"][1]
    assert not any("rows" in text for text in found)


def test_the_chart() -> None:
    """The chart is XML with a title, a description and both modes; it names no other file, and runs nothing."""
    drawn = chart.svg(measured())
    root = ET.fromstring(drawn)  # noqa: S314 - drawn here
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title")
    described = root.findtext(f"{SVG}desc") or ""
    assert "budgets 3.00, one request each 4.00" in described
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")
    assert len([each for each in root.iter(f"{SVG}rect") if float(each.attrib["x"]) == 150]) == 9
    assert not re.search(r"href|url\(|@import|<script|<image|\son\w+=", drawn)
    assert drawn.count("http") == 1
    width = float(root.attrib["width"])
    assert all(float(each.attrib["x"]) + float(each.attrib["width"]) <= width for each in root.iter(f"{SVG}rect"))


def test_the_chart_of_nothing() -> None:
    """Without results, the chart says so."""
    assert "nothing was measured" in chart.svg(Results())


def test_a_group_is_measured_again_as_a_whole() -> None:
    """New values of a group replace all old ones of it, and no other ones."""
    old = measured()
    again = [cell("ours", count=7), cell("ours", count=3, group="10")]
    both = results.merged(old, Results(machine={"date": "later"}, cells=again))
    assert [each.count for each in both.cells] == [7, 3]
    assert (both.machine, both.imports, both.pace) == ({"date": "later"}, old.imports, old.pace)
