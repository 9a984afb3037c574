"""The lifecycle of both resources through the real plugin process, spoken to as the engine does."""

from __future__ import annotations

import base64
import pickle
import resource
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

from billing_provider import provider
from billing_provider.core.errors import BillingError
from billing_provider.engine_log import EngineLog, calling_urn
from billing_provider.sandbox import Sandbox
from tests.support.plugin import PROVIDERS, UNKNOWN, CallError, FakeEngine, Plugin, Stack, urn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENTERPRISE = {
    "enterprise": "octo-enterprise",
    "budget_product_sku": "actions",
    "budget_amount": 500,
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat", "monalisa"]},
}
ORGANIZATION = {
    "organization": "octo-org",
    "budget_product_sku": "packages",
    "budget_amount": 100,
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
}


class World(NamedTuple):
    """A sandbox, an engine and a plugin between them."""

    sandbox: Sandbox
    engine: FakeEngine
    plugin: Plugin


@pytest.fixture
def world() -> Iterator[World]:
    engine = FakeEngine()
    with Sandbox() as sandbox, Plugin(engine.address, environment(sandbox)) as plugin:
        yield World(sandbox, engine, plugin)
        assert plugin.printed == []
    engine.stop()


def environment(sandbox: Sandbox) -> dict[str, str]:
    return {"GITHUB_API_URL": sandbox.url, "GITHUB_BILLING_TOKEN": sandbox.token}


def program(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, "__provider": PROVIDERS[kind]}


class Step(NamedTuple):
    """A change of the program, the step that it makes, and the writes that GitHub sees."""

    change: dict[str, Any]
    step: str
    writes: tuple[str, ...] = ()


EVERY_BUDGET = (
    Step({}, "create", ("POST",)),
    Step({}, "same"),
    Step({"budget_amount": 500.0}, "update", ("PATCH",)),
    Step({"budget_amount": "500"}, "same"),
    Step({"budget_amount": 800}, "update", ("PATCH",)),
    Step({"prevent_further_usage": True}, "update", ("PATCH",)),
    Step({"budget_alerting": {"will_alert": True, "alert_recipients": ["hubot"]}}, "update", ("PATCH",)),
    Step({"budget_alerting": {"will_alert": True, "alert_recipients": ["HUBOT"]}}, "same"),
    Step({"on_existing": "error"}, "same"),
    Step({"on_delete": "keep"}, "update"),
    Step({"on_delete": None}, "update"),
    Step({"budget_product_sku": "codespaces"}, "replace", ("POST", "DELETE")),
    Step({"budget_product_sku": "codespaces", "budget_type": "ProductPricing"}, "same"),
    Step({"budget_scope": "repository", "budget_entity_name": "octo-org/api"}, "replace", ("POST", "DELETE")),
    Step({"budget_entity_name": "octo-org/API"}, "same"),
    Step({"budget_entity_name": "octo-org/website"}, "replace", ("POST", "DELETE")),
)
STEPS = {
    "EnterpriseBudget": (
        {**ENTERPRISE, "budget_amount": 499},
        (
            *EVERY_BUDGET,
            Step({"budget_scope": "organization", "budget_entity_name": "octo-lab"}, "replace", ("POST", "DELETE")),
            Step({"budget_scope": "cost_center", "budget_entity_name": "Platform"}, "replace", ("POST", "DELETE")),
            Step({"enterprise": "Octo-Enterprise"}, "same"),
        ),
    ),
    "OrgBudget": (
        {**ORGANIZATION, "budget_amount": 499},
        (
            *EVERY_BUDGET,
            Step(
                {
                    "budget_scope": "user",
                    "budget_entity_name": None,
                    "user": "hubot",
                    "budget_product_sku": "ai_credits",
                    "budget_type": None,
                    "budget_alerting": None,
                    "expires_at": "2999-12-31",
                },
                "replace",
                ("POST", "DELETE"),
            ),
            Step({"expires_at": "2999-12-31T00:00:00Z"}, "same"),
            Step({"expires_at": None}, "update", ("PATCH",)),
            Step({"user": "monalisa"}, "replace", ("POST", "DELETE")),
        ),
    ),
}


