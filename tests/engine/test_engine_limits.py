"""Limits of the embedded engine: refused options, differences from the Pulumi CLI, simulated packages."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2

from billing_provider.engine import Engine, EngineError, monitor
from billing_provider.engine.config import secret_variable
from billing_provider.engine.events import Events
from tests.engine import toy
from tests.engine.bench import ToyProject
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
# Fields of a registration that the engine handles and ignores; `monitor` has those that it refuses.
HANDLED_FIELDS = {
    "acceptResources", "acceptSecrets", "additionalSecretOutputs", "aliasURNs", "aliases", "custom", "customTimeouts",
    "deleteBeforeReplace", "deleteBeforeReplaceDefined", "deletedWith", "dependencies", "ignoreChanges", "name",
    "object", "parent", "propertyDependencies", "protect", "provider", "replaceOnChanges", "retainOnDelete", "type",
    "version",
}  # fmt: skip
IGNORED_FIELDS = {
    "accepts_byte_string", "hideDiffs", "packageRef", "parentStackTraceHandle", "pluginChecksums", "pluginDownloadURL",
    "providers", "snippetId", "sourcePosition", "stackTrace", "supportsPartialValues", "supportsResultReporting",
}  # fmt: skip


def without_news(found: set[str], known: set[str]) -> set[str]:
    """Return what the SDK has, without what is new in it if it is newer than the SDK of the lock.

    A release of Pulumi must fail nobody's tests; `make lock` brings it here, and then its news are placed.
    """
    (locked,) = re.findall(r"^pulumi==([\d.]+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    installed = metadata.version("pulumi")
    newer, lock = (tuple(map(int, re.findall(r"\d+", each)[:3])) for each in (installed, locked))
    return found & known if newer > lock else found


def test_every_field_of_a_registration_is_handled() -> None:
    """Each field that the locked SDK can send is handled, ignored or refused, each in one way."""
    placed = [*HANDLED_FIELDS, *IGNORED_FIELDS, *monitor.REFUSED_FIELDS]
    found = set(resource_pb2.RegisterResourceRequest.DESCRIPTOR.fields_by_name)
    assert sorted(placed) == sorted(without_news(found, set(placed)))


def test_every_feature_of_the_monitor_is_listed() -> None:
    """Each feature that the locked SDK can query is supported or listed as unsupported."""
    prefix = "RESOURCE_MONITOR_FEATURE_"
    known = {name.removeprefix(prefix) for name in resource_pb2.ResourceMonitorFeature.keys()}  # noqa: SIM118 - no dict
    name_of = resource_pb2.ResourceMonitorFeature.Name
    offered = {name_of(number).removeprefix(prefix) for number in monitor.FEATURES.values()}
    unsupported = {
        "ALIAS_SPECS", "BYTE_STRING", "CALL_OUTPUT_VALUES", "ERROR_HOOKS", "INVOKE_DEPENDS_ON", "INVOKE_OUTPUT_VALUES",
        "INVOKE_PARENT", "INVOKE_TRANSFORMS", "OUTPUT_VALUES", "REPLACEMENT_TRIGGER", "REPLACE_WITH", "RESOURCE_HOOKS",
        "SENDS_OPTIONS_TO_HOOKS", "STATE_MIGRATIONS", "TRANSFORMS",
    }  # fmt: skip
    assert without_news(known - offered, unsupported) == unsupported


@pytest.mark.parametrize(
    ("program", "named"),
    [
        ('Toy("a", ResourceOptions(import_="a-1"))', "the import option"),
        ('Toy("a", ResourceOptions(replacement_trigger=1))', "the replacement_trigger option"),
        ('pulumi.StackReference("other")', "stack references"),
        ('pulumi.Stash("s", input=1)', "resources of type pulumi:index:Stash"),
        ('pulumi.runtime.invoke("aws:index:getRegion", {})', "calls of functions (aws:index:getRegion)"),
        ('pulumi.runtime.invoke("pulumi:pulumi:getResource", {"urn": "urn:none"})', "unknown resource urn:none"),
        ('pulumi.ComponentResource("x:y:Z", "remote", {}, remote=True)', "remote components"),
        (
            'box = pulumi.ComponentResource("x:y:Z", "b")\npulumi.runtime.call("x:y:f", {}, res=box)',
            "calls of methods (x:y:f)",
        ),
        ('Toy("a", ResourceOptions(transforms=[lambda args: None]))', "transforms"),
        ('Toy("a", ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[lambda args: None])))', "hooks"),
        ('Toy("a", ResourceOptions(replace_with=[Toy("b")]))', "ReplaceWith"),
    ],
)
def test_unsupported_options_are_refused(bench: ToyProject, program: str, named: str) -> None:
    """An unsupported option is refused by name, and nothing is created."""
    result = bench.preview(program)
    assert not result.ok
    assert any(named in error.message for error in result.errors), result.errors


def test_the_feature_query_of_older_sdks() -> None:
    """The old feature query returns the same answers as the new one."""
    ask: Any = monitor.MonitorService.SupportsFeature
    asked = ("secrets", "deletedWith", "aliasSpecs", "transforms", "of a later SDK")
    answers = [ask(None, resource_pb2.SupportsFeatureRequest(id=name), None).hasSupport for name in asked]
    assert answers == [True, True, False, False, False]


def test_any_version_of_the_command_line_is_accepted(bench: ToyProject) -> None:
    """A program that requires a version of the Pulumi CLI runs: the CLI is not used here."""
    assert bench.up('pulumi.require_pulumi_version(">=99.0.0")').ok


def test_other_packages_are_simulated(bench: ToyProject) -> None:
    """A resource of another package keeps its inputs, gets a simulated id, and is marked as simulated."""
    program = """
