"""What a preview says about a budget, from reads only: adoptions, conflicts, and the consequences of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets import consequences
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import Problem
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.settings import Guards
from billing_provider.preview.usage import MOST_PEOPLE
from billing_provider.runtime.create_once import ELSEWHERE
from billing_provider.sandbox import Sandbox
from tests.support.harness import open_harness
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.clock import VirtualClock
    from tests.support.harness import RunHarness

E = "octo-enterprise"
NOTHING: frozenset[str] = frozenset()
MONA = {"will_alert": True, "alert_recipients": ["monalisa"]}
PLAIN: dict[str, Any] = {
    "enterprise": E,
    "budget_amount": 500,
    "budget_product_sku": "actions",
    "budget_alerting": MONA,
}
PERSON: dict[str, Any] = {
    "enterprise": E,
    "budget_amount": 50,
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
}
UNIVERSAL: dict[str, Any] = {
    "enterprise": E,
    "budget_amount": 40,
    "budget_product_sku": "ai_credits",
    "budget_scope": "multi_user_customer",
}
SUBJECT = "the actions budget of enterprise octo-enterprise, scope enterprise: "


def compare(
    harness: RunHarness,
    declared: dict[str, Any],
    olds: dict[str, Any] | None = None,
    *,
    urn: str = "urn::b",
    unknown: frozenset[str] = NOTHING,
    budget_id: str = "",
) -> list[Problem]:
    """Check a budget and compare it with GitHub, as the plugin does; return the problems.

    Args:
        harness: The run.
        declared: The inputs in the program.
        olds: The inputs in the state; the budget in the state is the one on GitHub that they identify.
        urn: The URN of the resource.
        unknown: The inputs not known yet.
        budget_id: GitHub's id of the budget in the state, if the sandbox does not have it.
    """
    kind = OWNER_KINDS["organization" if "organization" in declared else "enterprise"]
    stored = checked(harness, olds) if olds else {}
    known = {name: value for name, value in declared.items() if name not in unknown}
    found = harness.lifecycle(declared).check(urn, stored, known, unknown)
    assert found.problems == []
    harness.reporter.warnings.clear()
    if not stored:
        return harness.operations[kind.resource].compare(urn, {}, found.inputs, unknown)
    id_ = f"{kind.noun}/{stored[kind.noun]}/{budget_id or id_of(harness.sandbox, stored)}"
    try:
        harness.operations[kind.resource].compare_update(urn, id_, stored, found.inputs, unknown)
    except ConfigError as error:
        return [Problem("budget_amount", str(error).partition(": ")[2])]
    return []


def id_of(sandbox: Sandbox, stored: dict[str, Any]) -> str:
    """Return the id of the budget on GitHub for the product, the scope and the user of a state, or another id."""
    names = ("budget_product_sku", "budget_scope", "user")
    found = (
        budget["id"]
        for budget in sandbox.budgets(None)
        if [budget.get(name) for name in names] == [stored.get(name) for name in names]
    )
    return next(found, "00000000-0000-4000-8000-000000000000")


def checked(harness: RunHarness, declared: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs that a state has for a declaration."""
    return open_harness(harness.sandbox, harness.clock).lifecycle(declared).check("urn", {}, declared, NOTHING).inputs


def warned(harness: RunHarness, declared: dict[str, Any], olds: dict[str, Any] | None = None) -> list[str]:
    """Return the warnings of a comparison without problems, without their beginnings, and without `ELSEWHERE`."""
    assert compare(harness, declared, olds) == []
    return [text.partition(": ")[2] for text in harness.reporter.warnings if not text.endswith(ELSEWHERE)]


def reads(sandbox: Sandbox) -> list[str]:
    """Return the last parts of the requests, which are all reads."""
    assert sandbox.writes == []
    return [request.path.rpartition("/billing/")[2] for request in sandbox.requests]


def test_an_unchanged_budget_sends_nothing(sandbox: Sandbox, harness: RunHarness) -> None:
    """A budget whose inputs mean the same as those in the state is not compared."""
    again = {**PLAIN, "budget_alerting": {"will_alert": True, "alert_recipients": ["MonaLisa"]}}
    assert warned(harness, again, PLAIN) == []
    assert sandbox.requests == []


