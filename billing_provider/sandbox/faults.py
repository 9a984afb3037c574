"""Planned faults: which request meets which, and what the client gets instead of the honest reply."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.call import Reply
from billing_provider.sandbox.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["ACTIONS", "Action", "Plan", "Rule"]

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
# GitHub's word for a limit answer that says nothing about the time: wait at least a minute.
_BARE_WAIT = 60


@dataclass
class Rule:
    """One planned fault: the requests it looks at, which of them it meets, and the action.

    Attributes:
        action: A name of `ACTIONS`.
        method: Only requests with this method.
        path: Only paths that fit this pattern (`*` stands for anything), without the prefix of the URL.
        op: Only this operation, such as `create_budget`, whoever owns the budget.
        nth: The first matching request that is met, from 1; used when neither `every` nor `probability` is given.
        every: Meet each such matching request: 3 is the 3rd, the 6th, ...
        probability: Meet each matching request with this chance, drawn from `seed`.
        times: How often at most; 1 for `nth`, no bound for the others.
        seconds: The length of a stall, drip, delay or limit; each action has its own default.
        status: The status of a redirect to elsewhere (default 307).
        quirk: What `switch` switches on.
    """

    action: str
    method: str | None = None
    path: str | None = None
    op: str | None = None
    nth: int = 1
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    times: int | None = None
    seconds: float | None = None
    status: int = HTTPStatus.TEMPORARY_REDIRECT
    quirk: str = ""
    seen: int = field(default=0, init=False)
    met: int = field(default=0, init=False)

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> Rule:
        """Return the rule a JSON object describes.

        Raises:
            ValueError: A name is unknown, or there is no such action.
        """
        known = {entry.name for entry in fields(cls) if entry.init}
        if strange := sorted(set(record) - known):
            raise ValueError(f"a fault has no {', '.join(strange)}; it has {', '.join(sorted(known))}")
        if record.get("action") not in ACTIONS:
            raise ValueError(f"no fault is called {record.get('action')!r}; there are {', '.join(sorted(ACTIONS))}")
        if record["action"] == "switch":
            Quirks([record.get("quirk", "")])
        return cls(**record)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def looks_at(self, method: str, path: str, operation: str) -> bool:
        """Tell whether the rule counts this request."""
        return (
            self.method in {None, method}
            and self.op in {None, operation}
            and (self.path is None or fnmatchcase(path, self.path))
        )

    def due(self) -> bool:
        """Count one matching request and tell whether it is to be met."""
        self.seen += 1
        if self.probability is not None:
            due = self._chance.random() < self.probability
        elif self.every is not None:
            due = self.seen % self.every == 0
        else:
            due = self.seen >= self.nth
        bound = self._bound()
        return due and (bound is None or self.met < bound)

    def is_unmet(self) -> bool:
        """Tell whether the fault was met less often than planned; a loop and an open bound are met by one."""
        return self.met < (self.times or 1)

    def length(self) -> float:
        """Return the seconds of a stall, drip, delay or limit."""
        return ACTIONS[self.action].seconds if self.seconds is None else self.seconds

    def description(self) -> dict[str, Any]:
        """Return the rule as it was planned, with how often it was met."""
        planned = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        defaults = {entry.name: entry.default for entry in fields(self)}
        planned.pop("seen")
        return {name: value for name, value in planned.items() if name == "met" or value != defaults[name]}

    def _bound(self) -> int | None:
        if self.times is not None:
            return self.times
        if self.every is not None or self.probability is not None:
            return None
        return ACTIONS[self.action].times


class Plan:
    """The rules of one run, in order: the first that is due meets the request, all that look at it count it."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        self.rules = [Rule.parse(record) for record in rules]

    def pick(self, method: str, path: str, operation: str) -> Rule | None:
        """Return the fault that this request meets, if any."""
        due = [rule for rule in self.rules if rule.looks_at(method, path, operation) and rule.due()]
        for rule in due[:1]:
            rule.met += 1
            return rule
        return None


