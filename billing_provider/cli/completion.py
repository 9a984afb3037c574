"""The verb `completion`: the script with which a shell completes this command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider import cli
from billing_provider.core.errors import ConfigError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "run"]

_SHELLS = ("bash", "zsh", "fish")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "completion",
        help="print the completion script of a shell",
        description="Print the script with which a shell completes verbs, options and their values. It needs the "
        "extra `cli`, the script itself needs nothing.",
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script and return exit code 0.

    Raises:
        ConfigError: The extra `cli` is not installed.
    """
    try:
        import shtab  # noqa: PLC0415 - an extra that may not be installed
    except ImportError:
        raise ConfigError(
            "completion scripts need the extra `cli`: run `pip install 'github-billing-provider[cli]'`"
        ) from None
    print(shtab.complete(cli.parser(), args.shell))
    return 0