def test_an_adoption_names_each_change_with_losses_first(sandbox: Sandbox, harness: RunHarness) -> None:
    """An adoption names the id, then the lost hard stop, the raise and the lost recipients, then other changes."""
    there = sandbox.add_budget(
        "enterprise",
        E,
        budget_amount=77,
        prevent_further_usage=True,
        budget_alerting={"will_alert": True, "alert_recipients": ["hubot", "octocat"]},
    )
    declared = {**PLAIN, "on_existing": "adopt", "budget_alerting": {"will_alert": True, "alert_recipients": ["hubot"]}}
    changes = "removes the hard stop; raises the amount from $77 to $500; no longer alerts octocat"
    then = "a destroy keeps it (on_delete)"
    assert warned(harness, declared) == [f"adopts the existing budget {there['id']}: {changes}; {then}"]
    assert reads(sandbox) == ["budgets"]


def test_an_adoption_as_it_is_says_so(sandbox: Sandbox, harness: RunHarness) -> None:
    """An identical budget is adopted as it is."""
    there = sandbox.add_budget("enterprise", E, budget_amount=500, budget_alerting=MONA)
    assert warned(harness, PLAIN) == [
        f"adopts the existing budget {there['id']} as it is; a destroy keeps it (on_delete)"
    ]


def test_a_budget_in_the_state_of_this_run_is_not_said_to_be_elsewhere(sandbox: Sandbox, harness: RunHarness) -> None:
    """What another resource of the run has had so far is in this state; for any other budget, it is said once a run."""
    there = sandbox.add_budget("enterprise", E, budget_amount=500, budget_alerting=MONA)
    sandbox.add_budget("enterprise", E, budget_amount=500, budget_alerting=MONA, budget_product_sku="packages")
    harness.run.registry.replace("urn::a", there["id"], PLAIN)
    assert compare(harness, PLAIN) == []
    assert not any(ELSEWHERE in text for text in harness.reporter.warnings)
    assert compare(harness, {**PLAIN, "budget_product_sku": "packages"}, urn="urn::c") == []
    assert any(text.endswith(ELSEWHERE) for text in harness.reporter.warnings)


def test_a_budget_that_differs_is_a_problem(sandbox: Sandbox, harness: RunHarness) -> None:
    """Without `adopt`, the preview fails as the create would, with the id and both values of each field."""
    there = sandbox.add_budget("enterprise", E, budget_amount=77, prevent_further_usage=True, budget_alerting=MONA)
    (problem,) = compare(harness, PLAIN)
    assert f"exists already as {there['id']}" in problem.reason
    assert (
        "budget_amount (77 there, 500 declared), prevent_further_usage (True there, False declared)" in problem.reason
    )
    assert 'on_existing="adopt"' in problem.reason


def test_the_default_of_the_stack_decides_about_adoption(sandbox: Sandbox, clock: VirtualClock) -> None:
    """`github-billing:onExisting` holds for budgets that declare nothing else."""
    sandbox.add_budget("enterprise", E, budget_amount=77, budget_alerting=MONA)
    harness = open_harness(sandbox, clock, Guards(on_existing="adopt"))
    (text,) = warned(harness, PLAIN)
    assert text.endswith("raises the amount from $77 to $500; a destroy keeps it (on_delete)")
    harness = open_harness(sandbox, clock, Guards(on_existing="adopt"))
    (problem,) = compare(harness, {**PLAIN, "on_existing": "error"})
    assert "exists already" in problem.reason


