"""What a step of a plan means for a part of a table of user budgets."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from billing_provider.review.markdown import comment
from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, Review, review
from tests.review.world import SECRET, UNKNOWN, document, step

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
    "secret rows go": (
        step("delete", table(OLD), state={**state(), "budgets": "[secret]"}),
        ("removed", ["budgets before the step is not known"]), {"loosening", "deletion", "unknown"},
    ),
    "one secret row goes": (
        step("delete", table({"ann": 10, "bob": SECRET}), state=state()),
        ("removed", ["budgets before the step is not known"]), {"loosening", "deletion", "unknown"},
    ),
    "secret rows stay": (
        step("delete", table(SECRET), state=state(), retained=True), ("changed", []), set(),
    ),
    "secret rows change": (
        step("update", table({"ann": SECRET}), table({"ann": SECRET, "bob": 9}), state=state()),
        ("loosened", ["budgets is not known"]), {"loosening", "unknown"},
    ),
    "rows that were secret": (
        step("update", table(SECRET), table({"ann": 900}), state=state()),
        ("loosened", ["budgets before the step is not known"]), {"loosening", "unknown"},
    ),
    "a table becomes exclusive": (
        step("update", table(OLD), {**table(OLD), "exclusive": True}, state=state()),
        (
            "changed",
            [
                "changes exclusive from nothing to True",
                "the budgets of everybody without a row go: a preview that reads GitHub names them",
            ],
        ),
        set(),
    ),
    "other inputs of a table": (
        step("update", {**table(OLD), "protected": True, "on_existing": "adopt"}, table(OLD), state=state()),
        (
            "changed",
            [
                "changes the budgets of 4 people: ann, bob, carl, dora",
                "changes protected from True to nothing",
                "changes on_existing from adopt to nothing",
            ],
        ),
        set(),
    ),
    "an exclusive table that has found others": (
        step(
            "update", {**table(OLD), "exclusive": True}, {**table({**OLD, "yan": 3}), "exclusive": True},
            state={**state(), "others": ["yan", "zed"]},
        ),
        (
            "loosened",
            [
                "adds caps for 1 person (+$3 a month): yan $3",
                "removes the budgets of zed, who are not in this table",
            ],
        ),
        {"loosening", "deletion"},
    ),
    "a table that is exclusive no longer": (
        step(
            "update", {**table(OLD), "exclusive": True}, table(OLD), state={**state(), "others": ["zed"]},
        ),
        ("changed", ["changes exclusive from True to nothing"]), set(),
    ),
    "an operation of the future": (
        step("replace", table(OLD), table(NEW)),
        (
            "not understood",
            ["Pulumi's operation is replace", "this version does not know the operation for a table"],
        ),
        {"loosening", "deletion", "unknown"},
    ),
    "a damaged state": (
        step("update", table([]), table(NEW)),
        ("not understood", ["Pulumi's operation is update", "its values in the plan are not those of a table"]),
        {"loosening", "unknown"},
    ),
}  # fmt: skip


def as_stored(side: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a table as they are stored since 0.2.0: rows and logins are lines of a text."""
    found = dict(side)
    for name, value in side.items():
        # A secret in a text makes the whole text one.
        if "secret]" in str(value):
            continue
        if isinstance(value, dict):
            found[name] = "".join(f"{json.dumps(login)} {json.dumps(row)}\n" for login, row in value.items())
        elif isinstance(value, list) and name != "budgets":
            found[name] = "".join(f"{json.dumps(login)}\n" for login in value)
    return found


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_step(name: str, is_stored: bool) -> None:
    """A table is told in sums, with the largest changes, and stops the gates of its rows, in both forms of a state."""
    made, (change, lines), gates = copy.deepcopy(CASES[name])
    made["urn"] = made["urn"].replace("EnterpriseBudget", "UserBudgetBucket")
    for state_of in ("oldState", "newState") if is_stored else ():
        made[state_of] = {
            key: as_stored(side) if isinstance(side, dict) else side for key, side in made.get(state_of, {}).items()
        }
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


COMPONENT = "urn:pulumi:dev::shop::github-billing:index:UserBudgets::t"
PART = f"{COMPONENT.replace('UserBudgets::', 'UserBudgets$pulumi-python:dynamic/github-billing:UserBudgetBucket::')}-07"
GATES = [Gate("loosening"), Gate("deletion"), Gate("increase", 500), Gate("blocks"), Gate("unknown")]


