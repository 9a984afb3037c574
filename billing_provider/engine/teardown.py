"""Delete resources that are no longer declared, in order of dependency, several at a time."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from billing_provider.engine.events import Step
from billing_provider.engine.run import PARALLEL, ReportedError

if TYPE_CHECKING:
    from billing_provider.engine.executor import Executor
    from billing_provider.engine.run import EngineRun
    from billing_provider.engine.state import Resource


def remove(run: EngineRun, executor: Executor) -> None:
    """Delete the resources that are no longer declared, dependents first.

    After a failure, the rest of its layer is still deleted; later layers are not, because they may still be needed.
    """
    with ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="delete") as pool:
        for layer in reversed(_layers(run.before, _undeclared(run))):
            if run.stopped:
                return
            list(pool.map(lambda step: _attempt(run, executor, step), layer))


def _undeclared(run: EngineRun) -> list[Step]:
    """Return a step for each of the last run's resources that is no longer declared or was replaced."""
    named = run.news.keys() | run.aliased.keys()
    steps = []
    for old in run.before:
        already_deleted = id(old) in run.gone or old.pending_replacement
        if (old.delete and already_deleted) or (not old.delete and old.urn in named):
            continue
        if old.external or already_deleted:
            steps.append(Step("discard", old.urn, old))
        else:
            steps.append(Step("delete-replaced" if old.delete else "delete", old.urn, old))
        run.deleted.add(old.urn)
    return steps


def _attempt(run: EngineRun, executor: Executor, step: Step) -> None:
    with run.working(despite_failure=True) as begun, contextlib.suppress(ReportedError):
        if begun:
            executor.execute(step)


def _layers(order: list[Resource], steps: list[Step]) -> list[list[Step]]:
    """Sort steps into layers: each depends on resources of earlier layers only.

    State is in order of dependency, so a resource refers only to resources before it.
    """
    by_identity = {id(step.old): step for step in steps}
    depth_of_urn: dict[str, int] = {}
    layers: list[list[Step]] = []
    for resource in order:
        step = by_identity.get(id(resource))
        if step is None:
            continue
        depth = max((depth_of_urn[urn] + 1 for urn in resource.references() if urn in depth_of_urn), default=0)
        depth_of_urn[resource.urn] = max(depth, depth_of_urn.get(resource.urn, 0))
        while len(layers) <= depth:
            layers.append([])
        layers[depth].append(step)
    return layers
