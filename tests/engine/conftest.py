"""Fixtures of the engine's tests: a project of toy resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.testing.pytest_plugin import (
    billing_sandbox,
    billing_sandbox_strict,
    pulumi_stack,
)
from tests.engine.bench import ToyProject
from tests.engine.budgets import against
from tests.engine.drivers import CommandLine, Embedded, command_line_here
from tests.engine.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from billing_provider.engine import ForkServer
    from billing_provider.sandbox import Sandbox

__all__ = ["bench", "billing_sandbox", "billing_sandbox_strict", "pulumi_stack"]


@pytest.fixture
def bench(tmp_path: Path, pulumi_fork_server: ForkServer) -> ToyProject:
    """A fresh project of toys and an engine for it."""
    return ToyProject(tmp_path, pulumi_fork_server)


@pytest.fixture(
    params=[
        "embedded",
        pytest.param(
            "command line",
            marks=[pytest.mark.cli, pytest.mark.skipif(not command_line_here(), reason="no pulumi on PATH")],
        ),
    ]
)
def driver(request: pytest.FixtureRequest, tmp_path: Path, pulumi_fork_server: ForkServer) -> Embedded | CommandLine:
    """A project on the embedded engine, and on the Pulumi CLI if it is installed."""
    scenario = Scenario([])
    return (
        Embedded(tmp_path, scenario, pulumi_fork_server)
        if request.param == "embedded"
        else CommandLine(tmp_path, scenario)
    )


@pytest.fixture
def sandbox(driver: Embedded | CommandLine) -> Iterator[Sandbox]:
    """A fresh sandbox for the driver's programs."""
    with against(driver) as sandbox:
        yield sandbox
