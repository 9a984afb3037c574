"""The rows of a table of users' budgets: how they are written, checked and stored, and what each declares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import rules
from billing_provider.budgets.identity import natural_key
from billing_provider.budgets.models import MAX_AMOUNT, complete, read_inputs
from billing_provider.core.ids import LOGIN, MAX_TEXT
from billing_provider.core.inputs import (
    ON_DELETE,
    ON_EXISTING,
    ON_RAISE,
    Problem,
    choose,
    login_problem,
    no_such_inputs,
)
from billing_provider.core.owners import USER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing_provider.core.owners import Owner, OwnerKind

PRODUCT = "ai_credits"
"""The only product that GitHub limits for one user."""
CHOICES = {"on_existing": ON_EXISTING, "on_delete": ON_DELETE, "on_raise": ON_RAISE}
"""The inputs of a table that hold for its rows, with their values."""
REASON = "reason"
ROW_INPUTS = ("budget_amount", "expires_at", "on_raise", REASON)
"""The inputs of a row, as columns of a file too."""
BUCKETS = 16
"""The number of resources of a table.

It decides the resource that has a login, so it is a file format. Of ten thousand rows, a resource has some 630.
"""
MOST_MISTAKES = 20
"""Maximum number of rows with a mistake that one message shows; the rest is counted."""
# Whether a date has passed is a question of the run, not of the table.
_ALWAYS = datetime(1, 1, 1, tzinfo=timezone.utc)


def bucket_of(login: str) -> str:
    """Return the resource of a table that has a login, from `00` to `15`; case does not count."""
    return f"{hashlib.sha256(login.lower().encode()).digest()[0] % BUCKETS:02d}"


def as_inputs(row: Any) -> dict[str, Any]:
    """Return a row as inputs: a plain amount is a row with nothing else."""
    return dict(row) if isinstance(row, Mapping) else {"budget_amount": row}


def read_rows(kind: OwnerKind, budgets: Mapping[Any, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the rows as they are stored, and a problem for each mistake in the others.

    Args:
        kind: The kind of the owner.
        budgets: An amount, or a mapping of `ROW_INPUTS`, by login.
    """
    found: list[Problem] = []
    rows: dict[str, Any] = {}
    first: dict[str, str] = {}
    for login, row in budgets.items():
        if not isinstance(login, str):
            found.append(Problem("", f"{login!r}: write the login as a text"))
            continue
        if (other := first.setdefault(login.lower(), login)) != login:
            found.append(Problem("", f"{other} and {login} are the same person: remove one of the two rows"))
            continue
        if type(row) in {int, float} and 0 <= row <= MAX_AMOUNT and row == int(row) and LOGIN.fullmatch(login):
            # Nearly all rows of a large table; Pulumi sends each number as a float.
            rows[login] = int(row)
            continue
        rows[login], wrong = _read_row(kind, login, row)
        found += wrong
    return rows, found


def choice_problems(table: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each input of a table that has a fixed set of values, and another value."""
    return [
        Problem(name, choose(str(table[name]), choices))
        for name, choices in CHOICES.items()
        if table.get(name) is not None and table[name] not in choices
    ]


def _read_row(kind: OwnerKind, login: str, row: Any) -> tuple[Any, list[Problem]]:
    given = as_inputs(row)
    names = [name for name in given if name not in ROW_INPUTS]
    found = no_such_inputs("a row", map(str, names), ROW_INPUTS)
    reason = given.pop(REASON, None)
    if reason is not None and not (isinstance(reason, str) and reason.isprintable() and len(reason) <= MAX_TEXT):
        found.append(Problem(REASON, f"write a text of at most {MAX_TEXT} printable characters"))
    fields, wrong = read_inputs(
        kind,
        {
            "budget_product_sku": PRODUCT,
            "budget_scope": USER,
            **{name: value for name, value in given.items() if name not in names},
        },
    )
    unsure = frozenset({kind.noun, USER, *(problem.field for problem in wrong)})
    found += [*wrong, *rules.problems(kind, fields, unsure, _ALWAYS)]
    if text := login_problem(login):
        found.append(Problem("", text))
    kept = {name: fields[name] for name in ROW_INPUTS if name in fields}
    if reason:
        kept[REASON] = reason
    stored = kept["budget_amount"] if set(kept) == {"budget_amount"} else kept
    return stored, [Problem("", f"{login}: {problem}") for problem in found]


def user_key(owner: Owner, login: str) -> tuple[str, ...]:
    """Return the key of the budget of one user, which each row declares."""
    slug, scope, covered, _, sku = _shared_key(owner)
    return (slug, scope, covered, login.lower(), sku)


@lru_cache(maxsize=8)
def _shared_key(owner: Owner) -> tuple[str, ...]:
    """Return the key without a user: all users of an owner have the other parts in common."""
    return natural_key(owner, {"budget_scope": USER, "budget_product_sku": PRODUCT}).parts


def budget_inputs(kind: OwnerKind, owner: str, login: str, row: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the complete inputs of the budget that a row declares.

    Args:
        kind: The kind of the owner.
        owner: Its slug or login.
        login: The user.
        row: The row as stored.
        defaults: The inputs of the table: `on_existing`, `on_delete` and `on_raise`, where they are declared.
    """
    shared = {name: defaults[name] for name in CHOICES if defaults.get(name)}
    own = {name: value for name, value in as_inputs(row).items() if name != REASON}
    given = {kind.noun: owner, "budget_product_sku": PRODUCT, "budget_scope": USER, USER: login, **shared, **own}
    return complete(kind, given, frozenset())


def mistakes(found: Iterable[Problem | str]) -> list[str]:
    """Return the first mistakes of a table, each on a line, and the number of the others."""
    every = [str(problem) for problem in found]
    more = len(every) - MOST_MISTAKES
    return [
        *every[:MOST_MISTAKES],
        *([f"and {more} more {'mistake' if more == 1 else 'mistakes'}"] if more > 0 else []),
    ]


def buckets_of(rows: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return each resource of a table with its rows, also one without rows: the removal of its last row is an update.

    A provider is asked nothing before a deletion, so a preview could not tell what goes.
    """
    parts: dict[str, dict[str, Any]] = {f"{number:02d}": {} for number in range(BUCKETS)}
    for login in sorted(rows, key=str.lower):
        parts[bucket_of(login)][login] = rows[login]
    return list(parts.items())
