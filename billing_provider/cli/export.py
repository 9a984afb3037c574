"""The verb `export`: live budgets and cost centers as a program and as an import file; it reads from GitHub only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from billing_provider.adopt import entries, folder, inventory, masks
from billing_provider.cli import render
from billing_provider.cli.exit_codes import FOUND
from billing_provider.cli.options import add_owners, add_scope, add_states, read_owners, read_state
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER

if TYPE_CHECKING:
    import argparse

    from billing_provider.adopt.entries import Entry, Skipped
    from billing_provider.adopt.folder import Written

_COST_CENTERS, _BUDGETS = "cost-centers", "budgets"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "export",
        help="write budgets and cost centers that exist already as a program and an import file",
        description="Write the live budgets and cost centers of enterprises and organizations as a Python module and "
        "as a file for `pulumi import`, and import them with --import. Nothing is changed on GitHub. A further export "
        "adds what is new. Exit code 3 if something was skipped, 7 if the preview after the import is not empty.",
    )
    add_owners(parser)
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="the folder for the files")
    parser.add_argument(
        "--import", dest="stack", metavar="STACK", help="import into this stack, and preview it: nothing may change"
    )
    parser.add_argument("--only", choices=(_COST_CENTERS, _BUDGETS), help="only cost centers, or only budgets")
    add_scope(parser, ENTERPRISE_OWNER.scopes)
    add_states(parser, "leave out what this stack manages")
    parser.add_argument(
        "--mask-logins",
        action="store_true",
        help="mask people's logins, to share the module; no import file is written",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files, and import if asked to.

    Returns:
        0, 3 if something was skipped, or 7 if the preview after the import is not empty.

    Raises:
        ConfigError: The options do not fit together, or a file is damaged.
        BillingError: GitHub cannot be read; nothing was written.
    """
    # Imported here, because Pulumi and the engine load slowly and the other commands do not need them.
    from billing_provider.cli import imports  # noqa: PLC0415
    from billing_provider.provider import stored_providers  # noqa: PLC0415

    owners = read_owners(args)
    if args.mask_logins and args.stack:
        raise ConfigError("--mask-logins: a module with masked logins cannot be imported; leave out --import")
    owned = {each.id for name in args.state for each in read_state(name).managed}
    earlier = [] if args.mask_logins else folder.read_import_file(args.out)
    with render.reading() as reader:
        inventories = inventory.read_inventories(reader.run, owners)
        if args.mask_logins:
            inventories = masks.mask_logins(inventories)
        everything, skipped = entries.find_entries(reader.run, inventories)
    there = {entry.id for entry in everything} | {each.id for each in skipped}
    gone = folder.gone(earlier, owners, there)
    chosen = [each for each in everything if _is_wanted(args, each, owned)]
    skipped = [*(each for each in skipped if _is_wanted(args, each, owned)), *gone]
    centers = sum(not entry.scope for entry in chosen)
    print(f"To declare: {len(chosen) - centers} budgets, {centers} cost centers. Skipped: {len(skipped)}.")
    for each in skipped:
        print(f"skipped: {each.what}: {each.reason}")
    code = FOUND if skipped else 0
    if args.mask_logins:
        shared = " and ".join(map(str, folder.write_masked(args.out, chosen)))
        print(f"Wrote {shared}, to share. There is no import file: logins are masked.")
        return code
    providers = stored_providers()
    written = folder.write_export(args.out, reader.run, chosen, providers)
    _print_written(args.out, written, len(chosen))
    if args.stack:
        resources = folder.resources(reader.run, chosen, written, providers)
        return imports.import_into(args.stack, resources, args.out) or code
    if written.new:
        print("Next: `import budgets` in the program, then run again with --import STACK.")
    return code


def _is_wanted(args: argparse.Namespace, each: Entry | Skipped, owned: set[str]) -> bool:
    """Return whether the options choose a budget or a cost center."""
    kind, scopes = (_BUDGETS, (None, each.scope)) if each.scope else (_COST_CENTERS, (args.scope,))
    return each.id.lower() not in owned and args.only in (None, kind) and args.scope in scopes


def _print_written(out: Path, written: Written, count: int) -> None:
    print(f"New: {written.new}. In {out} already: {count - written.new}.")
    for path in written.files:
        print(f"Wrote {path}.")
    if written.reason:
        print(f"budgets.py was not changed: {written.reason}. Move the declarations of budgets.new.py to it.")
