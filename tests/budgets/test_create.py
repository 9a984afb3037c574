"""The create of a budget under faults: exactly one budget, or an error."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.core import errors
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.owners import ENTERPRISE_OWNER
from billing_provider.core.settings import Settings
from billing_provider.runtime.run import Run
from billing_provider.sandbox import Request, Sandbox
from tests.support.harness import Listener, RunHarness, open_harness
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.resource import Stored
    from tests.support.clock import VirtualClock

NOTHING: frozenset[str] = frozenset()
PLAIN = {"enterprise": "octo-enterprise", "budget_amount": 500, "budget_product_sku": "actions"}
OTHER = {**PLAIN, "budget_product_sku": "packages"}
CREATE = "create_budget"
LIST = "list_budgets"
# What may become of an answer after GitHub has stored the budget.
LOST = [
    "reset_after", "reset_mid_body", "500_after", "502_after", "503_after", "504_after", "bad_json", "empty_200",
    "wrong_type", "wrong_content_type", "wrong_fields", "huge_body",
]  # fmt: skip
# What may become of a request that GitHub never took up.
DROPPED = ["reset_before", "500_before", "502_before", "503_before", "504_before"]
NO_ID = "GitHub accepted the create, but its reply has no new id and the listing does not show it yet"
UNDER_ERROR = (
    r'the next run lists first and stops if it exists, because of on_existing="error"\. '
    r'To adopt it, set on_existing="adopt_if_identical"\.'
)


def create(harness: RunHarness, declared: dict[str, Any] = PLAIN, urn: str = "urn::budget") -> Stored:
    """Check and create a budget."""
    found = harness.lifecycle(declared).check(urn, {}, declared, NOTHING)
    assert found.problems == []
    return harness.lifecycle(declared).create(urn, found.inputs)


def posts(sandbox: Sandbox) -> int:
    """Return how many creates were sent."""
    return len([request for request in sandbox.requests if request.method == "POST"])


def is_the_one(sandbox: Sandbox, stored: Stored) -> bool:
    """Tell whether a state names the only budget there is, as declared."""
    return [(budget["id"], budget["budget_amount"]) for budget in sandbox.budgets()] == [
        (stored.outputs["budget_id"], 500)
    ]


@pytest.mark.parametrize("action", LOST)
def test_a_create_with_a_lost_response_is_confirmed_by_a_listing(
    sandbox: Sandbox, harness: RunHarness, action: str
) -> None:
    """The budget was stored and the response unreadable: one POST, one budget, found by a listing."""
    sandbox.plan([{"action": action, "op": CREATE}])
    stored = create(harness)
    assert is_the_one(sandbox, stored)
    assert posts(sandbox) == 1
    assert stored.outputs["adopted"] is False
    assert sandbox.untriggered_faults() == []


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("action", DROPPED)
def test_a_create_without_effect_is_sent_again(sandbox: Sandbox, harness: RunHarness, action: str, times: int) -> None:
    """If GitHub provably did nothing by the end of its time limit, the create is sent again."""
    sandbox.plan([{"action": action, "op": CREATE, "times": times}])
    assert is_the_one(sandbox, create(harness))
    sent = [request.at for request in sandbox.requests if request.method == "POST"]
    assert len(sent) == times + 1
    assert all(later - earlier >= 10 for earlier, later in pairwise(sent))


def test_three_creates_without_effect_are_an_error(sandbox: Sandbox, harness: RunHarness) -> None:
    """The error says that nothing was created, and why."""
    sandbox.plan([{"action": "503_before", "op": CREATE, "times": 3}])
    with pytest.raises(errors.OutcomeError, match=r"was not created, as GitHub's listing shows: .* 503"):
        create(harness)
    assert posts(sandbox) == 3
    assert sandbox.budgets() == []


@pytest.mark.parametrize("seconds", [0, 1, 5, 9, 9.9])
def test_a_late_create_is_found(sandbox: Sandbox, harness: RunHarness, seconds: float) -> None:
    """GitHub may store the budget until its time limit after the response was lost; no second POST is sent."""
    sandbox.plan([{"action": "late_commit", "op": CREATE, "seconds": seconds}])
    assert is_the_one(sandbox, create(harness))
    assert posts(sandbox) == 1


def test_the_settling_time_starts_at_the_lost_response(sandbox: Sandbox, harness: RunHarness) -> None:
    """The settling time is measured from the lost response, not from before the wait for a limit."""
    limit = {"action": "403_secondary", "op": CREATE}
    sandbox.plan([limit, {"action": "late_commit", "op": CREATE, "nth": 2, "seconds": 9}])
    assert is_the_one(sandbox, create(harness))
    assert posts(sandbox) == 2
    assert sandbox.untriggered_faults() == []


def test_a_limited_create_is_sent_again_without_listing(sandbox: Sandbox, harness: RunHarness) -> None:
    """A limited create was not applied, so it is sent again without a listing."""
    sandbox.plan([{"action": "429_secondary", "op": CREATE}])
    assert is_the_one(sandbox, create(harness))
    assert [request.method for request in sandbox.requests] == ["GET", "POST", "POST"]


@pytest.mark.parametrize("lag", ["list_lag=1", "list_lag=4", "list_lag_seconds=5", "list_lag_seconds=14"])
@pytest.mark.parametrize("action", ["reset_after", "no id"])
def test_a_lagging_listing_is_read_again(clock: VirtualClock, lag: str, action: str) -> None:
    """A budget that the first listings omit is found in a later one."""
    with Sandbox(clock=clock.wall, quirks=[lag]) as sandbox:
        harness = open_harness(sandbox, clock)
        if action == "no id":
            sandbox.switch("no_id_in_create")
        else:
            sandbox.plan([{"action": action, "op": CREATE}])
        assert is_the_one(sandbox, create(harness))
        assert posts(sandbox) == 1


def test_a_create_response_without_id_that_is_not_listed_is_an_error(clock: VirtualClock) -> None:
    """No second create is sent, and the next run adopts the budget."""
    with Sandbox(clock=clock.wall, quirks=["no_id_in_create", "list_lag_seconds=100"]) as sandbox:
        with pytest.raises(
            errors.OutcomeError, match=rf"{NO_ID}.* the next run lists first and adopts it if it exists"
        ):
            create(open_harness(sandbox, clock))
        assert posts(sandbox) == 1
        clock.sleep(100)
        stored = create(open_harness(sandbox, clock))
        assert is_the_one(sandbox, stored)
        assert stored.outputs["adopted"] is True


@pytest.mark.parametrize("listed", [True, False])
def test_a_create_response_with_an_existing_id_is_confirmed(
    sandbox: Sandbox, clock: VirtualClock, listed: bool
) -> None:
    """An id that was listed before the POST is not the new budget's, which is found in a listing."""
    sandbox.add_budget("enterprise", "octo-enterprise", budget_product_sku="packages", budget_type="ProductPricing")
    [before] = sandbox.budgets()
    create(open_harness(sandbox, clock))
    [_, new] = sandbox.budgets()

    def page(*budgets: Any) -> bytes:
        return answer(200, {"budgets": budgets, "has_next_page": False, "total_count": len(budgets)})

    told = answer(200, {"message": "Budget successfully created.", "budget": {**new, "id": before["id"]}})
    with WireServer(page(before), told, page(before, new) if listed else page(before)) as server:
        harness = open_harness(sandbox, clock, base_url=server.url)
        if listed:
            assert create(harness).outputs["budget_id"] == new["id"]
        else:
            with pytest.raises(errors.OutcomeError, match=NO_ID):
                create(harness)
        assert [heard.partition(" ")[0] for heard in server.heard].count("POST") == 1


