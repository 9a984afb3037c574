"""The former import path of the engine."""

from __future__ import annotations

import subprocess
import sys


def test_the_former_import_path_warns() -> None:
    """`billing_provider.sandbox.engine` still has the engine, and warns."""
    program = (
        "import billing_provider.sandbox.engine as former; from billing_provider.engine import Engine; "
        "assert former.Engine is Engine"
    )
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "DeprecationWarning: billing_provider.sandbox.engine is now billing_provider.engine" in done.stderr
