"""A small Pulumi engine in Python: it runs a program and its dynamic providers without the Pulumi command line."""

from billing_provider.sandbox.engine.engine import Engine, Result, RunFailedError

__all__ = ["Engine", "Result", "RunFailedError"]
