"""Interruptions: Ctrl-C lets running operations finish, a kill leaves them as pending."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import EngineError
from billing_provider.engine.process import Child
from tests.engine.drivers import kill_in_creation
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.bench import ToyProject

RUN = """
import sys
from pathlib import Path
from billing_provider.engine import Engine
result = getattr(Engine(Path(sys.argv[1]), "dev", Path(sys.argv[2])), sys.argv[3])()
print(result.interrupted, result.ok)
"""
# The second toy waits for the first, and the program would go on for long.
TWO_SLOW = 'import time\na = Toy("a", slow=True)\nToy("b", ref=a.made)\n'


def start(bench: ToyProject, verb: str) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(bench.project), str(bench.state_file), verb],
        env={**os.environ, **bench.engine.env},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(bench: ToyProject, name: str, process: subprocess.Popen[Any]) -> None:
    """Wait for a file of the toys, as long as the run continues."""
    wait_until((bench.remote / name).exists, lambda: process.poll() is None)


WITH_FORK_SERVER = """
import sys
from pathlib import Path
from billing_provider.engine import Engine, ForkServer
with ForkServer() as fork_server:
    Engine(Path(sys.argv[1]), "dev", Path(sys.argv[2]), fork_server=fork_server).up()
"""
# It creates a file and ignores SIGINT.
DEAF = """
import signal, toy
signal.signal(signal.SIGINT, signal.SIG_IGN)
sign = toy.Remote().folder / "program"
sign.touch()
toy.hold(sign)
Toy("a", slow=True)
"""
# The program and the plugin load this module; exit handlers do not run after SIGKILL.
NOTING = """
import atexit, os, toy
folder = toy.Remote().folder
(folder / f"{os.getpid()}.loaded").touch()
atexit.register((folder / f"{os.getpid()}.ended").touch)
class NotingProvider(toy.ToyProvider):
    pass
"""
# It waits after the create, so the engine has to stop both.
WAITING = """
import time, noting, toy
from pulumi.dynamic import Resource
class Noting(Resource):
    made: Output[str]
def wait(_):
    (noting.folder / "waiting").touch()
    time.sleep(600)
Noting(noting.NotingProvider(), "a", {"key": "a", "made": None}).made.apply(wait)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_finishes_and_saves_running_operations(bench: ToyProject, number: int) -> None:
    """A signal during a create lets it finish and saves it; dependents are not started."""
    bench.program(TWO_SLOW)
    with start(bench, "up") as process:
        wait_for(bench, "a.begun", process)
        process.send_signal(number)
        time.sleep(0.2)
        (bench.remote / "go").touch()
        assert process.communicate()[0] == "True False\n"
    assert bench.calls() == [["create", "a"]]
    assert set(bench.resources()) == {"toys-dev", "a"}
    assert json.loads(bench.state_file.read_text())["deployment"]["pending_operations"] == []
    assert bench.engine.up().checked().counts == {"create": 1, "same": 2}


def test_interruption_stops_a_busy_program(bench: ToyProject) -> None:
    """An interruption stops a busy program."""
    bench.program(
        f'import time\nfrom pathlib import Path\nPath({str(bench.remote)!r}, "on").touch()\ntime.sleep(600)\n'
    )
    with start(bench, "up") as process:
        wait_for(bench, "on", process)
        process.send_signal(signal.SIGINT)
        assert process.communicate()[0] == "True False\n"


@pytest.mark.parametrize("how", [RUN, WITH_FORK_SERVER], ids=["started", "forked"])
def test_children_exit_by_sigint_if_the_engine_ignores_it(bench: ToyProject, how: str) -> None:
    """Started with SIGINT ignored, as by nohup, the engine still stops program and plugin with SIGINT, not SIGKILL."""
    (bench.project / "noting.py").write_text(NOTING)
    bench.program(WAITING)
    command = [sys.executable, "-c", how, str(bench.project), str(bench.state_file), "up"]
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command]
    with subprocess.Popen(ignoring, env={**os.environ, **bench.engine.env}) as process:
        wait_for(bench, "waiting", process)
        process.send_signal(signal.SIGTERM)
    loaded = {path.stem for path in bench.remote.glob("*.loaded")}
    assert len(loaded) == 2
    assert {path.stem for path in bench.remote.glob("*.ended")} == loaded