@pytest.mark.parametrize("kind", STEPS)
def test_each_step_of_a_budget(kind: str, world: World) -> None:
    """Every change of a program makes its step and just the writes of that step, and nothing is left at the end."""
    first, steps = STEPS[kind]
    declared: dict[str, Any] = dict(first)
    stack, sandbox = Stack(), world.sandbox
    for step in steps:
        declared |= step.change
        sandbox.forget_requests()
        assert stack.up(world.plugin, {(kind, "b"): declared}) == {"b": step.step}, step
        assert tuple(write.method for write in sandbox.writes) == step.writes, step
        (live,) = sandbox.budgets(None)
        assert live["budget_amount"] == int(declared["budget_amount"])
        sandbox.forget_requests()
        assert stack.up(world.plugin, {(kind, "b"): declared}) == {"b": "same"}
        assert sandbox.requests == []
        assert stack.refresh(world.plugin) == {}
    with Plugin(world.engine.address, environment(sandbox)) as later:
        assert stack.up(later, {}) == {"b": "delete"}
    assert sandbox.budgets(None) == []


def test_each_step_of_a_cost_center(world: World) -> None:
    """A cost center comes, gains members and a name, is not touched without need, and is archived in the end."""
    center = {"enterprise": "octo-enterprise", "name": "Mobile", "users": ["octocat"]}
    stack = Stack()
    for change, step in (
        ({}, "create"),
        ({"users": ["Octocat"]}, "same"),
        ({"users": ["octocat", "monalisa"]}, "update"),
        ({"name": "Phones"}, "update"),
    ):
        center |= change
        assert stack.up(world.plugin, {("CostCenter", "c"): center}) == {"c": step}, change
        world.sandbox.forget_requests()
        assert stack.up(world.plugin, {("CostCenter", "c"): center}) == {"c": "same"}
        assert world.sandbox.writes == []
        assert stack.refresh(world.plugin) == {}
    with Plugin(world.engine.address, environment(world.sandbox)) as later:
        stack.destroy(later)
    (archived,) = [found for found in world.sandbox.cost_centers() if found["name"] == "Phones"]
    assert archived["state"] == "deleted"


def test_what_is_stored_is_plain_and_complete(world: World) -> None:
    """Create returns every input with its defaults, GitHub's id and nothing that is not known."""
    urn = urn_of("EnterpriseBudget", "b")
    inputs, problems = world.plugin.check(urn, {}, program("EnterpriseBudget", ENTERPRISE))
    assert problems == []
    id_, outputs = world.plugin.create(urn, inputs)
    (live,) = world.sandbox.budgets()
    assert id_ == f"enterprise/octo-enterprise/{live['id']}"
    assert inputs == {
        **ENTERPRISE,
        "budget_scope": "enterprise",
        "budget_entity_name": "",
        "budget_type": "ProductPricing",
        "prevent_further_usage": False,
        "__provider": PROVIDERS["EnterpriseBudget"],
    }
    told = {"budget_id": live["id"], "adopted": False, "kept_on_delete": False, "github_entity_name": "octo-enterprise"}
    assert outputs == {**inputs, **told}


def test_drift_is_seen_and_repaired(world: World) -> None:
    """A refresh takes over what somebody changed, the next run brings it back, and a removed budget is gone."""
    declared = {("EnterpriseBudget", "a"): ENTERPRISE, ("OrgBudget", "b"): ORGANIZATION}
    stack, sandbox = Stack(), world.sandbox
    stack.up(world.plugin, declared)
    a, b = (entry.id.rpartition("/")[2] for entry in stack.entries)
    sandbox.edit_budget(a, budget_amount=900)
    sandbox.remove_budget(b)
    with Plugin(world.engine.address, environment(sandbox)) as later:
        assert stack.refresh(later) == {"a": "drift", "b": "gone"}
        assert [entry.inputs["budget_amount"] for entry in stack.entries] == [900]
        assert stack.up(later, declared) == {"a": "update", "b": "create"}
    assert sorted(budget["budget_amount"] for budget in sandbox.budgets(None)) == [100, 500]


