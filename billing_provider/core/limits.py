"""The limits of raises: whether they refuse one, and the sentence that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_INCREASE_USD = "GITHUB_BILLING_MAX_INCREASE_USD"
MAX_INCREASE_PERCENT = "GITHUB_BILLING_MAX_INCREASE_PERCENT"
OFF = "off"
"""The value of a limit that switches it off, for one run by its environment variable."""
_UNLIMITED = "a raise without limit"
_MAX_ADVISED = 1e6


@dataclass(frozen=True)
class Limits:
    """The largest raise that is allowed, or None for no limit; false if there is none.

    Attributes:
        usd: US dollars; licenses are compared by their number, as each costs more than a dollar.
        percent: Percent of the old amount.
    """

    usd: float | None = None
    percent: float | None = None

    def __bool__(self) -> bool:
        return self.usd is not None or self.percent is not None

    def refusal_of_removal(self, what: str) -> str | None:
        """Return why the end of a hard stop is refused, as for `refusal`: afterwards, nothing caps the usage.

        Args:
            what: What takes it away.
        """
        return self.refusal(f"{what}, {_UNLIMITED}")

    def refusal(
        self, what: str, usd: float = math.inf, percent: float = math.inf, *, is_secret: bool = False
    ) -> str | None:
        """Return why a raise is refused as a possible accident, and what allows it for one run; None if it is allowed.

        Args:
            what: What raises the most that can be spent.
            usd: By how much, in US dollars or licenses; infinite where a cap goes.
            percent: The same in percent of the old amount.
            is_secret: Whether no text may show the amount.
        """
        over = [
            (setting, limit, f"{variable}={math.ceil(value) if value < _MAX_ADVISED and not is_secret else OFF}")
            for setting, variable, limit, value in (
                ("maxIncreaseUsd", MAX_INCREASE_USD, self.usd, usd),
                ("maxIncreasePercent", MAX_INCREASE_PERCENT, self.percent, percent),
            )
            if limit is not None and value > limit
        ]
        if not over:
            return None
        setting, limit, _ = over[0]
        allowing = " ".join(assignment for *_, assignment in over)
        return f"{what}, above {setting}={limit:g}: check it, or for one run: {allowing}"
