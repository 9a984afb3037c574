"""Owners and organizations that a run has found, to tell a missing one from a misspelt one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.cache import OwnerCache
from billing_provider.core.errors import BillingError, ConfigError, NotFoundError
from billing_provider.core.inputs import nearest
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, ORGANIZATION, ORGANIZATION_OWNER, Owner
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.usage.queries import UsageReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run


class KnownNames:
    """The owners and organizations that this run has found.

    Args:
        run: The state shared by the resources of this engine run.
        reads: Sends the reads.
    """

    def __init__(self, run: Run, reads: PreviewReads) -> None:
        self._run, self._reads = run, reads
        self._lock = threading.Lock()
        self._owners: dict[str, set[str]] = {}
        self._organizations: dict[str, bool] = {}
        self._named_by: dict[str, set[str]] = {}

    def add_owner(self, owner: Owner) -> None:
        """Record an owner that GitHub has found."""
        with self._lock:
            self._owners.setdefault(owner.kind.noun, set()).add(owner.slug)

    def near_owner(self, owner: Owner) -> str:
        """Return what to do, and the owners that this run has found, as the end of a message; the most similar first.

        Organizations are also those that the enterprises of this run name.
        """
        with self._lock:
            names = set(self._owners.get(owner.kind.noun, ()))
            enterprises = sorted(self._owners.get(ENTERPRISE, ())) if owner.kind.noun == ORGANIZATION else []
        for slug in enterprises:
            names |= self._names_of(Owner(ENTERPRISE_OWNER, slug))
        found = f" Found in this run: {nearest(owner.slug, names)}." if names else ""
        return f" Check the name, or the access with `billing-provider doctor`.{found}"

    def check_organization(self, owner: Owner, fields: Mapping[str, Any]) -> None:
        """Check that the organization of a budget of an enterprise exists, as far as the token can see it.

        Raises:
            ConfigError: GitHub does not find it, and no budget, cost center or usage of the enterprise names it.
        """
        if owner.kind.noun != ENTERPRISE or fields["budget_scope"] != ORGANIZATION:
            return
        login = fields["budget_entity_name"]
        with self._lock:
            known = self._organizations.get(login.lower())
        if known is None:
            names = self._names_of(owner)
            known = login.lower() in (name.lower() for name in names) or self._exists(login)
            with self._lock:
                self._organizations[login.lower()] = known
        if known:
            return
        names = self._names_of(owner)
        seen = f"Known organizations: {nearest(login, names)}. " if names else ""
        raise ConfigError(
            f"the token sees no organization {login} of {owner}. {seen}Correct the name. If it exists, "
            "set github-billing:previewReads to false for this run."
        )

    def _names_of(self, owner: Owner) -> set[str]:
        """Return the organizations of an enterprise that are named anywhere; they are read once."""
        with self._lock:
            found = self._named_by.get(owner.key)
        if found is None:
            found = self._named(owner)
            with self._lock:
                self._named_by[owner.key] = found
        return found

    def _exists(self, login: str) -> bool:
        """Return whether GitHub finds an organization; a refusal other than 404 shows that it exists."""
        try:
            self._run.api(BudgetsApi).get_budget_page(Owner(ORGANIZATION_OWNER, login), 1)
        except NotFoundError:
            return False
        except BillingError:
            return True
        return True

    def _named(self, owner: Owner) -> set[str]:
        """Return the organizations that budgets, cost centers and usage of an enterprise name."""
        listed = self._run.cache(OwnerCache, owner).listed()
        names = {budget.budget_entity_name or "" for budget in listed if budget.budget_scope == ORGANIZATION}
        centers = self._reads.find(self._run.cache(CostCenterCache, owner).list_all) or []
        names.update(name for center in centers for name in center.members("organizations"))
        report = self._reads.find(lambda: UsageReader(self._run).usage(enterprise=owner.slug))
        names.update(item.organization_name or "" for item in (report.usage_items if report else ()))
        return names - {""}
