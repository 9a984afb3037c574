"""Requests with a GitHub App: installations, tokens that end, refusals, several credentials."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets.api import BudgetsApi
from billing_provider.core import errors
from billing_provider.core.credentials import App, Credentials, Token
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.core.settings import Settings
from billing_provider.sandbox import Sandbox
from billing_provider.transport.http import Transport
from billing_provider.transport.pacing import Pacer
from tests.support.app import app_harness, app_settings, mints, secrets_in
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness
from tests.support.waiting import wait_until
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.core.credentials import Credential
    from billing_provider.sandbox.http.pipeline import Request
    from billing_provider.transport.session import Reply

E, ORG = "/enterprises/octo-enterprise/settings/billing", "/organizations/octo-org/settings/billing"
BUDGET = {
    "budget_amount": 5,
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
    "budget_scope": "enterprise",
    "prevent_further_usage": False,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
}
FOUND = answer(200, {"id": 5, "account": {"slug": "Octo-Enterprise"}, "permissions": {"enterprise_billing": "write"}})
GOOD = answer(200, {"ok": True})
MINTED = "ghs_0123456789"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Sandbox, list[VirtualClock]]]:
    """A sandbox with an App, whose key takes a moment; its clock is that of the current test."""
    clocks = [VirtualClock()]

    def now() -> float:
        return clocks[-1].wall()

    with Sandbox(app=True, clock=now) as running:
        yield running, clocks


@pytest.fixture
def sandbox(shared: tuple[Sandbox, list[VirtualClock]], clock: VirtualClock) -> Iterator[Sandbox]:
    running, clocks = shared
    clocks.append(clock)
    running.reset()
    yield running
    for quirk in running.quirks():
        running.switch(quirk, on=False)
    for owner in ("octo-enterprise", "octo-org"):
        running.install_app(owner, {"enterprise_billing": "write", "organization_administration": "write"})


def transport(sandbox: Sandbox, clock: VirtualClock, **settings: Any) -> Transport:
    return app_harness(sandbox, clock, **settings).run.transport


def create(line: Transport, **body: Any) -> Reply:
    return line.request("POST", f"{E}/budgets", action="create it", body={**BUDGET, **body}, repeatable=False)


def test_a_token_is_created_once_for_each_owner(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Each owner has its own installation and token with the only permission it needs; both are kept."""
    line = transport(sandbox, clock)
    for _ in range(2):
        for path in (
            f"{E}/budgets",
            f"{ORG}/budgets",
            f"{E}/cost-centers",
            f"{ORG.replace('octo-org', 'OCTO-Org')}/budgets",
        ):
            line.request("GET", path, action="list")
    asked = [
        (request.method, request.path, request.body) for request in sandbox.requests if "billing" not in request.path
    ]
    first, second = (path.split("/")[3] for path in mints(sandbox))
    assert first != second
    assert asked == [
        ("GET", "/enterprises/octo-enterprise/installation", None),
        ("POST", f"/app/installations/{first}/access_tokens", {"permissions": {"enterprise_billing": "write"}}),
        ("GET", "/orgs/octo-org/installation", None),
        (
            "POST",
            f"/app/installations/{second}/access_tokens",
            {"permissions": {"organization_administration": "write"}},
        ),
    ]


@pytest.mark.parametrize(("life", "renewed"), [(3600, 3539), (100, 89), (3, 1.7), (1, 0)])
def test_a_token_is_renewed_before_it_ends(sandbox: Sandbox, clock: VirtualClock, life: int, renewed: float) -> None:
    """A token is used until a minute, or a tenth of a short life, before its end; GitHub never refuses one."""
    sandbox.switch(f"app_token_seconds={life}")
    line = transport(sandbox, clock)
    line.request("GET", f"{E}/budgets", action="list")
    clock.sleep(max(0.0, renewed - 0.01))
    line.request("GET", f"{E}/budgets", action="list")
    assert len(mints(sandbox)) == (1 if renewed else 2)
    clock.sleep(0.02)
    line.request("GET", f"{E}/budgets", action="list")
    assert len(mints(sandbox)) == (2 if renewed else 3)
    assert {request.status for request in sandbox.requests} == {200, 201}


def test_a_token_that_ends_while_a_write_waits_is_renewed(sandbox: Sandbox, clock: VirtualClock) -> None:
    """The token is chosen after the pause between writes, so a short one does not end in the pause."""
    sandbox.switch("app_token_seconds=3")
    line = transport(sandbox, clock, write_interval_seconds=30.0)
    for sku in ("actions", "packages", "codespaces"):
        assert create(line, budget_product_sku=sku).status == 200
    assert [request.status for request in sandbox.writes] == [201, 200] * 3
    assert clock.now() == 60.0


