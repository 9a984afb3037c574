"""What a step of a plan means for a cost center and its members."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, review
from tests.review.world import SECRET, UNKNOWN, document, step, urn

TEAM: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Team", "users": ["octocat", "hubot"]}
BOTH = "cost center Team of octo-enterprise with 2 users"
ONE = "cost center Team of octo-enterprise with 1 user"
NONE = "cost center Team of octo-enterprise"
ARCHIVED = "it is archived: its budgets lose their object, and its members are in no cost center"
SUBJECT = "the cost center Team: "
FREES = "frees hubot of the $10 hard stop per person of cost center Team (budget x)"
DECLARES = "declaring users removes monalisa from this cost center, because the declared list does not contain them"
MAY_LOSE = "the $10 budget on actions (budget x) may lose its object: the cost center is archived"
LOSES = "the $10 hard stop on actions of cost center Team (budget x) loses its object: the cost center is archived"

CASES: dict[str, tuple[dict[str, Any], list[str], tuple[str, str, str, list[str]], set[str]]] = {
    "new": (
        step("create", new=TEAM), [f"{SUBJECT}moves 1 user from cost center Data: hubot"],
        ("new", "", BOTH, ["moves 1 user from cost center Data: hubot"]), set(),
    ),
    "adopted": (
        step("create", new=TEAM), [f"{SUBJECT}adopts the existing cost center x: removes users monalisa"],
        ("adopted", "", BOTH, ["adopts the existing cost center x: removes users monalisa"]), {"loosening"},
    ),
    "adopted with a name that has spaces": (
        step("create", new={**TEAM, "name": "Team  A"}),
        ['the cost center "Team \\x20A": adopts the existing cost center x: removes users monalisa'],
        ("adopted", "", BOTH.replace("Team", "Team A"), ["adopts the existing cost center x: removes users monalisa"]),
        {"loosening"},
    ),
    "adopted as it is": (
        step("create", new=TEAM), [f"{SUBJECT}adopts the existing cost center x: adds users removes"],
        ("adopted", "", BOTH, ["adopts the existing cost center x: adds users removes"]), set(),
    ),
    "a list is declared for the first time": (
        step("update", {**TEAM, "users": None}, TEAM), [f"{SUBJECT}{DECLARES}"],
        ("changed", NONE, BOTH, ["declares users from now on: octocat and hubot", DECLARES]), {"loosening"},
    ),
    "kept, and a cap goes all the same": (
        step("delete", TEAM, retained=True), [f"{SUBJECT}{FREES}"],
        ("kept on GitHub", BOTH, BOTH, ["stays on GitHub (retain_on_delete)", FREES]), {"loosening"},
    ),
    "replaced and kept, and a cap goes all the same": (
        step("replace", TEAM, TEAM, retained=True), [MAY_LOSE],
        ("replaced", BOTH, BOTH, ["the old cost center stays on GitHub (retain_on_delete)", MAY_LOSE]), {"loosening"},
    ),
    "secret members, and nobody says what differs": (
        step("update", {**TEAM, "users": SECRET}, {**TEAM, "users": SECRET}, differs=[]), [],
        ("changed", NONE, NONE, ["who leaves users is not known: it is secret"]), {"loosening", "unknown"},
    ),
    "a member leaves": (
        step("update", TEAM, {**TEAM, "users": ["octocat"]}), [],
        ("changed", BOTH, ONE, ["removes users hubot"]), {"loosening"},
    ),
    "a member is freed": (
        step("update", TEAM, {**TEAM, "users": ["octocat"]}), [f"{SUBJECT}{FREES}"],
        ("loosened", BOTH, ONE, ["removes users hubot", FREES]), {"loosening"},
    ),
    "a member joins, and a new name": (
        step("update", {**TEAM, "users": ["octocat"]}, {**TEAM, "name": "Crew"}), [],
        ("changed", ONE, "cost center Crew of octo-enterprise with 2 users", ["adds users hubot", "name: Team → Crew"]),
        set(),
    ),
    "other kinds of members": (
        step(
            "update", {**TEAM, "organizations": ["octo-org"]}, {**TEAM, "repositories": ["o/r"], "enterprise_teams": []}
        ),
        [],
        (
            "changed", f"{BOTH}, 1 organization", f"{BOTH}, 1 repository",
            [
                "declares repositories from now on: o/r", "declares enterprise_teams from now on: none",
                "no longer declares organizations: they stay as they are",
            ],
        ),
        set(),
    ),
    "only the state": (
        step("update", {**TEAM, "on_delete": "keep"}, TEAM), [], ("changed", BOTH, BOTH, ["changes on_delete"]), set(),
    ),
    "secret members": (
        step("update", {**TEAM, "users": SECRET}, {**TEAM, "users": SECRET}, differs=["users"]), [],
        ("changed", NONE, NONE, ["changes users, which is secret", "who leaves users is not known: it is secret"]),
        {"loosening", "unknown"},
    ),
    "not known yet": (
        step("update", TEAM, {**TEAM, "users": UNKNOWN, "name": UNKNOWN}), [],
        (
            "changed", BOTH, "cost center (not known yet) of octo-enterprise",
            ["name is not known yet", "users is not known yet"],
        ),
        {"unknown"},
    ),
    "removed": (
        step("delete", TEAM), [], ("removed", BOTH, "", [ARCHIVED]), {"loosening", "deletion"},
    ),
    "kept": (
        step("delete", TEAM, state={"kept_on_delete": True}), [],
        ("kept on GitHub", BOTH, BOTH, ["stays on GitHub (on_delete is keep)"]), set(),
    ),
    "replaced": (
        step("replace", TEAM, {**TEAM, "enterprise": "octo-second"}), [LOSES],
        ("replaced", BOTH, "cost center Team of octo-second with 2 users", [f"of the old one: {ARCHIVED}", LOSES]),
        {"loosening", "deletion"},
    ),
    "replaced and kept": (
        step("replace", TEAM, TEAM, retained=True), [],
        ("replaced", BOTH, BOTH, ["the old cost center stays on GitHub (retain_on_delete)"]), set(),
    ),
    "imported": (
        step("import", new=TEAM), [], ("imported", BOTH, BOTH, ["the state takes it; GitHub is not changed"]), set(),
    ),
    "not compared": (
        step("create", new=TEAM), ["not compared with GitHub: 500"],
        ("new", "", BOTH, ["not compared with GitHub: 500"]), {"unknown"},
    ),
    "a damaged state": (
        step("update", {**TEAM, "users": "x"}, TEAM), [],
        (
            "not understood", "", "",
            ["Pulumi's operation is update", "its values in the plan are not those of a cost center"],
        ),
        {"loosening", "unknown"},
    ),
    "an operation of the future": (
        step("merge", TEAM, TEAM), [],
        ("not understood", "", "", ["Pulumi's operation is merge", "this version does not know the operation"]),
        {"loosening", "deletion", "unknown"},
    ),
    "a nameless one": (
        step("delete", {}), [], ("removed", "cost center of", "", [ARCHIVED]), {"loosening", "deletion"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_step(name: str) -> None:
    """Each kind of change has its words, with both sides, and stops its gates."""
    made, said, expected, gates = CASES[name]
    made["urn"] = made["urn"].replace("EnterpriseBudget", "CostCenter")
    plan = document(made)
    plan["diagnostics"] = [
        {"urn": made["urn"], "message": f"warning: {text}\n", "severity": "warning"} for text in said
    ]
    found = review(read_plan("p", json.dumps(plan).encode()))
    (item,) = found.items
    assert (item.change, item.before, item.after, list(item.lines)) == expected
    every = [Gate(kind) for kind in ("loosening", "deletion", "increase", "blocks", "unknown")]
    assert {gate.kind for gate, _ in found.stopped(every)} == gates


def test_a_renamed_resource_takes_its_cost_center_along() -> None:
    """A cost center that one resource gives up and another one declares is moved, with the members that leave."""
    old = step("delete", TEAM, name="old", resource="CostCenter")
    for users, change, texts in (
        (["octocat", "hubot"], "moved", ("the resource old had it before",)),
        (["octocat"], "moved", ("removes users hubot", "the resource old had it before")),
    ):
        new = step("create", new={**TEAM, "users": users}, name="new", resource="CostCenter")
        (item,) = review(read_plan("p", json.dumps(document(old, new)).encode())).items
        assert (item.change, item.name, item.before, item.texts) == (change, "new", BOTH, texts)
        assert not item.deletes
    other = step("create", new={**TEAM, "name": UNKNOWN}, name="new", resource="CostCenter")
    found = review(read_plan("p", json.dumps(document(old, other)).encode()))
    assert [item.change for item in found.items] == ["removed", "new"]


def test_a_name_is_no_adoption() -> None:
    """A cost center whose name looks like the word about an adoption takes no other one over."""
    new = step("create", new={**TEAM, "name": "New"}, name="n", resource="CostCenter")
    old = step("delete", {**TEAM, "name": "Old"}, name="o", resource="CostCenter")
    for text, changes in (
        ("moves 1 user from cost center adopts the existing cost center 1: hubot", ["removed", "new"]),
        ("the cost center New: adopts the existing cost center 1 as it is", ["moved"]),
    ):
        found = review(read_plan("p", json.dumps(document(old, new) | warned(text)).encode()))
        assert [item.change for item in found.items] == changes
    del new["newState"]["inputs"]["name"]
    found = review(read_plan("p", json.dumps(document(old, new) | warned(text)).encode()))
    assert [item.change for item in found.items] == ["removed", "new"]


def warned(text: str) -> dict[str, Any]:
    """Return what a preview says about the new cost center."""
    return {"diagnostics": [{"urn": urn("n", "CostCenter"), "message": f"warning: {text}", "severity": "warning"}]}
