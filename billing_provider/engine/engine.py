"""The embedded engine: preview, up, refresh and destroy of a Pulumi program, with state in Pulumi's own format."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from billing_provider.engine import config, imports, interrupt, program, refresh, state, teardown, urns, wire
from billing_provider.engine.errors import SettingsError, StateError
from billing_provider.engine.events import Diagnostic, Events
from billing_provider.engine.executor import Executor
from billing_provider.engine.monitor import EngineService, GrpcServer, MonitorService
from billing_provider.engine.planner import Planner
from billing_provider.engine.plugin import Plugin
from billing_provider.engine.process import Child
from billing_provider.engine.providers import SIMULATED_ID_PREFIX, Simulated
from billing_provider.engine.registrar import Registrar
from billing_provider.engine.run import EngineRun
from billing_provider.engine.snapshot import Snapshot, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from billing_provider.engine.events import Event, Op, Step
    from billing_provider.engine.fork_server import ForkServer

Verb = Literal["preview", "up", "refresh", "destroy"]


class RunFailedError(RuntimeError):
    """A run ended with errors; `result` describes it."""

    def __init__(self, result: Result) -> None:
        errors = [
            f"{urns.name_of(error.urn)}: {error.message}" if error.urn else error.message for error in result.errors
        ]
        super().__init__("\n".join([f"{result.verb} failed", *errors]))
        self.result = result


@dataclass(frozen=True)
class Result:
    """The result of one run."""

    verb: Verb
    ok: bool
    interrupted: bool
    steps: list[Step]
    counts: dict[Op, int]
    diagnostics: list[Diagnostic]
    # Outputs of an up or a preview: secrets decrypted, unknown values left out.
    outputs: dict[str, Any] = field(default_factory=dict)
    # The new and the former outputs with their markers for secrets and unknown values, for the display.
    raw_outputs: wire.Values = field(default_factory=dict)
    old_outputs: wire.Values = field(default_factory=dict)

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics of severity error."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]

    @property
    def changed(self) -> bool:
        """Whether a resource was changed, or would be changed (preview)."""
        return any(op != "same" for op in self.counts)

    def is_secret(self, output: str) -> bool:
        """Return whether an output of an up or a preview is secret, completely or in a part.

        Raises:
            KeyError: There is no such output.
        """
        if output not in self.raw_outputs:
            raise KeyError(f"no output {output}; the outputs are {', '.join(sorted(self.raw_outputs))}")
        return wire.has_secret(self.raw_outputs[output])

    @property
    def exit_code(self) -> int:
        """The exit code, as with the Pulumi CLI: 0 for success, 1 for failure."""
        return 0 if self.ok else 1

    def checked(self) -> Result:
        """Return the result itself.

        Raises:
            RunFailedError: The run ended with errors.
        """
        if not self.ok:
            raise RunFailedError(self)
        return self


class Engine:
    """Runs one stack of the Pulumi project in a folder.

    It is meant for trials and tests: the project's dynamic providers really run, resources of all other packages are
    simulated, and the state file is not encrypted.
    """

    def __init__(
        self,
        project_dir: Path,
        stack: str,
        state_file: Path,
        *,
        env: Mapping[str, str] | None = None,
        settings: Mapping[str, str | wire.Secret] | None = None,
        listener: Callable[[Event], None] | None = None,
        check: bool = False,
        fork_server: ForkServer | None = None,
    ) -> None:
        """Store the arguments; nothing is read or started.

        Args:
            project_dir: The folder of Pulumi.yaml.
            stack: The stack's name.
            state_file: The file of the state; a missing file means an empty stack.
            env: Added to the environment of the program and of its plugin.
            settings: Configuration that overrides the stack's file (keys with namespace); it is not stored in state. A
                `wire.Secret` is a secret for the program.
            listener: Called with each event.
            check: Raise RunFailedError if a run ends with errors, instead of returning its result.
            fork_server: Forks the processes of a run; it speeds up many runs.
        """
        self.project_dir = Path(project_dir).resolve()
        self.stack = stack
        # Not resolved, so that a symbolic link is detected and refused.
        self.state_file = Path(state_file).absolute()
        self.env = dict(env or {})
        self.settings: dict[str, str | wire.Secret] = dict(settings or {})
        self._listener = listener
        self._check = check
        self._fork_server = fork_server

    def preview(self) -> Result:
        """Return what `up` would do; nothing is changed, including the state file."""
        return self._run_program("preview")

    def up(self) -> Result:
        """Create, update and delete resources as the program declares."""
        return self._run_program("up")

    def refresh(self, *, clear_pending_creates: bool = False) -> Result:
        """Read all resources and update the state.

        Args:
            clear_pending_creates: Remove the pending creates of interrupted runs from the state.
        """

        def work(run: EngineRun) -> None:
            if clear_pending_creates:
                run.snapshot.unclear = [entry for entry in run.snapshot.unclear if entry.type != "creating"]
            refresh.refresh(run)

        return self._run_without_program("refresh", work)

    def destroy(self) -> Result:
        """Delete all resources in the state."""

        def work(run: EngineRun) -> None:
            refresh.reread(run)
            teardown.remove(run, Executor(run))

        return self._run_without_program("destroy", work)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last `up`, with secrets decrypted."""
        for resource in state.load(self.state_file).resources:
            if resource.type == urns.ROOT_TYPE:
                return plain(resource.outputs)
        return {}

    def export(self) -> dict[str, Any]:
        """Return the state in the format of `pulumi stack export --show-secrets`, for `pulumi stack import`.

        Raises:
            StateError: The state has simulated resources; the Pulumi CLI would treat their ids as real.
        """
        deployment = state.load(self.state_file)
        made_up = [entry.name for entry in deployment.resources if entry.id.startswith(SIMULATED_ID_PREFIX)]
        if made_up:
            raise StateError(f"the state has simulated resources and cannot be exported: {', '.join(sorted(made_up))}")
        found: dict[str, Any] = json.loads(state.write(deployment))
        return found

    def import_(self, exported: Mapping[str, Any]) -> None:
        """Replace the state with the output of `pulumi stack export --show-secrets`.

        Raises:
            StateError: It is not a valid state, or its secrets are encrypted.
        """
        deployment = state.read(exported)
        with locked(self.state_file):
            Snapshot(self.state_file, deployment).save()

    def import_resources(self, entries: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add resources that exist already to the state; return their URNs. Nothing is read or changed elsewhere.

        Args:
            entries: The resources of an import file, each with `type`, `name`, `id`, `inputs` and `outputs`, and with
                its `parent` if it has one; components with `component`, before their parts.

        Raises:
            EngineError: An entry is damaged, its name belongs to another resource, or the state cannot be written.
        """
        project = self._load()
        with locked(self.state_file):
            deployment = state.load(self.state_file)
            new = imports.add(deployment, self.stack, project, entries)
            if new:
                Snapshot(self.state_file, deployment).save()
        return new

    def _load(self) -> config.Project:
        return config.load(self.project_dir, self.stack, {**os.environ, **self.env}, self.settings)

    def _run_without_program(self, verb: Verb, work: Callable[[EngineRun], None]) -> Result:
        """Run an operation that needs the plugin but not the program."""
        with self._prepared(verb) as (_, run, server):
            server.start(EngineService(run.events))
            with interrupt.handled(run.interrupt) as interrupted:
                work(run)
            return self._result(verb, run, interrupted=interrupted.is_set())

    def _run_program(self, verb: Verb) -> Result:
        """Run the program, apply what it declares, and delete what it no longer declares."""
        with self._prepared(verb) as (project, run, server):
            _warn_of_pending(run)
            executor = Executor(run)
            registrar = Registrar(run, Planner(run), executor, project.recorded_config())
            monitor = MonitorService(project, run, registrar)
            server.start(EngineService(run.events), monitor)
            refresh.reread(run)

            def stop() -> None:
                run.interrupt()
                run.drain()
                child.stop()

            with self._start_program(project, run, server.address) as child, interrupt.handled(stop) as interrupted:
                code = child.wait()
                run.drain()
                # An incomplete run must delete nothing: the missing resources may still be declared.
                ended_early = code != 0 or registrar.stack_outputs is None
                if ended_early and not run.stopped and not run.events.failed:
                    run.events.log("error", f"the program exited with code {code} before its stack was complete")
                if not run.stopped and not run.events.failed:
                    teardown.remove(run, executor)
                if not run.stopped and not run.events.failed:
                    registrar.finish()
            with run.saving():
                run.snapshot.save()
            return self._result(verb, run, interrupted=interrupted.is_set(), outputs=registrar.stack_outputs)

    def _start_program(self, project: config.Project, run: EngineRun, address: str) -> Child:
        given = {
            "program": str(project.program.resolve()),
            "config": project.plain_config(),
            "secret_keys": project.secret_keys(),
            "settings": {
                "project": project.name,
                "stack": self.stack,
                "monitor": address,
                "engine": address,
                "parallel": program.PARALLEL,
                "dry_run": run.dry_run,
                "organization": "organization",
                "root_directory": str(project.folder),
            },
        }
        return Child(
            project.python,
            [program.__file__],
            cwd=project.folder,
            env={**config.environment(project, self.env), program.SETTINGS_VARIABLE: json.dumps(given)},
            on_line=lambda line: run.events.log("info", line, run.stack_urn),
            fork_server=self._fork_server,
        )

    @contextlib.contextmanager
    def _prepared(self, verb: Verb) -> Iterator[tuple[config.Project, EngineRun, GrpcServer]]:
        """Provide what every run needs: the project's settings, the locked state, the services, the plugin."""
        project = self._load()
        main_file = program.main_file_of(project.program)
        if verb in {"preview", "up"} and not main_file.is_file():
            raise SettingsError(f"{main_file} is missing: create the program, or set `main` in Pulumi.yaml")
        with contextlib.ExitStack() as stack:
            stack.enter_context(locked(self.state_file))
            before = state.load(self.state_file)
            events = Events(self._listener)
            server = GrpcServer()
            stack.callback(server.stop)
            try:
                plugin = Plugin(
                    project.python,
                    server.address,
                    cwd=project.folder,
                    env=config.environment(project, self.env),
                    config=project.plain_config(),
                    on_line=lambda line: events.log("info", line),
                    fork_server=self._fork_server,
                )
            except OSError as error:
                raise SettingsError(f"{project.python} cannot be started: {error.strerror}") from None
            stack.enter_context(plugin)
            run = EngineRun(
                stack=self.stack,
                project=project.name,
                dry_run=verb == "preview",
                snapshot=Snapshot(None if verb == "preview" else self.state_file, before),
                events=events,
                dynamic=plugin,
                simulated=Simulated(),
                before=before.resources,
            )
            yield project, run, server

    def _result(self, verb: Verb, run: EngineRun, *, interrupted: bool, outputs: wire.Values | None = None) -> Result:
        if interrupted:
            run.events.log("error", f"{verb} canceled: running operations were completed and saved", run.stack_urn)
        elif run.step_failed:
            run.events.log("error", "preview failed" if verb == "preview" else "update failed", run.stack_urn)
        old = run.olds.get(run.stack_urn)
        old_outputs = old.outputs if old else {}
        shown = old_outputs if outputs is None or run.events.failed else outputs
        result = Result(
            verb=verb,
            ok=not run.events.failed,
            interrupted=interrupted,
            steps=run.events.steps,
            counts=run.events.counts,
            diagnostics=run.events.diagnostics,
            outputs=plain(shown),
            raw_outputs=shown,
            old_outputs=old_outputs,
        )
        return result.checked() if self._check else result


def plain(outputs: wire.Values) -> dict[str, Any]:
    """Return outputs with secrets decrypted, without unknown values."""
    return {key: wire.unwrap(value) for key, value in outputs.items() if not wire.has_unknown(value)}


def _warn_of_pending(run: EngineRun) -> None:
    unclear = [entry for entry in run.snapshot.unclear if entry.type == "creating"]
    if unclear and not run.dry_run:
        listed = "\n".join(f"  * {entry.resource.urn}, interrupted while creating" for entry in unclear)
        run.events.log(
            "warning",
            f"there are {len(unclear)} pending operations from an earlier run:\n{listed}\n"
            "Check whether these resources exist; then run `refresh --clear-pending-creates` to remove the operations.",
        )
