"""Find the one live budget with a natural key, for a program that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import rules
from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.create import BudgetCreate
from billing_provider.budgets.identity import live_inputs, natural_key
from billing_provider.budgets.models import complete, read_inputs
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import in_one_line, near
from billing_provider.core.owners import Owner
from billing_provider.cost_centers.cache import FRESH_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing_provider.budgets.identity import NaturalKey
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import OwnerKind
    from billing_provider.runtime.run import Run


def find_budget(run: Run, kind: OwnerKind, key: Mapping[str, Any]) -> tuple[Owner, Budget]:
    """Return the owner and the only live budget with a natural key; it is matched as before a create.

    Args:
        run: The run, with its listings.
        kind: The kind of the owner.
        key: The inputs that identify the budget, as in a declaration.

    Raises:
        ConfigError: The key is invalid; or no budget has it, several have it, or GitHub omits fields needed to decide.
        BillingError: A request to GitHub failed.
    """
    # A declaration needs an amount too, which is no part of the key.
    fields, found = read_inputs(kind, {**key, "budget_amount": 0})
    now = run.clock.utc()
    found += rules.problems(kind, fields, frozenset(problem.field for problem in found), now)
    if found:
        raise ConfigError(f"find the budget: {in_one_line(found)}")
    owner = Owner(kind, fields[kind.noun])
    inputs = complete(kind, fields, frozenset())
    wanted = BudgetCreate(run, owner, "", None, inputs)
    wanted.find_entity(FRESH_SECONDS)
    certain, unsure = wanted.matches(wanted.list_known())
    if len(certain) == 1:
        return owner, certain[0]
    if certain:
        raise ConfigError(f"{wanted.what()} exists more than once: {_ids(certain)}. Read one of them by its id.")
    if unsure:
        raise ConfigError(
            f"{wanted.what()} may be {_ids(unsure)}: GitHub's listing does not show its complete entity or scope. "
            "Compare it on GitHub, and read it by its id."
        )
    listed = run.cache(OwnerCache, owner).of_scope(wanted.spec.budget_scope).all()
    similar = _similar(owner, natural_key(owner, inputs), listed.values())
    raise ConfigError(f"{wanted.what()} does not exist{similar}.")


def _ids(budgets: Iterable[Budget]) -> str:
    return " and ".join(budget.id for budget in budgets)


def _similar(owner: Owner, wanted: NaturalKey, budgets: Iterable[Budget]) -> str:
    """Return the end of a message with the budgets whose keys are the most similar, each with its id."""
    known = {}
    for budget in budgets:
        key = natural_key(owner, live_inputs(owner, {}, budget, frozenset()))
        known[_compared(key)] = f"{budget.id} ({key})"
    shown = [known[each] for each in near(_compared(wanted), known)]
    return f"; similar: {', '.join(shown)}" if shown else "; the owner has no similar budget"


def _compared(key: NaturalKey) -> str:
    """Return what differs between the keys of one owner."""
    return f"{key.sku} {key.scope} {key.entity}{key.user}"
