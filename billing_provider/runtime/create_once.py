"""The one protocol of a create: look first, adopt or refuse, send once, confirm an unknown outcome by looking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from billing_provider.core.errors import ApiError, NotSentError, OutcomeError, TransportError, WaitError
from billing_provider.core.inputs import ADOPT, ADOPT_IF_IDENTICAL, ERROR
from billing_provider.transport import retry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

MAX_POSTS = 3
"""Most POSTs of one create; each but the first only after GitHub provably did not apply the one before."""
_LOOKS = (1 / 15, 1 / 3, 3 / 4, 7 / 8, 1)
"""When the listing is looked at, as parts of the settling time: soon, then often once GitHub has given up its work."""


class Identified(Protocol):
    """What GitHub stores under an id."""

    @property
    def id(self) -> str:
        """GitHub's id."""


T = TypeVar("T", bound=Identified)


@dataclass(frozen=True)
class Created(Generic[T]):
    """What now stands for a resource.

    Attributes:
        item: As GitHub stores it.
        adopted: Whether it was there before.
        updated: The fields that were brought to the declared values on adoption.
    """

    item: T
    adopted: bool
    updated: tuple[str, ...] = ()


class CreateOnce(ABC, Generic[T]):
    """One create of one thing, whose subclass says what differs between the kinds of things.

    Args:
        run: What the resources of this engine run share.
        owner: Who is to own it.
        urn: The resource that asks.
        on_existing: What to do about one that is there already: one of `ON_EXISTING`; None for the default.
    """

    how_to_adopt: str
    """How to manage an existing one, after the setting of `on_existing` that does it."""

    def __init__(self, run: Run, owner: Owner, urn: str, on_existing: str | None) -> None:
        self._run, self._owner, self._urn = run, owner, urn
        self._policy = on_existing or ADOPT_IF_IDENTICAL

    def bring_about(self) -> Created[T]:
        """Look, then adopt or create; at no time are there two. The caller holds the lock of the owner.

        Raises:
            OutcomeError: One exists and may not be taken over, or the outcome stays unknown.
            ApiError: GitHub refused it; nothing was created.
            NotSentError: No connection; nothing was created.
        """
        before = self.list_before()
        existing = self._existing(before)
        if existing is not None:
            return self._adopt(existing)
        try:
            return self._post(before)
        except ApiError as error:
            if not self.says_taken(error):
                raise
            listing = self.list_now()
            existing = self._existing(listing)
            if existing is None:
                raise OutcomeError(self.explain_taken(error, listing)) from None
            return self._adopt(existing)

    @abstractmethod
    def what(self) -> str:
        """Return what is to be created, for messages."""

    @abstractmethod
    def list_before(self) -> Mapping[str, T]:
        """Return all that the owner has, by id, from a listing that is fresh enough for the look before a create."""

    @abstractmethod
    def list_now(self) -> Mapping[str, T]:
        """Return all that the owner has, by id, as GitHub lists it now."""

    @abstractmethod
    def matches(self, listing: Mapping[str, T]) -> tuple[list[T], list[T]]:
        """Return the live ones with the declared key, and those of which GitHub does not tell enough to be sure."""

    @abstractmethod
    def is_new_and_ours(self, found: T) -> bool:
        """Tell whether one that appeared after our POST is what the POST creates."""

    @abstractmethod
    def send(self) -> T | None:
        """Send the create once and return what GitHub answers; None where the answer has no id."""

    @abstractmethod
    def says_taken(self, error: ApiError) -> bool:
        """Tell whether GitHub refused the create because there is one already."""

    @abstractmethod
    def explain_taken(self, error: ApiError, listing: Mapping[str, T]) -> str:
        """Return the text for a refusal of `says_taken` when no live one with the key is listed."""

    @abstractmethod
    def look_closer(self, existing: T) -> tuple[T, list[str], list[str]]:
        """Return an existing one in full, what differs in it, and what of that only `adopt` may change.

        Raises:
            OutcomeError: No update could make it what is declared.
        """

    @abstractmethod
    def update(self, existing: T, different: list[str]) -> T:
        """Bring an existing one to the declaration, as far as that is not left to the caller, and return it."""

    def _existing(self, listing: Mapping[str, T]) -> T | None:
        """Return the one live thing with the declared key, or None.

        Raises:
            OutcomeError: There are several, it belongs to another resource, or GitHub does not say enough.
        """
        certain, unsure = self.matches(listing)
        if len(certain) > 1:
            raise OutcomeError(
                f"{self.what()} exists more than once: {_ids(certain)}. Delete all but one, then run again."
            )
        if certain:
            holder = self._run.registry.holder(certain[0].id)
            if holder not in (None, self._urn):
                raise OutcomeError(f"{self.what()} is declared twice: it is {certain[0].id} of {holder} already.")
            return certain[0]
        if unsure := self._not_held(unsure):
            raise OutcomeError(
                f"{self.what()} may exist already as {_ids(unsure)}: GitHub's listing does not tell its entity or "
                "scope in full. Import it if it is the one (see Adoption in docs/reference.md), else delete it, "
                "then run again."
            )
        return None

    def _adopt(self, existing: T) -> Created[T]:
        """Take over one that is there, as far as `on_existing` allows."""
        existing, different, only_adopt = self.look_closer(existing)
        if self._policy == ERROR or (only_adopt and self._policy != ADOPT):
            how = "is as declared" if not different else f"differs in {', '.join(different)}"
            choice = ADOPT if only_adopt else ADOPT_IF_IDENTICAL
            raise OutcomeError(
                f"{self.what()} exists already as {existing.id}; it {how}. "
                f'To manage it here set on_existing="{choice}"{self.how_to_adopt}.'
            )
        if different:
            existing = self.update(existing, different)
        self._run.registry.adopt(self._urn, existing.id)
        return Created(existing, adopted=True, updated=tuple(different))

    def _post(self, before: Collection[str]) -> Created[T]:
        """Send the create, and again only when the one before provably did nothing."""
        for _ in range(MAX_POSTS):
            item, failure = self._post_once()
            if item is not None and item.id in before:
                # The answer is about another one, so the id of the new one is not known.
                item = None
            item = item or self._confirm(before, failure)
            if item is not None:
                self._run.registry.hold(self._urn, item.id)
                return Created(item, adopted=False)
        raise OutcomeError(f"{self.what()} was not created, as GitHub's listing shows: {failure} Run again later.")

    def _post_once(self) -> tuple[T | None, Exception | None]:
        """Return what was created, or None with the failure that leaves open whether there is one."""
        try:
            return self.send(), None
        except NotSentError:
            raise
        except TransportError as error:
            return None, error
        except ApiError as error:
            if not retry.is_transient(error.status):
                raise
            return None, error

    def _confirm(self, before: Collection[str], failure: Exception | None) -> T | None:
        """Look for what an unanswered create made until GitHub can no longer be working on it.

        A look that fails does not end it: whoever ran again at once would see nothing yet and create a second one.

        Returns:
            The one new thing with our key and our values, or None when it is certain that there is none.

        Raises:
            OutcomeError: The listing cannot be read, or shows something that is not ours.
        """
        # From the lost answer on: the request may have waited long for its turn before it was sent.
        clock, longest = self._run.clock, self._run.settings.settle_seconds
        lost_at = clock.now()
        unread: Exception | None = None
        for part in _LOOKS:
            clock.sleep(max(0.0, lost_at + part * longest - clock.now()))
            try:
                listing, unread = self.list_now(), None
            except (ApiError, TransportError, WaitError) as error:
                unread = error
                continue
            certain, unsure = self.matches({id_: item for id_, item in listing.items() if id_ not in before})
            mine = self._not_held(certain + unsure)
            if len(mine) > 1 or (mine and not self.is_new_and_ours(mine[0])):
                raise OutcomeError(
                    f"{self.what()}: somebody else made {_ids(mine)} at this moment. Check them, then run again."
                )
            if mine:
                return mine[0]
        if unread is not None:
            raise OutcomeError(
                f"{self.what()} may have been created: {failure or 'GitHub did not tell its id.'} "
                f"It could not be looked up: {unread} Run again: the next run looks first and takes it over."
            )
        if failure is None:
            raise OutcomeError(
                f"{self.what()} was created, says GitHub, without an id of its own, and the listing does not "
                "show it yet. Run again: the next run looks first and takes it over."
            )
        return None

    def _not_held(self, items: list[T]) -> list[T]:
        return [item for item in items if self._run.registry.holder(item.id) is None]


def _ids(items: Iterable[Identified]) -> str:
    return " and ".join(item.id for item in items)