@pytest.mark.parametrize("id_", ["", "a/b", "..", "a b", "x" * 101, 5, "\ud800"], ids=ascii)
def test_an_invalid_id_in_a_listing_is_in_the_way(sandbox: Sandbox, clock: VirtualClock, id_: Any) -> None:
    """The declared budget with an id that is not valid in a path is not created a second time."""
    sandbox.add_budget("enterprise", "octo-enterprise")
    strange = {"budgets": [{**sandbox.budgets()[0], "id": id_}], "has_next_page": False}
    with WireServer(answer(200, strange)) as server:
        with pytest.raises(errors.OutcomeError, match=r"as budget without an id, of which .* an unexpected id"):
            create(open_harness(sandbox, clock, base_url=server.url))
        assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"action": "500_before"}, "GitHub returned 500"),
        ({"action": "403_permission"}, "GitHub returned 403"),
        ({"action": "short_list"}, "The listing is incomplete and was not used"),
        ({"action": "403_primary", "seconds": 3000}, "GitHub's hourly limit requires a wait of"),
    ],
)
def test_an_unconfirmed_outcome_is_reported_as_unknown(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], fault: dict[str, Any], words: str
) -> None:
    """The error says that the budget may have been created, and the next run adopts it."""
    sandbox.plan([{"action": "reset_after", "op": CREATE}, {**fault, "op": LIST, "nth": 2, "times": 1000}])
    with pytest.raises(errors.OutcomeError, match=r"may have been created.* adopts it if it exists") as caught:
        create(new_run())
    assert words in str(caught.value)
    sandbox.plan([])
    assert is_the_one(sandbox, create(new_run()))
    assert posts(sandbox) == 1


