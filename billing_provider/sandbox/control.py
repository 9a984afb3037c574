"""The control plane: routes with which tests in other processes control the sandbox."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.call import Reply
from billing_provider.sandbox.quirks import Quirks
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox.api import Incoming
    from billing_provider.sandbox.server import Sandbox

__all__ = ["answer"]


def _requests(sandbox: Sandbox, _: Any) -> Any:
    return [asdict(entry) for entry in sandbox.requests]


def _faults(sandbox: Sandbox, _: Any) -> Any:
    return {
        "triggered": sandbox.triggered_faults(),
        "untriggered": sandbox.untriggered_faults(),
        "requests_while_blocked": sandbox.requests_while_blocked,
        "unpaced_writes": sandbox.unpaced_writes,
        "misdirected_requests": sandbox.misdirected_requests,
    }


def _switch(sandbox: Sandbox, wanted: Any) -> None:
    if not isinstance(wanted, dict) or not all(isinstance(on, bool) for on in wanted.values()):
        raise ValueError("the body must be an object that maps quirk names to true or false")
    # Check all names first: with a wrong name, nothing is switched.
    Quirks(wanted)
    for name, on in wanted.items():
        sandbox.switch(name, on=on)


def _approve(sandbox: Sandbox, wanted: Any) -> Any:
    if not isinstance(wanted, dict) or not {"user", "amount"} <= set(wanted) <= {"user", "amount", "owner"}:
        raise ValueError("the body must be an object with user and amount, and owner if it is not the enterprise")
    user, owner = str(wanted["user"]), wanted.get("owner")
    return sandbox.approve_raise(user, wanted["amount"], None if owner is None else str(owner))


_ACTIONS: dict[tuple[str, str], Callable[[Sandbox, Any], Any]] = {
    ("GET", "/requests"): _requests,
    ("DELETE", "/requests"): lambda sandbox, _: sandbox.forget_requests(),
    ("GET", "/faults"): _faults,
    ("PUT", "/faults"): lambda sandbox, body: sandbox.plan(body),
    ("GET", "/quirks"): lambda sandbox, _: sandbox.quirks(),
    ("PATCH", "/quirks"): _switch,
    ("POST", "/raises"): _approve,
    ("GET", "/snapshot"): lambda sandbox, _: sandbox.snapshot(),
    ("PUT", "/snapshot"): lambda sandbox, body: sandbox.restore(body),
    ("POST", "/reset"): lambda sandbox, _: sandbox.reset(),
}


def answer(sandbox: Sandbox, request: Incoming) -> Reply:
    """Return the reply to a control request: 404 if the plane is off, 401 without its token, 400 for an invalid body.

    The reply is 507 if a file cannot be written.
    """
    if not sandbox.control_token:
        return Reply({"message": "The control plane is off; start the sandbox with --control."}, HTTPStatus.NOT_FOUND)
    if request.headers.get("X-Sandbox-Control") != sandbox.control_token:
        return Reply({"message": "The header X-Sandbox-Control is missing or wrong."}, HTTPStatus.UNAUTHORIZED)
    act = _ACTIONS.get((request.method, request.path))
    if act is None:
        known = ", ".join(" ".join(pair) for pair in _ACTIONS)
        return Reply({"message": f"Unknown control request; known: {known}"}, HTTPStatus.NOT_FOUND)
    try:
        return Reply(act(sandbox, json_text.parse(request.body or b"null")))
    except ValueError as error:
        return Reply({"message": str(error)}, HTTPStatus.BAD_REQUEST)
    except files.FileError as error:
        return Reply({"message": f"The sandbox {error}"}, HTTPStatus.INSUFFICIENT_STORAGE)
