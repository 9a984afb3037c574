"""Fixtures of all tests: loopback connections only, no tokens or proxies from the environment, a harness."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import ipaddress
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from billing_provider.core import redact
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.engine import Engine
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.forked import OnFirstUse
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# No deadline: a slow machine must not fail a test, and hypothesis builds its character tables on its first run.
# Few examples, because every change runs all tests; `EXAMPLES=1000 make test` tries more.
_EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
settings.register_profile(
    "project",
    deadline=None,
    max_examples=_EXAMPLES,
    # The default run uses the same examples on every machine.
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("project")

_CLEARED = (
    "GITHUB_BILLING_TOKEN",
    "GITHUB_BILLING_APP_ID",
    "GITHUB_BILLING_APP_PRIVATE_KEY",
    "GITHUB_BILLING_APP_PRIVATE_KEY_FILE",
    "GITHUB_BILLING_CREDENTIALS",
    "GITHUB_TOKEN",
    "GITHUB_APP_ID",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_APP_PRIVATE_KEY_FILE",
    "GITHUB_API_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "COLUMNS",
)


@pytest.fixture(autouse=True)
def secrets_of_one_test() -> Iterator[None]:
    """Forget the tokens that a test registers: a made-up one can be a part of an id in another test."""
    before = set(redact._SECRETS)
    yield
    redact._SECRETS.clear()
    redact._SECRETS.update(before)


@pytest.fixture(autouse=True)
def described_traffic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With TRAFFIC=1, fail a test whose traffic does not fit GitHub's description."""
    if not os.environ.get("TRAFFIC"):
        yield
        return
    from tests.support.description import recorded, violations  # noqa: PLC0415 - it takes seconds

    seen = recorded(monkeypatch)
    yield
    assert [text for request, reply in seen for text in violations(request, reply)] == []


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Fail any test that looks up a name or opens a connection outside loopback."""
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def is_here(host: Any) -> bool:
        text = host.decode() if isinstance(host, bytes) else host
        try:
            return text in (None, "", "localhost") or ipaddress.ip_address(text).is_loopback
        except ValueError:
            return False

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_here(address[0]):
            pytest.fail(f"a test connects to {address[0]}")
        real_connect(self, address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_here(host):
            pytest.fail(f"a test looks up {host}")
        return real_lookup(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(scope="session", autouse=True)
def event_loop_for_the_sdk() -> Iterator[None]:
    """Provide the event loop that the SDK's mocks and Outputs expect, and close every loop that the SDK creates."""
    create, loops = asyncio.new_event_loop, []

    def new_event_loop() -> asyncio.AbstractEventLoop:
        # A loop keeps the context in which it is created; the context of a program would keep its engine.
        loops.append(contextvars.Context().run(create))
        loops[-1].set_exception_handler(log_without_traceback)
        return loops[-1]

    def log_without_traceback(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A failed program leaves Outputs that nobody reads. They are collected at any time, also while a later test
        # parses a file; Python 3.11 parses the lines of a traceback that it logs, and fails if it is parsing already.
        loop.default_exception_handler({name: value for name, value in context.items() if name != "exception"})

    with pytest.MonkeyPatch.context() as patch:
        # The mocks create a loop in each worker thread and never close it.
        patch.setattr(asyncio, "new_event_loop", new_event_loop)
        asyncio.set_event_loop(asyncio.new_event_loop())
        yield
    asyncio.set_event_loop(None)
    for loop in loops:
        loop.close()


@pytest.fixture(scope="session")
def pulumi_fork_server() -> OnFirstUse:
    """The fork server that all tests of this process share."""
    return OnFirstUse()


@pytest.fixture(scope="session", autouse=True)
def engines_fork(pulumi_fork_server: OnFirstUse) -> Iterator[None]:
    """Let the engines that a test does not make itself, as those of `try`, fork their processes too."""
    defaults = {**(Engine.__init__.__kwdefaults__ or {}), "fork_server": pulumi_fork_server}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine.__init__, "__kwdefaults__", defaults)
        yield


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the tokens, addresses and proxies of the user's environment."""
    for name in _CLEARED:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# UTC+14 and UTC-12, in a form that needs no time zone database.
@pytest.fixture(params=["<+14>-14", "<-12>+12"])
def far_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """A machine in the first and in the last time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def clock() -> VirtualClock:
    """A virtual clock."""
    return VirtualClock()


@pytest.fixture
def sandbox(clock: VirtualClock) -> Iterator[Sandbox]:
    """A fresh sandbox on the virtual clock."""
    with Sandbox(clock=clock.wall) as started:
        yield started


@pytest.fixture
def harness(sandbox: Sandbox, clock: VirtualClock) -> RunHarness:
    """A first run on the fresh sandbox."""
    return open_harness(sandbox, clock)


@pytest.fixture
def new_run(sandbox: Sandbox, clock: VirtualClock) -> Callable[..., RunHarness]:
    """Start further runs on the same sandbox, as the next `pulumi up` would."""

    def start(**chosen: Any) -> RunHarness:
        return open_harness(sandbox, clock, **chosen)

    return start


@pytest.fixture
def enterprise() -> Owner:
    """The enterprise of the sample data."""
    return Owner(ENTERPRISE_OWNER, "octo-enterprise")


@pytest.fixture
def organization() -> Owner:
    """An organization of the sample data."""
    return Owner(ORGANIZATION_OWNER, "octo-org")


def pytest_collection_finish() -> None:
    """Exclude modules and collected tests from garbage collection, to speed up the tests."""
    gc.freeze()
