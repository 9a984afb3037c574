"""A stack, its budgets and people behind its back, at random, against a dictionary: what must hold after every step."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing_provider.core.errors import OutcomeError
from billing_provider.core.owners import ORGANIZATION_OWNER, Owner
from tests.faults.matrix import ENTERPRISE, FAULTS, ORGANIZATION, budget
from tests.faults.world import Cut, Program, World

NAMES = ("a", "b", "c")
SKUS = ("actions", "packages", "codespaces")
_OWNERS = (ENTERPRISE, ORGANIZATION, Owner(ORGANIZATION_OWNER, "octo-lab"))
# Left out are faults that take real time, and switches, which would stay on for the whole story.
_FAULTS = sorted(
    name
    for name, rule_of in FAULTS.values()
    if rule_of["action"] not in {"switch", "stall_before", "stall_after", "slow_drip", "huge_body"}
)
_QUIRKS = ("", "flat_create", "no_id_in_create", "duplicates_refused", "page_flags_missing")

Key = tuple[str, str]
"""Owner and SKU: all that tells the budgets of this story apart."""


def _key(inputs: dict[str, Any]) -> Key:
    return inputs.get("enterprise") or inputs["organization"], inputs["budget_product_sku"]


class BudgetStory(RuleBasedStateMachine):
    """The model is `program`, what is declared; all else is asked of the world.

    Attributes:
        reported: Keys whose budget may exist, according to an error or a kill of a run.
        removed: Ids that others, or a run that died, have removed and no refresh has noticed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.program: Program = {}
        self.reported: set[Key] = set()
        self.removed: set[str] = set()

    @initialize(
        quirk=st.sampled_from(("", "flat_create", "no_id_in_create", "duplicates_refused", "page_flags_missing"))
    )
    def begin(self, quirk: str) -> None:
        """Start the sandbox, with one of the ways in which GitHub may differ."""
        if quirk:
            self.world.sandbox.switch(quirk)
        self.world.sandbox.start()
        for owner in _OWNERS:
            self.world.add_stranger(owner.kind.noun, owner.slug, budget_product_sku="copilot")

    def teardown(self) -> None:
        """Stop the sandbox."""
        self.world.sandbox.stop()

    # What the author of the program does.

    @rule(
        name=st.sampled_from(NAMES),
        owner=st.sampled_from(_OWNERS),
        sku=st.sampled_from(SKUS),
        amount=st.integers(0, 3),
        policy=st.sampled_from(("adopt_if_identical", "adopt")),
    )
    def declare(self, name: str, owner: Owner, sku: str, amount: int, policy: str) -> None:
        """Declare a budget, or change one: its amount in place, its owner or SKU by a replacement."""
        # The two kinds of owner are two kinds of resource, which one name cannot change between.
        name = f"{owner.kind.noun} {name}"
        # A new name adopts the budget of the old one, and a run after a dead one adopts what that created. By default,
        # such a budget would stay on GitHub after it leaves the program.
        inputs = budget(owner, amount, sku, on_existing=policy, on_delete="delete")
        if all(_key(other) != _key(inputs) for known, other in self.program.items() if known != name):
            self.program[name] = inputs

    @precondition(lambda self: self.program)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Take a budget out of the program."""
        del self.program[data.draw(st.sampled_from(sorted(self.program)))]

    @precondition(lambda self: self.program)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        """Give a budget another name without an alias."""
        old = data.draw(st.sampled_from(sorted(self.program)))
        for new in (f"{old.partition(' ')[0]} {name}" for name in NAMES):
            if new not in self.program:
                self.program[new] = self.program.pop(old)
                return

    # What others do.

    @precondition(lambda self: self.world.live())
    @rule(data=st.data(), amount=st.integers(0, 3))
    def edit_outside(self, data: st.DataObject, amount: int) -> None:
        """Change an amount behind our back."""
        live = self.world.live()
        self.world.sandbox.edit_budget(live[data.draw(st.integers(0, len(live) - 1))]["id"], budget_amount=amount)

    @precondition(lambda self: self.world.live())
    @rule(data=st.data())
    def remove_outside(self, data: st.DataObject) -> None:
        """Remove a budget behind our back."""
        live = self.world.live()
        gone = live[data.draw(st.integers(0, len(live) - 1))]["id"]
        self.world.sandbox.remove_budget(gone)
        self.removed.add(gone)

    # Runs.

    @rule(fault=st.sampled_from(_FAULTS), k=st.integers(1, 12))
    def up_with_a_fault(self, fault: str, k: int) -> None:
        """Run `up` while something fails."""
        self.world.sandbox.plan([{**FAULTS[fault].rule, "nth": k}])
        self._up()
        self._end_faults(fault)

    @rule(k=st.integers(1, 12))
    def up_that_dies(self, k: int) -> None:
        """Run `up` and let the process die right after GitHub has worked on its k-th request."""
        self._up(cut_after=k)

    @rule(fault=st.sampled_from(_FAULTS), k=st.integers(1, 4))
    def refresh_with_a_fault(self, fault: str, k: int) -> None:
        """Run `refresh` while something fails."""
        self.world.sandbox.plan([{**FAULTS[fault].rule, "nth": k}])
        self.world.refresh()
        self._end_faults(fault)

    @rule()
    def refresh_and_up(self) -> None:
        """Run `up --refresh` with nothing failing: GitHub then has exactly what is declared."""
        assert self.world.refresh() is None
        self.removed.clear()
        failure = self._up()
        if isinstance(failure, OutcomeError) and "it differs in" in str(failure):
            # What a dead run left behind was changed, by others or in the program: the message says what to set.
            for inputs in self.program.values():
                inputs["on_existing"] = "adopt"
            failure = self._up()
        assert failure is None, failure
        declared = {_key(inputs): inputs["budget_amount"] for inputs in self.program.values()}
        there = {(live["owner"], live["budget_product_sku"]): live["budget_amount"] for live in self.world.live()}
        left = {key for key in there if key not in declared}
        assert left <= self.reported
        assert {key: amount for key, amount in there.items() if key not in left} == declared
        assert self.world.differences(self.program) == []
        assert {entry.budget_id for entry in self.world.entries.values()} == {
            live["id"] for live in self.world.live() if (live["owner"], live["budget_product_sku"]) not in left
        }
        self.reported &= left

    # What must hold always.

    @invariant()
    def nothing_is_doubled(self) -> None:
        """Hold at most one budget a key, at any time."""
        assert self.world.duplicates == 0

    @invariant()
    def the_state_is_on_github(self) -> None:
        """Hold every budget of the state on GitHub's side, unless others have removed it."""
        there = {live["id"] for live in self.world.live()} | self.removed
        assert {entry.budget_id for entry in self.world.entries.values()} <= there
        assert self.world.violations == []
        assert self.world.false_gone == 0
        assert self.world.sandbox.requests_while_blocked == 0

    @invariant()
    def no_budget_is_unknown(self) -> None:
        """Every budget on GitHub is in the state, or a run has reported it."""
        known = {entry.budget_id for entry in [*self.world.entries.values(), *self.world.pending]}
        unknown = {(live["owner"], live["budget_product_sku"]) for live in self.world.live() if live["id"] not in known}
        assert unknown <= self.reported

    @invariant()
    def no_token_is_seen(self) -> None:
        """Hold the token in no text, state or logged request."""
        assert self.world.tokens_seen() == 0
        self.world.said.clear()

    def _up(self, cut_after: int = 0) -> BaseException | None:
        failure = self.world.up({name: dict(inputs) for name, inputs in self.program.items()}, cut_after)
        if isinstance(failure, (Cut, OutcomeError)):
            self.reported |= {_key(inputs) for inputs in self.program.values()}
        if failure is not None:
            # A deletion that was asked for may have been done; the state keeps its budget until that is known.
            entries = self.world.entries
            self.removed |= {entries[name].budget_id for name in entries if name not in self.program}
        return failure

    def _end_faults(self, fault: str) -> None:
        self.world.sandbox.plan([])
        if "hour" in fault:
            self.world.clock.sleep(3601.0)


def tell(number: int, stories: int) -> str:
    """Tell so many stories of 50 steps and return the shortest one that went wrong, or an empty text.

    The same number tells the same stories, so one that was wrong is wrong again until it is mended.
    """
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call, unused-ignore]
            seed(number)(BudgetStory),
            settings=settings(
                max_examples=stories,
                stateful_step_count=50,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        return "\n".join([str(error), *getattr(error, "__notes__", [])])
    return ""
