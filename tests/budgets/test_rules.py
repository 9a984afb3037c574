"""GitHub's rules for budgets, one problem at a time and all at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets import rules
from billing_provider.budgets.models import complete, read_inputs
from billing_provider.budgets.skus import (
    BUNDLES,
    LICENSE_SKUS,
    PRODUCTS,
    SKUS,
    SOURCES,
    counts_licenses,
    known_sku,
    pricing_type,
)
from billing_provider.core.clock import instant
from billing_provider.core.inputs import Problem, login_problem
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, OwnerKind

NOW = datetime(2026, 9, 21, 14, tzinfo=timezone.utc)
NOBODY: frozenset[str] = frozenset()
ENTERPRISE = {"enterprise": "octo-enterprise", "budget_amount": 500, "budget_product_sku": "actions"}
ORGANIZATION = {"organization": "octo-org", "budget_amount": 500, "budget_product_sku": "actions"}
CREDITS = {"budget_product_sku": "ai_credits"}
USER = {"budget_scope": "user", "user": "octocat", **CREDITS}


def check(kind: OwnerKind, fields: dict[str, Any], unsure: frozenset[str] = NOBODY) -> list[Problem]:
    """Return the problems of a budget, as check finds them."""
    valid, found = read_inputs(kind, fields)
    return [*found, *rules.problems(kind, valid, unsure | {problem.field for problem in found}, NOW)]


def enterprise(**fields: Any) -> list[tuple[str, str]]:
    """Return the problems of an enterprise budget that differs in these fields from a right one."""
    return [(problem.field, problem.reason) for problem in check(ENTERPRISE_OWNER, {**ENTERPRISE, **fields})]


def organization(**fields: Any) -> list[tuple[str, str]]:
    """Return the problems of an organization's budget that differs in these fields from a right one."""
    return [(problem.field, problem.reason) for problem in check(ORGANIZATION_OWNER, {**ORGANIZATION, **fields})]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"budget_amount": 0},
        {"budget_scope": "enterprise", "budget_entity_name": "Octo-Enterprise"},
        {"budget_scope": "enterprise", "exclude_cost_center_usage": True},
        {"budget_scope": "organization", "budget_entity_name": "octo-org"},
        {"budget_scope": "repository", "budget_entity_name": "octo-org/.github"},
        {"budget_scope": "cost_center", "budget_entity_name": "Platform & Data (EU)"},
        {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform", **CREDITS},
        {"budget_scope": "multi_user_customer", **CREDITS},
        {
            "budget_scope": "multi_user_customer",
            "prevent_further_usage": True,
            "budget_product_sku": "premium_requests",
        },
        USER,
        {**USER, "budget_entity_name": "OctoCat"},
        {**USER, "budget_alerting": {"will_alert": False, "alert_recipients": []}},
        {**USER, "expires_at": "2026-09-22"},
        {**USER, "expires_at": "2026-09-22T02:00:00+02:00"},
        {"budget_alerting": {"will_alert": True, "alert_recipients": ["octocat", "mona_corp", "a", "x-1"]}},
        {"budget_alerting": {"will_alert": True}},
        {"budget_type": "ProductPricing"},
        {"budget_type": "SkuPricing"},
        {"budget_product_sku": "brand_new_sku", "budget_type": "ProductPricing"},
        {"on_existing": "adopt"},
        {"on_existing": "error"},
        {"on_existing": "adopt_if_identical"},
    ],
)
def test_valid_budgets_have_no_problem(fields: dict[str, Any]) -> None:
    """Every form that GitHub accepts is valid."""
    assert enterprise(**fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"budget_entity_name": "OCTO-ORG"},
        {"budget_scope": "repository", "budget_entity_name": "website"},
        {"budget_scope": "repository", "budget_entity_name": "Octo-Org/website"},
        {"budget_scope": "multi_user_customer", **CREDITS},
        USER,
    ],
)
def test_an_organization_may_be_omitted_from_its_entities(fields: dict[str, Any]) -> None:
    """A repository of the owner needs no owner, and the owner's own budget no entity."""
    assert organization(**fields) == []