@pytest.mark.parametrize("existing", ["twice", "other type", "held", "unsure"])
def test_other_conflicts_are_problems(sandbox: Sandbox, harness: RunHarness, existing: str) -> None:
    """Two budgets of one key, another pricing type, a budget of another resource, and an unclear one are problems."""
    fields = {"budget_amount": 500, "budget_alerting": MONA}
    there = sandbox.add_budget("enterprise", E, **fields)
    declared = {**PLAIN, "on_existing": "adopt"}
    words = there["id"]
    if existing == "twice":
        sandbox.add_budget("enterprise", E, **fields)
        words = "exists more than once"
    elif existing == "other type":
        sandbox.edit_budget(there["id"], budget_type="SkuPricing")
        words = "which an update cannot change"
    elif existing == "held":
        harness.run.registry.hold("urn::another", there["id"])
        words = "is declared twice"
    else:
        sandbox.edit_budget(there["id"], budget_scope="repository", budget_entity_name="octo-org/website")
        sandbox.switch("bare_repository")
        declared |= {"budget_scope": "repository", "budget_entity_name": "octo-lab/website"}
        words = "may exist already"
    (problem,) = compare(harness, declared)
    assert words in problem.reason
    assert reads(sandbox) == ["budgets"]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"enterprise": "octo-entreprise"}, "Found in this run: octo-enterprise"),
        ({"enterprise": "nobody"}, "returned 404"),
        ({"budget_scope": "cost_center", "budget_entity_name": "Platfrom"}, "Platform"),
        ({"budget_scope": "organization", "budget_entity_name": "octo-ogr"}, "octo-org"),
    ],
    ids=["enterprise", "other enterprise", "cost center", "organization"],
)
def test_a_missing_owner_or_entity_is_a_problem_with_similar_names(
    sandbox: Sandbox, harness: RunHarness, declared: dict[str, Any], words: str
) -> None:
    """What a create could not find is a problem before it."""
    assert warned(harness, {**PLAIN, "budget_product_sku": "packages"}) == []
    (problem,) = compare(harness, {**PLAIN, **declared}, urn="urn::other")
    assert words in problem.reason
    assert sandbox.writes == []


def test_a_missing_organization_gets_the_names_of_the_enterprises(sandbox: Sandbox, harness: RunHarness) -> None:
    """The owner of a budget can be an organization that a budget, a cost center or usage of an enterprise names."""
    sandbox.add_budget("enterprise", E, budget_scope="organization", budget_entity_name="octo-lab")
    assert warned(harness, PLAIN) == []
    organization = {**PLAIN, "organization": "octo-lba", "budget_scope": "organization"}
    del organization["enterprise"]
    (problem,) = compare(harness, organization, urn="urn::other")
    assert problem.reason.endswith("Found in this run: octo-lab, octo-apps, octo-org.")


@pytest.mark.parametrize("status", [200, 403])
def test_an_organization_that_only_its_own_listing_shows_exists(
    new_run: Callable[..., RunHarness], status: int
) -> None:
    """Where no budget, cost center or usage names an organization, its own listing is read; a refusal is no 404."""
    empty = {"budgets": [], "has_next_page": False, "total_count": 0}
    replies = [empty, {"costCenters": []}, {"usageItems": []}]
    with WireServer(*(answer(200, reply) for reply in replies), answer(status, empty)) as server:
        harness = new_run(base_url=server.url)
        assert compare(harness, {**PLAIN, "budget_scope": "organization", "budget_entity_name": "new-org"}) == []
        assert "/organizations/new-org/" in server.heard[3]


def test_an_organization_is_looked_up_once(sandbox: Sandbox, harness: RunHarness) -> None:
    """Budgets of one organization share its lookup."""
    declared = {**PLAIN, "budget_scope": "organization", "budget_entity_name": "octo-apps"}
    with_usage = {**declared, "budget_entity_name": "octo-org"}
    assert compare(harness, with_usage) == []
    assert compare(harness, declared, urn="urn::other") == []
    assert compare(harness, {**declared, "budget_product_sku": "packages"}, urn="urn::third") == []
    assert [path for path in reads(sandbox) if path == "budgets"] != []
    assert len([request for request in sandbox.requests if "octo-apps" in request.path]) <= 1


def test_a_cost_center_that_this_run_declares_may_be_missing(sandbox: Sandbox, harness: RunHarness) -> None:
    """A budget that names a cost center of the same program is not compared before the cost center exists."""
    harness.run.registry.declare("urn::center", ("cost center", E, "apps"))
    declared = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": "Apps"}
    assert compare(harness, declared) == []
    assert sandbox.writes == []


