"""When two budgets are one, and when two values mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.identity import (
    IDENTITY,
    IN_PLACE,
    Match,
    differing,
    live_inputs,
    match,
    natural_key,
    same,
)
from billing_provider.budgets.models import Budget, BudgetSpec, complete
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner

NOBODY: frozenset[str] = frozenset()
UUID = "0123ABCD-0123-4567-89ab-0123456789ab"
BIG = Owner(ENTERPRISE_OWNER, "octo-enterprise")
ORG = Owner(ORGANIZATION_OWNER, "octo-org")
LOGINS = st.text("abcXYZ019-", min_size=1, max_size=12)


def spec(owner: Owner = BIG, **fields: Any) -> BudgetSpec:
    """Return a declared budget that differs in these fields from a plain one."""
    plain = {owner.kind.noun: owner.slug, "budget_amount": 5, "budget_product_sku": "actions"}
    return BudgetSpec.model_validate(complete(owner.kind, {**plain, **fields}, NOBODY))


def live(**fields: Any) -> Budget:
    """Return a budget as GitHub stores it that differs in these fields from a plain one."""
    plain = {
        "id": "one",
        "budget_amount": 5,
        "budget_product_sku": "actions",
        "budget_type": "ProductPricing",
        "budget_scope": "enterprise",
        "budget_entity_name": "octo-enterprise",
        "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []},
    }
    return Budget.model_validate({**plain, **fields})


@pytest.mark.parametrize(
    ("owner", "one", "other"),
    [
        (BIG, {}, {"budget_entity_name": "OCTO-Enterprise"}),
        (BIG, {"budget_amount": 1}, {"budget_amount": 2, "prevent_further_usage": True}),
        (ORG, {}, {"budget_entity_name": "octo-org"}),
        (ORG, {"budget_scope": "repository", "budget_entity_name": "API"},
         {"budget_scope": "repository", "budget_entity_name": "octo-org/api"}),
        (BIG, {"budget_scope": "organization", "budget_entity_name": "Octo-Org"},
         {"budget_scope": "organization", "budget_entity_name": "octo-org"}),
        (BIG, {"budget_scope": "cost_center", "budget_entity_name": UUID},
         {"budget_scope": "cost_center", "budget_entity_name": UUID.lower()}),
        (BIG, {"budget_scope": "cost_center", "budget_entity_name": "Platform"},
         {"budget_scope": "cost_center", "budget_entity_name": "platform"}),
        (BIG, {"budget_scope": "user", "user": "OctoCat"}, {"budget_scope": "user", "user": "octocat"}),
        (BIG, {"budget_scope": "user", "user": "octocat"},
         {"budget_scope": "user", "user": "octocat", "budget_entity_name": "octocat"}),
        (BIG, {"budget_product_sku": "copilot_ai_credit"}, {"budget_product_sku": "copilot_ai_credits"}),
        (BIG, {"budget_product_sku": "premium_requests"}, {"budget_product_sku": "ai_credits"}),
    ],
)  # fmt: skip
def test_one_budget_has_one_key(owner: Owner, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Spelling, amount and the owner's own name make no other budget."""
    assert natural_key(owner, spec(owner, **one)) == natural_key(owner, spec(owner, **other))


@pytest.mark.parametrize(
    "other",
    [
        {"budget_product_sku": "packages"},
        {"budget_scope": "multi_user_customer", "budget_product_sku": "ai_credits"},
        {"budget_scope": "organization", "budget_entity_name": "octo-org"},
        {"budget_scope": "repository", "budget_entity_name": "octo-org/api"},
        {"budget_scope": "repository", "budget_entity_name": "octo-lab/api"},
        {"budget_scope": "cost_center", "budget_entity_name": "Platform"},
        {"budget_scope": "user", "user": "octocat"},
        {"budget_scope": "user", "user": "hubot"},
        {"budget_product_sku": "ai_credits"},
        {"budget_product_sku": "copilot_ai_credits"},
    ],
)
def test_two_budgets_have_two_keys(other: dict[str, Any]) -> None:
    """Another SKU, scope, entity or user is another budget, and so is the same one of another owner."""
    assert natural_key(BIG, spec(**other)) != natural_key(BIG, spec())
    assert natural_key(BIG, spec(**other)) != natural_key(Owner(ENTERPRISE_OWNER, "other"), spec(**other))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "the actions budget of enterprise/octo-enterprise, scope enterprise"),
        (
            {"budget_scope": "repository", "budget_entity_name": "octo-org/api"},
            "the actions budget of enterprise/octo-enterprise, scope repository octo-org/api",
        ),
        (
            {"budget_scope": "user", "user": "Mona", "budget_product_sku": "ai_credits"},
            "the ai_credits budget of enterprise/octo-enterprise, scope user mona",
        ),
    ],
)
def test_a_key_reads_as_a_sentence_part(fields: dict[str, Any], text: str) -> None:
    """Messages say product, owner, scope and what it covers."""
    assert str(natural_key(BIG, spec(**fields))) == text


