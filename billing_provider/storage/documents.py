"""What the models of Pulumi's own files have in common, and one line about a mistake in such a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticUseDefault

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["Document", "explain"]


class Document(BaseModel):
    """A file of Pulumi, or a part of one: types are strict, and null counts as absent."""

    model_config = ConfigDict(strict=True, populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _leave_out_null(cls, value: Any) -> Any:
        if value is None:
            raise PydanticUseDefault
        return value


def explain(error: ValidationError) -> str:
    """Return the place of the first mistake in a document and what is wrong there, without the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    # Pydantic adds the name of our class.
    reason = first["msg"].removeprefix("Value error, ").partition(" or instance of ")[0]
    return ": ".join([".".join(map(str, first["loc"])) or "its content", reason])
