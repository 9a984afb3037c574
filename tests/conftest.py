"""What every test gets: no way out of this machine, an empty environment of tokens and proxies, a run to work with."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import socket
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, Owner
from billing_provider.sandbox import Sandbox
from tests.support.clock import VirtualClock
from tests.support.harness import RunHarness, open_harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# No timed assertions: a busy machine is no mistake, and the first run on one builds its tables of characters.
# `EXAMPLES=1000 make test` looks further than the default run, which has two minutes on two cores for everything.
_EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
settings.register_profile(
    "project",
    deadline=None,
    max_examples=_EXAMPLES,
    # The default run looks at the same examples everywhere, so that it is green or red for all.
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("project")

_CLEARED = (
    "GITHUB_BILLING_TOKEN",
    "GITHUB_TOKEN",
    "GITHUB_API_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)


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
    """Give the SDK the current event loop that its mocks and Outputs ask for, and newer Pythons make for nobody."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the tokens, addresses and proxies of whoever runs the tests."""
    for name in _CLEARED:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# Written so that no database of time zones is needed: Kiritimati's and the last one's.
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
    """A fresh sandbox that lives by the virtual clock."""
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
    """Spare the collector what every test has in common: all modules and all tests."""
    gc.freeze()