@pytest.mark.parametrize(
    ("fields", "field", "advice"),
    [
        ({"enterprise": None}, "enterprise", "write the enterprise that owns the budget"),
        ({"enterprise": ""}, "enterprise", "write the enterprise"),
        ({"enterprise": "Octo Enterprise"}, "enterprise", "its slug, as in github.com/enterprises/SLUG"),
        ({"enterprise": "../orgs"}, "enterprise", "its slug"),
        ({"budget_amount": None}, "budget_amount", "write the amount"),
        ({"budget_amount": 0.5}, "budget_amount", "GitHub accepts no fractions"),
        ({"budget_amount": -1}, "budget_amount", "0 or more"),
        ({"budget_amount": 2**31}, "budget_amount", "at most 2147483647"),
        ({"budget_amount": True}, "budget_amount", "write a whole number"),
        ({"budget_product_sku": None}, "budget_product_sku", "write the product or SKU"),
        ({"budget_product_sku": "GitHub Actions"}, "budget_product_sku", "write GitHub's identifier"),
        ({"budget_type": "product"}, "budget_type", "BundlePricing, ProductPricing, SkuPricing"),
        ({"budget_scope": "team"}, "budget_scope", "EnterpriseBudget takes one of enterprise, organization"),
        ({"budget_scope": "Organisation"}, "budget_scope", "did you mean organization?"),
        ({"budget_type": "BundelPricing"}, "budget_type", "did you mean BundlePricing"),
        ({"on_existing": "adpot"}, "on_existing", "did you mean adopt?"),
        ({"budget_scope": "organization"}, "budget_entity_name", "the organization's login"),
        ({"budget_scope": "organization", "budget_entity_name": "a/b"}, "budget_entity_name", "organization's login"),
        ({"budget_scope": "repository"}, "budget_entity_name", "the repository as owner/name"),
        ({"budget_scope": "repository", "budget_entity_name": "api"}, "budget_entity_name", "owner/name"),
        ({"budget_scope": "repository", "budget_entity_name": "a/b/c"}, "budget_entity_name", "owner/name"),
        ({"budget_scope": "repository", "budget_entity_name": "a/b c"}, "budget_entity_name", "owner/name"),
        ({"budget_scope": "cost_center"}, "budget_entity_name", "the cost center: its name or its UUID"),
        ({"budget_scope": "multi_user_cost_center", **CREDITS}, "budget_entity_name", "its name or its UUID"),
        ({"budget_entity_name": "octo-org"}, "budget_entity_name", "covers the whole enterprise"),
        (
            {"budget_scope": "multi_user_customer", "budget_entity_name": "x", **CREDITS},
            "budget_entity_name",
            "covers the whole",
        ),
        ({**USER, "budget_entity_name": "hubot"}, "budget_entity_name", "the input user already contains the login"),
        ({**USER, "user": None}, "user", "write the user's login"),
        ({**USER, "user": "octo@example.com"}, "user", "is an e-mail address: write the person's GitHub login"),
        ({**USER, "user": "@octocat"}, "user", "without the @"),
        ({**USER, "user": "octo cat"}, "user", "is not a GitHub login"),
        ({"user": "octocat"}, "user", "the scope enterprise has no user (or set budget_scope to user)"),
        ({**USER, "budget_product_sku": "actions"}, "budget_product_sku", "a user budget covers ai_credits only"),
        (
            {"budget_scope": "multi_user_customer", "budget_product_sku": "copilot"},
            "budget_product_sku",
            "covers ai_credits only",
        ),
        ({**USER, "prevent_further_usage": False}, "prevent_further_usage", "is always a hard stop"),
        (
            {"budget_scope": "multi_user_customer", "prevent_further_usage": False, **CREDITS},
            "prevent_further_usage",
            "always a hard stop",
        ),
        (
            {**USER, "budget_alerting": {"will_alert": True, "alert_recipients": []}},
            "budget_alerting",
            "no alerts for a budget of one user",
        ),
        (
            {"budget_alerting": {"will_alert": True, "alert_recipients": ["mona@example.com"]}},
            "budget_alerting",
            "alert_recipients.0: this is an e-mail address",
        ),
        (
            {"budget_alerting": {"will_alert": True, "alert_recipients": ["x" * 200]}},
            "budget_alerting",
            "alert_recipients.0: this is not a GitHub login",
        ),
        (
            {"budget_alerting": {"will_alert": True, "alert_recipients": ["dependabot[bot]"]}},
            "budget_alerting",
            "is not a GitHub login",
        ),
        (
            {"budget_alerting": {"will_alert": False, "alert_recipients": ["octocat"]}},
            "budget_alerting",
            "set will_alert to True",
        ),
        ({"on_existing": "replace"}, "on_existing", "adopt_if_identical, adopt, error"),
        ({"expires_at": "2027-01-31"}, "expires_at", "only a budget of one user can expire"),
        ({**USER, "expires_at": "2026-09-21"}, "expires_at", "choose a date in the future"),
        ({**USER, "expires_at": "2027-01-31T18:00:00Z"}, "expires_at", "write a date such as 2027-01-31"),
        ({**USER, "expires_at": "soon"}, "expires_at", "write a date such as 2027-01-31"),
        ({**USER, "exclude_cost_center_usage": True}, "exclude_cost_center_usage", "the whole enterprise has it"),
        (
            {"budget_ammount": 5},
            "budget_ammount",
            "no such input of EnterpriseBudget; did you mean budget_amount?",
        ),
        (
            {"organization": "octo-org"},
            "organization",
            "no such input of EnterpriseBudget; declare an OrgBudget",
        ),
    ],
)
def test_each_problem_names_the_input_and_the_correction(fields: dict[str, Any], field: str, advice: str) -> None:
    """One invalid input is one problem with its correction."""
    found = enterprise(**fields)
    assert [name for name, _ in found] == [field]
    assert advice in found[0][1]


