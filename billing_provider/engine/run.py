"""The shared data of one run: old and new resources, the providers, the steps done so far."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from billing_provider.engine import urns
from billing_provider.engine.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.engine.events import Events, Step
    from billing_provider.engine.providers import Provider
    from billing_provider.engine.snapshot import Snapshot
    from billing_provider.engine.state import Resource


# The plugin has four threads; more operations would only wait.
PARALLEL = 4


class UnsupportedError(RuntimeError):
    """The program uses a feature that this engine does not support; the message names it."""


class ReportedError(RuntimeError):
    """A declaration or a step failed, and the failure has been reported."""


@dataclass
class EngineRun:
    """One preview, up, refresh or destroy."""

    stack: str
    project: str
    dry_run: bool
    snapshot: Snapshot
    events: Events
    dynamic: Provider
    simulated: Provider
    before: list[Resource]
    # The last run's resources by URN, without those that wait for deletion.
    olds: dict[str, Resource] = field(default_factory=dict)
    # The new resource of each URN that the program has registered.
    news: dict[str, Resource] = field(default_factory=dict)
    aliased: dict[str, str] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    # Resources of `before` that are done, by identity, because a URN can occur more than once.
    gone: set[int] = field(default_factory=set)
    step_failed: bool = False
    _interrupted: bool = False
    _failed: bool = False
    _active: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.start_from(self.before)

    def start_from(self, resources: list[Resource]) -> None:
        """Set the resources of the last run."""
        self.before = resources
        self.olds = {resource.urn: resource for resource in resources if not resource.delete}

    @property
    def stack_urn(self) -> str:
        """The URN of the stack itself."""
        return urns.of_stack(self.stack, self.project)

    def provider_of(self, type_: str) -> Provider:
        """Return the provider of a type."""
        return self.dynamic if self.is_real(type_) else self.simulated

    @staticmethod
    def is_real(type_: str) -> bool:
        """Return whether the project's plugin serves a type."""
        return urns.package_of(type_) == urns.DYNAMIC_PACKAGE and not urns.is_provider(type_)

    def step(self, step: Step) -> Step:
        """Return the step, marked if its resource is simulated."""
        resource = step.new or step.old
        if resource is None or not resource.custom or self.is_real(resource.type):
            return step
        return replace(step, simulated=True)

    def interrupt(self) -> None:
        """Start nothing more: the user has interrupted the run."""
        with self._changed:
            self._interrupted = True

    def fail(self) -> None:
        """Start nothing more: a step or the program has failed."""
        with self._changed:
            self._failed = True

    def fail_step(self, urn: str, message: str, detail: str = "") -> None:
        """Report an operation on a resource that failed, and start nothing more."""
        self.step_failed = True
        self.fail()
        self.events.log("error", message, urn, detail)

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Report, once, that the state cannot be written, and start nothing more."""
        try:
            yield
        except StateError as error:
            self.fail()
            if str(error) not in {said.message for said in self.events.diagnostics}:
                self.events.log("error", str(error), self.stack_urn)

    @property
    def stopped(self) -> bool:
        """Whether nothing more may start."""
        return self._interrupted or self._failed

    @contextlib.contextmanager
    def working(self, *, despite_failure: bool = False) -> Iterator[bool]:
        """Enter work that the run waits for at its end; yield False if the work must not start.

        Args:
            despite_failure: Start even if something else has failed, but not after an interruption.
        """
        with self._changed:
            begun = not (self._interrupted if despite_failure else self.stopped)
            self._active += begun
        try:
            yield begun
        finally:
            with self._changed:
                self._active -= begun
                self._changed.notify_all()

    def drain(self) -> None:
        """Wait until no work is running."""
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0)
