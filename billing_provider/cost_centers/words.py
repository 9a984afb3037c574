"""The words about members of cost centers; each is one line, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.redact import quoted
from billing_provider.cost_centers.models import ENTERPRISE_TEAMS, ORGANIZATIONS, REPOSITORIES, USERS, plain_member

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALL, _SHOWN, _MAX_NAME = 10, 3, 60
_ONE = {USERS: "user", ORGANIZATIONS: "organization", REPOSITORIES: "repository", ENTERPRISE_TEAMS: "enterprise team"}
_MANY = {USERS: USERS, ORGANIZATIONS: ORGANIZATIONS, REPOSITORIES: REPOSITORIES, ENTERPRISE_TEAMS: "enterprise teams"}


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
    what = f"{len(names):,} {(_ONE if len(names) == 1 else _MANY)[kind]}"
    plain = [plain_member(kind, name) for name in names]
    return f"{verb} {what} from cost center {quoted(cost_center, _MAX_NAME)}: {first_names(plain)}"
