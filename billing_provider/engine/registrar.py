"""Registrations of a program: planned one at a time, executed in parallel."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from billing_provider.engine import urns, wire
from billing_provider.engine.planner import Goal
from billing_provider.engine.plugin import PluginError
from billing_provider.engine.run import ReportedError, UnsupportedError
from billing_provider.engine.state import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.engine.executor import Executor
    from billing_provider.engine.planner import Planner
    from billing_provider.engine.run import EngineRun


@dataclass(frozen=True)
class Answer:
    """The answer to a request of the program; after a failure it has no properties."""

    urn: str
    id: str = ""
    properties: wire.Values = field(default_factory=dict)
    ok: bool = True


class Registrar:
    """Serves a program's registrations; after a failure, all further registrations fail."""

    def __init__(self, run: EngineRun, planner: Planner, executor: Executor, config: dict[str, str]) -> None:
        self._run = run
        self._planner = planner
        self._executor = executor
        self._config = config
        self._planning = threading.Lock()
        self.stack_outputs: wire.Values | None = None

    def register(self, read_goal: Callable[[], Goal]) -> Answer:
        """Create, update or keep a declared resource, or read one that is managed elsewhere."""
        run = self._run
        goal = None
        with run.working() as begun:
            try:
                if begun:
                    goal = read_goal()
                    return self._apply(goal)
            except UnsupportedError as error:
                run.events.log("error", str(error))
            except ReportedError:
                pass
            except PluginError as error:
                run.fail_step(goal.urn if goal else "", str(error), error.traceback)
            run.fail()
            return Answer(goal.urn if goal else "", ok=False)

    def _apply(self, goal: Goal) -> Answer:
        run = self._run
        with self._planning:
            if run.stopped:
                return Answer(goal.urn, ok=False)
            new = goal.new
            if new.custom and not new.provider and not urns.is_provider(new.type):
                new.provider = self._default_provider(goal)
            steps = self._planner.plan(goal)
        for step in steps:
            self._executor.execute(step)
        return Answer(new.urn, "" if new.id == wire.UNKNOWN_TEXT else new.id, new.outputs)

    def _default_provider(self, goal: Goal) -> str:
        """Return the reference to the default provider of a resource."""
        type_ = urns.PROVIDER_TYPE_PREFIX + urns.package_of(goal.new.type)
        suffix = f"_{goal.version.replace('.', '_').replace('+', '_')}" if goal.version else ""
        urn = urns.build(self._run.stack, self._run.project, "", type_, f"default{suffix}")
        if urn not in self._run.news:
            inputs = {"version": goal.version} if goal.version else dict(self._config)
            for step in self._planner.plan(Goal(Resource(urn=urn, type=type_, custom=True, inputs=inputs))):
                self._executor.execute(step)
        return f"{urn}::{self._run.news[urn].id or wire.UNKNOWN_TEXT}"

    def outputs(self, urn: str, values: wire.Values) -> None:
        """Store the outputs of a component; those of the stack are stored after a successful run."""
        run = self._run
        with run.working() as begun:
            if not begun:
                return
            if urn == run.stack_urn:
                self.stack_outputs = values
                return
            self._store(urn, values)

    def finish(self) -> None:
        """Store the stack's outputs."""
        self._store(self._run.stack_urn, self.stack_outputs or {})

    def _store(self, urn: str, values: wire.Values) -> None:
        resource = self._run.news[urn]
        if resource.outputs != values:
            resource.outputs = values
            self._run.snapshot.touch(resource)
            with self._run.saving():
                self._run.snapshot.save()
