"""What a declaration adds: protection of hard stops, the names of secret inputs, its id for the plugins of its run."""

from __future__ import annotations

import gc
import signal
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime.proto import engine_pb2_grpc

from billing_provider import BudgetAlertingArgs, CostCenter, EnterpriseBudget, OrgBudget
from billing_provider.runtime.shared_ids import SharedIds
from billing_provider.sdk import declaration
from tests.support import mocked
from tests.support.mocked import Registered, run
from tests.support.plugin import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi.runtime import MockResourceArgs

ON = {"github-billing:protectHardStops": "true"}
BASE: dict[str, Any] = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 5}
SECRET: Any = pulumi.Output.secret
LATER: Any = pulumi.Output.from_input
YES: Any = True


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Collect the Outputs of failed programs at once: asyncio reports them, which must not happen in another test."""
    yield
    gc.collect()


def protection(
    declare: Callable[[], pulumi.Resource], config: dict[str, str] | None = None, *, preview: bool = False
) -> bool | None:
    """Return what Pulumi's `protect` of a declared resource is."""
    made: list[pulumi.Resource] = []
    run(lambda: made.append(declare()), config=ON if config is None else config, preview=preview)
    return made[0]._protect


HARD: dict[str, Callable[[], dict[str, Any]]] = {
    "declared": lambda: {"prevent_further_usage": True},
    "an output": lambda: {"prevent_further_usage": LATER(not YES)},
    "person": lambda: {"budget_scope": "user", "user": "mona"},
    "each person": lambda: {"budget_scope": "multi_user_customer"},
    "each member": lambda: {"budget_scope": "multi_user_cost_center", "cost_center": "Apps"},
    "a scope that is an output": lambda: {"budget_scope": LATER("enterprise")},
}
SOFT: dict[str, Callable[[], dict[str, Any]]] = {
    "neither": dict,
    "no stop": lambda: {"prevent_further_usage": False},
    "no stop of a person": lambda: {"prevent_further_usage": False, "budget_scope": "user", "user": "mona"},
    "another scope": lambda: {"budget_scope": "repository", "budget_entity_name": "octo-org/api"},
    "cost center": lambda: {"cost_center": LATER("Apps")},
}


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions(ignore_changes=["budget_amount"])])
@pytest.mark.parametrize("name", HARD)
def test_what_is_or_may_be_a_hard_stop_is_protected(name: str, opts: pulumi.ResourceOptions | None) -> None:
    """With the setting, each such budget is protected; without it, or with `false`, none is."""
    for config, expected in ((ON, True), ({}, None), ({"github-billing:protectHardStops": "false"}, None)):
        assert protection(lambda: EnterpriseBudget("b", opts, **BASE, **HARD[name]()), config) is expected
    assert opts is None or opts.protect is None


def test_a_budget_of_an_organization_is_protected_too() -> None:
    """The rule is the same for both kinds of owner."""
    given: dict[str, Any] = {"organization": "o", "budget_product_sku": "actions", "budget_amount": 5}
    assert protection(lambda: OrgBudget("b", **given, prevent_further_usage=True)) is True
    assert protection(lambda: OrgBudget("b", **given)) is None


@pytest.mark.parametrize("name", SOFT)
def test_what_is_no_hard_stop_is_not_protected(name: str) -> None:
    """An alert can be removed as before."""
    assert protection(lambda: EnterpriseBudget("b", **BASE, **SOFT[name]())) is None


@pytest.mark.parametrize("chosen", [True, False])
def test_the_program_decides_first(*, chosen: bool) -> None:
    """A `protect` of the program stays as it is, and its options are not changed."""
    for given in (HARD["declared"](), SOFT["neither"]()):
        opts = pulumi.ResourceOptions(protect=chosen)
        assert protection(lambda given=given, opts=opts: EnterpriseBudget("b", opts, **BASE, **given)) is chosen  # type: ignore[misc]
        assert opts.protect is chosen


