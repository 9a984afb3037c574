"""A small Pulumi engine in Python: it runs a program and its dynamic providers without the Pulumi command line."""

from billing_provider.sandbox.engine.engine import Engine, Result, RunFailedError, Verb
from billing_provider.sandbox.engine.errors import EngineError
from billing_provider.sandbox.engine.nursery import Nursery

__all__ = ["Engine", "EngineError", "Nursery", "Result", "RunFailedError", "Verb"]
