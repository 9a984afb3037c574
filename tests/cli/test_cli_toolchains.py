"""The settings of `docs/setup.md` with the real Pulumi CLI: projects of uv, Poetry and pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.cli.test_cli_engine import PACKAGES, Cli, cli

__all__ = ["cli"]

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH"),
]

PAGE = Path(__file__).parents[2] / "docs" / "setup.md"
RUNTIMES = {
    each["runtime"]["options"]["toolchain"]: each
    for each in map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE))
}
PROJECT = """\
[project]
name = "budgets"
version = "1"
requires-python = ">=3.10,<4"
dependencies = []
[tool.poetry]
package-mode = false
"""
LOCKS = {"uv": ["uv", "lock", "--quiet"], "poetry": ["poetry", "lock", "--quiet"], "pip": []}


@pytest.mark.parametrize("toolchain", RUNTIMES)
def test_a_project_of_each_tool(toolchain: str, cli: Cli) -> None:
    """With the settings of the page, the program and the plugin run in the environment of the project."""
    # uv is beside this Python, as the lock installs it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if LOCKS[toolchain] and shutil.which(toolchain, path=path) is None:
        pytest.skip(f"needs {toolchain}")
    if toolchain == "pip":
        # The others install nothing, and pip is what this tool needs.
        pytest.importorskip("pip")
    cli._env |= {"PATH": path, "UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never"}
    # The packages of this environment are seen in one of the project's own, so that nothing is downloaded.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", cli.project / ".venv"], check=True)
    (packages,) = (cli.project / ".venv").glob("lib/python3*/site-packages")
    (packages / "tests.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    (cli.project / "pyproject.toml").write_text(PROJECT)
    if LOCKS[toolchain]:
        subprocess.run(LOCKS[toolchain], cwd=cli.project, env=cli._env, check=True)
    (cli.project / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "p", **RUNTIMES[toolchain]}))
    cli.declare(b=PACKAGES)
    cli.up()
    assert cli.writes == ["POST"]
    cli.unchanged()


def test_the_page_has_each_tool() -> None:
    """The page has the settings of all three tools."""
    assert set(RUNTIMES) == set(LOCKS)