def test_other_options_stay() -> None:
    """The protection is added to the options of the program."""
    opts = pulumi.ResourceOptions(additional_secret_outputs=["budget_amount"], retain_on_delete=True)
    found: list[pulumi.ResourceOptions | None] = []
    run(lambda: found.append(declaration.protected(opts, {"prevent_further_usage": True})), config=ON)
    (merged,) = found
    assert merged is not None
    assert (merged.protect, merged.retain_on_delete) == (True, True)
    assert merged.additional_secret_outputs == ["budget_amount"]
    assert opts.protect is None


def test_a_scope_of_a_wrong_type_is_left_to_the_check() -> None:
    """A scope that is no text may be any scope, and is no error here."""
    found: list[pulumi.ResourceOptions | None] = []
    run(lambda: found.append(declaration.protected(None, {"budget_scope": ["user"]})), config=ON)
    assert [opts and opts.protect for opts in found] == [True]


def test_a_read_is_never_protected() -> None:
    """A `.get` deletes nothing, so it needs no protection; an id in the options of a constructor is a `.get` too."""
    assert protection(lambda: EnterpriseBudget.get("b", "enterprise/octo-enterprise/1")) is None
    opts = pulumi.ResourceOptions(id="enterprise/octo-enterprise/1")
    assert protection(lambda: EnterpriseBudget("b", opts, **BASE, prevent_further_usage=True)) is None


def test_wrong_options_are_refused_by_pulumi() -> None:
    """Options that are none get Pulumi's own error, with the setting and without it."""
    wrong: Any = {"protect": True}
    for config in (ON, {}):
        with pytest.raises(TypeError, match="ResourceOptions"):
            protection(lambda: EnterpriseBudget("b", wrong, **BASE, prevent_further_usage=True), config)


HOSTED = ["/usr/bin/python3", "-u", "/usr/local/bin/pulumi-language-python-exec", "--monitor", "127.0.0.1:1", "."]
OWN = lambda *_: None  # noqa: E731 - a handler of a program


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        (HOSTED, signal.default_int_handler, signal.SIG_DFL),
        (HOSTED, OWN, OWN),
        (HOSTED, signal.SIG_IGN, signal.SIG_IGN),
        (["python3", "-m", "pytest"], signal.default_int_handler, signal.default_int_handler),
        (
            ["python3", "automation.py", "pulumi-language-python"],
            signal.default_int_handler,
            signal.default_int_handler,
        ),
    ],
    ids=["Pulumi's process", "a handler of the program", "ignored", "a test", "a program of the user"],
)
def test_only_a_process_of_pulumi_ends_at_once(
    words: list[str], before: Any, after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A declaration sets SIGINT to its default where the language host runs the program, and nowhere else."""
    monkeypatch.setattr(sys, "orig_argv", words)
    earlier, found = signal.getsignal(signal.SIGINT), []

    def program() -> None:
        signal.signal(signal.SIGINT, before)
        EnterpriseBudget("b", **BASE)
        found.append(signal.signal(signal.SIGINT, before))
        CostCenter("c", enterprise="e", name="Apps")
        found.append(signal.getsignal(signal.SIGINT))

    try:
        run(program)
    finally:
        signal.signal(signal.SIGINT, earlier)
    assert found == [after, after]


def test_a_thread_of_a_program_changes_no_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python refuses to set a handler in another thread; a declaration there goes on."""
    monkeypatch.setattr(sys, "orig_argv", HOSTED)
    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=declaration.end_quietly)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before


def unknown() -> Any:
    """Return an Output that a preview does not know."""
    return pulumi.Output.from_input(pulumi.UNKNOWN)


def named(inputs: Callable[[], dict[str, Any]], *, preview: bool = False) -> Any:
    """Return the names of secret inputs that a program sends for a budget, or None if it sends nothing."""

    def program() -> None:
        EnterpriseBudget("b", **{**BASE, **inputs()})

    return run(program, preview=preview).named("b").inputs.get(declaration.SECRET_INPUTS)


