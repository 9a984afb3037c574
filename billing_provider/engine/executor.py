"""Carrying out one step: what is pending is saved first, the provider is called, what came of it is saved."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from billing_provider.engine import state, wire
from billing_provider.engine.errors import StateError
from billing_provider.engine.events import StepEvent
from billing_provider.engine.plugin import PluginError
from billing_provider.engine.run import StepFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.engine.events import Step
    from billing_provider.engine.run import Run


class Executor:
    """Carries out steps, several at a time from several threads."""

    def __init__(self, run: Run, parallel: int) -> None:
        """Prepare; at most `parallel` steps are carried out at a time."""
        self._run = run
        self._free = threading.Semaphore(parallel)
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

    def carry_out(self, step: Step) -> None:
        """Do one step, or in a preview only what a preview may do, and tell about it.

        Raises:
            StepFailedError: It failed; that has been told, and nothing else is begun.
        """
        step = self._run.step(step)
        with self._free:
            begun = time.monotonic()
            self._run.events.tell(StepEvent(step, "start"))
            try:
                self._actions[step.op](step)
            except PluginError as error:
                self.fail(step, str(error), error.traceback)
            except StateError as error:
                self.fail(step, str(error))
            self._run.events.tell(StepEvent(step, "done", time.monotonic() - begun))

    def fail(self, step: Step, message: str, detail: str = "") -> None:
        """Report a failed step and stop the run.

        Raises:
            StepFailedError: Always.
        """
        self._run.fail(step=True)
        self._run.events.say("error", message, step.urn, detail)
        self._run.events.tell(StepEvent(step, "failed"))
        raise StepFailedError(message)

    def _same(self, step: Step) -> None:
        old, new = step.both
        new.id, new.outputs = old.id, old.outputs
        new.created, new.modified, new.other = old.created, old.modified, old.other
        # Nothing is lost when the process dies before an unchanged resource is saved again.
        self._run.snapshot.end(None, done=old, new=new, write=old.to_json() != new.to_json())

    def _create(self, step: Step) -> None:
        run, old, new = self._run, step.old, step.after
        replaced_already = old if old is not None and old.pending_replacement else None
        if run.dry_run:
            new.outputs = new.inputs if new.custom else {}
            _condemn(old)
            return
        operation = run.snapshot.begin("creating", new)
        try:
            if new.custom:
                new.id, outputs = run.provider_of(new.type).create(new.urn, new.inputs)
                new.outputs = wire.mark_secrets(outputs, {}, new.additional_secret_outputs)
        except PluginError as error:
            self._give_up(operation, error)
            raise
        new.created = new.modified = state.now()
        if old is not None:
            # Saved together with the new one, so neither is ever forgotten.
            _condemn(old)
            run.snapshot.touch(old)
        run.snapshot.end(operation, done=replaced_already, new=new)

    def _replace(self, step: Step) -> None:
        """Do nothing: the step stands for the create and the delete that make up a replacement."""

    def _update(self, step: Step) -> None:
        run = self._run
        old, new = step.both
        new.id, new.created, new.modified, new.other = old.id, old.created, state.now(), old.other
        if run.dry_run:
            new.outputs = new.inputs if new.custom else old.outputs
            return
        operation = run.snapshot.begin("updating", new)
        try:
            if new.custom:
                outputs = run.provider_of(new.type).update(old, new.inputs, new.ignore_changes)
                new.outputs = wire.mark_secrets(outputs, {}, new.additional_secret_outputs)
            else:
                new.outputs = old.outputs
        except PluginError as error:
            self._give_up(operation, error)
            raise
        run.snapshot.end(operation, done=old, new=new)

    def _read(self, step: Step) -> None:
        run, old, new = self._run, step.old, step.after
        if new.id == wire.UNKNOWN_TEXT:
            return
        operation = run.snapshot.begin("reading", new)
        try:
            found = run.provider_of(new.type).read(new.urn, new.id, new.inputs, new.inputs)
        except PluginError as error:
            self._give_up(operation, error)
            raise
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
                # A preview counts what it would have done.
                run.events.steps.append(step)
            self.fail(step, _protected(old.urn, "Preview failed: " if run.dry_run else ""))
        pending = step.new is not None
        if run.dry_run:
            return
        operation = run.snapshot.begin("deleting", old)
        try:
            if old.custom and not old.external and not old.retain_on_delete and old.deleted_with not in run.deleted:
                run.provider_of(old.type).delete(old)
        except PluginError as error:
            self._give_up(operation, error)
            raise
        if pending:
            # It keeps its place in state until its successor exists: whatever refers to it must find it.
            old.pending_replacement = True
            run.snapshot.touch(old)
            run.snapshot.end(operation)
        else:
            run.snapshot.end(operation, done=old)

    def _give_up(self, operation: state.Operation, error: PluginError) -> None:
        """Forget an operation that failed; one whose outcome nobody knows stays pending, for the next run to tell."""
        if error.answered:
            self._run.snapshot.end(operation)

    def _discard(self, step: Step) -> None:
        self._run.snapshot.end(None, done=step.before)


def _condemn(old: state.Resource | None) -> None:
    """Let a replaced resource wait for its deletion, unless that came first."""
    if old is not None:
        old.delete = not old.pending_replacement


def _protected(urn: str, prefix: str) -> str:
    return (
        f'{prefix}resource "{urn}" cannot be deleted\n'
        "because it is protected. To unprotect the resource, remove the `protect` flag from it in your program and "
        "run `up` again."
    )
