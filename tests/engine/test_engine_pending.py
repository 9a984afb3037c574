"""After a kill, interrupted updates and deletes are read again; write errors of the state are reported."""

from __future__ import annotations

import json
import os
import resource
import signal
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import EngineError
from billing_provider.engine.events import StepEvent
from tests.engine.test_engine_interrupt import start, wait_for
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.engine.bench import ToyProject

TWO = 'Toy("a", lingers=True)\nToy("b")'


def pending(bench: ToyProject) -> list[str]:
    """Return the kinds of the operations that state holds as pending."""
    return [
        operation["type"] for operation in json.loads(bench.state_file.read_text())["deployment"]["pending_operations"]
    ]


def kill_in_deletion(bench: ToyProject) -> None:
    """Kill a destroy and its plugin in the middle of the deletion of the toy a."""
    bench.up(TWO).checked()
    with start(bench, "destroy") as process:
        wait_for(bench, "a.going", process)
        wait_until((bench.remote / "a.going").read_text, lambda: process.poll() is None)
        wait_until(
            lambda: not (bench.remote / "b-1.json").exists() and "b" not in bench.resources(),
            lambda: process.poll() is None,
        )
        process.kill()
    os.kill(int((bench.remote / "a.going").read_text()), signal.SIGKILL)
    assert pending(bench) == ["deleting"]
    bench.calls()


def test_interrupted_deletion_that_took_effect(bench: ToyProject) -> None:
    """Resources that a killed destroy deleted are created by the next up; a preview shows it and writes nothing."""
    kill_in_deletion(bench)
    bench.remove("a-1")
    before = bench.state_file.read_text()
    preview = bench.engine.preview().checked()
    assert preview.counts == {"create": 2, "same": 1}
    assert "Toy::a, interrupted while deleting: it does not exist" in preview.diagnostics[0].message
    assert bench.state_file.read_text() == before
    assert bench.engine.up().checked().counts == {"create": 2, "same": 1}
    assert {toy["key"] for toy in bench.toys().values()} == {"a", "b"}
    assert pending(bench) == []
    assert bench.engine.up().checked().diagnostics == []


def test_interrupted_deletion_without_effect(bench: ToyProject) -> None:
    """Resources that a killed destroy did not delete are kept by the next up and deleted by the next destroy."""
    kill_in_deletion(bench)
    (bench.remote / "go").touch()
    result = bench.engine.destroy().checked()
    assert "Toy::a, interrupted while deleting: it exists" in result.diagnostics[0].message
    assert result.counts == {"delete": 2}
    assert (bench.toys(), bench.resources()) == ({}, {})


def test_refresh_resolves_an_interrupted_deletion(bench: ToyProject) -> None:
    """A refresh drops resources that a killed destroy deleted, and removes the operation."""
    kill_in_deletion(bench)
    bench.remove("a-1")
    assert bench.engine.refresh(clear_pending_creates=True).checked().counts == {"delete": 1, "same": 1}
    assert pending(bench) == []
    assert set(bench.resources()) == {"toys-dev"}


def test_interrupted_update_is_read_again(bench: ToyProject) -> None:
    """An update whose result was lost is read by the next run, even if the program was reverted."""
    bench.up('Toy("a", size=1)').checked()
    document = json.loads(bench.state_file.read_text())
    (entry,) = [entry for entry in document["deployment"]["resources"] if entry["urn"].endswith("::a")]
    document["deployment"]["pending_operations"] = [{"type": "updating", "resource": entry}]
    bench.state_file.write_text(json.dumps(document))
    bench.edit("a-1", size=2)
    assert bench.engine.up().checked().counts == {"update": 1, "same": 1}
    assert bench.toys()["a-1"]["size"] == 1


@pytest.mark.parametrize("verb", ["up", "destroy", "refresh"])
def test_interrupted_operation_that_cannot_be_read_stays(bench: ToyProject, verb: str) -> None:
    """When the resource cannot be read, the run ends with that error, changes nothing and keeps the operation."""
    bench.up('Toy("a", boom="read")').checked()
    document = json.loads(bench.state_file.read_text())
    (entry,) = [entry for entry in document["deployment"]["resources"] if entry["urn"].endswith("::a")]
    document["deployment"]["pending_operations"] = [{"type": "deleting", "resource": entry}]
    bench.state_file.write_text(json.dumps(document))
    bench.calls()
    result = getattr(bench.engine, verb)()
    assert (result.ok, result.errors[0].message) == (False, "RuntimeError: boom on read")
    assert bench.calls("create", "update", "delete") == []
    assert pending(bench) == ["deleting"]


def fill_disk_at(bench: ToyProject, op: str, phase: str) -> None:
    """Let every write of the engine fail from one step on, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def listen(event: Any) -> None:
        if (
            isinstance(event, StepEvent)
            and (event.step.op, event.phase) == (op, phase)
            and event.step.urn.endswith("::a")
        ):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))

    bench.engine._listener = listen


@pytest.fixture
def _room() -> Any:
    """Remove the simulated write errors at the end."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize(
    ("verb", "op", "phase", "calls"),
    [
        ("up", "create", "start", []),
        ("up", "create", "done", [["create", "a"]]),
        ("destroy", "delete", "start", []),
        ("refresh", "refresh", "start", [["read", "a-1"]]),
    ],
    ids=["before a creation", "before the outputs", "before a deletion", "in a refresh"],
)
def test_full_disk(bench: ToyProject, verb: str, op: str, phase: str, calls: list[list[str]]) -> None:
    """If the state cannot be written, no change starts, the run fails with one line, and the old state is kept."""
    program = 'Toy("a")\npulumi.export("x", 1)'
    if verb != "up":
        bench.up(program).checked()
    bench.program(program)
    bench.calls()
    if verb == "refresh":
        bench.edit("a-1", size=2)
    old = bench.resources() if verb != "up" else {}
    fill_disk_at(bench, op, phase)
    result = getattr(bench.engine, verb)()
    assert not result.ok
    assert f"cannot write {bench.state_file}: File too large; the file is as it was before" in result.errors[0].message
    assert bench.calls() == calls
    if verb != "up":
        assert bench.resources() == old


@pytest.mark.usefixtures("_room")
def test_full_disk_at_a_components_outputs(bench: ToyProject) -> None:
    """When the outputs of a component cannot be written, the run fails with one line."""
    bench.program("""
class Box(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("toys:index:Box", name)
        self.register_outputs({"x": 1})

Box("a")
""")
    fill_disk_at(bench, "create", "done")
    result = bench.engine.up()
    assert [error.message.partition(":")[0] for error in result.errors] == [f"cannot write {bench.state_file}"]


def test_state_folder_that_cannot_be_created(bench: ToyProject) -> None:
    """A state folder that cannot be created is an EngineError."""
    bench.state_file.parent.write_text("a file")
    with pytest.raises(EngineError, match="File exists"):
        bench.up("")


def test_null_is_read_as_none(bench: ToyProject) -> None:
    """Null, which the Pulumi CLI writes for an empty list, is read as None."""
    bench.up('Toy("a")').checked()
    exported = bench.engine.export()
    for entry in exported["deployment"]["resources"]:
        if "propertyDependencies" in entry:
            entry["propertyDependencies"] = dict.fromkeys(entry["propertyDependencies"])
            entry["dependencies"] = None
    bench.engine.import_(exported)
    assert not bench.engine.up().checked().changed


def test_an_invalid_interpreter_is_an_error(bench: ToyProject) -> None:
    """An invalid interpreter of the project is an EngineError."""
    python = bench.project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("nothing")
    with pytest.raises(EngineError, match="cannot be started"):
        bench.up("")