def test_get_reads_a_budget_and_refuses_an_absent_one(world: World) -> None:
    """`.get` sends the plugin the bare provider; a budget is read whole, and one that is not there is an error."""
    budget = world.sandbox.add_budget("organization", "octo-org", budget_amount=7, budget_product_sku="packages")
    urn, bare = urn_of("OrgBudget", "b"), program("OrgBudget", {})
    id_, outputs, _ = world.plugin.read(urn, f"organization/octo-org/{budget['id']}", {}, bare)
    assert (id_, outputs["budget_amount"], outputs["budget_scope"]) == (
        f"organization/octo-org/{budget['id']}",
        7,
        "organization",
    )
    with pytest.raises(
        CallError, match="GitHub returned 404: the listing does not contain this budget either"
    ) as refused:
        world.plugin.read(urn, "organization/octo-org/nowhere", {}, bare)
    assert refused.value.last.startswith(
        "billing_provider.core.errors.NotFoundError: get budget nowhere of organization"
    )
    with pytest.raises(CallError, match=r"has the form organization/OWNER/ID, not .enterprise/x/y"):
        world.plugin.read(urn, "enterprise/x/y", {}, bare)


def test_unknown_values_stay_unknown(world: World) -> None:
    """A preview leaves unknown inputs alone, still finds mistakes in the others, and counts unknown as changed."""
    kind, urn = "EnterpriseBudget", urn_of("EnterpriseBudget", "b")
    unsure = {
        **ENTERPRISE,
        "budget_amount": UNKNOWN,
        "budget_alerting": {"will_alert": True, "alert_recipients": [UNKNOWN]},
    }
    inputs, problems = world.plugin.check(urn, {}, program(kind, unsure))
    assert problems == []
    assert {name: inputs[name] for name in ("budget_amount", "budget_alerting")} == {
        "budget_amount": UNKNOWN,
        "budget_alerting": unsure["budget_alerting"],
    }
    assert inputs["budget_type"] == "ProductPricing"
    _, problems = world.plugin.check(urn, {}, program(kind, {**unsure, "budget_scope": "team"}))
    assert [problem.split(": ")[1] for problem in problems] == ["budget_scope"]
    stack = Stack()
    stack.up(world.plugin, {(kind, "b"): ENTERPRISE})
    (old,) = stack.entries
    changed, _ = world.plugin.check(urn, old.inputs, program(kind, unsure))
    assert world.plugin.diff(urn, old.id, old.outputs, changed) == ("DIFF_UNKNOWN", [], False)
    elsewhere, _ = world.plugin.check(urn, old.inputs, program(kind, {**ENTERPRISE, "enterprise": UNKNOWN}))
    diff = world.plugin.diff(urn, old.id, old.outputs, elsewhere)
    assert diff == ("DIFF_UNKNOWN", ["enterprise"], False)


def test_all_mistakes_are_told_at_once(world: World) -> None:
    """Check names each wrong input and what to write instead, and no property whose value the engine would print."""
    wrong = {**ENTERPRISE, "budget_amount": 1.5, "budget_scope": "team", "budget_product_sku": "x" * 10_000}
    _, problems = world.plugin.check(urn_of("EnterpriseBudget", "b"), {}, program("EnterpriseBudget", wrong))
    assert [problem[:61] for problem in problems] == [
        ": budget_amount: write a whole number of US dollars (or licen",
        ": budget_product_sku: write at most 255 characters",
        ": budget_scope: EnterpriseBudget takes one of enterprise, org",
    ]
    assert world.sandbox.requests == []


def test_warnings_stand_on_the_resource(world: World) -> None:
    """A warning goes to the engine once, on the row of its resource, and stays there; a wait is a passing line."""
    urn = urn_of("EnterpriseBudget", "quiet")
    quiet = program("EnterpriseBudget", {**ENTERPRISE, "budget_alerting": None})
    for _ in range(2):
        world.plugin.check(urn, {}, quiet)
    told = "the actions budget of enterprise octo-enterprise, scope enterprise alerts nobody: set budget_alerting"
    assert world.engine.lines == [("WARNING", told, urn, False)]


