"""A stack with tables of users' budgets, without an engine: what an engine does with their resources."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import BillingError
from billing_provider.core.resource import BUCKET_RESOURCE
from billing_provider.user_budgets.rows import buckets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from billing_provider.core.resource import Stored
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

NOTHING: frozenset[str] = frozenset()
ENTERPRISE = "octo-enterprise"


@contextmanager
def _noting(errors: list[str]) -> Iterator[None]:
    try:
        yield
    except BillingError as error:
        errors.append(str(error))


def urn_of(name: str) -> str:
    """Return the URN of a resource of a table."""
    return f"urn:pulumi:s::p::pulumi-python:dynamic/github-billing:UserBudgetBucket::{name}"


@dataclass
class TableStack:
    """The state of tables: the inputs and outputs of each resource, by its name.

    Attributes:
        new_run: Starts an engine run.
        inputs: The stored inputs.
        stored: The stored ids and outputs.
    """

    new_run: Callable[..., RunHarness]
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)

    def declare(self, rows: Mapping[str, Any], name: str = "t", **table: Any) -> dict[str, dict[str, Any]]:
        """Return the inputs of the resources of a table, by name."""
        owner = {} if "organization" in table else {"enterprise": ENTERPRISE}
        return {
            f"{name}-{bucket}": {**owner, **table, "bucket": bucket, "budgets": part}
            for bucket, part in buckets_of(rows)
        }

    def preview(self, declared: Mapping[str, Mapping[str, Any]], **guards: Any) -> tuple[list[str], list[str]]:
        """Return the warnings and the refusals of a preview."""
        run = self.new_run(**guards)
        refused: list[str] = []
        for name, inputs in declared.items():
            with _noting(refused):
                self.plan(run, name, inputs)
        return run.reporter.warnings, refused

    def up(self, declared: Mapping[str, Mapping[str, Any]], **guards: Any) -> tuple[RunHarness, list[str]]:
        """Do what `up` does, deletes included, and return the run and its errors."""
        run = self.new_run(**guards)
        operations, errors = run.operations[BUCKET_RESOURCE], list[str]()
        for name, inputs in declared.items():
            with _noting(errors):
                checked, changed = self.plan(run, name, inputs)
                if name not in self.stored:
                    self.stored[name] = operations.create(urn_of(name), checked)
                elif changed:
                    old = self.stored[name]
                    self.stored[name] = operations.update(urn_of(name), old.id, old.outputs, checked)
                self.inputs[name] = checked
        for name in [name for name in self.stored if name not in declared]:
            with _noting(errors):
                operations.delete(urn_of(name), self.stored[name].id, self.stored[name].outputs)
                del self.stored[name], self.inputs[name]
        return run, errors

    def plan(self, run: RunHarness, name: str, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the checked inputs of a resource, and whether it changes."""
        operations, old = run.operations[BUCKET_RESOURCE], self.stored.get(name)
        checked = operations.check(urn_of(name), self.inputs.get(name, {}), inputs, NOTHING)
        if checked.problems:
            raise BillingError("; ".join(map(str, checked.problems)))
        if old is None:
            return checked.inputs, True
        found = operations.diff(urn_of(name), old.id, old.outputs, checked.inputs, NOTHING)
        assert found.replaces == []
        # An engine compares inputs itself, unless the provider says that there is a difference.
        is_seen = checked.inputs != self.inputs[name]
        assert not found.changed or is_seen or found.is_hidden
        return checked.inputs, bool(found.changed)

    def refresh(self) -> RunHarness:
        """Do what `refresh` does."""
        run = self.new_run()
        for name, old in self.stored.items():
            read = run.operations[BUCKET_RESOURCE].read(urn_of(name), old.id, old.outputs)
            assert read is not None
            self.stored[name], self.inputs[name] = read, read.inputs
        return run

    def rows(self) -> dict[str, Any]:
        """Return the rows in the state."""
        return {login: row for each in self.stored.values() for login, row in each.outputs["budgets"].items()}

    def pending(self) -> dict[str, str]:
        """Return what could not be written."""
        return {login: why for each in self.stored.values() for login, why in each.outputs["pending"].items()}


def live(sandbox: Sandbox) -> dict[str, Any]:
    """Return the amounts of the budgets of users on the sandbox by login; each user has one."""
    budgets = [each for each in sandbox.budgets() if each["budget_scope"] == "user"]
    found = {each["user"]: each["budget_amount"] for each in budgets}
    assert len(found) == len(budgets), budgets
    return found