@pytest.mark.parametrize(
    ("owner", "declared", "stored", "names", "listed", "expected"),
    [
        (BIG, {}, {}, [""], True, Match.YES),
        (BIG, {}, {"budget_entity_name": None}, [""], True, Match.YES),
        (BIG, {}, {"budget_product_sku": "packages"}, [""], True, Match.NO),
        (BIG, {}, {"budget_scope": "multi_user_customer"}, [""], True, Match.NO),
        # A person is told by login, in either field.
        (BIG, {"budget_scope": "user", "user": "Mona"}, {"budget_scope": "user", "user": "mona"}, [""],
         True, Match.YES),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "budget_entity_name": "MONA"}, [""],
         True, Match.YES),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "user": "hubot"}, [""],
         True, Match.NO),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "budget_entity_name": None}, [""],
         True, Match.NO),
        # A cost center is told by its UUID or its name.
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": "Data"},
         [UUID, "Data"], True, Match.YES),
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": UUID.lower()},
         [UUID, "Data"], True, Match.YES),
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": "data"},
         [UUID, "Data"], True, Match.MAYBE),
        # Some accounts list a per-member budget as a plain one of its cost center; it is always a hard stop.
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data", "prevent_further_usage": True}, ["Data"], False,
         Match.MAYBE),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data", "prevent_further_usage": True}, ["Data"], True,
         Match.NO),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data"}, ["Data"], False, Match.NO),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Other", "prevent_further_usage": True}, ["Data"], False,
         Match.NO),
        # A repository without its owner is surely ours in an organization, and perhaps in an enterprise.
        (ORG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "api"},
         ["octo-org/api"], True, Match.YES),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "api"},
         ["octo-org/API"], True, Match.MAYBE),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "web"},
         ["octo-org/api"], True, Match.NO),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "octo-lab/api"},
         ["octo-org/api"], True, Match.NO),
    ],
)  # fmt: skip
def test_a_live_budget_is_surely_perhaps_or_not_the_declared_one(  # noqa: PLR0917 - a row of the table
    owner: Owner, declared: dict[str, Any], stored: dict[str, Any], names: list[str], listed: bool, expected: Match
) -> None:
    """Every spelling that GitHub was seen to use is recognised, and what it leaves out makes it unsure."""
    found = match(owner, spec(owner, **declared), live(**stored), frozenset(names), lists_per_member_scope=listed)
    assert found is expected


ALIKE: list[tuple[str, Any, Any]] = [
    ("budget_amount", 500, 500.0),
    ("enterprise", "Octo", "octo"),
    ("user", "Mona", "mona"),
    ("user", None, ""),
    ("budget_product_sku", "copilot_ai_credit", "copilot_ai_credits"),
    ("budget_entity_name", "", "octo-enterprise"),
    ("expires_at", "2027-01-31", "2027-01-31T00:00:00Z"),
    ("expires_at", "never", "never"),
    ("expires_at", None, ""),
    ("exclude_cost_center_usage", None, False),
    ("budget_alerting", None, {"will_alert": False, "alert_recipients": []}),
    ("budget_alerting", {"will_alert": False, "alert_recipients": ["a"]}, None),
    (
        "budget_alerting",
        {"will_alert": True, "alert_recipients": ["Mona", "hubot"]},
        {"will_alert": True, "alert_recipients": ["HUBOT", "mona", "mona"]},
    ),
]
UNLIKE: list[tuple[str, Any, Any]] = [
    ("budget_amount", 500, 501),
    ("budget_amount", 0, None),
    ("prevent_further_usage", True, False),
    ("user", "mona", "hubot"),
    ("budget_type", "SkuPricing", "ProductPricing"),
    ("expires_at", "2027-01-31", None),
    ("expires_at", "2027-01-31", "2027-02-01"),
    ("expires_at", "2027-01-31", "end of cycle"),
    ("exclude_cost_center_usage", True, None),
    ("budget_alerting", {"will_alert": True, "alert_recipients": []}, None),
    (
        "budget_alerting",
        {"will_alert": True, "alert_recipients": ["mona"]},
        {"will_alert": True, "alert_recipients": ["mona", "hubot"]},
    ),
]


@pytest.mark.parametrize(("field", "one", "other"), ALIKE)
def test_spellings_of_one_meaning_are_no_difference(field: str, one: Any, other: Any) -> None:
    """Equal both ways round, and equal to themselves."""
    scope = {"budget_scope": "enterprise"}
    assert same(BIG, field, {**scope, field: one}, {**scope, field: other})
    assert same(BIG, field, {**scope, field: other}, {**scope, field: one})


@pytest.mark.parametrize(("field", "one", "other"), UNLIKE)
def test_other_meanings_are_a_difference(field: str, one: Any, other: Any) -> None:
    """Different both ways round."""
    assert not same(BIG, field, {field: one}, {field: other})
    assert not same(BIG, field, {field: other}, {field: one})


