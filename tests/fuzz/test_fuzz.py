"""A part of the random attacks, with the same seeds in every run."""

from __future__ import annotations

import pytest

from tests.fuzz.attacks import ATTACKS, play

ROUNDS = {"hostile answers": 12, "addresses": 400, "settings": 100, "ids": 12, "inputs": 60, "states": 30}
"""Rounds by attack; each takes a second or two."""


@pytest.mark.parametrize("name", ATTACKS)
def test_random_attacks_find_no_defect(name: str) -> None:
    """There is no raw exception, wrong request, token or control character, and no respelling that differs."""
    assert [found for seed in range(ROUNDS.get(name, 30)) for found in play((name, seed))[2]] == []