@pytest.mark.parametrize("answer_", ["lost", "without id"])
def test_the_advice_for_an_unknown_outcome_under_error_is_true(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], answer_: str
) -> None:
    """Under `on_existing="error"` the error says that the next run stops, and how to adopt; both are true."""
    declared = {**PLAIN, "on_existing": "error"}
    if answer_ == "lost":
        failed_lists = {"action": "403_permission", "op": LIST, "nth": 2, "times": 1000}
        sandbox.plan([{"action": "reset_after", "op": CREATE}, failed_lists])
    else:
        sandbox.switch("no_id_in_create")
        sandbox.switch("list_lag_seconds=100")
    with pytest.raises(errors.OutcomeError, match=UNDER_ERROR):
        create(new_run(), declared)
    sandbox.plan([])
    sandbox.switch("list_lag_seconds=0")
    with pytest.raises(errors.OutcomeError, match=r"exists already as .*; it is as declared"):
        create(new_run(), declared)
    assert is_the_one(sandbox, create(new_run(), {**declared, "on_existing": "adopt_if_identical"}))
    assert posts(sandbox) == 1


def test_polling_continues_after_a_failed_listing(sandbox: Sandbox, harness: RunHarness) -> None:
    """While GitHub fails, the listing is read again."""
    sandbox.plan([{"action": "504_after", "op": CREATE}, {"action": "403_permission", "op": LIST, "nth": 2}])
    assert is_the_one(sandbox, create(harness))
    assert sandbox.untriggered_faults() == []


def test_an_unconfirmed_response_without_id_is_reported_as_unknown(sandbox: Sandbox, harness: RunHarness) -> None:
    """The outcome is also unknown if the response was readable but had no id."""
    sandbox.switch("no_id_in_create")
    sandbox.plan([{"action": "403_permission", "op": LIST, "nth": 2, "times": 1000}])
    with pytest.raises(
        errors.OutcomeError, match=r"may have been created: The reply has no new id\. It could not be looked up"
    ):
        create(harness)


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        ("octo-org/former", "octo-org/site", {"budget_scope": "repository", "budget_entity_name": "octo-org/site"}),
        ("former", "octocat", {"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits"}),
    ],
    ids=["a repository", "a user"],
)
def test_a_budget_that_gets_the_declared_name_meanwhile_is_not_ours(
    clock: VirtualClock, before: str, after: str, declared: dict[str, Any]
) -> None:
    """A budget that was there before is never the result of a create, also if a rename makes it the declared one."""
    field = "user" if declared["budget_scope"] == "user" else "budget_entity_name"

    def rename(request: Request) -> None:
        if request.method == "POST":
            sandbox.edit_budget(foreign["id"], **{field: after})

    with Sandbox(clock=clock.wall, on_request=rename) as sandbox:
        shown = {**PLAIN, **declared, field: before, "prevent_further_usage": declared["budget_scope"] == "user"}
        del shown["enterprise"]
        foreign = sandbox.add_budget("enterprise", "octo-enterprise", **shown)
        sandbox.plan([{"action": "reset_before", "op": CREATE, "times": 3}])
        with pytest.raises(errors.OutcomeError, match="was not created, as GitHub's listing shows"):
            create(open_harness(sandbox, clock), {**PLAIN, **declared})
        assert [budget["id"] for budget in sandbox.budgets()] == [foreign["id"]]


