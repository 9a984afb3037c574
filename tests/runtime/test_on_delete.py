"""Whether a delete removes a budget or a cost center from GitHub or keeps it there: the input `on_delete`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import OutcomeError
from billing_provider.core.settings import Guards
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.budgets.lifecycle import Lifecycle
    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

    NewRun = Callable[..., RunHarness]

NONE: frozenset[str] = frozenset()
URN = "urn::mine"
DECLARED: dict[str, dict[str, Any]] = {
    "budget": {"enterprise": "octo-enterprise", "budget_amount": 500, "budget_product_sku": "actions"},
    "cost center": {"enterprise": "octo-enterprise", "name": "Apps"},
}
KINDS = sorted(DECLARED)
CHANGED: dict[str, dict[str, Any]] = {"budget": {"budget_amount": 600}, "cost center": {"users": ["octocat"]}}
REPLACED: dict[str, dict[str, Any]] = {
    "budget": {"budget_product_sku": "packages"},
    "cost center": {"enterprise": "octo-labs"},
}
KEPT = {
    ("", ""): (False, True),
    ("", "delete"): (False, False),
    ("", "keep"): (True, True),
    ("delete", ""): (False, False),
    ("delete", "delete"): (False, False),
    ("delete", "keep"): (False, False),
    ("keep", ""): (True, True),
    ("keep", "delete"): (True, True),
    ("keep", "keep"): (True, True),
}
"""Whether a created and an adopted object are kept, by the declared value and the stack's setting."""


def lifecycle(harness: RunHarness, kind: str) -> Lifecycle | CostCenterLifecycle:
    """Return the lifecycle of a kind of object."""
    return harness.enterprise if kind == "budget" else CostCenterLifecycle(harness.run)


def with_input(kind: str, choice: str) -> dict[str, Any]:
    """Return the declaration with a value of `on_delete`, or without one."""
    return {**DECLARED[kind], **({"on_delete": choice} if choice else {})}


def create(harness: RunHarness, kind: str, declared: dict[str, Any], urn: str = URN) -> Stored:
    """Check and create."""
    found = lifecycle(harness, kind).check(urn, {}, declared, NONE)
    assert found.problems == []
    return lifecycle(harness, kind).create(urn, found.inputs)


def adopt(new_run: NewRun, kind: str, declared: dict[str, Any]) -> Stored:
    """Create the object by another program, and adopt it."""
    create(new_run(), kind, DECLARED[kind], "urn::theirs")
    return create(new_run(), kind, declared)


def up(harness: RunHarness, kind: str, stored: Stored, declared: dict[str, Any]) -> tuple[list[str], Stored]:
    """Return what differed, and the resource after the update that it led to."""
    cycle = lifecycle(harness, kind)
    inputs = cycle.check(URN, stored.inputs, declared, NONE).inputs
    changed, replaces = cycle.diff(URN, stored.id, stored.outputs, inputs, NONE)
    assert replaces == []
    return changed, cycle.update(stored.id, stored.outputs, inputs) if changed else stored


def refreshed(harness: RunHarness, kind: str, stored: Stored) -> Stored:
    """Return the resource after a refresh."""
    found = lifecycle(harness, kind).read(stored.id, stored.outputs)
    assert found is not None
    return found


def of_an_older_version(stored: Stored) -> Stored:
    """Return the resource as a version without `on_delete` stores it."""
    outputs = {name: value for name, value in stored.outputs.items() if name != "kept_on_delete"}
    return type(stored)(stored.id, stored.inputs, outputs)


def is_live(sandbox: Sandbox, stored: Stored) -> bool:
    """Return whether the object is on GitHub."""
    live = [budget["id"] for budget in sandbox.budgets(None)]
    live += [center["id"] for center in sandbox.cost_centers() if center["state"] == "active"]
    return stored.id.rpartition("/")[2] in live


