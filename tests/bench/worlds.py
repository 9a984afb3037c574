"""What is measured: the programs, each with a stack and a sandbox of its own, on either engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from billing_provider.sandbox import Sandbox
from tests.bench import floor, naive, processes, traffic
from tests.engine.drivers import CommandLine, Embedded
from tests.engine.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

Engine = Literal["embedded", "cli"]
Kind = Literal["ours", "floor", "naive"]

_RUN = """
import sys
from pathlib import Path
from billing_provider.engine import Engine
done = getattr(Engine(Path(sys.argv[1]), "dev", Path(sys.argv[2])), sys.argv[3])()
sys.exit("\\n".join(each.message for each in done.diagnostics) if done.exit_code else 0)
"""
_EACH = """
for n in range(COUNT):
    Made(
        f"b{n}", enterprise="octo-enterprise", budget_product_sku="ai_credits", budget_type="BundlePricing",
        budget_scope="user", user=f"person-{n}", budget_amount=AMOUNT if n == 0 else 20, prevent_further_usage=True,
    )
"""
_TABLE = """
from billing_provider import UserBudgets
rows = {f"person-{n}": AMOUNT if n == 0 else 20 for n in range(COUNT)}
UserBudgets("people", enterprise="octo-enterprise", budgets=rows)
"""


class Step(NamedTuple):
    """One run of an engine: its name in the results, the verb, the amount of the first budget, the delay in ms."""

    name: str
    verb: Literal["up", "preview", "refresh", "destroy"]
    amount: int
    latency: int


def life(*, slow: bool) -> list[Step]:
    """Return the steps of a stack without latency and with 150 ms.

    Args:
        slow: Whether creates and deletes are measured with latency too: each costs 150 ms, whoever sends it.
    """
    return [
        Step("create", "up", 20, 0),
        Step("preview", "preview", 20, 0),
        Step("refresh", "refresh", 20, 0),
        Step("preview of a change", "preview", 30, 0),
        Step("up of a change", "up", 30, 0),
        Step("preview", "preview", 30, 150),
        Step("refresh", "refresh", 30, 150),
        Step("preview of a change", "preview", 40, 150),
        Step("up of a change", "up", 40, 150),
        Step("destroy", "destroy", 40, 0),
        *([Step("create", "up", 20, 150), Step("destroy", "destroy", 20, 150)] if slow else []),
    ]


@dataclass(frozen=True)
class Group:
    """Programs that are measured side by side, so that noise meets all of them.

    Attributes:
        name: `10`, `100`, `1000`, or what else is measured.
        count: The number of budgets or rows.
        programs: The program of each kind.
        steps: What each of them does.
        others: The number of budgets that the owner has beside those of the program.
    """

    name: str
    count: int
    programs: dict[Kind, str]
    steps: list[Step]
    others: int = 0


def budgets(count: int) -> Group:
    """Return so many single budgets, against the floor and the naive provider."""
    programs: dict[Kind, str] = {
        "ours": f"from billing_provider import EnterpriseBudget as Made\n{_EACH}",
        "floor": f"from floor import Nothing as Made\n{_EACH}",
        "naive": f"from naive import OneByOne as Made\n{_EACH}",
    }
    return Group(str(count), count, programs, life(slow=count <= 100))


def table(count: int) -> Group:
    """Return one table with so many rows, against an empty stack."""
    steps = [step for step in life(slow=False) if not step.latency or step.name == "refresh"]
    return Group("table", count, {"ours": _TABLE, "floor": "import pulumi\n"}, steps)


def few(others: int) -> Group:
    """Return three budgets of an owner that has many others."""
    steps = [Step("create", "up", 20, 150), Step("refresh", "refresh", 20, 150)]
    programs = budgets(3).programs
    return Group("few", 3, {"ours": programs["ours"], "floor": programs["floor"]}, steps, others)


class World:
    """One stack on one engine, with a sandbox of its own."""

    def __init__(self, engine: Engine, folder: Path, sandbox: Sandbox, seen: traffic.Traffic) -> None:
        nothing = Scenario([])
        self._driver = CommandLine(folder, nothing) if engine == "cli" else Embedded(folder, nothing)
        self._project = self._driver.bench.project
        self._traffic = seen
        for module in (floor, naive):
            shutil.copy(Path(module.__file__ or ""), self._project)
        self._driver.env |= {
            "GITHUB_API_URL": sandbox.url,
            "GITHUB_BILLING_TOKEN": sandbox.token,
            # A process that compiles the whole package would be measured with it.
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def run(self, step: Step, program: str, count: int) -> tuple[processes.Usage, list[traffic.Answered]]:
        """Run one step, and return what it used and what it asked."""
        text = program.replace("COUNT", str(count)).replace("AMOUNT", str(step.amount))
        (self._project / "__main__.py").write_text(text)
        self._traffic.taken()
        self._traffic.latency = step.latency / 1000
        used = processes.run(self._command(step), self._project, {**os.environ, **self._driver.env})
        return used, self._traffic.taken()

    def _command(self, step: Step) -> list[str]:
        if isinstance(self._driver, CommandLine):
            options = [] if step.verb == "preview" else ["--yes", "--skip-preview"]
            return ["pulumi", step.verb, *options]
        return [sys.executable, "-c", _RUN, str(self._project), str(self._driver.bench.state_file), step.verb]


@contextlib.contextmanager
def world(engine: Engine, folder: Path, others: int = 0) -> Iterator[World]:
    """Provide a fresh stack; the owner has so many budgets that are not of the stack."""
    seen = traffic.Traffic()
    with Sandbox(clock=seen.clock, on_request=seen.seen, create_unknown=lambda _: None) as sandbox:
        for number in range(others):
            person = {"budget_scope": "user", "user": f"other-{number}", "budget_product_sku": "ai_credits"}
            sandbox.add_budget("enterprise", "octo-enterprise", budget_type="BundlePricing", **person)
        yield World(engine, folder, sandbox, seen)
