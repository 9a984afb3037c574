"""The operations of each kind of resource, on plain dicts: the only caller of lifecycles and previews."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER
from billing_provider.core.resource import (
    BUCKET_RESOURCE,
    COST_CENTER_RESOURCE,
    SECRET_INPUTS,
    UNFINISHED,
    Checked,
    Stored,
)
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.preview.budgets import BudgetPreview
from billing_provider.preview.cost_center_caps import CostCenterCaps
from billing_provider.preview.cost_centers import CostCenterPreview
from billing_provider.preview.owners import KnownNames
from billing_provider.preview.reads import PreviewReads
from billing_provider.preview.user_budgets import UserBudgetsPreview
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.runtime.registry import name_of
from billing_provider.user_budgets.lifecycle import UserBudgetsLifecycle
from billing_provider.user_budgets.texts import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from billing_provider.core.inputs import Problem
    from billing_provider.runtime.run import Run

    Inputs = Mapping[str, Any]
    Compare = Callable[[str, Inputs, Inputs, frozenset[str]], list[Problem]]
    CompareUpdate = Callable[[str, str, Inputs, Inputs, frozenset[str]], bool]

_GONE = "budget_id"
"""The output that replaces a budget that is gone from GitHub."""
_IN_STATE = frozenset({"budget_id", "budget_ids", "cost_center_id", EXPIRED})
"""Outputs of which each resource in a state has one; the inputs of a `.get` have none."""


class Diff(NamedTuple):
    """What differs between a state and the inputs.

    Attributes:
        changed: The names of the properties that differ.
        replaces: Those that replace the resource.
        is_hidden: Whether no input differs, so that an engine that compares inputs does not see the difference.
    """

    changed: list[str]
    replaces: list[str]
    is_hidden: bool


@dataclass(frozen=True)
class Operations:
    """The operations of one kind of resource; properties that begin with `__` are internal, apart from the secrets.

    Attributes:
        run: The state shared by the resources of this engine run.
        lifecycle: The lifecycle.
        compare: Compares checked inputs with GitHub, and returns what prevents the change.
        compare_update: Compares a changed resource with GitHub, by its id, and returns whether it is provably gone.
    """

    run: Run
    lifecycle: Lifecycle | CostCenterLifecycle | UserBudgetsLifecycle
    compare: Compare
    compare_update: CompareUpdate

    def check(self, urn: str, olds: Inputs, news: Inputs, unknown: frozenset[str]) -> Checked:
        """Validate the inputs, and compare a change with GitHub; an input that is not known yet is not in `news`."""
        named = {name: value for name, value in news.items() if name == SECRET_INPUTS}
        checked = self.lifecycle.check(urn, olds, {name: news[name] for name in news if name not in named}, unknown)
        if checked.problems:
            return checked
        inputs = {**checked.inputs, **named}
        return Checked(inputs, self.compare(urn, olds, inputs, unknown))

    def diff(self, urn: str, id_: str, olds: Inputs, news: Inputs, unknown: frozenset[str]) -> Diff:
        """Return what differs, after a comparison of the change with GitHub."""
        changed, replaces = self.lifecycle.diff(urn, id_, olds, news, unknown)
        is_gone = bool(changed) and not replaces and self.compare_update(urn, id_, olds, news, unknown)
        # An engine does not detect what changes no input: an incomplete create, a new default of on_delete, an expired
        # budget that needs a replacement because the clocks of two machines differ, and one that is gone.
        is_unfinished = UNFINISHED in olds or PENDING in changed
        is_hidden = is_gone or is_unfinished or changed == [KEPT_ON_DELETE] or "expires_at" in replaces
        return Diff(changed, [_GONE] if is_gone else replaces, is_hidden)

    def create(self, urn: str, inputs: Inputs) -> Stored:
        """Create or adopt the resource."""
        return self.lifecycle.create(urn, inputs)

    def read(self, urn: str, id_: str, state: Inputs) -> Stored | None:
        """Read the resource, or return None if it is provably gone; a state without GitHub's id is that of a `.get`."""
        stored = self.lifecycle.read(id_, state)
        if stored is not None and _IN_STATE.isdisjoint(state):
            self.run.registry.read(urn, _github_id(id_))
        return stored

    def update(self, urn: str, id_: str, olds: Inputs, news: Inputs) -> Stored:
        """Update the resource."""
        if isinstance(self.lifecycle, UserBudgetsLifecycle):
            return self.lifecycle.update(urn, olds, news)
        return self.lifecycle.update(id_, olds, news)

    def delete(self, urn: str, id_: str, state: Inputs) -> None:
        """Delete the resource, unless this run reads it with `.get`."""
        reader = self.run.registry.reader(urn, _github_id(id_))
        if reader is None:
            self.lifecycle.delete(urn, id_, state)
            return
        self.run.reporter.warn(
            f"kept {id_} on GitHub: {name_of(reader)} is read with .get, which deletes nothing. No stack manages it "
            "now, unless another one declares it"
        )


def all_operations(run: Run) -> dict[str, Operations]:
    """Return the operations by kind of resource; they share the run's caches, registry and preview."""
    reads = PreviewReads(run)
    names = KnownNames(run, reads)
    budgets, centers = BudgetPreview(run, reads, names), CostCenterPreview(run, reads, names)
    tables = UserBudgetsPreview(run, reads, names)
    return {
        **{
            kind.resource: Operations(
                run, Lifecycle(kind, run), partial(budgets.compare, kind), partial(budgets.compare_update, kind)
            )
            for kind in (ENTERPRISE_OWNER, ORGANIZATION_OWNER)
        },
        # A check has compared a cost center; a refresh finds one that is gone.
        COST_CENTER_RESOURCE: Operations(
            run, CostCenterLifecycle(run, CostCenterCaps), centers.compare, lambda *_: False
        ),
        BUCKET_RESOURCE: Operations(run, UserBudgetsLifecycle(run), tables.compare, tables.compare_update),
    }


def _github_id(id_: str) -> str:
    """Return GitHub's id, the last part of a resource id."""
    return id_.rpartition("/")[2]
