"""Tables of users' budgets on the sandbox: what is written, kept, told and refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.core.resource import BUCKET_RESOURCE
from billing_provider.core.settings import Guards
from billing_provider.runtime.registry import read_key
from billing_provider.user_budgets.rows import bucket_of, user_key
from tests.support.tables import ENTERPRISE, NOTHING, TableStack, live, urn_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

SAME = [login for login in (f"same{number}" for number in range(200)) if bucket_of(login) == "05"][:6]
"""Logins of one resource of a table."""
PEOPLE: dict[str, Any] = {f"user{number}": 20 for number in range(40)}
EXCEPTION = {"budget_amount": 80, "expires_at": "2027-12-31", "reason": "launch"}


@pytest.fixture
def stack(new_run: Callable[..., RunHarness]) -> TableStack:
    """An empty stack."""
    return TableStack(new_run)


def add(sandbox: Sandbox, user: str, amount: int = 30, **more: Any) -> dict[str, Any]:
    """Add the budget of a user by hand."""
    return sandbox.add_budget(
        "enterprise",
        ENTERPRISE,
        budget_amount=amount,
        prevent_further_usage=True,
        budget_product_sku="ai_credits",
        budget_scope="user",
        user=user,
        **more,
    )


# --- rows


def test_a_table_is_created_once_and_then_quiet(stack: TableStack, sandbox: Sandbox) -> None:
    """Each row is one POST; an unchanged table sends nothing, and a refresh reads the listing."""
    declared = stack.declare({**PEOPLE, "bob": EXCEPTION})
    _, errors = stack.up(declared)
    assert (errors, stack.pending()) == ([], {})
    assert live(sandbox) == {**PEOPLE, "bob": 80}
    assert len(sandbox.writes) == 41
    sandbox.forget_requests()
    stack.up(declared)
    assert sandbox.requests == []
    stack.refresh()
    # The listing, and the three free reads of a run.
    assert len(sandbox.requests) <= 4
    assert stack.up(declared)[1] == []
    assert sandbox.writes == []


def test_one_changed_row_is_one_request(stack: TableStack, sandbox: Sandbox) -> None:
    """A changed amount is one PATCH, a new row one POST, a removed row one DELETE; the others are not touched."""
    stack.up(stack.declare(PEOPLE))
    for rows, method in (
        ({**PEOPLE, "user3": 25}, "PATCH"),
        ({**PEOPLE, "user3": 25, "new": 5}, "POST"),
        ({**PEOPLE, "user3": 25}, "DELETE"),
        ({**PEOPLE, "user3": {"budget_amount": 25, "reason": "asked"}}, None),
        ({**PEOPLE, "user3": {"budget_amount": 25, "reason": "asked", "expires_at": "2027-12-31"}}, "PATCH"),
    ):
        sandbox.forget_requests()
        _, errors = stack.up(stack.declare(rows))
        assert errors == []
        assert [request.method for request in sandbox.writes] == ([method] if method else [])
        assert stack.rows() == rows
    assert live(sandbox) == {**PEOPLE, "user3": 25}


def test_case_of_a_login_does_not_count(stack: TableStack, sandbox: Sandbox) -> None:
    """A login in other letters is the same row."""
    stack.up(stack.declare(PEOPLE))
    sandbox.forget_requests()
    stack.up(stack.declare({login.upper(): amount for login, amount in PEOPLE.items()}))
    assert sandbox.requests == []
    assert stack.rows() == PEOPLE


def test_a_table_of_an_organization(stack: TableStack, sandbox: Sandbox) -> None:
    """An organization's table has its own budgets."""
    stack.up(stack.declare({"alice": 5}, organization="octo-org"))
    (budget,) = sandbox.budgets("octo-org")
    assert (budget["user"], budget["budget_amount"]) == ("alice", 5)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"enterprise": None}, "write either the enterprise or the organization"),
        ({"organization": "octo-org", "enterprise": ENTERPRISE}, "write either the enterprise or the organization"),
        ({"enterprise": "no slug!"}, "enterprise: write a slug"),
        ({"on_delete": "kep"}, "on_delete: write one of delete, keep, or leave it out; did you mean keep?"),
        ({"bucket": "17"}, "alice belongs to another part of the table: declare the rows with UserBudgets"),
        ({"budgets": {"alice": -1, "bob smith": 3}}, "bob smith: this is not a GitHub login"),
    ],
)
def test_mistakes_are_refused_before_anything_is_sent(
    stack: TableStack, sandbox: Sandbox, table: dict[str, Any], words: str
) -> None:
    """Each mistake in the inputs of a resource of a table is named."""
    (name, inputs), *_ = stack.declare({"alice": 5}).items()
    name, inputs = next((name, inputs) for name, inputs in stack.declare({"alice": 5}).items() if inputs["budgets"])
    _, refused = stack.preview({name: {**inputs, **table}})
    assert words in refused[0]
    assert sandbox.requests == []


