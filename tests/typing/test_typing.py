"""What type checkers say: `examples.py`, the stacks and the documents pass, each mistake of `mistakes.py` is found."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

from tests.docs.blocks import run_python
from tests.docs.generate import PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
MISTAKES = HERE / "mistakes.py"
MARK = re.compile(r"  # error ?(\w*)$")


class Remark(NamedTuple):
    """One error that a type checker reports."""

    file: Path
    line: int
    message: str


def mypy(files: list[Path]) -> Iterator[Remark]:
    """Run mypy with the settings of this project, which are strict."""
    for line in run("mypy", "--output=json", *files).splitlines():
        said = json.loads(line)
        # The tests in the documents have no annotations: pytest passes their fixtures.
        if said["severity"] == "error" and said["code"] != "no-untyped-def":
            yield Remark(ROOT / said["file"], said["line"], said["message"])


def pyright(files: list[Path]) -> Iterator[Remark]:
    """Run pyright in its standard mode."""
    report = json.loads(run("basedpyright", "--pythonpath", sys.executable, "--outputjson", *files))
    for said in report["generalDiagnostics"]:
        yield Remark(Path(said["file"]), said["range"]["start"]["line"] + 1, said["message"])


def run(checker: str, *words: Any) -> str:
    """Return the output of a type checker, which ends with 1 if it finds errors."""
    program = Path(sys.executable).with_name(checker)
    done = subprocess.run([program, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stdout


def statements(source: str) -> dict[int, int]:
    """Return the first line of the statement to which each line belongs; checkers differ in the line they name."""
    first: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr | ast.Assign | ast.Return):
            first |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node.lineno)
    return first


@pytest.fixture
def programs(tmp_path: Path) -> list[Path]:
    """The examples of the types, the example stacks, and the code blocks of all documents."""
    blocks = Sybil([CodeBlockParser("python", run_python)])
    for page in PAGES:
        for example in blocks.parse(page).examples():
            (tmp_path / f"{page.stem.replace('-', '_')}_{example.line}.py").write_text(str(example.parsed))
    return [HERE / "examples.py", *(ROOT / "stacks").glob("*.py"), *tmp_path.glob("*.py")]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_type_checkers_find_the_mistakes(
    checker: Callable[[list[Path]], Iterator[Remark]], programs: list[Path]
) -> None:
    """Each marked statement is an error that names its word, and no other statement of any program is an error."""
    source = MISTAKES.read_text()
    lines = {number: MARK.search(line) for number, line in enumerate(source.splitlines(), 1)}
    marked = {number: found[1] for number, found in lines.items() if found}
    remarks = list(checker([MISTAKES, *programs]))
    assert [remark for remark in remarks if remark.file != MISTAKES] == []
    first = statements(source)
    found: dict[int, str] = {}
    for remark in remarks:
        line = first.get(remark.line, remark.line)
        found[line] = f"{found.get(line, '')}{remark.message}\n"
    assert {line: text for line, text in found.items() if line not in marked} == {}
    assert {line: found.get(line) for line, word in marked.items() if word not in found.get(line, "")} == {}
    assert set(marked) - set(found) == set()
