"""One run against one sandbox, without an engine, for the lifecycle tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.settings import Guards, Settings
from billing_provider.operations import all_operations
from billing_provider.runtime.run import Run
from tests.support.clock import VirtualClock

if TYPE_CHECKING:
    from billing_provider.operations import Operations
    from billing_provider.sandbox import Sandbox


@dataclass
class Listener:
    """A reporter that records warnings and status lines."""

    is_live: bool = True
    warnings: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Record a warning."""
        self.warnings.append(text)

    def status(self, text: str) -> None:
        """Record a status line."""
        self.statuses.append(text)


@dataclass
class RunHarness:
    """One engine run against one sandbox: the lifecycles of budgets, all operations, the reporter and the clock."""

    sandbox: Sandbox
    run: Run
    reporter: Listener
    clock: VirtualClock
    enterprise: Lifecycle
    organization: Lifecycle
    operations: dict[str, Operations]

    def lifecycle(self, inputs: dict[str, Any]) -> Lifecycle:
        """Return the lifecycle for the owner that the inputs name."""
        return self.enterprise if "enterprise" in inputs else self.organization


def open_harness(
    sandbox: Sandbox, clock: VirtualClock | None = None, guards: Guards | None = None, **settings: Any
) -> RunHarness:
    """Return the harness of a new run; `settings` override those of the sandbox."""
    clock = clock or VirtualClock()
    reporter = Listener()
    # The name of a role is its token in this sandbox.
    token = settings.pop("token", sandbox.token)
    plain: dict[str, Any] = {
        "credentials": Credentials(Token(sandbox.tokens.get(token, token))),
        "base_url": sandbox.url,
        "write_interval_seconds": 0.0,
        "writes_per_minute": 0,
        "writes_per_hour": 0,
    }
    chosen = Settings(**{**plain, **settings})
    run = Run(lambda: chosen, reporter, clock, guards=lambda: guards or Guards())
    enterprise, organization = (Lifecycle(kind, run) for kind in OWNER_KINDS.values())
    return RunHarness(sandbox, run, reporter, clock, enterprise, organization, all_operations(run))
