"""The shape of the package, as tables: who may import whom, what is public, what is promised in words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import billing_provider
from billing_provider import lifecycle, models, provider, resources
from billing_provider.sandbox.routes import ROUTES

PACKAGE = Path(__file__).parent.parent / "billing_provider"

ROOMS = (
    *("redact", "errors", "ids", "rules", "sku_names", "models", "states", "cost_centers", "cost_center_rules"),
    *("identity", "clock", "address", "settings", "retry", "pacing", "session", "transport", "downloads", "paging"),
    *("client", "usage"),
    *("calls_budgets", "calls_cost_centers", "calls_reports", "calls_usage"),
    *("live", "claims", "reconcile", "run", "lifecycle", "create_cost_center", "cost_center_lifecycle"),
    *("exports", "reads", "spend", "program", "voice", "provider", "cost_center_resource", "resources"),
    *("budget_data", "cost_center_data", "usage_data", "doctor", "cli"),
)
"""Every module of the provider; each imports only what stands before it."""

OUTSIDE = {
    "pulumi": {
        *("program", "voice", "provider", "resources", "cost_center_resource"),
        *("budget_data", "cost_center_data", "usage_data"),
    },
    "grpc": {"voice"},
    "requests": {"session", "transport", "downloads"},
    "urllib3": {"address", "session", "transport"},
}
"""Who may import what is not ours: client, lifecycle and command line do without Pulumi, and one room speaks HTTP."""

PROVIDERS = {"EnterpriseBudgetProvider", "OrgBudgetProvider", "CostCenterProvider"}
"""Names that states hold: for ever."""

MOST_LINES = 350

FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if "__pycache__" not in path.parts
}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
PROVIDER_SIDE = {name: tree for name, tree in TREES.items() if not name.startswith("sandbox.") and name != "__init__"}


def room(name: str) -> str:
    return name.partition(".")[0]


def imported(tree: ast.Module) -> set[str]:
    """Return everything that a module imports, whenever it does, by full name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def ours(tree: ast.Module) -> set[str]:
    """Return the rooms of the package that a module imports from."""
    return {name.split(".")[1] for name in imported(tree) if name.startswith("billing_provider.")} - {"__version__"}


def test_every_room_has_its_place() -> None:
    """A new module gets a line in the table above, which decides what it may import."""
    assert {room(name) for name in PROVIDER_SIDE} == set(ROOMS)


@pytest.mark.parametrize("name", PROVIDER_SIDE)
def test_imports_point_up_the_list(name: str) -> None:
    """A module imports only from rooms before its own; the command line's verbs may use the sandbox."""
    before = set(ROOMS[: ROOMS.index(room(name))])
    if room(name) == "cli":
        before |= {"cli", "sandbox"}
    assert ours(TREES[name]) <= before


def test_the_sandbox_shares_nothing_with_the_provider() -> None:
    """Neither side knows the other, so that a wrong belief shows as a failing test and not as agreement."""
    assert {name: ours(tree) - {"sandbox"} for name, tree in TREES.items() if name.startswith("sandbox.")} == {
        name: set() for name in TREES if name.startswith("sandbox.")
    }
    assert {name for name, tree in PROVIDER_SIDE.items() if "sandbox" in ours(tree) and room(name) != "cli"} == set()


@pytest.mark.parametrize("package", OUTSIDE)
def test_few_rooms_know_the_outside(package: str) -> None:
    """Each third-party package that opens a door is imported where the table says."""
    found = {
        room(name)
        for name, tree in PROVIDER_SIDE.items()
        if package in {wanted.partition(".")[0] for wanted in imported(tree)}
    }
    assert found <= OUTSIDE[package]


def test_what_a_program_may_import_is_listed() -> None:
    """`__all__` is sorted, each name in it exists and has a docstring, and type checkers see the same names."""
    names = billing_provider.__all__
    assert sorted(names, key=lambda name: (name[0].islower(), name)) == names
    assert [name for name in names if not getattr(billing_provider, name).__doc__] == []
    seen = {
        wanted.rpartition(".")[2] for wanted in imported(TREES["__init__"]) if wanted.startswith("billing_provider.")
    }
    assert seen == set(names)


def test_modules_and_classes_open_with_a_sentence() -> None:
    """Each says in one sentence what it is for (ruff asks the same of functions)."""
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


def test_every_promise_to_call_github_is_a_route_of_the_sandbox() -> None:
    """Each `GitHub: VERB /path` can be tried on the sandbox, for at least one kind of owner."""
    routes = {f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}" for route in ROUTES}
    said = promised()
    assert {line for line in said if "enterprises" in line} - routes == set()
    assert routes - set(said) == set()


def test_every_call_says_which_one_it_is() -> None:
    """A method of a client names GitHub's endpoint in its last line."""
    calls = {"client", *(name for name in TREES if name.startswith("calls_"))}
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


def test_resources_and_models_have_the_same_inputs() -> None:
    """What a program may write is what check reads, and every input and output is an attribute of the resource."""
    written = {*resources.EnterpriseBudgetArgs.__annotations__, *resources.OrgBudgetArgs.__annotations__}
    # The resource itself turns a cost center into its id.
    assert written - {"cost_center"} == set(models.BudgetInputs.model_fields)
    for resource, other in ((resources.EnterpriseBudget, "organization"), (resources.OrgBudget, "enterprise")):
        shown = {name for name in resource.__annotations__ if not name.startswith("_")}
        assert shown == {*models.INPUTS, *lifecycle.OUTPUTS} - {other}


def test_provider_classes_keep_their_names() -> None:
    """The classes that states name are all there, and no other."""
    found = {
        name
        for name, value in vars(provider).items()
        if name.endswith("Provider") and value.__module__ == provider.__name__
    }
    assert found == PROVIDERS


def test_only_voices_print() -> None:
    """A plugin's standard output belongs to the engine: prints are for the command line, the sandbox and the voice."""
    found = {
        room(name)
        for name, tree in PROVIDER_SIDE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert found <= {"cli", "voice"}


def test_modules_stay_small() -> None:
    """A module that grows too long has two jobs."""
    lengths = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
