"""The state of one resource of a table, as any version of this package may have stored it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from billing_provider.budgets.consequences import RAISED_TO
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.core.ids import Id, Sendable  # noqa: TC001 - pydantic reads the annotations
from billing_provider.core.inputs import KEEP
from billing_provider.core.owners import OWNER_KINDS, USER, OwnerKind
from billing_provider.core.resource import STATE_CONFIG, read_form
from billing_provider.runtime.on_delete import KEPT_ON_DELETE
from billing_provider.user_budgets.rows import CHOICES, budget_inputs
from billing_provider.user_budgets.texts import from_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

Amount = StrictInt | StrictFloat


class StoredRow(BaseModel):
    """A row with more than an amount."""

    model_config = STATE_CONFIG

    budget_amount: Amount
    expires_at: Sendable | None = None
    on_raise: Sendable | None = None
    reason: Sendable | None = None


class BucketState(BaseModel):
    """The inputs and outputs of one resource of a table; `budgets` is what GitHub has of the rows, as far as known.

    Attributes:
        budget_ids: GitHub's ids by login.
        adopted: Logins whose budgets existed before.
        kept_on_delete: Logins whose budgets a delete keeps.
        raised_to: Higher amounts on GitHub that `on_raise` keeps, by login.
        expired: Logins whose budgets have expired.
        pending: What could not be written, and why, by login.
        others: Logins of users who have a budget and are not in an exclusive table, at the last refresh.
    """

    model_config = STATE_CONFIG

    enterprise: Sendable | None = None
    organization: Sendable | None = None
    bucket: Sendable = ""
    budgets: dict[Sendable, Amount | StoredRow] = Field(default_factory=dict)
    exclusive: StrictBool | None = None
    protected: StrictBool | None = None
    on_existing: Sendable | None = None
    on_delete: Sendable | None = None
    on_raise: Sendable | None = None
    budget_ids: dict[Sendable, Id] = Field(default_factory=dict)
    adopted: list[Sendable] = Field(default_factory=list)
    kept_on_delete: list[Sendable] = Field(default_factory=list)
    raised_to: dict[Sendable, Amount] = Field(default_factory=dict)
    expired: list[Sendable] = Field(default_factory=list)
    pending: dict[Sendable, Sendable] = Field(default_factory=dict)
    others: list[Sendable] = Field(default_factory=list)

    @property
    def kind(self) -> OwnerKind:
        """The kind of the owner."""
        return OWNER_KINDS["enterprise" if self.enterprise else "organization"]

    @property
    def owner(self) -> str:
        """The slug or the login of the owner."""
        return self.enterprise or self.organization or ""

    @cached_property
    def rows(self) -> dict[str, Any]:
        """The rows as inputs: an amount, or a mapping of what a row declares."""
        return {
            login: row.model_dump(exclude_none=True) if isinstance(row, StoredRow) else row
            for login, row in self.budgets.items()
        }

    def declared(self, login: str) -> dict[str, Any]:
        """Return the complete inputs of the budget that a row declares."""
        row = self.rows[login]
        if isinstance(row, Mapping):
            return self._inputs(login, row)
        return {**self._of_amount, USER: login, "budget_amount": row}

    @cached_property
    def _of_amount(self) -> dict[str, Any]:
        """The inputs of a row that is an amount; nearly all rows are, and differ in nothing else."""
        return self._inputs("", 0)

    def _inputs(self, login: str, row: Any) -> dict[str, Any]:
        return budget_inputs(self.kind, self.owner, login, row, {name: getattr(self, name) for name in CHOICES})

    def states(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the state of the budget of each row that has one, as a resource of its own would have it."""
        adopted, kept, expired = set(self.adopted), set(self.kept_on_delete), set(self.expired)
        for login in self.rows:
            if login not in self.budget_ids and login not in expired:
                continue
            state = self.declared(login)
            state |= {"budget_id": self.budget_ids[login]} if login in self.budget_ids else {}
            state |= {"adopted": login in adopted, KEPT_ON_DELETE: login in kept}
            state |= {RAISED_TO: self.raised_to[login]} if login in self.raised_to else {}
            state |= {EXPIRED: True} if login in expired else {}
            yield login, state


def leaving(old: Mapping[str, Any], table: BucketState) -> dict[str, Any]:
    """Return the state of a row that goes with a change: what the table declares of deletes holds for it too."""
    return {**old, **({KEPT_ON_DELETE: table.on_delete == KEEP} if table.on_delete else {})}


def read_bucket(raw: Mapping[str, Any]) -> BucketState:
    """Return a state, with None and missing values equal, and texts equal to what they contain.

    Raises:
        ConfigError: A value has a wrong type.
    """
    return read_form(BucketState, {name: value for name, value in from_texts(raw).items() if value is not None})
