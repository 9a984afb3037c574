"""The stored records, and how those of files, snapshots and seeds are read: an invalid one is refused completely."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    with_config,
)
from typing_extensions import TypedDict

from billing_provider.sandbox.store import skus
from billing_provider.sandbox.store.names import NONE, SandboxNames, read_lists, read_names

# The last second of the year 9998: it is a valid date in every time zone.
_LAST_MOMENT = 253_370_764_799
_MOST_MADE = 10**9
# What pydantic says of these in terms of Python.
_WORDS = {
    "missing": "it is missing",
    "unexpected_keyword_argument": "there is no such field",
    "extra_forbidden": "there is no such field",
    "dataclass_type": "it is not an object",
    "dict_type": "it is not an object",
    "list_type": "it is not a list",
}
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_adapter = functools.cache(TypeAdapter)
T = TypeVar("T")


def parse_day(value: Any) -> date | None:
    """Return the day of a text in the form YYYY-MM-DD, or None."""
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    # Python 3.11 and newer parse other forms too.
    return day if day.isoformat() == value else None


def _checked_day(text: str) -> str:
    if parse_day(text) is None:
        raise ValueError("a date in the form YYYY-MM-DD is needed")
    return text


def _checked_sku(text: str) -> str:
    if text not in skus.SKUS:
        raise ValueError("there is no such SKU")
    return text


def _whole(value: Any) -> Any:
    """Return 500.0 as 500: GitHub and other tools write both."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Count = Annotated[StrictInt, Field(ge=0, lt=_MOST_MADE)]
_Moment = Annotated[float, Field(strict=True, ge=0, lt=_LAST_MOMENT)]
_Day = Annotated[StrictStr, AfterValidator(_checked_day)]


@with_config(_STRICT)
class StoredAlerting(TypedDict):
    """Who is told about the usage of a budget."""

    will_alert: StrictBool
    alert_recipients: list[StrictStr]


@dataclass
class StoredBudget:
    """One stored budget; for cost-center scopes, `budget_entity_name` is the UUID of the cost center.

    `shown_as` are fields that replies have instead of the stored ones: what GitHub may send one day.
    """

    __pydantic_config__ = _STRICT

    id: StrictStr
    owner_kind: Annotated[StrictStr, Field(pattern="^(enterprise|organization)$")]
    owner: StrictStr
    budget_scope: StrictStr
    budget_entity_name: StrictStr
    budget_type: Annotated[StrictStr, Field(pattern="^(BundlePricing|ProductPricing|SkuPricing)$")]
    budget_product_sku: StrictStr
    budget_amount: Annotated[StrictInt, Field(ge=0), BeforeValidator(_whole)]
    prevent_further_usage: StrictBool
    budget_alerting: StoredAlerting
    user: StrictStr | None = None
    expires_at: StrictStr | None = None
    exclude_cost_center_usage: StrictBool = False
    created_at: _Moment = 0.0
    hidden_listings: _Count = 0
    shown_as: dict[str, Any] | None = None

    def key(self) -> tuple[str, ...]:
        """Return the identity of the budget: owner, scope, entity, user and SKU."""
        parts = (self.owner_kind, self.owner, self.budget_scope, self.budget_entity_name, self.user or "")
        return (*(part.casefold() for part in parts), self.budget_product_sku)

    def is_of_cost_center(self) -> bool:
        """Return whether the entity is a cost center."""
        return self.budget_scope in {"cost_center", "multi_user_cost_center"}


@with_config(_STRICT)
class Member(TypedDict):
    """A member of a cost center; the type is User, Org, Repo or Team."""

    type: StrictStr
    name: StrictStr


@dataclass
class StoredCostCenter:
    """One cost center with its members."""

    __pydantic_config__ = _STRICT

    id: StrictStr
    name: StrictStr
    state: StrictStr = "active"
    ai_credit_pool_enabled: StrictBool = False
    resources: list[Member] = field(default_factory=list)

    def has_only_people(self) -> bool:
        """Return whether all members are users or enterprise teams."""
        return all(member["type"] in {"User", "Team"} for member in self.resources)


@dataclass
class StoredExport:
    """One export of usage; `looks` counts the reads of its status."""

    __pydantic_config__ = _STRICT

    id: StrictStr
    report_type: StrictStr
    start_date: _Day
    end_date: _Day
    created_at: _Moment
    actor: StrictStr
    looks: _Count = 0


@dataclass
class Spending:
    """Usage of one SKU on one day that a test has set; its units are cents, or licenses."""

    __pydantic_config__ = _STRICT

    day: _Day
    organization: StrictStr
    repository: StrictStr
    user: StrictStr
    sku: Annotated[StrictStr, AfterValidator(_checked_sku)]
    model: StrictStr
    units: _Count


@dataclass(kw_only=True)
class Content:
    """Everything that is stored. Files of older versions lack what has a default, and have keys that are ignored.

    `made` is the number of ids that were made, `seen` has the names that were created for requests, and
    `enterprise_teams` has logins by slug, without `ent:`.
    """

    version: int = 1
    made: _Count
    names: Annotated[SandboxNames, BeforeValidator(read_names)] = field(default_factory=SandboxNames)
    seen: Annotated[SandboxNames, BeforeValidator(lambda given: replace(NONE, **read_lists(given)))] = NONE
    generated_usage: StrictBool = True
    budgets: list[StoredBudget]
    cost_centers: list[StoredCostCenter]
    enterprise_teams: dict[StrictStr, list[StrictStr]] = field(default_factory=dict)
    exports: list[StoredExport] = field(default_factory=list)
    spent: list[Spending] = field(default_factory=list)


def dump(content: Content) -> dict[str, Any]:
    """Return the content as JSON values."""
    # Records that a test has stored directly may have any values.
    values: dict[str, Any] = _adapter(Content).dump_python(content, mode="json", warnings=False)
    return values


def read(values: Any) -> Content:
    """Return the content of JSON values.

    Raises:
        ValueError: They are invalid; the message names the first problem.
    """
    try:
        content = parse(Content, values)
        _check_references(content)
    except ValueError as error:
        raise ValueError(f"not a valid sandbox state: {error}") from None
    return content


def _check_references(content: Content) -> None:
    centers = {center.id for center in content.cost_centers}
    for at, budget in enumerate(content.budgets):
        if budget.is_of_cost_center() and budget.budget_entity_name not in centers:
            raise ValueError(f"budgets[{at}]: its cost center is missing")
        if budget.budget_type == "BundlePricing" and budget.budget_product_sku not in skus.BUNDLES:
            raise ValueError(f"budgets[{at}]: its product is not a bundle")


def parse(form: type[T], value: Any, place: str = "") -> T:
    """Return an untrusted value as a type.

    Args:
        form: The type.
        value: The JSON value.
        place: Where it is, such as `budgets[0]`.

    Raises:
        ValueError: It is invalid; the message has the place of the first mistake.
    """
    try:
        parsed: T = _adapter(form).validate_python(value)  # type: ignore[arg-type]  # types are hashable
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        text = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise ValueError(f"{place}{inner}: {text}".lstrip(".: ")) from None
    return parsed
