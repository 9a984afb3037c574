"""The command line: one module per command, with its options and output."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from billing_provider._version import __version__
from billing_provider.cli.exit_codes import CLOSED, FAILED, INTERRUPTED, MISUSED
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.redact import clean

if TYPE_CHECKING:
    from typing import TextIO

_VERBS = (
    *("audit", "budgets", "cost_centers", "doctor", "export", "sandbox"),
    *("review", "seed", "skus", "try_", "unmanaged", "usage"),
)

_CHOICES = re.compile(r"\(choose from .*\)$")


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with code 2."""
        # Older releases of argparse put each choice in quotes, newer ones do not.
        message = _CHOICES.sub(lambda found: found[0].replace("'", ""), message)
        self.exit(MISUSED, f"error: {clean(message)} ({self.prog} --help shows the options)\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of `billing-provider` with every verb."""
    top = Parser(
        prog="billing-provider",
        description="Command line of the Pulumi provider that keeps GitHub's billing budgets as declared in code.",
    )
    top.add_argument("--version", action="version", version=f"billing-provider {__version__}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in _VERBS:
        import_module(f"{__name__}.{verb}").add(verbs)
    for each in verbs.choices.values():
        each.set_defaults(parser=each)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one verb.

    Returns:
        0 for success, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C, 141 if the reader of the output is gone;
        a verb can have codes of its own.
    """
    # A stream is None if the caller closed it.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a character gets a question mark.
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            return _run(arguments)
        finally:
            # What is still buffered is written here, where an error can be handled.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        return CLOSED
    except OSError as error:
        _discard(sys.stdout)
        print(f"error: {clean(str(error))}", file=sys.stderr)
        return FAILED


def _run(arguments: list[str] | None) -> int:
    args = parser().parse_args(arguments)
    try:
        code: int = args.run(args)
    except ConfigError as error:
        print(f"error: {_with_flags(str(error), args.parser)}", file=sys.stderr)
        return MISUSED
    except BillingError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return code


def flags(verb: argparse.ArgumentParser) -> dict[str, str]:
    """Return the flags of a verb's options by the names of their inputs."""
    return {action.dest: action.option_strings[0] for action in verb._actions if action.option_strings}  # noqa: SLF001


def _with_flags(text: str, verb: argparse.ArgumentParser) -> str:
    """Return an error message that begins with the names of inputs, with the flags of these inputs."""
    known = flags(verb)
    names, colon, rest = text.partition(": ")
    inputs = names.split(", ")
    return f"{', '.join(known[name] for name in inputs)}{colon}{rest}" if set(inputs) <= set(known) else text


def _nowhere() -> TextIO:
    """Return a stream that discards what is written."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _discard(*streams: TextIO) -> None:
    """Discard what is buffered and what follows, so that the exit of the interpreter reports nothing."""
    for stream in streams:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
