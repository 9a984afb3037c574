"""The table of users' budgets for Pulumi programs: a component, and the resources of which it consists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import KEEP
from billing_provider.core.owners import OWNER_KINDS, USER, Owner
from billing_provider.core.redact import clean
from billing_provider.core.settings import NAMESPACE
from billing_provider.core.values import plain
from billing_provider.provider import UserBudgetBucketProvider
from billing_provider.runtime.registry import table_of
from billing_provider.sdk.declaration import end_quietly, listen, protected, share_declared, share_ids
from billing_provider.sdk.invoke import brief, check_settings
from billing_provider.user_budgets.rows import buckets_of, choice_problems, mistakes, read_rows, user_key
from billing_provider.user_budgets.table import read_csv
from billing_provider.user_budgets.texts import INPUTS, PENDING, as_texts, from_texts
from billing_provider.user_budgets.words import from_messages, not_written, topic

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from datetime import date

    from typing_extensions import Required

    from billing_provider.core.inputs import OnDelete, OnExisting, OnRaise


class UserBudgetRow(TypedDict, total=False):
    """One row of `UserBudgets`, where an amount alone does not say all.

    :param budget_amount: Amount in whole US dollars a month; 0 or more.
    :param expires_at: Date on which GitHub removes the budget, as a `date` or as `2027-01-31`.
    :param on_raise: What happens to a higher amount on GitHub, such as an approved raise: `revert` or `keep`.
    :param reason: Why the row is as it is; kept in the state only.
    """

    budget_amount: Required[int]
    expires_at: str | date | None
    on_raise: OnRaise | None
    reason: str | None


class _Bucket(Resource, module="github-billing", name="UserBudgetBucket"):
    """A part of a table: the rows whose logins have the same hash."""

    budget_ids: pulumi.Output[Any]
    pending: pulumi.Output[Any]

    def __init__(self, resource_name: str, args: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        props = dict.fromkeys((*INPUTS, "budget_ids", PENDING))
        super().__init__(UserBudgetBucketProvider(), resource_name, {**props, **as_texts(args)}, opts)
        share_ids(self, self.budget_ids.apply(lambda text: from_texts({"budget_ids": text})["budget_ids"]))


class UserBudgets(pulumi.ComponentResource):
    """A table of budgets for AI credits, each of one user: thousands of rows as one declaration.

    Each row is a budget of its own on GitHub, always a hard stop. A table consists of a fixed number of resources; a
    changed row changes one of them. What GitHub refuses is listed, the rest is written and stays in the state, and the
    program fails: the next run goes on.

    GitHub: POST /enterprises/{enterprise}/settings/billing/budgets
    """

    budget_ids: pulumi.Output[Mapping[str, str]]
    """The ids of the budgets by login, assigned by GitHub."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        budgets: Mapping[str, int | UserBudgetRow],
        enterprise: str | None = None,
        organization: str | None = None,
        exclusive: bool = False,
        allow_empty: bool = False,
        on_existing: OnExisting | None = None,
        on_delete: OnDelete | None = None,
        on_raise: OnRaise | None = None,
    ) -> None:
        """Declare the budgets of users.

        :param resource_name: The name of the table.
        :param opts: Options of the component.
        :param budgets: An amount in US dollars a month, or a `UserBudgetRow`, by login; plain values, no Outputs.
        :param enterprise: Slug of the enterprise that owns the budgets; or `organization`.
        :param organization: Login of the organization that owns the budgets.
        :param exclusive: Whether the budgets of users who are not in the table are removed; by default they are left
            alone.
        :param allow_empty: Whether a table without rows is meant; by default it is refused.
        :param on_existing: How a create handles an existing budget: `adopt_if_identical` (default), `adopt` or
            `error`.
        :param on_delete: What the removal of a row does with its budget on GitHub: `delete` (default for a created
            one) or `keep` (default for an adopted one).
        :param on_raise: What happens to a higher amount on GitHub in rows that do not say it: `revert` (default) or
            `keep`.

        Raises:
            ConfigError: Inputs are invalid; the message has the first mistakes and the number of the others.
        """
        end_quietly()
        check_settings()
        owner = {"enterprise": enterprise, "organization": organization}
        is_retained = getattr(opts, "retain_on_delete", None)
        table = {
            "exclusive": exclusive or None,
            "on_existing": on_existing,
            # Pulumi keeps resources by its option; a removed row is none.
            "on_delete": on_delete or (KEEP if is_retained else None),
            "on_raise": on_raise,
        }
        rows = _read(resource_name, owner, table, budgets, allow_empty=allow_empty)
        super().__init__(f"{NAMESPACE}:index:UserBudgets", resource_name, None, opts)
        noun = "enterprise" if enterprise is not None else "organization"
        account = Owner(OWNER_KINDS[noun], owner[noun] or "")
        share_declared(resource_name, ((f"/{login}", user_key(account, login)) for login in rows))
        # In `up`, each part tells what it does before it writes.
        told = listen(topic(resource_name)) if pulumi.runtime.is_dry_run() else list
        # Each row is a hard stop; Pulumi's own option protects the resources, and this input the rows.
        shared = protected(pulumi.ResourceOptions(protect=getattr(opts, "protect", None)), {"budget_scope": USER})
        is_protected = getattr(shared, "protect", None)
        table["protected"] = is_protected or None
        parts = [
            _Bucket(
                f"{resource_name}-{number}",
                {**owner, **table, "bucket": number, "budgets": part},
                pulumi.ResourceOptions(parent=self, protect=is_protected, retain_on_delete=is_retained),
            )
            for number, part in buckets_of(rows)
        ]
        pending = _merged(PENDING, [part.pending for part in parts])
        self.budget_ids = _merged("budget_ids", [part.budget_ids for part in parts])
        pending.apply(lambda found: _check_pending(resource_name, len(rows), found))
        pulumi.Output.all(*(part.urn for part in parts)).apply(
            lambda urns: self._report(resource_name, from_messages(table_of(urns[0]), told()))
        )
        self.register_outputs({})

    def _report(self, name: str, lines: list[str]) -> None:
        """Show what happens to the rows, in one line for all parts of the table."""
        for text in lines:
            pulumi.log.warn(clean(f"{name}: {text}"), self)

    @staticmethod
    def from_csv(path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the rows of a CSV file, for `budgets`.

        The first line names the columns: `login` and `budget_amount`, and any of `expires_at`, `on_raise` and `reason`.

        :param path: The file, UTF-8 text of at most 10 MB; commas, semicolons or tabs separate its cells.

        Raises:
            ConfigError: It cannot be read, its header is wrong, or rows are incomplete or repeated.
        """
        try:
            return read_csv(path)
        except ConfigError as error:
            raise brief(error) from None


def _read(
    name: str, owner: Mapping[str, Any], table: Mapping[str, Any], budgets: Any, *, allow_empty: bool
) -> dict[str, Any]:
    """Return the rows of a table.

    Raises:
        ConfigError: Inputs are invalid.
    """
    given = [noun for noun, value in owner.items() if value is not None]
    found = [str(problem) for problem in choice_problems(table)]
    rows: dict[str, Any] = {}
    if len(given) != 1 or not isinstance(owner[given[0]], str):
        found.append("write either enterprise or organization, as a text")
    if not isinstance(budgets, Mapping):
        found.append("write budgets as a mapping from logins to amounts, of plain values: no Output")
    elif not budgets and not allow_empty:
        found.append("the table has no row, which would remove all caps: set allow_empty=True if it is meant")
    elif any(isinstance(row, pulumi.Output) for row in budgets.values()):
        found.append("write the rows as plain values, no Outputs: a preview cannot compare rows that it does not know")
    else:
        rows, wrong = read_rows(OWNER_KINDS[given[0] if given else "enterprise"], plain(budgets, (pulumi.Output,)))
        found += mistakes(wrong)
    if found:
        raise brief(ConfigError("\n".join([f"{name}: {found[0]}", *(f"  {text}" for text in found[1:])])))
    return rows


def _merged(name: str, parts: Iterable[pulumi.Output[Any]]) -> pulumi.Output[dict[str, str]]:
    """Return the values of an output by login, from all parts."""

    def merge(stored: list[Any]) -> dict[str, str]:
        each = (from_texts({name: part})[name] or {} for part in stored)
        return {login: value for part in each for login, value in part.items()}

    return pulumi.Output.all(*parts).apply(merge)


def _check_pending(name: str, total: int, pending: Mapping[str, str]) -> None:
    """Fail the program if budgets are not written: the state has the others.

    Raises:
        pulumi.RunError: Some are not.
    """
    if pending:
        raise pulumi.RunError(f"{name}: {not_written(pending, max(total, len(pending)), 'written')}")
