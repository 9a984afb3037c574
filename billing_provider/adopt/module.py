"""The text of the program: one declaration for each entry, and a table for many budgets of one shape."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.entries import COST_CENTER_KIND
from billing_provider.adopt.names import variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from billing_provider.adopt.entries import Entry
    from billing_provider.adopt.tables import Table

WIDTH = 88
"""The longest line, if the values allow it; a formatter with this or a larger width changes nothing."""
_MODULE = "billing"
_IMPORT = f"import billing_provider as {_MODULE}"
_PATH = "Path"
_IMPORT_OF_PATH = f"from pathlib import {_PATH}"
_HEAD = '''\
"""Budgets and cost centers that `billing-provider export` found on GitHub.

Import this module in a program, or run it as the program. It is yours to edit: a later
export only appends what is new. `budgets-import.json` has the same names.
"""
'''
_HEAD_OF_MASKED = '''\
"""Budgets and cost centers that `billing-provider export` found on GitHub, to be shared.

The logins of people are masked, so do not run this program: it would change the budgets.
"""
'''
_INDENT = "    "
_FEWEST_ROWS = 3
"""The least number of budgets of one shape that become a table."""
_TABLES = (
    (("user", "budget_entity_name"), "budget_amount"),
    (("budget_product_sku",), "budget_amount"),
)
"""The inputs that may differ in a table: the first of some that a budget has, and its amount; tried in this order."""
_LOOP_NAMES = {
    "user": "user",
    "budget_entity_name": "entity",
    "budget_product_sku": "sku",
    "budget_amount": "amount",
    "cost_center": "center",
}


_LAST = ("cost_center", "budget_amount", "prevent_further_usage", "budget_alerting", "expires_at")
"""The inputs that come last in a call: first what is covered, then how much, then the rest."""


class _Code(str):
    """An expression, in contrast to a text."""

    __slots__ = ()


@dataclass(frozen=True)
class _Declaration:
    """One call to write."""

    name: str
    kind: str
    arguments: dict[str, Any]


def write(
    entries: Sequence[Entry], names: Mapping[str, str], people: Sequence[Table] = (), *, masked: bool = False
) -> str:
    """Return a complete module.

    Args:
        entries: What to declare, in this order.
        names: The name of each entry by its id; cost centers without an entry have none.
        people: The tables of people's budgets.
        masked: Whether the logins are masked, for the module's text.
    """
    imports = f"{_IMPORT_OF_PATH}\n\n{_IMPORT}" if people else _IMPORT
    return f"{_HEAD_OF_MASKED if masked else _HEAD}\n{imports}\n\n{_body(entries, names, people)}"


def extend(text: str, entries: Sequence[Entry], names: Mapping[str, str], people: Sequence[Table] = ()) -> str:
    """Return a module with declarations of further entries at its end.

    Args:
        text: The module, as it is; it stays the beginning of the result.
        entries: The new entries.
        names: The name of each entry by its id, those in the module included.
        people: The new tables of people's budgets.

    Raises:
        ValueError: The module was edited so that this is not safe; the message has the reason.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("it is not valid Python") from None
    bound = _bound(tree)
    statements = {ast.unparse(node) for node in tree.body}
    if _IMPORT not in statements or bound[_MODULE] != 1:
        raise ValueError(f"`{_IMPORT}` is missing")
    if people and (_IMPORT_OF_PATH not in statements or bound[_PATH] != 1):
        raise ValueError(f"`{_IMPORT_OF_PATH}` is missing")
    new = {names[entry.id] for entry in entries} | {each.name for each in people}
    own = {variable(names[entry.id]) for entry in entries if entry.kind == COST_CENTER_KIND}
    if taken := sorted(bound.keys() & own):
        raise ValueError(f"it has the variable {taken[0]} already")
    wanted = {variable(names[id_]) for entry in entries if (id_ := entry.cost_center) and id_ in names} - own
    if missing := sorted(name for name in wanted if bound[name] != 1):
        raise ValueError(f"it has no variable {missing[0]}")
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    if taken := sorted({value for value in values if isinstance(value, str)} & new):
        raise ValueError(f"it has the name {taken[0]} already")
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}\n{_body(entries, names, people)}"


def quote(text: str) -> str:
    """Return a text as a Python literal, in double quotes if that needs no escapes."""
    literal = repr(text)
    return literal if '"' in text or "'" in text else f'"{literal[1:-1]}"'


