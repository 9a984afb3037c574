"""Events of a run, in order: steps, diagnostics and status messages, passed to a listener and counted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from billing_provider.engine import urns

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.engine.paths import Difference
    from billing_provider.engine.state import Resource

Op = Literal[
    "same",
    "create",
    "update",
    "delete",
    "replace",
    "create-replacement",
    "delete-replaced",
    "read",
    "discard",
    "refresh",
]
Phase = Literal["start", "done", "failed"]
Severity = Literal["debug", "info", "warning", "error"]

# The operations that a summary counts. A replacement counts once, as `replace`; a lookup does not count.
COUNTED: tuple[Op, ...] = ("create", "update", "delete", "replace", "same")


@dataclass(frozen=True)
class Step:
    """One operation on one resource, done or (preview) planned."""

    op: Op
    urn: str
    old: Resource | None = None
    new: Resource | None = None
    differences: tuple[Difference, ...] = ()
    # The properties that cause a replacement; a preview may not know their values.
    keys: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def before(self) -> Resource:
        """The old resource of a step that has one."""
        return cast("Resource", self.old)

    @property
    def after(self) -> Resource:
        """The new resource of a step that has one."""
        return cast("Resource", self.new)

    @property
    def both(self) -> tuple[Resource, Resource]:
        """The old and the new resource of a step that has both."""
        return self.before, self.after


@dataclass(frozen=True)
class StepEvent:
    """The start or end of a step."""

    step: Step
    phase: Phase
    seconds: float = 0.0


@dataclass(frozen=True)
class Diagnostic:
    """A message about a resource, or about the whole run if the URN is empty."""

    severity: Severity
    message: str
    urn: str = ""
    # The full traceback of a plugin; `message` is its last part.
    detail: str = ""


@dataclass(frozen=True)
class Status:
    """A temporary message, such as what a provider waits for; it is shown and not stored."""

    message: str
    urn: str = ""


Event = StepEvent | Diagnostic | Status


@dataclass
class Events:
    """Stores events and passes them to the listener."""

    listener: Callable[[Event], None] | None = None
    steps: list[Step] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def emit(self, event: Event) -> None:
        """Store an event and call the listener, one event at a time."""
        with self._lock:
            if isinstance(event, StepEvent) and event.phase == "done":
                self.steps.append(event.step)
            elif isinstance(event, Diagnostic):
                self.diagnostics.append(event)
            if self.listener is not None:
                self.listener(event)

    def log(self, severity: Severity, message: str, urn: str = "", detail: str = "") -> None:
        """Emit a diagnostic."""
        self.emit(Diagnostic(severity, message, urn, detail))

    @property
    def failed(self) -> bool:
        """Whether there was an error."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    @property
    def counts(self) -> dict[Op, int]:
        """The number of resources of each operation."""
        found = Counter(step.op for step in self.steps if not urns.is_default_provider(step.urn))
        return {op: found[op] for op in COUNTED if found[op]}
