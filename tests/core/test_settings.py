"""What a run is told, and what it refuses to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.core.address import GITHUB
from billing_provider.core.clock import TEST_TIME
from billing_provider.core.errors import ConfigError
from billing_provider.core.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "sandbox-owner-token"
LOCAL = "http://127.0.0.1:8080/api/v3"
NUMBERS = {
    # setting: (default, lowest, highest), on GitHub and on this machine
    "writeIntervalSeconds": ((1, 1, 60), (0, 0, 60)),
    "writesPerMinute": ((80, 1, 80), (0, 0, 80)),
    "writesPerHour": ((500, 1, 500), (0, 0, 500)),
    "maxWaitSeconds": ((600, 0, 86_400), (600, 0, 86_400)),
    "requestTimeoutSeconds": ((30, 12, 300), (30, 0.05, 300)),
    "settleSeconds": ((15, 12, 300), (15, 0.05, 300)),
}
FIELDS = {
    "writeIntervalSeconds": "write_interval_seconds",
    "writesPerMinute": "writes_per_minute",
    "writesPerHour": "writes_per_hour",
    "maxWaitSeconds": "max_wait_seconds",
    "requestTimeoutSeconds": "request_timeout_seconds",
    "settleSeconds": "settle_seconds",
}


def read(environ: Mapping[str, str] | None = None, /, **config: str) -> Settings:
    return read_settings(
        {f"github-billing:{name}": value for name, value in config.items()}.get,
        {"GITHUB_TOKEN": TOKEN} if environ is None else environ,
    )


def test_the_token_is_looked_for_in_order() -> None:
    """The stack's secret comes before GITHUB_BILLING_TOKEN, and that before GITHUB_TOKEN; blank ones are none."""
    environ = {"GITHUB_BILLING_TOKEN": "the-second", "GITHUB_TOKEN": "the-third"}
    assert read(environ, token="the-first").token == "the-first"
    assert read(environ).token == "the-second"
    assert read({**environ, "GITHUB_BILLING_TOKEN": " \n"}, token="").token == "the-third"


def test_no_token_says_how_to_give_one() -> None:
    """Without any token the error names the variables and the command."""
    with pytest.raises(ConfigError, match=r"GITHUB_BILLING_TOKEN.*pulumi config set --secret github-billing:token"):
        read({})


def test_a_fixed_time_is_for_a_sandbox_only() -> None:
    """With the time of tests in the environment, GitHub is refused and an address on this machine is not."""
    fixed = {"GITHUB_TOKEN": TOKEN, TEST_TIME: "2026-12-01T00:00:30Z"}
    for address in (GITHUB, "https://api.octo.ghe.com"):
        with pytest.raises(ConfigError, match=f"{TEST_TIME} fixes the time for tests .* unset it to use {address}"):
            read({**fixed, "GITHUB_API_URL": address})
    assert read({**fixed, "GITHUB_API_URL": LOCAL}).is_loopback
    assert read({**fixed, TEST_TIME: ""}).base_url == GITHUB


@pytest.mark.parametrize("around", ["{}\n", "\r\n{}", "  {} \t"])
def test_blanks_around_a_token_are_dropped(around: str) -> None:
    """A newline from a file or a clipboard does no harm."""
    assert read({"GITHUB_TOKEN": around.format(TOKEN)}).token == TOKEN


@pytest.mark.parametrize("token", ["two words", "two\nlines", "t\u00f6ken", "bell\x07bell", "nul\0byte"])
@pytest.mark.parametrize("source", ["github-billing:token", "GITHUB_BILLING_TOKEN", "GITHUB_TOKEN"])
def test_a_malformed_token_is_refused_unseen(token: str, source: str) -> None:
    """The error names the place and shows no part of the token."""
    with pytest.raises(ConfigError) as caught:
        read_settings({source: token}.get, {source: token})
    assert source in str(caught.value)
    for part in token.split():
        assert part not in str(caught.value)


def test_a_token_that_was_cut_is_refused() -> None:
    """A few characters are no token, and could not be masked."""
    with pytest.raises(ConfigError, match="the token in GITHUB_TOKEN has fewer than 8 characters"):
        read({"GITHUB_TOKEN": "sandbox"})


def test_the_token_is_not_in_the_representation() -> None:
    """Whoever prints the settings does not print the token."""
    assert TOKEN not in repr(read())


def test_the_address_is_looked_for_in_order() -> None:
    """The stack's setting comes before GITHUB_API_URL, and that before GitHub."""
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "https://api.octo.ghe.com"}
    assert read(environ, baseUrl=LOCAL).base_url == LOCAL
    assert read(environ).base_url == "https://api.octo.ghe.com"
    assert read().base_url == GITHUB == "https://api.github.com"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("place", [0, 1])
def test_numbers_have_defaults_and_bounds(name: str, place: int) -> None:
    """Each number is taken within its bounds and refused outside, by name; on this machine nothing need wait."""
    default, low, high = NUMBERS[name][place]
    address = (GITHUB, LOCAL)[place]
    assert getattr(read(baseUrl=address), FIELDS[name]) == default
    for value in (low, high):
        assert getattr(read(baseUrl=address, **{name: str(value)}), FIELDS[name]) == value
    for wrong in (str(low - 0.01), str(high + 0.5), "nan", "inf", "-inf", "many", ""):
        with pytest.raises(ConfigError, match=f"github-billing:{name} must be a number from"):
            read(baseUrl=address, **{name: wrong})
