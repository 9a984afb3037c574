"""Terminal output of a run: steps in the Pulumi CLI's words, differences by property, a summary."""

from __future__ import annotations

import difflib
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from billing_provider.engine import paths, urns, wire
from billing_provider.engine.events import Diagnostic, Status, Step, StepEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from billing_provider.engine.engine import Result, Verb
    from billing_provider.engine.events import Event, Op
    from billing_provider.engine.state import Resource

    Explain = Callable[[Step], str]

TITLES = {"preview": "Previewing update", "up": "Updating", "refresh": "Refreshing", "destroy": "Destroying"}

# The sign, and the words in a preview, while running, when done.
_OPS: dict[Op, tuple[str, str, str, str]] = {
    "create": ("+ ", "create", "creating", "created"),
    "update": ("~ ", "update", "updating", "updated"),
    "delete": ("- ", "delete", "deleting", "deleted"),
    "replace": ("+-", "replace", "replacing", "replaced"),
    "create-replacement": ("++", "create replacement", "creating replacement", "created replacement"),
    "delete-replaced": ("--", "delete original", "deleting original", "deleted original"),
    "read": ("> ", "read", "reading", "read"),
    "discard": ("< ", "discard", "discarding", "discarded"),
    "refresh": ("~ ", "refresh", "refreshing", "refreshed"),
}
_KINDS = {"add": "+", "delete": "-", "update": "~"}
# These steps have no differences of their own; the related create or update step shows them.
_WITHOUT_DETAIL: tuple[Op, ...] = ("replace", "read")
_REMOVALS: tuple[Op, ...] = ("delete", "delete-replaced", "discard")
_INDENT = 6


class Display:
    """Prints events line by line, and a summary at the end."""

    def __init__(
        self,
        verb: Verb,
        stack: str,
        write: Callable[[str], None],
        *,
        diff: bool = False,
        explain: Explain = lambda _: "",
    ) -> None:
        """Print the title.

        Args:
            verb: What is run.
            stack: The stack's name.
            write: Called with each line.
            diff: Print every property of what is created or deleted; without it, only a preview does, for new ones.
            explain: Returns what a step means, printed before it acts; empty for nothing.
        """
        self._verb = verb
        self._write = write
        self._diff = diff
        self._explain = explain
        write(f"{TITLES[verb]} ({stack}):")
        write("")

    def __call__(self, event: Event) -> None:
        """Print a step or a status; diagnostics are printed at the end."""
        if isinstance(event, StepEvent):
            self._step(event)
        elif isinstance(event, Status):
            self._write(f"    {_label(event.urn)}{event.message}")

    def _step(self, event: StepEvent) -> None:
        step = event.step
        hidden = step.op == "same" or urns.is_default_provider(step.urn)
        preview = self._verb == "preview"
        # A preview and a refresh print only the result of a step.
        first = "done" if preview or self._verb == "refresh" else "start"
        if hidden or (event.phase == "start" and first == "done"):
            return
        sign, planned, running, done = _OPS[step.op]
        phases = {"start": f"{running} (0s)", "done": f"{done} ({event.seconds:.2f}s)"}
        said = planned if preview else phases.get(event.phase, f"**{running} failed**")
        explained = self._explain(step) if event.phase == first else ""
        simulated = " (simulated)" if step.simulated else ""
        marks = f"{_changed_keys(step)}{simulated}{explained and f': {explained}'}"
        self._write(f" {sign} {_label(step.urn)}{said}{marks}")
        if event.phase == "done":
            for line in details(step, created=preview or self._diff, removed=self._diff):
                self._write(line)

    def finish(self, result: Result, seconds: float) -> None:
        """Print diagnostics, outputs, counts and the duration."""
        for line in [
            *_diagnostics(result.diagnostics),
            *_outputs(result),
            *_summary(result, preview=self._verb == "preview"),
        ]:
            self._write(line)
        self._write(f"Duration: {seconds:.1f}s")


def _label(urn: str) -> str:
    return f"{urns.type_of(urn)} {urns.name_of(urn)} " if urn else ""


def _changed_keys(step: Step) -> str:
    """Return the top-level properties that differ, as `[diff: +new-gone~changed]`."""
    found: dict[str, set[str]] = {"+": set(), "-": set(), "~": set()}
    for difference in step.differences:
        key = str(difference.path[0])
        if not key.startswith("__"):
            found[_KINDS[difference.kind] if len(difference.path) == 1 else "~"].add(key)
    shown = "".join(f"{sign}{','.join(sorted(keys))}" for sign, keys in found.items() if keys)
    return f" [diff: {shown}]" if shown else ""


def details(step: Step, *, created: bool, removed: bool) -> list[str]:
    """Return a line for each value that a step changes.

    Args:
        step: The step.
        created: List the properties of a new resource as well.
        removed: List the properties of a resource that is deleted as well.
    """
    if step.op in _WITHOUT_DETAIL:
        return []
    if step.op in _REMOVALS:
        found: Iterable[paths.Difference] = paths.differences(_values(step.before), {}) if removed else ()
    elif step.op == "create" and created:
        found = paths.differences({}, step.after.inputs)
    else:
        found = step.differences
    replacing = step.op == "create-replacement"
    return [
        line
        for difference in found
        if _shown(difference)
        for line in _detail(difference, replacing and str(difference.path[0]) in step.keys)
    ]


def _shown(difference: paths.Difference) -> bool:
    return not str(difference.path[0]).startswith("__")


