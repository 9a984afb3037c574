"""The state that the resources of one run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.settings import Settings
from billing_provider.runtime.run import Run
from tests.support.harness import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator


def settings() -> Iterator[Settings]:
    yield Settings(token="word-of-no-known-form")


def test_texts_are_masked_with_the_token_of_the_run() -> None:
    """A text loses anything that looks like a token at any time, and the run's own token once it has been read."""
    told = settings()
    run = Run(lambda: next(told), Listener())
    text = "ghp_0123456789 and word-of-no-known-form"
    assert run.masked(text) == "[secret] and word-of-no-known-form"
    assert run.settings is run.settings
    assert run.masked(text) == "[secret] and [secret]"
