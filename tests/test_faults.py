"""A part of the fault matrix in every run; `make faults` plays it whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from billing_provider.core.errors import WaitError
from tests.faults import baseline, matrix
from tests.faults.matrix import Cell
from tests.faults.state_machine import BudgetStory
from tests.faults.world import World

PARTS = 4
OF_EACH = 5


def sample() -> list[Cell]:
    """Return some cells of each operation, which together have every fault."""
    of_operation: dict[str, list[Cell]] = {}
    for cell in matrix.cells():
        of_operation.setdefault(cell.operation, []).append(cell)
    return [
        cells[(first + number * len(cells) // OF_EACH) % len(cells)]
        for first, cells in enumerate(of_operation.values())
        for number in range(OF_EACH)
    ]


@pytest.mark.parametrize("part", range(PARTS), ids=str)
def test_no_fault_loses_or_duplicates_a_budget(part: int) -> None:
    """Whatever request fails, the next run ends with exactly the declared budgets."""
    table = sample()[part::PARTS]
    tally = matrix.run(table, workers=1)
    assert tally.notes == []
    assert tally.untriggered == 0
    assert str(tally) == (
        f"cells {len(table)}, duplicates 0, unreported orphans 0, requests in a blocked window 0, "
        'false "gone" 0, tokens seen 0'
    )


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(Cell("create, landing late", "enterprise", "401", 8), id="unread_while_it_may_still_land"),
        pytest.param(Cell("create, landing late", "enterprise", "403_primary_hour", 5), id="limit_while_settling"),
        pytest.param(Cell("create, landing late", "organization", "list_lag", 1), id="late_and_listed_later"),
        pytest.param(Cell("several at once", "enterprise", "wrong_fields", 5), id="unreadable_update"),
    ],
)
def test_faults_that_once_caused_a_duplicate(cell: Cell) -> None:
    """Cells of the matrix that failed once stay correct."""
    tally = matrix.run_cell(cell)
    assert tally.notes == []


def test_size_of_the_fault_matrix() -> None:
    """The matrix has more than 600 distinct cells, with every operation at each of its requests."""
    table = matrix.cells()
    assert len(table) == len(set(table)) > 600
    asked = {(cell.operation, cell.k) for cell in table}
    assert asked == {
        (name, k) for name, operation in matrix.OPERATIONS.items() for k in range(1, len(operation.kinds) + 1)
    }


def test_the_part_has_every_operation_and_every_fault() -> None:
    """The cells of every run leave out no operation, no fault and no kind of owner."""
    table, whole = sample(), matrix.cells()
    assert {cell.operation for cell in table} == set(matrix.OPERATIONS)
    assert {cell.fault for cell in table} == {cell.fault for cell in whole}
    assert {cell.owner for cell in table} == {cell.owner for cell in whole}


def test_a_refused_wait_includes_the_previous_failure() -> None:
    """If a limit of an hour prevents a retry, the error has the lost response and the limit."""
    with World() as world:
        owner = matrix.ENTERPRISE
        assert world.up({"a": matrix.budget(owner)}) is None
        world.sandbox.plan(
            [
                {"action": "502_after", "op": "delete_budget"},
                {"action": "403_secondary", "op": "delete_budget", "nth": 2, "seconds": 3600},
            ]
        )
        failure = world.up({})
    assert isinstance(failure, WaitError)
    assert re.search(r"delete budget .* GitHub returned 502.*Retry: .* requires a wait of 3600 s", str(failure))


@pytest.mark.parametrize("row", baseline.ROWS, ids=[row.fault for row in baseline.ROWS])
def test_one_create_under_faults_leaves_one_budget(row: baseline.Row) -> None:
    """The comparison test ends with the declared budget, or with none and an error."""
    assert baseline.measure(row) == row.expected


def test_random_sequences_keep_the_budgets_of_a_stack() -> None:
    """In random edits, faults and kills, no budget is duplicated, lost or unknown, and no token is shown."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call, unused-ignore]
        BudgetStory,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
