"""Input types and checks that all resources share."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from billing_provider.core.ids import LOGIN, MAX_TEXT, is_name
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.redact import clean, quoted
from billing_provider.core.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Problem:
    """One problem of a resource and its correction, cleaned for display.

    Attributes:
        field: The name of the invalid input; empty if the problem is the resource as a whole.
        reason: The correction.
    """

    field: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", clean(self.field, 60))
        object.__setattr__(self, "reason", clean(self.reason))

    def __str__(self) -> str:
        """Return the problem in one line."""
        return f"{self.field}: {self.reason}" if self.field else self.reason


OnExisting = Literal["adopt_if_identical", "adopt", "error"]
"""How a create handles an existing object: adopt it if it is identical, always, or never."""
OnDelete = Literal["delete", "keep"]
"""What a delete does with the object on GitHub: delete it, or keep it."""
OnRaise = Literal["revert", "keep"]
"""How a higher amount on GitHub than the declared one is handled: taken back, or kept."""
ADOPT_IF_IDENTICAL = "adopt_if_identical"
ADOPT = "adopt"
ERROR = "error"
ON_EXISTING: tuple[OnExisting, ...] = get_args(OnExisting)
DELETE = "delete"
KEEP = "keep"
ON_DELETE: tuple[OnDelete, ...] = get_args(OnDelete)
REVERT = "revert"
ON_RAISE: tuple[OnRaise, ...] = get_args(OnRaise)
MOST_NAMES = 5
"""Maximum number of names that a message shows; the rest is counted."""
_MOST_MEANT, _LONGEST_SHOWN = 3, 60
_SIMILARITY = 0.7
"""The minimum similarity of a misspelt name, between 0 and 1: `budget_ammount` has 0.96 to `budget_amount`."""
_OF_OUTPUT = "Calling __str__ on an Output"
"""The beginning of what Pulumi's SDK writes in place of the value of an Output."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_uuid(text: str) -> bool:
    """Return whether the text has the form of a cost center's UUID (not allowed for a name)."""
    return _UUID.fullmatch(text) is not None


def login_problem(login: str) -> str | None:
    """Return the correction if the text is not a GitHub login, or None if it is.

    The text is not repeated in the message: it may be a secret, because checks receive secrets unmarked.
    """
    if LOGIN.fullmatch(login):
        return None
    if login.startswith("@"):
        return "write the login without the @"
    if "@" in login:
        return "this is an e-mail address: write the person's GitHub login"
    return "this is not a GitHub login: use letters, digits and hyphens"


def near(text: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are similar to a text, at most five, the most similar first; case is ignored.

    Args:
        text: The text to compare, such as a misspelt name.
        known: The known names.
    """
    if len(text) > MAX_TEXT:
        return []
    names = {name.lower(): name for name in sorted(known)}
    return [names[name] for name in difflib.get_close_matches(text.lower(), names, MOST_NAMES, _SIMILARITY)]


def nearest(text: str, known: Iterable[str]) -> str:
    """Return known names for a message: at most five, the most similar first, and the number of the others."""
    names = sorted(set(known), key=lambda name: (name.lower(), name))
    similar = near(text, names)
    shown = [*similar, *(name for name in names if name not in similar)][:MOST_NAMES]
    more = len(names) - len(shown)
    return ", ".join(quoted(name, _LONGEST_SHOWN) for name in shown) + (f" and {more} more" if more else "")


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return the end of a message that gives the known names similar to a text, or an empty text.

    The text is not repeated in the message: it may be a secret, because checks receive secrets unmarked.
    """
    names = near(text, known)[:_MOST_MEANT]
    return f"; did you mean {' or '.join(names)}?" if names else ""


def choose(text: str, allowed: Iterable[str]) -> str:
    """Return the correction of an optional input that has a fixed set of values."""
    return f"write one of {', '.join(allowed)}, or leave it out{did_you_mean(text, allowed)}"


def no_such_inputs(resource: str, names: Iterable[str], inputs: Iterable[str]) -> list[Problem]:
    """Return the problems of inputs that a resource does not have; those that are shown have similar names."""
    inputs = tuple(inputs)
    every = f"; its inputs are {', '.join(inputs)}"
    found = []
    for number, name in enumerate(names):
        similar = did_you_mean(name, inputs) if number < MOST_IN_ALL else ""
        other = f"; declare an {OWNER_KINDS[name].resource}" if name in OWNER_KINDS else ""
        found.append(Problem(name, f"no such input of {resource}{similar or other or every}"))
    return found


def refuse(reason: str) -> PydanticCustomError:
    """Return the validation error of an input; the reason explains the correct value."""
    return PydanticCustomError("input", "{reason}", {"reason": reason})


def read_text_input(value: Any) -> str:
    """Validate the text of an input and strip surrounding whitespace."""
    if not isinstance(value, str):
        raise refuse(f"write a text, not {kind_of(value)}")
    if _OF_OUTPUT in value:
        raise refuse("this text was made of an Output: write pulumi.Output.format(...), or make it inside of apply")
    if len(value) > MAX_TEXT:
        raise refuse(f"write at most {MAX_TEXT} characters")
    if not value.isprintable():
        raise refuse("leave out control characters and line breaks")
    return value.strip()


def read_name_input(value: Any) -> str:
    """Validate a name of an input; spaces at its ends are a part of it, because GitHub accepts them."""
    if isinstance(value, str) and len(value) <= MAX_TEXT and is_name(value):
        return value
    return read_text_input(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refuse(f"write True or False, not {kind_of(value)}")
    return value


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        raise refuse("write a list: put the text in brackets")
    if not isinstance(value, (list, tuple)):
        raise refuse(f"write a list of texts, not {kind_of(value)}")
    return value


Text = Annotated[str, BeforeValidator(read_text_input)]
Name = Annotated[str, BeforeValidator(read_name_input)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Texts = Annotated[list[Text], BeforeValidator(_texts)]


MOST_PROBLEMS = 10
"""Maximum number of problems reported for one input; the rest is counted."""
MOST_IN_ALL = 30
"""Maximum number of problems reported for one resource; the rest is counted."""
_MOST_IN_ONE_LINE = 5


def in_one_line(found: Sequence[Problem]) -> str:
    """Return problems as one text: the first ones, and the number of the others."""
    shown = [str(problem) for problem in found[:_MOST_IN_ONE_LINE]]
    more = len(found) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])


def first_problems(found: Iterable[Problem]) -> list[Problem]:
    """Return the first problems per input and in total, with the number of omitted ones."""
    by_field: dict[str, list[Problem]] = {}
    for problem in found:
        by_field.setdefault(problem.field, []).append(problem)
    # Pairs of a problem and the number of problems it represents.
    short: list[tuple[Problem, int]] = []
    for field, those in by_field.items():
        short += [(problem, 1) for problem in those[:MOST_PROBLEMS]]
        if (more := len(those) - MOST_PROBLEMS) > 0:
            short.append((Problem(field, f"and {more} more problems of this input"), more))
    shown = [problem for problem, _ in short[:MOST_IN_ALL]]
    if others := short[MOST_IN_ALL:]:
        shown.append(Problem(others[0][0].field, f"and {sum(number for _, number in others)} more problems"))
    return shown
