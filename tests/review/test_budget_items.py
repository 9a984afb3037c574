"""What a step of a plan means for a budget: a table of each kind of change."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.resource import SECRET_INPUTS
from billing_provider.review.items import Item
from billing_provider.review.markdown import comment
from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, Review, review
from tests.review.world import HARD, SECRET, UNKNOWN, document, step, urn

SUBJECT = "the actions budget of enterprise octo-enterprise, scope enterprise"
ACTIONS = "on actions of octo-enterprise"
CAP = f"$100 hard stop {ACTIONS}"
SOFT = {**HARD, "prevent_further_usage": False}
PERSON = {
    **{name: value for name, value in HARD.items() if name != "budget_alerting"},
    "budget_scope": "user",
    "user": "octocat",
    "budget_product_sku": "ai_credits",
    "budget_type": "BundlePricing",
}


def of(value: dict[str, Any]) -> Review:
    return review(read_plan("p", json.dumps(value).encode()))


class Case(NamedTuple):
    """A step, and the item that it becomes."""

    step: dict[str, Any]
    change: str
    before: str
    after: str
    lines: list[str]
    gates: set[str]
    said: tuple[str, ...] = ()


CASES = {
    "raised": Case(
        step("update", HARD, {**HARD, "budget_amount": 700}),
        "raised", CAP, f"$700 hard stop {ACTIONS}",
        ["raises the most that can be spent by $600 (+600 %)"], {"loosening", "increase"},
    ),
    "raised a little": Case(
        step("update", HARD, {**HARD, "budget_amount": 110}),
        "raised", CAP, f"$110 hard stop {ACTIONS}",
        ["raises the most that can be spent by $10 (+10 %)"], {"loosening"},
    ),
    "raised much more than the state knows": Case(
        step("update", HARD, {**HARD, "budget_amount": 110}),
        "raised", CAP, f"$110 hard stop {ACTIONS}",
        [
            "raises the most that can be spent by $10 (+10 %)",
            "raises the most that can be spent by $1,009 (+1e+03 %)",
            "stops octocat at once: $200 are used, the cap is $110",
        ],
        {"loosening", "increase", "blocks"},
        (
            f"{SUBJECT}: raises the most that can be spent by $1,009 (+1e+03 %)",
            f"{SUBJECT}: stops octocat at once: $200 are used, the cap is $110",
        ),
    ),
    "lowered": Case(
        step("update", HARD, {**HARD, "budget_amount": 70}),
        "lowered", CAP, f"$70 hard stop {ACTIONS}",
        ["lowers the most that can be spent by $30 (-30 %)"], set(),
        (f"{SUBJECT}: lowers the most that can be spent by $30 (-30 %)",),
    ),
    "loosened": Case(
        step("update", HARD, SOFT),
        "loosened", CAP, f"$100 budget that only alerts {ACTIONS}",
        ["removes the hard stop"], {"loosening", "increase"},
    ),
    "tightened": Case(
        step("update", SOFT, HARD),
        "changed", f"$100 budget that only alerts {ACTIONS}", CAP, ["adds a hard stop"], set(),
    ),
    "alerts fewer": Case(
        step("update", HARD, {**HARD, "budget_alerting": {"will_alert": False, "alert_recipients": []}}),
        "loosened", CAP, CAP, ["alerts nobody any more"], {"loosening"},
    ),
    "expires": Case(
        step("update", PERSON, {**PERSON, "expires_at": "2027-01-31"}),
        "loosened",
        "$100 hard stop on ai_credits of octocat in octo-enterprise",
        "$100 hard stop on ai_credits of octocat in octo-enterprise",
        ["expires on 2027-01-31, which lifts the cap"], {"loosening"},
    ),
    "ends a raise": Case(
        step("update", {**PERSON, "on_raise": "keep"}, {**PERSON, "on_raise": "keep", "budget_amount": 90},
             state={"raised_to": 150.0}),
        "lowered",
        "$150 hard stop on ai_credits of octocat in octo-enterprise",
        "$90 hard stop on ai_credits of octocat in octo-enterprise",
        ["lowers the most that can be spent by $60 (-40 %)"], set(),
    ),
    "only the state": Case(
        step("update", {**HARD, "on_delete": "keep"}, {**HARD, "on_delete": "delete"}),
        "changed", CAP, CAP, ["changes on_delete from keep to delete"], set(),
    ),
    "another spelling": Case(
        step("update", HARD, {**HARD, "budget_product_sku": "Actions"}),
        "changed", CAP, "$100 hard stop on Actions of octo-enterprise",
        ["budget_product_sku is written differently: nothing is sent for it"], set(),
    ),
    "new": Case(
        step("create", new=HARD), "new", "", CAP, ["counts from 0: $5 used earlier this month are not included"], set(),
        (f"{SUBJECT}: counts from 0: $5 used earlier this month are not included",),
    ),
    "new and large": Case(
        step("create", new={**HARD, "budget_amount": 5000}), "new", "", f"$5,000 hard stop {ACTIONS}", [], {"increase"},
    ),
    "adopted": Case(
        step("create", new=HARD), "adopted", CAP, CAP, ["adopts the existing budget x-1 as it is; a destroy keeps it"],
        set(), (f"{SUBJECT}: adopts the existing budget x-1 as it is; a destroy keeps it",),
    ),
    "adopted and loosened": Case(
        step("create", new=HARD), "adopted", "a budget on GitHub that the plan does not show", CAP,
        ["adopts the existing budget x-1: raises the most that can be spent by $900 (+900 %)"],
        {"loosening", "increase"},
        (f"{SUBJECT}: adopts the existing budget x-1: raises the most that can be spent by $900 (+900 %)",),
    ),
    "adopted with a secret amount": Case(
        step("create", new={**HARD, "budget_amount": SECRET}), "adopted",
        "a budget on GitHub that the plan does not show", f"hard stop {ACTIONS}",
        ["adopts the existing budget x-1: changes budget_amount, which is secret"],
        {"loosening", "increase"},
        (f"{SUBJECT}: adopts the existing budget x-1: changes budget_amount, which is secret",),
    ),
    "removed": Case(
        step("delete", HARD), "removed", CAP, "", ["its cap goes"], {"loosening", "deletion", "increase"},
    ),
    "an alert removed": Case(
        step("delete", SOFT), "removed", f"$100 budget that only alerts {ACTIONS}", "",
        ["a budget that only alerts goes"], {"loosening", "deletion"},
    ),
    "a secret removed": Case(
        step("delete", {**SOFT, "prevent_further_usage": SECRET}), "removed", f"$100 budget {ACTIONS}", "",
        ["its cap goes", "prevent_further_usage is secret"], {"loosening", "deletion", "increase", "unknown"},
    ),
    "kept": Case(
        step("delete", HARD, state={"kept_on_delete": True}),
        "kept on GitHub", CAP, CAP, ["stays on GitHub (on_delete is keep)"], set(),
    ),
    "retained": Case(
        step("delete", HARD, retained=True),
        "kept on GitHub", CAP, CAP, ["stays on GitHub (retain_on_delete)"], set(),
    ),
    "expired": Case(
        step("delete", {**PERSON, "expires_at": "2020-01-31"}, state={"expired": True}), "kept on GitHub",
        "$100 hard stop on ai_credits of octocat in octo-enterprise",
        "$100 hard stop on ai_credits of octocat in octo-enterprise", ["has expired"], set(),
    ),
    "replaced": Case(
        step("replace", HARD, {**HARD, "budget_product_sku": "packages", "budget_amount": 300}),
        "replaced", CAP, "$300 hard stop on packages of octo-enterprise",
        ["the old budget goes", "raises the most that can be spent by $200 (+200 %)"],
        {"loosening", "deletion", "increase"},
    ),
    "replaced and kept": Case(
        step("replace", HARD, {**HARD, "budget_product_sku": "packages"}, state={"kept_on_delete": True}),
        "replaced", CAP, "$100 hard stop on packages of octo-enterprise",
        ["the old budget stays on GitHub (on_delete is keep)"], set(),
    ),
    "made anew": Case(
        step("replace", HARD, HARD), "replaced", CAP, CAP, ["it is made anew"], set(),
    ),
    "imported": Case(
        step("import", new=HARD), "imported", CAP, CAP, ["the state takes it; GitHub is not changed"], set(),
    ),
    "a secret changed": Case(
        step("update", {**HARD, "budget_amount": "[secret]"}, {**HARD, "budget_amount": "[secret]"},
             differs=["budget_amount"]),
        "loosened", f"hard stop {ACTIONS}", f"hard stop {ACTIONS}",
        ["changes budget_amount, which is secret", "the direction of budget_amount is not known: it is secret"],
        {"loosening", "increase", "unknown"},
    ),
    "a secret, and nobody says what differs": Case(
        step("update", {**HARD, "budget_amount": "[secret]"}, {**HARD, "budget_amount": "[secret]"}, differs=[]),
        "loosened", f"hard stop {ACTIONS}", f"hard stop {ACTIONS}",
        ["changes budget_amount, which is secret", "the direction of budget_amount is not known: it is secret"],
        {"loosening", "increase", "unknown"},
    ),
    "no longer a secret": Case(
        step("update", {**HARD, "budget_amount": "[secret]"}, HARD, differs=["budget_amount"]),
        "loosened", f"hard stop {ACTIONS}", f"hard stop {ACTIONS}",
        ["changes budget_amount, which is secret", "the direction of budget_amount is not known: it is secret"],
        {"loosening", "increase", "unknown"},
    ),
    "new and secret": Case(
        step("create", new={**HARD, "budget_amount": "[secret]"}), "new", "", f"hard stop {ACTIONS}", [], {"increase"},
    ),
    "new, and none takes the place of the former": Case(
        step("create", new=HARD), "new", "", CAP, [f"deletes the {CAP}: the declared one has expired"],
        {"loosening", "deletion", "increase"}, (f"{SUBJECT}: deletes the {CAP}: the declared one has expired",),
    ),
    "a secret scope": Case(
        step("create", new={**HARD, "budget_scope": "[secret]", "budget_entity_name": "[secret]"}),
        "new", "", CAP, [], set(),
    ),
    "not known yet": Case(
        step("update", HARD, {**HARD, "budget_amount": UNKNOWN}),
        "changed", CAP, f"hard stop {ACTIONS}", ["budget_amount is not known yet"], {"unknown"},
    ),
    "an owner not known yet": Case(
        step("create", new={**HARD, "enterprise": UNKNOWN}), "new", "", "$100 hard stop on actions of (not known yet)",
        ["enterprise is not known yet"], {"unknown"},
    ),
    "not compared": Case(
        step("create", new=HARD), "new", "", CAP, ["not compared with GitHub: 500"], {"unknown"},
        (f"{SUBJECT}: not compared with GitHub: 500",),
    ),
    "a damaged state": Case(
        step("update", {**HARD, "budget_amount": []}, HARD), "not understood", "", "",
        ["Pulumi's operation is update", "its values in the plan are not those of a budget"], {"loosening", "unknown"},
    ),
    "an empty state": Case(
        step("update", {}, HARD), "not understood", "", "",
        ["Pulumi's operation is update", "its values in the plan are not those of a budget"], {"loosening", "unknown"},
    ),
    "an operation of the future": Case(
        step("merge", HARD, HARD), "not understood", "", "",
        ["Pulumi's operation is merge", "this version does not know the operation"],
        {"loosening", "deletion", "unknown"},
    ),
    "a delete without values": Case(
        {"op": "delete", "urn": urn()}, "not understood", "", "",
        ["Pulumi's operation is delete", "its values in the plan are not those of a budget"],
        {"loosening", "deletion", "unknown"},
    ),
    "a resource of the future": Case(
        step("update", {"a": 1}, {"a": 2}, resource="NewBudget"), "not understood", "", "",
        ["Pulumi's operation is update", "this version does not know the kind of resource"], {"loosening", "unknown"},
    ),
}  # fmt: skip


def gates(found: Review) -> set[str]:
    every = [Gate("loosening"), Gate("deletion"), Gate("increase", 500), Gate("blocks"), Gate("unknown")]
    return {gate.kind for gate, _ in found.stopped(every)}


@pytest.mark.parametrize("name", CASES)
def test_a_step(name: str) -> None:
    """Each kind of change has its words, with both sides, and stops its gates."""
    case = CASES[name]
    found = of(document(case.step, said={"b": list(case.said)}))
    (item,) = found.items
    assert (item.change, item.before, item.after, list(item.lines)) == (
        case.change, case.before, case.after, case.lines,
    )  # fmt: skip
    assert gates(found) == case.gates
    assert item.is_loss == ("loosening" in case.gates)


def test_nothing_changes() -> None:
    """Unchanged resources, reads and refreshes are no items."""
    found = of(document(step("same", HARD, HARD), step("read", new=HARD, name="r"), step("refresh", HARD, HARD)))
    assert (found.items, found.changes) == ([], False)


def test_a_renamed_resource_takes_its_budget_along() -> None:
    """A budget that one resource gives up and another one declares is moved, with what changes in it."""
    steps = step("delete", HARD, name="old"), step("create", new=HARD, name="new")
    (item,) = of(document(*steps)).items
    assert (item.change, item.name, item.texts) == ("moved", "new", ("the resource old had it before",))
    steps = step("delete", HARD, name="old"), step("create", new={**HARD, "budget_amount": 900}, name="new")
    found = of(document(*steps))
    assert [(each.change, each.texts[0]) for each in found.items] == [
        ("raised", "raises the most that can be spent by $800 (+800 %)")
    ]
    assert gates(found) == {"loosening", "increase"}
    steps = step("delete", {**HARD, "budget_amount": []}, name="old"), step("create", new=HARD, name="new")
    assert [each.change for each in of(document(*steps)).items] == ["not understood", "new"]


def test_a_renamed_resource_with_a_secret_may_change_it() -> None:
    """Of a resource that takes a budget over, no plan says whether a secret differs."""
    secret = {**HARD, "budget_amount": "[secret]"}
    found = of(document(step("delete", secret, name="old"), step("create", new=secret, name="new")))
    assert [item.change for item in found.items] == ["loosened"]
    assert gates(found) == {"loosening", "increase", "unknown"}


@pytest.mark.parametrize("op", ["import", "delete"])
def test_words_about_each_step_count(op: str) -> None:
    """What a preview says about a budget stops the gates, whatever the plan does to its resource."""
    made = step("import", new=HARD) if op == "import" else step("delete", HARD, retained=True)
    cases = {"removes the hard stop": {"loosening", "increase"}, "not compared with GitHub": {"unknown"}}
    for text, stopped in cases.items():
        assert gates(of(document(made, said={"b": [f"{SUBJECT}: {text}"]}))) == stopped


def test_a_budget_with_another_spelling_is_taken_over_by_its_id() -> None:
    """A preview says which budget a new resource adopts; its former resource gives it up, however it was named."""
    center = {**HARD, "budget_scope": "cost_center", "budget_entity_name": "Platform"}
    steps = (
        step("delete", center, name="old"),
        step("create", new={**center, "budget_entity_name": UNKNOWN.replace("04", "05")}, name="new"),
        step("delete", {**HARD, "budget_product_sku": "ghas"}, name="other"),
    )
    steps[2]["oldState"]["id"] = "enterprise/x/2"
    subject = f"{SUBJECT.replace('scope enterprise', 'scope cost_center')} {UNKNOWN.replace('04', '05')}"
    adopts = "adopts the existing budget 1 as it is; a destroy keeps it"
    found = of(document(*steps, said={"new": [f"{subject}: {adopts}"]}))
    assert [(item.change, item.name) for item in found.items] == [("removed", "other"), ("moved", "new")]
    for text in (f"the budget: {adopts}", f"reason {adopts}", f"{subject}: reason {adopts}"):
        found = of(document(*steps, said={"new": [text]}))
        assert [item.change for item in found.items] == ["removed", "removed", "new"], text


@pytest.mark.parametrize("name", [SECRET, "[secret]", UNKNOWN])
def test_an_adoption_with_a_name_that_is_not_shown(name: Any) -> None:
    """Words about a budget whose name is secret or not known yet mean what those about each other one mean."""
    inputs = {**HARD, "budget_scope": "organization", "budget_entity_name": name}
    subject = "the actions budget of enterprise octo-enterprise, scope organization [secret]"
    words = "adopts the existing budget 77: removes the hard stop; raises the amount from $100 to $9,000"
    stops = "usage of actions stops at once: $5 are spent, the cap is $1"
    found = of(document(step("create", new=inputs), said={"b": [f"{subject}: {words}", f"{subject}: {stops}"]}))
    assert [item.change for item in found.items] == ["adopted"]
    assert {"loosening", "increase", "blocks"} <= gates(found)
    changed = {**inputs, "budget_amount": 5}
    found = of(document(step("update", inputs, changed), said={"b": [f"{subject}: removes the hard stop"]}))
    assert {"loosening", "increase"} <= gates(found)
    found = of(document(step("create", new=inputs), said={"b": [f"{subject}: adopts the existing budget 77 as it is"]}))
    assert [(item.change, item.before) for item in found.items] == [("adopted", found.items[0].after)]


def test_a_plan_of_try_tells_what_stays() -> None:
    """A plan of `try` has no outputs: its words tell that a budget stays, and only in their exact form."""
    for means, change in (
        (f"{CAP}, which stays on GitHub (on_delete is keep)", "kept on GitHub"),
        (f"{CAP}, which stays on GitHub (retain_on_delete)", "kept on GitHub"),
        (f"{CAP}, which has expired", "kept on GitHub"),
        (CAP, "removed"),
        (f"{CAP}, which stays on GitHub (so it says)", "removed"),
    ):
        planned = {"op": "delete", "urn": urn(), "old": HARD, "means": means}
        plan = {"verb": "preview", "ok": True, "counts": {}, "steps": [planned], "diagnostics": []}
        assert [item.change for item in of(plan).items] == [change], means


def test_a_secret_value_is_in_no_text() -> None:
    """A plan with --show-secrets has the values of secret inputs; no text of a review has them."""
    old = {**HARD, "budget_amount": 4321, SECRET_INPUTS: ["budget_amount"]}
    new = {**old, "budget_amount": 54321}
    said = {"b": [f"{SUBJECT}: raises the amount from $4,321 to $54,321"]}
    found = of(document(step("update", old, new), step("delete", old, name="c"), said=said))
    shown = comment(found, "x") + json.dumps([item.lines for item in found.items])
    assert [number for number in ("4321", "54321", "4,321", "54,321") if number in shown] == []
    assert "[secret]" in shown


# --- whatever differs is in the review

LOGINS = ("octocat", "monalisa", "hubot")
BUDGETS = st.fixed_dictionaries(
    {
        "enterprise": st.sampled_from(["octo-enterprise", "octo-second"]),
        "budget_product_sku": st.sampled_from(["actions", "packages", "ai_credits"]),
        "budget_amount": st.sampled_from([0, 7, 1234, 1000000]),
        "budget_type": st.just("ProductPricing"),
        "budget_scope": st.just("organization"),
        "budget_entity_name": st.sampled_from(["octo-org", "octo-lab"]),
        "prevent_further_usage": st.booleans(),
        "budget_alerting": st.fixed_dictionaries(
            {"will_alert": st.booleans(), "alert_recipients": st.lists(st.sampled_from(LOGINS), unique=True)}
        ),
        "on_delete": st.sampled_from(["keep", "delete"]),
    }
)
IDENTITY = ("enterprise", "budget_product_sku", "budget_entity_name")


def wanted(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """Return what a reviewer must read, from the inputs alone."""
    names = {str(side[name]) for name in IDENTITY if old[name] != new[name] for side in (old, new)}
    if old["enterprise"] != new["enterprise"]:
        # A budget of an organization shows the organization.
        names -= {old["enterprise"], new["enterprise"]}
    found = {f"`{name}`" if "_" in name else name for name in names}
    if old["budget_amount"] != new["budget_amount"]:
        found |= {f"${side['budget_amount']:,}" for side in (old, new)}
    if old["prevent_further_usage"] != new["prevent_further_usage"]:
        found |= {"hard stop", "only alerts"}
    alerted = [set(side["budget_alerting"]["alert_recipients"]) for side in (old, new)]
    is_on = [side["budget_alerting"]["will_alert"] for side in (old, new)]
    if is_on == [True, True]:
        found |= alerted[0] ^ alerted[1]
    elif is_on == [True, False]:
        found.add("alerts nobody")
    elif is_on == [False, True]:
        found |= alerted[1] or {"default recipients"}
    if old["on_delete"] != new["on_delete"]:
        found.add("`on_delete` from")
    return found


@given(BUDGETS, BUDGETS)
def test_whatever_differs_is_in_the_review(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Each figure, name and switch that differs is read in the comment, and so is each removed or new budget."""
    op = "replace" if any(old[name] != new[name] for name in IDENTITY) else "update"
    plan = document(
        step(op, old, new, name="changes"), step("delete", old, name="goes", resource="EnterpriseBudget"),
        step("create", new={**new, "budget_scope": "enterprise", "budget_entity_name": ""}, name="comes"),
    )  # fmt: skip
    shown = comment(of(plan), "Budgets")
    row, goes, comes = (
        next((line for line in shown.splitlines() if f"`{name}`" in line), "") for name in ("changes", "goes", "comes")
    )
    missing = {text for text in wanted(old, new) if text not in row}
    assert (missing, bool(row)) == (set(), old != new or op == "update"), shown
    for line, side in ((goes, old), (comes, new)):
        assert f"${side['budget_amount']:,}" in line, shown
        assert ("hard stop" if side["prevent_further_usage"] else "only alerts") in line


def test_an_item_is_a_value() -> None:
    """Two reviews of one plan are equal, whatever the order of its steps."""
    steps = [step("delete", HARD, name=name) for name in ("a", "b", "c")]
    first, second = of(document(*steps)), of(document(*reversed(steps)))
    assert first.items == second.items
    assert isinstance(first.items[0], Item)
