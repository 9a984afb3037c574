"""Draw the results as one SVG: it is read in light and dark mode, and names no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from tests.bench.report import ENGINES, KINDS, number, title
from tests.bench.results import spread

if TYPE_CHECKING:
    from tests.bench.results import Cell, Results

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 760, 150, 90, 14, 12
# Each is clear on white and on black.
_COLORS = {"floor": "#8b949e", "ours": "#2f81f7", "naive": "#c9841d"}
_STYLE = """\
text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f; }
.head { font-weight: 600; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }"""


class Panel(NamedTuple):
    """Bars on one scale: the title, the attribute of a cell that is drawn, the latency, and the steps."""

    title: str
    figure: str
    latency: int
    steps: tuple[str, ...]


PANELS = (
    Panel("Processor time in seconds, without latency", "cpu", 0, ("create", "preview", "refresh", "up of a change")),
    Panel("Wall time in seconds, 150 ms to each answer", "wall", 150, ("refresh", "up of a change")),
)
_NAMES = {"preview": "unchanged preview", "up of a change": "one change, up"}


def svg(results: Results) -> str:
    """Return the chart of the largest number of single budgets, on the Pulumi CLI if it was measured."""
    engine = "cli" if "cli" in results.engines else "embedded"
    panels = [(panel, _bars(results, engine, panel)) for panel in PANELS]
    body, said = list[str](), list[str]()
    y = 26
    first = next((cell for _, steps in panels for cells in steps.values() for cell in cells), None)
    what = f"{title(first)} on the {ENGINES[engine]}" if first else "nothing was measured"
    body.append(_text(0, y, what, "head"))
    y += 24
    x = 0
    for kind, name in KINDS.items():
        body += [f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{_COLORS[kind]}"/>', _text(x + 18, y, name)]
        x += 40 + 8 * len(name)
    for panel, steps in panels:
        y += 34
        body.append(_text(0, y, panel.title, "head"))
        said.append(f"{panel.title}:")
        y += 12
        scale = (_WIDTH - _LEFT - _RIGHT) / max(
            (_value(cell, panel) for each in steps.values() for cell in each), default=1
        )
        for step, cells in steps.items():
            name = _NAMES.get(step, step)
            body.append(_text(0, y + (len(cells) * _BAR) // 2 + 5, name))
            for cell in cells:
                value = _value(cell, panel)
                width = max(value * scale, 1)
                body.append(
                    f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" fill="{_COLORS[cell.kind]}"/>'
                )
                body.append(_text(_LEFT + width + 6, y + 11, number(value)))
                y += _BAR
            listed = ", ".join(f"{KINDS[cell.kind]} {number(_value(cell, panel))}" for cell in cells)
            said.append(f"{name}: {listed}.")
            y += _GAP
    heading = f"Cost of {what}, beside {KINDS['floor']} and {KINDS['naive']}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}"',
            'role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(heading)}</title>',
            f'<desc id="desc">{escape(" ".join(said))}</desc>',
            f"<style>\n{_STYLE}\n</style>",
            *body,
            "</svg>\n",
        ]
    )


def _bars(results: Results, engine: str, panel: Panel) -> dict[str, list[Cell]]:
    """Return the cells of each step, in the order of the legend."""
    found = {
        step: [results.find(engine, results.largest, kind, step, panel.latency) for kind in KINDS]
        for step in panel.steps
    }
    return {step: [cell for cell in cells if cell] for step, cells in found.items() if any(cells)}


def _value(cell: Cell, panel: Panel) -> float:
    return spread(getattr(cell, panel.figure)).median


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y}"{named}>{escape(words)}</text>'
