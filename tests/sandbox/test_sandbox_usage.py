"""The sandbox's reports, consumed amounts, user states and exports agree with its ledger."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests
from githubkit import GitHub
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 18, 12, tzinfo=timezone.utc).timestamp()
START = datetime(2026, 11, 2, 12, tzinfo=timezone.utc).timestamp()
ENTERPRISE = "/enterprises/octo-enterprise/settings/billing"
ORGANIZATION = "/organizations/octo-org/settings/billing"
USER = "/users/octocat/settings/billing"
CREDITS: dict[str, Any] = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "prevent_further_usage": True,
}


class Clock:
    """A clock that tests advance."""

    now = NOW

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as served:
        yield served


@pytest.fixture(scope="module")
def still() -> Iterator[Sandbox]:
    """A shared sandbox that no test changes."""
    with Sandbox(clock=lambda: NOW) as served:
        yield served


def ask(sandbox: Sandbox, path: str, token: str = "", data: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}"}
    method = "GET" if data is None else "POST"
    return requests.request(method, sandbox.url + path, headers=headers, json=data, timeout=10)


def items(sandbox: Sandbox, path: str, **query: Any) -> list[dict[str, Any]]:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    reply = ask(sandbox, f"{path}?{text}" if text else path)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["usageItems"]
    return found


def total(found: list[dict[str, Any]], field: str = "netAmount") -> Decimal:
    return sum((Decimal(str(item[field])) for item in found), Decimal())


def centers(sandbox: Sandbox) -> list[str]:
    return [center["id"] for center in sandbox.cost_centers()]


PERIODS = st.one_of(
    st.fixed_dictionaries({"year": st.sampled_from([2025, 2026])}),
    st.fixed_dictionaries({"month": st.integers(1, 12)}),
    st.fixed_dictionaries({"year": st.sampled_from([2025, 2026]), "month": st.integers(1, 12)}),
    st.fixed_dictionaries({"day": st.integers(1, 30)}),
    st.fixed_dictionaries({"month": st.integers(1, 12), "day": st.integers(1, 28)}),
)


@settings(max_examples=8)
@given(period=PERIODS, field=st.sampled_from(["grossAmount", "discountAmount", "netAmount"]))
def test_sums_agree_over_every_grouping(still: Sandbox, period: dict[str, int], field: str) -> None:
    """For any period, the sums over days, SKUs, organizations, cost centers, repositories and users are equal."""
    whole = total(items(still, f"{ENTERPRISE}/usage/summary", **period), field)
    days = total(items(still, f"{ENTERPRISE}/usage", **period), field)
    days += sum(
        total(items(still, f"{ENTERPRISE}/usage", **period, cost_center_id=one), field) for one in centers(still)
    )
    summary = f"{ENTERPRISE}/usage/summary"
    organizations = [
        total(items(still, summary, **period, organization=login), field)
        for login in ("octo-org", "octo-lab", "octo-apps")
    ]
    by_center = [total(items(still, summary, **period, cost_center_id=one), field) for one in ("none", *centers(still))]
    assert [days, sum(organizations), sum(by_center)] == [whole] * 3
    for path, sku in (("ai_credit", "copilot_ai_credits"), ("premium_request", "Copilot Premium Request")):
        of_sku = total(items(still, summary, **period, sku=sku), field)
        by_model = total(items(still, f"{ENTERPRISE}/{path}/usage", **period), field)
        by_user = [
            total(items(still, f"{ENTERPRISE}/{path}/usage", **period, user=login), field)
            for login in ("octocat", "monalisa", "hubot")
        ]
        assert [by_model, sum(by_user)] == [of_sku] * 2


def test_gross_less_discount_is_net(still: Sandbox) -> None:
    """In every item, quantity times price is the gross amount, and gross minus discount is the net amount."""
    for item in items(still, f"{ENTERPRISE}/usage/summary", year=2026):
        price = Decimal(str(item["pricePerUnit"]))
        assert price * item["grossQuantity"] == Decimal(str(item["grossAmount"]))
        assert item["grossQuantity"] - item["discountQuantity"] == item["netQuantity"]
        assert total([item], "grossAmount") - total([item], "discountAmount") == total([item])


def test_the_usage_report_has_rows_by_day(still: Sandbox) -> None:
    """An item has a date, display names, an integer quantity and the repository, if any."""
    found = items(still, f"{ORGANIZATION}/usage", month=11, day=17)
    assert {item["date"] for item in found} == {"2026-11-17"}
    (website,) = [
        item for item in found if item.get("repositoryName") == "octo-org/website" and item["sku"] == "Actions Linux"
    ]
    assert (website["product"], website["unitType"], website["organizationName"]) == ("Actions", "minutes", "octo-org")
    assert isinstance(website["quantity"], int)
    assert any("repositoryName" not in item for item in found)
    assert all("organizationName" not in item for item in items(still, f"{USER}/usage"))


def test_the_ledger_covers_a_year_and_does_not_change(sandbox: Sandbox, clock: Clock) -> None:
    """Usage covers one year until today, and the figures of a past month never change."""
    days = {item["date"] for year in (2025, 2026) for item in items(sandbox, f"{ORGANIZATION}/usage", year=year)}
    assert (min(days), max(days)) == ("2025-11-01", "2026-11-18")
    before = items(sandbox, f"{ENTERPRISE}/usage/summary", month=10)
    clock.now += 5 * 86400
    assert items(sandbox, f"{ENTERPRISE}/usage/summary", month=10) == before


@pytest.mark.parametrize(
    ("query", "period"),
    [
        pytest.param("", {"year": 2026, "month": 11}, id="this month"),
        pytest.param("year=2026", {"year": 2026}, id="year"),
        pytest.param("month=12", {"year": 2026, "month": 12}, id="month"),
        pytest.param("year=2025&month=12", {"year": 2025, "month": 12}, id="month of a year"),
        pytest.param("day=3", {"year": 2026, "month": 11, "day": 3}, id="day"),
        pytest.param("year=2025&day=3", {"year": 2025, "month": 11, "day": 3}, id="day of a year"),
    ],
)
def test_the_reply_names_the_period(still: Sandbox, query: str, period: dict[str, int]) -> None:
    """The reply names its period, with GitHub's defaults."""
    body = ask(still, f"{ENTERPRISE}/usage/summary?{query}").json()
    assert (body["timePeriod"], body["enterprise"]) == (period, "octo-enterprise")


