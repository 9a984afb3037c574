"""Generate the tables of the documents from the code: `make docs` writes them, `make check` compares them.

`make docs` also writes the stub of the package for type checkers, the inputs in the docstrings of the resources for
editors and `help`, the chart of the bench, and the pictures of what each verb prints, which the tests of the command
line compare.

A table stands between `<!-- generated: NAME ARGUMENT -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import billing_provider
from billing_provider import cli
from billing_provider.audit.rules import RULES
from billing_provider.budgets.models import FIELDS
from billing_provider.core.credentials import TEXTS
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.settings import FORMS, SETTINGS, Guards, Settings
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.http.actions import ACTIONS
from billing_provider.sandbox.http.faults import Rule
from billing_provider.sandbox.http.routes import ROUTES
from billing_provider.sandbox.operations.access import TOKENS
from billing_provider.sandbox.operations.quirks import QUIRKS
from billing_provider.sdk.budget import BudgetArgs
from billing_provider.transport.access import ROLES, grant_of
from tests.bench import chart, report, results
from tests.engine.test_guards_of_deletes import CHANGES, OUTCOMES
from tests.review.world import PLANS
from tests.support import pictures
from tests.test_operations import TABLE as USED_BY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "billing_provider"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))

STUB = PACKAGE / "__init__.pyi"
CHART = ROOT / "docs" / "bench.svg"

_REGION = re.compile(r"(<!-- generated: (?P<name>[^\n]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_CHANGES = {"replaces": "replaces", "updates": "updates", "stored": "stored", "nothing": "no effect"}
_COLUMNS = 120
_REPLACES = re.compile(r"\s*A change replaces the [a-z ]+\.")


def main() -> int:
    """Write every generated table into its page, the stub, and every picture into its file."""
    pictures.write()
    pages = [(page, filled(page.read_text())) for page in PAGES]
    for file, new in [(STUB, stub()), (CHART, chart.svg(results.read())), *docstrings(), *pages]:
        if new != file.read_text():
            file.write_text(new)
            sys.stdout.write(f"wrote {file.relative_to(ROOT)}\n")
    return 0


def filled(page: str) -> str:
    """Return a page with its generated tables written anew."""
    return _REGION.sub(lambda region: f"{region[1]}\n{render(region['name'])}\n\n{region[3]}", page)


def render(name: str) -> str:
    """Return one table.

    Raises:
        KeyError: There is no such table.
    """
    table, *arguments = name.split()
    return TABLES[table](*arguments)


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str) -> str:
    """Return a text as code, nothing for no text."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """Return a text that begins with a capital letter, unless with an identifier, and ends without a period."""
    first = text.partition(" ")[0]
    return (text if "_" in first else text[:1].upper() + text[1:]).rstrip(".")


def params(kind: object) -> dict[str, str]:
    """Return what a docstring says after `:param NAME:`, by name."""
    found = re.findall(r":param (\w+): (.*?)(?=\n\s*:param|\Z)", inspect.getdoc(kind) or "", re.DOTALL)
    return {name: " ".join(text.split()) for name, text in found}


def section(kind: object, title: str) -> dict[str, str]:
    """Return the entries of one section of a docstring in Google's style, such as `Args`, by name."""
    flags = re.DOTALL | re.MULTILINE
    found = re.search(rf"^{title}:\n(.*?)(?=^\S|\Z)", inspect.getdoc(kind) or "", flags)
    entries = re.findall(r"^(\w+): (.*?)(?=^\w|\Z)", textwrap.dedent(found[1]) if found else "", flags)
    return {name: " ".join(text.split()) for name, text in entries}


def first_line(kind: object) -> str:
    """Return the first sentence of a docstring."""
    return (inspect.getdoc(kind) or "").partition("\n")[0]


# --- resources


def docstrings() -> list[tuple[Path, str]]:
    """Return the modules of the resources, with the inputs and their texts in the docstrings of the constructors."""
    modules: dict[Path, str] = {}
    for resource in (billing_provider.EnterpriseBudget, billing_provider.OrgBudget, billing_provider.CostCenter):
        file = Path(inspect.getfile(resource))
        entries = "".join(f"{_entry(name, text)}\n" for name, text in input_texts(resource).items())
        inner = re.compile(rf'(?s)(\nclass {resource.__name__}\(.*?\n        Args:\n)(.*?)(        """)')
        source = modules.get(file) or file.read_text()
        start, end = next(inner.finditer(source)).span(2)
        modules[file] = source[:start] + entries + source[end:]
    return list(modules.items())


