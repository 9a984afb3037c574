"""Settings of a run, from the stack's configuration or the environment: credentials, host, limits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic.alias_generators import to_camel

from billing_provider.core.address import GITHUB, api_address, is_loopback
from billing_provider.core.clock import TEST_TIME
from billing_provider.core.credentials import TEXTS, Credentials, read_credentials
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import ON_DELETE, ON_EXISTING, did_you_mean, nearest
from billing_provider.core.limits import MAX_INCREASE_PERCENT, MAX_INCREASE_USD, OFF, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

NAMESPACE = "github-billing"
GITHUB_CUTOFF_SECONDS = 10.0
"""GitHub aborts a request after this time; a write that has not been applied by then is never applied."""

MAX_DELETES = "GITHUB_BILLING_MAX_DELETES"


class Form(NamedTuple):
    """The form of a setting in the stack's configuration; every value there is a text.

    Attributes:
        expected: What it must be, for the message.
        read: Returns its value; a ValueError refuses the text.
        default: The value without a text.
        variable: The environment variable that takes precedence, for one run.
        local: The form for an address on this machine, where it differs.
    """

    expected: str
    read: Callable[[str], Any]
    default: Any
    variable: str = ""
    local: Form | None = None


def _number(default: float, low: float, high: float, *, local: float | None = None, local_default: Any = None) -> Any:
    """Declare a number in a range; on loopback, where nothing must be spared, the range may begin lower."""

    def form(default: float, low: float) -> Form:
        def read(text: str) -> Any:
            if not low <= (value := float(text)) <= high:
                raise ValueError(text)
            return type(default)(value)

        return Form(f"a number from {low:g} to {high:g}", read, default)

    on_loopback = None if local is None else form(default if local_default is None else local_default, local)
    return field(default=default, metadata={"form": form(default, low)._replace(local=on_loopback)})


def _limit(variable: str, read: Callable[[str], float], kind: str = "number") -> Any:
    """Declare a limit, which is off by default."""

    def value(text: str) -> float | None:
        return None if text == OFF else read(text)

    form = Form(f"a {kind}, 0 or more, or {OFF}", value, None, variable)
    return field(default=None, metadata={"form": form})


def _choice(choices: Mapping[str, Any] | Sequence[str], default: Any = None) -> Any:
    """Declare a choice: its texts, or a mapping from them to their values."""
    values = choices if isinstance(choices, dict) else {each: each for each in choices}

    def read(text: str) -> Any:
        if text not in values:
            raise ValueError(text)
        return values[text]

    return field(default=default, metadata={"form": Form(f"one of {', '.join(values)}", read, default)})


def _amount(text: str) -> float:
    if not 0 <= (value := float(text)) < math.inf:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True)
class Settings:
    """Validated settings of one run.

    Attributes:
        credentials: The tokens and Apps.
        base_url: The API's address, without a trailing slash.
        write_interval_seconds: Pause between the end of one write and the start of the next.
        writes_per_minute: Maximum number of writes in any 60 seconds; 0 for no limit.
        writes_per_hour: Maximum number of writes in any 3,600 seconds; 0 for no limit.
        max_wait_seconds: Maximum total wait of one request for limits and retries.
        request_timeout_seconds: Maximum time without data, and maximum duration, of one request.
        settle_seconds: How long the listing is polled after a create without a response.
    """

    credentials: Credentials = field(default_factory=Credentials)
    base_url: str = GITHUB
    # A pause is not needed on loopback; GitHub requires at least one second.
    write_interval_seconds: float = _number(1.0, 1, 60, local=0, local_default=0.0)
    writes_per_minute: int = _number(80, 1, 80, local=0, local_default=0)
    writes_per_hour: int = _number(500, 1, 500, local=0, local_default=0)
    max_wait_seconds: float = _number(600.0, 0, 86_400)
    request_timeout_seconds: float = _number(30.0, 12, 300, local=0.05)
    settle_seconds: float = _number(15.0, 12, 300, local=0.05)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine: a sandbox, without limits unless they are configured."""
        return is_loopback(self.base_url)


