"""Settings, reporter and result cache that all data functions of a program share; the resources check the settings.

A data function passes all its parameters on as `**locals()`, so it may not assign local variables.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import types
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime.config import CONFIG

from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.redact import clean
from billing_provider.core.settings import NAMESPACE, check_keys, check_values, read_settings
from billing_provider.core.values import plain, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ProgramLog:
    """Reporter of data functions: messages go to the engine's log, without a resource."""

    is_live = False

    def warn(self, text: str) -> None:
        """Show a warning of the program."""
        pulumi.log.warn(clean(text))

    def status(self, text: str) -> None:
        """Show the current wait as a status line; it replaces the previous one."""
        if pulumi_settings.SETTINGS.engine is not None:
            pulumi.log.info(clean(text), ephemeral=True)


class _Results:
    """The cached results of one program run; thread-safe."""

    def __init__(self) -> None:
        from billing_provider.reader import Reader  # noqa: PLC0415 - most programs only declare
        from billing_provider.runtime.run import Run  # noqa: PLC0415 - most programs only declare

        self.reader = Reader(Run(lambda: read_settings(pulumi.runtime.get_config, os.environ), ProgramLog()))
        self._lock = threading.Lock()
        self._key_locks: dict[Any, threading.Lock] = {}
        self._cached: dict[Any, Any] = {}

    def get(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return a cached result, or compute and cache it; failures are not cached."""
        with self._lock:
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        with key_lock:
            if key not in self._cached:
                self._cached[key] = compute()
            return self._cached[key]


class _Program:
    """The results of the current program run; one process can run several programs sequentially."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._monitor: Any = None
        self._results: _Results | None = None
        self._checked: Any = None

    def check_once(self) -> None:
        """Check the settings, unless this program run has: its stack's configuration stays the same.

        Raises:
            BillingError: There is no such setting, or a value is invalid; the next call checks again.
        """
        monitor = pulumi_settings.SETTINGS.monitor
        if monitor is None or monitor is not self._checked:
            check_keys(CONFIG.get())
            check_values(CONFIG.get().get, os.environ)
            self._checked = monitor

    def results(self) -> _Results:
        """Return the results of this program run; each run has its own connection to the engine."""
        monitor = pulumi_settings.SETTINGS.monitor
        with self._lock:
            if self._results is None or monitor is not self._monitor:
                self._monitor, self._results = monitor, _Results()
            return self._results


_PROGRAM = _Program()


def check_settings() -> None:
    """Check the settings in the stack's configuration, once a run: names, and all values except the credentials.

    Here and not only in the plugin, because the Pulumi CLI interrupts a program whose resource fails in the plugin, and
    prints a traceback of that.

    Raises:
        ConfigError: There is no such setting, or a value is invalid; Pulumi shows the message, without a traceback.
    """
    # The settings of a project named like the namespace have the same prefix, and any name.
    if pulumi.get_project() == NAMESPACE:
        return
    try:
        _PROGRAM.check_once()
    except BillingError as error:
        raise brief(error) from None


def run_query(query: Callable[..., T], **given: Any) -> T:
    """Return the result of a query; results are cached for the program run.

    Args:
        query: The query, a method of `Reader`.
        **given: Its arguments.

    Raises:
        BillingError: The query failed; Pulumi shows the message, without a traceback.
    """
    check_settings()
    results = _PROGRAM.results()
    try:
        given = {name: _known(name, value) for name, value in given.items()}
        # Use `repr` in the key: an argument of a wrong type may be unhashable, and the query reports the error.
        key = (query.__qualname__, *sorted((name, repr(value)) for name, value in given.items()))
        result: T = results.get(key, lambda: query(results.reader, **given))
    except BillingError as error:
        raise brief(error) from None
    return result


def _known(name: str, value: Any) -> Any:
    """Return an argument of a query as a plain value.

    Raises:
        ConfigError: It is not known while the program runs.
    """
    if isinstance(value, pulumi.Output) or inspect.isawaitable(value):
        raise ConfigError(
            f"{name}: this is an Output, which is not known yet. Call the function whose name ends in _output, or call "
            "this one inside of apply"
        )
    opened = plain(value)
    return text_of(opened) if isinstance(opened, date) else opened


def brief(error: BillingError) -> BillingError:
    """Return the error as one that is also a `pulumi.RunError`, whose message Pulumi shows without a traceback.

    Its class derives from the error's class and has the same name.
    """
    known = type(error)
    names = {"__module__": known.__module__}
    kind = types.new_class(known.__name__, (known, pulumi.RunError), exec_body=lambda body: body.update(names))
    shown: BillingError = kind.__new__(kind, *error.args)
    vars(shown).update(vars(error))
    return shown.with_traceback(error.__traceback__)


def later(function: Callable[..., T], **given: pulumi.Input[Any]) -> pulumi.Output[T]:
    """Return a function's result as an Output once its arguments are known; does not block the program."""
    return pulumi.Output.all(**given).apply(lambda known: asyncio.to_thread(lambda: function(**known)))


def output_form(function: Callable[..., T], *, writes: bool = False) -> Callable[..., pulumi.Output[T]]:
    """Return the form of a data function that takes Inputs and returns an Output; `help` shows all its arguments.

    Type checkers read its arguments from the stub of the package, which `make docs` writes.

    Args:
        function: The data function; all its parameters are keyword-only.
        writes: Whether it may write to GitHub. A preview writes nothing: the result is unknown there.
    """
    plain = inspect.signature(function)

    def form(**given: pulumi.Input[Any]) -> pulumi.Output[T]:
        try:
            plain.bind(**given)
        except TypeError as error:
            raise TypeError(f"{form.__name__}() {error}") from None
        unknown = {"preview": pulumi.UNKNOWN} if writes and pulumi.runtime.is_dry_run() else {}
        return later(function, **given, **unknown)

    parameters = [each.replace(annotation=_as_input(each.annotation)) for each in plain.parameters.values()]
    returned = f"pulumi.Output[{plain.return_annotation}]"
    limit = ", which writes nothing" if writes else " while an Input is unknown"
    form.__name__ = form.__qualname__ = f"{function.__name__}_output"
    form.__module__ = function.__module__
    form.__doc__ = f"Return the result of `{function.__name__}` for Inputs; unknown in a preview{limit}."
    form.__annotations__ = {**{each.name: each.annotation for each in parameters}, "return": returned}
    vars(form)["__signature__"] = inspect.Signature(parameters, return_annotation=returned)
    return form


def _as_input(annotation: str) -> str:
    """Return the annotation of an Input: of `str | None`, it is `pulumi.Input[str] | None`."""
    kind, bar, none = annotation.partition(" | ")
    return f"pulumi.Input[{kind}]{bar}{none}"
