"""A part of the random attacks, with the same seeds in every run."""

from __future__ import annotations

import pytest

from tests.fuzz.attacks import ATTACKS, play

ROUNDS = {"hostile answers": 12, "addresses": 400, "settings": 100, "ids": 12, "inputs": 60, "states": 30}
"""Rounds by attack; each takes a second or two."""


@pytest.mark.parametrize("name", ATTACKS)
def test_a_random_attack_finds_nothing(name: str) -> None:
    """No raw exception, no request elsewhere, no token and no odd character in a text, no respelling that differs."""
    assert [found for seed in range(ROUNDS.get(name, 30)) for found in play((name, seed))[2]] == []
