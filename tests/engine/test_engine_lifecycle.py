"""The embedded engine through the life of a stack: create, same, update, replace, drift, deletion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.bench import ToyProject

TWO = """
a = Toy("a", amount=5, tags=["x"], nested={"u": 1.5, "v": None})
b = Toy("b", ref=a.made)
pulumi.export("made", b.made)
pulumi.export("secret", Output.secret("hush"))
"""


def test_up_creates_once(bench: ToyProject) -> None:
    """The first run creates the resources in order of dependency; the second changes nothing."""
    first = bench.up(TWO).checked()
    assert first.counts == {"create": 3}
    assert first.outputs == {"made": "made-b", "secret": "hush"}
    assert bench.calls() == [["create", "a"], ["create", "b"]]
    assert bench.toys() == {
        "a-1": {"key": "a", "amount": 5, "tags": ["x"], "nested": {"u": 1.5}},
        "b-1": {"key": "b", "ref": "made-a"},
    }
    second = bench.up(TWO).checked()
    assert second.counts == {"same": 3}
    assert not second.changed
    assert bench.calls() == []
    assert bench.engine.outputs() == {"made": "made-b", "secret": "hush"}


def test_preview_changes_nothing(bench: ToyProject) -> None:
    """A preview reports the creates, leaves their dependents unknown, and writes no state."""
    result = bench.preview(TWO).checked()
    assert result.counts == {"create": 3}
    assert result.outputs == {"secret": "hush"}
    assert bench.calls() == []
    assert not bench.state_file.exists()


def test_state_has_whole_numbers_and_marked_secrets(bench: ToyProject) -> None:
    """State keeps integers as integers and marks secrets, as Pulumi does."""
    bench.up(TWO).checked()
    resources = bench.resources()
    assert resources["a"]["inputs"]["amount"] == 5
    assert isinstance(resources["a"]["inputs"]["amount"], int)
    assert resources["a"]["inputs"]["nested"] == {"u": 1.5}
    assert resources["b"]["propertyDependencies"]["ref"] == [resources["a"]["urn"]]
    assert json.loads(resources["toys-dev"]["outputs"]["secret"]["plaintext"]) == "hush"
    assert bench.state_file.stat().st_mode & 0o077 == 0


def test_update_names_what_differs(bench: ToyProject) -> None:
    """An update changes only its resource and names the properties that differ."""
    bench.up('Toy("a", amount=5)\nToy("b")').checked()
    bench.calls()
    result = bench.up('Toy("a", amount=6)\nToy("b")').checked()
    assert result.counts == {"update": 1, "same": 2}
    assert bench.calls() == [["update", "a-1"]]
    (update,) = [step for step in result.steps if step.op == "update"]
    assert [(found.path, found.kind, found.old, found.new) for found in update.differences] == [
        (("amount",), "update", 5, 6)
    ]


def test_replacement_creates_before_it_deletes(bench: ToyProject) -> None:
    """A replacement creates the new resource, updates dependents, and deletes the old resource last."""
    bench.up('a = Toy("a")\nToy("b", ref=a.made)').checked()
    bench.calls()
    result = bench.up('a = Toy("a", key="z")\nToy("b", ref=a.made)').checked()
    assert result.counts == {"update": 1, "replace": 1, "same": 1}
    assert bench.calls() == [["create", "z"], ["update", "b-1"], ["delete", "a-1"]]


def test_deletion_first_deletes_dependents(bench: ToyProject) -> None:
    """A replacement that deletes first also deletes and recreates the dependents that it would replace."""
    program = """