def test_filters_apply_and_are_in_the_reply(still: Sandbox) -> None:
    """A filter selects items and is repeated in the reply, a cost center with its name."""
    platform = centers(still)[0]
    body = ask(
        still, f"{ENTERPRISE}/ai_credit/usage?model=gpt-5&product=COPILOT&cost_center_id={platform}&user=HUBOT"
    ).json()
    assert {name: body[name] for name in ("model", "product", "user", "costCenter")} == {
        "model": "gpt-5",
        "product": "COPILOT",
        "user": "HUBOT",
        "costCenter": {"id": platform, "name": "Platform"},
    }
    assert {(item["model"], item["unitType"]) for item in body["usageItems"]} == {("GPT-5", "credits")}
    found = items(still, f"{ORGANIZATION}/usage/summary", repository="octo-org/api", sku="actions_linux")
    assert [item["sku"] for item in found] == ["actions_linux"]
    assert {item["unitType"] for item in items(still, f"{USER}/ai_credit/usage")} == {"ai-credits"}


@pytest.mark.parametrize(
    ("path", "status", "token"),
    [
        pytest.param(f"{ENTERPRISE}/usage?month=13", 400, "", id="month"),
        pytest.param(f"{ENTERPRISE}/usage?month=2&day=30", 400, "", id="day"),
        pytest.param(f"{ENTERPRISE}/usage/summary?year=2023", 400, "", id="older than 24 months"),
        pytest.param(f"{ENTERPRISE}/usage?year=2023", 200, "", id="older, usage report"),
        pytest.param(f"{ENTERPRISE}/usage?cost_center_id=other", 400, "", id="cost center"),
        pytest.param(f"{ENTERPRISE}/ai_credit/usage?user=nobody", 404, "", id="user"),
        pytest.param(f"{ENTERPRISE}/ai_credit/usage?organization=none", 404, "", id="organization"),
        pytest.param(f"{ORGANIZATION}/usage?cost_center_id=none", 422, "", id="no such filter"),
        pytest.param(f"{ORGANIZATION}/ai_credit/usage?user=octocat", 403, "sandbox-org-owner", id="owner and user"),
        pytest.param(f"{ENTERPRISE}/usage", 200, "sandbox-org-owner", id="owner at the enterprise"),
        pytest.param(f"{ENTERPRISE}/reports", 403, "sandbox-org-owner", id="owner and exports"),
        pytest.param("/users/monalisa/settings/billing/usage", 404, "", id="another user"),
        pytest.param("/users/nobody/settings/billing/usage", 404, "", id="nobody"),
        pytest.param(f"{USER}/usage", 200, "", id="oneself"),
    ],
)
def test_refused_usage_requests(still: Sandbox, path: str, status: int, token: str) -> None:
    """Invalid periods, unknown names and the usage of other users are refused with their status."""
    assert ask(still, path, token).status_code == status


