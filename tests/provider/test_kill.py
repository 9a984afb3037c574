"""Kills at every request of every operation, of the plugin and of the engine alone: the next run makes it right."""

from __future__ import annotations

import copy
import signal
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from billing_provider.sandbox import Sandbox
from tests.support.plugin import PROVIDERS, CallError, Entry, FakeEngine, Plugin, Stack, urn_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "OrgBudget"
BUDGET = {"organization": "octo-org", "budget_product_sku": "packages", "budget_amount": 100}
IMPATIENT = {"github-billing:requestTimeoutSeconds": "0.5", "github-billing:settleSeconds": "0.5"}


class Case(NamedTuple):
    """What is declared before and after, and the requests of the way between them."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    requests: tuple[str, ...]


CASES = {
    "create": Case(None, BUDGET, ("list_budgets", "create_budget")),
    "update": Case(BUDGET, {**BUDGET, "budget_amount": 200}, ("update_budget",)),
    "replace": Case(
        BUDGET,
        {**BUDGET, "budget_product_sku": "actions"},
        ("list_budgets", "create_budget", "delete_budget"),
    ),
    "delete": Case(BUDGET, None, ("delete_budget",)),
}
BOUNDARIES = [
    (name, request, action)
    for name, case in CASES.items()
    for request in case.requests
    for action in (("stall_before",) if request == "list_budgets" else ("stall_before", "stall_after"))
]


def declared(inputs: Mapping[str, Any] | None) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {} if inputs is None else {(KIND, "b"): inputs}


def state_of(sandbox: Sandbox, inputs: Mapping[str, Any] | None) -> Stack:
    """Return a stack after an `up` of these inputs, with the budget on GitHub's side."""
    if inputs is None:
        return Stack()
    whole = {
        "budget_scope": "organization",
        "budget_type": "ProductPricing",
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        **inputs,
    }
    given = {name: value for name, value in whole.items() if name != "organization"}
    live = sandbox.add_budget("organization", "octo-org", **given)
    stored = {**whole, "budget_entity_name": "", "__provider": PROVIDERS[KIND]}
    outputs = {**stored, "budget_id": live["id"], "adopted": False, "kept_on_delete": False}
    return Stack([Entry(KIND, "b", f"organization/octo-org/{live['id']}", stored, outputs)])


def environment(sandbox: Sandbox) -> dict[str, str]:
    return {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}


def figures(sandbox: Sandbox) -> list[tuple[str, int]]:
    return [(budget["budget_product_sku"], budget["budget_amount"]) for budget in sandbox.budgets(None)]


@pytest.mark.parametrize("victim", ["plugin", "engine"])
@pytest.mark.parametrize(("name", "request_met", "action"), BOUNDARIES, ids=["-".join(case) for case in BOUNDARIES])
def test_a_kill_at_any_request_is_made_right_by_the_next_run(
    name: str, request_met: str, action: str, victim: str
) -> None:
    """Whoever is killed, wherever the operation was, the next run leaves exactly what is declared."""
    case = CASES[name]
    engine = FakeEngine()
    with Sandbox() as sandbox:
        stack = state_of(sandbox, case.before)
        sandbox.plan([{"op": request_met, "action": action, "seconds": 0.7}])
        plugin = Plugin(engine.address, environment(sandbox), IMPATIENT)
        died: list[str] = []

        def run() -> None:
            try:
                stack.up(plugin, declared(case.after))
            except CallError as error:
                died.append(str(error))

        running = threading.Thread(target=run)
        running.start()
        wait_until(lambda: any(entry.status == 0 for entry in sandbox.requests), running.is_alive)
        # What the engine had saved when it died; whatever the plugin still answers reaches nobody.
        saved = copy.deepcopy(stack.entries)
        if victim == "plugin":
            plugin.stop(signal.SIGKILL)
        else:
            engine.stop()
        later = FakeEngine()
        second = Stack(saved)
        with Plugin(later.address, environment(sandbox)) as plugin_later:
            second.up(plugin_later, declared(case.after))
            running.join()
            plugin.stop()
            expected = [] if case.after is None else [(case.after["budget_product_sku"], case.after["budget_amount"])]
            assert figures(sandbox) == expected
            assert sandbox.untriggered_faults() == []
            sandbox.forget_requests()
            assert second.refresh(plugin_later) == {}
            assert set(second.up(plugin_later, declared(case.after)).values()) <= {"same"}
        assert sandbox.writes == []
        later.stop()
        engine.stop()


def test_a_write_that_waits_for_its_turn_dies_with_its_engine() -> None:
    """Of two creates, one is sent and one waits its turn when the engine is killed: the second is never sent."""
    engine = FakeEngine()
    with Sandbox() as sandbox:
        slow = {"github-billing:writeIntervalSeconds": "1.5"}
        plugin = Plugin(engine.address, environment(sandbox), slow)
        creates = []
        for sku in ("actions", "packages"):
            urn = urn_of(KIND, sku)
            program = {**BUDGET, "budget_product_sku": sku, "__provider": PROVIDERS[KIND]}
            inputs, _ = plugin.check(urn, {}, program)
            creates.append(threading.Thread(target=attempt, args=(plugin, urn, inputs)))
        for create in creates:
            create.start()
        wait_until(
            lambda: any(line.ephemeral for line in engine.lines), lambda: any(create.is_alive() for create in creates)
        )
        engine.stop()
        assert plugin.wait() == 1
        for create in creates:
            create.join()
        plugin.stop()
        assert [write.method for write in sandbox.writes] == ["POST"]


def attempt(plugin: Plugin, urn: str, inputs: Mapping[str, Any]) -> None:
    try:
        plugin.create(urn, inputs)
    except CallError:
        return
