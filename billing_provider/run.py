"""What all resources of one engine run share: the client, the live budgets, the claims and the voice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from billing_provider.claims import Claims
from billing_provider.client import Client
from billing_provider.clock import Clock
from billing_provider.live import OwnerBudgets, SingleReads
from billing_provider.pacing import Pacer
from billing_provider.redact import redact
from billing_provider.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.models import Owner
    from billing_provider.settings import Settings


class Voice(Protocol):
    """How a run speaks to the person who started it; each text belongs to the resource being worked on."""

    def warn(self, text: str) -> None:
        """Say something that the person should look at."""

    def status(self, text: str) -> None:
        """Show what is being waited for; it is replaced by the next one."""


class Run:
    """One process's work; safe to share between threads.

    Args:
        settings: Returns the settings; called at the first request, so that a preview needs no token.
        voice: How it speaks.
        clock: The time.
        before_write: Called right before each write; it raises to prevent it.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        voice: Voice,
        clock: Clock | None = None,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.voice, self.clock, self.claims = voice, clock or Clock(), Claims()
        self._read_settings, self._before_write = settings, before_write
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._client: Client | None = None
        self._budgets: dict[str, OwnerBudgets] = {}
        self._singles = SingleReads()

    @property
    def settings(self) -> Settings:
        """The settings, read once.

        Raises:
            ConfigError: No token, or a value that may not be used.
        """
        with self._lock:
            if self._settings is None:
                self._settings = self._read_settings()
            return self._settings

    def masked(self, text: str) -> str:
        """Return a text without this run's token and without anything that looks like one."""
        with self._lock:
            token = "" if self._settings is None else self._settings.token
        return redact(text, token)

    @property
    def client(self) -> Client:
        """The client, made at first use.

        Raises:
            ConfigError: No token, or a value that may not be used.
        """
        settings = self.settings
        with self._lock:
            if self._client is None:
                pacer = Pacer(settings, self.clock, self.voice.status)
                self._client = Client(Transport(settings, pacer, self.clock, self._before_write))
            return self._client

    def budgets(self, owner: Owner) -> OwnerBudgets:
        """Return what this run knows of an owner's budgets.

        Raises:
            ConfigError: No token, or a value that may not be used.
        """
        client = self.client
        with self._lock:
            if owner.key not in self._budgets:
                self._budgets[owner.key] = OwnerBudgets(client, owner, self.clock, self._singles)
            return self._budgets[owner.key]