def input_texts(resource: type[Any]) -> dict[str, str]:
    """Return the texts of the parameters of a constructor."""
    form = getattr(billing_provider, f"{resource.__name__}Args")
    texts = {
        "resource_name": "Name of the resource in the program.",
        "opts": "Pulumi's options of the resource.",
        **(params(BudgetArgs) if "budget_amount" in form.__annotations__ else {}),
        **params(form),
    }
    return {name: texts[name] for name in inspect.signature(resource).parameters}


def _entry(name: str, text: str) -> str:
    indent = " " * 12
    return textwrap.fill(f"{name}: {text}", 100, initial_indent=indent, subsequent_indent=f"{indent}    ")


def budget_inputs() -> str:
    """Return the inputs of both budget resources."""
    rows = [(name, field.text, field.required, _CHANGES[field.change]) for name, field in FIELDS.items()]
    # The resource turns it into the name of the entity; no budget has it.
    center = params(billing_provider.EnterpriseBudgetArgs)["cost_center"]
    return _inputs([*rows, ("cost_center", center, False, _CHANGES["replaces"])])


def cost_center_inputs() -> str:
    """Return the inputs of a cost center."""
    kind = billing_provider.CostCenterArgs
    changes = {"enterprise": _CHANGES["replaces"], "on_existing": _CHANGES["nothing"], "on_delete": _CHANGES["stored"]}
    return _inputs(
        (name, text, name in required(kind), changes.get(name, _CHANGES["updates"]))
        for name, text in params(kind).items()
    )


def required(kind: type[Any]) -> set[str]:
    """Return the names of the arguments that must be given."""
    texts = {name: getattr(each, "__forward_arg__", str(each)) for name, each in kind.__annotations__.items()}
    return {name for name, text in texts.items() if text.startswith("Required[")}


def _inputs(rows: Iterable[tuple[str, str, bool, str]]) -> str:
    return markdown(
        ("input", "meaning", "a change"),
        [
            (code(name), ("Required. " if needed else "") + _REPLACES.sub("", text), change)
            for name, text, needed, change in rows
        ],
    )


def outputs(resource: str) -> str:
    """Return the outputs of a resource that are not inputs."""
    kind = getattr(billing_provider, resource)
    texts: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith("billing_provider"):
            texts |= _attribute_texts(parent)
    inputs = {*params(BudgetArgs), *params(getattr(billing_provider, f"{resource}Args"))}
    return markdown(("output", "meaning"), [(code(name), text) for name, text in texts.items() if name not in inputs])


def _attribute_texts(kind: type[Any]) -> dict[str, str]:
    """Return the docstrings below the attributes of a class, by name."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        node.target.id: " ".join(str(text.value.value).split())
        for node, text in pairwise(body)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def guards() -> str:
    """Return what each guard does when a hard stop is to go, as its test finds it."""
    return markdown(("guard", *CHANGES), [(name, *found) for name, found in OUTCOMES.items()])


def scopes() -> str:
    """Return the scopes, and which resource takes them."""
    kinds = OWNER_KINDS.values()
    names = dict.fromkeys(scope for kind in kinds for scope in kind.scopes)
    return markdown(
        ("scope", *(code(kind.resource) for kind in kinds)),
        [
            (
                code(scope),
                *("default" if scope == kind.noun else "yes" if scope in kind.scopes else "" for kind in kinds),
            )
            for scope in names
        ],
    )


def settings() -> str:
    """Return the settings of the stack's configuration, with their defaults and ranges on a real host."""
    texts = section(Settings, "Attributes") | section(Guards, "Attributes") | TEXTS
    defaults = {field.name: field.default for kind in (Settings, Guards) for field in dataclasses.fields(kind)}
    rows = []
    for key in SETTINGS:
        name = key if key in TEXTS else re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
        default = None if key in TEXTS else defaults[name]
        if default is None:
            shown = ""
        elif isinstance(default, bool):
            shown = code(str(default).lower())
        else:
            shown = code(f"{default:g}" if isinstance(default, int | float) else str(default))
        rows.append((code(key), shown, _range(key), sentence(texts[name])))
    return markdown(("setting", "default", "range", "meaning"), rows)


def access() -> str:
    """Return what GitHub asks of a credential, by owner and endpoint."""
    rows = []
    for row in ROLES:
        grant = grant_of(row.kind, row.endpoint)
        verbs = {(): ", change" if row.endpoint else "", ("GET",): ", read", ("DELETE",): ", delete"}.get(
            row.methods, ", create and change"
        )
        others = sum(each.kind == row.kind for each in ROLES) > 1
        what = (row.endpoint or ("all others" if others else "usage")) + verbs
        rows.append((row.kind, what, row.who, code(grant.scopes[0]), grant.permission))
    return markdown(("owner", "endpoints", "role of the user", "scope (classic)", "permission"), rows)