def test_an_organization_owner_sees_its_organization(still: Sandbox) -> None:
    """The enterprise report of an organization owner has only that organization."""
    found = ask(still, f"{ENTERPRISE}/usage", "sandbox-org-owner").json()["usageItems"]
    assert {item["organizationName"] for item in found} == {"octo-org"}


def test_quirks_of_usage(sandbox: Sandbox) -> None:
    """Quirks switch monthly sums, empty days of this month, and empty reports of a user."""
    monthly = total(items(sandbox, f"{ORGANIZATION}/usage"))
    for quirk in ("monthly_usage", "current_days_zero", "user_usage_empty"):
        sandbox.switch(quirk)
    found = items(sandbox, f"{ORGANIZATION}/usage")
    assert {item["date"][8:] for item in found} == {"01"}
    assert total(found) == monthly
    assert items(sandbox, f"{ENTERPRISE}/ai_credit/usage", day=3) == []
    assert items(sandbox, f"{ENTERPRISE}/ai_credit/usage", month=10, day=3) != []
    assert items(sandbox, f"{ENTERPRISE}/ai_credit/usage") != []
    assert items(sandbox, f"{USER}/usage") == []


def budget(sandbox: Sandbox, clock: Clock, kind: str = "enterprise", **fields: Any) -> dict[str, Any]:
    """Add a budget on the second of this month."""
    clock.now = START
    slug = "octo-enterprise" if kind == "enterprise" else "octo-org"
    added = sandbox.add_budget(kind, slug, **{"prevent_further_usage": True, **fields})
    clock.now = NOW
    return added


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param({}, {"product": "actions"}, id="product"),
        pytest.param({"budget_product_sku": "git_lfs"}, {"product": "Git LFS"}, id="product of two words"),
        pytest.param(
            {"exclude_cost_center_usage": True}, {"product": "actions", "cost_center_id": "none"}, id="exclusion"
        ),
        pytest.param(
            {"budget_type": "SkuPricing", "budget_product_sku": "copilot_ai_credit"},
            {"sku": "copilot_ai_credits"},
            id="SKU in the singular",
        ),
        pytest.param(
            {"budget_scope": "organization", "budget_entity_name": "octo-apps"},
            {"product": "actions", "organization": "octo-apps"},
            id="organization",
        ),
        pytest.param(
            {"budget_scope": "repository", "budget_entity_name": "octo-org/api"},
            {"product": "actions", "repository": "octo-org/api"},
            id="repository",
        ),
        pytest.param(
            {**CREDITS, "budget_scope": "cost_center", "budget_entity_name": "Platform"},
            {"sku": "copilot_ai_credits", "cost_center_id": "PLATFORM"},
            id="cost center",
        ),
    ],
)
def test_consumed_amounts_follow_from_the_ledger(
    sandbox: Sandbox, clock: Clock, fields: dict[str, Any], query: dict[str, str]
) -> None:
    """The consumed amount of a budget equals the summary for its days, products and entity."""
    sandbox.switch("consumed_everywhere")
    path = f"{ENTERPRISE}/budgets/{budget(sandbox, clock, **fields)['id']}"
    query = {name: value.replace("PLATFORM", centers(sandbox)[0]) for name, value in query.items()}
    days = [total(items(sandbox, f"{ENTERPRISE}/usage/summary", day=day, **query)) for day in range(1, 19)]
    assert Decimal(str(ask(sandbox, path).json()["consumed_amount"])) == sum(days[1:])
    sandbox.switch("whole_month_counts")
    assert Decimal(str(ask(sandbox, path).json()["consumed_amount"])) == sum(days)


def test_a_budget_of_licenses_counts_licenses(sandbox: Sandbox, clock: Clock) -> None:
    """For licenses, the consumed amount is their number; an organization's budget counts only its own."""
    for quirk in ("consumed_everywhere", "whole_month_counts"):
        sandbox.switch(quirk)
    seats = {"budget_type": "SkuPricing", "budget_product_sku": "copilot_for_business"}
    whole = budget(sandbox, clock, **seats)
    own = budget(sandbox, clock, "organization", **seats)
    assert ask(sandbox, f"{ENTERPRISE}/budgets/{whole['id']}").json()["consumed_amount"] == 3
    assert ask(sandbox, f"{ORGANIZATION}/budgets/{own['id']}").json()["consumed_amount"] == 2


