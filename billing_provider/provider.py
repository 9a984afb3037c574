"""Adapter between Pulumi's Python plugin and the lifecycle.

The path of this module and the names of its provider classes are a file format: every state stores them, and
delete, refresh and diff load them again. They are never moved and never renamed.
"""

from __future__ import annotations

import os
import sys
import threading
from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.core import sdk_version
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER
from billing_provider.core.redact import hiding
from billing_provider.core.resource import SECRET_INPUTS, UNFINISHED, secret_inputs
from billing_provider.core.settings import read_guards, read_settings
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.engine_log import EngineLog, calling_urn
from billing_provider.preview.budgets import BudgetPreview
from billing_provider.preview.cost_center_caps import CostCenterCaps
from billing_provider.preview.cost_centers import CostCenterPreview
from billing_provider.preview.owners import KnownNames
from billing_provider.preview.reads import PreviewReads
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.runtime.registry import name_of
from billing_provider.runtime.run import Run
from billing_provider.runtime.shared_ids import SharedIds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from billing_provider.core.inputs import Problem
    from billing_provider.core.owners import OwnerKind


_GONE = "budget_id"
"""The output that replaces a budget that is gone from GitHub."""
_IN_STATE = frozenset({"budget_id", "cost_center_id", EXPIRED})
"""Outputs of which each resource in a state has one; the inputs of a `.get` have none."""


class _Process:
    """The run of this plugin process; all provider instances share its pacing, listings and registry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Run | None = None
        self.budget_preview: BudgetPreview
        self.cost_center_preview: CostCenterPreview

    def configure(self, get: Callable[[str], str | None]) -> None:
        """Start the run with the stack's configuration, which is the same for every instance."""
        with self._lock:
            if self._run is None:
                reporter = EngineLog()
                self._run = Run(
                    lambda: read_settings(get, os.environ),
                    reporter,
                    before_write=reporter.exit_if_engine_died,
                    guards=lambda: read_guards(get, os.environ),
                    # The program and other plugins of this engine run know its address too.
                    shared=SharedIds(sys.argv[-1]),
                )
                reads = PreviewReads(self._run)
                names = KnownNames(self._run, reads)
                self.budget_preview = BudgetPreview(self._run, reads, names)
                self.cost_center_preview = CostCenterPreview(self._run, reads, names)

    @property
    def run(self) -> Run:
        """The run."""
        assert self._run is not None  # noqa: S101 - the SDK configures a provider before it calls it
        return self._run


