"""A test project of toy resources: a Pulumi project, an engine, and a log of the provider's calls."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.engine import Engine, ForkServer, Result
from tests.engine import toy

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = """\
import pulumi
from pulumi import Output, ResourceOptions
from toy import Toy
"""
SETTINGS = "name: toys\nruntime:\n  name: python\n  options: {toolchain: pip, virtualenv: .venv}\n"


class ToyProject:
    """One project in one folder."""

    def __init__(self, folder: Path, fork_server: ForkServer | None = None) -> None:
        self.project = folder / "project"
        self.remote = folder / "remote"
        self.state_file = folder / "state" / "dev.json"
        self.project.mkdir()
        self.remote.mkdir()
        (self.remote / "calls.log").touch()
        shutil.copy(Path(toy.__file__), self.project / "toy.py")
        (self.project / "Pulumi.yaml").write_text(SETTINGS)
        self._seen = 0
        env = {toy.REMOTE: str(self.remote)}
        self.engine = Engine(self.project, "dev", self.state_file, env=env, fork_server=fork_server)

    def program(self, text: str) -> None:
        """Change what the program declares."""
        (self.project / "__main__.py").write_text(HEADER + text)

    def up(self, text: str) -> Result:
        """Change the program and run `up`."""
        self.program(text)
        return self.engine.up()

    def preview(self, text: str) -> Result:
        """Change the program and run `preview`."""
        self.program(text)
        return self.engine.preview()

    def calls(self, *verbs: str) -> list[list[str]]:
        """Return the provider's calls since the last call of this method; checks and diffs only if named."""
        log = self.remote / "calls.log"
        found = [json.loads(line) for line in log.read_text().splitlines()]
        # The ids of new toys are counted from this log, so its entries are marked as read, not removed.
        fresh, self._seen = found[self._seen :], len(found)
        return [call for call in fresh if call[0] in (verbs or ("create", "update", "delete", "read"))]

    def toys(self) -> dict[str, Any]:
        """Return the existing toys by id."""
        return {path.stem: json.loads(path.read_text()) for path in sorted(self.remote.glob("*.json"))}

    def place(self, toys: Mapping[str, Any]) -> None:
        """Create toys by id, copied from another project."""
        for id_, toy_ in toys.items():
            (self.remote / f"{id_}.json").write_text(json.dumps(toy_))

    def edit(self, id_: str, **changes: Any) -> None:
        """Change a toy without the engine."""
        path = self.remote / f"{id_}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def remove(self, id_: str) -> None:
        """Delete a toy without the engine."""
        (self.remote / f"{id_}.json").unlink()

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the state by name, without providers."""
        deployment = json.loads(self.state_file.read_text())["deployment"]
        return {
            entry["urn"].rsplit("::", 1)[1]: entry
            for entry in deployment["resources"]
            if not entry["type"].startswith("pulumi:providers:")
        }
