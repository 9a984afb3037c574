"""Run the code blocks of the documents: each one for itself, on a sandbox and the embedded engine.

| language | what happens |
| --- | --- |
| python with `def test_` | every test function runs, with its fixtures |
| python with `Engine(` or `Sandbox(` | runs as it is, in a project's folder |
| other python | runs as a Pulumi program: `up`, then a preview that must be empty |
| sh | commands of this package run; others are checked word by word (`COMMANDS`) |
| csv | the file whose name ends the text before it: each program of the page finds it |
| yaml, json | parsed, and used where the content says for what |
| text, mermaid | shown only |
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import inspect
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

from billing_provider import cli
from billing_provider.core.settings import SETTINGS, read_settings
from billing_provider.policy import policies
from tests.docs.generate import PACKAGE, PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from sybil import Example

    from billing_provider.sandbox import Sandbox

PROJECT = "name: documents\nruntime: python\n"
PROGRAM = """\
from billing_provider import OrgBudget

OrgBudget("packages", organization="octo-org", budget_product_sku="packages", budget_amount=100)
"""
_CSV = re.compile(r"`(\w+\.csv)`:\n\n```csv\n(.*?)```", re.DOTALL)
SAMPLES = {"your-enterprise": "octo-enterprise", "your-org": "octo-org"}
"""Names that a reader replaces, and what stands for them in the sandbox."""

PULUMI = {
    ("config", "set"): {"--secret"},
    ("destroy",): {"--stack", "--run-program"},
    ("preview",): {"--stack", "--refresh", "--expect-no-changes", "--diff"},
    ("refresh",): {"--stack", "--run-program"},
    ("stack", "export"): {"--show-secrets", "--file"},
    ("stack", "import"): {"--file"},
    ("stack", "init"): set(),
    ("up",): {"--stack"},
}
"""The verbs and options of the Pulumi CLI in the documents. Tests run without that CLI and check the words."""


@dataclass
class Bench:
    """What a block runs on.

    Attributes:
        sandbox: GitHub's billing API for this block.
        request: The fixtures of the running test.
        folder: A Pulumi project with one budget; the current folder.
    """

    sandbox: Sandbox
    request: pytest.FixtureRequest
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "Pulumi.yaml").write_text(PROJECT)
        (self.folder / "__main__.py").write_text(PROGRAM)

    def up(self) -> None:
        """Run the project's program; a preview right after it must be empty."""
        stack = self.request.getfixturevalue("pulumi_stack")("dev", self.folder)
        stack.up()
        assert not stack.preview().changed


def run_python(example: Example) -> None:
    """Run a block of Python as what it is: tests, plain code or a Pulumi program."""
    bench: Bench = example.namespace["bench"]
    source = str(example.parsed)
    if "def test_" not in source and not re.search(r"\b(Engine|Sandbox)\(", source):
        for name, content in _CSV.findall(example.document.text):
            (bench.folder / name).write_text(content)
        (bench.folder / "__main__.py").write_text(source)
        bench.up()
        return
    names: dict[str, Any] = {"__name__": "block", "__file__": str(bench.folder / "block.py")}
    padded = "\n" * (example.line + example.parsed.line_offset) + source
    exec(compile(padded, example.path, "exec"), names)  # noqa: S102 - a block of our own documents
    for name, test in list(names.items()):
        if name.startswith("test_"):
            bench.sandbox.reset()
            test(**{each: bench.request.getfixturevalue(each) for each in inspect.signature(test).parameters})


def run_shell(example: Example) -> None:
    """Run or check each command of a block."""
    run_script(str(example.parsed), example.namespace["bench"])


def run_script(script: str, bench: Bench) -> None:
    """Run or check each command of a script."""
    for line in script.replace("\\\n", " ").splitlines():
        words = [SAMPLES.get(word, word) for word in shlex.split(line, comments=True)]
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            known_variable(words.pop(0))
        if words:
            COMMANDS[Path(words[0]).name](words[1:], bench)


def run_billing_provider(words: list[str], bench: Bench) -> None:
    """Run a verb of ours; the sandbox, which serves until it is ended, is started and ended."""
    if words[0] == "sandbox" and not any(word.startswith("--list-") for word in words):
        serve_and_stop(words)
        return
    words, output = redirected(words)
    try:
        with output.open("w") as file, contextlib.redirect_stdout(file):
            code = cli.main(words)
    except SystemExit as ended:  # argparse ends `--help` so
        code = int(ended.code or 0)
    assert code == 0, f"billing-provider {' '.join(words)} ended with {code}"
    bench.sandbox.forget_requests()


def run_awk(words: list[str], _: Bench) -> None:
    """Run awk on files that the block has written; it must print something."""
    words, output = redirected(words)
    with output.open("w") as file:
        subprocess.run(["awk", *words], stdout=file, check=True)  # noqa: S607 - POSIX has it
    assert output.read_text()