@pytest.mark.parametrize("amounts", [[501], [500, 500]])
def test_a_concurrently_created_budget_is_not_ours(clock: VirtualClock, amounts: list[int]) -> None:
    """A new budget with our key and other values, or two new ones, is an error."""

    def interfere(request: Request) -> None:
        if request.method == "POST":
            for amount in amounts:
                sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=amount)

    with Sandbox(clock=clock.wall, on_request=interfere) as sandbox:
        sandbox.plan([{"action": "reset_before", "op": CREATE}])
        with pytest.raises(errors.OutcomeError, match="appeared during the create") as caught:
            create(open_harness(sandbox, clock))
        assert all(budget["id"] in str(caught.value) for budget in sandbox.budgets())
        assert posts(sandbox) == 1


@pytest.mark.parametrize("status", ["401", "403_permission", "404", "410", "422"])
def test_a_refused_create_is_an_error(sandbox: Sandbox, harness: RunHarness, status: str) -> None:
    """GitHub's error is raised; nothing was created, and no listing is read."""
    sandbox.plan([{"action": status, "op": CREATE}])
    with pytest.raises(
        errors.ApiError, match=f"create a budget of enterprise octo-enterprise: GitHub returned {status[:3]}"
    ):
        create(harness)
    assert [request.method for request in sandbox.requests] == ["GET", "POST"]


def test_a_create_without_a_connection_is_not_confirmed(sandbox: Sandbox, clock: VirtualClock) -> None:
    """The error says that nothing was sent, and no listing is read."""
    settings = Settings(Credentials(Token(sandbox.token)), base_url=sandbox.url, write_interval_seconds=0)
    run = Run(lambda: settings, Listener(), clock, before_write=sandbox.stop)
    harness = replace(open_harness(sandbox, clock), run=run, enterprise=Lifecycle(ENTERPRISE_OWNER, run))
    with pytest.raises(errors.NotSentError, match="Nothing was sent"):
        create(harness)
    assert sandbox.budgets() == []


def test_a_refused_duplicate_is_found_and_adopted(sandbox: Sandbox, harness: RunHarness) -> None:
    """If GitHub refuses a second budget, the existing one is found in a new listing and adopted."""
    sandbox.switch("duplicates_refused")
    create(harness, OTHER, "urn::other")
    there = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)
    stored = create(harness)
    assert (stored.outputs["budget_id"], stored.outputs["adopted"]) == (there["id"], True)


def test_a_refused_duplicate_that_is_not_listed_is_an_error(sandbox: Sandbox, harness: RunHarness) -> None:
    """The error says that the budget exists but the listing does not show it."""
    for quirk in ("duplicates_refused", "list_lag_seconds=100"):
        sandbox.switch(quirk)
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500)
    with pytest.raises(errors.OutcomeError, match="exists already, but the listing does not show it"):
        create(harness)


