"""The verb `doctor`: check whether this setup can manage budgets, and show repairs; read-only."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from billing_provider.adopt.inventory import owners_of
from billing_provider.cli.exit_codes import FAILED as FAILURE
from billing_provider.cli.options import add_owners
from billing_provider.cli.render import line_width, owner_of, print_json, progress_reporter
from billing_provider.cli.tables import wrapped
from billing_provider.core.redact import clean
from billing_provider.core.settings import Settings, read_settings
from billing_provider.doctor import FAILED, OK, WARNING, examine
from billing_provider.runtime.run import Run

if TYPE_CHECKING:
    import argparse

    from billing_provider.doctor import Finding

_PATIENCE_SECONDS = 4.0
"""Longest wait of a check: a person is watching."""
_INDENT = 9


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = verbs.add_parser(
        "doctor",
        help="check the token, the host and the budgets of each owner (read-only)",
        description=(
            "Check the token, its scopes and expiry, the host, the API version, the clock, the rate limits, and "
            "whether the budgets of each owner can be listed; of a GitHub App also its installations and their "
            "permissions. The settings come from GITHUB_BILLING_TOKEN (or GITHUB_TOKEN), or from "
            "GITHUB_BILLING_APP_ID with GITHUB_BILLING_APP_PRIVATE_KEY or GITHUB_BILLING_APP_PRIVATE_KEY_FILE, and "
            "from GITHUB_API_URL, not from a stack's configuration. Read-only. Exit code 1 if a check failed."
        ),
    )
    add_owners(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, with totals")
    parser.set_defaults(run=run)


def _settings() -> Settings:
    return replace(read_settings(None, os.environ), max_wait_seconds=_PATIENCE_SECONDS)


def run(args: argparse.Namespace) -> int:
    """Print each finding with its repair; return 1 if a check failed, else 0.

    Raises:
        ConfigError: An owner's name is invalid.
    """
    owners = owners_of(args.enterprise, args.organization)
    counts = dict.fromkeys((OK, WARNING, FAILED), 0)
    found = []
    with progress_reporter() as reporter:
        for finding in examine(Run(_settings, reporter), owners):
            counts[finding.level] += 1
            if args.json:
                found.append({name: clean(text) for name, text in asdict(finding).items()})
            else:
                _print(finding)
    if args.json:
        print_json({"owners": [owner_of(owner) for owner in owners], "findings": found, "totals": counts})
    return FAILURE if counts[FAILED] else 0


def _print(finding: Finding) -> None:
    texts = [f"{finding.level:<8} {clean(finding.subject)}: {clean(finding.text)}"]
    if finding.repair:
        texts.append(f"{'':<8} -> {clean(finding.repair)}")
    for text in texts:
        print(*wrapped(text, line_width(), _INDENT), sep="\n", flush=True)
