"""Planned faults: which request meets which of them."""

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


# What each value of a rule must be, in words and as a test.
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("action", "method", "path", "op", "quirk"), ("a text", lambda value: isinstance(value, str))),
    **dict.fromkeys(
        ("nth", "every", "times"), ("a whole number from 1", lambda value: _is_whole(value, 1, _MOST_COUNT))
    ),
    "seed": ("a whole number from 0", lambda value: _is_whole(value, 0, _MOST_COUNT)),
    "probability": ("a number from 0 to 1", lambda value: _is_number(value, 1)),
    "seconds": (f"a number from 0 to {_MOST_SECONDS}", lambda value: _is_number(value, _MOST_SECONDS)),
    "status": ("a status from 300 to 399", lambda value: _is_whole(value, 300, 399)),
}


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
            ValueError: A name is unknown, a value has another form, or there is no such action.
        """
        if not isinstance(record, dict):
            raise ValueError("a fault is a JSON object")  # noqa: TRY004 - as all that is wrong with a plan
        known = {entry.name: entry.default for entry in fields(cls) if entry.init}
        if strange := sorted(set(record) - set(known)):
            raise ValueError(f"a fault has no {', '.join(strange)}; it has {', '.join(sorted(known))}")
        for name, value in record.items():
            needed, fits = _FORMS[name]
            if not fits(value) and (value is not None or known[name] is not None):
                raise ValueError(f"{name} of a fault: {needed} is needed")
        if record.get("action") not in ACTIONS:
            raise ValueError(f"no fault is called {record.get('action')!r}; there are {', '.join(sorted(ACTIONS))}")
        if record["action"] == "switch":
            Quirks([record.get("quirk", "")])
        operations = {route.operation for route in routes.ROUTES}
        if record.get("op") not in {None, *operations}:
            raise ValueError(f"no operation is called {record['op']!r}; there are {', '.join(sorted(operations))}")
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

    def perform(self, answer: Callable[[], Reply], url: str, now: float) -> Reply:
        """Return what the client gets.

        Args:
            answer: Makes the request take effect and returns the honest reply.
            url: The request's own address.
            now: The time by the sandbox's clock.
        """
        action = ACTIONS[self.action]
        honest = answer() if action.commits else Reply({})
        reply = action.spoil(Scene(honest, url, now, self.length(), self.status))
        reply.deliver, reply.seconds = action.deliver, self.length()
        return reply

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

    def __init__(self, rules: Sequence[Mapping[str, Any]] = ()) -> None:
        if not isinstance(rules, list | tuple):
            raise ValueError("planned faults are a list of JSON objects")  # noqa: TRY004 - as above
        self.rules = [Rule.parse(record) for record in rules]

    def pick(self, method: str, path: str, operation: str) -> Rule | None:
        """Return the fault that this request meets, if any."""
        due = [rule for rule in self.rules if rule.looks_at(method, path, operation) and rule.due()]
        for rule in due[:1]:
            rule.met += 1
            return rule
        return None
