"""Settings of a run: sources, defaults, bounds and refused values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from billing_provider.core.address import GITHUB
from billing_provider.core.clock import TEST_TIME
from billing_provider.core.errors import ConfigError
from billing_provider.core.settings import SETTINGS, Guards, Settings, check_keys, read_guards, read_settings

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


def test_precedence_of_the_token_sources() -> None:
    """GITHUB_BILLING_TOKEN precedes the stack's secret, which precedes GITHUB_TOKEN; blank values are ignored."""
    environ = {"GITHUB_BILLING_TOKEN": "the-first", "GITHUB_TOKEN": "the-third"}
    assert read(environ, token="the-second").credentials.tokens == ("the-first",)
    assert read(environ).credentials.tokens == ("the-first",)
    assert read({**environ, "GITHUB_BILLING_TOKEN": " \n"}, token="the-second").credentials.tokens == ("the-second",)
    assert read({**environ, "GITHUB_BILLING_TOKEN": " \n"}, token="").credentials.tokens == ("the-third",)


def test_a_sandbox_gets_no_real_token() -> None:
    """On this machine the configured token precedes every variable, which may hold a real one."""
    app = {"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY": "a real key"}
    for environ in ({"GITHUB_BILLING_TOKEN": "a-real-one"}, app):
        assert read(environ, token="a-sample", baseUrl=LOCAL).credentials.tokens == ("a-sample",)


def test_a_missing_token_is_explained() -> None:
    """Without a token, the error names the variables and the command."""
    with pytest.raises(ConfigError, match=r"GITHUB_BILLING_TOKEN.*pulumi config set --secret github-billing:token"):
        read({})
    with pytest.raises(ConfigError, match=r"GITHUB_BILLING_TOKEN \(or GITHUB_TOKEN\); for a"):
        read_settings(None, {})


def test_a_fixed_time_is_refused_for_github() -> None:
    """With a fixed test time in the environment, GitHub's address is refused and loopback is allowed."""
    fixed = {"GITHUB_TOKEN": TOKEN, TEST_TIME: "2026-12-01T00:00:30Z"}
    for address in (GITHUB, "https://api.octo.ghe.com"):
        with pytest.raises(ConfigError, match=f"{TEST_TIME} fixes the time for tests .* unset it to use {address}"):
            read({**fixed, "GITHUB_API_URL": address})
    assert read({**fixed, "GITHUB_API_URL": LOCAL}).is_loopback
    assert read({**fixed, TEST_TIME: ""}).base_url == GITHUB


@pytest.mark.parametrize("around", ["{}\n", "\r\n{}", "  {} \t"])
def test_whitespace_around_a_token_is_stripped(around: str) -> None:
    """A newline from a file or a clipboard is removed."""
    assert read({"GITHUB_TOKEN": around.format(TOKEN)}).credentials.tokens == (TOKEN,)


@pytest.mark.parametrize("token", ["two words", "two\nlines", "t\u00f6ken", "bell\x07bell", "nul\0byte"])
@pytest.mark.parametrize("source", ["github-billing:token", "GITHUB_BILLING_TOKEN", "GITHUB_TOKEN"])
def test_a_malformed_token_is_refused_without_showing_it(token: str, source: str) -> None:
    """The error names the source and contains no part of the token."""
    with pytest.raises(ConfigError) as caught:
        read_settings({source: token}.get, {source: token})
    assert source in str(caught.value)
    for part in token.split():
        assert part not in str(caught.value)


def test_a_short_token_is_refused() -> None:
    """A token of a few characters is refused, because it could not be masked."""
    with pytest.raises(ConfigError, match="the token in GITHUB_TOKEN has fewer than 8 characters"):
        read({"GITHUB_TOKEN": "sandbox"})


def test_the_token_is_not_in_the_repr() -> None:
    """The repr of the settings does not contain the token."""
    assert TOKEN not in repr(read())


def test_precedence_of_the_address_sources() -> None:
    """The stack's setting precedes GITHUB_API_URL, which precedes GitHub's address."""
    environ = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "https://api.octo.ghe.com"}
    assert read(environ, baseUrl=LOCAL).base_url == LOCAL
    assert read(environ).base_url == "https://api.octo.ghe.com"
    assert read().base_url == GITHUB == "https://api.github.com"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("place", [0, 1])
def test_numbers_have_defaults_and_bounds(name: str, place: int) -> None:
    """Each number has a default and is refused outside its bounds, by name; loopback allows no pauses."""
    default, low, high = NUMBERS[name][place]
    address = (GITHUB, LOCAL)[place]
    assert getattr(read(baseUrl=address), FIELDS[name]) == default
    for value in (low, high):
        assert getattr(read(baseUrl=address, **{name: str(value)}), FIELDS[name]) == value
    for wrong in (str(low - 0.01), str(high + 0.5), "nan", "inf", "-inf", "many", ""):
        with pytest.raises(ConfigError, match=f"github-billing:{name} must be a number from"):
            read(baseUrl=address, **{name: wrong})


LIMITS = {
    # setting: (variable for one run, field)
    "maxIncreaseUsd": ("GITHUB_BILLING_MAX_INCREASE_USD", "max_increase_usd"),
    "maxIncreasePercent": ("GITHUB_BILLING_MAX_INCREASE_PERCENT", "max_increase_percent"),
}


