"""Budgets whose date has passed: they stay in the state, send nothing, and come back with a new date."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets import expiry
from billing_provider.core import errors
from billing_provider.core.resource import Stored
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Callable

URN = "urn::budget"
NOTHING: frozenset[str] = frozenset()
OWNERS = {"enterprise": "octo-enterprise", "organization": "octo-org"}
PERSON = {
    "enterprise": "octo-enterprise",
    "budget_amount": 50,
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
}
PAST, FUTURE = "2026-10-01", "2026-12-31"
"""The first has passed after a month of the virtual clock."""
BRIEF = {**PERSON, "expires_at": PAST}
MONTH = 30 * 86_400.0
NOW = datetime(2026, 10, 1, tzinfo=timezone.utc)
TOLD = (
    "the ai_credits budget of enterprise octo-enterprise, scope user octocat expired on 2026-10-01: "
    "remove it, or give a new date"
)
QUIRKS: tuple[list[str], ...] = ([], ["expired_kept"], ["get_omits_expiry"], ["expired_kept", "get_omits_expiry"])


def checked(harness: RunHarness, declared: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the checked inputs of a budget without a mistake."""
    found = harness.lifecycle(declared).check(URN, olds or {}, declared, NOTHING)
    assert found.problems == []
    return found.inputs


def create(harness: RunHarness, declared: dict[str, Any]) -> Stored:
    """Check and create a budget."""
    return harness.lifecycle(declared).create(URN, checked(harness, declared))


def differences(harness: RunHarness, declared: dict[str, Any], stored: Stored) -> tuple[list[str], list[str]]:
    """Return what a preview shows for a budget in state: what differs, and what of it replaces."""
    inputs = checked(harness, declared, stored.inputs)
    return harness.lifecycle(declared).diff(URN, stored.id, stored.outputs, inputs, NOTHING)


def replace(harness: RunHarness, declared: dict[str, Any], stored: Stored) -> Stored:
    """Replace a budget as the engine does, and return the new one; one of the two exists at each moment after it."""
    changed, replaces = differences(harness, declared, stored)
    assert "expires_at" in changed
    assert "expires_at" in replaces
    anew = create(harness, declared)
    assert len(harness.sandbox.budgets(None)) == 1
    harness.lifecycle(declared).delete("urn::deleted", stored.id, stored.outputs)
    return anew


def sent(sandbox: Sandbox) -> list[str]:
    """Return the methods of the requests since the last call."""
    methods = [request.method for request in sandbox.requests]
    sandbox.forget_requests()
    return methods


# --- the rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "is_over"),
    [
        ({}, False),
        ({"budget_scope": "user"}, False),
        ({"budget_scope": "user", "expires_at": None}, False),
        ({"budget_scope": "user", "expires_at": "2026-10-02"}, False),
        ({"budget_scope": "user", "expires_at": "2026-10-01"}, True),
        ({"budget_scope": "user", "expires_at": "2026-10-01T00:00:00Z"}, True),
        ({"budget_scope": "user", "expires_at": "2026-10-01T02:00:00+02:00"}, True),
        ({"budget_scope": "user", "expires_at": "end of cycle"}, False),
        ({"budget_scope": "enterprise", "expires_at": "2026-10-01"}, False),
        ({"budget_scope": "user", "expires_at": "2026-10-02", "expired": True}, True),
        ({"budget_scope": "user", "expires_at": "2026-10-02", "expired": False}, False),
    ],
)
def test_a_budget_is_over_from_its_date_on(budget: dict[str, Any], is_over: bool) -> None:
    """Only a budget of one user expires: on its date (UTC), or if the state marks it as expired."""
    assert expiry.is_over(budget, NOW) is is_over


DAYS = st.one_of(st.none(), st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(str))


@given(old=DAYS, new=DAYS, hours=st.integers(-500_000, 500_000))
def test_a_cap_is_never_ended_by_a_date(old: str | None, new: str | None, hours: int) -> None:
    """A changed date ends a live budget early, brings an expired one back, or neither; never both."""
    now = NOW + timedelta(hours=hours)
    olds, news = {"budget_scope": "user", "expires_at": old}, {"budget_scope": "user", "expires_at": new}
    was_over, is_over = expiry.is_over(olds, now), expiry.is_over(news, now)
    assert expiry.ends_early(olds, news, now) == (is_over and not was_over)
    assert expiry.comes_back(olds, news, now) == (was_over and not is_over)
    assert not expiry.ends_early({}, news, now)


