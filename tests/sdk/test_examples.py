"""Each example program: what it declares under Pulumi's mocks is what the provider and the sandbox then take."""

from __future__ import annotations

import runpy
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.sandbox import Sandbox
from tests.support.clock import TODAY
from tests.support.mocked import run
from tests.support.plugin import Plugin, Stack

if TYPE_CHECKING:
    from tests.support.mocked import Registered

STACKS = Path(__file__).parents[2] / "stacks"
OURS = "pulumi-python:dynamic/github-billing:"

FIXED = {"overrideUntil": "2999-12-31", "today": TODAY}
"""Configuration in place of the machine's date, which the sandbox of the tests does not have."""

FROM_SPEND = -1
"""A cap that follows from last month's spend, which is another one every month."""

CAPS = {
    "quickstart": {"actions": 500, "packages": 100},
    "copilot_guardrails": {"everybody": 40, "platform": 1500, "migration-lead": 200, "hard-stop": 5000},
    "platform_team": {"website-actions": 120, "api-actions": 300, "platform-actions": 470},
    "one_budget_two_clouds": {"builds": 2000},
    "budget_from_usage": {"actions": FROM_SPEND},
}


def example(name: str, **config: str) -> Registered:
    def program() -> None:
        runpy.run_path(str(STACKS / f"{name}.py"))

    return run(program, config={f"p:{key}": value for key, value in {**FIXED, **config}.items()})


def budgets(registered: Registered) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (resource.typ.removeprefix(OURS), resource.name): resource.inputs
        for resource in registered.resources
        if resource.typ.startswith(OURS)
    }


def test_every_example_has_its_figures_here() -> None:
    """No example goes untested."""
    # The budget from usage reads while it runs, and has its own tests.
    assert {path.stem for path in STACKS.glob("*.py")} == {*CAPS, "budget_from_usage"}


MEANING = ("counts from 0", "cap of a person may stop this person at once", "a person's cap does not cover")
"""What a preview says about a new hard stop."""


@pytest.mark.parametrize("name", CAPS)
def test_an_example_comes_about_and_settles(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example declares is created as declared, and a second run changes nothing and asks nothing."""
    stack = Stack()
    with Sandbox() as sandbox:
        env = {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        for variable, value in env.items():
            monkeypatch.setenv(variable, value)
        with Plugin("nobody", env) as plugin:
            assert set(stack.up(plugin, budgets(example(name))).values()) == {"create"}
            live = {budget["id"]: budget["budget_amount"] for budget in sandbox.budgets(None)}
            caps = {entry.name: live[entry.outputs["budget_id"]] for entry in stack.entries}
            again = budgets(example(name))
            sandbox.forget_requests()
            assert set(stack.up(plugin, again).values()) == {"same"}
            assert sandbox.requests == []
            # Alerts reach somebody, scopes fit, names are listed: only the meaning of new hard stops is said.
            assert [line for line in plugin.printed if not any(text in line for text in MEANING)] == []
    assert caps.keys() == CAPS[name].keys()
    assert [cap for cap in caps if CAPS[name][cap] not in (caps[cap], FROM_SPEND)] == []
    assert all(caps.values())


def test_the_override_ends_on_a_day_that_stays() -> None:
    """The override's day is the end of the quarter to come, the same all quarter long, unless configuration says."""
    end = runpy_name("copilot_guardrails", "end_of_next_quarter")
    for first, last, expected in (
        (date(2026, 1, 1), date(2026, 3, 31), date(2026, 6, 30)),
        (date(2026, 4, 1), date(2026, 6, 30), date(2026, 9, 30)),
        (date(2026, 7, 1), date(2026, 9, 30), date(2026, 12, 31)),
        (date(2026, 10, 1), date(2026, 12, 31), date(2027, 3, 31)),
    ):
        assert (end(first), end(last)) == (expected, expected)
    assert all(end(day) - day > timedelta(days=89) for day in (date(2026, 1, 1) + timedelta(n) for n in range(1500)))
    configured = example("copilot_guardrails", overrideUntil="2999-01-31")
    assert configured.named("migration-lead").inputs["expires_at"] == "2999-01-31"


def test_two_clouds_share_one_figure() -> None:
    """The figure of the month is split between AWS and GitHub, whatever it is."""
    registered = example("one_budget_two_clouds", monthlyUsd="1001")
    assert registered.named("cloud").inputs["limitAmount"] == "751"
    assert registered.named("builds").inputs["budget_amount"] == 250


def test_a_team_and_its_repositories_belong_to_one_component() -> None:
    """The component holds team, repositories and budgets, and a budget names the repository that it waits for."""
    registered = example("platform_team")
    kinds = [resource.typ for resource in registered.resources]
    assert kinds.count("github:index/repository:Repository") == 2
    assert kinds.count("examples:index:PlatformTeam") == 1
    assert registered.named("api-actions").inputs["budget_entity_name"] == "octo-org/api"
    assert registered.exports["monthly_cap_usd"] == 470


def runpy_name(name: str, wanted: str) -> Any:
    found: dict[str, Any] = {}

    def program() -> None:
        found.update(runpy.run_path(str(STACKS / f"{name}.py")))

    run(program)
    return found[wanted]
