"""What a program writes and gets, with Pulumi's own mocks: type tokens, inputs that are sent, outputs with types."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

import pulumi
import pytest
from pulumi._types import resource_types
from pulumi.dynamic.dynamic import serialize_provider

import billing_provider
from billing_provider import (
    BillingError,
    BudgetAlerting,
    BudgetAlertingArgs,
    CostCenter,
    EnterpriseBudget,
    OrgBudget,
)
from billing_provider.core.errors import ConfigError
from billing_provider.provider import EnterpriseBudgetProvider
from tests.support.mocked import run

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD = {"budget_id": "b-1", "consumed_amount": 12.5, "adopted": False, "budget_type": "ProductPricing"}


def test_a_budget_is_registered_under_its_token_with_its_inputs() -> None:
    """Both resources send exactly what was declared, and the provider by name."""

    def program() -> dict[str, Any]:
        EnterpriseBudget("a", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=500)
        OrgBudget(
            "b", organization="octo-org", budget_product_sku="packages", budget_amount=pulumi.Output.from_input(7)
        )
        return {}

    registered = run(program)
    a, b = registered.named("a"), registered.named("b")
    assert a.typ == "pulumi-python:dynamic/github-billing:EnterpriseBudget"
    assert b.typ == "pulumi-python:dynamic/github-billing:OrgBudget"
    sent = {
        "enterprise": "octo-enterprise",
        "budget_product_sku": "actions",
        "budget_amount": 500,
        "__provider": serialize_provider(EnterpriseBudgetProvider()),
    }
    assert {name: value for name, value in a.inputs.items() if value is not None} == sent
    assert (b.inputs["organization"], b.inputs["budget_amount"]) == ("octo-org", 7)


def test_outputs_have_their_types() -> None:
    """An amount is an int and a spend a float though the wire has floats only, and alerting is an object."""

    def program() -> dict[str, Any]:
        budget = EnterpriseBudget(
            "a",
            enterprise="octo-enterprise",
            budget_product_sku="actions",
            budget_amount=500,
            budget_alerting=BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"]),
        )
        return {
            "amount": budget.budget_amount,
            "consumed": budget.consumed_amount,
            "alerting": budget.budget_alerting.apply(lambda alerting: isinstance(alerting, BudgetAlerting)),
            "recipients": budget.budget_alerting.apply(lambda alerting: alerting and alerting.alert_recipients),
            "alerts": budget.budget_alerting.apply(lambda alerting: alerting and alerting.will_alert),
            "id": budget.budget_id,
            "adopted": budget.adopted,
            "cost_center": budget.cost_center_id,
        }

    exports = run(program, answers={"a": TOLD}).exports
    assert (type(exports["amount"]), type(exports["consumed"])) == (int, float)
    assert exports == {
        "alerting": True,
        "amount": 500,
        "consumed": 12.5,
        "recipients": ["octocat"],
        "alerts": True,
        "id": "b-1",
        "adopted": False,
        "cost_center": None,
    }


@pytest.mark.parametrize(
    "alerting",
    [
        lambda: BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"]),
        lambda: {"will_alert": True, "alert_recipients": ["octocat"]},
        lambda: {
            "will_alert": pulumi.Output.from_input(True),  # noqa: FBT003 - the SDK's own signature
            "alert_recipients": ["octocat"],
        },
    ],
    ids=["object", "dict", "outputs"],
)
def test_alerting_is_written_as_object_or_dict(alerting: Callable[[], Any]) -> None:
    """`BudgetAlertingArgs` and a dict send the same."""

    def program() -> dict[str, Any]:
        OrgBudget("b", organization="o", budget_product_sku="actions", budget_amount=1, budget_alerting=alerting())
        return {}

    sent = run(program).named("b").inputs["budget_alerting"]
    assert sent == {"will_alert": True, "alert_recipients": ["octocat"]}


def test_the_types_of_outputs_are_evaluated_once() -> None:
    """The SDK asks for them at each resource; subclasses of a program's own have them too, and no others."""

    class Mine(EnterpriseBudget):
        pass

    assert inspect.get_annotations(EnterpriseBudget) == inspect.get_annotations(Mine) == {}
    kinds = resource_types(Mine)
    assert kinds == resource_types(EnterpriseBudget)
    assert kinds["enterprise"] is str
    assert kinds["budget_alerting"] is BudgetAlerting
    assert "organization" not in kinds
    with pytest.raises(AttributeError, match="'Mine' object has no attribute 'user'"):
        _ = Mine.__new__(Mine).user


def test_alerting_tells_what_it_was_given() -> None:
    """The inputs of alerting can be read back; recipients default to nobody."""
    alerting = BudgetAlertingArgs(will_alert=False)
    assert (alerting.will_alert, alerting.alert_recipients) == (False, ())


@pytest.mark.parametrize(("resource", "noun"), [(EnterpriseBudget, "enterprise"), (OrgBudget, "organization")])
def test_get_reads_by_id(resource: type[EnterpriseBudget | OrgBudget], noun: str) -> None:
    """`.get` registers a read of that id and gives its outputs, typed as the resource."""

    def program() -> dict[str, Any]:
        budget = resource.get("found", f"{noun}/slug/b-1", pulumi.ResourceOptions(protect=True))
        assert isinstance(budget, resource)
        return {"amount": budget.budget_amount, "id": budget.id}

    registered = run(program, answers={"found": {**TOLD, "budget_amount": 90.0}})
    assert registered.named("found").resource_id == f"{noun}/slug/b-1"
    assert registered.exports == {"amount": 90, "id": f"{noun}/slug/b-1"}


