"""Usage that a test sets: one record for each `spend`, and its row in the ledger."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

from billing_provider.sandbox.store.ledger import first_day, is_licence
from billing_provider.sandbox.store.names import same_name
from billing_provider.sandbox.store.records import Spending
from billing_provider.sandbox.store.skus import SKUS

if TYPE_CHECKING:
    from billing_provider.sandbox.store.state import State

__all__ = ["record"]

_CENTS = 100
_MOST = 10**9


def record(
    state: State,
    organization: str,
    sku: str,
    amount: float,
    *,
    user: str,
    repository: str,
    model: str,
    day: str | None,
) -> Spending:
    """Return the checked record of some usage.

    Raises:
        ValueError: A name, the SKU, the amount or the day is invalid.
    """
    today = state.today()
    on = today if day is None else date.fromisoformat(day)
    if not first_day(today) <= on <= today:
        raise ValueError(f"day: {on} is not from {first_day(today)} to {today}, the sandbox's time")
    if sku not in SKUS:
        raise ValueError(f"sku: {sku!r} is not a SKU; `billing-provider skus` prints them")
    units = amount if is_licence(sku) else amount * _CENTS
    if not 0 <= units <= _MOST or not math.isclose(units, round(units), abs_tol=1e-6):
        raise ValueError(
            f"amount: {amount} is not a number of {'licences' if is_licence(sku) else 'dollars and cents'}"
        )
    if repository and not same_name(repository.partition("/")[0], organization):
        raise ValueError(f"repository: {repository!r} is not one of {organization}: write {organization}/NAME")
    return Spending(
        day=on.isoformat(),
        organization=_known(state, "organization", organization),
        repository=repository,
        user=user and _known(state, "user", user),
        sku=sku,
        model=model,
        units=round(units),
    )


def _known(state: State, kind: str, name: str) -> str:
    found = state.find_name(kind, name)
    if found is None:
        held = getattr(state.known, f"{kind}s")
        raise ValueError(f"{kind}: the sandbox has no {name}; it has {', '.join(held)}")
    return found
