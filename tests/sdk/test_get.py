"""`.get` of each resource: by id, by address and by key, in programs under mocks on a sandbox."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from billing_provider import CostCenter, EnterpriseBudget, OrgBudget
from billing_provider.core.errors import ConfigError
from billing_provider.sandbox import Sandbox
from tests.support.mocked import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

E, ORG = "octo-enterprise", "octo-org"
UUID = "0f0e0d0c-0b0a-0908-0706-050403020100"
CREDITS: dict[str, Any] = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "prevent_further_usage": True,
}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Collect the Outputs of failed programs at once: asyncio reports them, which must not happen in another test."""
    yield
    gc.collect()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment points at."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def program_of(get: Callable[[], Any]) -> Callable[[], None]:
    """Return a program that reads one resource."""

    def program() -> None:
        get()

    return program


def read_by(get: Callable[[], Any]) -> str:
    """Return the id that a program reads."""
    return str(run(program_of(get)).named("found").resource_id)


@pytest.mark.parametrize(
    ("get", "expected"),
    [
        (lambda: EnterpriseBudget.get("found", f"enterprise/{E}/1"), f"enterprise/{E}/1"),
        (
            lambda: EnterpriseBudget.get("found", f"https://github.com/enterprises/{E}/billing/budgets/1/edit"),
            f"enterprise/{E}/1",
        ),
        (
            lambda: OrgBudget.get(
                "found", pulumi.Output.concat("https://api.github.com/organizations/o/settings/billing/budgets/", "7")
            ),
            "organization/o/7",
        ),
        (
            lambda: CostCenter.get("found", f"https://github.com/enterprises/{E}/billing/cost_centers/{UUID}"),
            f"enterprise/{E}/{UUID}",
        ),
    ],
    ids=["id", "page", "output", "cost center"],
)
def test_get_reads_by_id_and_address_without_a_request(get: Callable[[], Any], expected: str) -> None:
    """An id, an address and an Output of one give the resource id; no sandbox is there to ask."""
    assert read_by(get) == expected


KEYS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "enterprise": ("enterprise", {}, {"budget_product_sku": "actions"}),
    "organization": (
        "enterprise",
        {"budget_scope": "organization", "budget_entity_name": ORG},
        {"budget_product_sku": "actions", "budget_scope": "organization", "budget_entity_name": "Octo-Org"},
    ),
    "repository of an organization": (
        "organization",
        {"budget_scope": "repository", "budget_entity_name": f"{ORG}/api"},
        {"budget_product_sku": "actions", "budget_scope": "repository", "budget_entity_name": "api"},
    ),
    "cost center": (
        "enterprise",
        {"budget_scope": "cost_center", "budget_entity_name": "Platform"},
        {"budget_product_sku": "actions", "cost_center": "platform"},
    ),
    "user": (
        "organization",
        {**CREDITS, "budget_scope": "user", "user": "octocat"},
        {"budget_product_sku": "ai_credits", "budget_scope": "user", "user": "OctoCat"},
    ),
}
OWNERS: dict[str, tuple[Any, str]] = {"enterprise": (EnterpriseBudget, E), "organization": (OrgBudget, ORG)}


@pytest.mark.parametrize("late", [False, True], ids=["plain", "outputs"])
@pytest.mark.parametrize("name", KEYS)
def test_get_reads_by_key(served: Sandbox, name: str, *, late: bool) -> None:
    """A key finds the budget in every scope, as a declaration would, by reads; plain values and Outputs are equal."""
    noun, live, key = KEYS[name]
    resource, slug = OWNERS[noun]
    wanted = served.add_budget(noun, slug, **live)
    served.add_budget(noun, slug, **{**CREDITS, "budget_scope": "user", "user": "hubot"})
    served.add_budget(noun, slug, budget_product_sku="packages")
    given = {noun: slug, **key}
    if late:
        given = {each: pulumi.Output.from_input(value) for each, value in given.items()}
    assert read_by(lambda: resource.get("found", **given)) == f"{noun}/{slug}/{wanted['id']}"
    assert {request.method for request in served.requests} == {"GET"}


