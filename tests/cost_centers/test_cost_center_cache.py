"""Lookup of a cost center by UUID or name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

ROWS: list[dict[str, Any]] = [
    {"id": "a1", "name": "Apps", "resources": []},
    {"id": "a2", "name": "apps", "resources": []},
    {"id": "a3", "name": "Data", "resources": []},
    {"id": "d1", "name": "Data", "state": "deleted", "resources": []},
    {"id": "d2", "name": "Old", "state": "deleted", "resources": None},
    {"id": "d3", "name": "OLD", "state": "deleted", "resources": []},
    {"id": "d4", "name": "Gone", "state": "deleted", "resources": []},
]


FOUND = (
    ("A1", "a1", "a1"),
    ("d1", "no cost center", "d1"),
    ("Apps", "a1", "a1"),
    ("apps", "a2", "a2"),
    ("APPS", "more than one cost center", "more than one cost center"),
    ("DATA", "a3", "a3"),
    ("Old", "no cost center", "d2"),
    ("old", "no cost center", "more than one cost center"),
    ("gone", "no cost center", "d4"),
    ("nobody", "no cost center", "no cost center"),
)
"""What is asked for, and what is found among active ones and among all."""


@pytest.mark.parametrize(
    ("text", "archived", "expected"),
    [case for text, active, any_state in FOUND for case in ((text, False, active), (text, True, any_state))],
)
def test_find_by_id_or_name(
    text: str, archived: bool, expected: str, new_run: Callable[..., RunHarness], enterprise: Owner
) -> None:
    """The id precedes an active name, exact case first; archived cost centers are found only if requested."""
    listing = answer(200, {"costCenters": ROWS})
    with WireServer(listing, listing) as server:
        centers = new_run(base_url=server.url).run.cache(CostCenterCache, enterprise)
        if expected in {row["id"] for row in ROWS}:
            assert centers.find(text, archived=archived).id == expected
        else:
            with pytest.raises(ConfigError) as caught:
                centers.find(text, archived=archived)
            said, _, names = str(caught.value).rstrip(".").partition(" Existing: ")
            assert said == f"{expected} of enterprise octo-enterprise has the name or id {text}."
            assert sorted(names.split(", ")) == ["Apps", "Data", "apps"]
        assert len(server.heard) == (2 if expected == "no cost center" else 1)


@pytest.mark.parametrize("archived", [False, True])
def test_a_new_cost_center_is_found_by_a_new_listing(
    archived: bool, sandbox: Sandbox, harness: RunHarness, enterprise: Owner
) -> None:
    """A cost center missing from the cached listing is found in a new listing, which is then cached."""
    centers = harness.run.cache(CostCenterCache, enterprise)
    centers.list_all()
    made = harness.run.api(CostCentersApi).create_cost_center(enterprise, {"name": "Apps"})
    assert centers.find("Apps", archived=archived).id == made.id
    assert centers.find(made.id, archived=archived).id == made.id
    assert [request.method for request in sandbox.requests] == ["GET", "POST", "GET"]
