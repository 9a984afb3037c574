"""Types that a lifecycle returns to the provider."""

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
"""Model configuration for reading a state; fields added by a later version are ignored."""
COST_CENTER_RESOURCE = "CostCenter"
"""The kind of resource of a cost center; an owner has that of its budgets."""
BUCKET_RESOURCE = "UserBudgetBucket"
"""The kind of the resources of which a table of users' budgets consists."""
UNFINISHED = "unfinished"
"""Name of the output that marks an incomplete create; the next `up` completes it without changed inputs."""
SECRET_INPUTS = "__secret_inputs"  # noqa: S105 - a name
"""The internal property with the names of the inputs that are secret in the program."""


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        inputs: The inputs to store: valid, complete, and in their previous spelling if it is equivalent.
        problems: All problems.
    """

    inputs: dict[str, Any]
    problems: list[Problem]


@dataclass(frozen=True)
class Stored:
    """A resource as stored by the engine.

    Attributes:
        id: The resource's id, `<owner noun>/<owner>/<GitHub id>`.
        inputs: Its current values, as inputs.
        outputs: The same values, and the values that only GitHub provides.
    """

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def read_state(form: type[BaseModel], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a state, without those that are None.

    Args:
        form: The model of the state.
        raw: The inputs or the outputs of the state.

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
            f"the state contains an invalid value of {', '.join(wrong)}. Nothing was sent: correct it in the output of "
            "`pulumi stack export`, then run `pulumi stack import`."
        ) from None


def secret_inputs(fields: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the secret inputs, as the program passes them or a state stores them."""
    names = fields.get(SECRET_INPUTS)
    return (
        frozenset(name for name in names if isinstance(name, str)) if isinstance(names, (list, tuple)) else frozenset()
    )
