"""The client githubkit with the sandbox: its requests are accepted, and its models parse every reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from githubkit import GitHub
from githubkit.exception import RequestFailed

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTERPRISE = "octo-enterprise"
ORGANIZATION = "octo-org"
QUIET = {"will_alert": False, "alert_recipients": []}
CREDITS = {"budget_type": "BundlePricing", "budget_product_sku": "ai_credits", "budget_alerting": QUIET}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as served:
        yield served


@pytest.fixture
def billing(sandbox: Sandbox) -> Iterator[tuple[Any, Any]]:
    """The client's methods for billing."""
    with GitHub(sandbox.token, base_url=f"{sandbox.url}/", auto_retry=False, http_cache=False) as github:
        yield github.rest("ghec-2026-03-10").billing, github.rest("2026-03-10").billing


def test_the_six_budget_calls_of_an_enterprise(sandbox: Sandbox, billing: tuple[Any, Any]) -> None:
    """The replies to create, list, get, update, user states and delete of enterprise budgets parse."""
    rest, _ = billing
    body = {**CREDITS, "budget_amount": 30, "prevent_further_usage": True}
    created = rest.create_budget(
        ENTERPRISE, **body, budget_scope="user", user="hubot", expires_at="2999-01-01"
    ).parsed_data
    assert created.budget.budget_entity_name == "hubot"
    listed = rest.get_all_budgets(ENTERPRISE, per_page=100, scope="user").parsed_data
    assert [(budget.id, budget.user, str(budget.expires_at)) for budget in listed.budgets] == [
        (created.budget.id, "hubot", "2999-01-01")
    ]
    assert rest.get_budget(ENTERPRISE, created.budget.id).parsed_data.budget_amount == 30
    updated = rest.update_budget(ENTERPRISE, created.budget.id, budget_amount=40, expires_at=None).parsed_data
    assert (updated.budget.budget_amount, sandbox.budgets()[0].get("expires_at")) == (40, None)
    assert rest.delete_budget(ENTERPRISE, created.budget.id).parsed_data.id == created.budget.id
    with pytest.raises(RequestFailed) as failed:
        rest.get_budget(ENTERPRISE, created.budget.id)
    assert failed.value.response.parsed_data.message == "Not Found"


def test_the_five_budget_calls_of_an_organization(billing: tuple[Any, Any]) -> None:
    """The replies to create, list, get, update and delete of organization budgets parse."""
    _, rest = billing
    body = {**CREDITS, "budget_amount": 30, "prevent_further_usage": False}
    created = rest.create_organization_budget(
        ORGANIZATION, **body, budget_scope="organization", budget_entity_name=""
    ).parsed_data
    assert created.budget.budget_entity_name == ORGANIZATION
    assert rest.get_all_budgets_org(ORGANIZATION).parsed_data.total_count == 1
    assert rest.get_budget_org(ORGANIZATION, created.budget.id).parsed_data.prevent_further_usage is False
    updated = rest.update_budget_org(ORGANIZATION, created.budget.id, prevent_further_usage=True).parsed_data
    assert updated.budget.prevent_further_usage is True
    assert rest.delete_budget_org(ORGANIZATION, created.budget.id).parsed_data.id == created.budget.id


def test_the_seven_calls_of_cost_centers(billing: tuple[Any, Any]) -> None:
    """The replies to list, create, get, update, add and remove members, and archive parse."""
    rest, _ = billing
    assert len(rest.get_all_cost_centers(ENTERPRISE, state="active").parsed_data.cost_centers) == 2
    made = rest.create_cost_center(ENTERPRISE, name="Apps", ai_credit_pool_enabled=True).parsed_data
    added = rest.add_resource_to_cost_center(ENTERPRISE, made.id, users=["hubot"]).parsed_data
    assert added.reassigned_resources[0].previous_cost_center == "Platform"
    assert rest.get_cost_center(ENTERPRISE, made.id, per_page=1).parsed_data.resources[0].name == "hubot"
    assert rest.update_cost_center(ENTERPRISE, made.id, name="Applications").parsed_data.name == "Applications"
    removed = rest.remove_resource_from_cost_center(ENTERPRISE, made.id, users=["hubot"])
    assert "removed" in removed.parsed_data.message
    assert rest.delete_cost_center(ENTERPRISE, made.id).parsed_data.cost_center_state == "CostCenterArchived"


@pytest.mark.parametrize(
    ("changes", "status"), [({"budget_product_sku": "none"}, 404), ({"budget_amount": -1}, 400)], ids=["404", "400"]
)
def test_refusals_parse(billing: tuple[Any, Any], changes: dict[str, Any], status: int) -> None:
    """Error replies have the form of the client's error models."""
    rest, _ = billing
    body = {**CREDITS, "budget_amount": 30, "prevent_further_usage": True, "budget_scope": "enterprise", **changes}
    with pytest.raises(RequestFailed) as failed:
        rest.create_budget(ENTERPRISE, **body)
    assert failed.value.response.status_code == status
    assert failed.value.response.parsed_data.status == str(status)
