"""The lifecycle of budgets against a real sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.skus import PRODUCTS, SKUS
from billing_provider.core import errors
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.operations.quirks import QUIRKS
from tests.support.clock import VirtualClock
from tests.support.declared import everything
from tests.support.harness import RunHarness, open_harness
from tests.support.quirks import under_every
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.resource import Stored

NOTHING: frozenset[str] = frozenset()
# The first leaves nothing to work with and has a test of its own; the others are habits of the calls on usage.
ELSEWHERE = {
    "feature_off",
    "current_days_zero",
    "export_fails",
    "monthly_usage",
    "organization_billed_by_enterprise",
    "user_usage_empty",
    "whole_month_counts",
}
SWITCHES = sorted(set(QUIRKS) - ELSEWHERE)
PLAIN = {"enterprise": "octo-enterprise", "budget_amount": 500, "budget_product_sku": "actions"}
PERSON = {
    "enterprise": "octo-enterprise",
    "budget_amount": 50,
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
}


def checked(
    harness: RunHarness, urn: str, declared: dict[str, Any], olds: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the checked inputs of a budget without a mistake."""
    found = harness.lifecycle(declared).check(urn, olds or {}, declared, NOTHING)
    assert found.problems == []
    return found.inputs


def create(harness: RunHarness, declared: dict[str, Any], urn: str = "urn::budget") -> Stored:
    """Check and create a budget."""
    return harness.lifecycle(declared).create(urn, checked(harness, urn, declared))


def create_all(harness: RunHarness, budgets: dict[str, dict[str, Any]]) -> dict[str, Stored]:
    """Check all budgets and create them."""
    inputs = {urn: checked(harness, urn, declared) for urn, declared in budgets.items()}
    return {urn: harness.lifecycle(declared).create(urn, declared) for urn, declared in inputs.items()}


def differences(harness: RunHarness, urn: str, declared: dict[str, Any], stored: Stored) -> tuple[list[str], list[str]]:
    """Return what a preview shows for a budget in state: what differs, and what of it replaces."""
    inputs = checked(harness, urn, declared, stored.inputs)
    return harness.lifecycle(declared).diff(urn, stored.id, stored.outputs, inputs, NOTHING)


def assert_at_rest(sandbox: Sandbox, clock: VirtualClock, budgets: dict[str, Any], states: dict[str, Stored]) -> None:
    """Assert that previews are empty without a request, and that a refresh finds everything as declared."""
    sandbox.forget_requests()
    preview = open_harness(sandbox, clock)
    for urn, declared in budgets.items():
        assert differences(preview, urn, declared, states[urn]) == ([], []), urn
    assert sandbox.requests == []
    refresh = open_harness(sandbox, clock)
    for urn, declared in budgets.items():
        current = refresh.lifecycle(declared).read(states[urn].id, states[urn].outputs)
        assert current is not None
        assert current.inputs == states[urn].inputs, urn
        assert current.id == states[urn].id
        assert differences(open_harness(sandbox, clock), urn, declared, current) == ([], []), urn
    assert sandbox.writes == []


