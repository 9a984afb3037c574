"""The Authorization of each request: a token, or the token of a GitHub App's installation, by the owner in the path."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from billing_provider.core.clock import instant
from billing_provider.core.credentials import BY_OWNER, App, Token, advice_on
from billing_provider.core.errors import ApiError, AppError, ConfigError, NotSentError, RateLimitError
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION
from billing_provider.core.redact import MIN_TOKEN, remember
from billing_provider.transport.access import TEAMS, endpoint_of, grant_of, owner_of
from billing_provider.transport.retry import http_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.core.clock import Clock
    from billing_provider.core.credentials import Credential
    from billing_provider.core.settings import Settings
    from billing_provider.transport.access import Grant
    from billing_provider.transport.session import Reply

_PATHS = {ENTERPRISE: "enterprises", ORGANIZATION: "orgs"}
_BACK_SECONDS, _JWT_SECONDS = 60, 600
"""GitHub accepts a JWT for ten minutes; it starts in the past, because clocks differ."""
_MOST_LEFT_SECONDS = 60.0
"""A token is renewed this long before its end, or after 90 % of a short life."""
_TOKEN = re.compile(rf"[!-~]{{{MIN_TOKEN},4096}}")
_LEVEL = re.compile(r"[a-z]{1,20}")


class Ask(Protocol):
    """Sends a request of the App itself once, and returns its successful response; `token` in it is not masked."""

    def __call__(self, method: str, path: str, jwt: str, action: str, body: Any = None) -> Reply:
        """Send the request.

        Raises:
            NotSentError: No readable response, or a failure of GitHub.
            RateLimitError: GitHub limits the App.
            ApiError: GitHub refused it.
        """


@dataclass
class Installation:
    """An App on one account.

    Attributes:
        app: The App.
        id: Its id.
        account: The account as GitHub names it.
        permissions: What it was granted, as permission and level.
        token: Its token, never shown; empty if there is none.
        renew_at: When the token is to be replaced, on the clock.
    """

    app: App
    id: int
    account: str
    permissions: Mapping[str, str]
    token: str = field(default="", repr=False)
    renew_at: float = 0.0

    def __str__(self) -> str:
        """Return the installation as shown in messages."""
        return f"App {self.app.app_id} (installation {self.id} on {self.account})"


def _key(path: str) -> str:
    """Return what names the installation of a request: the owner, and an endpoint with a permission of its own."""
    kind, name = owner_of(path)
    return f"{kind}/{name.lower()}" + (f"/{TEAMS}" if endpoint_of(path) == TEAMS else "")


class Authorizer:
    """Finds the credential of each request and keeps the tokens of installations.

    One thread at a time calls `bearer`; others may call the rest meanwhile.

    Args:
        settings: The credentials.
        clock: The clock.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._installations: dict[str, Installation] = {}

    def bearer(self, path: str, ask: Ask) -> str:
        """Return the token for a request; an App's token is created or renewed before.

        Raises:
            ConfigError: There is no credential for the owner.
            AppError: GitHub gives the App no token for the owner.
            NotSentError: GitHub could not be asked for a token.
            RateLimitError: GitHub limits the App.
        """
        kind, name, credential = self._find(path)
        if isinstance(credential, Token):
            return credential.value
        if kind not in _PATHS:
            what = f"{kind} {name}" if name else "a request without an owner"
            raise ConfigError(
                f"a GitHub App has no token for {what}: use a token instead, or name one in {BY_OWNER}. "
                "Nothing was sent."
            )
        key = _key(path)
        installation = self._installations.get(key)
        if installation is None:
            installation = self._installations[key] = self._look_up(credential, kind, name, ask)
        # Read once: another thread can forget the token meanwhile.
        token = installation.token
        if not token or self._clock.now() >= installation.renew_at:
            self._renew(installation, grant_of(kind, endpoint_of(path)), ask)
            token = installation.token
        return token

    def forget(self, path: str, bearer: str) -> bool:
        """Forget a token that GitHub refused; return whether there can be a new one."""
        installation = self.installation(path)
        if installation is None:
            return False
        # Requests are on their way together: another one may have had the same refusal.
        if installation.token == bearer:
            installation.token = ""
        return True

    def installation(self, path: str) -> Installation | None:
        """Return the installation for a request, as found so far."""
        return self._installations.get(_key(path))

    def source(self, path: str) -> str:
        """Return where the credential of a request was found.

        Raises:
            ConfigError: There is no credential for the owner.
        """
        return self._find(path)[2].source

    def _find(self, path: str) -> tuple[str, str, Credential]:
        kind, name = owner_of(path)
        credential = self._settings.credentials.of(kind, name)
        if credential is None:
            raise ConfigError(
                f"there is no credential for {kind} {name}: add it to {BY_OWNER}, or set a token or App for all "
                "other owners. Nothing was sent."
            )
        return kind, name, credential

    def _look_up(self, app: App, kind: str, name: str, ask: Ask) -> Installation:
        """Return the installation of an App on an owner."""
        action = f"find the installation of App {app.app_id} on {kind} {name}"
        advice = f"Install the App on {kind} {name}, or name another credential of this owner in {BY_OWNER}."
        with self._explained(app, advice):
            data = ask("GET", f"/{_PATHS[kind]}/{name}/installation", self._jwt(app), action).data
        data = data if isinstance(data, dict) else {}
        number, account, granted = data.get("id"), data.get("account"), data.get("permissions")
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise NotSentError(f"{action}: GitHub's response has no id. Nothing was sent; run again.")
        account = account if isinstance(account, dict) else {}
        granted = granted if isinstance(granted, dict) else {}
        levels = {key: level for key, level in granted.items() if isinstance(level, str) and _LEVEL.fullmatch(level)}
        return Installation(app, number, str(account.get("slug") or account.get("login") or name)[:100], levels)

    def _renew(self, installation: Installation, grant: Grant, ask: Ask) -> None:
        """Replace the token of an installation; it has one permission, as the App has it, or less if less is needed."""
        app, permission = installation.app, grant.key
        action = f"get a token of {installation}"
        level = grant.level if grant.level == "read" else installation.permissions.get(permission, grant.level)
        path = f"/app/installations/{installation.id}/access_tokens"
        advice = (
            f"Grant the App the permission {permission} ({grant.level}), and accept it for the installation; "
            "a suspended installation gets no token."
        )
        with self._explained(app, advice):
            reply = ask("POST", path, self._jwt(app), action, {"permissions": {permission: level}})
        data = reply.data if isinstance(reply.data, dict) else {}
        token, life = data.get("token"), self._life(reply, data.get("expires_at"))
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or life is None or life <= 0:
            raise NotSentError(
                f"{action}: GitHub's response has no valid token with an end in the future. "
                "Nothing was sent; run again."
            )
        remember(token)
        installation.token = token
        # The times are whole seconds.
        installation.renew_at = self._clock.now() + life - 1 - min(_MOST_LEFT_SECONDS, life / 10)

    def _life(self, reply: Reply, end: Any) -> float | None:
        """Return the seconds until a time, by GitHub's clock if the response tells it."""
        now = http_date(reply.headers.get("date")) or self._clock.wall()
        try:
            return instant(end).timestamp() - now if isinstance(end, str) else None
        except ValueError:
            return None

    @contextmanager
    def _explained(self, app: App, advice: str) -> Iterator[None]:
        """Raise a refusal as an `AppError`; `advice` is what to do unless GitHub refused the key."""
        try:
            yield
        except RateLimitError:
            raise
        except ApiError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                advice = (
                    f"Check that the key in {app.source} is a current one of this App, and this machine's clock."
                    + advice_on(app.source, is_sandbox=self._settings.is_loopback)
                )
            raise AppError(str(error), error.message, advice) from None

    def _jwt(self, app: App) -> str:
        # Imported only here: a run with a token does not need it. The settings have checked that it is there.
        import jwt  # noqa: PLC0415

        issued = int(self._clock.wall()) - _BACK_SECONDS
        claims = {"iat": issued, "exp": issued + _JWT_SECONDS, "iss": app.app_id}
        text = jwt.encode(claims, app.private_key, algorithm="RS256")
        remember(text)
        return text
