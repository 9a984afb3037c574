"""What a preview, a refresh and a run say when GitHub or the program gives an object another name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.guard.test_table import ACTIONS, PERSON, E, budget, done, methods, text
from tests.guard.world import Declared

if TYPE_CHECKING:
    from tests.guard.world import World

TEAM: dict[str, Any] = {**ACTIONS, "budget_scope": "cost_center", "budget_entity_name": "Apps"}
APPS = Declared("CostCenter", {"enterprise": E, "name": "Apps", "users": ["octocat"]})
REPOSITORY: dict[str, Any] = {**ACTIONS, "budget_scope": "repository", "budget_entity_name": "octo-org/website"}
ORGANIZATION: dict[str, Any] = {"organization": "octo-org", "budget_product_sku": "packages", "budget_amount": 100}
RENAMES: dict[str, tuple[Declared, dict[str, Any], dict[str, Any]]] = {
    "organization": (
        budget(ACTIONS, budget_scope="organization", budget_entity_name="octo-org"),
        {"budget_entity_name": "octo-lab"},
        {"budget_entity_name": "octo-lab"},
    ),
    "owner": (
        Declared("OrgBudget", ORGANIZATION),
        {"owner": "octo-lab", "budget_entity_name": "octo-lab"},
        {"organization": "octo-lab"},
    ),
    "user": (budget(PERSON), {"user": "monalisa", "budget_entity_name": "monalisa"}, {"user": "monalisa"}),
    "repository": (
        budget(REPOSITORY),
        {"budget_entity_name": "octo-org/site"},
        {"budget_entity_name": "octo-org/site"},
    ),
    "transfer": (
        budget(REPOSITORY),
        {"budget_entity_name": "octo-lab/website"},
        {"budget_entity_name": "octo-lab/website"},
    ),
}
"""What is declared, what GitHub changes in the budget, and what the program declares afterwards."""


def held(world: World) -> str:
    """Return GitHub's id of the only budget in the state."""
    return str(world.entry("b").outputs["budget_id"])


def changed(declared: Declared, fields: dict[str, Any]) -> Declared:
    """Return a resource with some inputs changed."""
    return replace(declared, inputs={**declared.inputs, **fields})


@pytest.mark.parametrize("reads", ["true", "false"])
@pytest.mark.parametrize("kind", RENAMES)
def test_a_rename_that_the_program_follows_keeps_the_budget(world: World, kind: str, reads: str) -> None:
    """Pulumi shows a replacement; the preview says that the same budget is kept, or may be, and nothing is created."""
    declared, on_github, followed = RENAMES[kind]
    done(world.up({"b": declared}))
    id_ = held(world)
    world.sandbox.edit_budget(id_, **on_github)
    program, config = {"b": changed(declared, followed)}, {"previewReads": reads}
    preview = done(world.preview(program, config=config))
    assert preview.steps == {"b": "replace"}
    if reads == "true":
        assert f"keeps the budget {id_}: it is the declared one on GitHub" in text(preview)
        assert "replaces" not in text(preview)
    else:
        assert "unless that is a new name of the same one on GitHub: then the budget is kept" in text(preview)
    assert "after its creation" not in text(preview)
    assert f"keeps the budget {id_}" in text(done(world.up(program, config=config)))
    # Of a budget taken again, a date that GitHub may leave out is cleared.
    assert methods(world) == (["PATCH"] if kind == "user" else [])
    assert (held(world), list(world.github.budgets())) == (id_, [id_])
    after = done(world.preview(program))
    assert (after.steps, after.said()) == ({"b": "same"}, [])


