"""Identity of budgets, and equivalence of values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.identity import (
    IDENTITY,
    IN_PLACE,
    Match,
    NaturalKey,
    differing,
    live_inputs,
    match,
    natural_key,
    same,
    unsure_scopes,
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


def key_of(owner: Owner, budget: BudgetSpec) -> NaturalKey:
    """Return the key of a declared budget."""
    return natural_key(owner, dict(budget))


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
def test_equivalent_budgets_have_the_same_key(owner: Owner, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Spelling, amount and the owner's own name do not change the key."""
    assert key_of(owner, spec(owner, **one)) == key_of(owner, spec(owner, **other))


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
def test_different_budgets_have_different_keys(other: dict[str, Any]) -> None:
    """Another SKU, scope, entity, user or owner changes the key."""
    assert key_of(BIG, spec(**other)) != key_of(BIG, spec())
    assert key_of(BIG, spec(**other)) != key_of(Owner(ENTERPRISE_OWNER, "other"), spec(**other))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "the actions budget of enterprise octo-enterprise, scope enterprise"),
        (
            {"budget_scope": "repository", "budget_entity_name": "octo-org/api"},
            "the actions budget of enterprise octo-enterprise, scope repository octo-org/api",
        ),
        (
            {"budget_scope": "user", "user": "Mona", "budget_product_sku": "ai_credits"},
            "the ai_credits budget of enterprise octo-enterprise, scope user Mona",
        ),
    ],
)
def test_text_of_a_key(fields: dict[str, Any], text: str) -> None:
    """The text of a key has the product, the owner, the scope and the entity."""
    assert str(key_of(BIG, spec(**fields))) == text


@pytest.mark.parametrize(
    ("owner", "declared", "stored", "names", "unsure", "expected"),
    [
        (BIG, {}, {}, [""], False, Match.YES),
        (BIG, {}, {"budget_entity_name": None}, [""], False, Match.YES),
        (BIG, {}, {"budget_product_sku": "packages"}, [""], False, Match.NO),
        (BIG, {}, {"budget_scope": "multi_user_customer"}, [""], False, Match.NO),
        # A person is told by login, in either field.
        (BIG, {"budget_scope": "user", "user": "Mona"}, {"budget_scope": "user", "user": "mona"}, [""],
         False, Match.YES),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "budget_entity_name": "MONA"}, [""],
         False, Match.YES),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "user": "hubot"}, [""],
         False, Match.NO),
        (BIG, {"budget_scope": "user", "user": "mona"}, {"budget_scope": "user", "budget_entity_name": None}, [""],
         False, Match.NO),
        # A cost center is told by its UUID or its name.
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": "Data"},
         [UUID, "Data"], False, Match.YES),
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": UUID.lower()},
         [UUID, "Data"], False, Match.YES),
        (BIG, {"budget_scope": "cost_center"}, {"budget_scope": "cost_center", "budget_entity_name": "data"},
         [UUID, "Data"], False, Match.MAYBE),
        # Some accounts list a per-member budget as a plain one of its cost center; it is always a hard stop.
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data", "prevent_further_usage": True}, ["Data"], True,
         Match.MAYBE),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data", "prevent_further_usage": True}, ["Data"], False,
         Match.NO),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data"}, ["Data"], False, Match.NO),
        (BIG, {"budget_scope": "cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Data", "prevent_further_usage": True}, ["Data"], True,
         Match.YES),
        (BIG, {"budget_scope": "multi_user_cost_center"},
         {"budget_scope": "cost_center", "budget_entity_name": "Other", "prevent_further_usage": True}, ["Data"], True,
         Match.NO),
        # A repository without its owner is surely ours in an organization, and perhaps in an enterprise.
        (ORG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "api"},
         ["octo-org/api"], False, Match.YES),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "api"},
         ["octo-org/API"], False, Match.MAYBE),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "web"},
         ["octo-org/api"], False, Match.NO),
        (BIG, {"budget_scope": "repository"}, {"budget_scope": "repository", "budget_entity_name": "octo-lab/api"},
         ["octo-org/api"], False, Match.NO),
    ],
)  # fmt: skip
def test_match_of_a_live_and_a_declared_budget(  # noqa: PLR0917 - a row of the table
    owner: Owner, declared: dict[str, Any], stored: dict[str, Any], names: list[str], unsure: bool, expected: Match
) -> None:
    """Every known spelling of GitHub matches; if fields are omitted, the match is uncertain."""
    found = match(owner, spec(owner, **declared), live(**stored), frozenset(names), scope_is_unsure=unsure)
    assert found is expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param([{}], {"b0"}, id="a hard stop of a cost center for AI credits"),
        pytest.param([{}, {"budget_scope": "multi_user_cost_center"}], set(), id="the listing has both scopes"),
        pytest.param([{"prevent_further_usage": False}], set(), id="no hard stop"),
        pytest.param([{"budget_product_sku": "actions"}], set(), id="not for a bundle"),
        pytest.param([{"budget_scope": "organization"}], set(), id="not of a cost center"),
    ],
)
def test_a_listing_that_may_hide_the_scope(listed: list[dict[str, Any]], expected: set[str]) -> None:
    """A budget of each member is a hard stop for a bundle; an account that lists its scope once lists it always."""
    plain = {"budget_scope": "cost_center", "budget_product_sku": "ai_credits", "prevent_further_usage": True}
    assert unsure_scopes(live(**{"id": f"b{at}", **plain, **fields}) for at, fields in enumerate(listed)) == expected


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
def test_equivalent_values_are_equal(field: str, one: Any, other: Any) -> None:
    """Equivalent values are equal in both directions and to themselves."""
    scope = {"budget_scope": "enterprise"}
    assert same(BIG, field, {**scope, field: one}, {**scope, field: other})
    assert same(BIG, field, {**scope, field: other}, {**scope, field: one})


