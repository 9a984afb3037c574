"""The shape of the package, as tables: who may import whom, what is public, what is promised in words."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import Literal, get_origin

import pytest

import billing_provider
from billing_provider import provider
from billing_provider.budgets.fields import declared_fields
from billing_provider.budgets.models import FIELDS
from billing_provider.budgets.states import OUTPUTS, BudgetState
from billing_provider.sandbox.http.routes import ROUTES
from tests.support.fields import WiderSpec, complaints

PACKAGE = Path(__file__).parent.parent / "billing_provider"

LAYERS = (
    *("_version", "core", "transport", "runtime", "cost_centers", "budgets", "user_budgets", "usage"),
    *("preview", "reader"),
    *("operations", "engine_log", "provider", "sdk", "adopt", "audit", "policy", "review", "doctor", "cli", "__main__"),
)
"""The folders and modules of the provider; each imports only from those before it, and from itself."""

APART = {
    "storage": set[str](),
    "sandbox": {"storage"},
    "engine": {"storage"},
    "testing": {"storage", "sandbox", "engine"},
}
"""The folders beside the provider, and what each may import: they share nothing with it."""

EXTRA = {
    "core": {"storage"},
    "transport": {"storage"},
    "cli": {"storage", "sandbox", "engine"},
    "adopt": {"storage"},
    "user_budgets": {"storage"},
    "review": {"storage"},
}
"""JSON of others is read by one rule. The verbs start the sandbox and the engine. Exports, plans, tables are files."""

SANDBOX = ("store", "operations", "http", "seed", "server")
"""The folders and modules of the sandbox; each imports only from those before it, and from itself."""

OUTSIDE = {
    "pulumi": {"engine_log", "provider", "sdk", "engine"},
    "grpc": {"engine_log", "engine", "sdk.late"},
    "jwt": {"transport.credentials", "sandbox.http.app"},
    "pulumi_policy": {"policy"},
    "requests": {"transport"},
    "urllib3": {"core.address", "transport"},
}
"""Who may import packages of others: endpoints, lifecycles and command line work without Pulumi."""

MOST_MODULES = 8
"""Modules directly in the package; everything else is in a folder."""

PROVIDERS = {"EnterpriseBudgetProvider", "OrgBudgetProvider", "CostCenterProvider", "UserBudgetBucketProvider"}
"""Names that states hold: for ever."""

SHARED_NAMES = {
    "Finding": "one line of a report that changes nothing, of the doctor and of the comparison with the states",
    "Reply": "an HTTP reply: the provider reads it, the sandbox writes it, and the two share no code",
}
"""Class names with two definitions, and why one name is right for both."""

KEYS_OF_OTHERS = {
    *("budget", "budgets", "budget_product_skus", "has_next_page", "id", "total_count", "link"),
    *("page", "per_page", "scope", "sort_order", "will_alert", "alert_recipients"),
    *("name", "owner", "loc", "msg", "type", "budget_ids"),
}
"""Keys in `budgets` and `preview` that are no field of a budget: of replies, requests, tables and pydantic's errors."""

FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
    if "__pycache__" not in path.parts
}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
PROVIDER_SIDE = {name: tree for name, tree in TREES.items() if name.partition(".")[0] in LAYERS}


def folder(name: str) -> str:
    return name.partition(".")[0]


