"""The doctor: each problem is found, with its repair, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import Self

from billing_provider.cli import main
from billing_provider.core.credentials import App, Credentials, Token
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.core.settings import Settings
from billing_provider.doctor import FAILED, OK, WARNING, Finding, examine
from billing_provider.runtime.run import Run
from billing_provider.sandbox import Sandbox
from tests.support.app import app_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTERPRISE = Owner(ENTERPRISE_OWNER, "octo-enterprise")
ORGANIZATION = Owner(ORGANIZATION_OWNER, "octo-org")


class Quiet:
    """A reporter without output."""

    is_live = False

    def warn(self, text: str) -> None:
        """Fail: the doctor only reads."""
        raise AssertionError(text)

    def status(self, text: str) -> None:
        """Do nothing."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def findings(sandbox: Sandbox, token: str, *owners: Owner, **settings: Any) -> list[Finding]:
    chosen = Settings(Credentials(Token(token)), base_url=sandbox.url, max_wait_seconds=0, **settings)
    return list(examine(Run(lambda: chosen, Quiet()), owners))


def worst(found: list[Finding], subject: str) -> Finding:
    order = [OK, WARNING, FAILED]
    return max((one for one in found if one.subject == subject), key=lambda one: order.index(one.level))


def test_the_enterprise_owners_token_passes_every_check(sandbox: Sandbox) -> None:
    """The token of the enterprise owner passes every check, and nothing is written."""
    found = findings(sandbox, sandbox.token, ENTERPRISE, ORGANIZATION)
    assert {one.level for one in found} == {OK}
    assert "can be listed: 0" in worst(found, "enterprise octo-enterprise").text
    assert sandbox.writes == []


@pytest.mark.parametrize(
    ("token", "owner", "subject", "expected"),
    [
        ("sandbox-expired", ENTERPRISE, "token", (FAILED, "Replace it")),
        ("sandbox-fine-grained", ENTERPRISE, "enterprise octo-enterprise", (FAILED, "classic token")),
        ("sandbox-no-sso", ENTERPRISE, "enterprise octo-enterprise", (FAILED, "single sign-on")),
        ("sandbox-no-billing", ENTERPRISE, "scopes", (WARNING, "manage_billing:enterprise")),
        ("sandbox-no-billing", ENTERPRISE, "enterprise octo-enterprise", (FAILED, "Check the slug")),
        ("sandbox-no-billing", ORGANIZATION, "organization octo-org", (FAILED, "lacks the scope admin:org: add it")),
    ],
)
def test_each_token_gets_its_repair(
    sandbox: Sandbox, token: str, owner: Owner, subject: str, expected: tuple[str, str]
) -> None:
    """For a token that cannot manage the budgets, the missing permission is reported."""
    found = worst(findings(sandbox, sandbox.tokens[token], owner), subject)
    assert (found.level, expected[1] in found.repair) == (expected[0], True), found


def test_a_refused_token_names_its_source(sandbox: Sandbox) -> None:
    """If GitHub refuses the token only for an owner, the repair names where it is from."""
    sandbox.plan([{"path": "*budgets*", "action": "401"}])
    found = worst(findings(sandbox, sandbox.token, ENTERPRISE), "enterprise octo-enterprise")
    assert found.repair == "GitHub refused the token: renew it. It is from the caller."


def test_a_fine_grained_token_is_tried(sandbox: Sandbox) -> None:
    """For an enterprise a fine-grained token is neither refused nor promised: the reply decides."""
    said = "; GitHub's pages differ on whether an enterprise takes a fine-grained token: it is tried"
    first = findings(sandbox, "github_pat_x", ENTERPRISE)[0]
    assert (first.level, first.text) == (OK, f"from the caller, a fine-grained personal access token{said}")
    assert said not in findings(sandbox, "github_pat_x", ORGANIZATION)[0].text
    found = findings(sandbox, sandbox.tokens["sandbox-fine-grained"], ENTERPRISE)
    refused = worst(found, "enterprise octo-enterprise").repair
    assert refused.startswith("The token from the caller needs the permission Enterprise billing (read). GitHub's page")


def test_without_a_token_nothing_else_is_checked() -> None:
    """A missing setting ends the checks at once."""

    def settings() -> Settings:
        raise ConfigError("no token: set one")

    assert [one.level for one in examine(Run(settings, Quiet()), [])] == [FAILED]


