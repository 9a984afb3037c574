"""Identity of budgets, and comparison of field values."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.fields import Context, entity
from billing_provider.budgets.listing import login_of
from billing_provider.budgets.models import FIELDS
from billing_provider.budgets.skus import BUNDLES, canonical_sku
from billing_provider.core.inputs import is_uuid
from billing_provider.core.owners import (
    COST_CENTER,
    COST_CENTER_SCOPES,
    MULTI_USER_COST_CENTER,
    REPOSITORY,
    USER,
)
from billing_provider.core.redact import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing_provider.budgets.models import Budget, BudgetSpec, OpaqueBudget
    from billing_provider.core.owners import Owner

IDENTITY = tuple(name for name, field in FIELDS.items() if field.change == "replaces")
"""Inputs that identify a budget: a change replaces it."""

IN_PLACE = tuple(name for name, field in FIELDS.items() if field.change == "updates")
"""Inputs that a PATCH can change."""


@dataclasses.dataclass(frozen=True)
class NaturalKey:
    """The normalized fields that identify a budget on GitHub before it has an id; as text, with the names as given.

    The pricing type is not included: GitHub omits it from replies or writes it differently, and the SKU implies it.

    Attributes:
        shown: The owner as given, and the user or the entity, for the text.
    """

    owner: str
    scope: str
    entity: str
    user: str
    sku: str
    shown: tuple[Owner, str] = dataclasses.field(compare=False)

    def __str__(self) -> str:
        """Return the description of the budget, for messages."""
        owner, name = self.shown
        return f"the {self.sku} budget of {owner}, scope {self.scope}" + (f" {quoted(name)}" if name else "")

    @property
    def parts(self) -> tuple[str, ...]:
        """The fields, from the owner to the SKU, as a key of a run."""
        return (self.owner, self.scope, self.entity, self.user, self.sku)


def natural_key(owner: Owner, fields: Mapping[str, Any]) -> NaturalKey:
    """Return the key of a budget from its inputs."""
    scope = fields["budget_scope"]
    name, user = fields.get("budget_entity_name") or "", fields.get("user") or ""
    covered, product_sku = _entity(owner, scope, name), canonical_sku(fields["budget_product_sku"])
    return NaturalKey(owner.key, scope, covered, user.lower(), product_sku, (owner, user or (covered and name)))


def _entity(owner: Owner, scope: str, name: str) -> str:
    return entity(name, Context(owner, scope))


def unsure_scopes(listed: Iterable[Budget]) -> set[str]:
    """Return the ids of the budgets of cost centers in a listing that may be budgets of each member.

    Some accounts list the scope `multi_user_cost_center` as `cost_center`; then no listed budget has the former. A read
    of the budget itself shows its scope.
    """
    budgets = list(listed)
    if any(budget.budget_scope == MULTI_USER_COST_CENTER for budget in budgets):
        return set()
    # A budget of each member is always a hard stop for a bundle.
    return {
        budget.id
        for budget in budgets
        if budget.budget_scope == COST_CENTER and budget.prevent_further_usage
        if canonical_sku(budget.budget_product_sku) in BUNDLES
    }


class Match(Enum):
    """Whether a live budget is the declared one."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


def match(
    owner: Owner, spec: BudgetSpec, budget: Budget, entity_names: frozenset[str], *, scope_is_unsure: bool
) -> Match:
    """Return whether a live budget is the declared one, regardless of GitHub's spelling.

    Args:
        owner: The owner of the budgets.
        spec: The declared budget.
        budget: The live budget.
        entity_names: All names of the declared entity: for a cost center its UUID and its name.
        scope_is_unsure: Whether the live budget is one of `unsure_scopes`.
    """
    if canonical_sku(spec.budget_product_sku) != canonical_sku(budget.budget_product_sku):
        return Match.NO
    scope_match = Match.YES
    if spec.budget_scope != budget.budget_scope:
        if not (scope_is_unsure and spec.budget_scope == MULTI_USER_COST_CENTER):
            return Match.NO
        scope_match = Match.MAYBE
    if spec.budget_scope == USER:
        return Match.YES if login_of(budget).lower() == (spec.user or "").lower() else Match.NO
    live_entity = _entity(owner, spec.budget_scope, budget.budget_entity_name or "")
    if live_entity in {_entity(owner, spec.budget_scope, name) for name in entity_names}:
        # Two cost centers may have names that differ only in case, and GitHub returns the name in a budget.
        exact = budget.budget_entity_name in entity_names or is_uuid(live_entity)
        return scope_match if exact or spec.budget_scope not in COST_CENTER_SCOPES else Match.MAYBE
    if spec.budget_scope == REPOSITORY and "/" not in live_entity:
        # Some replies omit the owner, and several organizations of an enterprise can have a repository of this name.
        names = {name.rpartition("/")[2].lower() for name in entity_names}
        return Match.MAYBE if live_entity in names else Match.NO
    return Match.NO


