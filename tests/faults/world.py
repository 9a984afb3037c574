"""A sandbox with a stack on it, run after run, and a watch on what must never happen."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from typing_extensions import Self

from billing_provider.budgets.cache import OwnerCache
from billing_provider.core.errors import BillingError, OutcomeError
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from billing_provider.core.owners import Owner
    from billing_provider.core.resource import Checked
    from billing_provider.operations import Operations
    from billing_provider.sandbox.server import Request

Inputs = dict[str, Any]
Program = dict[str, Inputs]
"""What a program declares: inputs by the resource's name."""

_KEY = ("owner_kind", "owner", "budget_scope", "budget_entity_name", "user", "budget_product_sku", "name")
"""What no two budgets and no two active cost centers may share."""

TIMEOUT_SECONDS = 30.0
"""Longest silence of a request, in real time: far beyond what a busy machine makes of an honest answer."""


class Cut(BaseException):
    """The process died at this moment; no error, so that nothing catches it."""


class MortalClock(VirtualClock):
    """The clock of one run, over the time that all runs and the sandbox share; it ends the run when told to.

    Attributes:
        is_dead: Whether the run dies at its next look at the clock, in whatever thread.
    """

    def __init__(self, time: VirtualClock, tick: Callable[[], None]) -> None:
        super().__init__()
        self._time, self._tick = time, tick
        self.is_dead = False

    def now(self) -> float:
        """Return the shared time.

        Raises:
            Cut: The run is to die.
        """
        if self.is_dead:
            raise Cut
        return self._time.now()

    def wall(self) -> float:
        """Return the shared time as seconds since 1970."""
        return self._time.wall()

    def sleep(self, seconds: float) -> None:
        """Let shared time pass, and what GitHub does late happen on its way."""
        while seconds > 0:
            self.now()
            self._time.sleep(min(seconds, 1.0))
            self._tick()
            seconds -= 1.0


@dataclass
class Entry:
    """One budget or cost center in the stack's state."""

    id: str
    inputs: Inputs
    outputs: Inputs

    @property
    def budget_id(self) -> str:
        """GitHub's id."""
        return self.id.rpartition("/")[2]


