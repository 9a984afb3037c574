"""Queries against a real sandbox: filters, owners, cost centers, budgets and users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError, TransportError
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.models import AiCreditPool, CostCenterResource
from billing_provider.reader import Reader
from billing_provider.usage.models import FILTERS, CostCenterName, TimePeriod, exact_sum
from billing_provider.usage.user_states import EffectiveBudget, UserState, UserStatesApi
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
QUIET = {"will_alert": False, "alert_recipients": []}
CREDITS = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "budget_amount": 10,
    "prevent_further_usage": True,
    "budget_alerting": QUIET,
}


@pytest.fixture
def reader(harness: RunHarness) -> Reader:
    return Reader(harness.run)


def sent(sandbox: Sandbox) -> list[tuple[str, dict[str, str]]]:
    return [(request.path.rpartition("/billing/")[2], request.query) for request in sandbox.requests]


def test_all_cost_centers_adds_one_request_for_each_cost_center(sandbox: Sandbox, reader: Reader) -> None:
    """The lines of all cost centers are added with their cost center, and the sum equals the summary's."""
    outside = reader.usage(enterprise=E, month=8)
    assert outside.leaves_out_cost_centers
    assert all(item.cost_center is None for item in outside.usage_items)
    sandbox.forget_requests()
    whole = reader.usage(enterprise=E, month=8, all_cost_centers=True)
    platform, data = sandbox.cost_centers()
    assert sent(sandbox) == [
        ("usage", {"year": "2026", "month": "8"}),
        ("cost-centers", {}),
        ("usage", {"year": "2026", "month": "8", "cost_center_id": platform["id"]}),
        ("usage", {"year": "2026", "month": "8", "cost_center_id": data["id"]}),
    ]
    summary = reader.summary("usage/summary", enterprise=E, month=8)
    assert (whole.gross_amount, whole.net_amount) == (summary.gross_amount, summary.net_amount)
    assert not whole.leaves_out_cost_centers
    parts = {item.cost_center for item in whole.usage_items}
    assert parts == {None, CostCenterName(platform["id"], "Platform"), CostCenterName(data["id"], "Data")}
    one = reader.usage(enterprise=E, month=8, cost_center="platform")
    assert one.usage_items == [item for item in whole.usage_items if item.cost_center == one.usage_items[0].cost_center]
    assert not one.leaves_out_cost_centers
    assert reader.usage(enterprise=E, month=8, cost_center="none") == outside


def test_progress_over_cost_centers_is_shown(harness: RunHarness, reader: Reader) -> None:
    """The status line names the cost center of each additional request."""
    reader.usage(enterprise=E, all_cost_centers=True)
    assert harness.reporter.statuses == [
        "usage of cost center 1 of 2: Platform",
        "usage of cost center 2 of 2: Data",
    ]


@pytest.mark.parametrize("given", [{"organization": "octo-org"}, {"enterprise": E, "cost_center": "Data"}], ids=str)
def test_all_cost_centers_is_for_whole_enterprises_only(given: dict[str, str], reader: Reader) -> None:
    """`all_cost_centers` is refused for other owners and with a cost center."""
    with pytest.raises(ConfigError, match="all_cost_centers"):
        reader.usage(**given, all_cost_centers=True)


OWNERS = {"enterprise": {"enterprise": E}, "organization": {"organization": "octo-org"}, "user": {"user": "octocat"}}
VALUES = {
    "organization": "octo-org",
    "repository": "octo-org/website",
    "user": "hubot",
    "model": "GPT-5",
    "product": "Copilot",
    "sku": "copilot_ai_credits",
    "cost_center_id": "Platform",
}
REPORTS = {
    "usage": lambda reader, given: reader.usage(**given),
    "usage/summary": lambda reader, given: reader.summary("usage/summary", **given),
    "premium_request/usage": lambda reader, given: reader.summary("premium_request/usage", **given),
    "ai_credit/usage": lambda reader, given: reader.summary("ai_credit/usage", **given),
}