def redirected(words: list[str]) -> tuple[list[str], Path]:
    """Return a command without `> FILE`, and the file; without it, the output is thrown away."""
    return (words[:-2], Path(words[-1])) if ">" in words else (words, Path(os.devnull))


def serve_and_stop(words: list[str]) -> None:
    """Start the sandbox on a free port, read the two lines that a shell evaluates, and end it."""
    free = ["0" if before == "--port" else word for before, word in zip(["", *words], words, strict=False)]
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; from billing_provider.cli import main; sys.exit(main())", *free],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
    assert [line.partition("=")[0] for line in lines] == ["export GITHUB_API_URL", "export GITHUB_BILLING_TOKEN"]


def check_make(words: list[str], _: Bench) -> None:
    """Check that the verbs are in the Makefile."""
    assert set(words) <= make_verbs()


def make_verbs() -> set[str]:
    """Return the verbs of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def check_install(words: list[str], verb: str) -> None:
    """Check that the package and its extras are called so; nothing is installed."""
    (name,) = [word for word in words[1:] if not word.startswith("-")]
    found = re.fullmatch(r"github-billing-provider(?:\[([a-z]+)\])?", name)
    assert words[0] == verb
    assert found
    if found[1]:
        assert re.search(rf"^{found[1]} = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


def check_pulumi(words: list[str], _: Bench) -> None:
    """Check the verb, its options and the keys of settings."""
    verb = next(verb for verb in PULUMI if tuple(words[: len(verb)]) == verb)
    rest = words[len(verb) :]
    assert {word for word in rest if word.startswith("-")} <= PULUMI[verb]
    for word in rest:
        if word.startswith("github-billing:"):
            known_setting(word)


def check_python(words: list[str], _: Bench) -> None:
    """Check that `python -m MODULE` names a module."""
    assert words[0] == "-m"
    assert importlib.util.find_spec(words[1])


def known_setting(key: str) -> None:
    """Check that the provider reads a setting of that name."""
    assert key in {f"github-billing:{name}" for name in SETTINGS}


def known_variable(assignment: str) -> None:
    """Check that something here reads the variable."""
    name = re.escape(assignment.partition("=")[0])
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert any(re.search(rf"[\"']{name}\b", file.read_text()) for file in files if file.parent != Path(__file__).parent)


COMMANDS: dict[str, Callable[[list[str], Bench], None]] = {
    "awk": run_awk,
    "billing-provider": run_billing_provider,
    "export": lambda words, _: known_variable(words[0]),
    "make": check_make,
    "pip": lambda words, _: check_install(words, "install"),
    "poetry": lambda words, _: check_install(words, "add"),
    "pulumi": check_pulumi,
    "python": check_python,
    "uv": lambda words, _: check_install(words, "add"),
}
"""How a command of the documents is held to what it names, by its program."""


def use_yaml(example: Example) -> None:
    """Use a project file to run the project, settings to read them, and a workflow to run its scripts."""
    bench: Bench = example.namespace["bench"]
    document = yaml.safe_load(example.parsed)
    if "runtime" in document:
        (bench.folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "documents", **document}))
        bench.up()
    for key, value in document.get("config", {}).items():
        known_setting(key)
        if not isinstance(value, dict):
            read_settings({"github-billing:token": bench.sandbox.token, key: str(value)}.get, {})
    for job in document.get("jobs", {}).values():
        for step in job["steps"]:
            run_script(step.get("run", ""), bench)


def use_json(example: Example) -> None:
    """Plan a list of faults in the sandbox; an object is the configuration of the policy pack."""
    content = json.loads(example.parsed)
    if isinstance(content, dict):
        for policy in policies():
            known = set(policy.config_schema.properties) if policy.config_schema else set()
            assert set(content.pop(policy.name, {})) <= {"enforcementLevel", *known}
        assert content == {}
        return
    bench: Bench = example.namespace["bench"]
    bench.sandbox.plan(content)
    bench.sandbox.plan([])


def use_csv(example: Example) -> None:
    """Check that each line has the columns of the header, and that the page names the file."""
    header, *rows = csv.reader(example.parsed.splitlines())
    assert {len(row) for row in rows} == {len(header)}
    assert str(example.parsed) in [content for _, content in _CSV.findall(example.document.text)]


def shown_only(example: Example) -> None:
    """Do nothing: the block is output or a picture."""
    assert example.parsed


LANGUAGES: dict[str, Callable[[Example], None]] = {
    "csv": use_csv,
    "json": use_json,
    "mermaid": shown_only,
    "python": run_python,
    "sh": run_shell,
    "text": shown_only,
    "yaml": use_yaml,
}


def examples() -> list[Example]:
    """Return all code blocks of all pages."""
    sybil = Sybil([CodeBlockParser(language, run) for language, run in LANGUAGES.items()])
    return [example for page in PAGES for example in sybil.parse(page).examples()]
