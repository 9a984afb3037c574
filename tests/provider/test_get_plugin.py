"""Deletes beside a `.get`, through the real plugin process: what is read in a run is not deleted in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.core.clock import TEST_TIME
from tests.support.plugin import PROVIDERS, FakeEngine, Plugin, Stack, urn_of

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

KIND, ORG = "OrgBudget", "octo-org"
BUDGET = {"organization": ORG, "budget_product_sku": "packages", "budget_amount": 100}
GET = {"__provider": PROVIDERS[KIND]}


def new_run(engine: FakeEngine, served: Sandbox, **environment: str) -> Plugin:
    """Start the plugin of a run."""
    github = {"GITHUB_API_URL": served.url, "GITHUB_BILLING_TOKEN": served.token}
    return Plugin(engine.address, {**github, **environment})


@pytest.mark.parametrize("name", ["b", "other"])
def test_what_a_get_reads_is_not_deleted(engine: FakeEngine, served: Sandbox, name: str) -> None:
    """A delete of the budget that a `.get` reads, by the same or another resource, sends nothing and warns once."""
    stack = Stack()
    with new_run(engine, served) as plugin:
        stack.up(plugin, {(KIND, "b"): BUDGET})
    (entry,) = stack.entries
    served.forget_requests()
    with new_run(engine, served) as plugin:
        plugin.read(urn_of(KIND, name), entry.id.replace(ORG, "Octo-Org"), GET, GET)
        plugin.delete(entry.urn, entry.id, entry.outputs)
    assert served.writes == []
    (said,) = [text for _, text in engine.warnings if "kept" in text]
    assert said.startswith(f"kept {entry.id} on GitHub: {name} is read with .get")


def test_the_former_budget_of_a_get_is_not_deleted(engine: FakeEngine, served: Sandbox) -> None:
    """A delete of another budget by the resource that became a `.get` sends nothing; other deletes are sent."""
    stack = Stack()
    with new_run(engine, served) as plugin:
        stack.up(plugin, {(KIND, "b"): BUDGET, (KIND, "c"): {**BUDGET, "budget_product_sku": "actions"}})
    one, two = stack.entries
    other = served.add_budget("organization", ORG, budget_product_sku="codespaces")
    served.forget_requests()
    with new_run(engine, served) as plugin:
        plugin.read(one.urn, f"organization/{ORG}/{other['id']}", GET, GET)
        plugin.delete(one.urn, one.id, one.outputs)
        plugin.delete(two.urn, two.id, two.outputs)
    assert [request.path.rpartition("/")[2] for request in served.writes] == [two.id.rpartition("/")[2]]


def test_a_refresh_is_no_get(engine: FakeEngine, served: Sandbox) -> None:
    """A budget that a run refreshed is deleted by it, and one that expired before its create sends nothing."""
    stack, person = Stack(), {**BUDGET, "budget_product_sku": "ai_credits", "budget_scope": "user", "user": "octocat"}
    now = {TEST_TIME: "2026-11-20T12:00:00Z"}
    with new_run(engine, served, **now) as plugin:
        stack.up(plugin, {(KIND, "b"): BUDGET, (KIND, "p"): {**person, "expires_at": "2026-11-01"}})
    with new_run(engine, served, **now) as plugin:
        stack.refresh(plugin)
        stack.destroy(plugin)
    assert served.budgets(None) == []
    assert [text for _, text in engine.warnings if "kept" in text] == []


def test_a_get_of_a_missing_budget_is_an_error(engine: FakeEngine, served: Sandbox) -> None:
    """A `.get` that fails protects nothing: there is nothing to protect."""
    with new_run(engine, served) as plugin, pytest.raises(Exception, match="404"):
        plugin.read(urn_of(KIND, "b"), f"organization/{ORG}/1", GET, GET)
