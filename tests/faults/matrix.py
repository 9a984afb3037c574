"""The fault matrix: every operation, every fault, at every request of the operation; each cell a world of its own."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.sandbox.http.actions import ACTIONS
from tests.faults.world import Program, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ENTERPRISE = Owner(ENTERPRISE_OWNER, "octo-enterprise")
ORGANIZATION = Owner(ORGANIZATION_OWNER, "octo-org")
OWNERS = {owner.kind.noun: owner for owner in (ENTERPRISE, ORGANIZATION)}

_LISTINGS_ONLY = frozenset({"short_list"})
_WRITES_ONLY = frozenset({"late_commit"})
# How long a fault lasts where the sandbox's default would be too long to wait for in real time.
_SECONDS = {"slow_drip": 0.05, "stall_before": 5.0, "stall_after": 5.0}
# A client that waits for a silent server waits in real time.
_SILENT = frozenset({"stall_before", "stall_after", "endless_drip"})
_PATIENCE_SECONDS = 0.5
_LONG_LIMIT_SECONDS = 3600.0
# What a run may give up on; all else it overcomes by itself.
_MAY_FAIL = frozenset({"401", "403_permission", "404", "410", "422", "wrong_type", "wrong_fields", "redirect_loop"})
_MAY_FAIL |= {f"{status}_{kind}_hour" for status in (403, 429) for kind in ("primary", "secondary")} | {
    "reset_for_ever"
}


class Fault(NamedTuple):
    """One fault as a column of the matrix: its name and the rule that plans it."""

    name: str
    rule: dict[str, Any]


def _faults() -> Iterator[Fault]:
    for action in ACTIONS:
        if action != "switch":
            seconds = {"seconds": _SECONDS[action]} if action in _SECONDS else {}
            yield Fault(action, {"action": action, **seconds})
    # So slow that the client gives up in the middle.
    yield Fault("endless_drip", {"action": "slow_drip", "seconds": 2000.0})
    for status in (403, 429):
        yield Fault(f"{status}_primary_hour", {"action": f"{status}_primary", "seconds": _LONG_LIMIT_SECONDS})
        yield Fault(f"{status}_secondary_hour", {"action": f"{status}_secondary", "seconds": _LONG_LIMIT_SECONDS})
    yield Fault("502_thrice", {"action": "502_before", "times": 3})
    yield Fault("reset_for_ever", {"action": "reset_before", "times": 12})
    yield Fault("list_lag", {"action": "switch", "quirk": "list_lag"})
    yield Fault("list_lag_seconds", {"action": "switch", "quirk": "list_lag_seconds"})
    yield Fault("duplicates_refused", {"action": "switch", "quirk": "duplicates_refused"})


FAULTS = {fault.name: fault for fault in _faults()}
"""The columns, by name."""


def budget(owner: Owner, amount: int = 500, sku: str = "actions", **more: Any) -> dict[str, Any]:
    """Return the inputs of a budget."""
    return {owner.kind.noun: owner.slug, "budget_product_sku": sku, "budget_amount": amount, **more}


def cost_center(owner: Owner, name: str = "Apps", **members: Any) -> dict[str, Any]:
    """Return the inputs of a cost center; only a cost center has a name."""
    return {owner.kind.noun: owner.slug, "name": name, **members}


@dataclass(frozen=True)
class Operation:
    """One row of the matrix.

    Attributes:
        before: What stands, made without a fault.
        after: What the faulted run declares; None for one that only reads.
        act: The faulted run, where it is no `up`.
        outside: What others do between the two.
        kinds: The requests of an honest run, in order: L list, G get, C create, P patch, D delete, A members added,
            R members removed, c cost centers.
        base: A fault that is triggered besides, by its own operation: what comes after it is faulted too.
        owners: Whose budgets.
    """

    before: Callable[[Owner], Program]
    after: Callable[[Owner], Program]
    kinds: str
    act: Callable[[World, Owner], BaseException | None] | None = None
    outside: Callable[[World, Owner], None] = lambda _world, _owner: None
    base: tuple[dict[str, Any], ...] = ()
    owners: tuple[str, ...] = ("enterprise", "organization")

    def run(self, world: World, owner: Owner) -> BaseException | None:
        """Run it once in a new run, and return how it failed."""
        return self.act(world, owner) if self.act else world.up(self.after(owner))


def _nothing(_owner: Owner) -> Program:
    return {}


def _one(owner: Owner) -> Program:
    return {"a": budget(owner)}


def _many(owner: Owner) -> Program:
    return {sku: budget(owner, sku=sku) for sku in ("actions", "packages", "codespaces", "copilot", "ghec")}


def _remove(world: World, _owner: Owner) -> None:
    world.sandbox.remove_budget(world.live()[0]["id"])


def _exists(amount: int) -> Callable[[World, Owner], None]:
    def add(world: World, owner: Owner) -> None:
        world.add_budget(owner.kind.noun, owner.slug, budget_amount=amount)

    return add


def _refresh(world: World, _owner: Owner) -> BaseException | None:
    return world.refresh()


_LOST = ({"action": "reset_after", "op": "create_budget"},)
_LATE = ({"action": "late_commit", "op": "create_budget"},)

_MANY_LOGINS = [f"user-{number}" for number in range(120)]


def _center(owner: Owner) -> Program:
    return {"a": cost_center(owner)}


def _center_with_members(owner: Owner) -> Program:
    return {"a": cost_center(owner, users=["octocat", "guest"], enterprise_teams=["core"])}


def _centers(owner: Owner) -> Program:
    return {**_center_with_members(owner), "b": cost_center(owner, "More"), "c": budget(owner)}


def _lost_center(action: str) -> tuple[dict[str, Any], ...]:
    return ({"action": action, "op": "create_cost_center"},)


_ENTERPRISE = ("enterprise",)

COST_CENTERS = {
    "create a cost center": Operation(_nothing, _center, "cC", owners=_ENTERPRISE),
    "create a cost center, answer lost": Operation(
        _nothing, _center_with_members, "cCcAA", base=_lost_center("reset_after"), owners=_ENTERPRISE
    ),
    "create a cost center, landing late": Operation(
        _nothing, _center_with_members, "cCcccAA", base=_lost_center("late_commit"), owners=_ENTERPRISE
    ),
    "create a cost center of 120 members": Operation(
        _nothing, lambda owner: {"a": cost_center(owner, users=_MANY_LOGINS)}, "cCAAA", owners=_ENTERPRISE
    ),
    "rename a cost center": Operation(
        _center_with_members,
        lambda owner: {"a": {**_center_with_members(owner)["a"], "name": "Applications"}},
        "P",
        owners=_ENTERPRISE,
    ),
    "members in and out of a cost center": Operation(
        _center_with_members,
        lambda owner: {"a": cost_center(owner, users=["octocat", "new-one"], enterprise_teams=[])},
        "RRA",
        owners=_ENTERPRISE,
    ),
    "archive a cost center": Operation(_center_with_members, _nothing, "D", owners=_ENTERPRISE),
    "archive a cost center, answer lost": Operation(
        _center_with_members,
        _nothing,
        "DDc",
        base=({"action": "reset_after", "op": "delete_cost_center"},),
        owners=_ENTERPRISE,
    ),
    "adopt a cost center": Operation(
        _nothing,
        lambda owner: {"a": cost_center(owner, "Platform", users=["monalisa", "hubot", *_MANY_LOGINS])},
        "cGAAA",
        outside=lambda world, _owner: world.release_cost_center("Platform"),
        owners=_ENTERPRISE,
    ),
    "read a cost center": Operation(_center_with_members, _center_with_members, "G", act=_refresh, owners=_ENTERPRISE),
    "refresh with cost centers": Operation(_centers, _centers, "GGG", act=_refresh, owners=_ENTERPRISE),
}

OPERATIONS = {
    "create": Operation(_nothing, _one, "LLC"),
    "create for a cost center": Operation(
        _nothing,
        lambda owner: {"a": budget(owner, budget_scope="cost_center", budget_entity_name="Platform")},
        "cLLC",
        owners=("enterprise",),
    ),
    "create, answer lost": Operation(_nothing, _one, "LLCLL", base=_LOST),
    "create, landing late": Operation(_nothing, _one, "LLCLLLLLL", base=_LATE),
    "read": Operation(_one, _one, "G", act=_refresh),
    "read, gone": Operation(_one, _nothing, "GLL", act=_refresh, outside=_remove),
    "update": Operation(_one, lambda owner: {"a": budget(owner, 800)}, "P"),
    "update, answer lost": Operation(
        _one, lambda owner: {"a": budget(owner, 800)}, "PP", base=({"action": "502_after", "op": "update_budget"},)
    ),
    "replace": Operation(_one, lambda owner: {"a": budget(owner, sku="packages")}, "LLCD"),
    "delete": Operation(_one, _nothing, "D"),
    "delete, gone": Operation(_one, _nothing, "DLL", outside=_remove),
    "delete, answer lost": Operation(_one, _nothing, "DDLL", base=({"action": "reset_after", "op": "delete_budget"},)),
    "adopt": Operation(
        _nothing, lambda owner: {"a": budget(owner, 800, on_existing="adopt")}, "LLP", outside=_exists(500)
    ),
    "adopt as it is": Operation(_nothing, _one, "LL", outside=_exists(500)),
    "several at once": Operation(
        lambda owner: {"a": budget(owner), "c": budget(owner, sku="codespaces")},
        lambda owner: {"b": budget(owner, sku="packages"), "a": budget(owner, 800)},
        "LLLCPD",
    ),
    "refresh": Operation(_many, _many, "GGGLLLL", act=_refresh),
    "list": Operation(_many, _many, "LLLL", act=lambda world, owner: world.list_all(owner)),
    **COST_CENTERS,
}
"""The rows, by name."""


class Cell(NamedTuple):
    """One cell: a fault at the k-th request of an operation on one owner's budgets."""

    operation: str
    owner: str
    fault: str
    k: int

    def __str__(self) -> str:
        """Name it as a test's id does."""
        return f"{self.operation} [{self.owner}] {self.fault} at request {self.k}"


