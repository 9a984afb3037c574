"""What all verbs have in common: exit codes, errors in one line, interrupts, closed pipes, completion, version."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import shtab

from billing_provider import cli
from billing_provider._version import __version__
from billing_provider.core.redact import MASK
from billing_provider.sandbox import Sandbox
from tests.review.world import PLANS
from tests.support.forked import Process, run
from tests.support.waiting import wait_until
from tests.support.wire import Endless, WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

E = "octo-enterprise"
OWNER = ("--enterprise", E)
READS = {
    "audit": ("audit", *OWNER, "--json"),
    "budgets": ("budgets", *OWNER, "--json"),
    "cost-centers": ("cost-centers", *OWNER, "--json"),
    "doctor": ("doctor", *OWNER),
    "export": ("export", "--org", "octo-lab", "--out", "exported"),
    "forecast": ("budgets", "--forecast", *OWNER),
    "seed": ("seed", *OWNER),
    "unmanaged": ("unmanaged", "--org", "octo-lab"),
    "usage": ("usage", *OWNER, "--json"),
}
"""The verbs that send requests."""
PRINTS = {
    **READS,
    "help": ("--help",),
    "review": ("review", str(PLANS / "document.json"), "--markdown"),
    "sandbox": ("sandbox",),
    "sandbox --list-quirks": ("sandbox", "--list-quirks"),
    "skus": ("skus", "--json"),
}
COMMAND = [sys.executable, "-m", "billing_provider"]


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run each verb in a folder of its own, because `export` writes files."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment names."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def verbs() -> set[str]:
    """Return the names of all verbs."""
    (names,) = (action.choices for action in cli.parser()._actions if action.metavar == "VERB")
    return set(names or ())


def test_every_verb_is_tested_here() -> None:
    """Every verb except `try`, which has tests of its own, is in a table of this file."""
    assert verbs() - set(PRINTS) == {"try"}


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the version of the package."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"billing-provider {__version__}\n")


@pytest.mark.parametrize("verb", ["", *sorted(verbs())])
def test_help_fits_a_terminal(verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No line of a help is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*verb.split(), "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_the_package_is_a_program() -> None:
    """`python -m billing_provider` is the command line, under the same name."""
    done = subprocess.run(
        [sys.executable, "-m", "billing_provider", "skus", "--nea"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: argument --near: expected one argument (billing-provider skus --help shows the options)\n"
    )


@pytest.mark.parametrize("verb", READS)
def test_an_interrupt_ends_a_request_quietly(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during a request ends with 130, and prints no error and no traceback."""
    with WireServer(Endless(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b" ")) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-enterprise-owner-of-none")
        with Process(*READS[verb]) as process:
            wait_until(lambda: bool(server.heard), lambda: process.poll() is None)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
    assert process.returncode == 130
    # A request that took more than a second is shown as progress.
    assert [line for line in said.splitlines() if not line.endswith(" ...")] == []


def test_an_interrupt_does_not_wait_for_the_pages_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while pages are read side by side ends with 130, whatever becomes of them."""
    with Sandbox(page_cap=1) as sandbox:
        for number in range(20):
            name = f"octo-org/r{number}"
            sandbox.add_budget("enterprise", "octo-enterprise", budget_scope="repository", budget_entity_name=name)
        sandbox.plan([{"op": "list_budgets", "action": "stall_before", "nth": 2, "times": 99, "seconds": 600}])
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        with Process("budgets", "--enterprise", "octo-enterprise") as process:
            wait_until(lambda: len(sandbox.requests) > 1 + 3, lambda: process.poll() is None)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
    assert process.returncode == 130
    assert [line for line in said.splitlines() if not line.endswith(" ...")] == []


@pytest.mark.parametrize("verb", PRINTS)
def test_a_closed_pipe_ends_quietly(verb: str, served: Sandbox) -> None:
    """If the reader of the output is gone, a verb ends with 141 and prints nothing."""
    assert served.url
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(*PRINTS[verb], stdout=writer)
    finally:
        os.close(writer)
    assert done == (141, "", "")


@pytest.mark.parametrize("verb", sorted(PRINTS.keys() - {"sandbox"}))
def test_a_closed_output_is_no_error(
    verb: str, served: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A verb without standard streams, as Python has them if they are closed, runs, and prints nothing anywhere."""
    assert served.url
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    try:
        code: object = cli.main(list(PRINTS[verb]))
    except SystemExit as ended:
        code = ended.code
    sys.stdout.close()
    sys.stderr.close()
    assert (code, capfd.readouterr()) == (0, ("", ""))