SECRETS: dict[str, tuple[Callable[[], dict[str, Any]], list[str] | None]] = {
    "nothing": (dict, None),
    "an output": (lambda: {"budget_amount": LATER(7)}, None),
    "outputs in a dict": (lambda: {"budget_alerting": {"will_alert": LATER(YES), "alert_recipients": ["a"]}}, None),
    "an amount": (lambda: {"budget_amount": SECRET(7)}, ["budget_amount"]),
    "what follows from a secret": (
        lambda: {"budget_amount": SECRET(7).apply(lambda amount: amount + 1)},
        ["budget_amount"],
    ),
    "an output of a secret": (lambda: {"budget_amount": LATER(7).apply(lambda _: SECRET(8))}, ["budget_amount"]),
    "two, sorted": (
        lambda: {"user": SECRET("mona"), "budget_scope": "user", "budget_amount": SECRET(7)},
        ["budget_amount", "user"],
    ),
    "one of a list of a dict": (
        lambda: {"budget_alerting": {"will_alert": True, "alert_recipients": ["a", LATER("b"), SECRET("c")]}},
        ["budget_alerting"],
    ),
    "one of a tuple": (
        lambda: {"budget_alerting": {"will_alert": True, "alert_recipients": ("a", SECRET("c"))}},
        ["budget_alerting"],
    ),
    "one of an input type": (
        lambda: {"budget_alerting": BudgetAlertingArgs(will_alert=True, alert_recipients=["a", SECRET("c")])},
        ["budget_alerting"],
    ),
    "a list of an input type": (
        lambda: {"budget_alerting": BudgetAlertingArgs(will_alert=True, alert_recipients=SECRET(["c"]))},
        ["budget_alerting"],
    ),
    "an input type without a secret": (
        lambda: {"budget_alerting": BudgetAlertingArgs(will_alert=LATER(YES), alert_recipients=["a"])},
        None,
    ),
    "a cost center": (lambda: {"cost_center": SECRET("Apps")}, ["budget_entity_name"]),
}


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("name", SECRETS)
def test_a_program_sends_the_names_of_its_secret_inputs(name: str, *, preview: bool) -> None:
    """Each input that is a secret, or contains one, is named once, sorted; without secrets nothing is sent."""
    inputs, expected = SECRETS[name]
    assert named(inputs, preview=preview) == expected


def test_the_names_are_known_where_the_values_are_not() -> None:
    """In a preview, an unknown secret is named, and an unknown value that is no secret is not."""
    assert named(lambda: {"budget_amount": SECRET(unknown())}, preview=True) == ["budget_amount"]
    assert named(lambda: {"budget_amount": unknown(), "user": SECRET("mona")}, preview=True) == ["user"]
    assert named(lambda: {"budget_amount": unknown()}, preview=True) is None


def test_a_cost_center_sends_the_names_of_its_secret_inputs() -> None:
    """The rule is the same for cost centers."""

    def program() -> None:
        CostCenter("c", enterprise="octo-enterprise", name="Apps", users=["mona", SECRET("octocat")])
        CostCenter("d", enterprise="octo-enterprise", name="Data", users=["mona", LATER("octocat")])

    registered = run(program)
    assert registered.named("c").inputs[declaration.SECRET_INPUTS] == ["users"]
    assert declaration.SECRET_INPUTS not in registered.named("d").inputs


def test_the_names_are_no_output_of_a_resource() -> None:
    """A program that exports a whole resource does not export the names; plain inputs make no Output for them."""
    made: list[Any] = []

    def program() -> dict[str, Any]:
        made.extend((EnterpriseBudget("s", **{**BASE, "budget_amount": SECRET(7)}), EnterpriseBudget("p", **BASE)))
        pulumi.export("whole", made[0])
        return {"amount": made[0].budget_amount}

    exports = run(program).exports
    assert exports["amount"] == 7
    assert not any(declaration.SECRET_INPUTS in str(key) for key in _keys(exports))
    assert declaration.SECRET_INPUTS not in EnterpriseBudget.__annotations__
    assert declaration.SECRET_INPUTS not in vars(made[1])


def _keys(value: Any) -> list[str]:
    return [key for name in value for key in (name, *_keys(value[name]))] if isinstance(value, dict) else []