@pytest.mark.parametrize("status", ["401", "403_permission"])
def test_a_refusal_is_a_problem_with_its_repair(sandbox: Sandbox, harness: RunHarness, status: str) -> None:
    """A token that may not read is a problem: `up` would fail too."""
    sandbox.plan([{"op": "list_budgets", "action": status}])
    (problem,) = compare(harness, PLAIN)
    assert problem.field == "enterprise"
    assert f"returned {status[:3]}" in problem.reason


def test_without_a_token_one_warning_is_shown(sandbox: Sandbox, clock: VirtualClock) -> None:
    """Without a token, with an unreachable or a failing GitHub, the preview goes on, after one warning for the run."""
    harness = open_harness(sandbox, clock, base_url="http://127.0.0.1:1")
    assert compare(harness, PLAIN) == []
    (text,) = harness.reporter.warnings
    assert text.startswith("not compared with GitHub: list the budgets of enterprise octo-enterprise: no connection")
    assert compare(harness, {**PLAIN, "budget_product_sku": "packages"}, urn="urn::other") == []
    assert harness.reporter.warnings == []


@pytest.mark.parametrize("action", ["429_secondary", "503_before", "reset_before"])
def test_a_limit_or_a_failure_is_not_waited_for(sandbox: Sandbox, harness: RunHarness, action: str) -> None:
    """A preview waits at most some seconds for GitHub; then it goes on without the comparison."""
    sandbox.plan([{"op": "list_budgets", "action": action, "every": 1}])
    assert compare(harness, PLAIN) == []
    assert [text[:24] for text in harness.reporter.warnings] == ["not compared with GitHub"]
    assert harness.clock.now() <= 15


def test_the_setting_turns_the_reads_off(sandbox: Sandbox, clock: VirtualClock) -> None:
    """With `previewReads` off nothing is sent, and a change is compared with the state."""
    harness = open_harness(sandbox, clock, Guards(preview_reads=False))
    assert compare(harness, {**PLAIN, "enterprise": "nobody"}) == []
    assert warned(harness, {**PLAIN, "budget_amount": 900}, PLAIN) == ["raises the amount from $500 to $900"]
    assert warned(harness, {**PLAIN, "prevent_further_usage": True}, PLAIN) == [
        "adds a hard stop",
        consequences.UNKNOWN_SPEND,
    ]
    assert sandbox.requests == []


def test_a_change_is_compared_with_the_live_budget(sandbox: Sandbox, harness: RunHarness) -> None:
    """The old values are those on GitHub, not those in the state."""
    sandbox.add_budget("enterprise", E, budget_amount=400, prevent_further_usage=True, budget_alerting=MONA)
    declared = {**PLAIN, "prevent_further_usage": True}
    assert warned(harness, {**declared, "budget_amount": 800}, declared) == [
        "raises the most that can be spent by $400 (+100 %)"
    ]
    assert reads(sandbox) == ["budgets"]


def test_a_change_of_the_identity_is_left_to_the_check_of_the_new_budget(sandbox: Sandbox, harness: RunHarness) -> None:
    """A replacement is checked again as a new budget; before that nothing is said or sent."""
    moved = {**PLAIN, "budget_scope": "organization", "budget_entity_name": "octo-org"}
    assert warned(harness, moved, PLAIN) == []
    assert sandbox.requests == []


def test_a_lower_cap_stops_usage_at_once(sandbox: Sandbox, harness: RunHarness) -> None:
    """A hard cap below GitHub's own figure, or below the usage reports, stops usage at once."""
    sandbox.switch("whole_month_counts")
    declared = {**PLAIN, "prevent_further_usage": True}
    sandbox.add_budget("enterprise", E, budget_amount=500, prevent_further_usage=True, budget_alerting=MONA)
    texts = warned(harness, {**declared, "budget_amount": 1}, declared)
    assert texts[0] == "lowers the most that can be spent by $499 (-99.8 %)"
    assert texts[1].startswith("usage of actions of octo-enterprise stops at once: $")
    assert texts[1].endswith(" are spent, the cap is $1")


