"""What all resources of one engine run share: transport, endpoints, caches, registry and reporter."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from billing_provider.core.clock import Clock
from billing_provider.core.redact import redact
from billing_provider.runtime.registry import ResourceRegistry
from billing_provider.transport.http import Transport
from billing_provider.transport.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.core.settings import Settings

T = TypeVar("T")
_FREE_SINGLE_READS = 3


class Reporter(Protocol):
    """How a run speaks to the person who started it; each text belongs to the resource being worked on."""

    def warn(self, text: str) -> None:
        """Say something that the person should look at."""

    def status(self, text: str) -> None:
        """Show what is being waited for; it is replaced by the next one."""


class SingleReads:
    """How many resources a run has read one by one; the first few cost less than any listing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = _FREE_SINGLE_READS

    def take(self) -> bool:
        """Use one of the free single reads; tell whether there was one left."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


class Run:
    """One process's work; safe to share between threads.

    Args:
        settings: Returns the settings; called at the first request, so that a preview needs no token.
        reporter: How it speaks.
        clock: The time.
        before_write: Called right before each write; it raises to prevent it.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        reporter: Reporter,
        clock: Clock | None = None,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.reporter, self.clock, self.registry = reporter, clock or Clock(), ResourceRegistry()
        self.single_reads = SingleReads()
        self._read_settings, self._before_write = settings, before_write
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._shared: dict[Any, Any] = {}

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
    def transport(self) -> Transport:
        """What sends the requests, made at first use.

        Raises:
            ConfigError: No token, or a value that may not be used.
        """
        settings = self.settings
        pacer = Pacer(settings, self.clock, self.reporter.status)
        return self._once(Transport, lambda: Transport(settings, pacer, self.clock, self._before_write))

    def api(self, endpoints: Callable[[Transport], T]) -> T:
        """Return the endpoints of one subject, such as `run.api(BudgetsApi)`, made once.

        Raises:
            ConfigError: No token, or a value that may not be used.
        """
        transport = self.transport
        return self._once(endpoints, lambda: endpoints(transport))

    def cache(self, kind: Callable[[Run, Owner], T], owner: Owner) -> T:
        """Return what this run knows of an owner, such as `run.cache(OwnerCache, owner)`, made once."""
        return self._once((kind, owner.key), lambda: kind(self, owner))

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._shared:
                self._shared[key] = make()
            found: T = self._shared[key]
            return found
