"""Adapter between Pulumi's Python plugin and the operations.

The path of this module and the names of its provider classes are a file format: every state stores them, and
delete, refresh and diff load them again. They are never moved and never renamed. A program imports this module too, so
what only the plugin needs is imported on first use.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.dynamic.dynamic import serialize_provider

from billing_provider.core import sdk_version
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER
from billing_provider.core.redact import hiding
from billing_provider.core.resource import BUCKET_RESOURCE, COST_CENTER_RESOURCE, SECRET_INPUTS, secret_inputs
from billing_provider.core.settings import read_guards, read_settings
from billing_provider.engine_log import EngineLog, calling_urn
from billing_provider.runtime.shared_ids import SharedIds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from billing_provider.operations import Operations
    from billing_provider.runtime.run import Run


class _Process:
    """The run of this plugin process; all provider instances share its pacing, listings and registry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.operations: dict[str, Operations] = {}

    def configure(self, get: Callable[[str], str | None]) -> None:
        """Start the run with the stack's configuration, which is the same for every instance."""
        with self._lock:
            if not self.operations:
                from billing_provider.operations import all_operations  # noqa: PLC0415 - not for a program

                self.operations = all_operations(self._new_run(get))

    def _new_run(self, get: Callable[[str], str | None]) -> Run:
        from billing_provider.runtime.run import Run  # noqa: PLC0415 - not for a program

        reporter = EngineLog()
        reporter.exit_with_engine()
        return Run(
            lambda: read_settings(get, os.environ),
            reporter,
            before_write=reporter.exit_if_engine_died,
            guards=lambda: read_guards(get, os.environ),
            # The program and other plugins of this engine run know its address too.
            shared=SharedIds(sys.argv[-1]),
        )


_PROCESS = _Process()
_PLAIN = (str, bool, int, float, type(None))


@contextmanager
def _answering(*props: Mapping[str, Any]) -> Iterator[None]:
    """Raise errors without chained exceptions, and let the SDK send them without a traceback: as one line.

    No text shows the value of an input that is secret in these properties.
    """
    secret = frozenset().union(*map(secret_inputs, props))
    with hiding(each[name] for each in props for name in secret if name in each):
        try:
            yield
        except Exception as error:
            # The SDK formats the traceback of an error that a provider raises. Set the limit only here, in the plugin
            # process: in a program's process it would also hide where the program failed.
            sys.tracebacklimit = 0
            if isinstance(error, BillingError):
                raise error from None
            # The text of any exception may contain a secret, which a BillingError masks, and lone surrogates.
            text = f"{type(error).__name__}: {error}".encode(errors="backslashreplace").decode()
            raise BillingError(f"internal error, please report it: {text}") from None


class _Adapter(ResourceProvider):
    """Converts between Pulumi's values and the operations; stateless: attributes would be pickled into the state."""

    # The pickled provider contains only its class name, so it needs no encryption and stays readable in the state.
    serialize_as_secret_always = False
    resource: ClassVar[str]
    """The kind of resource."""

    def _read(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Return stored or declared properties in the form that the operations take."""
        return _plain(props)

    def _written(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Return properties from the operations in the form that the engine stores."""
        return dict(props)

    def configure(self, req: ConfigureRequest) -> None:
        with _answering():
            # A destroy runs no program, so the plugin looks too.
            if reason := sdk_version.too_old():
                raise ConfigError(reason)
            _PROCESS.configure(req.config.get)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        with _answering(_olds, news):
            known, unknown = _split(news)
            olds = self._read(_split(_olds)[0])
            checked = self._operations().check(calling_urn(), olds, self._read(known), frozenset(unknown))
            if not checked.problems:
                return CheckResult({**self._written(checked.inputs), **unknown}, [])
            # Leave the property name empty: the engine prints the value of a named property, which may be a secret.
            failures = [CheckFailure("", str(problem)) for problem in checked.problems]
            return CheckResult(_plain(news), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        with _answering(_olds, _news):
            known, unknown = _split(_news)
            olds = self._read(_olds)
            found = self._operations().diff(calling_urn(), _id, olds, self._read(known), frozenset(unknown))
            if not found.changed:
                return DiffResult(changes=False)
            # Return None if an input differs: the engine then computes the changed properties, shows them and applies
            # ignore_changes and replace_on_changes. A replacement creates first: the create refuses what GitHub does
            # not accept beside the old object, and a cap does not go meanwhile.
            changes = True if found.is_hidden else None
            return DiffResult(changes=changes, replaces=found.replaces, delete_before_replace=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        with _answering(props):
            inputs = self._read(props)
            stored = self._operations().create(calling_urn(), inputs)
            return CreateResult(stored.id, self._written(stored.outputs))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        with _answering(props):
            state = self._read(props)
            stored = self._operations().read(calling_urn(), id_, state)
            if stored is None:
                # An empty id means that the resource no longer exists.
                return ReadResult("", {})
            return ReadResult(stored.id, self._written(stored.outputs), self._written(stored.inputs))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with _answering(_olds, _news):
            olds, news = self._read(_olds), self._read(_news)
            return UpdateResult(self._written(self._operations().update(calling_urn(), _id, olds, news).outputs))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with _answering(_props):
            self._operations().delete(calling_urn(), _id, self._read(_props))

    def _operations(self) -> Operations:
        return _PROCESS.operations[self.resource]


class EnterpriseBudgetProvider(_Adapter):
    """The provider of `EnterpriseBudget`; its name is a file format."""

    resource = ENTERPRISE_OWNER.resource


class OrgBudgetProvider(_Adapter):
    """The provider of `OrgBudget`; its name is a file format."""

    resource = ORGANIZATION_OWNER.resource


class CostCenterProvider(_Adapter):
    """The provider of `CostCenter`; its name is a file format."""

    resource = COST_CENTER_RESOURCE


class UserBudgetBucketProvider(_Adapter):
    """The provider of the resources of `UserBudgets`; its name is a file format."""

    resource = BUCKET_RESOURCE

    def _read(self, props: Mapping[str, Any]) -> dict[str, Any]:
        from billing_provider.user_budgets.texts import from_texts  # noqa: PLC0415 - not for a program

        return from_texts(super()._read(props))

    def _written(self, props: Mapping[str, Any]) -> dict[str, Any]:
        from billing_provider.user_budgets.texts import as_texts  # noqa: PLC0415 - not for a program

        return as_texts(super()._written(props))


def stored_providers() -> dict[str, str]:
    """Return what a state holds as the provider of each kind of resource; an import file repeats it."""
    classes: tuple[type[_Adapter], ...] = (
        EnterpriseBudgetProvider,
        OrgBudgetProvider,
        CostCenterProvider,
        UserBudgetBucketProvider,
    )
    return {each.resource: serialize_provider(each()) for each in classes}


def _plain(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties without the SDK's internal ones."""
    return {name: value for name, value in props.items() if not name.startswith("__") or name == SECRET_INPUTS}


def _split(props: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the known properties and those that contain unknown values in a preview."""
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in _plain(props).items():
        # Most are plain, and the SDK's answer takes long for each of thousands.
        is_unknown = not isinstance(value, _PLAIN) and pulumi.contains_unknowns(value)
        (unknown if is_unknown else known)[name] = value
    return known, unknown
