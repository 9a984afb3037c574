"""All traffic between provider and sandbox fits GitHub's newest description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.reader import Reader
from billing_provider.sandbox.http.routes import ROUTES, find
from billing_provider.sandbox.operations.budget_rules import IDENTITY
from tests.support.description import NOT_DESCRIBED, fields_of, operations, recorded, violations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from billing_provider.sandbox import Sandbox
    from billing_provider.sandbox.http.incoming import Incoming
    from billing_provider.sandbox.operations.replies import Reply
    from tests.support.harness import RunHarness

E, ORG = "octo-enterprise", "octo-org"
NOTHING: frozenset[str] = frozenset()
CREDITS = {"budget_product_sku": "ai_credits", "budget_amount": 20}
ALERTS = {"will_alert": True, "alert_recipients": ["mona"]}
BUDGETS: tuple[dict[str, Any], ...] = (
    {"enterprise": E, "budget_product_sku": "actions", "budget_amount": 50, "exclude_cost_center_usage": True},
    {"enterprise": E, **CREDITS, "budget_scope": "organization", "budget_entity_name": ORG},
    {"enterprise": E, **CREDITS, "budget_scope": "cost_center", "budget_entity_name": "Platform"},
    {"enterprise": E, **CREDITS, "budget_scope": "multi_user_customer"},
    {"enterprise": E, **CREDITS, "budget_scope": "multi_user_cost_center", "budget_entity_name": "Applications"},
    {"enterprise": E, **CREDITS, "budget_scope": "user", "user": "mona", "expires_at": "2999-01-01"},
    {
        "enterprise": E,
        "budget_product_sku": "actions_linux",
        "budget_amount": 5,
        "budget_scope": "repository",
        "budget_entity_name": f"{ORG}/api",
    },
    {"organization": ORG, "budget_product_sku": "packages", "budget_amount": 50, "budget_alerting": ALERTS},
    {"organization": ORG, **CREDITS, "budget_scope": "user", "user": "hubot"},
)
CENTER: dict[str, Any] = {"enterprise": E, "name": "Apps", "users": ["newcomer"]}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Incoming, Reply]]:
    """The requests that the sandbox answers, with its replies."""
    return recorded(monkeypatch)


def test_the_description_has_the_routes_of_the_sandbox() -> None:
    """Each route of the sandbox is one operation of the description, with the same query and the same body."""
    for route in ROUTES:
        path = route.path.replace("{", "").replace("}", "")
        (found, *_) = [each for each in operations() if each.method == route.method and each.path.fullmatch(path)]
        # GitHub does not say what it does with the identity in an update; the sandbox accepts it if it is the stored.
        more = {*IDENTITY, *NOT_DESCRIBED} if route.operation == "update_budget" else NOT_DESCRIBED
        assert set(route.query) == found.query, route
        assert set(route.body) - more == set(fields_of(found.body)) - more, route


def test_all_traffic_fits_the_description(
    sandbox: Sandbox,
    new_run: Callable[[], RunHarness],
    seen: list[tuple[Incoming, Reply]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Resources of all scopes are created, changed, read and deleted, and each verb reads: 0 violations."""
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    stored = []
    for number, news in enumerate((CENTER, *BUDGETS)):
        kind = "CostCenter" if "name" in news else "EnterpriseBudget" if "enterprise" in news else "OrgBudget"
        operations_of, urn = new_run().operations[kind], f"urn::{number}"
        made = operations_of.create(urn, operations_of.check(urn, {}, news, NOTHING).inputs)
        change: dict[str, Any] = (
            {"budget_amount": 7, "budget_alerting": ALERTS}
            if "budget_amount" in news
            else {"name": "Applications", "users": ["mona"]}
        )
        change |= {"expires_at": None} if "expires_at" in news else {}
        change |= {"exclude_cost_center_usage": False} if "exclude_cost_center_usage" in news else {}
        change.pop("budget_alerting" if news.get("budget_scope") == "user" else "", None)
        changed = operations_of.check(urn, made.inputs, {**news, **change}, NOTHING)
        assert changed.problems == []
        operations_of.diff(urn, made.id, made.outputs, changed.inputs, NOTHING)
        made = operations_of.update(urn, made.id, made.outputs, changed.inputs)
        assert new_run().operations[kind].read(urn, made.id, made.outputs) is not None
        stored.append((kind, urn, made))
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": []}}))
    for verb in (
        ["audit"],
        ["budgets"],
        ["budgets", "--forecast"],
        ["budgets", "--user", "mona"],
        ["cost-centers"],
        ["cost-centers", "Platform"],
        ["export", "--out", str(tmp_path / "out")],
        ["unmanaged", "--state", str(state)],
        ["usage"],
        ["usage", "--report", "daily", "--all-cost-centers"],
        ["usage", "--report", "ai-credit", "--user", "hubot"],
        ["usage", "--report", "premium-request"],
        ["doctor"],
    ):
        assert cli.main([*verb, "--enterprise", E]) in {0, 3}
    assert cli.main(["budgets", "--org", ORG]) == 0
    reader = Reader(new_run().run)
    reader.enterprise_team_members(enterprise=E, enterprise_team="developers")
    reader.effective_budget(enterprise=E, user="mona")
    reader.user_states(enterprise=E, budget_id=stored[4][2].outputs["budget_id"], threshold_lower_bound=5)
    days = {"start_date": "2026-09-01", "end_date": "2026-09-02"}
    reader.report_exports(enterprise=E)
    reader.report_rows(enterprise=E, report_type="detailed", **days)
    for kind, urn, made in reversed(stored):
        new_run().operations[kind].delete(urn, made.id, made.outputs)
    assert [text for request, reply in seen for text in violations(request, reply)] == []
    met = {found[0].operation for request, _ in seen if (found := find(request.method, request.path))}
    assert {route.operation for route in ROUTES} - met == set()
