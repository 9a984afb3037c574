"""Access to the sandbox: tokens, roles, versions, routes, and the headers of every reply."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTERPRISE = "/enterprises/octo-enterprise/settings/billing/budgets"
ORGANIZATION = "/organizations/octo-org/settings/billing/budgets"
LAB = "/organizations/octo-lab/settings/billing/budgets"
BODY = {
    "budget_amount": 1,
    "prevent_further_usage": False,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "organization",
    "budget_entity_name": "octo-org",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}


def ask(
    sandbox: Sandbox, method: str, path: str, data: Any = None, token: str = "", **headers: str
) -> requests.Response:
    sent = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}", **headers}
    return requests.request(method, sandbox.url + path, json=data, headers=sent, timeout=10)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as served:
        yield served


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox() as served:
        yield served


@pytest.mark.parametrize(
    ("token", "reads", "writes", "organization_reads", "organization_writes", "other"),
    [
        pytest.param("sandbox-enterprise-owner", 200, 200, 200, 200, 200, id="enterprise owner"),
        pytest.param("sandbox-billing-manager", 200, 200, 200, 200, 200, id="billing manager"),
        pytest.param("sandbox-org-owner", 200, 200, 200, 200, 404, id="organization owner"),
        pytest.param("sandbox-fine-grained", 403, 403, 200, 200, 404, id="fine-grained"),
        pytest.param("sandbox-read-only", 200, 403, 200, 403, 200, id="reader"),
        pytest.param("sandbox-no-billing", 404, 404, 403, 403, 403, id="no billing scope"),
        pytest.param("sandbox-no-sso", 403, 403, 404, 404, 404, id="no single sign-on"),
        pytest.param("sandbox-expired", 401, 401, 401, 401, 401, id="expired"),
        pytest.param("sandbox-stranger", 401, 401, 401, 401, 401, id="unknown"),
    ],
)
def test_permissions_of_each_token(
    sandbox: Sandbox,
    *,
    token: str,
    reads: int,
    writes: int,
    organization_reads: int,
    organization_writes: int,
    other: int,
) -> None:
    """Each sample token reads and writes as its role permits, and is refused elsewhere with the status of its role."""
    answers = [
        ask(sandbox, method, path, data, token).status_code
        for method, path, data in (
            ("GET", ENTERPRISE, None),
            ("POST", ENTERPRISE, BODY),
            ("GET", ORGANIZATION, None),
            ("POST", ORGANIZATION, BODY),
            ("GET", LAB, None),
        )
    ]
    assert answers == [reads, writes, organization_reads, organization_writes, other]


def test_an_organization_owner_sees_only_its_enterprise_budgets(sandbox: Sandbox) -> None:
    """An organization owner lists the enterprise budgets of the organization, and gets 403 for the others."""
    hidden = sandbox.add_budget("enterprise", "octo-enterprise")
    seen = sandbox.add_budget(
        "enterprise", "octo-enterprise", budget_scope="repository", budget_entity_name="octo-org/api"
    )
    token = "sandbox-org-owner"
    listed = ask(sandbox, "GET", ENTERPRISE, token=token).json()
    assert ([budget["id"] for budget in listed["budgets"]], listed["total_count"]) == ([seen["id"]], 1)
    for method, data in (("GET", None), ("PATCH", {"budget_amount": 2}), ("DELETE", None)):
        assert ask(sandbox, method, f"{ENTERPRISE}/{hidden['id']}", data, token).status_code == 403
    refused = ask(sandbox, "POST", ENTERPRISE, {**BODY, "budget_entity_name": "octo-lab"}, token)
    assert (refused.status_code, refused.json()["message"]) == (403, "Insufficient permissions to create a budget.")


def test_manager_cannot_delete(sandbox: Sandbox) -> None:
    """A billing manager can delete budgets; with manager_cannot_delete, only an enterprise owner can."""
    paths = [f"{ENTERPRISE}/{sandbox.add_budget('enterprise', 'octo-enterprise')['id']}" for _ in range(2)]
    assert ask(sandbox, "DELETE", paths[0], token="sandbox-billing-manager").status_code == 200
    sandbox.switch("manager_cannot_delete")
    assert ask(sandbox, "DELETE", paths[1], token="sandbox-billing-manager").status_code == 403
    assert ask(sandbox, "DELETE", paths[1]).status_code == 200


def test_a_masked_404_carries_the_sso_header(sandbox: Sandbox) -> None:
    """For a token without single sign-on, the 404 and the 403 have the header x-github-sso."""
    for path in (ORGANIZATION, ENTERPRISE):
        assert "required" in ask(sandbox, "GET", path, token="sandbox-no-sso").headers["x-github-sso"]


@pytest.mark.parametrize("token", ["ghp_0000", "github_pat_0000", "ghs_0000"])
def test_a_real_token_is_refused_and_not_logged(sandbox: Sandbox, token: str) -> None:
    """A token in the form of a real one gets 401 with the reason, and is neither in the reply nor in the log."""
    reply = ask(sandbox, "GET", ENTERPRISE, token=token)
    assert (reply.status_code, "the form of a real GitHub token" in reply.json()["message"]) == (401, True)
    assert token not in reply.text + repr(sandbox.requests)


@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        pytest.param(None, "Requires authentication", id="none"),
        pytest.param("Bearer", "Requires authentication", id="empty"),
        pytest.param("Basic sandbox-enterprise-owner", "Bad credentials", id="basic"),
    ],
)
def test_requests_without_a_token_are_refused(sandbox: Sandbox, authorization: str | None, text: str) -> None:
    """A request without a valid Authorization header gets 401."""
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = requests.get(sandbox.url + ENTERPRISE, headers=headers, timeout=10)
    assert (reply.status_code, reply.json()["message"]) == (401, text)


def test_each_sandbox_has_tokens_of_its_own() -> None:
    """The token of one sandbox, and the name of a role alone, are unknown to another; a given suffix gives the same."""
    with Sandbox() as sandbox, Sandbox() as other:
        for token in (other.token, "sandbox-enterprise-owner", "sandbox-enterprise-owner-"):
            reply = requests.get(sandbox.url + ENTERPRISE, headers={"Authorization": f"Bearer {token}"}, timeout=10)
            assert (reply.status_code, reply.json()["message"]) == (401, "Bad credentials")
            assert sandbox.token not in str(reply.headers)
    assert Sandbox(token_suffix="local").tokens["sandbox-read-only"] == "sandbox-read-only-local"


@pytest.mark.parametrize("suffix", ["", "a-b", "a b", "a\n", "x" * 65, "\u0661"])
def test_a_suffix_is_letters_and_digits(suffix: str) -> None:
    """What no header can hold, or what would be no secret, is refused."""
    with pytest.raises(ValueError, match="token_suffix: it must have 1 to 64 letters and digits"):
        Sandbox(token_suffix=suffix)


def test_the_older_form_of_authorization_works(sandbox: Sandbox) -> None:
    """The scheme `token` works like `Bearer`."""
    headers = {"Authorization": f"token {sandbox.token}"}
    assert requests.get(sandbox.url + ENTERPRISE, headers=headers, timeout=10).status_code == 200


def test_headers_of_every_reply(sandbox: Sandbox) -> None:
    """Each reply has a unique request id, the rate limits, the scopes and the header X-Sandbox."""
    replies = [ask(sandbox, "GET", ENTERPRISE), ask(sandbox, "GET", f"{ENTERPRISE}/none")]
    assert len({reply.headers["X-GitHub-Request-Id"] for reply in replies}) == 2
    assert [int(reply.headers["x-ratelimit-used"]) for reply in replies] == [1, 2]
    assert {reply.headers["X-Sandbox"] for reply in replies} == {"billing"}
    assert "manage_billing:enterprise" in replies[0].headers["X-OAuth-Scopes"]


def test_rate_limit_is_free() -> None:
    """/rate_limit does not count, and returns the scopes, the expiry of a fine-grained token and the sandbox's time."""
    with Sandbox(clock=lambda: 1_790_000_000.0) as sandbox:
        for _ in range(2):
            reply = ask(sandbox, "GET", "/rate_limit", token="sandbox-fine-grained")
        assert reply.json()["rate"] == {"limit": 5000, "used": 0, "remaining": 5000, "reset": 1_790_002_800}
        assert reply.headers["github-authentication-token-expiration"] == "2026-10-21 14:13:20 UTC"
        assert reply.headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"
        assert "X-OAuth-Scopes" not in reply.headers
        assert ask(sandbox, "GET", "/user").json()["login"] == "octocat"


