"""Pages that are read side by side, compared with pages that are read one after the other."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from billing_provider.budgets.api import BudgetsApi
from billing_provider.core.errors import BillingError, TransportError
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.sandbox import Sandbox
from billing_provider.transport.pacing import MOST_READS
from billing_provider.transport.paging import pages
from tests.support.harness import open_harness
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from billing_provider.sandbox.http.pipeline import Request
    from tests.support.clock import VirtualClock

BIG = Owner(ENTERPRISE_OWNER, "octo-enterprise")
MOST = 20
ROWS = st.lists(st.integers(0, 24), max_size=4)
PAGES = st.tuples(ROWS, st.sampled_from([True, False, None]), st.none() | st.integers(-1, 30))


def fill(sandbox: Sandbox, many: int) -> list[str]:
    """Store so many budgets, and return their ids."""
    names = [f"octo-org/r{number}" for number in range(many)]
    return [
        sandbox.add_budget("enterprise", "octo-enterprise", budget_scope="repository", budget_entity_name=name)["id"]
        for name in names
    ]


def listed(sandbox: Sandbox, clock: VirtualClock | None = None) -> list[str]:
    """Return the ids of a new listing."""
    return [budget.id for budget in open_harness(sandbox, clock).run.api(BudgetsApi).list_budgets(BIG)]


@given(answers=st.lists(PAGES, min_size=1, max_size=8), refused=st.none() | st.integers(1, 8))
def test_pages_side_by_side_are_judged_like_pages_in_a_row(answers: list[Any], refused: int | None) -> None:
    """For all totals, sizes, flags, repeated rows and refusals, both ways yield the same pages and the same error."""

    def fetch(number: int) -> Any:
        if number == refused:
            raise TransportError(f"page {number} is refused")
        # A server that has no further page sends the last one again.
        return answers[min(number, len(answers)) - 1]

    def read(*, ahead: bool) -> tuple[list[Any], str]:
        found: list[Any] = []
        try:
            found.extend(pages(fetch, lambda row: row, MOST, "list", ahead=ahead))
        except BillingError as error:
            return found, str(error)
        return found, ""

    assert read(ahead=True) == read(ahead=False)


@example(many=6, size=2, changes=[(1, 0)], grows=False)
@given(
    many=st.integers(0, 12),
    size=st.integers(1, 4),
    changes=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), max_size=4),
    grows=st.booleans(),
)
def test_no_budget_is_missed_that_was_there_all_the_time(
    many: int, size: int, changes: list[tuple[int, int]], grows: bool
) -> None:
    """Whatever is created, or deleted, between the pages: a listing has all budgets that stayed, or is refused."""
    gone: set[str] = set()
    seen = 0
    lock = threading.Lock()

    def change(_: Request) -> None:
        nonlocal seen
        with lock:
            seen += 1
            due = [which for at, which in changes if at == seen]
        for which in due:
            if grows:
                sandbox.add_budget("enterprise", "octo-enterprise")
            elif which < many and ids[which] not in gone:
                gone.add(ids[which])
                sandbox.remove_budget(ids[which])

    with Sandbox(page_cap=size, on_request=change) as sandbox:
        ids = fill(sandbox, many)
        found: list[str] | None = None
        with suppress(TransportError):
            found = listed(sandbox)
    assume(found is not None)
    assert set(ids) - gone <= set(found or ())


def reading(sandbox: Sandbox) -> tuple[threading.Thread, list[str]]:
    """Start a thread that reads the listing, and return it with what it finds."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(listed(sandbox)))
    return thread, found


def test_the_pages_after_the_first_are_on_their_way_together() -> None:
    """Page 2 is answered after page 3 was asked for, and at most ten pages are asked for together, in their order."""
    asked: set[int] = set()
    lock, peak = threading.Lock(), [0]
    under_way: set[int] = set()

    def answer(request: Request) -> None:
        number = int(request.query["page"])
        with lock:
            asked.add(number)
            under_way.add(number)
            peak[0] = max(peak[0], len(under_way))
        if 1 < number <= MOST_READS + 1:
            wait_until(lambda: set(range(2, MOST_READS + 2)) <= asked, thread.is_alive)
        with lock:
            under_way.remove(number)

    with Sandbox(page_cap=2, on_request=answer) as sandbox:
        ids = fill(sandbox, 2 * MOST_READS + 7)
        thread, found = reading(sandbox)
        thread.start()
        thread.join()
        numbers = [int(request.query["page"]) for request in sandbox.requests]
    assert found == ids
    assert (numbers[0], sorted(numbers)) == (1, list(range(1, 15)))
    assert peak == [MOST_READS]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"action": "403_permission", "nth": 3}, "403", id="refused"),
        pytest.param({"action": "500_before", "nth": 3, "times": 99}, "500", id="failing"),
    ],
)
def test_a_page_that_fails_fails_the_listing(fault: dict[str, Any], error: str) -> None:
    """The error of a page is the error of the listing, and further pages are not begun."""
    with Sandbox(page_cap=1) as sandbox:
        fill(sandbox, 60)
        sandbox.plan([{"op": "list_budgets", **fault}])
        with pytest.raises(BillingError, match=f"list the budgets of enterprise octo-enterprise.*{error}"):
            listed(sandbox)
        assert len({request.query["page"] for request in sandbox.requests}) < 60


@pytest.mark.parametrize("quirk", ["total_count_missing", "page_flags_missing"])
def test_without_a_count_the_pages_are_read_in_a_row(quirk: str) -> None:
    """Pages of an unknown number are read one after the other, and no page too many."""
    with Sandbox(page_cap=2, quirks=[quirk]) as sandbox:
        ids = fill(sandbox, 9)
        assert listed(sandbox) == ids
        numbers = [int(request.query["page"]) for request in sandbox.requests]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_failed_page_is_repeated_beside_the_others() -> None:
    """A page that fails once is read again, and the order of the budgets is that of the pages."""
    with Sandbox(page_cap=2) as sandbox:
        ids = fill(sandbox, 12)
        sandbox.plan([{"op": "list_budgets", "action": "502_before", "nth": 3, "times": 2}])
        assert listed(sandbox) == ids


def test_a_limit_stops_the_pages_that_are_not_yet_asked_for(clock: VirtualClock) -> None:
    """After a limit, no further page is asked for before its end."""
    with Sandbox(page_cap=1, clock=clock.wall) as sandbox:
        ids = fill(sandbox, 40)
        sandbox.plan([{"op": "list_budgets", "action": "429_secondary", "nth": 4, "seconds": 60}])
        assert listed(sandbox, clock) == ids
        assert sandbox.requests_while_blocked == 0
