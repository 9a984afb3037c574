"""The system clock, and the variable that fixes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from billing_provider.core.clock import TEST_TIME, Clock, day, instant
from billing_provider.core.errors import ConfigError
from billing_provider.sandbox import Sandbox
from billing_provider.sandbox.store import clock as sandbox_clock

if TYPE_CHECKING:
    from collections.abc import Callable

WALLS = {"provider": Clock().wall, "sandbox": sandbox_clock.wall}
every_wall = pytest.mark.parametrize("wall", WALLS.values(), ids=WALLS)


def test_monotonic_time_sleep_and_jitter() -> None:
    """Monotonic time only increases, sleep waits, and jitter stays in its range, even with a fixed wall clock."""
    clock = Clock()
    start = clock.now()
    clock.sleep(0.001)
    assert clock.now() > start
    assert all(0 <= clock.jitter() < 1 for _ in range(100))


@every_wall
@pytest.mark.parametrize("unset", [None, ""])
def test_wall_clock_without_the_variable(
    wall: Callable[[], float], unset: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the variable, the wall clock of provider and sandbox is the machine's."""
    monkeypatch.delenv(TEST_TIME) if unset is None else monkeypatch.setenv(TEST_TIME, unset)
    before = time.time()
    assert before <= wall() <= time.time()


@every_wall
@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T00:00:30Z",
        "2026-12-01T00:00:30z",
        "2026-12-01T14:00:30+14:00",
        "2026-12-01T00:00:30",
        "2026-12-01 00:00:30",
    ],
)
@pytest.mark.usefixtures("far_zone")
def test_the_variable_fixes_the_wall_clock(
    wall: Callable[[], float], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Provider and sandbox read the same time from the variable; a time without an offset is UTC."""
    assert sandbox_clock.TEST_TIME == TEST_TIME
    monkeypatch.setenv(TEST_TIME, text)
    assert wall() == 1_796_083_230


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-02-30", "1796083230", "0001-01-01T00:00:00+14:00", "20261201T000030Z", "2026-W49-2"]
)
def test_an_invalid_fixed_time_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the provider and of the sandbox names the variable and the correct form."""
    monkeypatch.setenv(TEST_TIME, text)
    with pytest.raises(ConfigError, match=f"{TEST_TIME} must be a time such as 2026-12-01T00:00:30Z"):
        Clock().wall()
    with pytest.raises(ValueError, match=f"{TEST_TIME} must be a time such as 2026-12-01T00:00:30Z"):
        Sandbox()


# Every supported Python reads the first ones, and none the last ones; the standard library differs between versions.
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-12-01T00:00:30.5Z", "2026-12-01T00:00:30.500000+00:00"),
        ("2026-12-01T00:00:30.123456789Z", "2026-12-01T00:00:30.123456+00:00"),
        ("2026-12-01T02:00+02:00", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01", "2026-12-01T00:00:00+00:00"),
        ("20261201", None),
        ("2026-335", None),
        ("2026-W49-2", None),
        ("2026-12-01T000030", None),
        ("2026-12-01T00:00:30+0200", None),
        ("2026-12-01T24:00:00", None),
        ("", None),
    ],
)
def test_times_are_read_alike_by_every_python(text: str, read: str | None) -> None:
    """An ISO 8601 time in the extended form is read, with any number of fractional digits; other forms are refused."""
    try:
        assert instant(text).isoformat() == read
    except ValueError:
        assert read is None


@pytest.mark.parametrize("text", ["20260131", "2026-W05-6", "2026-02-30", "2026-1-31", "2026-01-31T00:00:00"])
def test_a_day_has_one_form(text: str) -> None:
    """A day is YYYY-MM-DD and exists."""
    assert day("2026-01-31").isoformat() == "2026-01-31"
    with pytest.raises(ValueError, match=r".*"):
        day(text)
