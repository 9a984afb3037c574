"""Helpers for inputs that all resources share."""

from __future__ import annotations

from billing_provider.core.inputs import Problem, near


def test_a_problem_of_a_whole_resource_names_no_input() -> None:
    """A problem starts with the name of its input, if it is about one."""
    assert str(Problem("budget_amount", "write a number")) == "budget_amount: write a number"
    assert str(Problem("", "remove one of the two")) == "remove one of the two"


def test_near_names_are_found_regardless_of_case() -> None:
    """A misspelt name gets the similar known names, in their own spelling, the most similar first."""
    assert near("budget_ammount", ["budget_amount", "budget_type", "user"], 1) == ["budget_amount"]
    assert near("OCTO-ENTREPRISE", ["octo-enterprise", "Octo-Org"]) == ["octo-enterprise"]
    assert near("actions_linus", ["actions_linux", "actions_linux_arm", "actions_macos"])[0] == "actions_linux"
    assert near("x", ["budget_amount"]) == []
