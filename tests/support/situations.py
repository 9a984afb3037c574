"""Situations that a preview must tell before anything is written, for both engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox

E = "octo-enterprise"
ALERTS = {"will_alert": True, "alert_recipients": ["monalisa"]}
ACTIONS: dict[str, Any] = {
    "enterprise": E,
    "budget_product_sku": "actions",
    "budget_amount": 5,
    "budget_alerting": ALERTS,
}
CREDITS: dict[str, Any] = {
    "enterprise": E,
    "budget_product_sku": "ai_credits",
    "budget_scope": "multi_user_customer",
    "budget_amount": 400,
}
_PERSON = {**CREDITS, "budget_scope": "user", "user": "octocat", "budget_amount": 100}
_KEPT = {**_PERSON, "on_raise": "keep"}
_TEAM = {"budget_scope": "cost_center", "budget_entity_name": "Platform"}


@dataclass(frozen=True)
class Situation:
    """One situation.

    Attributes:
        declared: The program: inputs by the name of the resource.
        words: Texts that the preview must show.
        fails: Whether the preview must fail.
        before: The program of an `up` before, if there is one.
        arrange: Changes the sandbox, before the first run.
        happens: Changes the sandbox, after the first run.
        requests: The last parts of the paths that the preview reads, in order.
    """

    declared: dict[str, dict[str, Any]]
    words: tuple[str, ...]
    requests: tuple[str, ...]
    fails: bool = False
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrange: Callable[[Sandbox], object] = lambda _sandbox: None
    happens: Callable[[Sandbox], object] = lambda _sandbox: None


def _by_hand(sandbox: Sandbox) -> None:
    sandbox.add_budget(
        "enterprise",
        E,
        budget_amount=77,
        prevent_further_usage=True,
        budget_alerting={"will_alert": True, "alert_recipients": ["hubot"]},
    )


def _approved(sandbox: Sandbox) -> None:
    sandbox.approve_raise("octocat", 130)


def _identical(sandbox: Sandbox) -> None:
    sandbox.add_budget("enterprise", E, budget_amount=5, budget_alerting=ALERTS)


def _organization_renamed(sandbox: Sandbox) -> None:
    (budget,) = sandbox.budgets()
    sandbox.edit_budget(budget["id"], budget_entity_name="octo-lab")


SITUATIONS = {
    "an adoption": Situation(
        {"b": {**ACTIONS, "on_existing": "adopt"}},
        (
            "adopts the existing budget",
            "removes the hard stop; no longer alerts hubot; lowers the amount from $77 to $5",
        ),
        ("budgets",),
        arrange=_by_hand,
    ),
    "a conflict": Situation(
        {"b": ACTIONS},
        ("exists already as", "budget_amount (77 there, 5 declared)", 'on_existing="adopt"'),
        ("budgets",),
        fails=True,
        arrange=_by_hand,
    ),
    "a missing enterprise": Situation(
        {"b": {**ACTIONS, "enterprise": "octo-entreprise"}}, ("returned 404",), ("budgets",), fails=True
    ),
    "a missing organization": Situation(
        {"b": {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-ogr"}},
        ("no organization octo-ogr", "octo-org"),
        ("budgets", "cost-centers", "usage", "budgets"),
        fails=True,
    ),
    "a missing cost center": Situation(
        {"b": {**ACTIONS, **_TEAM, "budget_entity_name": "Platfrom"}},
        ("Platfrom", "Platform"),
        ("cost-centers", "cost-centers"),
        fails=True,
    ),
    "a replacement": Situation(
        {"b": {**ACTIONS, **_TEAM, "budget_product_sku": "ai_credits", "prevent_further_usage": True}},
        ("replaces the $5 budget that only alerts on ai_credits", "Platform", "counts from 0: $"),
        ("budgets", "cost-centers", "ai_credit/usage"),
        before={"b": {**ACTIONS, "budget_product_sku": "ai_credits"}},
    ),
    "an organization renamed on GitHub": Situation(
        {"b": {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-org"}},
        ("replaces the $5 budget", "if octo-org is now octo-lab on GitHub, declare octo-lab: then the budget is kept"),
        ("budgets", "cost-centers", "usage"),
        before={"b": {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-lab"}},
    ),
    "an organization renamed on GitHub and in the program": Situation(
        {"b": {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-lab"}},
        ("keeps the budget", "it is the declared one on GitHub, so no other one is created"),
        ("budgets",),
        before={"b": {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-org"}},
        happens=_organization_renamed,
    ),
    "a cost center renamed on GitHub and in the program": Situation(
        {"b": {**ACTIONS, **_TEAM, "budget_entity_name": "Core"}},
        ("keeps the budget", "it is the declared one on GitHub, so no other one is created"),
        ("budgets", "cost-centers"),
        before={"b": {**ACTIONS, **_TEAM}},
        happens=lambda sandbox: sandbox.rename_cost_center("Platform", "Core"),
    ),
    "one person in two cost centers": Situation(
        {
            "one": {"enterprise": E, "name": "One", "users": ["octocat"]},
            "two": {"enterprise": E, "name": "Two", "users": ["Octocat"]},
        },
        ("one and two both declare",),
        ("cost-centers", "budgets"),
        fails=True,
    ),
    "people who are stopped": Situation(
        {"b": {**CREDITS, "budget_amount": 1}},
        ("people at once: they have used at least $1 this month",),
        ("budgets", "user-states"),
        before={"b": CREDITS},
        arrange=lambda sandbox: sandbox.switch("whole_month_counts"),
    ),
    "builds that stop": Situation(
        {"b": {**ACTIONS, "budget_amount": 2, "prevent_further_usage": True}},
        ("usage of actions of octo-enterprise stops at once: $",),
        ("budgets", "usage/summary"),
        before={"b": {**ACTIONS, "budget_amount": 500, "prevent_further_usage": True}},
        arrange=lambda sandbox: sandbox.switch("whole_month_counts"),
    ),
    "an identical budget": Situation(
        {"b": ACTIONS}, ("adopts the existing budget", "as it is"), ("budgets",), arrange=_identical
    ),
    "a raise that is kept": Situation({"b": _KEPT}, (), (), before={"b": _KEPT}, happens=_approved),
    "a new amount that ends a kept raise": Situation(
        {"b": {**_KEPT, "budget_amount": 120}},
        (
            "lowers the most that can be spent by $10",
            "ends the raise of octocat's budget to $130: the new amount is $120",
        ),
        ("budgets", "budgets"),
        before={"b": _KEPT},
        happens=_approved,
    ),
    "a raise that is no longer kept": Situation(
        {"b": _PERSON},
        ("ends the raise of octocat's budget to $130: the new amount is $100",),
        ("budgets", "budgets"),
        before={"b": _KEPT},
        happens=_approved,
    ),
    "a raise beside another change": Situation(
        {"b": {**_PERSON, "expires_at": "2099-01-31"}},
        ("GitHub has $130 for octocat, the program declares $100: this change leaves it",),
        ("budgets",),
        before={"b": _PERSON},
        happens=_approved,
    ),
    "nothing new": Situation({"b": ACTIONS}, (), (), before={"b": ACTIONS}),
}
