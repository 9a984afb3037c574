"""Raises that an owner approves behind the stack's back: what `on_raise` keeps, sends and says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.budgets import approved_raises
from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.core import errors
from billing_provider.core.inputs import KEEP, REVERT
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.settings import Guards
from billing_provider.sandbox import Sandbox
from tests.budgets.test_lifecycle import NOTHING, SWITCHES, checked, create, differences
from tests.support.clock import VirtualClock
from tests.support.harness import RunHarness, open_harness
from tests.support.quirks import under_every
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.resource import Stored

URN = "urn::budget"
PERSON: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_amount": 100,
    "budget_product_sku": "ai_credits",
    "budget_scope": "user",
    "user": "octocat",
}
KEPT = {**PERSON, "on_raise": KEEP}
SUBJECT = "the ai_credits budget of enterprise octo-enterprise, scope user octocat: "
ENDS = "ends the raise of octocat's budget to $130: the new amount is "
TAKES_BACK = (
    "GitHub has $130 for octocat, the program declares $100: the next up takes the difference back; if it is an "
    'approved raise, on_raise="keep" keeps it'
)
LEAVES = (
    "GitHub has $130 for octocat, the program declares $100: this change leaves it, and `pulumi up --refresh` takes "
    'the difference back; if it is an approved raise, on_raise="keep" keeps it'
)


def read(harness: RunHarness, stored: Stored) -> Stored:
    """Refresh a budget that exists."""
    current = harness.enterprise.read(stored.id, stored.outputs)
    assert current is not None
    return current


def change(harness: RunHarness, declared: dict[str, Any], stored: Stored) -> Stored:
    """Check, compare and update a budget as an `up` does; the reporter has the warnings of one run."""
    inputs = checked(harness, URN, declared, stored.inputs)
    kind = OWNER_KINDS["enterprise"]
    changed, _ = harness.enterprise.diff(URN, stored.id, stored.outputs, inputs, NOTHING)
    assert not harness.operations[kind.resource].compare_update(URN, stored.id, stored.outputs, inputs, NOTHING)
    return harness.enterprise.update(stored.id, stored.outputs, inputs) if changed else stored


def bodies(sandbox: Sandbox) -> list[Any]:
    """Return the bodies of the PATCHes; there were no other writes."""
    assert {write.method for write in sandbox.writes} <= {"PATCH"}
    return [write.body for write in sandbox.writes]


def amount(sandbox: Sandbox) -> int:
    """Return the amount of the only budget."""
    (budget,) = sandbox.budgets()
    return int(budget["budget_amount"])


@under_every(SWITCHES)
def test_a_kept_raise_is_no_difference_under_every_quirk(quirks: tuple[str, ...], clock: VirtualClock) -> None:
    """Read, not read, and read twice: nothing differs, the amounts are right, and other fields leave the raise."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), KEPT)
        assert RAISED_TO not in stored.outputs
        sandbox.approve_raise("octocat", 130)
        sandbox.forget_requests()
        assert differences(open_harness(sandbox, clock), URN, KEPT, stored) == ([], [])
        assert sandbox.requests == []
        for _ in range(2):
            stored = read(open_harness(sandbox, clock), stored)
            assert (stored.inputs["budget_amount"], stored.outputs["raised_to"]) == (100, 130)
            assert differences(open_harness(sandbox, clock), URN, KEPT, stored) == ([], [])
        stored = change(open_harness(sandbox, clock), {**KEPT, "expires_at": "2027-01-31"}, stored)
        assert (bodies(sandbox), amount(sandbox)) == ([{"expires_at": "2027-01-31"}], 130)
        assert (stored.inputs["budget_amount"], stored.outputs["raised_to"]) == (100, 130)


