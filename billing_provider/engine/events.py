"""What happens during a run, in order: steps, remarks and outputs, told to whoever listens and counted."""

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

# What a summary counts; the two halves of a replacement are one `replace`, and a lookup changes nothing.
COUNTED: tuple[Op, ...] = ("create", "update", "delete", "replace", "same")


@dataclass(frozen=True)
class Step:
    """One thing done, or in a preview to be done, to one resource."""

    op: Op
    urn: str
    old: Resource | None = None
    new: Resource | None = None
    differences: tuple[Difference, ...] = ()
    # A preview knows that a property will be replaced but not always from what to what.
    keys: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def before(self) -> Resource:
        """The old resource, where the kind of step has one."""
        return cast("Resource", self.old)

    @property
    def after(self) -> Resource:
        """The new resource, where the kind of step has one."""
        return cast("Resource", self.new)

    @property
    def both(self) -> tuple[Resource, Resource]:
        """The old and the new resource of a step that has both."""
        return self.before, self.after


@dataclass(frozen=True)
class StepEvent:
    """A step that begins or ends."""

    step: Step
    phase: Phase
    seconds: float = 0.0


@dataclass(frozen=True)
class Diagnostic:
    """Something said about a resource, or about the whole run where the URN is empty."""

    severity: Severity
    message: str
    urn: str = ""
    # All that a plugin said, where `message` is its conclusion.
    detail: str = ""


@dataclass(frozen=True)
class Status:
    """A passing remark, such as what a provider is waiting for; it is shown and not kept."""

    message: str
    urn: str = ""


Event = StepEvent | Diagnostic | Status


@dataclass
class Events:
    """Collects what happens and passes it on."""

    listener: Callable[[Event], None] | None = None
    steps: list[Step] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def tell(self, event: Event) -> None:
        """Keep an event and pass it on; listeners are called one event at a time."""
        with self._lock:
            if isinstance(event, StepEvent) and event.phase == "done":
                self.steps.append(event.step)
            elif isinstance(event, Diagnostic):
                self.diagnostics.append(event)
            if self.listener is not None:
                self.listener(event)

    def say(self, severity: Severity, message: str, urn: str = "", detail: str = "") -> None:
        """Keep a remark and pass it on."""
        self.tell(Diagnostic(severity, message, urn, detail))

    @property
    def failed(self) -> bool:
        """Whether an error was said."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    @property
    def counts(self) -> dict[Op, int]:
        """How many resources each kind of step was done to."""
        found = Counter(step.op for step in self.steps if not urns.is_default_provider(step.urn))
        return {op: found[op] for op in COUNTED if found[op]}
