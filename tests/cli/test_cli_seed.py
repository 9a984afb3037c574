"""The verb `seed`: a sandbox with the budgets and cost centers of a live account, by reads only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.cli import main
from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = {"will_alert": False, "alert_recipients": []}
CREDITS = {"budget_type": "BundlePricing", "budget_product_sku": "ai_credits", "prevent_further_usage": True}
ACME: dict[str, Any] = {"enterprise": "acme", "organizations": ["acme-web", "acme-api"], "users": ["alice", "bob"]}
READING_QUIRKS = (
    *("alerting_for_user_missing", "consumed_everywhere", "cost_center_scope_echo", "empty_entity", "extra_fields"),
    *("float_amounts", "get_omits_expiry", "link_header", "missing_entity", "multi_user_customer_empty_entity"),
    *("page_cap_10", "page_flags_missing", "plural_sku", "resource_long_types", "total_count_missing", "uuid_echo"),
    *("recipients_lowercased", "uppercase_login_echo", "long_ids"),
)


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with budgets and cost centers of every kind, as the account that the environment names."""
    with Sandbox(**ACME) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        fill(sandbox)
        sandbox.forget_requests()
        yield sandbox


def fill(sandbox: Sandbox) -> None:
    """Create budgets and cost centers of every kind."""
    root = f"{sandbox.url}/enterprises/acme/settings/billing"
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    def post(path: str, body: Any) -> Any:
        reply = requests.post(f"{root}/{path}", headers=headers, json=body, timeout=10)
        reply.raise_for_status()
        return reply.json()

    web = post("cost-centers", {"name": "Alice's web shop"})["id"]
    post(f"cost-centers/{web}/resource", {"repositories": ["acme-web/shop", "acme-web/bob-notes"]})
    people = post("cost-centers", {"name": "People", "ai_credit_pool_enabled": True})["id"]
    post(f"cost-centers/{people}/resource", {"users": ["Alice", "carol"], "enterprise_teams": ["team-bob"]})
    old = post("cost-centers", {"name": "Old"})["id"]
    sandbox.add_budget("enterprise", "acme", budget_scope="cost_center", budget_entity_name=old, budget_amount=3)
    requests.delete(f"{root}/cost-centers/{old}", headers=headers, timeout=10).raise_for_status()
    alerting = {"will_alert": True, "alert_recipients": ["alice", "dave", "erin@example.com"]}
    for fields in (
        {"budget_amount": 100, "exclude_cost_center_usage": True, "budget_alerting": alerting},
        {"budget_scope": "organization", "budget_entity_name": "acme-web"},
        {"budget_scope": "repository", "budget_entity_name": "acme-web/shop", "budget_amount": 5},
        {"budget_scope": "cost_center", "budget_entity_name": web, "budget_amount": 7},
        {"budget_scope": "multi_user_cost_center", "budget_entity_name": people, "budget_amount": 7, **CREDITS},
        {"budget_scope": "multi_user_customer", "budget_amount": 40, **CREDITS},
        {
            **CREDITS,
            "budget_scope": "user",
            "budget_entity_name": "bob",
            "user": "bob",
            "budget_amount": 90,
            "expires_at": "9998-01-31",
        },
    ):
        sandbox.add_budget("enterprise", "acme", **fields)
    sandbox.add_budget("organization", "acme-web", budget_product_sku="git_lfs", budget_amount=11)
    sandbox.add_budget("organization", "acme-web", budget_scope="repository", budget_entity_name="acme-web/shop")


def seed_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the seed that the verb prints."""
    assert main(["seed", "--enterprise", "acme", *arguments]) == 0
    seed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return seed


def content(sandbox: Sandbox) -> tuple[Any, Any]:
    """Return the budgets and the cost centers as stored, without the time of creation, in any order."""
    held = sandbox.snapshot()
    budgets = [{**budget, "created_at": 0.0, "hidden_listings": 0} for budget in held["budgets"]]
    centers = [
        {**center, "resources": sorted(center["resources"], key=lambda member: (member["type"], member["name"]))}
        for center in held["cost_centers"]
    ]
    return sorted(budgets, key=lambda one: str(one["id"])), sorted(centers, key=lambda one: str(one["id"]))


def same_case(value: Any) -> Any:
    """Return JSON values in lowercase."""
    return json.loads(json.dumps(value).lower())


def test_a_sandbox_from_the_seed_has_the_same_content(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The seed has all budgets and cost centers with their ids, and only GET requests were sent."""
    seed = seed_of(capsys, "--org", "acme-web")
    assert {request.method for request in live.requests} == {"GET"}
    assert content(Sandbox(seed=seed)) == content(live)
    assert seed["organizations"] == ["acme-web", "acme-api"]
    assert seed["repositories"] == ["acme-web/shop", "acme-web/bob-notes"]
    assert seed["users"] == ["Alice", "bob", "carol", "dave"]