UUID = "0f0e0d0c-0b0a-0908-0706-050403020100"


@pytest.mark.parametrize(
    ("given", "scope", "sent"),
    [
        (lambda: "Platform", None, ("Platform", "cost_center")),
        (lambda: f"enterprise/octo-enterprise/{UUID}", None, (UUID, "cost_center")),
        (lambda: CostCenter("c", enterprise="octo-enterprise", name="Mobile"), None, ("c-id", "cost_center")),
        (lambda: UUID, "multi_user_cost_center", (UUID, "multi_user_cost_center")),
    ],
    ids=["name", "id", "resource", "scope"],
)
def test_a_budget_takes_a_cost_center(
    given: Callable[[], Any], scope: Literal["multi_user_cost_center"] | None, sent: tuple[str, str]
) -> None:
    """A cost center is given as a resource, an id or a name, and decides the scope where none is given."""

    def program() -> dict[str, Any]:
        EnterpriseBudget(
            "b",
            enterprise="octo-enterprise",
            budget_product_sku="ai_credits",
            budget_amount=1,
            budget_scope=scope,
            cost_center=given(),
        )
        return {}

    inputs = run(program).named("b").inputs
    assert (inputs["budget_entity_name"], inputs["budget_scope"]) == sent
    assert "cost_center" not in inputs


def test_a_cost_center_and_an_entity_exclude_each_other() -> None:
    """Two ways to name the entity at once are refused."""
    both: dict[str, Any] = {"cost_center": "Platform", "budget_entity_name": "Platform"}
    with pytest.raises(BillingError, match="b: give either cost_center or budget_entity_name, not both"):
        EnterpriseBudget("b", enterprise="e", budget_product_sku="actions", budget_amount=1, **both)


def test_an_unknown_public_name_is_refused() -> None:
    """The package says which name it does not have, as any module does."""
    with pytest.raises(AttributeError, match="module 'billing_provider' has no attribute 'Budgets'"):
        _ = billing_provider.Budgets  # type: ignore[attr-defined]


MISSPELT = {"github-billing:onDelte": "keep"}


@pytest.mark.parametrize(
    "declare",
    [
        lambda: EnterpriseBudget("a", enterprise="e", budget_product_sku="actions", budget_amount=5),
        lambda: OrgBudget.get("a", "organization/o/1"),
        lambda: CostCenter("a", enterprise="e", name="Apps"),
        lambda: billing_provider.get_budgets(enterprise="e"),
    ],
    ids=["budget", "read", "cost center", "function"],
)
def test_an_unknown_setting_ends_the_program_before_anything_is_registered(declare: Callable[[], Any]) -> None:
    """A resource and a function check the names of the settings first; Pulumi shows the error without a traceback."""
    seen: list[pulumi.RunError] = []

    def program() -> None:
        with pytest.raises(pulumi.RunError, match=r"github-billing:onDelte: no such setting; did you mean") as caught:
            declare()
        assert isinstance(caught.value, ConfigError)
        seen.append(caught.value)

    assert run(program, config=MISSPELT).resources == []
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("maxIncreaseUsd", "[1]", "must be a number, 0 or more, or off"),
        ("maxIncreasePercent", '{"a":1}', "must be a number, 0 or more, or off"),
        ("maxDeletes", "[1]", "must be a whole number, 0 or more, or off"),
        ("protectHardStops", "yes", "must be one of true, false"),
        ("previewReads", "[true]", "must be one of true, false"),
        ("onDelete", "", "must be one of delete, keep"),
        ("settleSeconds", "[5]", "must be a number from 12 to 300"),
        ("baseUrl", '["https://x"]', "must be https:"),
    ],
)
def test_an_invalid_value_ends_the_program_before_anything_is_registered(name: str, value: str, said: str) -> None:
    """A list, a mapping or another invalid value of a setting is one line of the program, without a traceback."""
    seen: list[pulumi.RunError] = []

    def program() -> None:
        with pytest.raises(pulumi.RunError, match=said) as caught:
            EnterpriseBudget("a", enterprise="e", budget_product_sku="actions", budget_amount=5)
        assert isinstance(caught.value, ConfigError)
        seen.append(caught.value)

    assert run(program, config={f"github-billing:{name}": value}).resources == []
    assert len(seen) == 1


def test_the_settings_are_checked_once_a_program_run() -> None:
    """The first resource of a program checks them, and hundreds do not repeat it; the next program checks its own."""

    def declare(name: str) -> None:
        OrgBudget(name, organization="o", budget_product_sku="actions", budget_amount=5)

    def program() -> None:
        declare("a")
        # Pulumi sets the configuration before the program.
        pulumi.runtime.set_all_config(MISSPELT)
        declare("b")

    def refused() -> None:
        with pytest.raises(pulumi.RunError, match="no such setting"):
            declare("c")

    assert len(run(program).resources) == 2
    assert run(refused, config=MISSPELT).resources == []


def test_settings_of_a_project_with_the_same_name_are_not_checked() -> None:
    """A project that is named github-billing has its own settings under the same prefix."""

    def program() -> None:
        OrgBudget("a", organization="o", budget_product_sku="actions", budget_amount=5)

    assert run(program, config=MISSPELT, project="github-billing").named("a")
