"""Expiry of budgets: whether a budget's date has passed, and how an expired budget is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.core.clock import instant
from billing_provider.core.owners import USER
from billing_provider.core.resource import Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EXPIRED = "expired"
"""Name of the output that marks an expired budget that does not exist on GitHub: removed, or never created."""
NEVER_CREATED = "expired"
"""The part of the resource id in place of GitHub's id, for a budget that expired before it was created; never sent."""


def is_over(budget: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a budget has expired: its date has passed, or the state marks it as expired.

    Args:
        budget: The inputs, or the outputs in the state.
        now: The current time, timezone-aware.
    """
    try:
        is_past = budget.get("budget_scope") == USER and instant(budget.get("expires_at") or "") <= now
    except ValueError:
        # GitHub's time formats are not fully known; a date that is missing or cannot be parsed has not passed.
        is_past = False
    return is_past or bool(budget.get(EXPIRED))


def ends_early(olds: Mapping[str, Any], news: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a date in the past would end an existing budget that has not expired.

    Args:
        olds: The stored inputs; empty for a new budget.
        news: The new inputs.
        now: The current time, timezone-aware.
    """
    return bool(olds) and is_over(news, now) and not is_over(olds, now)


def comes_back(olds: Mapping[str, Any], news: Mapping[str, Any], now: datetime) -> bool:
    """Return whether an expired budget gets a new date, or none; arguments as for `ends_early`."""
    return is_over(olds, now) and not is_over(news, now)


def warning(what: str, expires_at: str) -> str:
    """Return the warning about a declared budget that has expired."""
    return f"{what} expired on {instant(expires_at).date()}: remove it, or give a new date"


def stored(id_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Stored:
    """Return an expired budget as stored by the engine; nothing is sent for it.

    Args:
        id_: The resource's id.
        inputs: Its inputs.
        outputs: Its outputs that are not inputs.
    """
    return Stored(id_, dict(inputs), {**inputs, **outputs})
