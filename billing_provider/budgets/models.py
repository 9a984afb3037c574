"""A budget as declared (`BudgetSpec`, with the declaration of each field) and as GitHub stores it (`Budget`)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    create_model,
    model_validator,
)

from billing_provider.budgets import fields
from billing_provider.budgets.fields import Declared, FieldTypes, declared_fields
from billing_provider.budgets.skus import pricing_type
from billing_provider.core.clock import instant
from billing_provider.core.ids import Id, Sendable
from billing_provider.core.inputs import Flag, Name, Problem, Text, Texts, no_such_inputs, read_text_input, refuse
from billing_provider.core.opaque import OpaqueRow
from billing_provider.core.owners import COST_CENTER_SCOPES, ENTERPRISE, OWNER_KINDS, PER_USER_SCOPES, USER, OwnerKind
from billing_provider.core.values import kind_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_AMOUNT = 2**31 - 1
"""Maximum amount, in US dollars or licenses: the largest signed 32-bit integer."""
_WRITTEN = re.compile(r"\$?((?=[0-9_]{1,13}(?:\.|$))[0-9]+(?:_[0-9]+)*)(?:\.0{1,2})?", re.ASCII)
"""An amount as a text: `1500`, `$1500`, `1_500` or `1500.00`."""


def _amount(value: Any) -> int:
    """Return a whole number from a number, also a float of the wire, or from a text, as in the configuration."""
    advice = "write a whole number of US dollars (or licenses)"
    if isinstance(value, str):
        found = _WRITTEN.fullmatch(value.strip())
        if found is None:
            raise refuse(f"{advice}, such as 1500: no separators, no cents, no currency but $")
        value = int(found[1].replace("_", ""))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse(f"{advice}, not {kind_of(value)}")
    if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
        raise refuse(f"{advice}: GitHub accepts no fractions")
    if value < 0:
        raise refuse(f"{advice}, 0 or more")
    if value > MAX_AMOUNT:
        raise refuse(f"{advice}, at most {MAX_AMOUNT}")
    return int(value)


def _day(value: Any) -> str:
    """Return a UTC day, written as a date or as its midnight; GitHub accepts no other time."""
    text = read_text_input(text_of(value) if isinstance(value, date) else value)
    try:
        moment = instant(text)
    except ValueError:
        moment = None
    if moment is None:
        raise refuse("write a date such as 2027-01-31")
    if moment.time() != time.min:
        raise refuse("write a date such as 2027-01-31: GitHub removes a budget at midnight UTC only")
    return text


def _mapping(value: Any) -> Any:
    if not isinstance(value, (dict, Alerting)):
        raise refuse("write will_alert and alert_recipients")
    return value


Amount = Annotated[int, BeforeValidator(_amount)]
Day = Annotated[str, BeforeValidator(_day)]


class Alerting(BaseModel):
    """The recipients of alerts at 75, 90 and 100 % of the amount (GitHub's fixed thresholds).

    Attributes:
        will_alert: Whether GitHub sends alerts.
        alert_recipients: Logins of the people that GitHub alerts, in addition to its default recipients.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    will_alert: Flag = False
    alert_recipients: Texts = []


def _write_alerting(value: Alerting | None) -> dict[str, Any]:
    return (value or Alerting()).model_dump()


_TEXT = FieldTypes(Text, Sendable)
_NAME = FieldTypes(Name, Sendable)
_FLAG = FieldTypes(Flag, StrictBool)
_AMOUNT = FieldTypes(Amount, StrictInt | StrictFloat)
_DAY = FieldTypes(Day, Sendable)
_ALERTING = FieldTypes(Annotated[Alerting, BeforeValidator(_mapping)], Alerting)


class BudgetSpec(BaseModel):
    """One complete, valid budget as declared; this class is the only declaration of the fields of a budget.

    Inputs, state, identity, comparison, requests and reference are derived from it. Code that is written out for
    editors, such as the arguments of a resource, is compared with it by a test.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    enterprise: Annotated[
        str | None,
        Declared(
            text="Slug of the enterprise that owns the budget.",
            change="replaces",
            form=_TEXT,
            sent="never",
            required=True,
            normalize=fields.fold,
        ),
    ] = None
    organization: Annotated[
        str | None,
        Declared(
            text="Login of the organization that owns the budget.",
            change="replaces",
            form=_TEXT,
            sent="never",
            required=True,
            normalize=fields.fold,
        ),
    ] = None
    budget_amount: Annotated[
        Amount,
        Declared(
            text="Amount in whole US dollars a month, or in licenses for a license product; 0 or more.",
            change="updates",
            form=_AMOUNT,
            sent="always",
            required=True,
        ),
    ]
    budget_product_sku: Annotated[
        str,
        Declared(
            text="GitHub's identifier of the product or SKU, such as `actions` or `ai_credits`.",
            change="replaces",
            form=_TEXT,
            sent="always",
            required=True,
            normalize=fields.sku,
        ),
    ]
    budget_type: Annotated[
        str,
        Declared(
            text="`ProductPricing`, `SkuPricing` or `BundlePricing`; by default, derived from the SKU.",
            change="replaces",
            form=_TEXT,
            sent="always",
            normalize=fields.pricing,
        ),
    ]
    budget_scope: Annotated[
        str,
        Declared(
            text="Scope of the budget; by default, the owner itself.",
            change="replaces",
            form=_TEXT,
            sent="always",
        ),
    ]
    budget_entity_name: Annotated[
        str,
        Declared(
            text="Organization, repository (`owner/name`) or cost center (name or UUID) that the budget covers.",
            change="replaces",
            form=_NAME,
            sent="always",
            normalize=fields.entity,
        ),
    ] = ""
    user: Annotated[
        str | None,
        Declared(
            text="Login of the user whose usage is limited; for the scope `user` only.",
            change="replaces",
            form=_TEXT,
            sent="if_declared",
            normalize=fields.fold,
            in_scope=fields.only(USER),
        ),
    ] = None
    prevent_further_usage: Annotated[
        Flag,
        Declared(
            text="Whether GitHub stops usage at the amount; by default False, but True for a per-user scope, which is "
            "always a hard stop.",
            change="updates",
            form=_FLAG,
            sent="always",
        ),
    ]
    budget_alerting: Annotated[
        Alerting | None,
        Declared(
            text="Recipients of alerts; by default, no alerts are sent.",
            change="updates",
            form=_ALERTING,
            # GitHub requires it also for a budget of one user, with alerts disabled.
            sent="always",
            write=_write_alerting,
            normalize=fields.recipients,
            in_scope=fields.all_but(USER),
        ),
    ] = None
    expires_at: Annotated[
        Day | None,
        Declared(
            text="Date on which GitHub removes the budget, as a `date` or as `2027-01-31`; for the scope `user` only.",
            change="updates",
            form=_DAY,
            sent="if_declared",
            write=fields.write_day,
            normalize=fields.moment,
            in_scope=fields.only(USER),
            # An expiry lifts the cap, so an expiry in another scope must be detected and cleared.
            seen_elsewhere=True,
        ),
    ] = None
    exclude_cost_center_usage: Annotated[
        Flag,
        Declared(
            text="Whether usage of cost centers is excluded; for the scope `enterprise` only.",
            change="updates",
            form=_FLAG,
            sent="if_declared",
            normalize=fields.flag,
            in_scope=fields.only(ENTERPRISE),
            described=False,
        ),
    ] = False
    on_existing: Annotated[
        str | None,
        Declared(
            text="How a create handles an existing budget: `adopt_if_identical` (default), `adopt` or `error`.",
            change="nothing",
            form=_TEXT,
            sent="never",
        ),
    ] = None
    on_delete: Annotated[
        str | None,
        Declared(
            text="What a delete does with the budget on GitHub: `delete` (default for a created one) or `keep` "
            "(default for an adopted one).",
            change="stored",
            form=_TEXT,
            sent="never",
        ),
    ] = None
    on_raise: Annotated[
        str | None,
        Declared(
            text="What happens to a higher amount on GitHub, such as an approved raise: `revert` (default) takes it "
            "back, `keep` keeps it; for the scope `user` only.",
            change="stored",
            form=_TEXT,
            sent="never",
            in_scope=fields.only(USER),
        ),
    ] = None


FIELDS = declared_fields(BudgetSpec)
"""The declarations of all inputs, in their documented order."""
INPUTS = tuple(FIELDS)
"""The names of all inputs; a budget has one of the first two."""

_FORMS: dict[str, Any] = {name: (field.form.inputs | None, None) for name, field in FIELDS.items()}
BudgetInputs = create_model("BudgetInputs", __config__=ConfigDict(extra="forbid", frozen=True), **_FORMS)
"""The inputs of a budget as a program writes them; None and a missing input are equivalent."""


def read_inputs(kind: OwnerKind, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the inputs of valid type as plain values, and one problem for each other input."""
    other = set(OWNER_KINDS) - {kind.noun}
    names = [name for name in INPUTS if name not in other]
    found = no_such_inputs(kind.resource, (name for name in raw if name not in names), names)
    known = {name: value for name, value in raw.items() if name in names and value is not None}
    try:
        good = BudgetInputs.model_validate(known)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            field, *path = [str(part) for part in detail["loc"] if not str(part).startswith("function-")]
            where = f"{'.'.join(part[:60] for part in path)}: " if path else ""
            no_such_key = path and detail["type"] == "extra_forbidden"
            reason = "unknown key; the keys are will_alert and alert_recipients" if no_such_key else detail["msg"]
            found.append(Problem(field, f"{where}{reason}"))
        bad = {problem.field for problem in found}
        good = BudgetInputs.model_validate({name: value for name, value in known.items() if name not in bad})
    fields = good.model_dump(exclude_none=True)
    if "budget_entity_name" in fields and fields.get("budget_scope") not in COST_CENTER_SCOPES:
        fields["budget_entity_name"] = fields["budget_entity_name"].strip()
    return fields, found


def complete(kind: OwnerKind, fields: Mapping[str, Any], unsure: frozenset[str]) -> dict[str, Any]:
    """Return the inputs with GitHub's defaults, except for inputs that are not known yet."""
    filled = dict(fields)
    if "budget_scope" not in unsure:
        scope = filled.setdefault("budget_scope", kind.noun)
        if "prevent_further_usage" not in unsure:
            filled.setdefault("prevent_further_usage", scope in PER_USER_SCOPES)
        if scope == USER:
            filled.pop("budget_alerting", None)
        elif "budget_alerting" not in unsure:
            filled.setdefault("budget_alerting", Alerting().model_dump())
    if not unsure & {"budget_type", "budget_product_sku"} and filled.get("budget_product_sku"):
        filled.setdefault("budget_type", pricing_type(filled["budget_product_sku"]))
    if "budget_entity_name" not in unsure:
        filled.setdefault("budget_entity_name", "")
    return filled


def _wire_amount(value: Any) -> Any:
    """Return a whole float such as 1000.0 as an integer; other values are unchanged and appear as drift."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Budget(BaseModel):
    """One budget as GitHub stores it; a field missing from the reply is None, an unknown field is ignored."""

    # Python's JSON parser accepts NaN, which would not equal any amount, including itself.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    id: Id
    budget_amount: Annotated[int | float, BeforeValidator(_wire_amount)]
    budget_product_sku: Sendable = Field(validation_alias=AliasChoices("budget_product_sku", "budget_product_skus"))
    budget_type: Sendable | None = None
    budget_scope: Sendable
    budget_entity_name: Sendable | None = None
    user: Sendable | None = None
    prevent_further_usage: bool
    budget_alerting: Alerting | None = None
    expires_at: Sendable | None = None
    exclude_cost_center_usage: bool | None = None
    consumed_amount: float | None = None

    @property
    def key(self) -> str:
        """What identifies it in a listing."""
        return self.id

    @model_validator(mode="before")
    @classmethod
    def _tolerate(cls, value: Any) -> Any:
        """Accept the plural SKU field, and an alerting object with keys newer than this package."""
        if not isinstance(value, dict):
            return value
        value = dict(value)
        skus = value.get("budget_product_skus")
        if "budget_product_sku" not in value and isinstance(skus, list) and len(skus) == 1:
            value["budget_product_sku"] = skus[0]
        alerting = value.get("budget_alerting")
        if isinstance(alerting, dict):
            value["budget_alerting"] = {
                "will_alert": bool(alerting.get("will_alert")),
                "alert_recipients": alerting.get("alert_recipients") or [],
            }
        return value


@dataclass(frozen=True)
class BudgetDetails:
    """A budget as stored by GitHub; fields missing in the response are None.

    Attributes:
        id: The budget's id, assigned by GitHub.
        budget_amount: Whole US dollars a month, or licenses.
        budget_product_sku: Identifier of the product or SKU.
        budget_type: Its pricing type.
        budget_scope: The scope covered.
        budget_entity_name: The organization, repository, cost center (by its name) or owner covered.
        user: Login of the user whose usage is limited.
        prevent_further_usage: Whether GitHub stops usage at the amount.
        will_alert: Whether GitHub sends alerts.
        alert_recipients: Logins of the people who receive alerts.
        expires_at: When GitHub removes it.
        exclude_cost_center_usage: Whether usage of cost centers is excluded.
        consumed_amount: US dollars used this month.
    """

    id: str
    budget_amount: float
    budget_product_sku: str
    budget_type: str | None
    budget_scope: str
    budget_entity_name: str | None
    user: str | None
    prevent_further_usage: bool
    will_alert: bool | None
    alert_recipients: list[str] | None
    expires_at: str | None
    exclude_cost_center_usage: bool | None
    consumed_amount: float | None

    @classmethod
    def of(cls, budget: Budget) -> BudgetDetails:
        """Return a budget with its alerting as two fields."""
        alerting = budget.budget_alerting
        return cls(
            will_alert=alerting.will_alert if alerting else None,
            alert_recipients=list(alerting.alert_recipients) if alerting else None,
            **budget.model_dump(exclude={"budget_alerting"}),
        )


class OpaqueBudget(OpaqueRow):
    """A listed budget that does not fit `Budget`."""

    noun = "budget"

    @property
    def skus(self) -> list[str]:
        """The products and SKUs that it names."""
        several = self.row.get("budget_product_skus")
        named = [self.text("budget_product_sku"), *(several if isinstance(several, list) else ())]
        return [sku for sku in named if isinstance(sku, str) and sku]
