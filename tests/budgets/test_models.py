"""Conversion of plain values to budgets, and refused values."""

from __future__ import annotations

import math
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing_provider.budgets.models import INPUTS, MAX_AMOUNT, Alerting, Budget, BudgetInputs, complete, read_inputs
from billing_provider.core.ids import MAX_TEXT
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner

NOBODY: frozenset[str] = frozenset()
LIVE = {
    "id": "one",
    "budget_amount": 500,
    "budget_product_sku": "actions",
    "budget_scope": "enterprise",
    "prevent_further_usage": False,
}
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


def refused(**fields: Any) -> list[tuple[str, str]]:
    """Return the problems that the types of these inputs have."""
    return [(problem.field, problem.reason) for problem in read_inputs(ENTERPRISE_OWNER, fields)[1]]


@pytest.mark.parametrize("amount", [500, 500.0, "500", "0500", "$500", " 500 ", "5_00", "500.00"])
def test_forms_of_an_amount(amount: Any) -> None:
    """An integer, a whole float and a string of digits are the same amount."""
    assert read_inputs(ENTERPRISE_OWNER, {"budget_amount": amount}) == ({"budget_amount": 500}, [])


@given(amount=st.integers(0, MAX_AMOUNT))
def test_whole_amounts_are_kept(amount: int) -> None:
    """Any whole number in range passes unchanged in each of its three forms."""
    forms: list[Any] = [amount, float(amount), str(amount)]
    assert [read_inputs(ENTERPRISE_OWNER, {"budget_amount": form})[0]["budget_amount"] for form in forms] == [
        amount
    ] * 3


@pytest.mark.parametrize(
    "amount",
    [
        -1, -0.5, 0.5, math.nan, math.inf, -math.inf, MAX_AMOUNT + 1, 1e300, 10**400, True, False,
        "", "-1", "1.5", "1,500", "1.500", "1e3", "\u20ac5", "5$", "1__0", "_1", "0.001", "\u0665", "9" * 5000,
        "five", [], {}, [500], b"5",
    ],
)  # fmt: skip
def test_other_amounts_are_refused(amount: Any) -> None:
    """Fractions, negative numbers, words and numbers above 32 bits are refused with one short message."""
    [(field, reason)] = refused(budget_amount=amount)
    assert field == "budget_amount"
    assert reason.startswith("write a whole number of US dollars (or licenses)")
    assert len(reason) < 120


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"enterprise": 5}, "enterprise", "write a text, not a value of type int"),
        ({"user": ["octocat"]}, "user", "write a text, not a value of type list"),
        ({"budget_entity_name": "x" * (MAX_TEXT + 1)}, "budget_entity_name", "write at most 255 characters"),
        ({"budget_entity_name": "x" * 10_000_000}, "budget_entity_name", "write at most 255 characters"),
        (
            {"user": f"a-{pulumi.Output.from_input(1)}"},
            "user",
            "this text was made of an Output: write pulumi.Output.format(...), or make it inside of apply",
        ),
        ({"user": "octo\ncat"}, "user", "leave out control characters and line breaks"),
        ({"user": "octo\0cat"}, "user", "leave out control characters and line breaks"),
        ({"user": "\ud800"}, "user", "leave out control characters and line breaks"),
        ({"prevent_further_usage": 1}, "prevent_further_usage", "write True or False, not a value of type int"),
        ({"prevent_further_usage": "true"}, "prevent_further_usage", "write True or False, not a value of type str"),
        ({"expires_at": 20270131}, "expires_at", "write a text, not a value of type int"),
        ({"expires_at": "31.01.2027"}, "expires_at", "write a date such as 2027-01-31"),
        ({"expires_at": "2027-02-30"}, "expires_at", "write a date such as 2027-01-31"),
        (
            {"expires_at": "2027-01-31T12:00:00Z"},
            "expires_at",
            "write a date such as 2027-01-31: GitHub removes a budget at midnight UTC only",
        ),
        ({"budget_alerting": True}, "budget_alerting", "write will_alert and alert_recipients"),
        (
            {"budget_alerting": {"will_alert": "yes"}},
            "budget_alerting",
            "will_alert: write True or False, not a value of type str",
        ),
        (
            {"budget_alerting": {"alert_recipients": "octocat"}},
            "budget_alerting",
            "alert_recipients: write a list: put the text in brackets",
        ),
        (
            {"budget_alerting": {"alert_recipients": [1]}},
            "budget_alerting",
            "alert_recipients.0: write a text, not a value of type int",
        ),
        (
            {"budget_alerting": {"mail": 1}},
            "budget_alerting",
            "mail: unknown key; the keys are will_alert and alert_recipients",
        ),
    ],
)
def test_a_wrong_type_is_one_problem(fields: dict[str, Any], field: str, reason: str) -> None:
    """Each wrong value is one short problem at its input, however large it is."""
    assert refused(**fields) == [(field, reason)]