def test_an_unknown_row_is_refused(harness: RunHarness) -> None:
    """A table whose rows are not known cannot be compared, so a preview refuses it."""
    found = harness.operations[BUCKET_RESOURCE].check(urn_of("t-00"), {}, {}, frozenset({"budgets"}))
    assert [str(problem) for problem in found.problems] == [
        "budgets: write plain values: a preview cannot compare rows that are not known yet"
    ]


def test_the_owner_of_a_table_stays(stack: TableStack, sandbox: Sandbox) -> None:
    """Another owner is refused, because all caps of the old one would go; another spelling is none."""
    stack.up(stack.declare({"alice": 5}))
    _, refused = stack.preview(stack.declare({"alice": 5}, enterprise="other"))
    assert refused[0].startswith("enterprise: a table cannot move from octo-enterprise")
    sandbox.forget_requests()
    stack.up(stack.declare({"alice": 5}, enterprise="Octo-Enterprise"))
    assert sandbox.requests == []


# --- what is there


def test_identical_budgets_are_adopted_and_others_refused(stack: TableStack, sandbox: Sandbox) -> None:
    """An equal budget is adopted without a write; a different one is named with both values, and nothing is sent."""
    add(sandbox, "alice", 20)
    add(sandbox, "bob", 30)
    declared = stack.declare({"alice": 20, "bob": 25})
    _, refused = stack.preview(declared)
    assert len(refused) == 1
    assert "budget_amount (30 there, 25 declared)" in refused[0]
    told, refused = stack.preview(stack.declare({"alice": 20, "bob": 25}, on_existing="adopt"))
    assert refused == []
    assert any("lowers the caps of 1 person (-$5 a month), 1 of them existing budgets" in text for text in told)
    stack.up(stack.declare({"alice": 20, "bob": 25}, on_existing="adopt"))
    assert [request.method for request in sandbox.writes] == ["PATCH"]
    assert live(sandbox) == {"alice": 20, "bob": 25}


def test_budgets_of_others_are_left_alone(stack: TableStack, sandbox: Sandbox) -> None:
    """A table that is not exclusive never touches a person who is not in it, also after a refresh."""
    add(sandbox, "stranger", 7)
    stack.up(stack.declare(PEOPLE))
    stack.refresh()
    stack.up(stack.declare({"user1": 20}))
    assert live(sandbox) == {"user1": 20, "stranger": 7}


def test_an_exclusive_table_removes_others_after_it_named_them(stack: TableStack, sandbox: Sandbox) -> None:
    """Each budget of a person who is not in the table is named, then removed; also one that a refresh finds."""
    add(sandbox, "stranger", 7)
    sandbox.add_budget(
        "enterprise", ENTERPRISE, budget_amount=9, prevent_further_usage=False, budget_product_sku="actions"
    )
    declared = stack.declare({"alice": 5}, exclusive=True)
    told, refused = stack.preview(declared)
    assert refused == []
    assert any("lifts the caps of 1 person who is not in this table: stranger $7" in text for text in told)
    assert stack.up(declared)[1] == []
    assert live(sandbox) == {"alice": 5}
    add(sandbox, "late", 8)
    stack.refresh()
    assert [each.outputs["others"] for each in stack.stored.values() if each.outputs["others"]] == [["late"]]
    told, _ = stack.preview(declared)
    assert any("late $8" in text for text in told)
    stack.up(declared)
    assert live(sandbox) == {"alice": 5}
    assert len(sandbox.budgets()) == 2


