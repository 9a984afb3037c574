"""The demo: the whole story on the embedded engine, and the choice of an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from billing_provider.sandbox import Sandbox
from billing_provider.testing import demo

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, *lines: str) -> Path:
    """Write an executable named pulumi into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def without_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pulumi on PATH, and none that could be installed."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'empty'}:/usr/bin:/bin")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def test_the_story_is_told_on_the_embedded_engine(tmp_path: Path) -> None:
    """Without a Pulumi CLI every step of the story goes as told, and each is visible."""
    environ = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "BILLING_DEMO_NO_INSTALL": "1"}
    told = subprocess.run(
        [sys.executable, "-m", "billing_provider.testing.demo"],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for sight in (
        "Engine: the embedded one",
        "+ 3 created",
        "3 unchanged",
        "~ budget_amount: 500 => 9000",
        "~ budget_amount: 9000 => 500",
        "GitHub accepts no fractions",
        "is an e-mail address",
        "- 3 deleted",
        "All 8 steps went as told",
    ):
        assert sight in told.stdout, sight


def test_the_cli_on_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pulumi on PATH tells the story, with flags that ask nothing."""
    path = program(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    command, flags, _ = demo.find_engine(tmp_path / "cli")
    assert command == [str(path)]
    assert "--yes" in flags["up"]


@pytest.mark.usefixtures("without_cli")
def test_an_installed_cli_comes_second(tmp_path: Path) -> None:
    """A CLI that the installer has put into the project is used."""
    path = program(tmp_path / "cli" / "bin", "exit 0")
    assert demo.find_engine(tmp_path / "cli")[0] == [str(path)]


@pytest.mark.usefixtures("without_cli")
def test_the_embedded_engine_comes_last(tmp_path: Path) -> None:
    """Where the installer reaches nothing, the embedded engine tells the story and says why."""
    command, _, line = demo.find_engine(tmp_path / "cli")
    assert command[1:] == ["try"]
    assert "none could be installed" in line


def test_a_step_that_goes_wrong_ends_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that ends otherwise than the story has it stops the demo with exit code 1."""
    program(tmp_path, '[ "$1" = stack ] || { echo no engine; exit 7; }')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert demo.main() == 1
    printed = capsys.readouterr()
    assert "no engine" in printed.out
    assert "ended with 7" in printed.err


def test_only_interruptions_are_left_out_of_what_is_shown() -> None:
    """A traceback that ends in an interruption is noise of a refusal; one that does not is shown to the letter."""
    first = ["error: no", "Traceback (most recent call last):", "  File x", "KeyboardInterrupt"]
    shown = list(
        demo.without_interruptions([*first, "", "During handling of the above ...", "KeyboardInterrupt", "end"])
    )
    assert [line[:14] for line in shown] == ["error: no", "end", "(5 lines left "]
    real = ["Traceback (most recent call last):", "  File x", "ValueError: no", "end"]
    assert list(demo.without_interruptions(real)) == real


def test_a_stack_that_cannot_be_made_ends_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CLI's own words say why there is no stack."""
    program(tmp_path, "echo no backend >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert demo.main() == 1
    assert "pulumi stack init: no backend" in capsys.readouterr().err


def test_budgets_that_are_left_fail_the_story(tmp_path: Path) -> None:
    """An engine that says yes and does nothing is found out."""
    path = program(tmp_path / "bin", '[ "$1" != preview ] || ! grep -q 499.5 stacks/quickstart.py')
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "quickstart.py").write_text("budget_amount=500")
    with Sandbox() as sandbox:
        sandbox.add_budget("enterprise", "octo-enterprise", budget_product_sku="actions", budget_amount=1)
        story = demo.Story(tmp_path, sandbox, [str(path)], {})
        with pytest.raises(demo.DemoError, match="1 budgets are left"):
            story.tell()
