"""Read pages one after the other; the loop ends for every possible answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from billing_provider.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

T = TypeVar("T")

MAX_BUDGETS = 10_000
"""GitHub's limit of budgets per account."""
MAX_MEMBERS = 25_000
"""GitHub's limit of members per cost center."""
MAX_USERS = 1_000_000
"""The limit of users per budget; GitHub documents none, and no enterprise has as many."""


def pages(
    fetch: Callable[[int], tuple[Sequence[T], bool | None, int | None]],
    key: Callable[[T], Hashable],
    most: int,
    action: str,
) -> Iterator[tuple[Sequence[T], bool | None, int | None]]:
    """Yield the pages, up to the last one or one without new rows.

    Args:
        fetch: Returns a page by its number: its rows, whether there are more pages, and the total of rows; None if
            unknown.
        key: Identifies a row.
        most: The maximum of rows; more are an error.
        action: The operation, the start of an error message.

    Raises:
        TransportError: There are more rows than `most`.
    """
    known: set[Hashable] = set()
    number = 0
    while True:
        number += 1
        rows, more, total = fetch(number)
        before = len(known)
        known.update(key(row) for row in rows)
        if len(known) > most:
            raise TransportError(
                f"{action}: GitHub returned more than {most} rows, which is the maximum. "
                "Run again; if the error persists, report it."
            )
        yield rows, more, total
        counted = more is None and total is not None and len(known) >= total
        if more is False or counted or len(known) == before:
            return


def every_row(
    fetch: Callable[[int], tuple[Sequence[T], bool | None, int | None]],
    key: Callable[[T], Hashable],
    most: int,
    action: str,
) -> Iterator[T]:
    """Yield the rows of all pages; the arguments are those of `pages`.

    Raises:
        TransportError: The pages do not end.
    """
    for page in pages(fetch, key, most, action):
        yield from page[0]
    if page[1]:
        # A page without new rows announces further pages.
        raise TransportError(f"{action}: GitHub announced another page but returned no new rows. Run again.")
