"""Fixtures of the tests of the plugin: an engine that calls it, and a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.sandbox import Sandbox
from tests.support.plugin import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """An engine that a plugin can log to."""
    started = FakeEngine()
    yield started
    started.stop()


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """A sandbox with the sample data."""
    with Sandbox() as sandbox:
        yield sandbox
