"""A listing with one odd cost center: it is shown, never touched, and in the way only where it may be the declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.adopt.inventory import owners_of, read_inventories
from billing_provider.core.errors import BillingError, ConfigError, NotFoundError, OutcomeError
from billing_provider.core.settings import Guards
from billing_provider.cost_centers.models import OpaqueCostCenter
from billing_provider.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

ODD = [json.loads(line) for line in (Path(__file__).parent / "odd_cost_centers.jsonl").read_text().splitlines()]
"""Fields that replies have one day; each line is played with every verb and resource."""
E = "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
URN = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:CostCenter::c"
APPS: dict[str, Any] = {"enterprise": E, "name": "Apps", "users": ["mona"]}


@pytest.fixture
def platform(sandbox: Sandbox) -> str:
    """The id of the first cost center of the sandbox, which a test shows oddly."""
    first, second = sandbox.cost_centers()
    assert (first["name"], second["name"]) == ("Platform", "Data")
    return str(first["id"])


def up(harness: RunHarness, news: dict[str, Any], kind: str = "CostCenter") -> Any:
    """Check and create one resource."""
    checked = harness.operations[kind].check(URN, {}, news, NOTHING)
    if checked.problems:
        raise OutcomeError(str(checked.problems[0]))
    return harness.operations[kind].create(URN, checked.inputs)


@pytest.mark.parametrize("shown", ODD, ids=json.dumps)
def test_an_odd_cost_center_stops_no_other_one(
    shown: dict[str, Any], platform: str, sandbox: Sandbox, new_run: Callable[[], RunHarness]
) -> None:
    """Another one is created, changed, read and archived, and a budget of it too; the odd one stays as it is."""
    before = sandbox.cost_centers()[0]
    sandbox.show_oddly("list_cost_centers", **shown)
    if "name" in shown:
        with pytest.raises(OutcomeError, match=f"may exist already as cost center {platform}, of which .* name"):
            up(new_run(), APPS)
        assert sandbox.writes == []
        return
    harness = new_run()
    stored = up(harness, APPS)
    budget = {"enterprise": E, "budget_scope": "cost_center", "budget_entity_name": "Apps", "budget_amount": 5}
    up(harness, {**budget, "budget_product_sku": "actions"}, "EnterpriseBudget")
    operations = new_run().operations["CostCenter"]
    news = operations.check(URN, stored.inputs, {**APPS, "users": ["mona", "newcomer"]}, NOTHING).inputs
    stored = operations.update(URN, stored.id, stored.outputs, news)
    assert operations.read(URN, stored.id, stored.outputs) is not None
    new_run().operations["CostCenter"].delete(URN, stored.id, stored.outputs)
    assert sandbox.cost_centers()[0] == before
    assert sandbox.cost_centers()[-1]["state"] == "deleted"


@pytest.mark.parametrize("shown", ODD, ids=json.dumps)
@pytest.mark.parametrize("verb", ["cost-centers", "budgets", "export", "unmanaged", "seed", "usage"])
def test_a_verb_names_it_and_shows_the_others(  # noqa: PLR0917 - two tables and what runs
    verb: str,
    shown: dict[str, Any],
    platform: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each verb goes on, and names the id and what was not understood in one line where it leaves it out."""
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name=platform, budget_amount=7)
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name="Data", budget_amount=8)
    sandbox.show_oddly("list_cost_centers", **shown)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": []}}))
    arguments = {
        "export": ["--out", str(tmp_path / "out")],
        "unmanaged": ["--state", str(state)],
        "usage": ["--report", "daily", "--all-cost-centers", "--csv"],
    }
    code = cli.main([verb, "--enterprise", E, *arguments.get(verb, [])])
    out, err = capsys.readouterr()
    # 3: something is skipped, or unmanaged.
    assert code in {0, 3}, err
    assert verb == "usage" or "Data" in out + "".join(path.read_text() for path in tmp_path.rglob("*.py"))
    named = "without an id" if "id" in shown else platform
    text = f"cost center {named}, of which GitHub's listing has an unexpected {next(iter(shown))}"
    # The usage of a cost center needs its id only.
    assert (text in err) is (verb != "usage" or "id" in shown)


@pytest.mark.parametrize(
    ("shown", "name", "is_in_the_way"),
    [
        ({"state": 7}, "platform", True),
        ({"state": 7}, "Apps", False),
        ({"name": None}, "Apps", True),
        ({"name": None, "state": "deleted"}, "Apps", False),
        ({"id": None}, "Data", False),
    ],
    ids=str,
)
def test_it_is_in_the_way_where_it_may_be_the_declared_one(  # noqa: PLR0917 - a table and what runs
    shown: dict[str, Any], name: str, is_in_the_way: bool, platform: str, sandbox: Sandbox, harness: RunHarness
) -> None:
    """A create is refused with its id, unless its name or its state is another one."""
    assert platform
    sandbox.show_oddly("list_cost_centers", **shown)
    news = {"enterprise": E, "name": name, "on_existing": "adopt"}
    if is_in_the_way:
        with pytest.raises(OutcomeError, match="may exist already as cost center"):
            up(harness, news)
        assert sandbox.writes == []
    else:
        up(harness, news)


