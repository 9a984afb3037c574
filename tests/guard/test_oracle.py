"""The oracle of the guard tests finds what is wrong, and nothing else, in runs that are written down here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.guard.oracle import Memory, judge
from tests.guard.world import Declared, Effect, Options, Run, Word
from tests.support.plugin import urn_of

URN = urn_of("EnterpriseBudget", "b")
ID = "b-1"
BEFORE: dict[str, Any] = {
    "id": ID,
    "owner_kind": "enterprise",
    "owner": "octo-enterprise",
    "budget_scope": "enterprise",
    "budget_entity_name": "octo-enterprise",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
    "budget_amount": 500,
    "prevent_further_usage": True,
    "budget_alerting": {"will_alert": True, "alert_recipients": ["monalisa"]},
    "user": None,
    "expires_at": None,
}
CENTER: dict[str, Any] = {
    "id": "c-1",
    "name": "Platform",
    "state": "active",
    "resources": [{"type": "User", "name": "monalisa"}],
}
DECLARED = Declared("EnterpriseBudget", {"enterprise": "octo-enterprise", "budget_amount": 500})
NOBODY = {"will_alert": False, "alert_recipients": []}
OFF = ("GITHUB_BILLING_MAX_INCREASE_USD", "GITHUB_BILLING_MAX_INCREASE_PERCENT")
LIMITS = {"maxIncreaseUsd": "100", "maxIncreasePercent": "10"}


def run_of(
    *texts: str, step: str = "update", after: dict[str, Any] | None = None, deleted: bool = False, **more: Any
) -> Run:
    """Return an `up` that changes the budget and says something about it."""
    later = None if deleted else {**BEFORE, **(after or {})}
    call = {"create": "Create", "update": "Update"}.get(step, "Delete")
    run = Run("up", {"b": DECLARED}, Options(), [Word(URN, text, "warning") for text in texts], steps={"b": step})
    run.effects = [Effect(call, URN, "budget", ID, BEFORE, later)] if later != BEFORE else []
    run.budgets, run.later = {ID: BEFORE}, {} if later is None else {ID: later}
    run.held, run.holds = {URN: ID}, {} if later is None else {URN: ID}
    run.program = {} if step == "delete" else run.program
    return replace(run, **more)


def preview_of(run: Run, *texts: str, **more: Any) -> Run:
    """Return the clean preview right before a run."""
    words = [Word(URN, text, "warning") for text in texts]
    seen = replace(run, verb="preview", words=words, effects=[], later=run.budgets, holds=run.held, failed=False)
    return replace(seen, **more)


def kinds(run: Run, *before: Run, by_hand: bool = False, memory: Memory | None = None) -> set[str]:
    """Return the kinds of what is wrong."""
    found = judge(run, before, {ID} if by_hand else set(), memory or Memory(), ())
    return {finding.kind for finding in found}


SAID: dict[str, tuple[dict[str, Any] | None, str]] = {
    "a rise by update": ({"budget_amount": 900}, "raises the most that can be spent by $400 (+80 %)"),
    "a hard stop by update": ({"prevent_further_usage": False}, "removes the hard stop"),
    "an expiry by update": ({"expires_at": "2027-01-31"}, "expires on 2027-01-31, which lifts the cap"),
    "alerts by update": ({"budget_alerting": NOBODY}, "alerts nobody any more"),
    "a deletion by delete": (None, "deletes the $500 hard stop on actions of octo-enterprise"),
}


@pytest.mark.parametrize("what", SAID)
def test_a_loss_must_be_said_with_its_figure(what: str) -> None:
    """A loss without a word, or with another figure, is silent; one that only the run tells is late."""
    after, text = SAID[what]
    made: dict[str, Any] = {"after": after, "deleted": after is None, "step": "delete" if after is None else "update"}
    assert f"silent: {what}" in kinds(run_of(**made))
    assert f"silent: {what}" in kinds(run_of("lowers the amount from $7,500 to $5,000", **made))
    assert kinds(run_of(text, **made)) == set()
    told = run_of(text, **made)
    assert kinds(told, preview_of(told)) == (set() if after is None else {f"late: {what}"})
    assert kinds(run_of(**made), preview_of(run_of(**made), text)) == set()


def test_only_a_clean_preview_of_the_same_program_counts() -> None:
    """Words of a preview with a fault, or before a change by hand, do not stand for those of the run."""
    silent = run_of(after={"budget_amount": 900})
    text = SAID["a rise by update"][1]
    unlike: tuple[dict[str, Any], ...] = ({"faulty": True}, {"failed": True}, {"later": {}}, {"program": {}})
    for more in unlike:
        assert kinds(silent, preview_of(silent, text, **more)) == {"silent: a rise by update"}


def test_a_replacement_must_say_what_goes() -> None:
    """The old hard stop has its figure, and what the new budget lacks is a loss."""
    new = {**BEFORE, "id": "b-2", "budget_amount": 900, "prevent_further_usage": False, "budget_alerting": NOBODY}
    run = run_of(step="replace", deleted=True, later={"b-2": new}, holds={URN: "b-2"})
    wanted = {f"silent: {what} by replace" for what in ("a replacement", "a rise", "a hard stop", "alerts")}
    assert kinds(run) == wanted
    words = "replaces the $500 hard stop by a $900 budget that only alerts; alerts nobody any more"
    assert kinds(replace(run, words=[Word(URN, words, "warning")])) == set()


@pytest.mark.parametrize(
    ("after", "text", "what"),
    [
        ({"budget_amount": 400}, "raises the amount from $500 to $400", "raises by update"),
        ({"budget_amount": 900}, "raises the most that can be spent by $300; $900", "raises by update"),
        ({"budget_amount": 400}, "lowers the amount from $600 to $400", "lowers by update"),
        ({"budget_amount": 400}, "removes the hard stop", "removes the hard stop by update"),
        ({"budget_amount": 400}, "adds a hard stop", "adds a hard stop by update"),
        ({"budget_amount": 400}, "expires on 2027-01-31", "expires by update"),
        ({"expires_at": "2027-01-31"}, "no longer expires, expires on 2027-01-31", "no longer expires by update"),
        ({"budget_amount": 400}, "alerts nobody any more", "alerts nobody by update"),
    ],
)
def test_a_word_that_is_not_true_is_found(after: dict[str, Any], text: str, what: str) -> None:
    """What a text says of a change is compared with GitHub."""
    assert kinds(run_of(text, after=after)) == {f"false: {what}"}
    assert kinds(run_of(text, after=after, faulty=True)) == set()


def test_an_adoption_as_it_is_changes_nothing() -> None:
    """`as it is` before a write of the same create is false."""
    text = "adopted the existing budget b-1 as it is"
    assert kinds(run_of(text, step="create", after={"budget_amount": 400})) == {"false: adopted as it is"}
    assert kinds(run_of(text, step="create")) == set()


def test_a_budget_that_was_kept_is_not_deleted() -> None:
    """A word that a budget is kept, and its deletion, do not go together."""
    assert "false: kept, and deleted by delete" in kinds(run_of("kept budget b-1", step="delete", deleted=True))


def test_writes_past_a_limit_are_found() -> None:
    """A rise, a hard stop that goes, a new budget and a deletion are measured, unless a variable allows them."""
    limited, allowed = Options(config=LIMITS), Options(config=LIMITS, env=dict.fromkeys(OFF, "off"))
    for what, (after, text) in SAID.items():
        made: dict[str, Any] = {
            "after": after,
            "deleted": after is None,
            "step": "delete" if after is None else "update",
        }
        found = kinds(run_of(text, **made, options=limited))
        wanted = {"a rise by update": "limit: a rise", "a hard stop by update": "limit: no hard stop"}
        wanted["a deletion by delete"] = "limit: a hard stop deleted"
        assert found == ({wanted[what]} if what in wanted else set())
        assert kinds(run_of(text, **made, options=allowed)) == set()
    small = run_of("raises the amount from $500 to $540", after={"budget_amount": 540}, options=limited)
    assert kinds(small) == set()
    new = run_of(step="create", after={"budget_amount": 500}, options=limited, budgets={}, held={})
    new.effects = [Effect("Create", URN, "budget", ID, None, BEFORE)]
    assert kinds(new) == {"limit: a new budget"}


REPOSITORY = {"budget_scope": "repository", "budget_entity_name": "octo-org/api"}
ORGANIZATION = {"budget_scope": "organization", "budget_entity_name": "octo-org"}
CREDITS = {"budget_product_sku": "ai_credits", "budget_entity_name": ""}
PERSON = {**CREDITS, "budget_scope": "user", "user": "octocat"}
EVERYONE = {**CREDITS, "budget_scope": "multi_user_customer"}


@pytest.mark.parametrize(
    ("old", "new", "is_found"),
    [
        ({}, REPOSITORY, True),
        (REPOSITORY, {}, False),
        (REPOSITORY, ORGANIZATION, False),
        (ORGANIZATION, REPOSITORY, True),
        ({"budget_scope": "cost_center"}, {}, False),
        ({"budget_scope": "cost_center"}, {"exclude_cost_center_usage": True}, True),
        ({}, {"budget_product_sku": "packages"}, True),
        (PERSON, {**PERSON, "user": "hubot"}, True),
        (PERSON, EVERYONE, False),
        (EVERYONE, PERSON, True),
    ],
)
def test_a_hard_stop_that_moves_to_less_usage_is_found(
    old: dict[str, Any], new: dict[str, Any], is_found: bool
) -> None:
    """With limits, a replacement must cover all that the old budget did."""
    before, after = {**BEFORE, **old}, {**BEFORE, **new, "id": "b-2"}
    run = run_of("replaces the $500 hard stop", step="replace", options=Options(config=LIMITS))
    run.effects = [
        Effect("Create", URN, "budget", "b-2", None, after),
        Effect("Delete", URN, "budget", ID, before, None),
    ]
    run = replace(run, budgets={ID: before}, later={"b-2": after}, holds={URN: "b-2"})
    assert ("limit: a hard stop moved" in kinds(run)) == is_found


@pytest.mark.parametrize(("amounts", "is_found"), [([400], False), ([550], False), ([601], True), ([400, 601], True)])
def test_the_cap_of_every_user_remains_for_a_person(amounts: list[int], is_found: bool) -> None:
    """The end of a person's cap is a rise to the largest cap that remains, if there is one of every user."""
    before = {**BEFORE, **PERSON}
    others = {
        f"o-{at}": {**BEFORE, **EVERYONE, "id": f"o-{at}", "budget_amount": amount} for at, amount in enumerate(amounts)
    }
    run = run_of("deletes the $500 hard stop", step="delete", options=Options(config={"maxIncreaseUsd": "100"}))
    run.effects = [Effect("Delete", URN, "budget", ID, before, None)]
    run = replace(run, budgets={ID: before, **others}, later=others, holds={})
    assert ("limit: a hard stop deleted" in kinds(run)) == is_found