def _bound(tree: ast.Module) -> Counter[str]:
    """Return how often the module itself binds each variable, wherever it does."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.alias):
            found[(node.asname or node.name).partition(".")[0]] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] += 1
    return found


def _body(entries: Sequence[Entry], names: Mapping[str, str], people: Sequence[Table] = ()) -> str:
    centers = [entry for entry in entries if entry.kind == COST_CENTER_KIND]
    blocks = [f"{variable(names[entry.id])} = {_call(_declaration(entry, names))}" for entry in centers]
    left = [_declaration(entry, names) for entry in entries if entry.kind != COST_CENTER_KIND]
    tables: list[str] = []
    for differing, second in _TABLES:
        shapes: dict[Any, list[_Declaration]] = defaultdict(list)
        for each in left:
            shapes[_shape(each, differing, second)].append(each)
        many = [group for shape, group in shapes.items() if shape is not None and len(group) >= _FEWEST_ROWS]
        tables += [_table(group, differing, second) for group in many]
        in_tables = {each.name for group in many for each in group}
        left = [each for each in left if each.name not in in_tables]
    return "\n".join(f"{block}\n" for block in [*blocks, *map(_call, left), *tables, *map(_people, people)])


def _declaration(entry: Entry, names: Mapping[str, str]) -> _Declaration:
    arguments = dict(entry.declared)
    if entry.cost_center is not None and entry.cost_center in names:
        arguments["cost_center"] = _Code(variable(names[entry.cost_center]))
        del arguments["budget_entity_name"]
        if arguments["budget_scope"] == "cost_center":
            del arguments["budget_scope"]
    order = [name for name in arguments if name not in _LAST] + [name for name in _LAST if name in arguments]
    return _Declaration(names[entry.id], entry.kind, {name: arguments[name] for name in order})


def _people(table: Table) -> str:
    """Return the declaration of a table, whose file is beside the module."""
    owner = table.owner
    calls = [f"{_MODULE}.UserBudgets.from_csv", f"{_PATH}(__file__).with_name"]
    rows = _Code(_nested(calls, quote(table.file), _INDENT, len("budgets=")))
    declared = _Declaration(table.name, "UserBudgets", {owner.kind.noun: owner.slug, "budgets": rows})
    return f"# One row for each of {len(table.rows):,} people.\n{_call(declared)}"


def _nested(calls: Sequence[str], argument: str, indent: str, taken: int = 0) -> str:
    """Return calls, each the argument of the one before, on one line if they fit.

    Args:
        calls: The called functions, from the outermost one.
        argument: The argument of the innermost one.
        indent: As for `_literal`.
        taken: As for `_literal`.
    """
    inline = f"{'('.join([*calls, argument])}{')' * len(calls)}"
    if not calls or len(indent) + taken + len(inline) + 1 <= WIDTH:
        return inline
    inner = indent + _INDENT
    return f"{calls[0]}(\n{inner}{_nested(calls[1:], argument, inner)},\n{indent})"


def _first(each: _Declaration, differing: Sequence[str]) -> str | None:
    return next((name for name in (*differing, "cost_center") if name in each.arguments), None)


def _shape(each: _Declaration, differing: Sequence[str], second: str) -> Any:
    """Return what budgets of one table have in common, or None if a budget cannot be in one."""
    first = _first(each, differing)
    if first is None:
        return None
    rest = {name: value for name, value in each.arguments.items() if name not in (first, second)}
    return each.kind, first, repr(rest)


def _table(group: Sequence[_Declaration], differing: Sequence[str], second: str) -> str:
    first = str(_first(group[0], differing))
    columns = [name for name in (first, second) if len({repr(each.arguments[name]) for each in group}) > 1]
    loop = {name: _Code(_LOOP_NAMES[name]) for name in columns}
    rows = [(each.name, *(each.arguments[name] for name in columns)) for each in group]
    lines = [
        f"# These budgets differ only in {' and '.join(columns)}.",
        f"for {', '.join(['name', *loop.values()])} in (",
        *(f"{_INDENT}{_literal(row, _INDENT)}," for row in rows),
        "):",
        f"{_INDENT}{_call(_Declaration(_Code('name'), group[0].kind, {**group[0].arguments, **loop}), _INDENT)}",
    ]
    return "\n".join(lines)


def _call(each: _Declaration, indent: str = "") -> str:
    inner = indent + _INDENT
    lines = [f"{inner}{_literal(each.name, inner)},"]
    lines += [f"{inner}{name}={_literal(value, inner, len(name) + 1)}," for name, value in each.arguments.items()]
    return "\n".join([f"{_MODULE}.{each.kind}(", *lines, f"{indent})"])


def _literal(value: Any, indent: str, taken: int = 0) -> str:
    """Return a value as Python: on one line if it fits, else one line for each item.

    Args:
        value: A text, a number, a flag, or a list, a tuple or a dict of those.
        indent: The indentation of the line that the value is on.
        taken: The number of characters before the value on that line.
    """
    if isinstance(value, _Code):
        return str(value)
    if isinstance(value, str):
        return quote(value)
    if not isinstance(value, list | tuple | dict):
        return repr(value)
    start, end = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    keys = [f"{quote(key)}: " for key in value] if isinstance(value, dict) else [""] * len(value)
    items = list(value.values()) if isinstance(value, dict) else value
    inner = indent + _INDENT
    inline = ", ".join(f"{key}{_literal(item, inner)}" for key, item in zip(keys, items, strict=True))
    if len(indent) + taken + len(inline) + 3 <= WIDTH and "\n" not in inline:
        return f"{start}{inline}{end}"
    lines = [f"{inner}{key}{_literal(item, inner, len(key))}," for key, item in zip(keys, items, strict=True)]
    return "\n".join([start, *lines, f"{indent}{end}"])


def declaration(entry: Entry, name: str) -> str:
    """Return the declaration of one entry, for a program with `import billing_provider as billing`.

    Args:
        entry: What to declare; a budget names its cost center by the UUID.
        name: The name of the resource.
    """
    return _body([entry], {entry.id: name}).rstrip("\n")