def imported(tree: ast.AST) -> set[str]:
    """Return everything that a module imports, whenever it does, by full name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def ours(tree: ast.AST) -> set[str]:
    """Return the folders of the package that a module imports from."""
    return {name.split(".")[1] for name in imported(tree) if name.startswith("billing_provider.")}


def may_import(name: str) -> set[str]:
    """Return the folders from which a module may import."""
    own = folder(name)
    before = set(LAYERS[: LAYERS.index(own) + 1]) if own in LAYERS else {own, *APART[own]}
    return before | EXTRA.get(own, set()) | EXTRA.get(name, set())


@pytest.mark.parametrize("name", [name for name in TREES if name != "__init__"])
def test_imports_point_one_way(name: str) -> None:
    """A module imports only from lower folders; the sandbox and the engine import nothing of the provider."""
    assert ours(TREES[name]) - may_import(name) == set()


@pytest.mark.parametrize("name", [name for name in TREES if name.startswith("sandbox.")])
def test_imports_of_the_sandbox_point_one_way(name: str) -> None:
    """Operations know the store and no HTTP; requests know both; also in imports for type checkers."""
    wanted = {full.split(".")[2] for full in imported(TREES[name]) if full.startswith("billing_provider.sandbox.")}
    assert wanted <= set(SANDBOX[: SANDBOX.index(name.split(".")[1]) + 1])


def test_there_are_no_import_cycles() -> None:
    """Imports form no cycle, also within a folder, and also with those for type checkers."""
    edges: dict[str, set[str]] = {}
    for name, tree in TREES.items():
        wanted = {full.removeprefix("billing_provider.") for full in imported(tree)}
        edges[name] = {full if full in TREES else full.rpartition(".")[0] for full in wanted} & set(TREES) - {name}
    while removable := [name for name, others in edges.items() if not others & set(edges)]:
        for name in removable:
            del edges[name]
    assert {name: others & set(edges) for name, others in edges.items()} == {}


@pytest.mark.parametrize("package", OUTSIDE)
def test_third_party_imports_are_restricted(package: str) -> None:
    """Each third-party package for input or output is imported only in the folders of the table."""
    found = {
        name
        for name, tree in TREES.items()
        if name != "__init__" and package in {wanted.partition(".")[0] for wanted in imported(tree)}
    }
    assert {name for name in found if not {name, folder(name)} & OUTSIDE[package]} <= {"testing.pytest_plugin"}


def test_modules_outside_the_folders_are_restricted() -> None:
    """The package's own folder contains at most the modules that a state or a program names, and few others."""
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_MODULES


def test_all_lists_the_public_names() -> None:
    """`__all__` is sorted, and each name in it exists and has a docstring."""
    names = billing_provider.__all__
    assert sorted(names, key=lambda name: (name[0].islower(), name)) == names
    values = {name: getattr(billing_provider, name) for name in names}
    # Python gives a Literal no docstring; the text below it is for editors.
    assert [name for name, value in values.items() if not value.__doc__ and get_origin(value) is not Literal] == []


def test_modules_and_classes_have_a_docstring() -> None:
    """Each docstring starts with one sentence (ruff checks the functions)."""
    silent = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Module) and (not isinstance(node, ast.ClassDef) or node.name.startswith("_")):
                continue
            sentence = ast.get_docstring(node) or ""
            if not sentence.partition("\n")[0].endswith((".", ";", ":")):
                silent.append(f"{name}: {getattr(node, 'name', 'the module')}")
    assert silent == []


def promised() -> dict[str, set[str]]:
    """Return the `GitHub:` lines, each as a sandbox route is written, and who says so."""
    found: dict[str, set[str]] = {}
    for name, tree in PROVIDER_SIDE.items():
        for line in re.findall(r"GitHub: ([A-Z]+ /\S+)", ast.unparse(tree)):
            for owner in ("enterprises/{}", "organizations/{}", "users/{}"):
                route = re.sub(r"\{\w+\}", "{}", line.rstrip(".").replace("{owner}", owner.replace("{}", "{name}")))
                found.setdefault(route, set()).add(name)
    return found


def test_documented_operations_are_routes_of_the_sandbox() -> None:
    """Each `GitHub: VERB /path` is a route of the sandbox for at least one kind of owner."""
    routes = {f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}" for route in ROUTES}
    said = promised()
    assert {line for line in said if "enterprises" in line} - routes == set()
    assert routes - set(said) == set()


def test_client_methods_document_their_operation() -> None:
    """The last line of a client method's docstring names its operation."""
    calls = {name for name in PROVIDER_SIDE if name.endswith(("api", "user_states"))}
    silent = [
        f"{name}.{method.name}"
        for name in calls
        for node in TREES[name].body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        and not method.name.startswith("_")
        and ".request(" in ast.unparse(method)
        and "GitHub: " not in (ast.get_docstring(method) or "")
    ]
    assert silent == []


