"""A Pulumi project on the embedded engine, against a sandbox: what `try` runs, and where `export` can import."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.states import BUCKET_KIND, TYPE_PREFIX
from billing_provider.budgets import removal
from billing_provider.cli.exit_codes import CHANGED, INTERRUPTED, MISUSED
from billing_provider.cli.sandbox import read_seed
from billing_provider.core.address import api_address, is_loopback
from billing_provider.core.errors import ConfigError
from billing_provider.core.settings import NAMESPACE
from billing_provider.engine import Engine, EngineError, config, display, wire
from billing_provider.engine.wire import Secret
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.operations.access import OTHER_CREDENTIALS, is_sample
from billing_provider.storage import files
from billing_provider.user_budgets import removal as rows_removal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from billing_provider.engine import Result, Verb
    from billing_provider.engine.events import Step

FOLDER = Path(".pulumi") / "try"
_KEPT = FOLDER / "github.json"
_ADDRESS, _TOKEN = f"{NAMESPACE}:baseUrl", f"{NAMESPACE}:token"


def run(args: argparse.Namespace) -> int:
    """Run one verb.

    Returns:
        0 for success, 1 for a failed run, 2 if the run could not start, 7 for unexpected changes, 130 after a second
        interruption.
    """
    write: Callable[[str], None] = _nothing if args.json else _print
    write(f"billing-provider try: stack {args.stack}, for trials; this is not Pulumi.")
    begun = time.monotonic()
    try:
        given = _given(prepare(args.stack), args.settings)
        explain = functools.partial(_explain, args.verb)
        with github(write, seed=args.seed, strict=args.strict) as own:
            show = display.Display(args.verb, args.stack, write, diff=args.diff, explain=explain)
            state_file = FOLDER / f"{args.stack}.json"
            engine = Engine(Path.cwd(), args.stack, state_file, settings={**given, **own}, listener=show)
            result = _call(engine, args)
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print(f"error: {args.verb} was stopped: run it again to resume", file=sys.stderr)
        return INTERRUPTED
    seconds = time.monotonic() - begun
    if args.json:
        _print(display.as_json(result, args.stack, seconds, explain))
    else:
        show.finish(result, seconds)
    return _exit_code(args, result)


def prepare(stack: str) -> str:
    """Check the project, create the state folder, and return the project's name.

    Raises:
        EngineError: There is no Python project here, or the stack's name is invalid.
        OSError: The folder cannot be created.
    """
    name = config.read_project(Path.cwd(), stack).name
    # Some file systems ignore case.
    if stack.casefold() == _KEPT.stem:
        raise EngineError(f"{_KEPT} holds the sandbox, so no stack can be named {stack}: choose another --stack")
    files.make_folder(Path(), *FOLDER.parts)
    return name


def _given(project: str, settings: list[tuple[str, str, bool]]) -> dict[str, str | Secret]:
    """Return the settings of the command line; a key without a namespace has the project's, and the last one counts."""
    given = {
        key if ":" in key else f"{project}:{key}": Secret(value) if secret else value for key, value, secret in settings
    }
    if taken := sorted(given.keys() & {_ADDRESS, _TOKEN, *OTHER_CREDENTIALS}):
        raise EngineError(f"{taken[0]} cannot be set: try uses the address and the token of its sandbox")
    return given


def _explain(verb: Verb, step: Step) -> str:
    """Return the cap that a deletion removes, or an empty text."""
    if step.op not in {"delete", "delete-replaced"} or wire.has_secret(step.before.inputs):
        return ""
    old = step.before
    if old.type == f"{TYPE_PREFIX}{BUCKET_KIND}":
        return rows_removal.caps(wire.unwrap(old.outputs), retained=old.retain_on_delete)
    cap = removal.cap(old.type, old.inputs)
    # A refresh deletes from the state what is gone from GitHub.
    why = removal.remains(wire.unwrap(old.outputs), retained=old.retain_on_delete) if verb != "refresh" else ""
    return f"{cap}, {why}" if cap and why else cap


