"""The seven operations on cost centers: list, create, get, update, archive, add members, remove members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.operations import access
from billing_provider.sandbox.operations.replies import Reply, bad_request, conflict, invalid, not_found
from billing_provider.sandbox.store.names import is_login, repository_owner, same_name
from billing_provider.sandbox.store.records import StoredCostCenter

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.call import Call
    from billing_provider.sandbox.store.records import Member

KINDS = {"users": "User", "organizations": "Org", "repositories": "Repo", "enterprise_teams": "Team"}
_LONG_KINDS = {"Repo": "Repository", "Team": "EnterpriseTeam"}
_MAX_NAME = 255
_MAX_RESOURCES = 50
_ACTIVE_LIMIT = 1000
_RESOURCE_LIMIT = 25_000


def list_cost_centers(call: Call) -> Reply:
    """Return all cost centers in one reply, including archived ones unless filtered by state."""
    state = call.query.get("state")
    if state not in {None, "active", "deleted"}:
        raise bad_request("Invalid value for state: active or deleted is needed.")
    return Reply(
        {
            "costCenters": [
                _show(call, center)
                for center in call.state.cost_centers.values()
                if state in {None, center.state} and access.sees_cost_center(call.token, center)
            ]
        }
    )


def create_cost_center(call: Call) -> Reply:
    """Store a new, empty cost center."""
    access.only_enterprise_staff(call.token, "create a cost center")
    if "name" not in call.body:
        raise bad_request("Bad request: name is required.")
    center = StoredCostCenter("", _name(call, call.body["name"]))
    if "ai_credit_pool_enabled" in call.body:
        center.ai_credit_pool_enabled = _pool(center, call.body["ai_credit_pool_enabled"])
    limit = call.quirks.number("cost_center_limit") or _ACTIVE_LIMIT
    if sum(other.state == "active" for other in call.state.cost_centers.values()) >= limit:
        problem = f"The enterprise has {limit} active cost centers, which is the maximum."
        raise invalid("CostCenter", "name", "limit_exceeded", problem)
    center.id = call.state.new_id()
    call.state.cost_centers[center.id] = center
    return Reply(_show(call, center))


def get_cost_center(call: Call) -> Reply:
    """Return one cost center, with a page of its members if requested."""
    center = _find(call)
    body = _show(call, center)
    if "page" in call.query or "per_page" in call.query:
        body["resources"], body["has_next_page"] = call.page(body["resources"], default=30, cap=100)
    return Reply(body)


def update_cost_center(call: Call) -> Reply:
    """Rename a cost center or switch its pool of AI credits."""
    center = _find_active(call)
    if not call.body:
        raise bad_request("Bad request: name or ai_credit_pool_enabled is required.")
    if "name" not in call.body and "cost_center_patch_needs_name" in call.quirks:
        raise invalid("CostCenter", "name", "missing_field")
    name = _name(call, call.body["name"], center) if "name" in call.body else center.name
    if "ai_credit_pool_enabled" in call.body:
        center.ai_credit_pool_enabled = _pool(center, call.body["ai_credit_pool_enabled"])
    center.name = name
    return Reply(_show(call, center))


def delete_cost_center(call: Call) -> Reply:
    """Archive a cost center: it stays readable, with the state deleted and without members."""
    center = _find_active(call)
    center.state = "deleted"
    center.resources.clear()
    return Reply(
        {
            "message": "Cost center successfully deleted.",
            "id": center.id,
            "name": center.name,
            "costCenterState": "CostCenterArchived",
        }
    )


def add_resources(call: Call) -> Reply:
    """Add members; members of another cost center are moved."""
    center = _find_active(call)
    members, moved = _members(call), []
    limit = call.quirks.number("resource_limit") or _RESOURCE_LIMIT
    if len({(each["type"], each["name"].casefold()) for each in (*center.resources, *members)}) > limit:
        problem = f"A cost center can have at most {limit} resources."
        raise invalid("CostCenter", "resources", "limit_exceeded", problem)
    for member in members:
        moved += [
            {"resource_type": member["type"], "name": member["name"], "previous_cost_center": other.name}
            for other in call.state.cost_centers.values()
            if other is not center and _take_out(other, member)
        ]
        _take_out(center, member)
        center.resources.append(member)
    return Reply({"message": "Resources successfully added to the cost center.", "reassigned_resources": moved or None})


def remove_resources(call: Call) -> Reply:
    """Remove members; names that are not members are ignored."""
    center = _find_active(call)
    for member in _members(call):
        _take_out(center, member)
    return Reply({"message": "Resources successfully removed from the cost center."})


def _take_out(center: StoredCostCenter, member: Member) -> bool:
    kept = [
        other
        for other in center.resources
        if other["type"] != member["type"] or not same_name(other["name"], member["name"])
    ]
    found = len(kept) < len(center.resources)
    center.resources[:] = kept
    return found


def _show(call: Call, center: StoredCostCenter) -> dict[str, Any]:
    kinds = _LONG_KINDS if "resource_long_types" in call.quirks else {}
    body: dict[str, Any] = {
        "id": center.id,
        "name": center.name,
        "state": center.state,
        "azure_subscription": None,
        "ai_credit_pool_enabled": center.ai_credit_pool_enabled,
        "resources": [
            {"type": kinds.get(member["type"], member["type"]), "name": member["name"]} for member in center.resources
        ],
    }
    if center.ai_credit_pool_enabled:
        body["ai_credit_pool_state"] = {"target_amount": None, "current_amount": None}
    return body


def _name(call: Call, value: Any, own: StoredCostCenter | None = None) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_NAME:
        raise bad_request(f"Bad request: name is a text of 1 to {_MAX_NAME} characters.")
    for other in call.state.cost_centers.values():
        held = other.state == "active" or "deleted_name_held" in call.quirks
        if held and other is not own and same_name(other.name, value):
            text = "There's already a cost center created with that name."
            if "conflict_names_uuid" in call.quirks:
                text += f" existing cost center UUID: {other.id}"
            raise conflict(text)
    return value


def _pool(center: StoredCostCenter, value: Any) -> bool:
    if not isinstance(value, bool):
        raise bad_request("Bad request: ai_credit_pool_enabled must be true or false.")
    if value and not center.has_only_people():
        raise bad_request("The AI credit pool can only be enabled for cost centers with user or team resources.")
    return value


def _members(call: Call) -> list[Member]:
    members: list[Member] = []
    for key, names in call.body.items():
        if not isinstance(names, list):
            raise bad_request(f"Bad request: {key} must be a list of names.")
        members += [_checked_member(call, KINDS[key], name) for name in names]
    if not members:
        raise bad_request("Bad request: at least one resource is required.")
    if len(members) > _MAX_RESOURCES:
        raise bad_request(f"Bad request: at most {_MAX_RESOURCES} resources can be changed at once.")
    return members


def member(kind: str, name: str) -> Member:
    """Return the record of a member; the names of teams have a prefix."""
    return {"type": kind, "name": f"ent:{name}" if kind == "Team" else name}


def _checked_member(call: Call, kind: str, name: Any) -> Member:
    if kind == "Repo":
        owner = repository_owner(name)
        known = owner is not None and _known(call, owner)
    elif kind == "Org":
        known = isinstance(name, str) and _known(call, name)
    else:
        known = is_login(name)
    if not known:
        raise bad_request(f"Bad request: no such resource of the type {kind} in this enterprise.")
    return member(kind, str(name))


def _known(call: Call, organization: str) -> bool:
    return call.state.find_name("organization", organization) is not None


def _find(call: Call) -> StoredCostCenter:
    center = call.state.cost_centers.get(call.params["cost_center_id"])
    if center is None or not access.sees_cost_center(call.token, center):
        raise not_found()
    return center


def _find_active(call: Call) -> StoredCostCenter:
    center = _find(call)
    if center.state != "active":
        raise not_found(problem="the cost center is archived")
    return center
