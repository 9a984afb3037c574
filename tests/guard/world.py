"""GitHub, one stack on it and an engine: each run is a new plugin process, called in the real engine's order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from typing_extensions import Self

from billing_provider.runtime.shared_ids import SharedIds
from billing_provider.sandbox import Sandbox
from tests.guard.process import LocalPlugin, MachineClock
from tests.support.clock import VirtualClock
from tests.support.plugin import PROVIDERS, UNKNOWN, CallError, FakeEngine, urn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from billing_provider.sandbox import Request
    from tests.support.plugin import Plugin

Fields = dict[str, Any]
RECIPIENTS = "alert_recipients"
"""The place of an unknown value inside `budget_alerting`."""
NEVER_CREATED = "expired"


@dataclass(frozen=True)
class Declared:
    """One resource of a program.

    Attributes:
        kind: `EnterpriseBudget`, `OrgBudget` or `CostCenter`.
        inputs: Its inputs.
        replace_on_changes: Inputs whose change replaces it.
        alias: Its former name.
        secret: The inputs that are secret.
        unknown: The inputs that a preview does not know; `alert_recipients` is a part of `budget_alerting`.
    """

    kind: str
    inputs: Fields
    replace_on_changes: tuple[str, ...] = ()
    alias: str = ""
    secret: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def news(self, *, dry: bool) -> Fields:
        """Return what the program sends: in a preview without the values that are not known yet."""
        news = {**self.inputs, "__provider": PROVIDERS[self.kind]}
        if self.secret:
            news["__secret_inputs"] = sorted(self.secret)
        for name in self.unknown if dry else ():
            if name == RECIPIENTS:
                news["budget_alerting"] = {"will_alert": True, RECIPIENTS: [UNKNOWN]}
            else:
                news[name] = UNKNOWN
        return news


Program = dict[str, Declared]
"""What a program declares, by the names of the resources, in order."""


@dataclass
class Entry:
    """One resource in the stack's state.

    Attributes:
        deleting: It was replaced, and is still to be deleted.
        half: It was deleted first, and its replacement does not exist yet.
    """

    kind: str
    name: str
    id: str
    inputs: Fields
    outputs: Fields
    deleting: bool = False
    half: bool = False

    @property
    def urn(self) -> str:
        """Its URN."""
        return urn_of(self.kind, self.name)


class Word(NamedTuple):
    """One text that a run says: a `warning`, a `problem` of a check, an `error` of a call, or a `status` line."""

    urn: str
    text: str
    sort: str


class Effect(NamedTuple):
    """What one write changed on GitHub.

    Attributes:
        call: The engine's call that sent it.
        urn: The resource of this call.
        what: `budget` or `cost center`.
        id: GitHub's id.
        before: The object before the write, if it existed.
        after: The object after it, if it exists.
    """

    call: str
    urn: str
    what: str
    id: str
    before: Fields | None
    after: Fields | None


@dataclass(frozen=True)
class Options:
    """How a run is started.

    Attributes:
        targets: The names of the only resources to change; None for all.
        replace: The names of the resources to replace in any case.
        config: The stack's configuration.
        env: Variables of this run.
        faults: Planned faults.
        ahead: Seconds by which the machine's calendar is ahead.
        slow: Seconds that pass before each call.
    """

    targets: frozenset[str] | None = None
    replace: frozenset[str] = frozenset()
    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Mapping[str, Any], ...] = ()
    ahead: float = 0.0
    slow: float = 0.0


@dataclass
class Run:
    """One run and what came of it.

    Attributes:
        verb: `preview`, `up`, `refresh` or `destroy`.
        program: What the program declares; empty where none runs.
        options: How it was started.
        words: What it said, in order.
        calls: The engine's calls, each with the name of its resource.
        effects: What it changed on GitHub, in order.
        steps: The step of each resource by name.
        failed: Whether a call or a check failed.
        reads: The number of requests that were no writes.
        faulty: Whether a planned fault occurred.
        changed: The changed inputs of each updated resource, by name.
        budgets: The budgets on GitHub before it, by id.
        later: Those after it.
        centers: The cost centers on GitHub before it, by id.
        centers_later: Those after it.
        held: GitHub's id of each resource in the state before it, by URN.
        holds: Those after it.
        began: The time at its beginning, by GitHub's calendar.
        today: The day at its beginning.
    """

    verb: str
    program: Program = field(repr=False)
    options: Options
    words: list[Word] = field(default_factory=list)
    calls: list[str] = field(default_factory=list, repr=False)
    effects: list[Effect] = field(default_factory=list, repr=False)
    steps: dict[str, str] = field(default_factory=dict)
    failed: bool = False
    reads: int = 0
    faulty: bool = False
    changed: dict[str, set[str]] = field(default_factory=dict, repr=False)
    budgets: dict[str, Fields] = field(default_factory=dict, repr=False)
    later: dict[str, Fields] = field(default_factory=dict, repr=False)
    centers: dict[str, Fields] = field(default_factory=dict, repr=False)
    centers_later: dict[str, Fields] = field(default_factory=dict, repr=False)
    held: dict[str, str] = field(default_factory=dict, repr=False)
    holds: dict[str, str] = field(default_factory=dict, repr=False)
    began: float = 0.0
    today: str = ""

    def said(self, urn: str = "") -> list[str]:
        """Return the texts about one resource, or all."""
        return [word.text for word in self.words if urn in ("", word.urn)]


class Github:
    """The sandbox with the effect of each write, and an engine; one serves any number of worlds, one after another."""

    def __init__(self) -> None:
        self.time = VirtualClock()
        self.sandbox = Sandbox(clock=self._wall, on_request=self._saw)
        self.doing: tuple[str, str] = ("", "")
        self.effects: list[Effect] = []
        self._budgets: dict[str, Fields] = {}
        self._centers: dict[str, Fields] = {}

    def __enter__(self) -> Self:
        # The files of the runs are in a folder of their own: other tests may have left some.
        self._folder = tempfile.TemporaryDirectory()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(tempfile, "tempdir", self._folder.name)
        self._patch.setenv("TMPDIR", self._folder.name)
        self.sandbox.start()
        self.engine = FakeEngine()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.stop()
        self.sandbox.stop()
        self._patch.undo()
        self._folder.cleanup()

    def restart(self, quirks: Iterable[str] = ()) -> None:
        """Go back to the sample data and to the beginning of time."""
        for quirk in self.sandbox.quirks():
            self.sandbox.switch(quirk, on=False)
        self.time = VirtualClock()
        self.sandbox.reset()
        # Generated usage makes long reports, and no rule is about it.
        self.sandbox.restore({**self.sandbox.snapshot(), "generated_usage": False})
        for quirk in quirks:
            self.sandbox.switch(quirk)

    def begin(self, faults: Iterable[Mapping[str, Any]] = ()) -> None:
        """Begin a run: what happens from here on is recorded."""
        self.sandbox.forget_requests()
        self.sandbox.plan([dict(rule) for rule in faults], required=False)
        self.engine.lines.clear()
        self.effects = []
        self._budgets, self._centers = self.look()

    def _wall(self) -> float:
        # A restart sets another clock.
        return self.time.wall()

    @property
    def today(self) -> str:
        """The day by GitHub's calendar."""
        return self.sandbox.clock.now().date().isoformat()

    def look(self) -> tuple[dict[str, Fields], dict[str, Fields]]:
        """Return the budgets and the cost centers by id, without budgets that GitHub removes at the next request."""
        stored = self.sandbox.snapshot()
        budgets = stored["budgets"]
        if "expired_kept" not in self.sandbox.quirks():
            today = self.today
            budgets = [budget for budget in budgets if not budget["expires_at"] or budget["expires_at"] > today]
        return {each["id"]: each for each in budgets}, {each["id"]: each for each in stored["cost_centers"]}

    def budgets(self) -> dict[str, Fields]:
        """Return the budgets by id."""
        return self.look()[0]

    def _saw(self, sent: Request) -> None:
        if sent.method == "GET":
            return
        call, urn = self.doing
        budgets, centers = self.look()
        for what, before, after in (("budget", self._budgets, budgets), ("cost center", self._centers, centers)):
            for id_ in dict.fromkeys([*before, *after]):
                old, new = before.get(id_), after.get(id_)
                has_expired = new is None and (sent.method != "DELETE" or not sent.path.endswith(id_))
                if old != new and not has_expired:
                    self.effects.append(Effect(call, urn, what, id_, old, new))
        self._budgets, self._centers = budgets, centers