def test_a_lower_cap_per_person_names_who_is_stopped(sandbox: Sandbox, harness: RunHarness) -> None:
    """The people come from the user states; a person with an own budget is not stopped."""
    sandbox.switch("whole_month_counts")
    sandbox.add_budget(
        "enterprise", E, **{name: UNIVERSAL[name] for name in ("budget_scope", "budget_product_sku")},
        budget_type="BundlePricing", budget_amount=400, prevent_further_usage=True,
    )  # fmt: skip
    old = {**UNIVERSAL, "budget_amount": 400}
    texts = warned(harness, {**UNIVERSAL, "budget_amount": 1}, old)
    assert any(text.startswith("stops ") and "people at once" in text for text in texts)
    assert reads(sandbox)[0] == "budgets"
    assert reads(sandbox)[1].endswith("/user-states")


def test_a_new_cap_of_one_person_is_compared_with_the_effective_budget(sandbox: Sandbox, harness: RunHarness) -> None:
    """GitHub returns the consumption of a person with the budget that applies now."""
    sandbox.switch("whole_month_counts")
    sandbox.add_budget(
        "enterprise", E, budget_scope="multi_user_customer", budget_product_sku="ai_credits",
        budget_type="BundlePricing", budget_amount=400, prevent_further_usage=True,
    )  # fmt: skip
    texts = warned(harness, {**PERSON, "budget_amount": 0})
    assert any(text.startswith("stops octocat at once: $") for text in texts)


def test_a_new_hard_budget_tells_the_spend_that_it_does_not_count(sandbox: Sandbox, harness: RunHarness) -> None:
    """The meter of a new budget starts at 0; the usage reports tell what this month has cost so far."""
    texts = warned(harness, {**PLAIN, "prevent_further_usage": True})
    assert texts[0].startswith("counts from 0: $")
    assert texts[0].endswith(" used earlier this month are not included")
    assert reads(sandbox) == ["budgets", "usage/summary"]


def test_what_cannot_be_read_is_said_to_be_unknown(sandbox: Sandbox, harness: RunHarness) -> None:
    """A token that may list budgets and not usage is told that the spend is not known."""
    sandbox.plan([{"op": "usage_summary", "action": "403_permission", "every": 1}])
    texts = warned(harness, {**PLAIN, "prevent_further_usage": True})
    assert texts[0] == "counts from 0: usage from earlier this month is not included"


def test_people_that_cannot_be_read_are_said_to_be_unknown(sandbox: Sandbox, harness: RunHarness) -> None:
    """Without the right to read user states, the preview says that it may stop people."""
    sandbox.add_budget(
        "enterprise", E, budget_scope="multi_user_customer", budget_product_sku="ai_credits",
        budget_type="BundlePricing", budget_amount=400, prevent_further_usage=True,
    )  # fmt: skip
    sandbox.plan([{"op": "list_user_states", "action": "403_permission", "every": 1}])
    texts = warned(harness, UNIVERSAL, {**UNIVERSAL, "budget_amount": 400})
    assert consequences.UNKNOWN_PEOPLE in texts


def test_the_figure_of_a_budget_takes_precedence_over_the_usage_reports(new_run: Callable[..., RunHarness]) -> None:
    """Where GitHub returns the consumption with the budget, no usage report is read."""
    hard = {**PLAIN, "prevent_further_usage": True}
    fields = {"budget_scope": "enterprise", "budget_product_sku": "actions", "user": None, "consumed_amount": 480.0}
    live = page(0, 1, 1, **fields, budget_amount=500, budget_type="ProductPricing")
    with WireServer(live) as server:
        harness = new_run(base_url=server.url)
        assert compare(harness, {**hard, "budget_amount": 400}, hard, budget_id="id-0") == []
        stops = "usage of actions of octo-enterprise stops at once: $480 are spent, the cap is $400"
        assert any(stops in text for text in harness.reporter.warnings)
        assert len(server.heard) == 1


