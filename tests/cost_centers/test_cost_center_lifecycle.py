"""The lifecycle of cost centers against a real sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import (
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    NotSentError,
    OutcomeError,
    TransportError,
)
from billing_provider.cost_centers.api import CostCentersApi
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.cost_centers.models import (
    ENTERPRISE_TEAMS,
    IN_PLACE,
    CostCenterResource,
    differing,
    missing_members,
    plain_member,
)
from billing_provider.cost_centers.rules import INPUTS, problems, read_inputs
from billing_provider.runtime.run import Run
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

URN = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:CostCenter::apps"
OTHER = "urn:pulumi:s::p::pulumi-python:dynamic/github-billing:CostCenter::other"
APPS = {"enterprise": "octo-enterprise", "name": "Apps"}
NONE: frozenset[str] = frozenset()


class Bench:
    """One run's lifecycle, driven as the engine drives it."""

    def __init__(self, harness: RunHarness) -> None:
        self.harness, self.cycle = harness, CostCenterLifecycle(harness.run)

    def check(self, news: dict[str, Any], olds: dict[str, Any] | None = None, urn: str = URN) -> dict[str, Any]:
        """Return the checked inputs of a declaration without mistakes."""
        checked = self.cycle.check(urn, olds or {}, news, NONE)
        assert checked.problems == []
        return checked.inputs

    def create(self, news: dict[str, Any], urn: str = URN) -> Stored:
        """Check and create."""
        return self.cycle.create(urn, self.check(news, urn=urn))

    def up(self, stored: Stored, news: dict[str, Any]) -> tuple[list[str], Stored]:
        """Return what differed, and the resource after the update that it led to."""
        inputs = self.check(news, stored.inputs)
        changed, replaces = self.cycle.diff(URN, stored.id, stored.outputs, inputs, NONE)
        assert replaces == []
        return changed, self.cycle.update(stored.id, stored.outputs, inputs) if changed else stored


@pytest.fixture
def bench(harness: RunHarness) -> Bench:
    return Bench(harness)


@pytest.fixture
def next_run(new_run: Callable[..., RunHarness]) -> Callable[..., Bench]:
    """Start the next run on the same sandbox."""
    return lambda **chosen: Bench(new_run(**chosen))


def live(sandbox: Sandbox, name: str = "Apps") -> dict[str, list[str]]:
    """Return the members that GitHub has, by type."""
    found: dict[str, list[str]] = {}
    for center in sandbox.cost_centers():
        if center["name"] == name and center["state"] == "active":
            for member in center["resources"]:
                found.setdefault(member["type"], []).append(member["name"])
    return found


def writes(sandbox: Sandbox) -> list[tuple[str, Any]]:
    return [(write.method, write.body) for write in sandbox.writes]


STEPS: tuple[tuple[dict[str, Any], list[str], int], ...] = (
    ({}, [], 0),
    ({"users": ["octocat"]}, ["users"], 1),
    ({"users": ["OCTOCAT"]}, [], 0),
    ({"users": ["octocat", "new-one"]}, ["users"], 1),
    ({"users": ["new-one", "octocat", "octocat"]}, [], 0),
    ({"users": ["new-one"]}, ["users"], 1),
    ({"users": None}, [], 0),
    ({"users": ["new-one"], "enterprise_teams": ["core"]}, ["enterprise_teams"], 1),
    ({"enterprise_teams": ["ent:core"]}, [], 0),
    ({"name": "Applications"}, ["name"], 1),
    ({"ai_credit_pool_enabled": True}, ["ai_credit_pool_enabled"], 1),
    (
        {"ai_credit_pool_enabled": False, "users": [], "organizations": ["octo-apps"]},
        ["ai_credit_pool_enabled", "users", "organizations"],
        3,
    ),
    (
        {"ai_credit_pool_enabled": True, "users": ["new-one"], "organizations": []},
        ["ai_credit_pool_enabled", "users", "organizations"],
        3,
    ),
    (
        {"repositories": ["octo-org/api"], "ai_credit_pool_enabled": False},
        ["ai_credit_pool_enabled", "repositories"],
        2,
    ),
    ({"on_existing": "adopt"}, [], 0),
)