# --- a date that has passed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", QUIRKS)
def test_an_expired_budget_is_told_and_sends_nothing(quirks: list[str], clock: VirtualClock) -> None:
    """The row has the warning, the preview is empty, and other changes are only stored."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), BRIEF)
        clock.sleep(MONTH)
        sandbox.forget_requests()
        preview = open_harness(sandbox, clock)
        assert differences(preview, BRIEF, stored) == ([], [])
        assert TOLD in preview.reporter.warnings
        up, after = open_harness(sandbox, clock), {**BRIEF, "budget_amount": 70}
        assert differences(up, after, stored) == (["budget_amount"], [])
        updated = up.enterprise.update(stored.id, stored.outputs, checked(up, after, stored.inputs))
        inputs = {**stored.inputs, "budget_amount": 70}
        # GitHub may not have removed it yet: then it gets the change, and is not marked as expired.
        is_removed = not sandbox.budgets(None)
        assert (updated.id, updated.inputs, updated.outputs["budget_amount"]) == (stored.id, inputs, 70)
        assert updated.outputs.get("expired", False) is is_removed
        assert [write.method for write in sandbox.writes] == ([] if is_removed else ["PATCH"])
        sandbox.forget_requests()
        assert differences(open_harness(sandbox, clock), after, updated) == ([], [])
        earlier = {**after, "expires_at": "2026-09-30"}
        assert differences(open_harness(sandbox, clock), earlier, updated) == (["expires_at"], [])
        assert sandbox.requests == []


@pytest.mark.parametrize("kind", OWNERS)
@pytest.mark.parametrize("quirks", QUIRKS)
def test_a_refresh_keeps_an_expired_budget(kind: str, quirks: list[str], clock: VirtualClock) -> None:
    """It stays in the state with its values; once it is marked as expired, a refresh sends nothing."""
    declared = {**BRIEF, kind: OWNERS[kind]}
    if kind == "organization":
        del declared["enterprise"]
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), declared)
        clock.sleep(MONTH)
        sandbox.forget_requests()
        is_removed = "expired_kept" not in quirks
        mark = {"expired": True} if is_removed else {}
        # Where a single budget has no expiry, only a listing shows that it was not removed by hand.
        kept = ["GET"] * (2 if "get_omits_expiry" in quirks else 1)
        for requests in (["GET", "GET"] if is_removed else kept, [] if is_removed else kept):
            found = open_harness(sandbox, clock).lifecycle(declared).read(stored.id, stored.outputs)
            assert found is not None
            # GitHub counts the usage of a budget that it has not removed.
            known = {name: value for name, value in found.outputs.items() if name != "consumed_amount"}
            assert Stored(found.id, found.inputs, known) == Stored(stored.id, stored.inputs, {**stored.outputs, **mark})
            stored = Stored(found.id, found.inputs, known)
            assert sent(sandbox) == requests
            assert differences(open_harness(sandbox, clock), declared, stored) == ([], [])
        assert sent(sandbox) == []
        open_harness(sandbox, clock).lifecycle(declared).delete("urn::deleted", stored.id, stored.outputs)
        assert sent(sandbox) == ([] if is_removed else ["DELETE"])
        assert sandbox.budgets(None) == []


@pytest.mark.parametrize("declared", [PERSON, {**PERSON, "expires_at": FUTURE}])
def test_a_budget_that_has_not_expired_can_be_gone(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness], declared: dict[str, Any]
) -> None:
    """A budget that somebody removed before its date is reported as gone, so that the next run creates it."""
    stored = create(harness, declared)
    sandbox.remove_budget(stored.outputs["budget_id"])
    assert new_run().enterprise.read(stored.id, stored.outputs) is None


def test_a_removed_budget_is_no_proof_under_faults(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """An expired budget is marked only if a 404 and a complete listing prove that it is gone."""
    stored = create(harness, BRIEF)
    harness.clock.sleep(MONTH)
    sandbox.plan([{"action": "500_before", "op": "list_budgets", "every": 1}])
    with pytest.raises(errors.ApiError):
        new_run().enterprise.read(stored.id, stored.outputs)


@pytest.mark.parametrize("before", [PERSON, {**PERSON, "expires_at": FUTURE}])
def test_a_past_date_cannot_end_a_budget(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness], before: dict[str, Any]
) -> None:
    """A changed date that is in the past is an error for a budget that has not expired, also with another user."""
    stored = create(harness, before)
    sandbox.forget_requests()
    for change in ({}, {"user": "hubot"}):
        found = new_run().enterprise.check(
            URN, stored.inputs, {**before, "expires_at": "2026-09-01", **change}, NOTHING
        )
        assert [(problem.field, problem.reason) for problem in found.problems] == [
            ("expires_at", "choose a date in the future: GitHub removes an expired budget")
        ]
    assert sandbox.requests == []


def test_a_past_date_is_refused_in_other_scopes(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """A date that was valid for one user is not valid for the whole enterprise."""
    stored = create(harness, BRIEF)
    whole = {"enterprise": "octo-enterprise", "budget_amount": 50, "budget_product_sku": "ai_credits"}
    harness.clock.sleep(MONTH)
    found = new_run().enterprise.check(URN, stored.inputs, {**whole, "expires_at": PAST}, NOTHING)
    assert [(problem.field, problem.reason) for problem in found.problems] == [
        ("expires_at", "leave it out: only a budget of one user can expire")
    ]


# --- a new date -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new_date", [FUTURE, None])
@pytest.mark.parametrize("on_existing", [None, "error"])
@pytest.mark.parametrize("is_refreshed", [True, False])
@pytest.mark.parametrize("quirks", QUIRKS)
def test_a_new_date_brings_the_budget_back(
    quirks: list[str], is_refreshed: bool, on_existing: str | None, new_date: str | None, clock: VirtualClock
) -> None:
    """There is one budget with the new date; one that GitHub has not removed yet keeps its id, with any policy."""
    declared = {**BRIEF, "on_existing": on_existing}
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), declared)
        clock.sleep(MONTH)
        if is_refreshed:
            found = open_harness(sandbox, clock).enterprise.read(stored.id, stored.outputs)
            assert found is not None
            stored = found
        sandbox.forget_requests()
        again = {**declared, "expires_at": new_date, "budget_amount": 60}
        up = open_harness(sandbox, clock)
        anew = replace(up, again, stored)
        if "expired_kept" in quirks:
            assert sent(sandbox) == ["GET", "PATCH"]
            assert any("kept budget" in text and "budget declares it" in text for text in up.reporter.warnings)
        else:
            # The state does not say yet that the budget is gone: a 404 and the listing before the create tell.
            assert sent(sandbox) == (["GET", "POST"] if is_refreshed else ["GET", "POST", "DELETE"])
        assert (anew.id == stored.id) == ("expired_kept" in quirks)
        assert (anew.outputs["adopted"], "expired" in anew.outputs) == (False, False)
        (live,) = sandbox.budgets()
        assert (live["id"], live["budget_amount"], live.get("expires_at")) == (anew.outputs["budget_id"], 60, new_date)
        assert differences(open_harness(sandbox, clock), again, anew) == ([], [])
        found = open_harness(sandbox, clock).enterprise.read(anew.id, anew.outputs)
        assert found is not None
        assert (found.id, found.inputs) == (anew.id, anew.inputs)


@pytest.mark.parametrize("new_date", [FUTURE, None])
def test_a_missing_date_in_the_listing_is_set(clock: VirtualClock, new_date: str | None) -> None:
    """If the listing shows no date, the new one is sent all the same: the old one may still be in force."""
    with Sandbox(clock=clock.wall, quirks=["expired_kept"]) as sandbox:
        stored = create(open_harness(sandbox, clock), BRIEF)
        clock.sleep(MONTH)
        sandbox.edit_budget(stored.outputs["budget_id"], expires_at=None)
        replace(open_harness(sandbox, clock), {**BRIEF, "expires_at": new_date}, stored)
        assert [request.body for request in sandbox.writes[1:]] == [{"expires_at": new_date}]


def test_a_run_that_died_after_the_change_is_repeated(clock: VirtualClock) -> None:
    """If the new entry did not reach the state, the next run finds the same budget and sends no write."""
    with Sandbox(clock=clock.wall, quirks=["expired_kept"]) as sandbox:
        stored = create(open_harness(sandbox, clock), BRIEF)
        clock.sleep(MONTH)
        again = {**BRIEF, "expires_at": FUTURE}
        died = open_harness(sandbox, clock)
        differences(died, again, stored)
        create(died, again)
        sandbox.forget_requests()
        anew = replace(open_harness(sandbox, clock), again, stored)
        assert anew.id == stored.id
        assert sent(sandbox) == ["GET"]


def test_the_budget_of_another_resource_is_not_taken(clock: VirtualClock) -> None:
    """The expired budget of a resource without a state, such as a renamed one, is subject to `on_existing`."""
    with Sandbox(clock=clock.wall, quirks=["expired_kept"]) as sandbox:
        create(open_harness(sandbox, clock), BRIEF)
        clock.sleep(MONTH)
        with pytest.raises(errors.OutcomeError, match="it differs in expires_at"):
            create(open_harness(sandbox, clock), {**BRIEF, "expires_at": FUTURE})


def test_an_update_that_meets_an_expired_budget_is_an_error(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A budget that expires between diff and update is not reported as updated; the next run replaces it."""
    stored = create(harness, BRIEF)
    up, again = new_run(), {**BRIEF, "expires_at": FUTURE}
    assert differences(up, again, stored) == (["expires_at"], [])
    inputs = checked(up, again, stored.inputs)
    harness.clock.sleep(MONTH)
    sandbox.forget_requests()
    with pytest.raises(errors.OutcomeError, match="it has expired, and nothing was sent"):
        up.enterprise.update(stored.id, stored.outputs, inputs)
    assert sandbox.requests == []