@pytest.mark.parametrize("kind", [kind for kind in RENAMES if kind != "owner"])
def test_a_rename_that_a_refresh_has_found_is_told_with_both_names(world: World, kind: str) -> None:
    """The refresh names both; the next preview says what goes, and which name keeps the budget."""
    declared, on_github, followed = RENAMES[kind]
    done(world.up({"b": declared}))
    id_ = held(world)
    world.sandbox.edit_budget(id_, **on_github)
    ((name, new),) = followed.items()
    old = declared.inputs[name]
    refreshed = text(done(world.refresh()))
    assert f"the budget {id_} of enterprise {E} has {name} {new} ({old} in the state) on GitHub" in refreshed
    assert "after its creation" not in refreshed
    preview = text(done(world.preview({"b": declared})))
    assert "replaces the $" in preview
    assert "which counts only usage after its creation" in preview
    assert f"if {old} is now {new} on GitHub, declare {new}: then the budget is kept" in preview
    after = done(world.preview({"b": changed(declared, followed)}))
    assert (after.steps, after.said()) == ({"b": "same"}, [])


def test_a_cost_center_renamed_by_hand_is_named_where_the_old_name_is_declared(world: World) -> None:
    """After a refresh, the preview of the old name fails, and says which name keeps the budget."""
    done(world.up({"c": APPS, "b": budget(TEAM)}))
    world.sandbox.rename_cost_center("Apps", "Core")
    done(world.refresh())
    said = text(world.preview({"b": budget(TEAM)}))
    assert "no cost center of enterprise octo-enterprise has the name or id Apps" in said
    assert "If Apps is now Core on GitHub, declare Core: then the budget is kept." in said
    assert done(world.preview({"b": budget(TEAM, budget_entity_name="Core")})).steps["b"] == "same"
    # Where the program declares the cost center too, this run gives the old name back.
    both = {"c": APPS, "b": budget(TEAM)}
    assert done(world.preview(both)).steps == {"c": "update", "b": "update"}
    done(world.up(both))
    assert methods(world) == ["PATCH"]
    assert done(world.preview(both)).steps == {"c": "same", "b": "same"}


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_a_cost_center_renamed_in_the_program_keeps_its_budget(world: World, unknown: bool) -> None:
    """A budget that names its cost center is updated in the state alone; a name that is not known yet is said so."""
    done(world.up({"c": APPS, "b": budget(TEAM)}))
    id_ = held(world)
    named = replace(budget(TEAM, budget_entity_name="Applications"), unknown=("budget_entity_name",) if unknown else ())
    program = {"c": changed(APPS, {"name": "Applications"}), "b": named}
    preview = done(world.preview(program))
    assert preview.steps == {"c": "update", "b": "replace" if unknown else "update"}
    if unknown:
        assert "if budget_entity_name changes, which is not known yet, replaces the $500 hard stop" in text(preview)
        assert "else the budget is kept" in text(preview)
    else:
        assert preview.said() == []
    assert done(world.up(program)).steps == {"c": "update", "b": "update"}
    assert methods(world) == ["PATCH"]
    assert (held(world), list(world.github.budgets())) == (id_, [id_])
    outputs = world.entry("b").outputs
    assert (outputs["budget_entity_name"], outputs["github_entity_name"]) == ("Applications", "Applications")
    later = {name: replace(declared, unknown=()) for name, declared in program.items()}
    assert done(world.refresh()).said() == []
    assert done(world.preview(later)).steps == {"c": "same", "b": "same"}


def test_another_cost_center_of_the_program_is_a_real_replacement(world: World) -> None:
    """A budget that moves to another declared cost center is created there, and the old one is deleted."""
    other = Declared("CostCenter", {"enterprise": E, "name": "Other", "users": ["hubot"]})
    done(world.up({"c": APPS, "o": other, "b": budget(TEAM)}))
    id_ = held(world)
    program = {"c": APPS, "o": other, "b": budget(TEAM, budget_entity_name="Other")}
    preview = done(world.preview(program))
    assert preview.steps["b"] == "replace"
    assert "of cost center Other in octo-enterprise, which counts only usage after its creation" in text(preview)
    done(world.up(program))
    assert held(world) != id_
    assert len(world.github.budgets()) == 1


