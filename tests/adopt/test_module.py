"""The text of the program: it compiles, is formatted and typed, and declares exactly the entries."""

from __future__ import annotations

import ast
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.adopt import module
from billing_provider.adopt.entries import Entry, find_entries
from billing_provider.adopt.inventory import owners_of, read_inventories
from billing_provider.adopt.names import unique, variable
from billing_provider.adopt.tables import Table
from billing_provider.core.resource import Stored
from tests.adopt.world import OtherClient, a_sandbox
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CENTER = "enterprise/acme/6f9c1d1e-0000-4000-8000-000000000000"


def named(entries: Sequence[Entry]) -> dict[str, str]:
    names: dict[str, str] = {}
    for entry in entries:
        names[entry.id] = unique(entry.wanted, set(names.values()))
    return names


def sixty_five() -> tuple[list[Entry], dict[str, str]]:
    """Return all entries of the other client's world, and their names."""
    with a_sandbox() as sandbox:
        OtherClient(sandbox).everything(sandbox)
        run = open_harness(sandbox).run
        entries, _ = find_entries(run, read_inventories(run, owners_of(["octo-enterprise"], ["octo-org"])))
    return entries, named(entries)


def budget(id_: str, wanted: str = "b", kind: str = "EnterpriseBudget", **declared: Any) -> Entry:
    scope = declared.get("budget_scope", "enterprise")
    center = declared.pop("of", None)
    plain = {"enterprise": "acme", "budget_product_sku": "actions", "budget_amount": 1}
    return Entry(kind, wanted, {**plain, **declared}, Stored(f"enterprise/acme/{id_}", {}, {}), scope, center)


def person(number: int, owner: str = "enterprise/acme", **declared: Any) -> Entry:
    """Return the budget of a person."""
    noun, slug = owner.split("/")
    login = f"dev-{number:02}"
    shape = {noun: slug, "budget_product_sku": "ai_credits", "budget_scope": "user", "user": login}
    inputs = {**shape, "budget_amount": number, **declared}
    kind = "EnterpriseBudget" if noun == "enterprise" else "OrgBudget"
    return Entry(kind, f"user-{login}", inputs, Stored(f"{owner}/ID-{number}", {}, {}), "user")


def center(name: str = "Platform") -> Entry:
    return Entry("CostCenter", "cost-center-platform", {"enterprise": "acme", "name": name}, Stored(CENTER, {}, {}))


TABLES = [
    Table(name, f"{name}.csv", [person(1), person(2)])
    for name in ("people", "people-of-the-second-export-", "p" * 45, "p" * 56)
]