@pytest.mark.parametrize("quirk", READING_QUIRKS)
def test_the_content_is_the_same_under_every_quirk_of_reading(
    live: Sandbox, capsys: pytest.CaptureFixture[str], quirk: str
) -> None:
    """Whatever form GitHub's answers have, the budgets and cost centers are the same, up to the case of names."""
    live.switch(quirk)
    seed = seed_of(capsys, "--org", "acme-web")
    assert same_case(content(Sandbox(seed=seed))) == same_case(content(live))


def test_a_bare_repository_of_an_organization_gets_its_owner(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The owner of a repository is the organization; that of an enterprise's budget is unknown and not made up."""
    live.switch("bare_repository")
    budgets = seed_of(capsys, "--org", "acme-web")["budgets"]
    entities = [budget["budget_entity_name"] for budget in budgets if budget["budget_scope"] == "repository"]
    assert entities == ["shop", "acme-web/shop"]


def test_all_pages_are_read(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand budgets and a cost center of 250 members are complete."""
    for number in range(1000):
        live.add_budget("enterprise", "acme", budget_scope="organization", budget_entity_name="acme-api",
                        budget_amount=number)  # fmt: skip
    stored = live.snapshot()
    stored["cost_centers"][0]["resources"] = [{"type": "User", "name": f"u{number}"} for number in range(250)]
    live.restore(stored)
    assert content(Sandbox(seed=seed_of(capsys, "--org", "acme-web"))) == content(live)


def test_masked_logins_cannot_be_mapped_back(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """No login or mail address is left in any place; equal ones have equal masks, and all else is unchanged."""
    plain = seed_of(capsys, "--org", "acme-web")
    masked = seed_of(capsys, "--org", "acme-web", "--mask-logins")
    assert not re.search(r"alice|bob|carol|dave|erin|example", json.dumps(masked), re.IGNORECASE)
    centers = {center["id"]: center for center in masked["cost_centers"]}
    web, people = (next(c["id"] for c in plain["cost_centers"] if text in c["name"]) for text in ("shop", "People"))
    alice = centers[people]["users"][0]
    assert centers[web]["name"] == f"{alice}'s web shop"
    (first,) = [b for b in masked["budgets"] if b["budget_alerting"]["alert_recipients"]]
    assert first["budget_alerting"]["alert_recipients"][0] == alice
    (own,) = [b for b in masked["budgets"] if b["budget_scope"] == "user"]
    assert own["user"] == own["budget_entity_name"] in masked["users"]
    assert centers[web]["repositories"] == ["acme-web/shop", f"acme-web/{own['user']}-notes"]
    assert centers[people]["enterprise_teams"] == [f"team-{own['user']}"]
    assert re.fullmatch(r"person-\d", alice)
    unchanged = ("id", "budget_amount", "budget_scope", "budget_product_sku", "prevent_further_usage")
    assert [[b[name] for name in unchanged] for b in masked["budgets"]] == [
        [b[name] for name in unchanged] for b in plain["budgets"]
    ]
    assert len(Sandbox(seed=masked).budgets(None)) == len(live.budgets(None))


def test_a_repository_of_a_person_is_masked(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The owner of a repository can be a person."""
    live.add_budget("enterprise", "acme", budget_scope="repository", budget_entity_name="bob/tool")
    seed = seed_of(capsys, "--mask-logins")
    (name,) = [name for name in seed["repositories"] if name.endswith("/tool")]
    assert name.startswith("person-")
    assert name.partition("/")[0] in seed["organizations"]
    assert len(Sandbox(seed=seed).budgets()) == 9


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"op": "list_cost_centers", "action": "403_permission"}, id="first request"),
        pytest.param({"op": "list_budgets", "action": "403_permission", "nth": 2}, id="last request"),
        pytest.param({"op": "list_cost_centers", "action": "short_list"}, id="a cost center is not listed"),
    ],
)
def test_a_failure_prints_nothing(live: Sandbox, capsys: pytest.CaptureFixture[str], fault: dict[str, Any]) -> None:
    """If a request fails, standard output stays empty, one line says what failed, and the exit code is 1."""
    live.plan([fault])
    assert main(["seed", "--enterprise", "acme", "--org", "acme-web"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line[:7] for line in err.strip().splitlines()] == ["error: "]
    assert live.untriggered_faults() == []


def test_an_account_without_people(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty account is a seed without people, organizations and usage, also if it is masked."""
    live.restore({**live.snapshot(), "budgets": [], "cost_centers": []})
    seed = seed_of(capsys, "--mask-logins")
    assert [seed[kind] for kind in ("organizations", "users", "budgets", "cost_centers")] == [[], [], [], []]
    with Sandbox(seed=seed) as sandbox:
        url = f"{sandbox.url}/enterprises/acme/settings/billing/usage"
        reply = requests.get(url, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)
        assert reply.json() == {"usageItems": []}


def test_the_token_is_not_in_the_seed(live: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that contains the token is masked."""
    live.rename_cost_center("People", f"key {live.token}")
    seed = seed_of(capsys)
    assert live.token not in json.dumps(seed)
