"""What GitHub refuses beside a budget per member: the members of its cost center, live and declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.models import CostCenterDetails, CostCenterResource
from billing_provider.preview.cost_center_caps import check_members, members_after

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

OWNER = Owner(ENTERPRISE_OWNER, "octo-enterprise")
EACH: dict[str, Any] = {"budget_scope": "multi_user_cost_center", "budget_product_sku": "ai_credits"}
NOTHING: frozenset[str] = frozenset()
DATA: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Data"}
HAS_LAB = (
    "GitHub refuses a budget per member for a cost center with organizations or repositories, and Data has "
    "organization octo-lab: take them out of it, or declare the scope cost_center"
)


def refusal(harness: RunHarness, center: str, **fields: Any) -> str:
    """Return why GitHub would refuse a new budget of a cost center, or an empty text."""
    try:
        check_members(harness.run, OWNER, {**EACH, "budget_entity_name": center, **fields})
    except ConfigError as error:
        return str(error)
    return ""


def declare(
    harness: RunHarness, news: dict[str, Any], olds: dict[str, Any] | None = None, unknown: frozenset[str] = NOTHING
) -> None:
    """Check and compare a cost center, as the plugin does before a budget that depends on it."""
    checked = CostCenterLifecycle(harness.run).check("urn::c", olds or {}, news, unknown)
    assert checked.problems == []
    assert harness.operations["CostCenter"].compare("urn::c", olds or {}, checked.inputs, unknown) == []


def test_a_cost_center_with_an_organization_gets_no_budget_per_member(sandbox: Sandbox, harness: RunHarness) -> None:
    """The members on GitHub decide, by name or by UUID; people and other scopes are no obstacle."""
    assert refusal(harness, "data") == HAS_LAB
    assert refusal(harness, sandbox.cost_centers()[1]["id"]) == HAS_LAB
    assert refusal(harness, "Platform") == ""
    assert refusal(harness, "Data", budget_scope="cost_center") == ""
    assert refusal(harness, "Data", budget_scope="user", budget_entity_name=None) == ""
    assert [request.method for request in sandbox.requests] == ["GET"]


@pytest.mark.parametrize(
    ("olds", "news", "unknown", "expected"),
    [
        ({"organizations": ["octo-lab"]}, {"organizations": []}, NOTHING, ""),
        ({}, {"organizations": []}, NOTHING, ""),
        ({"organizations": []}, {"organizations": []}, NOTHING, HAS_LAB),
        ({}, {"users": ["octocat"]}, NOTHING, HAS_LAB),
        ({"organizations": ["octo-lab"]}, {}, frozenset({"organizations"}), ""),
    ],
    ids=str,
)
def test_the_declared_members_of_the_run_count(
    olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str], expected: str, harness: RunHarness
) -> None:
    """An organization that the run takes out is no obstacle; one that only GitHub has stays, and is one."""
    declare(harness, {**DATA, **news}, {**DATA, **olds}, unknown)
    assert refusal(harness, "Data") == expected


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"repositories": ["octo-org/api", "Octo-Org/API"]}, "octo-org/api"),
        ({"organizations": ["octo-org"]}, "organization octo-org"),
        ({"users": ["octocat"], "enterprise_teams": ["core"]}, ""),
    ],
    ids=str,
)
def test_a_new_cost_center_is_as_declared(members: dict[str, Any], shown: str, harness: RunHarness) -> None:
    """A cost center that the run creates has the declared members."""
    declare(harness, {**DATA, "name": "Apps", **members})
    reason = refusal(harness, "Apps")
    assert f"Apps has {shown}: " in reason if shown else reason == ""
    assert refusal(harness, "Nobody") == ""


KINDS = {"users": "User", "organizations": "Org"}
SETS = st.lists(st.sampled_from("abcde"), unique=True, max_size=5)


@given(SETS, SETS, SETS)
def test_an_update_removes_only_what_the_state_has(live: list[str], olds: list[str], news: list[str]) -> None:
    """After an update a kind has the declared members, and those of GitHub that the state does not have."""
    center = CostCenterDetails("1", "x", resources=tuple(CostCenterResource("User", name) for name in live))
    after = members_after(center, {"users": olds}, {"users": news})
    assert set(after["users"]) == set(news) | (set(live) - (set(olds) - set(news)))
    assert len(after["users"]) == len(set(after["users"]))
    assert set(members_after(center, {}, {"users": news})["users"]) == set(news)
    assert members_after(center, {"users": olds}, {})["users"] == live
    assert members_after(None, {}, {"users": news})["users"] == news
