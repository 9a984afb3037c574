"""What one worker of the long run does: play some stories, or shrink one."""

from __future__ import annotations

from tests.guard import stories
from tests.guard.world import Github

BATCH = 20
"""The stories that a worker plays before it reports."""


def batch(first: int) -> tuple[int, list[tuple[int, str, str]]]:
    """Play the stories of some seeds and return the number of runs, and seed, kind and text of each finding."""
    runs, found = 0, []
    with Github() as github:
        for seed in range(first, first + BATCH):
            try:
                seen, played = stories.play(github, stories.story_of(seed))
            except Exception as error:  # noqa: BLE001 - a story that cannot be played is a finding too
                found.append((seed, f"crash: {type(error).__name__}", str(error)))
                continue
            runs += len(played)
            found += [(seed, finding.kind, finding.text) for finding in seen]
    return runs, found


def show(seed: int, kind: str) -> str:
    """Return the smallest story with a finding of a kind that the story of a seed shrinks to."""
    with Github() as github:
        try:
            story, finding = stories.shrink(github, stories.story_of(seed), kind)
        except Exception as error:  # noqa: BLE001 - as above
            return f"cannot be shrunk: {error}"
    return f"{stories.tell(story)}\n  => {finding.text}"
