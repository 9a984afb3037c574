"""The words of a preview, read back: each word of the consequences is understood."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets import consequences, told
from billing_provider.budgets.consequences import UNCOVERED, UNKNOWN_PEOPLE, UNKNOWN_SPEND, Person, Spend, Terms

DAYS = st.sampled_from([None, "2027-01-31", "2027-06-30", "soon"])
LOGINS = st.none() | st.frozensets(st.sampled_from(["octocat", "hubot", "monalisa"]))
HIDDEN = st.frozensets(st.sampled_from(["budget_amount", "budget_alerting", "expires_at", "prevent_further_usage"]))
TERMS = st.builds(
    Terms,
    amount=st.sampled_from([0.0, 0.5, 10.0, 1000.0, 1234.56, 2e10]),
    hard=st.booleans(),
    alerts=LOGINS,
    expires_at=DAYS,
    excludes_cost_centers=st.booleans(),
    unit=st.sampled_from([consequences.DOLLARS, consequences.LICENSES]),
    only_alerts=st.booleans(),
    unknown=st.just(frozenset()) | HIDDEN,
    secret=st.just(frozenset()) | HIDDEN,
)


@given(TERMS, TERMS)
def test_every_loss_is_read_back_and_no_gain_is(old: Terms, new: Terms) -> None:
    """A text of a change tells a loss if there is one, in an adoption and a replacement too."""
    words = consequences.changes(old, new)
    losses = consequences.losses(old, new)
    text = "; ".join(words)
    for form in (text, f"{told.ADOPTS}x-1: {text}; a destroy keeps it (on_delete)", f"the replacement {text}"):
        assert told.read([form]).loses == bool(losses), form
    assert all(told.read([word]).loses for word in losses)
    assert not any(told.read([word]).loses for word in words[len(losses) :])


@given(TERMS, TERMS)
def test_a_raise_is_read_back(old: Terms, new: Terms) -> None:
    """The figure of a raise is that of the terms, as exact as the text; without a hard stop there is no limit."""
    raised = told.read(consequences.changes(old, new)).raised
    words = consequences.losses(old, new)
    if "removes the hard stop" in words:
        assert raised == math.inf
    elif any(word.startswith("raises ") for word in words):
        assert raised == pytest.approx(new.amount - old.amount, rel=0.01, abs=0.01)
    else:
        assert raised == 0


def test_who_stops_is_read_back() -> None:
    """Usage and people that stop at once are told; a day later this month, and what only may stop, are not."""
    hard = Terms(10, hard=True, alerts=None)
    seats = hard._replace(unit=consequences.LICENSES)
    spend = Spend(20, 3, 30, "actions of octo-org")
    for texts in (
        consequences.stops(hard._replace(amount=50), hard, spend),
        consequences.stops(seats._replace(amount=50), seats, spend),
        consequences.blocks(None, hard, [Person("octocat", 11)]),
        consequences.blocks(None, hard, [Person("octocat", 11), Person(None, 12)]),
    ):
        assert texts
        assert told.read(texts).stops, texts
    later = consequences.stops(hard._replace(amount=50), hard, Spend(5, 3, 30, "actions of octo-org"))
    assert later
    assert not told.read([*later, UNKNOWN_PEOPLE, UNKNOWN_SPEND, UNCOVERED]).stops


def test_what_is_not_known_is_read_back() -> None:
    """Texts that say that something is not known are told."""
    for text in (
        UNKNOWN_PEOPLE,
        UNKNOWN_SPEND,
        "not compared with GitHub: 500",
        f"{told.ADOPTS}x as it is, apart from what GitHub does not show: expires_at",
    ):
        assert told.read([text]).unknown
    assert told.read([UNCOVERED, "counts from 0: $5 used"]) == told.NOTHING_TOLD