def last_part(stored: Stored) -> str:
    """Return GitHub's id."""
    return stored.id.rpartition("/")[2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
@pytest.mark.parametrize(("choice", "default"), KEPT)
def test_input_setting_and_adoption_decide(  # noqa: PLR0917 - a table
    choice: str, default: str, adopted: bool, kind: str, sandbox: Sandbox, new_run: NewRun
) -> None:
    """The input takes precedence over the setting; without both, only an adopted object is kept."""
    guards = Guards(on_delete=default or None)
    declared, kept = with_input(kind, choice), KEPT[choice, default][adopted]
    if adopted:
        create(new_run(), kind, DECLARED[kind], "urn::theirs")
    run = new_run(guards=guards)
    stored = create(run, kind, declared)
    assert stored.outputs["kept_on_delete"] is kept
    ending = "; a destroy keeps it (on_delete)" if kept else "; a destroy deletes it"
    assert any(text.endswith(ending) for text in run.reporter.warnings) is adopted
    after = refreshed(new_run(), kind, stored)
    assert (after.inputs, after.outputs) == (stored.inputs, stored.outputs)
    assert after.inputs.get("on_delete", "") == choice
    assert up(new_run(guards=guards), kind, after, declared) == ([], after)
    last = new_run()
    sandbox.forget_requests()
    lifecycle(last, kind).delete("urn::deleted", after.id, after.outputs)
    assert is_live(sandbox, stored) is kept
    # A budget that is deleted takes its cap with it.
    assert len(last.reporter.warnings) == int(kept or kind == "budget")
    assert [write.method for write in sandbox.writes] == ([] if kept else ["DELETE"])


@pytest.mark.parametrize(
    ("kind", "change", "effect"),
    [
        ("budget", {"prevent_further_usage": True}, "goes on capping usage"),
        ("budget", {}, "goes on counting usage"),
        ("cost center", {}, "goes on grouping usage"),
    ],
)
def test_a_kept_object_is_reported(
    kind: str, change: dict[str, Any], effect: str, sandbox: Sandbox, new_run: NewRun
) -> None:
    """A delete that keeps the object sends nothing, and says what stays and how to delete it."""
    stored = create(new_run(), kind, {**DECLARED[kind], **change, "on_delete": "keep"})
    last = new_run()
    sandbox.forget_requests()
    lifecycle(last, kind).delete("urn::deleted", stored.id, stored.outputs)
    (told,) = last.reporter.warnings
    assert told == (
        f"kept {kind} {last_part(stored)} of enterprise octo-enterprise on GitHub, where it {effect} (on_delete is "
        'keep): delete it there, or set on_delete="delete" and run `pulumi up` before the destroy'
    )
    assert sandbox.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_state_of_an_adopted_object_is_kept_from_the_next_up_on(
    kind: str, sandbox: Sandbox, new_run: NewRun
) -> None:
    """The preview announces it, the update sends nothing, and the next preview is empty."""
    old = of_an_older_version(adopt(new_run, kind, DECLARED[kind]))
    after = refreshed(new_run(), kind, old)
    assert (after.inputs, after.outputs) == (old.inputs, old.outputs)
    run = new_run()
    sandbox.forget_requests()
    changed, stored = up(run, kind, old, DECLARED[kind])
    assert changed == ["kept_on_delete"]
    assert stored.outputs == {**old.outputs, "kept_on_delete": True}
    assert (
        f"this stack adopted {kind} {last_part(old)}: from the next up on, a destroy keeps it (on_delete)"
        in run.reporter.warnings
    )
    assert up(new_run(), kind, stored, DECLARED[kind]) == ([], stored)
    assert sandbox.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_state_deletes_without_an_up(kind: str, sandbox: Sandbox, new_run: NewRun) -> None:
    """A destroy before the next `up` deletes as the older version did, and its diff reports nothing."""
    old = of_an_older_version(adopt(new_run, kind, DECLARED[kind]))
    run = new_run()
    assert lifecycle(run, kind).diff(URN, old.id, old.outputs, old.inputs, NONE) == ([], [])
    lifecycle(run, kind).delete("urn::deleted", old.id, old.outputs)
    assert not is_live(sandbox, old)
    assert all(text.startswith("deletes the $500 ") for text in run.reporter.warnings)


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_state_of_a_created_object_does_not_differ(kind: str, sandbox: Sandbox, new_run: NewRun) -> None:
    """Nothing is reported or sent; a change of another input stores the value too."""
    old = of_an_older_version(create(new_run(), kind, DECLARED[kind]))
    run = new_run()
    sandbox.forget_requests()
    assert up(run, kind, old, DECLARED[kind]) == ([], old)
    assert sandbox.requests == []
    changed, stored = up(new_run(), kind, old, {**DECLARED[kind], **CHANGED[kind]})
    assert changed == list(CHANGED[kind])
    assert stored.outputs["kept_on_delete"] is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_a_change_of_the_input_is_stored_and_sends_nothing(
    adopted: bool, kind: str, sandbox: Sandbox, new_run: NewRun
) -> None:
    """Each change of the input is an update without a request; a change of the meaning is announced."""
    stored = adopt(new_run, kind, DECLARED[kind]) if adopted else create(new_run(), kind, DECLARED[kind])
    kept = adopted
    sandbox.forget_requests()
    for choice in ("keep", "delete", "", "delete", "keep", ""):
        run, before = new_run(), kept
        changed, stored = up(run, kind, stored, with_input(kind, choice))
        kept = choice == "keep" if choice else adopted
        assert (changed, stored.outputs["kept_on_delete"]) == (["on_delete"], kept)
        assert stored.outputs.get("on_delete", "") == stored.inputs.get("on_delete", "") == choice
        end = f": from the next up on, a destroy {'keeps' if kept else 'deletes'} it (on_delete)"
        assert any(text.endswith(end) for text in run.reporter.warnings) is (kept != before)
        assert up(new_run(), kind, stored, with_input(kind, choice)) == ([], stored)
    assert sandbox.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_the_setting_is_announced_and_stored(kind: str, sandbox: Sandbox, new_run: NewRun) -> None:
    """A new setting is an update of the resources without the input, and says what it changes."""
    stored = create(new_run(), kind, DECLARED[kind])
    sandbox.forget_requests()
    for default, reason, word in (
        ("keep", "github-billing:onDelete is keep for", "keeps"),
        (None, "this stack created", "deletes"),
    ):
        run = new_run(guards=Guards(on_delete=default))
        changed, stored = up(run, kind, stored, DECLARED[kind])
        assert (changed, stored.outputs["kept_on_delete"]) == (["kept_on_delete"], default == "keep")
        told = f"{reason} {kind} {last_part(stored)}: from the next up on, a destroy {word} it (on_delete)"
        assert told in run.reporter.warnings
    assert sandbox.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_value_counts_as_different(kind: str, new_run: NewRun) -> None:
    """The preview of an input that is not known yet reports an update and announces nothing."""
    stored = create(new_run(), kind, DECLARED[kind])
    run = new_run()
    unknown = frozenset({"on_delete"})
    cycle = lifecycle(run, kind)
    inputs = cycle.check(URN, stored.inputs, DECLARED[kind], unknown).inputs
    run.reporter.warnings.clear()
    assert cycle.diff(URN, stored.id, stored.outputs, inputs, unknown) == (["on_delete"], [])
    assert run.reporter.warnings == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("choice", ["delete", "keep"])
def test_a_replacement_announces_that_the_old_object_stays(choice: str, kind: str, new_run: NewRun) -> None:
    """The state decides about the old object, and the preview says if it stays."""
    stored = create(new_run(), kind, with_input(kind, choice))
    run = new_run()
    cycle = lifecycle(run, kind)
    inputs = cycle.check(URN, stored.inputs, {**DECLARED[kind], **REPLACED[kind]}, NONE).inputs
    changed, replaces = cycle.diff(URN, stored.id, stored.outputs, inputs, NONE)
    assert set(changed) >= set(replaces) == set(REPLACED[kind])
    told = f"the old {kind} {last_part(stored)} stays on GitHub (on_delete is keep)"
    assert (told in run.reporter.warnings) is (choice == "keep")


@pytest.mark.parametrize("choice", ["keep", "delete"])
@pytest.mark.parametrize("reads", [True, False])
def test_a_pricing_type_alone_replaces_nothing(
    choice: str, reads: bool, sandbox: Sandbox, new_run: Callable[..., RunHarness]
) -> None:
    """GitHub accepts no second budget that differs by `budget_type` alone: the create refuses before a delete."""
    stored = create(new_run(), "budget", with_input("budget", choice))
    run = new_run(guards=Guards(preview_reads=reads))
    operations = run.operations["EnterpriseBudget"]
    other = {**with_input("budget", choice), "budget_type": "SkuPricing"}
    news = operations.check(URN, stored.inputs, other, NONE).inputs
    assert operations.diff(URN, stored.id, stored.outputs, news, NONE).replaces == ["budget_type"]
    anew = operations.check(URN, {}, other, NONE)
    words = "exists already as .*, with the budget_type ProductPricing, which an update cannot change"
    if reads:
        assert re.search(words, str(anew.problems[0]))
    else:
        with pytest.raises(OutcomeError, match=words):
            operations.create(URN, anew.inputs)
    assert [budget["budget_type"] for budget in sandbox.budgets()] == ["ProductPricing"]


def test_a_kept_budget_is_taken_over_by_a_create_after_its_delete(sandbox: Sandbox, new_run: NewRun) -> None:
    """If `replace_on_changes` deletes first, the create finds the kept budget of this resource and updates it."""
    stored = create(new_run(), "budget", with_input("budget", "keep"))
    run, declared = new_run(), {**with_input("budget", "keep"), "budget_amount": 600}
    run.enterprise.check(URN, stored.inputs, declared, NONE)
    run.enterprise.diff(URN, stored.id, stored.outputs, stored.inputs, NONE)
    run.enterprise.check(URN, {}, declared, NONE)
    run.enterprise.delete("urn::deleted", stored.id, stored.outputs)
    again = create(run, "budget", {**declared, "on_existing": "error"})
    assert (again.id, again.outputs["kept_on_delete"]) == (stored.id, True)
    assert [budget["budget_amount"] for budget in sandbox.budgets()] == [600]


@pytest.mark.parametrize("kind", KINDS)
def test_a_renamed_resource_is_named_as_the_holder(kind: str, sandbox: Sandbox, new_run: NewRun) -> None:
    """The delete of the old name of a kept object does not advise to delete what the new name declares."""
    old = create(new_run(), kind, with_input(kind, "keep"))
    run = new_run()
    create(run, kind, DECLARED[kind], "urn::new")
    run.reporter.warnings.clear()
    lifecycle(run, kind).delete("urn::deleted", old.id, old.outputs)
    (told,) = run.reporter.warnings
    assert told.startswith(f"kept {kind} {last_part(old)}: new declares it")
    assert is_live(sandbox, old)


@pytest.mark.parametrize("kind", KINDS)
def test_the_setting_of_on_existing_is_the_default_of_the_input(kind: str, new_run: NewRun) -> None:
    """The setting decides about an existing object, unless the input does."""
    create(new_run(), kind, DECLARED[kind], "urn::theirs")
    run = new_run(guards=Guards(on_existing="error"))
    with pytest.raises(OutcomeError, match="exists already"):
        create(run, kind, DECLARED[kind])
    stored = create(run, kind, {**DECLARED[kind], "on_existing": "adopt_if_identical"})
    assert stored.outputs["adopted"] is True
    assert create(new_run(), kind, DECLARED[kind]).outputs["adopted"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_an_invalid_value_is_refused(kind: str, sandbox: Sandbox, new_run: NewRun) -> None:
    """The check names the input and its values."""
    found = lifecycle(new_run(), kind).check(URN, {}, with_input(kind, "never"), NONE)
    assert [(problem.field, problem.reason) for problem in found.problems] == [
        ("on_delete", "write one of delete, keep, or leave it out")
    ]
    assert sandbox.requests == []