def test_every_change_is_sent_and_settles(sandbox: Sandbox, next_run: Callable[..., Bench]) -> None:
    """Every change sends only its own writes; afterwards nothing differs, also after a refresh."""
    declared: dict[str, Any] = dict(APPS)
    bench = next_run()
    stored = bench.create(declared)
    assert stored.id == f"enterprise/octo-enterprise/{stored.outputs['cost_center_id']}"
    assert (stored.outputs["state"], stored.outputs["adopted"]) == ("active", False)
    for change, expected, sends in STEPS:
        declared |= change
        bench = next_run()
        sandbox.forget_requests()
        changed, stored = bench.up(stored, declared)
        assert (changed, len(sandbox.writes)) == (expected, sends), change
        sandbox.forget_requests()
        assert bench.up(stored, declared)[0] == []
        assert sandbox.requests == []
        read = bench.cycle.read(stored.id, stored.outputs)
        assert read is not None
        assert differing(read.outputs, stored.outputs) == []
        assert read.inputs == {name: stored.outputs[name] for name in INPUTS if name in stored.outputs}
        stored = read
    assert live(sandbox, "Applications") == {"User": ["new-one"], "Team": ["ent:core"], "Repo": ["octo-org/api"]}
    next_run().cycle.delete("urn::deleted", stored.id, stored.outputs)
    assert live(sandbox, "Applications") == {}
    assert next_run().cycle.read(stored.id, stored.outputs) is None


def test_a_changed_enterprise_replaces_the_cost_center(bench: Bench) -> None:
    """Another slug replaces the cost center; another case of the slug does not."""
    stored = bench.create(APPS)
    inputs = bench.check({**APPS, "enterprise": "Octo-Enterprise"}, stored.inputs)
    assert inputs == stored.inputs
    other = {**APPS, "enterprise": "other"}
    assert bench.cycle.diff(URN, stored.id, stored.outputs, other, NONE) == (["enterprise"], ["enterprise"])
    assert bench.cycle.diff(URN, stored.id, stored.outputs, {**APPS}, frozenset({"users"})) == (["users"], [])


def test_members_are_sent_in_batches_of_fifty(sandbox: Sandbox, bench: Bench) -> None:
    """Additions and removals are sent with at most fifty members each."""
    names = [f"user-{number}" for number in range(120)]
    stored = bench.create({**APPS, "users": names})
    sizes = [len(write.body["users"]) for write in sandbox.writes[1:]]
    assert sizes == [50, 50, 20]
    assert live(sandbox)["User"] == names
    sandbox.forget_requests()
    bench.up(stored, {**APPS, "users": names[:10]})
    assert [(write.method, len(write.body["users"])) for write in sandbox.writes] == [
        ("DELETE", 50),
        ("DELETE", 50),
        ("DELETE", 10),
    ]
    assert live(sandbox)["User"] == names[:10]


def test_moved_members_are_named_after_the_write(sandbox: Sandbox, bench: Bench) -> None:
    """A write warns of the members that it has moved from another cost center."""
    bench.create({**APPS, "users": ["hubot", "octocat"], "organizations": ["octo-lab"]})
    assert bench.harness.reporter.warnings == [
        "moved 1 user from cost center Platform: hubot",
        "moved 1 organization from cost center Data: octo-lab",
    ]
    assert live(sandbox, "Data") == {}


def test_a_newly_declared_kind_removes_other_members(sandbox: Sandbox, bench: Bench) -> None:
    """A list is complete from its first declaration, also if it is empty, so others are removed."""
    stored = bench.create({"enterprise": "octo-enterprise", "name": "Platform"})
    told = "the cost center Platform of enterprise octo-enterprise: adopted the existing cost center"
    then = "as it is; a destroy keeps it (on_delete)"
    assert bench.harness.reporter.warnings == [f"{told} {stored.outputs['cost_center_id']} {then}"]
    bench.harness.reporter.warnings.clear()
    changed, stored = bench.up(stored, {**stored.inputs, "users": ["hubot"], "organizations": []})
    assert changed == ["users", "organizations"]
    assert live(sandbox, "Platform") == {"User": ["hubot"]}
    assert writes(sandbox) == [("DELETE", {"users": ["monalisa"]})]
    assert bench.up(stored, {**stored.inputs})[0] == []


def test_members_missing_from_the_state_are_not_removed(sandbox: Sandbox, bench: Bench, enterprise: Owner) -> None:
    """A member added outside Pulumi is removed after a refresh only."""
    stored = bench.create({**APPS, "users": ["octocat"]})
    calls = bench.harness.run.api(CostCentersApi)
    calls.add_resources(enterprise, stored.outputs["cost_center_id"], "users", ["guest"])
    _, stored = bench.up(stored, {**APPS, "users": ["octocat", "new-one"]})
    assert live(sandbox)["User"] == ["octocat", "guest", "new-one"]
    read = bench.cycle.read(stored.id, stored.outputs)
    assert read is not None
    assert read.inputs["users"] == ["octocat", "guest", "new-one"]
    changed, _ = bench.up(read, {**APPS, "users": ["octocat", "new-one"]})
    assert changed == ["users"]
    assert live(sandbox)["User"] == ["octocat", "new-one"]


