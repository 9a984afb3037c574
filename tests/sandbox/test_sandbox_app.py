"""The sandbox's GitHub App: strict JWTs, installations, tokens that end, permissions, and githubkit as a client."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from githubkit import AppAuthStrategy, AppInstallationAuthStrategy, GitHub
from githubkit.exception import RequestFailed

from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

WHERE = "/enterprises/octo-enterprise/installation"
BUDGETS = "/enterprises/octo-enterprise/settings/billing/budgets"
CLOCK = VirtualClock()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(app=True, clock=CLOCK.wall) as running:
        yield running


def call(sandbox: Sandbox, method: str, path: str, secret: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {secret}", "User-Agent": "test"}
    return requests.request(method, f"{sandbox.url}{path}", headers=headers, json=body, timeout=10)


def signed(sandbox: Sandbox, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
    now = int(CLOCK.wall())
    every = {"iat": now - 60, "exp": now + 540, "iss": sandbox.app_id, **claims}
    plain = {name: value for name, value in every.items() if value is not None}
    return jwt.encode(plain, key or sandbox.app_private_key, algorithm=algorithm)


def minted(sandbox: Sandbox, path: str = WHERE, **body: Any) -> str:
    found = call(sandbox, "GET", path, signed(sandbox)).json()
    created = call(sandbox, "POST", f"/app/installations/{found['id']}/access_tokens", signed(sandbox), body or None)
    assert created.status_code == 201
    token: str = created.json()["token"]
    return token


def test_a_correct_jwt_is_accepted(sandbox: Sandbox) -> None:
    """An installation has its id, account and permissions; each owner has one, and it keeps its id."""
    found = [
        call(sandbox, "GET", path, signed(sandbox)).json() for path in (WHERE, "/orgs/OCTO-Org/installation", WHERE)
    ]
    assert (found[0]["account"]["slug"], found[1]["account"]["login"]) == ("octo-enterprise", "octo-org")
    assert found[0] == found[2] != found[1]
    assert found[0]["permissions"]["enterprise_billing"] == "write"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "7"}, "'iss'"),
        ({"iat": 10**10}, "'iat'"),
        ({"exp": 5}, "must be a numeric value representing the future"),
        ({"exp": int(CLOCK.wall()) + 10_000}, "too far in the future"),
        ({"iat": None}, "could not be decoded"),
        ({"exp": None}, "could not be decoded"),
        ({"iss": None}, "could not be decoded"),
        ({"iat": "soon"}, "could not be decoded"),
        ({"key": rsa.generate_private_key(65537, 2048)}, "could not be decoded"),
        ({"key": "a" * 40, "algorithm": "HS256"}, "could not be decoded"),
    ],
)
def test_a_wrong_jwt_is_refused(sandbox: Sandbox, claims: dict[str, Any], said: str) -> None:
    """Issuer, times, algorithm and signature are checked, on the sandbox's clock."""
    reply = call(sandbox, "GET", WHERE, signed(sandbox, **claims))
    assert (reply.status_code, said in reply.json()["message"]) == (401, True), reply.text


def test_only_a_jwt_opens_the_routes_of_an_app(sandbox: Sandbox) -> None:
    """A token is no JWT, a JWT is no token, and the scheme must be Bearer."""
    for secret in (sandbox.token, "", minted(sandbox)):
        assert call(sandbox, "GET", WHERE, secret).status_code == 401
    assert call(sandbox, "GET", BUDGETS, signed(sandbox)).status_code == 401
    headers = {"Authorization": f"token {signed(sandbox)}", "User-Agent": "test"}
    assert requests.get(f"{sandbox.url}{WHERE}", headers=headers, timeout=10).status_code == 401
    assert call(sandbox, "DELETE", WHERE, sandbox.token).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/app/installations/9999/access_tokens", {}, 404),
        ("{own}", {"permissions": {"enterprise_billing": "admin"}}, 422),
        ("{own}", {"permissions": {"members": "read"}}, 422),
        ("{own}", {"permissions": "all"}, 422),
        ("{own}", {"permission": {}}, 422),
        ("{own}", ["permissions"], 400),
        ("{own}", {"permissions": {"enterprise_billing": "read"}, "repositories": ["web"]}, 201),
    ],
)
def test_requests_for_a_token_are_checked(sandbox: Sandbox, path: str, body: Any, status: int) -> None:
    """Unknown installations and fields, and permissions that are not granted, are refused."""
    number = call(sandbox, "GET", WHERE, signed(sandbox)).json()["id"]
    own = path.format(own=f"/app/installations/{number}/access_tokens")
    assert call(sandbox, "POST", own, signed(sandbox), body).status_code == status


