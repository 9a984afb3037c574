"""Helpers for inputs that all resources share."""

from __future__ import annotations

from billing_provider.core.inputs import Problem, choose, near, nearest, no_such_inputs


def test_a_problem_of_a_whole_resource_names_no_input() -> None:
    """A problem starts with the name of its input, if it is about one."""
    assert str(Problem("budget_amount", "write a number")) == "budget_amount: write a number"
    assert str(Problem("", "remove one of the two")) == "remove one of the two"


def test_near_names_are_found_regardless_of_case() -> None:
    """A misspelt name gets the similar known names, in their own spelling, the most similar first."""
    assert near("budget_ammount", ["budget_amount", "budget_type", "user"])[:1] == ["budget_amount"]
    assert near("OCTO-ENTREPRISE", ["octo-enterprise", "Octo-Org"]) == ["octo-enterprise"]
    assert near("actions_linus", ["actions_linux", "actions_linux_arm", "actions_macos"])[0] == "actions_linux"
    assert near("x", ["budget_amount"]) == []
    assert near("budget_amount" + "t" * 250, ["budget_amount" + "t" * 250]) == []


def test_names_in_a_message_are_few_and_begin_with_the_nearest() -> None:
    """At most five names are shown, similar ones first, then the others in their order; the rest is counted."""
    names = [f"Team {number:02}" for number in range(41)] + ["Platform"]
    assert nearest("Platfrom", names) == "Platform, Team 00, Team 01, Team 02, Team 03 and 37 more"
    assert nearest("platform", ["Data", "platform", "Platform"]) == "platform, Data, Platform"
    assert nearest("nobody", ["b", "a", "b"]) == "a, b"
    assert nearest("x", ["y" * 300]) == "y" * 57 + "..."
    assert nearest("x", []) == ""


def test_a_misspelt_name_or_value_gets_its_nearest_names() -> None:
    """A misspelt input or value gets the similar names; the value is not repeated. Otherwise all names are given."""
    known = ("budget_amount", "user", "users")
    (told,) = no_such_inputs("OrgBudget", ["budget_ammount"], known)
    assert str(told) == "budget_ammount: no such input of OrgBudget; did you mean budget_amount?"
    assert (
        str(no_such_inputs("OrgBudget", ["usr"], known)[0])
        == "usr: no such input of OrgBudget; did you mean user or users?"
    )
    other = "colour: no such input of OrgBudget; its inputs are budget_amount, user, users"
    assert str(no_such_inputs("OrgBudget", ["colour"], known)[0]) == other
    assert choose("Adpot", ["adopt", "error"]) == "write one of adopt, error, or leave it out; did you mean adopt?"
    assert choose("ghp_secret", ["adopt", "error"]) == "write one of adopt, error, or leave it out"
