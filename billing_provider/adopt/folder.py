"""The files of an export in a folder: the program and the import file."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_provider.adopt import module
from billing_provider.adopt.entries import Skipped
from billing_provider.adopt.names import unique
from billing_provider.adopt.states import TYPE_PREFIX
from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import clean
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from billing_provider.adopt.entries import Entry
    from billing_provider.core.owners import Owner

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
        names: The name of each resource by its id, those of earlier exports included.
        new: The number of entries that this export added.
        files: The files that were written.
        reason: Why the new declarations are in a file of their own; empty if they are not.
    """

    names: dict[str, str]
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
    new = [each["name"] for each in _resources(draft, text) if each["name"] not in known]
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
    reason = f"it is in {IMPORT_FILE}, but no longer on GitHub: remove it from both files"
    return [
        Skipped(clean(each["name"], _SHOWN), reason, each["id"])
        for each in resources
        if each["id"].lower() not in live and each["id"].lower().rpartition("/")[0] in keys
    ]


def resource(entry: Entry, name: str, providers: Mapping[str, str]) -> dict[str, Any]:
    """Return an entry as an import file has it: with what the state holds, so that an import reads nothing.

    Args:
        entry: The entry.
        name: Its name.
        providers: What the state holds as the provider of each kind of resource.
    """
    own = {PROVIDER_KEY: providers[entry.kind]}
    return {
        "type": f"{TYPE_PREFIX}{entry.kind}",
        "name": name,
        "id": entry.id,
        "inputs": {**entry.stored.inputs, **own},
        "outputs": {**entry.stored.outputs, **own},
    }


@_explained()
def write_export(folder: Path, entries: Sequence[Entry], providers: Mapping[str, str]) -> Written:
    """Add new entries to the program and the import file of a folder; what is in them stays as it is.

    Args:
        folder: The folder; it is created if missing.
        entries: Everything that can be declared.
        providers: As for `resource`.

    Raises:
        ConfigError: A file cannot be read, written or extended safely; the import file stays as it was.
    """
    known = read_import_file(folder)
    names = {each["id"].lower(): each["name"] for each in known}
    names = {entry.id: names[entry.id.lower()] for entry in entries if entry.id.lower() in names}
    new = [entry for entry in entries if entry.id not in names]
    _name(new, names, {each["name"] for each in known})
    if not new:
        return Written(names, 0, [])
    path, reason = folder / MODULE, ""
    existing = files.read(path)
    if existing is None:
        text = module.write(new, names)
    else:
        try:
            text = module.extend(existing, new, names)
        except ValueError as error:
            path, reason = folder / NEW_MODULE, str(error)
            text = module.write(new, {entry.id: names[entry.id] for entry in new})
            if files.read(path) is not None:
                raise ConfigError(
                    f"{path} exists: move its declarations to {MODULE}, then remove it. Nothing was written."
                ) from None
    folder.mkdir(parents=True, exist_ok=True)
    resources = [*known, *(resource(entry, names[entry.id], providers) for entry in new)]
    resources.sort(key=lambda each: (each["type"] != f"{TYPE_PREFIX}CostCenter", each["name"]))
    # An interrupted export ends with the next one, see `_end_interrupted`. The program comes before the import file,
    # which without the declarations would import what an `up` then deletes.
    draft = folder / NEXT_IMPORT_FILE
    files.replace(draft, f"{json.dumps({'resources': resources}, indent=2)}\n")
    files.replace(path, text)
    draft.replace(folder / IMPORT_FILE)
    return Written(names, len(new), [path, folder / IMPORT_FILE], reason)


@_explained()
def write_masked(folder: Path, entries: Sequence[Entry]) -> Path:
    """Write a program with masked logins, to be shared; it has no import file.

    Raises:
        ConfigError: The file cannot be written.
    """
    names: dict[str, str] = {}
    _name(entries, names, set())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MASKED_MODULE
    files.replace(path, module.write(entries, names, masked=True))
    return path


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


def _name(entries: Sequence[Entry], names: dict[str, str], taken: set[str]) -> None:
    """Give each entry a name of its own."""
    for entry in entries:
        names[entry.id] = unique(entry.wanted, taken)
        taken.add(names[entry.id])


def _is_resource(each: Any) -> bool:
    if not isinstance(each, dict) or not all(isinstance(each.get(key), kind) for key, kind in _KEYS.items()):
        return False
    return bool(each["type"].startswith(TYPE_PREFIX)) and each["name"].isprintable() and each["name"] != ""


def _parsed(source: str, text: str) -> Any:
    try:
        return json_text.parse(text)
    except ValueError as error:
        raise ConfigError(f"{source} cannot be read: {clean(str(error), 200)}") from None