def test_deletions_past_their_number_are_found() -> None:
    """The deletions of a run are counted."""
    most = run_of(
        SAID["a deletion by delete"][1], step="delete", deleted=True, options=Options(config={"maxDeletes": "0"})
    )
    assert kinds(most) == {"limit: deletions"}


def test_what_was_made_by_hand_is_not_deleted() -> None:
    """A deletion of a budget made by hand is found, unless a program said `on_delete="delete"` for it."""
    gone = run_of("deletes the $500 hard stop", step="delete", deleted=True)
    assert kinds(gone, by_hand=True) == {"by hand: deleted by delete"}
    assert kinds(gone, by_hand=True, memory=Memory(may_delete={URN})) == set()


def test_what_the_program_declares_is_not_deleted() -> None:
    """A deletion of a budget that another resource of the program holds is found."""
    run = run_of("deletes the $500 hard stop", step="delete", deleted=True)
    other = urn_of("EnterpriseBudget", "a")
    shared = replace(run, program={"a": DECLARED}, held={URN: ID, other: ID}, holds={other: ID})
    assert kinds(shared) == {"declared: deleted by delete"}


def test_a_clean_preview_is_followed_by_a_run_that_works() -> None:
    """A failure right after a clean preview is found, except for the limits of deletions."""
    failed = run_of(failed=True)
    failed.words = [Word(URN, "update budget b-1: GitHub returned 404: Not Found", "error")]
    assert kinds(failed, preview_of(failed)) == {"surprise: returned 404"}
    assert kinds(failed, preview_of(failed, faulty=True)) == set()
    limit = run_of(step="delete", failed=True, words=[Word(URN, "is not deleted: above maxIncreaseUsd=1", "error")])
    assert kinds(limit, preview_of(limit)) == set()


