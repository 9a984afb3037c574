"""Fixtures of the engine's tests: a project of toy resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.testing.pytest_plugin import (
    billing_sandbox,
    billing_sandbox_strict,
    pulumi_nursery,
    pulumi_stack,
)
from tests.engine.bench import ToyProject

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import ForkServer

__all__ = ["bench", "billing_sandbox", "billing_sandbox_strict", "pulumi_nursery", "pulumi_stack"]


@pytest.fixture
def bench(tmp_path: Path, pulumi_nursery: ForkServer) -> ToyProject:
    """A fresh project of toys and an engine for it."""
    return ToyProject(tmp_path, pulumi_nursery)
