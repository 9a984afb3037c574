"""What a step of a plan means for a part of a table of user budgets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, review
from tests.review.world import UNKNOWN, document, step

OLD = {"ann": 10, "bob": 20, "carl": {"budget_amount": 30, "expires_at": "2030-01-31"}, "dora": 5}
NEW = {"ann": 900, "bob": 15, "carl": {"budget_amount": 30, "expires_at": "2029-01-31"}, "emil": 7}
GROUPS = (
    "lifts the caps of 1 person ($5 a month), raises the caps of 1 person (+$890 a month), "
    "lowers the caps of 1 person (-$5 a month), adds caps for 1 person (+$7 a month), changes the budgets of 1 person"
)


def table(budgets: Any) -> dict[str, Any]:
    return {"enterprise": "octo-enterprise", "bucket": "07", "budgets": budgets}


def state(*kept: str) -> dict[str, Any]:
    ids = {login: f"{number}-id" for number, login in enumerate(OLD)}
    return {"budget_ids": ids, "kept_on_delete": list(kept), "adopted": []}


CASES: dict[str, tuple[dict[str, Any], tuple[str, list[str]], set[str]]] = {
    "changed": (
        step("update", table(OLD), table(NEW), state=state()),
        (
            "loosened",
            [
                f"{GROUPS}: dora $5, ann $10 to $900, bob $20 to $15, emil $7, carl",
                "carl: expires on 2029-01-31, which lifts the cap",
            ],
        ),
        {"loosening", "deletion", "increase"},
    ),
    "lowered": (
        step("update", table(OLD), table({**OLD, "ann": 9}), state=state()),
        ("changed", ["lowers the caps of 1 person (-$1 a month): ann $10 to $9"]), set(),
    ),
    "new": (
        step("create", new=table({"ann": 1})), ("new", ["adds caps for 1 person (+$1 a month): ann $1"]), set(),
    ),
    "removed": (
        step("delete", table(OLD), state=state("bob", "carl", "dora")),
        ("removed", ["lifts the caps of 1 person ($10 a month): ann $10", "3 stay on GitHub"]),
        {"loosening", "deletion", "increase"},
    ),
    "kept": (
        step("delete", table(OLD), state=state(*OLD)), ("changed", ["4 stay on GitHub"]), set(),
    ),
    "not known yet": (
        step("update", table(OLD), table(UNKNOWN), state=state()), ("changed", ["budgets is not known"]), {"unknown"},
    ),
    "an operation of the future": (
        step("replace", table(OLD), table(NEW)),
        (
            "not understood",
            ["Pulumi's operation is replace", "this version does not know the operation for a table"],
        ),
        {"loosening", "unknown"},
    ),
    "a damaged state": (
        step("update", table([]), table(NEW)),
        ("not understood", ["Pulumi's operation is update", "its values in the plan are not those of a table"]),
        {"loosening", "unknown"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_step(name: str) -> None:
    """A table is told in sums, with the largest changes, and stops the gates of its rows."""
    made, (change, lines), gates = CASES[name]
    made["urn"] = made["urn"].replace("EnterpriseBudget", "UserBudgetBucket")
    found = review(read_plan("p", json.dumps(document(made)).encode()))
    (item,) = found.items
    assert (item.change, list(item.lines)) == (change, lines)
    every = [Gate("loosening"), Gate("deletion"), Gate("increase", 500), Gate("blocks"), Gate("unknown")]
    assert {gate.kind for gate, _ in found.stopped(every)} == gates


def test_rows_are_in_the_sums() -> None:
    """The caps of the rows are added for their owner and product."""
    made = step("update", table(OLD), table({**OLD, "ann": 11}), state=state())
    made["urn"] = made["urn"].replace("EnterpriseBudget", "UserBudgetBucket")
    (total,) = review(read_plan("p", json.dumps(document(made)).encode())).totals
    assert (total.product, total.scope, str(total.before), str(total.after)) == ("ai_credits", "user", "$10", "$11")
