"""What becomes of the budget of a resource whose identity changes, in words: it is kept, or another one follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import removal
from billing_provider.budgets.identity import IDENTITY, differing
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER, Owner
from billing_provider.core.redact import clean
from billing_provider.core.resource import secret_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from billing_provider.budgets.change import Change
    from billing_provider.core.owners import OwnerKind

_NAMES = frozenset({ENTERPRISE, ORGANIZATION, "budget_entity_name", USER})
"""The inputs that GitHub changes in a budget when something is renamed or transferred."""
_MAX_NAME = 60


def keeps(budget_id: str) -> str:
    """Return that a replacement takes the same budget again."""
    return f"keeps the budget {budget_id}: it is the declared one on GitHub, so no other one is created"


def drifted(
    owner: Owner, budget_id: str, live: Mapping[str, Any], state: Mapping[str, Any], fields: Sequence[str]
) -> str:
    """Return that a refresh has found another identity: a renamed object, or a budget that somebody changed.

    Args:
        owner: The owner of the budget.
        budget_id: GitHub's id.
        live: The outputs as just read.
        state: The inputs in the state before.
        fields: The inputs that differ.
    """
    hidden = secret_inputs(live) | secret_inputs(state)
    shown = ", ".join(
        f"{name} {_shown(live, name, hidden)} ({_shown(state, name, hidden)} in the state)" for name in fields
    )
    return (
        f"the budget {budget_id} of {owner} has {shown} on GitHub: if that is a new name, declare it, and the budget "
        "is kept; else the next up replaces it"
    )


def goes(
    kind: OwnerKind, replaced: Change, news: Mapping[str, Any], unknown: frozenset[str], *, is_compared: bool
) -> Iterator[str]:
    """Yield what goes and what comes by a replacement, and when the same budget is kept instead.

    Args:
        kind: The kind of the owner.
        replaced: From the budget that goes to the declared one.
        news: The declared inputs that are known.
        unknown: The names of the inputs not known yet.
        is_compared: Whether GitHub was read, and the budget that goes is not the declared one.
    """
    old, open_names = replaced.before, [name for name in _identity(kind) if name in unknown]
    if not replaced.after:
        yield f"deletes the {removal.described(kind, old)}: the declared one has expired, so none takes its place"
        return
    text = f"replaces the {removal.described(kind, old)} by a {removal.described(kind, news, unknown)}"
    if open_names and not _changed(kind, replaced, news, unknown):
        yield f"if {' or '.join(open_names)} changes, which is not known yet, {text}; else the budget is kept"
    elif not is_compared:
        yield f"{text}, unless that is a new name of the same one on GitHub: then the budget is kept"
    else:
        yield f"{text}, which counts only usage after its creation"
        yield from renamed(kind, replaced, news, unknown)
    if words := replaced.words():
        yield f"the replacement {words}"


def renamed(kind: OwnerKind, replaced: Change, news: Mapping[str, Any], unknown: frozenset[str]) -> Iterator[str]:
    """Yield how the budget is kept if GitHub has renamed what the program declares, where names alone differ.

    Args:
        kind: The kind of the owner.
        replaced: From the budget as GitHub has it to the declared one.
        news: The declared inputs that are known.
        unknown: The names of the inputs not known yet.
    """
    changed = _changed(kind, replaced, news, unknown)
    if changed and _NAMES.issuperset(changed):
        hidden = secret_inputs(news) | secret_inputs(replaced.before)
        pairs = [(_shown(news, name, hidden), _shown(replaced.before, name, hidden)) for name in changed]
        new_names = " and ".join(f"{declared} is now {live}" for declared, live in pairs)
        yield f"if {new_names} on GitHub, declare {' and '.join(live for _, live in pairs)}: then the budget is kept"


def _identity(kind: OwnerKind) -> tuple[str, ...]:
    return (kind.noun, *IDENTITY[2:])


def _changed(kind: OwnerKind, replaced: Change, news: Mapping[str, Any], unknown: frozenset[str]) -> list[str]:
    """Return the known inputs of the identity that differ."""
    known = tuple(name for name in _identity(kind) if name not in unknown)
    return differing(Owner(kind, replaced.before[kind.noun]), replaced.before, news, known)


def _shown(fields: Mapping[str, Any], name: str, hidden: frozenset[str]) -> str:
    return "[secret]" if name in hidden else clean(str(fields.get(name) or "none"), _MAX_NAME)
