"""Resource ids as a program writes them: the id itself, or the address of the object on GitHub."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from billing_provider.core.address import is_loopback, origin_of
from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import parse_resource_id, resource_id
from billing_provider.core.owners import OWNER_KINDS

_HOST = re.compile(r"(?:api\.)?(?:github|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.ghe)\.com")
# The pages of an enterprise have no /settings; its API and everything of an organization has. Pages write cost_centers,
# the API writes cost-centers.
_PATH = re.compile(
    r"(?:/[^/]+)*?/(?P<owners>enterprises|organizations)/(?P<slug>[^/]+)(?:/settings)?/billing"
    r"/(?P<objects>budgets|cost[-_]centers)/(?P<id>[^/]+)(?:/edit)?/?"
)
_NOUNS = {kind.path: kind.noun for kind in OWNER_KINDS.values()}


class Readable(NamedTuple):
    """A kind of resource that a program can read.

    Attributes:
        resource: The name of the resource.
        noun: The kind of the owner.
        objects: What an address calls the objects: `budgets` or `cost_centers`.
    """

    resource: str
    noun: str
    objects: str


READABLE = (
    *(Readable(kind.resource, kind.noun, "budgets") for kind in OWNER_KINDS.values()),
    Readable("CostCenter", "enterprise", "cost_centers"),
)
"""Everything that a program can read by its id or its address."""


def read_resource_id(kind: Readable, text: Any) -> str:
    """Return the resource id that an id or an address names; nothing is sent.

    Args:
        kind: The kind of resource to read.
        text: A resource id, or the address of the object in GitHub's API or on its pages; the value is unchecked.

    Raises:
        ConfigError: It is neither, or it names an object of another kind.
    """
    if not isinstance(text, str) or "://" not in text:
        others = [each for each in READABLE if each.noun != kind.noun and str(text).startswith(f"{each.noun}/")]
        if others and kind.objects == "budgets":
            raise _other(kind, others)
        return resource_id(kind.noun, *parse_resource_id(kind.noun, kind.resource, text))
    found = _PATH.fullmatch(urlsplit(text).path) if _is_github(text) else None
    if found is None:
        raise ConfigError(
            f"read {kind.resource}: this is not the address of an object on GitHub. Copy it from the page of the "
            f"object, such as {_example(kind)}, or write the id: {kind.noun}/OWNER/ID."
        )
    objects = found["objects"].replace("-", "_")
    there = [each for each in READABLE if (each.noun, each.objects) == (_NOUNS[found["owners"]], objects)]
    if kind not in there:
        raise _other(kind, there)
    id_ = f"{kind.noun}/{found['slug']}/{found['id']}"
    return resource_id(kind.noun, *parse_resource_id(kind.noun, kind.resource, id_))


def _is_github(text: str) -> bool:
    """Return whether an address is GitHub's or a sandbox's on this machine."""
    try:
        scheme, host, port = origin_of(text)
    except ValueError:
        return False
    return is_loopback(text) or (scheme == "https" and port in (None, 443) and bool(_HOST.fullmatch(host)))


def _example(kind: Readable) -> str:
    settings = "" if kind.noun == "enterprise" else "/settings"
    path = OWNER_KINDS[kind.noun].path
    return f"https://github.com/{path}/{kind.noun.upper()}{settings}/billing/{kind.objects}/ID"


def _other(kind: Readable, there: list[Readable]) -> ConfigError:
    """Return the error for an object of another kind; no resource reads a cost center of an organization."""
    advice = f": use {there[0].resource}.get" if there else ""
    return ConfigError(
        f"read {kind.resource}: this names no {kind.objects[:-1].replace('_', ' ')} of an {kind.noun}{advice}"
    )