@dataclass
class World:
    """One sandbox, one stack's state on it, and everything that was said and seen.

    Attributes:
        threads: How many resources a run works on at once.
        clock: The time of the sandbox and of all runs.
        sandbox: GitHub's side.
        entries: The stack's state by resource name, right after every step.
        pending: The old halves of replacements, still to be deleted.
        said: Every text that a run has let out: errors with their tracebacks, warnings, status lines, logs, state.
        violations: What must never happen and did.
        false_gone: How often a budget was held for gone while it was there.
    """

    threads: int = 1
    page_cap: int = 2
    quirks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    clock: VirtualClock = field(default_factory=VirtualClock)
    entries: dict[str, Entry] = field(default_factory=dict)
    pending: list[Entry] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    false_gone: int = 0
    duplicates: int = 0
    orphans: int = 0

    def __post_init__(self) -> None:
        self._served = 0
        self._cut_after = 0
        self._last_write: Request | None = None
        self._mortal: MortalClock | None = None
        self._duplicates: set[tuple[Any, ...]] = set()
        self.sandbox = Sandbox(clock=self.clock.wall, page_cap=self.page_cap, on_request=self._saw, quirks=self.quirks)
        self._foreign_ids: set[str] = {center["id"] for center in self.sandbox.cost_centers()}

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sandbox.stop()

    # What others do.

    def add_stranger(self, owner_kind: str, slug: str, **fields: Any) -> str:
        """Store a budget that the stack does not declare, and return its id; it is to stay."""
        budget_id: str = self.sandbox.add_budget(owner_kind, slug, **fields)["id"]
        self._foreign_ids.add(budget_id)
        return budget_id

    def add_budget(self, owner_kind: str, slug: str, **fields: Any) -> str:
        """Store a budget that the stack is about to declare, and return its id."""
        budget_id: str = self.sandbox.add_budget(owner_kind, slug, **fields)["id"]
        return budget_id

    def release_cost_center(self, name: str) -> None:
        """Let the stack declare a cost center that was there before it."""
        self._foreign_ids -= {center["id"] for center in self.sandbox.cost_centers() if center["name"] == name}

    # Runs.

    def harness(self, cut_after: int = 0) -> RunHarness:
        """Start a run; it dies right after GitHub has worked on its n-th request, if that is not 0."""
        # No two runs follow each other faster than a process starts.
        self.clock.sleep(1.0)
        self._served, self._cut_after = 0, cut_after
        self._mortal = MortalClock(self.clock, self._find_duplicates)
        chosen: dict[str, Any] = {
            "write_interval_seconds": 1.0,
            "writes_per_minute": 80,
            "writes_per_hour": 500,
            "request_timeout_seconds": TIMEOUT_SECONDS,
        }
        return open_harness(self.sandbox, self._mortal, **{**chosen, **self.settings})

    def up(self, program: Program, cut_after: int = 0) -> BaseException | None:
        """Bring about what a program declares, in the engine's order of calls, and return how it failed."""
        return self._run(lambda harness: self._up(harness, program), cut_after)

    def refresh(self, cut_after: int = 0) -> BaseException | None:
        """Read everything in the state back, and return how it failed."""
        return self._run(self._refresh, cut_after)

    def list_all(self, owner: Owner) -> BaseException | None:
        """List an owner's budgets in a run, hold the result against the truth, and return how it failed."""

        def look(harness: RunHarness) -> None:
            listed = set(harness.run.cache(OwnerCache, owner).complete())
            missing = {budget["id"] for budget in self.sandbox.budgets(owner.slug)} - listed
            self.false_gone += len(missing)

        return self._run(look, 0)

    def differences(self, program: Program) -> list[str]:
        """Return what the next preview would change; it may send nothing."""
        harness = self.harness()
        self.sandbox.forget_requests()
        found = [name for name in self.entries if name not in program]
        for name, inputs in program.items():
            operations, entry = _operations(harness, inputs), self.entries.get(name)
            checked = _check(operations, _urn(name), entry.inputs if entry else {}, inputs)
            if (
                entry is None
                or operations.diff(_urn(name), entry.id, entry.outputs, checked.inputs, frozenset()).changed
            ):
                found.append(name)
        if self.sandbox.requests:
            self.violations.append(f"a preview sent {len(self.sandbox.requests)} requests")
        return found

    # What is true.

    def live(self) -> list[dict[str, Any]]:
        """Return the budgets on GitHub's side that are the stack's business, whoever owns them."""
        return [budget for budget in self.sandbox.budgets(None) if budget["id"] not in self._foreign_ids]

    def live_cost_centers(self) -> list[dict[str, Any]]:
        """Return the active cost centers on GitHub's side that are the stack's business."""
        return [center for center in self._active() if center["id"] not in self._foreign_ids]

    def settle_accounts(self) -> None:
        """Count as orphan what is on GitHub's side and not in the state, and as lost what is the other way round."""
        self._find_duplicates()
        here = {entry.budget_id for entry in self.entries.values()}
        there = {thing["id"] for thing in [*self.live(), *self.live_cost_centers()]}
        self.orphans += len(there - here)
        if here - there:
            self.violations.append(f"in the state and not on GitHub: {sorted(here - there)}")
        lost = self._foreign_ids - self._all_ids()
        if lost:
            self.violations.append(f"somebody else's budgets or cost centers are gone: {sorted(lost)}")
        if self.pending:
            self.violations.append("an old half of a replacement is left")

    def tokens_seen(self) -> int:
        """Return how many texts hold the token, in any of its usual forms."""
        state = json.dumps([[entry.id, entry.inputs, entry.outputs] for entry in self.entries.values()])
        requests = [f"{request.path} {request.query} {request.body}" for request in self.sandbox.requests]
        forms = spellings(self.sandbox.token)
        return sum(any(form in text for form in forms) for text in [*self.said, state, *requests])

    def _saw(self, request: Request) -> None:
        self._served += 1
        if request.method != "GET":
            last, self._last_write = self._last_write, request
            # A redirect is followed at once: the write before it was none.
            if last is not None and request.at - last.at < 1.0 and last.status not in range(300, 400):
                self.violations.append(f"{request.method} came {request.at - last.at:.1f} s after {last.method}")
        if self._served == self._cut_after and self._mortal is not None:
            self._mortal.is_dead = True
        self._find_duplicates()

    def _active(self) -> list[dict[str, Any]]:
        return [center for center in self.sandbox.cost_centers() if center["state"] == "active"]

    def _all_ids(self) -> set[str]:
        return {thing["id"] for thing in [*self.sandbox.budgets(None), *self._active()]}

    def _find_duplicates(self) -> None:
        seen: dict[tuple[Any, ...], str] = {}
        for thing in [*self.sandbox.budgets(None), *self._active()]:
            key = tuple(str(thing.get(name, "")).casefold() for name in _KEY)
            pair = (seen.setdefault(key, thing["id"]), thing["id"])
            if pair[0] != pair[1] and pair not in self._duplicates:
                self._duplicates.add(pair)
                self.duplicates += 1

    def _run(self, work: Callable[[RunHarness], None], cut_after: int) -> BaseException | None:
        harness = self.harness(cut_after)
        failure: BaseException | None = None
        with _listening() as lines:
            try:
                work(harness)
            except (BillingError, Cut) as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - whatever leaves the package is the finding
                failure = error
                self.violations.append(f"not one of our errors: {error!r}")
        if failure is not None:
            self.said += ["".join(traceback.format_exception(failure)), str(failure), repr(failure)]
        self.said += [*lines, *harness.reporter.warnings, *harness.reporter.statuses]
        return failure

    def _up(self, harness: RunHarness, program: Program) -> None:
        if self.threads == 1:
            for name, inputs in program.items():
                self._step(harness, name, inputs)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                # All are tried; the first that failed is the failure of the run.
                for step in [pool.submit(self._step, harness, name, inputs) for name, inputs in program.items()]:
                    step.result()
        for entry in list(self.pending):
            _operations(harness, entry.inputs).delete(_urn(name), entry.id, entry.outputs)
            self.pending.remove(entry)
        for name in [name for name in self.entries if name not in program]:
            entry = self.entries[name]
            _operations(harness, entry.inputs).delete(_urn(name), entry.id, entry.outputs)
            del self.entries[name]

    def _step(self, harness: RunHarness, name: str, inputs: Inputs) -> None:
        urn, operations, entry = _urn(name), _operations(harness, inputs), self.entries.get(name)
        checked = _check(operations, urn, entry.inputs if entry else {}, inputs)
        if entry is None:
            self._create(operations, name, checked.inputs)
            return
        found = operations.diff(urn, entry.id, entry.outputs, checked.inputs, frozenset())
        if not found.changed:
            entry.inputs = checked.inputs
            return
        if not found.replaces:
            stored = operations.update(urn, entry.id, entry.outputs, checked.inputs)
            entry.inputs, entry.outputs = checked.inputs, stored.outputs
            return
        anew = _check(operations, urn, {}, inputs)
        self._create(operations, name, anew.inputs)
        self.pending.append(entry)

    def _create(self, operations: Operations, name: str, inputs: Inputs) -> None:
        stored = operations.create(_urn(name), inputs)
        self.entries[name] = Entry(stored.id, inputs, stored.outputs)

    def _refresh(self, harness: RunHarness) -> None:
        for name, entry in list(self.entries.items()):
            stored = _operations(harness, entry.inputs).read(_urn(name), entry.id, entry.outputs)
            if stored is None:
                self.false_gone += entry.budget_id in self._all_ids()
                del self.entries[name]
            else:
                entry.inputs, entry.outputs = stored.inputs, stored.outputs


