"""The pages as a whole: generated tables, links, and languages of code blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.bench import chart, results
from tests.docs import photograph
from tests.docs.blocks import LANGUAGES, make_verbs
from tests.docs.generate import CHART, PAGES, ROOT, STUB, docstrings, filled, stub

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
MOST_README_LINES = 200
MOST_COLUMNS = 100
MOST_COLUMNS_OF_CODE = 80
MOST_BYTES_OF_A_PICTURE = 150_000
_CODE = re.compile(r"^[ \t]*```.*?^[ \t]*```$", re.DOTALL | re.MULTILINE)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

pages = pytest.mark.parametrize("page", PAGES, ids=NAMES)


@pages
def test_generated_tables_are_up_to_date(page: Path) -> None:
    """The generated tables equal the output of `make docs`."""
    assert page.read_text() == filled(page.read_text()), "run `make docs`"


def test_the_stub_is_up_to_date() -> None:
    """The stub of the package equals the output of `make docs`."""
    assert STUB.read_text() == stub(), "run `make docs`"


def test_the_chart_is_up_to_date() -> None:
    """The chart of the bench equals the output of `make docs`."""
    assert CHART.read_text() == chart.svg(results.read()), "run `make docs`"


def test_the_docstrings_of_the_resources_are_up_to_date() -> None:
    """The modules of the resources equal the output of `make docs`."""
    assert [file.name for file, source in docstrings() if file.read_text() != source] == [], "run `make docs`"


@pages
def test_code_blocks_have_a_supported_language(page: Path) -> None:
    """Each fence has a language that the runner supports, so that every block is tested."""
    opened = re.findall(r"^[ \t]*```(.*)$", page.read_text(), re.MULTILINE)[::2]
    assert set(opened) <= set(LANGUAGES)


@pages
def test_links_are_valid(page: Path) -> None:
    """Each link to another page has an existing file and heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_picture_shows_the_comment_of_today() -> None:
    """The picture of the comment was taken of the recorded comment, and is small."""
    picture = photograph.PICTURE.read_bytes()
    assert photograph.digest(photograph.COMMENT.read_text(encoding="utf-8")).encode() in picture, photograph.__doc__
    assert len(picture) < MOST_BYTES_OF_A_PICTURE


@pages
def test_mentioned_make_targets_exist(page: Path) -> None:
    """Each `make TARGET` in a page is in the Makefile."""
    assert set(re.findall(r"`make ([a-z-]+)`", page.read_text())) <= make_verbs()


@pages
def test_lines_are_short(page: Path) -> None:
    """Text and code are wrapped; only tables and links may be longer."""
    text = page.read_text()
    code = [line for block in _CODE.findall(text) for line in block.splitlines()]
    prose = [line for line in without_code(text).splitlines() if not line.startswith("|") and "](" not in line]
    assert [line for line in prose if len(line) > MOST_COLUMNS] == []
    assert [line for line in code if len(line) > MOST_COLUMNS_OF_CODE] == []


def test_every_page_is_linked_from_the_readme() -> None:
    """The README has a link to every page."""
    linked = set(re.findall(r"\]\(([^)\s#]+)", README.read_text()))
    assert {name for name in NAMES if name != README.name} <= linked


def test_the_readme_is_short_and_names_the_first_steps() -> None:
    """The README stays within its length, and names the demo and the tests."""
    text = README.read_text()
    assert len(text.splitlines()) <= MOST_README_LINES
    assert "make demo" in text
    assert "make test" in text


def without_code(page: str) -> str:
    """Return a page without its code blocks."""
    return _CODE.sub("", page)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