@given(logins=st.lists(LOGINS, max_size=6), data=st.data())
def test_recipients_are_a_set_without_case(logins: list[str], data: st.DataObject) -> None:
    """In any order, any case and however often: the same people."""
    shuffled = [login.swapcase() for login in data.draw(st.permutations(logins + logins[:2]))]
    one, other = (
        {"budget_alerting": {"will_alert": True, "alert_recipients": people}} for people in (logins, shuffled)
    )
    assert same(BIG, "budget_alerting", one, other)


@given(
    one=st.fixed_dictionaries({}, optional={field: st.sampled_from([a, b]) for field, a, b in ALIKE + UNLIKE}),
    other=st.fixed_dictionaries({}, optional={field: st.sampled_from([a, b]) for field, a, b in ALIKE + UNLIKE}),
)
def test_a_difference_is_the_same_from_both_sides(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Nothing differs from itself, and whichever side is asked first, the same fields differ."""
    fields = IDENTITY + IN_PLACE
    assert differing(BIG, one, one, fields) == []
    assert differing(BIG, one, other, fields) == differing(BIG, other, one, fields)


@given(scope=st.sampled_from(ENTERPRISE_OWNER.scopes), entity=LOGINS, user=LOGINS)
def test_a_key_does_not_depend_on_case(scope: str, entity: str, user: str) -> None:
    """Swapping the case of logins, repositories and cost centers changes no key."""
    where = f"{entity}/{entity}" if scope == "repository" else entity
    one, other = (
        natural_key(BIG, spec(budget_scope=scope, budget_entity_name=turn(where), user=turn(user)))
        for turn in (str, str.swapcase)
    )
    assert one == other


def test_what_is_seen_keeps_the_declared_spelling() -> None:
    """Values that mean the same stay as the program writes them, so that nothing looks changed."""
    declared = complete(
        ENTERPRISE_OWNER,
        {
            "enterprise": "Octo-Enterprise",
            "budget_amount": 5,
            "budget_product_sku": "copilot_ai_credits",
            "budget_scope": "cost_center",
            "budget_entity_name": UUID,
            "budget_alerting": {"will_alert": True, "alert_recipients": ["Mona", "hubot"]},
        },
        NOBODY,
    )
    stored = live(
        budget_product_sku="copilot_ai_credit",
        budget_type="SkuPricing",
        budget_scope="cost_center",
        budget_entity_name="Data",
        budget_alerting={"will_alert": True, "alert_recipients": ["HUBOT", "mona"]},
    )
    assert live_inputs(BIG, declared, stored, frozenset({"Data"})) == declared
    other = live_inputs(BIG, declared, stored, frozenset({"Platform"}))
    assert differing(BIG, declared, other, IDENTITY) == ["budget_entity_name"]
    assert other["budget_entity_name"] == "Data"


def test_what_a_scope_does_not_have_is_not_seen() -> None:
    """A per-member budget that is listed as its cost center's, with fields of other scopes, is as declared."""
    fields = {"budget_amount": 5, "budget_product_sku": "ai_credits", "budget_scope": "multi_user_cost_center"}
    declared = complete(
        ENTERPRISE_OWNER, {**fields, "enterprise": "octo-enterprise", "budget_entity_name": "Data"}, NOBODY
    )
    stored = live(
        budget_product_sku="ai_credits",
        budget_type="BundlePricing",
        budget_scope="cost_center",
        budget_entity_name="Data",
        prevent_further_usage=True,
        exclude_cost_center_usage=True,
        user="mona",
    )
    assert live_inputs(BIG, declared, stored, frozenset({"Data"})) == declared


def test_what_is_seen_shows_what_changed() -> None:
    """A field that means something else is shown as it is on GitHub."""
    declared = complete(
        ENTERPRISE_OWNER,
        {"enterprise": "octo-enterprise", "budget_amount": 5, "budget_product_sku": "actions"},
        NOBODY,
    )
    stored = live(budget_amount=7, exclude_cost_center_usage=True)
    assert live_inputs(BIG, declared, stored, frozenset()) == {
        **declared,
        "budget_amount": 7,
        "exclude_cost_center_usage": True,
    }


@pytest.mark.parametrize(
    ("owner", "stored", "expected"),
    [
        (BIG, {}, {"budget_entity_name": ""}),
        (BIG, {"budget_scope": "cost_center", "budget_entity_name": "Data"}, {"budget_entity_name": "Data"}),
        (ORG, {"budget_scope": "repository", "budget_entity_name": "api"}, {"budget_entity_name": "api"}),
        (
            BIG,
            {"budget_scope": "user", "budget_entity_name": "mona", "prevent_further_usage": True},
            {"budget_entity_name": "", "user": "mona"},
        ),
    ],
)
def test_a_budget_read_for_the_first_time_is_seen_as_it_is(
    owner: Owner, stored: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Without a declaration every input is GitHub's, and what a scope does not have is left out."""
    inputs = live_inputs(owner, {}, live(**stored), frozenset())
    assert inputs[owner.kind.noun] == owner.slug
    assert {name: inputs[name] for name in expected} == expected
    assert ("budget_alerting" in inputs) == (stored.get("budget_scope") != "user")
    assert "exclude_cost_center_usage" not in inputs
