"""What the words of a preview mean for a gate: only a preview compares with GitHub, and a plan keeps its words.

The words are those of `consequences`, and those of tables of user budgets; a test reads back each of them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.budgets.consequences import UNKNOWN_PEOPLE, UNKNOWN_SPEND

if TYPE_CHECKING:
    from collections.abc import Iterable

ADOPTS = "adopts the existing budget "
"""How the word about an adoption begins."""
_NUMBER = r"\$?([\d,]+(?:\.\d+)?(?:e\+\d+)?)"
_LOSES = re.compile(
    r"(?:^|; |: |replacement )(?:removes the hard stop|raises the |changes (?:the amount |\w+, which is secret)"
    r"|alerts (?:nobody|only )|no longer (?:alerts |covers )|expires on |does not cover |is for licenses that )"
)
_OF_A_TABLE = re.compile(r"(?:^|: |, )(?:lifts|raises) the caps of ")
_LIFTS = re.compile(r"(?:^|: )(?:lifts the caps of |deletes the )")
_RAISES_MOST = re.compile(rf"raises the most that can be (?:spent|used) by {_NUMBER}")
_RAISES_AMOUNT = re.compile(rf"raises the amount from {_NUMBER}(?: licenses?)? to {_NUMBER}")
_RAISES_A_PERSON = re.compile(rf"\S {_NUMBER} to {_NUMBER}(?=,|$)")
_STOPS = re.compile(r"\bstops\b.*\bat once\b|(?:^|: )GitHub refuses a hard stop below use")
_UNKNOWN = re.compile(
    r"(?:^|: )not compared with GitHub|GitHub does not show|reply does not show"
    rf"|(?:^|: )(?:{re.escape(UNKNOWN_PEOPLE)}|{re.escape(UNKNOWN_SPEND)})$"
)


class Told(NamedTuple):
    """What the words about one resource say.

    Attributes:
        loses: Whether a cap allows more, or tells fewer people.
        raised: By how much an amount rises, in US dollars or licenses; infinite where a hard stop goes.
        stops: Whether usage or people stop at once.
        unknown: Whether something is not known.
        deletes: Whether the budgets of people go who have no row in a table any more, or have none.
    """

    loses: bool = False
    raised: float = 0.0
    stops: bool = False
    unknown: bool = False
    deletes: bool = False


NOTHING_TOLD = Told()
"""What no words say."""


def read(texts: Iterable[str]) -> Told:
    """Return what the texts of a preview about one resource say; the name of the resource can be before them."""
    found = NOTHING_TOLD
    for text in texts:
        found = Told(
            found.loses or any(each.search(text) for each in (_LOSES, _OF_A_TABLE, _LIFTS)),
            max(found.raised, _raised(text)),
            found.stops or _STOPS.search(text) is not None,
            found.unknown or _UNKNOWN.search(text) is not None,
            found.deletes or _LIFTS.search(text) is not None,
        )
    return found


def _raised(text: str) -> float:
    if "removes the hard stop" in text or _LIFTS.search(text):
        return math.inf
    if _OF_A_TABLE.search(text):
        # The largest raise is always among the people whom the line names.
        return max((_amount(new) - _amount(old) for old, new in _RAISES_A_PERSON.findall(text)), default=0.0)
    if found := _RAISES_MOST.search(text):
        return _amount(found[1])
    found = _RAISES_AMOUNT.search(text)
    return _amount(found[2]) - _amount(found[1]) if found else 0.0


def _amount(text: str) -> float:
    return float(text.replace(",", ""))
