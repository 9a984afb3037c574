"""Tables of users' budgets on both engines: the component, its lines in a preview, and what is pending."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.engine import display
from tests.engine.drivers import CommandLine
from tests.engine.scenarios import Do
from tests.support.tables import live

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox
    from tests.engine.drivers import Embedded, Outcome

ROWS = {"ann": 20, "bob": {"budget_amount": 80, "expires_at": "2028-12-31", "reason": "launch"}, "cid": 5}


def table(rows: dict[str, Any], **more: Any) -> str:
    """Return a program of one table."""
    given = {"enterprise": "octo-enterprise", "budgets": rows, **more}
    return f"from billing_provider import UserBudgets\nt = UserBudgets('developers', **{given!r})\n"


TEAM = """
from billing_provider import UserBudgets, get_enterprise_team_members

E = "octo-enterprise"
logins = get_enterprise_team_members(enterprise=E, enterprise_team="developers")
UserBudgets("developers", enterprise=E, budgets=dict.fromkeys(logins, 40))
"""


def singles(*logins: str) -> str:
    """Return a program of single budgets, and an empty table."""
    lines = ["from billing_provider import EnterpriseBudget"]
    for login in logins:
        given = {
            "enterprise": "octo-enterprise",
            "budget_product_sku": "ai_credits",
            "budget_scope": "user",
            "user": login,
            "budget_amount": 20,
        }
        lines.append(f"EnterpriseBudget({login!r}, **{given!r})")
    return "\n".join(lines) + "\n"


def run(driver: Embedded | CommandLine, verb: Any, program: str | None = None) -> Outcome:
    """Run a verb."""
    if program is not None:
        driver.bench.program(program)
    return driver.run(Do(verb))


def test_the_life_of_a_table(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A preview says in one line what happens to all rows; a quiet run sends nothing; a destroy deletes the rows."""
    shown = run(driver, "preview", table(ROWS))
    assert shown.code == 0, shown.said
    assert "developers: adds caps for 3 people (+$105 a month): bob $80, ann $20, cid $5" in shown.said
    assert sandbox.writes == []
    assert run(driver, "up").code == 0
    assert live(sandbox) == {"ann": 20, "bob": 80, "cid": 5}
    sandbox.forget_requests()
    assert run(driver, "up").counts.keys() == {"same"}
    assert sandbox.requests == []
    changed = {**ROWS, "ann": 30, "dan": 1}
    del changed["cid"]
    shown = run(driver, "preview", table(changed))
    assert (
        "developers: lifts the caps of 1 person ($5 a month), raises the caps of 1 person (+$10 a month), "
        "adds caps for 1 person (+$1 a month): cid $5, ann $20 to $30, dan $1"
    ) in shown.said
    sandbox.forget_requests()
    assert run(driver, "up").code == 0
    assert sorted(request.method for request in sandbox.writes) == ["DELETE", "PATCH", "POST"]
    assert run(driver, "destroy").code == 0
    assert sandbox.budgets() == []


MAPPINGS = ("budgets", "budget_ids", "raised_to", "pending")
LISTS = ("adopted", "kept_on_delete", "expired", "others")


def older(entry: dict[str, Any]) -> None:
    """Give a resource of a table the form that version 0.2.0 has stored: mappings and lists."""
    if "bucket" not in entry.get("inputs", {}):
        return
    for side in (entry["inputs"], entry["outputs"]):
        for name in {name for name in (*MAPPINGS, *LISTS) if isinstance(side.get(name), str)}:
            lines = [[json.loads(each) for each in line.split(" ", 1)] for line in side[name].splitlines()]
            side[name] = dict(lines) if name in MAPPINGS else [login for (login,) in lines]


def stored(driver: Embedded | CommandLine) -> dict[str, Any]:
    """Return the outputs of the part of the table that has bob."""
    entries = [entry.get("outputs", {}) for entry in driver.state()["resources"]]
    found: dict[str, Any]
    (found,) = [outputs for outputs in entries if "bucket" in outputs and "bob" in outputs["budgets"]]
    return found


