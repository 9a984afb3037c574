"""State shared by all resources of one engine run: transport, endpoints, caches, registry and reporter."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from billing_provider.core.clock import Clock
from billing_provider.core.errors import ConfigError
from billing_provider.core.settings import MAX_DELETES, NAMESPACE, Guards
from billing_provider.runtime.registry import ResourceRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.owners import Owner
    from billing_provider.core.settings import Settings
    from billing_provider.runtime.shared_ids import SharedIds
    from billing_provider.transport.http import Transport

T = TypeVar("T")
_FREE_SINGLE_READS = 3
_STATUS_SECONDS = 30.0


class Reporter(Protocol):
    """Output of warnings and status to the user; each text is attributed to the current resource."""

    @property
    def is_live(self) -> bool:
        """Whether a status replaces the previous one on a terminal; else each one is a further line."""

    def warn(self, text: str) -> None:
        """Show a warning."""

    def status(self, text: str) -> None:
        """Show the current wait; the next status replaces it."""


class Reports:
    """The reporter of a run; the texts of a part of its work can be collected instead of shown.

    Args:
        reporter: Shows the texts.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._of_thread = threading.local()
        self.status = reporter.status

    @property
    def is_live(self) -> bool:
        """Whether a status replaces the previous one on a terminal."""
        return self._reporter.is_live

    def warn(self, text: str) -> None:
        """Show a warning, or collect it."""
        collected: list[str] | None = getattr(self._of_thread, "texts", None)
        if collected is None:
            self._reporter.warn(text)
        else:
            collected.append(text)

    @contextmanager
    def collecting(self) -> Iterator[list[str]]:
        """Collect the warnings of this thread."""
        before = getattr(self._of_thread, "texts", None)
        self._of_thread.texts = texts = list[str]()
        try:
            yield texts
        finally:
            self._of_thread.texts = before


class SingleReads:
    """Counter of single reads in a run; the first few cost less than a listing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = _FREE_SINGLE_READS

    def take(self) -> bool:
        """Use one of the free single reads; return whether one was left."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


class Run:
    """The shared state of one process; safe to share between threads.

    Args:
        settings: Returns the settings; called at the first request, so a preview needs no token.
        reporter: Receives warnings and status.
        clock: The clock; the system clock by default.
        before_write: Called right before each write; an exception prevents the write.
        guards: Returns the settings that need no token; called at first use.
        shared: The ids that other processes of this engine run know.
    """

    def __init__(  # noqa: PLR0917 - most of them have a default, and are passed by keyword
        self,
        settings: Callable[[], Settings],
        reporter: Reporter,
        clock: Clock | None = None,
        before_write: Callable[[], None] = lambda: None,
        guards: Callable[[], Guards] = Guards,
        shared: SharedIds | None = None,
    ) -> None:
        self.reporter, self.clock, self.registry = Reports(reporter), clock or Clock(), ResourceRegistry(shared)
        self._deletes = 0
        self._told: set[str] = set()
        self._shown_at: dict[str, float] = {}
        self.single_reads = SingleReads()
        self._read_settings, self._before_write, self._read_guards = settings, before_write, guards
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._guards: Guards | None = None
        self._shared: dict[Any, Any] = {}

    @property
    def settings(self) -> Settings:
        """The settings, read at first use.

        Raises:
            ConfigError: There is no token, or a value is invalid.
        """
        with self._lock:
            if self._settings is None:
                self._settings = self._read_settings()
            return self._settings

    @property
    def guards(self) -> Guards:
        """The settings that need no token, read at first use.

        Raises:
            ConfigError: A value is invalid.
        """
        with self._lock:
            if self._guards is None:
                self._guards = self._read_guards()
            return self._guards

    def tell(self, text: str, *, unless_told: bool = False) -> None:
        """Warn of what a change does.

        Args:
            text: The warning.
            unless_told: Whether to leave it out if this run has told it before in the same words.
        """
        if self.is_new(text) or not unless_told:
            self.reporter.warn(text)

    def is_new(self, text: str) -> bool:
        """Return whether this run has not told a text yet; from now on it has."""
        with self._lock:
            is_told = text in self._told
            self._told.add(text)
        return not is_told

    def show(self, text: str, about: str) -> None:
        """Show what the run waits for or works on: at its beginning and each half minute, or always if it is live.

        Args:
            text: The status, which can have a number that changes.
            about: What stays the same in all texts about one wait or work.
        """
        with self._lock:
            now = self.clock.now()
            if not self.reporter.is_live and now < self._shown_at.get(about, float("-inf")) + _STATUS_SECONDS:
                return
            self._shown_at[about] = now
        self.reporter.status(text)

    def take_delete(self, what: str, *, counts: bool) -> None:
        """Count a delete, right before it is sent.

        Args:
            what: What is deleted, for the message.
            counts: Whether the program no longer declares it; the old object of a replacement does not count.

        Raises:
            ConfigError: The run has deleted as many as `maxDeletes` allows; nothing was sent.
        """
        most = self.guards.max_deletes
        with self._lock:
            if counts and most is not None and self._deletes >= most:
                raise ConfigError(f"{what} is not deleted, and nothing was sent: {self.most_deletes()}")
            self._deletes += counts

    def most_deletes(self) -> str:
        """Return how many deletes the setting allows, and what to do if these are not enough."""
        return (
            f"this run may delete {self.guards.max_deletes}, by {NAMESPACE}:maxDeletes. Check what it deletes, or for "
            f"one run: {MAX_DELETES}=off"
        )

    @property
    def transport(self) -> Transport:
        """The HTTP transport, created at first use.

        Raises:
            ConfigError: There is no token, or a value is invalid.
        """
        # The HTTP client takes long to import, and a preview without changes sends nothing.
        from billing_provider.transport.http import Transport  # noqa: PLC0415 - see above
        from billing_provider.transport.pacing import Pacer  # noqa: PLC0415 - see above

        settings = self.settings
        pacer = Pacer(settings, self.clock, self.show)
        return self._once(Transport, lambda: Transport(settings, pacer, self.clock, self._before_write))

    def api(self, endpoints: Callable[[Transport], T]) -> T:
        """Return an API client, such as `run.api(BudgetsApi)`; it is created once.

        Raises:
            ConfigError: There is no token, or a value is invalid.
        """
        transport = self.transport
        return self._once(endpoints, lambda: endpoints(transport))

    def cache(self, kind: Callable[[Run, Owner], T], owner: Owner) -> T:
        """Return a cache of one owner, such as `run.cache(OwnerCache, owner)`; it is created once."""
        return self._once((kind, owner.key), lambda: kind(self, owner))

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._shared:
                self._shared[key] = make()
            found: T = self._shared[key]
            return found
