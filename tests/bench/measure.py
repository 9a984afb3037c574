"""Measure: every cell of the groups, the import of the package, and the pace of creates."""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import Sandbox
from tests.bench import processes, traffic
from tests.bench.results import Cell
from tests.bench.worlds import world
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.worlds import Engine, Group, Kind, Step, World

# Virtual time leaps while a request of another thread is on its way, which is no slow answer.
_PATIENT: dict[str, Any] = {"request_timeout_seconds": 1e6, "max_wait_seconds": 86_400.0}
_PUBLISHED: dict[str, Any] = {"write_interval_seconds": 1.0, "writes_per_minute": 80, "writes_per_hour": 500}
_THREADS = 4


def measure(engine: Engine, group: Group, repeat: int, tell: Callable[[str], None]) -> list[Cell]:
    """Return the cells of one group on one engine; at each step, all programs run one after the other.

    Args:
        engine: The engine.
        group: The programs and their steps.
        repeat: How often; each time with fresh stacks.
        tell: Called with one line for each measured value.
    """
    cells = {
        (step, kind): Cell(engine, group.name, kind, step.name, step.latency, group.count)
        for step in group.steps
        for kind in group.programs
    }
    for turn in range(repeat):
        with ExitStack() as stack:
            worlds: dict[Kind, World] = {}
            for kind in group.programs:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                worlds[kind] = stack.enter_context(world(engine, folder, group.others))
            for at, step in enumerate(group.steps):
                # Another one is the first each time, so that a machine that gets busier spares none of them.
                order = list(group.programs)
                shift = (turn + at) % len(order)
                for kind in order[shift:] + order[:shift]:
                    cell = cells[step, kind]
                    _add(cell, step, *worlds[kind].run(step, group.programs[kind], group.count))
                    tell(f"{turn + 1}/{repeat} {_line(cell)}")
    return list(cells.values())


def _add(cell: Cell, step: Step, used: processes.Usage, answered: list[traffic.Answered]) -> None:
    cell.wall.append(round(used.wall, 3))
    for values, role in zip((cell.program, cell.plugin, cell.engine_cpu), processes.ROLES, strict=True):
        values.append(used.cpu[role])
    cell.peak.append(used.peak["plugin"])
    cell.requests, cell.listings = traffic.kinds(answered), traffic.listings(answered)
    cell.trips = traffic.round_trips(answered) if step.latency else 0


def _line(cell: Cell) -> str:
    asked = ", ".join(f"{number} {kind}" for kind, number in cell.requests.items()) or "no request"
    trips = f" in {cell.trips} round trips" if cell.trips else ""
    return (
        f"{cell.engine} {cell.group} {cell.kind}, {cell.step}, {cell.latency} ms: wall {cell.wall[-1]:.2f} s, "
        f"processor {cell.cpu[-1]:.2f} s (program {cell.program[-1]:.2f}, plugin {cell.plugin[-1]:.2f}, "
        f"engine {cell.engine_cpu[-1]:.2f}), plugin {cell.peak[-1]:.0f} MB, {asked}{trips}"
    )


def imports(repeat: int) -> dict[str, list[float]]:
    """Return the processor seconds of a Python that imports Pulumi, then this package, then a resource of it."""
    codes = {
        "pulumi": "import pulumi",
        "package": "import pulumi\nimport billing_provider",
        "ours": "import pulumi\nfrom billing_provider import EnterpriseBudget",
    }
    found: dict[str, list[float]] = {name: [] for name in codes}
    # The first of each is not counted: it may have to compile.
    for turn in range(repeat + 1):
        for name, code in codes.items():
            before = _children()
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            if turn:
                found[name].append(round(_children() - before, 3))
    return found


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pace(count: int) -> dict[str, float]:
    """Create budgets on a virtual clock, in GitHub's published limits; return number, seconds and refusals."""
    clock = VirtualClock()
    with Sandbox(clock=clock.wall, quirks=("enforce_limits=1000000",), create_unknown=lambda _: None) as sandbox:
        lifecycle = open_harness(sandbox, clock, **_PUBLISHED, **_PATIENT).enterprise

        def create(number: int) -> None:
            inputs = {"enterprise": "octo-enterprise", "budget_product_sku": "ai_credits", "budget_amount": 20}
            inputs |= {"budget_scope": "user", "user": f"person-{number}"}
            name = f"b{number}"
            lifecycle.create(name, lifecycle.check(name, {}, inputs, frozenset()).inputs)

        # As many as a plugin has.
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(create, range(count)))
        writes = sandbox.writes
        assert len(sandbox.budgets()) == count
    took = writes[-1].at - writes[0].at
    return {"count": count, "seconds": round(took, 1), "refused": sum(write.status != 200 for write in writes)}


def least_seconds(count: int) -> float:
    """Return the least time from the first to the last of so many writes that GitHub's published limits allow."""
    at: list[float] = []
    for number in range(count):
        bounds = [0.0]
        for span, most in ((_PUBLISHED["write_interval_seconds"], 1), (60, 80), (3600, 500)):
            if number >= most:
                bounds.append(at[number - most] + span)
        at.append(max(bounds))
    return at[-1] if at else 0.0


def machine() -> dict[str, str]:
    """Return what kind of machine this is, with the versions and the date; no name and no path of it."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", info.read_text() if info.exists() else "", re.MULTILINE)
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model[1].strip() if model else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{gigabytes:.0f} GB",
        "system": platform.system(),
        # Above the number of cores, wall time says little.
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "sdk": metadata.version("pulumi"),
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
    }
