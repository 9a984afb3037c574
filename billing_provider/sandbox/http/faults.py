"""Planned faults: rules that select requests and apply actions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StrictInt, StrictStr

from billing_provider.sandbox.http import routes
from billing_provider.sandbox.http.actions import ACTIONS, Scene
from billing_provider.sandbox.operations.quirks import Quirks
from billing_provider.sandbox.operations.replies import Reply
from billing_provider.sandbox.store.records import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_MOST_COUNT = 10**9
_MOST_SECONDS = 366 * 86400


def _one_of(noun: str, known: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"unknown {noun} {name!r}; known {noun}s: {', '.join(sorted(known))}")
        return name

    return AfterValidator(check)


_Count = Annotated[StrictInt, Field(ge=1, le=_MOST_COUNT)]


@dataclass
class Rule:
    """One planned fault: matching requests, which of them are affected, and the action.

    Attributes:
        action: A name of `ACTIONS`.
        method: Only requests with this method.
        path: Only paths that fit this pattern (`*` stands for anything), without the prefix of the URL.
        op: Only this operation, such as `create_budget`, of any owner.
        nth: The first affected matching request, from 1; used without `every` and `probability`.
        every: Affect every n-th matching request: 3 means the 3rd, the 6th, ...
        probability: Affect each matching request with this probability, from `seed`.
        times: The largest number of affected requests; default 1 for `nth`, unlimited for the others.
        seconds: The duration of a stall, drip, delay or limit; each action has its default.
        status: The status of a redirect to another host (default 307).
        quirk: The quirk that `switch` switches on.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    action: Annotated[StrictStr, _one_of("fault", ACTIONS)]
    method: StrictStr | None = None
    path: StrictStr | None = None
    op: Annotated[StrictStr, _one_of("operation", {route.operation for route in routes.ROUTES})] | None = None
    nth: _Count = 1
    every: _Count | None = None
    probability: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    seed: Annotated[StrictInt, Field(ge=0, le=_MOST_COUNT)] = 0
    times: _Count | None = None
    seconds: Annotated[float, Field(strict=True, ge=0, le=_MOST_SECONDS)] | None = None
    status: Annotated[StrictInt, Field(ge=300, le=399)] = HTTPStatus.TEMPORARY_REDIRECT
    quirk: StrictStr = ""
    seen: int = field(default=0, init=False)
    triggered: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.action == "switch":
            Quirks([self.quirk])
        self._chance = random.Random(self.seed)

    def matches(self, method: str, path: str, operation: str) -> bool:
        """Return whether the request matches the rule."""
        return (
            self.method in {None, method}
            and self.op in {None, operation}
            and (self.path is None or fnmatchcase(path, self.path))
        )

    def due(self) -> bool:
        """Count one matching request and return whether it is affected."""
        self.seen += 1
        if self.probability is not None:
            due = self._chance.random() < self.probability
        elif self.every is not None:
            due = self.seen % self.every == 0
        else:
            due = self.seen >= self.nth
        bound = self._bound()
        return due and (bound is None or self.triggered < bound)

    def is_untriggered(self) -> bool:
        """Return whether the fault occurred less often than planned; for loops and unlimited rules, once is enough."""
        return self.triggered < (self.times or 1)

    def length(self) -> float:
        """Return the duration of a stall, drip, delay or limit."""
        return ACTIONS[self.action].seconds if self.seconds is None else self.seconds

    def perform(self, answer: Callable[[], Reply], url: str, now: float) -> Reply:
        """Return the reply for the client.

        Args:
            answer: Executes the request and returns the regular reply.
            url: The URL of the request.
            now: The time of the sandbox's clock.
        """
        action = ACTIONS[self.action]
        regular = answer() if action.commits else Reply({})
        reply = action.reply(Scene(regular, url, now, self.length(), self.status))
        reply.deliver, reply.seconds = action.deliver, self.length()
        return reply

    def description(self) -> dict[str, Any]:
        """Return the rule and how often it occurred."""
        planned = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        defaults = {entry.name: entry.default for entry in fields(self)}
        planned.pop("seen")
        return {name: value for name, value in planned.items() if name == "triggered" or value != defaults[name]}

    def _bound(self) -> int | None:
        if self.times is not None:
            return self.times
        if self.every is not None or self.probability is not None:
            return None
        return ACTIONS[self.action].times


class Plan:
    """The rules of one run, in order: every matching rule counts a request, the first due one applies."""

    def __init__(self, rules: Sequence[Mapping[str, Any]] = (), *, required: bool = True) -> None:
        self.rules = parse(list[Rule], rules, "faults")
        self.required = required

    def pick(self, method: str, path: str, operation: str) -> Rule | None:
        """Return the fault that applies to this request, if any."""
        due = [rule for rule in self.rules if rule.matches(method, path, operation) and rule.due()]
        for rule in due[:1]:
            rule.triggered += 1
            return rule
        return None
