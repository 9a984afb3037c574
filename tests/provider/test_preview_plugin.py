"""The comparison with GitHub in a check, and the refusals of raises, through the real plugin process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plugin import PROVIDERS, UNKNOWN, CallError, FakeEngine, Plugin, Stack, urn_of

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

ACTIONS: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_product_sku": "actions",
    "budget_amount": 5000,
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
    "__provider": PROVIDERS["EnterpriseBudget"],
}
URN = urn_of("EnterpriseBudget", "b")


def github(sandbox: Sandbox) -> dict[str, str]:
    return {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}


def test_a_raise_above_the_setting_is_refused_and_allowed_for_one_run(engine: FakeEngine, served: Sandbox) -> None:
    """5000 to 50000 is refused by the stack's setting; the variable that the message names allows it for one run."""
    limit = {"github-billing:maxIncreaseUsd": "1000"}
    stack = Stack()
    with Plugin(engine.address, github(served)) as first:
        stack.up(first, {("EnterpriseBudget", "b"): ACTIONS})
    (entry,) = stack.entries
    slip = {**ACTIONS, "budget_amount": 50_000}
    with Plugin(engine.address, github(served), limit) as second:
        checked, problems = second.check(URN, entry.inputs, slip)
        assert problems == []
        with pytest.raises(CallError, match=r"raises the amount by \$45,000 \(\+900 %\), above maxIncreaseUsd=1000"):
            second.diff(URN, entry.id, entry.outputs, checked)
        _, (problem,) = second.check(urn_of("EnterpriseBudget", "late"), {}, {**slip, "budget_entity_name": UNKNOWN})
        assert "sets an amount of $50,000" in problem
    variable, _, value = problem.rpartition(": ")[2].partition("=")
    with Plugin(engine.address, {**github(served), variable: value}, limit) as third:
        checked, _ = third.check(URN, entry.inputs, slip)
        assert third.diff(URN, entry.id, entry.outputs, checked).replaces == []
    assert [write.method for write in served.writes] == ["POST"]


def test_without_a_token_one_warning_is_shown_for_the_run(engine: FakeEngine) -> None:
    """A preview without a token goes on; the first resource to be compared has the warning."""
    with Plugin(engine.address, {}) as plugin:
        for name, sku in (("one", "actions"), ("two", "packages")):
            inputs, problems = plugin.check(
                urn_of("EnterpriseBudget", name), {}, {**ACTIONS, "budget_product_sku": sku}
            )
            assert problems == []
            assert inputs["budget_product_sku"] == sku
    ((name, text),) = engine.warnings
    assert (name, text.partition(": no token")[0]) == ("one", "not compared with GitHub")


@pytest.mark.parametrize(("setting", "value"), [("previewReads", "no"), ("maxIncreasePercent", "-1")])
def test_an_invalid_setting_is_named_in_preview(engine: FakeEngine, served: Sandbox, setting: str, value: str) -> None:
    """A wrong value of a setting of the preview fails the check, with the name of the setting."""
    with (
        Plugin(engine.address, github(served), {f"github-billing:{setting}": value}) as plugin,
        pytest.raises(Exception, match=f"ConfigError: github-billing:{setting} must be"),
    ):
        plugin.check(URN, {}, ACTIONS)
    assert served.requests == []


def test_an_up_lists_once_for_its_checks_and_creates(engine: FakeEngine, served: Sandbox) -> None:
    """The check and the create of a budget share one listing; an unchanged run sends nothing."""
    skus = ("actions", "packages", "codespaces", "copilot", "ghas")
    declared = {("EnterpriseBudget", sku): {**ACTIONS, "budget_product_sku": sku} for sku in skus}
    stack = Stack()
    with Plugin(engine.address, github(served)) as plugin:
        stack.up(plugin, declared)
    assert [request.method for request in served.requests] == ["GET", *["POST"] * len(skus)]
    served.forget_requests()
    with Plugin(engine.address, github(served)) as later:
        assert set(stack.up(later, declared).values()) == {"same"}
    assert served.requests == []
