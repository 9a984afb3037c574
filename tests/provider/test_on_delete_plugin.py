"""What only the real plugin process shows of `on_delete`: its settings, updates without changed inputs, its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plugin import CallError, FakeEngine, Plugin, Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox

    NewPlugin = Callable[..., Plugin]

DECLARED: dict[tuple[str, str], dict[str, Any]] = {
    ("EnterpriseBudget", "a"): {
        "enterprise": "octo-enterprise",
        "budget_product_sku": "actions",
        "budget_amount": 500,
    },
    ("OrgBudget", "b"): {"organization": "octo-org", "budget_product_sku": "packages", "budget_amount": 100},
    ("CostCenter", "c"): {"enterprise": "octo-enterprise", "name": "Apps"},
}
NAMES = [name for _, name in DECLARED]


@pytest.fixture
def new_plugin(engine: FakeEngine, sandbox: Sandbox) -> Callable[..., Plugin]:
    """Start the plugin of the next run, with settings."""
    env = {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
    return lambda **settings: Plugin(engine.address, env, {f"github-billing:{key}": settings[key] for key in settings})


def live(sandbox: Sandbox) -> int:
    """Return the number of budgets, and of cost centers with the declared name."""
    centers = [center for center in sandbox.cost_centers() if (center["name"], center["state"]) == ("Apps", "active")]
    return len(sandbox.budgets(None)) + len(centers)


def adopt(new_plugin: NewPlugin, **settings: str) -> Stack:
    """Return a stack that has adopted everything."""
    with new_plugin() as theirs:
        Stack().up(theirs, DECLARED)
    stack = Stack()
    with new_plugin(**settings) as plugin:
        assert stack.up(plugin, DECLARED) == dict.fromkeys(NAMES, "create")
    return stack


def test_a_destroy_keeps_what_was_adopted(engine: FakeEngine, sandbox: Sandbox, new_plugin: NewPlugin) -> None:
    """Adopted objects stay, each with a warning on its row; a refresh in between changes nothing."""
    stack = adopt(new_plugin)
    with new_plugin() as plugin:
        assert stack.refresh(plugin) == {}
    with new_plugin() as plugin:
        assert stack.up(plugin, DECLARED) == dict.fromkeys(NAMES, "same")
    engine.lines.clear()
    with new_plugin() as plugin:
        stack.destroy(plugin)
    assert live(sandbox) == len(NAMES)
    assert [name for name, text in engine.warnings if text.startswith("kept ")] == NAMES


def test_a_destroy_deletes_what_was_created(sandbox: Sandbox, new_plugin: NewPlugin) -> None:
    """Created objects are deleted, also after a refresh."""
    stack = Stack()
    with new_plugin() as plugin:
        stack.up(plugin, DECLARED)
    with new_plugin() as plugin:
        assert stack.refresh(plugin) == {}
    with new_plugin() as plugin:
        stack.destroy(plugin)
    assert live(sandbox) == 0


@pytest.mark.parametrize(("value", "left"), [("keep", len(NAMES)), ("delete", 0)])
def test_the_stacks_settings_are_read(value: str, left: int, sandbox: Sandbox, new_plugin: NewPlugin) -> None:
    """The setting decides, and a destroy without it obeys the state."""
    stack = adopt(new_plugin, onDelete=value)
    with new_plugin() as plugin:
        stack.destroy(plugin)
    assert live(sandbox) == left


def test_an_older_state_is_updated_once(sandbox: Sandbox, new_plugin: NewPlugin) -> None:
    """An adopted object of an older state is an update without a request, although no input changes."""
    stack = adopt(new_plugin)
    for entry in stack.entries:
        del entry.outputs["kept_on_delete"]
    with new_plugin() as plugin:
        assert stack.refresh(plugin) == {}
    sandbox.forget_requests()
    with new_plugin() as plugin:
        assert stack.up(plugin, DECLARED) == dict.fromkeys(NAMES, "update")
        assert stack.up(plugin, DECLARED) == dict.fromkeys(NAMES, "same")
    assert sandbox.requests == []
    with new_plugin() as plugin:
        stack.destroy(plugin)
    assert live(sandbox) == len(NAMES)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"onDelete": "never"}, "github-billing:onDelete must be one of delete, keep"),
        ({"onExisting": "take"}, "github-billing:onExisting must be one of adopt_if_identical, adopt, error"),
    ],
)
def test_an_invalid_setting_fails_the_preview(
    setting: dict[str, str], words: str, sandbox: Sandbox, new_plugin: NewPlugin
) -> None:
    """The check of each resource names the setting and its values; so does a delete, and a refresh does not need it."""
    stack = Stack()
    with new_plugin() as plugin:
        stack.up(plugin, DECLARED)
    for (kind, name), declared in DECLARED.items():
        with new_plugin(**setting) as plugin, pytest.raises(CallError) as caught:
            Stack().up(plugin, {(kind, name): declared})
        assert caught.value.last.endswith(words)
    with new_plugin(**setting) as plugin:
        assert stack.refresh(plugin) == {}
    with new_plugin(**setting) as plugin, pytest.raises(CallError) as caught:
        stack.destroy(plugin)
    assert caught.value.last.endswith(words)
    with new_plugin() as plugin:
        stack.destroy(plugin)
    assert live(sandbox) == 0


def test_the_setting_of_on_existing_adopts(sandbox: Sandbox, new_plugin: NewPlugin) -> None:
    """A different budget is adopted and updated because of the setting."""
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=70)
    with new_plugin(onExisting="adopt") as plugin:
        assert Stack().up(plugin, dict([*DECLARED.items()][:1])) == {"a": "create"}
    assert [budget["budget_amount"] for budget in sandbox.budgets()] == [500]
