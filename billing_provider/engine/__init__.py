"""A small Pulumi engine in Python: it runs a program and its dynamic providers without the Pulumi command line."""

import os

# gRPC logs connections that a child process closes. It reads this variable at import.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from billing_provider.engine.engine import Engine, Result, RunFailedError, Verb
from billing_provider.engine.errors import EngineError
from billing_provider.engine.fork_server import ForkServer

__all__ = ["Engine", "EngineError", "ForkServer", "Result", "RunFailedError", "Verb"]
