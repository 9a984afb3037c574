"""The state during a run: done, remaining and pending operations; saved at each step."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from billing_provider.engine import state
from billing_provider.engine.errors import StateError
from billing_provider.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a state file; the lock ends with the process.

    Raises:
        StateError: Another run holds it, or the lock cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(files.locked(path))
        except OSError as error:
            raise StateError(str(error)) from None
        yield


class Snapshot:
    """The current content of the state file.

    Resources are in order of completion, new before old, so dependencies precede their dependents.
    """

    def __init__(self, path: Path | None, before: state.Deployment) -> None:
        """Start from the last run's state; without a path (a preview) nothing is written."""
        self._path = path
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._asked = 1
        self._written = 0
        self._texts: dict[int, str] = {}
        self._old = list(before.resources)
        self._new: list[state.Resource] = []
        # Operations of an earlier run whose outcome is unknown.
        self.unclear = list(before.pending_operations)
        self._pending: list[state.Operation] = []
        self._secrets_providers = before.secrets_providers

    def begin(self, kind: str, resource: state.Resource) -> state.Operation:
        """Save a pending operation and return it for `end`."""
        operation = state.Operation(type=kind, resource=resource)
        with self._lock:
            self._pending.append(operation)
            self._asked += 1
        self.save()
        return operation

    def end(
        self,
        operation: state.Operation | None,
        *,
        done: state.Resource | None = None,
        new: state.Resource | None = None,
        write: bool = True,
    ) -> None:
        """Save the end of an operation: `new` replaces `done`.

        Args:
            operation: The result of `begin`, if the step has a pending operation.
            done: The last run's resource of this step.
            new: The new resource.
            write: Save at once instead of with the next save.
        """
        with self._lock:
            if operation is not None:
                self._pending = [pending for pending in self._pending if pending is not operation]
            if done is not None:
                self._texts.pop(id(done), None)
                self._old = [old for old in self._old if old is not done]
                self._new = [earlier for earlier in self._new if earlier is not done]
            if new is not None:
                self._new.append(new)
            self._asked += 1
        if write:
            self.save()

    def start_from(self, resources: list[state.Resource], unclear: list[state.Operation]) -> None:
        """Replace the last run's resources and save, before any step.

        Args:
            resources: The current resources.
            unclear: The operations of earlier runs whose outcome is still unknown.
        """
        with self._lock:
            self._old = list(resources)
            self._texts.clear()
            self.unclear = unclear
            self._asked += 1
        self.save()

    def touch(self, resource: state.Resource) -> None:
        """Mark a resource as changed, for the next save."""
        with self._lock:
            self._texts.pop(id(resource), None)
            self._asked += 1

    def rename(self, old: str, new: str) -> None:
        """Replace the old URN of an aliased resource in all references to it."""
        with self._lock:
            for resource in self._old:
                resource.rename(old, new)
                self._texts.pop(id(resource), None)

    def save(self) -> None:
        """Write all unsaved changes; steps that end at the same time share a write.

        Raises:
            StateError: The file cannot be written.
        """
        if self._path is None:
            return
        with self._lock:
            ticket = self._asked
        # After waiting for the lock, the change is usually already written.
        with self._writing:
            if self._written >= ticket:
                return
            with self._lock:
                mark, text = self._asked, self._render()
            try:
                files.replace(self._path, text)
            except files.FileError as error:
                raise StateError(str(error)) from None
            self._written = mark

    def _render(self) -> str:
        current = state.Deployment.model_construct(
            resources=[*self._new, *self._old],
            pending_operations=[*self.unclear, *self._pending],
            secrets_providers=self._secrets_providers,
        )
        return state.write(current, self._text)

    def _text(self, resource: state.Resource) -> str:
        text = self._texts.get(id(resource))
        if text is None:
            text = self._texts[id(resource)] = state.render(resource)
        return text
