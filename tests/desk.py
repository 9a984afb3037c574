"""One engine run against one sandbox, without an engine: what the lifecycle tests work at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billing_provider import rules
from billing_provider.lifecycle import Lifecycle
from billing_provider.run import Run
from billing_provider.settings import Settings
from tests.clock import VirtualClock

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox


@dataclass
class Listener:
    """A voice that remembers what it was told."""

    warnings: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Remember a warning."""
        self.warnings.append(text)

    def status(self, text: str) -> None:
        """Remember a status line."""
        self.statuses.append(text)


@dataclass
class Desk:
    """One engine run against one sandbox: both lifecycles, what they said, and the time they saw."""

    sandbox: Sandbox
    run: Run
    voice: Listener
    clock: VirtualClock
    enterprise: Lifecycle
    organization: Lifecycle

    def lifecycle(self, inputs: dict[str, Any]) -> Lifecycle:
        """Return the lifecycle for the owner that the inputs name."""
        return self.enterprise if "enterprise" in inputs else self.organization


def open_desk(sandbox: Sandbox, clock: VirtualClock | None = None, **settings: Any) -> Desk:
    """Return the desk of a new run; the settings are those of a sandbox where nothing else is said."""
    clock = clock or VirtualClock()
    voice = Listener()
    plain: dict[str, Any] = {
        "token": sandbox.token,
        "base_url": sandbox.url,
        "write_interval_seconds": 0.0,
        "writes_per_minute": 0,
        "writes_per_hour": 0,
    }
    chosen = Settings(**{**plain, **settings})
    run = Run(lambda: chosen, voice, clock)
    enterprise, organization = (Lifecycle(kind, run) for kind in rules.OWNER_KINDS.values())
    return Desk(sandbox, run, voice, clock, enterprise, organization)
