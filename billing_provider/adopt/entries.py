"""Live budgets and cost centers as resources: what a program declares for each, and what the state holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.adopt import names
from billing_provider.adopt.inventory import entity_of
from billing_provider.budgets import expiry
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, differing, live_inputs, natural_key
from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.budgets.models import complete
from billing_provider.core.ids import resource_id
from billing_provider.core.inputs import is_uuid
from billing_provider.core.owners import COST_CENTER_SCOPES, REPOSITORY
from billing_provider.core.redact import clean, quoted
from billing_provider.cost_centers.cache import matching
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.models import ACTIVE, MEMBER_KINDS, as_inputs
from billing_provider.runtime.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from billing_provider.adopt.inventory import Inventory
    from billing_provider.budgets.identity import NaturalKey
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.core.resource import Checked, Stored
    from billing_provider.cost_centers.models import CostCenterDetails

COST_CENTER_KIND = "CostCenter"
_SHOWN = 300
_REASONS = 3
_LISTED = 4


@dataclass(frozen=True)
class Entry:
    """One resource that a program can declare.

    Attributes:
        kind: The name of its class: `EnterpriseBudget`, `OrgBudget` or `CostCenter`.
        wanted: Its readable name, before it is made unique.
        declared: The inputs to write in a program, without GitHub's defaults.
        stored: What the state holds for it.
        scope: The scope of a budget; empty for a cost center.
        cost_center: The resource id of the cost center that a budget covers; an export may lack an entry for it.
    """

    kind: str
    wanted: str
    declared: dict[str, Any]
    stored: Stored
    scope: str = ""
    cost_center: str | None = None

    @property
    def id(self) -> str:
        """The id of the resource."""
        return self.stored.id

    @property
    def rank(self) -> tuple[str, ...]:
        """The position in the export: cost centers first, then budgets by name."""
        return ("" if self.kind == COST_CENTER_KIND else "budget", self.wanted, self.kind, self.id)


@dataclass(frozen=True)
class Skipped:
    """A live budget or cost center that is not exported.

    Attributes:
        what: Its description, cleaned for display.
        reason: Why, and what to do; cleaned for display.
        id: The id of its resource.
        scope: The scope of a budget; empty for a cost center.
    """

    what: str
    reason: str
    id: str
    scope: str = ""


class _Silent:
    """A reporter for checks of what exists already: nothing is about to change, so nothing is said."""

    is_live = False

    def warn(self, text: str) -> None:
        """Ignore a warning."""

    def status(self, text: str) -> None:
        """Ignore a status."""


def quiet(run: Run) -> Run:
    """Return a run with the same settings and clock, for what exists already; nothing is registered in the given one.

    Args:
        run: The run of the reading.
    """
    return Run(lambda: run.settings, _Silent(), run.clock)


@dataclass
class _Candidate:
    """A live budget on its way to an entry."""

    owner: Owner
    budget: Budget
    center: CostCenterDetails | None
    declared: dict[str, Any]
    problems: list[str]

    @property
    def key(self) -> NaturalKey:
        """The key that only one declared budget can have."""
        return natural_key(self.owner, complete(self.owner.kind, self.declared, frozenset()))


def find_entries(run: Run, inventories: Iterable[Inventory]) -> tuple[list[Entry], list[Skipped]]:
    """Return the resources for everything that owners have, in order, and what cannot be declared.

    Args:
        run: Settings and clock; nothing is sent.
        inventories: What the owners have.
    """
    found = _Finder(run)
    for inventory in inventories:
        found.cost_centers(inventory)
        found.budgets(inventory)
    return sorted(found.entries, key=lambda entry: entry.rank), found.skipped


class _Finder:
    """Collects the entries and what is skipped."""

    def __init__(self, run: Run) -> None:
        self._run = quiet(run)
        self._now = run.clock.utc()
        self.entries: list[Entry] = []
        self.skipped: list[Skipped] = []

    def cost_centers(self, inventory: Inventory) -> None:
        """Add the cost centers of an enterprise."""
        lifecycle = CostCenterLifecycle(self._run)
        # In a fixed order: of two that have one member, the first one is exported.
        for center in sorted(inventory.active_cost_centers, key=lambda center: (center.name, center.id)):
            given = as_inputs(center)
            members = {kind: sorted(given[kind], key=str.lower) for kind in MEMBER_KINDS if given[kind]}
            pool = {"ai_credit_pool_enabled": True} if given.get("ai_credit_pool_enabled") else {}
            declared = {"enterprise": inventory.owner.slug, "name": center.name, **members, **pool}
            name = f"{quoted(center.name)} ({center.id})"
            checked = lifecycle.check(f"::{name}", {}, declared, frozenset())
            if checked.problems:
                id_ = resource_id(inventory.owner.kind.noun, inventory.owner.slug, center.id)
                self._skip(f"cost center {name}", _reasons(checked), id_)
                continue
            stored = lifecycle.adopted(checked.inputs, center)
            self.entries.append(Entry(COST_CENTER_KIND, names.cost_center_name(center.name), declared, stored))

    def budgets(self, inventory: Inventory) -> None:
        """Add the budgets of an owner."""
        candidates = [self._candidate(inventory, budget) for budget in inventory.budgets]
        duplicates: dict[NaturalKey, list[str]] = defaultdict(list)
        for each in candidates:
            if not each.problems:
                duplicates[each.key].append(each.budget.id)
        for each in sorted(candidates, key=lambda each: each.budget.id):
            same = duplicates[each.key]
            if len(same) > 1 and not each.problems:
                each.problems.append(
                    f"{len(same)} live budgets are for the same target and SKU ({', '.join(sorted(same)[:_LISTED])}): "
                    "a program can declare only one, so delete the others on GitHub, then export again"
                )
            self._add(each)

    def _candidate(self, inventory: Inventory, budget: Budget) -> _Candidate:
        """Return a budget with its inputs, without GitHub's defaults; the entity of a cost center is its UUID."""
        owner = inventory.owner
        inputs = live_inputs(owner, {}, budget, frozenset())
        if budget.budget_scope == REPOSITORY:
            inputs["budget_entity_name"] = entity_of(owner, budget)
        center = None
        problems = []
        if budget.budget_scope in COST_CENTER_SCOPES:
            named = matching(budget.budget_entity_name or "", inventory.cost_centers, (ACTIVE,))
            if len(named) == 1:
                center = named[0]
                inputs["budget_entity_name"] = center.id
            else:
                fits = "more than one" if named else "no"
                problems.append(f"it covers {budget.budget_entity_name}, and {fits} active cost center has that name")
        if expiry.is_over(inputs, self._now):
            problems.append(f"it expired on {inputs['expires_at']}: GitHub removes it")
        return _Candidate(owner, budget, center, _without_defaults(owner, inputs), problems)

    def _add(self, each: _Candidate) -> None:
        owner, budget, scope = each.owner, each.budget, each.budget.budget_scope
        what = f"budget {budget.id} of {owner}: {budget.budget_product_sku}, scope {scope}"
        whose = budget.user or budget.budget_entity_name
        what += f" {quoted(whose)}" if whose else ""
        lifecycle = Lifecycle(owner.kind, self._run)
        problems, inputs = each.problems, each.declared
        if not problems:
            # The budget's id is unique, so it can stand for the name of the resource.
            checked = lifecycle.check(f"::{budget.id}", {}, each.declared, frozenset())
            problems, inputs = _reasons(checked), checked.inputs
        if problems:
            self._skip(what, problems, resource_id(owner.kind.noun, owner.slug, budget.id), scope)
            return
        center = each.center
        stored = lifecycle.adopted(inputs, budget, center.id if center else None)
        wanted = names.budget_name(owner, inputs, center.name if center else "")
        # A program finds the cost center of a resource by its UUID only.
        of = resource_id(owner.kind.noun, owner.slug, center.id) if center and is_uuid(center.id) else None
        self.entries.append(Entry(owner.kind.resource, wanted, each.declared, stored, scope, of))

    def _skip(self, what: str, reasons: Sequence[str], id_: str, scope: str = "") -> None:
        self.skipped.append(Skipped(clean(what, _SHOWN), clean("; ".join(reasons), _SHOWN), id_, scope))


def _reasons(checked: Checked) -> list[str]:
    return [str(problem) for problem in checked.problems[:_REASONS]]


def _without_defaults(owner: Owner, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a live budget without those that a program can leave out."""
    kept = dict(inputs)
    fields = (owner.kind.noun, *IDENTITY[2:], *IN_PLACE)
    required = (owner.kind.noun, "budget_amount", "budget_product_sku")
    for name in [name for name in inputs if name not in required]:
        rest = {key: value for key, value in kept.items() if key != name}
        if not differing(owner, complete(owner.kind, rest, frozenset()), inputs, fields):
            kept = rest
    return kept
