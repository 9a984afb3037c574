"""Options that several verbs have: owners, states of stacks, and numbers."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.inventory import owners_of
from billing_provider.adopt.states import MAX_BYTES, read_state_export
from billing_provider.audit.rules import FLAG, RULES, read_rule
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, ORGANIZATION, ORGANIZATION_OWNER, USER, Owner
from billing_provider.core.redact import clean
from billing_provider.storage import files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from billing_provider.adopt.states import State

_FLAGS = {ENTERPRISE: ("--enterprise", "SLUG"), ORGANIZATION: ("--org", "LOGIN"), USER: ("--user", "LOGIN")}
_SHOWN = 300
_STDIN = "-"


def add_name(
    parser: argparse._ActionsContainer, noun: str, text: str, *, required: bool = False, repeated: bool = False
) -> None:
    """Add the option for an enterprise, an organization or a user; its value is in the attribute `noun`.

    Args:
        parser: The parser, or a group of it.
        noun: What the option names.
        text: Its help.
        required: Whether it must be given.
        repeated: Whether it can be given several times; the value is a list then, which can be empty.
    """
    flag, metavar = _FLAGS[noun]
    if repeated:
        text = f"{text}; can be repeated"
        parser.add_argument(flag, dest=noun, metavar=metavar, action="append", default=[], help=text)
    else:
        parser.add_argument(flag, dest=noun, metavar=metavar, required=required, help=text)


def add_scope(parser: argparse.ArgumentParser, scopes: Sequence[str]) -> None:
    """Add the option for one scope; the help names them in its text, where a line can break."""
    text = f"only budgets of this scope: {', '.join(scopes)}"
    parser.add_argument("--scope", metavar="SCOPE", choices=scopes, help=text)


def add_owner(parser: argparse.ArgumentParser) -> None:
    """Add the options for the one owner of budgets."""
    owner = parser.add_mutually_exclusive_group(required=True)
    add_name(owner, ENTERPRISE, "the enterprise that owns the budgets")
    add_name(owner, ORGANIZATION, "the organization that owns the budgets")


def read_owner(args: argparse.Namespace) -> Owner:
    """Return the one owner of budgets."""
    kind = ENTERPRISE_OWNER if args.enterprise else ORGANIZATION_OWNER
    return Owner(kind, args.enterprise or args.organization)


def add_owners(parser: argparse.ArgumentParser) -> None:
    """Add the options for any number of owners of budgets."""
    add_name(parser, ENTERPRISE, "an enterprise", repeated=True)
    add_name(parser, ORGANIZATION, "an organization", repeated=True)


def read_owners(args: argparse.Namespace) -> list[Owner]:
    """Return the owners of budgets, each once.

    Raises:
        ConfigError: There is none, or a name is invalid.
    """
    if owners := owners_of(args.enterprise, args.organization):
        return owners
    raise ConfigError("name an owner: --enterprise SLUG or --org LOGIN")


def whole(what: str, least: int, most: int) -> Callable[[str], int]:
    """Return a parser of a whole number with bounds.

    Args:
        what: What the number is, with its article, for the message.
        least: The lowest number.
        most: The highest number.
    """

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}: use a number from {least} to {most}")

    return read


def add_states(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the option for the states of stacks; `text` says what they are for."""
    parser.add_argument(
        "--state",
        metavar="FILE|STACK",
        action="extend",
        nargs="+",
        default=[],
        help=f"{text}: an output of `pulumi stack export`, a state of `try`, - for standard input, or the name of a "
        "stack, which `pulumi` exports",
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add the option for rules; its value is a list of names with their settings."""
    names = ", ".join(name if rule.setting == FLAG else f"{name}={rule.setting}" for name, rule in RULES.items())
    parser.add_argument(
        "--rule",
        dest="rules",
        action="append",
        default=[],
        type=_rule,
        metavar="RULE",
        help=f"a rule: {names}; can be repeated",
    )


def _rule(text: str) -> tuple[str, Any]:
    try:
        return read_rule(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("rule: ")) from None


def read_state(name: str) -> State:
    """Read a state: standard input, a file, or a stack that `pulumi` exports.

    Raises:
        ConfigError: It cannot be read, or is no state.
    """
    shown = clean(name, _SHOWN)
    if name == _STDIN:
        return read_state_export("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    path = Path(name)
    # A stack may have the name of a folder.
    if path.exists() and not path.is_dir():
        try:
            return read_state_export(name, files.read_given(path, MAX_BYTES))
        except files.FileError as error:
            raise ConfigError(f"--state: cannot read {shown}: {error}") from None
    if (program := shutil.which("pulumi")) is None:
        raise ConfigError(f"--state: there is no file {shown}, and no `pulumi` on PATH to export a stack of this name")
    command = [program, "stack", "export", "--stack", name, "--non-interactive"]
    done = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603 - pulumi
    if done.returncode:
        reason = clean(done.stderr.decode(errors="replace"), _SHOWN)
        raise ConfigError(f"--state: pulumi stack export {shown}: {reason}")
    return read_state_export(name, done.stdout)


def read_rules(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the rules by name.

    Raises:
        ConfigError: A rule is given twice.
    """
    rules: dict[str, Any] = {}
    for name, setting in args.rules:
        if name in rules:
            raise ConfigError(f"--rule: {name} is given twice: give it once, names as in {name}=A,B")
        rules[name] = setting
    return rules
