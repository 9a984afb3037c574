"""The format of state files and snapshots; an invalid one is refused completely."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import names, skus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check", "check_record"]

# The last second of the year 9998: it is a valid date in every time zone.
_LAST_MOMENT = 253_370_764_799
_MOST_MADE = 10**9
_BUDGET_TYPES = ("BundlePricing", "ProductPricing", "SkuPricing")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any, most: float = float("inf")) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < most


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value, _MOST_MADE)


def _is_moment(value: Any) -> bool:
    return _is_number(value, _LAST_MOMENT)


def _is_day(value: Any) -> bool:
    try:
        return bool(value == date.fromisoformat(value).isoformat())
    except (TypeError, ValueError):
        return False


def _is_alerting(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"will_alert", "alert_recipients"}
        and _is_flag(value["will_alert"])
        and isinstance(value["alert_recipients"], list)
        and all(map(_is_text, value["alert_recipients"]))
    )


def _are_members(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(member, dict) and set(member) == {"type", "name"} and all(map(_is_text, member.values()))
        for member in value
    )


_Fields = dict[str, "Callable[[Any], bool]"]
# The required and the optional fields of each kind of record; older files lack the optional ones.
_FORMS: dict[str, tuple[_Fields, _Fields]] = {
    "budgets": (
        {
            **dict.fromkeys(("id", "owner", "budget_scope", "budget_entity_name", "budget_product_sku"), _is_text),
            "owner_kind": ("enterprise", "organization").__contains__,
            "budget_type": _BUDGET_TYPES.__contains__,
            "budget_amount": _is_number,
            "prevent_further_usage": _is_flag,
            "budget_alerting": _is_alerting,
        },
        {
            "user": _is_text_or_none,
            "expires_at": _is_text_or_none,
            "exclude_cost_center_usage": _is_flag,
            "created_at": _is_moment,
            "hidden_listings": _is_count,
        },
    ),
    "cost_centers": (
        {"id": _is_text, "name": _is_text},
        {"state": _is_text, "ai_credit_pool_enabled": _is_flag, "resources": _are_members},
    ),
    "exports": (
        {
            **dict.fromkeys(("id", "report_type", "actor"), _is_text),
            "start_date": _is_day,
            "end_date": _is_day,
            "created_at": _is_moment,
        },
        {"looks": _is_count},
    ),
    "spent": (
        {
            **dict.fromkeys(("organization", "repository", "user", "model"), _is_text),
            "day": _is_day,
            "sku": skus.SKUS.__contains__,
            "units": _is_count,
        },
        {},
    ),
}
_NEWER = ("exports", "spent")


def check(content: Any) -> None:
    """Check the format of the stored data.

    Raises:
        ValueError: It is invalid; the message names the first problem.
    """
    if not isinstance(content, dict) or not _is_count(content.get("made")):
        raise _invalid("`made` is missing or not a count")
    _check_names(content, "names", names.read)
    _check_names(content, "seen", names.read_lists)
    if not _is_flag(content.get("generated_usage", True)):
        raise _invalid("generated_usage is not true or false")
    for name in _FORMS:
        # Files of older versions lack the newer kinds.
        records = content.get(name, [] if name in _NEWER else None)
        if not isinstance(records, list):
            raise _invalid(f"{name} is not a list")
        for at, record in enumerate(records):
            check_record(name, f"{name}[{at}]", record)
    centers = {center["id"] for center in content["cost_centers"]}
    for at, budget in enumerate(content["budgets"]):
        entity = budget["budget_entity_name"]
        if budget["budget_scope"] in {"cost_center", "multi_user_cost_center"} and entity not in centers:
            raise _invalid(f"the cost center of budgets[{at}] is missing")
        if budget["budget_type"] == "BundlePricing" and budget["budget_product_sku"] not in skus.BUNDLES:
            raise _invalid(f"the product of budgets[{at}] is not a bundle")


def _check_names(content: dict[str, Any], key: str, read: Callable[[Any], Any]) -> None:
    try:
        read(content.get(key, {}))
    except ValueError as error:
        raise _invalid(f"{key}: {error}") from None


def check_record(name: str, place: str, record: Any) -> None:
    """Check the format of one record of a kind, such as `budgets`.

    Raises:
        ValueError: It is invalid; the message names the field.
    """
    if not isinstance(record, dict):
        raise _invalid(f"{place} is not an object")
    required, optional = _FORMS[name]
    forms = {**required, **optional}
    for field in dict.fromkeys([*required, *record]):
        if field not in record:
            raise _invalid(f"{place} lacks the field {field}")
        if field not in forms or not forms[field](record[field]):
            raise _invalid(f"{place} has an unknown or invalid field {field}")


def _invalid(what: str) -> ValueError:
    return ValueError(f"not a valid sandbox state: {what}")
