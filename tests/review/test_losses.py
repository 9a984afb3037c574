"""Whatever GitHub loses between two programs is in the review, in each form of a plan, and stops its gates."""

from __future__ import annotations

import json
from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from billing_provider.review.markdown import comment
from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, Review, review
from tests.review.losses import (
    LIMIT,
    Resource,
    Total,
    World,
    as_events,
    as_try,
    losses,
    programs,
    steps,
    totals,
)
from tests.review.test_user_budget_items import table

if TYPE_CHECKING:
    from collections.abc import Iterator

GATES = [Gate("loosening"), Gate("deletion"), Gate("increase", LIMIT), Gate("unknown")]


def reviews(before: World, after: World) -> Iterator[tuple[str, Review]]:
    """Yield the review of each form of the plan between two programs."""
    made = steps(before, after)
    forms = {
        "document": json.dumps({"steps": made, "changeSummary": {}}),
        "events": "\n".join(map(json.dumps, as_events(made))),
    }
    if not any(each.expired for each in before.values()):
        # A plan of `try` has no outputs.
        forms["try"] = json.dumps(as_try(before, after))
    for form, text in forms.items():
        yield form, review(read_plan("p", text.encode()))


def check(before: World, after: World) -> None:
    """Compare the review of each form of the plan between two programs with the oracle."""
    expected = losses(before, after)
    for form, found in reviews(before, after):
        stopped = defaultdict(set)
        for gate, what in found.stopped(GATES):
            stopped[gate.kind].add(what.partition(" ")[2])
        told = comment(found, "x").partition("#### Losses")[2].partition("#### Other")[0]
        for loss in expected:
            assert [gate for gate in loss.gates if not stopped[gate] & loss.names] == [], (form, loss)
            is_told = any(f"`{name}`" in told for name in loss.names)
            assert is_told or "loosening" not in loss.gates, (form, loss)
        is_open = not any(each.secret or each.unknown for each in (*before.values(), *after.values()))
        if is_open and form != "try":
            sums = {
                (total.owner, total.product, total.scope): tuple(
                    Total(side.amount, side.unlimited, side.capped) for side in (total.before, total.after)
                )
                for total in found.totals
            }
            assert sums == totals(before, after), form


@given(st.integers(0, 1_000_000))
def test_each_loss_is_told_and_stops_its_gates(seed: int) -> None:
    """What the oracle finds in two programs is told among the losses, in each form of a plan; the sums are right."""
    check(*programs(Random(seed)))  # noqa: S311 - no secret depends on it


PERSON = {
    "enterprise": "octo-enterprise", "budget_scope": "user", "user": "ann", "budget_product_sku": "ai_credits",
    "budget_type": "BundlePricing", "budget_amount": 100, "prevent_further_usage": True,
}  # fmt: skip
CASES: dict[str, tuple[World, World]] = {
    "a row goes from a table that Pulumi retains": (
        {"t-07": Resource("UserBudgetBucket", {**table({"ann": 100, "bob": 9}), "on_delete": "delete"}, retained=True)},
        {"t-07": Resource("UserBudgetBucket", {**table({"bob": 9}), "on_delete": "delete"})},
    ),
    "a row raises a budget that another resource leaves on GitHub": (
        {"b": Resource("EnterpriseBudget", PERSON, kept=True), "t-07": Resource("UserBudgetBucket", table({"bob": 9}))},
        {"t-07": Resource("UserBudgetBucket", table({"ann": 900, "bob": 9}))},
    ),
    "rows raise many such budgets": (
        {f"b{login}": Resource("EnterpriseBudget", {**PERSON, "user": login}, kept=True) for login in "abcdefghijklm"},
        {"t-07": Resource("UserBudgetBucket", table(dict.fromkeys("abcdefghijklm", 900)))},
    ),
    "two people exchange their budgets": (
        {"a": Resource("EnterpriseBudget", PERSON),
         "b": Resource("EnterpriseBudget", {**PERSON, "user": "bob", "budget_amount": 900})},
        {"a": Resource("EnterpriseBudget", {**PERSON, "user": "bob"}),
         "b": Resource("EnterpriseBudget", {**PERSON, "budget_amount": 900})},
    ),
    "a budget moves to a person who had none": (
        {"a": Resource("EnterpriseBudget", {**PERSON, "budget_amount": 900})},
        {"a": Resource("EnterpriseBudget", {**PERSON, "budget_amount": 900, "user": "bob"})},
    ),
    "an expired budget comes back": (
        {"a": Resource("EnterpriseBudget", {**PERSON, "expires_at": "2020-01-31"}, expired=True)},
        {"a": Resource("EnterpriseBudget", {**PERSON, "expires_at": "2030-01-31", "budget_amount": 900})},
    ),
    "an expired budget is declared for another person": (
        {"a": Resource("EnterpriseBudget", {**PERSON, "expires_at": "2020-01-31"}, expired=True)},
        {"a": Resource("EnterpriseBudget", {**PERSON, "expires_at": "2030-01-31", "user": "bob"})},
    ),
}  # fmt: skip


def test_what_passed_once() -> None:
    """Each of these was once told wrongly, or passed a gate."""
    for before, after in CASES.values():
        check(before, after)


def test_lines_about_targets_are_counted() -> None:
    """At most ten lines tell what targets lose that other resources had; the rest is counted."""
    _, found = next(reviews(*CASES["rows raise many such budgets"]))
    (item,) = found.losses
    first = "the ai_credits budget of enterprise octo-enterprise, scope user a, of the resource ba before: raises the "
    assert item.texts[1] == f"{first}most that can be spent by $800 (+800 %)"
    assert (len(item.texts), item.texts[-1]) == (12, "and 3 more")