def said(text: str, urn: str = COMPONENT, op: str = "same") -> Review:
    """Return the review of a plan whose preview says something about a table or a part of it."""
    made = {**step(op, table(OLD), table({**OLD, "ann": 9} if op == "update" else OLD), state=state()), "urn": PART}
    warning = {"urn": urn, "message": f"warning: {text}\n", "severity": "warning"}
    return review(read_plan("p", json.dumps({**document(made), "diagnostics": [warning]}).encode()))


WORDS: dict[str, set[str]] = {
    "lifts the caps of 2 people who are not in this table: yan $900, zed $900": {"loosening", "deletion", "increase"},
    "lifts the caps of 1 person who is not in this table: zed $9": {"loosening", "deletion", "increase"},
    "raises the caps of 2 people (+$1,101 a month), 2 of them existing budgets that it adopts: yan $900 to $1,501, "
    "zed $900 to $1,400": {"loosening", "increase"},
    "raises the caps of 2 people (+$800 a month): yan $900 to $1,300, zed $900 to $1,300": {"loosening"},
    "stops ann at once: $200 are used, the cap is $1": {"blocks"},
    "not compared with GitHub: HTTP 503": {"unknown"},
    "who has used how much is not known, so a new or lower cap of a person may stop this person at once": {"unknown"},
    "adds caps for 1 person (+$0 a month): ann $0": set(),
}


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("op", ["same", "update"])
def test_words_about_a_table(text: str, op: str) -> None:
    """What a preview says about a table as a whole stops the gates, also if no part of it has a change."""
    found = said(f"t: {text}", op=op)
    assert {gate.kind for gate, _ in found.stopped(GATES)} == WORDS[text]
    assert text in comment(found, "x").replace("`", "")
    is_change = op == "update" or not WORDS[text] <= {"unknown"}
    assert [item.name for item in found.items if item.resource == "UserBudgets"] == ["t"] * is_change


def test_words_about_a_part_of_a_table() -> None:
    """What a preview says about one resource of a table stops the gates too, with its name before it."""
    for text, gates in WORDS.items():
        for before in ("", "t-07: "):
            kinds = {gate.kind for gate, _ in said(f"{before}{text}", PART, "update").stopped(GATES)}
            assert kinds == gates, text


def of_try(op: str, old: dict[str, Any], new: dict[str, Any] | None) -> Review:
    """Return the review of a plan of `try`, which has inputs alone."""
    made = {"op": op, "urn": PART, "differs": ["budgets.ann"], "old": old, "new": new}
    plan = {"verb": "preview", "ok": True, "counts": {}, "steps": [made], "diagnostics": []}
    return review(read_plan("p", json.dumps(plan).encode()))


def test_a_plan_of_try_has_the_losses_of_a_table() -> None:
    """Without outputs, each row before a step counts as a budget on GitHub."""
    deleted, kept = of_try("delete", table(OLD), None), of_try("delete", {**table(OLD), "on_delete": "keep"}, None)
    assert {gate.kind for gate, _ in deleted.stopped(GATES)} == {"loosening", "deletion", "increase"}
    assert [list(item.lines) for item in kept.items] == [["4 stay on GitHub"]]
    (item,) = of_try("update", table(OLD), table({"ann": 900, "bob": 20})).items
    assert (item.is_loss, item.deletes, item.raises_more_than(500)) == (True, True, True)
    assert item.lines[0].startswith("lifts the caps of 2 people ($35 a month), raises the caps of 1 person (+$890")


def test_rules_judge_the_rows_of_a_table() -> None:
    """Each row is a budget of one person for the rules; damaged, secret and unknown rows are none."""
    rules = {"max-amount": 100.0, "expiry": 20.0}
    for op in ("create", "same"):
        rows = table({"ann": 100000, "bob": 15, "carl": {"budget_amount": 30, "expires_at": "2030-01-31"}})
        made = {**step(op, rows if op == "same" else None, rows), "urn": PART}
        found = review(read_plan("p", json.dumps(document(made)).encode()), rules)
        assert [(each.rule, each.subject and each.subject.name) for each in found.broken] == [
            ("max-amount", "t-07/ann"),
            ("expiry", "t-07/ann"),
        ]
    for rows in (table({"ann": SECRET}), table(UNKNOWN), table([])):
        made = {**step("create", new=rows), "urn": PART}
        assert review(read_plan("p", json.dumps(document(made)).encode()), rules).broken == []