@pytest.mark.parametrize(
    ("target", "address"),
    [("127.0.0.1:43885", "127.0.0.1:43885"), ("dns:///127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80")],
)
def test_the_address_of_the_engine_is_that_of_its_plugins(target: str, address: str) -> None:
    """The program has the engine as a client of the SDK, and the plugin as an address: they are the same."""
    with grpc.insecure_channel(target) as channel:
        assert declaration.engine_address(engine_pb2_grpc.EngineStub(channel)) == address


@pytest.mark.parametrize("engine", [object(), type("Mock", (), {"Log": lambda _: None})()])
def test_an_engine_without_a_channel_has_no_address(engine: Any) -> None:
    """The engine of a test is no client of the SDK."""
    assert declaration.engine_address(engine) == ""


class Declared(Registered):
    """Resources with ids as the provider gives them."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Return the id of a resource by its name: `new` is not created yet, `expired` never was."""
        id_, outputs = super().new_resource(args)
        made = "" if args.name == "new" else f"enterprise/octo-enterprise/{id_}"
        return args.resource_id or ("enterprise/octo-enterprise/expired" if args.name == "expired" else made), outputs


class Programs:
    """Programs of one process, as with the Automation API; each has its own connection to its engine."""

    def __init__(self) -> None:
        self.engines = [FakeEngine(), FakeEngine()]
        self.connections: list[grpc.Channel | engine_pb2_grpc.EngineStub] = []

    def run(self, declare: Callable[[], Any], which: int = 0) -> None:
        """Run a program on an engine."""
        channel = grpc.insecure_channel(self.engines[which].address)
        engine = engine_pb2_grpc.EngineStub(channel)
        self.connections += [channel, engine]

        def program() -> None:
            before, pulumi_settings.SETTINGS.engine = pulumi_settings.SETTINGS.engine, engine
            declare()
            pulumi_settings.SETTINGS.engine = before

        run(program)

    def plugin(self, which: int = 0) -> SharedIds:
        """Return what a plugin of an engine knows."""
        return SharedIds(self.engines[which].address)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """Two engines with a temporary folder of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(mocked, "Registered", Declared)
    made = Programs()
    yield made
    for engine in made.engines:
        engine.stop()


PREFIX = "urn:pulumi:s::p::pulumi:pulumi:Stack$pulumi-python:dynamic/github-billing"


def test_a_declared_id_is_known_to_the_plugins_of_the_run(programs: Programs) -> None:
    """Ids of budgets and cost centers are shared once they are known; those of a `.get` and of the expired are not."""

    def declare() -> None:
        EnterpriseBudget("b", **BASE)
        CostCenter("c", enterprise="octo-enterprise", name="Apps")
        EnterpriseBudget.get("d", "enterprise/octo-enterprise/d-id")
        CostCenter.get("e", "enterprise/octo-enterprise/e-id")
        EnterpriseBudget("expired", **BASE)
        EnterpriseBudget("new", **BASE)

    programs.run(declare)
    plugin = programs.plugin()
    assert plugin.holder("enterprise/octo-enterprise/b-id") == f"{PREFIX}:EnterpriseBudget::b"
    assert plugin.holder("c-id") == f"{PREFIX}:CostCenter::c"
    assert [plugin.holder(id_) for id_ in ("d-id", "e-id", "expired", "new-id")] == [None] * 4


def test_each_program_of_a_process_has_a_file_of_its_own(programs: Programs) -> None:
    """Programs that run after each other share nothing, even if their engines get the same address."""
    for name, which in (("a", 0), ("b", 1), ("c", 0)):
        programs.run(lambda name=name: EnterpriseBudget(name, **BASE), which)  # type: ignore[misc]
    known = [[programs.plugin(which).holder(f"{name}-id") is not None for name in "abc"] for which in (0, 1)]
    assert known == [[False, False, True], [False, True, False]]


def test_the_file_ends_with_its_program(programs: Programs, tmp_path: Path) -> None:
    """The file is removed when nothing of the program can be running any more."""
    programs.run(lambda: EnterpriseBudget("b", **BASE))
    assert programs.plugin().holder("b-id") is not None
    programs.connections.clear()
    gc.collect()
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