def test_an_unreachable_host_is_named() -> None:
    """A closed port is reported with the host to check."""
    chosen = Settings(Credentials(Token("t")), base_url="http://127.0.0.1:9", max_wait_seconds=0)
    last = list(examine(Run(lambda: chosen, Quiet()), []))[-1]
    assert (last.level, last.subject, "127.0.0.1:9" in last.repair) == (FAILED, "host", True)


def test_a_retired_api_version_suggests_an_update(sandbox: Sandbox) -> None:
    """A rejected API version is distinguished from an unreachable host."""
    sandbox.plan([{"path": "*rate_limit*", "action": "410"}])
    found = findings(sandbox, sandbox.token)
    assert (found[-1].subject, found[-1].repair) == ("API version", "Update this package.")


def test_a_server_error_suggests_to_run_again(sandbox: Sandbox) -> None:
    """After a server error of GitHub, the repair does not name the token."""
    sandbox.plan([{"path": "*budgets*", "action": "503_before", "every": 1}])
    found = worst(findings(sandbox, sandbox.token, ENTERPRISE), "enterprise octo-enterprise")
    assert "Run again" in found.repair


def test_no_owner_is_a_warning(sandbox: Sandbox) -> None:
    """Without owners, a warning names the options."""
    assert worst(findings(sandbox, sandbox.token), "budgets").level == WARNING


def test_a_listing_without_a_count_is_still_counted(sandbox: Sandbox) -> None:
    """Without total_count, the budgets of the first page are counted."""
    sandbox.switch("total_count_missing")
    found = worst(findings(sandbox, sandbox.token, ENTERPRISE), "enterprise octo-enterprise")
    assert "0 or more" in found.text


@pytest.mark.parametrize(
    ("headers", "data", "subject", "level"),
    [
        ({"date": formatdate(0, usegmt=True)}, None, "clock", WARNING),
        ({"date": "yesterday"}, None, "clock", WARNING),
        ({}, None, "clock", WARNING),
        ({"deprecation": "@0", "sunset": "soon"}, None, "API version", WARNING),
        ({"github-authentication-token-expiration": "1970-01-03 00:00:00 UTC"}, None, "expiry", WARNING),
        ({"github-authentication-token-expiration": "2999-01-03 00:00:00 +0100"}, None, "expiry", OK),
        ({"github-authentication-token-expiration": "one day"}, None, "expiry", OK),
        ({}, {"rate": {"remaining": 3, "limit": 5000}}, "limits", WARNING),
        ({}, {"rate": {"remaining": 4999, "limit": 5000}}, "limits", OK),
        ({}, {"rate": "none"}, "limits", WARNING),
        ({"x-oauth-scopes": ""}, None, "scopes", OK),
    ],
)
def test_every_header_is_read(headers: dict[str, str], data: Any, subject: str, level: str) -> None:
    """Each header of a reply gives one finding."""
    with Answer(headers, data) as answer:
        chosen = Settings(Credentials(Token("t")), base_url=answer.url, max_wait_seconds=0)
        assert worst(list(examine(Run(lambda: chosen, Quiet()), [])), subject).level == level


def test_headers_never_show_the_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Headers that hold the token or a line break are masked and printed on one line."""
    token = "sandbox-canary-token-5up3r"
    names = ("x-oauth-scopes", "sunset", "github-authentication-token-expiration", "x-github-request-id")
    with Answer(dict.fromkeys(names, f"{token}\t\x1b[2J"), {"rate": token}) as served:
        monkeypatch.setenv("GITHUB_API_URL", served.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", token)
        assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert token not in printed
    assert "[secret] [2J" in printed
    assert "\x1b" not in printed


class Answer:
    """A server with one fixed reply, whose headers the sandbox never sends."""

    def __init__(self, headers: dict[str, str], data: Any) -> None:
        import json  # noqa: PLC0415
        import socket  # noqa: PLC0415
        import threading  # noqa: PLC0415

        body = json.dumps(data).encode()
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._reply = ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode() + body
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._reply)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()


def test_the_exit_code_and_the_repairs(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`billing-provider doctor` exits with 0 without failures, else with 1 and prints the repairs."""
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    assert main(["doctor", "--enterprise", "octo-enterprise", "--org", "octo-org"]) == 0
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.tokens["sandbox-expired"])
    assert main(["doctor", "--org", "octo-org"]) == 1
    printed = capsys.readouterr().out
    assert "-> Replace it" in printed
    assert "sandbox-expired" not in printed


