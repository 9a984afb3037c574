"""The short way of unchanged rows returns, says and records what the long way does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_provider.core.settings import Guards
from billing_provider.user_budgets import lifecycle
from billing_provider.user_budgets.lifecycle import UserBudgetsLifecycle
from billing_provider.user_budgets.rows import bucket_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import RunHarness

URN = "urn:pulumi:dev::p::t::people-00"
LOGIN = "Mona"
NOTHING: frozenset[str] = frozenset()
ROWS = st.one_of(
    st.sampled_from([20, 20.0, 30]),
    st.fixed_dictionaries(
        {"budget_amount": st.just(20)},
        optional={
            "expires_at": st.sampled_from(["2020-01-31", "2099-01-31"]),
            "on_raise": st.sampled_from(["keep", "revert"]),
            "reason": st.just("asked"),
        },
    ),
)
TABLES = st.fixed_dictionaries(
    {"budgets": st.fixed_dictionaries({LOGIN: ROWS})},
    optional={
        "on_delete": st.sampled_from(["delete", "keep"]),
        "on_raise": st.sampled_from(["keep", "revert"]),
        "protected": st.sampled_from([True]),
    },
)
STORED = st.fixed_dictionaries(
    {},
    optional={
        "kept_on_delete": st.just([LOGIN]),
        "raised_to": st.just({LOGIN: 50}),
        "expired": st.just([LOGIN]),
        "pending": st.just({LOGIN: "refused"}),
        "adopted": st.just([LOGIN]),
    },
)


class _NoRow:
    """Sends each row the long way."""

    @staticmethod
    def isdisjoint(_state: object) -> bool:
        return False


@pytest.mark.parametrize("on_delete", [None, "keep"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TABLES, after=TABLES, stored=STORED)
def test_both_ways_are_equal(
    new_run: Callable[..., RunHarness],
    on_delete: str | None,
    before: dict[str, Any],
    after: dict[str, Any],
    stored: dict[str, Any],
) -> None:
    """The changes, the warnings, and what the run records of the budget."""
    base = {"enterprise": "octo-enterprise", "bucket": bucket_of(LOGIN)}
    olds = {**base, **before, "budget_ids": {LOGIN: "id-1"}, **stored}

    def diff() -> tuple[Any, ...]:
        harness = new_run(guards=Guards(on_delete=on_delete))
        table = UserBudgetsLifecycle(harness.run)
        checked = table.check(URN, {**base, **before}, {**base, **after}, NOTHING)
        if checked.problems:
            return (checked.problems,)
        row = lifecycle.row_urn(URN, LOGIN)
        found = table.diff(URN, "id", olds, checked.inputs, NOTHING)
        return found, harness.reporter.warnings, harness.run.registry.holder("id-1") == row

    short = diff()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "_RARE", _NoRow())
        assert diff() == short