@pytest.mark.parametrize("text", ["$7,919", "the amount is 7919", "by $902 more", "+12.9 %", "alerts Zebra-Login"])
def test_nothing_secret_is_said(text: str) -> None:
    """Figures, differences, percentages and names of secret inputs are found; parts of ids are not."""
    hidden = Memory(hidden={URN: {7919, "zebra-login"}})
    run = run_of(text, later={ID: {**BEFORE, "budget_amount": 7017}})
    assert {kind.partition(":")[0] for kind in kinds(run, memory=hidden)} == {"secret"}
    other = run_of("kept 1b2c-7919-aa and 79190", later={ID: {**BEFORE, "budget_amount": 7017}})
    assert kinds(other, memory=hidden) == set()


def test_duplicates_are_found() -> None:
    """A create beside a budget with the same key is found."""
    run = run_of(step="create", later={ID: BEFORE, "b-2": {**BEFORE, "id": "b-2", "owner": "Octo-Enterprise"}})
    run.effects = [Effect("Create", URN, "budget", "b-2", None, run.later["b-2"])]
    assert kinds(run) == {"duplicates"}


def test_a_preview_right_after_a_run_is_quiet() -> None:
    """Words, steps and requests of a preview right after a run are found."""
    up = run_of()
    quiet = preview_of(up, steps={"b": "same"})
    assert kinds(quiet, up) == set()
    loud = preview_of(up, "lowers the amount", steps={"b": "update"}, reads=1)
    assert kinds(loud, up) == {"noise: words", "noise: steps", "noise: requests"}


