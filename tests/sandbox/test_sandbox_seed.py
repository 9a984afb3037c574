"""The content of a sandbox from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

BUDGET: dict[str, Any] = {
    "budget_amount": 500,
    "prevent_further_usage": True,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "organization",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}
PLATFORM = {"name": "Web platform", "users": ["alice"], "repositories": ["acme-web/shop"]}
SEED: dict[str, Any] = {
    "enterprise": "acme",
    "organizations": ["acme-web", "acme-api"],
    "repositories": ["acme-web/shop"],
    "users": ["alice", "bob"],
    "cost_centers": [PLATFORM],
    "budgets": [
        {**BUDGET, "organization": "acme-web"},
        {**BUDGET, "budget_scope": "cost_center", "budget_entity_name": "Web platform"},
    ],
}


CENTER = {"id": "c1", "name": "Web platform", "users": ["alice"], "enterprise_teams": ["ops"]}
STORED = {**BUDGET, "id": "b1", "budget_entity_name": "acme-web", "budget_product_sku": "newer_than_this"}
IN_CENTER = {**STORED, "budget_scope": "cost_center", "budget_entity_name": "web platform"}


def test_records_with_ids_are_stored_as_they_are() -> None:
    """An entry with an id is stored with it, without the rules for new ones; new ids differ from those of a seed."""
    new = {"name": "Second"}
    first = Sandbox(
        seed={"enterprise": "acme", "cost_centers": [new], "budgets": [BUDGET | {"budget_scope": "enterprise"}]}
    )
    (center,), (budget,) = first.cost_centers(), first.budgets()
    entries = [{**BUDGET, "budget_entity_name": "acme", "id": budget["id"]}, IN_CENTER, {**STORED, "id": "b2"}]
    entries[2]["organization"] = "Acme-Web"
    seed = {**SEED, "cost_centers": [CENTER, {**new, "id": center["id"], "state": "deleted"}], "budgets": entries}
    sandbox = Sandbox(seed=seed)
    assert [each["budget_entity_name"] for each in sandbox.budgets(None)] == ["acme", "Web platform", "acme-web"]
    assert [each["owner"] for each in sandbox.budgets(None)] == ["acme", "acme", "acme-web"]
    members = [{"type": "User", "name": "alice"}, {"type": "Team", "name": "ent:ops"}]
    assert [(each["id"], each["resources"], each["state"]) for each in sandbox.cost_centers()] == [
        ("c1", members, "active"),
        (center["id"], [], "deleted"),
    ]
    added = [sandbox.add_budget("enterprise", "acme")["id"] for _ in range(2)]
    assert len({*added, center["id"], budget["id"]}) == 4


def test_a_seed_is_the_content() -> None:
    """A sandbox has the names, cost centers and budgets of its seed and nothing else; a reset brings them back."""
    sandbox = Sandbox(seed=SEED)
    first = sandbox.snapshot()
    assert first["names"]["repositories"] == ["acme-web/shop"]
    (center,) = sandbox.cost_centers()
    members = [{"type": "User", "name": "alice"}, {"type": "Repo", "name": "acme-web/shop"}]
    assert (center["name"], center["resources"]) == ("Web platform", members)
    stored = [(budget["owner"], budget["budget_entity_name"]) for budget in sandbox.budgets(None)]
    assert stored == [("acme-web", "acme-web"), ("acme", "Web platform")]
    sandbox.remove_budget(first["budgets"][0]["id"])
    sandbox.reset()
    assert sandbox.snapshot() == first


def test_an_empty_seed_has_the_sample_names_and_no_content() -> None:
    """Without names, a seed has those of the sample data; without cost centers and budgets, there are none."""
    content = Sandbox(seed={}).snapshot()
    assert (content["cost_centers"], content["budgets"]) == ([], [])
    assert content["names"] == Sandbox().snapshot()["names"]


def test_a_file_with_content_is_kept(tmp_path: Path) -> None:
    """A seed fills a new file; a file with content is opened as it is."""
    file = tmp_path / "state.json"
    Sandbox(seed=SEED, state_file=file).add_budget("enterprise", "acme")
    assert len(Sandbox(seed=SEED, state_file=file).budgets(None)) == 3


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        pytest.param([], "seed: it is not an object", id="list"),
        pytest.param({"enterprises": []}, "seed: enterprises: there is no such field", id="unknown"),
        pytest.param({"users": "alice"}, "seed: users: 'alice' is not a list", id="users"),
        pytest.param({"budgets": {}}, "seed: budgets: it is not a list", id="no list"),
        pytest.param({"budgets": [5]}, r"seed: budgets\[0\]: it is not an object", id="no object"),
        pytest.param({"budgets": [{}]}, r"seed: budgets\[0\]: Missing required fields: budget_amount", id="fields"),
        pytest.param({"budgets": [{**BUDGET, "color": 1}]}, r"seed: budgets\[0\]: .*color", id="field"),
        pytest.param(
            {"budgets": [{**BUDGET, "organization": "../acme"}]}, r"budgets\[0\]: .*unknown organization", id="owner"
        ),
        pytest.param({"budgets": [{**STORED, "color": 1}]}, r"budgets\[0\].color: there is no such", id="stored"),
        pytest.param({"budgets": [STORED, STORED]}, r"budgets\[1\]: the id b1 is used twice", id="budget twice"),
        pytest.param({"budgets": [{**STORED, "organization": "x"}]}, r"budgets\[0\]: unknown organization", id="org"),
        pytest.param({"budgets": [IN_CENTER]}, r"budgets\[0\]: no cost center has the id or the name", id="center"),
        pytest.param({"cost_centers": [{"id": "c"}]}, r"cost_centers\[0\].name: it is missing", id="center's name"),
        pytest.param(
            {"cost_centers": [{**CENTER, "users": [5]}]},
            r"s\[0\].users\[0\]: Input should be a valid",
            id="member's name",
        ),
        pytest.param({"cost_centers": [CENTER, CENTER]}, r"cost_centers\[1\]: the id c1 is used twice", id="twice"),
        pytest.param({"generated_usage": 1}, "generated_usage: Input should be a valid boolean", id="usage"),
        pytest.param({"cost_centers": [{}]}, r"seed: cost_centers\[0\]: Bad request: name is required", id="no name"),
        pytest.param({"cost_centers": [{"name": "a", "teams": []}]}, r"cost_centers\[0\]: .*teams", id="kind"),
        pytest.param({"cost_centers": [{"name": "a", "users": "b"}]}, "users must be a list of names", id="members"),
        pytest.param({"cost_centers": [{"name": "a", "users": ["b c"]}]}, "no such resource", id="member"),
    ],
)
def test_a_mistake_in_a_seed_is_one_line(seed: Any, text: str) -> None:
    """A mistake is a ValueError of one line with the place in the seed."""
    with pytest.raises(ValueError, match=text) as caught:
        Sandbox(seed=seed)
    assert "\n" not in str(caught.value)


def test_a_seed_has_the_names() -> None:
    """Names beside a seed are refused."""
    with pytest.raises(ValueError, match="seed: it has the names; omit users"):
        Sandbox(seed=SEED, users=["alice"])
