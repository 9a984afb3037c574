"""The operations on people: the members of an enterprise team, and one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from billing_provider.sandbox.operations.replies import Reply, not_found
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from billing_provider.sandbox.operations.call import Call

_URLS = (
    *("avatar_url", "url", "html_url", "followers_url", "following_url", "gists_url", "starred_url"),
    *("subscriptions_url", "organizations_url", "repos_url", "events_url", "received_events_url"),
)


def list_team_members(call: Call) -> Reply:
    """Return one page of the members of an enterprise team; a link names the next one."""
    teams, wanted = call.state.enterprise_teams, call.params["enterprise_team"].removeprefix("ent:")
    slug = next((slug for slug in teams if same_name(slug, wanted)), None)
    if slug is None:
        raise not_found(problem=f"unknown enterprise team; known: {', '.join(teams) or 'none'}")
    page, more = call.page(teams[slug], default=30, cap=call.page_cap)
    reply = Reply([_person(login) for login in page])
    if more:
        query = {**call.query, "page": str(call.whole_number("page", 1) + 1)}
        reply.headers["Link"] = f'<{call.url}?{urlencode(query)}>; rel="next"'
    return reply


def get_user(call: Call) -> Reply:
    """Return the public profile of a user."""
    nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = dict.fromkeys(("created_at", "updated_at"), "2026-08-26T00:00:00Z")
    return Reply({**_person(call.owner), **nothing, **counts, **times})


def _person(login: str) -> dict[str, Any]:
    return {
        "login": login,
        "id": 1,
        "node_id": f"U_{login}",
        "gravatar_id": "",
        **dict.fromkeys(_URLS, f"https://github.com/{login}"),
        "type": "User",
        "site_admin": False,
    }
