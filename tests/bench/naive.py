"""A dynamic resource that asks GitHub for each budget one by one: what a short provider of one's own does.

The bench copies this file into its project. It checks nothing, paces nothing, and finds no existing budget.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import requests
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider, UpdateResult

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUIET = {"budget_alerting": {"will_alert": False, "alert_recipients": []}}
_SENT = ("budget_amount", "prevent_further_usage", "budget_scope", "budget_type", "budget_product_sku", "user")


def _ask(method: str, id_: str = "", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.request(
        method,
        f"{os.environ['GITHUB_API_URL']}/enterprises/octo-enterprise/settings/billing/budgets{id_ and '/'}{id_}",
        json=body,
        headers={"Authorization": f"Bearer {os.environ['GITHUB_BILLING_TOKEN']}"},
        timeout=30,
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _body(props: Mapping[str, Any], *names: str) -> dict[str, Any]:
    # Pulumi sends each number as a float.
    return {name: int(props[name]) if name == "budget_amount" else props[name] for name in names}


class OneByOneProvider(ResourceProvider):
    """One request for each operation of each budget."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the budget."""
        id_ = _ask("POST", body={**_QUIET, **_body(props, *_SENT)})["budget"]["id"]
        return CreateResult(id_, {**props, "budget_id": id_})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read the budget."""
        found = _ask("GET", id_)
        return ReadResult(id_, {**props, "budget_amount": found["budget_amount"]})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Change the amount."""
        _ask("PATCH", _id, _body(news, "budget_amount"))
        return UpdateResult({**news, "budget_id": _id})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the budget."""
        _ask("DELETE", _id)


class OneByOne(Resource, module="bench", name="OneByOne"):
    """A budget of one person."""

    def __init__(self, name: str, **inputs: Any) -> None:
        super().__init__(OneByOneProvider(), name, inputs)
