"""What a preview says about a cost center, from reads only: adoptions, conflicts, and moved members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.budgets.cache import OwnerCache
from billing_provider.core.owners import ENTERPRISE_OWNER, Owner
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.preview.cost_center_caps import check_members
from billing_provider.runtime.create_once import ELSEWHERE
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.inputs import Problem
    from billing_provider.sandbox import Sandbox
    from tests.support.clock import VirtualClock
    from tests.support.harness import RunHarness

ENTERPRISE = "octo-enterprise"
OWNER = Owner(ENTERPRISE_OWNER, ENTERPRISE)
APPS: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Apps"}
PLATFORM: dict[str, Any] = {"enterprise": "octo-enterprise", "name": "Platform"}
NOTHING: frozenset[str] = frozenset()


def fill(sandbox: Sandbox, center: int, **members: list[str]) -> None:
    """Replace the members of a sample cost center."""
    types = {"users": "User", "organizations": "Org", "repositories": "Repo", "enterprise_teams": "Team"}
    stored = sandbox.snapshot()
    stored["cost_centers"][center]["resources"] = [
        {"type": types[kind], "name": f"ent:{name}" if kind == "enterprise_teams" else name}
        for kind, names in members.items()
        for name in names
    ]
    sandbox.restore(stored)


def read(sandbox: Sandbox) -> list[str]:
    """Return the last parts of the paths that were read; nothing was written."""
    assert sandbox.writes == []
    return [request.path.rpartition("/billing/")[2].partition("/")[0] for request in sandbox.requests]


def compare(
    harness: RunHarness,
    declared: dict[str, Any],
    olds: dict[str, Any] | None = None,
    unknown: frozenset[str] = NOTHING,
) -> list[Problem]:
    """Check a cost center and compare it with GitHub, as the plugin does; return the problems."""
    checked = CostCenterLifecycle(harness.run).check("urn::c", olds or {}, declared, unknown)
    assert checked.problems == []
    return harness.operations["CostCenter"].compare("urn::c", olds or {}, checked.inputs, unknown)


def warned(harness: RunHarness, declared: dict[str, Any], olds: dict[str, Any] | None = None) -> list[str]:
    """Return the warnings of a comparison without problems, without their beginnings, and without `ELSEWHERE`."""
    assert compare(harness, declared, olds) == []
    return [text.partition(": ")[2] for text in harness.reporter.warnings if not text.endswith(ELSEWHERE)]


def test_an_unchanged_cost_center_sends_nothing(sandbox: Sandbox, harness: RunHarness) -> None:
    """Members in another order and spelling are unchanged."""
    olds = {**APPS, "users": ["octocat", "hubot"]}
    assert warned(harness, {**APPS, "users": ["Hubot", "octocat"]}, olds) == []
    assert sandbox.requests == []


def test_moved_members_are_named(sandbox: Sandbox, harness: RunHarness) -> None:
    """Members that a new cost center takes from others are named, after one listing of cost centers and of budgets."""
    assert warned(harness, {**APPS, "users": ["hubot", "octocat"], "organizations": ["octo-lab"]}) == [
        "moves 1 user from cost center Platform: hubot",
        "moves 1 organization from cost center Data: octo-lab",
    ]
    assert read(sandbox) == ["cost-centers", "budgets"]


def test_many_moved_members_are_one_line_for_each_pair(sandbox: Sandbox, harness: RunHarness) -> None:
    """Fifty people who leave one cost center are one line, and each kind of member has its own."""
    people = [f"person-{number:02}" for number in range(50)]
    for center, members in ((0, people[:40]), (1, people[40:])):
        fill(sandbox, center, users=members, enterprise_teams=["core"] if center else ["web", "api"])
    teams = ["api", "core", "ent:web"]
    assert warned(harness, {**APPS, "users": people, "enterprise_teams": teams}) == [
        "moves 40 users from cost center Platform: person-00, person-01, person-02 and 37 more",
        "moves 2 enterprise teams from cost center Platform: api and web",
        f"moves 10 users from cost center Data: {', '.join(people[40:49])} and person-49",
        "moves 1 enterprise team from cost center Data: core",
    ]


def test_members_of_archived_cost_centers_cause_no_warning(sandbox: Sandbox, harness: RunHarness) -> None:
    """Only members of active cost centers are reported as moved."""
    CostCenterLifecycle(harness.run).delete(
        "urn::deleted", f"enterprise/octo-enterprise/{sandbox.cost_centers()[0]['id']}", {}
    )
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
    assert text.endswith("person-02 and 11 more; a destroy keeps it (on_delete)")


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
        "declaring users removes monalisa from this cost center, because the declared list does not contain them"
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


def cap(sandbox: Sandbox, center: str = "Platform", amount: int = 50, **fields: Any) -> str:
    """Store a budget of a cost center, by default one that caps each member, and return its id."""
    each: dict[str, Any] = {
        "budget_scope": "multi_user_cost_center",
        "budget_type": "BundlePricing",
        "budget_product_sku": "ai_credits",
        "prevent_further_usage": True,
    }
    fields = {**each, "budget_entity_name": center, "budget_amount": amount, **fields}
    return str(sandbox.add_budget("enterprise", ENTERPRISE, **fields)["id"])


SHARED: dict[str, Any] = {
    "budget_scope": "cost_center",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
    "prevent_further_usage": False,
}
STATE = {**PLATFORM, "users": ["monalisa", "hubot"]}


def test_who_is_taken_out_of_a_cost_center_is_freed_of_its_caps(sandbox: Sandbox, harness: RunHarness) -> None:
    """Each budget of the cost center is one line with the people whom it no longer covers, also one made by hand."""
    each, together = cap(sandbox), cap(sandbox, amount=500, **SHARED)
    cap(sandbox, "Data", **SHARED)
    assert warned(harness, {**PLATFORM, "users": ["octocat"]}, STATE) == [
        f"frees monalisa and hubot of the $50 hard stop per person of cost center Platform (budget {each})",
        (
            "the usage of monalisa and hubot no longer counts in the $500 budget that only alerts on actions of "
            f"cost center Platform (budget {together})"
        ),
    ]
    assert read(sandbox) == ["cost-centers", "budgets"]


def test_many_freed_people_are_one_line(sandbox: Sandbox, harness: RunHarness) -> None:
    """The first names stand for all, with the number of the others; members of other kinds have their kind."""
    people = [f"person-{number:02}" for number in range(60)]
    fill(sandbox, 0, users=people, organizations=["octo-lab"], enterprise_teams=["core", "web"])
    id_ = cap(sandbox, **SHARED)
    olds = {**PLATFORM, "users": people, "organizations": ["octo-lab"], "enterprise_teams": ["core", "web"]}
    texts = warned(harness, {**olds, "users": people[10:], "organizations": [], "enterprise_teams": ["web"]}, olds)
    (text,) = [text for text in texts if id_ in text]
    assert text.startswith("the usage of person-00, person-01, person-02 and 9 more no longer counts in the $50 ")
    assert text.endswith(f" (budget {id_}), unless a team or an organization that stays includes them")
    harness.reporter.warnings.clear()
    (text,) = warned(harness, {**olds, "organizations": [], "enterprise_teams": []}, olds)
    assert text.startswith("the usage of organization octo-lab, enterprise team core and enterprise team web no longer")


def test_a_person_with_an_own_budget_is_not_freed(sandbox: Sandbox, harness: RunHarness) -> None:
    """A person's own budget takes precedence over the one of the cost center, so that person loses no cap."""
    cap(sandbox)
    cap(sandbox, "", 10, budget_scope="user", user="Monalisa")
    (text,) = warned(harness, {**PLATFORM, "users": []}, STATE)
    assert text.startswith("frees hubot of the $50 hard stop per person")
    harness.reporter.warnings.clear()
    assert warned(harness, {**PLATFORM, "users": ["hubot"]}, STATE) == []


