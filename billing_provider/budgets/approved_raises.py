"""Raises of one person's budget on GitHub: what `on_raise` keeps, what an update sends, and what a preview says.

An owner can approve a person's request for a higher amount. GitHub then sets this amount as the new total of the
person's budget. With `on_raise="keep"` the declared amount is a floor, and a higher amount is no difference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.cache import OwnerCache
from billing_provider.budgets.consequences import RAISED_TO, dollars
from billing_provider.budgets.identity import natural_key, same
from billing_provider.core.inputs import KEEP
from billing_provider.core.redact import clean
from billing_provider.core.resource import secret_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

ON_RAISE = "on_raise"
"""The name of the input."""
_AMOUNT = "budget_amount"
_MAX_NAME = 39
_HIDDEN = "a secret amount"


def raised_to(declared: Mapping[str, Any], amount: float) -> float | None:
    """Return the amount on GitHub if it is above the declared one and is kept, else None.

    Args:
        declared: The inputs, as declared or from the state.
        amount: The amount on GitHub.
    """
    return amount if _keeps(declared) and amount > declared.get(_AMOUNT, math.inf) else None


def known_amount(state: Mapping[str, Any]) -> float:
    """Return the amount on GitHub as the state knows it."""
    amount: float = state.get(RAISED_TO, state.get(_AMOUNT, -math.inf))
    return amount


def differing(owner: Owner, olds: Mapping[str, Any], news: Mapping[str, Any], fields: Iterable[str]) -> list[str]:
    """Return the fields that a change alters; the amount is among them if the update sends it.

    Args:
        owner: The owner of the budget.
        olds: The inputs in the state.
        news: The declared inputs.
        fields: The fields to compare.
    """
    return [
        field
        for field in fields
        if (sends_amount(olds, news) if field == _AMOUNT else not same(owner, field, olds, news))
    ]


def warning(
    olds: Mapping[str, Any], news: Mapping[str, Any], amount: float, *, sent: bool, replaced: bool
) -> str | None:
    """Return what a change does to a raise, or None if there is none or nothing happens to it.

    Args:
        olds: The inputs in the state.
        news: The declared inputs.
        amount: The amount on GitHub, as last read.
        sent: Whether the declared amount is sent.
        replaced: Whether a new budget replaces this one.
    """
    person = clean(olds.get("user") or "", _MAX_NAME)
    is_secret = _AMOUNT in secret_inputs(olds) | secret_inputs(news)
    there, declared = (_HIDDEN if is_secret else dollars(each) for each in (amount, news[_AMOUNT]))
    if (sent or replaced) and (_keeps(olds) or _keeps(news)):
        is_raise = amount > olds.get(_AMOUNT, math.inf) and amount != news[_AMOUNT]
        return f"ends the raise of {person}'s budget to {there}: the new amount is {declared}" if is_raise else None
    if _keeps(news):
        return None if _keeps(olds) else kept(news, amount)
    if not person or replaced or amount <= news[_AMOUNT]:
        return None
    how = "the next up" if sent else "this change leaves it, and `pulumi up --refresh`"
    return (
        f"GitHub has {there} for {person}, the program declares {declared}: {how} takes the difference back; if it is "
        f'an approved raise, {ON_RAISE}="{KEEP}" keeps it'
    )


def warn(
    run: Run, owner: Owner, budget_id: str, olds: Mapping[str, Any], news: Mapping[str, Any], *, replaced: bool
) -> None:
    """Warn of what a change does to a raise; nothing is sent, so the amount is the last one that was read.

    Args:
        run: The engine run.
        owner: The owner of the budget.
        budget_id: GitHub's id.
        olds: The outputs in the state.
        news: The declared inputs.
        replaced: Whether a new budget replaces this one.
    """
    listed = run.cache(OwnerCache, owner).known(budget_id)
    amount = known_amount(olds) if listed is None else listed.budget_amount
    if text := warning(olds, news, amount, sent=sends_amount(olds, news), replaced=replaced):
        run.reporter.warn(f"{natural_key(owner, news)}: {text}")


def kept(news: Mapping[str, Any], amount: float) -> str | None:
    """Return that a budget keeps a higher amount on GitHub than the declared one, or None if it does not.

    Args:
        news: The declared inputs.
        amount: The amount on GitHub.
    """
    if raised_to(news, amount) is None:
        return None
    if _AMOUNT in secret_inputs(news):
        return f"keeps an amount that is above the declared one, which is secret ({ON_RAISE} is {KEEP})"
    return f"keeps {dollars(amount)}, which is above the declared {dollars(news[_AMOUNT])} ({ON_RAISE} is {KEEP})"


def _keeps(fields: Mapping[str, Any]) -> bool:
    return fields.get(ON_RAISE) == KEEP


def sends_amount(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Return whether an update sends the declared amount.

    A switch to `keep` does not lower the amount: the state may contain a raise, from a refresh before the switch. A
    switch from `keep` always sends it: the raise may be newer than the state.
    """
    before, after = (fields.get(_AMOUNT, -math.inf) for fields in (olds, news))
    if _keeps(olds) == _keeps(news):
        return bool(before != after)
    return _keeps(olds) or after > before
