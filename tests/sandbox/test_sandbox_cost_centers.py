"""The sandbox's cost centers: names, members, archiving and quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/enterprises/octo-enterprise/settings/billing/cost-centers"


def ask(sandbox: Sandbox, method: str, path: str, data: Any = None, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}"}
    return requests.request(method, sandbox.url + path, json=data, headers=headers, timeout=10)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as served:
        yield served


def test_the_sample_has_two_cost_centers(sandbox: Sandbox) -> None:
    """Platform has only users, Data has an organization; octo-org is in no cost center."""
    centers = ask(sandbox, "GET", ROOT).json()["costCenters"]
    assert {center["name"]: [member["name"] for member in center["resources"]] for center in centers} == {
        "Platform": ["monalisa", "hubot"],
        "Data": ["octo-lab"],
    }
    assert [center["id"] for center in centers] == [center["id"] for center in sandbox.cost_centers()]


def test_life_of_a_cost_center(sandbox: Sandbox) -> None:
    """A cost center is created, filled, renamed and archived; it stays readable with the state deleted."""
    made = ask(sandbox, "POST", ROOT, {"name": "Apps", "ai_credit_pool_enabled": True}).json()
    assert made["ai_credit_pool_state"] == {"target_amount": None, "current_amount": None}
    path = f"{ROOT}/{made['id']}"
    members = {"users": ["octocat"], "enterprise_teams": ["core"]}
    assert ask(sandbox, "POST", f"{path}/resource", members).json()["reassigned_resources"] is None
    renamed = ask(sandbox, "PATCH", path, {"name": "Applications", "ai_credit_pool_enabled": False}).json()
    assert renamed["resources"] == [{"type": "User", "name": "octocat"}, {"type": "Team", "name": "ent:core"}]
    assert ask(sandbox, "DELETE", f"{path}/resource", {"enterprise_teams": ["core", "none"]}).status_code == 200
    assert ask(sandbox, "GET", path).json()["resources"] == [{"type": "User", "name": "octocat"}]
    assert ask(sandbox, "DELETE", path).json() == {
        "message": "Cost center successfully deleted.",
        "id": made["id"],
        "name": "Applications",
        "costCenterState": "CostCenterArchived",
    }
    assert ask(sandbox, "GET", path).json()["state"] == "deleted"
    assert ask(sandbox, "DELETE", path).status_code == 404
    assert len(ask(sandbox, "GET", f"{ROOT}?state=active").json()["costCenters"]) == 2
    assert len(ask(sandbox, "GET", f"{ROOT}?state=deleted").json()["costCenters"]) == 1
    assert ask(sandbox, "POST", ROOT, {"name": "Applications"}).status_code == 200


def test_members_are_moved(sandbox: Sandbox) -> None:
    """A member of another cost center is moved, and the reply names its former cost center."""
    platform, data = (center["id"] for center in sandbox.cost_centers())
    reply = ask(sandbox, "POST", f"{ROOT}/{data}/resource", {"users": ["HUBOT"], "repositories": ["octo-org/api"]})
    assert reply.json()["reassigned_resources"] == [
        {"resource_type": "User", "name": "HUBOT", "previous_cost_center": "Platform"}
    ]
    assert len(ask(sandbox, "GET", f"{ROOT}/{platform}").json()["resources"]) == 1
    again = ask(sandbox, "POST", f"{ROOT}/{data}/resource", {"users": ["hubot"], "organizations": ["octo-apps"]})
    assert again.json()["reassigned_resources"] is None
    assert len(ask(sandbox, "GET", f"{ROOT}/{data}").json()["resources"]) == 4


def test_pages_of_members(sandbox: Sandbox) -> None:
    """With page or per_page, the reply has one page of members and has_next_page; else it has all members."""
    platform = sandbox.cost_centers()[0]["id"]
    ask(sandbox, "POST", f"{ROOT}/{platform}/resource", {"users": [f"user-{number}" for number in range(48)]})
    whole = ask(sandbox, "GET", f"{ROOT}/{platform}").json()
    assert (len(whole["resources"]), "has_next_page" in whole) == (50, False)
    first = ask(sandbox, "GET", f"{ROOT}/{platform}?page=1").json()
    rest = ask(sandbox, "GET", f"{ROOT}/{platform}?page=2&per_page=30").json()
    assert [first["has_next_page"], rest["has_next_page"]] == [True, False]
    assert first["resources"] + rest["resources"] == whole["resources"]


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "text"),
    [
        pytest.param("POST", "", {}, 400, "Bad request: name is required.", id="no name"),
        pytest.param("POST", "", {"name": " "}, 400, "1 to 255", id="blank name"),
        pytest.param("POST", "", {"name": "x" * 256}, 400, "1 to 255", id="long name"),
        pytest.param("POST", "", {"name": 5}, 400, "1 to 255", id="number"),
        pytest.param("POST", "", {"name": "data"}, 409, "There's already a cost center created", id="taken"),
        pytest.param("POST", "", {"name": "x", "ai_credit_pool_enabled": 1}, 400, "true or false", id="pool"),
        pytest.param("POST", "", {"name": "x", "members": []}, 422, "members", id="unknown field"),
        pytest.param("GET", "?state=archived", None, 400, "active or deleted", id="state"),
        pytest.param("GET", "/unknown", None, 404, "Not Found", id="unknown"),
        pytest.param("PATCH", "/DATA", {}, 400, "name or ai_credit_pool_enabled", id="empty"),
        pytest.param("PATCH", "/DATA", {"name": "Platform"}, 409, "already", id="taken by another"),
        pytest.param("PATCH", "/DATA", {"ai_credit_pool_enabled": True}, 400, "user or team", id="pool of others"),
        pytest.param("POST", "/DATA/resource", {}, 400, "at least one", id="no member"),
        pytest.param("POST", "/DATA/resource", {"users": "hubot"}, 400, "a list", id="no list"),
        pytest.param("POST", "/DATA/resource", {"users": ["u"] * 51}, 400, "at most 50", id="too many"),
        pytest.param("POST", "/DATA/resource", {"users": [""]}, 400, "type User", id="no login"),
        pytest.param("POST", "/DATA/resource", {"organizations": ["other"]}, 400, "type Org", id="organization"),
        pytest.param("POST", "/DATA/resource", {"organizations": [1]}, 400, "type Org", id="number as login"),
        pytest.param("POST", "/DATA/resource", {"repositories": ["api"]}, 400, "type Repo", id="repository"),
        pytest.param("POST", "/DATA/resource", {"repositories": [None]}, 400, "type Repo", id="null"),
        pytest.param("GET", "/DATA/resource", None, 404, "Not Found", id="no such route"),
    ],
)
def test_an_invalid_request_changes_nothing(
    sandbox: Sandbox, *, method: str, path: str, data: Any, status: int, text: str
) -> None:
    """An invalid request is refused with a text that names the rule."""
    before = sandbox.cost_centers()
    reply = ask(sandbox, method, ROOT + path.replace("DATA", before[1]["id"]), data)
    assert (reply.status_code, text in reply.json()["message"]) == (status, True), reply.text
    assert sandbox.cost_centers() == before


def test_quirks_of_cost_centers(sandbox: Sandbox) -> None:
    """Quirks switch the UUID in a 409, names of archived cost centers, long member types, and a required name."""
    platform, data = sandbox.cost_centers()
    ask(sandbox, "POST", f"{ROOT}/{data['id']}/resource", {"repositories": ["octo-org/api"]})
    for quirk in (
        "conflict_names_uuid",
        "deleted_name_held",
        "resource_long_types",
        "cost_center_patch_needs_name",
    ):
        sandbox.switch(quirk)
    assert ask(sandbox, "GET", f"{ROOT}/{data['id']}").json()["resources"][1]["type"] == "Repository"
    refused = ask(sandbox, "PATCH", f"{ROOT}/{data['id']}", {"ai_credit_pool_enabled": False})
    assert refused.json()["errors"][0]["code"] == "missing_field"
    assert ask(sandbox, "PATCH", f"{ROOT}/{data['id']}", {"name": "DATA"}).json()["name"] == "DATA"
    ask(sandbox, "DELETE", f"{ROOT}/{platform['id']}")
    conflict = ask(sandbox, "POST", ROOT, {"name": "Platform"})
    assert conflict.status_code == 409
    assert conflict.json()["message"].endswith(f"existing cost center UUID: {platform['id']}")


def test_an_organization_owner_sees_its_cost_centers(sandbox: Sandbox) -> None:
    """An organization owner sees the cost centers with its organization or repositories, and creates none."""
    token = "sandbox-org-owner"
    data = sandbox.cost_centers()[1]["id"]
    assert ask(sandbox, "GET", ROOT, token=token).json()["costCenters"] == []
    ask(sandbox, "POST", f"{ROOT}/{data}/resource", {"repositories": ["octo-org/api"]})
    assert len(ask(sandbox, "GET", ROOT, token=token).json()["costCenters"]) == 1
    assert ask(sandbox, "POST", ROOT, {"name": "x"}, token=token).status_code == 403


def test_active_cost_centers_are_limited(sandbox: Sandbox) -> None:
    """At most 1,000 cost centers are active, or as many as the quirk says; archived ones do not count."""
    sandbox.switch("cost_center_limit=3")
    made = ask(sandbox, "POST", ROOT, {"name": "Third"}).json()["id"]
    refused = ask(sandbox, "POST", ROOT, {"name": "Fourth"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "limit_exceeded")
    assert "The enterprise has 3 active cost centers, which is the maximum." in refused.json()["message"]
    assert ask(sandbox, "DELETE", f"{ROOT}/{made}").status_code == 200
    assert ask(sandbox, "POST", ROOT, {"name": "Fourth"}).status_code == 200
    sandbox.switch("cost_center_limit", on=False)
    stored = sandbox.snapshot()
    stored["cost_centers"] = [{"id": str(number), "name": f"c{number}"} for number in range(999)]
    sandbox.restore(stored)
    statuses = [ask(sandbox, "POST", ROOT, {"name": name}).status_code for name in ("Last", "Over")]
    assert statuses == [200, 422]


def test_members_of_a_cost_center_are_limited(sandbox: Sandbox) -> None:
    """At most 25,000 members, or as many as the quirk says; a repeated member counts once, and nothing is added."""
    sandbox.switch("resource_limit=4")
    path = f"{ROOT}/{sandbox.cost_centers()[0]['id']}/resource"
    refused = ask(sandbox, "POST", path, {"users": ["a", "b", "c"]})
    assert (refused.status_code, "at most 4 resources" in refused.json()["message"]) == (422, True)
    assert len(sandbox.cost_centers()[0]["resources"]) == 2
    assert ask(sandbox, "POST", path, {"users": ["Monalisa", "a", "A", "b"]}).status_code == 200
    assert len(sandbox.cost_centers()[0]["resources"]) == 4
