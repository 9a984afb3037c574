"""The sandbox's GitHub App: a key, installations for all owners, and tokens that end."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations.access import SandboxToken
from billing_provider.sandbox.operations.replies import RefusedError, Reply, not_found, unauthorized
from billing_provider.sandbox.store.clock import utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.sandbox.http.incoming import Incoming
    from billing_provider.sandbox.operations.quirks import Quirks
    from billing_provider.sandbox.store.state import SandboxState

_PATHS = (
    ("GET", re.compile(r"/enterprises/(?P<enterprise>[^/]+)/installation")),
    ("GET", re.compile(r"/orgs/(?P<organization>[^/]+)/installation")),
    ("GET", re.compile(r"/app/installations")),
    ("POST", re.compile(r"/app/installations/(?P<id>[0-9]{1,9})/access_tokens")),
)
_GRANTED = {"enterprise_billing": "write", "organization_administration": "write"}
_LEVELS = ("read", "write")
_FIELDS = ("permissions", "repositories", "repository_ids")
_LONGEST_JWT = 600
_HOUR = 3600
_FIRST_ID = 1001
_ACCOUNT_URLS = (
    *("avatar_url", "gravatar_id", "url", "html_url", "followers_url", "following_url", "gists_url", "starred_url"),
    *("subscriptions_url", "organizations_url", "repos_url", "events_url", "received_events_url"),
)


@dataclass(frozen=True)
class _Installation:
    id: int
    kind: str
    account: str


class SandboxApp:
    """One App. Its key is generated at the start, which takes a moment; it needs the extra `app`.

    Raises:
        ValueError: The extra `app` is not installed.
    """

    id = "424242"

    def __init__(self, state: SandboxState, quirks: Quirks) -> None:
        try:
            # Imported only here, because a sandbox without an App does not need the extra.
            import jwt  # noqa: PLC0415
            from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
            from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
        except ImportError:
            raise ValueError("an App needs the extra `app`: pip install 'github-billing-provider[app]'") from None

        self._jwt: Any = jwt
        self._state, self._quirks = state, quirks
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private_key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()
        self._installations: dict[tuple[str, str], _Installation] = {}
        self._granted: dict[str, Mapping[str, str] | None] = {}
        self._tokens: dict[str, tuple[float, SandboxToken]] = {}

    def install(self, owner: str, permissions: Mapping[str, str] | None) -> None:
        """Replace the permissions on an account; None uninstalls the App there. Tokens that exist stay valid."""
        self._granted[owner.casefold()] = permissions

    def token(self, secret: str) -> SandboxToken | None:
        """Return an installation's token.

        Raises:
            RefusedError: It has ended (401).
        """
        if secret not in self._tokens:
            return None
        end, token = self._tokens[secret]
        if self._state.clock() >= end:
            raise unauthorized("Bad credentials", problem="the installation's token has ended")
        return token

    def answer(self, request: Incoming) -> Reply | None:
        """Return the reply to a request of the App itself, or None if it is no such request.

        Raises:
            RefusedError: The JWT or the request is refused.
        """
        for method, path in _PATHS:
            found = path.fullmatch(request.path)
            if found is not None and request.method == method:
                self._check(request.headers.get("Authorization"))
                return self._reply(request, **found.groupdict())
        return None

    def _check(self, authorization: str | None) -> None:
        """Check the JWT strictly, on the sandbox's clock."""
        scheme, _, text = (authorization or "").partition(" ")
        try:
            claims = self._jwt.decode(
                text,
                self._key.public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "require": ["iat", "exp", "iss"]},
            )
        except self._jwt.InvalidTokenError:
            claims = {}
        times = [claims.get(name) for name in ("iat", "exp")]
        if scheme.lower() != "bearer" or not all(isinstance(moment, int) for moment in times):
            raise unauthorized("A JSON web token could not be decoded")
        now, (issued, end) = self._state.clock(), times
        problem = None
        if str(claims["iss"]) != self.id:
            problem = "'Issuer' claim ('iss') is not the id of this App"
        elif issued > now:
            problem = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        elif end <= now:
            problem = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        elif end > now + _LONGEST_JWT:
            problem = "'Expiration time' claim ('exp') is too far in the future"
        if problem:
            raise unauthorized(problem)

    def _permissions(self, account: str) -> Mapping[str, str] | None:
        return self._granted.get(account.casefold(), _GRANTED)

    def _reply(self, request: Incoming, **named: str) -> Reply:
        if "id" in named:
            return self._create_token(int(named["id"]), request)
        if not named:
            known = self._state.known
            owners = [("enterprise", name) for name in known.enterprises]
            owners += [("organization", name) for name in known.organizations]
            shown = [self._installation(*owner) for owner in owners]
            return Reply([self._view(*each) for each in shown if each is not None])
        ((kind, name),) = named.items()
        account = self._state.find_name(kind, name)
        found = None if account is None else self._installation(kind, account)
        if found is None:
            raise not_found(problem=f"the App is not installed on {kind} {name}")
        return Reply(self._view(*found))

    def _installation(self, kind: str, account: str) -> tuple[_Installation, Mapping[str, str]] | None:
        """Return the installation on an account with its permissions, or None if the App is not installed there."""
        granted = self._permissions(account)
        if granted is None:
            return None
        number = _FIRST_ID + len(self._installations)
        return self._installations.setdefault((kind, account), _Installation(number, kind, account)), granted

    def _view(self, installation: _Installation, granted: Mapping[str, str]) -> dict[str, Any]:
        """Return an installation as GitHub describes it."""
        number, target = installation.id, installation.kind.capitalize()
        name = "slug" if target == "Enterprise" else "login"
        account = dict.fromkeys(_ACCOUNT_URLS, f"https://github.com/{installation.account}")
        account |= {name: installation.account, "name": installation.account, "node_id": f"I_{number}"}
        times = dict.fromkeys(("created_at", "updated_at"), "2026-08-26T00:00:00Z")
        return {
            "id": number,
            "app_id": int(self.id),
            "app_slug": "sandbox-app",
            "account": {**account, **times, "id": number, "type": target, "site_admin": False},
            "target_type": target,
            "target_id": number,
            "permissions": dict(granted),
            "events": [],
            "repository_selection": "all",
            "access_tokens_url": f"https://api.github.com/app/installations/{number}/access_tokens",
            "repositories_url": "https://api.github.com/installation/repositories",
            "html_url": f"https://github.com/settings/installations/{number}",
            **times,
            **dict.fromkeys(("single_file_name", "suspended_by", "suspended_at")),
        }

    def _create_token(self, number: int, request: Incoming) -> Reply:
        installation = next((each for each in self._installations.values() if each.id == number), None)
        granted = None if installation is None else self._permissions(installation.account)
        if installation is None or granted is None:
            raise not_found(problem=f"there is no installation {number}")
        wanted = request.object_body(_FIELDS).get("permissions", dict(granted))
        if not isinstance(wanted, dict) or not all(_allows(granted, *pair) for pair in wanted.items()):
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "The permissions requested are not granted to this installation.",
            )
        secret = f"ghs_{secrets.token_hex(18)}"
        end = self._state.clock() + (self._quirks.number("app_token_seconds") or _HOUR)
        self._tokens[secret] = (
            end,
            SandboxToken(
                name=f"installation-{number}",
                role="app",
                login="sandbox-app[bot]",
                summary="a token of an installation",
                scopes=None,
                installed_on=(installation.kind, installation.account),
                permissions=tuple(sorted(wanted.items())),
            ),
        )
        return Reply(
            {
                "token": secret,
                "expires_at": utc(end).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "permissions": wanted,
                "repository_selection": "all",
            },
            HTTPStatus.CREATED,
        )


def _allows(granted: Mapping[str, str], permission: Any, level: Any) -> bool:
    has = granted.get(permission)
    return has in _LEVELS and level in _LEVELS and _LEVELS.index(level) <= _LEVELS.index(has)
