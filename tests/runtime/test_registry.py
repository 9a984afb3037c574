"""The registry of resources and the budgets that they hold."""

from __future__ import annotations

from billing_provider.budgets.identity import NaturalKey
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.runtime.registry import ResourceRegistry

OWNER = Owner(ENTERPRISE_OWNER, "octo-enterprise")
KEY = NaturalKey("enterprise/octo-enterprise", "enterprise", "", "", "actions", (OWNER, "")).parts
OTHER = (*KEY[:-1], "packages")


def test_a_key_is_declared_by_one_resource() -> None:
    """The first resource may declare its key again; every other resource gets the URN of the first."""
    registry = ResourceRegistry()
    assert registry.declare("one", KEY) is None
    assert registry.declare("one", KEY) is None
    assert registry.declare("two", KEY) == "one"
    assert registry.declare("two", OTHER) is None


def test_a_replaced_resource_releases_its_budget() -> None:
    """A resource that is created again no longer holds its old budget; other holders are not changed."""
    registry = ResourceRegistry()
    registry.hold("one", "id-1")
    registry.hold("two", "id-2")
    assert [registry.holder("id-1"), registry.holder("id-2"), registry.holder("id-3")] == ["one", "two", None]
    registry.check("one", anew=False)
    assert registry.holder("id-1") == "one"
    registry.check("one", anew=True)
    assert [registry.holder("id-1"), registry.holder("id-2")] == [None, "two"]


def test_an_adopted_budget_stays_held() -> None:
    """An adopted budget stays held for the run, even if its holder is created again."""
    registry = ResourceRegistry()
    registry.hold("old", "id-1")
    registry.adopt("new", "id-1")
    registry.check("old", anew=True)
    registry.check("new", anew=True)
    assert registry.holder("id-1") == "new"


def test_a_checked_resource_is_declared() -> None:
    """A resource counts as declared after its check, new or existing."""
    registry = ResourceRegistry()
    registry.check("one", anew=True)
    registry.check("two", anew=False)
    assert [registry.is_checked(urn) for urn in ("one", "two", "three")] == [True, True, False]


def test_the_budgets_of_a_replaced_resource_are_known() -> None:
    """A resource knows the ids that it replaces, also after it is checked anew; other resources do not."""
    registry = ResourceRegistry()
    assert registry.replaced("one") == frozenset()
    registry.replace("one", "id-1")
    registry.replace("one", "id-2")
    registry.check("one", anew=True)
    assert registry.replaced("one") == {"id-1", "id-2"}
    assert registry.replaced("two") == frozenset()
    assert registry.holder("id-1") is None