def test_forty_budgets_are_created_and_do_not_differ(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Every scope: one POST each, an empty preview without requests, and a refresh with few requests."""
    budgets = everything(sandbox)
    assert len(budgets) >= 40
    states = create_all(open_harness(sandbox, clock), budgets)
    assert len(sandbox.writes) == len(budgets)
    assert len({stored.id for stored in states.values()}) == len(budgets) == len(sandbox.budgets(owner=None))
    assert_at_rest(sandbox, clock, budgets, states)
    assert len(sandbox.requests) <= 10


@under_every(SWITCHES)
def test_no_quirk_causes_a_difference(quirks: tuple[str, ...], clock: VirtualClock) -> None:
    """Whatever GitHub omits, rewrites or delays, the forty budgets do not differ, however they are read."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        budgets = everything(sandbox)
        states = create_all(open_harness(sandbox, clock), budgets)
        assert len(sandbox.writes) == len(budgets) == len(sandbox.budgets(owner=None))
        assert_at_rest(sandbox, clock, budgets, states)


@pytest.fixture(scope="module")
def settled() -> Any:
    """Forty budgets that an honest GitHub stored, and their states; tests only read them."""
    clock = VirtualClock()
    with Sandbox(clock=clock.wall) as sandbox:
        budgets = everything(sandbox)
        yield sandbox, clock, budgets, create_all(open_harness(sandbox, clock), budgets)


@under_every(SWITCHES)
def test_no_new_quirk_causes_a_difference(quirks: tuple[str, ...], settled: Any) -> None:
    """Budgets that were created before a quirk do not differ after it, read singly or by a listing."""
    sandbox, clock, budgets, states = settled
    for quirk in quirks:
        sandbox.switch(quirk)
    try:
        assert_at_rest(sandbox, clock, budgets, states)
        # One of each scope of each owner is read alone: what is read alone has no other form for another spelling.
        kinds = {(urn.split()[0], declared.get("budget_scope")): urn for urn, declared in budgets.items()}
        for urn in kinds.values():
            declared = budgets[urn]
            alone = open_harness(sandbox, clock)
            current = alone.lifecycle(declared).read(states[urn].id, states[urn].outputs)
            assert current is not None
            assert current.inputs == states[urn].inputs, urn
    finally:
        for quirk in quirks:
            sandbox.switch(quirk, on=False)


@pytest.mark.parametrize(
    ("quirks", "most"), [((), 5), (("page_cap_10",), 10), (("page_cap_10", "total_count_missing"), 10)]
)
def test_number_of_requests_of_a_refresh(quirks: tuple[str, ...], most: int, clock: VirtualClock) -> None:
    """A refresh of three budgets sends at most three requests, and one of forty at most ten."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        budgets = everything(sandbox)
        states = create_all(open_harness(sandbox, clock), budgets)
        for few in (dict(list(states.items())[:3]), dict(list(states.items())[-3:])):
            sandbox.forget_requests()
            harness = open_harness(sandbox, clock)
            for urn, stored in few.items():
                assert harness.lifecycle(budgets[urn]).read(stored.id, stored.outputs)
            assert len(sandbox.requests) <= 3
        sandbox.forget_requests()
        harness = open_harness(sandbox, clock)
        for urn, stored in states.items():
            assert harness.lifecycle(budgets[urn]).read(stored.id, stored.outputs)
        assert len(sandbox.requests) <= most + 1  # one organization more than the two owners of the promise


IN_PLACE = [
    (PLAIN, {"budget_amount": 900}, {"budget_amount": 900}),
    (PLAIN, {"budget_amount": 0}, {"budget_amount": 0}),
    (PLAIN, {"prevent_further_usage": True}, {"prevent_further_usage": True}),
    (
        PLAIN,
        {"budget_alerting": {"will_alert": True, "alert_recipients": ["hubot"]}},
        {"budget_alerting": {"will_alert": True, "alert_recipients": ["hubot"]}},
    ),
    (PLAIN, {"exclude_cost_center_usage": True}, {"exclude_cost_center_usage": True}),
    (PERSON, {"expires_at": "2027-03-31"}, {"expires_at": "2027-03-31"}),
    ({**PERSON, "expires_at": "2027-01-31"}, {"expires_at": "2027-03-31T00:00:00Z"}, {"expires_at": "2027-03-31"}),
    ({**PERSON, "expires_at": "2027-01-31"}, {"expires_at": None}, {"expires_at": None}),
    (
        PLAIN,
        {"budget_amount": 1, "prevent_further_usage": True},
        {"budget_amount": 1, "prevent_further_usage": True},
    ),
]


@pytest.mark.parametrize(("before", "change", "body"), IN_PLACE)
def test_an_update_sends_only_changed_fields(
    sandbox: Sandbox,
    new_run: Callable[..., RunHarness],
    before: dict[str, Any],
    change: dict[str, Any],
    body: dict[str, Any],
) -> None:
    """One PATCH has exactly the changed fields; the id stays, and afterwards nothing differs."""
    stored = create(new_run(), before)
    sandbox.forget_requests()
    harness, after = new_run(), {**before, **change}
    assert differences(harness, "urn::budget", after, stored) == (list(body), [])
    inputs = checked(harness, "urn::budget", after, stored.inputs)
    updated = harness.enterprise.update(stored.id, stored.outputs, inputs)
    assert [(request.method, request.body) for request in sandbox.requests] == [("PATCH", body)]
    assert updated.id == stored.id
    assert_at_rest(sandbox, harness.clock, {"urn::budget": after}, {"urn::budget": updated})


@pytest.mark.parametrize(
    "change",
    [
        {"enterprise": "other-enterprise"},
        {"budget_scope": "organization", "budget_entity_name": "octo-org"},
        {"budget_product_sku": "packages"},
        {"budget_type": "SkuPricing", "budget_product_sku": "actions_linux"},
        {"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits"},
    ],
)
def test_a_changed_identity_replaces_the_budget(
    harness: RunHarness, new_run: Callable[..., RunHarness], change: dict[str, Any]
) -> None:
    """A changed identity replaces the budget; what becomes of it is told by the check of the new one."""
    stored = create(harness, PLAIN)
    second = new_run()
    changed, replaces = differences(second, "urn::budget", {**PLAIN, **change}, stored)
    assert next(iter(change)) in replaces
    assert set(replaces) <= set(changed)
    assert not any("replaces" in text for text in second.reporter.warnings)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"budget_scope": "organization", "budget_entity_name": "octo-org"}, {"budget_entity_name": "octo-lab"}),
        ({"budget_scope": "repository", "budget_entity_name": "octo-org/api"}, {"budget_entity_name": "octo-lab/api"}),
        ({"budget_scope": "cost_center", "budget_entity_name": "Platform"}, {"budget_entity_name": "Data"}),
        ({"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits"}, {"user": "hubot"}),
    ],
)
def test_a_changed_entity_replaces_the_budget(
    harness: RunHarness, new_run: Callable[..., RunHarness], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Each kind of entity is part of a budget's identity."""
    stored = create(harness, {**PLAIN, **before})
    assert differences(new_run(), "urn::budget", {**PLAIN, **before, **after}, stored) == (list(after), list(after))


def test_name_and_uuid_of_a_cost_center_are_equivalent(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A change between the name and the UUID is not a difference."""
    center = sandbox.cost_centers()[0]
    by_name = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": center["name"]}
    by_uuid = {**by_name, "budget_entity_name": center["id"]}
    for one, other in ((by_name, by_uuid), (by_uuid, by_name)):
        stored = create(new_run(), one)
        assert differences(new_run(), "urn::budget", other, stored) == ([], [])
        new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)


@pytest.mark.parametrize("scope", ["cost_center", "multi_user_cost_center"])
def test_the_case_of_a_cost_center_is_ignored(sandbox: Sandbox, new_run: Callable[..., RunHarness], scope: str) -> None:
    """Name and UUID in any case are the same budget, and two such resources are a duplicate."""
    center = next(center for center in sandbox.cost_centers() if center["name"] == "Platform")
    spellings = [spell(center[key]) for key in ("name", "id") for spell in (str, str.upper, str.lower)]
    declared = {**PLAIN, "budget_scope": scope, "budget_product_sku": "ai_credits"}
    for one in spellings:
        stored = create(new_run(), {**declared, "budget_entity_name": one})
        for other in spellings:
            harness = new_run()
            assert differences(harness, "urn::budget", {**declared, "budget_entity_name": other}, stored) == ([], [])
        current = new_run().enterprise.read(stored.id, stored.outputs)
        assert current is not None
        assert current.inputs == stored.inputs
        new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)
    harness = new_run()
    checked(harness, "urn::first", {**declared, "budget_entity_name": "Platform"})
    again = harness.enterprise.check("urn::second", {}, {**declared, "budget_entity_name": "pLATFORM"}, NOTHING)
    assert ["first declares the same budget" in problem.reason for problem in again.problems] == [True]


def test_cost_centers_that_differ_in_case_are_not_confused(sandbox: Sandbox, harness: RunHarness) -> None:
    """If two names differ only in case, a budget with the other spelling is not adopted."""
    declared = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": "Platform"}
    other = create(harness, {**declared, "budget_entity_name": "Data"}, "urn::data")
    sandbox.rename_cost_center("Data", "platform")
    with pytest.raises(errors.OutcomeError, match=f"may exist already as {other.outputs['budget_id']}.* remove one of"):
        create(open_harness(sandbox, harness.clock), declared)
    assert len(sandbox.writes) == 1


def test_a_renamed_cost_center_differs_only_by_name(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """Declared by UUID nothing differs after a rename; declared by the old name, the new name is shown."""
    center = sandbox.cost_centers()[1]
    by_uuid = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": center["id"]}
    stored = create(new_run(), by_uuid)
    by_name = {**by_uuid, "budget_entity_name": "Data", "budget_product_sku": "packages"}
    named = create(new_run(), by_name, "urn::named")
    sandbox.rename_cost_center("Data", "Insight")
    current = new_run().enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.inputs == stored.inputs
    assert current.outputs["github_entity_name"] == "Insight"
    moved = new_run().enterprise.read(named.id, named.outputs)
    assert moved is not None
    assert moved.inputs["budget_entity_name"] == "Insight"
    assert differences(new_run(), "urn::named", {**by_name, "budget_entity_name": "Insight"}, moved) == ([], [])


def test_unknown_inputs_count_as_different(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """In a preview, an unknown input is a change, and a replacement if it identifies the budget."""
    stored = create(harness, PLAIN)
    second = new_run()
    unknown = frozenset({"budget_amount", "budget_entity_name"})
    known = {name: value for name, value in PLAIN.items() if name not in unknown}
    found = second.enterprise.check("urn::budget", stored.inputs, known, unknown)
    assert found.problems == []
    changed, replaces = second.enterprise.diff("urn::budget", stored.id, stored.outputs, found.inputs, unknown)
    assert set(changed) == set(unknown)
    assert replaces == ["budget_entity_name"]


def test_check_keeps_the_previous_spelling(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """An equivalent input keeps its stored spelling, so that the engine sees no change."""
    stored = create(
        harness, {**PLAIN, "budget_alerting": {"will_alert": True, "alert_recipients": ["OctoCat", "hubot"]}}
    )
    after = {**PLAIN, "budget_alerting": {"will_alert": True, "alert_recipients": ["HUBOT", "octocat"]}}
    assert checked(new_run(), "urn::budget", {**after, "enterprise": "Octo-Enterprise"}, stored.inputs) == stored.inputs


def test_all_problems_are_reported_and_nothing_is_sent(sandbox: Sandbox, harness: RunHarness) -> None:
    """A check needs no token and no network, and an invalid budget is not registered."""
    wrong = {**PLAIN, "budget_amount": -1, "user": "mona@example.com", "colour": "red"}
    found = harness.enterprise.check("urn::one", {}, wrong, NOTHING)
    assert found.inputs == {}
    assert [problem.field for problem in found.problems] == ["colour", "budget_amount", "user"]
    checked(harness, "urn::two", PLAIN)
    assert sandbox.requests == []


def test_a_second_declaration_is_refused(sandbox: Sandbox, harness: RunHarness) -> None:
    """Two resources for one budget fail in preview, and the message names the first one."""
    checked(harness, "urn::first", PLAIN)
    checked(harness, "urn::first", PLAIN)
    found = harness.enterprise.check(
        "urn::second", {}, {**PLAIN, "enterprise": "OCTO-enterprise", "budget_amount": 7}, NOTHING
    )
    (problem,) = found.problems
    assert str(problem) == (
        "first declares the same budget (the actions budget of enterprise OCTO-enterprise, scope enterprise) already: "
        "remove one of the two"
    )
    assert sandbox.requests == []


def test_an_external_change_is_detected_and_reverted(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A refresh shows the live value, a preview the difference, and an update restores the declared values."""
    stored = create(harness, PLAIN)
    budget_id = stored.outputs["budget_id"]
    sandbox.edit_budget(budget_id, budget_amount=5000, exclude_cost_center_usage=True)
    second = new_run()
    current = second.enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.inputs == {**stored.inputs, "budget_amount": 5000, "exclude_cost_center_usage": True}
    changed, replaces = differences(second, "urn::budget", PLAIN, current)
    assert (changed, replaces) == (["budget_amount", "exclude_cost_center_usage"], [])
    second.enterprise.update(current.id, current.outputs, checked(second, "urn::budget", PLAIN, current.inputs))
    bodies = [request.body for request in sandbox.writes[-2:]]
    assert bodies == [{"exclude_cost_center_usage": False}, {"budget_amount": 500}]


def test_on_existing_is_kept_in_a_refresh(harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """`on_existing` is kept in a refresh, although GitHub does not store it."""
    stored = create(harness, {**PLAIN, "on_existing": "error"})
    current = new_run().enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.inputs["on_existing"] == "error"


def test_a_change_of_on_existing_sends_nothing(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """An update without a difference on GitHub is stored without a request."""
    sandbox.switch("consumed_everywhere")
    stored = create(harness, PLAIN)
    sandbox.forget_requests()
    second, after = new_run(), {**PLAIN, "on_existing": "adopt"}
    updated = second.enterprise.update(stored.id, stored.outputs, checked(second, "urn::budget", after, stored.inputs))
    assert updated.outputs == {**stored.outputs, "on_existing": "adopt"}
    assert sandbox.requests == []


def test_alerting_of_a_user_budget_is_not_sent(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """GitHub ignores alerting of a budget of one user, so it is no difference."""
    stored = create(harness, PERSON)
    olds = {**stored.outputs, "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]}}
    second = new_run()
    second.enterprise.update(stored.id, olds, checked(second, "urn::budget", PERSON, stored.inputs))
    assert [request.method for request in sandbox.writes] == ["POST"]


def test_a_budget_is_read_after_an_empty_update_response(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """The budget is read singly, even if the run has listed it recently."""
    stored = create(harness, PLAIN)
    sandbox.plan([{"action": "wrong_fields", "op": "update_budget"}])
    second, after = new_run(), {**PLAIN, "budget_amount": 900}
    create(second, {**PLAIN, "budget_product_sku": "packages"}, "urn::other")
    inputs = checked(second, "urn::budget", after, stored.inputs)
    updated = second.enterprise.update(stored.id, stored.outputs, inputs)
    assert updated.inputs["budget_amount"] == 900
    assert [request.method for request in sandbox.requests[-2:]] == ["PATCH", "GET"]


def test_an_ignored_update_is_an_error(sandbox: Sandbox, harness: RunHarness) -> None:
    """If GitHub accepts a change but returns the old value, the update is an error."""
    stored = create(harness, PLAIN)
    with WireServer(answer(200, {"message": "ok", "budget": sandbox.budgets()[0]})) as server:
        second, after = open_harness(sandbox, base_url=server.url), {**PLAIN, "budget_amount": 900}
        inputs = checked(second, "urn::budget", after, stored.inputs)
        with pytest.raises(errors.OutcomeError, match="accepted the request but did not change budget_amount"):
            second.enterprise.update(stored.id, stored.outputs, inputs)


# --- adoption -------------------------------------------------------------------------------------------------------


def test_a_derived_type_of_an_earlier_version_replaces_nothing(
    harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A type that the program leaves out stays as in the state while the SKU stays; a declared one replaces."""
    stored = create(harness, PLAIN)
    older = {**stored.inputs, "budget_type": "SkuPricing"}
    run = new_run()
    assert run.enterprise.check("urn::budget", older, PLAIN, NOTHING).inputs == older
    declared = {**PLAIN, "budget_type": "ProductPricing"}
    assert run.enterprise.check("urn::budget", older, declared, NOTHING).inputs["budget_type"] == "ProductPricing"
    other = {**PLAIN, "budget_product_sku": "packages"}
    assert run.enterprise.check("urn::budget", older, other, NOTHING).inputs["budget_type"] == "ProductPricing"


def test_an_identical_budget_is_adopted_with_a_warning(sandbox: Sandbox, harness: RunHarness) -> None:
    """An identical existing budget is adopted without a write."""
    there = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)
    stored = create(harness, PLAIN)
    assert (stored.outputs["budget_id"], stored.outputs["adopted"]) == (there["id"], True)
    assert sandbox.writes == []
    told = "the actions budget of enterprise octo-enterprise, scope enterprise: adopted the existing budget"
    assert f"{told} {there['id']} as it is; a destroy keeps it (on_delete)" in harness.reporter.warnings


def test_a_different_budget_is_not_adopted_by_default(sandbox: Sandbox, harness: RunHarness) -> None:
    """The error names the differences and the setting that adopts the budget; nothing is written."""
    there = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=501, prevent_further_usage=True)
    with pytest.raises(errors.OutcomeError) as caught:
        create(harness, PLAIN)
    assert f"exists already as {there['id']}; it differs in budget_amount (" in str(caught.value)
    assert 'set on_existing="adopt"' in str(caught.value)
    assert sandbox.writes == []


def test_adopt_updates_a_different_budget(sandbox: Sandbox, harness: RunHarness) -> None:
    """With `adopt`, one PATCH changes what differs, and a warning names the changes, as a preview does."""
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=501, prevent_further_usage=True)
    stored = create(harness, {**PLAIN, "on_existing": "adopt"})
    assert [(request.method, request.body) for request in sandbox.writes] == [
        ("PATCH", {"budget_amount": 500, "prevent_further_usage": False})
    ]
    assert stored.outputs["adopted"] is True
    said = f"adopted the existing budget {stored.outputs['budget_id']}: removes the hard stop; lowers the amount from"
    assert any(said in text for text in harness.reporter.warnings)


@pytest.mark.parametrize(("amount", "words"), [(500, "it is as declared"), (501, "it differs in budget_amount")])
def test_error_forbids_adoption(sandbox: Sandbox, harness: RunHarness, amount: int, words: str) -> None:
    """With `error`, even an identical budget is not adopted."""
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=amount)
    with pytest.raises(errors.OutcomeError, match=words):
        create(harness, {**PLAIN, "on_existing": "error"})
    assert sandbox.writes == []


def test_two_existing_budgets_of_one_key_are_an_error(sandbox: Sandbox, harness: RunHarness) -> None:
    """The error names both budgets, and neither is changed."""
    ids = [sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)["id"] for _ in range(2)]
    with pytest.raises(errors.OutcomeError, match=f"exists more than once: {ids[0]} and {ids[1]}"):
        create(harness, {**PLAIN, "on_existing": "adopt"})
    assert sandbox.writes == []


def test_a_resource_rename_without_an_alias_keeps_the_budget(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """The new resource adopts the budget, the delete of the old one is skipped, and nothing differs afterwards."""
    stored = create(harness, PLAIN, "urn::old")
    second = new_run()
    renamed = create(second, PLAIN, "urn::new")
    second.enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert renamed.id == stored.id
    assert [request.method for request in sandbox.writes] == ["POST"]
    assert any("kept budget" in text and "new declares it" in text for text in second.reporter.warnings)


def test_a_budget_of_another_resource_is_not_adopted(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A cost center by name and by UUID is the same budget, and the message names the first resource."""
    center = sandbox.cost_centers()[0]
    by_name = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": center["name"]}
    stored = create(harness, by_name, "urn::by-name")
    second = new_run()
    assert differences(second, "urn::by-name", by_name, stored) == ([], [])
    with pytest.raises(errors.OutcomeError, match=r"is declared twice: it is .* of urn::by-name already"):
        create(second, {**by_name, "budget_entity_name": center["id"]}, "urn::by-id")


# --- reading and deleting -------------------------------------------------------------------------------------------


def test_a_budget_is_gone_after_a_404_and_a_complete_listing(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A 404 and a complete listing without the budget prove that it is gone; its delete then succeeds."""
    stored = create(harness, PLAIN)
    sandbox.remove_budget(stored.outputs["budget_id"])
    assert new_run().enterprise.read(stored.id, stored.outputs) is None
    second = new_run()
    second.enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert [request.method for request in sandbox.requests[-2:]] == ["DELETE", "GET"]


@pytest.mark.parametrize(
    "action",
    ["401", "403_permission", "410", "422", "500_before", "502_before", "reset_before", "bad_json", "empty_200",
     "wrong_type", "wrong_content_type", "wrong_fields", "short_list", "429_secondary_bare", "403_primary"],
)  # fmt: skip
@pytest.mark.parametrize("gone", [False, True])
def test_other_responses_do_not_prove_that_a_budget_is_gone(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness], action: str, gone: bool
) -> None:
    """A refused, limited, failed, incomplete or short response is an error, also for the confirming listing."""
    create(harness, {**PLAIN, "budget_product_sku": "packages"}, "urn::other")
    stored = create(harness, PLAIN)
    faults: list[dict[str, Any]] = [{"action": action, "op": "list_budgets", "every": 1}]
    if gone:
        sandbox.remove_budget(stored.outputs["budget_id"])
    else:
        faults += [{"action": "404", "op": operation, "every": 1} for operation in ("get_budget", "delete_budget")]
    no_proof = (errors.ApiError, errors.TransportError, errors.WaitError)
    sandbox.plan(faults)
    with pytest.raises(no_proof):
        new_run().enterprise.read(stored.id, stored.outputs)
    with pytest.raises(no_proof):
        new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert len(sandbox.budgets()) == (1 if gone else 2)


def test_a_404_for_a_listed_budget_is_an_error(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A delete with a 404 of a listed budget is an error; a read returns the listed budget."""
    stored = create(harness, PLAIN)
    sandbox.plan([{"action": "404", "op": "get_budget"}, {"action": "404", "op": "delete_budget"}])
    current = new_run().enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.inputs == stored.inputs
    with pytest.raises(errors.NotFoundError):
        new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert sandbox.untriggered_faults() == []


def test_disabled_budgets_keep_the_state(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """If every budget route returns 404, no budget counts as gone and none is created."""
    stored = create(harness, PLAIN)
    sandbox.switch("feature_off")
    works: list[Callable[[], object]] = [
        lambda: new_run().enterprise.read(stored.id, stored.outputs),
        lambda: new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs),
        lambda: create(new_run(), {**PLAIN, "budget_product_sku": "packages"}, "urn::other"),
    ]
    for work in works:
        with pytest.raises(errors.NotFoundError, match="billing budgets are turned off"):
            work()


def test_the_first_read_returns_all_inputs(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """A read without a state returns all inputs, and a missing budget is an error."""
    stored = create(harness, PLAIN)
    found = new_run().enterprise.read(stored.id, {})
    assert found is not None
    assert found.inputs == {**stored.inputs, "exclude_cost_center_usage": False}
    sandbox.remove_budget(stored.outputs["budget_id"])
    with pytest.raises(errors.NotFoundError, match="the listing does not contain this budget either"):
        new_run().enterprise.read(stored.id, {})


def test_delete_removes_the_budget(sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]) -> None:
    """One DELETE is sent, and the budget is gone."""
    stored = create(harness, PLAIN)
    sandbox.forget_requests()
    new_run().enterprise.delete("urn::deleted", stored.id, stored.outputs)
    assert [request.method for request in sandbox.requests] == ["DELETE"]
    assert sandbox.budgets() == []


@pytest.mark.parametrize(
    "id_", ["", "one", "enterprise/octo", "enterprise//one", "enterprise/octo/", "enterprise/octo/a/b", "user/octo/one"]
)
def test_an_invalid_id_is_refused(harness: RunHarness, id_: str) -> None:
    """The error explains the form of the id."""
    with pytest.raises(errors.ConfigError, match="the id of EnterpriseBudget has the form enterprise/OWNER/ID"):
        harness.enterprise.read(id_, {})


def test_outputs_contain_values_from_github(
    sandbox: Sandbox, harness: RunHarness, new_run: Callable[..., RunHarness]
) -> None:
    """The outputs have the id, the entity, the UUID of the cost center, the usage and whether it was adopted."""
    center = sandbox.cost_centers()[0]
    stored = create(harness, {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": center["name"].lower()})
    assert stored.id == f"enterprise/octo-enterprise/{stored.outputs['budget_id']}"
    assert stored.outputs["github_entity_name"] == center["name"]
    assert stored.outputs["cost_center_id"] == center["id"]
    assert stored.outputs["adopted"] is False
    assert stored.inputs["budget_entity_name"] == center["name"].lower()
    sandbox.switch("consumed_everywhere")
    current = new_run().enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.outputs == {**stored.outputs, "consumed_amount": current.outputs["consumed_amount"]}


def test_every_known_sku_is_accepted(harness: RunHarness, sandbox: Sandbox) -> None:
    """The sandbox accepts every known product and SKU with its derived pricing type."""
    for sku in sorted(SKUS | PRODUCTS | {"ai_credits"}):
        create(harness, {**PLAIN, "budget_product_sku": sku}, f"urn::{sku}")
    assert len(sandbox.budgets()) == len(SKUS | PRODUCTS) + 1


def test_an_update_of_a_budget_that_is_gone_says_what_helps(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """A 404 is confirmed by the listing: the next run creates the budget; one that is still listed stays an error."""
    stored = create(new_run(), PLAIN)
    changed = {**stored.inputs, "budget_amount": 600}
    sandbox.plan([{"op": "update_budget", "action": "404"}])
    with pytest.raises(errors.NotFoundError):
        new_run().enterprise.update(stored.id, stored.outputs, changed)
    sandbox.remove_budget(stored.outputs["budget_id"])
    with pytest.raises(errors.OutcomeError, match=r"is gone on GitHub, and nothing was changed\. Run `pulumi refresh`"):
        new_run().enterprise.update(stored.id, stored.outputs, changed)
