"""Create a budget once: look first, send once, settle what is unknown by looking again, take over what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.cache import CREATE_FRESH_SECONDS
from billing_provider.budgets.identity import IN_PLACE, Match, differing, live_inputs, match, natural_key
from billing_provider.budgets.models import Budget
from billing_provider.core.clock import instant
from billing_provider.core.errors import ApiError, NotSentError, OutcomeError, TransportError, WaitError
from billing_provider.core.inputs import ADOPT, ADOPT_IF_IDENTICAL, ERROR
from billing_provider.core.owners import COST_CENTER_SCOPES, MULTI_USER_COST_CENTER, REPOSITORY, USER
from billing_provider.transport import retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.budgets.api import BudgetsApi
    from billing_provider.budgets.cache import OwnerCache
    from billing_provider.budgets.models import BudgetSpec
    from billing_provider.core.clock import Clock
    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.cache import CostCenterCache
    from billing_provider.runtime.registry import ResourceRegistry

MAX_POSTS = 3
"""Most POSTs of one create; each but the first only after GitHub provably did not apply the one before."""
_LOOKS = (1 / 15, 1 / 3, 3 / 4, 7 / 8, 1)
"""When the listing is looked at, as parts of the settling time: soon, then often once GitHub has given up its work."""


@dataclass(frozen=True)
class Created:
    """The budget that now stands for a resource.

    Attributes:
        budget: As GitHub stores it.
        adopted: Whether it was there before.
        updated: The fields that were brought to the declared values on adoption.
    """

    budget: Budget
    adopted: bool
    updated: tuple[str, ...] = ()


@dataclass
class BudgetCreate:
    """One create of one budget.

    Attributes:
        owner: Whose budget.
        spec: What to create.
        urn: The resource that asks.
        on_existing: What to do about a budget with the same natural key: one of `rules.ON_EXISTING`.
        client: The calls.
        budgets: What the run knows of the owner's budgets.
        cost_centers: What the run knows of the owner's cost centers.
        registry: Which resource holds which budget.
        clock: The time.
        settle_seconds: How long to look for a budget whose create was not answered; above GitHub's own cut-off.
        entity: Its entity in the form that GitHub takes: a cost center's UUID.
        names: Every spelling of its entity.
    """

    owner: Owner
    spec: BudgetSpec
    urn: str
    on_existing: str
    client: BudgetsApi
    budgets: OwnerCache
    cost_centers: CostCenterCache
    registry: ResourceRegistry
    clock: Clock
    settle_seconds: float
    entity: str = field(init=False)
    names: frozenset[str] = field(init=False)

    def run(self) -> Created:
        """Bring the budget about and return it; at no time are there two.

        Raises:
            OutcomeError: A budget with this key exists and may not be taken over, or the outcome stays unknown.
            ApiError: GitHub refused it; nothing was created.
            NotSentError: No connection; nothing was created.
        """
        with self.budgets.lock:
            self.entity, self.names = self._spellings()
            before = self.budgets.complete(CREATE_FRESH_SECONDS)
            existing = self._existing(before)
            if existing is not None:
                return self._adopt(existing)
            try:
                return self._post(before)
            except ApiError as error:
                if not _says_taken(error):
                    raise
                existing = self._existing(self.budgets.complete(max_age=0))
                if existing is None:
                    raise OutcomeError(
                        f"{self._what()} exists already, but the listing does not show it: {error} Run again later."
                    ) from None
                return self._adopt(existing)

    def _spellings(self) -> tuple[str, frozenset[str]]:
        """Return the entity as GitHub takes it, and all the names under which a listing may show it."""
        declared = self.spec.budget_entity_name
        if self.spec.budget_scope == REPOSITORY and "/" not in declared:
            return f"{self.owner.slug}/{declared}", frozenset({declared})
        if self.spec.budget_scope not in COST_CENTER_SCOPES:
            return declared, frozenset({declared})
        center = self.cost_centers.find(declared, CREATE_FRESH_SECONDS)
        return center.id, frozenset({center.id, center.name})

    def _existing(self, listing: Mapping[str, Budget]) -> Budget | None:
        """Return the one live budget with the declared key, or None.

        Raises:
            OutcomeError: There are several, it belongs to another resource, or GitHub does not say enough.
        """
        certain, unsure = self._matches(listing)
        if len(certain) > 1:
            ids = " and ".join(budget.id for budget in certain)
            raise OutcomeError(f"{self._what()} exists more than once: {ids}. Delete all but one, then run again.")
        if certain:
            holder = self.registry.holder(certain[0].id)
            if holder not in (None, self.urn):
                raise OutcomeError(f"{self._what()} is declared twice: it is {certain[0].id} of {holder} already.")
            return certain[0]
        unsure = [budget for budget in unsure if self.registry.holder(budget.id) is None]
        if unsure:
            ids = " and ".join(budget.id for budget in unsure)
            raise OutcomeError(
                f"{self._what()} may exist already as {ids}: GitHub's listing does not tell its entity or scope in "
                "full. Import it if it is the one (see Adoption in the README), else delete it, then run again."
            )
        return None

    def _matches(self, listing: Mapping[str, Budget]) -> tuple[list[Budget], list[Budget]]:
        told = any(budget.budget_scope == MULTI_USER_COST_CENTER for budget in listing.values())
        certain: list[Budget] = []
        unsure: list[Budget] = []
        for budget in listing.values():
            found = match(self.owner, self.spec, budget, self.names, per_member_is_told=told)
            if found is Match.YES:
                certain.append(budget)
            elif found is Match.MAYBE:
                unsure.append(budget)
        return certain, unsure

    def _differences(self, budget: Budget) -> list[str]:
        declared = self.spec.model_dump()
        live = live_inputs(self.owner, declared, budget, self.names)
        return differing(self.owner, declared, live, ("budget_type", *IN_PLACE))

    def _adopt(self, existing: Budget) -> Created:
        """Take over a budget that is there, as far as `on_existing` allows."""
        different = self._differences(existing)
        if self.spec.expires_at and not existing.expires_at:
            # A reply that leaves the expiry out says nothing against the declared one of a budget of ours, but nobody
            # ever gave one to this budget that we know of.
            different.append("expires_at")
        if "budget_type" in different:
            raise OutcomeError(
                f"{self._what()} exists already as {existing.id}, with the budget_type {existing.budget_type}, "
                "which no update changes. Declare that one, or delete the budget, then run again."
            )
        if self.on_existing == ERROR or (different and self.on_existing != ADOPT):
            how = "is as declared" if not different else f"differs in {', '.join(different)}"
            choice = ADOPT_IF_IDENTICAL if not different else ADOPT
            raise OutcomeError(
                f"{self._what()} exists already as {existing.id}; it {how}. "
                f'To manage it here set on_existing="{choice}", or import it (see Adoption in the README).'
            )
        if different:
            body = patch_body(self.spec, different)
            told = self.client.update_budget(self.owner, existing.id, body)
            existing = told or Budget.model_validate({**existing.model_dump(exclude_unset=True), **body})
        self.registry.adopt(self.urn, existing.id)
        self.budgets.remember(existing)
        return Created(existing, adopted=True, updated=tuple(different))

    def _post(self, before: Mapping[str, Budget]) -> Created:
        """Send the create, and again only when the one before provably did nothing."""
        body = create_body(self.spec, self.entity)
        for _ in range(MAX_POSTS):
            budget, failure = self._post_once(body)
            if budget is not None and budget.id in before:
                # The answer is about another budget, so the id of the new one is not known.
                budget = None
            budget = budget or self._confirm(before, failure)
            if budget is not None:
                self.registry.hold(self.urn, budget.id)
                self.budgets.remember(budget)
                return Created(budget, adopted=False)
        raise OutcomeError(f"{self._what()} was not created, as GitHub's listing shows: {failure} Run again later.")

    def _post_once(self, body: Mapping[str, Any]) -> tuple[Budget | None, Exception | None]:
        """Return the created budget, or None with the failure that leaves open whether there is one."""
        try:
            return self.client.create_budget(self.owner, body), None
        except NotSentError:
            raise
        except TransportError as error:
            return None, error
        except ApiError as error:
            if not retry.is_transient(error.status):
                raise
            return None, error

    def _confirm(self, before: Mapping[str, Budget], failure: Exception | None) -> Budget | None:
        """Look for the budget of an unanswered create until GitHub can no longer be working on it.

        A look that fails does not end it: whoever ran again at once would see nothing yet and create a second one.

        Returns:
            The one new budget with our key and our values, or None when it is certain that there is none.

        Raises:
            OutcomeError: The listing cannot be read, or shows something that is not ours.
        """
        # From the lost answer on: the request may have waited long for its turn before it was sent.
        lost_at = self.clock.now()
        unread: Exception | None = None
        for part in _LOOKS:
            self.clock.sleep(max(0.0, lost_at + part * self.settle_seconds - self.clock.now()))
            try:
                listing, unread = self.budgets.complete(max_age=0), None
            except (ApiError, TransportError, WaitError) as error:
                unread = error
                continue
            certain, unsure = self._matches({key: value for key, value in listing.items() if key not in before})
            mine = [budget for budget in certain + unsure if self.registry.holder(budget.id) is None]
            if len(mine) > 1 or (mine and self._differences(mine[0])):
                ids = " and ".join(budget.id for budget in mine)
                raise OutcomeError(
                    f"{self._what()}: somebody else made {ids} at this moment. Check them, then run again."
                )
            if mine:
                return mine[0]
        if unread is not None:
            raise OutcomeError(
                f"{self._what()} may have been created: {failure or 'GitHub did not tell its id.'} "
                f"It could not be looked up: {unread} Run again: the next run looks first and takes it over."
            )
        if failure is None:
            raise OutcomeError(
                f"{self._what()} was created, says GitHub, without an id of its own, and the listing does not "
                "show it yet. Run again: the next run looks first and takes it over."
            )
        return None

    def _what(self) -> str:
        return str(natural_key(self.owner, self.spec))


def _says_taken(error: ApiError) -> bool:
    """Tell whether GitHub refused a existing; its words for that are not documented."""
    words = error.said.lower()
    return error.status in (400, 409, 422) and any(word in words for word in ("already", "duplicate"))


def create_body(spec: BudgetSpec, entity: str) -> dict[str, Any]:
    """Return the body of a create: what GitHub requires always, the rest only where it is declared."""
    body: dict[str, Any] = {
        "budget_amount": spec.budget_amount,
        "prevent_further_usage": spec.prevent_further_usage,
        # Required even of a user's budget, which must then alert nobody.
        "budget_alerting": _alerting_body(spec),
        "budget_scope": spec.budget_scope,
        "budget_entity_name": "" if spec.budget_scope == USER else entity,
        "budget_type": spec.budget_type,
        "budget_product_sku": spec.budget_product_sku,
    }
    if spec.user:
        body["user"] = spec.user
    if spec.expires_at:
        body["expires_at"] = _day(spec)
    if spec.exclude_cost_center_usage:
        body["exclude_cost_center_usage"] = True
    return body


def patch_body(spec: BudgetSpec, fields: list[str]) -> dict[str, Any]:
    """Return the body of an update of these fields, with their whole declared values; an expiry can be cleared."""
    values = {
        "budget_amount": spec.budget_amount,
        "prevent_further_usage": spec.prevent_further_usage,
        "budget_alerting": _alerting_body(spec),
        "expires_at": _day(spec),
        "exclude_cost_center_usage": spec.exclude_cost_center_usage,
    }
    return {field: values[field] for field in fields}


def _day(spec: BudgetSpec) -> str | None:
    """Return the expiry in the one form that GitHub takes, or None, which clears it."""
    return instant(spec.expires_at).date().isoformat() if spec.expires_at else None


def _alerting_body(spec: BudgetSpec) -> dict[str, Any]:
    alerting = spec.budget_alerting
    return alerting.model_dump() if alerting else {"will_alert": False, "alert_recipients": []}
