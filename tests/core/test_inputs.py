"""Helpers for inputs that all resources share."""

from __future__ import annotations

from billing_provider.core.inputs import near


def test_near_names_are_found_regardless_of_case() -> None:
    """A misspelt name gets the similar known names, in their own spelling, the most similar first."""
    assert near("budget_ammount", ["budget_amount", "budget_type", "user"], 1) == ["budget_amount"]
    assert near("OCTO-ENTREPRISE", ["octo-enterprise", "Octo-Org"]) == ["octo-enterprise"]
    assert near("actions_linus", ["actions_linux", "actions_linux_arm", "actions_macos"])[0] == "actions_linux"
    assert near("x", ["budget_amount"]) == []
