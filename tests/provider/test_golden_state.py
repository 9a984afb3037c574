"""State that an earlier version has written: it gives no difference, refreshes and deletes with today's code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.support.plugin import Entry, Plugin, Stack

GOLDEN = Path(__file__).parent / "golden"
STATES = sorted(GOLDEN.glob("state_v*.json"))
RECORDED = "2026-11-21T12:00:00Z"
"""When the states were written: a day on which the sandbox has the consumed amounts that stand in them."""

COST_CENTER_STATES = sorted(GOLDEN.glob("cost_centers_v*.json"))


def load(file: Path, sandbox: Sandbox) -> Stack:
    """Return a state, after storing on GitHub's side what it was written about, with the ids found there."""
    entries = []
    for entry in json.loads(file.read_text()):
        noun, slug, _ = entry["id"].split("/")
        live = sandbox.add_budget(noun, slug, **entry.pop("github"))
        entries.append(json.loads(json.dumps(entry).replace("{budget_id}", live["id"])))
    return Stack([Entry(**entry) for entry in entries])


def load_cost_centers(file: Path, sandbox: Sandbox) -> Stack:
    """Return a state of cost centers, after making on GitHub's side what it was written about."""
    entries = []
    for entry in json.loads(file.read_text()):
        members = entry.pop("github")
        owner = entry["id"].rpartition("/")[0].replace("enterprise/", "enterprises/")
        url = f"{sandbox.url}/{owner}/settings/billing/cost-centers"
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        made = requests.post(url, json={"name": members.pop("name")}, headers=headers, timeout=10).json()["id"]
        if members:
            requests.post(f"{url}/{made}/resource", json=members, headers=headers, timeout=10).raise_for_status()
        entries.append(json.loads(json.dumps(entry).replace("{cost_center_id}", made)))
    return Stack([Entry(**entry) for entry in entries])


def declared(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    return {(entry.kind, entry.name): {k: v for k, v in entry.inputs.items() if k[0] != "_"} for entry in stack.entries}


@pytest.mark.parametrize("file", STATES + COST_CENTER_STATES, ids=lambda file: file.stem)
def test_an_old_state_is_still_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing differs, a preview asks nothing, a refresh finds no drift, and everything can be deleted."""
    monkeypatch.setenv(TEST_TIME, RECORDED)
    with Sandbox() as sandbox:
        env = {"GITHUB_API_URL": sandbox.url, "GITHUB_TOKEN": sandbox.token}
        stack = (load_cost_centers if file in COST_CENTER_STATES else load)(file, sandbox)
        standing = [center["state"] for center in sandbox.cost_centers()]
        sandbox.forget_requests()
        before = [(entry.id, entry.inputs, entry.outputs) for entry in stack.entries]
        with Plugin("nobody", env, interpreter=True) as plugin:
            assert set(stack.up(plugin, declared(stack)).values()) == {"same"}
            assert sandbox.requests == []
            assert stack.refresh(plugin) == {}
        assert [(entry.id, entry.inputs, entry.outputs) for entry in stack.entries] == before
        with Plugin("nobody", env, interpreter=True) as plugin:
            stack.destroy(plugin)
        assert sandbox.budgets(None) == []
        gone = ["deleted"] * len(before) if file in COST_CENTER_STATES else []
        assert [center["state"] for center in sandbox.cost_centers()] == standing[: len(standing) - len(gone)] + gone


def test_the_golden_states_hold_every_scope() -> None:
    """Each scope of both owners is in the state of each version."""
    scopes = ["enterprise", "organization", "repository", "cost_center", "multi_user_customer"]
    expected = [("EnterpriseBudget", scope) for scope in [*scopes, "multi_user_cost_center", "user"]]
    expected += [("OrgBudget", scope) for scope in ["organization", "repository", "multi_user_customer", "user"]]
    assert STATES
    assert COST_CENTER_STATES
    for file in STATES:
        found = [(entry["kind"], entry["inputs"]["budget_scope"]) for entry in json.loads(file.read_text())]
        assert sorted(set(found)) == sorted(expected)
