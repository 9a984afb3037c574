"""Import of exported resources into a stack, with the `pulumi` on PATH or into the state of `try`, and its proof."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.adopt import folder
from billing_provider.adopt.names import unique
from billing_provider.adopt.states import read_state_export
from billing_provider.cli import trial
from billing_provider.cli.exit_codes import CHANGED
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.redact import clean
from billing_provider.engine import Engine, EngineError, display
from billing_provider.storage import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from billing_provider.engine.events import Event

_FIRST_LINES, _LAST_LINES, _LONGEST_LINE = 40, 15, 400
_SHOWN_CHARACTERS = 1500
_QUIET = ("--non-interactive", "--color", "never")


class CommandLine:
    """The Pulumi command line, in the current folder.

    Args:
        program: The path of `pulumi`.
        stack: The stack.
    """

    def __init__(self, program: str, stack: str) -> None:
        self._program, self._stack = program, stack

    def export(self) -> str:
        """Return the state of the stack, as JSON; its secrets are encrypted.

        Raises:
            ConfigError: There is no such stack, or no project.
        """
        done = self._run("stack", "export")
        if done.returncode:
            raise ConfigError(f"pulumi stack export: {done.stderr} Nothing was imported.")
        return done.stdout

    def add(self, resources: Sequence[dict[str, Any]]) -> None:
        """Import resources; the engine trusts the given outputs, so it reads nothing.

        Raises:
            BillingError: Pulumi refused it.
        """
        with tempfile.TemporaryDirectory() as made:
            file = Path(made) / folder.IMPORT_FILE
            folder.write_private(file, json.dumps({"resources": resources}))
            # The plugin's provider has no schema, so Pulumi cannot write code for it.
            options = ("--generate-code=false", "--protect=false", "--yes", "--skip-preview")
            done = self._run("import", "--file", str(file), *options)
        if done.returncode:
            # The reason is at the end.
            raise BillingError(f"pulumi import: {done.stdout[-_SHOWN_CHARACTERS:]} {done.stderr[-_SHOWN_CHARACTERS:]}")

    def preview(self) -> list[str]:
        """Return the lines of a preview; none if it finds no changes."""
        done = self._run("preview", "--expect-no-changes", "--diff")
        return [] if not done.returncode else [*done.stdout.splitlines(), *done.stderr.splitlines()]

    def undo(self, backup: Path) -> str:
        """Return the command that restores a state."""
        return f"pulumi stack import --stack {self._stack} --file {backup}"

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self._program, *arguments, "--stack", self._stack, *_QUIET]
        return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - pulumi itself


class Embedded:
    """The embedded engine with the state of `try`, in the current folder.

    Args:
        stack: The stack.
        settings: The settings of the sandbox.
    """

    def __init__(self, stack: str, settings: Mapping[str, str]) -> None:
        self._stack, self._settings = stack, settings
        self._file = trial.FOLDER / f"{stack}.json"

    def export(self) -> str:
        """Return the state of the stack, as JSON.

        Raises:
            FileError: It cannot be read.
        """
        return files.read(self._file) or json.dumps({"version": 3, "deployment": {}})

    def add(self, resources: Sequence[dict[str, Any]]) -> None:
        """Import resources."""
        self._engine().import_resources(resources)

    def preview(self) -> list[str]:
        """Return the lines of a preview; none if it finds no changes."""
        lines: list[str] = []
        show = display.Display("preview", self._stack, lines.append)
        result = self._engine(show).preview()
        show.finish(result, 0)
        return [] if result.ok and not result.changed else lines

    def undo(self, backup: Path) -> str:
        """Return the command that restores a state."""
        return f"cp {backup} {self._file}"

    def _engine(self, listener: Callable[[Event], None] | None = None) -> Engine:
        return Engine(Path.cwd(), self._stack, self._file, settings=self._settings, listener=listener)


def import_into(stack: str, resources: Sequence[dict[str, Any]], out: Path) -> int:
    """Import resources that a stack does not have, and prove by an empty preview that the program declares them.

    Args:
        stack: The stack of the Pulumi project in the current folder.
        resources: The resources, as in an import file.
        out: The folder for the backup of the stack's state.

    Returns:
        0, or 7 if the preview finds changes.

    Raises:
        ConfigError: The stack cannot be read, or the module lacks declarations; nothing was imported.
        BillingError: The import failed.
    """
    folder.check_merged(out)
    if program := shutil.which("pulumi"):
        return _import(CommandLine(program, stack), stack, resources, out)
    print("No `pulumi` is on PATH: importing into the state of `billing-provider try`.")
    try:
        trial.prepare(stack)
        with trial.github(print) as settings:
            return _import(Embedded(stack, settings), stack, resources, out)
    except (EngineError, OSError) as error:
        raise ConfigError(str(error)) from None


def _import(target: CommandLine | Embedded, stack: str, resources: Sequence[dict[str, Any]], out: Path) -> int:
    state = target.export()
    new = folder.missing(resources, read_state_export(f"the state of {stack}", state.encode()))
    imported, total = (sum(len(folder.objects(each)) for each in some) for some in (new, resources))
    backup = None
    if new:
        taken = {path.stem for path in out.glob("*.json")}
        name = "".join(letter if letter.isalnum() else "-" for letter in stack)
        backup = out / f"{unique(f'before-import-{name}', taken)}.json"
        folder.write_private(backup, state)
        print(f"The state of {stack} before the import is in {backup}.")
        try:
            target.add(new)
        except BillingError as error:
            raise BillingError(f"{error} To undo what was imported: {target.undo(backup)}") from None
    print(f"Imported into {stack}: {imported}. In its state already: {total - imported}. GitHub is unchanged.")
    lines = target.preview()
    if not lines:
        print(f"A preview of {stack} finds no changes.")
        return 0
    print(f"A preview of {stack} finds changes, or failed; read it before you run an `up`:")
    for line in _ends([line for line in lines if line.strip()]):
        print(f"  {line[: len(line) - len(line.lstrip())]}{clean(line, _LONGEST_LINE)}")
    print(f"If resources are to be deleted, the program does not declare them: import {folder.MODULE} in it.")
    if backup is not None:
        print(f"To undo the import, which changes nothing on GitHub: {target.undo(backup)}")
    return CHANGED


def _ends(lines: list[str]) -> list[str]:
    """Return the beginning and the end of a long output; its summary is at the end."""
    left_out = len(lines) - _FIRST_LINES - _LAST_LINES
    if left_out <= 0:
        return lines
    return [*lines[:_FIRST_LINES], f"({left_out} lines left out)", *lines[-_LAST_LINES:]]