@pytest.mark.parametrize("noun", OWNERS)
@pytest.mark.parametrize("report", REPORTS)
def test_supported_filters_are_sent_and_others_refused(
    report: Any, noun: str, sandbox: Sandbox, reader: Reader
) -> None:
    """Each supported filter of a report is sent to GitHub; every other filter is refused, and nothing is sent."""
    takes = FILTERS[report][noun]
    for name, value in VALUES.items():
        public = "cost_center" if name == "cost_center_id" else name
        given = {**OWNERS[noun], public: value}
        if public in OWNERS[noun] or (public in OWNERS and tuple(OWNERS).index(public) < tuple(OWNERS).index(noun)):
            continue
        sandbox.forget_requests()
        if name in takes:
            found = REPORTS[report](reader, {**given, "year": 2026, "month": 8})
            assert found.time_period == TimePeriod(2026, 8)
            path, query = sent(sandbox)[-1]
            assert (path, query["year"], query["month"]) == (report, "2026", "8")
            assert query[name] == (sandbox.cost_centers()[0]["id"] if name == "cost_center_id" else value)
        else:
            with pytest.raises(
                ConfigError, match=f"{public}: the report {report} of an {noun} supports only year, month, day"
            ):
                REPORTS[report](reader, given)
            assert sandbox.requests == []


@pytest.mark.parametrize(
    ("given", "period"),
    [
        ({}, TimePeriod(2026, 9)),
        ({"month": 8}, TimePeriod(2026, 8)),
        ({"month": 8.0}, TimePeriod(2026, 8)),
        ({"year": 2025}, TimePeriod(2025)),
        ({"day": 3}, TimePeriod(2026, 9, 3)),
        ({"year": 2026, "month": 2, "day": 3}, TimePeriod(2026, 2, 3)),
    ],
    ids=str,
)
def test_default_periods_are_sent(given: dict[str, int], period: TimePeriod, reader: Reader) -> None:
    """Missing parts of the period are filled in, so that GitHub returns the same period."""
    assert reader.summary("usage/summary", organization="octo-org", **given).time_period == period


def test_the_default_period_of_the_usage_report_is_the_year(sandbox: Sandbox, reader: Reader) -> None:
    """Without a period, the usage report covers the current year, as on GitHub."""
    assert reader.usage(organization="octo-org").time_period == TimePeriod(2026)
    assert reader.usage(organization="octo-org", day=3).time_period == TimePeriod(2026, 9, 3)
    assert [query for _, query in sent(sandbox)] == [{"year": "2026"}, {"year": "2026", "month": "9", "day": "3"}]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"month": 13}, "this date does not exist"),
        ({"year": 2026, "month": 2, "day": 30}, "this date does not exist"),
        ({"month": "8"}, "month: write a whole number"),
        ({"month": 8.5}, "month: write a whole number"),
        ({"day": True}, "day: write a whole number"),
    ],
    ids=str,
)
def test_an_invalid_period_is_refused(given: dict[str, Any], words: str, sandbox: Sandbox, reader: Reader) -> None:
    """For a date that does not exist nothing is sent."""
    with pytest.raises(ConfigError, match=words):
        reader.summary("usage/summary", organization="octo-org", **given)
    assert sandbox.requests == []


def test_a_missing_owner_is_refused(reader: Reader) -> None:
    """Without an owner, the error lists the possible kinds of owner."""
    with pytest.raises(ConfigError, match="set the owner: one of enterprise, organization, user"):
        reader.summary("usage/summary", enterprise=None)


def test_days_of_the_current_month_are_unknown_in_reports_by_model(sandbox: Sandbox, reader: Reader) -> None:
    """Reports by model show 0 for single days of the current month; the totals are None for a day only."""
    sandbox.switch("current_days_zero")
    assert reader.summary("ai_credit/usage", enterprise=E, day=10).net_amount is None
    assert reader.summary("ai_credit/usage", enterprise=E).net_amount
    assert reader.summary("ai_credit/usage", enterprise=E, month=8, day=10).net_amount is not None


def test_cost_centers_are_read_by_state_id_and_name(sandbox: Sandbox, reader: Reader) -> None:
    """The listing is requested once and filtered by state; one cost center is read with all its members."""
    platform = sandbox.cost_centers()[0]
    assert [center.name for center in reader.cost_centers(enterprise=E)] == ["Platform", "Data"]
    assert reader.cost_centers(enterprise=E, state="deleted") == []
    for name in ("Platform", "PLATFORM", platform["id"]):
        center = reader.cost_center(enterprise=E, cost_center=name)
        assert center.resources == (CostCenterResource("User", "monalisa"), CostCenterResource("User", "hubot"))
        assert (center.members("users"), center.members("organizations")) == (["monalisa", "hubot"], [])
    assert [path for path, _ in sent(sandbox)].count("cost-centers") == 1
    sandbox.rename_cost_center("Data", "Figures")
    assert reader.cost_center(enterprise=E, cost_center="Figures").members("organizations") == ["octo-lab"]
    with pytest.raises(
        ConfigError,
        match=r"no cost center of enterprise octo-enterprise has the name or id Nobody\. Existing: Figures, Plat",
    ):
        reader.cost_center(enterprise=E, cost_center="Nobody")
    with pytest.raises(ConfigError, match="state: write active or deleted"):
        reader.cost_centers(enterprise=E, state="gone")


