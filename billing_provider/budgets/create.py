"""The create of a budget: how to list, match, send and adopt it; `CreateOnce` is the protocol."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import approved_raises, removal
from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, OwnerCache
from billing_provider.budgets.change import Change, refusal
from billing_provider.budgets.expiry import is_over
from billing_provider.budgets.identity import (
    IN_PLACE,
    Match,
    differing,
    live_inputs,
    match,
    may_be,
    natural_key,
    unsure_scopes,
)
from billing_provider.budgets.models import Budget
from billing_provider.budgets.remaining import remaining
from billing_provider.budgets.states import read_spec
from billing_provider.budgets.wire import create_body, patch_bodies, send_parts
from billing_provider.core.errors import OutcomeError
from billing_provider.core.inputs import is_uuid
from billing_provider.core.owners import COST_CENTER_SCOPES, MULTI_USER_COST_CENTER, REPOSITORY, USER, Owner
from billing_provider.core.resource import secret_inputs
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE
from billing_provider.runtime.create_once import Created, CreateOnce

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from billing_provider.budgets.listing import Listing
    from billing_provider.core.errors import ApiError
    from billing_provider.core.owners import OwnerKind
    from billing_provider.runtime.run import Run

_SHOWN = 5


class BudgetCreate(CreateOnce[Budget]):
    """The create of one budget.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The owner of the budget.
        urn: The URN of the resource to create.
        on_existing: What to do about an existing budget with the same natural key: one of `ON_EXISTING`.
        inputs: The checked inputs of the budget to create.

    Attributes:
        spec: The declared budget.
        entity: The entity in the form that GitHub accepts, such as a cost center's UUID; set by `run`.
        words: What an adoption changes; set by `run`.
    """

    def __init__(self, run: Run, owner: Owner, urn: str, on_existing: str | None, inputs: Mapping[str, Any]) -> None:
        super().__init__(run, owner, urn, on_existing)
        self._inputs, self.spec = inputs, read_spec(inputs)
        self._client, self._budgets = run.api(BudgetsApi), run.cache(OwnerCache, owner)
        self.entity, self.words = "", ""
        self._names: frozenset[str] = frozenset()
        self._unsure: set[str] = set()
        self._before: Container[str] = ()

    def run(self) -> Created[Budget]:
        """Create or adopt the budget and return it.

        Raises:
            BillingError: As for `CreateOnce.create_or_adopt`; or the cost center is not found.
        """
        with self._budgets.lock:
            self.find_entity(CREATE_FRESH_SECONDS)
            created = self.create_or_adopt()
            self._budgets.remember(created.item)
            return created

    def what(self) -> str:
        """Return the description of the budget, for messages."""
        return str(natural_key(self._owner, dict(self.spec)))

    def find_entity(self, max_age: float) -> None:
        """Set the entity in the form that GitHub accepts, and all names that a listing may use for it.

        Args:
            max_age: Maximum age of the listing of cost centers, in seconds.

        Raises:
            ConfigError: The cost center is not found.
        """
        declared = self.spec.budget_entity_name
        self.entity, self._names = declared, frozenset({declared})
        if self.spec.budget_scope == REPOSITORY and "/" not in declared:
            self.entity = f"{self._owner.slug}/{declared}"
        if self.spec.budget_scope in COST_CENTER_SCOPES:
            center = self._run.cache(CostCenterCache, self._owner).find(declared, max_age)
            self.entity, self._names = center.id, frozenset({center.id, center.name})

    def remark(self, existing: Budget | None) -> str:
        """Return that an existing budget may be that of an archived cost center, which had the same name; or nothing.

        Args:
            existing: The budget to adopt, or None.
        """
        name = existing.budget_entity_name or "" if existing and self.spec.budget_scope in COST_CENTER_SCOPES else ""
        centers = self._run.cache(CostCenterCache, self._owner).list_all() if name and not is_uuid(name) else []
        former = [center.id for center in centers if center.state != ACTIVE and center.name.lower() == name.lower()]
        if not former:
            return ""
        return (
            f"the archived cost center {former[0]} has the same name: check on GitHub which of the two the budget "
            "caps, and delete it there if it is not the declared one"
        )

    def list_known(self) -> Mapping[str, Budget]:
        """Return the budgets that may be the declared one; changes of one run share the listing."""
        return self._alike(self._budgets.of_scope(self.spec.budget_scope))

    def list_before(self) -> Mapping[str, Budget]:
        """Return the budgets that may be the declared one; creates in quick succession share one listing."""
        max_age = self._budgets.age_for_creates() if self.spec.budget_scope == USER else CREATE_FRESH_SECONDS
        listing = self._before = self._budgets.listing(max_age)
        return self._alike(listing)

    def ids_in(self, before: Mapping[str, Budget]) -> Container[str]:  # noqa: ARG002 - it has the alike ones only
        """Return the ids in the listing that `list_before` has read; the lock of the owner keeps it as it is."""
        return self._before

    def list_now(self) -> Mapping[str, Budget]:
        """Return the budgets that may be the declared one, from a new listing."""
        return self._alike(self._budgets.listing(max_age=0))

    def _alike(self, listing: Listing) -> Mapping[str, Budget]:
        """Return those that may be the declared budget."""
        scope = self.spec.budget_scope
        # An account without any listed budget of each member may list these in another scope.
        self._unsure = unsure_scopes(listing.all().values()) if scope == MULTI_USER_COST_CENTER else set[str]()
        return listing.named(scope, {self.spec.user or ""} if scope == USER else self._names)

    def is_known(self, id_: str) -> bool:
        """Return whether a listing of this run has shown a budget, whoever's it is."""
        return self._budgets.known(id_) is not None

    def matches(self, listing: Mapping[str, Budget]) -> tuple[list[Budget], list[Budget]]:
        """Return the budgets with the declared key, and those that may have it."""
        certain: list[Budget] = []
        unsure: list[Budget] = []
        for budget in listing.values():
            found = match(self._owner, self.spec, budget, self._names, scope_is_unsure=budget.id in self._unsure)
            if found is Match.YES:
                certain.append(budget)
            elif found is Match.MAYBE:
                unsure.append(budget)
        if not certain:
            self._check_opaque()
        return certain, unsure

    def _check_opaque(self) -> None:
        """Check that no budget that was not understood may be the declared one.

        Raises:
            OutcomeError: One may be.
        """
        for other in self._budgets.opaque():
            if may_be(self._owner, self.spec, other, self._names):
                raise OutcomeError(
                    f"{self.what()} may exist already as {other}. Compare it on GitHub: if it is the declared one, "
                    "remove one of the two, then run again."
                )

    def is_new_and_ours(self, found: Budget) -> bool:
        """Return whether a new budget has the declared values."""
        return not self._differences(found)

    def send(self) -> Budget | None:
        """Send the create once."""
        return self._client.create_budget(self._owner, create_body(self.spec, self.entity))

    def is_conflict(self, error: ApiError) -> bool:
        """Return whether GitHub refused the create because a budget with this key exists."""
        return _is_conflict(error)

    def conflict_message(self, error: ApiError, listing: Mapping[str, Budget]) -> str:  # noqa: ARG002 - unused
        """Return the message that the listing does not show the existing budget."""
        return f"{self.what()} exists already, but the listing does not show it: {error} Run again later."

    def compare_existing(self, existing: Budget) -> tuple[Budget, list[str], list[str]]:
        """Return the budget and the fields that differ; only `adopt` may change them.

        Raises:
            OutcomeError: It has another `budget_type`, which an update cannot change.
        """
        different = self._differences(existing)
        former = self._run.registry.former(self._urn).get(existing.id)
        # As an update, a changed amount of the former budget ends a raise.
        ends_raise = former and approved_raises.sends_amount(former, self._inputs)
        if approved_raises.raised_to(self._inputs, existing.budget_amount) is not None and not ends_raise:
            different.remove("budget_amount")
        expires = self.spec.expires_at or (self.spec.budget_scope == USER and self.is_former(existing))
        alerts = self.spec.budget_alerting is not None and self.spec.budget_alerting.will_alert
        hidden = {
            "budget_alerting": alerts and existing.budget_alerting is None,
            "expires_at": expires and not existing.expires_at,
            "exclude_cost_center_usage": (
                self.spec.exclude_cost_center_usage and existing.exclude_cost_center_usage is None
            ),
        }
        # What GitHub leaves out counts as unchanged only for a budget in the state. This budget is not in the state, or
        # it is there with a date that has passed, so a declared value counts as different.
        different += [name for name, is_hidden in hidden.items() if is_hidden and name not in different]
        if "budget_type" in different:
            raise OutcomeError(
                f"{self.what()} exists already as {existing.id}, with the budget_type {existing.budget_type}, "
                "which an update cannot change. Declare this budget_type, or delete the budget, then run again."
            )
        return existing, different, different

    def changes(self, existing: Budget | None, sent: Iterable[str]) -> tuple[Change, Change | None]:
        """Return what the create does to the cap, and to the cap of the budget that it replaces by another one.

        Args:
            existing: The budget to adopt, or None for a new one.
            sent: The fields that the adoption changes.
        """
        former = self._run.registry.former(self._urn)
        if existing is None:
            change = Change({}, self._inputs)
        else:
            change = Change.adoption(self._owner, self._inputs, existing, sent, former.get(existing.id, {}))
        stays = existing.id if existing is not None else ""
        return change, replacement(self._run, self._owner.kind, self._urn, self._inputs, self._known, stays)

    def _known(self, owner: Owner, budget_id: str, _state: Mapping[str, Any]) -> Budget | None:
        return self._run.cache(OwnerCache, owner).known(budget_id)

    def allow(self, existing: Budget | None, different: list[str]) -> None:
        """Check the limits right before a write.

        Raises:
            OutcomeError: They refuse it.
        """
        change, replaced = self.changes(existing, different)
        self.words = change.words()
        if reason := refusal(self._run.guards, change, replaced, partial(remaining, self._run)):
            raise OutcomeError(f"{self.what()}: {reason}. Nothing was sent.")

    def update(self, existing: Budget, different: list[str]) -> Budget:
        """Send the fields that differ and return the updated budget."""
        bodies = patch_bodies(self.spec, different)
        replies = send_parts(partial(self._client.update_budget, self._owner, existing.id), bodies)
        return replies[-1] or self._client.get_budget(self._owner, existing.id)

    def describe(self, existing: Budget, different: list[str]) -> str:
        """Return the fields that differ, each with the live and the declared value."""
        live = live_inputs(self._owner, {}, existing, self._names)
        declared, secret = self.spec.model_dump(), secret_inputs(self._inputs)
        return ", ".join(
            f"{name} (secret)"
            if name in secret
            else f"{name} ({_value(live.get(name))} there, {_value(declared[name])} declared)"
            for name in different
        )

    def _differences(self, budget: Budget) -> list[str]:
        declared = self.spec.model_dump()
        live = live_inputs(self._owner, declared, budget, self._names)
        return differing(self._owner, declared, live, ("budget_type", *IN_PLACE))


