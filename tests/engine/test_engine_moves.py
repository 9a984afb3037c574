"""State that moves between the embedded engine and the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import EngineError
from billing_provider.engine.wire import SECRET_SIGNATURE, SIGNATURE_KEY
from tests.engine.drivers import CommandLine, Embedded, chosen, command_line_here, comparable, play
from tests.engine.record import GOLDEN
from tests.engine.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.engine import ForkServer
    from tests.engine.bench import ToyProject


def last_good(name: str) -> int | None:
    """Return the last successful `up` after which the stack has resources."""
    recorded = json.loads((GOLDEN / f"{name}.json").read_text())["steps"]
    return next(
        (
            at
            for at, step in reversed(list(enumerate(SCENARIOS[name].steps)))
            if step.verb == "up" and step.ok and recorded[at]["state"]["resources"]
        ),
        None,
    )


ENCRYPTED = {
    "version": 3,
    "deployment": {
        "resources": [
            {
                "urn": "urn:pulumi:dev::toys::toys:index:Toy::a",
                "type": "toys:index:Toy",
                "outputs": {"x": {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": "v1:x:y"}},
            }
        ]
    },
}
SETTLED = [name for name in sorted(SCENARIOS) if last_good(name) is not None]


def program_of(scenario: Scenario, last: int) -> str:
    """Return the program of a step."""
    return next(step.program for step in reversed(scenario.steps[: last + 1]) if step.program is not None)


def exported_names(recording: dict[str, Any]) -> set[str]:
    """Return the names of the stack's recorded outputs."""
    (stack,) = [entry for entry in recording["state"]["resources"] if entry["type"] == "pulumi:pulumi:Stack"]
    return set(stack.get("outputs", {}))


def exported(recording: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded state in the export format of the Pulumi CLI."""
    return {"version": 3, "deployment": recording["state"]}


@pytest.mark.parametrize(
    "name", chosen(SETTLED, "cascade", "component", "lookup", "protected_from_deletion", "settings")
)
def test_state_of_the_command_line_previews_unchanged(
    tmp_path: Path, pulumi_fork_server: ForkServer, name: str
) -> None:
    """A state of the Pulumi CLI has no changes in the embedded engine."""
    scenario, last = SCENARIOS[name], last_good(name)
    assert last is not None
    recording = json.loads((GOLDEN / f"{name}.json").read_text())["steps"][last]
    driver = Embedded(tmp_path, scenario, pulumi_fork_server)
    driver.bench.engine.import_(exported(recording))
    assert comparable(driver.bench.engine.export()) == recording["state"]
    assert set(driver.bench.engine.outputs()) == exported_names(recording)
    driver.bench.place(recording["remote"])
    result = driver.bench.preview(program_of(scenario, last)).checked()
    assert not result.changed


@pytest.mark.cli
@pytest.mark.skipif(not command_line_here(), reason="no pulumi on PATH")
@pytest.mark.parametrize("name", chosen(SETTLED, "secret_input", "settings"))
def test_state_of_the_embedded_engine_previews_unchanged(tmp_path: Path, name: str) -> None:
    """A state of the embedded engine has no changes in the Pulumi CLI."""
    move_to_command_line(tmp_path, name)


def move_to_command_line(folder: Path, name: str) -> None:
    """Run a scenario on the embedded engine up to its last successful step, then continue with the Pulumi CLI."""
    scenario, last = SCENARIOS[name], last_good(name)
    assert last is not None
    (folder / "embedded").mkdir()
    (folder / "real").mkdir()
    embedded = Embedded(folder / "embedded", scenario)
    play(embedded, Scenario(scenario.steps[: last + 1], ordered=False))
    real = CommandLine(folder / "real", scenario)
    state = embedded.bench.engine.export()
    # An empty stack says how it encrypts, which a state without secrets need not.
    state["deployment"]["secrets_providers"] = real.export()["deployment"]["secrets_providers"]
    (folder / "state.json").write_text(json.dumps(state))
    real.call("stack", "import", "--file", str(folder / "state.json"))
    real.bench.place(embedded.bench.toys())
    real.bench.program(program_of(scenario, last))
    shown = real.call("preview", "--expect-no-changes", check=False)
    assert shown.returncode == 0, shown.stdout


def test_secrets_survive_the_move(bench: ToyProject) -> None:
    """A state is unchanged after export and import, including secrets and encryption settings."""
    bench.up('Toy("a", word=Output.secret("hush"))').checked()
    state = bench.engine.export()
    state["deployment"]["secrets_providers"] = {"type": "passphrase", "state": {"salt": "v1:x"}}
    bench.engine.import_(state)
    bench.up('Toy("a", word=Output.secret("hush"))').checked()
    again = bench.engine.export()
    assert comparable(again) == comparable(state)
    assert again["deployment"]["secrets_providers"]["type"] == "passphrase"


def test_keys_of_a_newer_pulumi_are_kept(bench: ToyProject) -> None:
    """A key that the engine does not know stays in the state when its resource is kept, updated or read again."""
    bench.up('Toy("a")').checked()
    state = bench.engine.export()
    state["deployment"]["resources"][-1].update(taint=True, later={"x": [1]})
    bench.engine.import_(state)
    for program in ('Toy("a")', 'Toy("a", size=2)'):
        bench.up(program).checked()
        bench.engine.refresh().checked()
        kept = bench.engine.export()["deployment"]["resources"][-1]
        assert (kept["taint"], kept["later"]) == (True, {"x": [1]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "deployment version 3"),
        ('{"version": 2}', "deployment version 3"),
        ("{", "line 1"),
        (json.dumps(ENCRYPTED), "--show-secrets"),
    ],
    ids=["no state", "old version", "no JSON", "encrypted"],
)
def test_state_that_cannot_be_read_is_refused(bench: ToyProject, text: str, said: str) -> None:
    """An invalid state file, or one with encrypted secrets, is refused and not changed."""
    bench.state_file.parent.mkdir()
    bench.state_file.write_text(text)
    with pytest.raises(EngineError, match=said):
        bench.up('Toy("a")')
    assert bench.state_file.read_text() == text
    assert bench.calls() == []
