"""What all parts of one run share: the state before and now, who serves what, what has been done to which resource."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from billing_provider.engine import urns
from billing_provider.engine.errors import StateError
from billing_provider.engine.events import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.engine.events import Events
    from billing_provider.engine.providers import Provider
    from billing_provider.engine.snapshot import Snapshot
    from billing_provider.engine.state import Resource


class RefusedError(RuntimeError):
    """The program asks for something that this engine does not do; the message names it."""


class StepFailedError(RuntimeError):
    """A step failed and has been reported."""


@dataclass
class Run:
    """One preview, up, refresh or destroy."""

    stack: str
    project: str
    dry_run: bool
    snapshot: Snapshot
    events: Events
    dynamic: Provider
    simulated: Provider
    before: list[Resource]
    # The last run's resources by URN, without those that only wait for their deletion.
    olds: dict[str, Resource] = field(default_factory=dict)
    # What this run has made of each URN the program named.
    news: dict[str, Resource] = field(default_factory=dict)
    aliased: dict[str, str] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    # Resources of `before` that are already dealt with, by identity: one URN may stand there more than once.
    gone: set[int] = field(default_factory=set)
    step_failed: bool = False
    _interrupted: bool = False
    _failed: bool = False
    _in_hand: int = 0
    _quiet: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.start_from(self.before)

    def start_from(self, resources: list[Resource]) -> None:
        """Take these resources as those of the last run."""
        self.before = resources
        self.olds = {resource.urn: resource for resource in resources if not resource.delete}

    @property
    def stack_urn(self) -> str:
        """The URN of the stack itself."""
        return urns.build(self.stack, self.project, "", urns.ROOT_TYPE, f"{self.project}-{self.stack}")

    def provider_of(self, type_: str) -> Provider:
        """Return who serves resources of a type."""
        return self.dynamic if self.is_real(type_) else self.simulated

    @staticmethod
    def is_real(type_: str) -> bool:
        """Return whether resources of a type are served by the project's own plugin."""
        return urns.package_of(type_) == urns.DYNAMIC_PACKAGE and not urns.is_provider(type_)

    def step(self, step: Step) -> Step:
        """Mark a step on a resource that nobody really serves as simulated."""
        resource = step.new or step.old
        if resource is None or not resource.custom or self.is_real(resource.type):
            return step
        return Step(step.op, step.urn, step.old, step.new, step.differences, step.keys, simulated=True)

    def interrupt(self) -> None:
        """Begin nothing more: the user wants it to end."""
        with self._quiet:
            self._interrupted = True

    def fail(self, *, step: bool = False) -> None:
        """Begin nothing more: something is wrong, with a step or with the program."""
        with self._quiet:
            self._failed = True
            self.step_failed |= step

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Report a state that cannot be written, once, and begin nothing more."""
        try:
            yield
        except StateError as error:
            self.fail()
            if str(error) not in {said.message for said in self.events.diagnostics}:
                self.events.say("error", str(error), self.stack_urn)

    @property
    def stopped(self) -> bool:
        """Whether nothing more is to begin."""
        return self._interrupted or self._failed

    @contextlib.contextmanager
    def working(self, *, despite_failure: bool = False) -> Iterator[bool]:
        """Enter work that must be over before the run ends; gives False when it is not to begin any more.

        Args:
            despite_failure: Begin even though something else has failed, but not after an interruption.
        """
        with self._quiet:
            begun = not (self._interrupted if despite_failure else self.stopped)
            self._in_hand += begun
        try:
            yield begun
        finally:
            with self._quiet:
                self._in_hand -= begun
                self._quiet.notify_all()

    def drain(self) -> None:
        """Wait until nothing is in hand."""
        with self._quiet:
            self._quiet.wait_for(lambda: self._in_hand == 0)