def replacement(  # noqa: PLR0917 - what a check knows
    run: Run,
    kind: OwnerKind,
    urn: str,
    inputs: Mapping[str, Any],
    find: Callable[[Owner, str, Mapping[str, Any]], Budget | None],
    stays: str = "",
    unknown: frozenset[str] = frozenset(),
) -> Change | None:
    """Return the change from the former budget of a resource to the declared one; None if no budget goes.

    A budget stays if a delete keeps it, and an expired one is no cap any more.

    Args:
        run: The state shared by the resources of this engine run.
        kind: The kind of the owner; the owner itself can be what changes.
        urn: The URN of the resource.
        inputs: The declared inputs that are known; none if nothing is created.
        find: Returns the live budget by owner, id and outputs, or None if it is not known.
        stays: The id of the budget that the create takes.
        unknown: The names of the inputs not known yet.
    """
    for budget_id, state in run.registry.former(urn).items():
        if budget_id == stays or not state or removal.remains(state, retained=False):
            continue
        owner = Owner(kind, state[kind.noun])
        live = find(owner, budget_id, state)
        if live is not None or not is_over(state, run.clock.utc()):
            # One that is gone already may come back elsewhere: nothing goes with it.
            goes = not run.registry.is_gone(budget_id)
            return Change(Change.standing(owner, state, live), inputs, unknown=unknown, replaces=goes)
    return None


def _value(value: Any) -> str:
    """Return the value of a field, for a message."""
    if isinstance(value, dict):
        names = ", ".join(value["alert_recipients"][:_SHOWN]) or "the default recipients"
        return f"alerts {names}" if value["will_alert"] else "alerts nobody"
    return "none" if value is None else str(value)


def _is_conflict(error: ApiError) -> bool:
    """Return whether GitHub refused a second budget; the text of that error is not documented."""
    words = error.message.lower()
    return error.status in (400, 409, 422) and any(word in words for word in ("already", "duplicate"))