def test_every_declared_field_is_written_out() -> None:
    """Arguments, outputs, details, GitHub's budget and the sandbox have exactly the declared fields."""
    assert complaints(FIELDS) == []
    assert set(BudgetState.model_fields) == {*FIELDS, *OUTPUTS}


def test_a_missing_field_is_reported_everywhere() -> None:
    """A new declared field is reported as missing in each place, and an undeclared one as superfluous."""
    places = [
        "Budget",
        "BudgetDetails",
        *(
            place
            for owner in ("Enterprise", "Org")
            for place in (
                f"{owner}BudgetArgs",
                f"the docstring of {owner}BudgetArgs",
                f"what {owner}BudgetArgs requires",
                f"{owner}Budget",
            )
        ),
        *(
            f"the sandbox's {verb} /{root}/settings/billing/budgets{one}"
            for root in ("enterprises/{enterprise}", "organizations/{org}")
            for verb, one in (("POST", ""), ("PATCH", "/{budget_id}"))
        ),
    ]
    assert complaints(declared_fields(WiderSpec)) == [f"{place} lacks brand_new" for place in places]
    less = {name: field for name, field in FIELDS.items() if name != "budget_amount"}
    assert complaints(less) == [f"{place} has budget_amount, which is not declared" for place in places]


def test_a_different_text_of_a_field_is_reported() -> None:
    """The text of an argument, and whether a change replaces the budget, must equal the declaration."""
    amount = FIELDS["budget_amount"]
    for other in (dataclasses.replace(amount, text="Other."), dataclasses.replace(amount, change="replaces")):
        assert complaints({**FIELDS, "budget_amount": other}) == [
            f"the docstring of {owner}BudgetArgs has another text for budget_amount" for owner in ("Enterprise", "Org")
        ]


def keys(tree: ast.AST) -> set[str]:
    """Return the names that a module writes out as keys of mappings: `a["x"]`, `a.get("x")`, `"x" in a`, `{"x": 1}`."""
    found: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            found.append(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found += node.args[:1] if node.func.attr in {"get", "pop", "setdefault"} else []
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found.append(node.left)
        elif isinstance(node, ast.Dict):
            found += node.keys
        elif isinstance(node, ast.Set):
            found += node.elts
    values = {key.value for key in found if isinstance(key, ast.Constant)}
    return {value for value in values if isinstance(value, str) and value.isidentifier()}


def test_every_key_of_a_budget_is_a_declared_field() -> None:
    """No module of budgets or previews reads or writes a field that is misspelt, because no type checker sees it."""
    trees = {name: tree for name, tree in TREES.items() if folder(name) in {"budgets", "preview", "operations"}}
    # GitHub's reference of products and SKUs is all names.
    del trees["budgets.skus"]
    found = {key: name for name, tree in trees.items() for key in keys(tree)}
    assert {key: found[key] for key in set(found) - {*FIELDS, *OUTPUTS} - KEYS_OF_OTHERS} == {}
    assert set(found) >= KEYS_OF_OTHERS
    assert len(set(FIELDS) & set(found)) > len(FIELDS) / 2


def test_provider_classes_keep_their_names() -> None:
    """The provider classes are exactly those that states name."""
    found = {
        name
        for name, value in vars(provider).items()
        if name.endswith("Provider") and value.__module__ == provider.__name__
    }
    assert found == PROVIDERS


def test_class_names_are_unique() -> None:
    """A class name is defined in one module, apart from the few of the table."""
    defined = Counter(
        name
        for tree in TREES.values()
        for name in {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    )
    assert {name for name, modules in defined.items() if modules > 1} == set(SHARED_NAMES)


def test_only_the_cli_and_the_engine_log_print() -> None:
    """The engine reads the standard output of a plugin, so other modules must not print."""
    found = {
        folder(name)
        for name, tree in PROVIDER_SIDE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert found <= {"cli", "engine_log"}
