"""The verb `seed`: the content of an account as the seed of a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.adopt.inventory import owners_of, read_inventories
from billing_provider.adopt.masks import mask_logins
from billing_provider.adopt.seed import seed_of
from billing_provider.cli import render
from billing_provider.cli.options import add_name
from billing_provider.core.owners import ENTERPRISE, ORGANIZATION
from billing_provider.core.redact import masked

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "seed",
        help="print an account's budgets and cost centers as the seed of a sandbox",
        description="Print the budgets and cost centers of an enterprise as JSON, for `try --seed FILE` and "
        "`sandbox --seed FILE`. Read-only: only GET requests are sent. Nothing is printed if one of them fails.",
    )
    add_name(parser, ENTERPRISE, "the enterprise", required=True)
    add_name(parser, ORGANIZATION, "an organization whose own budgets are added", repeated=True)
    parser.add_argument(
        "--mask-logins", action="store_true", help="replace the logins and mail addresses of people by made-up ones"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the seed and return exit code 0."""
    owners = owners_of([args.enterprise], args.organization)
    with render.reading() as reader:
        inventories = read_inventories(reader.run, owners)
        seed = seed_of(mask_logins(inventories) if args.mask_logins else inventories)
        seed = masked(seed, *reader.run.settings.credentials.tokens)
    render.print_json(seed)
    return 0
