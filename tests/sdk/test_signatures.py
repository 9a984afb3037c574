"""What `inspect.signature`, `help` and `dir` show in a terminal."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
from typing import Any

import pytest

import billing_provider
from billing_provider import CostCenter, EnterpriseBudget, OrgBudget
from tests.docs.generate import input_texts, required

RESOURCES: tuple[type[Any], ...] = (EnterpriseBudget, OrgBudget, CostCenter)


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_signature_names_every_input(resource: type[Any]) -> None:
    """The parameters are the declared inputs, those without a default are the required ones, and each has its type."""
    form = getattr(billing_provider, f"{resource.__name__}Args")
    name, opts, *inputs = inspect.signature(resource).parameters.values()
    assert [(each.name, each.kind) for each in (name, opts)] == [
        ("resource_name", name.POSITIONAL_OR_KEYWORD),
        ("opts", name.POSITIONAL_OR_KEYWORD),
    ]
    assert {each.name for each in inputs} == set(form.__annotations__)
    assert {each.kind for each in inputs} == {name.KEYWORD_ONLY}
    assert {each.name for each in inputs if each.default is each.empty} == required(form)
    assert {each.default for each in inputs} == {name.empty, None}
    assert [each.name for each in inputs if "equired[" in each.annotation] == []


@pytest.mark.parametrize("resource", RESOURCES)
def test_help_describes_the_inputs(resource: type[Any]) -> None:
    """The help of a resource has the name and the text of each input, in short lines below the constructor."""
    shown = pydoc.plain(pydoc.render_doc(resource)).partition("Args:\n")[2].partition(" |  ----")[0]
    inputs = "\n".join(f"{name}: {text}" for name, text in input_texts(resource).items())
    # pydoc puts a bar before each line; since Python 3.12 an empty line has no space after it.
    lines = [re.sub(r"^ ?\| ?", "", line) for line in shown.splitlines()]
    assert " ".join(" ".join(lines).split()) == " ".join(inputs.split())
    assert max(map(len, lines)) <= 100


def test_dir_lists_what_is_public_without_loading_it() -> None:
    """The names in a fresh interpreter are the public ones; nothing of Pulumi is loaded for the list."""
    program = "import billing_provider, sys; print(dir(billing_provider)); print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = sorted([*billing_provider.__all__, "__all__", "__doc__", "__version__"])
    assert done.stdout == f"{names}\nFalse\n"


def test_a_declaration_loads_nothing_that_only_the_plugin_needs() -> None:
    """Each program pays for what its import loads: no HTTP client, no lifecycle, no comparison."""
    program = "import sys; from billing_provider import CostCenter, EnterpriseBudget; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "billing_provider.provider" in loaded
    only_plugin = {"operations", "reader", "transport.http", "budgets.lifecycle", "cost_centers.lifecycle", "usage.api"}
    assert loaded & {"requests", *(f"billing_provider.{name}" for name in only_plugin)} == set()


def test_a_plugin_loads_no_client_before_it_sends() -> None:
    """A preview without changes sends nothing, so it pays for no HTTP client."""
    program = """
import sys
from pulumi.dynamic import Config, ConfigureRequest
from billing_provider.provider import EnterpriseBudgetProvider
EnterpriseBudgetProvider().configure(ConfigureRequest(Config({}, "p")))
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "billing_provider.operations" in loaded
    assert loaded & {"requests", "urllib3", "billing_provider.transport.http"} == set()


def test_every_listed_name_exists() -> None:
    """Each name in `dir` is an attribute."""
    assert [name for name in dir(billing_provider) if not hasattr(billing_provider, name)] == []