def test_a_value_that_was_not_sent_is_shown_by_the_next_preview() -> None:
    """A changed input that GitHub does not have, and that the next preview takes for the same, is found."""
    memory = Memory()
    declared = {"b": replace(DECLARED, inputs={**DECLARED.inputs, "budget_amount": 40})}
    up = run_of(program=declared, changed={"b": {"budget_amount"}})
    assert kinds(up, memory=memory) == set()
    assert kinds(preview_of(up, steps={"b": "update"}), up, memory=memory) == set()
    assert kinds(preview_of(up, steps={"b": "same"}), up, memory=memory) == {"unsent: hidden by the next preview"}


def test_people_and_budgets_of_a_cost_center_are_named() -> None:
    """Who leaves a cost center with a cap for each member, and a budget that loses its cost center, must be said."""
    cap = {**BEFORE, "budget_scope": "multi_user_cost_center", "budget_entity_name": "c-1"}
    run = run_of(budgets={ID: cap}, later={ID: cap})
    for after, wanted in (
        ({**CENTER, "resources": []}, {"silent: a member by update"}),
        (
            {**CENTER, "resources": [], "state": "deleted"},
            {"silent: a member by update", "silent: a budget without its cost center"},
        ),
    ):
        run.effects = [Effect("Update", URN, "cost center", "c-1", CENTER, after)]
        assert kinds(run) == wanted
        texts = "monalisa is no longer capped; the $500 hard stop loses its cost center"
        assert kinds(replace(run, words=[Word(URN, texts, "warning")])) == set()