def test_an_unchanged_budget_gives_no_warning(world: World) -> None:
    """Warnings about unusual settings are for a new or changed budget; a change of spelling is none."""
    stack, quiet = Stack(), {**ENTERPRISE, "budget_alerting": None}
    stack.up(world.plugin, {("EnterpriseBudget", "quiet"): quiet})
    assert len(world.engine.warnings) == 1
    with Plugin(world.engine.address, environment(world.sandbox)) as later:
        stack.up(later, {("EnterpriseBudget", "quiet"): {**quiet, "enterprise": "Octo-Enterprise"}})
        assert len(world.engine.warnings) == 1
        stack.up(later, {("EnterpriseBudget", "quiet"): {**quiet, "budget_amount": 600}})
    raised = "the actions budget of enterprise octo-enterprise, scope enterprise: raises the amount from $500 to $600"
    assert [text for _, text in world.engine.warnings[2:]] == [raised]


def test_a_replacement_says_that_the_meter_starts_anew(world: World) -> None:
    """A changed identity is warned of in preview, since GitHub counts only what is used after the creation."""
    stack = Stack()
    stack.up(world.plugin, {("OrgBudget", "b"): ORGANIZATION})
    (old,) = stack.entries
    news, _ = world.plugin.check(
        old.urn, old.inputs, program("OrgBudget", {**ORGANIZATION, "budget_product_sku": "actions"})
    )
    diff = world.plugin.diff(old.urn, old.id, old.outputs, news)
    assert diff == ("DIFF_UNKNOWN", ["budget_product_sku"], False)
    assert world.engine.warnings == []
    # The engine checks the new resource of a replacement as a new one.
    world.plugin.check(old.urn, {}, news)
    (text,) = (text for name, text in world.engine.warnings if name == "b" and "replaces the $" in text)
    assert text.endswith(", which counts only usage after its creation")


def test_configuration_comes_with_its_namespace(world: World) -> None:
    """Token, address and pace come from `github-billing:` keys, before variables of others; waits show as status."""
    config = {
        "github-billing:token": world.sandbox.token,
        "github-billing:baseUrl": world.sandbox.url,
        "github-billing:writeIntervalSeconds": "1.2",
        "p:token": "another-project-setting",
    }
    wrong = {"GITHUB_TOKEN": "not-this-one", "GITHUB_API_URL": "http://127.0.0.1:1"}
    declared = {("EnterpriseBudget", "a"): ENTERPRISE, ("OrgBudget", "b"): ORGANIZATION}
    with Plugin(world.engine.address, wrong, config) as plugin:
        assert Stack().up(plugin, declared) == {"a": "create", "b": "create"}
    (waited, *_) = [line for line in world.engine.lines if line.ephemeral]
    assert (waited.severity, waited.urn) == ("INFO", urn_of("OrgBudget", "b"))
    assert waited.text == "waiting 1 s for the pause between writes"


def test_a_wait_for_a_page_belongs_to_the_resource_that_is_read(world: World) -> None:
    """Pages are read by threads of their own; what they wait for is shown at the resource that needs them."""
    ids = [world.sandbox.add_budget("enterprise", "octo-enterprise")["id"] for _ in range(24)]
    world.sandbox.switch("page_cap_10")
    world.sandbox.plan([{"op": "list_budgets", "action": "429_secondary", "nth": 2, "seconds": 2}])
    urns = [urn_of("EnterpriseBudget", f"b{number}") for number in range(4)]
    for urn, budget_id in zip(urns, ids, strict=False):
        id_ = f"enterprise/octo-enterprise/{budget_id}"
        assert world.plugin.read(urn, id_, program("EnterpriseBudget", ENTERPRISE), {})[0] == id_
    waits = [line for line in world.engine.lines if line.ephemeral]
    assert {(line.text, line.urn) for line in waits} == {("waiting 2 s for GitHub's secondary limit", urns[-1])}


