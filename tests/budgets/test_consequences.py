"""What a change of a budget means in dollars and people, in words, and which raises are refused."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.budgets.consequences import (
    UNCOVERED,
    Person,
    Spend,
    Terms,
    blocks,
    changes,
    covers,
    losses,
    new_meter,
    overcommitted,
    refused,
    stops,
)
from billing_provider.budgets.identity import live_inputs
from billing_provider.budgets.models import Budget, BudgetSpec
from billing_provider.core.limits import Limits
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.core.settings import Guards, read_guards

HARD = Terms(500, hard=True, alerts=frozenset({"mona"}))
SOFT = HARD._replace(hard=False)
NONE: frozenset[str] = frozenset()
FIVE = frozenset({"mona", "hubot", "octocat", "ada", "grace"})
SPEND = Spend(480, day=20, days=30, covers="Actions of octo-org")
LICENSES = HARD._replace(unit="licenses", amount=100)

amounts = st.one_of(
    st.integers(0, 2**31 - 1).map(float),
    st.floats(0, allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, 5.0, 50.0, 5e-324, 1.7976931348623157e308]),
)
logins = st.one_of(
    st.sampled_from(sorted(FIVE)), st.from_regex(r"[a-z0-9-]{1,39}", fullmatch=True), st.text(max_size=60)
)
expiries = st.one_of(
    st.none(),
    st.dates().map(lambda day: day.isoformat()),
    st.sampled_from(["2026-12-01T00:00:00Z", "2026-12-01", "soon", "\u202esoon"]),
)
terms = st.builds(
    Terms,
    amounts,
    hard=st.booleans(),
    alerts=st.one_of(st.none(), st.frozensets(logins, max_size=5)),
    expires_at=expiries,
    excludes_cost_centers=st.booleans(),
    unit=st.sampled_from(["$", "licenses"]),
    only_alerts=st.booleans(),
)
spends = st.builds(Spend, amounts, day=st.integers(1, 28), days=st.integers(28, 31), covers=st.text(max_size=300))
people = st.lists(st.builds(Person, st.one_of(st.none(), logins), amounts, st.one_of(st.none(), amounts)), max_size=6)
limits = st.builds(Limits, st.one_of(st.none(), amounts), st.one_of(st.none(), amounts))
maybe = st.one_of(st.none(), terms)


def loosens(old: Terms, new: Terms) -> bool:
    """Return whether a change is a loss of control: a higher amount, less coverage, no stop, or fewer alerts."""
    return bool(losses(old, new))


def is_a_line(text: str) -> bool:
    """Return whether a text can stand on the row of a resource."""
    return text.isprintable() and 0 < len(text) <= 200 and not text.endswith(".") and not text[0].isupper()


# --- terms


def test_terms_of_a_declared_and_of_a_live_budget_are_equal() -> None:
    """Both forms of the inputs give the same terms, whatever the case of the logins."""
    declared = {
        "enterprise": "octo",
        "budget_amount": 500,
        "budget_product_sku": "actions",
        "budget_type": "ProductPricing",
        "budget_scope": "enterprise",
        "prevent_further_usage": True,
        "budget_alerting": {"will_alert": True, "alert_recipients": ["Mona", "hubot"]},
        "exclude_cost_center_usage": True,
    }
    live = Budget.model_validate({**declared, "id": "b1", "budget_amount": 500.0, "budget_entity_name": "octo"})
    expected = Terms(500, hard=True, alerts=frozenset({"mona", "hubot"}), excludes_cost_centers=True)
    assert Terms.of(BudgetSpec.model_validate(declared).model_dump()) == expected
    assert Terms.of(live_inputs(Owner(ENTERPRISE_OWNER, "octo"), {}, live, NONE)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Terms(7, hard=False, alerts=None)),
        (
            {"prevent_further_usage": None, "budget_alerting": None, "expires_at": None},
            Terms(7, hard=False, alerts=None),
        ),
        ({"budget_alerting": {"will_alert": False, "alert_recipients": []}}, Terms(7, hard=False, alerts=None)),
        ({"budget_alerting": {"will_alert": True, "alert_recipients": []}}, Terms(7, hard=False, alerts=NONE)),
        ({"budget_scope": "multi_user_customer"}, Terms(7, hard=True, alerts=None)),
        ({"budget_scope": "user", "budget_alerting": {"will_alert": True}}, Terms(7, hard=True, alerts=None)),
        (
            {"budget_scope": "user", "expires_at": "2026-12-01"},
            Terms(7, hard=True, alerts=None, expires_at="2026-12-01"),
        ),
        ({"budget_product_sku": "GHAS_licenses"}, Terms(7, hard=False, alerts=None, unit="licenses")),
        ({"budget_product_sku": "ghec_licenses"}, Terms(7, hard=False, alerts=None, unit="licenses", only_alerts=True)),
        ({"budget_product_sku": "code_quality_licenses"}, Terms(7, hard=False, alerts=None, unit="licenses")),
        ({"budget_amount": 10**400}, Terms(1.7976931348623157e308, hard=False, alerts=None)),
        ({"budget_amount": -5}, Terms(0, hard=False, alerts=None)),
    ],
)
def test_terms_follow_from_the_inputs(fields: dict[str, Any], expected: Terms) -> None:
    """A missing input is absent; a budget per person is hard; one of one user has no alerts; licenses have a unit."""
    assert Terms.of({"budget_amount": 7, **fields}) == expected


def test_the_most_that_can_be_spent() -> None:
    """It is the amount of a hard stop, and unlimited for a soft budget and for licenses that are never stopped."""
    assert HARD.most == 500
    assert LICENSES.most == 100
    assert SOFT.most == LICENSES._replace(only_alerts=True).most == math.inf


# --- differences


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (HARD, HARD, []),
        (HARD, SOFT, ["removes the hard stop"]),
        (SOFT, HARD, ["adds a hard stop"]),
        (HARD, HARD._replace(amount=900), ["raises the most that can be spent by $400 (+80 %)"]),
        (HARD, HARD._replace(amount=400), ["lowers the most that can be spent by $100 (-20 %)"]),
        (HARD, HARD._replace(amount=501), ["raises the most that can be spent by $1 (+0.2 %)"]),
        (HARD, HARD._replace(amount=500.5), ["raises the most that can be spent by $0.50 (+0.1 %)"]),
        (HARD._replace(amount=0), HARD, ["raises the most that can be spent by $500"]),
        (
            HARD._replace(amount=1),
            HARD._replace(amount=10**8),
            ["raises the most that can be spent by $99,999,999 (+1e+10 %)"],
        ),
        (SOFT._replace(amount=5), SOFT._replace(amount=77), ["raises the amount from $5 to $77"]),
        (SOFT._replace(amount=77), SOFT._replace(amount=5), ["lowers the amount from $77 to $5"]),
        (SOFT, HARD._replace(amount=900), ["raises the amount from $500 to $900", "adds a hard stop"]),
        (HARD, SOFT._replace(amount=2e300), ["removes the hard stop", "raises the amount from $500 to $2e+300"]),
        (LICENSES, LICENSES._replace(amount=150), ["raises the most that can be used by 50 licenses (+50 %)"]),
        (
            LICENSES._replace(hard=False),
            LICENSES._replace(hard=False, amount=1),
            ["lowers the amount from 100 licenses to 1 license"],
        ),
        (HARD, LICENSES, ["changes the amount from $500 to 100 licenses"]),
        (LICENSES, LICENSES._replace(only_alerts=True), ["is for licenses that GitHub does not stop"]),
        (LICENSES._replace(only_alerts=True), LICENSES, ["is for usage that GitHub can stop"]),
        (HARD, HARD._replace(alerts=None), ["alerts nobody any more"]),
        (HARD, HARD._replace(alerts=NONE), ["no longer alerts mona"]),
        (
            HARD._replace(alerts=frozenset({"mona", "octocat"})),
            HARD._replace(alerts=NONE),
            ["no longer alerts mona and octocat"],
        ),
        (HARD._replace(alerts=FIVE), HARD._replace(alerts=NONE), ["no longer alerts ada, grace, hubot and 2 more"]),
        (
            HARD._replace(alerts=frozenset({"mona", "ada", "grace"})),
            HARD._replace(alerts=NONE),
            ["no longer alerts ada, grace and mona"],
        ),
        (HARD, HARD._replace(alerts=frozenset({"octocat"})), ["no longer alerts mona", "alerts octocat too"]),
        (HARD, HARD._replace(alerts=frozenset({"octocat", "mona"})), ["alerts octocat too"]),
        (HARD._replace(alerts=None), HARD, ["alerts mona"]),
        (HARD._replace(alerts=None), HARD._replace(alerts=NONE), ["alerts the default recipients of GitHub"]),
        (HARD, HARD._replace(expires_at="2026-12-01"), ["expires on 2026-12-01, which lifts the cap"]),
        (
            HARD._replace(expires_at="2027-01-01"),
            HARD._replace(expires_at="2026-12-01T00:00:00Z"),
            ["expires on 2026-12-01, which lifts the cap"],
        ),
        (
            HARD._replace(expires_at="2026-12-01"),
            HARD._replace(expires_at="2027-01-01"),
            ["expires later, on 2027-01-01"],
        ),
        (HARD._replace(expires_at="2026-12-01"), HARD._replace(expires_at="2026-12-01T00:00:00Z"), []),
        (HARD._replace(expires_at="2026-12-01"), HARD, ["no longer expires"]),
        (
            HARD._replace(expires_at="2026-12-01"),
            HARD._replace(expires_at="soon"),
            ["expires on soon, which lifts the cap"],
        ),
        (
            HARD._replace(expires_at="soon"),
            HARD._replace(expires_at="2026-12-01"),
            ["expires on 2026-12-01, which lifts the cap"],
        ),
        (HARD, HARD._replace(excludes_cost_centers=True), ["no longer covers cost centers"]),
        (HARD._replace(excludes_cost_centers=True), HARD, ["covers cost centers too"]),
        (
            HARD._replace(amount=77),
            Terms(5, hard=False, alerts=None),
            ["removes the hard stop", "alerts nobody any more", "lowers the amount from $77 to $5"],
        ),
    ],
)
def test_each_difference_has_its_words(old: Terms, new: Terms, words: list[str]) -> None:
    """Every difference is said once, losses first."""
    assert changes(old, new) == words


LOSSES = re.compile(
    r"removes the hard stop|raises the |changes the amount|alerts nobody|no longer (alerts|covers) "
    r"|expires on .* lifts the cap|is for licenses"
)


@given(old=terms, new=terms)
@example(old=HARD._replace(alerts=frozenset({"\n"})), new=HARD._replace(alerts=NONE))
def test_a_loosening_is_never_silent(old: Terms, new: Terms) -> None:
    """If the most that can be spent rises, or a stop, an alert or a recipient goes, the first words are of a loss."""
    fewer = old.alerts is not None and (new.alerts is None or not old.alerts <= new.alerts)
    found = changes(old, new)
    if new.most > old.most or (old.hard and not new.hard) or fewer:
        assert loosens(old, new)
    losses = [bool(LOSSES.match(text)) for text in found]
    assert losses == sorted(losses, reverse=True)
    assert any(losses) == loosens(old, new)


@given(one=terms, other=terms)
def test_only_equal_terms_have_no_differences(one: Terms, other: Terms) -> None:
    """Equal terms have none; amounts, stops and alerts that differ always have some."""
    assert changes(one, one) == []
    assert not loosens(one, one)
    if one[:3] != other[:3] or one[4:7] != other[4:7]:
        assert changes(one, other) != []


# --- stops of usage


@pytest.mark.parametrize(
    ("old", "new", "spend", "words"),
    [
        (
            HARD,
            HARD._replace(amount=400),
            SPEND,
            ["usage of Actions of octo-org stops at once: $480 are spent, the cap is $400"],
        ),
        (
            SOFT,
            HARD._replace(amount=480),
            SPEND,
            ["usage of Actions of octo-org stops at once: $480 are spent, the cap is $480"],
        ),
        (SOFT, HARD, SPEND, ["at today's pace the cap of $500 is reached on the 21st"]),
        (SOFT, HARD._replace(amount=720), SPEND, ["at today's pace the cap of $720 is reached on the 30th"]),
        (SOFT, HARD._replace(amount=721), SPEND, []),
        (SOFT, HARD, None, []),
        (
            HARD._replace(excludes_cost_centers=True),
            HARD._replace(amount=500),
            None,
            [],
        ),
        # A new budget counts from 0.
        (None, HARD._replace(amount=400), SPEND, []),
        (None, HARD._replace(amount=80), SPEND, ["at today's pace the cap of $80 is reached on the 24th"]),
        (
            None,
            HARD._replace(amount=0),
            SPEND,
            ["usage of Actions of octo-org stops at once: $480 are spent, the cap is $0"],
        ),
        (None, HARD, None, []),
        (None, SOFT, SPEND, []),
        (SOFT, HARD, Spend(0, 5, 30, "Actions"), []),
        # Licenses do not accumulate: those in use count in a new budget too, and they have no pace.
        (
            None,
            LICENSES._replace(amount=60),
            Spend(60, 20, 30, "GHAS of octo-org"),
            ["new use of GHAS of octo-org stops at once: 60 licenses are used, the cap is 60 licenses"],
        ),
        (None, LICENSES, Spend(60, 20, 30, "GHAS of octo-org"), []),
        (
            LICENSES,
            LICENSES._replace(amount=60),
            Spend(61, 20, 30, "GHAS of octo-org"),
            ["GitHub refuses a hard stop below use: GHAS of octo-org has 61 licenses, the cap is 60 licenses"],
        ),
        (LICENSES, LICENSES._replace(amount=60), Spend(59, 20, 30, "GHAS of octo-org"), []),
        # A change that only loosens stops nothing.
        (HARD, HARD._replace(amount=501), None, []),
        (HARD, SOFT, SPEND, []),
        (HARD, HARD._replace(alerts=None), SPEND, []),
    ],
)
def test_a_lower_cap_says_what_stops(old: Terms | None, new: Terms, spend: Spend | None, words: list[str]) -> None:
    """A hard stop that is new, lower or wider says what stops at once or on which day of this month."""
    assert stops(old, new, spend) == words


@pytest.mark.parametrize(
    ("day", "ordinal"),
    [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (22, "22nd"), (31, "31st")],
)
def test_days_are_written_as_people_say_them(day: int, ordinal: str) -> None:
    """The day on which the cap is reached is an ordinal number."""
    (text,) = stops(SOFT, HARD._replace(amount=day), Spend(1, 1, 31, "Actions"))
    assert text.endswith(f"on the {ordinal}")


@given(old=terms, new=terms, spend=spends)
def test_a_loosening_alone_stops_nothing(old: Terms, new: Terms, spend: Spend) -> None:
    """Without a lower limit or wider coverage nothing is said to stop."""
    if new.most >= old.most and new.excludes_cost_centers >= old.excludes_cost_centers:
        assert stops(old, new, spend) == stops(old, new, None) == []
        assert blocks(old, new, None) == []


# --- people

CAP = Terms(40, hard=True, alerts=None)
MONA, HUBOT, OCTOCAT = Person("mona", 90), Person("hubot", 70), Person("octocat", 55)


@pytest.mark.parametrize(
    ("old", "people", "words"),
    [
        (None, [Person("mona", 50)], ["stops mona at once: $50 are used, the cap is $40"]),
        (None, [Person(None, 50.5)], ["stops one person at once: $50.50 are used, the cap is $40"]),
        (None, [HUBOT, MONA], ["stops 2 people at once: they have used at least $40 this month (mona $90, hubot $70)"]),
        (
            None,
            [*[Person(f"p{number}", 41) for number in range(11)], OCTOCAT, MONA, HUBOT],
            [
                (
                    "stops 14 people at once: they have used at least $40 this month "
                    "(the three highest: mona $90, hubot $70, octocat $55)"
                )
            ],
        ),
        (
            None,
            [MONA, HUBOT, OCTOCAT],
            [("stops 3 people at once: they have used at least $40 this month (mona $90, hubot $70, octocat $55)")],
        ),
        (None, [Person("mona", 40)], ["stops mona at once: $40 are used, the cap is $40"]),
        (None, [Person("mona", 39.99)], []),
        (None, [], []),
        (None, None, []),
        # A person's own budget takes precedence.
        (None, [Person("mona", 90, cap=100)], []),
        # Whoever the old cap stopped is not counted again.
        (CAP._replace(amount=60), [MONA, HUBOT, OCTOCAT], ["stops octocat at once: $55 are used, the cap is $40"]),
        (CAP._replace(amount=60), [Person("mona", 60)], []),
        (CAP._replace(amount=30), [MONA], []),
        (CAP._replace(amount=30), None, []),
    ],
)
def test_a_cap_per_person_says_whom_it_stops(old: Terms | None, people: list[Person] | None, words: list[str]) -> None:
    """A new or lower cap names the people whom it stops at once, the highest first."""
    assert blocks(old, CAP, people) == words


# --- notes


def test_a_new_meter_names_what_is_not_in_it() -> None:
    """The figure is named if it is known."""
    assert new_meter(310) == "counts from 0: $310 used earlier this month are not included"
    assert new_meter(None) == "counts from 0: usage from earlier this month is not included"


def test_uncovered_usage_is_one_line() -> None:
    """The note about what the caps of persons do not cover fits on a row."""
    assert is_a_line(UNCOVERED)


@pytest.mark.parametrize(
    ("umbrella", "covered", "said"),
    [
        (HARD, [("organization", HARD), ("organization", HARD._replace(amount=300))], True),
        (HARD, [("organization", HARD), ("repository", HARD._replace(amount=300))], False),
        (HARD, [("organization", HARD), ("organization", SOFT)], False),
        (SOFT, [("organization", HARD), ("organization", HARD)], False),
        (HARD, [], False),
    ],
)
def test_an_umbrella_that_is_too_small(umbrella: Terms, covered: list[tuple[str, Terms]], said: bool) -> None:
    """The hard stops of the scope with the largest sum are compared with a hard stop that covers them."""
    text = "the enterprise budget allows $500, the budgets that it covers allow $800 in sum: they cannot all be used"
    assert overcommitted("the enterprise budget", umbrella, covered) == (text if said else None)


ENTERPRISE = {"enterprise": "octo", "budget_scope": "enterprise", "budget_product_sku": "ai_credits"}
ORG = {"enterprise": "Octo", "budget_scope": "organization", "budget_entity_name": "octo-org"}
OWN = {"organization": "octo-org", "budget_scope": "organization", "budget_entity_name": "octo-org"}
REPO = {"enterprise": "octo", "budget_scope": "repository", "budget_entity_name": "Octo-Org/api"}
BARE = {"organization": "octo-org", "budget_scope": "repository", "budget_entity_name": "api"}
CENTER = {"enterprise": "octo", "budget_scope": "cost_center", "budget_entity_name": "apps"}
PERSON = {"enterprise": "octo", "budget_scope": "user", "user": "mona"}
EVERYBODY = {"enterprise": "octo", "budget_scope": "multi_user_customer"}


@pytest.mark.parametrize(
    ("umbrella", "other", "expected"),
    [
        (ENTERPRISE, ORG, True),
        (ENTERPRISE, REPO, True),
        (ENTERPRISE, CENTER, True),
        ({**ENTERPRISE, "exclude_cost_center_usage": True}, CENTER, False),
        ({**ENTERPRISE, "exclude_cost_center_usage": True}, ORG, True),
        (ENTERPRISE, {**ORG, "budget_product_sku": "actions"}, False),
        (ENTERPRISE, {**ORG, "enterprise": "other"}, False),
        (ENTERPRISE, OWN, False),
        (ENTERPRISE, PERSON, False),
        (ENTERPRISE, EVERYBODY, False),
        (ENTERPRISE, ENTERPRISE, False),
        (ORG, REPO, True),
        (ORG, BARE, True),
        (OWN, BARE, True),
        ({**OWN, "budget_entity_name": ""}, BARE, True),
        (ORG, {**REPO, "budget_entity_name": "other/api"}, False),
        (ORG, {**REPO, "budget_entity_name": "api"}, False),
        (ORG, CENTER, False),
        ({**CENTER, "budget_entity_name": "octo-org"}, REPO, False),
        (ORG, {**CENTER, "budget_entity_name": "octo-org/api"}, False),
        (EVERYBODY, PERSON, False),
    ],
)
def test_which_budgets_cover_which(umbrella: dict[str, Any], other: dict[str, Any], expected: bool) -> None:
    """Enterprise and organization budgets cover those inside them of the same SKU, in any of its spellings."""
    assert covers(
        {"budget_product_sku": "ai_credits", **umbrella}, {"budget_product_sku": "premium_requests", **other}
    ) is (expected)
    assert not covers({**umbrella, "budget_product_sku": None}, {**other, "budget_product_sku": None})


# --- refusals

USD, PERCENT, BOTH = Limits(usd=1000), Limits(percent=50), Limits(usd=1000, percent=50)
SLIP = SOFT._replace(amount=5000), SOFT._replace(amount=50_000)


@pytest.mark.parametrize(
    ("old", "new", "limits", "text"),
    [
        (*SLIP, Limits(), None),
        (
            *SLIP,
            USD,
            (
                "raises the amount by $45,000 (+900 %), above maxIncreaseUsd=1000: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_USD=45000"
            ),
        ),
        (
            *SLIP,
            PERCENT,
            (
                "raises the amount by $45,000 (+900 %), above maxIncreasePercent=50: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_PERCENT=900"
            ),
        ),
        (
            *SLIP,
            BOTH,
            (
                "raises the amount by $45,000 (+900 %), above maxIncreaseUsd=1000: check it, or for one run: "
                "GITHUB_BILLING_MAX_INCREASE_USD=45000 GITHUB_BILLING_MAX_INCREASE_PERCENT=900"
            ),
        ),
        (HARD, HARD._replace(amount=1500), USD, None),
        (HARD, HARD._replace(amount=750), PERCENT, None),
        (
            HARD,
            HARD._replace(amount=751),
            PERCENT,
            (
                "raises the amount by $251 (+50.2 %), above maxIncreasePercent=50: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_PERCENT=51"
            ),
        ),
        (
            HARD,
            SOFT,
            USD,
            (
                "removes the hard stop, a raise without limit, above maxIncreaseUsd=1000: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_USD=off"
            ),
        ),
        (HARD, SOFT, Limits(), None),
        (
            None,
            SOFT._replace(amount=1001),
            USD,
            (
                "sets an amount of $1,001, above maxIncreaseUsd=1000: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_USD=1001"
            ),
        ),
        (None, SOFT._replace(amount=1000), USD, None),
        (None, SOFT._replace(amount=9999), PERCENT, None),
        (
            HARD._replace(amount=0),
            HARD._replace(amount=5),
            PERCENT,
            (
                "raises the amount by $5, above maxIncreasePercent=50"
                ": check it, or for one run: GITHUB_BILLING_MAX_INCREASE_PERCENT=off"
            ),
        ),
        (
            HARD._replace(amount=0),
            HARD._replace(amount=2_000_000),
            BOTH,
            (
                "raises the amount by $2,000,000, above maxIncreaseUsd=1000: check it, or for one run: "
                "GITHUB_BILLING_MAX_INCREASE_USD=off GITHUB_BILLING_MAX_INCREASE_PERCENT=off"
            ),
        ),
        (HARD._replace(amount=0), HARD._replace(amount=5), BOTH, None),
        (HARD._replace(amount=0), HARD._replace(amount=0), PERCENT, None),
        (
            LICENSES,
            LICENSES._replace(amount=2000),
            USD,
            (
                "raises the amount by 1,900 licenses (+1,900 %), above "
                "maxIncreaseUsd=1000: check it, or for one run: GITHUB_BILLING_MAX_INCREASE_USD=1900"
            ),
        ),
        (
            HARD,
            LICENSES._replace(amount=2000),
            BOTH,
            (
                "sets an amount of 2,000 licenses, above maxIncreaseUsd=1000: "
                "check it, or for one run: GITHUB_BILLING_MAX_INCREASE_USD=2000"
            ),
        ),
    ],
)
def test_an_accidental_raise_is_refused(old: Terms | None, new: Terms, limits: Limits, text: str | None) -> None:
    """A raise above a limit, a removed hard stop and a new budget above it are refused with the figure and the way."""
    assert refused(old, new, limits) == text


@given(old=terms, new=terms, limits=limits)
def test_a_tightening_is_never_refused(old: Terms, new: Terms, limits: Limits) -> None:
    """Only a loosening is refused."""
    if not loosens(old, new):
        assert refused(old, new, limits) is None


@given(old=maybe, new=terms, limits=limits)
@example(old=HARD._replace(amount=0), new=HARD._replace(amount=1e6), limits=Limits(0, 0))
def test_the_advised_variables_allow_the_change(old: Terms | None, new: Terms, limits: Limits) -> None:
    """With the variables that the refusal names, the same change passes."""
    text = refused(old, new, limits)
    if text is not None:
        environ = dict(re.findall(r"(\w+)=(\S+)", text))
        config = {"github-billing:maxIncreaseUsd": limits.usd, "github-billing:maxIncreasePercent": limits.percent}
        guards: Guards = read_guards(
            {key: repr(value) for key, value in config.items() if value is not None}.get, environ
        )
        assert refused(old, new, Limits(guards.max_increase_usd, guards.max_increase_percent)) is None


# --- all texts


@given(old=maybe, new=terms, spend=st.one_of(st.none(), spends), people=st.one_of(st.none(), people), limits=limits)
def test_every_text_is_one_short_line(
    old: Terms | None, new: Terms, spend: Spend | None, people: list[Person] | None, limits: Limits
) -> None:
    """Each text is printable, at most 200 characters long, and starts in lower case."""
    texts = [
        *(changes(old, new) if old else []),
        *stops(old, new, spend),
        *blocks(old, new, people),
        new_meter(new.amount),
        overcommitted("the budget", new, [("organization", old or new)] * 2),
        refused(old, new, limits),
    ]
    assert [text for text in texts if text is not None and not is_a_line(text)] == []


# --- what is not known, and what is secret


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            HARD._replace(unknown=frozenset({"expires_at"})),
            HARD._replace(expires_at="2099-03-31"),
            ["expires on 2099-03-31, which lifts the cap"],
        ),
        (
            HARD._replace(unknown=frozenset({"budget_alerting"}), alerts=None),
            HARD._replace(alerts=None),
            ["alerts nobody; GitHub's reply does not show whom it alerts now"],
        ),
        (
            HARD._replace(unknown=frozenset({"budget_alerting"}), alerts=None),
            HARD._replace(alerts=frozenset()),
            ["alerts only the default recipients of GitHub; GitHub's reply does not show whom it alerts now"],
        ),
        (
            HARD._replace(unknown=frozenset({"exclude_cost_center_usage"})),
            HARD._replace(excludes_cost_centers=True),
            ["does not cover cost centers"],
        ),
        (HARD, HARD._replace(amount=7919, unknown=frozenset({"budget_amount"})), []),
        (
            HARD,
            HARD._replace(amount=7919, secret=frozenset({"budget_amount"})),
            ["changes budget_amount, which is secret"],
        ),
        (HARD._replace(secret=frozenset({"budget_amount"})), HARD, []),
    ],
)
def test_what_is_not_known_or_secret_has_no_figure(old: Terms, new: Terms, words: list[str]) -> None:
    """What a reply leaves out may be lost and is told; an input not known yet says nothing; a secret shows no value."""
    assert changes(old, new) == words


def test_a_scope_that_is_not_known_hides_what_it_decides() -> None:
    """The scope decides the default of the hard stop and whether there are alerts."""
    terms = Terms.of({"budget_amount": 5, "budget_product_sku": "actions"}, frozenset({"budget_scope"}))
    assert terms.unknown == {"budget_scope", "prevent_further_usage", "budget_alerting"}


def test_a_stop_that_becomes_licenses_is_refused() -> None:
    """GitHub stops no licenses, so a hard stop that is declared for them is none."""
    licenses = HARD._replace(unit="licenses", only_alerts=True)
    assert refused(HARD, licenses, Limits(usd=10**9)) is not None
    assert refused(licenses, None, Limits(usd=0)) is None


def test_an_amount_keeps_its_unit_while_the_sku_is_not_known() -> None:
    """The unit depends on the SKU: an unchanged amount of licenses is no amount of dollars."""
    unknown = frozenset({"budget_product_sku"})
    new = HARD._replace(amount=100, unknown=unknown)
    assert changes(LICENSES, new) == []
    assert refused(LICENSES, new, Limits(usd=0, percent=0)) is None
    raised = refused(LICENSES, new._replace(amount=150), Limits(usd=0))
    assert raised is not None
    assert raised.startswith("raises the amount by 50 licenses (+50 %)")
