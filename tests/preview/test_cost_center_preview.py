"""What a preview says about a cost center, from reads only: adoptions, conflicts, and moved members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.inputs import Problem
    from billing_provider.sandbox import Sandbox
    from tests.support.clock import VirtualClock
    from tests.support.harness import RunHarness

APPS: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Apps"}
PLATFORM: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Platform"}
NOTHING: frozenset[str] = frozenset()


def compare(
    harness: RunHarness,
    declared: dict[str, Any],
    olds: dict[str, Any] | None = None,
    unknown: frozenset[str] = NOTHING,
) -> list[Problem]:
    """Check a cost center and compare it with GitHub, as the plugin does; return the problems."""
    checked = CostCenterLifecycle(harness.run).check("urn::c", olds or {}, declared, unknown)
    assert checked.problems == []
    return harness.cost_center_preview.compare("urn::c", olds or {}, checked.inputs, unknown)


def warned(harness: RunHarness, declared: dict[str, Any], olds: dict[str, Any] | None = None) -> list[str]:
    """Return the warnings of a comparison without problems, without the name of the cost center."""
    assert compare(harness, declared, olds) == []
    return [text.partition(": ")[2] for text in harness.reporter.warnings]


def test_an_unchanged_cost_center_sends_nothing(sandbox: Sandbox, harness: RunHarness) -> None:
    """Members in another order and spelling are unchanged."""
    olds = {**APPS, "users": ["octocat", "hubot"]}
    assert warned(harness, {**APPS, "users": ["Hubot", "octocat"]}, olds) == []
    assert sandbox.requests == []


def test_moved_members_are_named(sandbox: Sandbox, harness: RunHarness) -> None:
    """Members that a new cost center takes from others are named, after one listing."""
    assert warned(harness, {**APPS, "users": ["hubot", "octocat"], "organizations": ["octo-lab"]}) == [
        "adding hubot removes it from the cost center Platform",
        "adding octo-lab removes it from the cost center Data",
    ]
    assert [request.method for request in sandbox.requests] == ["GET"]


def test_members_of_archived_cost_centers_cause_no_warning(sandbox: Sandbox, harness: RunHarness) -> None:
    """Only members of active cost centers are reported as moved."""
    CostCenterLifecycle(harness.run).delete(f"enterprise/octo-enterprise/{sandbox.cost_centers()[0]['id']}", {})
    assert warned(harness, {**APPS, "users": ["hubot"]}) == []


def test_an_adoption_names_its_changes(sandbox: Sandbox, harness: RunHarness) -> None:
    """The members that an adoption removes are named first, then those that it adds and other changes."""
    there = sandbox.cost_centers()[0]
    declared = {**PLATFORM, "users": ["hubot", "octocat"], "ai_credit_pool_enabled": True, "on_existing": "adopt"}
    changes = "removes users monalisa; adds users octocat; ai_credit_pool_enabled: False → True"
    then = "a destroy keeps it (on_delete)"
    assert warned(harness, declared) == [f"adopts the existing cost center {there['id']}: {changes}; {then}"]
    assert sandbox.writes == []


def test_an_adoption_as_it_is_says_so(sandbox: Sandbox, harness: RunHarness) -> None:
    """A cost center whose declared inputs are live is adopted as it is."""
    there = sandbox.cost_centers()[0]
    assert warned(harness, {**PLATFORM, "users": ["hubot", "monalisa"]}) == [
        f"adopts the existing cost center {there['id']} as it is; a destroy keeps it (on_delete)"
    ]


def test_many_members_are_counted(harness: RunHarness) -> None:
    """A long list of members is cut, and the rest is counted."""
    names = [f"person-{number:02}" for number in range(14)]
    (text,) = warned(harness, {**PLATFORM, "users": [*names, "hubot", "monalisa"], "on_existing": "adopt"})
    assert "adds users person-00, " in text
    assert text.endswith("person-09 and 4 more; a destroy keeps it (on_delete)")


def test_a_conflict_is_a_problem(sandbox: Sandbox, harness: RunHarness) -> None:
    """A cost center of the name with other members is a problem, with the id."""
    (problem,) = compare(harness, {**PLATFORM, "users": ["octocat"]})
    assert f"exists already as {sandbox.cost_centers()[0]['id']}; it differs in users" in problem.reason
    assert sandbox.writes == []


def test_an_enterprise_that_cannot_be_read_is_a_problem(new_run: Callable[..., RunHarness]) -> None:
    """A token without permission is refused in the preview, as it would be in the run."""
    (problem,) = compare(new_run(token="sandbox-fine-grained"), {**APPS, "users": ["hubot"]})
    assert problem.field == "enterprise"
    assert "returned 403" in problem.reason


def test_without_github_the_preview_goes_on(sandbox: Sandbox, clock: VirtualClock) -> None:
    """An unreachable GitHub is one warning."""
    harness = open_harness(sandbox, clock, base_url="http://127.0.0.1:1")
    (text,) = warned(harness, {**APPS, "users": ["hubot"]})
    assert harness.reporter.warnings[0].startswith("not compared with GitHub: ")
    assert "no connection" in text


def test_a_newly_declared_kind_names_the_members_that_it_removes(harness: RunHarness) -> None:
    """A list is complete from its first declaration, so undeclared members leave."""
    texts = warned(harness, {**PLATFORM, "users": ["hubot"], "organizations": []}, PLATFORM)
    assert texts == [
        "declaring users removes monalisa from this cost center, because the declared list does not contain it"
    ]


@pytest.mark.parametrize("unknown", ["name", "enterprise"])
def test_an_unknown_name_or_enterprise_is_not_compared(sandbox: Sandbox, harness: RunHarness, unknown: str) -> None:
    """What is not known yet is not compared; nothing is sent."""
    declared = {name: value for name, value in APPS.items() if name != unknown}
    assert compare(harness, declared, unknown=frozenset({unknown})) == []
    assert sandbox.requests == []


def test_another_enterprise_is_left_to_the_check_of_the_new_cost_center(sandbox: Sandbox, harness: RunHarness) -> None:
    """A replacement is checked again as a new cost center; before that nothing is sent."""
    assert warned(harness, {**APPS, "enterprise": "other"}, APPS) == []
    assert sandbox.requests == []


def test_a_full_enterprise_is_told(sandbox: Sandbox, harness: RunHarness) -> None:
    """A create beside 1,000 active cost centers is a warning; archived ones and an adoption give none."""
    stored = sandbox.snapshot()
    stored["cost_centers"] = [{"id": str(number), "name": f"c{number}"} for number in range(1000)]
    sandbox.restore(stored)
    assert warned(harness, {**APPS, "name": "C7", "on_existing": "adopt"})[0].startswith("adopts the existing")
    harness.reporter.warnings.clear()
    (text,) = warned(harness, APPS)
    assert text == (
        "enterprise octo-enterprise has 1,000 active cost centers and GitHub's limit is 1,000, so the create will "
        "probably be refused: archive one before"
    )


def test_archived_cost_centers_do_not_fill_an_enterprise(sandbox: Sandbox, harness: RunHarness) -> None:
    """999 active cost centers and an archived one leave room."""
    stored = sandbox.snapshot()
    stored["cost_centers"] = [{"id": str(number), "name": f"c{number}"} for number in range(1000)]
    stored["cost_centers"][0]["state"] = "deleted"
    sandbox.restore(stored)
    assert warned(harness, APPS) == []
