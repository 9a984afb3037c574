"""The files of an export: what a further export adds, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.adopt import folder
from billing_provider.adopt.folder import IMPORT_FILE, MODULE, NEW_MODULE, NEXT_IMPORT_FILE
from billing_provider.adopt.inventory import owners_of
from billing_provider.adopt.states import TYPE_PREFIX, Managed, State
from billing_provider.core.errors import ConfigError
from billing_provider.provider import stored_providers
from tests.adopt.test_module import CENTER, budget, center, person
from tests.adopt.world import a_sandbox
from tests.support.harness import open_harness
from tests.support.plugin import PROVIDERS

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.adopt.entries import Entry

PART: dict[str, Any] = {
    "type": f"{TYPE_PREFIX}UserBudgetBucket",
    "name": "t-00",
    "id": "enterprise/acme/users-00",
    "inputs": {},
    "outputs": {},
}
FIRST = budget("1", "first")
SECOND = budget("2", "second", budget_amount=2)
IN_CENTER = budget("3", "third", budget_scope="cost_center", budget_entity_name="x", of=CENTER)


# Nothing is sent, so the sandbox is not started.
RUN = open_harness(a_sandbox()).run


def written(path: Path, *entries: Entry) -> folder.Written:
    return folder.write_export(path, RUN, entries, PROVIDERS)


def names_in(path: Path) -> list[str]:
    return [each["name"] for each in json.loads((path / IMPORT_FILE).read_text())["resources"]]


def content(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_the_providers_are_those_of_states() -> None:
    """The export names the provider classes in the same way as every state."""
    assert stored_providers() == PROVIDERS


def test_an_entry_of_the_import_file_has_the_provider_twice() -> None:
    """Inputs and outputs name the provider class, because the engine reads nothing else."""
    entry = replace(FIRST, stored=replace(FIRST.stored, inputs={"a": 1}, outputs={"a": 1, "b": 2}))
    own = {"__provider": PROVIDERS["EnterpriseBudget"]}
    (made,) = folder.resources(RUN, [entry], folder.Written({entry.id: "n"}, [], 0, []), PROVIDERS)
    assert made == {
        "type": "pulumi-python:dynamic/github-billing:EnterpriseBudget",
        "name": "n",
        "id": "enterprise/acme/1",
        "inputs": {"a": 1, **own},
        "outputs": {"a": 1, "b": 2, **own},
    }


def test_a_second_export_changes_no_byte(tmp_path: Path) -> None:
    """Without new entries, nothing is written, also if values have changed or entries are left out."""
    out = tmp_path / "new" / "folder"
    first = written(out, center(), FIRST, IN_CENTER)
    assert (first.new, first.files) == (3, [out / MODULE, out / IMPORT_FILE])
    before = content(out)
    changed = replace(FIRST, declared={**FIRST.declared, "budget_amount": 9})
    for entries in ([center(), FIRST, IN_CENTER], [changed], []):
        again = written(out, *entries)
        assert (again.new, again.files) == (0, [])
        assert content(out) == before


def test_a_further_export_adds_only_what_is_new(tmp_path: Path) -> None:
    """The module grows at its end, the import file in its order; names stay, and a taken one gets a number."""
    written(tmp_path, FIRST)
    edited = (tmp_path / MODULE).read_text() + "# mine\n"
    (tmp_path / MODULE).write_text(edited)
    more = written(tmp_path, center(), replace(SECOND, wanted="first"), FIRST, IN_CENTER)
    assert more.names[SECOND.id] == "first-2"
    assert (more.names[FIRST.id], more.new) == ("first", 3)
    assert (tmp_path / MODULE).read_text().startswith(edited)
    assert "cost_center=cost_center_platform" in (tmp_path / MODULE).read_text()
    assert names_in(tmp_path) == ["cost-center-platform", "first", "first-2", "third"]


def test_a_name_that_the_user_chose_stays(tmp_path: Path) -> None:
    """A name edited in both files is the entry's name; the id is compared without case."""
    written(tmp_path, FIRST)
    for file in (MODULE, IMPORT_FILE):
        text = (tmp_path / file).read_text().replace('"first"', '"Our budget"').replace("/acme/", "/Acme/")
        (tmp_path / file).write_text(text)
    assert written(tmp_path, FIRST).names == {FIRST.id: "Our budget"}


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "further"])
@pytest.mark.parametrize("is_declared", [False, True], ids=["before the module", "after the module"])
def test_an_interrupted_export_can_be_run_again(tmp_path: Path, earlier: bool, is_declared: bool) -> None:
    """Killed before or after the module was written: the next export leaves what an uninterrupted one does."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for out in (whole, cut):
        out.mkdir()
        if earlier:
            written(out, FIRST)
    new = (SECOND, IN_CENTER, *([] if earlier else PEOPLE))
    written(whole, FIRST, *new)
    (cut / NEXT_IMPORT_FILE).write_bytes((whole / IMPORT_FILE).read_bytes())
    if is_declared:
        for file in (MODULE, *(path.name for path in whole.glob("*.csv"))):
            (cut / file).write_bytes((whole / file).read_bytes())
    done = written(cut, FIRST, *new)
    assert done.new == (0 if is_declared else 2 if earlier else 54)
    assert content(cut) == content(whole)


def test_an_export_that_a_full_disk_ended_can_be_run_again(tmp_path: Path) -> None:
    """If the import file does not fit, the module is not written either, and the next export writes both."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(ConfigError, match=r"cannot write .*budgets-import.next.json: File too large"):
            written(tmp_path, FIRST)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert content(tmp_path) == {}
    assert written(tmp_path, FIRST).new == 1


