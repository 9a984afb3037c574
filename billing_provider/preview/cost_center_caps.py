"""The caps of cost centers: whom a change frees, which budget loses its object, what GitHub refuses beside a cap."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import consequences
from billing_provider.budgets.cache import CREATE_FRESH_SECONDS, FRESH_SECONDS, OwnerCache
from billing_provider.budgets.consequences import Terms
from billing_provider.budgets.skus import canonical_sku
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import COST_CENTER_SCOPES, ENTERPRISE, MULTI_USER_COST_CENTER, USER
from billing_provider.core.redact import clean, quoted
from billing_provider.core.resource import SECRET_INPUTS, secret_inputs
from billing_provider.core.settings import NAMESPACE
from billing_provider.cost_centers.cache import CostCenterCache, matching
from billing_provider.cost_centers.caps import LostCap
from billing_provider.cost_centers.models import (
    ACTIVE,
    ENTERPRISE_TEAMS,
    MEMBER_KINDS,
    ORGANIZATIONS,
    REPOSITORIES,
    USERS,
    CostCenterDetails,
    missing_members,
    plain_member,
)
from billing_provider.cost_centers.words import first_names, member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from billing_provider.budgets.models import Budget, OpaqueBudget
    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

Members = dict[str, list[str]]
"""Members of a cost center by their kind."""
REFUSED_KINDS = (ORGANIZATIONS, REPOSITORIES)
"""The kinds of members that GitHub refuses beside a budget per member."""
_REFUSES = "GitHub refuses a budget per member for a cost center with organizations or repositories"
_MAX_NAME = 60


class CostCenterCaps:
    """What one run knows about the cost centers of an enterprise and their budgets; use it by `run.cache`.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The enterprise.
    """

    def __init__(self, run: Run, owner: Owner) -> None:
        self._run, self._owner = run, owner
        self._lock = threading.Lock()
        self._centers: dict[str, CostCenterDetails] = {}
        self._declared: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._wanted: set[str] = set()
        self._compared: set[tuple[str, str, str]] = set()
        self._told: dict[tuple[str, str, str], str] = {}

    def declare(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]) -> None:
        """Record a declared cost center; of members that are not known yet, none is assumed.

        Args:
            urn: The URN of the resource.
            olds: The stored inputs; empty for a new cost center.
            news: The checked inputs, with the name.
            unknown: The names of the inputs not known yet.
        """
        with self._lock:
            self._declared[urn] = (olds, {**news, **{kind: [] for kind in MEMBER_KINDS if kind in unknown}})

    def is_renamed(self, name: str) -> bool:
        """Return whether a cost center that has a name in the state is declared with another one."""
        with self._lock:
            declared = list(self._declared.values())
        return any(olds.get("name", "").lower() == name.lower() != news["name"].lower() for olds, news in declared)

    def lost(self, cost_center_id: str) -> list[LostCap]:
        """Return the budgets that lose their object if an active cost center is archived, also those made by hand.

        Raises:
            BillingError: The budgets or the cost centers cannot be listed.
        """
        budgets = self._budgets(CREATE_FRESH_SECONDS if self._run.guards.limits else FRESH_SECONDS)
        odd = [each for each in self._run.cache(OwnerCache, self._owner).opaque() if _may_be_of_cost_center(each)]
        if not odd and not any(budget.budget_scope in COST_CENTER_SCOPES for budget in budgets):
            return []
        center = self._center(cost_center_id)
        if center is None or center.state != ACTIVE:
            return []
        keys = {center.id.lower(), center.name.lower(), ""}
        maybe = [
            LostCap(str(each), each.row.get("prevent_further_usage") is not False, [], is_certain=False)
            for each in odd
            if each.text("budget_entity_name").lower() in keys
        ]
        members = {kind: center.members(kind) for kind in MEMBER_KINDS}
        return [
            LostCap(
                self._described(budget, center),
                Terms.of(budget.model_dump()).stops,
                [member(*each) for each in self._covered(budget, budgets, members)] if self._caps_each(budget) else [],
                is_certain=bool(center.name),
            )
            for budget in self._of(center, self._centers.values(), budgets)
        ] + maybe

    def freed(
        self,
        urn: str,
        center: CostCenterDetails,
        centers: Sequence[CostCenterDetails],
        leaving: Mapping[str, list[str]],
        after: Mapping[str, list[str]],
    ) -> Iterator[str]:
        """Yield for each budget of a cost center whom it no longer covers; another resource may have told it before.

        Args:
            urn: The URN of the resource whose change this is.
            center: The cost center that they leave.
            centers: All cost centers of the enterprise.
            leaving: The members that leave it, as it lists them.
            after: Its members after the change.

        Raises:
            BillingError: The budgets cannot be listed.
        """
        budgets = self._budgets()
        groups = after.get(ENTERPRISE_TEAMS) or after.get(ORGANIZATIONS)
        unless = ", unless a team or an organization that stays includes them" if groups and leaving.get(USERS) else ""
        for budget in self._of(center, centers, budgets):
            covered = self._covered(budget, budgets, leaving)
            names = [member(kind, name) for kind, name in covered if self._is_first(urn, budget, kind, name)]
            if not names:
                continue
            cap = f"{self._described(budget, center)}{unless}"
            if self._caps_each(budget):
                yield f"frees {first_names(names)} of the {cap}"
            else:
                yield f"the usage of {first_names(names)} no longer counts in the {cap}"

    def joined(self, joining: Mapping[str, list[str]]) -> Iterator[str]:
        """Yield for each budget without cost centers that it no longer covers the members that a cost center gets.

        Args:
            joining: The members that no other cost center has.

        Raises:
            BillingError: The budgets cannot be listed.
        """
        names = [member(kind, each) for kind, each_of in joining.items() for each in each_of]
        budgets = self._run.cache(OwnerCache, self._owner).of_scope(ENTERPRISE).all() if names else {}
        for budget in budgets.values():
            if budget.exclude_cost_center_usage:
                cap = f"{self._cap(budget)} on {clean(budget.budget_product_sku, _MAX_NAME)} of {self._owner}"
                who = f"the usage of {first_names(names)}"
                yield f"{who} no longer counts in the {cap} (budget {budget.id}), which leaves out cost centers"

    def compare(self, name: str, members: Mapping[str, list[str]]) -> None:
        """Record that the comparison of a declared cost center has told which of these members its change frees."""
        with self._lock:
            self._compared |= _keys(name, members)

    def untold(self, name: str, cost_center: str, members: Mapping[str, list[str]], *, have_left: bool) -> list[str]:
        """Return whom a write frees of which cap, unless the comparison before it has told that.

        Args:
            name: The declared name of the cost center that is written.
            cost_center: The UUID or the name of the one that they leave.
            members: Who leaves, by kind.
            have_left: Whether they have left, as GitHub says; else only who is a member counts.

        Raises:
            BillingError: The budgets or the cost centers cannot be listed.
        """
        with self._lock:
            if _keys(name, members) <= self._compared:
                return []
        centers = self._run.cache(CostCenterCache, self._owner).list_all()
        center = next(iter(matching(cost_center, centers, (ACTIVE,))), None)
        if center is None:
            return []
        after = {kind: missing_members(kind, center.members(kind), members.get(kind, ())) for kind in MEMBER_KINDS}
        if not have_left:
            members = {kind: missing_members(kind, center.members(kind), names) for kind, names in after.items()}
        return list(self.freed("", center, centers, members, {} if have_left else after))

    def expire(self) -> None:
        """Read the budgets anew, because the name of a cost center has changed."""
        self._run.cache(OwnerCache, self._owner).expire()

    def check_member(
        self, name: str, center: CostCenterDetails | None, centers: Sequence[CostCenterDetails], added: Members
    ) -> None:
        """Check that a cost center with a budget per member gets no member that GitHub refuses beside it.

        Args:
            name: The name of the cost center.
            center: The live cost center, or None for a new one.
            centers: All cost centers of the enterprise.
            added: The members that it gets.

        Raises:
            ConfigError: It gets one.
            BillingError: The budgets cannot be listed.
        """
        names = [member(kind, each) for kind in REFUSED_KINDS for each in added.get(kind, ())]
        if not names:
            return
        with self._lock:
            caps = ["budget per member that is declared too"] if name.lower() in self._wanted else []
        if center is not None:
            found = self._of(center, centers, self._budgets())
            caps += [self._described(each, center) for each in found if self._caps_each(each)]
        if caps:
            raise ConfigError(
                f"cost center {name}: {_REFUSES}: leave out {first_names(names)}, or first remove the {caps[0]}. If "
                f"GitHub accepts both, set {NAMESPACE}:previewReads to false for this run."
            )

    def check_cap(self, reference: str) -> None:
        """Check that the cost center of a new budget per member has only members that GitHub accepts beside it.

        Args:
            reference: The name or the UUID of the cost center.

        Raises:
            ConfigError: It has another one, or gets one in this run.
            BillingError: The cost centers cannot be listed.
        """
        centers = self._run.cache(CostCenterCache, self._owner).list_all()
        center = next(iter(matching(reference, centers, (ACTIVE,))), None)
        name = reference if center is None else center.name
        with self._lock:
            self._wanted.add(name.lower())
            declared = [
                (olds, news)
                for olds, news in self._declared.values()
                if name.lower() in {side.get("name", "").lower() for side in (olds, news)}
            ]
        olds, news = declared[0] if declared else ({}, {})
        after = members_after(center, olds, news)
        if names := [member(kind, each) for kind in REFUSED_KINDS for each in after[kind]]:
            raise ConfigError(
                f"{_REFUSES}, and {quoted(name, _MAX_NAME)} has {first_names(names)}: take them out of it, or declare "
                "the scope cost_center"
            )

    def _budgets(self, max_age: float = FRESH_SECONDS) -> list[Budget]:
        return list(self._run.cache(OwnerCache, self._owner).complete(max_age).values())

    def _center(self, cost_center_id: str) -> CostCenterDetails | None:
        """Return a cost center by its id; archives of this run change no other one, so the listing is kept."""
        key = cost_center_id.lower()
        if key not in self._centers:
            centers = self._run.cache(CostCenterCache, self._owner).list_all()
            odd = self._run.cache(CostCenterCache, self._owner).opaque()
            # Its members were not understood, but its budgets are known by its name and its id.
            shown = [
                CostCenterDetails(each.id or cost_center_id, each.text("name") if each.id else "")
                for each in odd
                if not each.is_archived
            ]
            self._centers = {center.id.lower(): center for center in (*shown, *centers)}
        return self._centers.get(key)

    @staticmethod
    def _of(center: CostCenterDetails, centers: Iterable[CostCenterDetails], budgets: Iterable[Budget]) -> list[Budget]:
        """Return the budgets of a cost center; GitHub lists them with its name or with its UUID.

        One whose name was not understood may have all those that no other cost center has.
        """
        keys, every = {center.id.lower(), center.name.lower()}, list(centers)
        nameless = [] if center.name else [center]
        return [
            budget
            for budget in budgets
            if budget.budget_scope in COST_CENTER_SCOPES
            and ((entity := budget.budget_entity_name or "").lower() in keys or nameless)
            and center.id in {found.id for found in matching(entity, every, (ACTIVE,)) or nameless}
        ]

    def _described(self, budget: Budget, center: CostCenterDetails) -> str:
        """Return the cap of a budget, such as `$50 hard stop per person of cost center Apps (budget 1)`.

        An amount that the program declares as secret is left out if the engine has compared the budget before: GitHub
        does not know that it is secret.
        """
        per = "per person" if self._caps_each(budget) else f"on {budget.budget_product_sku}"
        name = quoted(center.name or budget.budget_entity_name or "", _MAX_NAME)
        return f"{self._cap(budget)} {clean(per, _MAX_NAME)} of cost center {name} (budget {budget.id})"

    def _covered(
        self, budget: Budget, budgets: Iterable[Budget], members: Mapping[str, list[str]]
    ) -> Iterator[tuple[str, str]]:
        """Yield the members whom a budget covers, with their kind; a cap of a user's own precedes one per member."""
        sku = canonical_sku(budget.budget_product_sku)
        own = {
            (each.user or each.budget_entity_name or "").lower()
            for each in (budgets if self._caps_each(budget) else ())
            if each.budget_scope == USER and canonical_sku(each.budget_product_sku) == sku
        }
        for kind, names in members.items():
            yield from ((kind, name) for name in names if kind != USERS or name.lower() not in own)

    def _caps_each(self, budget: Budget) -> bool:
        """Return whether a budget caps each member; some accounts list such a one with the scope `cost_center`."""
        scope = self._run.registry.state(budget.id).get("budget_scope", budget.budget_scope)
        return bool(scope == MULTI_USER_COST_CENTER)

    def _cap(self, budget: Budget) -> str:
        secret = sorted(secret_inputs(self._run.registry.state(budget.id)))
        return consequences.cap(Terms.of({**budget.model_dump(), SECRET_INPUTS: secret}))

    def _is_first(self, urn: str, budget: Budget, kind: str, name: str) -> bool:
        """Return whether no other resource has told that a member leaves a budget: one leaves it, one takes it."""
        with self._lock:
            return self._told.setdefault((budget.id, kind, plain_member(kind, name)), urn) == urn