def cells() -> list[Cell]:
    """Return the whole table."""
    return [
        Cell(name, owner, fault, k)
        for name, operation in OPERATIONS.items()
        for owner in operation.owners
        for k, kind in enumerate(operation.kinds, 1)
        for fault, planned in FAULTS.items()
        if (planned.rule["action"] not in _LISTINGS_ONLY or kind in "Lc")
        and (planned.rule["action"] not in _WRITES_ONLY or kind in "CPDAR")
    ]


@dataclass
class Tally:
    """What a number of cells came to; all but the first are to be 0.

    Attributes:
        notes: What was wrong, each with its cell.
    """

    cells: int = 0
    duplicates: int = 0
    orphans: int = 0
    blocked: int = 0
    false_gone: int = 0
    tokens: int = 0
    untriggered: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the numbers of another one."""
        for name in ("cells", "duplicates", "orphans", "blocked", "false_gone", "tokens", "untriggered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.notes += other.notes

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"cells {self.cells}, duplicates {self.duplicates}, unreported orphans {self.orphans}, "
            f'requests in a blocked window {self.blocked}, false "gone" {self.false_gone}, tokens seen {self.tokens}'
        )


def run_cell(cell: Cell) -> Tally:
    """Play one cell: what stands, the faulted run, the same again without a fault, and an empty preview after it."""
    operation, owner, fault = OPERATIONS[cell.operation], OWNERS[cell.owner], FAULTS[cell.fault]
    notes: list[str] = []
    settings = {"request_timeout_seconds": _PATIENCE_SECONDS} if cell.fault in _SILENT else {}
    with World(settings=settings) as world:
        for sku in ("copilot_ai_credits", "packages_storage", "git_lfs_storage"):
            world.add_stranger(owner.kind.noun, owner.slug, budget_product_sku=sku, budget_type="SkuPricing")
        _honest(world.up(operation.before(owner)), "the preparation", notes)
        operation.outside(world, owner)
        # What stands has stood for a while: a listing that lags shows it.
        world.clock.sleep(60)
        world.sandbox.forget_requests()
        world.sandbox.plan([{**fault.rule, "nth": cell.k}, *operation.base])
        failure = operation.run(world, owner)
        if failure is not None and cell.fault not in _MAY_FAIL:
            notes.append("the run does not overcome it")
        if "hour" in cell.fault:
            _long_wait(failure, notes)
            world.clock.sleep(_LONG_LIMIT_SECONDS)
        untriggered = [
            rule for rule in world.sandbox.untriggered_faults() if "op" not in rule and not rule["triggered"]
        ]
        world.sandbox.plan([])
        _honest(operation.run(world, owner), "the second run", notes)
        after = operation.after(owner)
        _honest(world.up(after), "the next up", notes)
        if differing := world.differences(after):
            notes.append(f"the preview afterwards is not empty: {differing}")
        world.settle_accounts()
        _compare(world, after, notes)
        if world.sandbox.misdirected_requests:
            notes.append(f"sent to another host: {world.sandbox.misdirected_requests}")
        tally = Tally(
            cells=1,
            duplicates=world.duplicates,
            orphans=world.orphans,
            blocked=world.sandbox.requests_while_blocked,
            false_gone=world.false_gone,
            tokens=world.tokens_seen(),
            untriggered=len(untriggered),
        )
        notes += world.violations
    if untriggered:
        notes.append("the fault was not triggered")
    if notes or (tally.duplicates, tally.orphans, tally.blocked, tally.false_gone, tally.tokens) != (0, 0, 0, 0, 0):
        tally.notes = [f"{cell}: {'; '.join(notes) or tally}; the faulted run: {failure}"]
    return tally


def run(table: Sequence[Cell], workers: int, progress: Callable[[int], None] = lambda _done: None) -> Tally:
    """Play many cells in several processes.

    Args:
        table: The cells.
        workers: How many processes; 1 plays them in this one.
        progress: Called after each cell with the number of cells done.
    """
    total = Tally()
    if workers == 1:
        for cell in table:
            total.add(run_cell(cell))
            progress(total.cells)
        return total
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for tally in pool.imap_unordered(run_cell, table, chunksize=8):
            total.add(tally)
            progress(total.cells)
    return total


def _honest(failure: BaseException | None, what: str, notes: list[str]) -> None:
    if failure is not None:
        notes.append(f"{what} failed: {failure}")


def _long_wait(failure: BaseException | None, notes: list[str]) -> None:
    """Hold a refusal to wait an hour to what it must say; who wrote before the limit came may have succeeded."""
    text = str(failure)
    if failure is not None and "github-billing:maxWaitSeconds" not in text and "GitHub" not in text:
        notes.append(f"a limit of an hour is not explained: {text}")


def _compare(world: World, after: Program, notes: list[str]) -> None:
    there = {f"{live['budget_product_sku']} {live['budget_amount']}" for live in world.live()}
    for center in world.live_cost_centers():
        there.add(f"{center['name']} {sorted(member['name'] for member in center['resources'])}")
    declared = {_summary(inputs) for inputs in after.values()}
    if there != declared:
        notes.append(f"GitHub has {sorted(there)}, declared is {sorted(declared)}")


def _summary(inputs: dict[str, Any]) -> str:
    if "name" not in inputs:
        return f"{inputs['budget_product_sku']} {inputs['budget_amount']}"
    teams = [f"ent:{team}" for team in inputs.get("enterprise_teams", ())]
    return f"{inputs['name']} {sorted([*inputs.get('users', ()), *teams])}"
