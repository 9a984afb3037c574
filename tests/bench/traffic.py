"""The requests that a sandbox answered: how many of each kind, and how many had to follow one another."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from billing_provider.sandbox import Request

_REQUESTS_AN_HOUR = 1000
KINDS = ("list", "get", "post", "patch", "delete")
"""A page of a listing, one budget, and the writes."""


class Answered(NamedTuple):
    """One request: its kind, when it came and was answered, and whether a listing begins with it."""

    kind: str
    start: float
    end: float
    is_first: bool = False


class Traffic:
    """Records each request, and delays its answer: pass `seen` to the sandbox as `on_request`.

    Attributes:
        latency: Seconds between a request and its answer; requests at the same time wait at the same time.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self._answered: list[Answered] = []
        self._count = 0

    def clock(self) -> float:
        """Return the time for the sandbox, which runs ahead: ten thousand requests must not meet the hourly limit."""
        return time.time() + self._count // _REQUESTS_AN_HOUR * 3600

    def seen(self, request: Request) -> None:
        """Record a request after its delay; called in a thread of the request's connection."""
        start = time.perf_counter()
        self._count += 1
        if self.latency:
            time.sleep(self.latency)
        is_list = request.method == "GET" and request.path.endswith("/budgets")
        kind = "list" if is_list else request.method.lower()
        # Without a page, it asks what one user has used.
        first = is_list and request.query.get("page") == "1"
        self._answered.append(Answered(kind, start, time.perf_counter(), first))

    def taken(self) -> list[Answered]:
        """Return the requests since the last call."""
        taken, self._answered = self._answered, []
        return taken


def kinds(answered: Iterable[Answered]) -> dict[str, int]:
    """Return the number of requests of each kind that occurred."""
    counted = Counter(each.kind for each in answered)
    return {kind: counted[kind] for kind in KINDS if counted[kind]}


def listings(answered: Iterable[Answered]) -> int:
    """Return how many listings began."""
    return sum(each.is_first for each in answered)


def round_trips(answered: Iterable[Answered]) -> int:
    """Return the length of the longest chain of requests of which each came after the answer to the one before."""
    chain, end = 0, float("-inf")
    # The chain that always goes on with what is answered first is the longest.
    for each in sorted(answered, key=lambda each: each.end):
        if each.start >= end:
            chain, end = chain + 1, each.end
    return chain
