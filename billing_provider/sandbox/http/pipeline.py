"""The request pipeline: planned faults, log, counters, and files that need no token."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.http import routes
from billing_provider.sandbox.http.actions import ACTIONS, BARE_WAIT
from billing_provider.sandbox.http.faults import Plan, Rule
from billing_provider.sandbox.http.limits import RateLimits
from billing_provider.sandbox.operations import exports
from billing_provider.sandbox.operations.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox.http.api import Api
    from billing_provider.sandbox.http.incoming import Incoming

_MOST_REQUESTS = 10_000
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One logged request: the path without the prefix, the JSON body or None, and the time.

    `status` is 0 if a planned fault prevented the reply.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    at: float


class RequestLog:
    """The newest requests: a sandbox that serves for days does not grow."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Request, int]] = deque()
        self._bytes = 0

    def add(self, entry: Request, size: int) -> None:
        """Append a request whose path, query and body have this many bytes, and forget old ones above the limits."""
        self._kept.append((entry, size))
        self._bytes += size
        while len(self._kept) > _MOST_REQUESTS or self._bytes > _MOST_BYTES:
            self._bytes -= self._kept.popleft()[1]

    def entries(self) -> list[Request]:
        """Return the requests, the oldest first."""
        # A copy, because other threads append.
        return [entry for entry, _ in list(self._kept)]


class RequestPipeline:
    """Answers each request, applies planned faults, and logs it."""

    def __init__(self, api: Api, on_request: Callable[[Request], None] | None) -> None:
        self.api = api
        self.plan = Plan()
        self.log = RequestLog()
        self.misdirected_requests: deque[str] = deque(maxlen=_MOST_REQUESTS)
        self._late: list[tuple[float, Incoming]] = []
        self._on_request = on_request

    def forget_requests(self) -> None:
        """Empty the log."""
        self.log = RequestLog()

    def forget(self) -> None:
        """Clear requests, faults and counters."""
        self.plan = Plan()
        self.forget_requests()
        self.misdirected_requests.clear()
        self._late.clear()
        self.api.limits = RateLimits()

    def serve(self, request: Incoming) -> Reply:
        """Answer one request and write it to the log."""
        with self.api.lock:
            now = self.api.state.clock()
            self.execute_late()
            self.api.limits.count_request(now, request.client, is_read=request.method == "GET")
            found = routes.find(request.method, request.path)
            fault = self.plan.pick(request.method, request.path, found[0].operation if found else "")
            reply = self.api.answer(request) if fault is None else self._apply_fault(fault, request, now)
            is_answered = reply.deliver in {"plain", "drip"}
            entry = Request(
                request.method,
                request.path,
                request.parsed_query(),
                request.parsed_body(),
                int(reply.status) if is_answered else 0,
                now,
            )
            self.log.add(entry, len(request.path) + len(request.query) + len(request.body))
        if self._on_request is not None:
            self._on_request(entry)
        return reply

    def download(self, request: Incoming) -> Reply:
        """Return the CSV of an export; GitHub serves it from another host, which must not receive a token."""
        if request.headers.get("Authorization"):
            self.record_misdirected(f"a token was sent to {request.path}")
        with self.api.lock:
            content = exports.download(self.api.state, request.path.removeprefix("/"))
        if content is None:
            return Reply("no such file\n", HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"})
        return Reply(content, HTTPStatus.OK, {"Content-Type": "text/csv; charset=utf-8"})

    def record_misdirected(self, line: str) -> None:
        """Record a request that should not have been sent."""
        self.misdirected_requests.append(line)

    def now(self) -> float:
        """Return the time of the sandbox's clock."""
        return self.api.state.clock()

    def execute_late(self) -> None:
        """Execute the delayed requests that are due."""
        now = self.now()
        due = [request for at, request in self._late if at <= now]
        self._late = [(at, request) for at, request in self._late if at > now]
        for request in due:
            self.api.answer(request)

    def _apply_fault(self, fault: Rule, request: Incoming, now: float) -> Reply:
        if fault.action == "switch":
            self.api.quirks.switch(fault.quirk)
        if fault.action == "late_commit":
            self._late.append((now + fault.length(), request))
        target = f"{self.api.url}{request.path}" + (f"?{request.query}" if request.query else "")
        reply = fault.perform(lambda: self.api.answer(request), target, now)
        if ACTIONS[fault.action].limits:
            reset, wait = reply.headers.get("x-ratelimit-reset"), reply.headers.get("retry-after")
            self.api.limits.block(float(reset) if reset else now + float(wait or BARE_WAIT))
        return reply
