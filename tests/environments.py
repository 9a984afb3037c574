"""Run the tests with every Python of the machine, or with the lowest and the newest dependencies.

    python -m tests.environments pythons [--part]
    python -m tests.environments floors [--part]

Each environment is a virtual environment below `.venvs`, made anew for each run; uv links packages from its cache, so
this takes seconds. `make` calls this with the uv of the lock.
"""
# ruff: noqa: T201 - it speaks to a terminal

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".venvs"
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")
"""The versions of Python that `pyproject.toml` names."""
PROJECT = ".[cli,secrets,app,examples]"
PART = (
    *(f"tests/core/test_{each}.py" for each in ("address", "clock", "inputs", "sdk_version", "settings")),
    *("tests/transport/test_http.py", "tests/transport/test_session.py", "tests/sdk/test_signatures.py"),
    *("tests/sdk/test_resources.py", "tests/provider/test_get_plugin.py", "tests/sandbox/test_sandbox_files.py"),
    *(f"tests/cli/test_conventions.py::test_{each}" for each in ("misuse_exits_with_2", "completion", "the_version")),
    *("tests/engine/test_engine_config.py", "tests/engine/test_engine_wire.py", "tests/engine/test_engine_get.py"),
)
"""What differs between Pythons and SDKs: the SDK, HTTP, JSON, help and the engine. The rest runs before a release."""
DIRECT = ("pulumi==", "pydantic==", "requests==", "urllib3==", "shtab==", "cryptography==", "pyjwt==")


def main(arguments: list[str] | None = None) -> int:
    """Run the tests in each environment; return 1 if they failed in one."""
    parser = argparse.ArgumentParser(prog="python -m tests.environments")
    parser.add_argument("kind", choices=("pythons", "floors"))
    parser.add_argument("--part", action="store_true", help="run the files that depend on versions, not all tests")
    args = parser.parse_args(arguments)
    tests = PART if args.part else ("tests",)
    if args.kind == "floors":
        # `make test` runs all tests with the lock.
        newest = [] if args.part and newest_is_locked() else ["newest"]
        return report([run(each, sys.executable, tests) for each in ("lowest", *newest)])
    found = interpreters()
    missing = [minor for minor in MINORS if minor not in found]
    print(f"Found: {', '.join(f'Python {each}' for each in found)}.", flush=True)
    if missing:
        print(f"Not on this machine: {', '.join(f'Python {each}' for each in missing)}.", flush=True)
    if args.part and len(found) > 1:
        # `make test` runs all tests with this one.
        found.pop(f"{sys.version_info.major}.{sys.version_info.minor}", None)
    return report([run(minor, python, tests) for minor, python in found.items()])


def interpreters() -> dict[str, str]:
    """Return the newest interpreter of each minor version: of PATH, of a version manager's folder, of uv."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    # A shim of a version manager that has no such version selected does not answer, so the folders are searched too.
    path = os.pathsep.join([*(str(each) for each in sorted(managed.glob("3.*/bin"))), os.environ["PATH"]])
    listed = subprocess.run(
        [uv(), "python", "list", "--only-installed", "--output-format", "json"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    best: dict[str, tuple[tuple[int, ...], str]] = {}
    for each in json.loads(listed.stdout):
        parts = each["version_parts"]
        minor = f"{parts['major']}.{parts['minor']}"
        usable = each["implementation"] == "cpython" and each["variant"] == "default"
        if usable and minor in MINORS:
            best[minor] = max(best.get(minor, ((), "")), ((parts["patch"],), each["path"]))
    return {minor: best[minor][1] for minor in MINORS if minor in best}


def run(name: str, python: str, tests: tuple[str, ...]) -> tuple[str, int, str]:
    """Make an environment and run tests in it; return its name, the exit code and a line about it."""
    begun = time.monotonic()
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    print(f"\n== {name}: {python}", flush=True)
    inside = str(folder / "bin" / "python")
    call(uv(), "venv", "--quiet", "--python", python, str(folder))
    install = (uv(), "pip", "install", "--quiet", "--python", inside)
    if name in {"lowest", "newest"}:
        resolution = "lowest-direct" if name == "lowest" else "highest"
        call(*install, "--resolution", resolution, "--editable", PROJECT)
        pins = folder / "pins.txt"
        pins.write_text(call(uv(), "pip", "freeze", "--python", inside, "--exclude-editable"))
        print(" ".join(line for line in pins.read_text().split() if line.startswith(DIRECT)), flush=True)
        # The tools of the tests are the newest that go with these.
        call(*install, "--constraint", str(pins), "--group", "dev")
    else:
        call(*install, "--no-deps", "--require-hashes", "--requirement", "requirements-dev.txt")
        call(*install, "--no-deps", "--no-build-isolation", "--editable", ".")
    done = subprocess.run(
        [inside, "-m", "pytest", "-q", "-n", "2" if tests is PART else "4", "-p", "no:cacheprovider", *tests],
        check=False,
        cwd=ROOT,
    )
    return name, done.returncode, f"{time.monotonic() - begun:.0f} s"


def newest_is_locked() -> bool:
    """Return whether the lock has the newest release of each package that this one calls."""
    compiled = call(uv(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--all-extras", "pyproject.toml")
    newest = {line for line in compiled.splitlines() if line.startswith(DIRECT)}
    locked = (ROOT / "requirements-dev.txt").read_text().replace(" \\", "").splitlines()
    differ = sorted(newest - set(locked))
    print(f"Newer than the lock: {' '.join(differ) or 'nothing'}.", flush=True)
    return not differ


def report(results: list[tuple[str, int, str]]) -> int:
    """Print a line for each environment; return 1 if one failed."""
    print()
    for name, code, took in results:
        print(f"{name:8} {'passed' if code == 0 else 'FAILED':8} {took:>6}")
    return int(any(code for _, code, _ in results))


def uv() -> str:
    """Return uv, which the lock installs beside this Python."""
    return str(Path(sys.executable).parent / "uv")


def call(*command: str) -> str:
    """Run a command; return what it printed, or end with its error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