def test_members_that_a_create_could_not_add_are_added_by_the_next_run(
    sandbox: Sandbox, next_run: Callable[..., Bench]
) -> None:
    """A new cost center keeps its id if members fail; the missing members differ and are added later."""
    names = [f"user-{number}" for number in range(60)]
    sandbox.plan([{"op": "add_resources", "nth": 2, "action": "403_permission"}])
    bench = next_run()
    stored = bench.create({**APPS, "users": names, "enterprise_teams": ["core"]})
    assert stored.inputs["users"] == names
    assert stored.outputs["users"] == names[:50]
    assert stored.outputs["unfinished"] is True
    (warning,) = bench.harness.reporter.warnings
    assert "Apps of enterprise octo-enterprise was created, but not all of its users were added: add users" in warning
    bench = next_run()
    changed, stored = bench.up(stored, {**APPS, "users": names, "enterprise_teams": ["core"]})
    assert changed == ["users"]
    assert "unfinished" not in stored.outputs
    assert live(sandbox) == {"User": names, "Team": ["ent:core"]}


@pytest.mark.parametrize("action", ["502_after", "reset_after"])
def test_a_create_with_a_lost_response_is_found_by_name(action: str, sandbox: Sandbox, bench: Bench) -> None:
    """The cost center is found in the listing, and only one exists."""
    sandbox.plan([{"op": "create_cost_center", "action": action}])
    stored = bench.create({**APPS, "users": ["octocat"]})
    assert [center["name"] for center in sandbox.cost_centers()] == ["Platform", "Data", "Apps"]
    assert live(sandbox) == {"User": ["octocat"]}
    assert stored.outputs["adopted"] is False
    assert not sandbox.untriggered_faults()


@pytest.mark.parametrize("action", ["502_before", "reset_before"])
def test_a_create_without_effect_is_sent_again(action: str, sandbox: Sandbox, bench: Bench) -> None:
    """After GitHub's time limit a listing without it is proof; three such failures are an error."""
    sandbox.plan([{"op": "create_cost_center", "action": action}])
    bench.create(APPS)
    assert len(sandbox.cost_centers()) == 3
    assert bench.harness.clock.now() >= bench.harness.run.settings.settle_seconds
    sandbox.plan([{"op": "create_cost_center", "action": action, "every": 1}])
    with pytest.raises(OutcomeError, match=r"the cost center More of .* was not created, as GitHub's listing shows"):
        bench.create({**APPS, "name": "More"}, OTHER)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"action": "403_permission"}, "GitHub returned 403"),
        ({"action": "403_primary", "seconds": 3000}, "GitHub's hourly limit requires a wait of"),
    ],
)
def test_an_unconfirmed_outcome_is_reported_as_unknown(
    fault: dict[str, Any], words: str, sandbox: Sandbox, next_run: Callable[..., Bench]
) -> None:
    """The error says that it may have been created; the next run adopts it and adds the members."""
    declared = {**APPS, "users": ["octocat"], "enterprise_teams": ["core"]}
    sandbox.plan(
        [
            {"op": "create_cost_center", "action": "reset_after"},
            {**fault, "op": "list_cost_centers", "nth": 2, "times": 1000},
        ]
    )
    with pytest.raises(
        OutcomeError, match=r"may have been created.*could not be looked up.*adopts it if it exists"
    ) as caught:
        next_run().create(declared)
    assert words in str(caught.value)
    sandbox.plan([])
    bench = next_run(max_wait_seconds=4000.0)
    stored = bench.create(declared)
    assert (stored.outputs["adopted"], stored.outputs["users"]) == (True, ["octocat"])
    assert live(sandbox) == {"User": ["octocat"], "Team": ["ent:core"]}
    assert len(sandbox.cost_centers()) == 3
    (warning,) = bench.harness.reporter.warnings
    changes = "changed: users, enterprise_teams; a destroy keeps it (on_delete)"
    assert warning.endswith(f"adopted the existing cost center {stored.outputs['cost_center_id']}; {changes}")


