"""The caps at a write of a cost center: what its archive lifts, what the limits refuse, and whom an update frees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.cache import OwnerCache
from billing_provider.core.errors import OutcomeError
from billing_provider.core.settings import Guards
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.preview.cost_center_caps import CostCenterCaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
URN = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:CostCenter::platform"
PLATFORM = {"enterprise": E, "name": "Platform"}
NONE: frozenset[str] = frozenset()
LIMITS = (
    (Guards(max_increase_usd=1000), "maxIncreaseUsd=1000", "GITHUB_BILLING_MAX_INCREASE_USD=off"),
    (Guards(max_increase_percent=0), "maxIncreasePercent=0", "GITHUB_BILLING_MAX_INCREASE_PERCENT=off"),
    (
        Guards(max_increase_usd=5, max_increase_percent=10),
        "maxIncreaseUsd=5",
        "GITHUB_BILLING_MAX_INCREASE_USD=off GITHUB_BILLING_MAX_INCREASE_PERCENT=off",
    ),
)


def add(sandbox: Sandbox, center: str = "Platform", **fields: Any) -> str:
    """Store a budget of a cost center by hand and return its id."""
    together = {"budget_scope": "cost_center", "budget_entity_name": center, "budget_amount": 100}
    return str(sandbox.add_budget("enterprise", E, **{**together, **fields})["id"])


EACH: dict[str, Any] = {
    "budget_scope": "multi_user_cost_center",
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "prevent_further_usage": True,
}


def archive(harness: RunHarness, center: int = 0, **outputs: Any) -> None:
    """Archive a sample cost center, as a run does whose program no longer declares it."""
    id_ = harness.sandbox.cost_centers()[center]["id"]
    CostCenterLifecycle(harness.run, CostCenterCaps).delete(URN, f"enterprise/{E}/{id_}", {**PLATFORM, **outputs})


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return the methods and the collections of all requests."""
    return [(each.method, each.path.rpartition("/billing/")[2].partition("/")[0]) for each in sandbox.requests]


def test_an_archive_names_each_budget_that_loses_its_object(sandbox: Sandbox, harness: RunHarness) -> None:
    """Budgets made by hand are named too, and budgets of others are not; forty archives share one listing."""
    together, each = add(sandbox), add(sandbox, **EACH)
    add(sandbox, "Data", budget_amount=7)
    archive(harness)
    lost = "has lost its object: the cost center is archived"
    freed = "which frees monalisa and hubot"
    assert harness.reporter.warnings == [
        f"the $100 budget that only alerts on actions of cost center Platform (budget {together}) {lost}",
        f"the $100 hard stop per person of cost center Platform (budget {each}) {lost}, {freed}",
    ]
    archive(harness, 1)
    reads = [("GET", "budgets"), ("GET", "cost-centers")]
    assert sent(sandbox) == [*reads, ("DELETE", "cost-centers"), ("DELETE", "cost-centers")]
    assert "$7 budget" in harness.reporter.warnings[-1]


def test_an_archive_without_budgets_says_nothing(sandbox: Sandbox, harness: RunHarness) -> None:
    """A cost center that no budget covers is archived without a word, under limits too."""
    sandbox.add_budget("enterprise", E, prevent_further_usage=True)
    archive(harness)
    assert harness.reporter.warnings == []
    assert sent(sandbox) == [("GET", "budgets"), ("DELETE", "cost-centers")]