def test_closed_descriptors_are_no_error(served: Sandbox) -> None:
    """The same in a process whose descriptors are closed, so that the next files that it opens have their numbers."""
    assert served.url
    closing = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh"]
    done = subprocess.run([*closing, *COMMAND, *PRINTS["budgets"]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error() -> None:
    """Output that cannot be written is an error in one line."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "skus", "--csv"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


def test_characters_that_the_terminal_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is printed in an encoding without its lines."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run([*COMMAND, "skus", "--near", "actions"], capture_output=True, text=True, check=True)
    assert (set(done.stdout.splitlines()[3]), done.stderr) == ({"?"}, "")


MISUSES = [
    ((), "the following arguments are required: VERB"),
    (("bugets",), "argument VERB: invalid choice: 'bugets'"),
    (("budgets",), "one of the arguments --enterprise --org is required"),
    (("budgets", *OWNER, "--colour\n"), "unrecognized arguments: --colour"),
    (("budgets", "--org", "octo-org", "--scope", "cost_center"), "argument --scope: a budget of an organization has"),
    (("budgets", "--org", "octo-org", "--user", "a\x1bb"), "--user: write a text of at most"),
    (("budgets", "--org", "a b"), "--org: write a slug or login"),
    (("cost-centers",), "the following arguments are required: --enterprise"),
    (("cost-centers", "None", *OWNER), "has the name or id None"),
    (("cost-centers", "--enterprise", "a b"), "--enterprise: write a slug or login"),
    (("doctor", "--org", "a b"), "--org: write a slug or login"),
    (("export", "--out", "x"), "name an owner: --enterprise SLUG or --org LOGIN"),
    (("export", "--org", "a b", "--out", "x"), "--org: write a slug or login"),
    (("budgets", *OWNER, "--fail-on", "over"), "argument --fail-on: use it with --forecast"),
    (("budgets", *OWNER, "--at", "101"), "argument --at: '101' is not a percentage: use a number from 1 to 100"),
    (("budgets", *OWNER, "--at", "x"), "argument --at: 'x' is not a percentage"),
    (("audit",), "name an owner: --enterprise SLUG or --org LOGIN"),
    (("audit", *OWNER, "--rule", "max-amount=x"), "argument --rule: write max-amount=DOLLARS, a whole number of US"),
    (("review",), "the following arguments are required: PLAN"),
    (("review", "none.json"), "plan: cannot read none.json: No such file or directory"),
    (
        ("review", "x", "--fail-on", "increase"),
        "argument --fail-on: write one of loosening, deletion, increase>DOLLARS,",
    ),
    (("sandbox", "--port", "65536"), "argument --port: '65536' is not a port: use a number from 0 to 65535"),
    (("sandbox", "--quirk", "none"), "none"),
    (("seed",), "the following arguments are required: --enterprise"),
    (("seed", *OWNER, "--org", "a b"), "--org: write a slug or login"),
    (("skus", "--json", "--csv"), "argument --csv: not allowed with argument --json"),
    (("unmanaged",), "name an owner: --enterprise SLUG or --org LOGIN"),
    (("unmanaged", *OWNER, "--days", "x"), "argument --days: 'x' is not a number of days: use a number from 0 to 9999"),
    (("unmanaged", *OWNER, "--state", "none"), "--state: there is no file none"),
    (("usage",), "one of the arguments --enterprise --org --user is required"),
    (("usage", "--org", "octo-org", "--all-cost-centers"), "argument --all-cost-centers: use it with --report daily"),
    (("usage", *OWNER, "--report", "daily", "--all-cost-centers", "--cost-center", "Data"), "without --cost-center"),
    (
        ("usage", *OWNER, "--report", "daily", "--sku", "x"),
        "argument --sku: the report daily of this enterprise has no",
    ),
    (("usage", *OWNER, "--report", "daily", "--sku", "x"), "such filter; use --report summary"),
    (("usage", *OWNER, "--user", "octocat"), "argument --user: the report summary of this enterprise has no"),
    (("usage", "--user", "octocat", "--cost-center", "x"), "the report summary of this user has no such filter ("),
    (("usage", *OWNER, "--by", "model"), "the report summary can be grouped by product, sku, not by model"),
    (
        ("usage", "--org", "octo-org", "--report", "daily", "--by", "cost-center"),
        "argument --by: a report of this organization has no cost centers",
    ),
    (("usage", *OWNER, "--month", "13"), "argument --month: '13' is not a month: use a number from 1 to 12"),
    (("usage", *OWNER, "--day", "-1"), "argument --day: '-1' is not a day"),
    (("usage", *OWNER, "--year", "1e3"), "argument --year: '1e3' is not a year"),
    (("usage", *OWNER, "--month", "2", "--day", "31"), "--year, --month, --day: this date does not exist"),
    (("usage", *OWNER, "--product", "acton"), "--product acton: no usage was found, and the name is not known; did"),
    (("usage", *OWNER, "--sku", "zzz"), "--sku zzz: no usage was found, and the name is not known; `billing-provider"),
]


@pytest.mark.parametrize(("arguments", "words"), MISUSES, ids=str)
def test_misuse_exits_with_2(
    arguments: tuple[str, ...], words: str, served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong options and unknown names exit with 2 and one line that names the flag."""
    assert served.url
    try:
        code: object = cli.main(list(arguments))
    except SystemExit as ended:
        code = ended.code
    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("\n")) == (2, "", 1), printed.err
    assert words in printed.err


def test_every_verb_has_a_misuse() -> None:
    """The table above has every verb except `try`, which has tests of its own."""
    assert verbs() - {arguments[0] for arguments, _ in MISUSES if arguments} == {"try"}


def test_a_product_without_usage_is_not_unknown(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A known product without usage is no error, in GitHub's spelling too; nor is an unknown one with usage."""
    assert served.url
    for name in ("ghec", "Git LFS"):
        assert cli.main(["usage", "--org", "octo-lab", "--product", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["rows"] is not None


@pytest.mark.parametrize("token", ["", "sandbox-expired"])
@pytest.mark.parametrize("verb", READS)
def test_advice_fits_a_reading_verb(
    verb: str, token: str, served: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a valid token, a reading verb names the variable or the token, and no command of Pulumi."""
    assert served.url
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", token)
    code = cli.main(list(READS[verb]))
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert code == (1 if token or verb == "doctor" else 2)
    assert "pulumi" not in said
    assert ("token" if token else "set GITHUB_BILLING_TOKEN") in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """The script of each shell has every verb, its options and their values."""
    script = shtab.complete(cli.parser(), shell)
    for word in (*verbs(), "all-cost-centers", "premium-request", "multi_user_customer", "expect-no-changes"):
        assert word in script


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """Bash completes an option's value with the script that the documented command prints."""
    file = tmp_path / "script"
    command = [sys.executable, "-m", "shtab", "--shell=bash", "billing_provider.cli.parser"]
    file.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    ask = 'source "$0"; COMP_WORDS=(billing-provider usage --report d); COMP_CWORD=3; '
    ask += '$(complete -p billing-provider | sed "s/.*-F //; s/ .*//"); echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", ask, str(file)], capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stdout == "daily\n"


def test_the_doctor_prints_json(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`doctor --json` prints the owners, the findings and their number by level, and has the same exit code."""
    assert served.url
    ask = ["doctor", "--json", "--org", "octo-org", *OWNER]
    assert cli.main(ask) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["owners"] == [{"kind": "enterprise", "name": E}, {"kind": "organization", "name": "octo-org"}]
    assert document["totals"] == {"ok": len(document["findings"]), "warning": 0, "failed": 0}
    assert set(document["findings"][0]) == {"level", "subject", "text", "repair"}
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-expired")
    assert cli.main(ask) == 1
    assert json.loads(capsys.readouterr().out)["totals"]["failed"] == 1


def test_the_doctor_prints_no_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A token in an answer is masked in the JSON of the doctor."""
    token = "sandbox-canary-token-5up3r"
    with WireServer(answer(200, {"rate": {}}, X_OAuth_Scopes=token, Connection="close")) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", token)
        assert cli.main(["doctor", "--json"]) == 0
    printed = capsys.readouterr().out
    assert token not in printed
    assert {finding["text"] for finding in json.loads(printed)["findings"]} > {MASK}
