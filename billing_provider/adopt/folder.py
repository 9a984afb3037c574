"""The files of an export in a folder: the program and the import file."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.adopt import module, tables
from billing_provider.adopt.entries import Skipped
from billing_provider.adopt.names import table_name, unique
from billing_provider.adopt.states import BUCKET_KIND, TABLE_TYPE, TYPE_PREFIX
from billing_provider.adopt.tables import Table
from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import clean
from billing_provider.storage import files, json_text
from billing_provider.user_budgets.texts import from_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from billing_provider.adopt.entries import Entry
    from billing_provider.adopt.states import State
    from billing_provider.core.owners import Owner
    from billing_provider.core.resource import Stored
    from billing_provider.runtime.run import Run

MODULE = "budgets.py"
NEW_MODULE = "budgets.new.py"
MASKED_MODULE = "budgets-masked.py"
IMPORT_FILE = "budgets-import.json"
NEXT_IMPORT_FILE = "budgets-import.next.json"
"""The import file of an export that is being written, or was interrupted."""
PROVIDER_KEY = "__provider"
"""The input and output that names the provider class."""
_SHOWN = 100
_KEYS = {"type": str, "name": str, "id": str, "inputs": dict, "outputs": dict}
_KEYS_OF_TABLE = {"type": str, "name": str}
_MASKED = "-masked"


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error of a file into a ConfigError."""
    try:
        yield
    except OSError as error:
        raise ConfigError(str(error)) from None


@dataclass(frozen=True)
class Written:
    """The result of an export to a folder.

    Attributes:
        names: The name of each resource by its id, those of earlier exports included; rows of tables have none.
        tables: The tables, those of earlier exports included, with the rows that were chosen.
        new: The number of entries that this export added.
        files: The files that were written.
        reason: Why the new declarations are in a file of their own; empty if they are not.
    """

    names: dict[str, str]
    tables: list[Table]
    new: int
    files: list[Path]
    reason: str = ""


@_explained()
def read_import_file(folder: Path) -> list[dict[str, Any]]:
    """Return the resources of an earlier export to a folder, after the end of one that was interrupted.

    Raises:
        ConfigError: The import file is damaged, or only one of the two files exists.
    """
    path, program = folder / IMPORT_FILE, folder / MODULE
    _end_interrupted(folder)
    text, existing = files.read(path), files.read(program)
    if text is None and existing is None:
        return []
    if text is None or existing is None:
        there, absent = (program, path) if text is None else (path, program)
        raise ConfigError(
            f"{there} exists, but {absent.name} does not, so the names of an earlier export are not known. Nothing was "
            f"written: restore {absent.name}, or move {there.name} away to start anew, or choose another --out."
        )
    return _resources(path, text)


def _end_interrupted(folder: Path) -> None:
    """End an export that was interrupted between its two files, or forget it if it wrote neither.

    Raises:
        ConfigError: Its module was edited since, so that only some of its resources are declared.
    """
    draft, path = folder / NEXT_IMPORT_FILE, folder / IMPORT_FILE
    if (text := files.read(draft)) is None:
        return
    before = files.read(path)
    known = {each["name"] for each in _resources(path, before)} if before is not None else set()
    # A program declares the table, not its parts.
    new = [each["name"] for each in _resources(draft, text) if each["name"] not in known and "parent" not in each]
    program = "".join(files.read(folder / name) or "" for name in (MODULE, NEW_MODULE))
    missing = [name for name in new if module.quote(name) not in program]
    if not missing:
        draft.replace(path)
    elif len(missing) == len(new):
        draft.unlink()
    else:
        raise ConfigError(
            f"{draft} is of an interrupted export, and {MODULE} lacks {clean(missing[0], _SHOWN)} of it. Nothing was "
            f"written: remove the other new ones from {MODULE} and this file, then run again: {draft.name}."
        )


def _resources(path: Path, text: str) -> list[dict[str, Any]]:
    found = _parsed(str(path), text)
    resources = found.get("resources") if isinstance(found, dict) else None
    fit = isinstance(resources, list) and all(map(_is_resource, resources))
    if not fit or len({each["name"] for each in resources or ()}) < len(resources or ()):
        raise ConfigError(f"{path} is not a file that an export wrote: restore it, or move it and {MODULE} away")
    return resources or []