def test_an_unknown_input_is_named_on_one_short_line() -> None:
    """The name of an unknown input is displayed on one line and truncated."""
    [(field, reason)] = refused(**{"\u00e9\n" + "x" * 500: 1})
    assert field == "\u00e9 " + "x" * 55 + "..."
    assert reason.startswith("no such input of EnterpriseBudget; its inputs are enterprise, budget_amount")


def test_valid_inputs_are_returned_with_the_problems() -> None:
    """Valid inputs are returned although others are invalid, so that all rules can be checked."""
    fields, found = read_inputs(ORGANIZATION_OWNER, {"organization": " octo-org ", "budget_amount": -1, "user": None})
    assert fields == {"organization": "octo-org"}
    assert [problem.field for problem in found] == ["budget_amount"]


@given(raw=st.dictionaries(st.one_of(st.sampled_from(INPUTS), st.text(max_size=12)), JUNK, max_size=6))
def test_any_input_is_valid_or_a_short_problem(raw: dict[str, Any]) -> None:
    """For any inputs, the result is valid inputs and problems of one short line."""
    fields, found = read_inputs(ENTERPRISE_OWNER, raw)
    assert BudgetInputs.model_validate(fields).model_dump(exclude_none=True) == fields
    for problem in found:
        assert (problem.field + problem.reason).isprintable()
        assert len(problem.field) <= 60
        assert len(problem.reason) < 500
    left_out = {name for name in raw if raw[name] is None and name in INPUTS}
    assert set(fields) <= set(raw) - {problem.field for problem in found} - left_out


def test_defaults_are_filled_in() -> None:
    """Scope, hard stop, pricing type, alerting and entity have GitHub's defaults."""
    declared = {"enterprise": "e", "budget_amount": 1, "budget_product_sku": "actions"}
    assert complete(ENTERPRISE_OWNER, declared, NOBODY) == {
        "enterprise": "e",
        "budget_amount": 1,
        "budget_product_sku": "actions",
        "budget_scope": "enterprise",
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
        "budget_type": "ProductPricing",
        "budget_entity_name": "",
    }


@pytest.mark.parametrize("scope", ["user", "multi_user_customer", "multi_user_cost_center"])
def test_defaults_of_per_user_scopes(scope: str) -> None:
    """The per-user scopes are a hard stop by default, and a budget of one user has no alerting."""
    alerting = {"will_alert": False, "alert_recipients": []}
    filled = complete(ENTERPRISE_OWNER, {"budget_scope": scope, "budget_alerting": alerting}, NOBODY)
    assert filled["prevent_further_usage"] is True
    assert ("budget_alerting" in filled) == (scope != "user")


