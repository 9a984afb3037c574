"""Bringing state in line with what is there: resources are read, what has gone is dropped."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from billing_provider.engine import paths, state, wire
from billing_provider.engine.events import Step, StepEvent
from billing_provider.engine.planner import compare
from billing_provider.engine.plugin import PluginError

if TYPE_CHECKING:
    from billing_provider.engine.events import Op
    from billing_provider.engine.run import Run
    from billing_provider.engine.state import Resource

# The interrupted operations after which a resource can be read: its id is in state.
_READABLE = ("updating", "deleting")


def refresh(run: Run, parallel: int) -> None:
    """Read all resources, several at a time, and save what was found; a failed read stops the rest."""
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="refresh") as pool:
        found = list(pool.map(lambda old: _refreshed(run, old), run.before))
    _start_from(run, found)


def reread(run: Run) -> None:
    """Read the resources that an earlier run was interrupted in updating or deleting, and save what was found.

    State still has them as they were before, so a program that declares them so would find nothing to do. A failed read
    stops the run.
    """
    interrupted = {entry.resource.id: entry.kind for entry in run.snapshot.unclear if entry.kind in _READABLE}
    if not interrupted:
        return
    found: list[Resource | None] = []
    said = []
    for old in run.before:
        new: Resource | None = old
        if old.id in interrupted and run.is_real(old.type):
            try:
                _, new, _ = _read(run, old)
            except PluginError as error:
                run.fail(step=True)
                run.events.say("error", str(error), old.urn, error.traceback)
                return
            outcome = "it is gone" if new is None else "it is there"
            said.append(f"  * {old.urn}, interrupted while {interrupted[old.id]}: {outcome}")
        found.append(new)
    heading = "an earlier run was interrupted; these resources have been read again:"
    run.events.say("warning", "\n".join([heading, *said]))
    _start_from(run, found)


def _start_from(run: Run, found: list[Resource | None]) -> None:
    """Take what was found in place of the last run's resources; None stands for one that is gone."""
    gone = {old.urn for old, new in zip(run.before, found, strict=True) if new is None}
    kept = [new.without(gone) for new in found if new is not None]
    # How a creation ended stays unknown: without its id, nothing can be read.
    unclear = [entry for entry in run.snapshot.unclear if run.stopped or entry.kind not in _READABLE]
    run.start_from(kept)
    with run.saving():
        run.snapshot.start_from(kept, unclear)


def _refreshed(run: Run, old: Resource) -> Resource | None:
    """Return the resource as it is now, None when it has gone, and as it was when it could not be read."""
    with run.working() as begun:
        if not begun:
            return old
        step = run.step(Step("refresh", old.urn, old, old))
        if not old.custom or not run.is_real(old.type):
            run.events.tell(StepEvent(replace(step, op="same"), "done"))
            return old
        started = time.monotonic()
        run.events.tell(StepEvent(step, "start"))
        try:
            op, new, differences = _read(run, old)
        except PluginError as error:
            run.fail(step=True)
            run.events.say("error", str(error), old.urn, error.traceback)
            run.events.tell(StepEvent(step, "failed"))
            return old
        done = replace(step, op=op, new=new, differences=differences)
        run.events.tell(StepEvent(done, "done", time.monotonic() - started))
        return new


def _read(run: Run, old: Resource) -> tuple[Op, Resource | None, tuple[paths.Difference, ...]]:
    provider = run.provider_of(old.type)
    answer = provider.read(old.urn, old.id, old.outputs, old.inputs)
    if not answer.id:
        return "delete", None, ()
    inputs = old.inputs if answer.inputs is None else answer.inputs
    outputs = wire.mark_secrets(answer.outputs, inputs, old.additional_secret_outputs)
    new = replace(old, id=answer.id, inputs=inputs, outputs=outputs)
    if new.inputs != old.inputs or new.outputs != old.outputs:
        new.modified = state.now()
    if old.external:
        differences = tuple(paths.differences(old.outputs, new.outputs))
        return "update" if differences else "same", new, differences
    # What an `up` would now change, seen from the other side: the provider's view, not the program's.
    change = compare(provider, new, old.inputs)
    shown = tuple(paths.differences(old.inputs, new.inputs))
    return "update" if change.changed else "same", new, shown