def test_only_live_members_are_freed(sandbox: Sandbox, harness: RunHarness) -> None:
    """A person who is in the state only, or on GitHub only, leaves nothing by an update."""
    cap(sandbox)
    olds = {**PLATFORM, "users": ["octocat", "hubot"]}
    assert warned(harness, {**PLATFORM, "users": ["hubot"]}, olds) == []


@pytest.mark.parametrize("quirk", ["uuid_echo", "cost_center_scope_echo", "resource_long_types", "page_cap_10"])
def test_the_caps_are_found_under_every_spelling(quirk: str, sandbox: Sandbox, harness: RunHarness) -> None:
    """GitHub lists a budget with the name or the UUID of its cost center, and one per member under two scopes."""
    id_ = cap(sandbox)
    sandbox.switch(quirk)
    (text,) = warned(harness, {**PLATFORM, "users": ["hubot"]}, STATE)
    assert "monalisa" in text
    assert f"$50 hard stop {'on ai_credits' if 'scope' in quirk else 'per person'} of cost center Platform" in text
    assert id_ in text


def test_moved_people_are_freed_of_the_caps_that_they_leave(sandbox: Sandbox, harness: RunHarness) -> None:
    """Who is moved loses the caps of the other cost center; where both change in one run, it is told once."""
    id_ = cap(sandbox)
    freed = f"of the $50 hard stop per person of cost center Platform (budget {id_})"
    assert warned(harness, {**APPS, "users": ["hubot"]}) == [
        "moves 1 user from cost center Platform: hubot",
        f"frees hubot {freed}",
    ]
    harness.reporter.warnings.clear()
    checked = CostCenterLifecycle(harness.run).check("urn::p", STATE, {**PLATFORM, "users": []}, NOTHING)
    assert harness.operations["CostCenter"].compare("urn::p", STATE, checked.inputs, NOTHING) == []
    assert harness.reporter.warnings == [f"the cost center Platform: frees monalisa {freed}"]
    assert read(sandbox) == ["cost-centers", "budgets"]