def test_the_advice_for_an_unknown_outcome_under_error_is_true(
    sandbox: Sandbox, next_run: Callable[..., Bench]
) -> None:
    """Under `on_existing="error"` the error says that the next run stops, and how to adopt; both are true."""
    declared = {**APPS, "users": ["octocat"], "on_existing": "error"}
    failed_lists = {"op": "list_cost_centers", "action": "403_permission", "nth": 2, "times": 1000}
    sandbox.plan([{"op": "create_cost_center", "action": "reset_after"}, failed_lists])
    with pytest.raises(
        OutcomeError, match=r'stops if it exists, because of on_existing="error"\. To adopt it, set .*ical"'
    ):
        next_run().create(declared)
    sandbox.plan([])
    with pytest.raises(OutcomeError, match=r"exists already as .* differs in users"):
        next_run().create(declared)
    assert live(sandbox) == {}
    next_run().create({**declared, "on_existing": "adopt_if_identical"})
    assert live(sandbox) == {"User": ["octocat"]}
    assert len(sandbox.cost_centers()) == 3


def test_polling_continues_after_a_failed_listing(sandbox: Sandbox, bench: Bench) -> None:
    """While GitHub refuses the listing, polling continues until one shows the cost center."""
    sandbox.plan(
        [
            {"op": "create_cost_center", "action": "504_after"},
            {"op": "list_cost_centers", "nth": 2, "action": "403_permission", "times": 3},
        ]
    )
    assert bench.create(APPS).outputs["adopted"] is False
    assert len(sandbox.cost_centers()) == 3
    assert not sandbox.untriggered_faults()


def test_the_settling_time_starts_at_the_lost_response(sandbox: Sandbox, bench: Bench) -> None:
    """The settling time is measured from the lost response, not from before the wait for a limit."""
    limit = {"action": "403_secondary", "op": "create_cost_center"}
    late = {"action": "late_commit", "op": "create_cost_center", "nth": 2, "seconds": 9}
    sandbox.plan([limit, late])
    bench.create(APPS)
    assert [write.method for write in sandbox.writes] == ["POST", "POST"]
    assert len(sandbox.cost_centers()) == 3
    assert not sandbox.untriggered_faults()


def test_a_concurrently_created_cost_center_is_not_ours(new_run: Callable[..., RunHarness]) -> None:
    """A new cost center with our name that already has members was created by somebody else."""
    center = {"id": "9", "name": "Apps", "resources": [{"type": "User", "name": "x"}]}
    replies = (answer(200, {"costCenters": []}), answer(502, {}), answer(200, {"costCenters": [center]}))
    with WireServer(*replies) as server:
        bench = Bench(new_run(base_url=server.url))
        with pytest.raises(OutcomeError, match="9 appeared during the create and may come from another client"):
            bench.create(APPS)


def test_a_create_without_a_connection_is_not_confirmed(sandbox: Sandbox, bench: Bench) -> None:
    """A request that was never sent created nothing, and the error says so immediately."""
    inputs = bench.check(APPS)
    run = Run(
        lambda: bench.harness.run.settings, bench.harness.reporter, bench.harness.clock, before_write=sandbox.stop
    )
    with pytest.raises(NotSentError, match="Nothing was sent"):
        CostCenterLifecycle(run).create(URN, inputs)


@pytest.mark.parametrize("listed", [True, False])
def test_a_create_response_with_an_existing_id_is_confirmed(new_run: Callable[..., RunHarness], listed: bool) -> None:
    """An id that was listed before the POST is not the new one, which is found by name."""
    before, new = {"id": "1", "name": "Data"}, {"id": "2", "name": "Apps"}
    replies = [answer(200, {"costCenters": [before]}), answer(200, {**new, "id": "1"})]
    replies.append(answer(200, {"costCenters": [before, new] if listed else [before]}))
    with WireServer(*replies) as server:
        bench = Bench(new_run(base_url=server.url))
        if listed:
            assert bench.create(APPS).outputs["cost_center_id"] == "2"
        else:
            with pytest.raises(OutcomeError, match="accepted the create, but its reply has no new id and the listing"):
                bench.create(APPS)
        assert [heard.partition(" ")[0] for heard in server.heard].count("POST") == 1