class Thing(pulumi.CustomResource):
    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    size: pulumi.Output[int]

    def __init__(self, name, size, provider=None):
        super().__init__(
            "cloud:things:Thing", name, {"size": size, "name": None, "arn": None},
            ResourceOptions(version="1.2.3", provider=provider),
        )

thing = Thing("My Thing", SIZE)
Toy("a", about=thing.name, arn=thing.arn, id_=thing.id)
cloud = pulumi.ProviderResource("cloud", "mine", {"region": "here"})
Thing("other", 1, cloud)
pulumi.export("size", thing.size)
"""
    preview = bench.preview(program.replace("SIZE", "1")).checked()
    assert {step.urn.rpartition("::")[2] for step in preview.steps if step.simulated} >= {"My Thing", "mine", "other"}
    assert bench.up(program.replace("SIZE", "1")).checked().outputs == {"size": 1}
    toy = bench.toys()["a-1"]
    assert toy == {"key": "a", "about": "My Thing", "arn": "arn:simulated:cloud::my-thing", "id_": "simulated-My Thing"}
    assert bench.up(program.replace("SIZE", "2")).checked().counts == {"update": 1, "same": 4}
    assert bench.engine.refresh().checked().counts == {"same": 5}
    with pytest.raises(EngineError, match="the state has simulated resources and cannot be exported: My Thing, other"):
        bench.engine.export()
    assert bench.engine.destroy().checked().counts == {"delete": 5}


def test_lookup_of_a_simulated_resource(bench: ToyProject) -> None:
    """A lookup in another package returns its id and inputs."""
    program = """
class Thing(pulumi.CustomResource):
    def __init__(self, name):
        super().__init__("cloud:things:Thing", name, {"name": None}, ResourceOptions(id="real-id"))

pulumi.export("name", Thing("mine").name)
pulumi.export("id", Thing("other").id)
"""
    assert bench.up(program).checked().outputs == {"name": "mine", "id": "real-id"}


def test_parameterized_packages_are_accepted(bench: ToyProject) -> None:
    """A parameterized package can be registered; its resources are simulated."""
    program = """
