"""Play random stories and judge every run: `CASES=20000 python -m tests.guard [--seed N] [--first N]`."""

# ruff: noqa: T201 - it speaks to a terminal

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter

os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from tests.guard import stories
from tests.guard.work import BATCH, batch, show
from tests.guard.world import Github

_TELL_SECONDS = 20.0


def _replay(seed: int) -> int:
    """Play the story of a seed, tell everything, and return whether something is wrong."""
    with Github() as github:
        story = stories.story_of(seed)
        print(stories.tell(story))
        found, runs = stories.play(github, story)
    for run in runs:
        print(f"{run.verb} {run.steps}{' FAILED' if run.failed else ''}{' faulty' if run.faulty else ''}")
        for word in run.words:
            print(f"    {word.sort} {word.urn.rpartition('::')[2]}: {word.text}")
        for effect in run.effects:
            print(f"    {effect.call} {effect.urn.rpartition('::')[2]} {effect.before} -> {effect.after}")
    for finding in found:
        print(f"WRONG {finding.kind}: {finding.text}")
    return int(bool(found))


def main() -> int:
    """Play `CASES` stories; 0 means that nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.guard", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this story only, and tell everything")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--quick", action="store_true", help="do not shrink the examples")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return _replay(chosen.seed)
    cases = int(os.environ.get("CASES", "20000"))
    begun = told = time.monotonic()
    runs, counts, first_seeds, texts = 0, Counter[str](), dict[str, int](), dict[str, str]()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        batches = range(chosen.first, chosen.first + cases, BATCH)
        for number, (some, found) in enumerate(pool.imap_unordered(batch, batches), 1):
            runs += some
            for seed, kind, text in found:
                counts[kind] += 1
                if kind not in texts or len(text) < len(texts[kind]):
                    first_seeds[kind], texts[kind] = seed, text
            now = time.monotonic()
            if now - told > _TELL_SECONDS:
                told = now
                print(
                    f"  {number * BATCH:6} stories, {runs} runs, {now - begun:.0f} s, {counts.total()} findings",
                    flush=True,
                )
        print(f"{cases} stories, {runs} runs, {time.monotonic() - begun:.0f} s, {counts.total()} findings")
        kinds = [kind for kind, _ in counts.most_common()]
        shown = (
            [texts[kind] for kind in kinds]
            if chosen.quick
            else pool.starmap(show, [(first_seeds[kind], kind) for kind in kinds], chunksize=1)
        )
    for kind, example in zip(kinds, shown, strict=True):
        print(f"\n{counts[kind]:6} {kind} (--seed {first_seeds[kind]})\n{example}")
    return int(bool(counts))


if __name__ == "__main__":
    sys.exit(main())
