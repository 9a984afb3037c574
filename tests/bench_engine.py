"""Measure the embedded engine beside the command line in one run: `python -m tests.bench_engine [COUNT]`.

Both run the same program of toys on the same machine, one after the other; what counts is the ratio. State is saved
at every step on both.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.drivers import CommandLine, Embedded, command_line_here
from tests.engine.scenarios import Do, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
for n in range(COUNT):
    Toy(f"t{n}", amount=n, alerting={"will_alert": True, "alert_recipients": ["a", "b"]}, tags=["x", "y"])
"""
STEPS = ("up", "up", "preview", "refresh", "destroy")
NAMES = ("up (create)", "up (no change)", "preview (no change)", "refresh", "destroy")


def measure(driver: Embedded | CommandLine, count: int) -> list[float]:
    """Return the wall seconds of each step."""
    driver.bench.program(PROGRAM.replace("COUNT", str(count)))
    found = []
    for verb in STEPS:
        began = time.perf_counter()
        outcome = driver.run(Do(verb))  # type: ignore[arg-type]
        found.append(time.perf_counter() - began)
        assert outcome.ok, outcome.said
    return found


def main(print_line: Callable[[str], None] = print) -> None:
    """Measure and print one line for each step."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    nothing = Scenario([])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "embedded").mkdir()
        (Path(folder) / "real").mkdir()
        mine = measure(Embedded(Path(folder) / "embedded", nothing), count)
        real = measure(CommandLine(Path(folder) / "real", nothing), count) if command_line_here() else None
    print_line(f"{count} resources; wall seconds, one run each")
    for at, name in enumerate(NAMES):
        ratio = f"{real[at]:8.2f} command line {real[at] / mine[at]:6.1f} x" if real else ""
        print_line(f"{name:20}{mine[at]:8.2f} embedded {ratio}")


if __name__ == "__main__":
    main()
