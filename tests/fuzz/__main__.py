"""Attack the provider at random for some minutes: `python -m tests.fuzz [--seconds N] [--seed N] [--only NAME]`."""

# ruff: noqa: T201 - it speaks to a terminal

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time

from tests.fuzz.attacks import ATTACKS, play

_SHOWN = 8
"""Findings of one attack that are printed."""


def main() -> int:
    """Play rounds until the time is over; 0 means that nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="how long (default 240)")
    parser.add_argument("--seed", type=int, help="play this one round of each attack only")
    parser.add_argument("--only", choices=sorted(ATTACKS), help="this attack only")
    chosen = parser.parse_args()
    names = [chosen.only] if chosen.only else list(ATTACKS)
    first = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"{len(names)} attacks, seeds from {first}; again: python -m tests.fuzz --only NAME --seed SEED", flush=True)
    begun = time.monotonic()
    counts = dict.fromkeys(names, 0)
    failed = dict.fromkeys(names, 0)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        seed, told = first, begun
        while True:
            jobs = [(name, number) for number in range(seed, seed + 8) for name in names]
            jobs = jobs if chosen.seed is None else [(name, first) for name in names]
            for name, number, wrong in pool.imap_unordered(play, jobs):
                counts[name] += 1
                for text in wrong:
                    failed[name] += 1
                    if failed[name] <= _SHOWN:
                        print(f"  WRONG {name}, seed {number}: {text}", flush=True)
            seed += 8
            now = time.monotonic()
            if now - told > 20:
                told = now
                print(
                    f"  {sum(counts.values()):6} rounds, {now - begun:.0f} s, {sum(failed.values())} wrong", flush=True
                )
            if chosen.seed is not None or now - begun > chosen.seconds:
                break
    for name, count in counts.items():
        print(f"  {name:20}{count:7} rounds{failed[name]:7} wrong")
    print(f"seeds {first} to {seed - 1}: {sum(failed.values())} wrong")
    return int(any(failed.values()))


if __name__ == "__main__":
    sys.exit(main())
