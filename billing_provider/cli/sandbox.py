"""The verb `sandbox`: serve GitHub's billing API on this machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from billing_provider.cli.exit_codes import FAILED, MISUSED
from billing_provider.cli.options import add_name, whole
from billing_provider.cli.render import line_width
from billing_provider.cli.tables import wrapped
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION, USER
from billing_provider.sandbox.http.actions import ACTIONS
from billing_provider.sandbox.operations.access import TOKENS
from billing_provider.sandbox.operations.quirks import QUIRKS
from billing_provider.sandbox.server import Sandbox
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.sandbox.server import Request

_LOOK_SECONDS = 0.1
_INDENT = 4
_NOT_IMITATED = (
    "What it does not imitate: whether a user or repository exists (writes accept any login, and any repository of its "
    "organizations), mails and alerts, web pages, custom roles, the limit of 10,000 "
    "budgets, SAML, TLS, GitHub's response times, and the days until usage figures are final. A hard budget stops "
    "nobody; user states and consumed amounts show whom it would stop. The usage is generated: one year, equal on "
    "every machine, with a new day every day. GITHUB_BILLING_TEST_TIME=2026-12-01T00:00:30Z in the environment fixes "
    "the date. It is stricter than GitHub: an unknown route, field or query parameter is an error that names it."
)


class _Lines(argparse.HelpFormatter):
    """Breaks each line of a long text by itself."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (wrapped(f"{indent}{line}", width, _INDENT if line.startswith(" ") else 0) for line in text.split("\n"))
        return "\n".join(chain.from_iterable(lines))


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "sandbox",
        help="serve GitHub's billing API on this machine, for trials and tests",
        description="Serve GitHub's billing API on a loopback port until Ctrl-C. The first two lines of output "
        "(four with --app) are shell commands that make every tool of this package use it.",
        epilog="\n".join(["tokens:", *_tokens({name: f"{name}-SUFFIX" for name in TOKENS}), "", _NOT_IMITATED]),
        formatter_class=_Lines,
    )
    parser.add_argument(
        "--port", type=whole("a port", 0, 65535), default=0, help="the port on 127.0.0.1 (default: a free one)"
    )
    add_name(parser, ENTERPRISE, "the enterprise, instead of octo-enterprise")
    add_name(parser, ORGANIZATION, "an organization, instead of the sample ones", repeated=True)
    add_name(parser, USER, "a user, instead of the sample ones", repeated=True)
    parser.add_argument("--seed", metavar="FILE", help="start with the names, cost centers and budgets of a JSON file")
    parser.add_argument(
        "--create-unknown",
        action="store_true",
        help="create owners that a request names and the sandbox does not know; without it, they are refused",
    )
    parser.add_argument("--state", metavar="FILE", help="keep the content in this file between runs")
    parser.add_argument(
        "--quirk", metavar="NAME", action="append", default=[], help="switch on a quirk; can be repeated"
    )
    parser.add_argument("--list-quirks", action="store_true", help="list the quirks and exit")
    parser.add_argument(
        "--faults",
        metavar="FILE",
        help="a JSON list of planned faults; faults that did not occur are reported at the end, with exit code 1",
    )
    parser.add_argument("--list-faults", action="store_true", help="list the actions of faults and exit")
    parser.add_argument(
        "--app",
        action="store_true",
        help="serve a GitHub App too, and print two more lines with its id and the file of its key (extra `app`)",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="serve the control plane below /_sandbox/ (requests, faults, quirks, snapshot, reset)",
    )
    parser.add_argument(
        "--token-suffix", metavar="TEXT", help="the end of every token; without it, a new one at each start"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        0 after a signal, 1 if planned faults did not occur, 2 for an invalid option or file.
    """
    if args.list_quirks or args.list_faults:
        _list(args)
        return 0
    # A signal handler may run while this thread holds a lock; SimpleQueue is reentrant.
    ended: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _: ended.put(which))
    with contextlib.ExitStack() as stack:
        try:
            if args.state:
                stack.enter_context(files.locked(Path(args.state)))
            sandbox = stack.enter_context(_started(args))
        except (ValueError, OSError) as error:
            print(f"billing-provider sandbox: {error}", file=sys.stderr)
            return MISUSED
        print(f"export GITHUB_API_URL={sandbox.url}")
        if not args.app:
            print(f"export GITHUB_BILLING_TOKEN={sandbox.token}", flush=True)
        else:
            print(f"export GITHUB_BILLING_APP_ID={sandbox.app_id}")
            print(f"export GITHUB_BILLING_APP_PRIVATE_KEY_FILE={stack.enter_context(_key_file(sandbox))}", flush=True)
        _print_start(args, sandbox)
        # Not ended.get(): CPython can overlook a signal that comes right before a thread begins to wait without an end.
        while ended.empty():
            time.sleep(_LOOK_SECONDS)
    untriggered = sandbox.untriggered_faults()
    for fault in untriggered:
        print(f"fault did not occur as planned: {json.dumps(fault)}", file=sys.stderr)
    return FAILED if untriggered else 0


def _started(args: argparse.Namespace) -> Sandbox:
    """Start the sandbox with the options.

    Raises:
        ValueError: A name, a quirk, a fault or the state file is invalid.
        OSError: A file cannot be used, or the port is taken.
    """
    sandbox = Sandbox(
        args.port,
        seed=None if args.seed is None else read_seed(args.seed),
        enterprise=args.enterprise,
        organizations=args.organization or None,
        users=args.user or None,
        quirks=args.quirk,
        state_file=args.state,
        on_request=_print_request,
        create_unknown=_print_name if args.create_unknown else None,
        app=args.app,
        control=args.control,
        token_suffix=args.token_suffix,
    )
    if args.faults:
        try:
            sandbox.plan(json_text.parse(files.read_given(args.faults)))
        except (ValueError, files.FileError) as error:
            raise ValueError(f"{args.faults}: {error}") from None
    try:
        return sandbox.start()
    except OSError as error:
        raise OSError(f"cannot open port {args.port}: {error.strerror}; use another one with --port") from None


@contextlib.contextmanager
def _key_file(sandbox: Sandbox) -> Iterator[Path]:
    """Keep the App's key in a private file while the sandbox serves."""
    with tempfile.TemporaryDirectory(prefix="billing-sandbox-") as folder:
        path = Path(folder) / "app.pem"
        files.replace(path, sandbox.app_private_key)
        yield path


def read_seed(file: str) -> Any:
    """Return the seed in a file.

    Raises:
        ValueError: The file cannot be read, or holds no JSON object.
    """
    try:
        seed = json_text.parse(files.read_given(file))
    except (ValueError, files.FileError) as error:
        raise ValueError(f"{file}: {error}") from None
    if seed is None:
        raise ValueError(f"{file}: it is not an object")
    return seed


def _tokens(texts: Mapping[str, str]) -> list[str]:
    width = max(map(len, texts.values()))
    return [f"  {text:{width}}  {TOKENS[name].summary}" for name, text in texts.items()]


def _list(args: argparse.Namespace) -> None:
    width = line_width()
    if args.list_quirks:
        for quirk in QUIRKS.values():
            name = quirk.name if quirk.number is None else f"{quirk.name}[={quirk.number}]"
            print(*wrapped(f"{name:34}{quirk.evidence:12}{quirk.summary}", width, _INDENT), sep="\n")
    if args.list_faults:
        for name, action in ACTIONS.items():
            print(*wrapped(f"{name:20}{action.summary}", width, _INDENT), sep="\n")


def _print_start(args: argparse.Namespace, sandbox: Sandbox) -> None:
    content = sandbox.snapshot()
    names = {kind: ", ".join(held + content["seen"][kind]) or "none" for kind, held in content["names"].items()}
    lines = [
        f"Sandbox: enterprise {names['enterprises']}; organizations {names['organizations']};",
        f"  repositories {names['repositories']};",
        f"  users {names['users']}; cost centers {', '.join(center['name'] for center in content['cost_centers'])}.",
        "Tokens:",
        *(line for each in _tokens(sandbox.tokens) for line in wrapped(each, line_width(), _INDENT)),
        f"Quirks: {', '.join(args.quirk) or 'none'} (--list-quirks). Press Ctrl-C to stop.",
    ]
    if args.control:
        lines.append(f"Control plane: send X-Sandbox-Control: {sandbox.control_token} to /_sandbox/faults etc.")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _print_name(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_request(request: Request) -> None:
    # A path may contain control characters, which a terminal would interpret.
    path = "".join(sign if sign.isprintable() else "?" for sign in request.path)
    print(f"{request.status} {request.method} {path}", file=sys.stderr, flush=True)
