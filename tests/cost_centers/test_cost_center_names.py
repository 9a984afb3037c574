"""Names with spaces at an end, no-break spaces and joined emoji are names; a hostile name ends nothing."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.core.redact import MASK, quoted, remember
from billing_provider.cost_centers.cache import matching
from billing_provider.cost_centers.models import CostCenterDetails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
NAMES = {
    "Apps ": '"Apps "',
    " Apps": '" Apps"',
    "Big\u00a0Apps": '"Big\\xa0Apps"',
    "Big  Apps": '"Big \\x20Apps"',
    "Apps \U0001f469\u200d\U0001f4bb": '"Apps \U0001f469\\u200d\U0001f4bb"',
}
"""Names, and how they are shown: in quotes, as a program writes them."""
HOSTILE = ("Apps\x00\x1b[31m", "Apps\u202espp", "A" * 300, "\u200b", "ghp_" + "0123456789abcdef" * 2)


@pytest.fixture(autouse=True)
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)


def create(harness: RunHarness, kind: str, urn: str, **news: Any) -> Stored:
    """Check and create one resource of the enterprise."""
    operations = harness.operations[kind]
    checked = operations.check(urn, {}, {"enterprise": E, **news}, NOTHING)
    assert checked.problems == []
    return operations.create(urn, checked.inputs)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_found_as_it_is_listed(
    name: str, sandbox: Sandbox, new_run: Callable[[], RunHarness], capsys: pytest.CaptureFixture[str]
) -> None:
    """The verb, a budget and a resource find the cost center by its name, and not the other one with fewer spaces."""
    sandbox.rename_cost_center("Platform", name)
    sandbox.rename_cost_center("Data", name.strip() if name != name.strip() else "Apps")
    first, second = sandbox.cost_centers()
    assert cli.main(["cost-centers", name, "--enterprise", E, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["cost_centers"]
    assert (shown["id"], shown["name"]) == (first["id"], name)
    budget = {"budget_scope": "cost_center", "budget_product_sku": "actions", "budget_amount": 5}
    stored = create(new_run(), "EnterpriseBudget", "urn::b", **budget, budget_entity_name=name)
    assert stored.outputs["cost_center_id"] == first["id"]
    center = create(new_run(), "CostCenter", "urn::c", name=name)
    assert (center.outputs["cost_center_id"], center.inputs["name"]) == (first["id"], name)
    harness = new_run()
    for kind, each, urn in (("EnterpriseBudget", stored, "urn::b"), ("CostCenter", center, "urn::c")):
        read = harness.operations[kind].read(urn, each.id, each.outputs)
        assert read is not None
        assert read.inputs == each.inputs
    assert [each["id"] for each in sandbox.cost_centers()] == [first["id"], second["id"]]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_shown_with_its_spaces(
    name: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Tables and messages show the name in quotes; JSON, CSV and an exported program have it as it is."""
    sandbox.rename_cost_center("Platform", name)
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name=name, budget_amount=7)
    for verb in (["cost-centers"], ["cost-centers", name], ["budgets"], ["budgets", "--forecast", "--all"]):
        assert cli.main([*verb, "--enterprise", E]) == 0
        assert NAMES[name] in capsys.readouterr().out
    assert cli.main(["cost-centers", "--enterprise", E, "--csv"]) == 0
    assert f"\n{name}," in capsys.readouterr().out
    assert cli.main(["cost-centers", "Nobody", "--enterprise", E]) == 2
    assert f"Existing: {', '.join(sorted([NAMES[name], 'Data'], key=lambda each: each.strip(chr(34))))}." in (
        capsys.readouterr().err
    )
    assert cli.main(["export", "--enterprise", E, "--out", str(tmp_path / "out")]) == 0
    constants = {
        node.value
        for path in tmp_path.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    assert name in constants


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_a_hostile_name_ends_no_verb(
    name: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each verb goes on, in printable lines without the token-like text; the export skips the cost center."""
    sandbox.rename_cost_center("Platform", name)
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name=name, budget_amount=7)
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": []}}))
    for verb in (
        ["cost-centers"],
        ["budgets"],
        ["budgets", "--forecast", "--all"],
        ["export", "--out", str(tmp_path / "out")],
        ["unmanaged", "--state", str(state)],
        ["usage", "--report", "daily", "--all-cost-centers", "--by", "cost-center"],
    ):
        assert cli.main([*verb, "--enterprise", E]) in {0, 3}
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).splitlines())
        assert "0123456789abcdef" not in out + err


def test_a_budget_of_an_older_state_stays(sandbox: Sandbox, new_run: Callable[[], RunHarness]) -> None:
    """Older versions stored a name without the spaces at its ends: that neither renames nor replaces anything."""
    budget = {"budget_scope": "cost_center", "budget_product_sku": "actions", "budget_amount": 5}
    stored = create(new_run(), "EnterpriseBudget", "urn::b", **budget, budget_entity_name="Platform")
    center = create(new_run(), "CostCenter", "urn::c", name="Platform")
    for kind, each, name in (("EnterpriseBudget", stored, "budget_entity_name"), ("CostCenter", center, "name")):
        operations = new_run().operations[kind]
        news = operations.check("urn::x", each.inputs, {**each.inputs, name: "Platform "}, NOTHING)
        assert news.problems == []
        assert operations.diff("urn::x", each.id, each.outputs, news.inputs, NOTHING).changed == []
    assert len(sandbox.cost_centers()) == 2


def test_spaces_make_a_difference_only_between_two() -> None:
    """If no cost center has the name, spaces at the ends of a name make no difference."""
    plain, spaced = CostCenterDetails("1", "Apps"), CostCenterDetails("2", "apps ")
    assert matching("APPS ", [plain, spaced], ("active",)) == [spaced]
    assert matching("APPS ", [plain], ("active",)) == [plain]
    assert matching(" apps", [spaced], ("active",)) == [spaced]


@pytest.mark.parametrize("name", ["", " ", "\u00a0", "a\x00", "a" * 256, 7], ids=ascii)
def test_what_is_no_name_is_refused(name: Any, harness: RunHarness) -> None:
    """A blank name, control characters and more than 255 characters are refused."""
    checked = harness.operations["CostCenter"].check("urn::c", {}, {"enterprise": E, "name": name}, NOTHING)
    assert [problem.field for problem in checked.problems] == ["name"]


def test_quotes_hide_no_token() -> None:
    """A name that holds a token is masked, also with invisible signs in it."""
    remember("s3cr3t-t0ken-0123")
    assert quoted("s3cr3t\u200b-t0ken-0123 ") == MASK
    assert quoted("\\x20  ") == '"\\\\x20 \\x20"'


def test_an_adoption_as_it_is_renames_nothing(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """Spaces at the ends of a name make no difference where no other center has it, so they are not sent either."""
    made = new_run().operations["CostCenter"]
    made.create("urn::a", made.check("urn::a", {}, {"enterprise": E, "name": "Apps"}, NOTHING).inputs)
    sandbox.forget_requests()
    other = new_run().operations["CostCenter"]
    stored = other.create("urn::b", other.check("urn::b", {}, {"enterprise": E, "name": "Apps "}, NOTHING).inputs)
    assert stored.outputs["adopted"]
    assert sandbox.writes == []
