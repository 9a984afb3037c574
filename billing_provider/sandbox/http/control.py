"""The control plane: routes with which tests in other processes control the sandbox."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.replies import Reply
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from billing_provider.sandbox.http.incoming import Incoming


def answer(token: str, routes: Mapping[str, Callable[[Any], Any]], request: Incoming) -> Reply:
    """Return the reply to a control request.

    It is 404 if the plane is off, 401 without its token, 400 for an invalid body, and 507 if a file cannot be written.

    Args:
        token: The token of the plane; empty if it is off.
        routes: What each method and path does with the JSON value of the body.
        request: The request; its path comes without the prefix.
    """
    if not token:
        return Reply({"message": "The control plane is off; start the sandbox with --control."}, HTTPStatus.NOT_FOUND)
    if request.headers.get("X-Sandbox-Control") != token:
        return Reply({"message": "The header X-Sandbox-Control is missing or wrong."}, HTTPStatus.UNAUTHORIZED)
    act = routes.get(f"{request.method} {request.path}")
    if act is None:
        return Reply({"message": f"Unknown control request; known: {', '.join(routes)}"}, HTTPStatus.NOT_FOUND)
    try:
        return Reply(act(json_text.parse(request.body or b"null")))
    except ValueError as error:
        return Reply({"message": str(error)}, HTTPStatus.BAD_REQUEST)
    except files.FileError as error:
        return Reply({"message": f"The sandbox {error}"}, HTTPStatus.INSUFFICIENT_STORAGE)
