"""Show results: as a table for a terminal, as tables for the documents, and the goals that are met or not."""

from __future__ import annotations

import statistics
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.measure import least_seconds
from tests.bench.results import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.results import Cell, Results

ENGINES = {"embedded": "embedded engine", "cli": "Pulumi CLI"}
KINDS = {"floor": "resources that do nothing", "ours": "budgets", "naive": "one request each"}
COLUMNS = 80
"""The width of a terminal."""
_STEP = 20


class Row(NamedTuple):
    """One step of our program, beside the same step of the floor and of the naive provider, where they were measured.

    Attributes:
        ours: Our cell.
        floor: The floor's.
        naive: The naive provider's.
    """

    ours: Cell
    floor: Cell | None
    naive: Cell | None


def rows(results: Results, engine: str, group: str) -> Iterator[Row]:
    """Return the steps of a group in their order, those without latency first."""
    ours = [cell for cell in results.cells if (cell.engine, cell.group, cell.kind) == (engine, group, "ours")]
    for cell in sorted(ours, key=lambda cell: cell.latency):
        floor, naive = (results.find(engine, group, kind, cell.step, cell.latency) for kind in ("floor", "naive"))
        yield Row(cell, floor, naive)


def ratios(some: list[float], others: list[float]) -> list[float]:
    """Return the ratio of each repetition, because the two values of one were measured close to each other."""
    return [one / other for one, other in zip(some, others, strict=True) if other]


def text(results: Results) -> list[str]:
    """Return the lines of a table for a terminal."""
    lines = []
    for engine in results.engines:
        for group in results.groups(engine):
            found = list(rows(results, engine, group))
            lines += ["", f"{ENGINES[engine]}, {title(found[0].ours)}"]
            lines.append(
                f"{'':{_STEP}}{'cpu s':>7}{'/floor':>11}{'/naive':>7}{'wall s':>7}{'/floor':>7}{'requests':>11}"
                f"{'trips':>10}"
            )
            lines += [_line(row) for row in found]
    lines.append("")
    for goal in goals(results):
        said = f"{'met    ' if goal.is_met else 'NOT MET'} {goal.text}: {goal.shown}"
        lines += textwrap.wrap(said, COLUMNS, subsequent_indent="        ")
    return lines


def title(cell: Cell) -> str:
    """Return what a group is."""
    names = {"table": f"a table of {cell.count:,} rows", "few": f"{cell.count} budgets of an owner that has many"}
    return names.get(cell.group, f"{cell.count:,} budgets")


def _line(row: Row) -> str:
    ours, floor, naive = row
    name = f"{ours.step.replace('preview of a', 'preview').replace('up of a', 'up')}{_delay(ours)}"
    asked = "/".join(str(sum(each.requests.values())) for each in (ours, naive) if each)
    trips = "/".join(str(each.trips) for each in (ours, naive) if each and each.trips)
    return (
        f"{name:{_STEP}}{number(spread(ours.cpu).median):>7}{_ratio('cpu', ours, floor):>11}"
        f"{_ratio('cpu', ours, naive, is_short=True):>7}{number(spread(ours.wall).median):>7}"
        f"{_ratio('wall', ours, floor, is_short=True):>7}{asked:>11}{trips:>10}"
    ).rstrip()


def _delay(cell: Cell) -> str:
    return f" {cell.latency}ms" if cell.latency else ""


def _ratio(figure: str, ours: Cell, other: Cell | None, *, is_short: bool = False) -> str:
    found = ratios(getattr(ours, figure), getattr(other, figure)) if other else []
    if not found:
        return ""
    median, half = spread(found)
    return number(median) if is_short or len(found) == 1 else f"{number(median)} ±{number(half)}"


