"""The verb `try`: the Pulumi project in this folder on the embedded engine, against a sandbox that it starts."""

from __future__ import annotations

import argparse
import re

# As in the Pulumi command line: an optional namespace, and a name.
_KEY = re.compile(r"(?:[^:=\s]+:)?[^:=\s]+")

_ABOUT = """\
The program and its dynamic providers really run, and state is kept as Pulumi does. Resources of other packages are
simulated: nothing is created for them. `up`, `refresh` and `destroy` act at once, without preview and confirmation.
Budgets go to a sandbox, never to GitHub. Its content is kept in .pulumi/try/ beside the state. Enterprises,
organizations and users that it does not know are created and named once, unless --strict is given. If GITHUB_API_URL is
the address of a sandbox that runs on this machine, that one is used."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "try",
        help="run the Pulumi project in this folder without Pulumi and without GitHub",
        description="Run the Pulumi project in this folder on the embedded engine, against a sandbox.",
        epilog=_ABOUT,
    )
    verbs = ("preview", "up", "refresh", "destroy")
    parser.add_argument("verb", nargs="?", choices=verbs, default="preview", help="what to do (default: preview)")
    parser.add_argument("--stack", default="dev", help="the stack; each has its own state (default: dev)")
    parser.add_argument(
        "--config",
        "-c",
        dest="settings",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        help="a setting for this run; it is not stored, and takes precedence over the stack's file; can be repeated",
    )
    parser.add_argument(
        "--secret",
        dest="settings",
        action="append",
        default=[],
        type=_secret,
        metavar="KEY=VALUE",
        help="the same for a setting that programs and output treat as a secret",
    )
    parser.add_argument("--diff", action="store_true", help="print every property of what is created or deleted")
    parser.add_argument(
        "--expect-no-changes", action="store_true", help="exit with 7 if something changed or would change"
    )
    parser.add_argument(
        "--clear-pending-creates", action="store_true", help="with refresh: remove pending creates from the state"
    )
    parser.add_argument(
        "--seed",
        metavar="FILE",
        help="begin with the names, cost centers and budgets of a JSON file, as the verb seed prints it",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse owners that the sandbox does not know, to find misspelt ones; without it, they are created",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end and nothing else")
    parser.set_defaults(run=run)


def _setting(text: str, *, secret: bool = False) -> tuple[str, str, bool]:
    """Return the key and the value of a setting, and whether it is a secret; a message does not repeat the text."""
    key, equals, value = text.partition("=")
    if not equals or _KEY.fullmatch(key) is None:
        raise argparse.ArgumentTypeError("write KEY=VALUE; the key is NAME or NAMESPACE:NAME")
    return key, value, secret


def _secret(text: str) -> tuple[str, str, bool]:
    return _setting(text, secret=True)


def run(args: argparse.Namespace) -> int:
    """Run one verb; the exit codes are those of `trial.run`."""
    from billing_provider.cli import trial  # noqa: PLC0415 - the engine takes longer to load than other verbs run

    return trial.run(args)
