"""Measure budgets beside a floor and a naive provider, in one run: `python -m tests.bench --help`."""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time

from tests.bench import measure, processes, report, results, worlds
from tests.engine.drivers import command_line_here, versions

_COUNTS = (10, 100, 1000)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and write the file of the documents after a whole run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--count", type=int, help="one number of budgets, instead of 10, 100 and 1,000")
    parser.add_argument(
        "--cells", default="*", help="patterns, such as 'cli/1000 */table import pace'; by default, all"
    )
    parser.add_argument("--repeat", type=int, default=3, help="repetitions, each with fresh stacks (3)")
    parser.add_argument("--save", action="store_true", help="save a part too: its groups replace those in docs/")
    args = parser.parse_args(arguments)
    if not processes.is_supported():
        sys.exit("The bench needs Linux: it reads the processor time of other processes from /proc.")
    found = run((args.count,) if args.count else _COUNTS, args.cells.split(), args.repeat)
    print("\n".join(report.text(found)))  # noqa: T201 - the result of the tool
    if not args.count and args.cells == "*":
        results.write(found)
    elif args.save:
        results.write(results.merged(results.read(), found))
    return 0


def run(counts: tuple[int, ...], patterns: list[str], repeat: int) -> results.Results:
    """Measure what fits a pattern, with a line for each value on stderr."""
    began = time.monotonic()
    engines: list[worlds.Engine] = ["embedded", "cli"] if command_line_here() else ["embedded"]
    most = max(counts)
    groups = [*map(worlds.budgets, counts), worlds.table(10 * most), worlds.few(5 * most)]
    wanted = [(engine, group) for engine in engines for group in groups if _fits(f"{engine}/{group.name}", patterns)]
    total = sum(len(group.programs) * len(group.steps) * repeat for _, group in wanted)
    told = 0

    def tell(line: str) -> None:
        nonlocal told
        told += 1
        minutes = (time.monotonic() - began) / 60
        print(f"[{told}/{total}, {minutes:.0f} min] {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress

    found = results.Results(machine=measure.machine())
    if "cli" in engines:
        found.machine["cli"] = versions()["cli"]
    if _fits("import", patterns):
        found.imports = measure.imports(3 * repeat)
    if _fits("pace", patterns):
        found.pace = measure.pace(most)
    for engine, group in wanted:
        found.cells += measure.measure(engine, group, repeat, tell)
    return found


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main())
