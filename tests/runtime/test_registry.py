"""Who holds which budget in a run."""

from __future__ import annotations

from billing_provider.budgets.identity import NaturalKey
from billing_provider.runtime.registry import ResourceRegistry

KEY = NaturalKey("enterprise/octo-enterprise", "enterprise", "", "", "actions")
OTHER = KEY._replace(sku="packages")


def test_a_key_has_one_declarer() -> None:
    """The first resource keeps its claim, may repeat it, and every other is told its name."""
    registry = ResourceRegistry()
    assert registry.declare("one", KEY) is None
    assert registry.declare("one", KEY) is None
    assert registry.declare("two", KEY) == "one"
    assert registry.declare("two", OTHER) is None


def test_a_held_budget_has_a_holder_until_it_is_made_anew() -> None:
    """A resource that starts anew no longer holds its old budget; what others hold stays, and so does the rest."""
    registry = ResourceRegistry()
    registry.hold("one", "id-1")
    registry.hold("two", "id-2")
    assert [registry.holder("id-1"), registry.holder("id-2"), registry.holder("id-3")] == ["one", "two", None]
    registry.check("one", anew=False)
    assert registry.holder("id-1") == "one"
    registry.check("one", anew=True)
    assert [registry.holder("id-1"), registry.holder("id-2")] == [None, "two"]


def test_an_adopted_budget_stays_held() -> None:
    """What was taken over in this run outlives whatever was it before, even if its holder starts anew."""
    registry = ResourceRegistry()
    registry.hold("old", "id-1")
    registry.adopt("new", "id-1")
    registry.check("old", anew=True)
    registry.check("new", anew=True)
    assert registry.holder("id-1") == "new"


def test_what_the_program_declares_is_known_once_it_is_checked() -> None:
    """A resource counts as declared from its check on, new or old."""
    registry = ResourceRegistry()
    registry.check("one", anew=True)
    registry.check("two", anew=False)
    assert [registry.is_checked(urn) for urn in ("one", "two", "three")] == [True, True, False]
