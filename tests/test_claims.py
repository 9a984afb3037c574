"""Who holds which budget in a run."""

from __future__ import annotations

from billing_provider.claims import Claims
from billing_provider.identity import NaturalKey

KEY = NaturalKey("enterprise/octo-enterprise", "enterprise", "", "", "actions")
OTHER = KEY._replace(sku="packages")


def test_a_key_has_one_declarer() -> None:
    """The first resource keeps its claim, may repeat it, and every other is told its name."""
    claims = Claims()
    assert claims.declare("one", KEY) is None
    assert claims.declare("one", KEY) is None
    assert claims.declare("two", KEY) == "one"
    assert claims.declare("two", OTHER) is None


def test_a_held_budget_has_a_holder_until_it_is_made_anew() -> None:
    """A resource that starts anew no longer holds its old budget; what others hold stays, and so does the rest."""
    claims = Claims()
    claims.hold("one", "id-1")
    claims.hold("two", "id-2")
    assert [claims.holder("id-1"), claims.holder("id-2"), claims.holder("id-3")] == ["one", "two", None]
    claims.check("one", anew=False)
    assert claims.holder("id-1") == "one"
    claims.check("one", anew=True)
    assert [claims.holder("id-1"), claims.holder("id-2")] == [None, "two"]


def test_an_adopted_budget_stays_held() -> None:
    """What was taken over in this run outlives whatever was it before, even if its holder starts anew."""
    claims = Claims()
    claims.hold("old", "id-1")
    claims.adopt("new", "id-1")
    claims.check("old", anew=True)
    claims.check("new", anew=True)
    assert claims.holder("id-1") == "new"


def test_what_the_program_declares_is_known_once_it_is_checked() -> None:
    """A resource counts as declared from its check on, new or old."""
    claims = Claims()
    claims.check("one", anew=True)
    claims.check("two", anew=False)
    assert [claims.is_checked(urn) for urn in ("one", "two", "three")] == [True, True, False]
