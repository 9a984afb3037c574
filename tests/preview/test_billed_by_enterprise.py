"""An organization that its enterprise bills: GitHub answers 400, and only a budget of the enterprise caps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider import cli
from billing_provider.budgets.api import BudgetsApi
from billing_provider.core.errors import ConfigError, InvalidError
from billing_provider.core.owners import ORGANIZATION_OWNER, Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

QUIRK = "organization_billed_by_enterprise"
NEWS: dict[str, Any] = {"organization": "octo-org", "budget_product_sku": "actions", "budget_amount": 5}
NOTHING: frozenset[str] = frozenset()
CAPS = "declare an EnterpriseBudget with the scope organization."


def test_a_preview_refuses_its_budget(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A new budget, a changed one and a write end with what caps the organization; the enterprise goes on."""
    stored = new_run().operations["OrgBudget"].create("urn::b", {**NEWS, "budget_scope": "organization",
        "budget_entity_name": "", "budget_type": "ProductPricing", "prevent_further_usage": False,
        "budget_alerting": {"will_alert": False, "alert_recipients": []}})  # fmt: skip
    sandbox.switch(QUIRK)
    operations = new_run().operations["OrgBudget"]
    (problem,) = operations.check("urn::b", {}, NEWS, NOTHING).problems
    assert str(problem).endswith(CAPS)
    news = operations.check("urn::b", stored.inputs, {**NEWS, "budget_amount": 6}, NOTHING).inputs
    with pytest.raises(ConfigError, match=CAPS):
        operations.diff("urn::b", stored.id, stored.outputs, news, NOTHING)
    with pytest.raises(InvalidError, match=CAPS):
        new_run().operations["OrgBudget"].create("urn::c", news)
    enterprise = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 5}
    assert new_run().operations["EnterpriseBudget"].check("urn::e", {}, enterprise, NOTHING).problems == []


def test_an_unknown_400_is_only_not_compared(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """Any other refusal of a read does not stop a preview."""
    sandbox.plan([{"op": "list_budgets", "action": "422", "every": 1}])
    harness = new_run()
    assert harness.operations["OrgBudget"].check("urn::b", {}, NEWS, NOTHING).problems == []
    assert any("not compared with GitHub" in text for text in harness.reporter.warnings)


def test_a_refused_filter_is_another_reason(new_run: Callable[..., RunHarness]) -> None:
    """A 400 for the value of a filter says nothing about who bills the organization."""
    with pytest.raises(InvalidError, match="Invalid value for scope") as refused:
        list(
            BudgetsApi(new_run().run.transport).list_budgets(
                Owner(ORGANIZATION_OWNER, "octo-org"), filters={"scope": "galaxy"}
            )
        )
    assert CAPS not in str(refused.value)


def test_doctor_names_what_caps_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The finding is neither a failure to try again nor an old version of the API."""
    sandbox.switch(QUIRK)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    cli.main(["doctor", "--org", "octo-org"])
    out = " ".join(capsys.readouterr().out.split())
    assert "budgets cannot be listed: Budgets of this organization are managed by its enterprise. (400)" in out
    assert CAPS in out
    sandbox.switch(QUIRK, on=False)
    sandbox.plan([{"op": "list_budgets", "action": "422", "every": 1}])
    cli.main(["doctor", "--org", "octo-org"])
    assert "Update this package." in capsys.readouterr().out