@dataclass(frozen=True)
class Action:
    """What one fault does.

    Attributes:
        summary: One line for people.
        commits: Whether the request takes effect before the fault shows.
        deliver: How the reply goes out: `plain`, `reset`, `cut`, `stall` or `drip`.
        spoil: Makes the reply from the rule, the honest reply (None when nothing was done), the URL and the time.
        seconds: The default length.
        times: How often `nth` meets by default.
        limits: Whether the client is told to wait, and must send nothing until then.
    """

    summary: str
    commits: bool = False
    deliver: str = "plain"
    spoil: Callable[[Rule, Reply | None, str, float], Reply] = lambda _rule, honest, _url, _now: honest or Reply(b"")
    seconds: float = 0
    times: int = 1
    limits: bool = False

    def perform(self, rule: Rule, answer: Callable[[], Reply], url: str, now: float) -> Reply:
        """Return what the client gets; `answer` makes the request take effect, `url` is its own address."""
        reply = self.spoil(rule, answer() if self.commits else None, url, now)
        reply.deliver, reply.seconds = self.deliver, rule.length()
        return reply


def _refusal(status: int, message: str, **headers: str) -> Reply:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def _says(status: int, message: str, **headers: str) -> Callable[..., Reply]:
    return lambda *_: _refusal(status, message, **headers)


def _server_error(status: int) -> Callable[..., Reply]:
    text = _SERVER_ERRORS[status]
    if status == HTTPStatus.BAD_GATEWAY:
        page = f"<html><head><title>{text}</title></head></html>".encode()
        return lambda *_: Reply(page, status, {"Content-Type": "text/html"})
    return _says(status, text)


def _primary(status: int) -> Callable[[Rule, Reply | None, str, float], Reply]:
    def spoil(rule: Rule, _honest: Reply | None, _url: str, now: float) -> Reply:
        reply = _refusal(status, "API rate limit exceeded for user ID 1.")
        reply.headers |= {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-used": "5000",
            "x-ratelimit-reset": str(math.ceil(now + rule.length())),
            "x-ratelimit-resource": "core",
        }
        return reply

    return spoil


def _secondary(status: int) -> Callable[[Rule, Reply | None, str, float], Reply]:
    def spoil(rule: Rule, _honest: Reply | None, _url: str, _now: float) -> Reply:
        return _refusal(status, _SECONDARY, retry_after=str(math.ceil(rule.length())))

    return spoil


def _redirect(status: int) -> Callable[[Rule, Reply | None, str, float], Reply]:
    return lambda _rule, _honest, url, _now: _refusal(status, "Moved", Location=url)


def _redirect_away(old: str, new: str) -> Callable[[Rule, Reply | None, str, float], Reply]:
    return lambda rule, _honest, url, _now: _refusal(rule.status, "Moved", Location=url.replace(old, new, 1))


def _gone(_rule: Rule, _honest: Reply | None, _url: str, now: float) -> Reply:
    return _refusal(
        HTTPStatus.GONE,
        "This API version is no longer supported.",
        Deprecation=f"@{int(now) - 86400}",
        Sunset=formatdate(now, usegmt=True),
    )


def _invalid(*_: Any) -> Reply:
    reply = _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed")
    reply.body["errors"] = [{"resource": "Budget", "field": "budget_amount", "code": "invalid"}]
    return reply


def _change(change: Callable[[dict[str, Any]], Any]) -> Callable[[Rule, Reply | None, str, float], Reply]:
    def spoil(_rule: Rule, honest: Reply | None, _url: str, _now: float) -> Reply:
        reply = honest or Reply({})
        reply.body = change(reply.body if isinstance(reply.body, dict) else {"content": reply.body})
        return reply

    return spoil


def _page(content: bytes, kind: str) -> Callable[..., Reply]:
    return lambda *_: Reply(content, HTTPStatus.OK, {"Content-Type": kind})


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
        f"{status}_{kind}": Action(f"{text} ({status})", spoil=spoil, seconds=_BARE_WAIT, limits=True)
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
