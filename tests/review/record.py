"""Record the plans of `world` with the `pulumi` on PATH and with `try`: `python -m tests.review.record`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from billing_provider.cli import main
from billing_provider.sandbox import Sandbox
from tests.cli.test_cli_engine import Cli
from tests.review.world import PLANS, arrange, program

_KEPT = {"id", "type", "retainOnDelete", "inputs", "outputs"}


def plans_of_pulumi(cli: Cli) -> dict[str, str]:
    """Return the plan of the pull request as a document, as a stream, and as an event log."""
    arrange(cli.sandbox)
    main_file = cli.project / "__main__.py"
    main_file.write_text(program(later=False))
    cli.up()
    main_file.write_text(program(later=True))
    log = cli.project / "events.log"
    plain = cli.run("preview", "--json")
    streaming = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true", "PULUMI_DEBUG_COMMANDS": "true"}
    cli._env |= streaming
    stream = cli.run("preview", "--json")
    cli.run("preview", "--event-log", str(log))
    return {"document.json": plain, "stream.jsonl": stream, "events.jsonl": log.read_text()}


def plan_of_try(folder: Path, sandbox: Sandbox) -> str:
    """Return the plan of the pull request as `try --json` writes it; the environment names the sandbox."""
    (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    arrange(sandbox)
    (folder / "__main__.py").write_text(program(later=False))
    _try("up")
    (folder / "__main__.py").write_text(program(later=True))
    return _try("preview")


def _try(verb: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        main(["try", verb, "--stack", "s", "--json"])
    return said.getvalue()


def portable(name: str, text: str) -> str:
    """Return a plan without what differs between machines and what a review does not read."""
    if name.endswith(".jsonl"):
        lines = [json.loads(line) for line in text.splitlines()]
        kept = [line for line in lines if line.get("diagnosticEvent", {}).get("severity") != "debug"]
        return "".join(f"{json.dumps({**line, 'timestamp': 0})}\n" for line in kept if "resOutputsEvent" not in line)
    found: dict[str, Any] = json.loads(text)
    for step in found["steps"]:
        for side in {"oldState", "newState"} & step.keys():
            step[side] = {key: value for key, value in step[side].items() if key in _KEPT}
    return json.dumps(found, indent=1) + "\n"


def record() -> None:
    """Write the files."""
    with tempfile.TemporaryDirectory() as made, Sandbox() as sandbox:
        plans = plans_of_pulumi(Cli(Path(made), sandbox))
    with tempfile.TemporaryDirectory() as made, Sandbox() as sandbox:
        os.environ |= {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}
        os.chdir(made)
        plans["try.json"] = plan_of_try(Path(made), sandbox)
    for name, text in plans.items():
        shown = portable(name, text)
        assert not re.search(r"/(?:tmp|root|home)/", shown)
        (PLANS / name).write_text(shown)


if __name__ == "__main__":
    record()