def test_a_state_of_0_2_0_goes_on(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """What was stored as mappings means the same, a change writes one row, and its part has texts from then on."""
    assert run(driver, "up", table(ROWS)).code == 0
    assert stored(driver)["budgets"] == '"bob" {"budget_amount":80,"expires_at":"2028-12-31","reason":"launch"}\n'
    driver.edit(older)
    assert stored(driver)["budgets"] == {"bob": ROWS["bob"]}
    sandbox.forget_requests()
    changed = {**ROWS, "bob": 90}
    shown = run(driver, "preview", table(changed))
    assert "developers: raises the caps of 1 person (+$10 a month): bob $80 to $90" in shown.said
    assert run(driver, "up", table(ROWS)).counts.keys() == {"same"}
    assert sandbox.writes == []
    assert run(driver, "up", table(changed)).code == 0
    assert [request.method for request in sandbox.writes] == ["PATCH"]
    assert live(sandbox) == {"ann": 20, "bob": 90, "cid": 5}
    assert stored(driver)["budgets"] == '"bob" 90\n'
    driver.edit(older)
    assert run(driver, "refresh").code == 0
    assert stored(driver)["budgets"] == '"bob" 90\n'
    assert run(driver, "up").counts.keys() == {"same"}
    assert run(driver, "destroy").code == 0
    assert sandbox.budgets() == []


def test_only_the_changed_rows_are_shown(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """A preview with details shows the rows that change: one of many, the last, one that goes, the only one."""
    # Pulumi's CLI would read a text as YAML in which each row has a colon and a space.
    rows: dict[str, Any] = {f"person-{number}": 20 for number in range(50)} | {
        login: {"budget_amount": 20, "reason": "asked: yes"} for login in ("ann", "bob")
    }
    assert run(driver, "up", table(rows)).code == 0
    changed = {**rows, "person-7": 30, "person-12": 30, "ann": {"budget_amount": 30, "reason": "asked: yes"}}
    del changed["person-48"]
    driver.bench.program(table(changed))
    if isinstance(driver, CommandLine):
        shown = driver.call("preview", "--diff").stdout
    else:
        steps = driver.bench.engine.preview().steps
        shown = "\n".join(line for step in steps for line in display.details(step, created=True, removed=True))
    assert live(sandbox)["person-7"] == 20, shown
    lines = [line.strip() for line in shown.splitlines()]
    assert sorted(line for line in lines if line.startswith(('- "', '+ "'))) == [
        '+ "ann" {"budget_amount":30,"reason":"asked: yes"}',
        '+ "person-12" 30',
        '+ "person-7" 30',
        '- "ann" {"budget_amount":20,"reason":"asked: yes"}',
        '- "person-12" 20',
        '- "person-48" 20',
        '- "person-7" 20',
    ], shown
    # The Pulumi CLI shows up to two lines before and after too.
    assert sum(line.startswith('"') for line in lines) <= 16


def test_a_refused_row_fails_the_run_and_stays_pending(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """The exit code tells that a budget is not written, the state has the others, and the next run goes on."""
    driver.bench.program(table(ROWS))
    sandbox.plan([{"op": "create_budget", "action": "422", "nth": 2}])
    shown = driver.run(Do("up"))
    assert shown.code != 0
    assert "developers: 1 of 3 budgets are not written: run again." in shown.said
    assert len(live(sandbox)) == 2
    sandbox.forget_requests()
    shown = run(driver, "up")
    assert shown.code == 0, shown.said
    assert [request.method for request in sandbox.writes] == ["POST"]
    assert run(driver, "up").counts.keys() == {"same"}


def test_single_budgets_move_to_a_table_and_back_without_a_write(
    driver: Embedded | CommandLine, sandbox: Sandbox
) -> None:
    """The same budgets are kept, whether a resource of their own or a row declares them."""
    assert run(driver, "up", singles("ann", "bob")).code == 0
    ids = {each["id"] for each in sandbox.budgets()}
    sandbox.forget_requests()
    rows = table({"ann": 20, "bob": 20})
    for program in (rows, table({"bob": 20}) + singles("ann"), rows, singles("bob") + table({"ann": 20})):
        done = run(driver, "up", program)
        assert done.code == 0, done.said
        assert run(driver, "up").counts.keys() == {"same"}
    assert sandbox.writes == []
    assert {each["id"] for each in sandbox.budgets()} == ids


# All mistakes are found by one function, so two of them on both engines are enough.
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"budgets": {}}, "the table has no row, which would remove all caps: set allow_empty=True if it is meant"),
        ({"enterprise": None}, "write either enterprise or organization, as a text"),
        ({"budgets": {"a b": 3, "ann": -1}}, "ann: budget_amount: write a whole number"),
        ({"budgets": ["ann"]}, "write budgets as a mapping from logins to amounts"),
        ({"on_delete": "kep"}, "on_delete: write one of delete, keep"),
    ],
)
def test_mistakes_are_told_by_the_program(
    driver: Embedded | CommandLine, sandbox: Sandbox, more: dict[str, Any], words: str
) -> None:
    """A mistake names the table and the row, and says what to write."""
    shown = run(driver, "preview", table(**{"rows": ROWS, **more}) if "budgets" not in more else _broken(more))
    assert shown.code != 0
    assert words in shown.said
    assert "Traceback" not in shown.said
    assert sandbox.requests == []


def _broken(more: dict[str, Any]) -> str:
    given = {"enterprise": "octo-enterprise", **more}
    return f"from billing_provider import UserBudgets\nUserBudgets('developers', **{given!r})\n"


def test_the_members_of_a_team_are_the_rows(driver: Embedded | CommandLine, sandbox: Sandbox) -> None:
    """Who leaves the team loses the row; a team that cannot be read, or has nobody, fails the run before any write."""
    assert run(driver, "up", TEAM).code == 0
    assert live(sandbox) == {"monalisa": 40, "hubot": 40}
    sandbox.set_team_members("developers", ["monalisa"])
    assert "developers: lifts the caps of 1 person ($40 a month): hubot $40" in run(driver, "preview").said
    sandbox.forget_requests()
    sandbox.plan([{"op": "list_team_members", "action": "403_permission", "every": 1}])
    failed = run(driver, "up")
    assert failed.code != 0
    assert "read the members of the enterprise team developers of enterprise octo-enterprise: GitHub" in failed.said
    sandbox.plan([])
    sandbox.set_team_members("developers", [])
    failed = run(driver, "up")
    assert failed.code != 0
    assert "the table has no row, which would remove all caps" in failed.said
    assert sandbox.writes == []
    assert live(sandbox) == {"monalisa": 40, "hubot": 40}
