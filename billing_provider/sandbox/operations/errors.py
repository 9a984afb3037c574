"""Error replies: one exception with a status, GitHub's text and an explanation of the sandbox."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "RefusedError",
    "bad_request",
    "conflict",
    "forbidden",
    "invalid",
    "not_found",
    "unauthorized",
    "unknown_fields",
]


class RefusedError(Exception):
    """An error reply.

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
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})
        self.problem = problem

    def body(self) -> dict[str, object]:
        """Return the JSON body of an error, in GitHub's form."""
        body: dict[str, object] = {
            "message": self.message,
            "documentation_url": "https://docs.github.com/rest/billing/budgets",
            "status": str(int(self.status)),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return body


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


def unknown_fields(where: str, names: list[str], accepted: list[str]) -> RefusedError:
    """Return a 422 for unknown names; GitHub may ignore them, the sandbox refuses them."""
    known = ", ".join(accepted) or "none"
    text = f"unknown {where} {', '.join(names)}; known: {known}"
    return RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Validation Failed: {text} (the sandbox refuses unknown names; GitHub may ignore them)",
        errors=[{"resource": "Request", "field": name, "code": "invalid"} for name in names],
        problem=text,
    )