def test_requests_for_a_token_are_no_writes(sandbox: Sandbox, clock: VirtualClock) -> None:
    """A request for a token neither pauses a write nor counts as one, and `before_write` is called for writes only."""
    sandbox.switch("app_token_seconds=1")
    settings = Settings(base_url=sandbox.url, write_interval_seconds=1.0, writes_per_minute=80, **app_settings(sandbox))
    asked: list[int] = []
    line = Transport(settings, Pacer(settings, clock, print), clock, lambda: asked.append(len(sandbox.requests)))
    line.request("GET", f"{E}/budgets", action="list")
    assert (clock.now(), asked) == (0.0, [])
    create(line)
    assert (clock.now(), len(asked)) == (0.0, 1)
    assert sandbox.requests[asked[0]].path == f"{E}/budgets"
    create(line, budget_product_sku="packages")
    assert (clock.now(), len(asked)) == (1.0, 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_once(sandbox: Sandbox, clock: VirtualClock, method: str) -> None:
    """After a 401 the request is sent again with a new token, also a create; a second 401 is the error."""
    line = transport(sandbox, clock)
    line.request("GET", f"{E}/cost-centers", action="list")
    rule = {"method": method, "path": "*budgets", "action": "401"}
    sandbox.plan([rule])
    sent = create(line) if method == "POST" else line.request("GET", f"{E}/budgets", action="list")
    assert (sent.status, len(mints(sandbox)), len(sandbox.budgets())) == (200, 2, int(method == "POST"))
    sandbox.plan([{**rule, "times": 2}])
    sandbox.forget_requests()
    with pytest.raises(
        errors.ForbiddenError, match=r"401: .*a new token of App 424242 .installation 10\d\d on octo-"
    ) as no:
        line.request(method, f"{E}/budgets", action="try it", body=None if method == "GET" else BUDGET)
    assert (no.value.status, len(mints(sandbox)), len(sandbox.requests)) == (401, 1, 3)


def test_requests_whose_token_is_refused_together_share_a_new_one(clock: VirtualClock) -> None:
    """If the token of two reads is refused while both are on their way, one new token serves both."""
    refused: list[str] = []

    def hold(request: Request) -> None:
        if request.status == 401:
            refused.append(request.query["page"])
            # The first refusal arrives after the second read was asked for, with the same token.
            wait_until(lambda: len(refused) > 1, reads[0].is_alive)

    with Sandbox(app=True, page_cap=1, clock=clock.wall, on_request=hold) as sandbox:
        for number in range(3):
            name = f"octo-org/r{number}"
            sandbox.add_budget("enterprise", "octo-enterprise", budget_scope="repository", budget_entity_name=name)
        api = app_harness(sandbox, clock).run.api(BudgetsApi)
        found: list[Any] = []
        big = Owner(ENTERPRISE_OWNER, "octo-enterprise")
        reads = [threading.Thread(target=lambda: found.extend(api.list_budgets(big)))]
        sandbox.plan([{"op": "list_budgets", "action": "401", "nth": 2, "times": 2}])
        reads[0].start()
        reads[0].join()
        assert (sorted(refused), len(found), len(mints(sandbox))) == (["2", "3"], 3, 2)


def test_a_refused_plain_token_is_not_repeated(sandbox: Sandbox, clock: VirtualClock) -> None:
    """A plain token cannot be renewed, so the first 401 is the error."""
    with pytest.raises(errors.ForbiddenError, match="renew it"):
        open_harness(sandbox, clock, token="sandbox-expired").run.transport.request(
            "GET", f"{E}/budgets", action="list"
        )
    assert len(sandbox.requests) == 1


def test_threads_share_one_token(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Threads that start together cause one request for a token."""
    line, ready = transport(sandbox, clock), threading.Barrier(6)

    def look() -> int:
        ready.wait()
        return line.request("GET", f"{E}/budgets", action="list").status

    with ThreadPoolExecutor(6) as pool:
        assert [one.result() for one in [pool.submit(look) for _ in range(6)]] == [200] * 6
    assert len(mints(sandbox)) == 1


def test_an_app_that_is_not_installed_is_explained(sandbox: Sandbox, clock: VirtualClock) -> None:
    """The error names the owner and what to do; it is no 404, because that would mean a deleted budget."""
    sandbox.install_app("octo-org", None)
    line = transport(sandbox, clock)
    text = (
        "find the installation of App 424242 on organization octo-org: GitHub returned 404: Not Found .*"
        "Nothing was sent. Install the App on organization octo-org, or name another credential"
    )
    with pytest.raises(errors.AppError, match=text) as caught:
        line.request("GET", f"{ORG}/budgets/1", action="read it")
    assert not isinstance(caught.value, errors.NotFoundError)
    assert (caught.value.status, caught.value.message) == (403, "Not Found")
    assert line.installation(f"{ORG}/budgets") is None


def test_an_uninstalled_app_deletes_nothing_from_the_state(sandbox: Sandbox, clock: VirtualClock) -> None:
    """A refresh, a delete and a create without the App are errors: nothing is taken as gone, nothing is created."""
    inputs = {"organization": "octo-org", "budget_product_sku": "actions", "budget_amount": 5}
    lifecycle = app_harness(sandbox, clock).organization
    known = lifecycle.check("urn::a", {}, inputs, frozenset()).inputs
    stored = lifecycle.create("urn::a", known)
    sandbox.install_app("octo-org", None)
    calls = {
        "read": (stored.id, stored.outputs),
        "delete": ("urn::a", stored.id, stored.outputs),
        "create": ("urn::b", known),
    }
    for verb, arguments in calls.items():
        again = app_harness(sandbox, clock).organization
        with pytest.raises(errors.AppError, match="Install the App"):
            getattr(again, verb)(*arguments)
    assert len(sandbox.budgets("octo-org")) == 1


def test_a_missing_permission_is_named(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Without any access the error names our permission; for a write with read access, that of GitHub's header."""
    sandbox.install_app("octo-enterprise", {"enterprise_billing": "read"})
    line = transport(sandbox, clock)
    assert line.request("GET", f"{E}/budgets", action="list").status == 200
    with pytest.raises(
        errors.ForbiddenError,
        match=r"-permissions names enterprise_billing=write, which App 424242 .installation 10\d\d on octo-",
    ):
        create(line)
    sandbox.install_app("octo-enterprise", {"members": "read"})
    with pytest.raises(errors.AppError, match=r"GitHub returned 422: The permissions .* permission enterprise_billing"):
        transport(sandbox, clock).request("GET", f"{E}/budgets", action="list")
    assert sandbox.budgets() == []


@pytest.mark.parametrize("header", ["x" * 300, "no permissions", "a=write\t<b>", "contents=read; " * 20])
def test_a_strange_permission_header_is_not_shown(header: str) -> None:
    """Only permissions and levels are shown from the header; any other text of it is not."""
    with WireServer(answer(403, {"message": "No"}, X_Accepted_GitHub_Permissions=header)) as server:
        line = wire(server, credentials=Credentials(Token("sandbox-canary-token")))
        with pytest.raises(errors.ForbiddenError, match="The token from the caller needs the scope manage_bil"):
            line.request("GET", f"{E}/budgets", action="list")
    with WireServer(answer(403, {"message": "No"}, X_Accepted_GitHub_Permissions="a_b=read,c=write")) as server:
        line = wire(server, credentials=Credentials(Token("sandbox-canary-token")))
        with pytest.raises(errors.ForbiddenError, match="names a_b=read,c=write, which the token from"):
            line.request("GET", f"{E}/budgets", action="list")


def test_a_wrong_key_is_explained(sandbox: Sandbox, clock: VirtualClock) -> None:
    """If GitHub refuses the JWT, the error names the source of the key and the clock."""
    ahead = VirtualClock()
    ahead.sleep(3600)
    for other, app_id in ((clock, "7"), (ahead, sandbox.app_id)):
        app = App(app_id, sandbox.app_private_key, "GITHUB_APP_PRIVATE_KEY")
        line = transport(sandbox, other, credentials=Credentials(app))
        with pytest.raises(
            errors.AppError, match=r"returned 401: .* key in GITHUB_APP_PRIVATE_KEY is a current .* clock"
        ):
            line.request("GET", f"{E}/budgets", action="list")


def test_several_credentials_in_one_run(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Each owner's requests carry the owner's credential; an owner without one is a clear error."""
    app = App(sandbox.app_id, sandbox.app_private_key)
    own: dict[str, Credential] = {
        "octo-enterprise": Token(sandbox.tokens["sandbox-billing-manager"]),
        "organization/octo-org": app,
    }
    line = open_harness(sandbox, clock, credentials=Credentials(by_owner=own)).run.transport
    for path in (f"{E}/budgets", f"{ORG}/budgets"):
        assert line.request("GET", path, action="list").status == 200
    assert len(mints(sandbox)) == 1
    with pytest.raises(errors.ConfigError, match=r"no credential for organization octo-lab: add it to .*credentials"):
        line.request("GET", "/organizations/octo-lab/settings/billing/budgets", action="list")
    assert len(sandbox.requests) == 4


@pytest.mark.parametrize(
    ("path", "what"), [("/users/octocat/settings/billing/usage", "user octocat"), ("/rate_limit", "a")]
)
def test_what_an_app_cannot_read(sandbox: Sandbox, clock: VirtualClock, path: str, what: str) -> None:
    """The usage of a user and requests without an owner have no installation; nothing is sent."""
    with pytest.raises(errors.ConfigError, match=f"a GitHub App has no token for {what}.*Nothing was sent"):
        transport(sandbox, clock).request("GET", path, action="read")
    assert sandbox.requests == []


def test_a_request_without_an_owner_can_name_one(sandbox: Sandbox, clock: VirtualClock) -> None:
    """The rate limit is read with the credential of a given owner."""
    api = app_harness(sandbox, clock).run.api(BudgetsApi)
    for owner in (Owner(ENTERPRISE_OWNER, "octo-enterprise"), Owner(ORGANIZATION_OWNER, "octo-org")):
        assert api.get_rate_limit(owner).status == 200
    assert len(mints(sandbox)) == 2


def wire(server: WireServer, clock: VirtualClock | None = None, **settings: Any) -> Transport:
    """Return a transport to a server with fixed replies."""
    clock = clock or VirtualClock()
    chosen = Settings(base_url=server.url, write_interval_seconds=0.0, request_timeout_seconds=5.0, **settings)
    return Transport(chosen, Pacer(chosen, clock, lambda *_: None), clock, lambda: None)


def granted(token: Any = MINTED, end: Any = "2026-09-21T15:13:20Z", **headers: str) -> bytes:
    return answer(201, {"token": token, "expires_at": end}, **headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "failure",
    [b"", answer(502, {"message": "Bad"}), answer(200, "{", content_type="text/html"), answer(200, {"id": "5"})],
    ids=["reset", "502", "no JSON", "no id"],
)
def test_a_failed_request_for_a_token_is_repeated(sandbox: Sandbox, method: str, failure: bytes) -> None:
    """Nothing was applied, so even a create waits for the token; at the end the error says that nothing was sent."""
    clock = VirtualClock()
    with WireServer(failure, FOUND, failure, granted(), GOOD) as server:
        line = wire(server, clock, **app_settings(sandbox))
        assert line.request(method, f"{E}/budgets", action="try it", repeatable=False).data == {"ok": True}
        assert clock.now() == 0.75 * (1 + 2)
    with WireServer(failure) as server:
        line = wire(server, **app_settings(sandbox))
        with pytest.raises(errors.NotSentError, match=r"find the installation .*(was not sent|Nothing was sent)"):
            line.request(method, f"{E}/budgets", action="try it", repeatable=False)
        assert len(server.heard) == 5


def test_a_refused_token_does_not_hide_a_lost_write(sandbox: Sandbox) -> None:
    """If an update without an answer cannot be repeated for want of a token, its unknown outcome is the error."""
    short = granted(end="2026-09-21T14:13:21Z")
    with WireServer(FOUND, short, b"", answer(403, {"message": "suspended"})) as server:
        line = wire(server, **app_settings(sandbox))
        with pytest.raises(errors.TransportError, match=r"^change it: no complete response") as caught:
            line.request("PATCH", f"{E}/budgets/1", action="change it", body={})
    assert not isinstance(caught.value, errors.NotSentError)
    assert len(server.heard) == 4


def test_limits_of_the_app_are_obeyed(sandbox: Sandbox) -> None:
    """A limited request for a token waits as GitHub asks; a permanent limit is the error."""
    limited = answer(403, {"message": "You have exceeded a secondary rate limit."}, Retry_After="17")
    clock = VirtualClock()
    with WireServer(limited, FOUND, limited, granted(), GOOD) as server:
        line = wire(server, clock, **app_settings(sandbox))
        assert line.request("POST", f"{E}/budgets", action="try it", repeatable=False).data == {"ok": True}
    assert clock.now() == 34.0
    with WireServer(limited) as server, pytest.raises(errors.RateLimitError, match="find the installation"):
        wire(server, **app_settings(sandbox)).request("POST", f"{E}/budgets", action="try it", repeatable=False)
    assert len(server.heard) == 6


@pytest.mark.parametrize(
    "reply",
    [
        granted(None),
        granted(7),
        granted("short"),
        granted("two words and more"),
        granted("t\u00f6ken-of-some-length"),
        granted("x" * 4097),
        granted("line\nbreak-in-a-token"),
        granted(end=None),
        granted(end=5),
        granted(end="soon"),
        granted(end="9999-12-31T23:59:59-23:59"),
        granted(end="2026-09-21T14:13:20Z"),
        granted(end="2026-09-21T15:13:20Z", Date="Mon, 21 Sep 2026 16:00:00 GMT"),
        answer(201, ["ghs_0123456789"]),
    ],
)
def test_a_strange_token_is_not_used(sandbox: Sandbox, reply: bytes) -> None:
    """A token of a wrong form or without an end in the future is refused, and the actual request is not sent."""
    with WireServer(FOUND, reply) as server:
        line = wire(server, max_wait_seconds=0.1, **app_settings(sandbox))
        with pytest.raises(errors.NotSentError, match=r"no valid token with an end in the future. Nothing was sent"):
            line.request("POST", f"{E}/budgets", action="try it")
    assert len(server.heard) == 2


def test_the_end_of_a_token_follows_githubs_clock(sandbox: Sandbox) -> None:
    """If this machine's clock is wrong, the Date header decides how long a token is used."""
    clock = VirtualClock()
    end, date = "2031-01-01T00:01:40Z", "Wed, 01 Jan 2031 00:00:00 GMT"
    with WireServer(FOUND, granted(end=end, Date=date), GOOD, GOOD, granted(end=end, Date=date), GOOD) as server:
        line = wire(server, clock, **app_settings(sandbox))
        for pause in (0, 88, 2):
            clock.sleep(pause)
            assert line.request("GET", f"{E}/budgets", action="list").data == {"ok": True}
    assert len(server.heard) == 6


@given(
    found=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["id", "account", "permissions", "slug", "login", "enterprise_billing"]),
                inner,
                max_size=4,
            )
            | st.lists(inner, max_size=2)
        ),
    )
)
def test_any_answer_about_an_installation_is_safe(shared: tuple[Sandbox, list[VirtualClock]], found: Any) -> None:
    """Whatever GitHub tells of the installation, the request is sent with a token, or an error says why."""
    with WireServer(answer(200, found), granted(), GOOD) as server:
        line = wire(server, max_wait_seconds=0.1, **app_settings(shared[0]))
        try:
            assert line.request("GET", f"{E}/budgets", action="list").data == {"ok": True}
            asked = json.loads(server.heard[1].partition("\r\n\r\n")[2])
            assert list(asked["permissions"]) == ["enterprise_billing"]
        except errors.NotSentError:
            assert len(server.heard) == 1