def _call(engine: Engine, args: argparse.Namespace) -> Result:
    if args.verb == "refresh":
        return engine.refresh(clear_pending_creates=args.clear_pending_creates)
    verb: Verb = args.verb
    return {"preview": engine.preview, "up": engine.up, "destroy": engine.destroy}[verb]()


def _exit_code(args: argparse.Namespace, result: Result) -> int:
    if result.ok and args.expect_no_changes and result.changed:
        print(f"error: no changes were expected, but {args.verb} found changes", file=sys.stderr)
        return CHANGED
    return result.exit_code


@contextlib.contextmanager
def github(write: Callable[[str], None], *, seed: str | None = None, strict: bool = True) -> Iterator[dict[str, str]]:
    """Provide the settings of a sandbox: the running one that GITHUB_API_URL names, else our own.

    CI systems set GITHUB_API_URL to GitHub itself, so only addresses of this machine are used. The token is
    always one of a sandbox: it overrides the credentials of the stack and the environment, which may be real.

    Args:
        write: Called with each line about the sandbox.
        seed: The file with the content of a new sandbox.
        strict: Whether names that our sandbox does not know are refused.

    Raises:
        EngineError: The kept content of the sandbox is damaged, or is not that of the seed; or the running sandbox's
            token is missing.
    """
    if (running := _running_sandbox()) is not None:
        if seed:
            raise EngineError(f"the sandbox at {running} has its own content: omit --seed, or unset GITHUB_API_URL")
        token = os.environ.get("GITHUB_BILLING_TOKEN", "")
        if not is_sample(token):
            raise EngineError(
                f"GITHUB_API_URL names a sandbox at {running}, and GITHUB_BILLING_TOKEN is no token of one: "
                "run both `export` lines that it printed, or unset GITHUB_API_URL"
            )
        write(f"Budgets go to the sandbox at {running}.")
        yield {_ADDRESS: running, _TOKEN: token, **OTHER_CREDENTIALS}
        return
    with _own_sandbox(seed, None if strict else write) as sandbox:
        write(f"Budgets go to a sandbox, kept in {_KEPT}.")
        yield {_ADDRESS: sandbox.url, _TOKEN: sandbox.token, **OTHER_CREDENTIALS}


def _running_sandbox() -> str | None:
    """Return the address of this machine that GITHUB_API_URL names, or None."""
    with contextlib.suppress(ConfigError):
        address = api_address(os.environ.get("GITHUB_API_URL", ""))
        if is_loopback(address):
            return address
    return None


@contextlib.contextmanager
def _own_sandbox(seed_file: str | None, create_unknown: Callable[[str], None] | None) -> Iterator[Sandbox]:
    # Two sandboxes on one file would overwrite each other's data.
    with contextlib.ExitStack() as stack:
        stack.enter_context(files.locked(_KEPT, wait=_print_wait))
        try:
            seed = None if seed_file is None else read_seed(seed_file)
            sandbox = stack.enter_context(Sandbox(state_file=_KEPT, seed=seed, create_unknown=create_unknown))
        except ValueError as error:
            raise EngineError(str(error)) from None
        if seed is not None and not _has_content_of(sandbox, seed):
            raise EngineError(
                f"{_KEPT} has other content than {seed_file}: omit --seed to continue with it, "
                f"or remove the folder {FOLDER} to begin again"
            )
        yield sandbox


def _has_content_of(sandbox: Sandbox, seed: Any) -> bool:
    # The names that were created for requests are no changes.
    return {**sandbox.snapshot(), "seen": None} == {**Sandbox(seed=seed).snapshot(), "seen": None}


def _print_wait() -> None:
    print(f"waiting: another run uses {_KEPT} ...", file=sys.stderr, flush=True)


def _print(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:
        # The pipe is closed or the disk is full. The run continues, because a change may be in progress.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nothing(line: str) -> None:
    del line
