"""Record all scenarios with the real Pulumi CLI: `python -m tests.engine.record [NAME ...]`."""

from __future__ import annotations

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.engine import budgets
from tests.engine.drivers import CommandLine, play, versions
from tests.engine.scenarios import SCENARIOS, Scenario

GOLDEN = Path(__file__).parent / "golden"
# What the names of recorded scenarios of budgets begin with.
BUDGETS = "budgets_"


def record(name: str) -> None:
    """Run one scenario and write the recording."""
    with tempfile.TemporaryDirectory() as folder:
        if name.startswith(BUDGETS):
            turns = budgets.SCENARIOS[name[len(BUDGETS) :]]
            steps = budgets.play(CommandLine(Path(folder), Scenario([])), turns)
        else:
            steps = play(CommandLine(Path(folder), SCENARIOS[name]), SCENARIOS[name])
    text = json.dumps({"made_with": versions(), "steps": steps}, indent=1, sort_keys=True)
    (GOLDEN / f"{name}.json").write_text(text + "\n")


def main() -> None:
    """Record the scenarios that are named, or all."""
    GOLDEN.mkdir(exist_ok=True)
    names = sys.argv[1:] or [*sorted(SCENARIOS), *(BUDGETS + name for name in budgets.SCENARIOS)]
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, done in [(name, pool.submit(record, name)) for name in names]:
            problem = done.exception()
            print(name, "recorded" if problem is None else f"FAILED: {problem}", flush=True)  # noqa: T201 - a command
            failed += [name] if problem else []
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