from pulumi.runtime.settings import register_package

class Thing(pulumi.CustomResource):
    def __init__(self, name):
        reference = register_package("base", "1.0.0", "", "pkg", "2.0.0", "eA==")
        super().__init__("pkg:index:Thing", name, {}, package_ref=reference)

Thing("mine")
"""
    (made,) = [step for step in bench.up(program).checked().steps if step.urn.endswith("::mine")]
    assert made.simulated


def test_difference_secret_settings_are_not_recorded(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, which encrypts secret settings, this engine does not store them."""
    (bench.project / "Pulumi.dev.yaml").write_text(
        json.dumps({"config": {"toys:greeting": "hi", "toys:word": {"secure": "v1:x:y"}}})
    )
    bench.engine.env[secret_variable("toys:word")] = "hush-hush"
    bench.up('Toy("a")').checked()
    text = bench.state_file.read_text()
    assert "hush-hush" not in text
    assert '"toys:greeting": "hi"' in text


def test_difference_refresh_and_destroy_use_current_settings(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, which uses the settings of the last `up`, this engine reads them on each run."""
    bench.engine.settings["toys:greeting"] = "one"
    bench.up('Toy("a")').checked()
    bench.engine.settings["toys:greeting"] = "two"
    bench.engine.refresh().checked()
    assert bench.resources()["a"]["outputs"]["said"] == "two"


WAIT = """
import time
while not Path("loading").exists():
    time.sleep(0.01)
"""


def test_difference_program_ends_quietly_after_a_failure(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, which interrupts the program, this engine causes no traceback after a failure."""
    result = bench.up('a = Toy("a", boom="create")\npulumi.export("made", a.made)')
    assert not any("KeyboardInterrupt" in said.message for said in result.diagnostics)


@pytest.mark.parametrize(("line", "said"), [("", []), ("raise pulumi.RunError('no')", ["no"])], ids=["ok", "failed"])
def test_program_that_ends_before_the_plugin_has_loaded(tmp_path: Path, line: str, said: list[str]) -> None:
    """A run that needs no plugin does not wait for it, and shows no traceback of it."""
    (tmp_path / "Pulumi.yaml").write_text("name: empty\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(f"import pulumi\nfrom pathlib import Path\n{WAIT}\n{line}")
    # Only the plugin looks for this package in the project's folder.
    (tmp_path / "dill.py").write_text("import time\nfrom pathlib import Path\nPath('loading').touch()\ntime.sleep(60)")
    # A forked plugin has this package already.
    result = Engine(tmp_path, "dev", tmp_path / "state.json", fork_server=None).preview()
    assert [entry.message for entry in result.diagnostics] == said


def test_difference_error_is_the_end_of_the_traceback(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, this engine prints the last part of a plugin's traceback and stores the rest."""
    bench.up('Toy("a", amount=1)').checked()
    error = bench.up('Toy("a", amount=2, boom="update")').errors[0]
    assert error.message == "RuntimeError: boom on update\nin two lines"
    assert error.detail.startswith("Traceback (most recent call last)")


def test_difference_lost_call_stays_pending(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, this engine keeps an operation as pending if the plugin died during it."""
    bench.program('Toy("a", dies=True)')
    result = bench.engine.up()
    assert not result.ok
    pending = json.loads(bench.state_file.read_text())["deployment"]["pending_operations"]
    assert [operation["type"] for operation in pending] == ["creating"]


def test_difference_no_source_positions(bench: ToyProject) -> None:
    """Unlike the Pulumi CLI, this engine does not record source positions."""
    bench.up('Toy("a")').checked()
    assert "sourcePosition" not in bench.state_file.read_text()


def test_plugin_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """A plugin that cannot start is reported, and the run ends."""
    bench = ToyProject(tmp_path)
    (bench.project / "dill.py").write_text("raise SystemExit('no plugin today')")
    result = bench.up('Toy("a")')
    assert any("the provider plugin did not start" in error.message for error in result.errors)


def test_program_that_exits_is_an_error(bench: ToyProject) -> None:
    """A program that calls exit fails the run, and nothing is deleted."""
    bench.up('Toy("a")').checked()
    for code, ended in (
        (3, "import os\nos._exit(3)"),
        (0, "import os\nos._exit(0)"),
        (1, "raise SystemExit('no list')"),
    ):
        result = bench.up(ended)
        said = f"the program exited with code {code} before its stack was complete"
        assert [error.message for error in result.errors] == [said]
        assert "a" in bench.resources()


def test_secret_is_not_shown_in_an_error(bench: ToyProject) -> None:
    """A check failure shows the value of the property, unless it is a secret."""
    shown = {
        'Output.secret("hush")': "{[secret]}",
        '{"deep": [Output.secret("hush")]}': "{[secret]}",
        '{"deep": [1, True]}': "{{deep: [1, true]}}",
        '"yes"': "{yes}",
    }
    for value, said in shown.items():
        result = bench.preview(f'Toy("a", bad={value})')
        assert f"property bad value {said} has a problem" in result.errors[0].message
    result = bench.preview('Toy("a", bad="absent")')
    assert "property absent value {<nil>} has a problem" in result.errors[0].message


def test_no_operation_starts_after_a_failure(bench: ToyProject) -> None:
    """After a failure, no further registration or read is started."""
    bench.program(
        "import asyncio, os, pathlib\n"
        "async def later():\n"
        f"    while not pathlib.Path(os.environ[{toy.REMOTE!r}], 'a.thinking').exists():\n"
        "        await asyncio.sleep(0.01)\n"
        'Toy("a", bad="yes", thinks=True)\nToy("b", after=later())\nToy("c", after=later())'
    )
    ended = threading.Event()
    release = threading.Thread(target=_release, args=(bench, ended))
    release.start()
    assert not bench.engine.up().ok
    ended.set()
    release.join()
    assert bench.calls("create", "diff") == []
    bench.up('for n in range(9):\n    Toy(f"t{n}", boom="read")').checked()
    bench.calls()
    assert not bench.engine.refresh().ok
    assert len(bench.calls()) <= 4


def _release(bench: ToyProject, ended: threading.Event) -> None:
    wait_until((bench.remote / "a.thinking").exists, lambda: not ended.is_set())
    time.sleep(0.3)
    (bench.remote / "go").touch()


def test_run_error_is_printed_without_traceback(bench: ToyProject) -> None:
    """A RunError is reported by its message only."""
    result = bench.up('raise pulumi.RunError("not like this")')
    assert [error.message for error in result.errors] == ["not like this"]


def test_program_in_another_folder(bench: ToyProject) -> None:
    """`main` names the program's file, and the project's interpreter is used if it exists."""
    shutil.move(bench.project / "Pulumi.yaml", bench.project / "old.yaml")
    (bench.project / "Pulumi.yaml").write_text("name: toys\nruntime: python\nmain: sub/other.py\n")
    (bench.project / "sub").mkdir()
    (bench.project / "sub" / "other.py").write_text("import pulumi\npulumi.export('x', 1)\n")
    assert bench.engine.up().checked().outputs == {"x": 1}


def test_debug_messages_are_dropped() -> None:
    """Debug messages are dropped; temporary ones are shown and not stored; others are stored."""
    told: list[Any] = []
    events = Events(told.append)
    service = monitor.EngineService(events)
    for severity, ephemeral in ((engine_pb2.DEBUG, False), (engine_pb2.INFO, True), (engine_pb2.WARNING, False)):
        request = engine_pb2.LogRequest(severity=severity, message="m", ephemeral=ephemeral)
        assert service.Log(request, None) == empty_pb2.Empty()  # type: ignore[arg-type]
    assert len(told) == 2
    assert [said.severity for said in events.diagnostics] == ["warning"]