def number(value: float) -> str:
    """Return a number with about three digits."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


# --- the documents


def step_rows(results: Results, engine: str) -> list[tuple[str, ...]]:
    """Return the rows of the table of one engine."""
    found = list[tuple[str, ...]]()
    for group in results.groups(engine):
        for row in rows(results, engine, group):
            ours, floor, naive = row
            found.append(
                (
                    title(ours),
                    f"{ours.latency} ms",
                    ours.step,
                    number(spread(ours.cpu).median),
                    _ratio("cpu", ours, floor),
                    _ratio("cpu", ours, naive),
                    number(spread(ours.wall).median),
                    _ratio("wall", ours, floor),
                    _ratio("wall", ours, naive),
                    _asked(ours),
                    _asked(naive) if naive else "",
                )
            )
    return found


STEP_HEADER = (
    *("what", "latency", "step", "processor, s", "of the floor", "of one request each"),
    *("wall, s", "of the floor", "of one request each", "requests", "one request each"),
)


def _asked(cell: Cell) -> str:
    asked = ", ".join(f"{count:,} {kind}" for kind, count in cell.requests.items()) or "0"
    return f"{asked} in {cell.trips:,}" if cell.trips else asked


PROCESS_HEADER = ("engine", "step", "whose", "program, s", "plugin, s", "engine, s", "plugin, MB")


def process_rows(results: Results) -> list[tuple[str, ...]]:
    """Return the processor seconds of each process, and the peak memory of the plugin, for most budgets and the table.

    Only without latency: waiting costs no processor time.
    """
    return [
        (
            ENGINES[cell.engine],
            f"{cell.step}, {title(cell)}",
            "empty stack" if (cell.kind, cell.group) == ("floor", "table") else KINDS[cell.kind],
            *(number(value) for value in cell.by_role.values()),
            f"{max(cell.peak):.0f}",
        )
        for cell in results.cells
        if cell.group in {results.largest, "table"} and not cell.latency and cell.step in _EXPLAINED
    ]


_EXPLAINED = {"create", "preview", "refresh"}


ENGINE_HEADER = ("step", "embedded engine", "Pulumi CLI", "ratio")


def engine_rows(results: Results) -> list[tuple[str, ...]]:
    """Return, for the largest group, the wall seconds of each of our steps on both engines, and their ratio."""
    group, found = results.largest, list[tuple[str, ...]]()
    for row in rows(results, "embedded", group):
        ours = row.ours
        other = results.find("cli", group, "ours", ours.step, ours.latency)
        if other and not ours.latency:
            mine, theirs = spread(ours.wall).median, spread(other.wall).median
            found.append((ours.step, f"{number(mine)} s", f"{number(theirs)} s", number(theirs / mine)))
    return found


def machine(results: Results) -> str:
    """Return what is known of the machine, and how often was measured."""
    known = results.machine
    cli = f", Pulumi CLI {known['cli']}" if known.get("cli") else ""
    busy = f" The load before was {known['load']}." if "load" in known else ""
    times = max((len(cell.wall) for cell in results.cells), default=0)
    count = {1: "once", 2: "twice"}.get(times, f"{times} times")
    return (
        f"Measured on {known['date']}, each value {count}: {known['cores']} cores of {known['processor']}, "
        f"{known['memory']}, {known['system']}, Python {known['python']}, Pulumi SDK {known['sdk']}{cli}.{busy}"
    )


# --- the goals


class Goal(NamedTuple):
    """One goal: its text with its limit, what was measured, and whether it is met."""

    text: str
    shown: str
    is_met: bool


GOAL_HEADER = ("goal", "measured", "met")


def goal_rows(results: Results) -> list[tuple[str, ...]]:
    """Return the goals for a table."""
    return [(goal.text, goal.shown, "yes" if goal.is_met else "**no**") for goal in goals(results)]


def goals(results: Results) -> list[Goal]:
    """Return the goals of which all was measured, for each engine."""
    found = []
    for engine in results.engines:
        for name, limit, unit, value in _GOALS:
            measured = value(results, engine)
            if measured is not None:
                what = name.replace("N", f"{int(results.largest or 0):,}").replace("ROWS", _rows_of_table(results))
                text_ = f"{ENGINES[engine]}: {what} at most {limit:g}{unit}"
                shown = f"{measured:g}" if measured == int(measured) else number(measured)
                found.append(Goal(text_, shown, measured <= limit))
    if results.pace:
        ratio = results.pace["seconds"] / least_seconds(int(results.pace["count"]))
        what = f"{results.pace['count']:,.0f} creates on a virtual clock at most 1.02 of the least time, none refused"
        refused = f"{results.pace['refused']:g} refused"
        found.append(Goal(what, f"{ratio:.3f}, {refused}", ratio <= 1.02 and not results.pace["refused"]))
    if results.imports:
        codes = {"package": "import billing_provider", "ours": "from billing_provider import EnterpriseBudget"}
        for imported, code in codes.items():
            # Each pair was measured one right after the other.
            pairs = zip(results.imports[imported], results.imports["pulumi"], strict=True)
            added = statistics.median(ours - bare for ours, bare in pairs) * 1000
            found.append(Goal(f"`{code}` adds at most 60 ms of processor time", f"{added:.0f} ms", added <= 60))
    return found


def _rows_of_table(results: Results) -> str:
    return next((f"{cell.count:,}" for cell in results.cells if cell.group == "table"), "")


def _times(step: str, what: str, group: str = "", latency: int = 0) -> Callable[[Results, str], float | None]:
    """Return the ratio of a step to the floor's: of its `cpu` or of its `wall`."""

    def value(results: Results, engine: str) -> float | None:
        ours, floor = (
            results.find(engine, group or results.largest, kind, step, latency) for kind in ("ours", "floor")
        )
        if ours is None or floor is None:
            return None
        found = ratios(getattr(ours, what), getattr(floor, what))
        return spread(found).median if found else None

    return value