def test_a_possible_match_is_not_duplicated(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """If the listing omits the owner of a repository, the create is an error that asks for a decision."""
    api = {**PLAIN, "budget_scope": "repository", "budget_entity_name": "octo-org/api"}
    stored = create(new_run(), api)
    sandbox.switch("bare_repository")
    with pytest.raises(
        errors.OutcomeError, match=f"may exist already as {stored.outputs['budget_id']}: GitHub's listing does not show"
    ):
        create(new_run(), {**api, "budget_entity_name": "octo-lab/api"})
    second = new_run()
    second.enterprise.check("urn::first", stored.inputs, api, NOTHING)
    second.enterprise.diff("urn::first", stored.id, stored.outputs, stored.inputs, NOTHING)
    create(second, {**api, "budget_entity_name": "octo-lab/api"}, "urn::second")
    assert len(sandbox.budgets()) == 2


@pytest.mark.parametrize("told", [False, True], ids=["per-member scope not told", "per-member scope told"])
def test_a_hard_cost_center_budget_may_be_a_per_member_budget(
    sandbox: Sandbox, harness: RunHarness, *, told: bool
) -> None:
    """Some accounts list both as `cost_center`; if the listing has the per-member scope, the match is certain."""
    per_member = {"budget_product_sku": "ai_credits", "budget_type": "BundlePricing", "prevent_further_usage": True}
    plain = {**per_member, "budget_scope": "cost_center", "budget_entity_name": "Platform"}
    there = sandbox.add_budget("enterprise", "octo-enterprise", **plain)
    if told:
        other = {**per_member, "budget_scope": "multi_user_cost_center", "budget_entity_name": "Data"}
        sandbox.add_budget("enterprise", "octo-enterprise", **other)
    wanted = {"enterprise": "octo-enterprise", "budget_amount": 5, **per_member}
    wanted |= {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"}
    if told:
        assert create(harness, wanted).outputs["adopted"] is False
    else:
        with pytest.raises(errors.OutcomeError, match=f"may exist already as {there['id']}"):
            create(harness, wanted)


def test_an_adoption_with_an_empty_response_counts_as_declared(sandbox: Sandbox, harness: RunHarness) -> None:
    """If the response to the PATCH omits the budget, the declared values are used."""
    there = sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=501)
    sandbox.plan([{"action": "wrong_fields", "op": "update_budget"}])
    alerting = {"will_alert": True, "alert_recipients": ["hubot"]}
    stored = create(harness, {**PLAIN, "on_existing": "adopt", "budget_alerting": alerting})
    assert stored.outputs["budget_id"] == there["id"]
    current = harness.enterprise.read(stored.id, stored.outputs)
    assert current is not None
    assert current.inputs == stored.inputs


def test_a_missing_expiry_differs_from_a_declared_one(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A budget without an expiry is adopted only if the policy allows setting the expiry."""
    person = {"budget_scope": "user", "user": "octocat", "budget_product_sku": "ai_credits"}
    stored = {"budget_entity_name": "octocat", "budget_type": "BundlePricing", "prevent_further_usage": True}
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=500, **person, **stored)
    declared = {**PLAIN, **person, "expires_at": "2027-01-31"}
    with pytest.raises(errors.OutcomeError, match="it differs in expires_at"):
        create(new_run(), declared)
    create(new_run(), {**declared, "on_existing": "adopt"})
    assert [request.body for request in sandbox.writes] == [{"expires_at": "2027-01-31"}]
    assert create(new_run(), declared).outputs["adopted"] is True


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ("Nobody", "no cost center of enterprise octo-enterprise has the name or id Nobody. Existing: Data, Platform"),
        (
            "PLATFORM",
            "more than one cost center of enterprise octo-enterprise has the name or id PLATFORM. Existing: ",
        ),
    ],
)
def test_an_ambiguous_or_missing_cost_center_is_an_error(
    sandbox: Sandbox, harness: RunHarness, entity: str, words: str
) -> None:
    """The error lists the existing names, and nothing is written."""
    if "more than one" in words:
        sandbox.rename_cost_center("Data", "platform")
    with pytest.raises(errors.ConfigError, match=words):
        create(harness, {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": entity})
    assert sandbox.writes == []