def test_an_adoption_names_whom_it_frees(sandbox: Sandbox, harness: RunHarness) -> None:
    """An adoption that removes a member tells the caps that the member loses."""
    id_ = cap(sandbox)
    texts = warned(harness, {**PLATFORM, "users": ["hubot"], "on_existing": "adopt"})
    assert texts[0].startswith("adopts the existing cost center")
    assert texts[1:] == [f"frees monalisa of the $50 hard stop per person of cost center Platform (budget {id_})"]


def test_a_newly_declared_kind_frees_the_members_that_it_removes(sandbox: Sandbox, harness: RunHarness) -> None:
    """A list that is declared for the first time frees who is not in it."""
    cap(sandbox)
    texts = warned(harness, {**PLATFORM, "users": ["hubot"]}, PLATFORM)
    assert [text.partition(" of the ")[0] for text in texts[1:]] == ["frees monalisa"]


@pytest.mark.parametrize(
    ("action", "warnings"), [("403_permission", 0), ("404", 0), ("503_before", 1), ("429_secondary_bare", 1)]
)
def test_without_a_listing_of_budgets_the_preview_goes_on(
    action: str, warnings: int, sandbox: Sandbox, harness: RunHarness
) -> None:
    """Budgets that cannot be listed leave their words out; a fault, but no refusal, is a warning."""
    cap(sandbox)
    sandbox.plan([{"op": "list_budgets", "action": action, "every": 1}])
    assert compare(harness, {**APPS, "users": ["hubot"]}) == []
    *before, moved = harness.reporter.warnings
    assert moved == "the cost center Apps: moves 1 user from cost center Platform: hubot"
    assert [text.partition(":")[0] for text in before] == ["not compared with GitHub"] * warnings


@pytest.mark.parametrize(("kind", "name"), [("organizations", "octo-org"), ("repositories", "octo-org/api")])
def test_a_member_that_github_refuses_beside_a_cap_is_a_problem(
    kind: str, name: str, sandbox: Sandbox, harness: RunHarness
) -> None:
    """A cost center with a budget per member gets no organization and no repository; another budget is no obstacle."""
    cap(sandbox, **SHARED)
    assert compare(harness, {**STATE, kind: [name]}, {**STATE, kind: []}) == []
    id_ = cap(sandbox)
    harness.run.cache(OwnerCache, OWNER).complete(max_age=0)
    (problem,) = compare(harness, {**STATE, kind: [name]}, {**STATE, kind: []})
    shown = name if kind == "repositories" else f"organization {name}"
    assert problem.reason == (
        "cost center Platform: GitHub refuses a budget per member for a cost center with organizations or "
        f"repositories: leave out {shown}, or first remove the $50 hard stop per person of cost center Platform "
        f"(budget {id_}). If GitHub accepts both, set github-billing:previewReads to false for this run."
    )
    assert compare(harness, {**STATE, "enterprise_teams": ["core"]}, STATE) == []


