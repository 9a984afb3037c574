"""What a 403 says: the role, the scope or the permission that is missing, for each owner, endpoint and credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ForbiddenError
from billing_provider.sandbox import Sandbox
from billing_provider.transport.access import ROLES, lacking, role_for
from tests.support.app import app_harness
from tests.support.clock import START, VirtualClock
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

E, ORG = "/enterprises/acme/settings/billing", "/organizations/acme/settings/billing"
HAS_SCOPE = {"x-oauth-scopes": "repo, manage_billing:enterprise"}
STAFF = "an owner or billing manager of the enterprise"


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", f"{E}/budgets", STAFF),
        ("GET", f"{E}/budgets/1/user-states", STAFF),
        ("POST", f"{E}/budgets", f"{STAFF}, or an owner of the organization that the budget covers"),
        ("PATCH", f"{E}/budgets/1", f"{STAFF}, or an owner of the organization that the budget covers"),
        ("DELETE", f"{E}/budgets/1", "an owner of the enterprise; GitHub's page names no billing manager"),
        ("GET", f"{E}/cost-centers", f"{STAFF}, or an owner of an organization"),
        (
            "POST",
            f"{E}/cost-centers/1/resource",
            "an owner of the enterprise; GitHub's pages differ on billing managers",
        ),
        ("GET", f"{E}/usage/summary", STAFF),
        ("POST", f"{E}/reports", STAFF),
        ("GET", f"{ORG}/budgets", "an owner or billing manager of the organization"),
        ("DELETE", f"{ORG}/budgets/1", "an owner of the organization; GitHub's pages differ on billing managers"),
        ("GET", f"{ORG}/usage", "an owner of the organization"),
        ("GET", "/users/mona/settings/billing/usage", "the user whose usage it is"),
        ("GET", "/enterprises/acme/teams/ent:dev/memberships", "a member of the enterprise"),
    ],
)
def test_the_role_of_each_endpoint(method: str, path: str, who: str) -> None:
    """The first row of the table that fits the request is its role, and each row fits one."""
    assert role_for(method, path) == who
    assert who in {row.who for row in ROLES}


@pytest.mark.parametrize(
    ("path", "headers", "message", "said"),
    [
        (E, {"x-oauth-scopes": "repo"}, "No", "lacks the scope manage_billing:enterprise: add it; its"),
        (E, {"x-oauth-scopes": ""}, "No", "lacks the scope manage_billing:enterprise: add it; its"),
        (E, HAS_SCOPE, "No", "has the scope that is needed; its user must be an owner"),
        (ORG, HAS_SCOPE, "No", "lacks the scope admin:org: add it; its user must be an owner of"),
        (E, {}, "Resource not accessible by personal access token", "needs the permission Enterprise billing (wr"),
        (ORG, {}, "Resource not accessible by personal access token", "needs the scope admin:org (classic) or"),
        (E, {}, "No", "or the permission Enterprise billing (write) (others); its user must be an owner"),
    ],
)
def test_what_a_token_lacks(path: str, headers: dict[str, str], message: str, said: str) -> None:
    """The scopes of a classic token decide between scope and role; GitHub's message names a fine-grained token."""
    text = lacking("POST", f"{path}/budgets", headers, message, "the token from GITHUB_TOKEN", is_app=False)
    assert text.startswith("The token from GITHUB_TOKEN ")
    assert said in text
    assert len(text) < 330


def test_what_a_read_of_a_team_lacks() -> None:
    """Enterprise teams have a scope and a permission of their own."""
    path, holder = "/enterprises/acme/teams/ent:dev/memberships", "the token from GITHUB_TOKEN"
    text = lacking("GET", path, HAS_SCOPE, "No", holder, is_app=False)
    assert "lacks the scope read:enterprise: add it; its user must be a member of the enterprise" in text
    text = lacking("GET", path, {}, "Resource not accessible by personal access token", holder, is_app=False)
    assert "needs the permission Enterprise teams (read)" in text
    assert "use a classic token with the scope read:enterprise" in text


def test_what_an_app_lacks() -> None:
    """Without a header of GitHub's, the permission is named; it has no user, so there is no role."""
    text = lacking("POST", f"{ORG}/budgets", {}, "No", "App 1 (installation 2 on acme)", is_app=True)
    assert text == "App 1 (installation 2 on acme) needs the permission Administration (write)."
    for path in ("/rate_limit", "/users/mona"):
        assert "check the role" in lacking("GET", path, {}, "No", "the token from GITHUB_TOKEN", is_app=False)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(app=True, clock=lambda: START) as running:
        yield running


BUDGET = {"budget_product_sku": "actions", "budget_amount": 5}


@pytest.mark.parametrize(
    ("token", "owner", "said"),
    [
        (
            "sandbox-read-only",
            {"enterprise": "octo-enterprise"},
            "has the scope that is needed; its user must be",
        ),
        ("sandbox-no-billing", {"organization": "octo-org"}, "lacks the scope admin:org: add it; its user must be"),
        (
            "sandbox-fine-grained",
            {"enterprise": "octo-enterprise"},
            "use a classic token with the scope manage",
        ),
        ("", {"enterprise": "octo-enterprise"}, "names enterprise_billing=write, which App 424242 (installation 100"),
    ],
)
def test_a_refused_create_says_what_is_missing(
    token: str, owner: dict[str, str], said: str, sandbox: Sandbox, clock: VirtualClock
) -> None:
    """The error of a resource names what its credential lacks, in at most three lines of a terminal."""
    sandbox.install_app("octo-enterprise", {"enterprise_billing": "read"})
    bench = open_harness(sandbox, clock, token=token) if token else app_harness(sandbox, clock)
    lifecycle, inputs = bench.lifecycle(owner), {**BUDGET, **owner}
    known: dict[str, Any] = lifecycle.check("urn::a", {}, inputs, frozenset()).inputs
    with pytest.raises(ForbiddenError) as caught:
        lifecycle.create("urn::a", known)
    assert said in str(caught.value)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()