def may_be(owner: Owner, spec: BudgetSpec, opaque: OpaqueBudget, entity_names: frozenset[str]) -> bool:
    """Return whether a live budget that was not understood may be the declared one: nothing that it shows differs.

    Args:
        owner: The owner of the budgets.
        spec: The declared budget.
        opaque: The live budget.
        entity_names: All names of the declared entity.
    """
    skus = {canonical_sku(sku) for sku in opaque.skus}
    if skus and canonical_sku(spec.budget_product_sku) not in skus:
        return False
    scope, user, shown = (opaque.text(name) for name in ("budget_scope", "user", "budget_entity_name"))
    unsure = {COST_CENTER} if spec.budget_scope == MULTI_USER_COST_CENTER else set()
    if scope and scope not in {spec.budget_scope, *unsure}:
        return False
    if spec.budget_scope == USER:
        return (user or shown).lower() in {"", (spec.user or "").lower()}
    live = _entity(owner, spec.budget_scope, shown)
    names = {_entity(owner, spec.budget_scope, name) for name in entity_names}
    return live in {"", *names, *(name.rpartition("/")[2] for name in names if spec.budget_scope == REPOSITORY)}


def same(owner: Owner, field: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether a field is equivalent in two budgets of an owner; absent and None are equal.

    The scope of a budget can determine its entity, so each value is normalized in the scope of its own budget.
    """
    before, after = one.get(field), other.get(field)
    scope, new_scope = one.get("budget_scope"), other.get("budget_scope")
    if before == after and scope == new_scope:
        # Nearly all are, and each check and each comparison asks for all fields.
        return True
    normalize = FIELDS[field].normalize
    return bool(normalize(before, Context(owner, scope or "")) == normalize(after, Context(owner, new_scope or "")))


def differing(owner: Owner, one: Mapping[str, Any], other: Mapping[str, Any], fields: tuple[str, ...]) -> list[str]:
    """Return the fields that are not equivalent, in the given order."""
    return [field for field in fields if not same(owner, field, one, other)]


def live_inputs(
    owner: Owner, declared: Mapping[str, Any], budget: Budget, entity_names: frozenset[str]
) -> dict[str, Any]:
    """Return a live budget as inputs; equivalent values keep their declared spelling.

    Fields that GitHub omits from its reply count as unchanged.

    Args:
        owner: The owner of the budget.
        declared: The inputs as declared or as last read; empty for the first read of a budget.
        budget: The budget as GitHub stores it.
        entity_names: Further spellings of the declared entity, such as the name of a cost center declared by its UUID.
    """
    live: dict[str, Any] = {owner.kind.noun: owner.slug}
    live |= {
        field: getattr(budget, field)
        for field in (*IDENTITY, *IN_PLACE)
        if field not in live and getattr(budget, field, None) is not None
    }
    if budget.budget_alerting is not None:
        live["budget_alerting"] = budget.budget_alerting.model_dump()
    if declared.get("budget_scope") == MULTI_USER_COST_CENTER and budget.budget_scope == COST_CENTER:
        live["budget_scope"] = MULTI_USER_COST_CENTER
    scope = live["budget_scope"]
    for name, declaration in FIELDS.items():
        if not declaration.in_scope(scope) and not declaration.seen_elsewhere:
            live.pop(name, None)
    if scope == USER:
        # GitHub may return the login as the entity.
        live.setdefault("user", budget.budget_entity_name)
    live["budget_entity_name"] = _seen_entity(owner, scope, declared, budget.budget_entity_name or "", entity_names)
    reported = {*live, *budget.model_fields_set}
    result: dict[str, Any] = {}
    for field in (owner.kind.noun, *IDENTITY[2:], *IN_PLACE):
        source = declared if field not in reported or same(owner, field, declared, live) else live
        source = live if not declared else source
        if source.get(field) is not None:
            result[field] = source[field]
    return result


def _seen_entity(
    owner: Owner, scope: str, declared: Mapping[str, Any], entity: str, entity_names: frozenset[str]
) -> str:
    """Return the live entity, in the declared spelling if it is one of the declared entity's names."""
    mine: str = declared.get("budget_entity_name") or ""
    names = {_entity(owner, scope, name) for name in (mine, *entity_names)}
    here = _entity(owner, scope, entity)
    bare = scope == REPOSITORY and "/" not in here and mine.lower().endswith(f"/{here}")
    if declared and (here in names or bare):
        return mine
    return entity if here else ""
