"""The sample tokens and their permissions: roles, scopes, expiry, single sign-on."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from billing_provider.sandbox.operations.replies import RefusedError, forbidden, not_found, unauthorized
from billing_provider.sandbox.store.clock import utc
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing_provider.sandbox.store.names import SandboxNames
    from billing_provider.sandbox.store.records import StoredBudget, StoredCostCenter

APP_PERMISSIONS = {"enterprise": "enterprise_billing", "organization": "organization_administration"}
"""The permission that a token of an App needs, by kind of owner."""
OTHER_CREDENTIALS = {f"github-billing:{name}": "" for name in ("appId", "appPrivateKey", "credentials")}
"""Settings that switch off the other credentials of a stack, so that none of them reaches a sandbox."""
OWNER_TOKEN = "sandbox-enterprise-owner"  # noqa: S105  # the name of a role, not a secret
_REAL = re.compile(r"gh[a-z]_|github_pat_")
_USE = "Use a token that it printed at its start."
_SUFFIX = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)


@dataclass(frozen=True)
class SandboxToken:
    """One sample token: its role, the login of its user, its kind, and a one-line summary.

    Each sandbox has tokens of its own: `name`, a hyphen and the sandbox's suffix.
    """

    name: str
    role: str
    login: str
    summary: str
    scopes: str | None = "manage_billing:enterprise, read:enterprise, admin:org, read:user"
    lives_days: int | None = None
    organization: str | None = None
    installed_on: tuple[str, str] | None = None
    permissions: tuple[tuple[str, str], ...] = ()

    def headers(self, now: float) -> dict[str, str]:
        """Return the token headers that GitHub adds to every reply."""
        headers = {} if self.scopes is None else {"X-OAuth-Scopes": self.scopes, "X-Accepted-OAuth-Scopes": ""}
        if self.lives_days is not None:
            end = utc(now) + timedelta(days=self.lives_days)
            headers["github-authentication-token-expiration"] = end.strftime("%Y-%m-%d %H:%M:%S UTC")
        return headers


TOKENS: dict[str, SandboxToken] = {
    token.name: token
    for token in (
        SandboxToken(OWNER_TOKEN, "owner", "octocat", "enterprise owner: full access"),
        SandboxToken(
            "sandbox-billing-manager", "manager", "monalisa", "billing manager of the enterprise: full access"
        ),
        SandboxToken(
            "sandbox-org-owner",
            "organization",
            "hubot",
            "organization owner: budgets of the first organization, and enterprise budgets for it and its repositories",
        ),
        SandboxToken("sandbox-read-only", "reader", "hubot", "read-only: writes are refused (403)"),
        SandboxToken(
            "sandbox-no-billing", "outsider", "hubot", "no billing scope: 404 or 403", scopes="repo, read:org"
        ),
        SandboxToken(
            "sandbox-fine-grained",
            "organization",
            "hubot",
            "fine-grained token of the first organization: enterprise paths are refused (403); expires in 30 days",
            scopes=None,
            lives_days=30,
        ),
        SandboxToken("sandbox-expired", "expired", "octocat", "expired: 401"),
        SandboxToken("sandbox-no-sso", "no-sso", "octocat", "not authorized for single sign-on: 403 or 404"),
    )
}


def issue(suffix: str | None) -> dict[str, SandboxToken]:
    """Return the tokens of a sandbox by their texts; without a suffix, nobody else can guess them.

    Raises:
        ValueError: The suffix is invalid.
    """
    if suffix is None:
        suffix = secrets.token_hex(16)
    elif not _SUFFIX.fullmatch(suffix):
        raise ValueError("token_suffix: it must have 1 to 64 letters and digits")
    return {f"{name}-{suffix}": token for name, token in TOKENS.items()}


def is_sample(text: str) -> bool:
    """Return whether a text has the form of a token of some sandbox."""
    name, _, suffix = text.rpartition("-")
    return name in TOKENS and _SUFFIX.fullmatch(suffix) is not None


def authenticate(authorization: str | None, tokens: Mapping[str, SandboxToken]) -> SandboxToken:
    """Return the token of an Authorization header.

    Args:
        authorization: The header.
        tokens: The tokens of this sandbox.

    Raises:
        RefusedError: The token is missing, unknown, expired, or looks like a real one (401).
    """
    scheme, _, secret = (authorization or "").partition(" ")
    if not secret:
        raise unauthorized("Requires authentication")
    if _REAL.match(secret):
        raise unauthorized(
            "Bad credentials: the token has the form of a real GitHub token. "
            f"The sandbox neither stored nor logged it. {_USE}",
            problem="the token has the form of a real GitHub token",
        )
    token = tokens.get(secret)
    if scheme.lower() not in {"bearer", "token"} or token is None or token.role == "expired":
        problem = "the token has expired" if token else f"it is not of this sandbox. {_USE}"
        raise unauthorized("Bad credentials", problem)
    return token


def with_names(token: SandboxToken, names: SandboxNames) -> SandboxToken:
    """Return a token with the names of the sandbox; an organization owner has the first organization."""
    if token.installed_on is not None:
        return token
    first = names.organizations[0] if names.organizations else ""
    organization = first if token.role == "organization" else None
    return replace(token, login=names.stand_in("users", token.login), organization=organization)


def permit(
    token: SandboxToken,
    names: SandboxNames,
    owner_kind: str,
    owner: str,
    *,
    writes: bool,
    does: str,
    permission: str,
) -> None:
    """Check that a token may use an operation below an owner.

    Args:
        token: The token of the request.
        names: The names of the sandbox.
        owner_kind: `enterprise`, `organization` or `user`.
        owner: The slug or login in the path.
        writes: Whether the operation changes anything.
        does: The operation, for GitHub's message: "create a budget".
        permission: What the token of an App needs; empty for the permission for the owner's billing.

    Raises:
        RefusedError: The token has no permission (403), or must not see the owner (404).
    """
    if token.installed_on is not None:
        _permit_app(token, token.installed_on, owner_kind, owner, writes=writes, permission=permission)
        return
    if owner_kind == "user":
        if not same_name(token.login, owner):
            raise not_found(problem=f"the token belongs to {token.login}; only this user can read the usage")
        return
    if token.role == "no-sso":
        _refuse_without_sso(names.enterprises[0] if names.enterprises else owner, owner_kind)
    if token.role == "outsider":
        if owner_kind == "enterprise":
            raise not_found(problem="the token has no billing scope")
        raise forbidden(f"Insufficient permissions to {does}.", "the token has no billing scope")
    if token.role == "organization":
        _permit_organization_owner(token, owner_kind, owner)
    if token.role == "reader" and writes:
        raise forbidden(f"Insufficient permissions to {does}.", "the token is read-only")


def _permit_organization_owner(token: SandboxToken, owner_kind: str, owner: str) -> None:
    if token.scopes is None and owner_kind == "enterprise":
        raise forbidden(
            "Resource not accessible by personal access token",
            "fine-grained tokens can use organization paths only",
        )
    if owner_kind == "organization" and not administers(token, owner):
        raise not_found(problem=f"the token administers only {token.organization}")


def _permit_app(
    token: SandboxToken, account: tuple[str, str], owner_kind: str, owner: str, *, writes: bool, permission: str
) -> None:
    permission = permission or APP_PERMISSIONS.get(owner_kind, "")
    if not permission:
        raise forbidden("Resource not accessible by integration", "an installation's token has no user")
    if account[0] != owner_kind or not same_name(account[1], owner):
        raise not_found(problem=f"the token is of the installation on {' '.join(account)}")
    level = dict(token.permissions).get(permission)
    needed = "write" if writes else "read"
    if level not in (needed, "write"):
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "Resource not accessible by integration",
            headers={"x-accepted-github-permissions": f"{permission}={needed}"},
            problem=f"the token has {permission}={level}",
        )


def _refuse_without_sso(enterprise: str, owner_kind: str) -> None:
    url = f"https://github.com/enterprises/{enterprise}/sso?authorization_request=0"
    hint = {"x-github-sso": f"required; url={url}"}
    if owner_kind == "organization":
        raise RefusedError(HTTPStatus.NOT_FOUND, "Not Found", headers=hint)
    raise RefusedError(
        HTTPStatus.FORBIDDEN,
        "Resource protected by organization SAML enforcement. "
        "You must grant your Personal Access token access to this organization.",
        headers=hint,
    )


def administers(token: SandboxToken, organization: str) -> bool:
    """Return whether the token is of an owner of this organization."""
    return token.organization is not None and same_name(token.organization, organization)


def only_enterprise_staff(token: SandboxToken, does: str) -> None:
    """Refuse organization owners where only enterprise owners and billing managers are allowed.

    Raises:
        RefusedError: The token is of an organization owner (403).
    """
    if token.organization is not None:
        raise forbidden(
            f"Insufficient permissions to {does}.", "only enterprise owners and billing managers are allowed"
        )


def sees_budget(token: SandboxToken, budget: StoredBudget) -> bool:
    """Return whether the token can see a budget; organization owners see their organization and its repositories."""
    if token.organization is None or budget.owner_kind == "organization":
        return True
    return budget.budget_scope in {"organization", "repository"} and administers(
        token, budget.budget_entity_name.partition("/")[0]
    )


def sees_cost_center(token: SandboxToken, center: StoredCostCenter) -> bool:
    """Return whether the token can see a cost center; organization owners see those with members of theirs."""
    if token.organization is None:
        return True
    return any(
        member["type"] in {"Org", "Repo"} and administers(token, member["name"].partition("/")[0])
        for member in center.resources
    )