def test_user_states_follow_from_the_ledger(sandbox: Sandbox, clock: Clock) -> None:
    """A user state is the gross usage against the target; an own budget overrides it."""
    universal = budget(sandbox, clock, **CREDITS, budget_scope="multi_user_customer", budget_amount=15)
    own = budget(sandbox, clock, **CREDITS, budget_scope="user", user="hubot", budget_entity_name="hubot")
    path = f"{ENTERPRISE}/budgets/{universal['id']}/user-states"
    body = ask(sandbox, path).json()
    states = {state["user"]: state for state in body["user_states"]}
    assert (set(states), body["has_next_page"], body["total_count"]) == ({"octocat", "monalisa", "hubot"}, False, 3)
    for user, state in states.items():
        found = [items(sandbox, f"{ENTERPRISE}/ai_credit/usage", day=day, user=user) for day in range(2, 19)]
        assert Decimal(str(state["consumed_amount"])) == sum(total(day, "grossAmount") for day in found)
    assert (states["hubot"]["target_amount"], states["hubot"]["override_budget_id"]) == (0, own["id"])
    assert (states["octocat"]["target_amount"], "override_budget_id" in states["octocat"]) == (15, False)
    listed = [state["user"] for state in ask(sandbox, f"{path}?sort_order=1").json()["user_states"]]
    assert listed == sorted(states, key=lambda user: states[user]["consumed_amount"])
    first, second = (ask(sandbox, f"{path}?per_page=2&page={page}").json() for page in (1, 2))
    assert [len(first["user_states"]), len(second["user_states"])] == [2, 1]
    assert [first["has_next_page"], second["has_next_page"]] == [True, False]
    assert [state["user"] for state in ask(sandbox, f"{path}?user=OCTOCAT").json()["user_states"]] == ["octocat"]
    # The percentage is of the universal amount, also for a user with an own budget.
    over = {user for user, state in states.items() if state["consumed_amount"] >= 15}
    assert {state["user"] for state in ask(sandbox, f"{path}?threshold_lower_bound=100").json()["user_states"]} == over
    under = ask(sandbox, f"{path}?threshold_upper_bound=99").json()["user_states"]
    assert {state["user"] for state in under} == set(states) - over
    assert ask(sandbox, path.replace(universal["id"], own["id"])).status_code == 404
    assert ask(sandbox, path, "sandbox-org-owner").status_code == 403


