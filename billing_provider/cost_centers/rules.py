"""Validation of the inputs of a cost center: their types and their rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from billing_provider.core.ids import SLUG
from billing_provider.core.inputs import (
    ON_DELETE,
    ON_EXISTING,
    Flag,
    Name,
    Problem,
    Text,
    Texts,
    choose,
    is_uuid,
    login_problem,
    no_such_inputs,
)
from billing_provider.cost_centers.models import (
    ENTERPRISE_TEAMS,
    MEMBER_KINDS,
    ORGANIZATIONS,
    REPOSITORIES,
    USERS,
    plain_member,
)
from billing_provider.transport.paging import MAX_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}", re.ASCII)
_SHOWN = 60


class CostCenterInputs(BaseModel):
    """The inputs of a cost center as a program writes them; None and a missing input are equivalent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enterprise: Text | None = None
    name: Name | None = None
    users: Texts | None = None
    organizations: Texts | None = None
    repositories: Texts | None = None
    enterprise_teams: Texts | None = None
    ai_credit_pool_enabled: Flag | None = None
    on_existing: Text | None = None
    on_delete: Text | None = None


INPUTS = tuple(CostCenterInputs.model_fields)
"""The names of all inputs, in their documented order."""


def read_inputs(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the inputs of valid type as plain values, and one problem for each other input."""
    given = {name: value for name, value in raw.items() if value is not None}
    unknown = [name for name in given if name not in INPUTS]
    found = dict(zip(unknown, no_such_inputs("CostCenter", unknown, INPUTS), strict=True))
    known = {name: value for name, value in given.items() if name not in found}
    try:
        CostCenterInputs.model_validate(known)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            field, *path = map(str, detail["loc"])
            where = f"{field}.{'.'.join(path)}: " if path else ""
            found.setdefault(field, Problem(field, f"{where}{detail['msg']}"))
    good = CostCenterInputs.model_validate({name: value for name, value in known.items() if name not in found})
    return good.model_dump(exclude_none=True), list(found.values())


def problems(fields: Mapping[str, Any], unsure: frozenset[str]) -> Iterator[Problem]:
    """Yield every problem in the inputs of one cost center.

    Args:
        fields: The inputs of valid type; an omitted input is missing.
        unsure: Inputs that are not checked: not known yet in a preview, or of a wrong type.
    """
    slug = fields.get("enterprise")
    if "enterprise" not in unsure and not SLUG.fullmatch(slug or ""):
        yield Problem("enterprise", "write the enterprise's slug, as in github.com/enterprises/SLUG")
    name = fields.get("name", "")
    if "name" not in unsure:
        if not name.strip():
            yield Problem("name", "write a name for the cost center")
        elif is_uuid(name):
            yield Problem(
                "name", "choose a name that does not have the form of a UUID: a budget could confuse it with an id"
            )
    yield from _member_problems(fields)
    yield from _pool_problems(fields)
    for name, choices in (("on_existing", ON_EXISTING), ("on_delete", ON_DELETE)):
        value = fields.get(name)
        if value is not None and value not in choices:
            yield Problem(name, choose(value, choices))


def _member_problems(fields: Mapping[str, Any]) -> Iterator[Problem]:
    members: dict[str, set[str]] = {kind: set() for kind in MEMBER_KINDS}
    for kind, known in members.items():
        for number, member in enumerate(fields.get(kind, ())):
            known.add(plain_member(kind, member))
            if reason := _member_problem(kind, member):
                yield Problem(kind, f"{kind}.{number}: {reason}")
    if (total := sum(map(len, members.values()))) > MAX_MEMBERS:
        largest = max(members, key=lambda kind: len(members[kind]))
        yield Problem(
            largest, f"use several cost centers: {total:,} members are declared, GitHub's limit is {MAX_MEMBERS:,}"
        )


def _pool_problems(fields: Mapping[str, Any]) -> Iterator[Problem]:
    others = [kind for kind in (ORGANIZATIONS, REPOSITORIES) if fields.get(kind)]
    if fields.get("ai_credit_pool_enabled") and others:
        yield Problem(
            "ai_credit_pool_enabled",
            f"write False, or leave out {' and '.join(others)}: only users and enterprise teams can share a pool",
        )


def _member_problem(kind: str, member: str) -> str | None:
    if kind == USERS:
        return login_problem(member)
    if kind == REPOSITORIES:
        return None if _REPOSITORY.fullmatch(member) else "write the repository as owner/name"
    if kind == ENTERPRISE_TEAMS:
        return None if SLUG.fullmatch(member.lower().removeprefix("ent:")) else "write the slug of the team"
    return None if SLUG.fullmatch(member) else "write the login of the organization"
