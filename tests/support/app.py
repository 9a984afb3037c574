"""GitHub App credentials of a sandbox, and a watch on its key and tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing_provider.core.credentials import App, Credentials
from tests.faults.world import spellings
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from billing_provider.sandbox import Sandbox
    from tests.support.clock import VirtualClock

_TOKEN = re.compile(r"ghs_[0-9a-f]{36}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.")


def app_settings(sandbox: Sandbox) -> dict[str, Any]:
    """Return the fields of settings that have the App instead of a token."""
    return {"credentials": Credentials(App(sandbox.app_id, sandbox.app_private_key))}


def app_harness(sandbox: Sandbox, clock: VirtualClock, **settings: Any) -> RunHarness:
    """Return the harness of a new run that has only the App."""
    return open_harness(sandbox, clock, **{**app_settings(sandbox), **settings})


def secrets_in(sandbox: Sandbox, text: str) -> list[str]:
    """Return the lines of the key, and the tokens and JWTs, that a text contains."""
    lines = [line for line in sandbox.app_private_key.splitlines()[1:-1] if line in text]
    return lines + _TOKEN.findall(text)


def mints(sandbox: Sandbox) -> list[str]:
    """Return the paths of the requests for a token, in their order."""
    return [request.path for request in sandbox.requests if request.path.endswith("/access_tokens")]


def tokens_seen(sandbox: Sandbox, texts: Iterable[str]) -> list[str]:
    """Return the secrets of the App in texts: lines of its key, and every token of it in any usual form."""
    tokens = sandbox._api.app._tokens if sandbox._api.app else {}
    assert len(tokens) > 1
    forms = [form for token in tokens for form in spellings(token)]
    return [
        found for text in texts for found in [*secrets_in(sandbox, text), *(form for form in forms if form in text)]
    ]


def files_below(*folders: Path) -> Iterator[str]:
    """Yield the texts of all files below folders."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path.read_bytes().decode("latin-1")
