"""Cache of an owner's budgets: number of requests, and the age of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, FRESH_SECONDS, OwnerCache
from billing_provider.core import errors
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.sandbox import Sandbox
from tests.support.harness import RunHarness, open_harness
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.owners import Owner
    from tests.support.clock import VirtualClock

PLAIN = {"enterprise": "octo-enterprise", "budget_amount": 500, "budget_product_sku": "actions"}
NOTHING: frozenset[str] = frozenset()


def fill(sandbox: Sandbox, many: int) -> list[str]:
    """Store so many budgets of repositories, and return their ids in the order of the listing."""
    return [
        sandbox.add_budget(
            "enterprise", "octo-enterprise", budget_scope="repository", budget_entity_name=f"octo-org/r{number}"
        )["id"]
        for number in range(many)
    ]


def create(harness: RunHarness, declared: dict[str, Any] = PLAIN, urn: str = "urn::budget") -> str:
    """Create a budget and return its id on GitHub."""
    inputs = harness.enterprise.check(urn, {}, declared, NOTHING).inputs
    return str(harness.enterprise.create(urn, inputs).outputs["budget_id"])


def asked(sandbox: Sandbox) -> list[str]:
    """Return the requests since the last time, each as `list` with its page, or as `one`."""
    found = [f"list {request.query['page']}" if request.query else "one" for request in sandbox.requests]
    sandbox.forget_requests()
    return found


@pytest.fixture
def paged(clock: VirtualClock) -> Iterator[Sandbox]:
    """A sandbox whose pages hold two budgets."""
    with Sandbox(clock=clock.wall, page_cap=2) as sandbox:
        yield sandbox


def test_few_budgets_are_read_singly_and_many_by_listing(
    sandbox: Sandbox, harness: RunHarness, enterprise: Owner
) -> None:
    """Three single reads are followed by one listing for all others."""
    ids = fill(sandbox, 12)
    budgets = harness.run.cache(OwnerCache, enterprise)
    assert [found.id for found in map(budgets.read, ids) if found] == ids
    assert asked(sandbox) == ["one", "one", "one", "list 1"]


def test_few_of_many_budgets_are_read_singly(paged: Sandbox, clock: VirtualClock, enterprise: Owner) -> None:
    """While single reads need far fewer requests than the remaining pages, the listing is not continued."""
    ids = fill(paged, 40)
    budgets = open_harness(paged, clock).run.cache(OwnerCache, enterprise)
    for budget_id in (*ids[-5:], ids[0]):
        found = budgets.read(budget_id)
        assert found
        assert found.id == budget_id
    assert asked(paged) == ["one", "one", "one", "list 1", "one", "one"]


def test_the_listing_continues_after_its_first_page(paged: Sandbox, clock: VirtualClock, enterprise: Owner) -> None:
    """The listing is continued when it needs fewer requests, without reading its first page again."""
    ids = fill(paged, 8)
    budgets = open_harness(paged, clock).run.cache(OwnerCache, enterprise)
    for budget_id in reversed(ids):
        assert budgets.read(budget_id)
    first, *rest = asked(paged)[3:]
    assert (first, sorted(rest)) == ("list 1", ["list 2", "list 3", "list 4"])


def test_the_free_single_reads_are_shared_by_all_owners(
    sandbox: Sandbox, harness: RunHarness, enterprise: Owner, organization: Owner
) -> None:
    """A run has three free single reads in total, not three for each owner."""
    ids = fill(sandbox, 3)
    other = sandbox.add_budget("organization", "octo-org")["id"]
    for budget_id in ids:
        harness.run.cache(OwnerCache, enterprise).read(budget_id)
    assert harness.run.cache(OwnerCache, organization).read(other)
    assert asked(sandbox) == ["one", "one", "one", "list 1"]


def test_the_cache_of_an_owner_ignores_case(harness: RunHarness, enterprise: Owner) -> None:
    """Both spellings of an owner share one cache."""
    assert harness.run.cache(OwnerCache, enterprise) is harness.run.cache(
        OwnerCache, type(enterprise)(enterprise.kind, "OCTO-enterprise")
    )


def test_a_listing_expires(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """A listing is used for five minutes, then it is read again."""
    fill(sandbox, 5)
    budgets = harness.run.cache(OwnerCache, enterprise)
    budgets.complete()
    harness.clock.sleep(FRESH_SECONDS - 1)
    budgets.complete()
    assert asked(sandbox) == ["list 1"]
    harness.clock.sleep(1)
    budgets.complete()
    budgets.complete(max_age=0)
    assert asked(sandbox) == ["list 1", "list 1"]


def test_a_create_does_not_use_an_old_first_page(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """A create long after a refresh detects a budget that was created meanwhile, and creates no second one."""
    ids = fill(sandbox, 5)
    for budget_id in ids:
        harness.run.cache(OwnerCache, enterprise).read(budget_id)
    harness.clock.sleep(FRESH_SECONDS)
    existing = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)["id"]
    assert create(harness) == existing
    assert sandbox.writes == []


@pytest.mark.parametrize("first", ["listing", "first page"])
def test_a_create_does_not_use_an_old_listing(
    sandbox: Sandbox, harness: RunHarness, enterprise: Owner, first: str
) -> None:
    """A budget that somebody else created after the listing is detected, and no second one is created."""
    ids = fill(sandbox, 5)
    budgets = harness.run.cache(OwnerCache, enterprise)
    if first == "listing":
        budgets.complete()
    else:
        for budget_id in ids:
            budgets.read(budget_id)
    harness.clock.sleep(CREATE_FRESH_SECONDS)
    existing = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)["id"]
    assert create(harness) == existing
    assert sandbox.writes == []


def test_a_create_does_not_use_an_old_listing_of_cost_centers(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness], enterprise: Owner
) -> None:
    """The budget of a cost center that was renamed meanwhile is found under the new name."""
    center = next(center for center in sandbox.cost_centers() if center["name"] == "Platform")
    declared = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": center["id"]}
    harness.run.cache(CostCenterCache, enterprise).list_all()
    there = create(new_run(), declared)
    sandbox.rename_cost_center("Platform", "Base")
    harness.clock.sleep(CREATE_FRESH_SECONDS)
    assert create(harness, declared) == there
    assert len(sandbox.writes) == 1


def test_forty_creates_share_listings(sandbox: Sandbox, clock: VirtualClock) -> None:
    """With one second between writes, the budgets are listed once in ten seconds, not once for each create."""
    harness = open_harness(sandbox, clock, write_interval_seconds=1.0)
    for number in range(40):
        create(
            harness, {**PLAIN, "budget_scope": "repository", "budget_entity_name": f"octo-org/r{number}"}, f"u{number}"
        )
    assert clock.now() == 39
    methods = [request.method for request in sandbox.requests]
    assert (methods.count("POST"), methods.count("GET")) == (40, 4)


def test_an_old_first_page_is_read_again(paged: Sandbox, clock: VirtualClock, enterprise: Owner) -> None:
    """A cached first page that has expired is read again."""
    ids = fill(paged, 40)
    budgets = open_harness(paged, clock).run.cache(OwnerCache, enterprise)
    for budget_id in ids[-4:]:
        budgets.read(budget_id)
    assert asked(paged) == ["one", "one", "one", "list 1", "one"]
    paged.remove_budget(ids[0])
    clock.sleep(FRESH_SECONDS)
    assert ids[0] not in budgets.complete()


@pytest.mark.parametrize("write", ["remember", "forget"])
def test_a_write_invalidates_the_first_page(paged: Sandbox, clock: VirtualClock, enterprise: Owner, write: str) -> None:
    """A budget that this run changed or deleted does not return from a page that was read before."""
    ids = fill(paged, 40)
    harness = open_harness(paged, clock)
    budgets = harness.run.cache(OwnerCache, enterprise)
    for budget_id in ids[-4:]:
        budgets.read(budget_id)
    if write == "forget":
        paged.remove_budget(ids[0])
        budgets.forget(ids[0])
        assert ids[0] not in budgets.complete()
    else:
        before = budgets.read(ids[0])
        assert before
        paged.edit_budget(ids[0], budget_amount=77)
        budgets.remember(before.model_copy(update={"budget_amount": 77}))
        after = budgets.read(ids[0])
        assert after
        assert after.budget_amount == 77


def test_writes_update_the_cached_listing(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """After the listing, creates and deletes of this run cause no new listing."""
    budgets = harness.run.cache(OwnerCache, enterprise)
    budgets.complete()
    budget_id = create(harness)
    assert budget_id in budgets.complete()
    budgets.forget(budget_id)
    assert budgets.complete() == {}
    assert [request.method for request in sandbox.requests] == ["GET", "POST"]


def test_a_budget_missing_from_the_listing_is_read(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """A budget that is newer than the listing is read by itself."""
    budgets = harness.run.cache(OwnerCache, enterprise)
    budgets.complete()
    [budget_id] = fill(sandbox, 1)
    assert budgets.read(budget_id)
    assert asked(sandbox) == ["list 1", "one"]


def test_a_response_with_another_budget_is_an_error(sandbox: Sandbox, enterprise: Owner) -> None:
    """A budget with an id other than the requested one is an error."""
    [budget_id] = fill(sandbox, 1)
    with WireServer(answer(200, sandbox.budgets()[0])) as server:
        budgets = open_harness(sandbox, base_url=server.url).run.cache(OwnerCache, enterprise)
        assert budgets.read(budget_id)
        with pytest.raises(errors.TransportError, match=f"read budget another of .*another object, {budget_id}"):
            budgets.read("another")


def test_the_cost_centers_are_listed_once(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], enterprise: Owner
) -> None:
    """One listing finds cost centers by UUID in any case, by name, and by a unique name in another case."""
    center = next(center for center in sandbox.cost_centers() if center["name"] == "Platform")
    cost_centers = new_run().run.cache(CostCenterCache, enterprise)
    for spelling in (center["id"], center["id"].upper(), "Platform", "pLATFORM"):
        assert cost_centers.find(spelling).id == center["id"]
    assert len(sandbox.requests) == 1
    sandbox.rename_cost_center("Data", "platform")
    assert new_run().run.cache(CostCenterCache, enterprise).find("Platform").id == center["id"]


def test_a_deleted_budget_is_removed_from_new_listings(
    sandbox: Sandbox, harness: RunHarness, enterprise: Owner
) -> None:
    """A listing that still contains a budget that this run deleted does not return it."""
    first, second = fill(sandbox, 2)
    budgets = harness.run.cache(OwnerCache, enterprise)
    budgets.forget(first)
    assert set(budgets.complete(max_age=0)) == {second}