@under_every(SWITCHES)
def test_a_lower_amount_than_the_floor_is_a_difference(quirks: tuple[str, ...], clock: VirtualClock) -> None:
    """A live amount below the declared one is drift, also under `keep`."""
    with Sandbox(clock=clock.wall, quirks=quirks) as sandbox:
        stored = create(open_harness(sandbox, clock), KEPT)
        sandbox.edit_budget(sandbox.budgets()[0]["id"], budget_amount=80)
        stored = read(open_harness(sandbox, clock), stored)
        assert (stored.inputs["budget_amount"], "raised_to" in stored.outputs) == (80, False)
        sandbox.forget_requests()
        stored = change(open_harness(sandbox, clock), KEPT, stored)
        assert (bodies(sandbox), stored.inputs["budget_amount"]) == ([{"budget_amount": 100}], 100)


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], list[Any], int | None, list[str]]] = {
    "lower floor": (KEPT, {"budget_amount": 80}, [{"budget_amount": 80}], None, [f"{ENDS}$80"]),
    "higher floor": (KEPT, {"budget_amount": 120}, [{"budget_amount": 120}], None, [f"{ENDS}$120"]),
    "floor above the raise": (KEPT, {"budget_amount": 150}, [{"budget_amount": 150}], None, [f"{ENDS}$150"]),
    "the raise as the floor": (KEPT, {"budget_amount": 130}, [{"budget_amount": 130}], None, []),
    "other field": (KEPT, {"expires_at": "2027-01-31"}, [{"expires_at": "2027-01-31"}], 130, []),
    "taken back": (KEPT, {"on_raise": REVERT}, [{"budget_amount": 100}], None, [f"{ENDS}$100"]),
    "no longer kept": (KEPT, {"on_raise": None}, [{"budget_amount": 100}], None, [f"{ENDS}$100"]),
    "taken back with another amount": (
        KEPT,
        {"on_raise": None, "budget_amount": 90},
        [{"budget_amount": 90}],
        None,
        [f"{ENDS}$90"],
    ),
}


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_under_keep(sandbox: Sandbox, new_run: Callable[..., RunHarness], name: str, *, is_read: bool) -> None:
    """A decision about the amount is one PATCH and is told with both amounts, with and without a refresh."""
    before, fields, sent, raised, texts = CHANGES[name]
    stored = create(new_run(), before)
    sandbox.approve_raise("octocat", 130)
    if is_read:
        stored = read(new_run(), stored)
    sandbox.forget_requests()
    harness = new_run()
    stored = change(harness, {**before, **fields}, stored)
    assert bodies(sandbox) == sent
    assert stored.outputs.get("raised_to") == raised
    told = [text.removeprefix(SUBJECT) for text in harness.reporter.warnings if "raise" in text]
    assert [text for text in told if not text.startswith("raises the most")] == texts
    after = {**before, **fields}
    assert differences(new_run(), URN, after, stored) == ([], [])
    assert differences(new_run(), URN, after, read(new_run(), stored)) == ([], [])


def test_a_raise_in_the_state_is_told_without_reads(sandbox: Sandbox, clock: VirtualClock) -> None:
    """With `previewReads` off, the amount of the last refresh is told."""
    stored = create(open_harness(sandbox, clock), KEPT)
    sandbox.approve_raise("octocat", 130)
    stored = read(open_harness(sandbox, clock), stored)
    sandbox.forget_requests()
    harness = open_harness(sandbox, clock, Guards(preview_reads=False))
    inputs = checked(harness, URN, {**KEPT, "budget_amount": 120}, stored.inputs)
    assert not harness.operations["EnterpriseBudget"].compare_update(URN, stored.id, stored.outputs, inputs, NOTHING)
    lowers = "lowers the most that can be spent by $10 (-7.69 %)"
    assert harness.reporter.warnings[1] == f"{SUBJECT}{lowers}"
    assert harness.reporter.warnings[-1] == f"{SUBJECT}{ENDS}$120"
    assert sandbox.requests == []


