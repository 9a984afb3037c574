"""The sandbox under other names: owners, users, usage, tokens, files and snapshots."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.operations.access import TOKENS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 18, 12, tzinfo=timezone.utc).timestamp()
ACME: dict[str, Any] = {"enterprise": "acme", "organizations": ["acme-web", "acme-api"], "users": ["alice"]}


def get(sandbox: Sandbox, path: str, token: str = "", **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}"}
    return requests.get(sandbox.url + path, headers=headers, params=query, timeout=10)


def total(reply: requests.Response) -> float:
    """Return the gross amount of a usage report."""
    return float(sum(item["grossAmount"] for item in reply.json()["usageItems"]))


def test_the_sample_data_has_the_given_names() -> None:
    """Given names replace those of the sample data, in turn: no reply, record or refusal has a sample name."""
    with Sandbox(**ACME, clock=lambda: NOW) as sandbox:
        sandbox.add_budget("enterprise", "acme", budget_amount=7)
        assert [budget["budget_amount"] for budget in sandbox.budgets()] == [7]
        paths = [
            "/enterprises/acme/settings/billing/budgets",
            "/enterprises/acme/settings/billing/cost-centers",
            "/enterprises/acme/settings/billing/usage",
            "/organizations/acme-web/settings/billing/usage",
            "/organizations/acme-api/settings/billing/budgets",
            "/users/alice/settings/billing/usage",
            "/user",
        ]
        replies = [get(sandbox, path) for path in paths]
        assert [reply.status_code for reply in replies] == [200] * len(paths)
        items = replies[2].json()["usageItems"]
        assert {item["organizationName"] for item in items} == {"acme-web"}
        assert {item.get("repositoryName") for item in items} == {None, "acme-web/website", "acme-web/api"}
        strange = get(sandbox, "/organizations/octo-org/settings/billing/budgets")
        problem = "unknown organization; known: acme-web, acme-api"
        assert (strange.status_code, strange.headers["X-Sandbox-Problem"]) == (404, problem)
        said = [reply.text for reply in replies] + [json.dumps(sandbox.snapshot())]
        for name in ("octo-", "octocat", "monalisa", "hubot"):
            assert not any(name in text for text in said)


def test_each_given_name_is_replaced_alone() -> None:
    """Names that are not given are those of the sample data, and the amounts of the usage stay the same."""
    path = "settings/billing/usage"
    with Sandbox(clock=lambda: NOW) as sample, Sandbox(enterprise="acme", clock=lambda: NOW) as sandbox:
        usage = get(sandbox, f"/enterprises/acme/{path}").json()
        assert usage == get(sample, f"/enterprises/octo-enterprise/{path}").json()
        logins = ("octo-org", "octo-lab", "octo-apps")
        whole = sum(total(get(sandbox, f"/organizations/{login}/{path}")) for login in logins)
    with Sandbox(organizations=["one"], clock=lambda: NOW) as sandbox:
        assert total(get(sandbox, f"/organizations/one/{path}")) == pytest.approx(whole)
        assert total(get(sandbox, f"/enterprises/octo-enterprise/{path}")) > 0


def test_a_person_has_one_membership_and_one_seat() -> None:
    """One user in the place of several is one member of a cost center and has one seat in an organization."""
    with Sandbox(**ACME, clock=lambda: NOW) as sandbox:
        assert [center["resources"] for center in sandbox.cost_centers()] == [
            [{"type": "User", "name": "alice"}],
            [{"type": "Org", "name": "acme-api"}],
        ]
        path = "/organizations/acme-web/settings/billing/usage"
        items = get(sandbox, path, year="2026", month="11", day="1").json()["usageItems"]
        seats = [item for item in items if item["sku"] == "Copilot Business"]
        assert [(seat["organizationName"], seat["quantity"]) for seat in seats] == [("acme-web", 1)]


def test_tokens_have_the_given_names() -> None:
    """A token of an organization owner is for the first organization; the hint for single sign-on has the slug."""
    with Sandbox(**ACME) as sandbox:
        path = "/organizations/{}/settings/billing/budgets"
        for login, status in (("acme-web", 200), ("acme-api", 404)):
            assert get(sandbox, path.format(login), "sandbox-org-owner").status_code == status
        hint = get(sandbox, path.format("acme-web"), "sandbox-no-sso").headers["x-github-sso"]
        assert "enterprises/acme/sso" in hint
        assert not any("octo" in token.summary for token in TOKENS.values())


def test_files_and_snapshots_keep_the_names(tmp_path: Path) -> None:
    """A file is opened with its own names, a snapshot brings its names, and a reset keeps the names."""
    file = tmp_path / "state.json"
    with Sandbox(**ACME, state_file=file) as sandbox:
        first = sandbox.snapshot()
        sandbox.reset()
        assert sandbox.snapshot() == first
    with Sandbox(state_file=file) as sandbox, Sandbox() as other:
        assert sandbox.snapshot() == first
        other.restore(first)
        for each in (sandbox, other):
            assert get(each, "/organizations/acme-web/settings/billing/budgets").status_code == 200
    assert Sandbox(**ACME, state_file=file).snapshot() == first


def test_other_names_than_those_of_the_file_are_refused(tmp_path: Path) -> None:
    """Names that differ from those of the state file are an error with both, and the file is kept."""
    file = tmp_path / "state.json"
    Sandbox(**ACME, state_file=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"state.json: its users are alice, not bob; omit the names or use another"):
        Sandbox(users=["bob"], state_file=file)
    assert file.read_bytes() == before


def test_files_without_names_have_the_sample_names(tmp_path: Path) -> None:
    """A file of an older version has the names of the sample data."""
    file = tmp_path / "state.json"
    content = Sandbox().snapshot()
    for key in ("names", "seen", "generated_usage"):
        del content[key]
    file.write_text(json.dumps(content))
    assert Sandbox(state_file=file).snapshot() == Sandbox().snapshot()


@pytest.mark.parametrize(
    ("names", "text"),
    [
        pytest.param({"enterprise": ""}, "enterprises: '' is not a name", id="empty"),
        pytest.param({"enterprise": 5}, "enterprises: 5 is not a name", id="number"),
        pytest.param({"organizations": "acme"}, "organizations: 'acme' is not a list", id="text"),
        pytest.param({"organizations": []}, "organizations: it is empty", id="none"),
        pytest.param({"organizations": ["a b"]}, "organizations: 'a b' is not a name", id="space"),
        pytest.param({"users": ["alice", "Alice"]}, "users: Alice is named twice", id="twice"),
    ],
)
def test_invalid_names_are_refused(names: dict[str, Any], text: str) -> None:
    """An invalid name is a ValueError that quotes it."""
    with pytest.raises(ValueError, match=text):
        Sandbox(**names)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(None, id="null"),
        pytest.param({"color": ["red"]}, id="unknown"),
        pytest.param({"users": [{}]}, id="object"),
        pytest.param({"repositories": ["acme"]}, id="form of a repository"),
        pytest.param({"repositories": ["acme/web"]}, id="owner of a repository"),
    ],
)
def test_invalid_names_in_a_snapshot_are_refused(names: Any) -> None:
    """A snapshot whose names are unknown or invalid is refused, and nothing is replaced."""
    sandbox = Sandbox()
    before = sandbox.snapshot()
    with pytest.raises(ValueError, match="not a valid sandbox state: names"):
        sandbox.restore({**before, "names": names})
    assert sandbox.snapshot() == before
