"""What only the real plugin process shows of cost centers: unfinished creates, budgets of new ones, words on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider import CostCenter
from tests.support.mocked import run
from tests.support.plugin import PROVIDERS, FakeEngine, Plugin, Stack, urn_of

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

E = "octo-enterprise"
URN = urn_of("CostCenter", "apps")


def plugin(engine: FakeEngine, sandbox: Sandbox) -> Plugin:
    return Plugin(engine.address, {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token})


def test_an_unfinished_create_is_an_update_of_the_next_run(engine: FakeEngine, served: Sandbox) -> None:
    """Though no input has changed the engine is told of a difference, and after the update there is none."""
    news = {"enterprise": E, "name": "Apps", "users": ["octocat", "hubot"], "__provider": PROVIDERS["CostCenter"]}
    served.plan([{"op": "add_resources", "action": "403_permission"}])
    with plugin(engine, served) as first:
        checked, problems = first.check(URN, {}, news)
        assert problems == []
        id_, outputs = first.create(URN, checked)
    assert (outputs["users"], outputs["unfinished"]) == ([], True)
    with plugin(engine, served) as second:
        again, _ = second.check(URN, checked, news)
        assert again == checked
        assert second.diff(URN, id_, outputs, again).changes == "DIFF_SOME"
        outputs = second.update(URN, id_, outputs, again)
        assert second.diff(URN, id_, outputs, again).changes == "DIFF_NONE"
    assert "unfinished" not in outputs
    warnings = [text for name, text in engine.warnings if name == "apps"]
    assert warnings[0] == "the cost center Apps: moves 1 user from cost center Platform: hubot"
    assert warnings[1].startswith(f"the cost center Apps of enterprise {E} was created, but not all of its users were")
    assert warnings[1].endswith("Run `pulumi up` again to add the others.")
    assert warnings[2:] == ["moved 1 user from cost center Platform: hubot"]


def test_a_member_of_two_cost_centers_is_refused_in_preview(engine: FakeEngine, served: Sandbox) -> None:
    """The second resource that declares a person fails in check, and a resource that is checked again does not."""
    news = {"enterprise": E, "name": "Apps", "users": ["octocat"], "__provider": PROVIDERS["CostCenter"]}
    with plugin(engine, served) as running:
        checked, problems = running.check(URN, {}, news)
        assert problems == []
        _, problems = running.check(urn_of("CostCenter", "data"), {}, {**news, "name": "Data", "users": ["Octocat"]})
        (problem,) = problems
        assert problem.startswith(": users: apps and data both declare Octocat: remove it from one of the two")
        assert running.check(URN, checked, news) == (checked, [])
    assert served.writes == []


def test_a_budget_finds_the_cost_center_that_its_run_has_made(engine: FakeEngine, served: Sandbox) -> None:
    """The list that a budget before it has caused is no longer the truth, and is asked for anew."""
    budget = {"enterprise": E, "budget_product_sku": "actions", "budget_amount": 5, "budget_scope": "cost_center"}
    alerting = {"will_alert": True, "alert_recipients": ["octocat"]}
    stack = Stack()
    with plugin(engine, served) as running:
        stack.up(
            running,
            {
                ("EnterpriseBudget", "old"): {**budget, "budget_entity_name": "Data", "budget_alerting": alerting},
                ("CostCenter", "apps"): {"enterprise": E, "name": "Apps", "users": ["octocat"]},
                ("EnterpriseBudget", "new"): {**budget, "budget_entity_name": "Apps", "budget_alerting": alerting},
            },
        )
        assert [live["budget_entity_name"] for live in served.budgets()] == ["Data", "Apps"]
        assert stack.refresh(running) == {}
    with plugin(engine, served) as later:
        stack.destroy(later)
    assert served.budgets() == []
    assert [center["state"] for center in served.cost_centers()] == ["active", "active", "deleted"]


def test_get_reads_what_is_managed_elsewhere() -> None:
    """A cost center is looked up by its resource id, and every output has its place."""
    registered = run(lambda: {"state": CostCenter.get("c", f"enterprise/{E}/1").state})
    (resource,) = registered.resources
    assert (resource.typ, resource.resource_id) == (
        "pulumi-python:dynamic/github-billing:CostCenter",
        f"enterprise/{E}/1",
    )


def test_a_check_tells_whom_a_change_frees_and_what_github_refuses(engine: FakeEngine, served: Sandbox) -> None:
    """The row of the cost center names who loses which cap; a taken name and a refused member are problems."""
    cap = {"budget_scope": "multi_user_cost_center", "budget_product_sku": "ai_credits", "budget_amount": 50}
    fields = {**cap, "budget_type": "BundlePricing", "prevent_further_usage": True, "budget_entity_name": "Platform"}
    id_ = served.add_budget("enterprise", E, **fields)["id"]
    olds = {"enterprise": E, "name": "Platform", "users": ["monalisa", "hubot"]}
    news = {**olds, "__provider": PROVIDERS["CostCenter"]}
    with plugin(engine, served) as running:
        assert running.check(URN, olds, news)[1] == []
        assert served.requests == []
        assert running.check(URN, olds, {**news, "users": ["hubot"]})[1] == []
        (taken,) = running.check(URN, olds, {**news, "name": "Data"})[1]
        (refused,) = running.check(URN, olds, {**news, "organizations": ["octo-org"]})[1]
    assert "has the name Data: choose another name" in taken
    assert "leave out organization octo-org, or first remove the $50 hard stop per person of cost center" in refused
    freed = f"frees monalisa of the $50 hard stop per person of cost center Platform (budget {id_})"
    assert [text for name, text in engine.warnings if name == "apps"] == [f"the cost center Platform: {freed}"]
    assert [request.method for request in served.requests] == ["GET", "GET"]
