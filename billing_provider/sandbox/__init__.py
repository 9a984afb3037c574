"""The sandbox: GitHub's billing API on a loopback port, to try and to test without GitHub."""

from billing_provider.sandbox.server import Request, Sandbox

__all__ = ["Request", "Sandbox"]
