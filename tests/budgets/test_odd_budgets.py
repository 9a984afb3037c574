"""A listing with one odd budget: it is shown, never touched, and in the way only where it may be the declared one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.models import OpaqueBudget
from billing_provider.core.errors import ForbiddenError, NotFoundError, OutcomeError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

ODD = [json.loads(line) for line in (Path(__file__).parent / "odd_budgets.jsonl").read_text().splitlines()]
"""Fields that replies have one day; each line is played with every verb and resource."""
ORG, E = "octo-org", "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
URN = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:OrgBudget::b"
PACKAGES: dict[str, Any] = {"organization": ORG, "budget_product_sku": "packages", "budget_amount": 50}


def odd(sandbox: Sandbox, shown: dict[str, Any]) -> str:
    """Store a budget of an organization for Actions that replies show oddly, and return its id."""
    fields = {"budget_amount": 9, "prevent_further_usage": True, "shown_as": shown}
    return str(sandbox.add_budget("organization", ORG, **fields)["id"])


def up(harness: RunHarness, news: dict[str, Any], olds: Stored | None = None) -> Stored:
    """Check, compare and write one budget."""
    operations = harness.operations["OrgBudget"]
    checked = operations.check(URN, olds.inputs if olds else {}, news, NOTHING)
    if checked.problems:
        raise OutcomeError(str(checked.problems[0]))
    if olds is None:
        return operations.create(URN, checked.inputs)
    assert operations.diff(URN, olds.id, olds.outputs, checked.inputs, NOTHING).replaces == []
    return operations.update(URN, olds.id, olds.outputs, checked.inputs)


@pytest.mark.parametrize("shown", ODD, ids=json.dumps)
def test_an_odd_budget_stops_no_other_one(
    shown: dict[str, Any], sandbox: Sandbox, new_run: Callable[[], RunHarness]
) -> None:
    """Another budget is created, changed, read and deleted; the odd one stays as it is."""
    odd(sandbox, shown)
    (before,) = sandbox.snapshot()["budgets"]
    if "budget_product_sku" in shown:
        # What it does not show may be anything.
        sandbox.edit_budget(before["id"], shown_as={**shown, "budget_scope": "galaxy"})
    harness = new_run()
    stored = up(harness, PACKAGES)
    stored = up(harness, {**PACKAGES, "budget_amount": 40}, stored)
    assert harness.operations["OrgBudget"].read(URN, stored.id, stored.outputs) is not None
    new_run().operations["OrgBudget"].delete(URN, stored.id, stored.outputs)
    (after,) = sandbox.snapshot()["budgets"]
    assert {**after, "shown_as": shown} == {**before, "shown_as": shown}


@pytest.mark.parametrize("shown", ODD, ids=json.dumps)
@pytest.mark.parametrize("verb", ["budgets", "export", "unmanaged"])
def test_a_verb_names_it_and_shows_the_others(  # noqa: PLR0917 - two tables and what runs
    verb: str,
    shown: dict[str, Any],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each verb goes on, and says the id and what was not understood in one line."""
    id_ = odd(sandbox, shown)
    sandbox.add_budget("organization", ORG, budget_product_sku="packages", budget_amount=50)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    arguments = {
        "budgets": ["budgets", "--org", ORG],
        "export": ["export", "--org", ORG, "--out", str(tmp_path / "out")],
        "unmanaged": ["unmanaged", "--org", ORG, "--state", str(_empty_state(tmp_path))],
    }[verb]
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    # 3: something is skipped, or unmanaged.
    assert code in {0, 3}, err
    assert "packages" in out + "".join(path.read_text() for path in tmp_path.rglob("*.py"))
    named = "without an id" if "id" in shown else id_
    (line,) = [line for line in err.splitlines() if "unexpected" in line]
    assert f"budget {named}, of which GitHub's listing has an unexpected {next(iter(shown))}" in line


def _empty_state(folder: Path) -> Path:
    path = folder / "state.json"
    path.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": []}}))
    return path


@pytest.mark.parametrize(
    ("shown", "is_in_the_way"),
    [
        (ODD[0], True),
        ({**ODD[0], "budget_product_skus": ["codespaces", "packages"]}, False),
        ({**ODD[0], "budget_scope": "galaxy"}, False),
        (ODD[2], True),
        (ODD[3], True),
        (ODD[7], True),
    ],
    ids=json.dumps,
)
def test_it_is_in_the_way_where_it_may_be_the_declared_one(
    shown: dict[str, Any], is_in_the_way: bool, sandbox: Sandbox, harness: RunHarness
) -> None:
    """A create next to it is refused with its id, unless a field that it shows is another one."""
    id_ = odd(sandbox, shown)
    actions = {**PACKAGES, "budget_product_sku": "actions"}
    if is_in_the_way:
        with pytest.raises(OutcomeError, match=f"may exist already as budget {id_}, of which .* unexpected budget_"):
            up(harness, actions)
        assert sandbox.writes == []
    else:
        up(harness, actions)


