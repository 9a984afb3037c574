"""Client of GitHub's endpoints about people: who is in an enterprise team, and whether a user exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from billing_provider.core.errors import NotFoundError
from billing_provider.core.ids import Sendable  # noqa: TC001 - pydantic reads the annotation
from billing_provider.transport.paging import MAX_USERS, unchanged_rows
from billing_provider.transport.rest import PAGE_SIZE, billing_path, invalid, path_part

if TYPE_CHECKING:
    from billing_provider.core.owners import Owner
    from billing_provider.transport.http import Transport


class _Person(TypedDict):
    login: Sendable


_PEOPLE = TypeAdapter(list[_Person])


class PeopleApi:
    """The endpoints about people."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_team_members(self, owner: Owner, team: str) -> list[str]:
        """Return the logins of all members of an enterprise team, from all pages; an incomplete list raises.

        Args:
            owner: The enterprise.
            team: The slug of the team, without `ent:`.

        Raises:
            ForbiddenError: The token may not read enterprise teams (401, 403).
            NotFoundError: The team does not exist, or the token cannot see it (404).
            UnexpectedError: A row has no login; it is not left out.
            TransportError: The pages do not end, or the team changed while it was read.

        GitHub: GET /enterprises/{enterprise}/teams/{enterprise_team}/memberships
        """
        action = f"read the members of the enterprise team {team} of {owner}"
        # GitHub's slugs of enterprise teams have this prefix.
        path = f"/{owner.kind.path}/{path_part(owner.slug)}/teams/ent:{path_part(team)}/memberships"

        def fetch(page: int) -> tuple[list[str], bool | None, None]:
            reply = self._transport.request("GET", path, action=action, query={"page": page, "per_page": PAGE_SIZE})
            try:
                logins = [person["login"] for person in _PEOPLE.validate_python(reply.data)]
            except ValidationError as error:
                raise invalid(action, error) from None
            more = 'rel="next"' in reply.headers.get("link", "")
            # A full page without a link is followed by another one, which may be empty.
            return logins, more or (None if len(logins) >= PAGE_SIZE else False), None

        return unchanged_rows(fetch, str.lower, MAX_USERS, action)

    def shows_user(self, owner: Owner, login: str) -> bool:
        """Return whether GitHub shows a user of this login (200), or not (404).

        A managed user, whose login has an underscore, is shown only to those who have access: a 404 proves nothing.

        Args:
            owner: The owner whose credential is sent.
            login: The login.

        Raises:
            ConfigError: The login could change the path; nothing is sent.
            BillingError: GitHub refused the request in another way, or did not respond.

        GitHub: GET /users/{username}
        """
        path, account = f"/users/{path_part(login)}", billing_path(owner)
        try:
            self._transport.request("GET", path, action=f"look up the user {login}", account=account)
        except NotFoundError:
            return False
        return True