def test_a_replacement_tells_the_raise_that_it_ends(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """A raise in the state ends with its budget; the new budget has the declared amount."""
    stored = create(new_run(), KEPT)
    sandbox.approve_raise("octocat", 130)
    stored = read(new_run(), stored)
    harness = new_run()
    assert differences(harness, URN, {**KEPT, "user": "hubot"}, stored)[1] == ["user"]
    assert any(text.endswith(f"{ENDS}$100") for text in harness.reporter.warnings)


def test_a_replacement_under_revert_takes_no_raise_back(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """The new budget is another person's; a lower amount of it is not a raise that is taken back."""
    stored = create(new_run(), PERSON)
    sandbox.approve_raise("octocat", 130)
    harness = new_run()
    changed, _ = differences(harness, URN, {**PERSON, "user": "hubot"}, read(new_run(), stored))
    assert changed == ["user", "budget_amount"]
    assert [text for text in harness.reporter.warnings if "raise" in text] == []


def test_revert_names_both_amounts_after_a_refresh(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """The next up takes the raise back: both amounts and the way to keep it are told, then one PATCH is sent."""
    stored = create(new_run(), PERSON)
    sandbox.approve_raise("octocat", 130)
    assert differences(new_run(), URN, PERSON, stored) == ([], [])
    stored = read(new_run(), stored)
    assert (stored.inputs["budget_amount"], "raised_to" in stored.outputs) == (130, False)
    sandbox.forget_requests()
    harness = new_run()
    change(harness, PERSON, stored)
    assert f"{SUBJECT}{TAKES_BACK}" in harness.reporter.warnings
    assert any("lowers the most that can be spent by $30" in text for text in harness.reporter.warnings)
    assert (bodies(sandbox), amount(sandbox)) == ([{"budget_amount": 100}], 100)


def test_revert_names_both_amounts_with_another_change(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """Without a refresh, a change of another field leaves the raise on GitHub, and the preview says so."""
    stored = create(new_run(), PERSON)
    sandbox.approve_raise("octocat", 130)
    sandbox.forget_requests()
    harness = new_run()
    change(harness, {**PERSON, "expires_at": "2027-01-31"}, stored)
    assert f"{SUBJECT}{LEAVES}" in harness.reporter.warnings
    assert [text for text in harness.reporter.warnings if "lowers" in text] == []
    assert (bodies(sandbox), amount(sandbox)) == ([{"expires_at": "2027-01-31"}], 130)


@pytest.mark.parametrize("is_read", [False, True])
def test_a_switch_to_keep_leaves_the_raise(
    sandbox: Sandbox, new_run: Callable[..., RunHarness], *, is_read: bool
) -> None:
    """Whether or not the raise is in the state, the advice of the preview works: nothing is sent."""
    stored = create(new_run(), PERSON)
    sandbox.approve_raise("octocat", 130)
    if is_read:
        stored = read(new_run(), stored)
    sandbox.forget_requests()
    harness = new_run()
    stored = change(harness, KEPT, stored)
    assert sandbox.requests == []
    assert stored.inputs["budget_amount"] == 100
    assert stored.outputs.get("raised_to") == (130 if is_read else None)
    keeps = f"{SUBJECT}keeps $130, which is above the declared $100 (on_raise is keep)"
    assert harness.reporter.warnings == [keeps] * is_read
    assert read(new_run(), stored).outputs["raised_to"] == 130


def test_an_explicit_default_sends_nothing(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """`revert` is stored like `on_delete`: one update without a request."""
    stored = create(new_run(), PERSON)
    sandbox.forget_requests()
    explicit = {**PERSON, "on_raise": REVERT}
    assert differences(new_run(), URN, explicit, stored) == (["on_raise"], [])
    stored = change(new_run(), explicit, stored)
    assert sandbox.requests == []
    assert differences(new_run(), URN, explicit, stored) == ([], [])


@pytest.mark.parametrize("policy", ["adopt", "adopt_if_identical"])
def test_an_adoption_keeps_a_higher_amount(sandbox: Sandbox, new_run: Callable[..., RunHarness], policy: str) -> None:
    """An existing budget above the floor is adopted as it is, and its amount is the raise."""
    create(new_run(), {**PERSON, "budget_amount": 130})
    sandbox.forget_requests()
    declared, harness = {**KEPT, "on_existing": policy}, new_run()
    inputs = checked(harness, URN, declared)
    assert harness.operations["EnterpriseBudget"].compare(URN, {}, inputs, NOTHING) == []
    (budget,) = sandbox.budgets()
    assert harness.reporter.warnings[:2] == [
        f"{SUBJECT}adopts the existing budget {budget['id']} as it is; a destroy keeps it (on_delete)",
        f"{SUBJECT}keeps $130, which is above the declared $100 (on_raise is keep)",
    ]
    stored = harness.enterprise.create(URN, inputs)
    assert sandbox.writes == []
    assert (stored.inputs["budget_amount"], stored.outputs["raised_to"]) == (100, 130)
    assert differences(new_run(), URN, declared, stored) == ([], [])


def test_an_adoption_raises_a_lower_amount_to_the_floor(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """An existing budget below the floor differs."""
    create(new_run(), {**PERSON, "budget_amount": 80})
    with pytest.raises(errors.OutcomeError, match=r"budget_amount \(80 there, 100 declared\)"):
        create(new_run(), KEPT)
    sandbox.forget_requests()
    create(new_run(), {**KEPT, "on_existing": "adopt"})
    assert bodies(sandbox) == [{"budget_amount": 100}]


class Approving(VirtualClock):
    """A clock at whose first wait an owner approves a raise."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def sleep(self, seconds: float) -> None:
        """Approve the raise and advance the clock."""
        if not self.sleeps:
            self._sandbox.approve_raise("octocat", 130)
        super().sleep(seconds)


def test_an_unanswered_create_is_not_confirmed_by_another_amount(sandbox: Sandbox) -> None:
    """A budget that appears with a higher amount may be another client's; the next run adopts it as it is."""
    sandbox.plan([{"op": "create_budget", "action": "reset_after", "nth": 1}])
    with pytest.raises(errors.OutcomeError, match="may come from another client"):
        create(open_harness(sandbox, Approving(sandbox)), KEPT)
    stored = create(open_harness(sandbox), KEPT)
    assert (len(sandbox.budgets()), stored.outputs["raised_to"]) == (1, 130)


def test_a_sent_amount_is_confirmed_exactly(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """If GitHub accepts an amount and still has the raise, the update fails, and the state stays as it was."""
    stored = create(new_run(), KEPT)
    live = sandbox.approve_raise("octocat", 130)
    inputs = checked(new_run(), URN, {**KEPT, "budget_amount": 120}, stored.inputs)
    with WireServer(answer(200, {"budget": live})) as server:
        harness = open_harness(sandbox, base_url=server.url)
        with pytest.raises(errors.OutcomeError, match="did not change budget_amount"):
            harness.enterprise.update(stored.id, stored.outputs, inputs)


def test_a_lost_answer_of_an_update_sends_the_same_amount_again(
    sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """The repeated PATCH has the declared amount, and no raise is left."""
    stored = create(new_run(), KEPT)
    sandbox.approve_raise("octocat", 130)
    sandbox.forget_requests()
    sandbox.plan([{"op": "update_budget", "action": "reset_after", "nth": 1}])
    stored = change(new_run(), {**KEPT, "budget_amount": 120}, stored)
    assert bodies(sandbox) == [{"budget_amount": 120}] * 2
    assert (amount(sandbox), "raised_to" in stored.outputs) == (120, False)


def test_the_end_of_a_budget_ends_its_raise(sandbox: Sandbox, clock: VirtualClock) -> None:
    """An expired budget has no raise, and a new date creates it with the declared amount."""
    declared = {**KEPT, "expires_at": "2027-01-31"}
    stored = create(open_harness(sandbox, clock), declared)
    sandbox.approve_raise("octocat", 130)
    stored = read(open_harness(sandbox, clock), stored)
    clock.sleep(400 * 86400)
    later = open_harness(sandbox, clock)
    assert differences(later, URN, {**declared, "budget_amount": 120}, stored) == (["budget_amount"], [])
    assert [text for text in later.reporter.warnings if "raise" in text] == []
    stored = read(open_harness(sandbox, clock), stored)
    assert stored.outputs["expired"] is True
    assert "raised_to" not in stored.outputs


def test_a_raise_of_others_is_not_counted_against_the_limits(sandbox: Sandbox, clock: VirtualClock) -> None:
    """`maxIncreaseUsd` limits what the program raises, from what GitHub has."""
    guards = Guards(max_increase_usd=10)
    stored = create(open_harness(sandbox, clock), KEPT)
    sandbox.approve_raise("octocat", 1000)
    for is_read in (False, True):
        state = read(open_harness(sandbox, clock), stored) if is_read else stored
        harness = open_harness(sandbox, clock, guards)
        for fields in ({"expires_at": "2027-01-31"}, {"budget_amount": 105}, {"on_raise": None}):
            inputs = checked(harness, URN, {**KEPT, **fields}, state.inputs)
            kind = OWNER_KINDS["enterprise"]
            assert not harness.operations[kind.resource].compare_update(URN, state.id, state.outputs, inputs, NOTHING)
        inputs = checked(harness, URN, {**KEPT, "budget_amount": 2000}, state.inputs)
        with pytest.raises(errors.ConfigError, match=r"raises the amount by \$1,000"):
            harness.operations["EnterpriseBudget"].compare_update(URN, state.id, state.outputs, inputs, NOTHING)


def test_an_amount_that_is_not_sent_is_not_refused(sandbox: Sandbox, clock: VirtualClock) -> None:
    """A lower amount on GitHub that a change of another input leaves is no raise by the program."""
    stored = create(open_harness(sandbox, clock), PERSON)
    sandbox.edit_budget(sandbox.budgets()[0]["id"], budget_amount=50)
    sandbox.forget_requests()
    harness = open_harness(sandbox, clock, Guards(max_increase_usd=10))
    change(harness, {**PERSON, "expires_at": "2027-01-31"}, stored)
    assert bodies(sandbox) == [{"expires_at": "2027-01-31"}]


def test_keep_is_for_the_budget_of_one_user(harness: RunHarness) -> None:
    """Another scope refuses `keep`, and accepts the default."""
    for fields, reason in (
        ({"on_raise": KEEP}, "leave it out: GitHub raises only the budget of one user on request"),
        ({"on_raise": "kept"}, "write one of revert, keep, or leave it out; did you mean keep?"),
    ):
        declared = {"enterprise": "octo-enterprise", "budget_amount": 5, "budget_product_sku": "actions", **fields}
        (problem,) = harness.enterprise.check(URN, {}, declared, NOTHING).problems
        assert (problem.field, problem.reason) == ("on_raise", reason)
    assert checked(harness, URN, {**declared, "on_raise": REVERT})["on_raise"] == REVERT


def test_a_state_without_an_amount_is_read(sandbox: Sandbox, new_run: Callable[..., RunHarness]) -> None:
    """An edited state that lacks the amount is completed by a refresh or an update."""
    stored = create(new_run(), KEPT)
    sandbox.approve_raise("octocat", 130)
    outputs = {name: value for name, value in stored.outputs.items() if name != "budget_amount"}
    current = new_run().enterprise.read(stored.id, outputs)
    assert current is not None
    assert (current.inputs["budget_amount"], "raised_to" in current.outputs) == (130, False)
    inputs = checked(new_run(), URN, KEPT)
    assert new_run().enterprise.diff(URN, stored.id, outputs, inputs, NOTHING)[0] == ["budget_amount"]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        yield sandbox


MODES = st.sampled_from([None, REVERT, KEEP])
AMOUNTS = st.sampled_from([0, 1, 99, 100, 101, 130, 131, 2**31 - 1])


@given(amounts=st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), modes=st.tuples(MODES, MODES), is_read=st.booleans())
def test_the_outcome_of_every_change(
    served: Sandbox, amounts: tuple[int, int, int], modes: tuple[str | None, str | None], *, is_read: bool
) -> None:
    """For all amounts and modes: what GitHub has afterwards, in at most one PATCH, and what the state then says."""
    declared, live, new = amounts
    before, after = modes
    served.reset()
    stored = create(open_harness(served), {**PERSON, "budget_amount": declared, "on_raise": before})
    served.edit_budget(served.budgets()[0]["id"], budget_amount=live)
    if is_read:
        stored = read(open_harness(served), stored)
    served.forget_requests()
    program = {**PERSON, "budget_amount": new, "on_raise": after}
    stored = change(open_harness(served), program, stored)
    result = amount(served)
    assert len(bodies(served)) <= 1
    assert result in {live, new}
    keeps = after == KEEP
    if (before == KEEP) == keeps and new != declared:
        assert result == new
    if before == KEEP and not keeps:
        assert result == new
    if is_read:
        assert result >= new if keeps else result == new
    stays = new == declared if before == KEEP else new <= (live if is_read else declared)
    if keeps and stays and live >= new:
        assert result == live
        assert served.writes == []
    assert stored.inputs["budget_amount"] == new
    current = read(open_harness(served), stored)
    assert current.outputs.get("raised_to") == (result if keeps and result > new else None)
    assert (differences(open_harness(served), URN, program, current)[0] == []) == (
        result == new or (keeps and result > new)
    )


def test_a_secret_amount_is_in_no_text_about_a_raise() -> None:
    """Neither the declared amount nor the one on GitHub is shown, for what is kept, taken back and ended."""
    olds = {**KEPT, "__secret_inputs": ["budget_amount"]}
    texts = [
        approved_raises.kept(olds, 7919),
        approved_raises.warning(olds, {**olds, "budget_amount": 7000}, 7919, sent=True, replaced=False),
        approved_raises.warning(
            {**PERSON, "budget_amount": 5}, {**olds, "on_raise": None}, 7919, sent=True, replaced=False
        ),
    ]
    assert all(text and not any(sign.isdigit() for sign in text) for text in texts)
    assert all("secret" in str(text) for text in texts)