def test_a_table_never_owns_the_budgets_of_others(stack: TableStack, sandbox: Sandbox) -> None:
    """After a refresh found a stranger, a table that is exclusive no longer and a destroy leave the stranger alone."""
    declared = stack.declare({"alice": 5}, exclusive=True)
    for last in (stack.declare({"alice": 5}), {}):
        stack.up(declared)
        add(sandbox, "stranger", 7)
        stack.refresh()
        assert stack.up(last)[1] == []
        assert live(sandbox) == {"stranger": 7, **({"alice": 5} if last else {})}
        for budget in sandbox.budgets():
            if budget["user"] == "stranger":
                sandbox.remove_budget(budget["id"])


@pytest.mark.parametrize("guards", [{"preview_reads": False}, {}])
def test_an_exclusive_table_removes_nobody_whom_no_preview_has_named(
    stack: TableStack, sandbox: Sandbox, guards: dict[str, Any]
) -> None:
    """If GitHub could not be read before, the budgets of others stay, and are pending."""
    add(sandbox, "stranger", 7)
    if not guards:
        sandbox.plan([{"op": "list_budgets", "action": "500_before", "nth": number} for number in range(1, 6)])
    declared = stack.declare({"alice": 5}, exclusive=True)
    stack.up(declared, guards=Guards(**guards))
    assert live(sandbox)["stranger"] == 7
    assert [why for login, why in stack.pending().items() if login == "stranger" and "no preview" in why]
    sandbox.plan([])
    assert stack.up(declared)[1] == []
    assert live(sandbox) == {"alice": 5}


@pytest.mark.parametrize("action", ["401", "500_before", "422", "403_permission"])
def test_a_failed_removal_of_others_loses_no_state(stack: TableStack, sandbox: Sandbox, action: str) -> None:
    """What was written before the error is in the state, and what is left is pending."""
    strangers = [login for login in (f"x{number}" for number in range(200)) if bucket_of(login) == "05"][:3]
    for login in strangers:
        add(sandbox, login, 7)
    sandbox.plan([{"op": "delete_budget", "action": action, "nth": number} for number in range(2, 30)], required=False)
    declared = stack.declare(dict.fromkeys(SAME, 5), exclusive=True)
    assert stack.up(declared)[1] == []
    assert set(stack.rows()) == set(SAME)
    assert len(stack.pending()) in {1, 2}
    sandbox.plan([])
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox)) == ({}, dict.fromkeys(SAME, 5))


@pytest.mark.parametrize(("table", "guards"), [({"on_delete": "keep"}, {}), ({}, {"on_delete": "keep"})])
def test_an_exclusive_table_cannot_keep(
    stack: TableStack, sandbox: Sandbox, table: dict[str, Any], guards: dict[str, Any]
) -> None:
    """Exclusive removes and `keep` keeps, so both together are refused."""
    _, refused = stack.preview(stack.declare({"alice": 5}, exclusive=True, **table), guards=Guards(**guards))
    assert refused[0] == (
        'exclusive: this removes budgets, and on_delete keeps them: leave one out, or set on_delete="delete"'
    )
    assert sandbox.requests == []


def test_drift_shows_and_is_repaired(stack: TableStack, sandbox: Sandbox) -> None:
    """A refresh finds an amount changed by hand and a budget that is gone; the next run restores both."""
    stack.up(stack.declare(PEOPLE))
    ids = {each["user"]: each["id"] for each in sandbox.budgets()}
    sandbox.edit_budget(ids["user1"], budget_amount=90)
    sandbox.remove_budget(ids["user2"])
    stack.refresh()
    assert stack.rows() == {**{login: 20 for login in PEOPLE if login != "user2"}, "user1": 90}
    told, _ = stack.preview(stack.declare(PEOPLE))
    assert any("user1 $90 to $20" in text for text in told)
    stack.up(stack.declare(PEOPLE))
    assert live(sandbox) == PEOPLE


def test_a_budget_that_is_gone_is_created_again(stack: TableStack, sandbox: Sandbox) -> None:
    """Without a refresh, the comparison of a changed row finds that its budget is gone."""
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    sandbox.remove_budget(next(each["id"] for each in sandbox.budgets() if each["user"] == "alice"))
    declared = stack.declare({"alice": 7, "bob": 6})
    told, refused = stack.preview(declared)
    assert refused == []
    assert any("is gone from GitHub, so its cap does not hold; up creates it again" in text for text in told)
    assert stack.up(declared)[1] == []
    assert live(sandbox) == {"alice": 7, "bob": 6}


