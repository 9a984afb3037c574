"""The forecast of the verb budgets: its lines, its formats and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cli import main
from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.support.clock import START
from tests.support.pictures import CREDITS, PLAIN, E, declare
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = ("--enterprise", E)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment names, on a fixed day."""
    monkeypatch.setenv(TEST_TIME, "2026-09-21T14:13:20Z")
    with Sandbox(clock=lambda: START) as sandbox:
        sandbox.switch("whole_month_counts")
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


def caps(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["budgets", "--forecast", *OWNER, "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["caps"]
    return found


def test_each_user_has_a_line(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A budget of many users has a line for each, but not for a user with an own budget, who has that one."""
    declare(served)
    found = caps(capsys, "--all")
    lines = {(row["who"], row["budget_scope"]): row for row in found if row["user"]}
    assert set(lines) == {
        ("monalisa", "multi_user_customer"),
        ("octocat", "multi_user_customer"),
        ("hubot", "user"),
    }
    assert (lines["monalisa", "multi_user_customer"]["cap"], lines["hubot", "user"]["cap"]) == (10, 10)
    assert {row["state"] for row in caps(capsys)} == {"over", "near", "unknown"}
    assert served.writes == []


def test_one_user_has_only_own_lines(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """With --user, a budget of many users has the line of this user only, and other users' budgets have none."""
    declare(served)
    rows = [row for row in caps(capsys, "--all", "--user", "octocat") if row["user"]]
    assert [(row["who"], row["budget_scope"]) for row in rows] == [("octocat", "multi_user_customer")]


def test_the_most_urgent_is_first(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are ordered by state, then by day, then by share; --at changes what is near."""
    declare(served)
    found = caps(capsys, "--all")
    states = ["over", "near", "rising", "unknown", "below"]
    assert [row["state"] for row in found] == sorted((row["state"] for row in found), key=states.index)
    over = [row["share"] for row in found if row["state"] == "over"]
    assert over == sorted(over, reverse=True)
    dated = [row["reaches"] for row in found if row["state"] == "near"]
    assert dated == ["2026-09-23", None]
    assert {row["who"] for row in caps(capsys, "--at", "1")} > {row["who"] for row in caps(capsys)}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(50, {"over": 3, "near": 3, "rising": 3}), (100, {"over": 0, "near": 3, "rising": 3}),
     (135, {"over": 0, "near": 0, "rising": 3}), (9000, {"over": 0, "near": 0, "rising": 0})],
)  # fmt: skip
def test_the_exit_code_for_ci(
    amount: int, expected: dict[str, int], served: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """--fail-on exits with 3 for its state and for more urgent ones, in every format; without it the code is 0."""
    fields = {"budget_scope": "enterprise", "budget_product_sku": "actions", "budget_amount": amount}
    served.add_budget("enterprise", E, **PLAIN, **fields)
    for form in ((), ("--json",), ("--csv",), ("--markdown",)):
        assert main(["budgets", "--forecast", *OWNER, *form]) == 0
        assert {
            each: main(["budgets", "--forecast", *OWNER, *form, "--fail-on", each]) for each in expected
        } == expected
    assert "Traceback" not in capsys.readouterr().err


def test_unknown_figures_are_shown_and_do_not_fail(served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An organization's budget of many users, whose figures GitHub does not give, is shown as unknown."""
    fields = {**CREDITS, "budget_scope": "multi_user_customer", "budget_amount": 10, "prevent_further_usage": True}
    served.add_budget("organization", "octo-org", **fields)
    assert main(["budgets", "--forecast", "--org", "octo-org", "--fail-on", "rising"]) == 0
    printed = capsys.readouterr().out
    assert "0 over, 0 near, 0 rising, 1 unknown, 0 below" in printed
    assert "- means unknown" in printed


BUDGET = {
    "id": "1",
    "budget_scope": "multi_user_customer",
    "budget_entity_name": E,
    "budget_product_sku": "ai_credits",
    "budget_amount": 10,
    "prevent_further_usage": True,
}
LISTED = answer(200, {"budgets": [BUDGET], "has_next_page": False})


def states(*rows: dict[str, Any]) -> bytes:
    return answer(200, {"user_states": rows, "has_next_page": False, "total_count": len(rows)})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (states(), [("all", "below", "no usage yet")]),
        (states({"consumed_amount": 3, "target_amount": 10}), [(None, "below", "not this month")]),
        (
            states({"consumed_amount": 30, "target_amount": 50, "user": "octocat", "override_budget_id": "2"}),
            [("all", "below", "no usage yet")],
        ),
        (answer(404, {"message": "Not Found"}), [("all", "unknown", "unknown")]),
        (answer(403, {"message": "No"}), [("all", "unknown", "unknown")]),
    ],
    ids=str,
)
def test_users_that_cannot_be_read(
    reply: bytes, expected: list[tuple[str | None, str, str]], served: Sandbox,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """No users yet, a user without a record, an own budget, and a refusal: each has a clear line."""
    assert served.url
    with WireServer(LISTED, reply) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        found = caps(capsys, "--all")
    assert [(row["who"], row["state"], row["when"]) for row in found] == expected


def test_names_are_code_in_markdown(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name in Markdown mentions nobody, links to nothing, and does not end its cell."""
    assert served.url
    name = "@octo/team `<b>` | [x](y)\n"
    row = {**BUDGET, "budget_scope": "cost_center", "budget_entity_name": name, "consumed_amount": 10}
    with WireServer(answer(200, {"budgets": [row], "has_next_page": False})) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        assert main(["budgets", "--forecast", *OWNER, "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("### Caps of enterprise octo-enterprise: 1 over")
    assert lines[4].startswith(
        "| `\"@octo/team '<b>' ¦ [x](y)\N{SET MINUS}n\"` | `cost_center` | `ai_credits` | 10.00 | 10.00 | USD |"
    )
