"""What a lifecycle returns to its adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from billing_provider.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.core.inputs import Problem

M = TypeVar("M", bound=BaseModel)

STATE_CONFIG = ConfigDict(extra="ignore", allow_inf_nan=False)
"""How the values of a state are read: what a later version has added is left alone."""
UNFINISHED = "unfinished"
"""An output that is there while a create has left something for the next `up`, though no input has changed since."""


@dataclass(frozen=True)
class Checked:
    """What check found.

    Attributes:
        inputs: The inputs to store: valid, complete, and in their former spelling where that means the same.
        problems: Every mistake.
    """

    inputs: dict[str, Any]
    problems: list[Problem]


@dataclass(frozen=True)
class Stored:
    """A budget as the engine keeps it.

    Attributes:
        id: The resource's id, `<owner noun>/<owner>/<budget id>`.
        inputs: What it is like, as inputs.
        outputs: The same, with what only GitHub knows.
    """

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def read_state(form: type[BaseModel], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a state, without those that are None.

    Args:
        form: What it is the state of.
        raw: Its inputs or its outputs.

    Raises:
        ConfigError: A value has a wrong type.
    """
    there = {name: value for name, value in raw.items() if value is not None}
    return {**there, **read_form(form, there).model_dump(exclude_none=True)}


def read_form(form: type[M], values: Mapping[str, Any]) -> M:
    """Return values of a state as a model.

    Raises:
        ConfigError: A value has a wrong type.
    """
    try:
        return form.model_validate(values)
    except ValidationError as error:
        wrong = sorted({str(detail["loc"][0]) for detail in error.errors(include_input=False)})
        raise ConfigError(
            f"the state holds a wrong value of {', '.join(wrong)}. Nothing was sent: correct it in the output of "
            "`pulumi stack export`, then run `pulumi stack import`."
        ) from None