@pytest.mark.parametrize("quirks", QUIRKS)
def test_another_user_with_a_past_date_is_not_created(quirks: list[str], clock: VirtualClock) -> None:
    """A changed identity replaces an expired budget by an expired one; the old one is deleted if it still exists."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), BRIEF)
        clock.sleep(MONTH)
        sandbox.forget_requests()
        up, other = open_harness(sandbox, clock), {**BRIEF, "user": "hubot"}
        assert differences(up, other, stored) == (["user"], ["user"])
        anew = create(up, other)
        assert anew.id == "enterprise/octo-enterprise/expired"
        assert sandbox.requests == []
        up.enterprise.delete("urn::deleted", stored.id, stored.outputs)
        assert sandbox.budgets() == []


# --- a past date for a new budget -----------------------------------------------------------------------------------


def test_a_new_budget_with_a_past_date_is_not_created(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], clock: VirtualClock
) -> None:
    """It is stored with a warning, nothing is ever sent for it, and a new date creates it."""
    clock.sleep(MONTH)
    first = new_run()
    stored = create(first, BRIEF)
    assert TOLD in first.reporter.warnings
    assert stored.id == "enterprise/octo-enterprise/expired"
    assert stored.outputs == {**stored.inputs, "expired": True, "adopted": False, "kept_on_delete": False}
    assert differences(new_run(), BRIEF, stored) == ([], [])
    assert new_run().enterprise.read(stored.id, stored.outputs) == stored
    up, after = new_run(), {**BRIEF, "budget_amount": 70}
    assert differences(up, after, stored) == (["budget_amount"], [])
    stored = up.enterprise.update(stored.id, stored.outputs, checked(up, after, stored.inputs))
    assert stored.outputs == {**stored.inputs, "expired": True, "adopted": False, "kept_on_delete": False}
    new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert sandbox.requests == []
    anew = replace(new_run(), {**after, "expires_at": FUTURE}, stored)
    assert sent(sandbox) == ["GET", "POST"]
    assert [budget["id"] for budget in sandbox.budgets()] == [anew.outputs["budget_id"]]


def test_a_clock_that_ran_ahead_is_corrected(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A budget that was stored as expired too early is created by the next run, although no input has changed."""
    ahead = VirtualClock()
    ahead.sleep(MONTH)
    stored = create(open_harness(sandbox, ahead), BRIEF)
    up = new_run()
    assert differences(up, BRIEF, stored) == (["expires_at"], ["expires_at"])
    anew = replace(up, BRIEF, stored)
    assert [budget["id"] for budget in sandbox.budgets()] == [anew.outputs["budget_id"]]


