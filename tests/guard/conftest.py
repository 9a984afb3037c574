"""One sandbox for all worlds of these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guard.world import Github, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def github() -> Iterator[Github]:
    """A sandbox that serves one world after another."""
    with Github() as started:
        yield started


@pytest.fixture
def world(github: Github) -> World:
    """A new stack on the sample data."""
    return World(github)
