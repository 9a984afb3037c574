"""Read pages, also side by side; the loop over them ends for every possible answer."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from billing_provider.core.errors import TransportError
from billing_provider.transport.pacing import MOST_READS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

T = TypeVar("T")

MAX_BUDGETS = 10_000
"""GitHub's limit of budgets per account."""
MAX_MEMBERS = 25_000
"""GitHub's limit of members per cost center."""
MAX_USERS = 1_000_000
"""The limit of users per budget; GitHub documents none, and no enterprise has as many."""


def expected(rows: Sequence[object], total: int | None) -> int:
    """Return the number of pages of a listing, estimated from its first page; without a total, it may have a second."""
    return -(-total // len(rows)) if total and rows else 2


class _Ahead(Generic[T]):
    """Pages that are read side by side before the loop asks for them; it gets each page, or its error, in its turn.

    Args:
        fetch: Returns a page by its number.
    """

    def __init__(self, fetch: Callable[[int], T]) -> None:
        self._fetch = fetch
        self._pages: dict[int, Future[T]] = {}
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()

    def start(self, numbers: range) -> None:
        """Begin to read pages."""
        for number in numbers:
            self._pages[number] = Future()
            self._waiting.put(number)
        for _ in numbers[:MOST_READS]:
            # The end of the process, as by Ctrl-C, waits for no daemon. The context has the patience of the caller.
            threading.Thread(target=copy_context().run, args=(self._read,), daemon=True).start()

    def page(self, number: int) -> T:
        """Return a page, which is read now if it was not begun."""
        page = self._pages.get(number)
        return self._fetch(number) if page is None else page.result()

    def stop(self) -> None:
        """Begin no further page."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()

    def _read(self) -> None:
        with suppress(queue.Empty):
            while True:
                number = self._waiting.get_nowait()
                try:
                    self._pages[number].set_result(self._fetch(number))
                except BaseException as error:  # noqa: BLE001 - raised in the thread that asks for the page
                    self.stop()
                    self._pages[number].set_exception(error)


def pages(
    fetch: Callable[[int], tuple[Sequence[T], bool | None, int | None]],
    key: Callable[[T], Hashable],
    most: int,
    action: str,
    *,
    ahead: bool = False,
) -> Iterator[tuple[Sequence[T], bool | None, int | None]]:
    """Yield the pages, up to the last one or one without new rows.

    Args:
        fetch: Returns a page by its number: its rows, whether there are more pages, and the total of rows; None if
            unknown.
        key: Identifies a row.
        most: The maximum of rows; more are an error.
        action: The operation, the start of an error message.
        ahead: Whether the pages that the first one announces are read side by side. They are judged in their order, as
            if they were read one after the other.

    Raises:
        TransportError: There are more rows than `most`.
    """
    reads = _Ahead(fetch)
    try:
        yield from _in_order(reads, key, most, action, ahead=ahead)
    finally:
        reads.stop()


def _in_order(
    reads: _Ahead[tuple[Sequence[T], bool | None, int | None]],
    key: Callable[[T], Hashable],
    most: int,
    action: str,
    *,
    ahead: bool,
) -> Iterator[tuple[Sequence[T], bool | None, int | None]]:
    known: set[Hashable] = set()
    number = 0
    while True:
        number += 1
        rows, more, total = reads.page(number)
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
        if ahead and number == 1 and total is not None and total <= most:
            reads.start(range(2, expected(rows, total) + 1))


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


def unchanged_rows(
    fetch: Callable[[int], tuple[Sequence[T], bool | None, int | None]],
    key: Callable[[T], Hashable],
    most: int,
    action: str,
) -> list[T]:
    """Return the rows of all pages, each once; the arguments are those of `pages`.

    A row that goes during the read moves another one to a page that was read before, and no page has that one. Several
    pages are therefore read twice, and must have the same rows.

    Raises:
        TransportError: The pages do not end, or the rows changed.
    """
    numbers: list[int] = []

    def counted(number: int) -> tuple[Sequence[T], bool | None, int | None]:
        numbers.append(number)
        return fetch(number)

    found = {key(row): row for row in every_row(counted, key, most, action)}
    if len(numbers) > 1 and found.keys() != {key(row) for row in every_row(fetch, key, most, action)}:
        raise TransportError(
            f"{action}: the list changed while it was read. It may be incomplete and was not used: run again."
        )
    return list(found.values())