def test_the_verb_shows_progress(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wait of more than one second is shown on standard error."""
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    sandbox.plan([{"path": "*rate_limit*", "action": "429_secondary", "seconds": 2}])
    assert main(["doctor"]) == 0
    assert " s for GitHub's secondary limit ..." in capsys.readouterr().err


@pytest.fixture(scope="module")
def app_sandbox() -> Iterator[Sandbox]:
    """A sandbox with a GitHub App, whose key takes a moment."""
    with Sandbox(app=True) as running:
        yield running


def of_app(sandbox: Sandbox, *owners: Owner, **settings: Any) -> list[Finding]:
    app = App(sandbox.app_id, sandbox.app_private_key, "GITHUB_APP_PRIVATE_KEY")
    given = {"credentials": Credentials(app), "base_url": sandbox.url, **settings}
    chosen = Settings(max_wait_seconds=0, **given)
    return list(examine(Run(lambda: chosen, Quiet()), owners))


def test_an_app_is_checked(app_sandbox: Sandbox) -> None:
    """The App, its installations and their permissions are shown."""
    found = of_app(app_sandbox, ENTERPRISE, ORGANIZATION)
    assert {one.level for one in found} == {OK}
    texts = [one.text for one in found]
    assert texts[0] == "App 424242, its key from GITHUB_APP_PRIVATE_KEY"
    for owner, permission in (("octo-enterprise", "enterprise_billing"), ("octo-org", "organization_administration")):
        said = f"on {owner}), {permission}: write"
        assert len([text for text in texts if text.startswith("App 424242 (installation 10") and said in text]) == 1


@pytest.mark.parametrize(
    ("permissions", "level", "text", "repair"),
    [
        (
            {"enterprise_billing": "read"},
            WARNING,
            "enterprise_billing: read",
            "grant the App enterprise_billing: write",
        ),
        (
            {"members": "read"},
            FAILED,
            "returned 422: The permissions requested are not",
            "permission enterprise_billing",
        ),
        (None, FAILED, "find the installation of App 424242 on enterprise octo-enterprise", "Install the App on"),
    ],
)
def test_what_an_app_lacks_is_named(
    app_sandbox: Sandbox, permissions: dict[str, str] | None, level: str, text: str, repair: str
) -> None:
    """A missing permission and a missing installation have a repair; the other owners are checked as usual."""
    app_sandbox.install_app("octo-enterprise", permissions)
    found = of_app(app_sandbox, ENTERPRISE, ORGANIZATION)
    app_sandbox.install_app("octo-enterprise", {"enterprise_billing": "write"})
    bad = worst(found, "enterprise octo-enterprise")
    assert (bad.level, text in bad.text, repair in bad.repair, repair in bad.text) == (level, True, True, False), bad
    assert worst(found, "organization octo-org").level == OK


def test_the_permission_that_github_names_is_shown(app_sandbox: Sandbox) -> None:
    """A 403 of an installation's token gives the header, the App and the installation."""
    chosen = Settings(base_url=app_sandbox.url, max_wait_seconds=0, **app_settings(app_sandbox))
    run = Run(lambda: chosen, Quiet())
    assert {one.level for one in examine(run, [ENTERPRISE])} == {OK}
    app = app_sandbox._api.app
    assert app is not None
    for secret, (end, token) in app._tokens.items():
        app._tokens[secret] = end, replace(token, permissions=())
    bad = worst(list(examine(run, [ENTERPRISE])), "enterprise octo-enterprise")
    assert bad.repair.startswith("x-accepted-github-permissions names enterprise_billing=read, which App 424242 (inst")


def test_each_credential_is_checked_with_its_owners(app_sandbox: Sandbox) -> None:
    """Credentials of owners are checked one by one; an owner without one, and an App without owners, are findings."""
    own = {"octo-org": Token(app_sandbox.token, "github-billing:credentials.octo-org.token")}
    found = of_app(app_sandbox, ORGANIZATION, ENTERPRISE, credentials=Credentials(by_owner=own))
    assert found[0].text == "from github-billing:credentials.octo-org.token, of an unknown kind"
    assert worst(found, "organization octo-org").level == OK
    assert worst(found, "enterprise octo-enterprise").repair == "Correct the setting."
    assert [one.subject for one in of_app(app_sandbox)] == ["app", "budgets"]
