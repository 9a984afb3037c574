"""Names that a sandbox creates when a request has them: owners, organizations, users, tokens, files, resets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import requests

from billing_provider.sandbox import Sandbox
from billing_provider.storage.files import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUDGET: dict[str, Any] = {
    "budget_amount": 500,
    "prevent_further_usage": True,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "organization",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}
PATHS = [
    "/enterprises/acme/settings/billing/budgets",
    "/enterprises/acme/settings/billing/cost-centers",
    "/enterprises/acme/settings/billing/usage",
    "/organizations/acme-web/settings/billing/usage",
    "/users/alice/settings/billing/usage",
    "/user",
]


@pytest.fixture
def said() -> list[str]:
    """What a sandbox says about the names that it creates."""
    return []


@pytest.fixture
def sandbox(said: list[str]) -> Iterator[Sandbox]:
    """A sandbox that creates names."""
    with Sandbox(create_unknown=said.append) as started:
        yield started


def call(sandbox: Sandbox, method: str, path: str, body: Any = None, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}"}
    return requests.request(method, sandbox.url + path, headers=headers, json=body, timeout=10)


def test_unknown_names_replace_the_sample_data(sandbox: Sandbox, said: list[str]) -> None:
    """The first unknown owner replaces the sample data, without usage; each name is said once, in its first form."""
    for path in [*PATHS, "/organizations/ACME-Web/settings/billing/usage"]:
        assert call(sandbox, "GET", path).status_code == 200
    assert said == [
        "The sandbox has created the enterprise acme, which it did not know.",
        "The sandbox has created the organization acme-web, which it did not know.",
        "The sandbox has created the user alice, which it did not know.",
    ]
    replies = [call(sandbox, "GET", path) for path in PATHS]
    assert [next(iter(reply.json().values())) for reply in replies] == [[], [], [], [], [], "alice"]
    text = json.dumps(sandbox.snapshot()) + "".join(reply.text for reply in replies)
    assert not any(name in text for name in ("octo", "monalisa", "hubot", "Platform"))


@pytest.mark.parametrize("scope", ["organization", "repository"])
def test_a_budget_creates_its_organization(sandbox: Sandbox, said: list[str], scope: str) -> None:
    """The organization in the entity of a new budget is created."""
    entity = "acme-web" if scope == "organization" else "acme-web/shop"
    body = {**BUDGET, "budget_scope": scope, "budget_entity_name": entity}
    assert call(sandbox, "POST", PATHS[0], body).status_code == 200
    assert len(said) == 2
    assert [budget["budget_entity_name"] for budget in sandbox.budgets()] == [entity]


def test_members_and_filters_create_names(sandbox: Sandbox, said: list[str]) -> None:
    """The members of a cost center and the filters of a usage report create what they name."""
    center = call(sandbox, "POST", PATHS[1], {"name": "Web"}).json()["id"]
    body = {"organizations": ["one"], "repositories": ["two/shop"], "users": ["alice"]}
    assert call(sandbox, "POST", f"{PATHS[1]}/{center}/resource", body).status_code == 200
    assert call(sandbox, "GET", f"{PATHS[2]}/summary?organization=three").json()["usageItems"] == []
    assert call(sandbox, "GET", "/enterprises/acme/settings/billing/ai_credit/usage?user=bob").status_code == 200
    assert [line.split()[6].rstrip(",") for line in said] == ["acme", "one", "two", "three", "bob"]


def test_the_sample_data_stays_if_it_was_used(sandbox: Sandbox, said: list[str]) -> None:
    """Unknown names come beside the sample data if a request has named one of its owners, and a usage stays equal."""
    usage = "/enterprises/octo-enterprise/settings/billing/usage"
    before = call(sandbox, "GET", usage).json()
    assert call(sandbox, "GET", PATHS[0]).status_code == 200
    assert call(sandbox, "GET", usage).json() == before
    assert sandbox.snapshot()["seen"]["enterprises"] == ["acme"]
    assert len(sandbox.cost_centers()) == 2
    assert len(said) == 1


def test_changed_sample_data_stays(sandbox: Sandbox) -> None:
    """A cost center of the sample data that a test has changed is kept."""
    sandbox.rename_cost_center("Platform", "Web")
    call(sandbox, "GET", PATHS[0])
    assert [center["name"] for center in sandbox.cost_centers()] == ["Web", "Data"]


def test_a_stored_budget_names_its_owner(sandbox: Sandbox, said: list[str]) -> None:
    """A budget that a test stores creates its owner, which is the enterprise of the sandbox from then on."""
    assert sandbox.budgets() == []
    sandbox.add_budget("organization", "acme-web", budget_amount=5)
    assert len(sandbox.budgets()) == 1
    sandbox.add_budget("enterprise", "acme", budget_amount=7)
    assert [budget["budget_amount"] for budget in sandbox.budgets()] == [7]
    assert len(said) == 2


@pytest.mark.parametrize("name", ["-a", "a-", "a--b", "a" * 40, "a b", "%C3%A9", "a%0Ab", "%1B[2J"])
def test_names_that_github_refuses_are_not_created(sandbox: Sandbox, said: list[str], name: str) -> None:
    """A name that GitHub would not accept stays unknown: 404 as an owner, 400 as an entity or a member."""
    assert call(sandbox, "GET", f"/organizations/{name}/settings/billing/usage").status_code == 404
    text = unquote(name)
    body = {**BUDGET, "budget_entity_name": text}
    path = "/enterprises/octo-enterprise/settings/billing"
    assert call(sandbox, "POST", f"{path}/budgets", body).status_code == 400
    center = sandbox.cost_centers()[0]["id"]
    member = {"organizations": [text]}
    assert call(sandbox, "POST", f"{path}/cost-centers/{center}/resource", member).status_code == 400
    assert said == []


def test_a_strict_sandbox_refuses_unknown_names() -> None:
    """By default nothing is created: a misspelt owner is a 404 that names the known ones."""
    with Sandbox() as sandbox:
        reply = call(sandbox, "GET", PATHS[0])
        assert (reply.status_code, reply.headers["X-Sandbox-Problem"]) == (
            404,
            "unknown enterprise; known: octo-enterprise",
        )
        sandbox.add_budget("enterprise", "acme")
        assert sandbox.snapshot()["seen"]["enterprises"] == []


def test_tokens_have_the_created_names(sandbox: Sandbox) -> None:
    """An organization owner has the first organization, and no other; the hint for single sign-on has the slug."""
    path = "/organizations/{}/settings/billing/budgets"
    hint = call(sandbox, "GET", path.format("one"), token="sandbox-no-sso").headers["x-github-sso"]
    assert "enterprises/one/sso" in hint
    assert call(sandbox, "GET", PATHS[0], token="sandbox-org-owner").json()["budgets"] == []
    for login, status in (("one", 200), ("two", 404)):
        assert call(sandbox, "GET", path.format(login), token="sandbox-org-owner").status_code == status
    hint = call(sandbox, "GET", path.format("one"), token="sandbox-no-sso").headers["x-github-sso"]
    assert "enterprises/acme/sso" in hint


def test_an_organization_owner_without_an_organization(sandbox: Sandbox) -> None:
    """Before any organization is known, an organization owner sees the enterprise, and no budget of it."""
    call(sandbox, "POST", PATHS[0], {**BUDGET, "budget_scope": "enterprise"})
    assert call(sandbox, "GET", PATHS[0], token="sandbox-org-owner").json()["budgets"] == []


def test_a_reset_forgets_the_created_names(sandbox: Sandbox, said: list[str]) -> None:
    """After a reset, the sandbox has the sample data again, and says a name again."""
    fresh = sandbox.snapshot()
    for _ in range(2):
        call(sandbox, "GET", PATHS[0])
        assert sandbox.snapshot() != fresh
        sandbox.reset()
        assert sandbox.snapshot() == fresh
    assert len(said) == 2


def test_files_and_snapshots_keep_the_created_names(said: list[str], tmp_path: Path) -> None:
    """A name is said once per state file, and a strict sandbox knows it from the file; a snapshot brings it too."""
    file = tmp_path / "state.json"
    for _ in range(2):
        with Sandbox(state_file=file, create_unknown=said.append) as sandbox:
            assert call(sandbox, "GET", PATHS[0]).status_code == 200
    assert len(said) == 1
    with Sandbox(state_file=file, enterprise="acme") as sandbox, Sandbox() as other:
        other.restore(sandbox.snapshot())
        for each in (sandbox, other):
            assert call(each, "GET", PATHS[0]).status_code == 200


def test_a_name_that_cannot_be_saved_is_not_created(said: list[str], tmp_path: Path) -> None:
    """If the file cannot be replaced, the reply is 507 and the name stays unknown."""
    folder = tmp_path / "state"
    folder.mkdir()
    file = folder / "state.json"
    with Sandbox(state_file=file, create_unknown=said.append) as sandbox:
        fresh = sandbox.snapshot()
        (folder / "state.json").unlink()
        folder.rmdir()
        assert call(sandbox, "GET", PATHS[0]).status_code == 507
        with pytest.raises(FileError):
            sandbox.add_budget("enterprise", "acme")
        assert (sandbox.snapshot(), said) == (fresh, [])


def test_a_reset_brings_the_usage_of_the_sample_data() -> None:
    """A reset after a snapshot without usage has the usage again."""
    sandbox = Sandbox()
    fresh = sandbox.snapshot()
    sandbox.restore({**fresh, "generated_usage": False})
    assert sandbox.snapshot() != fresh
    sandbox.reset()
    assert sandbox.snapshot() == fresh


@pytest.mark.parametrize("seen", [None, {"color": []}, {"users": ["a b"]}])
def test_invalid_created_names_in_a_snapshot_are_refused(seen: Any) -> None:
    """A snapshot with invalid created names is refused, and nothing is replaced."""
    sandbox = Sandbox()
    before = sandbox.snapshot()
    with pytest.raises(ValueError, match="not a valid sandbox state: seen"):
        sandbox.restore({**before, "seen": seen})
    assert sandbox.snapshot() == before


def test_usage_of_unknown_names_creates_them(sandbox: Sandbox, said: list[str]) -> None:
    """A test sets usage of its own organization and person before any request names them."""
    sandbox.spend("acme-web", "actions_linux", 12.5, user="alice")
    (row,) = call(sandbox, "GET", "/organizations/acme-web/settings/billing/usage").json()["usageItems"]
    assert (row["organizationName"], row["grossAmount"]) == ("acme-web", 12.5)
    assert said == [
        "The sandbox has created the organization acme-web, which it did not know.",
        "The sandbox has created the user alice, which it did not know.",
    ]
