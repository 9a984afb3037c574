"""The program of `docs/people.md`: budgets of people from a CSV, leavers and renames."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing_provider.engine import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.engine import Engine
    from billing_provider.sandbox import Sandbox

PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text()
(TABLE,) = re.findall(r"^```csv\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def stack(pulumi_stack: Callable[..., Engine], tmp_path: Path) -> Engine:
    """A stack of the page's program and table, which is up; it may delete one budget a run."""
    (tmp_path / "Pulumi.yaml").write_text("name: people\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "people.csv").write_text(TABLE)
    settings = {"github-billing:maxDeletes": "1", "github-billing:protectHardStops": "true"}
    made = pulumi_stack("dev", tmp_path, settings=settings)
    made.up()
    return made


def test_a_renamed_person_keeps_the_budget(stack: Engine, billing_sandbox: Sandbox, tmp_path: Path) -> None:
    """A login that was renamed on GitHub and in the table sends nothing; a leaver's budget goes, adopted or not."""
    text = json.dumps(billing_sandbox.snapshot())
    billing_sandbox.restore(json.loads(text.replace("monalisa", "mona")))
    before = billing_sandbox.budgets()
    (tmp_path / "people.csv").write_text(TABLE.replace("monalisa", "Mona"))
    billing_sandbox.forget_requests()
    said = [each.message for each in stack.preview().diagnostics]
    stack.up()
    assert billing_sandbox.writes == []
    assert billing_sandbox.budgets() == before
    assert re.search(r"people: monalisa moves to people(-\d\d)?/mona, with the same budget", "\n".join(said))
    assert not stack.preview().changed
    (tmp_path / "people.csv").write_text(
        "".join(line for line in TABLE.splitlines(keepends=True) if "mona" not in line)
    )
    stack.up()
    assert [budget["user"] for budget in billing_sandbox.budgets()] == ["octocat"]


def test_a_lost_table_deletes_nothing_or_little(stack: Engine, billing_sandbox: Sandbox, tmp_path: Path) -> None:
    """A table without lines ends the program; one with other people deletes no more than `maxDeletes`."""
    for table, said in (
        (TABLE.partition("\n")[0], "the table has no row, which would remove all caps"),
        ("login,budget_amount\nhubot,5\n", "maxDeletes"),
    ):
        (tmp_path / "people.csv").write_text(table)
        with pytest.raises(RunFailedError, match=said):
            stack.up()
    assert {"monalisa", "octocat"} & {budget["user"] for budget in billing_sandbox.budgets()}
