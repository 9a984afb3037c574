"""An older Pulumi SDK is one clear line, in the program and in the plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from billing_provider.core import sdk_version

ROOT = Path(__file__).parents[2]
LINE = (
    "the installed Pulumi SDK 3.259.0 is too old: this provider needs 3.270 or newer. "
    "Install 'pulumi>=3.270,<4' in the project's environment, with `pip install`, `uv add` or `poetry add`."
)
PLUGIN = """
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from billing_provider.provider import OrgBudgetProvider
OrgBudgetProvider().configure(ConfigureRequest(Config({}, "p")))
"""


def run(tmp_path: Path, program: str, version: str = "3.259.0") -> tuple[int, str]:
    """Run a program where the metadata of the installed packages name this version of the SDK."""
    (tmp_path / f"pulumi-{version}.dist-info").mkdir()
    (tmp_path / f"pulumi-{version}.dist-info" / "METADATA").write_text(f"Name: pulumi\nVersion: {version}\n")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("from billing_provider import OrgBudget", "pulumi.errors.RunError"),
        ("from billing_provider import get_budgets", "pulumi.errors.RunError"),
        (PLUGIN, "billing_provider.core.errors.ConfigError"),
    ],
    ids=["resource", "function", "plugin"],
)
def test_an_old_sdk_is_one_line(tmp_path: Path, program: str, error: str) -> None:
    """The last line has the installed version, the needed one and the command, also where no program runs."""
    code, err = run(tmp_path, program)
    assert (code, err.splitlines()[-1]) == (1, f"{error}: {LINE}")


@pytest.mark.parametrize("version", ["3.270.0", "3.270.0a1", "4.0.0"])
def test_a_newer_sdk_is_used(tmp_path: Path, version: str) -> None:
    """The needed release, a version after it and one with a suffix are used."""
    assert run(tmp_path, "import billing_provider.sdk", version) == (0, "")


def test_the_package_demands_the_same() -> None:
    """The floor in `pyproject.toml` is the version that the message names."""
    (floor,) = re.findall(r'"pulumi>=([\d.]+),<4"', (ROOT / "pyproject.toml").read_text())
    assert floor == ".".join(map(str, sdk_version.NEEDED))
