"""Functions shared by all endpoints: paths of the billing API, and checks of responses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import ConfigError, TransportError, UnexpectedError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from billing_provider.core.owners import Owner
    from billing_provider.transport.session import Reply

PAGE_SIZE = 100
"""Requested page size for budgets: GitHub's maximum; some accounts still get 10."""
_MAX_PART = 100
_PART = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{,{_MAX_PART - 1}}}")


def billing_path(owner: Owner, *parts: str, what: str = "budgets") -> str:
    """Return the path of a billing endpoint of an owner.

    Raises:
        ConfigError: The owner or an id could change the path, such as `..`; nothing is sent.
    """
    slug, *checked = map(path_part, (owner.slug, *parts))
    return "/".join((f"/{owner.kind.path}", slug, "settings/billing", what, *checked))


def path_part(part: str) -> str:
    """Return a name or an id for a path.

    Raises:
        ConfigError: It could change the path, such as `..`; nothing is sent.
    """
    if not _PART.fullmatch(part) or ".." in part:
        raise ConfigError(
            f"{part[:_MAX_PART]!a} is not a valid name or id: use letters, digits, '-', '_' and '.', "
            f"at most {_MAX_PART} characters. Nothing was sent."
        )
    return part


def same_id(data: Any, requested: str, action: str) -> None:
    """Reject a response with a different id than requested; case and a missing id are ignored.

    Raises:
        TransportError: The response is about a different object.
    """
    body = data if isinstance(data, dict) else {}
    # For a deleted budget, GitHub's schema has one of these fields, its example the other.
    returned = str(body.get("id") or body.get("budget_id") or requested)
    if returned.lower() != requested.lower():
        raise TransportError(
            f"{action}: GitHub's response describes another object, {returned}. "
            "Run again; if the error persists, report it."
        )


def mapping(reply: Reply, action: str) -> dict[str, Any]:
    """Return the JSON object of a response.

    Raises:
        TransportError: The response is not a JSON object.
    """
    if not isinstance(reply.data, dict):
        raise TransportError(f"{action}: GitHub's response has an unexpected form.")
    return reply.data


def invalid(action: str, error: ValidationError) -> UnexpectedError:
    """Return the error for a response with a missing or invalid value; the message names the first one."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "missing":
        *row, name = first["loc"]
        where = "".join(f" in row {part + 1}" for part in row if isinstance(part, int))
        return UnexpectedError(f"{action}: GitHub's response has no {name}{where}.")
    place = "".join(f" {part}" for part in first["loc"])
    return UnexpectedError(f"{action}: GitHub's response has an invalid value{place}: {first['msg']}.")