def test_an_archived_cost_center_is_found_by_name(new_run: Callable[..., RunHarness]) -> None:
    """It is found if no active one has the name; a name of several cost centers is refused."""
    rows = [
        {"id": "1", "name": "Old", "state": "deleted", "resources": []},
        {"id": "2", "name": "Twice", "resources": []},
        {"id": "3", "name": "TWICE", "resources": []},
        {"id": "4", "name": "Pool", "resources": [], "ai_credit_pool_state": {"target_amount": 5.5}},
    ]
    with WireServer(answer(200, {"costCenters": rows}), answer(200, rows[0]), answer(200, rows[3])) as server:
        reader = Reader(new_run(base_url=server.url).run)
        assert reader.cost_center(enterprise=E, cost_center="old").state == "deleted"
        pool = reader.cost_center(enterprise=E, cost_center="4")
        assert pool.ai_credit_pool_state == AiCreditPool(5.5, None)
        with pytest.raises(ConfigError, match=r"more than one cost center of .* has the name or id twice"):
            reader.cost_center(enterprise=E, cost_center="twice")


def test_members_are_read_from_all_pages(
    sandbox: Sandbox, reader: Reader, harness: RunHarness, enterprise: Owner
) -> None:
    """Each member of a large cost center is returned once."""
    names = [f"user-{number}" for number in range(130)]
    data = sandbox.cost_centers()[1]["id"]
    calls = harness.run.api(CostCentersApi)
    for start in range(0, 130, 50):
        calls.add_resources(enterprise, data, "users", names[start : start + 50])
    center = reader.cost_center(enterprise=E, cost_center="Data")
    assert center.members("users") == names


def test_budgets_are_read_with_all_filters(sandbox: Sandbox, reader: Reader) -> None:
    """All pages, one scope, one user and one budget are read; fields missing in the response are None."""
    for number in range(120):
        sandbox.add_budget("enterprise", E, **CREDITS, budget_scope="user", user=f"user-{number}")
    fields = {"budget_type": "ProductPricing", "budget_product_sku": "actions", "budget_amount": 5}
    alerting = {"will_alert": True, "alert_recipients": ["octocat"]}
    sandbox.add_budget(
        "enterprise", E, **fields, budget_scope="enterprise", prevent_further_usage=False, budget_alerting=alerting
    )
    assert len(reader.budgets(enterprise=E)) == 121
    (actions,) = reader.budgets(enterprise=E, scope="enterprise")
    assert (actions.budget_amount, actions.will_alert, actions.alert_recipients) == (5, True, ["octocat"])
    assert actions.consumed_amount is None
    assert reader.budget(enterprise=E, budget_id=actions.id) == actions
    assert reader.budgets(organization="octo-org") == []
    sandbox.forget_requests()
    reader.budgets(enterprise=E, scope="user", user="hubot")
    assert sent(sandbox)[0][1] == {"page": "1", "per_page": "100", "user": "hubot"}
    with pytest.raises(NotFoundError):
        reader.budget(organization="octo-org", budget_id=actions.id)
    for wrong in ({}, {"enterprise": E, "organization": "octo-org"}):
        with pytest.raises(ConfigError, match="either enterprise or organization"):
            reader.budgets(**wrong)


def test_missing_alerting_is_none(new_run: Callable[..., RunHarness]) -> None:
    """A budget without `budget_alerting` in the response has None for the flag and the recipients."""
    budget = {"id": "1", "budget_amount": 5, "budget_product_sku": "actions", "budget_scope": "user"}
    with WireServer(answer(200, {**budget, "prevent_further_usage": True})) as server:
        found = Reader(new_run(base_url=server.url).run).budget(enterprise=E, budget_id="1")
    assert (found.will_alert, found.alert_recipients, found.budget_type) == (None, None, None)


def test_the_effective_budget_of_a_user(sandbox: Sandbox, reader: Reader) -> None:
    """A user's own budget precedes the one for all users; without a budget only the login is returned."""
    assert reader.effective_budget(enterprise=E, user="hubot") == EffectiveBudget("hubot")
    everybody = sandbox.add_budget("enterprise", E, **CREDITS, budget_scope="multi_user_customer")
    found = reader.effective_budget(enterprise=E, user="hubot")
    assert (found.budget_id, found.budget_amount) == (everybody["id"], 10)
    own = sandbox.add_budget("enterprise", E, **{**CREDITS, "budget_amount": 99}, budget_scope="user", user="hubot")
    found = reader.effective_budget(enterprise=E, user="hubot")
    assert (found.user, found.budget_id, found.budget_amount) == ("hubot", own["id"], 99)


