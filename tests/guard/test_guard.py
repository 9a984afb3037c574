"""Random stories of a stack, judged by GitHub before and after each run and by the words of the runs."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.guard.stories import play, story_of, tell

if TYPE_CHECKING:
    from tests.guard.world import Github

_EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
_PARTS = 4
# The default run uses the same stories on every machine.
_FIRST = random.SystemRandom().randrange(10**9) if "EXAMPLES" in os.environ else 0


@pytest.mark.parametrize("part", range(_PARTS))
def test_no_change_is_silent_false_or_past_a_limit(github: Github, part: int) -> None:
    """No cap goes or rises without its word, no word is false, no limit is passed, and nothing made by hand goes."""
    first = _FIRST + part * _EXAMPLES * 2
    for seed in range(first, first + _EXAMPLES * 2):
        story = story_of(seed)
        found, _ = play(github, story)
        told = "\n".join(f"{finding.kind}: {finding.text}" for finding in found)
        assert not found, f"python -m tests.guard --seed {seed}\n{tell(story)}\n{told}"
