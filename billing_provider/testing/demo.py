"""The demo: create, change, repair, refuse and delete budgets on the sandbox."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.server import Sandbox
from billing_provider.sandbox.store.clock import TEST_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PROJECT = Path(__file__).resolve().parents[2]
_STACK = "quickstart"
_INSTALL_SECONDS = 300
_INTERRUPTED = 130
_NO_INSTALL = "BILLING_DEMO_NO_INSTALL"
_COLUMNS = 76
_TIME = "2026-09-21T12:00:00Z"
_EVERYBODY = """
EnterpriseBudget(
    "everybody",
    enterprise="octo-enterprise",
    budget_scope="multi_user_customer",
    budget_product_sku="ai_credits",
    budget_amount=20,
    on_existing="adopt",
)
"""


_CREDENTIALS = ("GITHUB_APP_", "GITHUB_BILLING_APP_", "GITHUB_BILLING_CREDENTIALS")
"""What would precede the sandbox's token."""
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


class DemoError(Exception):
    """A step of the demo failed."""


class Demo:
    """One run of the demo: a copy of the project, a sandbox, an engine, and the steps so far.

    Args:
        project: The copy of the project.
        sandbox: The sandbox in place of GitHub.
        engine: The command before `up` and the other verbs.
        flags: The options for each verb.
    """

    def __init__(self, project: Path, sandbox: Sandbox, engine: list[str], flags: Mapping[str, list[str]]) -> None:
        self._project, self._sandbox, self._engine, self._flags = project, sandbox, engine, flags
        self._program = project / "stacks" / f"{_STACK}.py"
        self._steps: list[str] = []
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_CREDENTIALS)},
            "GITHUB_API_URL": sandbox.url,
            "GITHUB_BILLING_TOKEN": sandbox.token,
            "PULUMI_BACKEND_URL": f"file://{project / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "a demo has no secrets",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "NO_COLOR": "1",
            # An export imports with the `pulumi` on PATH; it must be the one of the demo.
            "PATH": f"{Path(engine[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        (project / "state").mkdir()

    def prepare(self) -> None:
        """Create the stack, which the Pulumi CLI needs.

        Raises:
            DemoError: The CLI failed.
        """
        command = [*self._engine, "stack", "init", _STACK, "--non-interactive"]
        result = subprocess.run(  # noqa: S603 - our own command line
            command, cwd=self._project, env=self._environ, check=False, text=True, capture_output=True
        )
        if result.returncode:
            raise DemoError(f"pulumi stack init: {result.stderr.strip()}")

    def run(self) -> None:
        """Run every step.

        Raises:
            DemoError: A step failed.
        """
        self._step("Create: two budgets, declared in stacks/quickstart.py", "up", 0)
        self._print_budgets()
        self._step("Preview: nothing changes, and no request is sent", "preview", 0, "--expect-no-changes")
        actions = next(
            budget for budget in self._sandbox.budgets(owner=None) if budget["budget_product_sku"] == "actions"
        )
        self._sandbox.edit_budget(actions["id"], budget_amount=9000, prevent_further_usage=False)
        self._print_title("A budget is edited outside of Pulumi: cap 9000, hard stop off")
        self._print_budgets()
        self._step("Refresh: the drift is detected", "refresh", 0)
        self._step("Up: the declared cap is restored", "up", 0)
        self._print_budgets()
        declared = self._program.read_text()
        mistaken = declared.replace("budget_amount=500", "budget_amount=499.5").replace(
            '["octocat"]', '["cfo@example.com"]'
        )
        self._program.write_text(mistaken)
        self._print_title("Two errors in the program: budget_amount=499.5, an e-mail as recipient")
        self._step("Preview: both are refused before any request is sent", "preview", 1)
        self._adopt(declared)
        self._program.write_text(declared)
        self._step("Destroy: the budgets are deleted", "destroy", 0)
        self._print_budgets()
        if left := self._sandbox.budgets(owner=None):
            raise DemoError(f"{len(left)} budgets are left")
        self._take_over()
        print(f"\nAll {len(self._steps)} steps succeeded. Next: README.md, 'First budget on a real account'.")

    def _adopt(self, declared: str) -> None:
        """Preview the adoption of a budget that caps every person, with a lower cap."""
        by_hand = self._sandbox.add_budget(
            "enterprise",
            "octo-enterprise",
            budget_scope="multi_user_customer",
            budget_product_sku="ai_credits",
            budget_type="BundlePricing",
            budget_amount=100,
            prevent_further_usage=True,
        )
        # GitHub's own figure of the month, whenever the budget was created.
        self._sandbox.switch("whole_month_counts")
        self._print_title("A budget made by hand caps each person at 100; the program declares 20")
        self._print_budgets()
        self._program.write_text(declared + _EVERYBODY)
        self._step("Preview: what the adoption changes, and whom it stops at once", "preview", 0)
        self._sandbox.remove_budget(by_hand["id"])

    def _take_over(self) -> None:
        """Take over budgets that somebody made by hand, without a change to any of them."""
        credits_ = {"budget_product_sku": "ai_credits", "budget_type": "BundlePricing", "prevent_further_usage": True}
        for login, amount in (("octocat", 40), ("monalisa", 40), ("hubot", 15)):
            person = {"budget_scope": "user", "user": login, "budget_entity_name": login}
            self._sandbox.add_budget("enterprise", "octo-enterprise", **credits_, **person, budget_amount=amount)
        self._sandbox.add_budget("enterprise", "octo-enterprise", budget_product_sku="actions", budget_amount=700)
        self._print_title("Somebody made budgets by hand: take them over")
        self._print_budgets()
        self._program.write_text("import budgets\n")
        verb = ["export", "--only", "budgets", "--enterprise", "octo-enterprise", "--out", "."]
        ours = str(Path(sys.executable).with_name("billing-provider"))
        self._run("Export: they are written as code, imported, and compared", [ours, *verb, "--import", _STACK], 0)
        print("  budgets.py:")
        for line in (self._project / "budgets.py").read_text().partition("billing\n")[2].splitlines():
            print(f"    {line}".rstrip())
        self._step("Up: nothing changes; a destroy would keep them", "up", 0)

    def _step(self, title: str, verb: str, expected: int, *extra: str) -> None:
        """Run one verb of the engine; as for `_run`."""
        command = [*self._engine, verb, "--stack", _STACK, *self._flags.get(verb, []), *extra]
        self._run(title, command, expected)

    def _run(self, title: str, command: list[str], expected: int) -> None:
        """Run one command, show its output, and check its exit code (0, or 1 for any failure)."""
        self._print_title(title)
        shown = " ".join([Path(command[0]).name, *command[1:]])
        lines = textwrap.wrap(shown, _COLUMNS, subsequent_indent="    ", break_on_hyphens=False)
        print("$ " + " \\\n".join(lines), flush=True)
        before = len(self._sandbox.requests)
        # In a process group of its own, Ctrl-C reaches it once, from here; while it starts, Ctrl-C is held back.
        held: list[int] = []
        handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
        with subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=self._project,
            env=self._environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                signal.signal(signal.SIGINT, handler)
                list(map(signal.raise_signal, held))
                for line in without_interruptions(process.stdout or ()):
                    print(f"  {line.rstrip()}", flush=True)
            except KeyboardInterrupt:
                _interrupt(process)
                raise
        requests = self._sandbox.requests[before:]
        writes = sum(request.method != "GET" for request in requests)
        print(f"  (requests to GitHub: {len(requests)}, of which writes: {writes})")
        if min(process.returncode, 1) != expected:
            raise DemoError(f"{shown} ended with {process.returncode}")

    def _print_title(self, title: str) -> None:
        self._steps.append(title)
        print(f"\n[{len(self._steps)}] {title}")

    def _print_budgets(self) -> None:
        """Print the budgets in the sandbox."""
        rows = [_row(budget) for budget in self._sandbox.budgets(owner=None)]
        if not rows:
            print("  On GitHub now: no budgets")
            return
        print("  On GitHub now:")
        for row in [("product", "covers", "USD", "hard stop", "alerts"), *rows]:
            print("    " + f"{row[0]:<12}{row[1]:<36}{row[2]:>6}  {row[3]:<11}{row[4]}")


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Interrupt a command and wait until it has ended; a second Ctrl-C kills it."""
    try:
        process.send_signal(signal.SIGINT)
        process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def without_interruptions(lines: Iterable[str]) -> Iterator[str]:
    """Remove blank lines and the tracebacks of programs that Pulumi interrupts after a refusal."""
    held: list[str] = []
    left_out = 0
    for line in lines:
        text = line.strip()
        if held or text.startswith(("Traceback (most recent", "During handling of the above")):
            held.append(line)
            if text == "KeyboardInterrupt":
                left_out += len(held)
                held = []
        elif text:
            yield line
    yield from held
    if left_out:
        yield f"({left_out} lines left out: the traceback of a program that Pulumi interrupted)"


def _row(budget: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    alerting = budget["budget_alerting"]
    return (
        budget["budget_product_sku"],
        f"{budget['budget_scope']} {budget['budget_entity_name']}",
        f"{budget['budget_amount']:,}",
        "yes" if budget["prevent_further_usage"] else "no",
        ", ".join(alerting["alert_recipients"]) if alerting["will_alert"] else "none",
    )


def find_engine(install_root: Path) -> tuple[list[str], dict[str, list[str]], str]:
    """Return the command of the engine, its options for each verb, and one line about it.

    The `pulumi` on PATH; else one that the Automation API installs into the project; else the embedded engine.

    Args:
        install_root: Where a CLI may be installed.
    """
    found = shutil.which("pulumi") or _installed(install_root)
    if found:
        quiet = ["--non-interactive", "--color", "never"]
        yes = ["--yes", "--skip-preview", "--diff", *quiet]
        flags = {
            "up": yes,
            "refresh": yes,
            "destroy": ["--yes", "--skip-preview", *quiet],
            "preview": ["--diff", *quiet],
        }
        return [found], flags, f"Engine: the Pulumi CLI ({Path(found).name})"
    embedded = str(Path(sys.executable).with_name("billing-provider"))
    line = "Engine: the embedded engine; no Pulumi CLI, and none could be installed"
    return [embedded, "try"], {}, line


def _installed(root: Path) -> str | None:
    """Install the CLI of the locked SDK's version with the Automation API's installer; return None if that fails."""
    if os.environ.get(_NO_INSTALL):
        return None
    program, wanted = root / "bin" / "pulumi", version("pulumi")
    if not _has_version(program, wanted):
        print(
            f"No pulumi on PATH: running Pulumi's own installer, of version {wanted}, into {root} ...\n"
            f"  ({_NO_INSTALL}=1 installs nothing and uses the embedded engine)",
            flush=True,
        )
        try:
            subprocess.run(  # noqa: S603 - our own command line
                [sys.executable, "-c", _INSTALL, str(root), wanted],
                check=True,
                capture_output=True,
                timeout=_INSTALL_SECONDS,
            )
        except (subprocess.SubprocessError, OSError):
            return None
    return str(program) if _has_version(program, wanted) else None


def _has_version(program: Path, wanted: str) -> bool:
    """Return whether a CLI is there and says that it has this version."""
    try:
        done = subprocess.run(  # noqa: S603 - what the installer placed in the project
            [program, "version"], check=False, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except (subprocess.SubprocessError, OSError):
        return False
    return done.stdout.strip() == f"v{wanted}"


def main() -> int:
    """Run the demo and return the exit code: 0 if every step succeeded, 1 if not, 130 after Ctrl-C."""
    try:
        return _main()
    except KeyboardInterrupt:
        print("\nThe demo was stopped.", file=sys.stderr)
        return _INTERRUPTED


def _main() -> int:
    started = time.monotonic()
    # The usage in the sandbox depends on the date; with a fixed one, every run of the demo shows the same figures.
    os.environ.setdefault(TEST_TIME, _TIME)
    print("GitHub's billing budgets as code, on a sandbox; no account or token is needed.", flush=True)
    engine, flags, line = find_engine(_PROJECT / ".pulumi" / "cli")
    print(line)
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        project = Path(folder)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(_PROJECT / name, project)
        (project / "stacks").mkdir()
        shutil.copy(_PROJECT / "stacks" / f"{_STACK}.py", project / "stacks")
        # The environment that runs this demo is the one that the program and the plugin run in.
        (project / ".venv").symlink_to(Path(sys.prefix))
        demo = Demo(project, sandbox, engine, flags)
        try:
            if Path(engine[0]).name == "pulumi":
                demo.prepare()
            demo.run()
        except DemoError as error:
            print(f"\nThe demo stopped: {error}", file=sys.stderr)
            return 1
    print(f"({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