def test_the_consumption_of_few_people_is_read_one_by_one(sandbox: Sandbox, harness: RunHarness) -> None:
    """Beyond twenty new caps of one person, the preview says once that it does not know what these people have used."""
    said: list[str] = []
    for number in range(MOST_PEOPLE + 3):
        assert compare(harness, {**PERSON, "user": f"person-{number}"}, urn=f"urn::{number}") == []
        said += harness.reporter.warnings
    assert sum(consequences.UNKNOWN_PEOPLE in text for text in said) == 1
    assert len(reads(sandbox)) == MOST_PEOPLE + 1


def test_a_raise_above_the_limit_is_refused(sandbox: Sandbox, clock: VirtualClock) -> None:
    """A typing slip is refused with its figure and the way to allow it, for a change and for a new budget."""
    harness = open_harness(sandbox, clock, Guards(max_increase_usd=1000))
    live = sandbox.add_budget("enterprise", E, budget_amount=5000, budget_alerting=MONA)
    (problem,) = compare(harness, {**PLAIN, "budget_amount": 50_000}, {**PLAIN, "budget_amount": 5000})
    assert problem.reason.startswith("raises the amount by $45,000 (+900 %), above maxIncreaseUsd=1000")
    sandbox.remove_budget(live["id"])
    harness = open_harness(sandbox, clock, Guards(max_increase_usd=1000))
    (problem,) = compare(harness, {**PLAIN, "budget_amount": 50_000})
    assert problem.reason.startswith("sets an amount of $50,000")
    unknown = frozenset({"budget_entity_name"})
    late = {**PLAIN, "budget_scope": "cost_center", "budget_amount": 50_000}
    (problem,) = compare(harness, late, urn="urn::late", unknown=unknown)
    assert problem.field == ""
    assert compare(harness, {**PLAIN}, urn="urn::x", unknown=frozenset({"budget_amount"})) == []


def test_budgets_that_cannot_all_be_used_are_named(sandbox: Sandbox, harness: RunHarness) -> None:
    """Declared and live budgets below a smaller one are summed, on the row of either."""
    sandbox.add_budget(
        "enterprise", E, budget_scope="organization", budget_entity_name="octo-org", budget_amount=300,
        prevent_further_usage=True,
    )  # fmt: skip
    hard = {**PLAIN, "prevent_further_usage": True}
    below = {**hard, "budget_scope": "organization", "budget_entity_name": "octo-lab", "budget_amount": 300}
    first = warned(harness, hard)
    assert not any("cannot all be used" in text for text in first)
    assert compare(harness, below, urn="urn::below") == []
    (text,) = [text for text in harness.reporter.warnings if "cannot all be used" in text]
    assert "allows $500" in text
    assert "$600 in sum" in text
    harness = open_harness(sandbox, harness.clock)
    assert any("$300 in sum" in text for text in warned(harness, {**hard, "budget_amount": 200}))


def test_a_budget_that_is_declared_by_uuid_and_listed_by_name_is_counted_once(
    sandbox: Sandbox, harness: RunHarness
) -> None:
    """The live budget of a cost center is the declared one, though GitHub returns the name of the cost center."""
    center = sandbox.cost_centers()[0]["id"]
    fields = {"budget_scope": "cost_center", "budget_entity_name": center, "budget_amount": 400}
    sandbox.add_budget("enterprise", E, **fields, prevent_further_usage=True, budget_alerting=MONA)
    declared = {**PLAIN, **fields, "prevent_further_usage": True}
    assert not any("in sum" in text for text in warned(harness, declared))
    assert compare(harness, {**PLAIN, "prevent_further_usage": True}, urn="urn::whole") == []
    assert not any("in sum" in text for text in harness.reporter.warnings)


def test_what_caps_of_persons_leave_out_is_said_once(sandbox: Sandbox, harness: RunHarness) -> None:
    """The warning is shown once in a run, and not where another budget covers AI credits."""
    assert any(consequences.UNCOVERED in text for text in warned(harness, UNIVERSAL))
    assert not any(consequences.UNCOVERED in text for text in warned(harness, PERSON))
    sandbox.add_budget("enterprise", E, budget_product_sku="ai_credits", budget_type="BundlePricing")
    harness = open_harness(sandbox, harness.clock)
    assert not any(consequences.UNCOVERED in text for text in warned(harness, UNIVERSAL))


