"""What GitHub asks of a credential, by kind of owner and endpoint: the role, the scope, the permission."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED = "x-accepted-github-permissions"
"""The header of a 403 that names the permissions an operation needs."""
_ACCEPTED = re.compile(r"[a-z_]{1,60}=[a-z]{1,20}(?:[,;] ?[a-z_]{1,60}=[a-z]{1,20}){,9}")
_OWNER = re.compile(r"/(enterprises|organizations|users)/([^/?]+)")
_KINDS = {"enterprises": ENTERPRISE, "organizations": ORGANIZATION, "users": USER}
FINE_GRAINED = "a fine-grained personal access token"
TOKEN_KINDS = {
    "ghp_": "a classic personal access token",
    "github_pat_": FINE_GRAINED,
    "gho_": "an OAuth app's token",
    "ghu_": "a GitHub App's user token",
    "ghs_": "a GitHub App's installation token (or the built-in one of a workflow)",
}
"""The kinds of tokens, by their beginning."""
UNSURE = "GitHub's pages differ on whether an enterprise takes a fine-grained token"


class Grant(NamedTuple):
    """What a credential needs for the billing of a kind of owner.

    Attributes:
        scopes: Scopes of a classic token, each of which is enough; the first is the smallest.
        permission: The permission of a fine-grained token or a GitHub App, as GitHub's page names it.
        key: Its name in the API; empty if a GitHub App cannot have it.
        level: What is needed of it: `write`, or `read` if there is nothing to write.
    """

    scopes: tuple[str, ...]
    permission: str
    key: str
    level: str = "write"


GRANTS = {
    ENTERPRISE: Grant(("manage_billing:enterprise", "admin:enterprise"), "Enterprise billing", "enterprise_billing"),
    ORGANIZATION: Grant(("admin:org",), "Administration", "organization_administration"),
    USER: Grant(("user",), "Plan", ""),
}
TEAMS = "teams"
"""The endpoint of an enterprise's teams, which is not one of its billing."""
TEAM_GRANT = Grant(("read:enterprise", "admin:enterprise"), "Enterprise teams", "enterprise_teams", "read")


class Role(NamedTuple):
    """Who may use some endpoints.

    Attributes:
        kind: The kind of owner.
        endpoint: The first part of the path after the owner or `settings/billing/`; empty for all others.
        methods: The HTTP methods, in words; empty for all others.
        who: The role that GitHub's pages name, with its article.
    """

    kind: str
    endpoint: str
    methods: tuple[str, ...]
    who: str


_STAFF = "an owner or billing manager of the enterprise"
ROLES = (
    Role(ENTERPRISE, "budgets", ("DELETE",), "an owner of the enterprise; GitHub's page names no billing manager"),
    Role(ENTERPRISE, "budgets", ("POST", "PATCH"), f"{_STAFF}, or an owner of the organization that the budget covers"),
    Role(ENTERPRISE, "cost-centers", ("GET",), f"{_STAFF}, or an owner of an organization"),
    Role(ENTERPRISE, "cost-centers", (), "an owner of the enterprise; GitHub's pages differ on billing managers"),
    Role(ENTERPRISE, TEAMS, ("GET",), "a member of the enterprise"),
    Role(ENTERPRISE, "", (), _STAFF),
    Role(ORGANIZATION, "budgets", ("GET",), "an owner or billing manager of the organization"),
    Role(ORGANIZATION, "budgets", (), "an owner of the organization; GitHub's pages differ on billing managers"),
    Role(ORGANIZATION, "", (), "an owner of the organization"),
    Role(USER, "", (), "the user whose usage it is"),
)
"""The first row that fits a request is the one that holds."""


def owner_of(path: str) -> tuple[str, str]:
    """Return the kind and the name of the owner in a path; both are empty if there is none."""
    found = _OWNER.match(path)
    return (_KINDS[found[1]], found[2]) if found else ("", "")


def grant_of(kind: str, endpoint: str) -> Grant:
    """Return what a credential needs for an endpoint of a kind of owner, as `endpoint_of` returns it."""
    return TEAM_GRANT if endpoint == TEAMS else GRANTS[kind]


def role_for(method: str, path: str) -> str:
    """Return who may send a request below an owner, as GitHub's pages name the role."""
    kind, endpoint = owner_of(path)[0], endpoint_of(path)
    return next(
        row.who
        for row in ROLES
        if row.kind == kind and row.endpoint in (endpoint, "") and (method in row.methods or not row.methods)
    )


def lacking(method: str, path: str, headers: Mapping[str, str], message: str, holder: str, *, is_app: bool) -> str:
    """Return what a credential lacks after a 403, and what to do.

    Args:
        method: The HTTP method.
        path: The path of the request.
        headers: The response's headers.
        message: GitHub's message.
        holder: The credential and its source, as shown.
        is_app: Whether it is the token of a GitHub App's installation.
    """
    kind, endpoint, start = owner_of(path)[0], endpoint_of(path), holder[:1].upper() + holder[1:]
    if kind not in GRANTS or not endpoint:
        return f"{start} may not do this: check the role of its user and its permissions."
    grant, role = grant_of(kind, endpoint), f"its user must be {role_for(method, path)}"
    scope, permission = grant.scopes[0], f"{grant.permission} ({'read' if method == 'GET' else 'write'})"
    named, scopes = headers.get(ACCEPTED, ""), headers.get("x-oauth-scopes")
    if scopes is not None and {each.strip() for each in scopes.split(",")}.isdisjoint(grant.scopes):
        return f"{start} lacks the scope {scope}: add it; {role}."
    if scopes is not None:
        return f"{start} has the scope that is needed; {role}."
    if _ACCEPTED.fullmatch(named):
        return f"{ACCEPTED} names {named}, which {holder} lacks: grant it, and accept it for the account."
    if kind == ENTERPRISE and "personal access token" in message:
        return (
            f"{start} needs the permission {permission}. {UNSURE}: if it has the permission, use a classic token with "
            f"the scope {scope}, or a GitHub App."
        )
    by_scope = "" if is_app else f"the scope {scope} (classic) or "
    return f"{start} needs {by_scope}the permission {permission}" + ("." if is_app else f" (others); {role}.")


def endpoint_of(path: str) -> str:
    """Return the part of a path that decides who may use it; empty for the owner itself."""
    return _OWNER.sub("", path, count=1).removeprefix("/settings/billing").removeprefix("/").partition("/")[0]
