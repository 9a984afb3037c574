"""Data types of cost centers, and the comparison of members and inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from billing_provider.core.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.core.inputs import is_uuid
from billing_provider.core.opaque import OpaqueRow, unexpected_fields
from billing_provider.core.owners import ENTERPRISE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

USERS = "users"
ORGANIZATIONS = "organizations"
REPOSITORIES = "repositories"
ENTERPRISE_TEAMS = "enterprise_teams"
MEMBER_KINDS = (USERS, ORGANIZATIONS, REPOSITORIES, ENTERPRISE_TEAMS)
"""The inputs that list members; GitHub's write endpoints use the same names."""

IN_PLACE = ("name", "ai_credit_pool_enabled", *MEMBER_KINDS)
"""Inputs that can change without replacing the cost center."""

CostCenterState = Literal["active", "deleted"]
"""The state of a cost center; a deleted one is archived."""
ACTIVE = "active"
DELETED = "deleted"

_KIND_OF_TYPE = {
    "user": USERS,
    "org": ORGANIZATIONS,
    "organization": ORGANIZATIONS,
    "repo": REPOSITORIES,
    "repository": REPOSITORIES,
    "team": ENTERPRISE_TEAMS,
    "enterpriseteam": ENTERPRISE_TEAMS,
}
_LENIENT = ConfigDict(allow_inf_nan=False)


@dataclass(config=_LENIENT, frozen=True)
class CostCenterResource:
    """One member of a cost center.

    Attributes:
        type: GitHub's name for its kind: `User`, `Org`, `Repo` or `Team`, or the longer `Repository` and so on.
        name: A login, `owner/name`, or a team's slug, which GitHub prefixes with `ent:`.
    """

    type: Sendable
    name: Sendable

    @property
    def kind(self) -> str | None:
        """The input that lists such members; None for a type that is newer than this package."""
        return _KIND_OF_TYPE.get(self.type.replace("_", "").lower())


@dataclass(config=_LENIENT, frozen=True)
class AiCreditPool:
    """The AI credit pool of a cost center, in AI credits; amounts are None until GitHub has set it up."""

    target_amount: float | None = None
    current_amount: float | None = None


def cost_center_key(enterprise: str, name: str) -> tuple[str, ...]:
    """Return the key of a cost center for the registry of a run."""
    return ("cost center", enterprise.lower(), name.lower())


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


@dataclass(config=_LENIENT, frozen=True)
class CostCenterDetails:
    """A cost center as GitHub stores it.

    Attributes:
        id: Its UUID.
        name: Its name.
        state: `active`, or `deleted` for one that is archived.
        resources: All its members.
        ai_credit_pool_enabled: Whether it uses the AI credit pool; None if GitHub does not report it.
        ai_credit_pool_state: The pool, if it has one.
        azure_subscription: The Azure subscription that is billed; None if there is none.
    """

    id: Id
    name: Sendable
    state: Sendable = ACTIVE
    resources: Annotated[tuple[CostCenterResource, ...], BeforeValidator(_none_is_empty)] = ()
    ai_credit_pool_enabled: bool | None = None
    ai_credit_pool_state: AiCreditPool | None = None
    azure_subscription: Sendable | None = None

    def members(self, kind: str) -> list[str]:
        """Return the names of the members of one kind, as GitHub writes them."""
        return [resource.name for resource in self.resources if resource.kind == kind]


class OpaqueCostCenter(OpaqueRow):
    """A listed cost center that does not fit `CostCenterDetails`."""

    noun = "cost center"

    @property
    def is_archived(self) -> bool:
        """Whether it certainly is archived."""
        return self.text("state") == DELETED

    def may_be(self, name_or_id: str) -> bool:
        """Return whether it may have a name or a UUID: what it does not show may be anything."""
        text, id_, name = name_or_id.lower(), self.id.lower(), self.text("name").lower()
        return id_ in {text, ""} if is_uuid(text) else text in {id_, name} or not name


_ONE = TypeAdapter(CostCenterDetails)


def read_cost_center(data: Any) -> CostCenterDetails:
    """Return a cost center parsed from a reply.

    Raises:
        pydantic.ValidationError: The reply has an unexpected form.
    """
    return _ONE.validate_python(data)


def read_listed(row: Any) -> CostCenterDetails | OpaqueCostCenter:
    """Return a cost center of a listing; one that does not fit is opaque."""
    try:
        return read_cost_center(row)
    except ValidationError as error:
        return OpaqueCostCenter.of(row, unexpected_fields(error, OpaqueCostCenter.noun))


def plain_member(kind: str, name: str) -> str:
    """Return the normalized name of a member, for comparison and for requests."""
    return name.lower().removeprefix("ent:") if kind == ENTERPRISE_TEAMS else name.lower()


def missing_members(kind: str, wanted: Iterable[str], there: Iterable[str]) -> list[str]:
    """Return the wanted members that are missing, without duplicates, in the given order and spelling."""
    known = {plain_member(kind, name) for name in there}
    found: list[str] = []
    for name in wanted:
        if (key := plain_member(kind, name)) not in known:
            known.add(key)
            found.append(name)
    return found


def as_inputs(center: CostCenterDetails) -> dict[str, Any]:
    """Return a live cost center as inputs, without the fields that GitHub does not report."""
    live: dict[str, Any] = {"name": center.name, **{kind: center.members(kind) for kind in MEMBER_KINDS}}
    if center.ai_credit_pool_enabled is not None:
        live["ai_credit_pool_enabled"] = center.ai_credit_pool_enabled
    return live


def same_input(name: str, one: Any, other: Any) -> bool:
    """Return whether two values of an input are equivalent; members are sets, slugs are case-insensitive."""
    if name in MEMBER_KINDS:
        return {plain_member(name, each) for each in one} == {plain_member(name, each) for each in other}
    if name == "name" and one == other.strip():
        # A state of an older version has the name without the spaces at its ends.
        return True
    return bool(one.lower() == other.lower() if name == ENTERPRISE else one == other)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the inputs that are present in both and not equivalent."""
    both = [name for name in (ENTERPRISE, *IN_PLACE) if name in one and name in other]
    return [name for name in both if not same_input(name, one[name], other[name])]