def gone(resources: Sequence[dict[str, Any]], owners: Sequence[Owner], there: Collection[str]) -> list[Skipped]:
    """Return the resources of an earlier export that are no longer on GitHub.

    Args:
        resources: The resources of the import file.
        owners: The owners that were read; nothing is known about those of others.
        there: The ids of everything that the owners have.
    """
    live, keys = {id_.lower() for id_ in there}, {owner.key for owner in owners}
    lost = [
        (each, id_, login)
        for each in resources
        for id_, login in objects(each).items()
        if id_ not in live and id_.rpartition("/")[0] in keys
    ]
    of_row = f"its row was exported, but it is no longer on GitHub: remove the row, and its id from {IMPORT_FILE}"
    reason = f"it is in {IMPORT_FILE}, but no longer on GitHub: remove it from both files"
    return [
        Skipped(clean(f"{each['parent']}/{login}", _SHOWN), of_row, id_)
        if login
        else Skipped(clean(each["name"], _SHOWN), reason, each["id"])
        for each, id_, login in lost
    ]


def objects(each: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of the budgets and cost centers that a resource of an import file has, in lower case.

    The value is the login for a row of a table, and else an empty text.
    """
    if each["type"] == TABLE_TYPE:
        return {}
    if each["type"] != f"{TYPE_PREFIX}{BUCKET_KIND}":
        return {each["id"].lower(): ""}
    owner = each["id"].rpartition("/")[0]
    return {f"{owner}/{id_}".lower(): login for login, id_ in from_texts(each["outputs"])["budget_ids"].items()}


def missing(resources: Sequence[dict[str, Any]], state: State) -> list[dict[str, Any]]:
    """Return the resources of an import file that a state lacks, and the tables that have such a resource.

    A part of a table with rows that the state has elsewhere is not imported: two resources would have their budgets.
    """
    owned = {each.id for each in state.managed}
    parts = {urn.rpartition("::")[2] for urn in state.parts}

    def is_new(each: dict[str, Any]) -> bool:
        return owned.isdisjoint(objects(each)) and not ("parent" in each and each["name"] in parts)

    parents = {each.get("parent") for each in resources if is_new(each)}
    return [each for each in resources if (each["name"] in parents if each["type"] == TABLE_TYPE else is_new(each))]


def resources(
    run: Run, entries: Sequence[Entry], written: Written, providers: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return entries as an import file has them: with what the state holds, so that an import reads nothing.

    Args:
        run: The clock; nothing is sent.
        entries: The entries.
        written: Their names and tables.
        providers: What the state holds as the provider of each kind of resource.
    """
    names = written.names
    single = [_resource(each.kind, names[each.id], each.stored, providers) for each in entries if each.id in names]
    return [*single, *(each for table in written.tables for each in _resources_of(run, table, providers))]


def _resources_of(run: Run, table: Table, providers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    yield {"type": TABLE_TYPE, "name": table.name, "component": True}
    for name, stored in table.parts(run):
        yield {**_resource(BUCKET_KIND, name, stored, providers), "parent": table.name}


def _resource(kind: str, name: str, stored: Stored, providers: Mapping[str, str]) -> dict[str, Any]:
    own = {PROVIDER_KEY: providers[kind]}
    return {
        "type": f"{TYPE_PREFIX}{kind}",
        "name": name,
        "id": stored.id,
        "inputs": {**stored.inputs, **own},
        "outputs": {**stored.outputs, **own},
    }


@_explained()
def write_export(folder: Path, run: Run, entries: Sequence[Entry], providers: Mapping[str, str]) -> Written:
    """Add new entries to the program and the import file of a folder; what is in them stays as it is.

    Args:
        folder: The folder; it is created if missing.
        run: As for `resources`.
        entries: Everything that can be declared.
        providers: As for `resources`.

    Raises:
        ConfigError: A file cannot be read, written or extended safely; the import file stays as it was.
    """
    known = read_import_file(folder)
    known_tables, rows = _tables(known, entries)
    singles = {id_: each["name"] for each in known for id_, login in objects(each).items() if not login}
    names = {entry.id: singles[entry.id.lower()] for entry in entries if entry.id.lower() in singles}
    new = [entry for entry in entries if entry.id not in names and entry.id not in rows]
    if not new:
        return Written(names, known_tables, 0, [])
    added, new_names, new_tables = _named(new, {each["name"] for each in known}, _csv_names(folder))
    names |= new_names
    path, reason = folder / MODULE, ""
    existing = files.read(path)
    if existing is None:
        text = module.write(added, names, new_tables)
    else:
        try:
            text = module.extend(existing, added, names, new_tables)
        except ValueError as error:
            path, reason = folder / NEW_MODULE, str(error)
            text = module.write(added, new_names, new_tables)
            if files.read(path) is not None:
                raise ConfigError(
                    f"{path} exists: move its declarations to {MODULE}, then remove it. Nothing was written."
                ) from None
    folder.mkdir(parents=True, exist_ok=True)
    everything = [*known, *resources(run, added, Written(new_names, new_tables, 0, []), providers)]
    everything.sort(key=lambda each: (each["type"] != f"{TYPE_PREFIX}CostCenter", each["name"]))
    # An interrupted export ends with the next one, see `_end_interrupted`. The program comes before the import file,
    # which without the declarations would import what an `up` then deletes.
    draft = folder / NEXT_IMPORT_FILE
    files.replace(draft, f"{json.dumps({'resources': everything}, indent=2)}\n")
    tables_written = _write_tables(folder, new_tables)
    files.replace(path, text)
    draft.replace(folder / IMPORT_FILE)
    written = [path, *tables_written, folder / IMPORT_FILE]
    return Written(names, [*known_tables, *new_tables], len(new), written, reason)


@_explained()
def write_masked(folder: Path, entries: Sequence[Entry]) -> list[Path]:
    """Write a program with masked logins, to be shared, and its tables; it has no import file.

    Returns:
        The files.

    Raises:
        ConfigError: A file cannot be written.
    """
    added, names, people = _named(entries, set(), set(), _MASKED)
    folder.mkdir(parents=True, exist_ok=True)
    written = _write_tables(folder, people)
    path = folder / MASKED_MODULE
    files.replace(path, module.write(added, names, people, masked=True))
    return [path, *written]


@_explained()
def check_merged(folder: Path) -> None:
    """Check that every entry is declared in the module of a folder, before an import.

    Raises:
        ConfigError: Some declarations wait in a file beside it.
    """
    path = folder / NEW_MODULE
    if files.read(path) is not None:
        raise ConfigError(
            f"{path} exists: move its declarations to {MODULE}, then remove it, and run again. Nothing was imported."
        )


@_explained()
def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read.

    Raises:
        ConfigError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, text)


def _named(
    new: Sequence[Entry], taken: set[str], csv_names: set[str], ending: str = ""
) -> tuple[list[Entry], dict[str, str], list[Table]]:
    """Give each new entry a name of its own, or a row of a table with one.

    Args:
        new: The entries.
        taken: The names of other resources.
        csv_names: The names of other CSV files, without their ending, in lower case.
        ending: The end of the names of files.

    Returns:
        The entries with a name, their names by id, and the tables.
    """
    groups, single = tables.split(new)
    taken, names, found = set(taken), dict[str, str](), list[Table]()
    for entry in single:
        names[entry.id] = unique(entry.wanted, taken)
        taken.add(names[entry.id])
    for group in groups:
        name = unique(table_name(tables.owner_of(group[0])), taken | csv_names)
        taken.add(name)
        found.append(Table(name, f"{name}{ending}.csv", group))
    return single, names, found


def _tables(known: Sequence[dict[str, Any]], entries: Sequence[Entry]) -> tuple[list[Table], set[str]]:
    """Return the tables of an import file that have rows among the entries, and the ids of these rows."""
    table_of = {id_: each["parent"] for each in known for id_, login in objects(each).items() if login}
    rows: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.id.lower() in table_of:
            rows.setdefault(table_of[entry.id.lower()], []).append(entry)
    ids = {entry.id for group in rows.values() for entry in group}
    return [Table(name, f"{name}.csv", tables.in_order(group)) for name, group in rows.items()], ids


def _csv_names(folder: Path) -> set[str]:
    """Return the names of the CSV files in a folder: an export replaces none of them."""
    return {path.stem.lower() for path in folder.glob("*.[cC][sS][vV]")}


def _write_tables(folder: Path, people: Sequence[Table]) -> list[Path]:
    """Write the files of tables; a program without them fails, so they come before it."""
    for table in people:
        files.replace(folder / table.file, table.csv)
    return [folder / table.file for table in people]


def _is_resource(each: Any) -> bool:
    if not isinstance(each, dict):
        return False
    is_table = each.get("type") == TABLE_TYPE
    keys = _KEYS_OF_TABLE if is_table else _KEYS
    if not all(isinstance(each.get(key), kind) for key, kind in keys.items()):
        return False
    if each["type"] == f"{TYPE_PREFIX}{BUCKET_KIND}" and not _has_rows(each):
        return False
    is_ours = is_table or each["type"].startswith(TYPE_PREFIX)
    return bool(is_ours and each["name"].isprintable() and each["name"] != "")


def _has_rows(each: dict[str, Any]) -> bool:
    """Return whether a resource of a table names its table, and an id for each login."""
    ids = from_texts(each["outputs"]).get("budget_ids")
    texts = [each.get("parent"), *ids, *ids.values()] if isinstance(ids, dict) else [None]
    return all(isinstance(text, str) and text for text in texts)


def _parsed(source: str, text: str) -> Any:
    try:
        return json_text.parse(text)
    except ValueError as error:
        raise ConfigError(f"{source} cannot be read: {clean(str(error), 200)}") from None