def test_a_member_that_github_refuses_beside_a_new_cap_is_a_problem(sandbox: Sandbox, harness: RunHarness) -> None:
    """A budget per member that the same run declares before its new cost center counts too."""
    check_members(harness.run, OWNER, {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Apps"})
    (problem,) = compare(harness, {**APPS, "organizations": ["octo-org"]})
    assert "organization octo-org, or first remove the budget per member that is declared too. If" in problem.reason
    assert "budgets" not in read(sandbox)


WITHOUT: dict[str, Any] = {
    "budget_amount": 900,
    "prevent_further_usage": True,
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "exclude_cost_center_usage": True,
}


@pytest.mark.parametrize("excludes", [True, False])
def test_who_joins_a_cost_center_leaves_a_budget_without_cost_centers(
    excludes: bool, sandbox: Sandbox, harness: RunHarness
) -> None:
    """Their usage counts in an enterprise budget until they are in a cost center; from one to another nothing goes."""
    fill(sandbox, 1, users=["hubot"])
    fill(sandbox, 0, users=["monalisa"])
    id_ = sandbox.add_budget("enterprise", OWNER.slug, **{**WITHOUT, "exclude_cost_center_usage": excludes})["id"]
    news = {**PLATFORM, "users": ["octocat", "hubot", "monalisa"]}
    assert compare(harness, news, {**PLATFORM, "users": []}) == []
    told = f"the usage of octocat no longer counts in the $900 hard stop on ai_credits of {OWNER} (budget {id_})"
    assert harness.reporter.warnings == [
        "the cost center Platform: moves 1 user from cost center Data: hubot",
        *([f"the cost center Platform: {told}, which leaves out cost centers"] if excludes else []),
    ]


def test_an_amount_that_the_program_calls_secret_is_left_out(sandbox: Sandbox, harness: RunHarness) -> None:
    """GitHub does not know what is secret; the state of the budget, which the engine compared before, does."""
    fill(sandbox, 0, users=["hubot"])
    id_ = cap(sandbox)
    harness.run.registry.hold("urn::b", id_, {"__secret_inputs": ["budget_amount"]})
    assert compare(harness, {**PLATFORM, "users": []}, {**PLATFORM, "users": ["hubot"]}) == []
    (told,) = harness.reporter.warnings
    assert told == (
        f"the cost center Platform: frees hubot of the hard stop per person of cost center Platform (budget {id_})"
    )


def test_a_taken_name_is_a_problem(sandbox: Sandbox, harness: RunHarness) -> None:
    """A cost center cannot get the name of another active one, in any case, but its own one in another case."""
    platform, data = sandbox.cost_centers()
    (problem,) = compare(harness, {**PLATFORM, "name": "DATA"}, PLATFORM)
    assert problem.reason == (
        f"cost center {data['id']} of enterprise {ENTERPRISE} has the name DATA: choose another name"
    )
    assert platform["id"] != data["id"]
    assert compare(harness, {**PLATFORM, "name": "PLATFORM"}, PLATFORM) == []
    assert compare(harness, {**PLATFORM, "name": "Data"}, {**PLATFORM, "name": "Renamed by hand"}) == []


def test_the_name_of_an_archived_cost_center_may_be_refused(sandbox: Sandbox, harness: RunHarness) -> None:
    """GitHub may not give the name of an archived cost center again, which is a warning."""
    stored = sandbox.snapshot()
    stored["cost_centers"][1] |= {"state": "deleted", "resources": []}
    sandbox.restore(stored)
    (text,) = warned(harness, {**PLATFORM, "name": "Data"}, PLATFORM)
    assert text.startswith("the archived cost center ")
    assert text.endswith(" has this name: GitHub may refuse it for another one")


def test_a_name_that_this_run_gives_up_is_no_problem(sandbox: Sandbox, harness: RunHarness) -> None:
    """A name becomes free if the resource before it gets another one."""
    data = {"enterprise": ENTERPRISE, "name": "Data"}
    checked = CostCenterLifecycle(harness.run).check("urn::d", data, {**data, "name": "Figures"}, NOTHING)
    assert harness.operations["CostCenter"].compare("urn::d", data, checked.inputs, NOTHING) == []
    (text,) = warned(harness, {**PLATFORM, "name": "Data"}, PLATFORM)
    assert text.endswith(" has this name until this run renames it: add depends_on, to be after it")
    assert read(sandbox) == ["cost-centers"]
