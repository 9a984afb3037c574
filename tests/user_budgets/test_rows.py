"""The rows of a table: which resource has them, mistakes in them, and files of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider import BillingError, UserBudgets
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER
from billing_provider.user_budgets import words
from billing_provider.user_budgets.rows import BUCKETS, bucket_of, buckets_of, mistakes, read_rows
from billing_provider.user_budgets.words import RowChange, as_message, from_messages
from tests.support.mocked import Registered, run

if TYPE_CHECKING:
    from pathlib import Path


def test_the_resource_of_a_login_is_a_file_format() -> None:
    """A login has the same resource in every version: another one would delete the budget and create it again."""
    assert {login: bucket_of(login) for login in ("octocat", "OctoCat", "monalisa", "hubot_shortcode", "a")} == {
        "octocat": "06",
        "OctoCat": "06",
        "monalisa": "11",
        "hubot_shortcode": "11",
        "a": "10",
    }
    assert BUCKETS == 16


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True), st.integers(0, 100)))
def test_each_row_is_in_one_resource(rows: dict[str, int]) -> None:
    """All resources are there, and together they have each row once."""
    parts = buckets_of(rows)
    assert [name for name, _ in parts] == [f"{number:02d}" for number in range(16)]
    assert {login: row for _, part in parts for login, row in part.items()} == rows
    assert sum(len(part) for _, part in parts) == len(rows)


@pytest.mark.parametrize(
    ("row", "stored"),
    [
        (5, 5),
        (5.0, 5),
        ("5", 5),
        ({"budget_amount": 5}, 5),
        ({"budget_amount": 5, "reason": None, "expires_at": None}, 5),
        ({"budget_amount": 5, "reason": "asked"}, {"budget_amount": 5, "reason": "asked"}),
        ({"expires_at": "2027-01-31", "budget_amount": 5.0}, {"budget_amount": 5, "expires_at": "2027-01-31"}),
        ({"budget_amount": 5, "on_raise": "keep"}, {"budget_amount": 5, "on_raise": "keep"}),
    ],
)
def test_a_row_is_stored_in_one_form(row: Any, stored: Any) -> None:
    """An amount alone is stored as a number, everything else as a mapping of what is declared."""
    assert read_rows(ENTERPRISE_OWNER, {"ann": row}) == ({"ann": stored}, [])


@pytest.mark.parametrize(
    ("login", "row", "words"),
    [
        ("ann", -1, "ann: budget_amount: write a whole number of US dollars (or licenses), 0 or more"),
        ("ann", 1.5, "ann: budget_amount: write a whole number of US dollars (or licenses): GitHub accepts no fr"),
        ("ann", True, "ann: budget_amount: write a whole number"),
        ("ann", None, "ann: budget_amount: write the amount"),
        ("ann", {}, "ann: budget_amount: write the amount"),
        ("ann", [5], "ann: budget_amount: write a whole number"),
        ("ann", {"budget_amount": 5, "expires": "2027-01-01"}, "ann: expires: no such input of a row"),
        ("ann", {"budget_amount": 5, 7: 1}, "ann: 7: no such input of a row"),
        ("ann", {"budget_amount": 5, "expires_at": "soon"}, "ann: expires_at: write a date such as 2027-01-31"),
        ("ann", {"budget_amount": 5, "on_raise": "kep"}, "ann: on_raise: write one of revert, keep"),
        ("ann", {"budget_amount": 5, "reason": "a\nb"}, "ann: reason: write a text of at most 255 printable"),
        ("ann@x.org", 5, "ann@x.org: this is an e-mail address: write the person's GitHub login"),
        ("", 5, ": this is not a GitHub login"),
        (7, 5, "7: write the login as a text"),
    ],
)
def test_a_mistake_names_its_row(login: Any, row: Any, words: str) -> None:
    """Each mistake begins with the login, and says what to write."""
    _, found = read_rows(ENTERPRISE_OWNER, {login: row})
    assert str(found[0]).startswith(words)


def test_the_first_twenty_mistakes_are_shown() -> None:
    """A table with many mistakes shows twenty of them and the number of the others."""
    _, found = read_rows(ENTERPRISE_OWNER, {f"u{number}": -1 for number in range(50)})
    lines = mistakes(found)
    assert len(lines) == 21
    assert lines[-1] == "and 30 more mistakes"


def declare(*, preview: bool = False, **table: Any) -> Registered:
    """Run a program with a table, and return what it registered."""

    def program() -> None:
        UserBudgets("t", **{"enterprise": "e", **table})

    return run(program, preview=preview)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"budgets": {}}, "t: the table has no row, which would remove all caps: set allow_empty=True if it is meant"),
        ({"budgets": ["ann"]}, "write budgets as a mapping from logins to amounts"),
        ({"budgets": {"ann": 1}, "organization": "o"}, "write either enterprise or organization, as a text"),
        ({"budgets": {"ann": 1}, "enterprise": 5}, "write either enterprise or organization, as a text"),
        ({"budgets": {"ann": 1, "Ann": 2}}, "ann and Ann are the same person"),
        ({"budgets": {"ann": 1}, "on_existing": "adpt"}, "on_existing: write one of adopt_if_identical, adopt, error"),
    ],
)
def test_mistakes_of_a_table_are_told_by_its_constructor(table: dict[str, Any], words: str) -> None:
    """A program with a wrong table fails at the line that declares it."""
    with pytest.raises(BillingError) as failure:
        declare(**table)
    assert words in str(failure.value)


def test_rows_must_be_plain_values() -> None:
    """An Output as a row is refused, because a preview could not compare it."""
    with pytest.raises(BillingError, match="plain values, no Outputs"):
        declare(budgets={"ann": pulumi.Output.from_input(5)})


def test_an_empty_table_can_be_meant() -> None:
    """With `allow_empty`, a table without rows is declared, with all its resources."""
    found = declare(budgets={}, allow_empty=True, preview=True)
    assert len([each for each in found.resources if each.typ.endswith("UserBudgetBucket")]) == 16


# --- files


def write(folder: Path, text: str | bytes) -> Path:
    """Write a file of rows."""
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_of_rows(tmp_path: Path, delimiter: str, end: str, mark: str) -> None:
    """A file is read with each delimiter, line end and byte order mark; empty cells and lines are left out."""
    lines = ["login,budget_amount,expires_at,reason", "ann,20,,", "", 'bob, 80 ,2027-01-31,"launch of x"', "cid,5"]
    path = write(tmp_path, mark + end.join(lines).replace(",", delimiter) + end)
    assert UserBudgets.from_csv(path) == {
        "ann": 20,
        "bob": {"budget_amount": 80, "expires_at": "2027-01-31", "reason": "launch of x"},
        "cid": 5,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the first line lacks the column login and budget_amount"),
        ("login,amount\nann,5\n", "the first line lacks the column budget_amount"),
        ("login,budget_amount,expires\n", "there is no column 'expires'; did you mean expires_at?"),
        ("login,budget_amount,login\n", "the column login is there twice"),
        ("login,budget_amount\nann,5,6\n", "line 2 has 3 cells, the first line has 2"),
        ("login,budget_amount\nann\n,5\n", "line 2 lacks budget_amount; line 3 lacks login"),
        ("login,budget_amount\nann,5\nANN,6\n", "line 3 repeats ANN of line 2"),
        ('login,budget_amount\n"ann,5\n', "is no line of a CSV file"),
        (b"login,budget_amount\n\xff,5\n", "it is not UTF-8 text: save it as CSV UTF-8"),
        ("login,budget_amount\n" + "ann,\n" * 30, "and 10 more mistakes"),
    ],
)
def test_mistakes_of_a_file_name_its_lines(tmp_path: Path, text: str | bytes, words: str) -> None:
    """A wrong header or row fails with the file, the line and what is wrong, all at once."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as failure:
        UserBudgets.from_csv(path)
    assert str(path) in str(failure.value)
    assert words in str(failure.value)


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    """A missing file, a folder, a named pipe and a huge file are errors, without a wait."""
    pipe, huge = tmp_path / "pipe", tmp_path / "huge"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(10_000_001)
    for path, reason in (
        (tmp_path / "missing", "cannot be read: No such file"),
        (tmp_path, "cannot be read: it is not a regular file"),
        (pipe, "not a regular file"),
        (huge, "it has more than 9765 KiB"),
    ):
        with pytest.raises(ConfigError, match=reason):
            UserBudgets.from_csv(path)


