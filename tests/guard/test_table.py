"""What a change of any kind does to a cap: told before, guarded at the write; in the real engine's order of calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.guard.world import RECIPIENTS, Declared, Run, World

if TYPE_CHECKING:
    from tests.guard.world import Github

E = "octo-enterprise"
MONA = {"will_alert": True, "alert_recipients": ["monalisa"]}
ACTIONS: dict[str, Any] = {
    "enterprise": E,
    "budget_product_sku": "actions",
    "budget_amount": 500,
    "prevent_further_usage": True,
    "budget_alerting": MONA,
}
PERSON: dict[str, Any] = {
    "enterprise": E,
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
    "budget_amount": 100,
}
LIMITS = {"maxIncreaseUsd": "1000", "maxIncreasePercent": "10"}
NOT_READ = ("429_secondary_bare", "503_before", "short_list")


def budget(inputs: dict[str, Any], **changes: Any) -> Declared:
    """Return a budget of the enterprise with some inputs changed."""
    return Declared("EnterpriseBudget", {**inputs, **changes})


def by_hand(world: World, declared: Declared, **changes: Any) -> str:
    """Make the declared budget by hand, with some fields changed, and return its id."""
    fields = {name: value for name, value in declared.inputs.items() if name not in ("enterprise", "on_existing")}
    bundle = fields["budget_product_sku"] == "ai_credits"
    kind = {"budget_type": "BundlePricing" if bundle else "ProductPricing"}
    always = {"prevent_further_usage": True} if fields.get("budget_scope") == "user" else {}
    return world.add("enterprise", E, **{**kind, **always, **fields, **changes})


def done(run: Run) -> Run:
    """Return a run that did not fail."""
    assert not run.failed, run.words
    return run


def text(run: Run) -> str:
    """Return all that a run said."""
    return "\n".join(run.said())


def methods(world: World) -> list[str]:
    """Return the methods of the writes of the last run."""
    return [sent.method for sent in world.sandbox.writes]


# 1. What an object is to this stack.


@pytest.mark.parametrize("way", ["replace_on_changes", "taint"])
def test_an_adopted_budget_stays_adopted_when_it_is_taken_again(world: World, way: str) -> None:
    """A forced replacement of an adopted budget takes the same budget again, and a destroy keeps it."""
    declared = replace(budget(ACTIONS), replace_on_changes=("budget_amount",))
    id_ = by_hand(world, declared)
    done(world.up({"b": declared}))
    changed = replace(declared, inputs={**ACTIONS, "budget_amount": 400})
    done(world.up({"b": changed}) if way == "replace_on_changes" else world.up({"b": declared}, replace={"b"}))
    outputs = world.entry("b").outputs
    assert (outputs["budget_id"], outputs["adopted"], outputs["kept_on_delete"]) == (id_, True, True)
    done(world.destroy())
    assert list(world.github.budgets()) == [id_]


def test_an_adopted_budget_that_expired_and_comes_back_stays_adopted(github: Github) -> None:
    """An adopted budget of a person that gets a new date after its expiry is still kept by a destroy."""
    world = World(github, ["expired_kept"])
    declared = budget(PERSON, expires_at="2026-10-01")
    id_ = by_hand(world, declared)
    done(world.up({"b": declared}))
    github.time.sleep(20 * 86_400)
    done(world.up({"b": budget(PERSON, expires_at="2027-10-01")}))
    outputs = world.entry("b").outputs
    assert (outputs["budget_id"], outputs["adopted"], outputs["kept_on_delete"]) == (id_, True, True)
    done(world.destroy())
    assert list(github.budgets()) == [id_]


def test_a_created_budget_stays_created_when_it_is_taken_again(world: World) -> None:
    """A forced replacement of a budget that this stack created leaves nothing behind after a destroy."""
    declared = replace(budget(ACTIONS), replace_on_changes=("budget_amount",))
    done(world.up({"b": declared}))
    done(world.up({"b": replace(declared, inputs={**ACTIONS, "budget_amount": 400})}))
    assert world.entry("b").outputs["adopted"] is False
    done(world.destroy())
    assert world.github.budgets() == {}


# 2. Targeted runs.


def renamed_and_targeted(world: World) -> str:
    """Rename a resource without an alias and bring up only the new name; return the id of the budget of both."""
    done(world.up({"a": budget(ACTIONS)}))
    done(world.up({"b": budget(ACTIONS)}, targets={"b"}))
    assert world.entry("a").id == world.entry("b").id
    return str(world.entry("a").outputs["budget_id"])


def test_a_targeted_run_keeps_what_an_untargeted_resource_declares(world: World) -> None:
    """The old entry of a renamed budget is removed by itself: the budget stays, with a warning that names it."""
    id_ = renamed_and_targeted(world)
    second = done(world.up({"b": budget(ACTIONS)}, targets={"a"}))
    assert methods(world) == []
    assert list(world.github.budgets()) == [id_]
    assert id_ in text(second)
    assert "kept" in text(second)


def test_a_targeted_destroy_names_the_cap_that_goes(world: World) -> None:
    """Where no program runs, the deletion of a budget that another entry holds names the cap."""
    renamed_and_targeted(world)
    run = world.destroy(targets={"a"})
    assert "$500 hard stop" in text(run)


# 3. Expiry.


def test_a_new_expiry_of_a_budget_in_the_state_is_told(world: World) -> None:
    """A date that lifts the cap of a person is told in the preview."""
    done(world.up({"b": budget(PERSON)}))
    run = done(world.preview({"b": budget(PERSON, expires_at="2099-03-31")}))
    assert "expires on 2099-03-31, which lifts the cap" in text(run)


@pytest.mark.parametrize("quirk", ["", "get_omits_expiry", "alerting_for_user_missing"])
def test_an_adoption_that_adds_an_expiry_is_not_as_it_is(github: Github, quirk: str) -> None:
    """An adoption that sends a date tells it, before and after; the default refuses it, with both values."""
    world = World(github, [quirk] if quirk else [])
    declared = budget(PERSON, expires_at="2099-03-31")
    by_hand(world, declared, expires_at=None)
    refused = world.preview({"b": declared})
    assert refused.failed
    assert "expires_at (none there, 2099-03-31 declared)" in text(refused)
    adopting = {"b": budget(PERSON, expires_at="2099-03-31", on_existing="adopt")}
    preview = done(world.preview(adopting))
    assert "expires on 2099-03-31, which lifts the cap" in text(preview)
    assert "as it is" not in text(preview)
    assert "as it is" not in text(done(world.up(adopting)))


def test_an_expiry_removed_by_hand_is_a_difference(world: World) -> None:
    """A refresh finds that the date is gone, and the next preview gives it back, with its word."""
    declared = {"b": budget(PERSON, expires_at="2099-03-31")}
    done(world.up(declared))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], expires_at=None)
    assert done(world.refresh()).steps == {"b": "drift"}
    preview = done(world.preview(declared))
    assert preview.steps == {"b": "update"}
    assert "expires on 2099-03-31, which lifts the cap" in text(preview)


# 4. Replacement.

MOVED = budget(
    ACTIONS,
    budget_scope="repository",
    budget_entity_name="octo-org/website",
    budget_amount=1000,
    prevent_further_usage=False,
    budget_alerting={"will_alert": False, "alert_recipients": []},
)


def test_a_replacement_tells_what_goes_and_what_comes(world: World) -> None:
    """The lost hard stop, the higher amount and the lost alerts of a replacement are told together."""
    done(world.up({"b": budget(ACTIONS)}))
    run = done(world.preview({"b": MOVED}))
    assert run.steps == {"b": "replace"}
    for words in ("replaces the $500 hard stop", "removes the hard stop", "$1,000", "alerts nobody any more"):
        assert words in text(run)


@pytest.mark.parametrize("limits", [{"maxIncreaseUsd": "400"}, {"maxIncreasePercent": "10"}])
@pytest.mark.parametrize("change", [{}, {"prevent_further_usage": True}], ids=["no stop", "higher"])
def test_a_replacement_is_limited_like_an_update(world: World, limits: dict[str, str], change: dict[str, Any]) -> None:
    """Preview and up refuse a replacement that takes the hard stop away or raises it above the limit."""
    done(world.up({"b": budget(ACTIONS)}))
    moved = {"b": budget(MOVED.inputs, **change)}
    preview = world.preview(moved, config=limits)
    assert preview.failed
    assert next(iter(limits)) in text(preview)
    assert world.up(moved, config=limits).failed
    assert methods(world) == []


def test_a_replacement_within_the_limits_goes_through(world: World) -> None:
    """A wider replacement with a small raise is allowed although its amount is above the limit of a new budget."""
    done(world.up({"b": budget(MOVED.inputs, budget_amount=500, prevent_further_usage=True)}))
    wider = {"b": budget(ACTIONS, budget_amount=505)}
    limits = {"maxIncreaseUsd": "10", "maxIncreasePercent": "10"}
    done(world.preview(wider, config=limits))
    done(world.up(wider, config=limits))
    (live,) = world.github.budgets().values()
    assert (live["budget_amount"], live["budget_scope"]) == (505, "enterprise")


SHRINKING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the enterprise to a repository": (
        ACTIONS,
        {"budget_scope": "repository", "budget_entity_name": "octo-org/website"},
    ),
    "another organization": (
        {**ACTIONS, "budget_scope": "organization", "budget_entity_name": "octo-org"},
        {"budget_entity_name": "octo-lab"},
    ),
    "another product": (ACTIONS, {"budget_product_sku": "packages"}),
    "everyone to a person": (
        {**PERSON, "budget_scope": "multi_user_customer", "user": None},
        {"budget_scope": "user", "user": "octocat"},
    ),
    "another person": (PERSON, {"user": "hubot"}),
    "a person to an enterprise": (PERSON, {"budget_scope": "enterprise", "user": None, "prevent_further_usage": True}),
}
"""Hard stops and what a replacement changes, so that part of their usage has no cap any more."""


@pytest.mark.parametrize("reads", ["true", "false"])
@pytest.mark.parametrize("kind", SHRINKING)
def test_a_replacement_that_leaves_usage_without_a_cap_is_refused(world: World, kind: str, reads: str) -> None:
    """With limits, a hard stop is not replaced by one that covers less, unless the limits are off for a run."""
    before, change = SHRINKING[kind]
    done(world.up({"b": budget(before)}))
    moved, config = {"b": budget(before, **change)}, {"maxIncreaseUsd": "1000", "previewReads": reads}
    preview = world.preview(moved, config=config)
    # Which cap remains for a person is not known without reads; the write finds out.
    assert preview.failed or (reads == "false" and before["budget_product_sku"] == "ai_credits")
    for run in (preview, world.up(moved, config=config)) if preview.failed else (world.up(moved, config=config),):
        assert "the new budget does not cover what the old one does: deletes the $" in text(run)
        assert "a raise without limit, above maxIncreaseUsd=1000" in text(run)
        assert run.failed
    assert methods(world) == []
    done(world.up(moved, config=config, env={"GITHUB_BILLING_MAX_INCREASE_USD": "off"}))
    assert len(world.github.budgets()) == 1


EVERYONE: dict[str, Any] = {**PERSON, "budget_scope": "multi_user_customer", "user": None}
MEMBERS: dict[str, Any] = {**EVERYONE, "budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"}


@pytest.mark.parametrize(
    ("amounts", "is_refused"),
    [
        ((200, 100, None), False),
        ((100, 105, None), False),
        ((100, 150, None), True),
        ((200, 100, 205), False),
        ((200, 100, 300), True),
        ((200, None, 50), True),
        ((200, None, None), True),
    ],
)
@pytest.mark.parametrize("way", ["delete", "replace"])
def test_the_end_of_a_persons_cap_is_compared_with_the_cap_of_every_user(
    world: World, amounts: tuple[int, int | None, int | None], is_refused: bool, way: str
) -> None:
    """Whose own budget goes has the cap of every user, or at most that of a cost center; without one, none.

    Who gets it instead is compared with the cap until then.
    """
    own, everyone, members = amounts
    is_refused = is_refused or (way == "replace" and own > max(everyone or 0, members or 0) + 10)
    others = {
        name: budget(inputs, budget_amount=amount)
        for name, inputs, amount in (("e", EVERYONE, everyone), ("m", MEMBERS, members))
        if amount is not None
    }
    done(world.up({**others, "b": budget(PERSON, budget_amount=own)}))
    later = others if way == "delete" else {**others, "b": budget(PERSON, budget_amount=own, user="hubot")}
    config = {"maxIncreaseUsd": "10"}
    preview = world.preview(later, config=config)
    run = world.up(later, config=config)
    assert run.failed == is_refused
    # The engine asks no provider about a delete in a preview.
    assert preview.failed == (is_refused and way == "replace")
    if is_refused:
        assert ("raises the amount by" if everyone else "a raise without limit") in text(run)
        assert len(world.github.budgets()) == len(others) + 1
    else:
        largest = max(everyone or 0, members or 0)
        where = "each user of octo-enterprise" if largest == everyone else "each user of cost center Platform"
        rest = f"without it, the person has at most the ${largest} hard stop on ai_credits of {where}"
        assert rest in text(run)
        assert way == "delete" or rest in text(preview)


def test_a_destroy_says_no_amount_that_another_resource_may_declare_as_secret(world: World) -> None:
    """A destroy runs no program, so it does not know which amounts of other resources are secret."""
    everyone = replace(budget(EVERYONE, budget_amount=7919), secret=("budget_amount",))
    done(world.up({"e": everyone, "b": budget(PERSON)}))
    assert "7,919" not in text(world.destroy())


def test_a_cap_that_may_be_of_each_member_counts_unless_the_run_knows_it(world: World) -> None:
    """Some accounts list a cap of each member as that of the cost center; a declared one is what it is declared as."""
    team = budget({**ACTIONS, "budget_product_sku": "ai_credits", "budget_scope": "cost_center"}, budget_amount=900)
    team = replace(team, inputs={**team.inputs, "budget_entity_name": "Platform"})
    program = {"e": budget(EVERYONE, budget_amount=50), "t": team, "b": budget(PERSON)}
    done(world.up(program))
    config = {"maxIncreaseUsd": "10"}
    entries = list(world.entries)
    # Another stack has the budget of the cost center.
    world.entries.remove(world.entry("t"))
    rest = {"e": program["e"]}
    refused = world.up(rest, config=config)
    assert refused.failed
    assert "raises the amount by $800" in text(refused)
    soon = {**rest, "b": budget(PERSON, expires_at="2099-03-31")}
    assert "without it" not in text(done(world.preview(soon)))
    world.entries[:] = entries
    done(world.up({**rest, "t": team}, config=config))
    assert len(world.github.budgets()) == 2


def test_an_expiry_tells_the_cap_that_remains(world: World) -> None:
    """Whose exception gets a date has the cap of every user afterwards; a secret amount of it stays unsaid."""
    everyone = replace(budget(EVERYONE, budget_amount=7919), secret=("budget_amount",))
    done(world.up({"e": everyone, "b": budget(PERSON)}))
    ends = {"e": everyone, "b": budget(PERSON, expires_at="2099-03-31")}
    run = done(world.preview(ends))
    assert "expires on 2099-03-31, which lifts the cap" in text(run)
    assert "without it, the person has at most the hard stop on ai_credits of each user" in text(run)
    assert "7,919" not in text(run)


def test_an_expired_declaration_takes_the_place_of_nothing(github: Github) -> None:
    """Where GitHub still has a budget whose date has passed, its deletion without a new one is told and limited."""
    world = World(github, ["expired_kept"])
    done(world.up({"b": budget(PERSON, expires_at="2026-10-01")}))
    github.time.sleep(20 * 86_400)
    other = {"b": budget(PERSON, user="hubot", expires_at="2026-10-02")}
    told = "deletes the $100 hard stop on ai_credits of octocat in octo-enterprise: the declared one has expired"
    assert told in text(done(world.preview(other)))
    limited = world.up(other, config=LIMITS)
    assert limited.failed
    assert "a raise without limit" in text(limited)
    assert methods(world) == []
    done(world.up(other))
    assert github.budgets() == {}


# 5. Limits hold at the write.


@pytest.mark.parametrize("fault", [*NOT_READ, "previewReads"])
def test_limits_hold_where_the_comparison_could_not_read(world: World, fault: str) -> None:
    """A create that adopts does not remove a hard stop when only the comparison of the check failed."""
    id_ = by_hand(world, budget(ACTIONS))
    if fault == "short_list":
        by_hand(world, budget(ACTIONS, budget_product_sku="packages"))
    loose = {"b": budget(ACTIONS, budget_amount=550, prevent_further_usage=False, on_existing="adopt")}
    off = {"previewReads": "false"} if fault == "previewReads" else {}
    times = 5 if fault == "503_before" else 2
    faults = () if off else ({"op": "list_budgets", "action": fault, "times": times},)
    run = world.up(loose, config={**LIMITS, **off}, faults=faults)
    assert run.failed
    assert "removes the hard stop" in text(run) or "exists already" in text(run) or "list the budgets" in text(run)
    assert methods(world) == []
    assert world.github.budgets()[id_]["prevent_further_usage"] is True


def test_limits_hold_for_an_update_whose_live_amount_is_lower(world: World) -> None:
    """An update compares with the live budget at the write, though the comparison of the check could not read."""
    done(world.up({"b": budget(ACTIONS, budget_amount=5000)}))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], budget_amount=100)
    run = world.up({"b": budget(ACTIONS, budget_amount=5100)}, config={**LIMITS, "previewReads": "false"})
    assert run.failed
    assert "maxIncreaseUsd" in text(run)
    assert methods(world) == []


# 6. Deletions.


def caps(count: int = 8) -> dict[str, Declared]:
    """Return a large hard stop and caps of people."""
    people = {f"p{number}": budget(PERSON, user=f"person-{number}") for number in range(count)}
    return {"all": budget(ACTIONS, budget_amount=90_000), **people}


def test_a_limit_refuses_the_deletion_of_a_hard_stop(world: World) -> None:
    """With a limit, an emptied program deletes no hard stop; the variable allows it for one run."""
    done(world.up(caps()))
    run = world.up({}, config={"maxIncreaseUsd": "1000"})
    assert run.failed
    assert methods(world) == []
    assert "$90,000 hard stop" in text(run)
    done(world.up({}, config={"maxIncreaseUsd": "1000"}, env={"GITHUB_BILLING_MAX_INCREASE_USD": "off"}))
    assert world.github.budgets() == {}


def test_max_deletes_stops_the_deletions_of_one_run(world: World) -> None:
    """After `maxDeletes` deletions, a run refuses the others."""
    done(world.up(caps()))
    run = world.up({}, config={"maxDeletes": "3"})
    assert run.failed
    assert methods(world) == ["DELETE"] * 3
    assert "maxDeletes" in text(run)


def test_each_delete_says_which_cap_goes(world: World) -> None:
    """Without a limit, each deletion names the cap."""
    done(world.up(caps()))
    run = done(world.up({"all": caps()["all"]}))
    assert len([words for words in run.said() if "$100 hard stop" in words]) == 8
    assert "$90,000 hard stop on actions" in text(done(world.destroy()))


# 7. Unknown inputs.


def test_what_is_known_is_compared_beside_an_unknown_recipient(world: World) -> None:
    """A higher amount and a hard stop that goes are told although a recipient is not known yet."""
    done(world.up({"b": budget(ACTIONS, budget_amount=100)}))
    loose = replace(budget(ACTIONS, budget_amount=90_000, prevent_further_usage=False), unknown=(RECIPIENTS,))
    run = done(world.preview({"b": loose}))
    assert "removes the hard stop" in text(run)
    assert "raises the amount from $100 to $90,000" in text(run)
    assert "alert" not in text(run)


# 8. The id is the identity.


def test_a_repository_listed_without_its_owner_is_compared_by_its_id(github: Github) -> None:
    """The old amount is the live one, although the listing does not tell whose repository it is."""
    world = World(github, ["bare_repository"])
    place = {"budget_scope": "repository", "budget_entity_name": "octo-org/website"}
    done(world.up({"b": budget(ACTIONS, **place)}))
    by_hand(world, budget(ACTIONS, **{**place, "budget_entity_name": "octo-lab/website"}))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], budget_amount=200)
    run = done(world.preview({"b": budget(ACTIONS, **place, budget_amount=800)}))
    assert "raises the most that can be spent by $600" in text(run)


def test_a_cost_center_budget_of_another_listed_scope_is_compared_by_its_id(github: Github) -> None:
    """The old amount is the live one, although the listing gives the budget another scope."""
    world = World(github, ["cost_center_scope_echo"])
    members = {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"}
    each = {**ACTIONS, **members, "budget_product_sku": "ai_credits"}
    done(world.up({"b": budget(each)}))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], budget_amount=200)
    run = done(world.preview({"b": budget(each, budget_amount=800)}))
    assert "raises the most that can be spent by $600" in text(run)


# 9. Secrets.


def test_no_figure_and_no_name_of_a_secret_input_is_said(world: World) -> None:
    """Old and new amounts, their difference and the recipients stay unsaid when they are secret."""
    secret = ("budget_amount", "budget_alerting")
    old = {"will_alert": True, "alert_recipients": ["zebra-login"]}
    first = replace(budget(ACTIONS, budget_amount=7919, budget_alerting=old), secret=secret)
    other = {"will_alert": True, "alert_recipients": ["okapi-login"]}
    second = replace(budget(ACTIONS, budget_amount=7017, budget_alerting=other), secret=secret)
    runs = [world.up({"b": first}), world.preview({"b": second}), world.up({"b": second}), world.destroy()]
    for run in runs:
        done(run)
        for hidden in ("7919", "7,919", "7017", "7,017", "902", "12.3", "11.4", "zebra", "okapi"):
            assert hidden not in text(run)
    assert "hard stop" in text(runs[-1])


def test_a_secret_name_stays_unsaid_when_its_budget_is_replaced_and_deleted(world: World) -> None:
    """What goes is told without a name that only the state calls secret."""
    person = replace(budget(PERSON, user="okapi-login"), secret=("user",))
    done(world.up({"b": person}))
    everyone = budget({**PERSON, "budget_scope": "multi_user_customer", "user": None}, budget_amount=50)
    for run in (world.preview({"b": everyone}), world.up({"b": everyone})):
        assert "replaces the $100 hard stop on ai_credits of [secret] in octo-enterprise" in text(done(run))
        assert "okapi" not in text(run)


def test_what_no_preview_has_read_is_told_at_the_write(world: World) -> None:
    """A forced replacement takes the budget again, and tells what the state did not know."""
    soft = replace(budget(ACTIONS, prevent_further_usage=False), replace_on_changes=("budget_amount",))
    done(world.up({"b": soft}))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], prevent_further_usage=True)
    changed = replace(soft, inputs={**soft.inputs, "budget_amount": 400})
    run = done(world.up({"b": changed}, config={"previewReads": "false"}))
    assert "removes the hard stop" in text(run)
    run = done(world.up({"b": replace(changed, inputs={**changed.inputs, "budget_amount": 300})}))
    assert text(run).count("lowers the amount from $400 to $300") == 1


def test_a_date_that_has_passed_is_refused_for_a_budget_that_github_still_has(world: World) -> None:
    """GitHub refuses it, so the preview does; the budget had an earlier date, which somebody removed."""
    done(world.up({"b": budget(PERSON, expires_at="2026-09-26")}))
    world.sandbox.edit_budget(world.entry("b").outputs["budget_id"], expires_at=None)
    world.github.time.sleep(40 * 86_400)
    run = world.preview({"b": budget(PERSON, expires_at="2026-10-11")})
    assert run.failed
    assert "expires_at 2026-10-11 has passed, and GitHub still has the budget: give a later date" in text(run)
    done(world.up({"b": budget(PERSON, expires_at="2027-10-11")}))


# 11. A budget that is gone.


def test_a_budget_deleted_on_github_is_told_as_gone_and_created_again(world: World) -> None:
    """A change of a budget that the listing does not have creates it again in the same run."""
    done(world.up({"b": budget(ACTIONS)}))
    world.sandbox.remove_budget(world.entry("b").outputs["budget_id"])
    lower = {"b": budget(ACTIONS, budget_amount=400)}
    preview = done(world.preview(lower))
    assert "gone" in text(preview) or "does not exist" in text(preview) or "deleted" in text(preview)
    assert "lowers" not in text(preview)
    done(world.up(lower))
    (live,) = world.github.budgets().values()
    assert live["budget_amount"] == 400
    assert world.entry("b").outputs["budget_id"] == live["id"]
    after = done(world.preview(lower))
    assert (after.steps, after.said()) == ({"b": "same"}, [])


# 14. Clocks.


def test_a_lower_cap_is_stored_only_if_it_was_sent(world: World) -> None:
    """What a machine with a fast clock did not send, the next preview of another machine shows."""
    done(world.up({"b": budget(PERSON, expires_at="2026-10-01")}))
    lower = {"b": budget(PERSON, expires_at="2026-10-01", budget_amount=40)}
    done(world.up(lower, ahead=20 * 86_400))
    (live,) = world.github.budgets().values()
    preview = done(world.preview(lower))
    assert live["budget_amount"] == 40 or preview.steps == {"b": "update"}
    done(world.up(lower))
    (live,) = world.github.budgets().values()
    assert live["budget_amount"] == 40