def _range(key: str) -> str:
    """Return the range of a setting, as the error for a value out of it says."""
    expected = FORMS[key].expected if key in FORMS else ""
    if expected.startswith("one of "):
        return ", ".join(map(code, expected.removeprefix("one of ").split(", ")))
    if "0 or more" in expected:
        return "0 or more, or `off`"
    return expected.removeprefix("a number from ")


# --- functions


def functions() -> str:
    """Return the functions with what they return and take."""
    rows = []
    for name in billing_provider.__all__:
        function = getattr(billing_provider, name)
        if inspect.isfunction(function) and not name.endswith("_output"):
            names = section(function, "Args")
            returned = str(inspect.signature(function).return_annotation).replace("billing_provider.", "")
            rows.append((code(name), code(returned), ", ".join(map(code, names))))
    return markdown(("function", "returns", "arguments"), rows)


def arguments(function: str) -> str:
    """Return the arguments of one function with their texts."""
    rows = section(getattr(billing_provider, function), "Args").items()
    return markdown(("argument", "meaning"), [(code(name), text) for name, text in rows])


def fields(kind: str) -> str:
    """Return the fields of a public class that a function returns."""
    cls = getattr(billing_provider, kind)
    texts = {name: text for parent in reversed(cls.__mro__) for name, text in section(parent, "Attributes").items()}
    return markdown(("field", "meaning"), [(code(name), text) for name, text in texts.items()])


# --- the stub


def stub() -> str:
    """Return the public names with their types, as type checkers and editors read them."""
    forms = [name for name in billing_provider.__all__ if name.endswith("_output")]
    public: dict[str, tuple[str, ...]] = vars(billing_provider)["_PUBLIC"]
    lines = ["# Written by `make docs`.", "", "import pulumi", ""]
    for module, names in sorted({**public, "_version": ("__version__ as __version__",)}.items()):
        lines += _import(f"billing_provider.{module}", sorted({*names} - {*forms}))
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in billing_provider.__all__), "]", ""]
    for name in forms:
        lines += _declaration(getattr(billing_provider, name))
    return "\n".join(lines)


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= _COLUMNS else [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _declaration(function: Callable[..., Any]) -> list[str]:
    signature = inspect.signature(function)
    parameters = [
        f"    {each.name}: {each.annotation}{'' if each.default is each.empty else f' = {each.default!r}'},"
        for each in signature.parameters.values()
    ]
    returned = f") -> {signature.return_annotation}:"
    text = f'    """{inspect.getdoc(function)}"""'
    return [f"def {function.__name__}(", "    *,", *parameters, returned, text, ""]


# --- the command line


def options(verb: str) -> str:
    """Return the options of one verb, as its parser declares them."""
    rows = []
    for action in verb_parser(verb)._actions:
        if action.dest == "help":
            continue
        value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
        words = [*action.option_strings[:1], value, "..." if action.nargs == "+" else ""]
        meaning = sentence(action.help or "")
        if action.choices and action.metavar is None:
            meaning += f"; one of {', '.join(map(code, action.choices))}"
        rows.append((code(" ".join(filter(None, words))), meaning))
    return markdown(("option", "meaning"), rows)


def shown(scene: str) -> str:
    """Return the output of one scene on a terminal of 80 columns."""
    command = f"$ billing-provider {pictures.SCENES[scene].command}"
    lines = textwrap.wrap(command, 78, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    shell = " \\\n".join(lines)
    return f"```text\n{shell}\n{pictures.picture(scene, 80)}```"


def preview(old: str, new: str) -> str:
    """Return the preview of the README's first program with one text in it replaced, after the program was brought up.

    Args:
        old: What is replaced; it must be there once.
        new: What takes its place.
    """
    (program, *_) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    before, after = program.split(old)
    return f"```text\n{pictures.preview(program, f'{before}{new}{after}', 80)}\n```"


def comment_about_a_plan() -> str:
    """Return the comment of a pull request about the recorded plan, without its hidden line and its last sentence."""
    lines = (PLANS / "comment.md").read_text().splitlines()
    shown_lines = [line for line in lines if not line.startswith(("<!--", "<sub>"))]
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 100) for line in shown_lines).strip()


def rules() -> str:
    """Return the rules with their settings."""
    return markdown(
        ("rule", "demands that"),
        [(code(f"{name}={rule.setting}" if rule.setting else name), rule.text) for name, rule in RULES.items()],
    )


