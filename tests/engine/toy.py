"""A dynamic provider for tests of the engine; it stores its resources as JSON files in a folder."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

import pulumi  # noqa: TC002 - the SDK reads the annotations when the program runs
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

REMOTE = "TOY_REMOTE"


def hold(file: Path) -> None:
    """Lock a file until this process exits, so that tests can wait for the exit."""
    fcntl.flock(os.open(file, os.O_RDONLY), fcntl.LOCK_SH)


class Remote:
    """The folder where the toys are, with a log of every call."""

    def __init__(self) -> None:
        self.folder = Path(os.environ[REMOTE])

    def log(self, *words: str) -> None:
        """Log a call."""
        with (self.folder / "calls.log").open("a") as file:
            file.write(json.dumps(words) + "\n")

    def file(self, id_: str) -> Path:
        """Return the file of a toy."""
        return self.folder / f"{id_}.json"

    def wait(self, sign: str) -> None:
        """Write this process id to a file, and wait for the file `go`."""
        (self.folder / sign).write_text(str(os.getpid()))
        hold(self.folder / sign)
        while not (self.folder / "go").exists():
            time.sleep(0.01)

    def next_id(self, key: str) -> str:
        """Return an id that counts the toys made of this key."""
        with (self.folder / "calls.log").open() as file:
            made = sum(json.loads(line)[:2] == ["create", key] for line in file)
        return f"{key}-{made}"


def own(props: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if not key.startswith("__")}


def outputs(props: dict[str, Any]) -> dict[str, Any]:
    return {**own(props), "made": f"made-{props['key']}"}


class ToyProvider(ResourceProvider):
    """`key` replaces, `place` replaces after a deletion, everything else is updated in place."""

    serialize_as_secret_always = False
    greeting = ""

    def configure(self, req: ConfigureRequest) -> None:
        """Store the configuration."""
        ToyProvider.greeting = req.config.get("toys:greeting") or ""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Fail for properties marked `bad`, and for all properties if marked `refused`."""
        key = news.get("key")
        Remote().log("check", key if isinstance(key, str) else "unknown")
        if news.get("thinks"):
            Remote().wait(f"{key}.thinking")
        failures = [CheckFailure("bad", "it is bad")] if news.get("bad") else []
        if news.get("bad") == "absent":
            failures = [CheckFailure("absent", "it is absent")]
        if news.get("refused"):
            failures.append(CheckFailure("", "it is refused"))
        return CheckResult(own(news), failures)

    def diff(self, id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:  # noqa: A002
        """Compare what was declared; `vague` says only that something differs."""
        Remote().log("diff", id)
        changed = [key for key in own(news) if olds.get(key) != news[key]]
        changed += [key for key in own(olds) if key not in news and key not in ("made", "said")]
        if not changed:
            return DiffResult(changes=False)
        replaces = [key for key in changed if key in ("key", "place")]
        return DiffResult(
            changes=True if news.get("vague") else None,
            replaces=replaces,
            delete_before_replace="place" in replaces,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make a file; `boom` fails, `dies` ends the plugin, `slow` waits until the file `go` is there."""
        remote = Remote()
        remote.log("create", props["key"])
        if props.get("boom") == "create":
            raise RuntimeError("boom on create")
        if props.get("dies"):
            os._exit(1)
        if props.get("slow"):
            remote.wait(f"{props['key']}.begun")
        id_ = remote.next_id(props["key"])
        remote.file(id_).write_text(json.dumps(own(props)))
        if props.get("chatty"):
            print(f"{props['key']} speaks")  # noqa: T201 - a provider's print must reach the user
        return CreateResult(id_, {**outputs(props), "said": ToyProvider.greeting})

    def update(self, id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:  # noqa: A002
        """Rewrite the file."""
        Remote().log("update", id)
        if news.get("boom") == "update":
            raise RuntimeError("boom on update\nin two lines")
        Remote().file(id).write_text(json.dumps(own(news)))
        return UpdateResult({**outputs(news), "said": ToyProvider.greeting})

    def delete(self, id: str, props: dict[str, Any]) -> None:  # noqa: A002
        """Remove the file; `lingers` waits for the file `go` first."""
        Remote().log("delete", id)
        if props.get("boom") == "delete":
            raise RuntimeError("boom on delete")
        if props.get("lingers"):
            Remote().wait(f"{props['key']}.going")
        Remote().file(id).unlink(missing_ok=True)

    def read(self, id: str, props: dict[str, Any]) -> ReadResult:  # noqa: A002
        """Read the file; a missing one is gone, unless it is looked up by its id."""
        remote = Remote()
        remote.log("read", id)
        if props.get("boom") == "read":
            raise RuntimeError("boom on read")
        if not remote.file(id).exists():
            if "made" not in props:
                raise RuntimeError(f"there is no toy {id}")
            return ReadResult("", {})
        found = json.loads(remote.file(id).read_text())
        inputs = None if found.get("silent") else found
        return ReadResult(id, {**outputs(found), "said": ToyProvider.greeting}, inputs)


class Toy(Resource, module="toys", name="Toy"):
    """One toy."""

    key: pulumi.Output[str]
    made: pulumi.Output[str]
    said: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        """Declare a toy; its key is its name unless given."""
        super().__init__(ToyProvider(), name, {"key": name, "made": None, "said": None, **props}, opts)