def test_an_interrupted_export_that_was_edited_is_left_alone(tmp_path: Path) -> None:
    """If the module declares only some of the new resources, nothing is written, and the error names the file."""
    written(tmp_path, FIRST, SECOND)
    (tmp_path / IMPORT_FILE).rename(tmp_path / NEXT_IMPORT_FILE)
    program = tmp_path / MODULE
    program.write_text(program.read_text().replace('"second"', '"other"'))
    held = content(tmp_path)
    with pytest.raises(ConfigError, match=r"interrupted export, and budgets.py lacks second"):
        written(tmp_path, FIRST, SECOND)
    assert content(tmp_path) == held


def test_an_edited_module_gets_a_file_beside_it(tmp_path: Path) -> None:
    """New declarations go to a file of their own if the module cannot grow; that file is never overwritten."""
    written(tmp_path, center(), FIRST)
    (tmp_path / MODULE).write_text("# nothing of the export is left\n")
    beside = written(tmp_path, center(), FIRST, SECOND, IN_CENTER)
    assert beside.files == [tmp_path / NEW_MODULE, tmp_path / IMPORT_FILE]
    assert beside.reason == "`import billing_provider as billing` is missing"
    assert (tmp_path / MODULE).read_text() == "# nothing of the export is left\n"
    # The variable of the cost center may be gone from the module.
    assert 'budget_entity_name="x"' in (tmp_path / NEW_MODULE).read_text()
    before = content(tmp_path)
    written(tmp_path, center(), FIRST, SECOND, IN_CENTER)
    with pytest.raises(ConfigError, match=r"budgets\.new\.py exists: move its declarations to budgets\.py"):
        written(tmp_path, budget("4"))
    assert content(tmp_path) == before


@pytest.mark.parametrize("lost", [MODULE, IMPORT_FILE])
def test_one_of_the_two_files_alone_is_refused(tmp_path: Path, lost: str) -> None:
    """Without the other file the names are not known, so a declaration could be repeated."""
    written(tmp_path, FIRST)
    (tmp_path / lost).unlink()
    before = content(tmp_path)
    with pytest.raises(ConfigError, match=f"restore {lost}, or move .* away"):
        written(tmp_path, FIRST, SECOND)
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "resources",
    [
        {},
        [4],
        [{"type": "x"}],
        [{"type": "aws:x:Y", "name": "a", "id": "b", "inputs": {}, "outputs": {}}],
        [{"type": f"{TYPE_PREFIX}OrgBudget", "name": "a\n", "id": "b", "inputs": {}, "outputs": {}}],
        [{"type": f"{TYPE_PREFIX}OrgBudget", "name": "a", "id": "b", "inputs": {}, "outputs": {}}] * 2,
        [{"type": "github-billing:index:UserBudgets", "name": ""}],
        [PART],
        [{**PART, "outputs": {"budget_ids": {"ann": 4}}, "parent": "t"}],
        [{**PART, "outputs": {"budget_ids": {"ann": "id"}}}],
    ],
)
def test_a_damaged_import_file_is_refused(tmp_path: Path, resources: Any) -> None:
    """A file that no export wrote is named and left alone."""
    written(tmp_path, FIRST)
    for text in (json.dumps({"resources": resources}), json.dumps(resources)):
        (tmp_path / IMPORT_FILE).write_text(text)
        with pytest.raises(ConfigError, match="is not a file that an export wrote"):
            written(tmp_path, SECOND)
        assert (tmp_path / IMPORT_FILE).read_text() == text


def test_files_that_cannot_be_used_are_errors(tmp_path: Path) -> None:
    """No JSON, a link, a file in place of the folder: one line that names the file."""
    written(tmp_path, FIRST)
    (tmp_path / IMPORT_FILE).write_text("{")
    with pytest.raises(ConfigError, match=r"budgets-import\.json cannot be read: it is not JSON"):
        written(tmp_path, SECOND)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / MODULE).symlink_to(tmp_path / MODULE)
    with pytest.raises(ConfigError, match="it is a symbolic link"):
        written(tmp_path / "link", SECOND)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file"):
        folder.write_masked(tmp_path / "file", [FIRST])


PEOPLE = [person(number) for number in range(51)]