def test_unknown_owners_have_no_installation(sandbox: Sandbox) -> None:
    """An owner that the sandbox does not know, or where the App is uninstalled, has no installation."""
    assert call(sandbox, "GET", "/enterprises/nobody/installation", signed(sandbox)).status_code == 404
    sandbox.install_app("octo-lab", None)
    assert call(sandbox, "GET", "/orgs/octo-lab/installation", signed(sandbox)).status_code == 404
    sandbox.install_app("octo-lab", {"organization_administration": "read"})
    assert call(sandbox, "GET", "/orgs/octo-lab/installation", signed(sandbox)).json()["permissions"] == {
        "organization_administration": "read"
    }


def test_an_uninstalled_app_gets_no_new_token(sandbox: Sandbox) -> None:
    """After an uninstallation the known id of the installation is refused too."""
    number = call(sandbox, "GET", "/orgs/octo-apps/installation", signed(sandbox)).json()["id"]
    sandbox.install_app("octo-apps", None)
    path = f"/app/installations/{number}/access_tokens"
    assert call(sandbox, "POST", path, signed(sandbox)).status_code == 404


def test_tokens_end(sandbox: Sandbox) -> None:
    """A token ends after an hour, or after the seconds of the quirk; then the reply is 401."""
    tokens = [minted(sandbox)]
    sandbox.switch("app_token_seconds=3")
    tokens.append(minted(sandbox))
    sandbox.switch("app_token_seconds", on=False)
    for pause, statuses in ((2.9, [200, 200]), (0.1, [200, 401]), (3597, [401, 401])):
        CLOCK.sleep(pause)
        assert [call(sandbox, "GET", BUDGETS, token).status_code for token in tokens] == statuses
    assert (
        call(sandbox, "GET", BUDGETS, "ghs_0123456789").json()["message"].startswith("Bad credentials: the token has")
    )


def test_permissions_are_enforced(sandbox: Sandbox) -> None:
    """A token works for its account only; what it lacks is named in a header; it has no user."""
    read_only = minted(sandbox, permissions={"enterprise_billing": "read"})
    assert call(sandbox, "GET", BUDGETS, read_only).status_code == 200
    refused = call(sandbox, "POST", BUDGETS, read_only, {})
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "enterprise_billing=write")
    assert (
        call(sandbox, "GET", BUDGETS, minted(sandbox, permissions={"organization_administration": "write"})).status_code
        == 403
    )
    for path, status in (
        ("/organizations/octo-org/settings/billing/budgets", 404),
        ("/users/octocat/settings/billing/usage", 403),
    ):
        assert call(sandbox, "GET", path, minted(sandbox)).status_code == status


def test_a_sandbox_without_an_app() -> None:
    """Without an App there is neither a key nor a route, and its permissions cannot be set."""
    with Sandbox() as plain:
        assert (plain.app_id, plain.app_private_key) == ("", "")
        assert call(plain, "GET", WHERE, plain.token).status_code == 404
        with pytest.raises(ValueError, match="start it with app=True"):
            plain.install_app("octo-org", None)


def test_a_missing_extra_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyJWT, a sandbox with an App says what to install."""
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(ValueError, match=r"pip install 'github-billing-provider\[app\]'"):
        Sandbox(app=True)


def test_githubkit_works_as_an_app() -> None:
    """The client githubkit lists the installations, gets their tokens by itself, and manages budgets."""
    with Sandbox(app=True, clock=time.time) as sandbox:
        sandbox.install_app("octo-lab", None)
        options: dict[str, Any] = {"base_url": f"{sandbox.url}/", "auto_retry": False, "http_cache": False}
        key = sandbox.app_id, sandbox.app_private_key
        with GitHub(AppAuthStrategy(*key), **options) as app:
            rest = app.rest("ghec-2026-03-10").apps
            listed = rest.list_installations().parsed_data
            organization = rest.get_org_installation("octo-org").parsed_data
        assert [each.target_type for each in listed] == ["Enterprise", "Organization", "Organization"]
        assert organization.id == listed[1].id
        with GitHub(AppInstallationAuthStrategy(*key, listed[0].id), **options) as github:
            billing = github.rest("ghec-2026-03-10").billing
            created = billing.create_budget(
                "octo-enterprise",
                budget_amount=30,
                prevent_further_usage=True,
                budget_scope="enterprise",
                budget_type="ProductPricing",
                budget_product_sku="actions",
                budget_alerting={"will_alert": False, "alert_recipients": []},
            ).parsed_data
            assert billing.get_all_budgets("octo-enterprise").parsed_data.budgets[0].id == created.budget.id
        with GitHub(AppInstallationAuthStrategy(*key, organization.id), **options) as github:
            assert github.rest("2026-03-10").billing.get_all_budgets_org("octo-org").parsed_data.total_count == 0
            with pytest.raises(RequestFailed) as failed:
                github.rest("ghec-2026-03-10").billing.get_all_budgets("octo-enterprise")
        assert failed.value.response.status_code == 404