@pytest.mark.parametrize(
    ("unknown", "filled"),
    [
        ("budget_scope", {"budget_type", "budget_entity_name"}),
        ("prevent_further_usage", {"budget_scope", "budget_alerting", "budget_type", "budget_entity_name"}),
        ("budget_alerting", {"budget_scope", "prevent_further_usage", "budget_type", "budget_entity_name"}),
        ("budget_type", {"budget_scope", "prevent_further_usage", "budget_alerting", "budget_entity_name"}),
        ("budget_entity_name", {"budget_scope", "prevent_further_usage", "budget_alerting", "budget_type"}),
    ],
)
def test_no_default_depends_on_an_unknown_input(unknown: str, filled: set[str]) -> None:
    """A default that depends on an unknown input is omitted."""
    given_fields = {"budget_product_sku": "actions"}
    assert set(complete(ENTERPRISE_OWNER, given_fields, frozenset({unknown}))) - {"budget_product_sku"} == filled


def test_no_pricing_type_without_a_sku() -> None:
    """While the SKU is unknown, the pricing type is unknown."""
    assert "budget_type" not in complete(ENTERPRISE_OWNER, {}, frozenset({"budget_product_sku"}))
    assert "budget_type" not in complete(ENTERPRISE_OWNER, {}, NOBODY)


def test_owners_ignore_case() -> None:
    """Owners are compared without case, and messages have the declared spelling."""
    assert Owner(ENTERPRISE_OWNER, "Octo").key == Owner(ENTERPRISE_OWNER, "octo").key == "enterprise/octo"
    assert str(Owner(ORGANIZATION_OWNER, "Octo-Org")) == "organization Octo-Org"


@pytest.mark.parametrize(
    ("wire", "field", "value"),
    [
        ({"budget_amount": 1000.0}, "budget_amount", 1000),
        ({"budget_amount": 10.5}, "budget_amount", 10.5),
        ({"budget_product_sku": None, "budget_product_skus": ["actions"]}, "budget_product_sku", None),
        ({"expires_at": None}, "expires_at", None),
        ({"consumed_amount": 3}, "consumed_amount", 3.0),
        ({"brand_new": {"field": 1}}, "id", "one"),
        (
            {"budget_alerting": {"will_alert": 1, "alert_recipients": None, "new": 1}},
            "budget_alerting",
            Alerting(will_alert=True),
        ),
        ({"budget_alerting": {}}, "budget_alerting", Alerting()),
        ({"budget_alerting": None}, "budget_alerting", None),
    ],
)
def test_responses_are_read_tolerantly(wire: dict[str, Any], field: str, value: Any) -> None:
    """Whole floats become integers, new fields and keys are ignored, and empty ones are None."""
    sent = {**LIVE, **wire}
    if value is None and field == "budget_product_sku":
        with pytest.raises(ValidationError):
            Budget.model_validate(sent)
        return
    assert getattr(Budget.model_validate(sent), field) == value


def test_the_plural_sku_field_is_read() -> None:
    """A list of one SKU, or a string under the plural name, is the SKU; a longer list is invalid."""
    rest = {name: value for name, value in LIVE.items() if name != "budget_product_sku"}
    right: list[Any] = [["actions"], "actions"]
    wrong: list[Any] = [["actions", "packages"], [], None]
    for skus in right:
        assert Budget.model_validate({**rest, "budget_product_skus": skus}).budget_product_sku == "actions"
    for skus in wrong:
        with pytest.raises(ValidationError):
            Budget.model_validate({**rest, "budget_product_skus": skus})


@pytest.mark.parametrize(
    "wire",
    [
        {"id": ""}, {"id": None}, {"budget_scope": 5}, {"prevent_further_usage": "perhaps"}, {"budget_amount": "x"},
        {"budget_amount": math.nan}, {"consumed_amount": math.inf}, {"budget_alerting": "yes"},
        {"budget_alerting": {"alert_recipients": "octocat"}},
    ],
)  # fmt: skip
def test_invalid_budgets_are_refused(wire: dict[str, Any]) -> None:
    """A response without an id, or with values of another type, is invalid."""
    with pytest.raises(ValidationError):
        Budget.model_validate({**LIVE, **wire})


@given(wire=JUNK)
def test_any_response_is_a_budget_or_a_validation_error(wire: Any) -> None:
    """Any response is read as a budget or refused with a validation error."""
    with pytest.raises(ValidationError):
        Budget.model_validate(wire)