def test_a_refusal_is_short_and_without_the_token(world: World) -> None:
    """What GitHub refuses ends in one line: what was tried, what it said, what to do; the token is nowhere."""
    urn = urn_of("EnterpriseBudget", "b")
    token = "a-token-that-nobody-gave"
    with Plugin(world.engine.address, {**environment(world.sandbox), "GITHUB_BILLING_TOKEN": token}) as plugin:
        _, problems = plugin.check(urn, {}, program("EnterpriseBudget", ENTERPRISE))
        assert "GitHub returned 401: Bad credentials" in problems[0]
        inputs, _ = world.plugin.check(urn, {}, program("EnterpriseBudget", ENTERPRISE))
        with pytest.raises(CallError) as refused:
            plugin.create(urn, inputs)
        assert refused.value.last.startswith(
            "billing_provider.core.errors.ForbiddenError: list the budgets of enterprise octo-enterprise: "
            "GitHub returned 401: Bad credentials"
        )
        assert "During handling" not in str(refused.value)
        assert token not in str(refused.value)
        assert plugin.printed == []


def test_without_a_token_a_preview_still_works(world: World) -> None:
    """Check and diff need no token; a create without one says which variable to set."""
    urn = urn_of("OrgBudget", "b")
    with Plugin(world.engine.address, {}) as plugin:
        inputs, problems = plugin.check(urn, {}, program("OrgBudget", ORGANIZATION))
        assert problems == []
        with pytest.raises(CallError, match="NoTokenError: no token: set GITHUB_BILLING_TOKEN"):
            plugin.create(urn, inputs)


def test_a_state_of_a_wrong_form_is_one_line(world: World) -> None:
    """A state that no version has written ends in what is wrong with it, not in somebody's stack of calls."""
    junk = program("OrgBudget", {**ORGANIZATION, "budget_scope": "organization", "budget_alerting": "junk"})
    with pytest.raises(CallError) as surprised:
        world.plugin.diff(urn_of("OrgBudget", "b"), "organization/octo-org/1", junk, program("OrgBudget", ORGANIZATION))
    assert surprised.value.last.startswith(
        "billing_provider.core.errors.ConfigError: the state contains an invalid value of budget_alerting. "
        "Nothing was sent"
    )


def test_each_error_is_one_line(world: World) -> None:
    """A failed create, read, update and delete, and an internal error, are one line each, without a traceback."""
    urn, whole = urn_of("OrgBudget", "b"), program("OrgBudget", ORGANIZATION)
    inputs, _ = world.plugin.check(urn, {}, whole)
    world.sandbox.add_budget("organization", "octo-org", budget_product_sku="packages", budget_amount=1)
    broken = provider.OrgBudgetProvider()
    broken._operations = None  # type: ignore[assignment, method-assign]
    told = "internal error, please report it: TypeError: 'NoneType' object is not callable"
    later = Plugin(world.engine.address, environment(world.sandbox))
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: later.create(urn, inputs), "for each of `pulumi stack ls`."),
        (
            lambda: world.plugin.read(urn, "organization/octo-org/none", {}, whole),
            "does not contain this budget either.",
        ),
        (lambda: world.plugin.update(urn, "organization/x", whole, whole), "(`pulumi stack export`)."),
        (lambda: world.plugin.delete(urn, "organization/x", whole), "(`pulumi stack export`)."),
        (lambda: world.plugin.create(urn, {**inputs, "__provider": serialize_provider(broken)}), told),
    ]
    for call, message in calls:
        with pytest.raises(CallError) as failed:
            call()
        (line,) = str(failed.value).splitlines()
        assert line.startswith("billing_provider.core.errors.")
        assert line.endswith(message)
    later.stop()


def test_an_import_keeps_tracebacks() -> None:
    """Tracebacks are limited only where the plugin raises an error: a program imports the provider too."""
    assert provider.__name__ in sys.modules
    assert getattr(sys, "tracebacklimit", None) is None