def test_a_renamed_person_keeps_the_cap(stack: TableStack, sandbox: Sandbox) -> None:
    """A login that GitHub shows otherwise is told at a refresh, and the budget stays in its row."""
    stack.up(stack.declare({"alice": 5}))
    (budget,) = sandbox.budgets()
    sandbox.edit_budget(budget["id"], user="alice-new")
    run = stack.refresh()
    assert run.reporter.warnings == [
        "the budget of alice is now that of alice-new: if the person was renamed, change the login"
    ]
    sandbox.forget_requests()
    stack.up(stack.declare({"alice": 5}))
    assert sandbox.writes == []


def test_raises_are_kept_where_the_row_or_the_table_says_so(stack: TableStack, sandbox: Sandbox) -> None:
    """An approved raise stays with `on_raise` keep; a row's own value precedes that of the table."""
    declared = stack.declare({"alice": 5, "bob": {"budget_amount": 5, "on_raise": "revert"}}, on_raise="keep")
    stack.up(declared)
    for login in ("alice", "bob"):
        sandbox.approve_raise(login, 50, ENTERPRISE)
    stack.refresh()
    stack.up(declared)
    assert live(sandbox) == {"alice": 50, "bob": 5}
    assert [each.outputs["raised_to"] for each in stack.stored.values() if each.outputs["raised_to"]] == [{"alice": 50}]


