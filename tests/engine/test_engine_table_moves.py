"""Moves of people's budgets between single resources and tables, on both engines: GitHub is never written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.drivers import CommandLine, Embedded, chosen
from tests.engine.scenarios import Do
from tests.support.tables import live

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

E = "octo-enterprise"
ROWS = {"ann": 20, "bob": 80, "cid": 5}
HEAD = "import pulumi\nfrom billing_provider import EnterpriseBudget, UserBudgets\n"


def table(rows: dict[str, Any], name: str = "people", **more: Any) -> str:
    """Return a table; its variable is its name."""
    given = {"enterprise": E, "budgets": rows, "allow_empty": True, **more}
    opts = f", opts={given.pop('opts')}" if "opts" in given else ""
    return f"{name} = UserBudgets({name!r}, **{given!r}{opts})\n"


def single(login: str, opts: str = "None", **more: Any) -> str:
    """Return a single budget of the amount in `ROWS`."""
    shape = {"enterprise": E, "budget_product_sku": "ai_credits", "budget_scope": "user", "user": login}
    given = {**shape, "budget_amount": ROWS[login], **more}
    return f"EnterpriseBudget('user-{login}', **{given!r}, opts={opts})\n"


def singles(opts: str = "None", **more: Any) -> str:
    """Return a single budget for each row."""
    return "".join(single(login, opts, **more) for login in ROWS)


AFTER = "pulumi.ResourceOptions(depends_on=[people])"
ALIAS = "pulumi.ResourceOptions(aliases=[pulumi.Alias(name='people')])"
REST = {"cid": 5}
MOVED = {"ann": 20, "bob": 80}
MOVES = {
    "single budgets become a table": (singles(), table(ROWS, on_delete="delete")),
    "a table becomes single budgets": (table(ROWS), singles()),
    "rows become single budgets after the table": (
        table(ROWS),
        table(REST) + single("ann", AFTER) + single("bob", AFTER),
    ),
    "rows become single budgets before the table": (table(ROWS), single("ann") + single("bob") + table(REST)),
    "an empty table stays behind": (table(ROWS), table({}) + singles(AFTER, on_delete="delete")),
    "a table is renamed with an alias": (table(ROWS), table(ROWS, "staff", opts=ALIAS)),
    "a table is renamed without an alias": (table(ROWS), table(ROWS, "staff")),
    "rows move to a later table": (table(ROWS) + table({}, "staff"), table(REST) + table(MOVED, "staff")),
    "rows move to an earlier table": (table({}, "staff") + table(ROWS), table(MOVED, "staff") + table(REST)),
}


ON_BOTH = chosen(
    list(MOVES),
    *("single budgets become a table", "a table becomes single budgets", "rows become single budgets after the table"),
)
"""Moves that also the Pulumi CLI makes; all of them take it minutes."""


@pytest.mark.parametrize("move", MOVES)
def test_a_move_writes_nothing(driver: Embedded | CommandLine, sandbox: Sandbox, move: str) -> None:
    """Preview and run remove no cap, the budgets are the same ones, and a further run finds no change."""
    if isinstance(driver, CommandLine) and move not in ON_BOTH:
        pytest.skip("on the embedded engine only: COMPARE=all runs it on both")
    before, after = (HEAD + program for program in MOVES[move])
    run(driver, "up", before)
    ids = {each["id"] for each in sandbox.budgets()}
    assert live(sandbox) == ROWS
    sandbox.forget_requests()
    assert "removes the cap" not in run(driver, "preview", after)
    said = run(driver, "up")
    assert "removes the cap" not in said
    assert "is deleted" not in said
    assert run(driver, "up", changed=False) is not None
    run(driver, "refresh")
    assert run(driver, "up", changed=False) is not None
    assert sandbox.writes == []
    assert (live(sandbox), {each["id"] for each in sandbox.budgets()}) == (ROWS, ids)


def run(driver: Embedded | CommandLine, verb: str, program: str | None = None, *, changed: bool = True) -> str:
    """Run a verb that must succeed, and return what it said."""
    if program is not None:
        driver.bench.program(program)
    done = driver.run(Do(verb))  # type: ignore[arg-type]
    assert done.code == 0, done.said
    assert changed or done.counts.keys() == {"same"}, done.said
    return done.said


@pytest.mark.parametrize("on_existing", [None, "adopt"])
def test_a_move_with_another_amount_lifts_no_cap(
    driver: Embedded | CommandLine, sandbox: Sandbox, on_existing: str | None
) -> None:
    """A row that is refused for its amount leaves the budget of the single resource; with `adopt`, it is changed."""
    run(driver, "up", HEAD + singles())
    ids = {each["id"] for each in sandbox.budgets()}
    sandbox.forget_requests()
    more = {"on_existing": on_existing} if on_existing else {}
    driver.bench.program(HEAD + table({**ROWS, "ann": 25}, **more))
    done = driver.run(Do("up"))
    writes = [request.method for request in sandbox.writes]
    assert {each["id"] for each in sandbox.budgets()} == ids
    if on_existing:
        assert (done.code, writes, live(sandbox)["ann"]) == (0, ["PATCH"], 25)
    else:
        assert (done.code != 0, writes, live(sandbox)) == (True, [], ROWS)
        run(driver, "up", HEAD + table(ROWS))
        assert sandbox.writes == []
        run(driver, "up", changed=False)
        assert live(sandbox) == ROWS


def test_a_single_budget_with_another_amount_lifts_no_cap(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A single budget that is refused for its amount, after its row has left the table, leaves the budget there."""
    run(driver, "up", HEAD + table(ROWS))
    ids = {each["id"] for each in sandbox.budgets()}
    sandbox.forget_requests()
    for _ in range(2):
        driver.bench.program(HEAD + table({"bob": 80, "cid": 5}) + single("ann", AFTER, budget_amount=25))
        assert driver.run(Do("up")).code != 0
        assert (sandbox.writes, live(sandbox)) == ([], ROWS)
    run(driver, "up", HEAD + table({"bob": 80, "cid": 5}) + single("ann"))
    assert sandbox.writes == []
    assert {each["id"] for each in sandbox.budgets()} == ids