@dataclass(frozen=True)
class Guards:
    """Validated settings that a check needs; they are read without a token, because a preview can run without one.

    Attributes:
        max_increase_usd: Largest raise of an amount and largest amount of a new budget, in US dollars or licenses; a
            larger one and a removed hard stop are refused. `off` or absent: no limit.
        max_increase_percent: Largest raise of an amount, in percent; a larger one and a removed hard stop are refused.
            `off` or absent: no limit.
        max_deletes: Largest number of budgets and cost centers that one run deletes; the old one of a replacement does
            not count, and further ones are refused. `off` or absent: no limit.
        protect_hard_stops: Whether a program gives each declared hard stop Pulumi's own `protect`; only the program
            reads it, and here its value is checked.
        preview_reads: Whether a preview compares changes with GitHub.
        on_existing: Default of the input `on_existing` in this stack.
        on_delete: Default of the input `on_delete` in this stack: `delete` or `keep`.
    """

    max_increase_usd: float | None = _limit(MAX_INCREASE_USD, _amount)
    max_increase_percent: float | None = _limit(MAX_INCREASE_PERCENT, _amount)
    max_deletes: int | None = _limit(MAX_DELETES, _count, "whole number")
    protect_hard_stops: bool = _choice(_SWITCH, default=False)
    preview_reads: bool = _choice(_SWITCH, default=True)
    on_existing: str | None = _choice(ON_EXISTING)
    on_delete: str | None = _choice(ON_DELETE)

    @property
    def limits(self) -> Limits:
        """The limits of raises."""
        return Limits(self.max_increase_usd, self.max_increase_percent)


_FORMS: dict[type, dict[str, tuple[str, Form]]] = {
    kind: {each.name: (to_camel(each.name), each.metadata["form"]) for each in fields(kind) if "form" in each.metadata}
    for kind in (Settings, Guards)
}
FORMS = {key: form for of_kind in _FORMS.values() for key, form in of_kind.values()}
"""The forms of the settings that are not credentials or addresses, by their names in the configuration."""
SETTINGS = (*TEXTS, "baseUrl", *FORMS)
"""The names of all settings, without the namespace."""


def check_keys(keys: Iterable[str]) -> None:
    """Check the names of the settings in the stack's configuration.

    Args:
        keys: All keys of the configuration, with their namespaces; only those of this provider are checked.

    Raises:
        ConfigError: There is no such setting; the message has the similar names, or else the first ones.
    """
    found = [
        f"{key}: no such setting{did_you_mean(name, SETTINGS) or f'; the settings are {nearest(name, SETTINGS)}.'}"
        for key in keys
        for namespace, _, name in [key.partition(":")]
        if namespace == NAMESPACE and name not in SETTINGS
    ]
    if found:
        raise ConfigError(f"{' '.join(found)} Correct the stack's configuration; nothing was sent.")


def read_settings(get: Callable[[str], str | None] | None, environ: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    Args:
        get: Returns a value of the stack's configuration by its full key, or None; absent outside a stack.
        environ: The current environment variables.

    Raises:
        ConfigError: A value is missing or invalid; the message never contains the token.
    """
    configured = get or _nothing
    base_url = api_address(configured(f"{NAMESPACE}:baseUrl") or environ.get("GITHUB_API_URL") or GITHUB)
    local = is_loopback(base_url)
    credentials = read_credentials(get, environ, is_sandbox=local)
    if environ.get(TEST_TIME) and not local:
        raise ConfigError(
            f"{TEST_TIME} fixes the time for tests with a sandbox on this machine: unset it to use {base_url}"
        )

    return Settings(credentials, base_url, **_values(Settings, configured, environ, local=local))


def check_values(get: Callable[[str], str | None], environ: Mapping[str, str]) -> None:
    """Check the values of all settings except the credentials.

    Args:
        get: Returns a value of the stack's configuration by its full key, or None.
        environ: The current environment variables.

    Raises:
        ConfigError: A value is invalid; the message does not contain it.
    """
    base_url = api_address(get(f"{NAMESPACE}:baseUrl") or environ.get("GITHUB_API_URL") or GITHUB)
    _values(Settings, get, environ, local=is_loopback(base_url))
    read_guards(get, environ)


def read_guards(get: Callable[[str], str | None], environ: Mapping[str, str]) -> Guards:
    """Read and check the settings that need no token.

    Args:
        get: Returns a value of the stack's configuration by its full key, or None.
        environ: The current environment variables; those of the limits take precedence, for one run.

    Raises:
        ConfigError: A value is invalid.
    """
    return Guards(**_values(Guards, get, environ, local=False))


def _values(
    kind: type[Settings | Guards], get: Callable[[str], str | None], environ: Mapping[str, str], *, local: bool
) -> dict[str, Any]:
    """Return the values of the settings that have a form.

    Raises:
        ConfigError: Texts are refused; the message has all of them and no value.
    """
    found: dict[str, Any] = {}
    wrong = []
    for name, (key, declared) in _FORMS[kind].items():
        form = (local and declared.local) or declared
        setting = f"{NAMESPACE}:{key}"
        variable = form.variable if environ.get(form.variable) else ""
        text = environ[variable] if variable else get(setting)
        try:
            found[name] = form.default if text is None else form.read(text)
        except ValueError:
            wrong.append(f"{variable or setting} must be {form.expected}")
    if wrong:
        raise ConfigError("; ".join(wrong))
    return found


def _nothing(_key: str) -> None:
    """Return no value for any key: there is no stack."""
