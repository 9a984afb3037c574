"""The pytest plugin imports little, because every pytest run of a user loads it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from billing_provider import sandbox

_IMPORT = "import sys, billing_provider.testing.pytest_plugin; print(*sys.modules)"


def test_pytest_plugin_loads_nothing_heavy() -> None:
    """The pytest plugin imports neither Pulumi, gRPC nor the sandbox's server."""
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not {"pulumi", "grpc", "requests", "pydantic", "http.server", "billing_provider.sandbox.server"} & {*loaded}


def test_unknown_name_of_the_sandbox() -> None:
    """An unknown name of the sandbox package is an AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'Budget'"):
        getattr(sandbox, "Budget")  # noqa: B009 - mypy knows that it is not there