@pytest.mark.parametrize(
    ("declared", "shown", "is_in_the_way"),
    [
        ({"budget_scope": "user", "user": "mona"}, {"user": "Mona"}, True),
        ({"budget_scope": "user", "user": "mona"}, {"user": "hubot"}, False),
        ({"budget_scope": "repository", "budget_entity_name": "octo-org/api"}, {"budget_entity_name": "api"}, True),
        ({"budget_scope": "repository", "budget_entity_name": "octo-org/api"}, {"budget_entity_name": "web"}, False),
    ],
    ids=str,
)
def test_people_and_repositories_differ_too(
    declared: dict[str, Any], shown: dict[str, Any], is_in_the_way: bool, sandbox: Sandbox, harness: RunHarness
) -> None:
    """The person and the repository that it shows tell it from the declared budget."""
    row = {"budget_scope": declared["budget_scope"], "budget_amount": "much", **shown}
    odd(sandbox, {"budget_product_sku": "ai_credits", **row})
    news = {**PACKAGES, "budget_product_sku": "ai_credits", **declared}
    if is_in_the_way:
        with pytest.raises(OutcomeError, match="may exist already"):
            up(harness, news)
    else:
        up(harness, news)


def test_it_is_never_gone(sandbox: Sandbox, new_run: Callable[[], RunHarness]) -> None:
    """A budget in the state that turns odd is not read as gone, not by a 404 either, and it can still be deleted."""
    stored = up(new_run(), PACKAGES)
    id_ = stored.outputs["budget_id"]
    sandbox.edit_budget(id_, shown_as={"budget_amount": "a lot"})
    operations = new_run().operations["OrgBudget"]
    with pytest.raises(TransportError, match=f"read budget {id_} .* unexpected budget_amount"):
        operations.read(URN, stored.id, stored.outputs)
    sandbox.plan([{"op": "get_budget", "action": "404", "every": 1}])
    with pytest.raises(NotFoundError):
        operations.read(URN, stored.id, stored.outputs)
    operations.delete(URN, stored.id, stored.outputs)
    assert sandbox.budgets(None) == []


def test_an_odd_budget_ends_no_comparison_of_others(sandbox: Sandbox, new_run: Callable[[], RunHarness]) -> None:
    """A change of one that turned odd is not compared, and says so; the next budget of the run is."""
    stored = up(new_run(), PACKAGES)
    id_ = stored.outputs["budget_id"]
    sandbox.edit_budget(id_, shown_as={"budget_amount": "a lot"})
    live = sandbox.add_budget("organization", ORG, budget_amount=900, prevent_further_usage=True)
    harness = new_run()
    operations = harness.operations["OrgBudget"]
    news = operations.check(URN, stored.inputs, {**PACKAGES, "budget_amount": 40}, NOTHING).inputs
    assert operations.diff(URN, stored.id, stored.outputs, news, NOTHING).replaces == []
    other = {**PACKAGES, "budget_product_sku": "actions", "budget_amount": 9000, "on_existing": "adopt"}
    assert operations.check("urn::other", {}, other, NOTHING).problems == []
    said = "\n".join(harness.reporter.warnings)
    assert f"not compared with GitHub: budget {id_}, of which GitHub's listing has an unexpected budget_amount" in said
    assert f"adopts the existing budget {live['id']}: removes the hard stop; raises the amount" in said


def test_a_failed_listing_forgets_no_odd_budget(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], organization: Owner
) -> None:
    """An odd budget stays in the way while the listing that showed it is in use."""
    odd(sandbox, ODD[0])
    run = new_run(max_wait_seconds=0).run
    cache = run.cache(OwnerCache, organization)
    cache.complete()
    sandbox.plan([{"op": "list_budgets", "action": "403_permission", "every": 1}])
    with pytest.raises(ForbiddenError):
        cache.complete(max_age=0)
    assert len(cache.opaque()) == 1


def test_its_text_is_one_line() -> None:
    """Whatever a row is, the text has its id, if it can be one, and no value."""
    assert str(OpaqueBudget.of("a\nb", "budget")).startswith("budget without an id, of which")
    assert str(OpaqueBudget.of({"id": "7"}, "user")) == "budget 7, of which GitHub's listing has an unexpected user"