def verb_parser(verb: str) -> argparse.ArgumentParser:
    """Return the parser of one verb.

    Raises:
        KeyError: There is no such verb.
    """
    (choices,) = (each.choices for each in cli.parser()._actions if isinstance(each, argparse._SubParsersAction))
    found: argparse.ArgumentParser = choices[verb]
    return found


# --- the sandbox and the engine


def quirks() -> str:
    """Return the quirks of the sandbox."""
    return markdown(
        ("quirk", "evidence", "effect"),
        [
            (code(name if quirk.number is None else f"{name}={quirk.number}"), quirk.evidence, sentence(quirk.summary))
            for name, quirk in QUIRKS.items()
        ],
    )


def faults() -> str:
    """Return the faults that the sandbox can play."""
    rows = [(code(name), "yes" if each.commits else "", sentence(each.summary)) for name, each in ACTIONS.items()]
    return markdown(("action", "applied", "effect"), rows)


def fault_rules() -> str:
    """Return the keys of a planned fault."""
    return markdown(("key", "meaning"), [(code(name), text) for name, text in section(Rule, "Attributes").items()])


def tokens() -> str:
    """Return the sample tokens of the sandbox."""
    return markdown(
        ("token", "what it may do"), [(code(f"{name}-SUFFIX"), sentence(each.summary)) for name, each in TOKENS.items()]
    )


def sandbox_members() -> str:
    """Return the public attributes and methods of the sandbox."""
    return _members(Sandbox)


def _members(kind: type[Any]) -> str:
    rows = []
    for name, member in vars(kind).items():
        if name.startswith("_") or not inspect.getdoc(member) or isinstance(member, str):
            continue
        call = "" if isinstance(member, property) else "()"
        rows.append((code(f"{name}{call}"), sentence(first_line(member))))
    return markdown(("member", "meaning"), rows)


# --- operations


def operations(owner: str) -> str:
    """Return the operations on the billing of one kind of owner, or on `people`: method, file, and what uses each."""
    methods = promised()
    rows = []
    for route in ROUTES:
        kind, _, rest = route.path.removeprefix("/").partition("/")
        if owner != (kind if "/settings/billing/" in route.path else "people"):
            continue
        tail = rest.partition("/")[2]
        where = methods.get((route.method, route.path)) or methods[route.method, f"/{{owner}}/{tail}"]
        used = ", ".join(code(name) for name in USED_BY[route.method, route.path][1].split(", "))
        path = route.path if owner == "people" else tail.removeprefix("settings/billing")
        rows.append((code(f"{route.method} {path}"), f"{code(where[0])} in {code(where[1])}", used))
    return markdown(("operation", "method", "used by"), rows)


def promised() -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for each verb and path that a method's docstring names, the method and its file."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for owner, function in _methods(ast.parse(file.read_text())):
            said = re.search(r"GitHub: ([A-Z]+) (\S+)\Z", ast.get_docstring(function) or "")
            if said:
                found[said[1], said[2]] = (f"{owner}.{function.name}", str(file.relative_to(PACKAGE)))
    return found


def _methods(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name != "__init__":
                    yield node.name, method


# --- the bench


def bench(part: str, *engine: str) -> str:
    """Return one part of what was measured: `machine`, `goals`, `steps` of an engine, `processes` or `engines`."""
    found = results.read()
    tables: dict[str, tuple[Iterable[str], Callable[..., list[tuple[str, ...]]]]] = {
        "goals": (report.GOAL_HEADER, report.goal_rows),
        "steps": (report.STEP_HEADER, report.step_rows),
        "processes": (report.PROCESS_HEADER, report.process_rows),
        "engines": (report.ENGINE_HEADER, report.engine_rows),
    }
    if part == "machine":
        return textwrap.fill(report.machine(found), 100)
    header, rows = tables[part]
    return markdown(header, rows(found, *engine))


TABLES: dict[str, Callable[..., str]] = {
    "arguments": arguments,
    "bench": bench,
    "budget-inputs": budget_inputs,
    "comment": comment_about_a_plan,
    "cost-center-inputs": cost_center_inputs,
    "fault-rules": fault_rules,
    "faults": faults,
    "fields": fields,
    "functions": functions,
    "guards": guards,
    "operations": operations,
    "options": options,
    "outputs": outputs,
    "preview": preview,
    "quirks": quirks,
    "rules": rules,
    "sandbox": sandbox_members,
    "scopes": scopes,
    "settings": settings,
    "access": access,
    "shown": shown,
    "tokens": tokens,
}

if __name__ == "__main__":
    sys.exit(main())
