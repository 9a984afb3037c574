"""What `pulumi preview --diff` of the real Pulumi CLI tells before anything is written."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.test_cli_engine import Cli, cli
from tests.sdk.mistakes import MISTAKES, PRELUDE, WHOLE_RUNS
from tests.support.situations import SITUATIONS

__all__ = ["cli"]

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_preview_tells_a_situation(cli: Cli, name: str) -> None:
    """The preview shows what is to happen, with its exit code, and sends only the reads that this needs."""
    situation = SITUATIONS[name]
    situation.arrange(cli.sandbox)
    if situation.before:
        cli.declare(**situation.before)
        cli.up()
    situation.happens(cli.sandbox)
    cli.declare(**situation.declared)
    shown = cli.run("preview", "--diff", code=None)
    assert [text for text in situation.words if text not in shown] == [], shown
    assert ("error:" in shown) == situation.fails, shown
    assert len(cli.sandbox.requests) == len(situation.requests)
    assert cli.writes == []


def test_a_failed_run_prints_no_traceback(cli: Cli) -> None:
    """Pulumi interrupts the program after the error of a resource, and the error is all that it prints."""
    lost = {"enterprise": "octo-typo", "budget_product_sku": "actions", "budget_amount": 5}
    cli.declare(**{f"budget-{number}": lost for number in range(20)})
    shown = cli.run("preview", code=1)
    assert "octo-typo" in shown
    assert "Traceback" not in shown, shown


@pytest.mark.parametrize("name", WHOLE_RUNS[::2])
def test_a_mistake_is_answered_in_the_first_screen(cli: Cli, name: str) -> None:
    """The answer is in the first 24 lines; a traceback, if there is one, begins in the program."""
    mistake = MISTAKES[name]
    (cli.project / "__main__.py").write_text(PRELUDE + mistake.program)
    for key, value in mistake.config.items():
        cli.run("config", "set", key, str(value))
    shown = cli.run("preview", code=None)
    assert mistake.words in "\n".join(shown.splitlines()[:24]), shown
    assert "billing_provider/" not in shown, shown
    assert "KeyboardInterrupt" not in shown, shown
    assert cli.writes == []
