"""Measure the embedded engine beside the command line in one run: `python -m tests.bench_engine [COUNT]`.

Both run the same program of budgets, each against a fresh sandbox, one after the other; what counts is the ratio. State
is saved at every step on both.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.budgets import against
from tests.engine.drivers import CommandLine, Embedded, command_line_here
from tests.engine.scenarios import Do, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """
from billing_provider import EnterpriseBudget
for n in range(COUNT):
    EnterpriseBudget(
        f"b{n}", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=n + AMOUNT,
        budget_scope="repository", budget_entity_name=f"octo-org/r{n}",
        budget_alerting={"will_alert": True, "alert_recipients": ["octocat", "monalisa"]},
    )
"""
STEPS = {
    "up (create)": Do("up"),
    "up (no change)": Do("up"),
    "preview (no change)": Do("preview"),
    "refresh": Do("refresh"),
    "up (all change)": Do("up"),
    "destroy": Do("destroy"),
}


def measure(driver: Embedded | CommandLine, count: int) -> list[float]:
    """Return the wall seconds of each step."""
    found = []
    with against(driver) as sandbox:
        for name, step in STEPS.items():
            amount = "2" if "all" in name else "1"
            driver.bench.program(PROGRAM.replace("COUNT", str(count)).replace("AMOUNT", amount))
            began = time.perf_counter()
            outcome = driver.run(step)
            found.append(time.perf_counter() - began)
            assert outcome.code == 0, outcome.said
            assert len(sandbox.budgets()) == (0 if step.verb == "destroy" else count)
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
    print_line(f"{count} budgets; wall seconds, one run each")
    for at, name in enumerate(STEPS):
        ratio = f"{real[at]:8.2f} command line {real[at] / mine[at]:6.1f} x" if real else ""
        print_line(f"{name:20}{mine[at]:8.2f} embedded {ratio}")


if __name__ == "__main__":
    main()