_PROCESS = _Process()


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
    """Converts between plain dicts and the lifecycle; stateless, because attributes would be pickled into state."""

    # The pickled provider contains only its class name, so it needs no encryption and stays readable in the state.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        with _answering():
            # A destroy runs no program, so the plugin looks too.
            if reason := sdk_version.too_old():
                raise ConfigError(reason)
            _PROCESS.configure(req.config.get)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        with _answering(_olds, news):
            known, unknown = _split(news)
            urn, olds, unsure = calling_urn(), _split(_olds)[0], frozenset(unknown)
            named = {name: known.pop(name) for name in (SECRET_INPUTS,) if name in known}
            checked = self._lifecycle().check(urn, olds, known, unsure)
            inputs = {**checked.inputs, **named} if not checked.problems else {}
            problems = checked.problems or self._compare(urn, olds, inputs, unsure)
            if not problems:
                return CheckResult({**inputs, **unknown}, [])
            # Leave the property name empty: the engine prints the value of a named property, which may be a secret.
            failures = [CheckFailure("", str(problem)) for problem in problems]
            return CheckResult(_plain(news), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        with _answering(_olds, _news):
            known, unknown = _split(_news)
            urn, olds, unsure = calling_urn(), _plain(_olds), frozenset(unknown)
            changed, replaces = self._lifecycle().diff(urn, _id, olds, known, unsure)
            gone = bool(changed) and not replaces and self._compare_update(urn, _id, olds, known, unsure)
            if gone:
                replaces = [_GONE]
            # Return None if something differs: the engine then computes the changed properties, shows them and applies
            # ignore_changes and replace_on_changes. Old and new budget cannot both exist where only the pricing type
            # differs, so the old one is deleted first. With replace_on_changes, the create takes the old one again:
            # its cap does not go meanwhile.
            delete_first = replaces == ["budget_type"]
            if not changed:
                return DiffResult(changes=False)
            # The engine would not detect what changes no input: an incomplete create, a new default of on_delete, an
            # expired budget that needs a replacement because the clocks of two machines differ, and one that is gone.
            hidden = UNFINISHED in _olds or changed == [KEPT_ON_DELETE] or "expires_at" in replaces or gone
            changes = True if hidden else None
            return DiffResult(changes=changes, replaces=replaces, delete_before_replace=delete_first)

    def create(self, props: dict[str, Any]) -> CreateResult:
        with _answering(props):
            inputs = _plain(props)
            stored = self._lifecycle().create(calling_urn(), inputs)
            return CreateResult(stored.id, stored.outputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        with _answering(props):
            stored = self._lifecycle().read(id_, _plain(props))
            if stored is not None and _IN_STATE.isdisjoint(props):
                # The engine passes the outputs of a resource in the state. Without them, this is a `.get`.
                _PROCESS.run.registry.read(calling_urn(), _github_id(id_))
            # An empty id means that the resource no longer exists.
            return ReadResult(stored.id, stored.outputs, stored.inputs) if stored else ReadResult("", {})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with _answering(_olds, _news):
            return UpdateResult(self._lifecycle().update(_id, _plain(_olds), _plain(_news)).outputs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with _answering(_props):
            urn = calling_urn()
            reader = _PROCESS.run.registry.reader(urn, _github_id(_id))
            if reader is None:
                self._lifecycle().delete(urn, _id, _plain(_props))
                return
            _PROCESS.run.reporter.warn(
                f"kept {_id} on GitHub: {name_of(reader)} is read with .get, which deletes nothing. No stack manages "
                "it now, unless another one declares it"
            )

    @abstractmethod
    def _lifecycle(self) -> Lifecycle | CostCenterLifecycle:
        """Return the lifecycle of the subclass's resource."""

    @abstractmethod
    def _compare(self, urn: str, olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str]) -> list[Problem]:
        """Compare the checked inputs with GitHub, and return what prevents the change."""

    @abstractmethod
    def _compare_update(
        self, urn: str, id_: str, olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str]
    ) -> bool:
        """Compare a changed resource with GitHub, by its id, and return whether it is provably gone."""


class _BudgetAdapter(_Adapter):
    """The part that the budgets of both kinds of owner share."""

    _kind: OwnerKind

    def _lifecycle(self) -> Lifecycle:
        return Lifecycle(self._kind, _PROCESS.run)

    def _compare(self, urn: str, olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str]) -> list[Problem]:
        # A budget in the state is compared by its id, which only `diff` gets.
        return [] if olds else _PROCESS.budget_preview.compare(self._kind, urn, news, unknown)

    def _compare_update(
        self, urn: str, id_: str, olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str]
    ) -> bool:
        return _PROCESS.budget_preview.compare_update(self._kind, urn, id_, olds, news, unknown)


class EnterpriseBudgetProvider(_BudgetAdapter):
    """The provider of `EnterpriseBudget`; its name is a file format."""

    _kind = ENTERPRISE_OWNER


class OrgBudgetProvider(_BudgetAdapter):
    """The provider of `OrgBudget`; its name is a file format."""

    _kind = ORGANIZATION_OWNER


class CostCenterProvider(_Adapter):
    """The provider of `CostCenter`; its name is a file format."""

    def _lifecycle(self) -> CostCenterLifecycle:
        return CostCenterLifecycle(_PROCESS.run, CostCenterCaps)

    def _compare(self, urn: str, olds: dict[str, Any], news: dict[str, Any], unknown: frozenset[str]) -> list[Problem]:
        return _PROCESS.cost_center_preview.compare(urn, olds, news, unknown)

    def _compare_update(self, *_: Any) -> bool:
        # A check has compared it; a refresh finds one that is gone.
        return False


def stored_providers() -> dict[str, str]:
    """Return what a state holds as the provider of each kind of resource; an import file repeats it."""
    classes: tuple[type[_Adapter], ...] = (EnterpriseBudgetProvider, OrgBudgetProvider, CostCenterProvider)
    return {each.__name__.removesuffix("Provider"): serialize_provider(each()) for each in classes}


def _github_id(id_: str) -> str:
    """Return GitHub's id, the last part of a resource id."""
    return id_.rpartition("/")[2]


def _plain(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties without the SDK's internal ones."""
    return {name: value for name, value in props.items() if not name.startswith("__") or name == SECRET_INPUTS}


def _split(props: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the known properties and those that contain unknown values in a preview."""
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in _plain(props).items():
        (unknown if pulumi.contains_unknowns(value) else known)[name] = value
    return known, unknown