def declared_by(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Run a module with resources that only record their arguments; return class, name and arguments."""
    calls: list[tuple[str, str, dict[str, Any]]] = []

    def record(kind: str) -> Any:
        def call(name: str, /, **arguments: Any) -> str:
            calls.append((kind, name, arguments))
            return f"<{name}>"

        return call

    kinds = ("EnterpriseBudget", "OrgBudget", "CostCenter", "UserBudgets")
    fake = SimpleNamespace(**{kind: record(kind) for kind in kinds})
    fake.UserBudgets.from_csv = str
    code = text.replace("import billing_provider as billing\n", "", 1)
    exec(compile(code, "budgets.py", "exec"), {"billing": fake, "__file__": "/at/budgets.py"})  # noqa: S102 - the text that is tested
    return calls


def expected(entries: Sequence[Entry], names: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what the calls of a module must be."""
    found = []
    for entry in entries:
        arguments = dict(entry.declared)
        if entry.cost_center in names:
            del arguments["budget_entity_name"]
            arguments["cost_center"] = f"<{names[str(entry.cost_center)]}>"
            if arguments["budget_scope"] == "cost_center":
                del arguments["budget_scope"]
        found.append((entry.kind, names[entry.id], arguments))
    return found


def by_name(calls: list[tuple[str, str, dict[str, Any]]]) -> list[tuple[str, str, dict[str, Any]]]:
    return sorted(calls, key=lambda call: call[:2])


def test_the_module_is_formatted_and_typed(tmp_path: Path) -> None:
    """Formatters of both usual widths change nothing, and ruff and mypy (strict) find nothing, also after a growth."""
    entries, names = sixty_five()
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    grown = module.extend(module.write(entries[:20], names), entries[20:], names)
    both = module.write(entries, names, TABLES)
    more = module.extend(module.write(entries[:20], names, TABLES[:1]), entries[20:], names, TABLES[1:])
    texts = {"budgets": module.write(entries, names), "grown": grown, "both": both, "more": more}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
        assert max(map(len, text.splitlines())) <= module.WIDTH
    commands = [
        ["ruff", "format", "--isolated", "--check", "--line-length", "88", "."],
        ["ruff", "format", "--isolated", "--check", "--line-length", "120", "."],
        ["ruff", "check", "--isolated", "."],
        ["ruff", "check", "--isolated", "--select", "ALL", "--ignore", "CPY001,D104,D203,D213", "."],
        ["mypy", "--strict", "--config-file=", "."],
    ]
    for command in commands:
        done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_module_declares_exactly_the_entries() -> None:
    """Each entry is declared once, with its name and its inputs, whole or grown; a growth changes no byte before it."""
    entries, names = sixty_five()
    text = module.write(entries, names)
    assert by_name(declared_by(text)) == by_name(expected(entries, names))
    start = module.write(entries[:7], names)
    grown = module.extend(start, entries[7:], names)
    assert grown.startswith(start)
    assert by_name(declared_by(grown)) == by_name(expected(entries, names))
    assert text.count("billing.EnterpriseBudget(") < 20


def test_a_table_reads_the_file_beside_the_module() -> None:
    """A table names its owner, and its file by the place of the module; a long name takes more lines."""
    calls = declared_by(module.write([budget("1")], {"enterprise/acme/1": "b"}, TABLES))
    assert [(kind, name) for kind, name, _ in calls] == [
        ("EnterpriseBudget", "b"),
        *(("UserBudgets", table.name) for table in TABLES),
    ]
    assert calls[1][2] == {"enterprise": "acme", "budgets": "/at/people.csv"}
    assert [call[2]["budgets"] for call in calls[2:]] == [f"/at/{table.file}" for table in TABLES[1:]]


TEXT = st.text(max_size=120)
AMOUNT = st.integers(min_value=0, max_value=3)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"budget_product_sku": TEXT, "budget_amount": AMOUNT},
            optional={
                "budget_entity_name": TEXT,
                "user": TEXT,
                "budget_type": TEXT,
                "prevent_further_usage": st.booleans(),
                "budget_alerting": st.fixed_dictionaries(
                    {"will_alert": st.just(value=True), "alert_recipients": st.lists(TEXT, max_size=5)}
                ),
            },
        ),
        max_size=8,
    ),
    TEXT,
    st.booleans(),
)
def test_any_text_in_a_budget_stays_a_text(rows: list[dict[str, Any]], name: str, also_name: bool) -> None:
    """Hostile names in budgets and cost centers are never code: the module declares exactly the entries."""
    entries = [budget(str(at), name if also_name else "b", **row) for at, row in enumerate(rows)]
    entries += [center(name), budget("last", budget_scope="cost_center", budget_entity_name="x", of=CENTER)]
    names = named(entries)
    text = module.write(entries, names)
    assert by_name(declared_by(text)) == by_name(expected(entries, names))
    grown = module.extend(module.write(entries[:1], names), entries[1:], names)
    assert by_name(declared_by(grown)) == by_name(expected(entries, names))
    text.encode()


@given(TEXT)
def test_a_quoted_text_is_that_text(text: str) -> None:
    """A literal is the text, on one line, whatever it contains."""
    assert ast.literal_eval(module.quote(text)) == text
    assert module.quote(text).isprintable()


