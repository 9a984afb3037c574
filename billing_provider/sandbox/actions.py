"""The actions of planned faults: whether the request takes effect, and how the reply is changed and sent."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.call import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACTIONS", "BARE_WAIT", "Action", "Scene"]

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
        honest: The regular reply; without a body if the request had no effect.
        url: The URL of the request.
        now: The time of the sandbox's clock.
        seconds: The duration of a stall, drip, delay or limit.
        status: The status of a redirect to another host.
    """

    honest: Reply
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
        spoil: Returns the reply for the client.
        seconds: The default duration.
        times: How often a rule with `nth` applies by default.
        limits: Whether the reply asks the client to wait and to send nothing meanwhile.
    """

    summary: str
    commits: bool = False
    deliver: str = "plain"
    spoil: Callable[[Scene], Reply] = lambda scene: scene.honest
    seconds: float = 0
    times: int = 1
    limits: bool = False


def _refusal(status: int, message: str, **headers: str) -> Reply:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def _says(status: int, message: str, **headers: str) -> Callable[[Scene], Reply]:
    return lambda _: _refusal(status, message, **headers)


def _server_error(status: int) -> Callable[[Scene], Reply]:
    text = _SERVER_ERRORS[status]
    if status == HTTPStatus.BAD_GATEWAY:
        page = f"<html><head><title>{text}</title></head></html>".encode()
        return lambda _: Reply(page, status, {"Content-Type": "text/html"})
    return _says(status, text)


def _primary(status: int) -> Callable[[Scene], Reply]:
    def spoil(scene: Scene) -> Reply:
        reply = _refusal(status, "API rate limit exceeded for user ID 1.")
        reply.headers |= {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-used": "5000",
            "x-ratelimit-reset": str(math.ceil(scene.now + scene.seconds)),
            "x-ratelimit-resource": "core",
        }
        return reply

    return spoil


def _secondary(status: int) -> Callable[[Scene], Reply]:
    return lambda scene: _refusal(status, _SECONDARY, retry_after=str(math.ceil(scene.seconds)))


def _redirect(status: int) -> Callable[[Scene], Reply]:
    return lambda scene: _refusal(status, "Moved", Location=scene.url)


def _redirect_away(old: str, new: str) -> Callable[[Scene], Reply]:
    return lambda scene: _refusal(scene.status, "Moved", Location=scene.url.replace(old, new, 1))


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


def _change(change: Callable[[dict[str, Any]], Any]) -> Callable[[Scene], Reply]:
    def spoil(scene: Scene) -> Reply:
        scene.honest.body = change(scene.honest.body)
        return scene.honest

    return spoil


def _page(content: bytes, kind: str) -> Callable[[Scene], Reply]:
    return lambda _: Reply(content, HTTPStatus.OK, {"Content-Type": kind})


def _shorten(body: dict[str, Any]) -> Any:
    for key in ("budgets", "costCenters", "usageItems", "resources"):
        if key in body:
            body[key] = body[key][:-1]
    return body


ACTIONS: dict[str, Action] = {
    "reset_before": Action("RST, nothing done", deliver="reset"),
    "reset_after": Action("done, then RST", commits=True, deliver="reset"),
    "reset_mid_body": Action("done, then RST in the middle of the reply", commits=True, deliver="cut"),
    "late_commit": Action("RST; done only after `seconds` by the sandbox's clock", deliver="reset", seconds=9),
    "stall_before": Action("no answer for `seconds`, nothing done", deliver="stall", seconds=30),
    "stall_after": Action("done, then no answer for `seconds`", commits=True, deliver="stall", seconds=30),
    "slow_drip": Action("done; the reply comes byte by byte over `seconds`", commits=True, deliver="drip", seconds=20),
    **{
        f"{status}_{when}": Action(
            f"{'done, then' if when == 'after' else 'nothing done,'} {status}",
            commits=when == "after",
            spoil=_server_error(status),
        )
        for status in _SERVER_ERRORS
        for when in ("before", "after")
    },
    "401": Action("the token is refused", spoil=_says(401, "Bad credentials")),
    "403_permission": Action("no permission", spoil=_says(403, "Resource not accessible by personal access token")),
    **{
        f"{status}_{kind}": Action(f"{text} ({status})", spoil=spoil, seconds=BARE_WAIT, limits=True)
        for status in (403, 429)
        for kind, text, spoil in (
            ("primary", "primary limit, until x-ratelimit-reset", _primary(status)),
            ("secondary", "secondary limit with retry-after", _secondary(status)),
            ("secondary_bare", "secondary limit without any header: a minute", _says(status, _SECONDARY)),
        )
    },
    "404": Action("not found, whatever is there", spoil=_says(404, "Not Found")),
    "410": Action("the API version is retired", spoil=_gone),
    "422": Action("validation failed", spoil=_invalid),
    "bad_json": Action("done; the reply is cut JSON", commits=True, spoil=_change(lambda body: json.dumps(body)[:-2])),
    "empty_200": Action("done; an empty 200", commits=True, spoil=_page(b"", "application/json; charset=utf-8")),
    "wrong_type": Action("done; JSON, but a list", commits=True, spoil=_change(lambda _: ["unexpected"])),
    "wrong_fields": Action(
        "done; every field holds a list",
        commits=True,
        spoil=_change(lambda body: {key: [value] for key, value in body.items()}),
    ),
    "wrong_content_type": Action(
        "done; a page of HTML with the status 200",
        commits=True,
        spoil=_page(b"<html><body>Unicorn!</body></html>", "text/html"),
    ),
    "huge_body": Action(
        "done; a reply of 20 MB", commits=True, spoil=_change(lambda body: {**body, "padding": "x" * 20_000_000})
    ),
    "short_list": Action(
        "the last entry of a listing is missing, its total_count is right", commits=True, spoil=_change(_shorten)
    ),
    **{
        f"redirect_{status}": Action(f"{status} to the same place", spoil=_redirect(status))
        for status in (301, 302, 303, 307, 308)
    },
    "redirect_host": Action("redirect to another host", spoil=_redirect_away("127.0.0.1", "localhost")),
    "redirect_scheme": Action("redirect to https", spoil=_redirect_away("http:", "https:")),
    "redirect_loop": Action("307 to the same place, again and again", spoil=_redirect(307), times=25),
    "switch": Action("an honest reply, after `quirk` was switched on", commits=True),
}
