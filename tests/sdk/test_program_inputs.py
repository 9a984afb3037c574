"""Inputs in every form that a program has: taken if exact, else one line of the program before anything is sent."""

from __future__ import annotations

import asyncio
import gc
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from billing_provider import BudgetAlertingArgs, CostCenter, EnterpriseBudget, OrgBudget, get_budgets, get_usage
from billing_provider.core.errors import ConfigError
from tests.core.test_values import Index, Scalar, Scope
from tests.support.mocked import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERSON: dict[str, Any] = {
    "organization": "octo-org",
    "budget_product_sku": "ai_credits",
    "budget_amount": 5,
    "budget_scope": "user",
    "user": "octocat",
}
APPS: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Apps"}
LATER: Any = pulumi.Output.from_input


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Collect the Outputs of failed programs at once: asyncio reports them, which must not happen in another test."""
    yield
    gc.collect()


def sent(resource: Any, inputs: dict[str, Any], *, preview: bool = False) -> dict[str, Any]:
    """Return what a program sends for a resource."""

    def program() -> None:
        resource("b", **{name: value() if callable(value) else value for name, value in inputs.items()})

    return dict(run(program, preview=preview).named("b").inputs)


def refusal(declare: Callable[[], Any]) -> str:
    """Return the one line of a program that declares wrong inputs; Pulumi shows it without a traceback."""
    seen: list[str] = []

    def program() -> None:
        with pytest.raises(pulumi.RunError) as caught:
            declare()
        assert isinstance(caught.value, ConfigError)
        seen.append(str(caught.value))

    assert (
        run(
            program, config={"github-billing:token": "t" * 20, "github-billing:baseUrl": "http://127.0.0.1:9"}
        ).resources
        == []
    )
    return seen[0]


async def slowly(value: Any) -> Any:
    """Return a value later."""
    await asyncio.sleep(0)
    return value


AMOUNTS = [
    lambda: asyncio.ensure_future(slowly(50)),
    *(50, 50.0, "50", "$50", "5_0", " 50.00 ", Decimal("50.00"), Scalar(50)),
    lambda: LATER(Decimal(50)),
    lambda: LATER(Scalar(50)),
    lambda: asyncio.sleep(0, Scalar(50)),
]


@pytest.mark.parametrize("amount", AMOUNTS, ids=range(len(AMOUNTS)))
def test_an_amount_in_each_exact_form(amount: Any) -> None:
    """Numbers of other libraries and texts of the configuration are taken, in an Output too."""
    assert sent(OrgBudget, {**PERSON, "budget_amount": amount})["budget_amount"] == 50


DATES = [
    *("2027-01-31", date(2027, 1, 31), datetime(2027, 1, 31, tzinfo=timezone.utc)),
    lambda: LATER(date(2027, 1, 31)),
    lambda: LATER(datetime(2027, 1, 31, tzinfo=timezone.utc)),
]


@pytest.mark.parametrize("day", DATES, ids=range(len(DATES)))
def test_a_date_in_each_form(day: Any) -> None:
    """A date, and a time that is its midnight in UTC, are the same text."""
    assert sent(OrgBudget, {**PERSON, "expires_at": day})["expires_at"] == "2027-01-31"


LISTS: list[Any] = [
    *(["a", "b"], ("a", "b"), {"b", "a"}, frozenset({"a", "b"}), {"b": 1, "a": 2}.keys(), Scalar(["a", "b"])),
    lambda: (each for each in "ab"),
    lambda: LATER({"b", "a"}),
    lambda: {"a", LATER("b")},
    lambda: ("a", LATER("b")),
    lambda: LATER(("a", "b")),
]


@pytest.mark.parametrize("logins", LISTS, ids=range(len(LISTS)))
def test_a_list_in_each_form(logins: Any) -> None:
    """Sets, tuples, views and generators are lists; a set is sorted, so that a repeated run sends the same."""
    assert sent(CostCenter, {**APPS, "users": logins})["users"] == ["a", "b"]
    made = logins() if callable(logins) else logins
    alerting = BudgetAlertingArgs(will_alert=True, alert_recipients=made)
    given = {"organization": "o", "budget_product_sku": "actions", "budget_amount": 5, "budget_alerting": alerting}
    assert sent(OrgBudget, given)["budget_alerting"] == {"will_alert": True, "alert_recipients": ["a", "b"]}


def test_values_of_an_enum_and_a_flag_of_numpy() -> None:
    """An `Enum` is its value, also where a default depends on it, and a flag of numpy is a flag."""
    given = {**PERSON, "budget_scope": Scope.USER, "prevent_further_usage": Scalar(value=True)}
    inputs = sent(OrgBudget, given)
    assert (inputs["budget_scope"], inputs["prevent_further_usage"]) == ("user", True)
    assert sent(CostCenter, {**APPS, "users": [Scope.USER], "name": Scope.USER})["name"] == "user"


@pytest.mark.parametrize("later", [LATER, slowly, lambda value: asyncio.ensure_future(slowly(value))])
def test_alerts_that_are_known_later(later: Callable[[Any], Any]) -> None:
    """An Output or an awaitable may hold the class of inputs too."""
    alerting = BudgetAlertingArgs(will_alert=True, alert_recipients=["octocat"])
    whole = {**PERSON, "budget_scope": "organization", "user": None, "budget_alerting": lambda: later(alerting)}
    assert sent(OrgBudget, whole)["budget_alerting"] == {"will_alert": True, "alert_recipients": ["octocat"]}


def test_an_output_that_a_preview_does_not_know_stays_unknown() -> None:
    """The plugin is told that it is not known, also inside of a list."""

    def unknown() -> Any:
        return LATER(pulumi.UNKNOWN)

    inputs = sent(CostCenter, {**APPS, "name": unknown, "users": lambda: ["a", unknown()]}, preview=True)
    assert pulumi.contains_unknowns(inputs["name"])
    assert pulumi.contains_unknowns(inputs["users"])


def test_a_cost_center_in_each_form() -> None:
    """A name can be of an `Enum`, and an Output of a wrong type is left to the plugin."""
    given = {"enterprise": "e", "budget_product_sku": "actions", "budget_amount": 5}
    for center in (Scope.USER, lambda: LATER("user"), lambda: asyncio.sleep(0, "user")):
        assert sent(EnterpriseBudget, {**given, "cost_center": center})["budget_entity_name"] == "user"
    assert sent(EnterpriseBudget, {**given, "cost_center": lambda: LATER(5)})["budget_entity_name"] == 5


def person(**inputs: Any) -> Callable[[], Any]:
    """Return a declaration of a budget of one user."""
    return lambda: OrgBudget("b", **{**PERSON, **{name: _made(value) for name, value in inputs.items()}})


def center(**inputs: Any) -> Callable[[], Any]:
    """Return a declaration of a cost center."""
    return lambda: CostCenter("b", **{**APPS, **{name: _made(value) for name, value in inputs.items()}})


def of_center(given: Any) -> Callable[[], Any]:
    """Return a declaration of a budget of a cost center."""
    return lambda: EnterpriseBudget(
        "b", enterprise="e", budget_product_sku="actions", budget_amount=5, cost_center=_made(given)
    )


def _made(value: Any) -> Any:
    return value() if callable(value) else value


AMOUNT = "b: budget_amount: write a whole number of US dollars (or licenses)"
FORM = f"{AMOUNT}, such as 1500: no separators, no cents, no currency but $"
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (person(budget_amount="1,500"), FORM),
    (person(budget_amount="\N{EURO SIGN}50"), FORM),
    (person(budget_amount=12.5), f"{AMOUNT}: GitHub accepts no fractions"),
    (person(budget_amount=Decimal("12.5")), f"{AMOUNT}: GitHub accepts no fractions"),
    (person(budget_amount=Decimal("1e999999999")), f"{AMOUNT}: GitHub accepts no fractions"),
    (person(budget_amount=Decimal("500.0000000000000000000001")), f"{AMOUNT}, not a value of type Decimal"),
    (person(budget_amount=float("nan")), f"{AMOUNT}: GitHub accepts no fractions"),
    (person(budget_amount=True), f"{AMOUNT}, not a value of type bool"),
    (person(budget_amount=-5), f"{AMOUNT}, 0 or more"),
    (person(expires_at="31.01.2027"), "b: expires_at: write a date such as 2027-01-31"),
    (
        person(expires_at=datetime(2027, 1, 31, 12, tzinfo=timezone.utc)),
        "b: expires_at: write a date such as 2027-01-31: GitHub removes a budget at midnight UTC only",
    ),
    (person(user=date(2027, 1, 31)), "b: user: write a text, not a value of type date"),
    (person(user=PurePosixPath("a")), "b: user: write a text, not a value of type PurePosixPath"),
    (person(prevent_further_usage=1), "b: prevent_further_usage: write True or False, not a value of type int"),
    (person(budget_alerting=["octocat"]), "b: budget_alerting: write will_alert and alert_recipients"),
    (
        person(budget_alerting={"will_alert": True, "alert_recipients": "octocat"}),
        "b: budget_alerting: alert_recipients: write a list: put the text in brackets",
    ),
    (person(budget_ammount=5), "b: budget_ammount: no such input of OrgBudget; did you mean budget_amount?"),
    (
        person(budget_ammount=5, user="@octocat", expires_at="2020-01-31", on_delete=lambda: LATER("x")),
        "b: budget_ammount: no such input of OrgBudget; did you mean budget_amount?; user: write the login without t",
    ),
    (person(budget_ammount=lambda: LATER(5)), "b: budget_ammount: no such input of OrgBudget; did you mean budg"),
    (person(enterprise="e"), "b: enterprise: no such input of OrgBudget; declare an EnterpriseBudget"),
    (person(size="e"), "b: size: no such input of OrgBudget; its inputs are budget_amount, "),
    (
        person(budget_amount="x", user=5, budget_scope=[], on_raise=1, on_delete=2, on_existing=3),
        f"{FORM}; budget_scope: write a text, not a value of type list; user: write a text, not",
    ),
    (center(users="octocat"), "b: users: write a list: put the text in brackets"),
    (center(users={"octocat": 1}), "b: users: write a list of texts, not a value of type dict"),
    (center(users=["octocat", 5]), "b: users: users.1: write a text, not a value of type int"),
    (center(users=[b"a", lambda: LATER("b")][:1]), "b: users: users.0: write a text, not a value of type bytes"),
    (center(user=["octocat"]), "b: user: no such input of CostCenter; did you mean users?"),
    (
        center(users=lambda: [LATER("octocat"), object()]),
        "b: users: write a text, a number or a list, not a value of type object",
    ),
    (of_center(5), "b: cost_center: write a CostCenter, its id or its name, not a value of type int"),
    (of_center(["Apps"]), "b: cost_center: write a CostCenter, its id or its name, not a value of type list"),
]


def test_the_line_counts_what_it_does_not_show() -> None:
    """The first five problems are shown, and the others are counted."""
    wrong = person(budget_amount="x", user=5, budget_scope=[], on_raise=1, on_delete=2, on_existing=3)
    assert refusal(wrong).endswith("; and 1 more")


@pytest.mark.parametrize(("declare", "line"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_exact_is_one_line_of_the_program(declare: Callable[[], Any], line: str) -> None:
    """The line has the name of the resource, the input and what to write; nothing is registered."""
    shown = refusal(declare)
    assert shown.startswith(line)
    assert len(shown) <= 360


def test_an_output_that_pulumi_cannot_send_ends_the_program_with_one_line() -> None:
    """The line comes once the value is known; what can be sent is checked by the plugin."""
    with pytest.raises(
        pulumi.RunError, match=r"^b: user: write a text, a number or a list, not a value of type object$"
    ):
        sent(OrgBudget, {**PERSON, "user": lambda: LATER(1).apply(lambda _: object())})
    assert sent(OrgBudget, {**PERSON, "user": lambda: LATER(1)})["user"] == 1


def test_a_function_takes_the_same_forms_and_no_output() -> None:
    """An argument that is not known yet is refused before anything is read, with the function to call."""
    late = refusal(lambda: get_budgets(enterprise=LATER("octo-enterprise")))
    assert late.startswith(
        "enterprise: this is an Output, which is not known yet. Call the function whose name ends in"
    )
    # The period is read before anything is sent.
    period: dict[str, Any] = {"year": Index(), "month": Scalar(13)}
    assert refusal(lambda: get_usage(enterprise="e", **period)) == "year, month, day: this date does not exist"
    period = {"year": date(2027, 1, 31)}
    assert refusal(lambda: get_usage(enterprise="e", **period)) == "year: write a whole number, not '2027-01-31'"
