"""GitHub's refusals: one exception that carries a status, GitHub's own text and the sandbox's remark."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RefusedError", "bad_request", "conflict", "forbidden", "not_found", "unknown_fields"]


class RefusedError(Exception):
    """An answer that is no.

    `problem` goes into the header `X-Sandbox-Problem`: what GitHub would not say, but a person who tries the sandbox
    wants to know.
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
        """Return the JSON body in the form GitHub gives every error."""
        body: dict[str, object] = {
            "message": self.message,
            "documentation_url": "https://docs.github.com/rest/billing/budgets",
            "status": str(int(self.status)),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def bad_request(message: str, problem: str = "") -> RefusedError:
    """Return the 400 that GitHub gives for every live-seen mistake in a body."""
    return RefusedError(HTTPStatus.BAD_REQUEST, message, problem=problem)


def not_found(message: str = "Not Found", problem: str = "") -> RefusedError:
    """Return the 404 that means gone, hidden, switched off or unknown."""
    return RefusedError(HTTPStatus.NOT_FOUND, message, problem=problem)


def forbidden(message: str, problem: str = "") -> RefusedError:
    """Return the 403 of a token that may not do this."""
    return RefusedError(HTTPStatus.FORBIDDEN, message, problem=problem)


def conflict(message: str) -> RefusedError:
    """Return the 409 of a name that is taken or a job that is running."""
    return RefusedError(HTTPStatus.CONFLICT, message)


def unknown_fields(where: str, names: list[str], accepted: list[str]) -> RefusedError:
    """Return the 422 for names that the operation does not have; GitHub may ignore them, the sandbox never does."""
    known = ", ".join(accepted) or "none"
    text = f"unknown {where} {', '.join(names)}; this operation takes: {known}"
    return RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"Validation Failed: {text} (the sandbox is strict where GitHub may ignore a name)",
        errors=[{"resource": "Request", "field": name, "code": "invalid"} for name in names],
        problem=text,
    )
