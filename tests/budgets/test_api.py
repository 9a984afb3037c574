"""Budget API client: requests, accepted responses, and complete listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from billing_provider.budgets.api import BudgetsApi
from billing_provider.core import errors
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.core.settings import Settings
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.transport.http import Transport
from billing_provider.transport.pacing import Pacer
from billing_provider.transport.rest import billing_path
from billing_provider.usage.report_exports_api import ReportExportsApi
from billing_provider.usage.user_states import UserStatesApi
from tests.support.clock import VirtualClock
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

BIG = Owner(ENTERPRISE_OWNER, "octo-enterprise")
ORG = Owner(ORGANIZATION_OWNER, "octo-org")


def client_of(url: str) -> BudgetsApi:
    clock = VirtualClock()
    settings = Settings(Credentials(Token("sandbox-owner-token")), base_url=url, write_interval_seconds=0.0)
    return BudgetsApi(Transport(settings, Pacer(settings, clock, lambda *_: None), clock, lambda: None))


def budget(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "budget_amount": 5,
        "budget_product_sku": "actions",
        "budget_scope": "enterprise",
        "prevent_further_usage": False,
    }


def page(*names: str, **more: Any) -> bytes:
    link = more.pop("link", None)
    return answer(200, {"budgets": [budget(name) for name in names], **more}, **({"link": link} if link else {}))


NEXT = '<http://127.0.0.1/?page=2>; rel="next"'


@pytest.mark.parametrize(
    ("pages", "found", "requests"),
    [
        # One page is all, told by the flag, by the count, by the header or by an empty page.
        ([page("a", "b", has_next_page=False, total_count=2)], "ab", 1),
        ([page("a", "b", has_next_page=False)], "ab", 1),
        ([page("a", "b", total_count=2)], "ab", 1),
        ([page("a", "b"), page()], "ab", 2),
        ([page(has_next_page=False, total_count=0)], "", 1),
        # Several pages.
        ([page("a", has_next_page=True), page("b", has_next_page=False)], "ab", 2),
        ([page("a", total_count=2), page("b", total_count=2)], "ab", 2),
        ([page("a", link=NEXT), page("b", link='<x>; rel="prev"')], "ab", 2),
        ([page("a", link=NEXT), page("b"), page()], "ab", 3),
        # A server that knows no pages sends the same again.
        ([page("a", "b")], "ab", 2),
        # Budgets that move between pages while they are read: doubled ones count once, missing ones are looked for.
        ([page("a", "b", has_next_page=True), page("b", "c", has_next_page=False, total_count=3)], "abc", 2),
        (
            [
                page("a", "b", has_next_page=True, total_count=4),
                page("d", has_next_page=False, total_count=4),
                page("a", "b", has_next_page=True, total_count=4),
                page("c", "d", has_next_page=False, total_count=4),
            ],
            "abcd",
            4,
        ),
        # A count that falls from page to page: "b" has moved to the first one.
        (
            [
                page("gone", "a", has_next_page=True, total_count=4),
                page("c", has_next_page=False, total_count=3),
                page("a", "b", has_next_page=True, total_count=3),
                page("c", has_next_page=False, total_count=3),
            ],
            "abc",
            4,
        ),
        # A flag that is no flag is not told.
        ([page("a", has_next_page="yes", total_count="1"), page()], "a", 2),
    ],
)
def test_a_listing_is_read_completely(pages: list[bytes], found: str, requests: int) -> None:
    """For every way in which GitHub marks the last page, each budget is returned once and no extra page is read."""
    with WireServer(*pages) as server:
        assert [one.id for one in client_of(server.url).list_budgets(BIG)] == list(found)
    assert len(server.heard) == requests
    assert all("per_page=100" in request for request in server.heard)


@pytest.mark.parametrize(
    "pages",
    [
        [page("a", has_next_page=False, total_count=2)],
        [page("a", "b", has_next_page=False, total_count=1)],
        [page("a", has_next_page=True)],
        [page(has_next_page=True)],
    ],
)
def test_an_incomplete_listing_is_an_error(pages: list[bytes]) -> None:
    """A listing with fewer or more budgets than GitHub counts, or a next page without new rows, is an error."""
    with (
        WireServer(*pages) as server,
        pytest.raises(errors.TransportError, match="The listing is incomplete and was not used"),
    ):
        list(client_of(server.url).list_budgets(BIG))


def test_a_known_first_page_is_not_read_again() -> None:
    """A listing continues after the page that was already read."""
    with WireServer(
        page("a", has_next_page=True, total_count=2), page("b", has_next_page=False, total_count=2)
    ) as server:
        client = client_of(server.url)
        first = client.get_budget_page(BIG, 1)
        assert (first.more, first.total) == (True, 2)
        assert [one.id for one in client.list_budgets(BIG, first)] == ["a", "b"]
    assert len(server.heard) == 2


def test_filters_are_sent_with_every_page() -> None:
    """The filters of a listing are sent with every page."""
    with WireServer(page("a", has_next_page=False)) as server:
        list(client_of(server.url).list_budgets(BIG, filters={"scope": "user", "user": None}))
    assert server.heard[0].startswith(
        "GET /api/v3/enterprises/octo-enterprise/settings/billing/budgets?page=1&per_page=100&scope=user HTTP"
    )


CALLS: dict[str, tuple[Callable[[BudgetsApi], Any], str]] = {
    "page": (lambda client: client.get_budget_page(ORG, 1), "GET {}/budgets?page=1&per_page=100"),
    "get": (lambda client: client.get_budget(ORG, "X"), "GET {}/budgets/X"),
    "create": (lambda client: client.create_budget(ORG, {}), "POST {}/budgets"),
    "update": (lambda client: client.update_budget(ORG, "x", {}), "PATCH {}/budgets/x"),
    "delete": (lambda client: client.delete_budget(ORG, "x"), "DELETE {}/budgets/x"),
    "rate limit": (lambda client: client.get_rate_limit(), "GET /api/v3/rate_limit"),
}


@pytest.mark.parametrize("name", CALLS)
def test_method_and_path_of_every_call(name: str) -> None:
    """Each call sends its method to its path; the id in the response may differ in case."""
    call, line = CALLS[name]
    with WireServer(
        answer(
            200,
            {
                **budget("x"),
                "budgets": [],
            },
        )
    ) as server:
        call(client_of(server.url))
    path = line.format("/api/v3/organizations/octo-org/settings/billing")
    assert server.heard[0].startswith(f"{path} HTTP/1.1")


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("page", [], "unexpected form"),
        ("page", {}, "no list of budgets"),
        ("page", {"budgets": {}}, "no list of budgets"),
        ("get", {}, "unexpected budget_amount, budget_product_sku, budget_scope, id, prevent_further"),
        ("get", "text", "unexpected form"),
        ("get", {"id": 5}, "unexpected budget_amount"),
        ("create", [], "unexpected form"),
        ("update", 5, "unexpected form"),
    ],
)
def test_an_invalid_response_is_an_error(name: str, body: Any, words: str) -> None:
    """The error names the request and the invalid field."""
    content = f'"{body}"' if isinstance(body, str) else body
    with (
        WireServer(answer(200, content)) as server,
        pytest.raises(errors.TransportError, match=f"of organization octo-org.*{words}"),
    ):
        CALLS[name][0](client_of(server.url))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"message": "ok", "budget": budget("x")}, "x"),
        (budget("x"), "x"),
        ({"message": "ok", "budget": {"id": "x"}}, "x"),
        ({"message": "ok", "budget": {}}, None),
        ({"message": "ok"}, None),
    ],
)
def test_a_create_reads_both_forms_of_the_response(reply: dict[str, Any], expected: str | None) -> None:
    """With or without an envelope, missing fields are taken from the request, except for the id."""
    sent = {name: value for name, value in budget("x").items() if name != "id"}
    with WireServer(answer(200, reply)) as server:
        created = client_of(server.url).create_budget(BIG, sent)
    assert (created.id if created else None) == expected


def test_an_update_returns_only_complete_responses() -> None:
    """If fields are missing in the response to an update, the result is None."""
    with WireServer(answer(200, {"budget": budget("x")}), answer(200, budget("x")), answer(200, {"id": "x"})) as server:
        client = client_of(server.url)
        found = [client.update_budget(BIG, "x", {"budget_amount": 5}) for _ in range(3)]
    assert [one.id if one else None for one in found] == ["x", "x", None]


HOSTILE = st.one_of(
    st.sampled_from(
        ["", ".", "..", "...", "a..b", "../x", "a/b", "a\\b", "%2e", "a?b", "a#b", "-a", "_", "x" * 101, "a\n"]
    ),
    st.text(max_size=6),
)
"""Names and ids, most of which leave their place in a path."""


@given(part=HOSTILE)
@example("\ud800")
@example("\u0661")
@example("\u00e9")
def test_path_parts_are_one_segment_or_refused(part: str) -> None:
    """An owner or an id is one unchanged segment of the path, or it is refused."""
    for owner, parts in ((Owner(ENTERPRISE_OWNER, part), ("1",)), (BIG, (part,)), (BIG, (part, "user-states"))):
        try:
            path = billing_path(owner, *parts)
        except errors.ConfigError:
            continue
        segments = path.split("/")
        assert segments == ["", "enterprises", owner.slug, "settings", "billing", "budgets", *parts]
        assert (
            urljoin("http://127.0.0.1", path) == f"http://127.0.0.1{parse_url(path).path}" == f"http://127.0.0.1{path}"
        )
        assert ".." not in part


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "x" * 101])
@pytest.mark.parametrize("name", ["get", "update", "delete", "create", "page"])
def test_every_call_refuses_invalid_path_parts(name: str, part: str) -> None:
    """Every call refuses an invalid owner or id before anything is sent."""
    odd = Owner(ORGANIZATION_OWNER, part)
    calls: dict[str, list[Callable[[BudgetsApi], Any]]] = {
        "get": [lambda client: client.get_budget(odd, "x"), lambda client: client.get_budget(ORG, part)],
        "update": [
            lambda client: client.update_budget(odd, "x", {}),
            lambda client: client.update_budget(ORG, part, {}),
        ],
        "delete": [lambda client: client.delete_budget(odd, "x"), lambda client: client.delete_budget(ORG, part)],
        "create": [lambda client: client.create_budget(odd, {})],
        "page": [lambda client: client.get_budget_page(odd, 1)],
    }
    with WireServer(answer(200, budget("x"))) as server:
        for call in calls[name]:
            with pytest.raises(errors.ConfigError, match="Nothing was sent"):
                call(client_of(server.url))
    assert server.heard == []


CENTER = {"id": "B", "name": "b", "resources": []}
EXPORT = {
    "id": "B",
    "report_type": "detailed",
    "start_date": "2026-08-01",
    "end_date": "2026-08-31",
    "status": "failed",
}
ABOUT: dict[str, tuple[Callable[[BudgetsApi, str], Any], Any]] = {
    "read budget": (lambda client, asked: client.get_budget(BIG, asked), budget("B")),
    "update budget": (lambda client, asked: client.update_budget(BIG, asked, {}), {"budget": budget("B")}),
    "update part of a budget": (lambda client, asked: client.update_budget(BIG, asked, {}), {"id": "B"}),
    "read cost center": (lambda client, asked: CostCentersApi(client.transport).get_cost_center(BIG, asked), CENTER),
    "update cost center": (
        lambda client, asked: CostCentersApi(client.transport).update_cost_center(BIG, asked, {}),
        CENTER,
    ),
    "delete budget": (lambda client, asked: client.delete_budget(BIG, asked), {"message": "gone", "id": "B"}),
    "delete by its example": (lambda client, asked: client.delete_budget(BIG, asked), {"budget_id": "B"}),
    "delete cost center": (
        lambda client, asked: CostCentersApi(client.transport).delete_cost_center(BIG, asked),
        {"id": "B", "name": "b"},
    ),
    "read export": (lambda client, asked: ReportExportsApi(client.transport).get_report_export(BIG, asked), EXPORT),
}


@pytest.mark.parametrize("name", ABOUT)
def test_a_response_about_another_object_is_an_error(name: str) -> None:
    """A response with another id is refused; another case or a missing id is accepted."""
    call, data = ABOUT[name]
    with WireServer(answer(200, data)) as server:
        client = client_of(server.url)
        with pytest.raises(errors.TransportError, match="GitHub's response describes another object, B"):
            call(client, "A")
        call(client, "b")


@pytest.mark.parametrize("data", [{"message": "ok"}, {"id": None}, []])
def test_the_response_to_a_write_may_omit_the_id(data: Any) -> None:
    """GitHub guarantees no field in the response to a write."""
    with WireServer(answer(200, data)) as server:
        CostCentersApi(client_of(server.url).transport).update_cost_center(BIG, "A", {})


def user(name: str) -> dict[str, Any]:
    return {"user": name, "consumed_amount": 1, "target_amount": 2}


def member(name: str) -> dict[str, str]:
    return {"type": "User", "name": name}


ENDLESS: dict[str, tuple[Callable[[BudgetsApi], Any], Callable[[str], dict[str, Any]]]] = {
    "billing_provider.budgets.api.MAX_BUDGETS": (
        lambda client: list(client.list_budgets(BIG)),
        lambda name: {"budgets": [budget(name)]},
    ),
    "billing_provider.usage.user_states.MAX_USERS": (
        lambda client: list(UserStatesApi(client.transport).list_user_states(BIG, "B")),
        lambda name: {"user_states": [user(name)]},
    ),
    "billing_provider.cost_centers.api.MAX_MEMBERS": (
        lambda client: CostCentersApi(client.transport).get_cost_center(BIG, "B"),
        lambda name: {**CENTER, "resources": [member(name)]},
    ),
}


@pytest.mark.parametrize("limit", ENDLESS)
def test_endless_pages_are_an_error(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages with new rows are read up to GitHub's limit; more rows are an error."""
    call, rows = ENDLESS[limit]
    monkeypatch.setattr(limit, 3)
    endless = [answer(200, {**rows(str(number)), "has_next_page": True}) for number in range(9)]
    with WireServer(*endless) as server:
        with pytest.raises(errors.TransportError, match="GitHub returned more than 3 rows, which is the maximum"):
            call(client_of(server.url))
        assert len(server.heard) == 4
    last = answer(200, {**rows("2"), "has_next_page": False})
    with WireServer(*endless[:2], last) as server:
        call(client_of(server.url))
        assert len(server.heard) == 3


@pytest.mark.parametrize("limit", ENDLESS)
def test_repeated_pages_are_an_error(limit: str) -> None:
    """A page without new rows that announces further pages is an error."""
    call, rows = ENDLESS[limit]
    with (
        WireServer(answer(200, {**rows("1"), "has_next_page": True})) as server,
        pytest.raises(errors.TransportError, match=r"incomplete|no new rows"),
    ):
        call(client_of(server.url))
