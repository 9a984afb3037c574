"""The state that the resources of one run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.settings import Settings
from billing_provider.runtime.run import Run
from tests.support.harness import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator


def settings() -> Iterator[Settings]:
    yield Settings(Credentials(Token("word-of-no-known-form")))


def test_settings_are_read_once() -> None:
    """The settings are read at first use, and only once."""
    told = settings()
    run = Run(lambda: next(told), Listener())
    assert run.settings is run.settings