def test_user_states_are_sorted_and_filtered(sandbox: Sandbox, reader: Reader) -> None:
    """All users of a budget are returned, highest usage first by default, with every filter."""
    sandbox.switch("whole_month_counts")
    budget = sandbox.add_budget("enterprise", E, **CREDITS, budget_scope="multi_user_customer")
    states = reader.user_states(enterprise=E, budget_id=budget["id"])
    used = [state.consumed_amount for state in states]
    assert len(states) > 1
    assert used == sorted(used, reverse=True)
    assert reader.user_states(enterprise=E, budget_id=budget["id"], rising=True) == states[::-1]
    assert reader.user_states(enterprise=E, budget_id=budget["id"], user="hubot") == [
        state for state in states if state.user == "hubot"
    ]
    sandbox.forget_requests()
    reader.user_states(enterprise=E, budget_id=budget["id"], threshold_lower_bound=1, threshold_upper_bound=90)
    (query,) = [query for _, query in sent(sandbox)]
    assert (query["threshold_lower_bound"], query["threshold_upper_bound"], query["sort_order"]) == ("1", "90", "0")
    total = exact_sum(used)
    usage = reader.summary("ai_credit/usage", enterprise=E)
    assert usage.gross_amount is not None
    assert 0 < total <= usage.gross_amount


STATE = {"consumed_amount": 1.5, "target_amount": 3}


def test_user_states_are_read_from_all_pages(enterprise: Owner, new_run: Callable[..., RunHarness]) -> None:
    """Pages are read until GitHub announces no more; a page without new rows is an error."""
    pages = [answer(200, {"user_states": [STATE], "has_next_page": more}) for more in (True, False)]
    with WireServer(*pages) as server:
        calls = UserStatesApi(new_run(base_url=server.url).run.transport)
        assert list(calls.list_user_states(enterprise, "1")) == [UserState(1.5, 3.0)] * 2
    assert ["page=1" in server.heard[0], "page=2" in server.heard[1]] == [True, True]
    with WireServer(answer(200, {"user_states": [], "has_next_page": True})) as server:
        calls = UserStatesApi(new_run(base_url=server.url).run.transport)
        with pytest.raises(TransportError, match="no new rows"):
            list(calls.list_user_states(enterprise, "1"))


@pytest.mark.parametrize("body", [{"user_states": "none"}, {"user_states": [{}]}, {"effective_budget": ["x"]}], ids=str)
def test_invalid_user_responses_are_errors(
    body: dict[str, Any], enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """An invalid response is an error that names the request."""
    with WireServer(answer(200, body)) as server:
        calls = UserStatesApi(new_run(base_url=server.url).run.transport)
        if "user_states" in body:
            with pytest.raises(TransportError, match=r"no list of user states|no consumed_amount in row 1"):
                list(calls.list_user_states(enterprise, "1"))
        else:
            with pytest.raises(TransportError, match="effective budget of hubot"):
                calls.get_effective_budget(enterprise, "hubot")


@pytest.mark.parametrize("budget_id", ["../other", "", "a b", 5])
def test_an_invalid_budget_id_in_a_user_response_is_an_error(
    budget_id: Any, enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """The budget ids of an effective budget and of a user state are validated."""
    effective = answer(200, {"effective_budget": {"id": budget_id}})
    states = answer(200, {"user_states": [{**STATE, "override_budget_id": budget_id}], "has_next_page": False})
    with WireServer(effective, states) as server:
        api = UserStatesApi(new_run(base_url=server.url).run.transport)
        with pytest.raises(TransportError, match="read the effective budget of hubot"):
            api.get_effective_budget(enterprise, "hubot")
        with pytest.raises(TransportError, match="read the user states of budget 1"):
            list(api.list_user_states(enterprise, "1"))


def test_a_missing_permission_is_an_error(new_run: Callable[..., RunHarness]) -> None:
    """A refused report is an error, not an empty report."""
    reader = Reader(new_run(token="sandbox-fine-grained").run)
    with pytest.raises(ForbiddenError, match="Resource not accessible by personal access token"):
        reader.summary("usage/summary", enterprise=E)
