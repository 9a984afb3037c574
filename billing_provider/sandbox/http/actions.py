"""The actions of planned faults: whether the request takes effect, and how the reply is changed and sent."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.replies import RefusedError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID."
)
_SERVER_ERRORS = {
    500: "Server Error",
    502: "Bad Gateway",
    503: "Service unavailable",
    504: "We couldn't respond to your request in time. Sorry about that. Please try resubmitting your request.",
}
# GitHub's rule for a limit reply without a time: wait at least one minute.
BARE_WAIT = 60


@dataclass(frozen=True)
class Scene:
    """The input of a fault.

    Attributes:
        regular: The regular reply; without a body if the request had no effect.
        url: The URL of the request.
        now: The time of the sandbox's clock.
        seconds: The duration of a stall, drip, delay or limit.
        status: The status of a redirect to another host.
    """

    regular: Reply
    url: str
    now: float
    seconds: float
    status: int


@dataclass(frozen=True)
class Action:
    """One fault.

    Attributes:
        summary: A one-line description.
        commits: Whether the request takes effect.
        deliver: How the reply is sent: `plain`, `reset`, `cut`, `stall` or `drip`.
        reply: Returns the reply for the client.
        seconds: The default duration.
        times: How often a rule with `nth` applies by default.
        limits: Whether the reply asks the client to wait and to send nothing meanwhile.
    """

    summary: str
    commits: bool = False
    deliver: str = "plain"
    reply: Callable[[Scene], Reply] = lambda scene: scene.regular
    seconds: float = 0
    times: int = 1
    limits: bool = False


def _refusal(status: int, message: str, **headers: str) -> Reply:
    return RefusedError(status, message, headers={name.replace("_", "-"): headers[name] for name in headers}).reply


def _refuse(status: int, message: str, **headers: str) -> Callable[[Scene], Reply]:
    return lambda _: _refusal(status, message, **headers)


def _server_error(status: int) -> Callable[[Scene], Reply]:
    text = _SERVER_ERRORS[status]
    if status == HTTPStatus.BAD_GATEWAY:
        return _page(f"<html><head><title>{text}</title></head></html>", "text/html", status)
    return _refuse(status, text)


def _primary(status: int) -> Callable[[Scene], Reply]:
    def make_reply(scene: Scene) -> Reply:
        reply = _refusal(status, "API rate limit exceeded for user ID 1.")
        reply.headers |= {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-used": "5000",
            "x-ratelimit-reset": str(math.ceil(scene.now + scene.seconds)),
            "x-ratelimit-resource": "core",
        }
        return reply

    return make_reply


def _secondary(status: int) -> Callable[[Scene], Reply]:
    return lambda scene: _refusal(status, _SECONDARY, retry_after=str(math.ceil(scene.seconds)))


def _redirect(status: int = 0, old: str = "", new: str = "") -> Callable[[Scene], Reply]:
    return lambda scene: _refusal(status or scene.status, "Moved", Location=scene.url.replace(old, new, 1))


def _gone(scene: Scene) -> Reply:
    return _refusal(
        HTTPStatus.GONE,
        "This API version is no longer supported.",
        Deprecation=f"@{int(scene.now) - 86400}",
        Sunset=formatdate(scene.now, usegmt=True),
    )


def _invalid(_: Scene) -> Reply:
    reply = _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed")
    reply.body["errors"] = [{"resource": "Budget", "field": "budget_amount", "code": "invalid"}]
    return reply


def _change(change: Callable[[Any], Any]) -> Callable[[Scene], Reply]:
    def make_reply(scene: Scene) -> Reply:
        scene.regular.body = change(scene.regular.body)
        return scene.regular

    return make_reply


def _page(content: str, kind: str, status: int = HTTPStatus.OK) -> Callable[[Scene], Reply]:
    return lambda _: Reply(content, status, {"Content-Type": kind})


def _shorten(body: dict[str, Any]) -> Any:
    for key in ("budgets", "costCenters", "usageItems", "resources"):
        if key in body:
            body[key] = body[key][:-1]
    return body


def _wrong_fields(body: Any) -> Any:
    rows = body if isinstance(body, list) else [body]
    wrong = [{key: [value] for key, value in row.items()} for row in rows]
    return wrong if isinstance(body, list) else wrong[0]


def _applied(reply: str, make_reply: Callable[[Scene], Reply]) -> Action:
    return Action(f"applied; {reply}", commits=True, reply=make_reply)


ACTIONS: dict[str, Action] = {
    "reset_before": Action("not applied; connection reset", deliver="reset"),
    "reset_after": Action("applied; connection reset", commits=True, deliver="reset"),
    "reset_mid_body": Action("applied; connection reset in the middle of the reply", commits=True, deliver="cut"),
    "late_commit": Action(
        "connection reset; applied after `seconds` of the sandbox's clock", deliver="reset", seconds=9
    ),
    "stall_before": Action("not applied; no reply for `seconds`", deliver="stall", seconds=30),
    "stall_after": Action("applied; no reply for `seconds`", commits=True, deliver="stall", seconds=30),
    "slow_drip": Action(
        "applied; the reply is sent byte by byte over `seconds`", commits=True, deliver="drip", seconds=20
    ),
    **{
        f"{status}_{when}": Action(
            f"{'applied' if when == 'after' else 'not applied'}; status {status}",
            commits=when == "after",
            reply=_server_error(status),
        )
        for status in _SERVER_ERRORS
        for when in ("before", "after")
    },
    "401": Action("the token is rejected", reply=_refuse(401, "Bad credentials")),
    "403_permission": Action(
        "the token lacks a permission", reply=_refuse(403, "Resource not accessible by personal access token")
    ),
    **{
        f"{status}_{kind}": Action(f"{text} ({status})", reply=make_reply, seconds=BARE_WAIT, limits=True)
        for status in (403, 429)
        for kind, text, make_reply in (
            ("primary", "primary rate limit, with x-ratelimit-reset", _primary(status)),
            ("secondary", "secondary rate limit, with retry-after", _secondary(status)),
            ("secondary_bare", "secondary rate limit without headers: wait one minute", _refuse(status, _SECONDARY)),
        )
    },
    "404": Action("not found, even if it exists", reply=_refuse(404, "Not Found")),
    "410": Action("the API version is retired", reply=_gone),
    "422": Action("validation failed", reply=_invalid),
    "bad_json": _applied("the reply is truncated JSON", _change(lambda body: json.dumps(body)[:-2])),
    "empty_200": _applied("the reply is 200 without a body", _page("", "application/json; charset=utf-8")),
    "wrong_type": _applied("the reply is a JSON list", _change(lambda _: ["unexpected"])),
    "wrong_fields": _applied("every field of the reply is a list", _change(_wrong_fields)),
    "wrong_content_type": _applied(
        "the reply is an HTML page with status 200", _page("<html><body>Unicorn!</body></html>", "text/html")
    ),
    "huge_body": _applied("the reply has 20 MB", _change(lambda body: [body, "x" * 20_000_000])),
    "short_list": Action(
        "a listing lacks its last entry; its total_count is unchanged", commits=True, reply=_change(_shorten)
    ),
    **{
        f"redirect_{status}": Action(f"redirect ({status}) to the same URL", reply=_redirect(status))
        for status in (301, 302, 303, 307, 308)
    },
    "redirect_host": Action("redirect to another host", reply=_redirect(old="127.0.0.1", new="localhost")),
    "redirect_scheme": Action("redirect to https", reply=_redirect(old="http:", new="https:")),
    "redirect_loop": Action("redirect (307) to the same URL, repeatedly", reply=_redirect(307), times=25),
    "switch": Action("the regular reply, after switching on `quirk`", commits=True),
}
