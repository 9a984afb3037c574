"""Client of GitHub's budget endpoints: one method per endpoint."""

from __future__ import annotations

from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from billing_provider.budgets.models import FIELDS, Budget, OpaqueBudget
from billing_provider.core.errors import InvalidError, TransportError, UnexpectedError
from billing_provider.core.opaque import unexpected_fields
from billing_provider.core.owners import ORGANIZATION_OWNER, USER
from billing_provider.transport.paging import MAX_BUDGETS, pages
from billing_provider.transport.rest import PAGE_SIZE, billing_path, mapping, same_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport
    from billing_provider.transport.session import Reply

_MAX_PASSES = 3
_NOT_DESCRIBED = {name for name, field in FIELDS.items() if not field.described}
BILLED_BY_ENTERPRISE = (
    "GitHub answers so for an organization that its enterprise bills, and its own budgets may stop nothing: declare an "
    "EnterpriseBudget with the scope organization."
)


class Page(NamedTuple):
    """One page of budgets.

    Attributes:
        rows: The budgets on the page; one that does not fit the model is opaque.
        more: Whether there are further pages; None if GitHub does not report it.
        total: The number of budgets on all pages; None if GitHub does not report it.
    """

    rows: list[Budget | OpaqueBudget]
    more: bool | None
    total: int | None


