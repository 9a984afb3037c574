"""Handle a request: authentication, route, parameter names and one change at a time, without sockets."""

from __future__ import annotations

import copy
import math
from http import HTTPStatus
from threading import RLock
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.http import routes
from billing_provider.sandbox.http.app import SandboxApp
from billing_provider.sandbox.http.limits import RateLimits
from billing_provider.sandbox.operations import access
from billing_provider.sandbox.operations.call import Call
from billing_provider.sandbox.operations.replies import (
    RefusedError,
    Reply,
    bad_request,
    forbidden,
    not_found,
    refuse_unknown,
)
from billing_provider.storage import files

if TYPE_CHECKING:
    from billing_provider.sandbox.http.incoming import Incoming
    from billing_provider.sandbox.operations.quirks import Quirks
    from billing_provider.sandbox.store.state import SandboxState

_VERSIONS = ("2022-11-28", "2026-03-10")
_HOURLY_LIMIT = 5000
_HOUR = 3600
_ROWS = ("budgets", "costCenters", "usageItems", "user_states")


class Api:
    """The API over one state."""

    def __init__(
        self,
        state: SandboxState,
        quirks: Quirks,
        page_cap: int = 100,
        *,
        has_app: bool = False,
        token_suffix: str | None = None,
    ) -> None:
        self.state = state
        self.quirks = quirks
        self.lock = RLock()
        self.url = ""
        self.limits = RateLimits()
        self.app = SandboxApp(state, quirks) if has_app else None
        self.tokens = access.issue(token_suffix)
        self._page_cap = page_cap
        self._used: dict[tuple[str, int], int] = {}
        self.shown: dict[str, dict[str, Any]] = {}

    def answer(self, request: Incoming) -> Reply:
        """Return the reply to one request, after its changes are stored."""
        with self.lock:
            headers: dict[str, str] = {}
            try:
                reply = self._answer(request, headers)
            except RefusedError as refused:
                reply = refused.reply
            except files.FileError as error:
                reply = Reply({"message": f"The sandbox {error}"}, HTTPStatus.INSUFFICIENT_STORAGE)
            reply.headers = {**headers, **reply.headers}
            return reply

    def _answer(self, request: Incoming, headers: dict[str, str]) -> Reply:
        self._check_client(request)
        if self.app is not None and (answered := self.app.answer(request)) is not None:
            return answered
        token = self._authorize(request, headers)
        if request.method == "GET" and request.path == "/rate_limit":
            core = {key.removeprefix("x-ratelimit-"): value for key, value in headers.items()}
            limit = {name: int(core[name]) for name in ("limit", "used", "remaining", "reset")}
            return Reply({"resources": {"core": limit}, "rate": limit})
        if request.method == "GET" and request.path == "/user":
            return Reply({"login": access.with_names(token, self.state.known).login, "id": 1, "type": "User"})
        found = routes.find(request.method, request.path)
        if found is None:
            hint = "paths must not end with a slash" if request.path.endswith("/") else "unknown route; see --help"
            raise not_found(problem=f"{request.method} {request.path}: {hint}")
        route, params = found
        call = self._call(request, route, params, token)
        if "feature_off" in self.quirks and route.operation.endswith(("_budget", "_budgets")):
            raise not_found(problem="quirk feature_off")
        is_elsewhere = "organization_billed_by_enterprise" in self.quirks and call.owner_kind == "organization"
        if is_elsewhere and route.operation.endswith(("_budget", "_budgets")):
            raise bad_request("Budgets of this organization are managed by its enterprise.")
        if "expired_kept" not in self.quirks:
            self.state.remove_expired()
        reply = route.answer(call)
        self._show_oddly(route, reply)
        if request.method != "GET":
            self.state.save()
        return reply

    def _show_oddly(self, route: routes.Route, reply: Reply) -> None:
        shown = self.shown.get(route.operation)
        listed = reply.body if isinstance(reply.body, list) else [reply.body]
        rows = next((reply.body[name] for name in _ROWS if name in reply.body), listed)
        for row in rows[:1] if shown else ():
            row.update(copy.deepcopy(shown))

    def _check_client(self, request: Incoming) -> None:
        if not request.headers.get("User-Agent"):
            raise forbidden(
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header."
            )
        version = request.headers.get("X-GitHub-Api-Version")
        if version is not None and version not in _VERSIONS:
            raise bad_request(f"Unsupported API version. Supported: {', '.join(_VERSIONS)}")

    def _authorize(self, request: Incoming, headers: dict[str, str]) -> access.SandboxToken:
        authorization = request.headers.get("Authorization") or ""
        token = None if self.app is None else self.app.token(authorization.partition(" ")[2])
        if token is None:
            token = access.authenticate(authorization, self.tokens)
        now = self.state.clock()
        headers.update(token.headers(now))
        headers.update(self._rate(token, now, free=request.path == "/rate_limit"))
        wait = 0.0 if request.method == "GET" else self.limits.write(token.name, now)
        if "enforce_limits" in self.quirks:
            self._enforce(headers, now, wait)
        return token

    def _enforce(self, headers: dict[str, str], now: float, wait: float) -> None:
        if int(headers["x-ratelimit-used"]) > int(headers["x-ratelimit-limit"]):
            self.limits.block(float(headers["x-ratelimit-reset"]))
            raise forbidden("API rate limit exceeded for user ID 1.")
        if wait:
            seconds = math.ceil(wait)
            self.limits.block(now + seconds)
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                headers={"retry-after": str(seconds)},
                problem="quirk enforce_limits: 80 writes a minute, 500 an hour",
            )

    def _rate(self, token: access.SandboxToken, now: float, *, free: bool) -> dict[str, str]:
        most = self.quirks.number("enforce_limits") or _HOURLY_LIMIT
        window = int(now // _HOUR)
        used = self._used.get((token.name, window), 0) + (not free)
        self._used[token.name, window] = used
        return {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": str(max(0, most - used)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str((window + 1) * _HOUR),
            "x-ratelimit-resource": "core",
        }

    def _call(self, request: Incoming, route: routes.Route, params: dict[str, str], token: access.SandboxToken) -> Call:
        parameter = next(name for name in routes.OWNERS if name in params)
        kind = routes.OWNERS[parameter]
        owner = self.state.find_name(kind, params[parameter])
        names = self.state.known
        if owner is None:
            raise not_found(problem=f"unknown {kind}; known: {', '.join(getattr(names, f'{kind}s'))}")
        token = access.with_names(token, names)
        if route.permission is not None:
            writes, needed = request.method != "GET", route.permission
            access.permit(token, names, kind, owner, writes=writes, does=route.does, permission=needed)
        query = request.parsed_query()
        refuse_unknown("query parameter", query, route.query)
        body = request.object_body(route.body)
        url = f"{self.url}{request.path}"
        return Call(self.state, self.quirks, token, kind, owner, params, query, body, url, self._page_cap)