def test_an_expired_exception_stays_quiet_and_can_come_back(
    stack: TableStack, sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """A row whose date has passed sends nothing; a new date creates its budget again."""
    date = new_run().clock.utc().date() + timedelta(days=30)
    declared = stack.declare({"bob": {"budget_amount": 80, "expires_at": str(date)}})
    run, _ = stack.up(declared)
    run.clock.sleep(60 * 24 * 3600)
    stack.refresh()
    assert [each.outputs["expired"] for each in stack.stored.values() if each.outputs["expired"]] == [["bob"]]
    sandbox.forget_requests()
    run, errors = stack.up(declared)
    assert (errors, sandbox.requests) == ([], [])
    assert any(f"expired on {date}" in text for text in run.reporter.warnings)
    later = stack.declare({"bob": {"budget_amount": 80, "expires_at": "2028-01-31"}})
    assert stack.up(later)[1] == []
    assert live(sandbox) == {"bob": 80}


def test_a_new_row_whose_date_has_passed_creates_nothing(stack: TableStack, sandbox: Sandbox) -> None:
    """A preview of a row that was written too late names its date, tells of the other rows, and does not fail."""
    past = {"bob": {"budget_amount": 80, "expires_at": "2020-01-01"}}
    told, refused = stack.preview(stack.declare(past))
    assert refused == []
    assert not any("adds caps" in text for text in told)
    declared = stack.declare({"ann": 5, **past})
    told, refused = stack.preview(declared)
    assert refused == []
    assert any("adds caps for 1 person (+$5 a month): ann $5" in text for text in told)
    assert stack.up(declared)[1] == []
    assert live(sandbox) == {"ann": 5}


# --- guards


@pytest.mark.parametrize(
    ("rows", "guards", "words"),
    [
        ({"alice": 5, "bob": 500}, {"max_increase_usd": 100.0}, "bob: raises the amount by $494"),
        ({"alice": 5}, {"max_increase_usd": 100.0}, "bob: deletes the $6 hard stop, a raise without limit"),
        (
            {},
            {"max_deletes": 1},
            "the table removes 2 caps so far: this run may delete 1, by github-billing:maxDeletes",
        ),
    ],
)
def test_guards_hold_for_rows(
    stack: TableStack, sandbox: Sandbox, rows: dict[str, Any], guards: dict[str, Any], words: str
) -> None:
    """Limits, the number of deletes and the protection hold in a preview and in a run, for each row."""
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    sandbox.forget_requests()
    declared = stack.declare(rows)
    _, refused = stack.preview(declared, guards=Guards(**guards))
    assert [text for text in refused if words in text], refused
    _, errors = stack.up(declared, guards=Guards(**guards))
    assert [text for text in errors if words in text], errors
    left = live(sandbox)
    assert left["bob"] == 6 if "max_deletes" not in guards else len(left) == 1


def test_a_protected_table_keeps_its_rows(stack: TableStack, sandbox: Sandbox) -> None:
    """The removal of a row of a protected table is refused, in a preview and in a run; a change is not."""
    stack.up(stack.declare({"alice": 5, "bob": 6}, protected=True))
    for found in (
        stack.preview(stack.declare({"alice": 5}, protected=True))[1],
        stack.up(stack.declare({"alice": 5}, protected=True))[1],
    ):
        assert found == ["bob: this table is protected: give it protect=False for the run that removes rows"]
    assert stack.up(stack.declare({"alice": 7, "bob": 6}, protected=True))[1] == []
    assert stack.up(stack.declare({"alice": 7}))[1] == []
    assert live(sandbox) == {"alice": 7}


def test_a_protected_table_keeps_its_rows_at_the_write_too(stack: TableStack, sandbox: Sandbox) -> None:
    """Without a comparison before, the removal of a row and of a stranger is refused, and stays pending."""
    add(sandbox, "stranger", 7)
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    run = stack.new_run()
    for name, inputs in stack.declare({"alice": 5}, protected=True, exclusive=True).items():
        old = stack.stored[name]
        run.run.registry.mark_named(next(each["id"] for each in sandbox.budgets() if each["user"] == "stranger"))
        stack.stored[name] = run.operations[BUCKET_RESOURCE].update(urn_of(name), old.id, old.outputs, inputs)
    assert set(stack.pending()) == {"bob", "stranger"}
    assert [why for why in stack.pending().values() if "this table is protected" not in why] == []
    assert live(sandbox) == {"alice": 5, "bob": 6, "stranger": 7}


def test_an_expired_row_leaves_without_a_word(stack: TableStack, new_run: Callable[..., RunHarness]) -> None:
    """A row whose budget has expired is no cap, so its removal tells and sends nothing."""
    date = new_run().clock.utc().date() + timedelta(days=30)
    run, _ = stack.up(stack.declare({"ann": 5, "bob": {"budget_amount": 80, "expires_at": str(date)}}))
    run.clock.sleep(60 * 24 * 3600)
    stack.refresh()
    told, refused = stack.preview(stack.declare({"ann": 5}))
    assert (told, refused) == ([], [])
    run, errors = stack.up(stack.declare({"ann": 5}))
    assert (errors, stack.rows()) == ([], {"ann": 5})


@pytest.mark.parametrize("has_it", ["reader", "declarer"])
def test_an_exclusive_table_keeps_what_the_program_has_elsewhere(
    stack: TableStack, sandbox: Sandbox, new_run: Callable[..., RunHarness], has_it: str
) -> None:
    """A stranger's budget that the program reads with `.get`, or declares without a check, is left alone."""
    budget = add(sandbox, "stranger", 7)
    owner = Owner(ENTERPRISE_OWNER, ENTERPRISE)
    run = new_run()
    key = read_key(budget["id"]) if has_it == "reader" else user_key(owner, "stranger")
    run.run.registry.declare("urn:pulumi:program::x", key)
    stack.new_run = lambda **_: run
    declared = {name: each for name, each in stack.declare({"alice": 5}).items() if each["bucket"] != "05"}
    assert stack.up(declared)[1] == []
    name = f"t-{bucket_of('stranger')}"
    inputs = {"enterprise": ENTERPRISE, "bucket": bucket_of("stranger"), "budgets": {}, "exclusive": True}
    run.run.registry.mark_named(budget["id"])
    run.operations[BUCKET_RESOURCE].create(urn_of(name), inputs)
    assert live(sandbox)["stranger"] == 7


def test_on_delete_decides_what_the_removal_of_a_row_does(stack: TableStack, sandbox: Sandbox) -> None:
    """A created row is deleted, an adopted one and one with `keep` stay; a destroy does the same."""
    add(sandbox, "old", 5)
    stack.up(stack.declare({"old": 5, "new": 6, "last": 7}))
    stack.up(stack.declare({"last": 7}))
    assert live(sandbox) == {"old": 5, "last": 7}
    stack.up(stack.declare({"last": 7}, on_delete="keep"))
    run, errors = stack.up({})
    assert errors == []
    assert live(sandbox) == {"old": 5, "last": 7}
    assert any("kept budget" in text for text in run.reporter.warnings)


def test_keep_holds_for_a_row_that_goes_with_it(stack: TableStack, sandbox: Sandbox) -> None:
    """A row that leaves in the change that declares `keep` leaves its budget on GitHub, and the preview says so."""
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    declared = stack.declare({"alice": 5}, on_delete="keep")
    told, _ = stack.preview(declared)
    assert any("leaves on GitHub, where no table has them, the budgets of 1 person: bob $6" in text for text in told)
    assert stack.up(declared)[1] == []
    assert live(sandbox) == {"alice": 5, "bob": 6}


def test_a_table_claims_nobody_of_another_name(stack: TableStack) -> None:
    """An exclusive table refuses the rows of each other table, whatever their names begin with."""
    for name in ("t-eu", "u"):
        _, refused = stack.preview({**stack.declare({"alice": 5}, exclusive=True), **stack.declare({"bob": 6}, name)})
        assert refused
        assert "exclusive" in refused[0]


def test_max_deletes_counts_a_row_once(stack: TableStack) -> None:
    """A resource that is compared twice in a run does not count twice."""
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    declared = stack.declare({"alice": 5})
    run = stack.new_run(guards=Guards(max_deletes=1))
    for _ in range(2):
        for name, inputs in declared.items():
            stack.plan(run, name, inputs)


def test_a_budget_that_is_read_is_kept(stack: TableStack, sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A row whose budget the program reads with `.get` leaves it on GitHub."""
    stack.up(stack.declare({"alice": 5}))
    (budget,) = sandbox.budgets()
    run = new_run()
    run.run.registry.declare("urn:pulumi:s::p::t::reader", read_key(budget["id"]))
    stack.new_run = lambda **_: run
    assert stack.up(stack.declare({}))[1] == []
    assert live(sandbox) == {"alice": 5}


def test_a_destroy_deletes_all_rows_in_a_few_lines(stack: TableStack, sandbox: Sandbox) -> None:
    """A destroyed table leaves the budgets of others, and does not write a line for each row."""
    add(sandbox, "stranger", 7)
    stack.up(stack.declare(PEOPLE))
    run, errors = stack.up({})
    assert (errors, live(sandbox), stack.stored) == ([], {"stranger": 7}, {})
    # One line for each resource that has rows.
    assert all(text.startswith("lifts the caps of") for text in run.reporter.warnings)
    assert len(run.reporter.warnings) <= 16


# --- what fails


def test_what_github_refuses_is_pending_and_the_rest_is_written(stack: TableStack, sandbox: Sandbox) -> None:
    """A refused row does not stop the others; the state has what was written, and the next run goes on."""
    sandbox.plan([{"op": "create_budget", "action": "422", "nth": 3}])
    declared = stack.declare(PEOPLE)
    run, errors = stack.up(declared)
    assert errors == []
    (refused,) = stack.pending()
    assert set(stack.rows()) == set(PEOPLE) - {refused}
    assert any("budgets are not written: run again" in text for text in run.reporter.warnings)
    sandbox.forget_requests()
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox), len(sandbox.writes)) == ({}, PEOPLE, 1)


def test_what_stops_one_row_stops_the_others(stack: TableStack, sandbox: Sandbox) -> None:
    """After a 401, no further row of the resource is sent; what was written stays in the state."""
    sandbox.plan([{"op": "create_budget", "action": "401", "nth": 3}])
    declared = stack.declare(dict.fromkeys(SAME, 5))
    run, errors = stack.up(declared)
    assert errors == []
    assert (len(sandbox.writes), len(stack.rows()), len(stack.pending())) == (3, 2, 4)
    assert any("4 of 6 budgets are not written: run again." in text for text in run.reporter.warnings)
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox)) == ({}, dict.fromkeys(SAME, 5))


def test_what_stops_a_change_leaves_unchanged_rows_out(stack: TableStack, sandbox: Sandbox) -> None:
    """A row that the program did not change is never pending, whatever stopped the changed rows before it."""
    stack.up(stack.declare(dict.fromkeys(SAME, 5)))
    sandbox.plan([{"op": "update_budget", "action": "401", "nth": 2}])
    changed = dict.fromkeys(SAME[:3], 6)
    declared = stack.declare({**dict.fromkeys(SAME, 5), **changed})
    run, errors = stack.up(declared)
    assert errors == []
    assert set(stack.pending()) < set(changed)
    assert any("2 of 3 budgets are not written: run again." in text for text in run.reporter.warnings)
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox)) == ({}, {**dict.fromkeys(SAME, 5), **changed})


def test_what_stops_the_first_row_fails_the_resource(stack: TableStack, sandbox: Sandbox) -> None:
    """A 401 before anything is written is an error, and the state stays as it was."""
    sandbox.plan([{"op": "create_budget", "action": "401"}])
    _, errors = stack.up(stack.declare(dict.fromkeys(SAME, 5)))
    assert len(errors) == 1
    assert "t-05" not in stack.stored


def test_a_failed_removal_stays_in_the_state(stack: TableStack, sandbox: Sandbox) -> None:
    """A row whose budget could not be deleted is still a row of the state, and the next run deletes it."""
    stack.up(stack.declare({"alice": 5, "bob": 6}))
    sandbox.plan([{"op": "delete_budget", "action": "422"}])
    declared = stack.declare({"alice": 5})
    _, errors = stack.up(declared)
    assert (errors, set(stack.pending()), stack.rows()) == ([], {"bob"}, {"alice": 5, "bob": 6})
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox)) == ({}, {"alice": 5})


def test_a_destroy_that_fails_can_be_run_again(stack: TableStack, sandbox: Sandbox) -> None:
    """A refused DELETE fails the destroy after the other rows; the next one deletes the rest."""
    stack.up(stack.declare(PEOPLE))
    sandbox.plan([{"op": "delete_budget", "action": "422", "nth": 3}])
    _, errors = stack.up({})
    assert len(errors) == 1
    assert "are not deleted: run again" in errors[0]
    assert len(live(sandbox)) == 1
    assert stack.up({})[1] == []
    assert live(sandbox) == {}


@pytest.mark.parametrize("action", ["reset_after", "reset_before", "500_after", "bad_json"])
def test_a_lost_reply_leaves_no_second_budget(stack: TableStack, sandbox: Sandbox, action: str) -> None:
    """A row whose create has no readable answer is looked up, and there is one budget for each person."""
    sandbox.plan([{"op": "create_budget", "action": action, "nth": 4}])
    declared = stack.declare(PEOPLE)
    stack.up(declared)
    assert stack.up(declared)[1] == []
    assert (stack.pending(), live(sandbox)) == ({}, PEOPLE)


def test_a_killed_run_is_taken_up(stack: TableStack, sandbox: Sandbox) -> None:
    """A run whose results were not stored leaves budgets that the next run adopts, without a second one."""
    declared = stack.declare(PEOPLE)
    stack.up(declared)
    lost = sorted(stack.stored)[:7]
    for name in lost:
        del stack.stored[name], stack.inputs[name]
    sandbox.forget_requests()
    assert stack.up(declared)[1] == []
    assert (sandbox.writes, live(sandbox)) == ([], PEOPLE)


# --- who declares whom


def test_a_person_in_two_tables_is_refused_with_both_names(stack: TableStack, sandbox: Sandbox) -> None:
    """Two tables cannot have one person, and neither can a table and a budget of its own."""
    both = {**stack.declare({"alice": 5}), **stack.declare({"Alice": 6}, "u")}
    _, refused = stack.preview(both)
    (text,) = refused
    assert "t-11/alice declares the same budget" in text
    assert sandbox.writes == []


def test_an_unchanged_row_of_another_table_is_refused_too(stack: TableStack) -> None:
    """A person who is a row already, in the state, is refused in a second table, in both orders."""
    table = stack.declare({"alice": 5})
    stack.up(table)
    other = stack.declare({"alice": 5}, "u")
    for both in ({**other, **table}, {**table, **other}):
        _, (text,) = stack.preview(both)
        assert "/alice declares the same budget" in text


def test_a_row_moves_between_tables_without_a_write(stack: TableStack, sandbox: Sandbox) -> None:
    """A person who moves to another table keeps the budget, whichever resource the engine updates first."""
    for names in (("t", "u"), ("u", "t")):
        first, second = names
        stack.up({**stack.declare({"alice": 5}, first), **stack.declare({"bob": 6}, second)})
        sandbox.forget_requests()
        moved = {**stack.declare({"alice": 5, "bob": 6}, second), **stack.declare({}, first)}
        told, refused = stack.preview(moved)
        assert refused == []
        assert stack.up(moved)[1] == []
        assert (sandbox.writes, live(sandbox)) == ([], {"alice": 5, "bob": 6})
        assert (
            stack.up(
                {name: moved[name] for name in moved if name.startswith(second)},
            )[1]
            == []
        )
        stack.up({})
        for budget in sandbox.budgets():
            sandbox.remove_budget(budget["id"])
        del told


@pytest.mark.parametrize("is_table_first", [True, False])
def test_an_exclusive_table_and_a_single_budget_exclude_each_other(
    stack: TableStack, harness: RunHarness, *, is_table_first: bool
) -> None:
    """A budget of a user beside an exclusive table of the owner is refused, in both orders."""
    single = {
        "enterprise": ENTERPRISE,
        "budget_scope": "user",
        "user": "zoe",
        "budget_amount": 5,
        "budget_product_sku": "ai_credits",
    }
    urn = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:EnterpriseBudget::zoe"
    declared = stack.declare({"alice": 5}, exclusive=True)
    name, inputs = next(iter(declared.items()))
    checks = [(BUCKET_RESOURCE, urn_of(name), inputs), ("EnterpriseBudget", urn, single)]
    found = [
        harness.operations[kind].check(of, {}, news, NOTHING).problems
        for kind, of, news in (checks if is_table_first else reversed(checks))
    ]
    assert found[0] == []
    assert "is exclusive" in str(found[1][0])


# --- states, and what GitHub refuses


def test_what_the_program_does_not_declare_has_no_difference(stack: TableStack, harness: RunHarness) -> None:
    """A refresh asks for differences too, without a check: there are none then, and nothing is read."""
    stack.up(stack.declare({"ann": 5}))
    old = next(each for each in stack.stored.values() if each.outputs["budgets"])
    found = harness.operations[BUCKET_RESOURCE].diff(urn_of("t"), old.id, old.outputs, {"budgets": {}}, NOTHING)
    assert found.changed == []


def test_a_part_of_a_table_cannot_be_read_alone(harness: RunHarness) -> None:
    """`.get` of a resource of a table says what to read instead."""
    with pytest.raises(ConfigError, match="read a person's budget with EnterpriseBudget"):
        harness.operations[BUCKET_RESOURCE].read(urn_of("t"), "enterprise/e/users-01", {})


def test_a_row_without_a_budget_in_a_damaged_state_is_created(stack: TableStack, sandbox: Sandbox) -> None:
    """A row in the state that has no id is a row to create; one that exists is adopted."""
    declared = stack.declare({"ann": 5})
    stack.up(declared)
    for old in stack.stored.values():
        old.outputs["budget_ids"] = {}
    sandbox.forget_requests()
    assert stack.up(declared)[1] == []
    assert (sandbox.writes, live(sandbox)) == ([], {"ann": 5})


def test_a_refused_listing_is_one_problem(stack: TableStack, sandbox: Sandbox) -> None:
    """An enterprise that the token cannot read is one problem of each resource, not one of each row."""
    _, refused = stack.preview(stack.declare(dict.fromkeys(SAME, 5), enterprise="nobody"))
    assert len(refused) == 1
    assert refused[0].startswith("enterprise: list the budgets of enterprise nobody: GitHub returned 404")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(("action", "is_refused"), [("403_permission", True), ("500_before", False)])
@pytest.mark.parametrize("table", [{"exclusive": True}, {}])
def test_a_removal_that_cannot_be_compared(
    stack: TableStack, sandbox: Sandbox, action: str, table: dict[str, Any], *, is_refused: bool
) -> None:
    """A refused read is a problem; one that fails is told, and the removal is told from the state."""
    stack.up(stack.declare({"ann": 5, "bob": 6}, **table))
    sandbox.plan([{"action": action, "nth": number} for number in range(1, 40)], required=False)
    told, refused = stack.preview(stack.declare({"ann": 5}, **table))
    if is_refused:
        assert refused
        assert "GitHub returned 403" in refused[0]
    else:
        assert refused == []
        assert any("not compared with GitHub" in text for text in told)
        assert any("lifts the caps of 1 person ($6 a month): bob $6" in text for text in told)