def test_messages_and_logs_show_no_secret(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A server that repeats what it hears makes no message, log, reply or repr show the key, a JWT or a token."""
    caplog.set_level("DEBUG")
    secret = "ghs_" + "0123456789abcdef" * 2
    said: list[str] = []
    for status in (400, 401, 403, 404, 409, 422, 500):
        with WireServer(FOUND, granted(secret), GOOD) as server:
            line = wire(server, max_wait_seconds=0.1, **app_settings(sandbox))
            line.request("GET", f"{E}/budgets", action="list")
            jwt, bearer = (server.heard[place].partition("Bearer ")[2].partition("\r\n")[0] for place in (0, 2))
            assert bearer == secret
            heard = f"{jwt} {bearer} {sandbox.app_private_key}"
            server.replies = [answer(200, {"a": heard, heard: 1, "token": bearer})]
            said.append(repr(line.request("GET", f"{E}/budgets", action="list")))
            content = {"message": heard, "errors": [heard], "token": bearer}
            server.replies = [answer(status, content, X_GitHub_Request_Id=jwt)]
            said += [repr(line), repr(line.installation(f"{E}/budgets"))]
            for path in (f"{E}/budgets", f"{ORG}/budgets"):
                with pytest.raises(errors.BillingError) as caught:
                    line.request("GET", path, action="list")
                said += [str(caught.value), repr(caught.value), str(vars(caught.value))]
    assert "[secret]" in "".join(said)
    assert secrets_in(sandbox, "\n".join([*said, caplog.text])) == []
