"""The accounts that own budgets, and the scopes that a budget can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTERPRISE = "enterprise"
ORGANIZATION = "organization"
REPOSITORY = "repository"
COST_CENTER = "cost_center"
MULTI_USER_CUSTOMER = "multi_user_customer"
MULTI_USER_COST_CENTER = "multi_user_cost_center"
USER = "user"

BudgetScope = Literal[
    "enterprise", "organization", "repository", "cost_center", "multi_user_customer", "multi_user_cost_center", "user"
]
"""A scope of a budget; an enterprise's budget can have each."""
OrgBudgetScope = Literal["organization", "repository", "multi_user_customer", "user"]
"""A scope of an organization's budget."""

COST_CENTER_SCOPES = frozenset({COST_CENTER, MULTI_USER_COST_CENTER})
"""Scopes whose entity is a cost center; requests contain its UUID, responses its name."""

PER_USER_SCOPES = frozenset({USER, MULTI_USER_CUSTOMER, MULTI_USER_COST_CENTER})
"""Scopes that limit users: always a hard stop, always for AI credits."""


@dataclass(frozen=True)
class OwnerKind:
    """A kind of account that owns budgets, with all properties that differ between kinds.

    Attributes:
        noun: GitHub's noun, the input that names the owner, and the first part of a resource id.
        path: Path prefix of its endpoints.
        resource: Name of the Pulumi resource.
        scopes: Scopes that its create endpoint accepts.
    """

    noun: str
    path: str
    resource: str
    scopes: tuple[str, ...]


ENTERPRISE_OWNER = OwnerKind(
    noun=ENTERPRISE,
    path="enterprises",
    resource="EnterpriseBudget",
    scopes=get_args(BudgetScope),
)
ORGANIZATION_OWNER = OwnerKind(
    noun=ORGANIZATION,
    path="organizations",
    resource="OrgBudget",
    scopes=get_args(OrgBudgetScope),
)
OWNER_KINDS = {kind.noun: kind for kind in (ENTERPRISE_OWNER, ORGANIZATION_OWNER)}


@dataclass(frozen=True)
class Owner:
    """The account that owns budgets: its kind, and its slug or login as declared."""

    kind: OwnerKind
    slug: str

    @property
    def key(self) -> str:
        """The owner as a case-insensitive key; GitHub ignores case in slugs and logins."""
        return f"{self.kind.noun}/{self.slug.lower()}"

    def __str__(self) -> str:
        """Return the owner as shown in error messages."""
        return f"{self.kind.noun} {self.slug}"


def owner_of(fields: Mapping[str, Any]) -> Owner:
    """Return the owner of a budget from its inputs."""
    kind = next(kind for noun, kind in OWNER_KINDS.items() if noun in fields)
    return Owner(kind, fields[kind.noun])
