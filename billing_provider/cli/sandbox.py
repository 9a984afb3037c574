"""The verb `sandbox`: GitHub's billing API on this machine, until it is ended."""

from __future__ import annotations

import argparse
import signal
import sys
from queue import SimpleQueue
from typing import TYPE_CHECKING

from billing_provider.sandbox import sample
from billing_provider.sandbox.access import TOKENS
from billing_provider.sandbox.quirks import QUIRKS
from billing_provider.sandbox.server import Sandbox

if TYPE_CHECKING:
    from billing_provider.sandbox.server import Request

__all__ = ["add", "run"]

_NOT_IMITATED = """\
What it does not imitate: who exists (any login, and any repository of its three organizations, is taken), mails and
alerts, the web pages, GitHub Apps and custom roles, the limit of 10,000 budgets, SAML itself, TLS, and the time GitHub
needs. It is stricter than GitHub: an unknown route, field or query parameter is an error that names it."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser(
        "sandbox",
        help="serve GitHub's billing API from this machine, to try things out",
        description="Serve GitHub's billing API on a loopback port until Ctrl-C. The first two lines it prints are "
        "shell commands that point every tool of this package at it.",
        epilog=_NOT_IMITATED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--state", metavar="FILE", help="keep everything in this file from one run to the next")
    parser.add_argument(
        "--quirk", metavar="NAME", action="append", default=[], help="switch a quirk on; may be repeated"
    )
    parser.add_argument("--list-quirks", action="store_true", help="list the quirks and end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 0 when it was ended so, 2 for a quirk or a file that is none."""
    if args.list_quirks:
        _list_quirks()
        return 0
    # A signal may come while this thread holds a lock; of the ways to wake it, this queue is the reentrant one.
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _: ended.put(which))
    try:
        sandbox = Sandbox(args.port, quirks=args.quirk, state_file=args.state, on_request=_tell)
        sandbox.start()
    except (ValueError, OSError) as error:
        print(f"billing-provider sandbox: {error}", file=sys.stderr)
        return 2
    with sandbox:
        print(f"export GITHUB_API_URL={sandbox.url}")
        print(f"export GITHUB_BILLING_TOKEN={sandbox.token}", flush=True)
        _introduce(args)
        ended.get()
    return 0


def _list_quirks() -> None:
    for quirk in QUIRKS.values():
        name = quirk.name if quirk.number is None else f"{quirk.name}[={quirk.number}]"
        print(f"{name:34}{quirk.grade:12}{quirk.summary}")


def _introduce(args: argparse.Namespace) -> None:
    lines = [
        f"Sandbox: enterprise {sample.ENTERPRISE}; organizations {', '.join(sample.ORGANIZATIONS)};",
        f"  repositories {', '.join(sample.REPOSITORIES)};",
        f"  users {', '.join(sample.USERS)}; cost centers {', '.join(name for name, _ in sample.COST_CENTERS)}.",
        "Tokens:",
        *(f"  {token.name:26}{token.summary}" for token in TOKENS.values()),
        f"Quirks: {', '.join(args.quirk) or 'none'} (--list-quirks). Ctrl-C ends it.",
    ]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _tell(request: Request) -> None:
    print(f"{request.status} {request.method} {request.path}", file=sys.stderr, flush=True)