@pytest.mark.parametrize(
    ("inputs", "policy", "words"),
    [
        ({"users": ["hubot", "MONALISA"]}, None, None),
        ({}, None, None),
        ({"users": ["new-one", "monalisa", "hubot"]}, None, None),
        ({"users": ["monalisa", "hubot"], "enterprise_teams": ["core"]}, None, None),
        ({"users": ["monalisa", "hubot", "new-one"], "ai_credit_pool_enabled": True}, None, "differs in ai_credit"),
        ({"users": ["monalisa", "hubot", "new-one"]}, "error", 'in users. To manage it here set on_existing="adopt_if'),
        (
            {"enterprise_teams": ["core"]},
            None,
            'in enterprise_teams. To manage it here set on_existing="adopt"',
        ),
        ({"users": ["hubot", "new-one"]}, None, 'differs in users. To manage it here set on_existing="adopt"'),
        ({"users": ["hubot"]}, None, 'differs in users. To manage it here set on_existing="adopt"'),
        ({"ai_credit_pool_enabled": True}, None, "differs in ai_credit_pool_enabled"),
        ({"users": ["hubot"], "ai_credit_pool_enabled": True, "name": "PLATFORM"}, "adopt", None),
        ({"name": "PLATFORM"}, None, "differs in name"),
        ({}, "error", 'it is as declared. To manage it here set on_existing="adopt_if_identical"'),
    ],
    ids=str,
)
def test_an_existing_cost_center_is_adopted_by_name(
    inputs: dict[str, Any], policy: str | None, words: str | None, sandbox: Sandbox, bench: Bench
) -> None:
    """One of the same name is taken over as far as the policy allows, and is then as declared.

    By default members are added to one that has declared members only, and nothing else is changed.
    """
    declared = {"enterprise": "octo-enterprise", "name": "Platform", **inputs, "on_existing": policy}
    if words:
        with pytest.raises(OutcomeError, match="exists already as") as caught:
            bench.create(declared)
        assert words in str(caught.value)
        assert sandbox.writes == []
        return
    stored = bench.create(declared)
    assert stored.outputs["adopted"] is True
    assert stored.outputs["cost_center_id"] == sandbox.cost_centers()[0]["id"]
    read = bench.cycle.read(stored.id, stored.outputs)
    assert read is not None
    assert differing(read.outputs, stored.outputs) == []
    assert policy == "adopt" or not [write for write in sandbox.writes if write.method != "POST"]
    assert ("changed" in bench.harness.reporter.warnings[0]) == bool(sandbox.writes)


def test_a_conflict_adopts_the_existing_cost_center(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A 409 leads to the cost center that has the name now."""
    platform = sandbox.cost_centers()[0]
    shown = {"id": platform["id"], "name": "Platform", "resources": []}
    replies = [
        answer(200, {"costCenters": []}),
        answer(409, {"message": "There's already a cost center created with that name."}),
        answer(200, {"costCenters": [shown]}),
        answer(200, shown),
    ]
    with WireServer(*replies) as server:
        bench = Bench(new_run(base_url=server.url))
        stored = bench.create({"enterprise": "octo-enterprise", "name": "Platform"})
    assert stored.outputs["adopted"] is True


def test_a_conflict_with_an_archived_cost_center_is_explained(sandbox: Sandbox, bench: Bench) -> None:
    """If an archived cost center has the name, the error asks for another name."""
    stored = bench.create(APPS)
    bench.cycle.check(URN, {}, APPS, NONE)
    bench.cycle.delete("urn::deleted", stored.id, stored.outputs)
    sandbox.switch("deleted_name_held")
    with pytest.raises(OutcomeError, match="an archived one has it: choose another name"):
        bench.create(APPS)


def test_a_conflict_with_an_unlisted_cost_center_is_explained(new_run: Callable[..., RunHarness]) -> None:
    """If the listing shows no cost center of the name, the error does not mention an archived one."""
    nothing = answer(200, {"costCenters": []})
    with WireServer(nothing, answer(409, {"message": "The name is taken."}), nothing) as server:
        bench = Bench(new_run(base_url=server.url))
        with pytest.raises(OutcomeError, match=r"exists already, but the listing does not show it: .* Run again later"):
            bench.create(APPS)


def test_a_refused_create_is_an_error(sandbox: Sandbox, next_run: Callable[..., Bench]) -> None:
    """GitHub's error is raised, and nothing is created."""
    bench = next_run(token="sandbox-read-only")
    with pytest.raises(ForbiddenError, match="Insufficient permissions"):
        bench.create(APPS)
    assert len(sandbox.cost_centers()) == 2


def test_two_cost_centers_of_one_name_are_an_error(new_run: Callable[..., RunHarness]) -> None:
    """If the name exists twice, none is adopted."""
    rows: list[dict[str, Any]] = [{"id": number, "name": "Apps", "resources": []} for number in ("1", "2")]
    with WireServer(answer(200, {"costCenters": rows})) as server:
        bench = Bench(new_run(base_url=server.url))
        with pytest.raises(OutcomeError, match="exists more than once: 1 and 2"):
            bench.create(APPS)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("users", "octocat", "Octocat"),
        ("organizations", "octo-org", "OCTO-org"),
        ("repositories", "octo-org/api", "octo-org/API"),
        ("enterprise_teams", "ent:writers", "Writers"),
    ],
)
def test_a_member_of_two_cost_centers_is_refused(kind: str, one: str, other: str, bench: Bench) -> None:
    """A member that two resources declare, in any spelling, fails in preview with both names; other members do not."""
    bench.check({**APPS, kind: [one, one]})
    bench.check({**APPS, kind: [one]})
    elsewhere = {**APPS, "name": "Data", kind: ["somebody/else" if kind == "repositories" else "somebody", other]}
    checked = bench.cycle.check(OTHER, {}, elsewhere, NONE)
    (problem,) = checked.problems
    assert str(problem) == (
        f"{kind}: apps and other both declare {other}: remove it from one of the two, because a member is in one cost "
        "center only"
    )
    assert bench.cycle.check(OTHER, {}, {**elsewhere, "enterprise": "octo-labs"}, NONE).problems == []
    assert bench.cycle.check(OTHER, {}, {"name": "Data", kind: [other]}, frozenset({"enterprise"})).problems == []


