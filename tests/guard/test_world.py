"""The engine of the guard tests: its plugin is like the plugin process, and its order of calls is Pulumi's."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pulumi

from billing_provider import provider
from tests.guard.world import RECIPIENTS, Declared, World
from tests.support.plugin import Plugin

if TYPE_CHECKING:
    from tests.guard.world import Github, Program, Run

E = "octo-enterprise"
MONA = {"will_alert": True, RECIPIENTS: ["monalisa"]}
ACTIONS = Declared(
    "EnterpriseBudget",
    {
        "enterprise": E,
        "budget_product_sku": "actions",
        "budget_amount": 500,
        "prevent_further_usage": True,
        "budget_alerting": MONA,
    },
)


def changed(**inputs: Any) -> Declared:
    """Return the budget with other inputs."""
    return replace(ACTIONS, inputs={**ACTIONS.inputs, **inputs})


ORGANIZATION = Declared("OrgBudget", {"organization": "octo-org", "budget_product_sku": "packages", "budget_amount": 7})
CENTER = Declared("CostCenter", {"enterprise": E, "name": "Apps", "users": ["octocat"]})
FORCED = replace(ACTIONS, replace_on_changes=("budget_amount",))
MOVED = changed(budget_scope="organization", budget_entity_name="octo-org")


def whole_story(world: World) -> list[Run]:
    """Run a stack through every kind of run and step."""
    world.add("organization", "octo-org", budget_product_sku="packages", budget_amount=7)
    one: Program = {"c": CENTER, "a": ACTIONS, "o": ORGANIZATION}
    runs = [world.preview(one), world.up(one)]
    unknown = replace(changed(budget_amount=900), unknown=(RECIPIENTS,))
    runs += [world.preview({**one, "a": unknown}), world.up({**one, "a": unknown})]
    runs += [world.refresh(), world.up({"c": CENTER, "a": MOVED}), world.up({"c": CENTER, "a": MOVED}, replace={"a"})]
    runs += [world.up({"b": MOVED}, targets={"b"}), world.up({"b": FORCED})]
    runs += [world.up({"b": replace(FORCED, inputs=changed(budget_amount=600).inputs)})]
    runs += [world.up({"b": changed(budget_amount=-1)}), world.destroy()]
    return runs


def test_the_plugin_in_this_process_is_like_the_process(github: Github) -> None:
    """Words, steps and GitHub are the same with the plugin in this process and with processes of their own."""
    seen = []
    for plugin in (None, Plugin):
        world = World(github, plugin=plugin)
        runs = whole_story(world)
        seen.append([(run.steps, run.words, run.failed, run.effects, run.later) for run in runs])
    assert seen[0] == seen[1]
    assert [run[2] for run in seen[0]] == [False] * 10 + [True, False]


def test_a_run_leaves_this_process_as_it_was(world: World) -> None:
    """Variables, arguments, the length of tracebacks, the SDK's settings and the provider's state are restored."""

    def state() -> tuple[Any, ...]:
        sdk = pulumi.get_project(), pulumi.get_stack()
        return dict(os.environ), list(sys.argv), hasattr(sys, "tracebacklimit"), provider._PROCESS, sdk

    before = state()
    assert world.up({"a": changed(budget_amount=-1)}).failed
    assert not world.up({"a": ACTIONS}).failed
    assert state() == before


def test_the_order_of_calls_is_the_engines(world: World) -> None:
    """Checks, diffs and writes come in the order that the real engine was seen to have."""
    story: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
        ({"a": ACTIONS}, {}, ["Check a", "Create a"]),
        ({"a": ACTIONS}, {}, ["Check a", "Diff a"]),
        ({"a": changed(budget_amount=501)}, {}, ["Check a", "Diff a", "Update a"]),
        ({"a": MOVED}, {}, ["Check a", "Diff a", "Check a", "Create a", "Delete a"]),
        ({"a": MOVED}, {"replace": {"a"}}, ["Check a", "Create a", "Delete a"]),
        ({"a": MOVED, "o": ORGANIZATION}, {"targets": {"o"}}, ["Check o", "Create o"]),
        ({"o": ORGANIZATION}, {"targets": {"o"}}, ["Check o", "Diff o"]),
        ({"o": ORGANIZATION}, {}, ["Check o", "Diff o", "Delete a"]),
    ]
    for program, options, wanted in story:
        run = world.up(program, **options)
        assert not run.failed
        assert run.calls == wanted
    assert [world.refresh().calls, world.destroy().calls] == [["Read o", "Diff o"], ["Delete o"]]