def test_a_scope_that_changes_beside_an_unknown_name_is_no_question(world: World) -> None:
    """Where a known part of the identity changes, the budget is replaced whatever the unknown one is."""
    done(world.up({"b": budget(ACTIONS)}))
    moved = replace(budget(REPOSITORY), unknown=("budget_entity_name",))
    assert "else the budget is kept" not in text(done(world.preview({"b": moved})))


def test_a_secret_name_stays_unsaid_when_it_is_renamed(world: World) -> None:
    """A refresh and a preview tell a rename without the names."""
    person = replace(budget(PERSON, user="okapi-login"), secret=("user",))
    done(world.up({"b": person}))
    world.sandbox.edit_budget(held(world), user="zebra-login", budget_entity_name="zebra-login")
    for run in (world.refresh(), world.preview({"b": person})):
        assert "[secret]" in text(done(run))
        assert "okapi" not in text(run)
        assert "zebra" not in text(run)


def archive_by_hand(world: World) -> None:
    """Archive all cost centers on GitHub."""
    stored = world.sandbox.snapshot()
    world.sandbox.restore({**stored, "cost_centers": [{**each, "state": "deleted"} for each in stored["cost_centers"]]})


def test_a_budget_of_an_archived_cost_center_is_told_where_its_name_is_created_again(world: World) -> None:
    """The new cost center has another id, so the budget in the state does not cap it; a later preview says so too."""
    program = {"c": APPS, "b": budget(TEAM)}
    done(world.up(program))
    former = world.entry("c").outputs["cost_center_id"]
    archive_by_hand(world)
    done(world.refresh())
    for run in (world.preview(program), world.up(program), world.preview(program)):
        assert f"the budget {held(world)} of enterprise {E} is that of the former cost center {former}" in text(
            done(run)
        )
    world.sandbox.remove_budget(held(world))
    done(world.refresh())
    done(world.up(program))
    assert world.entry("b").outputs["cost_center_id"] == world.entry("c").outputs["cost_center_id"] != former
    assert done(world.preview(program)).said() == []


def test_a_cost_center_that_the_run_adopts_again_is_no_former_one(world: World) -> None:
    """A cost center that only the state has lost keeps its budget, without a word on it."""
    program = {"c": APPS, "b": budget(TEAM)}
    done(world.up(program))
    world.entries.remove(world.entry("c"))
    for run in (world.preview(program), world.up(program)):
        assert "former" not in text(done(run))


@pytest.mark.parametrize("unknown", [(), ("budget_amount",)], ids=["known", "unknown"])
def test_a_cost_center_that_the_run_creates_hides_no_existing_budget(world: World, unknown: tuple[str, ...]) -> None:
    """GitHub lists a budget with the name of its cost center, and an archived one may have had the name."""
    program = {"c": APPS, "b": replace(budget(TEAM), unknown=unknown)}
    done(world.up(program))
    id_, former = held(world), world.entry("c").outputs["cost_center_id"]
    archive_by_hand(world)
    world.entries.clear()
    for run in (world.preview(program), world.up(program)):
        assert f"adopts the existing budget {id_}" in text(done(run))
        assert f"the archived cost center {former} has the same name: check on GitHub which of the two" in text(run)


def test_without_reads_one_line_says_what_the_words_are_told_from(world: World) -> None:
    """With previewReads off, what was before is that of the state; it is said once a run, and only for changes."""
    config = {"previewReads": "false"}
    declared = {"a": budget(ACTIONS), "b": budget(ACTIONS, budget_product_sku="packages")}
    done(world.up(declared))
    assert done(world.preview(declared, config=config)).said() == []
    changed_ = {name: budget(each.inputs, budget_amount=400) for name, each in declared.items()}
    said = text(done(world.preview(changed_, config=config)))
    assert said.count("not compared with GitHub: github-billing:previewReads is false") == 1
