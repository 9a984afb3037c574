"""Check, diff, create, read, update and delete of a budget on plain dicts, independent of Pulumi."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import approved_raises, expiry, remaining, removal, rules, successor
from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, OwnerCache
from billing_provider.budgets.change import Change
from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.create import BudgetCreate
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, differing, live_inputs, natural_key, same
from billing_provider.budgets.models import Budget, complete, read_inputs
from billing_provider.budgets.skus import canonical_sku
from billing_provider.budgets.states import OUTPUTS, BudgetState, read_spec
from billing_provider.budgets.wire import doubts, patch_bodies, send_parts
from billing_provider.core.errors import ConfigError, NotFoundError, OutcomeError
from billing_provider.core.ids import parse_resource_id, read_slug, resource_id
from billing_provider.core.inputs import Problem, first_problems
from billing_provider.core.owners import COST_CENTER_SCOPES, USER, Owner
from billing_provider.core.resource import SECRET_INPUTS, Checked, Stored, read_state
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE, cost_center_key
from billing_provider.runtime.delete_confirmed import delete_confirmed
from billing_provider.runtime.on_delete import KEPT_ON_DELETE, ON_DELETE, OnDelete
from billing_provider.runtime.registry import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from billing_provider.budgets.models import BudgetSpec
    from billing_provider.core.owners import OwnerKind
    from billing_provider.runtime.run import Run


class Lifecycle:
    """The lifecycle of budgets, for one kind of owner.

    Args:
        kind: The kind of owner; it determines paths and scopes.
        run: The state shared by the resources of this engine run.
    """

    def __init__(self, kind: OwnerKind, run: Run) -> None:
        self._kind, self._run = kind, run
        self._on_delete = OnDelete(run, "budget")

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]) -> Checked:
        """Validate the inputs of one budget and fill in defaults; nothing is sent.

        Args:
            urn: The URN of the resource, for messages and registry.
            olds: The stored inputs; empty for a new budget and for the new resource of a replacement.
            news: The inputs from the program, without those not known yet.
            unknown: The names of the inputs not known yet.
        """
        olds = read_state(BudgetState, olds)
        self._run.registry.check(urn, anew=not olds)
        # An invalid setting is an error of the preview.
        _ = self._run.guards
        fields, found = read_inputs(self._kind, news)
        unsure = unknown | {problem.field for problem in found}
        now = self._now()
        is_over = expiry.is_over(fields, now)
        # A past date is valid unless it would end an existing budget early.
        is_valid_expiry = is_over and not expiry.ends_early(olds, fields, now)
        to_validate = {key: value for key, value in fields.items() if key != "expires_at" or not is_valid_expiry}
        found += rules.problems(self._kind, to_validate, unsure, now)
        if found:
            return Checked({}, first_problems(found))
        inputs = complete(self._kind, _with_stored_type(olds, fields), unknown)
        if not unknown:
            owner = self._owner(inputs)
            key = natural_key(owner, inputs)
            first = self._run.registry.declare(urn, key.parts)
            if first is not None:
                reason = f"{name_of(first)} declares the same budget ({key}) already: remove one of the two"
                return Checked({}, [Problem("", reason)])
            if table := self._run.registry.claimant(urn, key.parts):
                reason = f"the table {name_of(table)} is exclusive: declare {inputs[USER]} as one of its rows"
                return Checked({}, [Problem("", reason)])
            if not olds or differing(owner, olds, inputs, (self._kind.noun, *IDENTITY[2:], *IN_PLACE)):
                for warning in rules.warnings(str(key), inputs, alerting_given="budget_alerting" in fields):
                    self._run.reporter.warn(warning)
            if is_over:
                self._run.reporter.warn(expiry.warning(str(key), inputs["expires_at"]))
            inputs = {
                name: olds[name] if name in olds and same(owner, name, olds, inputs) else value
                for name, value in inputs.items()
            }
            self._run.registry.declare_inputs(urn, inputs)
        return Checked(inputs, [])

    def diff(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> tuple[list[str], list[str]]:
        """Return the inputs that changed in meaning, and those of them that replace the budget; nothing is sent.

        Args:
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs, from any version of this package.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet; each counts as different.
        """
        owner, budget_id = self._parse(id_)
        olds, news = read_state(BudgetState, olds), read_state(BudgetState, news)
        fields = (self._kind.noun, *IDENTITY[2:], *IN_PLACE, approved_raises.ON_RAISE)
        sure = tuple(field for field in fields if field not in unknown)
        changed = approved_raises.differing(owner, olds, news, sure)
        if "budget_entity_name" in changed and _is_same_cost_center(olds, news):
            changed.remove("budget_entity_name")
        changed += [field for field in fields if field in unknown]
        replaces = [field for field in changed if field in IDENTITY]
        if "budget_entity_name" in replaces and self._is_renamed(owner, olds, news):
            replaces.remove("budget_entity_name")
        if expiry.comes_back(olds, news, self._now()):
            # An update cannot change the id, and GitHub removes an expired budget.
            changed = list(dict.fromkeys([*changed, "expires_at"]))
            replaces.append("expires_at")
        # The engine also calls diff for resources that the program no longer declares: in a refresh, and to delete the
        # dependents of a replaced resource. Their budgets must stay deletable.
        is_declared = self._run.registry.is_checked(urn)
        if is_declared:
            record = self._run.registry.replace if replaces else self._run.registry.hold
            record(urn, budget_id, olds)
            if replaces and not unknown and not expiry.is_over(olds, self._now()):
                approved_raises.warn(self._run, owner, budget_id, olds, news, replaced=True)
        changed += self._on_delete.diff(urn, budget_id, olds, news, unknown, replaces)
        if is_declared and not replaces and self._is_of_former_center(owner, olds, news):
            self._run.reporter.warn(
                f"the budget {budget_id} of {owner} is that of the former cost center {olds['cost_center_id']}, so it "
                "does not cap the declared one of this name: delete it, and the next up creates it again"
            )
        if replaces and not is_declared and not unknown:
            # The engine compares in a refresh. Of a declared budget, the check of the new one tells what becomes of it.
            self._run.reporter.warn(successor.drifted(owner, budget_id, olds, news, replaces))
        return changed, replaces

    def diff_unchanged(self, urn: str, budget_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
        """Return what `diff` returns as changed for a declared budget whose inputs are the same.

        Args:
            urn: The URN of the resource.
            budget_id: GitHub's id.
            olds: The stored outputs, without an expiry and without a raise.
            news: The checked inputs.
        """
        self._run.registry.hold(urn, budget_id, olds)
        return self._on_delete.diff(urn, budget_id, olds, news, frozenset(), [])

    def create(self, urn: str, inputs: Mapping[str, Any]) -> Stored:
        """Create or adopt a budget and return it; if it has expired, nothing is sent.

        Raises:
            BillingError: As for `BudgetCreate.run`.
        """
        owner = self._owner(inputs)
        if expiry.is_over(inputs, self._now()):
            id_ = resource_id(self._kind.noun, owner.slug, expiry.NEVER_CREATED)
            kept = self._on_delete.keeps(inputs, adopted=False)
            return expiry.stored(id_, inputs, {expiry.EXPIRED: True, "adopted": False, KEPT_ON_DELETE: kept})
        run = self._run
        creation = BudgetCreate(run, owner, urn, inputs.get("on_existing") or run.guards.on_existing, inputs)
        created = creation.run()
        # Nothing may raise from here on: the budget exists, and only the returned values are stored.
        budget = created.item
        kept = self._on_delete.keeps(inputs, adopted=created.adopted)
        if creation.is_former(budget):
            # The comparison before has told it, unless it could not read GitHub.
            for words in filter(None, (successor.keeps(budget.id), creation.words)):
                run.tell(f"{creation.what()}: {words}", unless_told=True)
        elif created.adopted:
            changed = f": {creation.words}" if creation.words else " as it is"
            then = self._on_delete.after_adoption(kept=kept)
            run.reporter.warn(f"{creation.what()}: adopted the existing budget {budget.id}{changed}{then}")
        written = created.updated if created.adopted else [name for name in inputs if inputs[name]]
        self._warn_of_doubts(owner, creation.spec, budget, written)
        center = creation.entity if inputs["budget_scope"] in COST_CENTER_SCOPES else None
        remembered = {"adopted": created.adopted, "cost_center_id": center, KEPT_ON_DELETE: kept}
        return self._store(owner, inputs, budget, remembered)

    def adopted(self, inputs: Mapping[str, Any], budget: Budget, cost_center_id: str | None) -> Stored:
        """Return a live budget as a create that adopts it would store it; nothing is sent.

        Args:
            inputs: The checked inputs, which are equivalent to the budget.
            budget: The budget as GitHub stores it.
            cost_center_id: The UUID of the cost center that the budget covers, if it covers one.

        Raises:
            ConfigError: A setting is invalid.
        """
        kept = self._on_delete.keeps(inputs, adopted=True)
        remembered = {"adopted": True, "cost_center_id": cost_center_id, KEPT_ON_DELETE: kept}
        return self._store(self._owner(inputs), inputs, budget, remembered)

    def read(self, id_: str, olds: Mapping[str, Any]) -> Stored | None:
        """Return the current budget, or None if it is provably gone; an expired budget that is gone stays in the state.

        Args:
            id_: The resource's id.
            olds: The stored outputs; without a `budget_id` this is the first read, by `.get`.

        Raises:
            NotFoundError: It does not exist, on the first read (404).
            ConfigError: The id is that of a budget that was never created, on the first read.
            BillingError: It cannot be read; it may still exist.
        """
        olds = read_state(BudgetState, olds)
        inputs = {name: olds[name] for name in olds if name not in OUTPUTS}
        if olds.get(expiry.EXPIRED):
            return expiry.stored(id_, inputs, _outputs(olds))
        owner, budget_id = self._parse_live(id_)
        budgets = self._run.cache(OwnerCache, owner)
        budget = budgets.read(budget_id)
        first_time = "budget_id" not in olds
        if budget is None:
            if first_time:
                raise NotFoundError(
                    f"get budget {budget_id} of {owner}", 404, "the listing does not contain this budget either"
                )
            if expiry.is_over(olds, self._now()):
                return expiry.stored(id_, inputs, {**_outputs(olds), expiry.EXPIRED: True})
            return None
        if first_time:
            inputs = {}
        elif inputs.get("expires_at") and "expires_at" not in budget.model_fields_set:
            # GitHub leaves the expiry out of a single budget; only a listing shows that it was removed.
            budget = budgets.complete().get(budget_id, budget)
        names: frozenset[str] = frozenset()
        if olds.get("budget_scope") in COST_CENTER_SCOPES:
            names = self._cost_center_names(owner, olds, budget)
        current = live_inputs(owner, inputs, budget, names)
        kept = ("on_existing", ON_DELETE, approved_raises.ON_RAISE, SECRET_INPUTS)
        current |= {name: inputs[name] for name in kept if name in inputs}
        if approved_raises.raised_to(inputs, budget.budget_amount) is not None:
            current["budget_amount"] = inputs["budget_amount"]
        return self._store(owner, current, budget, olds)

    def update(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Stored:
        """Send the fields that differ and return the updated budget; for an expired budget, nothing is sent.

        Raises:
            OutcomeError: The limits refuse the change; or GitHub accepted the request but kept another value; or the
                budget has expired since `diff`, or is gone.
            BillingError: GitHub refused the update or did not reply; the update can be repeated safely.
        """
        self._parse(id_)
        olds, spec, now = read_state(BudgetState, olds), read_spec(news), self._now()
        if expiry.comes_back(olds, news, now):
            raise OutcomeError(f"update budget {id_}: it has expired, and nothing was sent. Run again to replace it.")
        olds[KEPT_ON_DELETE] = self._on_delete.keeps(news, adopted=bool(olds.get("adopted")))
        if olds.get(expiry.EXPIRED):
            return expiry.stored(id_, news, _outputs(olds))
        owner, budget_id = self._parse_live(id_)
        if expiry.is_over(olds, now) and self._run.cache(OwnerCache, owner).read(budget_id) is None:
            # The clock of this machine alone proves nothing: GitHub may still have the budget.
            return expiry.stored(id_, news, {**_outputs(olds), expiry.EXPIRED: True})
        changed = approved_raises.differing(owner, olds, news, IN_PLACE)
        if spec.budget_scope == USER and "budget_alerting" in changed:
            # An older state may contain alerting for a budget of one user; GitHub ignores it.
            changed.remove("budget_alerting")
        if not changed:
            return self._store(owner, news, self._stored_budget(budget_id, olds, news), olds)
        client = self._run.api(BudgetsApi)
        try:
            self._allow(
                Change.update(owner, olds, news, self._recent(owner, budget_id)),
                f"update budget {budget_id} of {owner}",
            )
            send = partial(client.update_budget, owner, budget_id)
            replies = send_parts(send, patch_bodies(spec, changed))
        except NotFoundError:
            if self._run.cache(OwnerCache, owner).is_listed(budget_id):
                raise
            raise OutcomeError(
                f"update budget {budget_id} of {owner}: it is gone on GitHub, and nothing was changed. "
                "Run `pulumi refresh`, then `pulumi up`: it creates the budget again."
            ) from None
        # A single read: the cached listing may be older than the change.
        budget = replies[-1] or client.get_budget(owner, budget_id)
        self._run.cache(OwnerCache, owner).remember(budget)
        names = frozenset({budget.budget_entity_name or ""})
        kept = differing(owner, news, live_inputs(owner, news, budget, names), tuple(changed))
        if kept:
            raise OutcomeError(
                f"update budget {budget_id} of {owner}: GitHub accepted the request but did not change "
                f"{', '.join(kept)}. Run `pulumi refresh` to read the current value."
            )
        self._warn_of_doubts(owner, spec, budget, changed)
        return self._store(owner, news, budget, olds)

    def delete(self, urn: str, id_: str, olds: Mapping[str, Any]) -> None:
        """Delete a budget unless it is to be kept or this run still declares it, and warn of the cap that has gone.

        One that is provably gone is a success.

        Args:
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs; if they mark the budget as expired, nothing is sent.

        Raises:
            OutcomeError: The limits refuse the deletion of a hard stop; nothing was sent.
            BillingError: It could not be deleted, or a 404 could not be confirmed by a listing.
        """
        if olds.get(expiry.EXPIRED):
            return
        owner, budget_id = self._parse_live(id_)
        if self._run.registry.is_gone(budget_id):
            # The comparison of this run has found and told that.
            return
        effect = "goes on capping usage" if olds.get("prevent_further_usage") else "goes on counting usage"
        if self._on_delete.skips(urn, owner, budget_id, olds, effect):
            return
        if self._run.guards.limits and self._run.registry.holder(budget_id, urn) is None:
            self._allow_delete(urn, owner, budget_id, read_state(BudgetState, olds))
        budgets = self._run.cache(OwnerCache, owner)
        is_gone = delete_confirmed(
            self._run,
            urn,
            budget_id,
            "budget",
            send=lambda: self._run.api(BudgetsApi).delete_budget(owner, budget_id),
            is_listed=lambda: budgets.is_listed(budget_id),
            consequence=", and deleting it would lift its cap",
            # A listing of this run knows more than the state.
            cap=self._lost(urn, owner, olds, budgets.known(budget_id)),
        )
        if is_gone:
            budgets.forget(budget_id)

    def _warn_of_doubts(self, owner: Owner, spec: BudgetSpec, budget: Budget, written: Iterable[str]) -> None:
        for text in doubts(spec, budget, written):
            self._run.reporter.warn(f"budget {budget.id} of {owner}: {text}")

    def _allow(self, change: Change, action: str) -> None:
        """Check the limits right before a write.

        Raises:
            OutcomeError: They refuse the change.
        """
        if reason := change.refusal(self._run.guards, partial(remaining.remaining, self._run)):
            raise OutcomeError(f"{action}: {reason}. Nothing was sent.")

    def _allow_delete(self, urn: str, owner: Owner, budget_id: str, olds: Mapping[str, Any]) -> None:
        """Check the limits right before a delete; the old budget of a replacement is compared with the new one.

        Raises:
            OutcomeError: They refuse it.
            BillingError: The live budget cannot be read.
        """
        try:
            live = self._recent(owner, budget_id)
        except NotFoundError:
            # The delete confirms that it is gone.
            return
        self._allow(self._removal(urn, owner, olds, live), f"delete budget {budget_id} of {owner}")

    def _removal(self, urn: str, owner: Owner, olds: Mapping[str, Any], live: Budget | None) -> Change:
        """Return the change by a delete; the old budget of a replacement is compared with the new one."""
        declared = self._run.registry.declared_inputs(urn)
        after = {} if expiry.is_over(declared, self._now()) else declared
        return Change(Change.standing(owner, olds, live), after, replaces=True)

    def _lost(self, urn: str, owner: Owner, olds: Mapping[str, Any], live: Budget | None) -> str:
        """Return the cap that a delete takes away, and which one remains for a person, as far as it is known."""
        cap = removal.cap_in_state(self._kind, olds, live)
        if not cap:
            return ""
        change = self._removal(urn, owner, read_state(BudgetState, olds), live)
        rest = "" if change.is_covered else remaining.words(self._run, change.before)
        return f"{cap}; {rest}" if rest else cap

    def _recent(self, owner: Owner, budget_id: str) -> Budget | None:
        """Return the live budget to compare a change with; None without limits, which need no read.

        Raises:
            BillingError: It cannot be read.
        """
        if not self._run.guards.limits:
            return None
        return self._run.cache(OwnerCache, owner).recent(budget_id, CREATE_FRESH_SECONDS)

    def _now(self) -> datetime:
        return self._run.clock.utc()

    def _owner(self, inputs: Mapping[str, Any]) -> Owner:
        return Owner(self._kind, read_slug(self._kind.noun, inputs.get(self._kind.noun)))

    def _parse(self, id_: str) -> tuple[Owner, str]:
        slug, budget_id = parse_resource_id(self._kind.noun, self._kind.resource, id_)
        return Owner(self._kind, slug), budget_id

    def _parse_live(self, id_: str) -> tuple[Owner, str]:
        """Parse the id of a budget for a request.

        Raises:
            ConfigError: The budget expired before it was created, so it has no id on GitHub.
        """
        owner, budget_id = self._parse(id_)
        if budget_id == expiry.NEVER_CREATED:
            raise ConfigError(
                f"{id_} is a budget that expired before it was created, so it does not exist on GitHub. "
                "Nothing was sent: use the id of another budget."
            )
        return owner, budget_id

    def _store(self, owner: Owner, inputs: Mapping[str, Any], budget: Budget, remembered: Mapping[str, Any]) -> Stored:
        """Return a budget as stored by the engine; `remembered` contains the values known only from the create."""
        known = {
            "budget_id": budget.id,
            "consumed_amount": budget.consumed_amount,
            "github_entity_name": budget.budget_entity_name,
            "cost_center_id": remembered.get("cost_center_id"),
            "adopted": bool(remembered.get("adopted", False)),
            KEPT_ON_DELETE: remembered.get(KEPT_ON_DELETE),
            RAISED_TO: approved_raises.raised_to(inputs, budget.budget_amount),
        }
        outputs = {**inputs, **{name: value for name, value in known.items() if value is not None}}
        return Stored(resource_id(self._kind.noun, owner.slug, budget.id), dict(inputs), outputs)

    def _cost_center_names(self, owner: Owner, olds: Mapping[str, Any], budget: Budget) -> frozenset[str]:
        """Return the names of the live entity if it is the declared cost center.

        GitHub returns the name of a cost center, also if it was declared by UUID. The state stores the last name, so
        the cost centers are listed only for a new name: the center was renamed, or it is another one.
        """
        shown = budget.budget_entity_name or ""
        if shown == olds.get("github_entity_name"):
            return frozenset({shown})
        declared = olds.get("budget_entity_name", "")
        if shown.lower() == declared.lower():
            return frozenset({shown})
        try:
            center = self._run.cache(CostCenterCache, owner).find(declared)
        except ConfigError:
            return frozenset()
        return frozenset({center.id, center.name})

    def _is_renamed(self, owner: Owner, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Return whether a new entity name is the one that this run gives the cost center in the state."""
        name = news.get("budget_entity_name") or ""
        held = self._run.registry.held_by_declared(cost_center_key(owner.slug, name))
        return (
            news.get("budget_scope") in COST_CENTER_SCOPES and held == (olds.get("cost_center_id") or "").lower() != ""
        )

    def _is_of_former_center(self, owner: Owner, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Return whether the program declares another cost center of the name than the one in the state."""
        key = cost_center_key(owner.slug, news.get("budget_entity_name") or "")
        known, registry = (olds.get("cost_center_id") or "").lower(), self._run.registry
        if not known or news.get("budget_scope") not in COST_CENTER_SCOPES or not registry.is_declared(key):
            return False
        if held := registry.held_by_declared(key):
            return held != known
        # It is to be created, or adopted.
        listed = self._run.cache(CostCenterCache, owner).listed()
        return any(center.id.lower() == known and center.state != ACTIVE for center in listed)

    def _stored_budget(self, budget_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Budget:
        """Return the budget from the state, for an update that changes nothing on GitHub."""
        known = {name: olds[name] for name in ("consumed_amount",) if name in olds}
        known["budget_amount"] = approved_raises.known_amount(olds)
        entity = news.get("budget_entity_name")
        if news.get("budget_scope") not in COST_CENTER_SCOPES or _is_same_cost_center(olds, news):
            entity = olds.get("github_entity_name", entity)
        return Budget.model_validate({**news, **known, "id": budget_id, "budget_entity_name": entity})


def _outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of an expired budget that are not inputs; its raise has ended."""
    return {name: state[name] for name in OUTPUTS if name in state and name != RAISED_TO}


def _with_stored_type(olds: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs, with the stored type if the program leaves it out and the SKU is the same.

    A later version can derive another type for the same SKU; that is no reason to replace a budget.
    """
    skus = [canonical_sku(side.get("budget_product_sku") or "") for side in (olds, fields)]
    kept = {"budget_type": olds["budget_type"]} if "budget_type" in olds and skus[0] == skus[1] else {}
    return {**kept, **fields}


def _is_same_cost_center(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Return whether a new entity name is the name or the id of the cost center in the state."""
    entity = (news.get("budget_entity_name") or "").lower()
    known = {(olds.get(name) or "").lower() for name in ("github_entity_name", "cost_center_id")}
    # A state of an older version has the name without the spaces at its ends.
    is_known = entity in known or entity.strip() in known
    return news.get("budget_scope") in COST_CENTER_SCOPES and bool(entity) and is_known