def spellings(token: str) -> set[str]:
    """Return a token in the forms in which it leaks: plain, percent, base64 at each alignment, hexadecimal."""
    raw = token.encode()
    # What of a base64 text depends on the token alone, whatever stands before it.
    texts = [base64.b64encode(b"\0" * shift + raw).decode().rstrip("=") for shift in range(3)]
    inner = {text[start:-1] for text, start in zip(texts, (0, 2, 3), strict=True)}
    percent = "".join(f"%{byte:02x}" for byte in raw)
    return {token, token[::-1], quote(token, safe=""), percent, percent.upper(), raw.hex(), raw.hex().upper(), *inner}


class _listening:  # noqa: N801 - read as a word: with _listening() as lines
    """Collect what is logged, at the lowest level."""

    def __enter__(self) -> list[str]:
        self._lines: list[str] = []
        lines = self._lines

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                lines.append(self.format(record))

        self._handler = Handler()
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self._handler)
        root.setLevel(logging.DEBUG)
        return self._lines

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self._handler)
        logging.getLogger().setLevel(self._level)


def _urn(name: str) -> str:
    return f"urn:pulumi:s::p::t::{name}"


def _operations(harness: RunHarness, inputs: Inputs) -> Operations:
    """Return the operations on what the inputs declare: only a cost center has a name."""
    budget = "EnterpriseBudget" if "enterprise" in inputs else "OrgBudget"
    return harness.operations["CostCenter" if "name" in inputs else budget]


def _check(operations: Operations, urn: str, olds: Inputs, inputs: Inputs) -> Checked:
    """Check a resource; a problem ends the run."""
    checked = operations.check(urn, olds, inputs, frozenset())
    for problem in checked.problems:
        raise OutcomeError(str(problem))
    return checked