def test_the_effective_budget_is_the_nearest(sandbox: Sandbox, clock: Clock) -> None:
    """The effective budget of a user is the own one, else the cost center's, else the universal one, else none."""
    path = f"{ENTERPRISE}/budgets?user=hubot"
    assert "effective_budget" not in ask(sandbox, path).json()
    for fields in (
        {"budget_scope": "multi_user_customer"},
        {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"},
        {"budget_scope": "user", "user": "hubot", "budget_entity_name": "hubot"},
    ):
        added = budget(sandbox, clock, **CREDITS, budget_amount=5, **fields)
        body = ask(sandbox, path).json()
        assert (body["user"], body["effective_budget"]["id"]) == ("hubot", added["id"])
        assert [entry.get("consumed_amount") for entry in body["budgets"]] == [
            body["effective_budget"]["consumed_amount"]
        ] * len(body["budgets"])
    other = ask(sandbox, f"{ENTERPRISE}/budgets?user=octocat").json()
    assert other["effective_budget"]["id"] == other["budgets"][0]["id"]


def test_a_hard_budget_shows_whom_it_blocks(sandbox: Sandbox, clock: Clock) -> None:
    """An exhausted hard budget names its entity or, if multi-user, the users above their target."""
    soft = budget(sandbox, clock, prevent_further_usage=False)
    hard = budget(sandbox, clock)
    wide = budget(sandbox, clock, budget_amount=10**9)
    users = budget(sandbox, clock, **CREDITS, budget_scope="multi_user_customer", budget_amount=0)
    none = budget(sandbox, clock, **CREDITS, budget_scope="multi_user_customer", budget_amount=10**9)
    own = budget(sandbox, clock, **CREDITS, budget_scope="user", user="hubot", budget_entity_name="hubot")
    assert sandbox.blocked() == [
        {"budget_id": hard["id"], "budget_scope": "enterprise", "blocks": ["octo-enterprise"]},
        {"budget_id": users["id"], "budget_scope": "multi_user_customer", "blocks": ["monalisa", "octocat"]},
        {"budget_id": own["id"], "budget_scope": "user", "blocks": ["hubot"]},
    ]
    assert {soft["id"], wide["id"], none["id"]}.isdisjoint(stop["budget_id"] for stop in sandbox.blocked())


def export(sandbox: Sandbox, **fields: Any) -> requests.Response:
    body = {"report_type": "detailed", "start_date": "2026-11-01", **fields}
    return ask(sandbox, f"{ENTERPRISE}/reports", data={key: value for key, value in body.items() if value is not ...})


def test_an_export_is_created_polled_and_downloaded(sandbox: Sandbox) -> None:
    """An export is created, processed and completed; its CSV equals the summary and needs no token."""
    accepted = export(sandbox, end_date="2026-11-17", send_email=False)
    assert (accepted.status_code, accepted.json()["status"], accepted.json()["actor"]) == (202, "processing", "octocat")
    refused = export(sandbox)
    assert (refused.status_code, "in progress" in refused.json()["message"]) == (409, True)
    path = f"{ENTERPRISE}/reports/{accepted.json()['id']}"
    seen = [ask(sandbox, path).json() for _ in range(2)]
    assert [body["status"] for body in seen] == ["processing", "completed"]
    (url,) = seen[1]["download_urls"]
    reply = requests.get(url, timeout=10)
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in csv.DictReader(io.StringIO(reply.text)):
        sums[line["sku"]] += Decimal(line["net_amount"])
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for day in range(1, 18):
        for item in items(sandbox, f"{ENTERPRISE}/usage/summary", day=day):
            expected[item["sku"]] += Decimal(str(item["netAmount"]))
    assert sums == expected
    assert ask(sandbox, f"{ENTERPRISE}/reports").json()["usage_report_exports"] == [seen[1]]
    assert sandbox.misdirected_requests == []
    requests.get(url, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=10)
    assert sandbox.misdirected_requests == [f"a token was sent to /{accepted.json()['id']}.csv"]
    assert requests.get(url.replace(".csv", "0.csv"), timeout=10).status_code == 404
    assert ask(sandbox, f"{path}0").status_code == 404


def test_an_export_has_only_the_rows_of_its_type(sandbox: Sandbox, clock: Clock) -> None:
    """An AI-credit export has no other SKUs; it also completes by time, and is kept for 31 days."""
    asked = export(sandbox, report_type="ai_credit").json()
    clock.now += 5
    (listed,) = ask(sandbox, f"{ENTERPRISE}/reports").json()["usage_report_exports"]
    assert (listed["id"], listed["status"], listed["end_date"]) == (asked["id"], "completed", "2026-11-18")
    lines = list(csv.DictReader(io.StringIO(requests.get(listed["download_urls"][0], timeout=10).text)))
    assert {line["sku"] for line in lines} == {"copilot_ai_credits"}
    assert {line["cost_center_name"] for line in lines} == {"", "Platform"}
    sandbox.restore(sandbox.snapshot())
    clock.now += 31 * 86400
    assert ask(sandbox, f"{ENTERPRISE}/reports").json()["usage_report_exports"] == []


def test_an_export_can_fail(sandbox: Sandbox, clock: Clock) -> None:
    """With export_fails, an export fails and has no URL."""
    sandbox.switch("export_fails")
    export(sandbox)
    clock.now += 5
    (listed,) = ask(sandbox, f"{ENTERPRISE}/reports").json()["usage_report_exports"]
    assert (listed["status"], "download_urls" in listed) == ("failed", False)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"report_type": ...}, "Missing required fields: report_type", id="missing"),
        pytest.param({"report_type": "short"}, "one of detailed", id="type"),
        pytest.param({"send_email": "no"}, "send_email", id="mail"),
        pytest.param({"start_date": "yesterday"}, "start_date", id="form"),
        pytest.param({"start_date": 5}, "start_date", id="number"),
        pytest.param({"start_date": "2026-10-01"}, "31 days", id="too long"),
        pytest.param({"start_date": "2026-12-01", "end_date": "2026-12-02"}, "31 days", id="future"),
        pytest.param({"start_date": "2026-11-05", "end_date": "2026-11-04"}, "31 days", id="backwards"),
        pytest.param({"start_date": "2024-01-01", "end_date": "2024-01-02"}, "24 months", id="too old"),
    ],
)
def test_an_invalid_export_is_refused(sandbox: Sandbox, fields: dict[str, Any], text: str) -> None:
    """An invalid export gets 400 with a text that names the rule."""
    reply = export(sandbox, **fields)
    assert (reply.status_code, text in reply.json()["message"]) == (400, True), reply.text


