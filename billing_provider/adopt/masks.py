"""Masks for the logins of people in what an account has, so that it can be shared."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.inventory import Inventory, names_in
from billing_provider.core.inputs import is_uuid
from billing_provider.core.owners import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from billing_provider.budgets.models import Budget
    from billing_provider.cost_centers.models import CostCenterDetails

_PART = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]")


def mask_logins(inventories: Sequence[Inventory]) -> list[Inventory]:
    """Return the same with `person-1`, `person-2` and so on instead of logins, equal ones for equal ones.

    Logins and mail addresses are replaced where they stand alone, and as words in the names of owners, repositories,
    cost centers and teams. The numbers are random, so that they tell nothing about the order of the logins.
    """
    names = names_in(inventories)
    # The owner of a repository counts as a person if it is no known organization.
    owners = {name.partition("/")[0].lower() for name in names.repositories if "/" in name}
    owners -= {name.lower() for name in names.organizations}
    mask = _mask(owners | {login.lower() for login in names.people})
    return [
        Inventory(
            Owner(inventory.owner.kind, mask(inventory.owner.slug)),
            [_masked_budget(budget, mask) for budget in inventory.budgets],
            [_masked_cost_center(center, mask) for center in inventory.cost_centers],
        )
        for inventory in inventories
    ]


def _mask(logins: set[str]) -> Callable[[str], str]:
    """Return a function that replaces the logins in a text."""
    shuffled = random.SystemRandom().sample(sorted(logins), len(logins))
    masks = {login: f"person-{number}" for number, login in enumerate(shuffled, 1)}
    most = max((len(_PART.findall(login)) for login in logins), default=0)

    def mask(text: str) -> str:
        if is_uuid(text):
            return text
        parts, done = _PART.findall(text), ""
        while parts:
            # The longest run of parts that is a login, or the next part alone.
            runs = ("".join(parts[:size]) for size in range(min(most, len(parts)), 0, -1))
            found = next((run for run in runs if run.lower() in masks), parts[0])
            done += masks.get(found.lower(), found)
            del parts[: len(_PART.findall(found))]
        return done

    return mask


def _masked_budget(budget: Budget, mask: Callable[[str], str]) -> Budget:
    # A field that GitHub omits stays omitted.
    changed: dict[str, Any] = {
        name: mask(value) for name in ("user", "budget_entity_name") if (value := getattr(budget, name))
    }
    if alerting := budget.budget_alerting:
        recipients = [mask(login) for login in alerting.alert_recipients]
        changed["budget_alerting"] = alerting.model_copy(update={"alert_recipients": recipients})
    return budget.model_copy(update=changed)


def _masked_cost_center(center: CostCenterDetails, mask: Callable[[str], str]) -> CostCenterDetails:
    members = tuple(replace(member, name=mask(member.name)) for member in center.resources)
    return replace(center, name=mask(center.name), resources=members)
