"""A received request, without its socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from billing_provider.sandbox.operations.replies import bad_request, refuse_unknown
from billing_provider.storage import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message

# Not empty, so that a client that ignores the path of its base URL fails.
PREFIX = "/api/v3"


@dataclass(frozen=True)
class Incoming:
    """A received request: path without the prefix, query as text, header names in any case, the port of the client."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes
    client: int = 0

    def parsed_query(self) -> dict[str, str]:
        """Return the query; of a repeated name, the last value counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def parsed_body(self) -> Any:
        """Return the body as JSON values, or None if it is empty or not JSON."""
        try:
            return json_text.parse(self.body, parse_constant=_no_constant)
        except ValueError:
            return None

    def object_body(self, accepted: Sequence[str]) -> dict[str, Any]:
        """Return the fields of the body; an empty body has none.

        Raises:
            RefusedError: It is not a JSON object (400), or has an unknown field (422).
        """
        body = self.parsed_body() if self.body else {}
        if body is None:
            raise bad_request("Problems parsing JSON")
        if not isinstance(body, dict):
            raise bad_request("Body should be a JSON object")
        refuse_unknown("field", body, accepted)
        return body


def _no_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity, but they are not JSON.
    raise ValueError(name)
