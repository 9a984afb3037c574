"""Formats of logins, slugs, ids and other plain values, and of resource ids."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictStr

from billing_provider.core.errors import ConfigError
from billing_provider.core.values import kind_of

MAX_TEXT = 255
"""Maximum length of an input, in characters: the limit of a cost center's name, the longest input."""
LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?", re.ASCII)
"""A user's login; logins of managed users contain an underscore."""
SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_])?", re.ASCII)
"""An enterprise's slug, an organization's login, or the slug of a team."""
_JOINERS = "\u200c\u200d"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

Id = Annotated[str, Field(pattern=rf"^{_ID.pattern}$")]
"""An id that GitHub assigns to a budget, a cost center or an export; not always a UUID: one documented id is longer."""


def _encodable(text: str) -> str:
    # Raises a ValueError for a lone surrogate: valid in JSON, but not in a request or a state.
    text.encode()
    return text


def is_name(text: str) -> bool:
    """Return whether a text is a name: it may have spaces of any kind, and joined emoji, but no control characters."""
    return all(sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs" for sign in text)


def is_id(text: str) -> bool:
    """Return whether a text can be an id that GitHub assigns."""
    return _ID.fullmatch(text) is not None


Sendable = Annotated[StrictStr, AfterValidator(_encodable)]
"""A text that is valid in requests and in the state."""


def read_slug(name: str, value: Any) -> str:
    """Validate and return the slug or login of an owner.

    Args:
        name: The argument or input, for the message.
        value: The value to validate.

    Raises:
        ConfigError: The value is invalid.
    """
    return _read(SLUG, name, "a slug or login: letters, digits and hyphens", value)


def read_id(name: str, value: Any) -> str:
    """Validate and return an id assigned by GitHub.

    Args:
        name: The argument or output, for the message.
        value: The value to validate.

    Raises:
        ConfigError: The value has the wrong format.
    """
    return _read(_ID, name, "an id assigned by GitHub: at most 100 letters, digits and hyphens", value)


def read_text(name: str, value: Any) -> str:
    """Validate and return a text for a query.

    Args:
        name: The argument, for the message.
        value: The value to validate.

    Raises:
        ConfigError: The value is not a text, is too long, or contains control characters.
    """
    if not isinstance(value, str) or len(value) > MAX_TEXT or not is_name(value):
        raise ConfigError(f"{name}: write a text of at most {MAX_TEXT} printable characters, not {_shown(value)}")
    return value


def read_flag(name: str, value: Any) -> bool:
    """Validate and return a boolean.

    Args:
        name: The argument, for the message.
        value: The value to validate.

    Raises:
        ConfigError: The value is not a boolean.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name}: write True or False, not {kind_of(value)}")
    return value


def read_whole(name: str, value: Any) -> int:
    """Validate and return an integer; configurations and Outputs provide it as a float.

    Args:
        name: The argument, for the message.
        value: The value to validate.

    Raises:
        ConfigError: The value is invalid.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise ConfigError(f"{name}: write a whole number, not {_shown(value)}")
    return int(value)


def resource_id(noun: str, owner: str, github_id: str) -> str:
    """Return the id of a resource.

    Args:
        noun: The kind of its owner.
        owner: The owner's slug or login.
        github_id: GitHub's id of the budget or the cost center.
    """
    return f"{noun}/{owner}/{github_id}"


def parse_resource_id(noun: str, resource: str, value: Any) -> tuple[str, str]:
    """Parse the id of a resource into the owner and GitHub's id.

    Args:
        noun: The kind of its owner.
        resource: The name of the resource, for the message.
        value: The id, from a state or a program.

    Raises:
        ConfigError: The value has the wrong format.
    """
    found = re.fullmatch(f"{noun}/({SLUG.pattern})/({_ID.pattern})", value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError(
            f"the id of {resource} has the form {noun}/OWNER/ID, not {_shown(value)}. Nothing was sent: correct the "
            "id in the program, or the state (`pulumi stack export`)."
        )
    return found[1], found[2]


def _read(pattern: re.Pattern[str], name: str, form: str, value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ConfigError(f"{name}: write {form}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return ascii(value[:60]) if isinstance(value, str) else kind_of(value)
