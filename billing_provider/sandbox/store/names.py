"""The names of a sandbox: its enterprises, organizations, repositories and users."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields
from typing import Any

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
# GitHub accepts no longer login, and no two separators in a row, for a new account.
_NEW_LOGIN = re.compile(r"(?=.{1,39}\Z)[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")
_REPOSITORY = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]{0,99})/[A-Za-z0-9._-]{1,100}")


def same_name(one: str, other: str) -> bool:
    """Return whether two logins, slugs or names are equal; GitHub ignores case."""
    return one.casefold() == other.casefold()


@dataclass(frozen=True)
class SandboxNames:
    """The names that exist; by default those of the sample data."""

    enterprises: tuple[str, ...] = ("octo-enterprise",)
    organizations: tuple[str, ...] = ("octo-org", "octo-lab", "octo-apps")
    repositories: tuple[str, ...] = ("octo-org/website", "octo-org/api")
    users: tuple[str, ...] = ("octocat", "monalisa", "hubot")

    def stand_in(self, kind: str, name: str) -> str:
        """Return the name in the place of one of the sample data; `kind` is a field. The names take turns."""
        names: tuple[str, ...] = getattr(self, kind)
        return names[getattr(_SAMPLE, kind).index(name) % len(names)] if names else name

    def joined(self, more: SandboxNames) -> SandboxNames:
        """Return these names followed by others."""
        return SandboxNames(*(one + other for one, other in zip(astuple(self), astuple(more), strict=True)))


_SAMPLE = SandboxNames()
NONE = SandboxNames((), (), (), ())
"""No names: those of a sandbox whose sample data was replaced by names that are created for requests."""


def given_names(enterprise: Any, **lists: Any) -> dict[str, Any]:
    """Return the lists of names, by kind, without those that are None."""
    kinds = {"enterprises": None if enterprise is None else [enterprise], **lists}
    return {kind: names for kind, names in kinds.items() if names is not None}


def read_names(given: Any) -> SandboxNames:
    """Return the names of a JSON object; kinds that are not given have the names of the sample data.

    Repositories that are not given are those of the sample data in the first organization.

    Raises:
        ValueError: A kind is unknown, or a list of names is invalid.
    """
    names = read_lists(given)
    organizations = names.get("organizations", _SAMPLE.organizations)
    first = (f"{login}/{name.partition('/')[2]}" for login in organizations[:1] for name in _SAMPLE.repositories)
    names.setdefault("repositories", tuple(first))
    for repository in names["repositories"]:
        owner = repository.partition("/")[0]
        if owner.casefold() not in map(str.casefold, organizations):
            raise ValueError(f"repositories: {repository} is in none of the organizations {', '.join(organizations)}")
    return SandboxNames(**names)


def read_lists(given: Any) -> dict[str, tuple[str, ...]]:
    """Return the given lists of names, by kind.

    Raises:
        ValueError: A kind is unknown, or a list of names is invalid.
    """
    kinds = [field.name for field in fields(SandboxNames)]
    if not isinstance(given, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - callers catch one error for all mistakes
    if strange := [kind for kind in given if kind not in kinds]:
        raise ValueError(f"unknown: {', '.join(strange)}; known: {', '.join(kinds)}")
    return {kind: _list(kind, given[kind]) for kind in kinds if kind in given}


def is_login(value: Any) -> bool:
    """Return whether a value has the form of a login; the user need not exist."""
    return isinstance(value, str) and _LOGIN.fullmatch(value) is not None


def repository_owner(name: Any) -> str | None:
    """Return the owner in OWNER/NAME, or None if the value has another form; the repository need not exist."""
    match = _REPOSITORY.fullmatch(name) if isinstance(name, str) else None
    return match and match["owner"]


def may_be_created(name: str) -> bool:
    """Return whether GitHub accepts a name for a new account."""
    return _NEW_LOGIN.fullmatch(name) is not None


def _list(kind: str, names: Any) -> tuple[str, ...]:
    if not isinstance(names, list | tuple):
        raise ValueError(f"{kind}: {names!r} is not a list")  # noqa: TRY004 - as above
    seen = set()
    for name in names:
        if not (repository_owner(name) if kind == "repositories" else is_login(name)):
            form = "OWNER/NAME" if kind == "repositories" else "a name of letters, digits, - and _"
            raise ValueError(f"{kind}: {name!r} is not {form}")
        if name.casefold() in seen:
            raise ValueError(f"{kind}: {name} is named twice")
        seen.add(name.casefold())
    return tuple(names)
