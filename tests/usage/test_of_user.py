"""Which budgets of an owner apply to one user, read from a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.reader import Reader

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
BUDGETS: dict[str, dict[str, Any]] = {
    "hubot's": {"budget_scope": "user", "user": "hubot"},
    "octocat's": {"budget_scope": "user", "user": "octocat"},
    "everyone's": {"budget_scope": "multi_user_customer"},
    "each in Platform": {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"},
    "Platform": {"budget_scope": "cost_center", "budget_entity_name": "Platform"},
    "Data": {"budget_scope": "cost_center", "budget_entity_name": "Data"},
    "octo-org": {"budget_scope": "organization", "budget_entity_name": "octo-org"},
    "enterprise": {"budget_scope": "enterprise"},
    "outside": {"budget_scope": "enterprise", "exclude_cost_center_usage": True, "budget_product_sku": "actions"},
}
SHARED = ["octo-org", "enterprise"]
APPLY = [
    ("octocat", ["octocat's", "Data", *SHARED, "outside"]),
    ("HUBOT", ["hubot's", "Platform", *SHARED]),
    ("monalisa", ["each in Platform", "Platform", *SHARED]),
    ("nobody", ["everyone's", "Data", *SHARED, "outside"]),
]
"""Users, and what applies or may apply: Data has an organization, whose members are not known."""


def declared(sandbox: Sandbox) -> dict[str, str]:
    """Add the budgets to a sandbox; return their names by id."""
    for fields in BUDGETS.values():
        plain = {"budget_product_sku": "ai_credits", "budget_amount": 5, "prevent_further_usage": True}
        sandbox.add_budget("enterprise", E, **{**plain, **fields})
    return dict(zip([each["id"] for each in sandbox.budgets(None)], BUDGETS, strict=True))


@pytest.mark.parametrize(("user", "expected"), APPLY, ids=[user for user, _ in APPLY])
def test_budgets_that_apply_to_a_user(user: str, expected: list[str], sandbox: Sandbox, harness: RunHarness) -> None:
    """The narrowest cap per SKU, budgets of the user's cost center, and those of everyone; a scope selects of these."""
    names = declared(sandbox)
    reader = Reader(harness.run)
    assert sorted(names[each.id] for each in reader.budgets(enterprise=E, user=user)) == sorted(expected)
    caps = reader.budgets(enterprise=E, user=user, scope="multi_user_customer")
    assert [names[each.id] for each in caps] == [name for name in expected if name == "everyone's"]


def test_without_the_cost_centers_more_may_apply(sandbox: Sandbox, harness: RunHarness) -> None:
    """A token that may not read them hides no budget of a cost center, and no cap that could take precedence."""
    names = declared(sandbox)
    sandbox.plan([{"op": "list_cost_centers", "action": "404"}])
    found = [names[each.id] for each in Reader(harness.run).budgets(enterprise=E, user="monalisa")]
    assert sorted(found) == sorted(name for name in BUDGETS if name not in {"hubot's", "octocat's"})


def test_cost_centers_are_read_only_if_a_budget_needs_them(sandbox: Sandbox, harness: RunHarness) -> None:
    """A listing without budgets of cost centers is one request, with GitHub's filter for the figures of the user."""
    sandbox.add_budget("enterprise", E, budget_scope="user", user="hubot", budget_product_sku="ai_credits")
    sandbox.forget_requests()
    assert len(Reader(harness.run).budgets(enterprise=E, user="hubot")) == 1
    assert [request.query["user"] for request in sandbox.requests] == ["hubot"]


def test_a_misspelt_scope_is_refused_before_a_request(sandbox: Sandbox, harness: RunHarness) -> None:
    """The message names the scopes of the owner."""
    with pytest.raises(ConfigError, match=r"scope: write one of organization, .*; did you mean organization\?"):
        Reader(harness.run).budgets(organization="octo-org", scope="organisation")
    assert sandbox.requests == []