@pytest.mark.parametrize(
    ("fields", "field", "advice"),
    [
        ({"organization": None}, "organization", "write the organization"),
        ({"organization": "octo org"}, "organization", "its login"),
        ({"budget_scope": "enterprise"}, "budget_scope", "enterprise budgets are declared with EnterpriseBudget"),
        ({"budget_scope": "cost_center"}, "budget_scope", "cost_center budgets are declared with EnterpriseBudget"),
        (
            {"budget_scope": "repository", "budget_entity_name": "other/api"},
            "budget_entity_name",
            "write a repository of the organization",
        ),
        ({"budget_scope": "repository", "budget_entity_name": "a b"}, "budget_entity_name", "owner/name"),
        ({"exclude_cost_center_usage": True}, "exclude_cost_center_usage", "the whole enterprise has it"),
    ],
)
def test_problems_of_organization_budgets(fields: dict[str, Any], field: str, advice: str) -> None:
    """Inputs that only enterprises have are refused, and the message names the resource that has them."""
    found = organization(**fields)
    assert [name for name, _ in found] == [field]
    assert advice in found[0][1]


def test_all_problems_are_reported_at_once() -> None:
    """All problems of a budget are reported in one check."""
    found = enterprise(
        enterprise="octo enterprise",
        budget_amount=1.5,
        budget_product_sku="actions",
        budget_type="Pricing",
        budget_scope="user",
        budget_entity_name="hubot",
        user="mona@example.com",
        prevent_further_usage=False,
        budget_alerting={"will_alert": True, "alert_recipients": ["a@b.example", "@c"], "threshold": 80},
        expires_at="2020-01-01",
        exclude_cost_center_usage=True,
        on_existing="merge",
        colour="red",
    )
    assert [field for field, _ in found] == [
        "colour",
        "budget_amount",
        "budget_alerting",
        "enterprise",
        "budget_type",
        "user",
        "budget_entity_name",
        "budget_product_sku",
        "prevent_further_usage",
        "on_existing",
        "expires_at",
        "exclude_cost_center_usage",
    ]


def test_each_recipient_is_validated() -> None:
    """Two invalid recipients are two problems of one input."""
    found = enterprise(budget_alerting={"will_alert": True, "alert_recipients": ["a@b.example", "octocat", "@c"]})
    assert [field for field, _ in found] == ["budget_alerting"] * 2


@pytest.mark.parametrize("name", ["enterprise", "budget_amount", "budget_product_sku", "budget_type", "budget_scope"])
@pytest.mark.parametrize("also", ["user", "budget_entity_name", "budget_product_sku"])
def test_unknown_inputs_are_not_validated(name: str, also: str) -> None:
    """An unknown input disables only the rules that need it."""
    fields: dict[str, Any] = {**ENTERPRISE, **USER, "budget_type": "BundlePricing"}
    unsure = frozenset({name, also})
    assert check(ENTERPRISE_OWNER, {key: value for key, value in fields.items() if key not in unsure}, unsure) == []


def test_an_entity_is_validated_without_its_owner() -> None:
    """While the owner is unknown, an entity is not compared with it."""
    for fields in ({"budget_entity_name": "whoever"}, {"budget_scope": "repository", "budget_entity_name": "who/ever"}):
        known = {**ORGANIZATION, **fields}
        del known["organization"]
        assert check(ORGANIZATION_OWNER, known, frozenset({"organization"})) == []