@given(TEXT)
def test_a_variable_is_an_identifier(name: str) -> None:
    """Any name, also one that a user chose, gives a variable that can be assigned."""
    ast.parse(f"{variable(name)} = 1")
    assert variable(name).isascii()


@pytest.mark.parametrize(("name", "word"), [("a-b", "a_b"), ("class", "resource_class"), ("1", "resource_1")])
def test_variables_are_readable(name: str, word: str) -> None:
    """A name becomes a variable with underscores; what is no identifier gets a prefix."""
    assert variable(name) == word


def test_long_values_have_a_line_for_each_item() -> None:
    """What does not fit on a line is written one item a line, also in a table."""
    people = [f"somebody-with-a-long-login-{number}" for number in range(4)]
    alerting = {"will_alert": True, "alert_recipients": people}
    rows = [budget(str(at), f"name-{at}-{'x' * 60}", user="y" * 30 + str(at)) for at in range(3)]
    text = module.write([budget("loud", budget_alerting=alerting), *rows], named([budget("loud"), *rows]))
    assert '        "alert_recipients": [\n            "somebody-with-a-long-login-0",\n' in text
    assert f'    (\n        "name-0-{"x" * 60}",\n        "{"y" * 30}0",\n    ),\n' in text
    assert max(map(len, text.splitlines())) <= module.WIDTH


def test_two_budgets_of_one_shape_make_no_table() -> None:
    """A table needs three rows; columns are the inputs that differ."""
    for number, tables in ((2, 0), (3, 1)):
        entries = [budget(str(at), user=f"u{at}", budget_scope="user", budget_amount=at % 2) for at in range(number)]
        text = module.write(entries, named(entries))
        assert text.count("for name, user, amount in (") == tables


def test_a_budget_without_the_entry_of_its_cost_center_names_it() -> None:
    """Without an entry, the cost center is written as its id."""
    entry = budget("1", budget_scope="cost_center", budget_entity_name="the-uuid", of=CENTER)
    text = module.write([entry], named([entry]))
    assert 'budget_entity_name="the-uuid"' in text
    assert "cost_center=" not in text


START = module.write([center()], {CENTER: "cost-center-platform"})
NAMES = {CENTER: "cost-center-platform", "enterprise/acme/1": "new"}
NEW = budget("1", budget_scope="cost_center", budget_entity_name="x", of=CENTER)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def", "it is not valid Python"),
        ("\0", "it is not valid Python"),
        ("import billing_provider\n", "`import billing_provider as billing` is missing"),
        (f"{START}billing = 1\n", "`import billing_provider as billing` is missing"),
        (START.replace("cost_center_platform", "mine"), "it has no variable cost_center_platform"),
        (f"{START}cost_center_platform = 1\n", "it has no variable cost_center_platform"),
        (f"{START}def cost_center_platform() -> None: ...\n", "it has no variable cost_center_platform"),
        (f"{START}x = 'new'\n", "it has the name new already"),
        (START, "`from pathlib import Path` is missing"),
        (f"from pathlib import Path\n{START}Path = 1\n", "`from pathlib import Path` is missing"),
        (f"from pathlib import Path\n{START}x = 'people'\n", "it has the name people already"),
    ],
)
def test_a_module_that_cannot_grow_safely_is_left_alone(text: str, reason: str) -> None:
    """The reason is named; no text is returned."""
    with pytest.raises(ValueError, match=reason):
        module.extend(text, [NEW], NAMES, TABLES[:1] if "Path" in reason or "people" in reason else ())


def test_a_variable_of_the_user_is_not_overwritten() -> None:
    """A new cost center whose variable is in the module already is not appended."""
    with pytest.raises(ValueError, match="it has the variable cost_center_platform already"):
        module.extend(f"{module.write([], {})}\ncost_center_platform = 1\n", [center()], NAMES)


def test_a_module_without_a_last_line_break_grows() -> None:
    """The first new line starts on its own."""
    grown = module.extend(START.rstrip("\n"), [NEW], NAMES)
    assert [name for _, name, _ in declared_by(grown)] == ["cost-center-platform", "new"]
