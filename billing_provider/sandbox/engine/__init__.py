"""The former place of `billing_provider.engine`; it will be removed with version 1."""

import warnings

from billing_provider.engine import Engine, EngineError, Result, RunFailedError, Verb
from billing_provider.engine import ForkServer as Nursery

__all__ = ["Engine", "EngineError", "Nursery", "Result", "RunFailedError", "Verb"]

warnings.warn(
    "billing_provider.sandbox.engine is now billing_provider.engine: change the import",
    DeprecationWarning,
    stacklevel=2,
)
