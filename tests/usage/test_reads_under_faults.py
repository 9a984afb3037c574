"""Every read under every fault: retried, delayed, or refused with a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import BillingError, ForbiddenError, TransportError
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
AUGUST: dict[str, Any] = {"year": 2026, "month": 8}
READS: dict[str, Callable[[Reader], Any]] = {
    "usage": lambda reader: reader.usage(enterprise=E, all_cost_centers=True, **AUGUST),
    "summary": lambda reader: reader.summary("usage/summary", organization="octo-org", **AUGUST),
    "premium requests": lambda reader: reader.summary("premium_request/usage", user="octocat", **AUGUST),
    "AI credits": lambda reader: reader.summary("ai_credit/usage", enterprise=E, user="hubot", **AUGUST),
    "cost centers": lambda reader: reader.cost_centers(enterprise=E),
    "cost center": lambda reader: reader.cost_center(enterprise=E, cost_center="Platform"),
    "budgets": lambda reader: reader.budgets(organization="octo-org"),
    "effective budget": lambda reader: reader.effective_budget(enterprise=E, user="hubot"),
    "exports": lambda reader: reader.report_exports(enterprise=E),
}
PASSING = [
    "502_before",
    "503_after",
    "reset_before",
    "reset_mid_body",
    "429_secondary",
    "403_secondary",
    "redirect_307",
]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("action", PASSING)
def test_a_temporary_fault_does_not_change_the_result(
    action: str, name: str, sandbox: Sandbox, harness: RunHarness, enterprise: Owner
) -> None:
    """A failure, a lost response, a limit or a redirect delays a read only; nothing is sent while blocked."""
    calm = READS[name](Reader(harness.run))
    harness.run.cache(CostCenterCache, enterprise).forget()
    sandbox.plan([{"method": "GET", "action": action}, {"method": "GET", "action": action, "nth": 2}])
    assert READS[name](Reader(harness.run)) == calm
    assert len(sandbox.triggered_faults()) > 0
    assert sandbox.requests_while_blocked == 0


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    "action", ["bad_json", "empty_200", "wrong_type", "wrong_content_type", "401", "redirect_host"]
)
def test_a_permanent_fault_is_an_error(action: str, name: str, sandbox: Sandbox, harness: RunHarness) -> None:
    """The error names the request and contains no token; the result is never empty."""
    sandbox.plan([{"method": "GET", "action": action, "every": 1}])
    with pytest.raises(ForbiddenError if action == "401" else TransportError) as caught:
        READS[name](Reader(harness.run))
    assert isinstance(caught.value, BillingError)
    assert "octo" in str(caught.value)
    assert sandbox.token not in str(caught.value)
