"""What the deletion of a budget removes, from states of any kind."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.budgets import removal

ENTERPRISE = "pulumi-python:dynamic/github-billing:EnterpriseBudget"
ORGANIZATION = "pulumi-python:dynamic/github-billing:OrgBudget"
HARD: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_amount": 100,
    "budget_product_sku": "actions",
    "budget_scope": "enterprise",
    "prevent_further_usage": True,
}
WEB: dict[str, Any] = {
    "organization": "octo-org",
    "budget_amount": 1200.5,
    "budget_product_sku": "packages",
    "budget_scope": "organization",
    "prevent_further_usage": False,
}


@pytest.mark.parametrize(
    ("type_", "state", "text"),
    [
        (ENTERPRISE, HARD, "$100 hard stop on actions of octo-enterprise"),
        (ORGANIZATION, WEB, "$1,200.50 budget that only alerts on packages of octo-org"),
        (
            ENTERPRISE,
            {**HARD, "budget_scope": "organization", "budget_entity_name": "octo-lab"},
            "$100 hard stop on actions of octo-lab",
        ),
        (
            ORGANIZATION,
            {**WEB, "budget_scope": "repository", "budget_entity_name": "octo-org/api"},
            "$1,200.50 budget that only alerts on packages of octo-org/api",
        ),
        (
            ENTERPRISE,
            {**HARD, "budget_scope": "cost_center", "budget_entity_name": "Platform"},
            "$100 hard stop on actions of cost center Platform in octo-enterprise",
        ),
        (
            ENTERPRISE,
            {**HARD, "budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"},
            "$100 hard stop on actions of each user of cost center Platform in octo-enterprise",
        ),
        (
            ENTERPRISE,
            {**HARD, "budget_scope": "multi_user_customer"},
            "$100 hard stop on actions of each user of octo-enterprise",
        ),
        (
            ENTERPRISE,
            {**HARD, "budget_scope": "user", "user": "octocat"},
            "$100 hard stop on actions of octocat in octo-enterprise",
        ),
        (ENTERPRISE, {**HARD, "budget_scope": "of_tomorrow"}, "$100 hard stop on actions of octo-enterprise"),
        (
            ENTERPRISE,
            {**HARD, "budget_product_sku": "ghec_licenses", "budget_amount": 1},
            "1 license budget that only alerts on ghec_licenses of octo-enterprise",
        ),
    ],
)
def test_a_cap_is_described(type_: str, state: dict[str, Any], text: str) -> None:
    """The text has the amount, the enforcement, the SKU and what is covered."""
    assert removal.cap(type_, state) == text


@pytest.mark.parametrize(
    ("type_", "state"),
    [
        ("pulumi-python:dynamic/github-billing:CostCenter", {"enterprise": "octo-enterprise", "name": "Apps"}),
        ("pulumi:pulumi:Stack", {}),
        (ENTERPRISE, {}),
        (ENTERPRISE, {**HARD, "budget_amount": "100"}),
        (ENTERPRISE, {**HARD, "budget_scope": "user"}),
        (ENTERPRISE, {**HARD, "budget_scope": "cost_center"}),
    ],
)
def test_other_resources_and_damaged_states_have_no_text(type_: str, state: dict[str, Any]) -> None:
    """A resource that is no budget, and a state that is incomplete or damaged, give an empty text."""
    assert removal.cap(type_, state) == ""


def test_text_of_a_state_stays_on_one_line() -> None:
    """Line breaks, escape sequences and tokens in a state are not shown, and braces are text."""
    name = "{owner}\n\x1b[31m ghp_0123456789"
    shown = removal.cap(ENTERPRISE, {**HARD, "budget_scope": "organization", "budget_entity_name": name})
    assert shown.isprintable()
    assert "{owner}" in shown
    assert "ghp_0" not in shown


@pytest.mark.parametrize(
    ("state", "retained", "text"),
    [
        ({}, False, ""),
        ({"kept_on_delete": False}, False, ""),
        ({"kept_on_delete": "yes"}, False, ""),
        ({"kept_on_delete": True}, False, "which stays on GitHub (on_delete is keep)"),
        ({}, True, "which stays on GitHub (retain_on_delete)"),
        ({"expired": True, "kept_on_delete": True}, True, "which has expired"),
    ],
)
def test_what_remains_is_described(state: dict[str, Any], retained: bool, text: str) -> None:
    """A kept budget stays, by the input or by Pulumi's option; an expired one is gone already."""
    assert removal.remains(state, retained=retained) == text