class StepError(Exception):
    """A step failed; the run has the words, and no further step begins."""


class World:
    """One stack on GitHub.

    Args:
        github: The sandbox; it is started anew.
        quirks: The quirks that are on from the beginning.
        plugin: Starts a plugin process instead of the one in this process.

    Attributes:
        entries: The state.
        by_hand: The ids of the budgets that were made by hand.
        runs: All runs so far.
    """

    def __init__(
        self,
        github: Github,
        quirks: Iterable[str] = (),
        plugin: Callable[[str, Mapping[str, str], Mapping[str, str]], Plugin] | None = None,
    ) -> None:
        github.restart(quirks)
        self.github, self.sandbox, self._plugin = github, github.sandbox, plugin
        self.entries: list[Entry] = []
        self.by_hand: set[str] = set()
        self.runs: list[Run] = []

    # What others do.

    def add(self, owner_kind: str, owner: str, **fields: Any) -> str:
        """Make a budget by hand and return its id."""
        id_: str = self.sandbox.add_budget(owner_kind, owner, **fields)["id"]
        self.by_hand.add(id_)
        return id_

    # Runs.

    def preview(self, program: Program, **options: Any) -> Run:
        """Preview a program."""
        return self._run("preview", program, Options(**options))

    def up(self, program: Program, **options: Any) -> Run:
        """Bring about what a program declares."""
        return self._run("up", program, Options(**options))

    def refresh(self, **options: Any) -> Run:
        """Read the state back from GitHub."""
        return self._run("refresh", {}, Options(**options))

    def destroy(self, **options: Any) -> Run:
        """Delete what is in the state; no program runs."""
        return self._run("destroy", {}, Options(**options))

    def entry(self, name: str) -> Entry:
        """Return the entry of a resource that is not about to be deleted."""
        (found,) = [entry for entry in self.entries if entry.name == name and not entry.deleting]
        return found

    def _run(self, verb: str, program: Program, options: Options) -> Run:
        run = Run(verb, program, options)
        run.budgets, run.centers = self.github.look()
        run.held, run.began, run.today = self._ids(), self.github.time.wall(), self.github.today
        # No two runs follow each other faster than a process starts.
        self.github.time.sleep(1.0)
        self.github.begin(options.faults)
        engine = self.github.engine
        env = {"GITHUB_API_URL": self.sandbox.url, "GITHUB_BILLING_TOKEN": self.sandbox.token, **options.env}
        config = {f"github-billing:{name}": value for name, value in options.config.items()}
        try:
            with self._start(engine.address, env, config, options) as plugin:
                _Engine(self, run, plugin, engine.address).go()
        finally:
            self.github.doing = ("", "")
        said = [Word(line.urn, line.text, "status" if line.ephemeral else "warning") for line in engine.lines]
        run.words[:0] = said
        run.effects, run.holds = self.github.effects, self._ids()
        run.later, run.centers_later = self.github.look()
        run.reads = len(self.sandbox.requests) - len(self.sandbox.writes)
        run.faulty = bool(self.sandbox.triggered_faults())
        self.runs.append(run)
        return run

    def _ids(self) -> dict[str, str]:
        return {entry.urn: entry.id.rpartition("/")[2] for entry in self.entries if not entry.deleting}

    def _start(self, address: str, env: Mapping[str, str], config: Mapping[str, str], options: Options) -> Plugin:
        if self._plugin is not None:
            return self._plugin(address, env, config)
        return LocalPlugin(address, env, config, clock=MachineClock(self.github.time, options.ahead))