@pytest.mark.parametrize(("field", "one", "other"), UNLIKE)
def test_other_values_differ(field: str, one: Any, other: Any) -> None:
    """Values of different meaning differ in both directions."""
    assert not same(BIG, field, {field: one}, {field: other})
    assert not same(BIG, field, {field: other}, {field: one})


@given(logins=st.lists(LOGINS, max_size=6), data=st.data())
def test_recipients_are_a_case_insensitive_set(logins: list[str], data: st.DataObject) -> None:
    """Order, case and duplicates of recipients do not matter."""
    shuffled = [login.swapcase() for login in data.draw(st.permutations(logins + logins[:2]))]
    one, other = (
        {"budget_alerting": {"will_alert": True, "alert_recipients": people}} for people in (logins, shuffled)
    )
    assert same(BIG, "budget_alerting", one, other)


@given(
    one=st.fixed_dictionaries({}, optional={field: st.sampled_from([a, b]) for field, a, b in ALIKE + UNLIKE}),
    other=st.fixed_dictionaries({}, optional={field: st.sampled_from([a, b]) for field, a, b in ALIKE + UNLIKE}),
)
def test_comparison_is_symmetric(one: dict[str, Any], other: dict[str, Any]) -> None:
    """No budget differs from itself, and the differing fields are the same in both directions."""
    fields = IDENTITY + IN_PLACE
    assert differing(BIG, one, one, fields) == []
    assert differing(BIG, one, other, fields) == differing(BIG, other, one, fields)


@given(scope=st.sampled_from(ENTERPRISE_OWNER.scopes), entity=LOGINS, user=LOGINS)
def test_keys_ignore_case(scope: str, entity: str, user: str) -> None:
    """Another case of logins, repositories and cost centers does not change a key."""
    where = f"{entity}/{entity}" if scope == "repository" else entity
    one, other = (
        key_of(BIG, spec(budget_scope=scope, budget_entity_name=turn(where), user=turn(user)))
        for turn in (str, str.swapcase)
    )
    assert one == other


def test_equivalent_live_values_keep_the_declared_spelling() -> None:
    """Equivalent live values keep their declared spelling, so nothing differs."""
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


def test_fields_of_other_scopes_are_ignored() -> None:
    """A per-member budget that is listed as `cost_center`, with fields of other scopes, is as declared."""
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


def test_changed_live_values_are_returned() -> None:
    """A field with another meaning is returned as GitHub stores it."""
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
def test_the_first_read_returns_live_values(owner: Owner, stored: dict[str, Any], expected: dict[str, Any]) -> None:
    """Without declared inputs, all values are GitHub's, without fields that the scope does not have."""
    inputs = live_inputs(owner, {}, live(**stored), frozenset())
    assert inputs[owner.kind.noun] == owner.slug
    assert {name: inputs[name] for name in expected} == expected
    assert ("budget_alerting" in inputs) == (stored.get("budget_scope") != "user")
    assert "exclude_cost_center_usage" not in inputs
