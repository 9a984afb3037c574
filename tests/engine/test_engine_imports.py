"""Import of resources into the state of the embedded engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import Engine, EngineError
from billing_provider.sandbox import Sandbox
from tests.support.plugin import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPE = "pulumi-python:dynamic/github-billing:EnterpriseBudget"
PROGRAM = """
from billing_provider import EnterpriseBudget

EnterpriseBudget("a", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=500)
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with one budget."""
    with Sandbox() as started:
        started.add_budget("enterprise", "octo-enterprise", budget_amount=500)
        yield started


@pytest.fixture
def engine(sandbox: Sandbox, tmp_path: Path) -> Engine:
    """An engine on a project that declares the budget."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  github-billing:settleSeconds: 2\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    settings = {"github-billing:baseUrl": sandbox.url, "github-billing:token": sandbox.token}
    return Engine(tmp_path, "dev", tmp_path / "state.json", settings=settings, check=True)


def entry(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    """Return the budget as an import file has it."""
    (live,) = sandbox.budgets()
    inputs = {
        "enterprise": "octo-enterprise",
        "budget_product_sku": "actions",
        "budget_amount": 500,
        "budget_scope": "enterprise",
        "budget_entity_name": "",
        "budget_type": "ProductPricing",
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        "__provider": PROVIDERS["EnterpriseBudget"],
    }
    outputs = {**inputs, "budget_id": live["id"], "adopted": True, "kept_on_delete": True}
    id_ = f"enterprise/octo-enterprise/{live['id']}"
    return {"type": TYPE, "name": "a", "id": id_, "inputs": inputs, "outputs": outputs, **changes}


def test_an_import_sends_nothing_and_leaves_no_change(engine: Engine, sandbox: Sandbox) -> None:
    """After an import, up and refresh find no change, and a destroy keeps what was there before."""
    assert engine.import_resources([entry(sandbox)]) == [f"urn:pulumi:dev::shop::{TYPE}::a"]
    assert sandbox.requests == []
    assert not engine.preview().changed
    assert engine.up().counts == {"same": 2}
    assert not engine.refresh().changed
    engine.destroy()
    assert sandbox.writes == []
    assert len(sandbox.budgets()) == 1


def test_a_second_import_changes_nothing(engine: Engine, sandbox: Sandbox) -> None:
    """A resource that is in the state with this id stays as it is, and the file is not written."""
    engine.import_resources([entry(sandbox)])
    before = engine.state_file.read_bytes()
    assert engine.import_resources([entry(sandbox, outputs={})]) == []
    assert engine.state_file.read_bytes() == before


def test_a_further_import_keeps_the_state(engine: Engine, sandbox: Sandbox) -> None:
    """The stack and its provider are added once; the resources that were there stay."""
    engine.import_resources([entry(sandbox)])
    engine.import_resources([entry(sandbox, name="b", id="enterprise/octo-enterprise/other")])
    urns = [each["urn"].rpartition("shop::")[2] for each in engine.export()["deployment"]["resources"]]
    provider = "pulumi:providers:pulumi-python::default"
    assert urns == ["pulumi:pulumi:Stack::shop-dev", provider, f"{TYPE}::a", f"{TYPE}::b"]


def test_the_recorded_settings_are_those_of_the_stack(engine: Engine, sandbox: Sandbox) -> None:
    """The default provider has the stack's settings, without those of this run."""
    engine.import_resources([entry(sandbox)])
    provider = engine.export()["deployment"]["resources"][1]
    assert provider["inputs"] == {"github-billing:settleSeconds": "2"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "aws:budgets/budget:Budget"}, "a is of aws:budgets/budget:Budget: only dynamic resources"),
        ({"id": 4}, "a: the resource to import is damaged: id: Input should be a valid string"),
        ({"inputs": []}, "a: the resource to import is damaged: inputs: Input should be a valid dictionary"),
    ],
)
def test_a_damaged_entry_imports_nothing(
    engine: Engine, sandbox: Sandbox, changes: dict[str, Any], message: str
) -> None:
    """The entry is named, and no other one is imported."""
    with pytest.raises(EngineError, match=message):
        engine.import_resources([entry(sandbox, name="good"), entry(sandbox, **changes)])
    assert not engine.state_file.exists()


def test_an_entry_without_a_name_imports_nothing(engine: Engine, sandbox: Sandbox) -> None:
    """The missing key is named."""
    nameless = {key: value for key, value in entry(sandbox).items() if key != "name"}
    with pytest.raises(EngineError, match="a resource to import is damaged: 'name' is missing"):
        engine.import_resources([nameless])


def test_a_name_of_another_resource_is_refused(engine: Engine, sandbox: Sandbox) -> None:
    """A name that the stack uses for another id is an error, and the state stays as it is."""
    engine.import_resources([entry(sandbox)])
    before = json.loads(engine.state_file.read_text())
    with pytest.raises(EngineError, match="a is the name of enterprise/octo-enterprise/"):
        engine.import_resources([entry(sandbox, id="enterprise/octo-enterprise/other")])
    assert json.loads(engine.state_file.read_text()) == before


def test_the_parts_of_a_component_are_imported_below_it(engine: Engine, sandbox: Sandbox) -> None:
    """A component has no id; a part names it as its parent, also one that is imported later."""
    component = {"type": "shop:index:Caps", "name": "caps", "component": True}
    below = f"urn:pulumi:dev::shop::shop:index:Caps${TYPE}"
    urn = "urn:pulumi:dev::shop::shop:index:Caps::caps"
    assert engine.import_resources([component, entry(sandbox, parent="caps")]) == [urn, f"{below}::a"]
    later = entry(sandbox, name="b", id="enterprise/octo-enterprise/other", parent="caps")
    assert engine.import_resources([component, later]) == [f"{below}::b"]
    resources = {each["urn"]: each for each in engine.export()["deployment"]["resources"]}
    assert [resources[f"{below}::{name}"]["parent"] for name in "ab"] == [urn, urn]
    assert (resources[urn]["custom"], resources[urn].get("id"), resources[urn].get("provider")) == (False, None, None)


@pytest.mark.parametrize("parent", ["caps", 4, ["caps"]])
def test_a_parent_that_is_not_imported_is_refused(engine: Engine, sandbox: Sandbox, parent: Any) -> None:
    """The resource is named, and nothing is imported."""
    with pytest.raises(EngineError, match=r"^a: no component before it has the name of its parent"):
        engine.import_resources([entry(sandbox, parent=parent)])
    assert not engine.state_file.exists()
