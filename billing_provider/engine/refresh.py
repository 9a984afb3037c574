"""Refresh: read resources, update the state, drop resources that are gone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from billing_provider.engine import paths, state, wire
from billing_provider.engine.events import Step, StepEvent
from billing_provider.engine.planner import compare
from billing_provider.engine.plugin import PluginError
from billing_provider.engine.run import PARALLEL

if TYPE_CHECKING:
    from billing_provider.engine.events import Op
    from billing_provider.engine.run import EngineRun
    from billing_provider.engine.state import Resource

# Interrupted operations on resources whose id is in state, so that they can be read.
_READABLE = ("updating", "deleting")


def refresh(run: EngineRun) -> None:
    """Read all resources, several at a time, and save the results; a failed read stops the run."""
    with ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="refresh") as pool:
        found = list(pool.map(lambda old: _refreshed(run, old), run.before))
    _start_from(run, found)


def reread(run: EngineRun) -> None:
    """Read the resources whose update or delete was interrupted in an earlier run, and save the results.

    State still has their old properties, so a program that declares those would find no change. A failed read stops
    the run.
    """
    interrupted = {entry.resource.id: entry.type for entry in run.snapshot.unclear if entry.type in _READABLE}
    if not interrupted:
        return
    found: list[Resource | None] = []
    lines = []
    for old in run.before:
        new: Resource | None = old
        if old.id in interrupted and run.is_real(old.type):
            try:
                _, new, _ = _read(run, old)
            except PluginError as error:
                run.fail_step(old.urn, str(error), error.traceback)
                return
            outcome = "it does not exist" if new is None else "it exists"
            lines.append(f"  * {old.urn}, interrupted while {interrupted[old.id]}: {outcome}")
        found.append(new)
    heading = "an earlier run was interrupted; these resources were read again:"
    run.events.log("warning", "\n".join([heading, *lines]))
    _start_from(run, found)


def _start_from(run: EngineRun, found: list[Resource | None]) -> None:
    """Replace the last run's resources by those found; None means that a resource is gone."""
    gone = {old.urn for old, new in zip(run.before, found, strict=True) if new is None}
    kept = [new.without(gone) for new in found if new is not None]
    # The outcome of a create stays unknown: without an id, nothing can be read.
    unclear = [entry for entry in run.snapshot.unclear if run.stopped or entry.type not in _READABLE]
    run.start_from(kept)
    with run.saving():
        run.snapshot.start_from(kept, unclear)


def _refreshed(run: EngineRun, old: Resource) -> Resource | None:
    """Return the current resource, None if it is gone, or the old one if the read failed."""
    with run.working() as begun:
        if not begun:
            return old
        step = run.step(Step("refresh", old.urn, old, old))
        if not old.custom or not run.is_real(old.type):
            run.events.emit(StepEvent(replace(step, op="same"), "done"))
            return old
        started = time.monotonic()
        run.events.emit(StepEvent(step, "start"))
        try:
            op, new, differences = _read(run, old)
        except PluginError as error:
            run.fail_step(old.urn, str(error), error.traceback)
            run.events.emit(StepEvent(step, "failed"))
            return old
        done = replace(step, op=op, new=new, differences=differences)
        run.events.emit(StepEvent(done, "done", time.monotonic() - started))
        return new


def _read(run: EngineRun, old: Resource) -> tuple[Op, Resource | None, tuple[paths.Difference, ...]]:
    provider = run.provider_of(old.type)
    answer = provider.read(old.urn, old.id, old.outputs, old.inputs)
    if not answer.id:
        return "delete", None, ()
    inputs = old.inputs if answer.inputs is None else answer.inputs
    outputs = wire.mark_secrets(answer.outputs, inputs, old.additional_secret_outputs)
    new = old.model_copy(update={"id": answer.id, "inputs": inputs, "outputs": outputs})
    if new.inputs != old.inputs or new.outputs != old.outputs:
        new.modified = state.now()
    if old.external:
        differences = tuple(paths.differences(old.outputs, new.outputs))
        return "update" if differences else "same", new, differences
    # The diff is reversed: it shows how the real resource differs from the state.
    change = compare(provider, new, old.inputs, old)
    shown = tuple(paths.differences(old.inputs, new.inputs))
    return "update" if change.changed else "same", new, shown
