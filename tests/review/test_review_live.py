"""Plans that are made now: by `try`, and by the `pulumi` on PATH."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from billing_provider.core.clock import TEST_TIME
from billing_provider.review.markdown import comment
from billing_provider.review.plan import read_plan
from billing_provider.review.review import review
from tests.cli.test_cli_engine import Cli, cli
from tests.review.record import plan_of_try, plans_of_pulumi
from tests.review.test_review import portable
from tests.review.world import PLANS

if TYPE_CHECKING:
    from pathlib import Path

    from billing_provider.sandbox import Sandbox

__all__ = ["cli"]


@pytest.fixture(autouse=True)
def day_of_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorded comment tells what was spent in its month."""
    monkeypatch.setenv(TEST_TIME, "2026-09-21T14:13:20Z")


def shown(text: str) -> str:
    return portable(comment(review(read_plan("p", text.encode())), "Budgets"))


def test_a_plan_of_try_has_the_same_comment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program of the recorded plan, run by `try` now, has the recorded comment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
    assert shown(plan_of_try(tmp_path, sandbox)) == (PLANS / "comment.md").read_text()


@pytest.mark.cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH")
def test_plans_of_the_real_engine_have_the_same_comment(cli: Cli) -> None:
    """The same program on the real CLI has the recorded comment, as a document, as a stream and as an event log."""
    for text in plans_of_pulumi(cli).values():
        assert shown(text) == (PLANS / "comment.md").read_text()
