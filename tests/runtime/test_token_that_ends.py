"""A token that ends in the middle of a run: what was done stays known, and the next run continues."""

from __future__ import annotations

from typing import Any

import pytest

from billing_provider.core.errors import ForbiddenError, OutcomeError
from billing_provider.sandbox import Sandbox
from tests.support.harness import open_harness


def create(sandbox: Sandbox, sku: str) -> str:
    """Create or adopt one budget in a new run, and return its id."""
    lifecycle = open_harness(sandbox).organization
    inputs = {"organization": "octo-org", "budget_amount": 5, "budget_product_sku": sku}
    known: dict[str, Any] = lifecycle.check(f"urn::{sku}", {}, inputs, frozenset()).inputs
    return lifecycle.create(f"urn::{sku}", known).id


def test_a_run_after_the_end_of_a_token_creates_no_second_budget() -> None:
    """After a 401, before or after a create was applied, the error says what to do, and the next run has one budget."""
    with Sandbox() as sandbox:
        sandbox.plan([{"op": "create_budget", "action": "401"}])
        with pytest.raises(ForbiddenError, match=r"401: .* GitHub refused the token: renew it\. It is from the caller"):
            create(sandbox, "actions")
        assert sandbox.budgets("octo-org") == []
        sandbox.plan(
            [
                {"op": "create_budget", "action": "503_after"},
                {"op": "list_budgets", "action": "401", "nth": 2, "times": 99},
            ]
        )
        with pytest.raises(OutcomeError, match=r"may have been created: .* 503: .* 401: .* renew it.*Run again"):
            create(sandbox, "actions")
        sandbox.plan([])
        (budget,) = sandbox.budgets("octo-org")
        assert create(sandbox, "actions") == f"organization/octo-org/{budget['id']}"
        assert len(sandbox.budgets("octo-org")) == 1
