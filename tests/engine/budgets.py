"""Budgets on both engines: scenarios as data, their sandbox, and the result of each step."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import Sandbox
from tests.engine.scenarios import Do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.engine.drivers import CommandLine, Embedded

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class BudgetStep:
    """One step, and the changes made on GitHub before it."""

    do: Do
    behind: Callable[[Sandbox], object] | None = None
    # Planned faults, see `faults.Rule`.
    fault: dict[str, Any] | None = None


def declared(name: str = "b", opts: str = "None", **fields: Any) -> str:
    """Return a program of one budget of the enterprise."""
    given = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 100, **fields}
    return (
        "from billing_provider import EnterpriseBudget\n"
        f"b = EnterpriseBudget({name!r}, **{given!r}, opts={opts})\n"
        'pulumi.export("amount", b.budget_amount)\n'
    )


def _only(sandbox: Sandbox) -> str:
    (budget,) = sandbox.budgets()
    id_: str = budget["id"]
    return id_


def _raised(sandbox: Sandbox) -> None:
    sandbox.edit_budget(_only(sandbox), budget_amount=999)


def _removed(sandbox: Sandbox) -> None:
    sandbox.remove_budget(_only(sandbox))


def _made_by_hand(sandbox: Sandbox) -> None:
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=70)


CENTER = """
from billing_provider import CostCenter, EnterpriseBudget
center = CostCenter("c", enterprise="octo-enterprise", name="Research")
EnterpriseBudget(
    "b", enterprise="octo-enterprise", budget_product_sku="actions", budget_amount=50,
    budget_scope="cost_center", budget_entity_name=center.cost_center_id,
)
"""
TWO = f"""{declared()}
EnterpriseBudget(
    "p", enterprise="octo-enterprise", budget_product_sku="packages", budget_amount=5,
    opts=ResourceOptions(depends_on=[b]),
)
"""

SCENARIOS: dict[str, list[BudgetStep]] = {
    "life": [
        BudgetStep(Do("preview", declared())),
        BudgetStep(Do("up")),
        BudgetStep(Do("up")),
        BudgetStep(Do("up", declared(budget_amount=150))),
        BudgetStep(Do("refresh")),
        BudgetStep(Do("destroy")),
    ],
    "replaced_by_another_product": [
        BudgetStep(Do("up", declared())),
        BudgetStep(Do("preview", declared(budget_product_sku="packages"))),
        BudgetStep(Do("up")),
    ],
    "replaced_by_another_scope": [
        BudgetStep(Do("up", declared(budget_scope="repository", budget_entity_name="octo-org/api"))),
        BudgetStep(Do("up", declared(budget_scope="repository", budget_entity_name="octo-org/website"))),
    ],
    "replaced_with_the_deletion_first": [
        BudgetStep(Do("up", declared())),
        BudgetStep(
            Do("up", declared(opts="ResourceOptions(delete_before_replace=True)", budget_product_sku="packages"))
        ),
    ],
    "drift": [
        BudgetStep(Do("up", declared())),
        BudgetStep(Do("refresh"), behind=_raised),
        BudgetStep(Do("preview")),
        BudgetStep(Do("up")),
    ],
    "gone": [
        BudgetStep(Do("up", declared())),
        BudgetStep(Do("refresh"), behind=_removed),
        BudgetStep(Do("up")),
    ],
    "failed_check": [
        BudgetStep(Do("preview", declared(budget_type="OtherPricing"), ok=False)),
        BudgetStep(Do("up", ok=False)),
    ],
    "failed_create": [
        BudgetStep(Do("up", declared(), ok=False), fault={"op": "create_budget", "action": "422"}),
        BudgetStep(Do("up")),
    ],
    "renamed_without_an_alias": [
        BudgetStep(Do("up", declared())),
        BudgetStep(Do("up", declared("other"))),
        BudgetStep(Do("up")),
    ],
    "renamed_with_an_alias": [
        BudgetStep(Do("up", declared())),
        BudgetStep(Do("up", declared("other", "ResourceOptions(aliases=[pulumi.Alias(name='b')])"))),
    ],
    "cost_center": [BudgetStep(Do("up", CENTER)), BudgetStep(Do("up")), BudgetStep(Do("destroy"))],
    "adopted": [
        BudgetStep(Do("up", declared(), ok=False), behind=_made_by_hand),
        BudgetStep(Do("up", declared(on_existing="adopt", on_delete="delete"))),
        BudgetStep(Do("up")),
        BudgetStep(Do("destroy")),
    ],
    "one_of_two_leaves": [BudgetStep(Do("up", TWO)), BudgetStep(Do("up", declared()))],
}


@contextlib.contextmanager
def against(driver: Embedded | CommandLine) -> Iterator[Sandbox]:
    """Provide a fresh sandbox for the driver's programs."""
    with Sandbox() as sandbox:
        driver.env |= {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        yield sandbox


def play(driver: Embedded | CommandLine, turns: Sequence[BudgetStep]) -> list[dict[str, Any]]:
    """Run a scenario and return the result of each step: exit code, counts, requests, budgets and state."""
    recorded = []
    with against(driver) as sandbox:
        for turn in turns:
            if turn.do.program is not None:
                driver.bench.program(turn.do.program)
            if turn.behind is not None:
                turn.behind(sandbox)
            sandbox.plan([turn.fault] if turn.fault else [])
            sandbox.forget_requests()
            outcome = driver.run(turn.do)
            assert (outcome.code == 0) == turn.do.ok, outcome.said
            recorded.append(
                {
                    "budgets": sorted(sandbox.budgets(owner=None), key=_known),
                    "code": outcome.code,
                    "counts": outcome.counts,
                    "requests": [
                        [sent.method, sent.path, sent.query, sent.body, sent.status] for sent in sandbox.requests
                    ],
                    "state": driver.state(),
                }
            )
    return _numbered(recorded)


def _known(budget: dict[str, Any]) -> str:
    return json.dumps({**budget, "id": ""}, sort_keys=True)


def _numbered(recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace ids, which differ between runs, by numbers in order of appearance."""
    numbers: dict[str, str] = {}
    text = _UUID.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers) + 1}"), json.dumps(recorded))
    numbered: list[dict[str, Any]] = json.loads(text)
    return numbered
