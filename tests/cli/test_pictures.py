"""What each verb prints at 60, 80, 120 and 200 columns, as pictures of text; `make docs` writes them anew."""

from __future__ import annotations

import re
from dataclasses import replace
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider import cli
from billing_provider.cli.tables import Cell, Column, table, wrapped
from tests.support.pictures import FOLDER, SCENES, WIDTHS, picture, pictures

# These print no table: a script, shell commands, and the progress of a run.
WITHOUT_TABLES = {"export", "seed", "try"}
# Markdown is not for a terminal.
UNLIMITED = {"forecast-markdown"}


@pytest.mark.parametrize("name", SCENES)
def test_the_pictures_are_up_to_date(name: str) -> None:
    """Each verb prints its picture at each width."""
    assert (FOLDER / f"{name}.txt").read_text() == pictures(name), "look at the difference, then run `make docs`"


@pytest.mark.parametrize("name", SCENES)
def test_no_word_is_broken(name: str) -> None:
    """A word of a narrow picture is in the widest one, or is the beginning of one and ends with an ellipsis."""
    words = picture(name, WIDTHS[-1]).split()
    whole = {word.strip(".,") for word in words}
    for width in WIDTHS:
        for line in picture(name, width).splitlines():
            if line.startswith(("─", "Left out")):
                continue
            for word in line.split():
                start = word.removesuffix("…")
                known = start.strip(".,") in whole if start == word else any(one.startswith(start) for one in words)
                assert known, (width, line, word)


def test_no_line_is_too_long() -> None:
    """No line is wider than the terminal, except for ids and commands."""
    for name in SCENES.keys() - UNLIMITED:
        for width in WIDTHS:
            for line in picture(name, width).splitlines():
                # Ids and commands are indented and whole, so that they can be copied.
                assert wide(line) <= width or line.startswith(" " * 5), (name, line)


def wide(text: str) -> int:
    """Return the places that a text takes; the wide characters of the scenes are Japanese or an emoji."""
    return len(text) + len(re.findall("[\u3040-\u30ff\u4e00-\u9fff\U0001f680]", text))


def test_every_verb_with_a_table_has_a_picture() -> None:
    """Each verb has a scene, and each scene has a file."""
    (names,) = (action.choices for action in cli.parser()._actions if action.metavar == "VERB")
    assert {scene.command.split()[0] for scene in SCENES.values()} == set(names or ()) - WITHOUT_TABLES
    assert {file.stem for file in FOLDER.iterdir()} == set(SCENES)


COLUMNS = (
    Column("name", least=8),
    Column("amount", right=True, leaves=2),
    Column("kind", least=6, leaves=1),
    Column("end"),
)
ROWS = [("a name that is long", "1,000.00", "a kind that is long", "x")]


@pytest.mark.parametrize(
    ("width", "expected", "left_out"),
    [
        (None, "a name that is long  1,000.00  a kind that is long  x", []),
        (55, "a name that is long  1,000.00  a kind that is long  x", []),
        (50, "a name that is…   1,000.00  a kind that is l…  x", []),
        (31, "a name…   1,000.00  a kin…  x", []),
        (30, "a name that is…  1,000.00  x", ["kind"]),
        (24, "a name t…  1,000.00  x", ["kind"]),
        (18, "a name that…   x", ["amount", "kind"]),
        (1, "a nam…  x", ["amount", "kind"]),
    ],
)
def test_a_table_fits(width: int | None, expected: str, left_out: list[str]) -> None:
    """Texts are shortened evenly, then columns leave by their order; what stays becomes as short as necessary."""
    lines, left = table(COLUMNS, ROWS, width, with_colours=False)
    assert (lines[2], left) == (expected, left_out)


@given(st.lists(st.tuples(st.text(), st.text(), st.text(), st.text(max_size=3)), min_size=1), st.integers(30, 90))
def test_any_text_fits(rows: list[tuple[str, str, str, str]], width: int) -> None:
    """Whatever the texts are, each row is one line, and no line is wider than the terminal."""
    columns = (*COLUMNS[:2], replace(COLUMNS[2], title="two words"), COLUMNS[3])
    lines, _ = table(columns, rows, width, with_colours=False)
    assert len(lines) == len(rows) + 2
    for line in lines:
        assert line.isprintable()
        assert sum(0 if category(sign)[0] == "M" else 1 for sign in line) <= width


def test_wide_and_combining_characters_are_aligned() -> None:
    """A wide character takes two places, a combining one none."""
    columns = (Column("", least=4), Column("x"))
    lines, _ = table(
        columns, [("日本", "y"), ("e\u0301e\u0301", "y"), (Cell("é"), "y"), ("日本語", "y")], 7, with_colours=False
    )
    assert lines[2:] == ["日本  y", "e\u0301e\u0301    y", "é     y", "日…   y"]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three four", None, ["one two three four"]),
        ("one two three four five six", 24, ["one two three four five", "  six"]),
        (
            "a-word-that-is-much-longer-than-the-line is whole",
            24,
            ["a-word-that-is-much-longer-than-the-line", "  is whole"],
        ),
        ("", 24, [""]),
    ],
)
def test_sentences_wrap_between_words(text: str, width: int | None, expected: list[str]) -> None:
    """A sentence is wrapped between words; a longer word stays whole."""
    assert wrapped(text, width, 2) == expected
