"""Client of GitHub's cost center endpoints: one method per endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from billing_provider.core.errors import TransportError, UnexpectedError
from billing_provider.core.opaque import unexpected_fields
from billing_provider.cost_centers.models import OpaqueCostCenter, plain_member, read_cost_center, read_listed
from billing_provider.transport.paging import MAX_MEMBERS, every_row, unchanged_rows
from billing_provider.transport.rest import billing_path, mapping, same_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from billing_provider.core.owners import Owner
    from billing_provider.cost_centers.models import CostCenterDetails, CostCenterResource
    from billing_provider.transport.http import Transport

MAX_RESOURCES = 50
"""Maximum number of members that one request may add or remove; GitHub's limit."""
MAX_ACTIVE = 1000
"""Maximum number of active cost centers of an enterprise; GitHub's limit."""
_PAGE_SIZE = 100


class Moved(NamedTuple):
    """A member that an addition took from another cost center.

    Attributes:
        name: The member, as GitHub writes it.
        cost_center: The name of the cost center that it left.
    """

    name: str
    cost_center: str


class CostCentersApi:
    """The endpoints for the cost centers of an enterprise."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_cost_centers(self, owner: Owner) -> list[CostCenterDetails | OpaqueCostCenter]:
        """Return the cost centers of all states in one reply; in some large enterprises a query by state takes minutes.

        One odd cost center does not end the listing: it is opaque.

        Raises:
            ForbiddenError: The token may not read them (401, 403).

        GitHub: GET /enterprises/{enterprise}/settings/billing/cost-centers
        """
        action = f"list the cost centers of {owner}"
        path = billing_path(owner, what="cost-centers")
        data = mapping(self._transport.request("GET", path, action=action), action)
        rows = data.get("costCenters")
        if not isinstance(rows, list):
            raise TransportError(f"{action}: GitHub's response has no list of cost centers.")
        return [read_listed(row) for row in rows]

    def get_cost_center(self, owner: Owner, cost_center_id: str, *, is_whole: bool = False) -> CostCenterDetails:
        """Return one cost center with its members from all pages; an archived one has the state `deleted`.

        Args:
            owner: The enterprise.
            cost_center_id: Its UUID.
            is_whole: Whether the list of members must not lack one that another one hid by leaving during the read.

        Raises:
            NotFoundError: It does not exist, or the token cannot see it (404).
            InvalidError: The id is invalid (400).
            TransportError: The pages do not end, the reply describes another cost center, or the members changed.

        GitHub: GET /enterprises/{enterprise}/settings/billing/cost-centers/{cost_center_id}
        """
        action = f"read cost center {cost_center_id} of {owner}"
        path = billing_path(owner, cost_center_id, what="cost-centers")
        centers: list[CostCenterDetails] = []

        def fetch(page: int) -> tuple[tuple[CostCenterResource, ...], bool, None]:
            query = {"page": page, "per_page": _PAGE_SIZE}
            data = mapping(self._transport.request("GET", path, action=action, query=query), action)
            center = _read(data, action)
            same_id(data, cost_center_id, action)
            centers.append(center)
            return center.resources, data.get("has_next_page") is True, None

        read = unchanged_rows if is_whole else every_row
        members = {_member(row): row for row in read(fetch, _member, MAX_MEMBERS, action)}
        return replace(centers[-1], resources=tuple(members.values()))

    def create_cost_center(self, owner: Owner, body: Mapping[str, Any]) -> CostCenterDetails:
        """Create an empty cost center; the request is sent once, because a repeat could create a second one.

        Args:
            owner: The enterprise.
            body: `name`, and `ai_credit_pool_enabled` if declared.

        Raises:
            ApiError: The name is taken (409); or GitHub failed (500, 503): the cost center may have been created.
            InvalidError: A field was refused (400).
            TransportError: There is no readable reply: the cost center may have been created.

        GitHub: POST /enterprises/{enterprise}/settings/billing/cost-centers
        """
        action = f"create the cost center {body.get('name')} of {owner}"
        path = billing_path(owner, what="cost-centers")
        reply = self._transport.request("POST", path, action=action, body=body, repeatable=False)
        return _read(mapping(reply, action), action)

    def update_cost_center(self, owner: Owner, cost_center_id: str, body: Mapping[str, Any]) -> None:
        """Rename a cost center, or switch its AI credit pool on or off; the request is repeated after a failure.

        Args:
            owner: The enterprise.
            cost_center_id: Its UUID.
            body: `name`, which some accounts require in every update, and `ai_credit_pool_enabled`.

        Raises:
            ApiError: The name is taken (409).
            InvalidError: A field was refused (400, 422).
            NotFoundError: It does not exist, or the token cannot see it (404).
            TransportError: The reply describes another cost center.

        GitHub: PATCH /enterprises/{enterprise}/settings/billing/cost-centers/{cost_center_id}
        """
        action = f"update cost center {cost_center_id} of {owner}"
        path = billing_path(owner, cost_center_id, what="cost-centers")
        reply = self._transport.request("PATCH", path, action=action, body=body)
        same_id(reply.data, cost_center_id, action)

    def delete_cost_center(self, owner: Owner, cost_center_id: str) -> None:
        """Archive a cost center; repeated after a failure, so a 404 can mean that an earlier attempt succeeded.

        Raises:
            NotFoundError: It is archived already, or the token cannot see it (404).
            TransportError: The reply describes another cost center.

        GitHub: DELETE /enterprises/{enterprise}/settings/billing/cost-centers/{cost_center_id}
        """
        action = f"delete cost center {cost_center_id} of {owner}"
        path = billing_path(owner, cost_center_id, what="cost-centers")
        same_id(self._transport.request("DELETE", path, action=action).data, cost_center_id, action)

    def add_resources(self, owner: Owner, cost_center_id: str, kind: str, names: Sequence[str]) -> list[Moved]:
        """Add members of one kind and return those that GitHub moved out of another cost center.

        Repeated after a failure: adding an existing member has no effect.

        Args:
            owner: The enterprise.
            cost_center_id: Its UUID.
            kind: One of `MEMBER_KINDS`.
            names: At most `MAX_RESOURCES` names.

        Raises:
            InvalidError: A member does not exist on GitHub (400).
            ApiError: A member cannot be added now (409).

        GitHub: POST /enterprises/{enterprise}/settings/billing/cost-centers/{cost_center_id}/resource
        """
        action = f"add {kind} to cost center {cost_center_id} of {owner}"
        path = billing_path(owner, cost_center_id, "resource", what="cost-centers")
        reply = self._transport.request("POST", path, action=action, body=_resources(kind, names))
        moved = reply.data.get("reassigned_resources") if isinstance(reply.data, dict) else None
        return [
            Moved(str(row.get("name")), str(row.get("previous_cost_center")))
            for row in (moved if isinstance(moved, list) else [])
            if isinstance(row, dict)
        ]

    def remove_resources(self, owner: Owner, cost_center_id: str, kind: str, names: Sequence[str]) -> None:
        """Remove members of one kind; repeated after a failure: removing a missing member has no effect.

        Args:
            owner: The enterprise.
            cost_center_id: Its UUID.
            kind: One of `MEMBER_KINDS`.
            names: At most `MAX_RESOURCES` names.

        Raises:
            InvalidError: A member does not exist on GitHub (400).

        GitHub: DELETE /enterprises/{enterprise}/settings/billing/cost-centers/{cost_center_id}/resource
        """
        action = f"remove {kind} from cost center {cost_center_id} of {owner}"
        path = billing_path(owner, cost_center_id, "resource", what="cost-centers")
        self._transport.request("DELETE", path, action=action, body=_resources(kind, names))


def _member(row: CostCenterResource) -> tuple[str, str]:
    return row.type, row.name


def _resources(kind: str, names: Sequence[str]) -> dict[str, list[str]]:
    return {kind: [plain_member(kind, name) for name in names]}


def _read(data: dict[str, Any], action: str) -> CostCenterDetails:
    try:
        return read_cost_center(data)
    except ValidationError as error:
        fields = unexpected_fields(error, OpaqueCostCenter.noun)
        raise UnexpectedError(f"{action}: GitHub's response has an unexpected {fields}.") from None