def test_an_amount_that_is_none_is_left_to_the_check_of_the_rows(tmp_path: Path) -> None:
    """A file may have any text as an amount; the table then names the row."""
    rows = UserBudgets.from_csv(write(tmp_path, "login,budget_amount\nann,many\n"))
    assert str(read_rows(ENTERPRISE_OWNER, rows)[1][0]).startswith("ann: budget_amount: write a whole number")


# --- words


def test_what_the_parts_of_a_table_tell_is_one_line() -> None:
    """The program sums up what its parts tell, losses and the largest first, and counts what is too much."""
    parts = [
        as_message("t", [RowChange(f"u{number}", 1, number, "adopted" if number % 2 else "row")], [f"text {number}"])
        for number in range(14)
    ]
    parts.append(as_message("t", [RowChange("zoe", 0, None), RowChange("old", 7, None, "kept")], []))
    parts.append(as_message("another", [RowChange("not this", 1, 2)], ["no"]))
    whole, *others = from_messages("t", parts)
    assert whole == (
        "lifts the caps of 1 person ($0 a month), raises the caps of 12 people (+$78 a month), 6 of them existing "
        "budgets that it adopts, lowers the caps of 1 person (-$1 a month), adopts the budgets of 1 person, leaves on "
        "GitHub, where no table has them, the budgets of 1 person: zoe $0, u13 $1 to $13, u12 $1 to $12, u11 $1 to "
        "$11, u10 $1 to $10, u9 $1 to $9, u8 $1 to $8, u7 $1 to $7, u6 $1 to $6, u5 $1 to $5, and 6 more"
    )
    assert others == [*(f"text {number}" for number in range(10)), "and 4 more lines about rows of this table"]
    assert list(words.summary([])) == []


def test_each_user_who_is_not_in_an_exclusive_table_is_named() -> None:
    """Nobody declared these budgets, so no name is left out, however many rows change."""
    changes = [
        *(RowChange(f"new{n}", None, 500) for n in range(15)),
        *(RowChange(f"s{n}", n, None, "other") for n in range(50)),
    ]
    lines = list(words.summary(changes))
    assert [line.partition(":")[0] for line in lines] == [
        "adds caps for 15 people (+$7,500 a month)",
        "lifts the caps of 40 people who are not in this table",
        "lifts the caps of 10 people who are not in this table",
    ]
    assert all(f"s{number} ${number}" in " ".join(lines) for number in range(50))
