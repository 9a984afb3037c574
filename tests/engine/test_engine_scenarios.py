"""Compare the embedded engine with the real Pulumi CLI, or with recordings of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import budgets
from tests.engine.drivers import CommandLine, Embedded, chosen, command_line_here, play
from tests.engine.record import BUDGETS, GOLDEN
from tests.engine.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import ForkServer


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the recording of a scenario."""
    steps: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text())["steps"]
    return steps


@pytest.mark.parametrize("name", SCENARIOS)
def test_engine_matches_the_command_line(tmp_path: Path, pulumi_fork_server: ForkServer, name: str) -> None:
    """Each step of a scenario ends as with the Pulumi CLI: exit code, calls, counts, existing resources, and state."""
    scenario = SCENARIOS[name]
    for mine, real in zip(
        play(Embedded(tmp_path, scenario, pulumi_fork_server), scenario), recorded(name), strict=True
    ):
        assert mine == real


@pytest.mark.parametrize("name", budgets.SCENARIOS)
def test_budgets_match_the_command_line(tmp_path: Path, pulumi_fork_server: ForkServer, name: str) -> None:
    """With budgets, requests, exit code, counts and state are the same at each step."""
    played = budgets.play(Embedded(tmp_path, Scenario([]), pulumi_fork_server), budgets.SCENARIOS[name])
    for mine, real in zip(played, recorded(BUDGETS + name), strict=True):
        assert mine == real


@pytest.mark.cli
@pytest.mark.skipif(not command_line_here(), reason="no pulumi on PATH")
@pytest.mark.parametrize("name", chosen(list(SCENARIOS), "failed_create", "replace_create_first"))
def test_recording_matches_the_command_line(tmp_path: Path, name: str) -> None:
    """The installed Pulumi CLI matches the recording; `python -m tests.engine.record` records again."""
    assert play(CommandLine(tmp_path, SCENARIOS[name]), SCENARIOS[name]) == recorded(name)


@pytest.mark.cli
@pytest.mark.skipif(not command_line_here(), reason="no pulumi on PATH")
@pytest.mark.parametrize("name", chosen(list(budgets.SCENARIOS), "replaced_by_another_scope"))
def test_recording_of_budgets_matches_the_command_line(tmp_path: Path, name: str) -> None:
    """The installed Pulumi CLI sends the recorded requests."""
    assert budgets.play(CommandLine(tmp_path, Scenario([])), budgets.SCENARIOS[name]) == recorded(BUDGETS + name)
