"""The seed of a sandbox from a live account, by reads only; the logins of people can be replaced."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.api import BudgetsApi
from billing_provider.budgets.skus import BUNDLES, pricing_type
from billing_provider.core.errors import TransportError
from billing_provider.core.owners import (
    COST_CENTER,
    COST_CENTER_SCOPES,
    ENTERPRISE,
    ENTERPRISE_OWNER,
    ORGANIZATION,
    ORGANIZATION_OWNER,
    REPOSITORY,
    USER,
    Owner,
)
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.models import (
    ACTIVE,
    ENTERPRISE_TEAMS,
    MEMBER_KINDS,
    ORGANIZATIONS,
    REPOSITORIES,
    USERS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from billing_provider.budgets.models import Budget
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

__all__ = ["mask_logins", "read_seed"]

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PART = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]")
_MOST_PARTS = 39
"""The most parts of a login, which has at most 39 characters."""
_RECIPIENTS = "alert_recipients"


def read_seed(run: Run, enterprise: str, organizations: Sequence[str] = ()) -> dict[str, Any]:
    """Return the budgets and the cost centers of an account as the seed of a sandbox, with GitHub's ids.

    Usage is not read: the sandbox has none then.

    Args:
        run: The run; only GET requests are sent.
        enterprise: The slug of the enterprise.
        organizations: The logins of the organizations whose own budgets are read too.

    Raises:
        BillingError: A request failed, or the answers do not fit together; there is no seed then.
    """
    owner = Owner(ENTERPRISE_OWNER, enterprise)
    centers = _cost_centers(run, owner)
    budgets = _budgets(run, owner, centers)
    for login in organizations:
        own = _budgets(run, Owner(ORGANIZATION_OWNER, login), centers)
        budgets += [{ORGANIZATION: login, **budget} for budget in own]
    entries = [_center_entry(center) for center in centers]
    members = {kind: [name for entry in entries for name in entry[kind]] for kind in MEMBER_KINDS}
    named = {
        scope: [budget["budget_entity_name"] for budget in budgets if budget["budget_scope"] == scope]
        for scope in (ORGANIZATION, REPOSITORY)
    }
    repositories = [name for name in (*members[REPOSITORIES], *named[REPOSITORY]) if "/" in name]
    owners = [name.partition("/")[0] for name in repositories]
    people = [login for budget in budgets for login in _people(budget)]
    return {
        ENTERPRISE: enterprise,
        ORGANIZATIONS: _once([*organizations, *members[ORGANIZATIONS], *named[ORGANIZATION], *owners]),
        REPOSITORIES: _once(repositories),
        USERS: _once(login for login in (*members[USERS], *people) if _LOGIN.fullmatch(login)),
        "cost_centers": entries,
        "budgets": budgets,
        "generated_usage": False,
    }


def mask_logins(seed: dict[str, Any]) -> dict[str, Any]:
    """Return a seed in which made-up logins replace those of people, equal ones for equal ones.

    The numbers are random, so that they tell nothing about the order of the logins. In the names of cost centers, teams
    and repositories, the logins are replaced too.
    """
    logins = {login.lower() for budget in seed["budgets"] for login in _people(budget)}
    logins |= {login.lower() for center in seed["cost_centers"] for login in center[USERS]}
    shuffled = random.SystemRandom().sample(sorted(logins), len(logins))
    masks = {login: f"person-{number}" for number, login in enumerate(shuffled, 1)}

    def mask(name: str) -> str:
        return masks.get(name.lower(), name)

    def mask_words(text: str) -> str:
        parts, at = _PART.findall(text), 0
        done: list[str] = []
        while at < len(parts):
            # The longest run of parts that is a login, or the next part alone.
            runs = ("".join(parts[at : at + size]) for size in range(_MOST_PARTS, 1, -1))
            found = next((run for run in runs if run.lower() in masks), parts[at])
            done.append(mask(found))
            at += len(_PART.findall(found))
        return "".join(done)

    def mask_repository(name: str) -> str:
        owner, slash, own = name.rpartition("/")
        return f"{mask(owner)}{slash}{mask_words(own)}"

    def mask_budget(budget: dict[str, Any]) -> dict[str, Any]:
        alerting = budget["budget_alerting"]
        recipients = [mask(login) for login in alerting[_RECIPIENTS]]
        masked = {**budget, "budget_alerting": {**alerting, _RECIPIENTS: recipients}}
        if change := {USER: mask, REPOSITORY: mask_repository}.get(budget["budget_scope"]):
            masked["budget_entity_name"] = change(budget["budget_entity_name"])
        if USER in budget:
            masked[USER] = mask(budget[USER])
        return masked

    def mask_center(center: dict[str, Any]) -> dict[str, Any]:
        return {
            **center,
            "name": mask_words(center["name"]),
            USERS: [mask(login) for login in center[USERS]],
            REPOSITORIES: [mask_repository(name) for name in center[REPOSITORIES]],
            ENTERPRISE_TEAMS: [mask_words(slug) for slug in center[ENTERPRISE_TEAMS]],
        }

    return {
        **seed,
        ORGANIZATIONS: [mask(login) for login in seed[ORGANIZATIONS]],
        REPOSITORIES: [mask_repository(name) for name in seed[REPOSITORIES]],
        # Their order would tell where they were found.
        USERS: sorted(mask(login) for login in seed[USERS]),
        "cost_centers": [mask_center(center) for center in seed["cost_centers"]],
        "budgets": [mask_budget(budget) for budget in seed["budgets"]],
    }


def _cost_centers(run: Run, owner: Owner) -> list[CostCenterDetails]:
    run.reporter.status(f"cost centers of {owner}")
    api = run.api(CostCentersApi)
    listed = api.list_cost_centers(owner)
    found = []
    for number, center in enumerate(listed, 1):
        run.reporter.status(f"members of cost center {number} of {len(listed)}: {center.name}")
        # A listing has no pages; the members of one cost center have.
        found.append(api.get_cost_center(owner, center.id) if center.state == ACTIVE else center)
    return found


def _center_entry(center: CostCenterDetails) -> dict[str, Any]:
    return {
        "id": center.id,
        "name": center.name,
        "state": center.state,
        "ai_credit_pool_enabled": bool(center.ai_credit_pool_enabled),
        **{
            kind: [name.removeprefix("ent:") if kind == ENTERPRISE_TEAMS else name for name in center.members(kind)]
            for kind in MEMBER_KINDS
        },
    }


def _budgets(run: Run, owner: Owner, centers: Sequence[CostCenterDetails]) -> list[dict[str, Any]]:
    run.reporter.status(f"budgets of {owner}")
    api = run.api(BudgetsApi)
    found = api.list_budgets(owner)
    # Some listings call the budget of each member of a cost center a budget of the cost center.
    exact = [
        api.get_budget(owner, budget.id)
        if budget.budget_scope == COST_CENTER and budget.budget_product_sku in BUNDLES
        else budget
        for budget in found
    ]
    return [_budget_entry(owner, budget, centers) for budget in exact]


def _budget_entry(owner: Owner, budget: Budget, centers: Sequence[CostCenterDetails]) -> dict[str, Any]:
    scope, alerting = budget.budget_scope, budget.budget_alerting
    entity = budget.budget_entity_name or budget.user or owner.slug
    if scope in COST_CENTER_SCOPES:
        entity = _center_id(owner, budget, centers)
    elif scope == REPOSITORY and "/" not in entity and owner.kind.noun == ORGANIZATION:
        entity = f"{owner.slug}/{entity}"
    entry = {
        "id": budget.id,
        "budget_scope": scope,
        "budget_entity_name": entity,
        "budget_type": budget.budget_type or pricing_type(budget.budget_product_sku),
        "budget_product_sku": budget.budget_product_sku,
        "budget_amount": budget.budget_amount,
        "prevent_further_usage": budget.prevent_further_usage,
        "budget_alerting": {
            "will_alert": alerting is not None and alerting.will_alert,
            _RECIPIENTS: [] if alerting is None else list(alerting.alert_recipients),
        },
    }
    optional = ("user", "expires_at", "exclude_cost_center_usage")
    return {**entry, **{name: value for name in optional if (value := getattr(budget, name)) is not None}}


def _center_id(owner: Owner, budget: Budget, centers: Sequence[CostCenterDetails]) -> str:
    """Return the id of the cost center that a listing names; an active one goes before an archived one."""
    name = (budget.budget_entity_name or "").lower()
    fitting = [center for center in centers if name in (center.id.lower(), center.name.lower())]
    fitting.sort(key=lambda center: center.state != ACTIVE)
    if not fitting:
        raise TransportError(
            f"read the budgets of {owner}: budget {budget.id} names the cost center {budget.budget_entity_name}, "
            "which GitHub does not list. Nothing was written: run again."
        )
    return fitting[0].id


def _people(budget: dict[str, Any]) -> list[str]:
    """Return the logins in a budget; GitHub may send mail addresses among the recipients."""
    own = [budget["budget_entity_name"]] if budget["budget_scope"] == USER else []
    return [*own, *([budget[USER]] if USER in budget else []), *budget["budget_alerting"][_RECIPIENTS]]


def _once(names: Iterable[str]) -> list[str]:
    """Return the names in their first spelling; GitHub ignores case."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return list(found.values())