@pytest.mark.parametrize("reference", ["Platform", "the id"])
def test_a_budget_of_it_is_refused(reference: str, platform: str, sandbox: Sandbox, harness: RunHarness) -> None:
    """A budget of an odd cost center is refused in the preview, and so is a read of it by its name."""
    sandbox.show_oddly("list_cost_centers", resources=7)
    reference = platform if reference == "the id" else reference
    budget = {"enterprise": E, "budget_scope": "cost_center", "budget_entity_name": reference, "budget_amount": 5}
    with pytest.raises(OutcomeError, match=f"may be cost center {platform}, of which .* an unexpected resources"):
        up(harness, {**budget, "budget_product_sku": "actions"}, "EnterpriseBudget")
    with pytest.raises(ConfigError, match=f"may be cost center {platform}"):
        Reader(harness.run).cost_center(enterprise=E, cost_center=reference)
    with pytest.raises(ConfigError, match="no cost center of enterprise octo-enterprise has the name or id Plat"):
        Reader(harness.run).cost_center(enterprise=E, cost_center="Plat")


def test_it_is_never_gone(sandbox: Sandbox, new_run: Callable[[], RunHarness]) -> None:
    """A cost center in the state that turns odd is not read as gone by a 404, and it can still be archived."""
    stored = up(new_run(), APPS)
    sandbox.show_oddly("list_cost_centers", id=stored.outputs["cost_center_id"], name=None)
    sandbox.plan([{"op": "get_cost_center", "action": "404", "every": 1}])
    operations = new_run().operations["CostCenter"]
    with pytest.raises(NotFoundError):
        operations.read(URN, stored.id, stored.outputs)
    operations.delete(URN, stored.id, stored.outputs)
    assert sandbox.cost_centers()[-1]["state"] == "deleted"


def test_details_that_are_odd_name_the_field(
    platform: str, sandbox: Sandbox, new_run: Callable[[], RunHarness]
) -> None:
    """A cost center whose details alone are odd is read with an error that names the field."""
    centers = sandbox.cost_centers()
    sandbox.show_oddly("get_cost_center", resources=[{"type": "User"}])
    with pytest.raises(BillingError, match=f"read cost center {platform} of .* an unexpected resources"):
        Reader(new_run().run).cost_center(enterprise=E, cost_center="Platform")
    harness = new_run()
    (inventory,) = read_inventories(harness.run, owners_of([E], []))
    assert (inventory.cost_centers, inventory.odd_cost_centers) == ([], [center["id"] for center in centers])
    assert ["an unexpected resources" in line for line in harness.reporter.warnings] == [True, True]


def test_its_text_is_one_line() -> None:
    """Whatever a row is, the text has its id, if it can be one, and no value."""
    assert str(OpaqueCostCenter.of(["a\nb"], "cost center")).startswith("cost center without an id, of which")


LIMITED = Guards(max_increase_usd=10)


@pytest.mark.parametrize(
    ("shown", "row", "says"),
    [
        # The cost center is understood, its budget is not.
        ({}, {"budget_amount": "a lot"}, "the budget {budget}, of which GitHub's listing has an unexpected"),
        ({}, {"budget_scope": 7, "budget_entity_name": None}, "the budget {budget}, of which GitHub's listing has an"),
        # The budget is understood, the cost center is not.
        ({"resources": 7}, {}, "the $50 hard stop on actions of cost center Platform (budget {budget}) has lost its"),
        ({"name": 7}, {}, "the $50 hard stop on actions of cost center Platform (budget {budget}) may have lost its"),
        ({"id": None}, {}, "the $50 hard stop on actions of cost center Platform (budget {budget}) may have lost its"),
        ({"state": "deleted", "name": 7}, {}, ""),
        ({}, {"budget_amount": "a lot", "budget_entity_name": "Data"}, ""),
        ({}, {"budget_amount": "a lot", "budget_scope": "enterprise"}, ""),
    ],
    ids=str,
)
def test_the_archive_names_what_may_lose_its_object(  # noqa: PLR0917 - what it is told of
    shown: dict[str, Any],
    row: dict[str, Any],
    says: str,
    platform: str,
    sandbox: Sandbox,
    new_run: Callable[..., RunHarness],
) -> None:
    """An archive names each budget that loses its object, or may lose it, and the limits refuse it for a hard stop."""
    fields = {"budget_scope": "cost_center", "budget_entity_name": platform, "budget_amount": 50}
    id_ = sandbox.add_budget("enterprise", E, **fields, prevent_further_usage=True, shown_as=row or None)["id"]
    sandbox.show_oddly("list_cost_centers", **shown)
    resource = f"enterprise/{E}/{platform}"
    state = {"enterprise": E, "name": "Platform", "cost_center_id": platform}
    if says:
        with pytest.raises(OutcomeError, match=f"take.? the object of the .*{id_}.*maxIncreaseUsd"):
            new_run(guards=LIMITED).operations["CostCenter"].delete(URN, resource, state)
        assert sandbox.writes == []
    harness = new_run()
    harness.operations["CostCenter"].delete(URN, resource, state)
    said = "\n".join(harness.reporter.warnings)
    assert says.format(budget=id_) in said
    assert bool(says) is ("its object" in said)
    assert sandbox.cost_centers()[0]["state"] == "deleted"
