"""Every code block of the documents runs, or is checked word by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import LANGUAGES, Bench, examples

if TYPE_CHECKING:
    from sybil import Example

    from billing_provider.sandbox import Sandbox

EXAMPLES = {f"{Path(example.path).name}:{example.line}": example for example in examples()}


@pytest.fixture
def bench(
    billing_sandbox: Sandbox,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    """A sandbox that the environment names, and a project in the current folder."""
    monkeypatch.setenv("GITHUB_API_URL", billing_sandbox.url)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", billing_sandbox.token)
    monkeypatch.chdir(tmp_path)
    return Bench(billing_sandbox, request, tmp_path)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_code_blocks_run(example: Example, bench: Bench) -> None:
    """Each code block runs as its language requires."""
    example.namespace["bench"] = bench
    example.evaluate()


def test_every_supported_language_is_used() -> None:
    """Every language that the runner supports is used by a page."""
    used = {example.region.lexemes["arguments"] for example in EXAMPLES.values()}
    assert used == set(LANGUAGES)