class Surprise(dict[str, Any]):
    """Properties that cannot be read."""

    def items(self) -> Any:
        """Fail with a text that holds a secret and what cannot be sent."""
        raise RuntimeError("no room for ghp_0123456789abcdef \ud800")


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("kind", [name for name in vars(provider) if name.endswith("Provider") and name[0] in "EOCU"])
def test_a_surprise_is_an_internal_error(kind: str, configured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in whatever verb: a short request to report it, without secrets, before and after a start."""
    monkeypatch.setattr(provider, "_PROCESS", provider._Process())
    monkeypatch.setattr(sys, "tracebacklimit", None, raising=False)
    adapter = getattr(provider, kind)()
    if configured:
        adapter.configure(ConfigureRequest(Config({}, "p")))
    calls: list[Callable[[], Any]] = [
        lambda: adapter.check({}, Surprise()),
        lambda: adapter.diff("id", {}, Surprise()),
        lambda: adapter.create(Surprise()),
        lambda: adapter.read("id", Surprise()),
        lambda: adapter.update("id", {}, Surprise()),
    ]
    for call in calls:
        with pytest.raises(BillingError, match="internal error, please report it: ") as caught:
            call()
        str(caught.value).encode()
        assert "ghp_" not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(BillingError):
        adapter.delete("id", {})


def test_a_refresh_claims_nothing(world: World) -> None:
    """A budget that a refresh compared in the same run is still deleted when the program no longer declares it."""
    stack = Stack()
    stack.up(world.plugin, {("OrgBudget", "a"): ORGANIZATION})
    with Plugin(world.engine.address, environment(world.sandbox)) as later:
        assert stack.refresh(later) == {}
        assert stack.up(later, {}) == {"a": "delete"}
    assert world.sandbox.budgets(None) == []


def test_a_new_name_keeps_the_budget(world: World) -> None:
    """A resource renamed without an alias takes its budget over, and the old name's deletion lifts no cap."""
    stack = Stack()
    stack.up(world.plugin, {("OrgBudget", "old"): ORGANIZATION})
    before = world.sandbox.budgets(None)
    with Plugin(world.engine.address, environment(world.sandbox)) as later:
        assert stack.up(later, {("OrgBudget", "new"): ORGANIZATION}) == {"new": "create", "old": "delete"}
    assert world.sandbox.budgets(None) == before
    assert [name for name, _ in world.engine.warnings] == ["new", "new", "new", "old"]
    assert stack.entries[0].outputs["adopted"] is True
    with Plugin(world.engine.address, environment(world.sandbox)) as last:
        assert stack.up(last, {("OrgBudget", "new"): {**ORGANIZATION, "on_delete": "delete"}}) == {"new": "update"}
    with Plugin(world.engine.address, environment(world.sandbox)) as last:
        stack.destroy(last)
    assert world.sandbox.budgets(None) == []


@pytest.mark.parametrize(
    "names",
    [{"a": "packages", "b": "actions"}, {"b": "actions", "c": "packages"}, {"c": "actions", "a": "packages"}],
    ids=["swapped", "moved-up", "moved-round"],
)
def test_names_that_change_places_keep_their_budgets(names: dict[str, str], world: World) -> None:
    """However names wander between the same budgets, none is made, deleted or changed."""
    stack = Stack()
    whole = {sku: {**ORGANIZATION, "budget_product_sku": sku} for sku in ("actions", "packages")}
    stack.up(world.plugin, {("OrgBudget", "a"): whole["actions"], ("OrgBudget", "b"): whole["packages"]})
    before = world.sandbox.budgets(None)
    declared = {("OrgBudget", name): whole[sku] for name, sku in names.items()}
    world.sandbox.forget_requests()
    with Plugin(world.engine.address, environment(world.sandbox)) as later:
        stack.up(later, declared)
    assert (world.sandbox.budgets(None), world.sandbox.writes) == (before, [])
    with Plugin(world.engine.address, environment(world.sandbox)) as last:
        assert stack.refresh(last) == {}
        assert stack.up(last, declared) == dict.fromkeys(names, "same")


def test_a_plugin_without_its_engine_writes_nothing(world: World) -> None:
    """A plugin whose engine has been killed ends itself before its next write."""
    orphaned = FakeEngine()
    plugin = Plugin(orphaned.address, environment(world.sandbox))
    urn = urn_of("OrgBudget", "b")
    inputs, _ = plugin.check(urn, {}, program("OrgBudget", ORGANIZATION))
    orphaned.stop()
    with pytest.raises(CallError):
        plugin.create(urn, inputs)
    assert plugin.wait() == 1
    plugin.stop()
    assert world.sandbox.writes == []


def test_an_idle_plugin_ends_with_its_engine(world: World) -> None:
    """A plugin that nobody calls any more ends itself after its engine has been killed, and others stay."""
    orphaned = FakeEngine()
    plugin = Plugin(orphaned.address, environment(world.sandbox))
    plugin.check(urn_of("OrgBudget", "b"), {}, program("OrgBudget", ORGANIZATION))
    orphaned.stop()
    assert plugin.wait() == 1
    plugin.stop()
    assert Stack().up(world.plugin, {("OrgBudget", "b"): ORGANIZATION}) == {"b": "create"}


def test_a_process_that_is_no_plugin_does_not_follow_an_engine(engine: FakeEngine) -> None:
    """A program or a test that uses the provider's code stays when an engine ends."""
    before = threading.enumerate()
    EngineLog(engine.address).exit_with_engine()
    assert set(threading.enumerate()) <= set(before)


def test_only_a_refused_connection_proves_that_an_engine_is_dead(engine: FakeEngine) -> None:
    """Without a free descriptor nothing can be asked, and this process goes on."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    log = EngineLog(engine.address)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        log.exit_if_engine_died()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_plugin_that_nobody_hears_speaks_to_standard_error() -> None:
    """Without an address, or with one that does not answer, a warning goes to standard error."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        silent = f"127.0.0.1:{closed.getsockname()[1]}"
    for address in ("nobody", silent):
        plugin = Plugin(address, {})
        quiet = program("OrgBudget", {**ORGANIZATION, "budget_alerting": None})
        plugin.check(urn_of("OrgBudget", "b"), {}, quiet)
        assert plugin.stop() == 0
        first, second = plugin.printed
        assert first.endswith("scope organization alerts nobody: set budget_alerting\n")
        assert second.startswith("warning: not compared with GitHub: no token")


def test_a_plugin_without_an_address_may_write() -> None:
    """Where no engine was named, none can be gone: writes are sent."""
    with Sandbox() as sandbox, Plugin("nobody", environment(sandbox)) as plugin:
        assert Stack().up(plugin, {("OrgBudget", "b"): ORGANIZATION}) == {"b": "create"}
        assert len(sandbox.budgets(None)) == 1


def test_a_terminated_plugin_ends(world: World) -> None:
    """The plugin ends on SIGTERM, without a word."""
    plugin = Plugin(world.engine.address, environment(world.sandbox))
    assert plugin.stop(signal.SIGTERM) == -signal.SIGTERM
    assert plugin.printed == []


def test_a_missing_urn_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no frame holds the engine's request, check, diff and create stop before a request; a warning is shown."""
    monkeypatch.setattr(sys, "tracebacklimit", None, raising=False)
    with pytest.raises(BillingError, match="cannot find the URN"):
        calling_urn()
    adapter = provider.OrgBudgetProvider()
    with Sandbox() as sandbox:
        for name, value in environment(sandbox).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(provider, "_PROCESS", provider._Process())
        adapter.configure(ConfigureRequest(Config({}, "p")))
        calls: list[Callable[[], Any]] = [
            lambda: adapter.check({}, ORGANIZATION),
            lambda: adapter.diff("id", ORGANIZATION, ORGANIZATION),
            lambda: adapter.create(ORGANIZATION),
        ]
        for call in calls:
            with pytest.raises(BillingError, match="cannot find the URN of this resource"):
                call()
        assert sandbox.requests == []


def test_a_warning_needs_no_urn(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning and a status line outside a call of the engine belong to no resource, and are no error."""
    EngineLog("nobody").warn("look here")
    EngineLog("nobody").status("waiting")
    assert capsys.readouterr().err == "warning: look here\n"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_state_names_the_provider(kind: str) -> None:
    """A state holds the provider class by name, in under a hundred characters, and an instance holds nothing."""
    stored = PROVIDERS[kind]
    loaded = pickle.loads(base64.b64decode(stored))  # noqa: S301 - our own golden string
    assert type(loaded) is getattr(provider, f"{kind}Provider")
    assert (type(loaded).__module__, type(loaded).__qualname__) == ("billing_provider.provider", f"{kind}Provider")
    assert vars(loaded) == {}
    assert loaded.serialize_as_secret_always is False
    today = serialize_provider(loaded)
    assert len(today) < 100
    if pickle.DEFAULT_PROTOCOL == 4:
        assert today == stored
