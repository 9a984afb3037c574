"""Input types and checks that all resources share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from billing_provider.core.ids import LOGIN, MAX_TEXT
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Problem:
    """One mistake: the input it sits in and what to write instead; both texts are made fit to be shown."""

    field: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", clean(self.field, 60))
        object.__setattr__(self, "reason", clean(self.reason))


ADOPT_IF_IDENTICAL = "adopt_if_identical"
ADOPT = "adopt"
ERROR = "error"
ON_EXISTING = (ADOPT_IF_IDENTICAL, ADOPT, ERROR)
"""What a create does about a budget that exists already: take it over if it is as declared, always, or never."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_uuid(text: str) -> bool:
    """Tell whether the text has the form of a cost center's UUID (a name may not)."""
    return _UUID.fullmatch(text) is not None


def login_problem(login: str) -> str | None:
    """Return what to write instead of a text that is no GitHub login, or None for a login.

    The text is not repeated: it may come from a secret, which a check is given without its mark.
    """
    if LOGIN.fullmatch(login):
        return None
    if login.startswith("@"):
        return "write the login without the @"
    if "@" in login:
        return "this is an e-mail address: write the person's GitHub login"
    return "this is no GitHub login: write letters, digits and hyphens"


def refuse(reason: str) -> PydanticCustomError:
    """Return the error of an input whose value is wrong; the reason says what to write."""
    return PydanticCustomError("input", "{reason}", {"reason": reason})


def read_text_input(value: Any) -> str:
    """Return the text of an input, without blanks around it."""
    if not isinstance(value, str):
        raise refuse("write a text")
    if len(value) > MAX_TEXT:
        raise refuse(f"write at most {MAX_TEXT} characters")
    if not value.isprintable():
        raise refuse("leave out control characters and line breaks")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refuse("write True or False")
    return value


Text = Annotated[str, BeforeValidator(read_text_input)]
Flag = Annotated[bool, BeforeValidator(_flag)]


MOST_PROBLEMS = 10
"""Problems of one input that are reported; of more the number is."""
MOST_IN_ALL = 30
"""Problems of one resource that are reported; of more the number is."""


def first_problems(found: Iterable[Problem]) -> list[Problem]:
    """Return the first problems of each input and of all inputs, and how many more there are."""
    by_field: dict[str, list[Problem]] = {}
    for problem in found:
        by_field.setdefault(problem.field, []).append(problem)
    # Each with the number of problems that it stands for.
    short: list[tuple[Problem, int]] = []
    for field, those in by_field.items():
        short += [(problem, 1) for problem in those[:MOST_PROBLEMS]]
        if (more := len(those) - MOST_PROBLEMS) > 0:
            short.append((Problem(field, f"and {more} more of such problems"), more))
    shown = [problem for problem, _ in short[:MOST_IN_ALL]]
    if others := short[MOST_IN_ALL:]:
        shown.append(Problem(others[0][0].field, f"and {sum(number for _, number in others)} more problems"))
    return shown