a = Toy("a", place="{0}")
Toy("b", key=Output.concat("b", a.made))
Toy("c", opts=ResourceOptions(depends_on=[a]))
"""
    bench.up(program.format("here")).checked()
    bench.calls()
    result = bench.up(program.format("there")).checked()
    assert result.counts == {"replace": 2, "same": 2}
    assert bench.calls() == [["delete", "bmade-a-1"], ["delete", "a-1"], ["create", "a"], ["create", "bmade-a"]]
    assert bench.up(program.format("there")).checked().counts == {"same": 4}


def test_undeclared_resources_are_deleted(bench: ToyProject) -> None:
    """Resources that are no longer declared are deleted, dependents first."""
    bench.up('a = Toy("a")\nToy("b", ref=a.made)').checked()
    bench.calls()
    assert bench.up("").checked().counts == {"delete": 2, "same": 1}
    assert bench.calls() == [["delete", "b-1"], ["delete", "a-1"]]
    assert bench.toys() == {}


def test_refresh_finds_drift_and_up_repairs_it(bench: ToyProject) -> None:
    """A refresh reads edited resources and drops deleted ones; the next run restores both."""
    program = 'Toy("a", amount=5)\nToy("b")\nToy("c")'
    bench.up(program).checked()
    bench.edit("a-1", amount=9)
    bench.remove("b-1")
    refreshed = bench.engine.refresh().checked()
    assert refreshed.counts == {"update": 1, "delete": 1, "same": 2}
    assert bench.resources()["a"]["inputs"]["amount"] == 9
    assert "b" not in bench.resources()
    assert bench.engine.refresh().checked().counts == {"same": 3}
    bench.calls()
    assert bench.up(program).checked().counts == {"create": 1, "update": 1, "same": 2}
    assert sorted(bench.calls()) == [["create", "b"], ["update", "a-1"]]


def test_destroy_empties_the_stack(bench: ToyProject) -> None:
    """Destroy deletes everything, dependents first, and leaves an empty state."""
    bench.up(TWO).checked()
    bench.calls()
    assert bench.engine.destroy().checked().counts == {"delete": 3}
    assert bench.calls() == [["delete", "b-1"], ["delete", "a-1"]]
    assert bench.resources() == {}
    assert bench.engine.outputs() == {}
    assert bench.engine.destroy().checked().counts == {}


def test_component_keeps_its_outputs(bench: ToyProject) -> None:
    """State keeps a component with its outputs; the URNs of its children contain its type."""
    program = """
class Box(pulumi.ComponentResource):
    def __init__(self, name, size):
        super().__init__("my:box:Box", name, {"size": size})
        self.toy = Toy(f"{name}-toy", opts=ResourceOptions(parent=self))
        self.register_outputs({"toy": self.toy.made})

Box("box", SIZE)
"""
    assert bench.up(program.replace("SIZE", "1")).checked().counts == {"create": 3}
    resources = bench.resources()
    assert resources["box"]["outputs"] == {"toy": "made-box-toy"}
    assert "my:box:Box$pulumi-python:dynamic/toys:Toy::box-toy" in resources["box-toy"]["urn"]
    assert bench.up(program.replace("SIZE", "1")).checked().counts == {"same": 3}
    assert bench.up(program.replace("SIZE", "2")).checked().counts == {"update": 1, "same": 2}


def test_failed_check_stops_before_any_change(bench: ToyProject) -> None:
    """Every check failure is reported, and nothing is created after it, in a preview and in a run."""
    program = 'a = Toy("a", bad="yes", refused=True)\nToy("b", ref=a.made)'
    for result in (bench.preview(program), bench.up(program)):
        assert not result.ok
        assert [error.message for error in result.errors] == [
            "pulumi-python:dynamic/toys:Toy resource 'a': property bad value {yes} has a problem: it is bad",
            "pulumi-python:dynamic/toys:Toy resource 'a' has a problem: it is refused",
        ]
    assert bench.calls() == []


def test_failed_create_leaves_nothing_behind(bench: ToyProject) -> None:
    """A failed create is reported by its last line and not in state; dependents are not started."""
    result = bench.up('a = Toy("a", boom="create")\nToy("b", ref=a.made)')
    assert [error.message for error in result.errors] == ["RuntimeError: boom on create", "update failed"]
    assert "Traceback" in result.errors[0].detail
    assert bench.calls() == [["create", "a"]]
    assert list(bench.resources()) == ["toys-dev"]
    assert json.loads(bench.state_file.read_text())["deployment"]["pending_operations"] == []
