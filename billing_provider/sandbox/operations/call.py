"""The call of an operation, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.replies import bad_request

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.access import SandboxToken
    from billing_provider.sandbox.operations.quirks import Quirks
    from billing_provider.sandbox.store.state import SandboxState

_MAX_DIGITS = 9


@dataclass
class Call:
    """An authorized request: owner, parameters and token."""

    state: SandboxState
    quirks: Quirks
    token: SandboxToken
    owner_kind: str
    owner: str
    params: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    url: str
    page_cap: int = 100

    def whole_number(self, name: str, default: int, lowest: int = 1) -> int:
        """Return a number of the query, or GitHub's default.

        Raises:
            RefusedError: It is not a whole number, or below `lowest` (400).
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS or int(text) < lowest:
            raise bad_request(f"Invalid value for {name}: a whole number from {lowest} is needed.")
        return int(text)

    def page(self, items: list[Any], default: int, cap: int) -> tuple[list[Any], bool]:
        """Return the requested page of `items` and whether another one follows."""
        size = min(self.whole_number("per_page", default), cap)
        start = (self.whole_number("page", 1) - 1) * size
        return items[start : start + size], start + size < len(items)
