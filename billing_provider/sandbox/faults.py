"""Planned faults: rules that select requests and apply actions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import routes
from billing_provider.sandbox.actions import ACTIONS, Scene
from billing_provider.sandbox.call import Reply
from billing_provider.sandbox.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Plan", "Rule"]


_MOST_COUNT = 10**9
_MOST_SECONDS = 366 * 86400


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_number(value: Any, most: float) -> bool:
    return type(value) in {int, float} and 0 <= value <= most


# The valid values of each field of a rule, in words and as a check.
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("action", "method", "path", "op", "quirk"), ("a string", lambda value: isinstance(value, str))),
    **dict.fromkeys(
        ("nth", "every", "times"), ("a whole number of at least 1", lambda value: _is_whole(value, 1, _MOST_COUNT))
    ),
    "seed": ("a whole number of at least 0", lambda value: _is_whole(value, 0, _MOST_COUNT)),
    "probability": ("a number from 0 to 1", lambda value: _is_number(value, 1)),
    "seconds": (f"a number from 0 to {_MOST_SECONDS}", lambda value: _is_number(value, _MOST_SECONDS)),
    "status": ("a status from 300 to 399", lambda value: _is_whole(value, 300, 399)),
}


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
        """Return the rule of a JSON object.

        Raises:
            ValueError: A field or action is unknown, or a value is invalid.
        """
        if not isinstance(record, dict):
            raise ValueError("a fault must be a JSON object")  # noqa: TRY004 - as all that is wrong with a plan
        known = {entry.name: entry.default for entry in fields(cls) if entry.init}
        if strange := sorted(set(record) - set(known)):
            raise ValueError(
                f"unknown field of a fault: {', '.join(strange)}; known fields: {', '.join(sorted(known))}"
            )
        for name, value in record.items():
            needed, fits = _FORMS[name]
            if not fits(value) and (value is not None or known[name] is not None):
                raise ValueError(f"{name} of a fault must be {needed}")
        if record.get("action") not in ACTIONS:
            raise ValueError(f"unknown fault {record.get('action')!r}; known faults: {', '.join(sorted(ACTIONS))}")
        if record["action"] == "switch":
            Quirks([record.get("quirk", "")])
        operations = {route.operation for route in routes.ROUTES}
        if record.get("op") not in {None, *operations}:
            raise ValueError(f"unknown operation {record['op']!r}; known operations: {', '.join(sorted(operations))}")
        return cls(**record)

    def __post_init__(self) -> None:
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
        return due and (bound is None or self.met < bound)

    def is_unmet(self) -> bool:
        """Return whether the fault occurred less often than planned; for loops and unlimited rules, once is enough."""
        return self.met < (self.times or 1)

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
        return {name: value for name, value in planned.items() if name == "met" or value != defaults[name]}

    def _bound(self) -> int | None:
        if self.times is not None:
            return self.times
        if self.every is not None or self.probability is not None:
            return None
        return ACTIONS[self.action].times


class Plan:
    """The rules of one run, in order: every matching rule counts a request, the first due one applies."""

    def __init__(self, rules: Sequence[Mapping[str, Any]] = (), *, required: bool = True) -> None:
        if not isinstance(rules, list | tuple):
            raise ValueError("the planned faults must be a list of JSON objects")  # noqa: TRY004 - as above
        self.rules = [Rule.parse(record) for record in rules]
        self.required = required

    def pick(self, method: str, path: str, operation: str) -> Rule | None:
        """Return the fault that applies to this request, if any."""
        due = [rule for rule in self.rules if rule.matches(method, path, operation) and rule.due()]
        for rule in due[:1]:
            rule.met += 1
            return rule
        return None
