"""The Pulumi SDK that this package needs."""

from __future__ import annotations

import re
from importlib import metadata

NEEDED = (3, 270)
"""The first release whose `.get` reads with the engines since 3.261; `pyproject.toml` has the same."""


def too_old() -> str | None:
    """Return why the installed SDK cannot be used, with the command that helps; None if it can be used."""
    installed = metadata.version("pulumi")
    if tuple(map(int, re.findall(r"\d+", installed)[:2])) >= NEEDED:
        return None
    needed = ".".join(map(str, NEEDED))
    return (
        f"the installed Pulumi SDK {installed} is too old: this provider needs {needed} or newer. "
        f"Install 'pulumi>={needed},<4' in the project's environment, with `pip install`, `uv add` or `poetry add`."
    )