def _figure(
    step: str, figure: Callable[[Cell], float], group: str = "", latency: int = 0
) -> Callable[[Results, str], float | None]:
    """Return a figure of our step."""

    def value(results: Results, engine: str) -> float | None:
        ours = results.find(engine, group or results.largest, "ours", step, latency)
        return None if ours is None else figure(ours)

    return value


def _all_requests(cell: Cell) -> float:
    return sum(cell.requests.values())


def _peak(results: Results, engine: str) -> float | None:
    cells = (cell for cell in results.cells if (cell.engine, cell.group, cell.kind) == (engine, "table", "ours"))
    return max((max(cell.peak) for cell in cells), default=None)


_CPU = "of the floor's processor time"
_GOALS: tuple[tuple[str, float, str, Callable[[Results, str], float | None]], ...] = (
    ("unchanged preview of N,", 1.12, f" {_CPU}", _times("preview", "cpu")),
    ("unchanged preview of N, requests:", 0, "", _figure("preview", _all_requests)),
    ("refresh of N at 150 ms,", 1.25, " of the floor's wall time", _times("refresh", "wall", latency=150)),
    ("refresh of N, requests:", 13, "", _figure("refresh", _all_requests, latency=150)),
    ("refresh of N, round trips:", 3, "", _figure("refresh", lambda cell: cell.trips, latency=150)),
    ("create of N,", 1.15, f" {_CPU}", _times("create", "cpu")),
    ("three budgets of an owner with many, requests to refresh:", 3, "",
     _figure("refresh", _all_requests, "few", 150)),
    ("three budgets of an owner with many, listings to create:", 1, "",
     _figure("create", lambda cell: cell.listings, "few", 150)),
    ("unchanged preview of ROWS rows,", 2.0, " of an empty stack's processor time", _times("preview", "cpu", "table")),
    ("preview of a change of ROWS rows,", 2.5, " of an empty stack's processor time",
     _times("preview of a change", "cpu", "table")),
    ("a changed row of ROWS, writes:", 1, "",
     _figure("up of a change", lambda cell: cell.requests.get("patch", 0) + cell.requests.get("post", 0), "table")),
    ("ROWS rows, peak memory of the plugin", 150, " MB", _peak),
)  # fmt: skip
