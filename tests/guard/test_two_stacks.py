"""What the preview of a second stack says of a budget or a cost center that the first one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guard.test_renames import APPS
from tests.guard.test_table import ACTIONS, budget, by_hand, done, text

if TYPE_CHECKING:
    from tests.guard.world import World

HOW = "another stack may manage it: search its id in `pulumi stack export --stack NAME`, for each of `pulumi stack ls`"


@pytest.mark.parametrize("policy", ["adopt_if_identical", "adopt", "error"])
def test_the_second_stack_says_that_another_one_may_have_the_budget(world: World, policy: str) -> None:
    """The policies that adopt say it once a run, the one that refuses says it in its error."""
    there = budget(ACTIONS, on_existing=policy)
    others = {"q": budget(ACTIONS, budget_product_sku="packages", on_existing=policy)}
    ids = [by_hand(world, each) for each in (there, *others.values())]
    world.entries.clear()
    run = world.preview({"b": there, **others})
    assert run.failed == (policy == "error")
    assert ids[0] in text(run)
    assert text(run).count(HOW) == 1
    assert f"t is not in this state under this name, so {HOW}" in text(run)


def test_a_budget_that_differs_is_refused_with_the_way_to_find_its_stack(world: World) -> None:
    """The default refuses a budget with other terms, and names the way to see who has it."""
    by_hand(world, budget(ACTIONS), budget_amount=7)
    run = world.preview({"b": budget(ACTIONS)})
    assert run.failed
    assert "remove one of the two. It is not in this state under this name, so another stack may" in text(run)


def test_a_cost_center_of_another_stack_is_told_like_a_budget(world: World) -> None:
    """A cost center that a stack adopts may be that of another one."""
    done(world.up({"c": APPS}))
    world.entries.clear()
    assert text(done(world.preview({"c": APPS}))).count(HOW) == 1