def test_a_second_declaration_is_refused(bench: Bench) -> None:
    """A second resource with the same name fails in preview and never becomes a second owner."""
    stored = bench.create(APPS)
    checked = bench.cycle.check(OTHER, {}, {**APPS, "name": "APPS"}, NONE)
    assert [str(problem) for problem in checked.problems] == [
        "apps declares the cost center APPS already: remove one of the two"
    ]
    with pytest.raises(OutcomeError, match="is declared twice"):
        bench.cycle.create(OTHER, APPS)
    bench.cycle.diff(URN, stored.id, stored.outputs, stored.inputs, NONE)
    bench.cycle.delete("urn::deleted", stored.id, stored.outputs)
    assert (
        bench.harness.reporter.warnings[-1] == f"kept cost center {stored.outputs['cost_center_id']}: apps declares it"
    )


def test_a_refresh_does_not_hold_undeclared_cost_centers(bench: Bench, next_run: Callable[..., Bench]) -> None:
    """A diff without a check, as in a refresh, does not prevent a later delete."""
    stored = bench.create(APPS)
    later = next_run()
    later.cycle.diff(URN, stored.id, stored.outputs, stored.inputs, NONE)
    later.cycle.delete("urn::deleted", stored.id, stored.outputs)
    assert later.cycle.read(stored.id, stored.outputs) is None


def test_the_first_read_returns_all_inputs(sandbox: Sandbox, bench: Bench) -> None:
    """A first read returns the cost center with all members, and an archived or missing one is an error."""
    sandbox.switch("resource_long_types")
    platform, data = sandbox.cost_centers()
    read = bench.cycle.read(f"enterprise/octo-enterprise/{platform['id']}", {})
    assert read is not None
    assert read.outputs == {
        "enterprise": "octo-enterprise",
        "name": "Platform",
        "users": ["monalisa", "hubot"],
        "organizations": [],
        "repositories": [],
        "enterprise_teams": [],
        "ai_credit_pool_enabled": False,
        "cost_center_id": platform["id"],
        "state": "active",
        "adopted": False,
    }
    id_ = f"enterprise/octo-enterprise/{data['id']}"
    bench.cycle.delete("urn::deleted", id_, {})
    bench.cycle.delete("urn::deleted", id_, {})
    for gone in (id_, "enterprise/octo-enterprise/none"):
        with pytest.raises(NotFoundError, match="it is archived, or the listing does not contain it either"):
            bench.cycle.read(gone, {})
    assert bench.cycle.read("enterprise/octo-enterprise/none", {"cost_center_id": "none"}) is None