def test_an_unlisted_sku_is_told_with_similar_names(sandbox: Sandbox, harness: RunHarness) -> None:
    """An SKU that GitHub's reference does not list may be valid; similar names and those in use are shown."""
    sandbox.add_budget("enterprise", E, budget_product_sku="packages")
    (text,) = [text for text in warned(harness, {**PLAIN, "budget_product_sku": "actions_linus"}) if "linus" in text]
    assert "actions_linux" in text
    assert "the owner's budgets use packages" in text


@pytest.mark.parametrize("many", [1, 40])
def test_any_number_of_changes_shares_one_listing(sandbox: Sandbox, harness: RunHarness, many: int) -> None:
    """The changes of one owner share one listing, and cost centers another one."""
    for number in range(many):
        declared = {
            **PLAIN,
            "budget_product_sku": f"sku_{number}",
            "budget_scope": "cost_center",
            "budget_entity_name": "Platform",
        }
        assert compare(harness, declared, urn=f"urn::{number}") == []
    assert sorted(reads(sandbox)) == ["budgets", "cost-centers"]


def page(start: int, count: int, total: int, **fields: Any) -> bytes:
    """Return a page of a listing."""
    budgets = [
        {
            "id": f"id-{number}",
            "budget_amount": 5,
            "budget_type": "BundlePricing",
            "budget_product_sku": "ai_credits",
            "budget_scope": "user",
            "user": f"user-{number}",
            "prevent_further_usage": True,
            **fields,
        }
        for number in range(start, start + count)
    ]
    return answer(200, {"budgets": budgets, "has_next_page": start + count < total, "total_count": total})


def test_a_long_listing_is_narrowed_to_a_scope(new_run: Callable[..., RunHarness]) -> None:
    """An owner with many pages of users' budgets is not listed whole for one budget of another scope."""
    empty = answer(200, {"budgets": [], "has_next_page": False, "total_count": 0})
    with WireServer(page(0, 100, 1000), empty, empty) as server:
        harness = new_run(base_url=server.url)
        assert compare(harness, PLAIN) == []
        assert compare(harness, {**PLAIN, "budget_product_sku": "packages"}, urn="urn::2") == []
        assert len(server.heard) == 2
        assert "scope=enterprise" in server.heard[1]


def test_new_users_of_an_owner_with_many_share_the_listing(clock: VirtualClock) -> None:
    """GitHub does not filter budgets by user, so the first one reads all pages, and the others read nothing."""
    with Sandbox(clock=clock.wall, page_cap=2) as sandbox:
        for number in range(5):
            person = {"budget_scope": "user", "user": f"person-{number}", "budget_type": "BundlePricing"}
            sandbox.add_budget("enterprise", E, budget_product_sku="ai_credits", **person)
        harness = open_harness(sandbox, clock)
        for number in range(3):
            assert compare(harness, {**PERSON, "user": f"new-{number}"}, urn=f"urn::{number}") == []
        # The other requests ask what each user has used.
        listed = [request.query for request in sandbox.requests if "page" in request.query]
        assert sorted(query["page"] for query in listed) == ["1", "2", "3"]
        assert not any("user" in query for query in listed)


def test_a_listing_of_few_pages_is_read_whole(new_run: Callable[..., RunHarness]) -> None:
    """Where the rest of the listing needs no more requests than a narrow one, it is read."""
    with WireServer(page(0, 100, 101), page(100, 1, 101)) as server:
        harness = new_run(base_url=server.url)
        assert compare(harness, PLAIN) == []
        assert len(server.heard) == 2
        assert "page=2" in server.heard[1]


def test_reports_that_fail_are_not_read_again(sandbox: Sandbox, harness: RunHarness) -> None:
    """After a report that GitHub did not send, the other changes of the run do not wait for theirs."""
    sandbox.plan([{"op": "usage_summary", "action": "503_before", "every": 1}])
    hard = {**PLAIN, "prevent_further_usage": True}
    assert compare(harness, hard) == []
    sandbox.forget_requests()
    assert compare(harness, {**hard, "budget_scope": "repository", "budget_entity_name": "octo-org/api"}, urn="2") == []
    assert sandbox.requests == []


