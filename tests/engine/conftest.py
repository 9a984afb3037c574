"""A project of toys in a folder of its own, for every test of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.testing.pytest_plugin import billing_sandbox, pulumi_nursery, pulumi_stack
from tests.engine.bench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import ForkServer

__all__ = ["bench", "billing_sandbox", "pulumi_nursery", "pulumi_stack"]


@pytest.fixture
def bench(tmp_path: Path, pulumi_nursery: ForkServer) -> Workbench:
    """A fresh project of toys and an engine for it."""
    return Workbench(tmp_path, pulumi_nursery)
