"""Random stories of a table: an oracle that looks at the server judges each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness
from tests.support.tables import ENTERPRISE, TableStack, live

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGINS = ("ann", "bob", "cid", "dan", "eve", "fay", "gil")
STRANGERS = ("zoe", "yan")
TABLES = st.dictionaries(st.sampled_from(LOGINS), st.integers(0, 9), min_size=1)
FAULTS = st.sampled_from(["422", "500_before", "500_after", "reset_before", "reset_after", "bad_json", "401", "404"])
EVENTS = st.one_of(
    st.tuples(st.just("fault"), st.sampled_from(["create_budget", "update_budget", "delete_budget"]), FAULTS),
    st.tuples(st.just("edit"), st.sampled_from(LOGINS), st.integers(10, 19)),
    st.tuples(st.just("remove"), st.sampled_from(LOGINS), st.none()),
    st.tuples(st.just("refresh"), st.none(), st.none()),
    st.tuples(st.just("lost"), st.integers(0, 15), st.none()),
    st.tuples(st.just("none"), st.none(), st.none()),
)


def happen(sandbox: Sandbox, stack: TableStack, event: tuple[str, Any, Any]) -> None:
    """Let something happen between two runs."""
    kind, what, how = event
    budget = next((each for each in sandbox.budgets() if each["user"] == what), None)
    if kind == "fault":
        sandbox.plan([{"op": what, "action": how, "nth": 2}], required=False)
    elif kind == "edit" and budget:
        sandbox.edit_budget(budget["id"], budget_amount=how)
    elif kind == "remove" and budget:
        sandbox.remove_budget(budget["id"])
    elif kind == "refresh":
        stack.refresh()
    elif kind == "lost" and f"t-{what:02d}" in stack.stored:
        del stack.stored[f"t-{what:02d}"], stack.inputs[f"t-{what:02d}"]


def judge(sandbox: Sandbox, stack: TableStack, strangers: Mapping[str, Any], told: list[str], before: Any) -> None:
    """Judge what a run did: nobody else's budget, no second one, and no cap that goes or rises without a word."""
    after = live(sandbox)
    assert {login: amount for login, amount in after.items() if login in STRANGERS} == dict(strangers)
    words = "\n".join(told)
    for login, amount in before.items():
        if login not in after or after[login] > amount:
            assert login in words, (login, words)
    ids = {each["id"]: each["user"] for each in sandbox.budgets()}
    for each in stack.stored.values():
        for login, id_ in each.outputs["budget_ids"].items():
            # One that was removed by hand has no budget.
            assert ids.get(id_, login) == login


# Each example is some hundred requests.
@settings(max_examples=max(6, settings().max_examples // 4))
@given(st.lists(st.tuples(TABLES, EVENTS), min_size=1, max_size=5))
def test_stories_of_a_table(steps: list[tuple[dict[str, Any], tuple[str, Any, Any]]]) -> None:
    """After any faults, edits and lost states, a quiet run or two bring GitHub to what the table declares."""
    clock = VirtualClock()
    with Sandbox(clock=clock.wall) as sandbox:
        for login in STRANGERS:
            sandbox.add_budget(
                "enterprise",
                ENTERPRISE,
                budget_amount=7,
                prevent_further_usage=True,
                budget_product_sku="ai_credits",
                budget_scope="user",
                user=login,
            )
        strangers = live(sandbox)
        stack = TableStack(lambda **chosen: open_harness(sandbox, clock, **chosen))
        for rows, event in steps:
            happen(sandbox, stack, event)
            before = live(sandbox)
            declared = stack.declare(rows, on_existing="adopt", on_delete="delete")
            told, _ = stack.preview(declared)
            run, _ = stack.up(declared)
            judge(sandbox, stack, strangers, [*told, *run.reporter.warnings], before)
            sandbox.plan([])
        rows, _ = steps[-1]
        declared = stack.declare(rows, on_existing="adopt", on_delete="delete")
        # A fault can leave the state behind GitHub, so that a refresh is needed.
        stack.refresh()
        assert stack.up(declared)[1] == []
        expected = {**rows, **strangers}
        assert {login: live(sandbox).get(login) for login in expected} == expected
        assert set(live(sandbox)) - set(expected) <= set(LOGINS) - set(rows)
        sandbox.forget_requests()
        assert stack.up(declared)[1] == []
        assert sandbox.requests == []
