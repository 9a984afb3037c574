"""The demo: all steps on the embedded engine, and the choice of an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.sandbox import Sandbox
from billing_provider.testing import demo
from tests.support import forked
from tests.support.waiting import wait_until

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


def test_the_demo_runs_on_the_embedded_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a Pulumi CLI, every step of the demo succeeds and is printed.

    The first `up` and the export are the installed command, as a user runs it; the other steps fork their processes.
    """
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("BILLING_DEMO_NO_INSTALL", "1")
    real = subprocess.Popen
    seen: set[str] = set()

    def popen(command: list[str], **options: Any) -> Any:
        (verb,) = {"up", "preview", "refresh", "destroy", "export"} & set(command)
        if verb in seen or verb not in {"up", "export"}:
            return forked.Process(*command[1:], cwd=options["cwd"], env=options["env"])
        seen.add(verb)
        return real(command, **options)

    monkeypatch.setattr(
        demo, "subprocess", SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT)
    )
    code = demo.main()
    printed = capsys.readouterr()
    assert code == 0, printed.out + printed.err
    assert seen == {"up", "export"}
    for text in (
        "Engine: the embedded engine",
        "+ 3 created",
        "3 unchanged",
        "~ budget_amount: 500 => 9000",
        "~ budget_amount: 9000 => 500",
        "GitHub accepts no fractions",
        "is an e-mail address",
        "adopts the existing budget",
        "lowers the most that can be spent by $80 (-80 %); a destroy keeps it (on_delete)",
        "stops 2 people at once: they have used at least $20 this month (",
        "- 3 deleted",
        "Imported into quickstart: 4. In its state already: 0. GitHub is unchanged.",
        "A preview of quickstart finds no changes.",
        '        ("user-hubot-ai-credits", "hubot", 15),',
        "5 unchanged",
        "All 13 steps succeeded",
    ):
        assert text in printed.out, text


def test_the_cli_on_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pulumi on PATH is used, with flags that suppress questions."""
    path = program(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    command, flags, _ = demo.find_engine(tmp_path / "cli")
    assert command == [str(path)]
    assert "--yes" in flags["up"]


@pytest.mark.usefixtures("without_cli")
def test_an_installed_cli_comes_second(tmp_path: Path) -> None:
    """A CLI that the installer placed in the project is used, but none of another version than the locked SDK."""
    path = program(tmp_path / "cli" / "bin", f"echo v{version('pulumi')}")
    assert demo.find_engine(tmp_path / "cli")[0] == [str(path)]
    program(tmp_path / "cli" / "bin", "echo v3.1.0")
    assert demo.find_engine(tmp_path / "cli")[0][1:] == ["try"]


@pytest.mark.usefixtures("without_cli")
def test_the_installer_names_its_version_and_its_opt_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is fetched, one line says what, and one how to do without."""
    demo.find_engine(tmp_path / "cli")
    said = capsys.readouterr().out
    assert f"running Pulumi's own installer, of version {version('pulumi')}, into {tmp_path / 'cli'} ..." in said
    assert "BILLING_DEMO_NO_INSTALL=1 installs nothing" in said


def test_an_interrupted_demo_ends_what_it_runs(tmp_path: Path) -> None:
    """Ctrl-C ends the running command too, and prints no traceback."""
    mark = tmp_path / "pid"
    program(tmp_path, '[ "$1" = stack ] && exit', f"echo $$ > {mark}", "exec sleep 600")
    command = [sys.executable, "-m", "billing_provider.testing.demo"]
    path = f"{tmp_path}:{os.environ['PATH']}"
    with subprocess.Popen(
        command,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A job in the background of a shell ignores Ctrl-C, and so would the demo.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    ) as process:
        wait_until(lambda: mark.exists() and mark.read_text().endswith("\n"), lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert (process.returncode, said.splitlines()[-1], "Traceback" in said) == (130, "The demo was stopped.", False)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.usefixtures("without_cli")
def test_the_embedded_engine_comes_last(tmp_path: Path) -> None:
    """If the installer fails, the embedded engine is used, and a line gives the reason."""
    command, _, line = demo.find_engine(tmp_path / "cli")
    assert command[1:] == ["try"]
    assert "none could be installed" in line


def test_a_failed_step_stops_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command with an unexpected exit code stops the demo with exit code 1."""
    program(tmp_path, '[ "$1" = stack ] || { echo no engine; exit 7; }')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert demo.main() == 1
    printed = capsys.readouterr()
    assert "no engine" in printed.out
    assert "ended with 7" in printed.err


def test_only_tracebacks_of_interruptions_are_left_out() -> None:
    """Tracebacks that end with KeyboardInterrupt are left out; all others are printed unchanged."""
    first = ["error: no", "Traceback (most recent call last):", "  File x", "KeyboardInterrupt"]
    shown = list(
        demo.without_interruptions([*first, "", "During handling of the above ...", "KeyboardInterrupt", "end"])
    )
    assert [line[:14] for line in shown] == ["error: no", "end", "(5 lines left "]
    real = ["Traceback (most recent call last):", "  File x", "ValueError: no", "end"]
    assert list(demo.without_interruptions(real)) == real


def test_a_failed_stack_init_stops_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CLI's error is printed if the stack cannot be created."""
    program(tmp_path, "echo no backend >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert demo.main() == 1
    assert "pulumi stack init: no backend" in capsys.readouterr().err


def test_remaining_budgets_fail_the_demo(tmp_path: Path) -> None:
    """An engine that exits with 0 but deletes no budgets fails the demo."""
    path = program(tmp_path / "bin", '[ "$1" != preview ] || ! grep -q 499.5 stacks/quickstart.py')
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "quickstart.py").write_text("budget_amount=500")
    with Sandbox() as sandbox:
        sandbox.add_budget("enterprise", "octo-enterprise", budget_product_sku="actions", budget_amount=1)
        run = demo.Demo(tmp_path, sandbox, [str(path)], {})
        with pytest.raises(demo.DemoError, match="1 budgets are left"):
            run.run()