def check_members(run: Run, owner: Owner, fields: Mapping[str, Any]) -> None:
    """Check that GitHub accepts a new budget per member for the members of its cost center.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The owner of the budget.
        fields: The inputs of the budget; another scope is not checked.

    Raises:
        ConfigError: The cost center has an organization or a repository, or gets one in this run.
        BillingError: The cost centers cannot be listed.
    """
    if fields.get("budget_scope") == MULTI_USER_COST_CENTER:
        run.cache(CostCenterCaps, owner).check_cap(fields["budget_entity_name"])


def members_after(center: CostCenterDetails | None, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Members:
    """Return the members of a cost center after an update, which removes only those of a list that the state has.

    Args:
        center: The live cost center, or None for a new one.
        olds: The stored inputs; of a kind that they lack, the declared list is complete.
        news: The declared inputs; a kind that they lack is not changed.
    """
    after: Members = {}
    for kind in MEMBER_KINDS:
        live = center.members(kind) if center else []
        declared = missing_members(kind, news.get(kind, live), ())
        gone = missing_members(kind, olds.get(kind, live), declared)
        after[kind] = [*missing_members(kind, live, [*gone, *declared]), *declared]
    return after


def _may_be_of_cost_center(budget: OpaqueBudget) -> bool:
    return budget.text("budget_scope") in {"", *COST_CENTER_SCOPES}


def _keys(name: str, members: Mapping[str, list[str]]) -> set[tuple[str, str, str]]:
    return {(name.lower(), kind, plain_member(kind, each)) for kind, names in members.items() for each in names}