def _detail(difference: paths.Difference, replaces: bool) -> Iterator[str]:
    """Yield the lines of a difference: of texts with several lines, those that differ."""
    old, new = ("[secret]" if difference.secret else wire.render(value) for value in (difference.old, difference.new))
    lines = [] if difference.secret else list(_lines(difference.old, difference.new))
    changes = "" if lines else f"{old} => {new}"
    values = {"add": new, "delete": old, "update": changes}[difference.kind]
    because = " (replaces)" if replaces else ""
    written = f"{' ' * _INDENT}{_KINDS[difference.kind]} {write_path(difference.path)}: {values}{because}"
    yield written.rstrip()
    yield from (f"{' ' * _INDENT}    {line}" for line in lines)


def _lines(old: Any, new: Any) -> Iterator[str]:
    """Yield the lines that differ in two texts, with `-` and `+`."""
    if isinstance(old, str) and isinstance(new, str) and "\n" in f"{old}{new}":
        # Two lines of a header come first, and a line with `@@` before each part.
        found = islice(difflib.unified_diff(old.split("\n"), new.split("\n"), n=0, lineterm=""), 2, None)
        for line in (line for line in found if not line.startswith("@@")):
            yield f"{line[0]} {line[1:] if line.isprintable() else wire.render(line[1:])}"


def write_path(path: paths.Path) -> str:
    """Return a path as text."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r'[^.\[\]"]+', part):
            text += f".{part}" if text else part
        else:
            escaped = re.sub(r'(["\\])', r"\\\1", part)
            text += f'["{escaped}"]'
    return text


def _diagnostics(diagnostics: list[Diagnostic]) -> list[str]:
    """Return the diagnostics by resource, without tracebacks."""
    by_urn: dict[str, list[str]] = {}
    for said in diagnostics:
        prefix = "" if said.severity == "info" else f"{said.severity}: "
        by_urn.setdefault(said.urn, []).extend(f"{prefix}{said.message}".splitlines())
    if not by_urn:
        return []
    lines = ["Diagnostics:"]
    for urn, said_there in by_urn.items():
        lines += [f"  {urns.type_of(urn)} ({urns.name_of(urn)}):" if urn else "  run:"]
        lines += [f"    {line}" for line in said_there] + [""]
    return lines


def _outputs(result: Result) -> list[str]:
    """Return the stack's outputs, each marked as added, changed, deleted or unchanged."""
    old, new = result.old_outputs, result.raw_outputs
    lines = []
    for key in sorted(old.keys() | new.keys()):
        before, after = (wire.render(side.get(key)) for side in (old, new))
        if key not in new:
            lines.append(f"  - {key}: {before}")
        elif key not in old:
            lines.append(f"  {'+' if old else ' '} {key}: {after}")
        elif wire.unwrap(old[key]) != wire.unwrap(new[key]):
            lines.append(f"  ~ {key}: {before} => {after}")
        else:
            lines.append(f"    {key}: {after}")
    return ["Outputs:", *lines, ""] if lines and result.verb != "destroy" else []


def _summary(result: Result, *, preview: bool) -> list[str]:
    changes = {op: count for op, count in result.counts.items() if op != "same"}
    lines = ["Resources:"]
    for op, count in changes.items():
        sign, planned, _, done = _OPS[op]
        lines.append(f"    {sign}{count} {f'to {planned}' if preview else done}")
    if unchanged := result.counts.get("same"):
        lines.append(f"    {f'{sum(changes.values())} changes. ' if changes else ''}{unchanged} unchanged")
    return [*lines, ""]


def as_json(result: Result, stack: str, seconds: float, explain: Explain = lambda _: "") -> str:
    """Return a run as one JSON document, without the values of secrets.

    Args:
        result: The result of the run.
        stack: The stack's name.
        seconds: The duration of the run.
        explain: Returns what a step means; empty for nothing.
    """
    return json.dumps(
        {
            "verb": result.verb,
            "stack": stack,
            "ok": result.ok,
            "counts": result.counts,
            "steps": [_step_as_json(step, explain) for step in result.steps if not urns.is_default_provider(step.urn)],
            "outputs": {
                key: "[secret]" if wire.has_secret(result.raw_outputs[key]) else value
                for key, value in result.outputs.items()
            },
            "diagnostics": [
                {"severity": said.severity, "urn": said.urn, "message": said.message} for said in result.diagnostics
            ],
            "duration_seconds": round(seconds, 3),
        },
        indent=2,
    )


def _step_as_json(step: Step, explain: Explain) -> dict[str, Any]:
    sides = [None if side is None else _values(side) for side in (step.old, step.new)]
    # A secret on one side only would be shown by the other one.
    secret = {key for side in sides if side for key, value in side.items() if wire.has_secret(value)}
    old, new = (None if side is None else _visible(side, secret) for side in sides)
    return {
        "op": step.op,
        "urn": step.urn,
        "differs": sorted({write_path(each.path) for each in step.differences if _shown(each)}),
        "old": old,
        "new": new,
        "means": explain(step) or None,
        "simulated": step.simulated,
    }


def _visible(values: wire.Values, secret: set[str]) -> dict[str, Any]:
    """Return the values of a resource without secrets and the provider's code; unknown values are a word."""
    shown = {key: value for key, value in values.items() if not key.startswith("__")}
    return {key: "[secret]" if key in secret else _known(value) for key, value in shown.items()}


def _known(value: Any) -> Any:
    return wire.render(value) if value is wire.UNKNOWN else wire.convert_items(value, _known)


def _values(resource: Resource) -> wire.Values:
    """Return the values that steps compare: the inputs, or the outputs of a resource that is only read."""
    return resource.outputs if resource.external else resource.inputs
