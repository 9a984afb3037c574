"""A row of a listing that does not fit its model: it is shown, never touched, and ends no listing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from billing_provider.core.ids import is_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError


@dataclass(frozen=True)
class OpaqueRow:
    """A listed object that was not understood.

    Attributes:
        noun: What it is, for messages.
        id: GitHub's id, or an empty text if the row has none.
        unexpected: The names of the fields that were not understood.
        row: The row of the listing.
    """

    noun: ClassVar[str]

    id: str
    unexpected: str
    row: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, row: Any, unexpected: str) -> Self:
        """Return a row of a listing that does not fit its model."""
        fields = row if isinstance(row, dict) else {}
        id_ = fields.get("id")
        return cls(id_ if isinstance(id_, str) and is_id(id_) else "", unexpected, fields)

    @property
    def key(self) -> str:
        """What identifies it in a listing."""
        return self.id or repr(self.row)

    def __str__(self) -> str:
        named = f"{self.noun} {self.id or 'without an id'}"
        return f"{named}, of which GitHub's listing has an unexpected {self.unexpected}"

    def text(self, name: str) -> str:
        """Return a field of the row, or an empty text if it is none."""
        value = self.row.get(name)
        return value if isinstance(value, str) else ""


def unexpected_fields(error: ValidationError, noun: str) -> str:
    """Return the names of the fields that do not fit; of a row that is no object, what it should be."""
    return ", ".join(sorted({str(detail["loc"][0]) if detail["loc"] else noun for detail in error.errors()}))
