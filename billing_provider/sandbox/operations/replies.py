"""Replies, and the errors that GitHub replies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_MAX_HEADER = 300


@dataclass
class Reply:
    """A status, a body that is sent as JSON (text and bytes unchanged), and additional headers.

    `deliver` is how the reply is sent: `plain`, or changed by a planned fault of `seconds`.
    """

    body: Any
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)
    deliver: str = "plain"
    seconds: float = 0.0


class RefusedError(Exception):
    """An error reply, in GitHub's form.

    `problem` is sent in the header `X-Sandbox-Problem`: an explanation that GitHub does not give.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(message)
        body: dict[str, Any] = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest/billing/budgets",
            "status": str(int(status)),
        }
        if errors is not None:
            body["errors"] = errors
        self.reply = Reply(body, status, dict(headers or {}))
        if problem:
            # Names from a client may contain line breaks and be long.
            text = problem[:_MAX_HEADER]
            self.reply.headers["X-Sandbox-Problem"] = re.sub(r"[^ -~]", "?", text)


def bad_request(message: str, problem: str = "") -> RefusedError:
    """Return a 400, GitHub's usual status for an invalid body."""
    return RefusedError(HTTPStatus.BAD_REQUEST, message, problem=problem)


def not_found(message: str = "Not Found", problem: str = "") -> RefusedError:
    """Return a 404: gone, hidden, switched off or unknown."""
    return RefusedError(HTTPStatus.NOT_FOUND, message, problem=problem)


def forbidden(message: str, problem: str = "") -> RefusedError:
    """Return a 403 for missing permissions."""
    return RefusedError(HTTPStatus.FORBIDDEN, message, problem=problem)


def conflict(message: str) -> RefusedError:
    """Return a 409: the name is taken, or a job is running."""
    return RefusedError(HTTPStatus.CONFLICT, message)


def unauthorized(message: str, problem: str = "") -> RefusedError:
    """Return a 401 for an invalid credential."""
    return RefusedError(HTTPStatus.UNAUTHORIZED, message, problem=problem)


def invalid(resource: str, field: str, code: str, problem: str = "") -> RefusedError:
    """Return a 422 for one field of a resource."""
    message = f"Validation Failed: {problem}" if problem else "Validation Failed"
    errors = [{"resource": resource, "field": field, "code": code}]
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, message, errors=errors)


def refuse_unknown(where: str, given: Iterable[str], accepted: Sequence[str]) -> None:
    """Refuse unknown names; GitHub may ignore them.

    Raises:
        RefusedError: A name is not accepted (422).
    """
    names = [name for name in given if name not in accepted]
    if not names:
        return
    text = f"unknown {where} {', '.join(names)}; known: {', '.join(accepted) or 'none'}"
    raise RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Validation Failed: {text} (the sandbox refuses unknown names; GitHub may ignore them)",
        errors=[{"resource": "Request", "field": name, "code": "invalid"} for name in names],
        problem=text,
    )


def require(given: Collection[str], names: Sequence[str], prefix: str = "") -> None:
    """Refuse a body that lacks a field.

    Raises:
        RefusedError: A name is missing (400).
    """
    if missing := [prefix + name for name in names if name not in given]:
        raise bad_request(f"Missing required fields: {', '.join(missing)}")
