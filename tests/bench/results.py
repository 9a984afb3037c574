"""What was measured: cells with one value for each repetition, the two figures beside them, and their file."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.processes import ROLES

FILE = Path(__file__).parents[2] / "docs" / "bench.json"
"""The results that the documents show."""


class Spread(NamedTuple):
    """The median of some values, and half the distance between the least and the greatest."""

    median: float
    half: float


def spread(values: list[float]) -> Spread:
    """Return the median and the spread of values."""
    return Spread(statistics.median(values), (max(values) - min(values)) / 2)


@dataclass
class Cell:
    """One step of one program on one engine.

    Attributes:
        engine: `embedded` or `cli`.
        group: What is measured side by side: a number of budgets, `table` or `few`.
        kind: `ours`, `floor` or `naive`.
        step: The name of the step.
        latency: Milliseconds from a request to its answer.
        count: The number of budgets or rows.
        wall: Wall seconds of each repetition.
        program: Processor seconds of the program.
        plugin: Processor seconds of the plugin.
        engine_cpu: Processor seconds of the engine.
        peak: Peak memory of the plugin, in MB.
        requests: The number of requests of each kind, in the last repetition.
        listings: How many listings began.
        trips: The longest chain of requests that waited for each other; 0 without latency, which does not tell it.
    """

    engine: str
    group: str
    kind: str
    step: str
    latency: int
    count: int
    wall: list[float] = field(default_factory=list)
    program: list[float] = field(default_factory=list)
    plugin: list[float] = field(default_factory=list)
    engine_cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    listings: int = 0
    trips: int = 0

    @property
    def cpu(self) -> list[float]:
        """Processor seconds of all processes."""
        return [sum(each) for each in zip(self.program, self.plugin, self.engine_cpu, strict=True)]

    @property
    def by_role(self) -> dict[str, float]:
        """The median processor seconds of each process."""
        values = (self.program, self.plugin, self.engine_cpu)
        return {role: statistics.median(each) for role, each in zip(ROLES, values, strict=True)}


@dataclass
class Results:
    """One run of the bench.

    Attributes:
        machine: Processor, cores, system, versions and date.
        cells: The cells.
        imports: Processor seconds of Python with `import pulumi`, with this package after it, and with a resource.
        pace: Creates on a virtual clock: their number, the seconds that they took, and how many were refused.
    """

    machine: dict[str, str] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    imports: dict[str, list[float]] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)

    def find(self, engine: str, group: str, kind: str, step: str, latency: int) -> Cell | None:
        """Return a cell, if it was measured."""
        wanted = (engine, group, kind, step, latency)
        found = (each for each in self.cells if _key(each) == wanted)
        return next(found, None)

    def groups(self, engine: str) -> list[str]:
        """Return the groups of an engine, in the order in which they were measured."""
        return list(dict.fromkeys(cell.group for cell in self.cells if cell.engine == engine))

    @property
    def largest(self) -> str:
        """The group with most single budgets; empty if none was measured."""
        return max((cell.group for cell in self.cells if cell.group.isdecimal()), key=int, default="")

    @property
    def engines(self) -> list[str]:
        """The engines, the embedded one first."""
        return sorted({cell.engine for cell in self.cells}, reverse=True)


def _key(cell: Cell) -> tuple[str, str, str, str, int]:
    return cell.engine, cell.group, cell.kind, cell.step, cell.latency


def merged(old: Results, new: Results) -> Results:
    """Return results in which each group that is in the new ones replaces the old one, so that no ratio is of two."""
    again = {(cell.engine, cell.group) for cell in new.cells}
    kept = [cell for cell in old.cells if (cell.engine, cell.group) not in again]
    cells = sorted([*kept, *new.cells], key=lambda cell: (cell.engine != "embedded", not cell.group.isdecimal()))
    return Results(new.machine, cells, new.imports or old.imports, new.pace or old.pace)


def read(file: Path = FILE) -> Results:
    """Return the results of a file; none if there is no file."""
    if not file.exists():
        return Results()
    found: dict[str, Any] = json.loads(file.read_text())
    return Results(**{**found, "cells": [Cell(**cell) for cell in found["cells"]]})


def write(results: Results, file: Path = FILE) -> None:
    """Write a file, with one line for each cell, so that a difference can be read."""
    parts = [f"{json.dumps(entry.name)}: {_text(getattr(results, entry.name))}" for entry in fields(results)]
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(asdict(cell)) for cell in value) + "\n]"
    return json.dumps(value)