@pytest.mark.parametrize(
    ("method", "path", "status", "problem"),
    [
        pytest.param("GET", f"{ENTERPRISE}/", 404, "slash", id="trailing slash"),
        pytest.param("GET", "/enterprises//settings/billing/budgets", 404, "unknown route", id="empty part"),
        pytest.param("PUT", ENTERPRISE, 404, "unknown route", id="method"),
        pytest.param("GET", "/enterprises/other/settings/billing/budgets", 404, "octo-enterprise", id="enterprise"),
        pytest.param("GET", "/orgs/octo-org/settings/billing/budgets", 404, "unknown route", id="orgs"),
        pytest.param("GET", f"{ENTERPRISE}?budget_scope=user", 422, "budget_scope", id="query"),
        pytest.param("GET", f"{ENTERPRISE}/a%2Fb", 404, "", id="encoded slash"),
    ],
)
def test_unknown_names_are_refused(sandbox: Sandbox, method: str, path: str, status: int, problem: str) -> None:
    """Unknown routes, fields and parameters are refused, and a header gives the reason."""
    reply = ask(sandbox, method, path)
    assert (reply.status_code, problem in reply.headers.get("X-Sandbox-Problem", "")) == (status, True)


def test_a_path_without_the_prefix_is_refused(sandbox: Sandbox) -> None:
    """The reply to a path without the prefix names the prefix."""
    reply = requests.get(sandbox.url.removesuffix("/api/v3") + ENTERPRISE, timeout=10)
    assert (reply.status_code, reply.headers["X-Sandbox-Problem"]) == (404, "paths must start with /api/v3")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"{", "Problems parsing JSON", id="cut"),
        pytest.param(b'{"budget_amount": NaN}', "Problems parsing JSON", id="NaN"),
        pytest.param(b"[1]", "Body should be a JSON object", id="list"),
    ],
)
def test_a_body_must_be_a_json_object(sandbox: Sandbox, content: bytes, text: str) -> None:
    """A body that is not a JSON object gets 400."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    reply = requests.post(sandbox.url + ENTERPRISE, data=content, headers=headers, timeout=10)
    assert (reply.status_code, reply.json()["message"]) == (400, text)


def test_an_unexpected_body_is_refused(sandbox: Sandbox) -> None:
    """A listing request with a body gets 422."""
    assert ask(sandbox, "GET", ENTERPRISE, {"per_page": 100}).status_code == 422


def test_api_version_and_user_agent_are_checked(sandbox: Sandbox) -> None:
    """An unknown API version gets 400 and a missing User-Agent 403; both known versions are served."""
    version = "X-GitHub-Api-Version"
    statuses = [ask(sandbox, "GET", ENTERPRISE, **{version: name}).status_code for name in ("2022-11-28", "2026-03-10")]
    assert statuses == [200, 200]
    assert ask(sandbox, "GET", ENTERPRISE, **{version: "2020-01-01"}).status_code == 400
    host, _, port = sandbox.url.removeprefix("http://").partition("/")[0].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "/api/v3/rate_limit")
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize("headers", ["Content-Length: x", "Content-Length: -1", "Transfer-Encoding: chunked"])
def test_a_body_of_unknown_length_is_refused(sandbox: Sandbox, headers: str) -> None:
    """Without a valid Content-Length, the sandbox replies 411 and closes the connection."""
    host, _, port = sandbox.url.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"POST /api/v3/user HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 411 ")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENUMS = st.sampled_from(["user", "enterprise", "cost_center", "repository", "BundlePricing", "ai_credits", "actions"])
KNOWN = (*BODY, "user", "expires_at", "exclude_cost_center_usage", "name", "users", "report_type", "start_date")
TARGETS = (
    ("POST", ENTERPRISE),
    ("POST", ORGANIZATION),
    ("PATCH", f"{ENTERPRISE}/BUDGET"),
    ("POST", ENTERPRISE.replace("budgets", "cost-centers")),
    ("PATCH", f"{ENTERPRISE.replace('budgets', 'cost-centers')}/CENTER"),
    ("POST", f"{ENTERPRISE.replace('budgets', 'cost-centers')}/CENTER/resource"),
    ("POST", ENTERPRISE.replace("budgets", "reports")),
)


@given(
    target=st.sampled_from(TARGETS),
    fields=st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=8), VALUES | ENUMS, max_size=5),
    is_whole=st.booleans(),
)
def test_any_body_gets_a_reply_in_githubs_form(
    running: Sandbox, target: tuple[str, str], fields: dict[str, Any], is_whole: bool
) -> None:
    """Any body, on any route with a body, is accepted or refused with a message; no connection is dropped."""
    running.reset()
    budget = running.add_budget("enterprise", "octo-enterprise")
    path = target[1].replace("BUDGET", budget["id"]).replace("CENTER", running.cost_centers()[0]["id"])
    reply = ask(running, target[0], path, {**BODY, **fields} if is_whole else fields)
    assert reply.status_code in {200, 202, 400, 404, 409, 422}
    assert reply.status_code < 300 or reply.json()["message"]


@pytest.mark.parametrize("query", [f"page={'9' * 5000}", "per_page=9999999999", "year=9999&month=12", "%00=1", "page"])
def test_any_query_gets_a_reply_in_githubs_form(sandbox: Sandbox, query: str) -> None:
    """Any query is accepted or refused with a message."""
    for path in (ENTERPRISE, ENTERPRISE.replace("budgets", "usage")):
        reply = ask(sandbox, "GET", f"{path}?{query}")
        assert reply.status_code in {400, 422}
        assert reply.json()["message"]
