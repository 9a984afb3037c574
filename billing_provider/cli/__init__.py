"""The command line: one module per command, with its options and output."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from billing_provider.core.errors import BillingError

_VERBS = ("budgets", "cost_centers", "doctor", "sandbox", "seed", "skus", "try_", "usage")


def parser() -> argparse.ArgumentParser:
    """Return the parser of `billing-provider` with every verb."""
    top = argparse.ArgumentParser(
        prog="billing-provider",
        description="Command line of the Pulumi provider that keeps GitHub's billing budgets as declared in code.",
    )
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in _VERBS:
        import_module(f"{__name__}.{verb}").add(verbs)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 fine, 1 refused, 2 misused."""
    args = parser().parse_args(arguments)
    try:
        code: int = args.run(args)
    except BillingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code
