"""Play the whole fault matrix, the comparison and the long story, and print what they came to."""

# ruff: noqa: T201 - it speaks to a terminal

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from functools import partial

from tests.faults import baseline, matrix
from tests.faults.state_machine import tell

_BATCH = 100


def main() -> int:
    """Play everything; 0 means that nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--workers", type=int, default=max(2, os.cpu_count() or 1), help="processes at once")
    parser.add_argument("--stories", type=int, default=1000, help="random stories of 50 steps (default 1000)")
    parser.add_argument("--only", default="", help="play only the cells whose name holds this text, no stories")
    chosen = parser.parse_args()
    tally = _play_matrix(chosen.workers, chosen.only)
    if chosen.only:
        return int(bool(tally.notes))
    wrong = _compare()
    failed = _tell_stories(chosen.workers, chosen.stories)
    print(f"\n{tally}")
    return int(bool(tally.notes or wrong or failed))


def _play_matrix(workers: int, only: str) -> matrix.Tally:
    table = [cell for cell in matrix.cells() if only in str(cell)]
    print(
        f"The fault matrix: {len(matrix.OPERATIONS)} operations, {len(matrix.FAULTS)} faults, every request: "
        f"{len(table)} cells in {workers} processes",
        flush=True,
    )
    started = time.monotonic()

    def show(done: int) -> None:
        if done % 500 == 0 or done == len(table):
            print(f"  {done:5} of {len(table)} cells, {time.monotonic() - started:.0f} s", flush=True)

    tally = matrix.run(table, workers, show)
    for note in tally.notes[:40]:
        print(f"  WRONG {note}")
    print(str(tally), flush=True)
    return tally


def _compare() -> list[str]:
    print("\nOne create, a fault at its first POSTs: how it ends, budgets left, POSTs sent")
    lines = [("fault", "PyGithub", "octokit", "githubkit", "requests", "ours")]
    wrong = []
    for row in baseline.ROWS:
        ours = baseline.measure(row)
        lines.append((row.fault, *row.others, ours))
        if ours != row.expected:
            wrong.append(f"{row.fault}: {ours} instead of {row.expected}")
    for line in lines:
        print("  " + "".join(f"{text:<{width}}" for text, width in zip(line, (22, 11, 11, 11, 11, 16), strict=True)))
    for text in wrong:
        print(f"  WRONG {text}")
    sys.stdout.flush()
    return wrong


def _tell_stories(workers: int, stories: int) -> int:
    batches = -(-stories // _BATCH)
    print(f"\nRandom stories of 50 steps against a dictionary: {batches * _BATCH} in {workers} processes", flush=True)
    started, failed = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for done, violation in enumerate(pool.imap_unordered(partial(tell, stories=_BATCH), range(batches)), 1):
            if violation:
                failed += 1
                print(f"  WRONG {violation}")
            print(f"  {done * _BATCH:5} stories, {time.monotonic() - started:.0f} s", flush=True)
    print(f"stories {batches * _BATCH}, steps {batches * _BATCH * 50}, violations {failed}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