class _Engine:
    """The engine of one run: its order of calls, and what each outcome leaves in the state."""

    def __init__(self, world: World, run: Run, plugin: Plugin, address: str) -> None:
        self._world, self._run, self._plugin = world, run, plugin
        self._shared = SharedIds(address)
        self._entries, self._options = world.entries, run.options
        self._dry = run.verb == "preview"

    def go(self) -> None:
        """Work."""
        work = {"preview": self._up, "up": self._up, "refresh": self._refresh, "destroy": self._destroy}
        try:
            work[self._run.verb]()
        except StepError:
            self._run.failed = True

    # Whole runs.

    def _up(self) -> None:
        self._shared.start()
        try:
            self._program()
        finally:
            # The program waits until the engine has done everything.
            self._shared.end()

    def _program(self) -> None:
        for name, declared in self._run.program.items():
            self._rename(name, declared)
            old = self._old(declared.kind, name)
            if self._is_targeted(name):
                self._run.steps[name] = self._register(name, declared, old)
            elif old is None:
                continue
            self._share(declared.kind, name)
        self._delete(lambda entry: entry.deleting or not self._is_declared(entry))

    def _destroy(self) -> None:
        self._delete(lambda _entry: True)

    def _refresh(self) -> None:
        for entry in [entry for entry in self._entries if not entry.deleting and self._is_targeted(entry.name)]:
            self._run.steps[entry.name] = self._read(entry)

    def _read(self, entry: Entry) -> str:
        read, diff = self._plugin.read, self._plugin.diff
        id_, outputs, inputs = self._call(
            "Read", entry.urn, lambda: read(entry.urn, entry.id, entry.outputs, entry.inputs)
        )
        if not id_:
            self._entries.remove(entry)
            return "gone"
        found = self._call("Diff", entry.urn, lambda: diff(entry.urn, entry.id, outputs, entry.inputs))
        entry.inputs, entry.outputs = inputs, outputs
        return "same" if found.changes == "DIFF_NONE" else "drift"

    def _delete(self, is_over: Callable[[Entry], bool]) -> None:
        # The program declares a cost center before its budgets, so the last one goes first.
        failed = False
        for entry in reversed([entry for entry in self._entries if is_over(entry) and self._is_targeted(entry.name)]):
            self._run.steps.setdefault(entry.name, "delete")
            if self._dry:
                continue
            try:
                if not entry.half:
                    self._send_delete(entry)
                self._entries.remove(entry)
            except StepError:
                # The other deletes of the same moment have begun already.
                failed = True
        if failed:
            raise StepError

    # One resource.

    def _register(self, name: str, declared: Declared, old: Entry | None) -> str:
        urn, news = urn_of(declared.kind, name), declared.news(dry=self._dry)
        if old is None:
            self._create(name, declared, self._check(urn, {}, news))
            return "create"
        if name in self._options.replace:
            self._replace(name, declared, old, self._check(urn, {}, news), first=False)
            return "replace"
        checked = self._check(urn, old.inputs, news)
        diff = self._call("Diff", urn, lambda: self._plugin.diff(urn, old.id, old.outputs, checked))
        found = _different(old.inputs, checked)
        changes = diff.changes == "DIFF_SOME" or (diff.changes == "DIFF_UNKNOWN" and bool(found))
        replaces = set(diff.replaces) if changes else set()
        if diff.changes == "DIFF_UNKNOWN":
            replaces |= found & set(declared.replace_on_changes)
        if replaces or old.half:
            checked = self._check(urn, {}, news)
            self._replace(name, declared, old, checked, first=diff.delete_before_replace)
            return "replace"
        if not changes:
            old.inputs = old.inputs if self._dry else checked
            return "same"
        self._run.changed[name] = found
        if not self._dry:
            old.outputs = self._call("Update", urn, lambda: self._plugin.update(urn, old.id, old.outputs, checked))
            old.inputs = checked
        return "update"

    def _replace(self, name: str, declared: Declared, old: Entry, checked: Fields, *, first: bool) -> None:
        if self._dry:
            return
        if first and not old.half:
            self._send_delete(old)
            old.half = True
        self._create(name, declared, checked)
        if old.half:
            self._entries.remove(old)
        else:
            old.deleting = True

    def _create(self, name: str, declared: Declared, checked: Fields) -> None:
        if self._dry:
            return
        urn = urn_of(declared.kind, name)
        id_, outputs = self._call("Create", urn, lambda: self._plugin.create(urn, checked))
        self._entries.append(Entry(declared.kind, name, id_, checked, outputs))

    def _check(self, urn: str, olds: Fields, news: Fields) -> Fields:
        checked, problems = self._call("Check", urn, lambda: self._plugin.check(urn, olds, news))
        if problems:
            self._run.words += [Word(urn, text, "problem") for text in problems]
            raise StepError
        inputs: Fields = checked
        return inputs

    def _send_delete(self, entry: Entry) -> None:
        self._call("Delete", entry.urn, lambda: self._plugin.delete(entry.urn, entry.id, entry.outputs))

    def _call(self, verb: str, urn: str, send: Callable[[], Any]) -> Any:
        self._world.github.doing = (verb, urn)
        self._run.calls.append(f"{verb} {urn.rpartition('::')[2]}")
        if self._options.slow:
            self._world.github.time.sleep(self._options.slow)
        try:
            return send()
        except CallError as error:
            self._run.words.append(Word(urn, error.last, "error"))
            raise StepError from None

    # The state and the program.

    def _old(self, kind: str, name: str) -> Entry | None:
        found = (each for each in self._entries if (each.kind, each.name) == (kind, name) and not each.deleting)
        return next(found, None)

    def _rename(self, name: str, declared: Declared) -> None:
        former = self._old(declared.kind, declared.alias)
        if former is not None and self._old(declared.kind, name) is None and declared.alias not in self._run.program:
            former.name = name

    def _is_targeted(self, name: str) -> bool:
        return self._options.targets is None or name in self._options.targets

    def _is_declared(self, entry: Entry) -> bool:
        declared = self._run.program.get(entry.name)
        return declared is not None and declared.kind == entry.kind

    def _share(self, kind: str, name: str) -> None:
        """Do what the program does once it knows the id of a resource: tell it to the plugin processes of the run."""
        entry = self._old(kind, name)
        if entry is not None and not entry.id.endswith(f"/{NEVER_CREATED}"):
            self._shared.add(entry.id, entry.urn)


def _different(one: Fields, other: Fields) -> set[str]:
    """Return the inputs that differ, as the engine compares them: without its internal ones."""
    return {name for name in {**one, **other} if not name.startswith("__") and one.get(name) != other.get(name)}
