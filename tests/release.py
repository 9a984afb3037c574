"""Check what a release consists of: its version, its changelog, and its wheel, installed and tried as a user does.

    python -m tests.release [--tag vX.Y.Z]

`make release-check` calls this. It leaves the wheel and the source archive in `dist`.
"""
# ruff: noqa: T201 - it speaks to a terminal

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from billing_provider import __version__

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
STACK = "quickstart"


def main(arguments: list[str] | None = None) -> int:
    """Check everything; end with an error at the first that is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.release")
    parser.add_argument("--tag", default="", help="the tag of the release, which must be v and the version")
    args = parser.parse_args(arguments)
    if wrong := mistakes(args.tag, (ROOT / "CHANGELOG.md").read_text(), (ROOT / "pyproject.toml").read_text()):
        sys.exit("\n".join(wrong))
    shutil.rmtree(DIST, ignore_errors=True)
    uv = str(Path(sys.executable).parent / "uv")
    call(uv, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(DIST))
    (wheel,) = DIST.glob("*.whl")
    with tempfile.TemporaryDirectory() as made:
        try_wheel(uv, wheel, Path(made))
    print(f"{wheel.name} is built, installs in a fresh environment, and runs the example {STACK}.")
    return 0


def mistakes(tag: str, changelog: str, project: str) -> list[str]:
    """Return what a release of this version still needs.

    Args:
        tag: The tag, or nothing before it exists.
        changelog: The text of CHANGELOG.md.
        project: The text of pyproject.toml.
    """
    found = []
    if f'\nversion = "{__version__}"\n' not in project:
        found.append(f"pyproject.toml: write the version of billing_provider/_version.py, {__version__}")
    if not re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md: give {__version__} a section with its date")
    if tag and tag != f"v{__version__}":
        found.append(f"the tag {tag} is not v{__version__}")
    if tag and re.search(r"^## \[Unreleased\]\n+[^#\n]|^## \[Unreleased\]\n+### ", changelog, re.MULTILINE):
        found.append("CHANGELOG.md: move what is unreleased into the section of this version")
    return found


def try_wheel(uv: str, wheel: Path, folder: Path) -> None:
    """Install the wheel in a fresh environment, and create and delete the budgets of an example with it."""
    with zipfile.ZipFile(wheel) as file:
        names = {name.partition("/")[0] for name in file.namelist()}
    if names != {"billing_provider", f"github_billing_provider-{__version__}.dist-info"}:
        sys.exit(f"{wheel.name} has other folders than the package: {sorted(names)}")
    environment, project = folder / "environment", folder / "project"
    call(uv, "venv", "--quiet", "--python", sys.executable, str(environment))
    inside = str(environment / "bin" / "python")
    call(uv, "pip", "install", "--quiet", "--python", inside, "--constraint", str(pins(folder)), str(wheel))
    (project / "stacks").mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py", f"stacks/{STACK}.py"):
        shutil.copy(ROOT / name, project / name)
    program = str(environment / "bin" / "billing-provider")
    version = call(program, "--version", cwd=project)
    if __version__ not in version:
        sys.exit(f"the installed wheel is another version: {version}")
    for verb in ("up", "preview", "destroy"):
        options = ["--expect-no-changes"] if verb == "preview" else []
        call(program, "try", verb, "--stack", STACK, *options, cwd=project)


def pins(folder: Path) -> Path:
    """Write the versions of the lock, without hashes, as the constraints of an installation."""
    lock = (ROOT / "requirements-dev.txt").read_text()
    file = folder / "pins.txt"
    file.write_text("\n".join(re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE)))
    return file


def call(*command: str, cwd: Path = ROOT) -> str:
    """Run a command away from this environment's settings; return what it printed, or end with its error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PYTHON"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=clean)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
