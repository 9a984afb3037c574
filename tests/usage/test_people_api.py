"""The members of an enterprise team, and of a cost center: all of them, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.core.errors import (
    AppError,
    BillingError,
    ConfigError,
    NotFoundError,
    TransportError,
    UnexpectedError,
)
from billing_provider.reader import Reader
from billing_provider.sandbox import Sandbox
from tests.support.app import app_harness
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness
from tests.support.wire import WireServer, answer

E = "octo-enterprise"
UUID = "0123abcd-0123-4567-89ab-0123456789ab"


def members(sandbox: Sandbox, team: str = "developers", **settings: Any) -> list[str]:
    return Reader(open_harness(sandbox, **settings).run).enterprise_team_members(enterprise=E, enterprise_team=team)


@pytest.mark.parametrize("team", ["developers", "ent:developers", "ENT:Developers"])
def test_a_team_is_found_by_its_slug(sandbox: Sandbox, team: str) -> None:
    """With and without the prefix that GitHub shows; one page is one request."""
    assert members(sandbox, team) == ["monalisa", "hubot"]
    (request,) = sandbox.requests
    assert request.path.endswith("/enterprises/octo-enterprise/teams/ent:developers/memberships")


def test_all_pages_are_read_twice() -> None:
    """Of a team of several pages, all members are found, in GitHub's order."""
    logins = [f"mona-{number}" for number in range(5)]
    with Sandbox(page_cap=2) as sandbox:
        sandbox.set_team_members("big", logins)
        assert members(sandbox, "big") == logins
        assert len(sandbox.requests) == 6


def test_a_team_that_changes_during_the_read_is_an_error() -> None:
    """Somebody leaves after the first page was read, which hides another member: no list is returned."""

    def leave(_: Any) -> None:
        sandbox.set_team_members("big", ["b", "c", "d"])

    with Sandbox(page_cap=2, on_request=leave) as sandbox:
        sandbox.set_team_members("big", ["a", "b", "c", "d"])
        with pytest.raises(TransportError, match="the list changed while it was read"):
            members(sandbox, "big")


def test_a_full_page_without_a_link_is_not_the_last(sandbox: Sandbox) -> None:
    """A proxy that removes the header hides nobody: pages are read until one has nobody new."""
    first, last = [[{"login": f"{letter}-{number}"} for number in range(100)] for letter in "ab"]
    pages = [answer(200, page) for page in (first, last, [])]
    with WireServer(*pages, *pages) as server:
        assert len(members(sandbox, base_url=server.url)) == 200


def test_an_empty_team_has_no_members(sandbox: Sandbox) -> None:
    """It is no error here; a table of budgets refuses to be empty."""
    sandbox.set_team_members("empty", [])
    assert members(sandbox, "empty") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "an invalid value"),
        ([{"login": "mona"}, {"id": 2}], "has no login in row 2"),
        ([{"login": None}], "an invalid value 0 login"),
        (["mona"], "an invalid value 0"),
    ],
)
def test_an_odd_member_is_an_error(sandbox: Sandbox, body: Any, words: str) -> None:
    """Nobody is left out: what is not understood fails the read."""
    with WireServer(answer(200, body)) as server, pytest.raises(UnexpectedError, match=words):
        members(sandbox, base_url=server.url)


@pytest.mark.parametrize("action", ["401", "403_permission", "404", "500_before", "reset_mid_body"])
def test_a_failed_page_is_an_error(action: str) -> None:
    """A failure of any page returns nothing, not the pages before."""
    with Sandbox(page_cap=1) as sandbox:
        sandbox.plan([{"op": "list_team_members", "action": action, "nth": 2, "times": 100}], required=False)
        with pytest.raises(BillingError):
            members(sandbox)


def test_a_team_that_is_not_there(sandbox: Sandbox) -> None:
    """GitHub answers 404; a slug that would change the path is not sent."""
    with pytest.raises(NotFoundError, match="the enterprise team designers of enterprise octo-enterprise"):
        members(sandbox, "designers")
    sandbox.forget_requests()
    for team in ("a/b", "..", "a?b", "ent:"):
        with pytest.raises(ConfigError):
            members(sandbox, team)
    assert sandbox.requests == []


def test_an_app_needs_a_permission_of_its_own() -> None:
    """Without the permission, the error names it; with it, teams have a token of their own, which can only read."""
    clock = VirtualClock()
    with Sandbox(app=True, clock=clock.wall) as sandbox:
        with pytest.raises(AppError, match=r"Grant the App the permission enterprise_teams \(read\)"):
            Reader(app_harness(sandbox, clock).run).enterprise_team_members(enterprise=E, enterprise_team="developers")
        sandbox.install_app(E, {"enterprise_billing": "read", "enterprise_teams": "write"})
        reader = Reader(app_harness(sandbox, clock).run)
        assert reader.enterprise_team_members(enterprise=E, enterprise_team="developers") == ["monalisa", "hubot"]
        assert reader.budgets(enterprise=E) == []
        # The App loses one permission: what needs the other one goes on.
        sandbox.install_app(E, {"enterprise_billing": "read"})
        clock.sleep(4_000)
        assert reader.budgets(enterprise=E) == []
        with pytest.raises(AppError, match="Grant the App the permission enterprise_teams"):
            reader.enterprise_team_members(enterprise=E, enterprise_team="developers")


@pytest.mark.parametrize("count", [101, 102])
@pytest.mark.parametrize("leaver", [None, "u-0"])
def test_a_cost_center_that_changes_during_the_read_is_an_error(
    sandbox: Sandbox, leaver: str | None, count: int
) -> None:
    """Of several pages too, all members are found, or none; also if the last page is empty then."""
    users = [{"type": "User", "name": f"u-{number}"} for number in range(count)]
    left = [user for user in users if user["name"] != leaver]
    center = {"id": UUID, "name": "Big", "state": "active"}
    reads = [(users[:100], True), (left[100:], False), (left[:100], True), (left[100:], False)]
    pages = [answer(200, {**center, "resources": rows, "has_next_page": more}) for rows, more in reads]
    with WireServer(answer(200, {"costCenters": [{**center, "resources": []}]}), *pages) as server:
        reader = Reader(open_harness(sandbox, base_url=server.url).run)
        if leaver is None:
            assert len(reader.cost_center(enterprise=E, cost_center="Big").members("users")) == count
            return
        with pytest.raises(TransportError, match=f"read cost center {UUID} of enterprise {E}: the list changed"):
            reader.cost_center(enterprise=E, cost_center="Big")
