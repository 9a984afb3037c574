"""Compare the declared fields of a budget with the argument and output classes and the sandbox."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

from billing_provider.budgets.fields import Declared, FieldTypes
from billing_provider.budgets.models import Alerting, Budget, BudgetDetails, BudgetSpec
from billing_provider.budgets.states import OUTPUTS
from billing_provider.core.ids import Sendable
from billing_provider.core.inputs import Text
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.sandbox.http.routes import ROUTES
from billing_provider.sdk.budget import BudgetArgs, EnterpriseBudget, EnterpriseBudgetArgs, OrgBudget, OrgBudgetArgs
from tests.docs.generate import params, required

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BY_OWNER: dict[str, tuple[type[Any], type[Any]]] = {
    "enterprise": (EnterpriseBudgetArgs, EnterpriseBudget),
    "organization": (OrgBudgetArgs, OrgBudget),
}
_ONLY_IN_PROGRAMS = {"cost_center"}
"""Arguments that a resource itself turns into an input."""


class WiderSpec(BudgetSpec):
    """A budget with an additional field that no other class has."""

    brand_new: Annotated[
        str | None,
        Declared(text="New.", change="updates", form=FieldTypes(Text, Sendable), required=True, sent="if_declared"),
    ] = None


def complaints(declared: Mapping[str, Declared]) -> list[str]:
    """Return the differences between the declaration and each class with its fields."""
    sent = {name for name, field in declared.items() if field.sent != "never"}
    live = {*sent, "id", "consumed_amount"}
    found = [*_names("Budget", live, Budget.model_fields)]
    details = {field.name for field in dataclasses.fields(BudgetDetails)}
    found += _names("BudgetDetails", live - {"budget_alerting"} | set(Alerting.model_fields), details)
    for owner, (arguments, resource) in _BY_OWNER.items():
        inputs = set(declared) - (set(OWNER_KINDS) - {owner})
        named = arguments.__annotations__.keys() - _ONLY_IN_PROGRAMS
        shown = {name for name, output in vars(resource).items() if isinstance(output, property)}
        texts = {name: text for name, text in {**params(BudgetArgs), **params(arguments)}.items() if name in named}
        needed = {name for name in inputs if declared[name].required}
        found += _names(arguments.__name__, inputs, named)
        found += _names(f"the docstring of {arguments.__name__}", inputs, texts)
        found += _names(f"what {arguments.__name__} requires", needed, required(arguments))
        found += _names(resource.__name__, {*inputs, *OUTPUTS}, shown)
        found += [
            f"the docstring of {arguments.__name__} has another text for {name}"
            for name in sorted(inputs & set(texts))
            if texts[name] != _text(declared[name])
        ]
    for route in ROUTES:
        if route.operation in {"create_budget", "update_budget"}:
            found += _names(f"the sandbox's {route.method} {route.path}", sent, route.body or ())
    return found


def _names(place: str, wanted: set[str], found: Iterable[str]) -> list[str]:
    there = set(found)
    return [f"{place} lacks {name}" for name in sorted(wanted - there)] + [
        f"{place} has {name}, which is not declared" for name in sorted(there - wanted)
    ]


def _text(field: Declared) -> str:
    return field.text + (" A change replaces the budget." if field.change == "replaces" else "")