@pytest.mark.parametrize("status", [400, 404])
def test_a_404_for_a_listed_cost_center_is_an_error(status: int, new_run: Callable[..., RunHarness]) -> None:
    """A 404 or 400 for a listed cost center is an error, for a read and for a delete."""
    rows = {"costCenters": [{"id": "1", "name": "Apps", "resources": []}]}
    refused = answer(status, {"message": "Not Found"})
    with WireServer(refused, answer(200, rows), refused, answer(200, rows)) as server:
        cycle = Bench(new_run(base_url=server.url)).cycle
        with pytest.raises((NotFoundError, InvalidError)):
            cycle.read("enterprise/octo-enterprise/1", {"cost_center_id": "1"})
        with pytest.raises((NotFoundError, InvalidError)):
            cycle.delete("urn::deleted", "enterprise/octo-enterprise/1", {})


def test_an_azure_subscription_is_kept(new_run: Callable[..., RunHarness]) -> None:
    """A value that only GitHub sets is an output and is kept in an update."""
    center = {"id": "1", "name": "Apps", "resources": [], "azure_subscription": "sub"}
    with WireServer(answer(200, center)) as server:
        bench = Bench(new_run(base_url=server.url))
        read = bench.cycle.read("enterprise/octo-enterprise/1", {})
        assert read is not None
        assert read.outputs["azure_subscription"] == "sub"
        assert "ai_credit_pool_enabled" not in read.outputs
        updated = bench.cycle.update(read.id, read.outputs, {**APPS, "name": "Else"})
    assert (updated.outputs["azure_subscription"], updated.outputs["name"]) == ("sub", "Else")


@pytest.mark.parametrize(
    "id_", ["", "enterprise", "enterprise/x", "organization/x/1", "enterprise//1", "enterprise/x/1/2"]
)
def test_an_invalid_id_is_refused(id_: str, bench: Bench) -> None:
    """The id has the enterprise and the cost center; any other form is refused."""
    with pytest.raises(ConfigError, match="the id of CostCenter has the form enterprise/OWNER/ID"):
        bench.cycle.read(id_, {})


MISTAKES: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"enterprise": "a b"}, "enterprise", "the enterprise's slug"),
    ({"enterprise": None}, "enterprise", "the enterprise's slug"),
    ({"name": None}, "name", "write a name for the cost center"),
    ({"name": "47244a5b-54f2-5b85-a556-862962ab66fb"}, "name", "a name that does not have the form of a UUID"),
    ({"name": 5}, "name", "write a text"),
    ({"users": "hubot"}, "users", "write a list: put the text in brackets"),
    ({"users": ["a@b.com"]}, "users", "e-mail"),
    ({"users": {"hubot": 1}}, "users", "write a list of texts, not a value of type dict"),
    ({"users": [None]}, "users", "users.0: write a text"),
    ({"organizations": ["a/b"]}, "organizations", "write the login of the organization"),
    ({"repositories": ["api"]}, "repositories", "write the repository as owner/name"),
    ({"enterprise_teams": ["a b"]}, "enterprise_teams", "write the slug of the team"),
    ({"ai_credit_pool_enabled": "yes"}, "ai_credit_pool_enabled", "write True or False"),
    ({"ai_credit_pool_enabled": True, "organizations": ["o"]}, "ai_credit_pool_enabled", "leave out organizations"),
    ({"on_existing": "take"}, "on_existing", "write one of adopt_if_identical, adopt, error"),
    ({"members": []}, "members", "no such input of CostCenter; its inputs are enterprise, name, users"),
    ({"organisations": []}, "organisations", "no such input of CostCenter; did you mean organizations?"),
    ({"on_existing": "adpot"}, "on_existing", "or leave it out; did you mean adopt?"),
)


@pytest.mark.parametrize(("change", "field", "words"), MISTAKES, ids=lambda value: str(value)[:40])
def test_invalid_inputs_are_named_in_preview(change: dict[str, Any], field: str, words: str, bench: Bench) -> None:
    """Each problem names its input and the correction, and nothing is sent."""
    checked = bench.cycle.check(URN, {}, {**APPS, **change}, NONE)
    assert checked.inputs == {}
    assert [(problem.field, words in problem.reason) for problem in checked.problems] == [(field, True)]


def test_all_problems_are_reported_at_once() -> None:
    """A preview reports every problem of a cost center."""
    fields, found = read_inputs({"enterprise": "a b", "users": ["a b", "@c"], "repositories": ["x"], "name": 5})
    found += problems(fields, frozenset({"name"}))
    assert [problem.field for problem in found] == ["name", "enterprise", "users", "users", "repositories"]