def test_an_unknown_date_replaces_an_expired_budget(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """A date that is not known yet counts as a new one, as other unknown inputs do."""
    stored = create(harness, BRIEF)
    harness.clock.sleep(MONTH)
    preview, unknown = new_run(), frozenset({"expires_at"})
    found = preview.enterprise.check(URN, stored.inputs, PERSON, unknown)
    assert found.problems == []
    assert preview.enterprise.diff(URN, stored.id, stored.outputs, found.inputs, unknown) == (
        ["expires_at"],
        ["expires_at"],
    )


def test_a_diff_without_a_check_records_nothing(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """A resource that the program does not declare neither holds nor replaces its budget."""
    stored, second = create(harness, BRIEF), new_run()
    for now, replaces in ((0.0, []), (MONTH, ["expires_at"])):
        harness.clock.sleep(now)
        news = {**stored.inputs, "expires_at": PAST if not replaces else FUTURE}
        assert second.enterprise.diff(URN, stored.id, stored.outputs, news, NOTHING)[1] == replaces
        assert second.run.registry.holder(stored.outputs["budget_id"]) is None
        assert second.run.registry.replaced(URN) == frozenset()


def test_the_id_of_a_budget_that_was_never_created_is_not_sent(sandbox: Sandbox, harness: RunHarness) -> None:
    """A read by `.get`, an update and a delete with this id are errors, and nothing is sent."""
    id_, inputs = "enterprise/octo-enterprise/expired", checked(harness, PERSON)
    calls: list[Callable[[], object]] = [
        lambda: harness.enterprise.read(id_, {}),
        lambda: harness.enterprise.update(id_, {**inputs, "budget_amount": 1}, inputs),
        lambda: harness.enterprise.delete("urn::deleted", id_, inputs),
    ]
    for call in calls:
        with pytest.raises(errors.ConfigError, match="a budget that expired before it was created"):
            call()
    assert sandbox.requests == []