def test_get_reads_a_cost_center_by_name(served: Sandbox) -> None:
    """A cost center is found by its name, and a budget by the resource that was found."""
    platform = next(center for center in served.cost_centers() if center["name"] == "Platform")
    wanted = served.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name="Platform")

    def program() -> dict[str, Any]:
        center = CostCenter.get("center", enterprise=E, name="platform")
        EnterpriseBudget.get("budget", enterprise=E, budget_product_sku="actions", cost_center=center)
        return {}

    registered = run(program)
    assert registered.named("center").resource_id == f"enterprise/{E}/{platform['id']}"
    assert registered.named("budget").resource_id == f"enterprise/{E}/{wanted['id']}"
    assert served.writes == []


def refusal(get: Callable[[], Any]) -> str:
    """Return the error that ends a program, which Pulumi shows without a traceback."""
    with pytest.raises(pulumi.RunError) as caught:
        run(program_of(get))
    assert isinstance(caught.value, ConfigError)
    return str(caught.value)


def actions(**key: Any) -> EnterpriseBudget:
    return EnterpriseBudget.get("found", enterprise=E, budget_product_sku="actions", **key)


def test_a_key_without_a_budget_shows_what_is_near(served: Sandbox) -> None:
    """The error names the key, and similar budgets with their ids."""
    other = served.add_budget("enterprise", E, budget_scope="organization", budget_entity_name=ORG)
    served.add_budget("enterprise", E, **{**CREDITS, "budget_scope": "user", "user": "hubot"})
    said = refusal(lambda: actions(budget_scope="organization", budget_entity_name="octo-ogr"))
    assert said.startswith("the actions budget of enterprise octo-enterprise, scope organization octo-ogr does not")
    assert f"similar: {other['id']} (the actions budget of enterprise octo-enterprise, scope organization octo" in said
    assert "hubot" not in said


def test_a_key_of_an_owner_without_budgets_says_so(served: Sandbox) -> None:
    """Without any similar budget the error says this."""
    assert refusal(actions).endswith("does not exist; the owner has no similar budget.")
    assert served.writes == []


def test_a_key_of_duplicates_names_both(served: Sandbox) -> None:
    """Two budgets with one key are not chosen from: the error has both ids."""
    one, two = (served.add_budget("enterprise", E)["id"] for _ in range(2))
    said = refusal(actions)
    assert "exists more than once" in said
    assert one in said
    assert two in said


def test_a_key_that_may_be_another_budget_is_refused(served: Sandbox) -> None:
    """A repository whose owner GitHub omits may be another one: the error has the id to read it by."""
    served.switch("bare_repository")
    live = served.add_budget("enterprise", E, budget_scope="repository", budget_entity_name=f"{ORG}/api")
    said = refusal(lambda: actions(budget_scope="repository", budget_entity_name=f"{ORG}/api"))
    assert f"may be {live['id']}: GitHub's listing does not show its complete entity" in said


@pytest.mark.parametrize(
    ("get", "said"),
    [
        (lambda: actions(budget_scope="organisation"), "budget_scope: EnterpriseBudget takes one of"),
        (lambda: EnterpriseBudget.get("found", enterprise=E), "budget_product_sku: write the product or SKU"),
        (lambda: EnterpriseBudget.get("found", budget_product_sku="actions"), "enterprise: write the enterprise"),
        (lambda: CostCenter.get("found", name="Platform"), "set the owner"),
        (lambda: CostCenter.get("found", enterprise=E, name="Platfrom"), "no cost center of .* Existing: .*Platform"),
        (lambda: EnterpriseBudget.get("found", "1"), "found: the id of EnterpriseBudget has the form"),
        (
            lambda: OrgBudget.get("found", f"https://github.com/enterprises/{E}/billing/budgets/1"),
            "found: read OrgBudget: this names no budget of an organization: use EnterpriseBudget.get",
        ),
        (lambda: EnterpriseBudget.get("found"), "give EnterpriseBudget.get either the id or address, or the key"),
        (
            lambda: OrgBudget.get("found", "organization/o/1", organization="o"),
            "found: give OrgBudget.get either the id or address, or the key",
        ),
        (
            lambda: actions(cost_center="Platform", budget_entity_name="Platform"),
            "found: give either cost_center or budget_entity_name, not both",
        ),
    ],
)
def test_an_invalid_get_ends_the_program_with_one_line(served: Sandbox, get: Callable[[], Any], said: str) -> None:
    """What cannot be read is told in one line that names the input or the resource, and nothing is written."""
    with pytest.raises(ConfigError, match=said):
        run(program_of(get))
    assert served.writes == []
