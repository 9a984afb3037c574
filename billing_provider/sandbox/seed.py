"""The content of a sandbox from a seed: names, cost centers, teams and budgets, checked by the rules of the API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import ConfigDict, StrictBool, StrictStr

from billing_provider.sandbox.http.api import Api
from billing_provider.sandbox.http.incoming import Incoming
from billing_provider.sandbox.operations.cost_centers import KINDS, member
from billing_provider.sandbox.operations.quirks import Quirks
from billing_provider.sandbox.store import records
from billing_provider.sandbox.store.names import given_names
from billing_provider.sandbox.store.records import StoredBudget, StoredCostCenter
from billing_provider.sandbox.store.state import SandboxState

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(kw_only=True)
class _Seed:
    __pydantic_config__ = ConfigDict(extra="forbid")

    enterprise: Any = None
    organizations: Any = None
    repositories: Any = None
    users: Any = None
    cost_centers: list[dict[str, Any]] = field(default_factory=list)
    enterprise_teams: dict[StrictStr, list[StrictStr]] = field(default_factory=dict)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    generated_usage: StrictBool = True


_Record = TypeVar("_Record", StoredBudget, StoredCostCenter)


def read(seed: Any, clock: Callable[[], float]) -> dict[str, Any]:
    """Return the content of a seed in the format of the state file.

    Raises:
        ValueError: The seed has a mistake; the message has its place.
    """
    try:
        return _content(seed, clock)
    except ValueError as error:
        raise ValueError(f"seed: {error}") from None


def _content(given: Any, clock: Callable[[], float]) -> dict[str, Any]:
    seed = records.parse(_Seed, given)
    lists = {"organizations": seed.organizations, "repositories": seed.repositories, "users": seed.users}
    state = SandboxState(clock, None, given_names(seed.enterprise, **lists))
    state.cost_centers.clear()
    state.enterprise_teams = seed.enterprise_teams
    state.generated_usage = seed.generated_usage
    api = Api(state, Quirks(()))
    for at, center in enumerate(seed.cost_centers):
        (_store_cost_center if "id" in center else _create_cost_center)(api, f"cost_centers[{at}]", center)
    for at, budget in enumerate(seed.budgets):
        (_store_budget if "id" in budget else _create_budget)(api, f"budgets[{at}]", budget)
    for made in state.budgets.values():
        # They are older than this month, so that they count all its usage.
        made.created_at = 0.0
    content = state.content()
    records.read(content)
    return content


def _create_cost_center(api: Api, place: str, entry: dict[str, Any]) -> None:
    path = f"{_root(api)}/cost-centers"
    made = _post(api, place, path, {"name": entry.pop("name")} if "name" in entry else {})["id"]
    for kind, members in entry.items():
        for part in [[name] for name in members] if isinstance(members, list) and members else [members]:
            _post(api, place, f"{path}/{made}/resource", {kind: part})


def _create_budget(api: Api, place: str, entry: dict[str, Any]) -> None:
    owner = quote(str(entry.pop("organization")), safe="") if "organization" in entry else None
    path = f"{_root(api)}/budgets" if owner is None else f"/organizations/{owner}/settings/billing/budgets"
    _post(api, place, path, entry)


def _root(api: Api) -> str:
    return f"/enterprises/{api.state.names.enterprises[0]}/settings/billing"


def _store_cost_center(api: Api, place: str, entry: dict[str, Any]) -> None:
    """Store a cost center with GitHub's id, as an account has it: the rules for new ones do not apply."""
    record = {name: value for name, value in entry.items() if name not in KINDS}
    record["resources"] = [
        member(kind, name)
        for key, kind in KINDS.items()
        for name in records.parse(list[StrictStr], entry.get(key, []), f"{place}.{key}")
    ]
    _store(api.state.cost_centers, place, records.parse(StoredCostCenter, record, place))


def _store_budget(api: Api, place: str, entry: dict[str, Any]) -> None:
    """Store a budget with GitHub's id, as an account has it: the rules for new ones do not apply."""
    state = api.state
    record = {**entry, "owner_kind": "enterprise", "owner": state.names.enterprises[0]}
    if "organization" in record:
        organization = record.pop("organization")
        owner = state.find_name("organization", str(organization))
        if owner is None:
            raise ValueError(f"{place}: unknown organization; known: {', '.join(state.names.organizations)}")
        record.update(owner_kind="organization", owner=owner)
    budget = records.parse(StoredBudget, record, place)
    if budget.is_of_cost_center():
        named = budget.budget_entity_name
        center = state.cost_centers.get(named) or state.find_cost_center(named)
        if center is None:
            raise ValueError(f"{place}: no cost center has the id or the name of budget_entity_name")
        budget.budget_entity_name = center.id
    _store(state.budgets, place, budget)


def _store(records: dict[str, _Record], place: str, record: _Record) -> None:
    if record.id in records:
        raise ValueError(f"{place}: the id {record.id} is used twice")
    records[record.id] = record


def _post(api: Api, place: str, path: str, body: dict[str, Any]) -> Any:
    headers = Message()
    headers["Authorization"] = f"Bearer {next(iter(api.tokens))}"
    headers["User-Agent"] = "seed"
    reply = api.answer(Incoming("POST", path, "", headers, json.dumps(body).encode()))
    if reply.status != HTTPStatus.OK:
        problem = reply.headers.get("X-Sandbox-Problem", "")
        raise ValueError(f"{place}: {reply.body['message']}" + (f" ({problem})" if problem else ""))
    return reply.body