@pytest.mark.parametrize(("guards", "setting", "allowing"), LIMITS, ids=lambda each: str(each)[-20:])
def test_limits_refuse_an_archive_that_lifts_a_hard_stop(
    guards: Guards, setting: str, allowing: str, sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """The archive is refused before anything is sent, with the way to allow it for one run."""
    id_ = add(sandbox, **EACH)
    harness = new_run(guards=guards)
    with pytest.raises(OutcomeError) as caught:
        archive(harness)
    center = sandbox.cost_centers()[0]["id"]
    assert str(caught.value) == (
        f"archive cost center {center} of enterprise {E}: it takes the object of the $100 hard stop per person of cost "
        f"center Platform (budget {id_}), a raise without limit, above {setting}: check it, or for one run: "
        f"{allowing}. Nothing was sent."
    )
    assert sandbox.writes == []


def test_limits_allow_an_archive_that_lifts_no_hard_stop(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A budget that only alerts is named, and the cost center is archived; licenses are never stopped."""
    add(sandbox)
    licenses = {"budget_type": "SkuPricing", "budget_product_sku": "copilot_for_business"}
    add(sandbox, **licenses, prevent_further_usage=True)
    harness = new_run(guards=LIMITS[0][0])
    archive(harness)
    assert [text.partition(" of ")[0] for text in harness.reporter.warnings] == [
        "the $100 budget that only alerts on actions",
        "the 100 licenses budget that only alerts on copilot_for_business",
    ]
    assert sandbox.cost_centers()[0]["state"] == "deleted"


def test_a_kept_or_held_cost_center_causes_no_word_about_caps(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """A cost center that stays is not archived, so nothing is read for it, and limits do not matter."""
    add(sandbox, **EACH)
    harness = new_run(guards=LIMITS[0][0])
    archive(harness, kept_on_delete=True)
    harness.run.registry.hold("urn::other", sandbox.cost_centers()[0]["id"])
    archive(harness)
    assert [text.partition(" cost center")[0] for text in harness.reporter.warnings] == ["kept", "kept"]
    assert sandbox.requests == []


@pytest.mark.parametrize("op", ["list_budgets", "list_cost_centers"])
def test_an_archive_without_a_listing(op: str, sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """If the budgets cannot be read, limits refuse the archive; without limits it goes on."""
    add(sandbox)
    sandbox.plan([{"op": op, "action": "403_permission", "every": 1}])
    with pytest.raises(
        OutcomeError, match=r"cannot be read \(list the .* 403.* for one run: .*=off\. Nothing was sent"
    ):
        archive(new_run(guards=LIMITS[0][0]))
    assert sandbox.writes == []
    harness = new_run()
    archive(harness)
    assert harness.reporter.warnings == []
    assert sandbox.cost_centers()[0]["state"] == "deleted"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_cost_center_that_is_gone_lifts_nothing(
    is_known: bool, sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """The budgets of one that is archived already, or that GitHub does not list, have lost their object before."""
    add(sandbox, **EACH)
    stored = sandbox.snapshot()
    if is_known:
        stored["cost_centers"][0] |= {"state": "deleted", "resources": []}
        sandbox.restore(stored)
    harness = new_run(guards=LIMITS[0][0])
    id_ = stored["cost_centers"][0]["id"] if is_known else "none"
    CostCenterLifecycle(harness.run, CostCenterCaps).delete(URN, f"enterprise/{E}/{id_}", PLATFORM)
    assert harness.reporter.warnings == []


def replace(harness: RunHarness, unknown: frozenset[str] = NONE, **outputs: Any) -> tuple[list[str], list[str]]:
    """Return the diff of the sample cost center that gets another enterprise."""
    cycle = CostCenterLifecycle(harness.run, CostCenterCaps)
    id_ = harness.sandbox.cost_centers()[0]["id"]
    news = {**PLATFORM, "enterprise": "other"}
    cycle.check(URN, PLATFORM, {name: value for name, value in news.items() if name not in unknown}, unknown)
    return cycle.diff(URN, f"enterprise/{E}/{id_}", {**PLATFORM, "cost_center_id": id_, **outputs}, news, unknown)


def test_a_replacement_names_the_budgets_that_lose_their_object(sandbox: Sandbox, harness: RunHarness) -> None:
    """Another enterprise archives the old cost center, which the preview says with its caps."""
    id_ = add(sandbox, **EACH)
    assert replace(harness) == (["enterprise"], ["enterprise"])
    (text,) = harness.reporter.warnings
    assert text.startswith(f"the $100 hard stop per person of cost center Platform (budget {id_}) loses its object: ")
    assert text.endswith(": the cost center is archived, which frees monalisa and hubot")
    assert sandbox.writes == []


def test_limits_refuse_a_replacement_in_preview(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A replacement that the limits would refuse at the archive fails before the new cost center is created."""
    add(sandbox, **EACH)
    with pytest.raises(OutcomeError, match="it takes the object of the"):
        replace(new_run(guards=LIMITS[0][0]))
    assert sandbox.writes == []


def test_a_replacement_that_archives_nothing_reads_nothing(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """A kept cost center, an enterprise that is not known yet, and a preview without reads send nothing."""
    add(sandbox, **EACH)
    replace(new_run(), kept_on_delete=True)
    replace(new_run(), frozenset({"enterprise"}))
    replace(new_run(guards=Guards(max_increase_usd=5, preview_reads=False)))
    assert sandbox.requests == []


def test_a_replacement_that_cannot_be_read_goes_on(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A fault does not stop a preview, under limits too: they hold at the archive."""
    add(sandbox, **EACH)
    sandbox.plan([{"op": "list_budgets", "action": "403_permission", "every": 1}])
    harness = new_run(guards=LIMITS[0][0])
    assert replace(harness) == (["enterprise"], ["enterprise"])
    assert harness.reporter.warnings == []


def update(harness: RunHarness, news: dict[str, Any], center: int = 0) -> None:
    """Update a sample cost center with two people in the state."""
    id_ = harness.sandbox.cost_centers()[center]["id"]
    olds = {**PLATFORM, "users": ["monalisa", "hubot"], "cost_center_id": id_}
    cycle = CostCenterLifecycle(harness.run, CostCenterCaps)
    inputs = cycle.check(URN, olds, {**PLATFORM, **news}, NONE).inputs
    assert harness.operations["CostCenter"].compare(URN, olds, inputs, NONE) == []
    cycle.update(f"enterprise/{E}/{id_}", olds, inputs)


@pytest.mark.parametrize("preview_reads", [True, False])
def test_whom_an_update_frees_is_told_once(
    preview_reads: bool, sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """The comparison before the write tells it; without it, the write does, of those who were members."""
    id_ = add(sandbox, **EACH)
    stored = sandbox.snapshot()
    stored["cost_centers"][0]["resources"] = [{"type": "User", "name": name} for name in ("hubot", "new-one")]
    sandbox.restore(stored)
    harness = new_run(guards=Guards(preview_reads=preview_reads))
    update(harness, {"users": ["octocat"]})
    freed = f"frees hubot of the $100 hard stop per person of cost center Platform (budget {id_})"
    told = [text for text in harness.reporter.warnings if "previewReads is false" not in text]
    assert told == [f"the cost center Platform: {freed}" if preview_reads else freed]
    assert len([method for method, _ in sent(sandbox) if method == "GET"]) == 2


def test_a_budget_finds_its_cost_center_after_a_rename(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], enterprise: Owner
) -> None:
    """GitHub lists a budget with the name of its cost center, so a listing before a rename says nothing after it."""
    id_ = add(sandbox, **EACH)
    harness = new_run()
    harness.run.cache(OwnerCache, enterprise).of_scope("organization")
    update(harness, {"name": "Apps", "users": ["octocat"]})
    assert [budget.id for budget in harness.run.cache(OwnerCache, enterprise).complete(max_age=10).values()] == [id_]
    fields = {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Apps", "budget_amount": 100}
    news = {"enterprise": E, "budget_product_sku": "ai_credits", **fields}
    stored = harness.enterprise.create("urn::b", harness.enterprise.check("urn::b", {}, news, NONE).inputs)
    assert stored.outputs["budget_id"] == id_


def test_whom_a_write_moves_is_told_with_the_caps_that_they_leave(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """Without a comparison, a create tells the caps of the cost centers from which GitHub moved its members."""
    id_ = add(sandbox, **EACH)
    harness = new_run(guards=Guards(preview_reads=False))
    cycle = CostCenterLifecycle(harness.run, CostCenterCaps)
    inputs = cycle.check(URN, {}, {**PLATFORM, "name": "Apps", "users": ["hubot"]}, NONE).inputs
    cycle.create(URN, inputs)
    assert harness.reporter.warnings == [
        "moved 1 user from cost center Platform: hubot",
        f"frees hubot of the $100 hard stop per person of cost center Platform (budget {id_})",
    ]


def test_a_member_who_moves_after_the_comparison_is_told_at_the_write(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """The comparison tells those whom it saw; GitHub's reply to the write names the others."""
    id_ = add(sandbox, **EACH)
    harness = new_run()
    cycle = CostCenterLifecycle(harness.run, CostCenterCaps)
    inputs = cycle.check(URN, {}, {**PLATFORM, "name": "Apps", "users": ["newcomer"]}, NONE).inputs
    assert harness.operations["CostCenter"].compare(URN, {}, inputs, NONE) == []
    assert harness.reporter.warnings == []
    stored = sandbox.snapshot()
    stored["cost_centers"][0]["resources"].append({"type": "User", "name": "newcomer"})
    sandbox.restore(stored)
    cycle.create(URN, inputs)
    assert harness.reporter.warnings == [
        "moved 1 user from cost center Platform: newcomer",
        f"frees newcomer of the $100 hard stop per person of cost center Platform (budget {id_})",
    ]


def test_a_write_that_cannot_read_budgets_goes_on(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], enterprise: Owner
) -> None:
    """Budgets that cannot be listed at the write leave the words out, and a cost center that is gone frees nobody."""
    add(sandbox, **EACH)
    sandbox.plan([{"op": "list_budgets", "action": "403_permission", "every": 1}])
    harness = new_run(guards=Guards(preview_reads=False))
    update(harness, {"users": ["octocat"]})
    assert [text for text in harness.reporter.warnings if "previewReads is false" not in text] == []
    caps = harness.run.cache(CostCenterCaps, enterprise)
    assert caps.untold("Apps", "Nobody", {"users": ["hubot"]}, have_left=True) == []
