"""State that an earlier version has written: it gives no difference, refreshes and deletes with today's code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing_provider.sandbox import Sandbox
from tests.plugin import Entry, Plugin, Stack

STATES = sorted((Path(__file__).parent / "golden").glob("state_v*.json"))


def load(file: Path, sandbox: Sandbox) -> Stack:
    """Return a state, after storing on GitHub's side what it was written about, with the ids found there."""
    entries = []
    for entry in json.loads(file.read_text()):
        noun, slug, _ = entry["id"].split("/")
        live = sandbox.add_budget(noun, slug, **entry.pop("github"))
        entries.append(json.loads(json.dumps(entry).replace("{budget_id}", live["id"])))
    return Stack([Entry(**entry) for entry in entries])


def declared(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    return {(entry.kind, entry.name): {k: v for k, v in entry.inputs.items() if k[0] != "_"} for entry in stack.entries}


@pytest.mark.parametrize("file", STATES, ids=[file.stem for file in STATES])
def test_an_old_state_is_still_read(file: Path) -> None:
    """Nothing differs, a preview asks nothing, a refresh finds no drift, and every budget can be deleted."""
    with Sandbox() as sandbox:
        env = {"GITHUB_API_URL": sandbox.url, "GITHUB_TOKEN": sandbox.token}
        stack = load(file, sandbox)
        before = [(entry.id, entry.inputs, entry.outputs) for entry in stack.entries]
        with Plugin("nobody", env, interpreter=True) as plugin:
            assert set(stack.up(plugin, declared(stack)).values()) == {"same"}
            assert sandbox.requests == []
            assert stack.refresh(plugin) == {}
        assert [(entry.id, entry.inputs, entry.outputs) for entry in stack.entries] == before
        with Plugin("nobody", env, interpreter=True) as plugin:
            stack.destroy(plugin)
        assert sandbox.budgets(None) == []


def test_the_golden_states_hold_every_scope() -> None:
    """Each scope of both owners is in the state of each version."""
    scopes = ["enterprise", "organization", "repository", "cost_center", "multi_user_customer"]
    expected = [("EnterpriseBudget", scope) for scope in [*scopes, "multi_user_cost_center", "user"]]
    expected += [("OrgBudget", scope) for scope in ["organization", "repository", "multi_user_customer", "user"]]
    assert STATES
    for file in STATES:
        found = [(entry["kind"], entry["inputs"]["budget_scope"]) for entry in json.loads(file.read_text())]
        assert sorted(set(found)) == sorted(expected)