def test_githubkit_parses_every_report(sandbox: Sandbox, clock: Clock) -> None:
    """The models of githubkit parse every report, user state and export."""
    universal = budget(sandbox, clock, **CREDITS, budget_scope="multi_user_customer", budget_amount=15)
    with GitHub(sandbox.token, base_url=f"{sandbox.url}/", auto_retry=False, http_cache=False) as github:
        rest: Any = github.rest("ghec-2026-03-10").billing
        plain: Any = github.rest("2026-03-10").billing
        name = "octo-enterprise"
        states = rest.get_budget_user_states(name, universal["id"], sort_order=1).parsed_data
        assert len(states.user_states) == 3
        assert rest.get_all_budgets(name, user="hubot").parsed_data.effective_budget.id == universal["id"]
        reports = [
            rest.get_github_billing_usage_report_ghe(name, year=2026),
            rest.get_github_billing_usage_summary_report_ghe(name, cost_center_id=centers(sandbox)[0]),
            rest.get_github_billing_premium_request_usage_report_ghe(name, user="hubot"),
            rest.get_github_billing_ai_credit_usage_report_ghe(name, organization="octo-org"),
            plain.get_github_billing_usage_report_org("octo-org"),
            plain.get_github_billing_usage_summary_report_org("octo-org"),
            plain.get_github_billing_premium_request_usage_report_org("octo-org"),
            plain.get_github_billing_ai_credit_usage_report_org("octo-org"),
            plain.get_github_billing_usage_report_user("octocat"),
            plain.get_github_billing_usage_summary_report_user("octocat"),
            plain.get_github_billing_premium_request_usage_report_user("octocat"),
            plain.get_github_billing_ai_credit_usage_report_user("octocat"),
        ]
        assert all(report.parsed_data.usage_items for report in reports)
        made = rest.create_usage_report_export(name, report_type="summarized", start_date="2026-11-01").parsed_data
        assert rest.get_usage_report_export(name, made.id).parsed_data.status == "processing"
        assert rest.list_usage_report_exports(name).parsed_data.usage_report_exports[0].id == made.id


def test_all_33_operations_are_served() -> None:
    """The table of routes has the 33 operations on billing of GitHub's description, each once, and others."""
    billing = [(route.method, route.path) for route in ROUTES if "/settings/billing/" in route.path]
    assert len(set(billing)) == len(billing) == 33


def test_thresholds_are_of_the_universal_amount(sandbox: Sandbox, clock: Clock) -> None:
    """A user with a larger own budget is found by the percentage of the universal amount; case does not matter."""
    universal = budget(sandbox, clock, **CREDITS, budget_scope="multi_user_customer", budget_amount=1)
    fields: dict[str, Any] = {"user": "HUBOT", "budget_entity_name": "HUBOT", "budget_amount": 10_000}
    own = budget(sandbox, clock, **CREDITS, budget_scope="user", **fields)
    path = f"{ENTERPRISE}/budgets/{universal['id']}/user-states?threshold_lower_bound=100"
    states = {state["user"]: state for state in ask(sandbox, path).json()["user_states"]}
    assert set(states) == {"octocat", "monalisa", "hubot"}
    assert (states["hubot"]["target_amount"], states["hubot"]["override_budget_id"]) == (10_000, own["id"])
    (stop,) = sandbox.blocked()
    assert set(stop["blocks"]) == {"octocat", "monalisa"}


def test_licenses_are_in_the_usage(sandbox: Sandbox, clock: Clock) -> None:
    """GHAS licenses are usage with their own price, and the consumption of a budget."""
    sandbox.spend("octo-org", "ghas_licenses", 5)
    (item,) = [item for item in items(sandbox, f"{ENTERPRISE}/usage/summary") if item["product"] == "GHAS"]
    assert (item["sku"], item["grossQuantity"], item["netAmount"]) == ("ghas_licenses", 5, 245)
    sandbox.switch("consumed_everywhere")
    sandbox.switch("whole_month_counts")
    seats = budget(sandbox, clock, budget_type="SkuPricing", budget_product_sku="ghas_licenses")
    assert ask(sandbox, f"{ENTERPRISE}/budgets/{seats['id']}").json()["consumed_amount"] == 5
