"""GitHub's limits as the sandbox counts them, with four threads that write at once."""

from __future__ import annotations

import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from billing_provider.budgets.skus import LICENSE_SKUS, SKUS
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.errors import WaitError
from billing_provider.core.owners import ORGANIZATION_OWNER, Owner
from billing_provider.core.settings import Settings
from billing_provider.transport.http import Transport
from billing_provider.transport.pacing import Pacer
from tests.faults.matrix import ENTERPRISE, FAULTS, budget
from tests.faults.world import Inputs, Program, World
from tests.support.clock import VirtualClock
from tests.support.wire import WireServer, answer

OWNERS = [ENTERPRISE, *(Owner(ORGANIZATION_OWNER, login) for login in ("octo-org", "octo-lab", "octo-apps"))]
THREADS = 4
# Virtual time leaps while a request of another thread is on its way, which is no slow answer.
PATIENT = {"request_timeout_seconds": 1e6}


def program(count: int) -> Program:
    """Return so many budgets over all owners, no two of one key."""
    targets = itertools.islice(itertools.product(sorted(SKUS - LICENSE_SKUS), OWNERS), count)
    return {f"b{number}": budget(owner, sku=sku) for number, (sku, owner) in enumerate(targets)}


def write_times(world: World) -> list[float]:
    """Return when each write arrived, by the sandbox's clock."""
    return [write.at for write in world.sandbox.writes]


def test_writes_are_at_least_one_second_apart() -> None:
    """Four threads that create, update and delete leave at least one second between any two writes."""
    with World(threads=THREADS, settings=PATIENT) as world:
        assert world.up(program(24)) is None
        changed = {name: {**inputs, "budget_amount": 7} for name, inputs in program(20).items()}
        assert world.up(changed) is None
        times = write_times(world)
        assert world.sandbox.unpaced_writes == 0
    assert len(times) == 24 + 20 + 4
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 1.0
    assert world.violations == []


def test_writes_per_minute_and_per_hour_are_limited() -> None:
    """Six hundred writes of one run stay below 80 a minute and 500 an hour, and none is refused."""
    quick = {**PATIENT, "write_interval_seconds": 0.0, "max_wait_seconds": 86_400.0}
    with World(page_cap=100, settings=quick, quirks=("enforce_limits=100000",)) as world:
        harness = world.harness()

        def write(numbered: tuple[str, Inputs]) -> None:
            name, inputs = numbered
            lifecycle = harness.lifecycle(inputs)
            checked = lifecycle.check(name, {}, inputs, frozenset()).inputs
            stored = lifecycle.create(name, checked)
            for amount in range(1, 5):
                lifecycle.update(stored.id, {**checked, "budget_amount": 0}, {**checked, "budget_amount": amount})

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(write, program(120).items()))
        times = write_times(world)
        assert {write.status for write in world.sandbox.writes} == {200}
    assert len(times) == 600
    for span, most in ((60.0, 80), (3600.0, 500)):
        assert min(times[i + most] - times[i] for i in range(len(times) - most)) >= span


@pytest.mark.parametrize("kind", ["403_primary", "429_primary", "403_secondary", "429_secondary"])
def test_a_limit_of_an_hour_is_an_error(kind: str) -> None:
    """A wait above maxWaitSeconds ends the requests of all threads immediately, with the reason and the advice."""
    with World(threads=THREADS, settings=PATIENT) as world:
        world.sandbox.plan([{"action": kind, "op": "create_budget", "seconds": 3600}])
        failure = world.up(program(8))
        assert isinstance(failure, WaitError)
        assert world.sandbox.requests_while_blocked == 0
        assert sum(write.method == "POST" for write in world.sandbox.writes) == 1
    assert re.search(
        r"GitHub's (hourly|secondary) limit requires a wait of 360[01] s, longer than "
        r"github-billing:maxWaitSeconds still allows: nothing was sent. Run again later, or increase the setting.",
        str(failure),
    )
    assert world.clock.now() < 600


def test_a_wait_for_a_limit_is_shown_and_obeyed() -> None:
    """A limit within maxWaitSeconds is obeyed completely; the status line shows the reason and the remaining time."""
    with World(threads=THREADS, settings=PATIENT) as world:
        world.sandbox.plan([{"action": "429_secondary", "op": "create_budget", "nth": 3, "seconds": 90}])
        assert world.up(program(8)) is None
        assert world.sandbox.requests_while_blocked == 0
        met = next(write for write in world.sandbox.writes if write.status == 429)
        after = next(write for write in world.sandbox.writes if write.at > met.at)
    assert after.at - met.at >= 90
    assert "waiting 90 s for GitHub's secondary limit" in world.said


@pytest.mark.parametrize("seed", range(6))
def test_forty_budgets_are_created_while_five_percent_of_requests_fail(seed: int) -> None:
    """With 5 % of requests failing at random, three runs of four threads create 40 budgets, each once."""
    kinds = ("50", "403", "429", "reset", "bad", "empty")
    usual = [rule for name, rule in FAULTS.values() if name.startswith(kinds) and "hour" not in name]
    wanted = program(40)
    with World(threads=THREADS, page_cap=10, settings=PATIENT) as world:
        world.sandbox.plan(
            [
                {**rule, "probability": 0.05 / len(usual), "seed": seed * 1000 + number}
                for number, rule in enumerate(usual)
            ]
        )
        runs = next(run for run in range(1, 5) if world.up(wanted) is None)
        world.sandbox.plan([])
        assert runs <= 3
        assert len(world.live()) == 40
        assert world.differences(wanted) == []
        world.settle_accounts()
        assert (world.duplicates, world.orphans, world.violations, world.tokens_seen()) == (0, 0, [], 0)
        assert world.sandbox.requests_while_blocked == 0


def test_an_incomplete_limit_response_is_obeyed() -> None:
    """If the body of a limit response is incomplete, its status and headers still apply."""
    clock = VirtualClock()
    broken = answer(429, {"message": "rate limit"}, retry_after="90").replace(b"Content-Length: ", b"Content-Length: 9")
    with WireServer(broken, answer(200, {"ok": True})) as server:
        chosen = Settings(Credentials(Token("a-token-of-the-tests")), base_url=server.url)
        transport = Transport(chosen, Pacer(chosen, clock, lambda *_: None), clock, lambda: None)
        assert transport.request("GET", "/x", action="try").data == {"ok": True}
    assert (len(server.heard), clock.now()) == (2, 90.0)