def test_a_raise_is_refused_where_a_cost_center_is_named_by_its_uuid_too(sandbox: Sandbox, clock: VirtualClock) -> None:
    """The name of a cost center may become its UUID in an update, which makes no replacement and no second check."""
    harness = open_harness(sandbox, clock, Guards(max_increase_usd=100))
    named = {**PLAIN, "budget_scope": "cost_center", "budget_entity_name": "Platform"}
    raised = {**named, "budget_entity_name": sandbox.cost_centers()[0]["id"], "budget_amount": 5000}
    sandbox.add_budget("enterprise", E, budget_scope="cost_center", budget_entity_name="Platform", budget_amount=500)
    (problem,) = compare(harness, raised, named)
    assert problem.reason.startswith("raises the amount by $4,500")


def test_a_changed_budget_that_may_not_be_read_is_an_error(sandbox: Sandbox, harness: RunHarness) -> None:
    """A token without the right fails the preview of a change, as it fails that of a new budget."""
    sandbox.plan([{"op": "list_budgets", "action": "403_permission", "every": 1}])
    (problem,) = compare(harness, {**PLAIN, "budget_amount": 501}, PLAIN)
    assert "403" in str(problem)


def test_a_listing_that_lacks_many_budgets_is_told_once(harness: RunHarness) -> None:
    """Each missing budget is read by itself, but only a few of a run; the others are compared with the state."""
    said: list[str] = []
    for number in range(8):
        person = {**PERSON, "user": f"person-{number}"}
        assert compare(harness, {**person, "budget_amount": 40}, person, urn=f"urn::{number}") == []
        said += harness.reporter.warnings
    assert sum("is gone from GitHub" in text for text in said) == 5
    assert sum("the listing lacks more than 5 of them" in text for text in said) == 1


def test_a_kept_budget_that_is_gone_is_not_said_to_stay(sandbox: Sandbox, harness: RunHarness) -> None:
    """The delete of the old entry of a budget that is gone sends nothing and says nothing more."""
    declared = {**PLAIN, "on_delete": "keep"}
    stored = harness.enterprise.create("urn::b", checked(harness, declared))
    sandbox.remove_budget(stored.outputs["budget_id"])
    run = open_harness(sandbox, harness.clock)
    news = run.enterprise.check("urn::b", stored.inputs, {**declared, "budget_amount": 400}, NOTHING).inputs
    run.enterprise.diff("urn::b", stored.id, stored.outputs, news, NOTHING)
    assert run.operations["EnterpriseBudget"].compare_update("urn::b", stored.id, stored.outputs, news, NOTHING)
    run.reporter.warnings.clear()
    sandbox.forget_requests()
    run.enterprise.delete("urn::b", stored.id, stored.outputs)
    assert (run.reporter.warnings, sandbox.requests) == ([], [])


def test_an_adoption_says_what_is_not_known_yet(sandbox: Sandbox, harness: RunHarness) -> None:
    """An amount that is not known yet is no difference, and the adoption does not claim that nothing changes."""
    live = sandbox.add_budget("enterprise", E, budget_amount=500, budget_alerting=MONA)
    assert compare(harness, PLAIN, unknown=frozenset({"budget_amount"})) == []
    said = f"adopts the existing budget {live['id']} as it is, apart from what is not known yet: budget_amount"
    assert any(said in text for text in harness.reporter.warnings)


def test_an_adoption_says_what_github_does_not_show(new_run: Callable[..., RunHarness]) -> None:
    """A reply without alerts proves nothing about them."""
    fields = {"budget_scope": "enterprise", "budget_product_sku": "actions", "user": None, "budget_amount": 500}
    live = page(0, 1, 1, **fields, budget_type="ProductPricing", prevent_further_usage=False)
    with WireServer(live, live) as server:
        harness = new_run(base_url=server.url)
        assert compare(harness, {**PLAIN, "budget_alerting": None}) == []
        assert any("apart from what GitHub does not show" in text for text in harness.reporter.warnings) or any(
            "GitHub's reply does not show whom it alerts now" in text for text in harness.reporter.warnings
        )