class BudgetsApi:
    """The budget endpoints, for every kind of owner.

    Attributes:
        transport: The HTTP transport; the other API clients use the same one.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def get_budget_page(self, owner: Owner, page: int, filters: Mapping[str, str | None] | None = None) -> Page:
        """Return one page of an owner's budgets.

        Args:
            owner: The owner of the budgets.
            page: The page number, from 1.
            filters: A `scope` and a `user` (login) that filter the listing.

        Raises:
            ForbiddenError: The token may not read this owner's billing (401, 403).
            NotFoundError: The owner does not exist, is not accessible, or has budgets turned off (404).
            InvalidError: The owner is an organization that its enterprise bills, or a filter is invalid (400, 422).

        GitHub: GET /{owner}/settings/billing/budgets
        """
        action = f"list the budgets of {owner}"
        query = {"page": page, "per_page": PAGE_SIZE, **(filters or {})}
        try:
            reply = self.transport.request("GET", billing_path(owner), action=action, query=query)
        except InvalidError as error:
            # With a filter, the reason can be its value.
            is_filtered = any((filters or {}).values())
            if owner.kind is ORGANIZATION_OWNER and error.status == HTTPStatus.BAD_REQUEST and not is_filtered:
                raise InvalidError(
                    action, error.status, error.message, error.request_id, BILLED_BY_ENTERPRISE
                ) from None
            raise
        data = mapping(reply, action)
        rows = data.get("budgets")
        if not isinstance(rows, list):
            raise TransportError(f"{action}: GitHub's response has no list of budgets.")
        more = data.get("has_next_page")
        if not isinstance(more, bool):
            link = reply.headers.get("link")
            more = None if link is None else 'rel="next"' in link
        total = data.get("total_count")
        return Page([_listed(row) for row in rows], more, total if isinstance(total, int) else None)

    def list_budgets(
        self, owner: Owner, first: Page | None = None, filters: Mapping[str, str | None] | None = None
    ) -> Iterator[Budget | OpaqueBudget]:
        """Yield every budget of an owner once, from all pages; an incomplete listing raises.

        One odd budget does not end the listing of an account: it is opaque.

        The pages are read side by side. Budgets that are created or deleted during the read move others to another
        page: if the number of budgets differs from GitHub's count, or a page counts fewer than the page before, the
        listing is read again, one page after the other.

        Args:
            owner: The owner of the budgets.
            first: Page 1, if it was just read.
            filters: As for `get_budget_page`.

        Raises:
            TransportError: The listing stays incomplete.
            ApiError: As for `get_budget_page`.
        """
        action = f"list the budgets of {owner}"

        def fetch(number: int) -> Page:
            return first if number == 1 and first is not None else self.get_budget_page(owner, number, filters)

        for number in range(_MAX_PASSES):
            found: dict[str, Budget | OpaqueBudget] = {}
            totals: list[int] = []
            # Pages one after the other have more patience with budgets that are created meanwhile.
            for page in pages(fetch, lambda row: row.key, MAX_BUDGETS, action, ahead=number == 0):
                found.update({row.key: row for row in page[0]})
                totals += [] if page[2] is None else [page[2]]
            first, (_, more, total) = None, page
            # Where the count falls, a budget may have moved from a page to the one before, and be on none.
            fell = any(after < before for before, after in pairwise(totals))
            if more is not True and (total is None or total == len(found)) and not fell:
                yield from found.values()
                return
        counted = f"its count is {total}" + (", which fell meanwhile" if fell else "")
        raise TransportError(
            f"{action}: GitHub's pages contain {len(found)} budgets, but {counted}. "
            "The listing is incomplete and was not used: run again."
        )

    def get_budget(self, owner: Owner, budget_id: str) -> Budget:
        """Return one budget.

        Raises:
            NotFoundError: It does not exist, the token cannot see it, or budgets are turned off (404).
            ForbiddenError: The token may not read it (401, 403).
            TransportError: The reply describes another budget.

        GitHub: GET /{owner}/settings/billing/budgets/{budget_id}
        """
        action = f"read budget {budget_id} of {owner}"
        reply = self.transport.request("GET", billing_path(owner, budget_id), action=action)
        data = mapping(reply, action)
        budget = _budget(data, action)
        same_id(data, budget_id, action)
        return budget

    def create_budget(self, owner: Owner, body: Mapping[str, Any]) -> Budget | None:
        """Create one budget and return it as GitHub stored it, or None if the reply does not contain it.

        The request is sent once: if the reply is lost, a repeat could create a second budget.

        Args:
            owner: The owner of the budget; it is part of the path, not of the body.
            body: The fields of the budget.

        Raises:
            InvalidError: GitHub refused a field (400, 422).
            ForbiddenError: The token may not manage billing for the owner (401, 403).
            NotFoundError: Budgets are turned off, or the account does not have this SKU (404).
            ApiError: GitHub failed (500, 502, 503, 504): the budget may have been created.
            TransportError: There is no readable reply: the budget may have been created.

        GitHub: POST /{owner}/settings/billing/budgets
        """
        action = f"create a budget of {owner}"
        reply = self.transport.request("POST", billing_path(owner), action=action, body=body, repeatable=False)
        data = mapping(reply, action)
        inner = data.get("budget")
        known = {name: value for name, value in body.items() if name not in _NOT_DESCRIBED}
        return _maybe_budget(inner if isinstance(inner, dict) else data, known)

    def update_budget(self, owner: Owner, budget_id: str, body: Mapping[str, Any]) -> Budget | None:
        """Update fields of one budget and return it as GitHub stores it, or None if the reply does not contain it.

        Repeated after a failure: the values are absolute, so a repeat has no further effect.

        Raises:
            InvalidError: GitHub refused a field (400, 422).
            NotFoundError: It does not exist, the token cannot see it, or budgets are turned off (404).
            ForbiddenError: The token may not change it (401, 403).
            TransportError: The reply describes another budget.

        GitHub: PATCH /{owner}/settings/billing/budgets/{budget_id}
        """
        action = f"update budget {budget_id} of {owner}"
        data = mapping(
            self.transport.request("PATCH", billing_path(owner, budget_id), action=action, body=body), action
        )
        inner = data.get("budget")
        budget = inner if isinstance(inner, dict) else data
        same_id(budget, budget_id, action)
        return _maybe_budget(budget, {})

    def delete_budget(self, owner: Owner, budget_id: str) -> None:
        """Delete one budget; repeated after a failure, so a 404 can mean that an earlier attempt succeeded.

        Raises:
            NotFoundError: It is deleted already, the token cannot see it, or budgets are turned off (404).
            ForbiddenError: The token may not delete it (401, 403).
            TransportError: The reply describes another budget.

        GitHub: DELETE /{owner}/settings/billing/budgets/{budget_id}
        """
        action = f"delete budget {budget_id} of {owner}"
        reply = self.transport.request("DELETE", billing_path(owner, budget_id), action=action)
        same_id(reply.data, budget_id, action)

    def get_rate_limit(self, owner: Owner | None = None) -> Reply:
        """Return the free rate limit reply; its headers contain the token's scopes and expiry, and GitHub's time.

        Args:
            owner: The owner whose credential is checked; None for the default one.

        Raises:
            ForbiddenError: GitHub refused the token (401).

        GitHub: GET /rate_limit
        """
        account = None if owner is None else billing_path(owner)
        return self.transport.request("GET", "/rate_limit", action="read the rate limit", account=account)


def _listed(row: Any) -> Budget | OpaqueBudget:
    """Return a budget of a listing: listings contain the expiry, so a person's budget without one does not expire."""
    is_of_person = isinstance(row, dict) and row.get("budget_scope") == USER
    try:
        return Budget.model_validate({"expires_at": None, **row} if is_of_person else row)
    except ValidationError as error:
        return OpaqueBudget.of(row, unexpected_fields(error, OpaqueBudget.noun))


def _budget(data: Any, action: str) -> Budget:
    try:
        return Budget.model_validate(data)
    except ValidationError as error:
        fields = unexpected_fields(error, OpaqueBudget.noun)
        raise UnexpectedError(f"{action}: GitHub's response has an unexpected {fields}.") from None


def _maybe_budget(data: dict[str, Any], sent: Mapping[str, Any]) -> Budget | None:
    """Parse the budget in the reply to a write; fields that GitHub omits are taken from the request."""
    try:
        return Budget.model_validate({**sent, **data})
    except ValidationError:
        return None
