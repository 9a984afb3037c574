"""The content of a sandbox from a seed: names, cost centers and budgets, checked by the rules of the API."""

from __future__ import annotations

import json
from email.message import Message
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from billing_provider.sandbox.access import OWNER_TOKEN
from billing_provider.sandbox.api import Api, Incoming
from billing_provider.sandbox.quirks import Quirks
from billing_provider.sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["read"]

_KEYS = ("enterprise", "organizations", "repositories", "users", "cost_centers", "budgets")


def read(seed: Any, clock: Callable[[], float]) -> dict[str, Any]:
    """Return the content of a seed in the format of the state file.

    Raises:
        ValueError: The seed has a mistake; the message has its place.
    """
    try:
        return _content(seed, clock)
    except ValueError as error:
        raise ValueError(f"seed: {error}") from None


def _content(seed: Any, clock: Callable[[], float]) -> dict[str, Any]:
    if not isinstance(seed, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - callers catch one error for all mistakes
    if strange := [key for key in seed if key not in _KEYS]:
        raise ValueError(f"unknown: {', '.join(strange)}; known: {', '.join(_KEYS)}")
    given = {kind: seed[kind] for kind in ("organizations", "repositories", "users") if kind in seed}
    if "enterprise" in seed:
        given["enterprises"] = [seed["enterprise"]]
    state = State(clock, None, given)
    state.cost_centers.clear()
    api = Api(state, Quirks(()))
    root = f"/enterprises/{state.names.enterprises[0]}/settings/billing"
    for place, center in _entries(seed, "cost_centers"):
        name = {"name": center.pop("name")} if "name" in center else {}
        made = _post(api, place, f"{root}/cost-centers", name)["id"]
        for kind, members in center.items():
            for part in [[name] for name in members] if isinstance(members, list) and members else [members]:
                _post(api, place, f"{root}/cost-centers/{made}/resource", {kind: part})
    for place, budget in _entries(seed, "budgets"):
        owner = quote(str(budget.pop("organization")), safe="") if "organization" in budget else None
        path = f"{root}/budgets" if owner is None else f"/organizations/{owner}/settings/billing/budgets"
        _post(api, place, path, budget)
    return state.content()


def _entries(seed: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    entries = seed.get(key, [])
    if not isinstance(entries, list):
        raise ValueError(f"{key} is not a list")  # noqa: TRY004 - as above
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise ValueError(f"{key}[{at}] is not an object")  # noqa: TRY004 - as above
    return [(f"{key}[{at}]", dict(entry)) for at, entry in enumerate(entries)]


def _post(api: Api, place: str, path: str, body: dict[str, Any]) -> Any:
    headers = Message()
    headers["Authorization"] = f"Bearer {OWNER_TOKEN}"
    headers["User-Agent"] = "seed"
    reply = api.answer(Incoming("POST", path, "", headers, json.dumps(body).encode()))
    if reply.status != HTTPStatus.OK:
        problem = reply.headers.get("X-Sandbox-Problem", "")
        raise ValueError(f"{place}: {reply.body['message']}" + (f" ({problem})" if problem else ""))
    return reply.body
