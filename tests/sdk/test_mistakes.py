"""The answers to typical mistakes of new users: short, at the top, and with what to do."""

from __future__ import annotations

import gc
import os
import textwrap
import traceback
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from billing_provider.core.settings import read_guards, read_settings
from billing_provider.engine import RunFailedError
from billing_provider.operations import all_operations
from billing_provider.runtime.run import Run
from billing_provider.testing.pytest_plugin import billing_sandbox, pulumi_stack
from tests.sdk.mistakes import MISTAKES, PRELUDE, WHOLE_RUNS
from tests.support import mocked
from tests.support.harness import Listener
from tests.support.mocked import Registered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi.runtime import MockResourceArgs

    from billing_provider.operations import Operations
    from billing_provider.sandbox import Sandbox
    from billing_provider.testing.pytest_plugin import StackFactory
    from tests.support.clock import VirtualClock

__all__ = ["billing_sandbox", "pulumi_stack"]

PROGRAM = "<program>"
_COLUMNS, _LINES = 120, 3


class Checked(Registered):
    """Checks each resource as its plugin does, in this process, and records the problems."""

    operations: dict[str, Operations]
    problems: list[str]

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Check a resource that is not read."""
        if not args.resource_id:
            kind = args.typ.rpartition(":")[2]
            inputs = {name: value for name, value in args.inputs.items() if not name.startswith("__")}
            urn = f"urn:pulumi:s::p::{args.typ}::{args.name}"
            found = self.operations[kind].check(urn, {}, inputs, frozenset()).problems
            self.problems += [f"{args.name}: {problem}" for problem in found]
        return super().new_resource(args)


@pytest.fixture
def answers(
    sandbox: Sandbox, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], list[str]]]:
    """Run the preview of a mistake, and return what the user is told."""
    monkeypatch.setattr(mocked, "Registered", Checked)

    def answer(name: str) -> list[str]:
        mistake = MISTAKES[name]
        given = {"github-billing:token": sandbox.token, "github-billing:baseUrl": sandbox.url, **mistake.config}
        config = {key: value for key, value in given.items() if value is not None}
        run = Run(
            lambda: read_settings(config.get, os.environ),
            Listener(),
            clock,
            guards=lambda: read_guards(config.get, os.environ),
        )
        problems: list[str] = []
        monkeypatch.setattr(Checked, "operations", all_operations(run), raising=False)
        monkeypatch.setattr(Checked, "problems", problems, raising=False)
        code = compile(PRELUDE + mistake.program, PROGRAM, "exec")
        try:
            mocked.run(lambda: exec(code, {}), config=config, preview=True)  # noqa: S102 - the program of the mistake
        except pulumi.RunError as error:
            return [str(error)]
        except TypeError as error:
            # Pulumi shows the traceback from the program on: its own line is the last.
            last = traceback.extract_tb(error.__traceback__)[-1]
            return [str(error)] if last.filename == PROGRAM else []
        return problems

    yield answer
    gc.collect()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_a_short_answer(name: str, answers: Callable[[str], list[str]], sandbox: Sandbox) -> None:
    """The answer says what to do in at most three lines of a terminal; nothing is written."""
    told = answers(name)
    lines = [line for text in told for line in textwrap.wrap(text, _COLUMNS)]
    assert MISTAKES[name].words in " ".join(told)
    assert 0 < len(lines) <= _LINES, told
    assert sandbox.writes == []


@pytest.mark.parametrize("name", WHOLE_RUNS)
def test_the_engine_shows_the_same_answer(
    name: str, pulumi_stack: StackFactory, billing_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A preview by the embedded engine fails with the answer, among at most eight lines."""
    mistake = MISTAKES[name]
    (tmp_path / "Pulumi.yaml").write_text("name: mistaken\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PRELUDE + mistake.program)
    settings = {key: value for key, value in mistake.config.items() if value is not None}
    with pytest.raises(RunFailedError) as failed:
        pulumi_stack("dev", tmp_path, settings=settings).preview()
    assert mistake.words in str(failed.value)
    assert str(failed.value).count("\n") < 8
    assert billing_sandbox.writes == []