def test_unknown_inputs_are_not_validated(bench: Bench, sandbox: Sandbox) -> None:
    """Inputs that are unknown in a preview cause no problem and no warning of moves."""
    checked = bench.cycle.check(URN, {}, {"users": ["hubot"]}, frozenset({"enterprise", "name"}))
    assert (checked.inputs, checked.problems) == ({"users": ["hubot"]}, [])
    assert sandbox.requests == []


LOGINS = st.lists(st.sampled_from(["a", "A", "b", "B", "c", "ent:a", "ENT:b"]), max_size=6)


@given(LOGINS, LOGINS)
def test_missing_members_complete_the_set(wanted: list[str], there: list[str]) -> None:
    """The missing members, each once, are exactly those to add."""
    missing = missing_members(ENTERPRISE_TEAMS, wanted, there)
    plain = [plain_member(ENTERPRISE_TEAMS, name) for name in missing]
    assert len(plain) == len(set(plain))
    have = {plain_member(ENTERPRISE_TEAMS, name) for name in there}
    assert not have & set(plain)
    assert have | set(plain) == have | {plain_member(ENTERPRISE_TEAMS, name) for name in wanted}


def test_an_unknown_type_of_member_is_ignored() -> None:
    """A type that is newer than this package belongs to no input, so nothing is sent for it."""
    kinds = [CostCenterResource(type_, "x").kind for type_ in ("User", "Org", "Repository", "EnterpriseTeam", "Robot")]
    assert kinds == ["users", "organizations", "repositories", "enterprise_teams", None]
    assert set(IN_PLACE) < set(INPUTS)


@pytest.mark.parametrize(
    ("call", "body", "words"),
    [
        ("list_cost_centers", {"costCenters": None}, "no list of cost centers"),
        ("get_cost_center", {"id": "1"}, "unexpected name"),
        ("get_cost_center", {"id": "1", "name": "x", "resources": [], "has_next_page": True}, "no new rows"),
    ],
)
def test_invalid_responses_are_errors(
    call: str, body: Any, words: str, enterprise: Owner, new_run: Callable[..., RunHarness]
) -> None:
    """An invalid response is an error that names the request."""
    with WireServer(answer(200, body)) as server:
        calls = CostCentersApi(new_run(base_url=server.url).run.transport)
        arguments = (enterprise,) if call == "list_cost_centers" else (enterprise, "1")
        with pytest.raises(TransportError, match=words):
            getattr(calls, call)(*arguments)


def test_the_response_to_an_addition_may_omit_moves(enterprise: Owner, new_run: Callable[..., RunHarness]) -> None:
    """The moved members are missing from some responses."""
    with WireServer(answer(200, []), answer(200, {"reassigned_resources": ["x"]})) as server:
        calls = CostCentersApi(new_run(base_url=server.url).run.transport)
        assert calls.add_resources(enterprise, "1", "users", ["a"]) == []
        assert calls.add_resources(enterprise, "1", "users", ["a"]) == []


@pytest.mark.parametrize(("more", "words"), [(0, []), (1, ["users: use several cost centers: 25,001 members"])])
def test_more_members_than_github_accepts_are_refused(bench: Bench, more: int, words: list[str]) -> None:
    """25,000 members of all kinds are accepted, one more is refused; a member in two spellings counts once."""
    users = [f"u{number}" for number in range(24_000 + more)]
    fields = {**APPS, "users": [*users, "U0"], "organizations": [f"o{number}" for number in range(1000)]}
    problems = bench.cycle.check(URN, {}, fields, NONE).problems
    assert [str(problem).partition(" are")[0] for problem in problems] == words


@pytest.mark.parametrize("fails", [False, True])
def test_all_moves_of_a_write_are_one_line_for_each_pair(fails: bool, sandbox: Sandbox, bench: Bench) -> None:
    """The members of several requests are told together, also those that were moved before a request failed."""
    names = [f"user-{number:03}" for number in range(120)]
    stored = sandbox.snapshot()
    stored["cost_centers"][0]["resources"] = [{"type": "User", "name": name} for name in names]
    sandbox.restore(stored)
    made = bench.create(APPS)
    sandbox.plan([{"op": "add_resources", "nth": 3, "action": "403_permission"}] if fails else [])
    if fails:
        with pytest.raises(ForbiddenError):
            bench.up(made, {**APPS, "users": names})
    else:
        bench.up(made, {**APPS, "users": names})
    number = 100 if fails else 120
    assert bench.harness.reporter.warnings == [
        f"moved {number} users from cost center Platform: user-000, user-001, user-002 and {number - 3} more"
    ]