def test_an_early_interruption_is_not_lost(tmp_path: Path) -> None:
    """A child that is stopped before it handles SIGINT exits by SIGINT, even if its engine ignores it."""
    program = tmp_path / "program.py"
    program.write_text("import time\ntime.sleep(600)\n")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Child(sys.executable, [str(program)], cwd=tmp_path, env=os.environ, on_line=print) as child:
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert child.wait() == -signal.SIGINT


def test_interruption_of_deletions(bench: ToyProject) -> None:
    """A signal during a destroy lets the running deletions finish and starts no others."""
    bench.up('a = Toy("a")\nfor n in range(6):\n    Toy(f"b{n}", ref=a.made, lingers=True)').checked()
    bench.calls()
    with start(bench, "destroy") as process:
        wait_until(lambda: len(list(bench.remote.glob("*.going"))) >= 4, lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        (bench.remote / "go").touch()
        assert process.communicate()[0] == "True False\n"
    assert len(bench.calls()) == 4
    assert len(bench.resources()) == 4


def test_second_interruption_exits_at_once(bench: ToyProject) -> None:
    """A second signal does not wait for running operations, which stay marked as pending."""
    bench.program(TWO_SLOW)
    with start(bench, "up") as process:
        wait_for(bench, "a.begun", process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode != 0
    pending = json.loads(bench.state_file.read_text())["deployment"]["pending_operations"]
    assert [operation["type"] for operation in pending] == ["creating"]


def test_kill_leaves_a_pending_creation_that_is_reported(bench: ToyProject) -> None:
    """After a kill during a create, the next run reports it; a refresh removes it only with the option."""
    bench.program('Toy("a", slow=True)')
    command = [sys.executable, "-c", RUN, str(bench.project), str(bench.state_file), "up"]
    kill_in_creation(command, bench.project, bench.remote, {**os.environ, **bench.engine.env})
    (bench.remote / "go").touch()
    result = bench.engine.up()
    assert "1 pending operations from an earlier run" in result.diagnostics[0].message
    assert result.ok
    bench.engine.refresh()
    assert bench.engine.up().diagnostics
    bench.engine.refresh(clear_pending_creates=True)
    assert not bench.engine.up().diagnostics


@pytest.mark.parametrize("how", [RUN, WITH_FORK_SERVER], ids=["started", "forked"])
def test_killed_engine_leaves_no_process(bench: ToyProject, how: str) -> None:
    """The program and the plugin of a killed engine exit, even if the program ignores SIGINT."""
    bench.program(DEAF)
    command = [sys.executable, "-c", how, str(bench.project), str(bench.state_file), "up"]
    with subprocess.Popen(command, env={**os.environ, **bench.engine.env}) as process:
        wait_for(bench, "a.begun", process)
        process.kill()
    (bench.remote / "go").touch()
    for name in ("program", "a.begun"):
        with (bench.remote / name).open() as sign:
            fcntl.flock(sign, fcntl.LOCK_EX)
    assert len(bench.toys()) == 1


def test_state_is_locked_while_a_run_uses_it(bench: ToyProject) -> None:
    """A second run on a locked state file is refused."""
    bench.program('Toy("a", slow=True)')
    first = threading.Thread(target=bench.engine.up)
    first.start()
    try:
        wait_until((bench.remote / "a.begun").exists, first.is_alive)
        with pytest.raises(EngineError, match="another run is using"):
            bench.engine.preview()
    finally:
        (bench.remote / "go").touch()
        first.join()
    assert bench.engine.preview().counts == {"same": 2}


def test_an_interruption_during_the_imports_is_no_traceback(tmp_path: Path) -> None:
    """A child that is interrupted before its program handles it ends with 130, and prints nothing."""
    program = tmp_path / "imports.py"
    program.write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    lines: list[str] = []
    with Child(sys.executable, [str(program)], cwd=tmp_path, env=os.environ, on_line=lines.append) as child:
        assert child.wait() == 130
    assert lines == []
