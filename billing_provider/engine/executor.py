"""Execute one step: save the pending operation, call the provider, save the result."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from billing_provider.engine import state, wire
from billing_provider.engine.errors import StateError
from billing_provider.engine.events import StepEvent
from billing_provider.engine.plugin import PluginError
from billing_provider.engine.run import PARALLEL, ReportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.engine.events import Step
    from billing_provider.engine.run import EngineRun


class Executor:
    """Executes steps; safe to call from several threads."""

    def __init__(self, run: EngineRun) -> None:
        self._run = run
        self._free = threading.Semaphore(PARALLEL)
        self._actions: dict[str, Callable[[Step], None]] = {
            "same": self._same,
            "create": self._create,
            "create-replacement": self._create,
            "replace": self._replace,
            "update": self._update,
            "read": self._read,
            "delete": self._delete,
            "delete-replaced": self._delete,
            "discard": self._discard,
        }

    def execute(self, step: Step) -> None:
        """Execute one step (in a preview: without changes) and emit its events.

        Raises:
            ReportedError: The step failed. The failure was reported, and no further steps start.
        """
        step = self._run.step(step)
        with self._free:
            begun = time.monotonic()
            self._run.events.emit(StepEvent(step, "start"))
            try:
                self._actions[step.op](step)
            except PluginError as error:
                self.fail(step, str(error), error.traceback)
            except StateError as error:
                self.fail(step, str(error))
            self._run.events.emit(StepEvent(step, "done", time.monotonic() - begun))

    def fail(self, step: Step, message: str, detail: str = "") -> None:
        """Report a failed step and stop the run.

        Raises:
            ReportedError: Always.
        """
        self._run.fail_step(step.urn, message, detail)
        self._run.events.emit(StepEvent(step, "failed"))
        raise ReportedError(message)

    def _same(self, step: Step) -> None:
        old, new = step.both
        new.outputs, new.modified = old.outputs, old.modified
        new.continue_from(old)
        # An unchanged resource need not be written: the state file already has it.
        self._run.snapshot.end(None, done=old, new=new, write=old.to_json() != new.to_json())

    def _create(self, step: Step) -> None:
        run, old, new = self._run, step.old, step.after
        replaced_already = old if old is not None and old.pending_replacement else None
        if run.dry_run:
            new.outputs = new.inputs if new.custom else {}
            _mark_for_deletion(old)
            return
        with self._pending("creating", new) as operation:
            if new.custom:
                new.id, outputs = run.provider_of(new.type).create(new.urn, new.inputs)
                new.outputs = wire.mark_secrets(outputs, {}, new.additional_secret_outputs)
        new.created = new.modified = state.now()
        if old is not None:
            # Saved together with the new resource, so that state always has both.
            _mark_for_deletion(old)
            run.snapshot.touch(old)
        run.snapshot.end(operation, done=replaced_already, new=new)

    def _replace(self, step: Step) -> None:
        """Do nothing: separate steps create the new resource and delete the old one."""

    def _update(self, step: Step) -> None:
        run = self._run
        old, new = step.both
        new.modified = state.now()
        new.continue_from(old)
        if run.dry_run:
            new.outputs = new.inputs if new.custom else old.outputs
            return
        with self._pending("updating", new) as operation:
            if new.custom:
                outputs = run.provider_of(new.type).update(old, new.inputs, new.ignore_changes)
                new.outputs = wire.mark_secrets(outputs, {}, new.additional_secret_outputs)
            else:
                new.outputs = old.outputs
        run.snapshot.end(operation, done=old, new=new)

    def _read(self, step: Step) -> None:
        run, old, new = self._run, step.old, step.after
        if new.id == wire.UNKNOWN_TEXT:
            return
        with self._pending("reading", new) as operation:
            found = run.provider_of(new.type).read(new.urn, new.id, new.inputs, new.inputs)
        new.id = found.id or new.id
        new.outputs = wire.mark_secrets(found.outputs, new.inputs, new.additional_secret_outputs)
        done = old
        if old is not None and not old.external and old.id != new.id:
            old.delete, done = True, None
            run.snapshot.touch(old)
        elif old is not None:
            new.created, new.modified = old.created, old.modified
        if old is None or old.outputs != new.outputs or old.inputs != new.inputs:
            new.modified = state.now()
        run.snapshot.end(operation, done=done, new=new)

    def _delete(self, step: Step) -> None:
        run, old = self._run, step.before
        if step.op == "delete" and old.protect:
            if run.dry_run:
                # A preview counts the planned steps.
                run.events.steps.append(step)
            self.fail(step, _protected(old.urn, "Preview failed: " if run.dry_run else ""))
        if run.dry_run:
            return
        with self._pending("deleting", old) as operation:
            if old.custom and not old.external and not old.retain_on_delete and old.deleted_with not in run.deleted:
                run.provider_of(old.type).delete(old)
        if step.new is None:
            run.snapshot.end(operation, done=old)
        else:
            # It stays in state until its replacement exists, because other resources refer to it.
            old.pending_replacement = True
            run.snapshot.touch(old)
            run.snapshot.end(operation)

    @contextlib.contextmanager
    def _pending(self, kind: str, resource: state.Resource) -> Iterator[state.Operation]:
        """Save a pending operation; remove it if it fails, unless its outcome is unknown."""
        operation = self._run.snapshot.begin(kind, resource)
        try:
            yield operation
        except PluginError as error:
            if error.answered:
                self._run.snapshot.end(operation)
            raise

    def _discard(self, step: Step) -> None:
        self._run.snapshot.end(None, done=step.before)


def _mark_for_deletion(old: state.Resource | None) -> None:
    """Mark a replaced resource for deletion, unless it was deleted first."""
    if old is not None:
        old.delete = not old.pending_replacement


def _protected(urn: str, prefix: str) -> str:
    return (
        f'{prefix}resource "{urn}" cannot be deleted\n'
        "because it is protected. To unprotect the resource, remove the `protect` flag from it in your program and "
        "run `up` again."
    )
