"""What the deletion of a resource of a table removes, told from its state before it happens; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets.approved_raises import known_amount
from billing_provider.budgets.consequences import dollars
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import KEEP
from billing_provider.core.redact import clean
from billing_provider.runtime.on_delete import KEPT_ON_DELETE, ON_DELETE
from billing_provider.user_budgets.states import read_bucket

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 200


def caps(state: Mapping[str, Any], *, retained: bool) -> str:
    """Return the caps of the rows, such as `$60 in hard stops of 5 people in acme`, and how many stay.

    It is empty without live rows, and for a damaged state: then the deletion itself reports what is wrong.

    Args:
        state: The inputs and outputs of the resource.
        retained: Whether the program keeps it by Pulumi's option.
    """
    try:
        part = read_bucket(state)
        live = {login: old for login, old in part.states() if login not in part.expired}
    except ConfigError:
        return ""
    if not live:
        return ""
    kept = [old for old in live.values() if retained or old[KEPT_ON_DELETE]]
    total = dollars(sum(known_amount(old) for old in live.values()))
    text = f"{total} in hard stops of {len(live):,} {'person' if len(live) == 1 else 'people'} in {part.owner}"
    if kept:
        why = "retain_on_delete" if retained else f"{ON_DELETE} is {KEEP}"
        text += f", of which {'all' if len(kept) == len(live) else f'{len(kept):,}'} stay on GitHub ({why})"
    return clean(text, _MOST)
