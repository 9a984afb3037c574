"""The sandbox: GitHub's billing API on a loopback port, for trials and tests."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_provider.sandbox.server import Request, Sandbox

__all__ = ["Request", "Sandbox"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, because every pytest run imports this package for its fixtures."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.server"), name)