def guards(environ: Mapping[str, str] | None = None, /, **config: str) -> Guards:
    return read_guards({f"github-billing:{name}": value for name, value in config.items()}.get, environ or {})


def test_guards_need_no_token() -> None:
    """Without a token and settings there are no limits, no protection and no stack-wide defaults; previews read."""
    assert guards() == Guards(
        max_increase_usd=None,
        max_increase_percent=None,
        max_deletes=None,
        protect_hard_stops=False,
        preview_reads=True,
        on_existing=None,
        on_delete=None,
    )


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_a_raise_is_a_number_or_off(name: str) -> None:
    """The variable takes precedence over the stack's setting; `off` is no limit, and an empty variable is none."""
    variable, field = LIMITS[name]
    for text, value in {"0": 0, "1000": 1000, "12.5": 12.5, "off": None}.items():
        assert getattr(guards(**{name: text}), field) == value
        assert getattr(guards({variable: text}, **{name: "7"}), field) == value
    assert getattr(guards({variable: ""}, **{name: "7"}), field) == 7
    for wrong in ("-1", "nan", "inf", "many", " ", "none"):
        with pytest.raises(ConfigError, match=f"^github-billing:{name} must be a number, 0 or more, or off$"):
            guards(**{name: wrong})
        with pytest.raises(ConfigError, match=f"^{variable} must be a number, 0 or more, or off$"):
            guards({variable: wrong}, **{name: "7"})
    with pytest.raises(ConfigError, match=f"github-billing:{name} must be"):
        guards(**{name: ""})


def test_the_limit_of_deletes_is_a_whole_number_or_off() -> None:
    """The variable takes precedence over the stack's setting; `off` is no limit, and an empty variable is none."""
    variable = "GITHUB_BILLING_MAX_DELETES"
    for text, value in {"0": 0, "5": 5, "1000": 1000, "off": None}.items():
        found = [guards(maxDeletes=text).max_deletes, guards({variable: text}, maxDeletes="7").max_deletes]
        assert found == [value, value]
        assert [type(each) for each in found] == [type(value)] * 2
    assert guards({variable: ""}, maxDeletes="7").max_deletes == 7
    for wrong in ("-1", "1.5", "2.0", "1e3", "1_000", "nan", "inf", "many", " ", " 5", "\u0665", "9" * 5000):
        with pytest.raises(ConfigError, match=r"^github-billing:maxDeletes must be a whole number, 0 or more, or off$"):
            guards(maxDeletes=wrong)
        with pytest.raises(ConfigError, match=f"^{variable} must be a whole number, 0 or more, or off$"):
            guards({variable: wrong}, maxDeletes="7")
    with pytest.raises(ConfigError, match=r"^github-billing:maxDeletes must be"):
        guards(maxDeletes="")


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("protectHardStops", "protect_hard_stops", {"true": True, "false": False}),
        ("previewReads", "preview_reads", {"true": True, "false": False}),
        (
            "onExisting",
            "on_existing",
            {"adopt_if_identical": "adopt_if_identical", "adopt": "adopt", "error": "error"},
        ),
        ("onDelete", "on_delete", {"delete": "delete", "keep": "keep"}),
    ],
)
def test_a_choice_is_one_of_its_values(name: str, field: str, values: Mapping[str, object]) -> None:
    """Each value is accepted as it is written; any other one is refused with the list."""
    for text, value in values.items():
        assert getattr(guards(**{name: text}), field) == value
    for wrong in ("", "True", "yes", "DELETE"):
        with pytest.raises(ConfigError, match=f"^github-billing:{name} must be one of {', '.join(values)}$"):
            guards(**{name: wrong})


def test_every_setting_that_is_read_has_a_known_name() -> None:
    """The known names are those that the readers ask for, and they pass the check, as do those of other namespaces."""
    asked: list[str] = []

    def get(key: str) -> str | None:
        asked.append(key.partition(":")[2])
        return TOKEN if key.endswith(":token") else None

    read_settings(get, {})
    read_guards(get, {})
    assert sorted(SETTINGS) == sorted(asked)
    check_keys([*(f"github-billing:{name}" for name in SETTINGS), "github:tokn", "shop:token", "token"])


def test_all_wrong_values_are_in_one_error() -> None:
    """Two values out of their range are two parts of one error, without the values."""
    with pytest.raises(
        ConfigError, match=r"^github-billing:maxDeletes must be .*; github-billing:onDelete must be one"
    ):
        guards(maxDeletes="many", onDelete="sometimes")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("maxIncreaseUSD", "; did you mean maxIncreaseUsd?"),
        ("tokn", "; did you mean token?"),
        ("colour", "; the settings are appId, appPrivateKey, .* and [0-9]+ more."),
        ("", "; the settings are appId"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_name(name: str, said: str) -> None:
    """The error names the key and what to do; without a similar name it lists all settings."""
    with pytest.raises(ConfigError, match=f"^github-billing:{name}: no such setting{said}.* nothing was sent"):
        check_keys(["github-billing:token", f"github-billing:{name}"])


def test_all_unknown_settings_are_in_one_error() -> None:
    """Two misspelt names are two sentences of one error."""
    with pytest.raises(ConfigError, match=r"github-billing:tokn: .* token\? github-billing:onDelet: .* onDelete\? "):
        check_keys(["github-billing:tokn", "github-billing:onDelet"])