ALERTED = {"budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]}}


def unusual(changes: dict[str, Any]) -> list[str]:
    """Return the warnings about a budget of the enterprise."""
    fields, found = read_inputs(ENTERPRISE_OWNER, {**ENTERPRISE, **changes})
    assert found == []
    whole = complete(ENTERPRISE_OWNER, fields, NOBODY)
    return list(rules.warnings("the budget of tests", whole, alerting_given="budget_alerting" in fields))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"budget_product_sku": "premium_requests"}, "write ai_credits"),
        ({"budget_product_sku": "ghec_licenses", "prevent_further_usage": True}, "can only send alerts"),
        ({"budget_amount": 0, "prevent_further_usage": True}, "blocks all usage immediately, also included usage"),
        (
            {"budget_amount": 0, "prevent_further_usage": True, "budget_product_sku": "ai_credits"},
            "blocks all usage immediately, also credits that Copilot Business and Enterprise include",
        ),
        ({"budget_type": "SkuPricing"}, "as SkuPricing, GitHub's reference prices actions as ProductPricing"),
        ({}, "alerts nobody: set budget_alerting"),
        (
            {"budget_alerting": {"will_alert": True, "alert_recipients": []}},
            "alerts only GitHub's default recipients, the owners and billing managers: add alert_recipients",
        ),
    ],
)
def test_unusual_settings_give_a_warning(fields: dict[str, Any], words: str) -> None:
    """A setting that is allowed but probably not intended gives a warning."""
    told = {} if "alerts nobody" in words else ALERTED
    (found,) = unusual({**told, **fields})
    assert found.startswith("the budget of tests")
    assert words in found


@pytest.mark.parametrize(
    "fields",
    [ALERTED, {"budget_alerting": {"will_alert": False, "alert_recipients": []}}, {"budget_alerting": {}}, USER],
)
def test_a_usual_budget_gives_no_warning(fields: dict[str, Any]) -> None:
    """A budget with alerts, one whose alerts are turned off, and a budget of one user give no warning."""
    assert unusual(fields) == []


@pytest.mark.parametrize(
    ("sku", "kind", "known"),
    [
        ("ai_credits", "BundlePricing", True),
        ("premium_requests", "BundlePricing", True),
        ("actions", "ProductPricing", True),
        ("actions_linux_4_core", "SkuPricing", True),
        ("git_lfs", "ProductPricing", True),
        ("git_lfs_storage", "SkuPricing", True),
        ("copilot_ai_credit", "SkuPricing", True),
        ("coding_agent_ai_credit", "SkuPricing", True),
        ("code_quality_ai_credit", "SkuPricing", True),
        ("code_quality_licenses", "SkuPricing", True),
        ("actions_linux_16_core_arm", "SkuPricing", True),
        ("actions_windows_96_core", "SkuPricing", True),
        ("copilot_ai_credits", "SkuPricing", True),
        ("tomorrows_sku", "SkuPricing", False),
    ],
)
def test_the_pricing_type_is_derived_from_the_sku(sku: str, kind: str, known: bool) -> None:
    """Bundles and products have their own type; every other name is a SKU, listed or not."""
    assert (pricing_type(sku), known_sku(sku)) == (kind, known)


def test_each_listed_name_has_a_source_with_a_date() -> None:
    """Every bundle, product and SKU, and nothing else, has a source with a valid date."""
    assert set(SOURCES) == BUNDLES | PRODUCTS | SKUS
    for source in SOURCES.values():
        assert source.text
        assert date.fromisoformat(source.date).isoformat() == source.date


@pytest.mark.parametrize("sku", sorted(SOURCES))
def test_licenses_are_counted_by_one_rule(sku: str) -> None:
    """License SKUs and the products GHAS and GHEC are counted in licenses, whatever the case; all others are not."""
    named = sku in LICENSE_SKUS or "licenses" in sku or sku in {"ghas", "ghec"}
    assert counts_licenses(sku) == counts_licenses(sku.upper()) == named


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2027-01-31", True),
        ("2027-01-31T00:00:00Z", True),
        ("2027-01-31T00:00:00z", True),
        ("2027-01-31 00:00:00", True),
        ("2027-01-31T01:30:00+01:30", True),
        ("2027-01-31T00:00:00.000Z", True),
        ("2027-01-31T00:00:01Z", False),
    ],
)
def test_spellings_of_a_time(text: str, same: bool) -> None:
    """A date means midnight in UTC, and equivalent times are equal."""
    assert (instant(text) == datetime(2027, 1, 31, tzinfo=timezone.utc)) == same


@given(
    text=st.one_of(
        st.text(max_size=30), st.from_regex(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?([+-]\d\d:\d\d)?Z?", fullmatch=True)
    )
)
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    """Any text is parsed to a time in UTC, or is a ValueError."""
    try:
        moment = instant(text)
    except ValueError:
        return
    assert moment.utcoffset() == timedelta(0)


def test_times_outside_the_calendar_are_refused() -> None:
    """A time that UTC's calendar does not have is refused."""
    with pytest.raises(ValueError, match="0001-01-01"):
        instant("0001-01-01T00:00:00+23:59")


@given(text=st.text(max_size=80))
def test_logins_are_recognized(text: str) -> None:
    """A refused login is not repeated in the message; an accepted one has valid characters only."""
    reason = login_problem(text)
    if reason is None:
        assert all(character.isascii() and (character.isalnum() or character in "-_") for character in text)
    else:
        assert reason in {login_problem(other) for other in ("@", "a@", "")}
