"""Client of GitHub's read-only endpoints for users: a user's effective budget, and each user's usage of a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from billing_provider.core.errors import UnexpectedError
from billing_provider.core.ids import Id  # noqa: TC001 - pydantic reads the annotation
from billing_provider.transport.paging import MAX_USERS, every_row
from billing_provider.transport.rest import PAGE_SIZE, billing_path, invalid, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport

_LENIENT = ConfigDict(allow_inf_nan=False)


@dataclass(config=_LENIENT, frozen=True)
class EffectiveBudget:
    """The effective budget of one user; fields other than the login are None if there is none or GitHub omits them.

    Attributes:
        user: The login of the user.
        budget_id: The id of the budget.
        budget_amount: Its amount in whole US dollars a month.
        consumed_amount: US dollars that the user has used this month.
    """

    user: str
    budget_id: Id | None = None
    budget_amount: float | None = None
    consumed_amount: float | None = None


@dataclass(config=_LENIENT, frozen=True)
class UserState:
    """One user's usage of a budget of many users; a user is listed from the first usage of the month.

    Attributes:
        consumed_amount: US dollars used this month.
        target_amount: US dollars that the user may use.
        user: The login; None if GitHub has no record of the user.
        override_budget_id: A budget of this user only, which takes precedence.
    """

    consumed_amount: float
    target_amount: float
    user: str | None = None
    override_budget_id: Id | None = None


_STATES = TypeAdapter(list[UserState])
_EFFECTIVE = TypeAdapter(EffectiveBudget)


class UserStatesApi:
    """The read-only endpoints for the users of a budget."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_effective_budget(self, owner: Owner, user: str) -> EffectiveBudget:
        """Return the effective budget of one user.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The owner or user does not exist, is not accessible, or budgets are turned off (404).

        GitHub: GET /{owner}/settings/billing/budgets
        """
        action = f"read the effective budget of {user} in {owner}"
        query = {"user": user, "per_page": 1}
        data = mapping(self._transport.request("GET", billing_path(owner), action=action, query=query), action)
        found = data.get("effective_budget") or {}
        try:
            budget = {"budget_id": found.get("id"), **{key: found[key] for key in found if key != "id"}}
            return _EFFECTIVE.validate_python({**budget, "user": data.get("user") or user})
        except (AttributeError, TypeError, ValidationError):
            raise UnexpectedError(f"{action}: GitHub's response has an unexpected form.") from None

    def list_user_states(
        self, owner: Owner, budget_id: str, filters: Mapping[str, Any] | None = None
    ) -> Iterator[UserState]:
        """Return the states of all users of a budget, from all pages.

        Args:
            owner: The enterprise.
            budget_id: A budget of many users.
            filters: `sort_order` (`0` descending, `1` ascending), `user`, `threshold_lower_bound` and
                `threshold_upper_bound` (whole percents).

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The budget does not exist, or the token cannot see it (404).
            TransportError: The pages do not end.

        GitHub: GET /enterprises/{enterprise}/settings/billing/budgets/{budget_id}/user-states
        """
        action = f"read the user states of budget {budget_id} of {owner}"
        path = billing_path(owner, budget_id, "user-states")

        def fetch(page: int) -> tuple[list[UserState], bool, None]:
            query = {"page": page, "per_page": PAGE_SIZE, **(filters or {})}
            data = mapping(self._transport.request("GET", path, action=action, query=query), action)
            rows = data.get("user_states")
            if not isinstance(rows, list):
                raise UnexpectedError(f"{action}: GitHub's response has no list of user states.")
            try:
                states = _STATES.validate_python(rows)
            except ValidationError as error:
                raise invalid(action, error) from None
            return states, data.get("has_next_page") is True, None

        # Several users may have no record on GitHub; without a login they are not compared with each other.
        return every_row(fetch, lambda state: state.user or object(), MAX_USERS, action)
