"""Everything that owners have on GitHub: all budgets and cost centers, from complete listings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.identity import unsure_scopes
from billing_provider.core.errors import UnexpectedError
from billing_provider.core.ids import read_slug
from billing_provider.core.owners import (
    ENTERPRISE,
    ENTERPRISE_OWNER,
    ORGANIZATION,
    ORGANIZATION_OWNER,
    REPOSITORY,
    USER,
    Owner,
)
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import ACTIVE, ORGANIZATIONS, REPOSITORIES, USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from billing_provider.budgets.models import Budget
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run


@dataclass(frozen=True)
class Inventory:
    """What one owner has on GitHub.

    Attributes:
        owner: The owner.
        budgets: All its budgets.
        cost_centers: The cost centers of an enterprise, archived ones too; active ones have all their members.
        odd_cost_centers: The ids of its cost centers that were not understood; empty texts for those without one.
    """

    owner: Owner
    budgets: list[Budget]
    cost_centers: list[CostCenterDetails] = field(default_factory=list)
    odd_cost_centers: list[str] = field(default_factory=list)

    @property
    def active_cost_centers(self) -> list[CostCenterDetails]:
        """The cost centers that are not archived."""
        return [center for center in self.cost_centers if center.state == ACTIVE]


class FoundNames(NamedTuple):
    """The names in what owners have, in the order of the reading; they can repeat.

    Attributes:
        people: Logins, and mail addresses among the recipients of alerts.
        organizations: Organizations that are owners, members, or covered by a budget.
        repositories: Repositories; the owner of one can be missing.
    """

    people: list[str]
    organizations: list[str]
    repositories: list[str]


def owners_of(enterprises: Sequence[str], organizations: Sequence[str]) -> list[Owner]:
    """Return the owners by slug and login, each once, enterprises first.

    Raises:
        ConfigError: A slug or a login is invalid.
    """
    found = [Owner(ENTERPRISE_OWNER, read_slug("--enterprise", slug)) for slug in enterprises]
    found += [Owner(ORGANIZATION_OWNER, read_slug("--org", login)) for login in organizations]
    return list({owner.key: owner for owner in found}.values())


def read_inventories(run: Run, owners: Sequence[Owner]) -> list[Inventory]:
    """Read all budgets and cost centers of owners; only GET requests are sent.

    Args:
        run: Endpoints and caches.
        owners: The owners.

    Raises:
        BillingError: A listing cannot be read, or stays incomplete.
    """
    return [Inventory(owner, list(_budgets(run, owner)), *_cost_centers(run, owner)) for owner in owners]


def names_in(inventories: Sequence[Inventory]) -> FoundNames:
    """Return the names of people, organizations and repositories in what owners have."""
    found = FoundNames([], [each.owner.slug for each in inventories if each.owner.kind.noun == ORGANIZATION], [])
    of_scope = {USER: found.people, ORGANIZATION: found.organizations, REPOSITORY: found.repositories}
    for inventory in inventories:
        for center in inventory.cost_centers:
            found.people.extend(center.members(USERS))
            found.organizations.extend(center.members(ORGANIZATIONS))
            found.repositories.extend(center.members(REPOSITORIES))
        for budget in inventory.budgets:
            of_scope.get(budget.budget_scope, []).append(entity_of(inventory.owner, budget))
            alerting = budget.budget_alerting
            found.people.extend([budget.user or "", *(alerting.alert_recipients if alerting else ())])
    return FoundNames(*(list(filter(None, names)) for names in found))


def entity_of(owner: Owner, budget: Budget) -> str:
    """Return what a budget covers; some replies name a repository without its organization, the owner."""
    name = budget.budget_entity_name or ""
    bare = budget.budget_scope == REPOSITORY and owner.kind.noun == ORGANIZATION and name and "/" not in name
    return f"{owner.slug}/{name}" if bare else name


def _budgets(run: Run, owner: Owner) -> Iterator[Budget]:
    run.show(f"budgets of {owner}", f"budgets of {owner}")
    cache = run.cache(OwnerCache, owner)
    listed = cache.complete()
    for opaque in cache.opaque():
        run.reporter.warn(f"{owner}: {opaque}, is left out")
    unsure = unsure_scopes(listed.values())
    for budget in listed.values():
        if budget.id in unsure:
            run.show(f"budget of cost center {budget.budget_entity_name} of {owner}", "budgets of cost centers")
            scope = run.api(BudgetsApi).get_budget(owner, budget.id).budget_scope
            yield budget.model_copy(update={"budget_scope": scope})
        else:
            yield budget


def _cost_centers(run: Run, owner: Owner) -> tuple[list[CostCenterDetails], list[str]]:
    """Return the cost centers of an owner, and the ids of those that were not understood."""
    found: list[CostCenterDetails] = []
    odd: list[str] = []
    if owner.kind.noun != ENTERPRISE:
        return found, odd
    run.show(f"cost centers of {owner}", f"cost centers of {owner}")
    cache = run.cache(CostCenterCache, owner)
    listed = cache.list_all()
    for opaque in cache.opaque():
        run.reporter.warn(f"{owner}: {opaque}, is left out")
        odd.append(opaque.id)
    for number, center in enumerate(listed, 1):
        run.show(f"members of cost center {number} of {len(listed)}: {center.name}", "members of cost centers")
        try:
            # A listing may contain only some of the members.
            found.append(
                run.api(CostCentersApi).get_cost_center(owner, center.id) if center.state == ACTIVE else center
            )
        except UnexpectedError as error:
            run.reporter.warn(f"{error} It is left out.")
            odd.append(center.id)
    return found, odd
