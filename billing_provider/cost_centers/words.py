"""The words about members of cost centers; each is one line, however many they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing_provider.core.redact import quoted
from billing_provider.cost_centers.models import (
    ENTERPRISE_TEAMS,
    MEMBER_KINDS,
    ORGANIZATIONS,
    REPOSITORIES,
    USERS,
    missing_members,
    plain_member,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

ADOPTS = "adopts the existing cost center "
"""How the word about an adoption begins."""
_ALL, _SHOWN, _MAX_NAME = 10, 3, 60
_ONE = {USERS: "user", ORGANIZATIONS: "organization", REPOSITORIES: "repository", ENTERPRISE_TEAMS: "enterprise team"}
_MANY = {USERS: USERS, ORGANIZATIONS: ORGANIZATIONS, REPOSITORIES: REPOSITORIES, ENTERPRISE_TEAMS: "enterprise teams"}

_FREES = re.compile(r"^(?:frees |the usage of .* no longer counts |the .* (?:loses|may lose) its object)")
_REMOVES = re.compile(rf"^(?:{ADOPTS}\S+: |declaring \w+ )?removes ")


def changes(old: Mapping[str, Any], new: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """Return the differences of two cost centers in words, removed members first.

    Args:
        old: The inputs before.
        new: The inputs after.
        names: The inputs that differ.
    """
    kinds = [kind for kind in MEMBER_KINDS if kind in names]
    words = [
        f"{verb} {kind} {first_names(members)}"
        for verb, wanted, there in (("removes", old, new), ("adds", new, old))
        for kind in kinds
        if (members := missing_members(kind, wanted[kind], there[kind]))
    ]
    return words + [f"{name}: {old.get(name)} → {new[name]}" for name in names if name not in MEMBER_KINDS]


def lifts_cap(text: str) -> bool:
    """Return whether a word of a preview, without the name of the cost center, tells that a cap no longer holds."""
    return _FREES.search(text) is not None


def removes_members(text: str) -> bool:
    """Return whether a word, without the name of the cost center, tells that members leave it."""
    return _REMOVES.search(text) is not None


def first_names(names: Sequence[str], longest: int = _MAX_NAME) -> str:
    """Return up to ten names, or of more the first three and the number of the others.

    Args:
        names: At least one name.
        longest: Maximum length of a name.
    """
    shown = [quoted(name, longest) for name in (names if len(names) <= _ALL else names[:_SHOWN])]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown):,} more")
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def counted(kind: str, number: int) -> str:
    """Return a number of members of one kind."""
    return f"{number:,} {(_ONE if number == 1 else _MANY)[kind]}"


def member(kind: str, name: str) -> str:
    """Return a member with its kind; a user and a repository have none."""
    plain = plain_member(kind, name)
    return plain if kind in {USERS, REPOSITORIES} else f"{_ONE[kind]} {plain}"


def moved_line(verb: str, kind: str, names: Sequence[str], cost_center: str) -> str:
    """Return the warning that members of one kind leave another cost center.

    Args:
        verb: `moves` before the change, `moved` after it.
        kind: One of `MEMBER_KINDS`.
        names: The members.
        cost_center: The name of the cost center that they leave.
    """
    what = counted(kind, len(names))
    plain = [plain_member(kind, name) for name in names]
    return f"{verb} {what} from cost center {quoted(cost_center, _MAX_NAME)}: {first_names(plain)}"