def test_a_table_is_for_the_people_of_one_owner(tmp_path: Path) -> None:
    """Each owner with more than fifty people has a table; what a row cannot declare stays a resource of its own."""
    others = [person(number, "organization/acme-web") for number in range(51)]
    loud = person(60, budget_alerting={"will_alert": True, "alert_recipients": ["ann"]})
    done = written(tmp_path, *reversed(PEOPLE), *others, loud, person(61, "organization/other"))
    assert done.names == {loud.id: "user-dev-60", "organization/other/ID-61": "user-dev-61"}
    assert [(table.name, len(table.rows)) for table in done.tables] == [("people", 51), ("org-acme-web-people", 51)]
    assert [file.name for file in done.files] == [MODULE, "people.csv", "org-acme-web-people.csv", IMPORT_FILE]
    assert (tmp_path / "people.csv").read_text().startswith("login,budget_amount\ndev-00,0\ndev-01,1\n")
    resources = json.loads((tmp_path / IMPORT_FILE).read_text())["resources"]
    (table,) = [each for each in resources if each["name"] == "people"]
    assert table == {"type": "github-billing:index:UserBudgets", "name": "people", "component": True}
    parts = [each for each in resources if each.get("parent") == "people"]
    assert [each["name"] for each in parts] == [f"people-{number:02}" for number in range(16)]
    assert sorted(id_ for each in parts for id_ in folder.objects(each)) == sorted(each.id.lower() for each in PEOPLE)


def test_no_file_of_the_user_is_replaced(tmp_path: Path) -> None:
    """A table has another name than the CSV files in the folder, whatever their case."""
    (tmp_path / "People.CSV").write_text("mine")
    (table,) = written(tmp_path, *PEOPLE).tables
    assert (table.name, table.file) == ("people-2", "people-2.csv")
    assert (tmp_path / "People.CSV").read_text() == "mine"


def test_a_module_without_the_import_of_paths_gets_a_table_beside_it(tmp_path: Path) -> None:
    """The table is in a file of its own, because a module that declares no table does not import what it needs."""
    written(tmp_path, FIRST)
    beside = written(tmp_path, FIRST, *PEOPLE)
    assert beside.reason == "`from pathlib import Path` is missing"
    assert beside.files[:2] == [tmp_path / NEW_MODULE, tmp_path / "people.csv"]


def test_a_table_is_found_again(tmp_path: Path) -> None:
    """The rows of an earlier export stay rows; what was not chosen is none, and a table without rows is left out."""
    written(tmp_path, FIRST, *PEOPLE)
    before = content(tmp_path)
    again = written(tmp_path, FIRST, *PEOPLE[:3])
    assert (again.new, again.names, again.files) == (0, {FIRST.id: "first"}, [])
    assert [(table.name, list(table.rows)) for table in again.tables] == [("people", PEOPLE[:3])]
    assert written(tmp_path, FIRST).tables == []
    assert content(tmp_path) == before


def test_a_table_that_the_state_has_is_not_imported(tmp_path: Path) -> None:
    """A part that the state has, also without rows, or whose budgets it has elsewhere, is not imported."""
    done = written(tmp_path, FIRST, *PEOPLE)
    resources = folder.resources(RUN, [FIRST, *PEOPLE], done, PROVIDERS)
    parts = [each for each in resources if "parent" in each]
    urns = [f"urn:pulumi:dev::p::t$x::{each['name']}" for each in parts]
    assert folder.missing(resources, State("s")) == resources
    assert folder.missing(resources, State("s", parts=urns)) == resources[:1]
    missing = folder.missing(resources, State("s", [Managed(FIRST.id, "s", "u")], parts=urns[1:]))
    assert [each["name"] for each in missing] == ["people", "people-00"]
    first = next(iter(folder.objects(parts[0])))
    missing = folder.missing(resources, State("s", [Managed(first, "s", "u")]))
    assert [each["name"] for each in missing][:3] == ["first", "people", "people-01"]


def test_the_rows_of_a_table_that_are_gone_are_named(tmp_path: Path) -> None:
    """A row whose budget is not on GitHub any more is named by its table and its login."""
    written(tmp_path, *PEOPLE)
    known = folder.read_import_file(tmp_path)
    (lost,) = folder.gone(known, owners_of(["acme"], []), [each.id for each in PEOPLE[1:]])
    assert (lost.what, lost.id, lost.reason.partition(":")[0]) == (
        *("people/dev-00", "enterprise/acme/id-0", "its row was exported, but it is no longer on GitHub"),
    )
    assert folder.gone(known, owners_of(["other"], []), []) == []


def test_a_masked_module_is_a_file_of_its_own(tmp_path: Path) -> None:
    """It has no import file, says that it must not be run, and is replaced by the next one."""
    (path,) = folder.write_masked(tmp_path, [FIRST, replace(SECOND, wanted="first")])
    assert content(tmp_path).keys() == {"budgets-masked.py"}
    assert "do not run this program" in path.read_text()
    assert '"first-2"' in path.read_text()
    folder.write_masked(tmp_path, [])
    assert "first" not in path.read_text()
