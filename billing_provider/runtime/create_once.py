"""The protocol of every create: list first, adopt or refuse, send once, confirm an unknown outcome by a listing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from billing_provider.core.errors import ApiError, NotSentError, OutcomeError, TransportError, WaitError
from billing_provider.core.inputs import ADOPT, ADOPT_IF_IDENTICAL, ERROR
from billing_provider.transport import retry

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

MAX_POSTS = 3
"""Maximum number of POSTs of one create; a POST is repeated only if GitHub provably did not apply the previous one."""
ELSEWHERE = (
    "it is not in this state under this name, so another stack may manage it: search its id in "
    "`pulumi stack export --stack NAME`, for each of `pulumi stack ls`"
)
"""What is said of an existing object; a plugin knows what its own resources have in the state, and no other one."""
_LOOKS = (1 / 15, 1 / 3, 3 / 4, 7 / 8, 1)
"""When the listing is read, as fractions of the settling time: once early, more often after GitHub stopped its work."""


class Identified(Protocol):
    """An object that GitHub stores under an id."""

    @property
    def id(self) -> str:
        """GitHub's id."""


T = TypeVar("T", bound=Identified)


@dataclass(frozen=True)
class Created(Generic[T]):
    """The result of a create or of an adoption.

    Attributes:
        item: The object as GitHub stores it.
        adopted: Whether it existed before and was not this resource's own object.
        updated: The fields that the adoption changed to the declared values.
    """

    item: T
    adopted: bool
    updated: tuple[str, ...] = ()


class CreateOnce(ABC, Generic[T]):
    """The create of one object; a subclass defines what is specific to a kind of object.

    Args:
        run: The state shared by the resources of this engine run.
        owner: The owner of the object.
        urn: The URN of the resource to create.
        on_existing: What to do about an existing object: one of `ON_EXISTING`; None for the default.
    """

    effect_of_adopting = ""
    """What an adoption changes, for the advice to adopt an existing object; it follows the value of `on_existing`."""

    def __init__(self, run: Run, owner: Owner, urn: str, on_existing: str | None) -> None:
        self._run, self._owner, self._urn = run, owner, urn
        self._policy = on_existing or ADOPT_IF_IDENTICAL

    def create_or_adopt(self) -> Created[T]:
        """Adopt the existing object or create one; there are never two. The caller holds the lock of the owner.

        Raises:
            OutcomeError: An existing object may not be adopted, or the outcome stays unknown.
            ApiError: GitHub refused it; nothing was created.
            NotSentError: No connection; nothing was created.
        """
        before = self.list_before()
        existing = self._existing(before)
        if existing is not None:
            return self._adopt(existing)
        try:
            return self._post(self.ids_in(before))
        except ApiError as error:
            if not self.is_conflict(error):
                raise
            listing = self.list_now()
            existing = self._existing(listing)
            if existing is None:
                raise OutcomeError(self.conflict_message(error, listing)) from None
            return self._adopt(existing)

    def adoptable(self) -> tuple[T, list[str]] | None:
        """Return the object that a create would adopt now, and the fields that this would change; nothing is changed.

        Returns:
            None if there is no such object, so that a create would send it.

        Raises:
            OutcomeError: A create would fail: the existing object may not be adopted.
        """
        existing = self._existing(self.list_known())
        return None if existing is None else self._check_adoption(existing)

    def present(self) -> T | None:
        """Return the only live object that certainly has the declared key, or None."""
        certain, _ = self.matches(self.list_known())
        return certain[0] if len(certain) == 1 else None

    @abstractmethod
    def what(self) -> str:
        """Return what is to be created, for messages."""

    @abstractmethod
    def list_known(self) -> Mapping[str, T]:
        """Return the objects that may have the declared key by id, from the listing of this run."""

    @abstractmethod
    def list_before(self) -> Mapping[str, T]:
        """Return the objects that may have the declared key by id, from a listing recent enough for a create."""

    @abstractmethod
    def list_now(self) -> Mapping[str, T]:
        """Return the objects that may have the declared key by id, from a new listing."""

    def ids_in(self, before: Mapping[str, T]) -> Container[str]:
        """Return the ids of all objects that `list_before` has read, also of those that cannot have the declared key.

        One that gets the key during the create is not the result of its POST.
        """
        return before

    def is_known(self, id_: str) -> bool:  # noqa: ARG002 - for subclasses whose listings are a part of all objects
        """Return whether a listing of this run has shown an object with this id."""
        return False

    @abstractmethod
    def matches(self, listing: Mapping[str, T]) -> tuple[list[T], list[T]]:
        """Return the live objects that have the declared key, and those that may have it: GitHub omits fields."""

    @abstractmethod
    def is_new_and_ours(self, found: T) -> bool:
        """Return whether an object that appeared after our POST was created by it."""

    @abstractmethod
    def send(self) -> T | None:
        """Send the create once and return the object in the reply; None if the reply has no id."""

    @abstractmethod
    def is_conflict(self, error: ApiError) -> bool:
        """Return whether GitHub refused the create because the object exists already."""

    @abstractmethod
    def conflict_message(self, error: ApiError, listing: Mapping[str, T]) -> str:
        """Return the error message if `is_conflict` is true but the listing has no live object with the key."""

    @abstractmethod
    def compare_existing(self, existing: T) -> tuple[T, list[str], list[str]]:
        """Return the complete existing object, the fields that differ, and those of them that only `adopt` may change.

        Raises:
            OutcomeError: No update can change it to the declared values.
        """

    def describe(self, existing: T, different: list[str]) -> str:  # noqa: ARG002 - for subclasses that know the values
        """Return the fields that differ, for a message."""
        return ", ".join(different)

    @abstractmethod
    def update(self, existing: T, different: list[str]) -> T:
        """Change the different fields to the declared values, unless the caller does that, and return the object."""

    def _existing(self, listing: Mapping[str, T]) -> T | None:
        """Return the only live object that has the declared key, or None.

        Raises:
            OutcomeError: Several match, another resource holds it, or GitHub omits fields needed to decide.
        """
        certain, unsure = self.matches(listing)
        if len(certain) > 1:
            raise OutcomeError(
                f"{self.what()} exists more than once: {_ids(certain)}. Delete all but one, then run again."
            )
        if certain:
            holder = self._run.registry.holder(certain[0].id, self._urn)
            if holder not in (None, self._urn):
                raise OutcomeError(f"{self.what()} is declared twice: it is {certain[0].id} of {holder} already.")
            return certain[0]
        if unsure := self._not_held(unsure):
            raise OutcomeError(
                f"{self.what()} may exist already as {_ids(unsure)}: GitHub's listing does not show its complete "
                "entity or scope. Compare it on GitHub: if it is the declared one, remove one of the two, then run "
                "again."
            )
        return None

    def _adopt(self, existing: T) -> Created[T]:
        """Adopt an existing object if `on_existing` allows it, or if it is the former object of this resource."""
        existing, different = self._check_adoption(existing)
        self.allow(existing, different)
        if different:
            existing = self.update(existing, different)
        former = self._run.registry.former(self._urn).get(existing.id)
        self._run.registry.adopt(self._urn, existing.id)
        # What an object is to this stack stays the same when the same object is taken again.
        adopted = former is None or bool(former.get("adopted"))
        return Created(existing, adopted=adopted, updated=tuple(different))

    @abstractmethod
    def allow(self, existing: T | None, different: list[str]) -> None:
        """Check the limits right before a write, against what this create has read itself.

        Args:
            existing: The object to adopt, or None before a POST.
            different: The fields that the adoption changes.

        Raises:
            OutcomeError: The limits refuse it; nothing was sent.
        """

    def is_former(self, existing: T) -> bool:
        """Return whether this run replaces an object of this resource by itself: GitHub has not removed it yet."""
        return existing.id in self._run.registry.replaced(self._urn)

    def _check_adoption(self, existing: T) -> tuple[T, list[str]]:
        """Return the complete existing object and the fields that differ, if it may be adopted."""
        existing, different, only_adopt = self.compare_existing(existing)
        if not self.is_former(existing) and (self._policy == ERROR or (only_adopt and self._policy != ADOPT)):
            how = f"differs in {self.describe(existing, different)}" if different else "is as declared"
            choice = ADOPT if only_adopt else ADOPT_IF_IDENTICAL
            raise OutcomeError(
                f"{self.what()} exists already as {existing.id}; it {how}. "
                f'To manage it here set on_existing="{choice}"{self.effect_of_adopting}; else remove one of the two. '
                f"{ELSEWHERE[0].upper()}{ELSEWHERE[1:]}."
            )
        return existing, different

    def _post(self, before: Container[str]) -> Created[T]:
        """Send the create; repeat it only if the previous request provably had no effect."""
        self.allow(None, [])
        for _ in range(MAX_POSTS):
            item, failure = self._post_once()
            if item is not None and (item.id in before or self.is_known(item.id)):
                # The reply describes another object, so the id of the new one is unknown.
                item = None
            item = item or self._confirm(before, failure)
            if item is not None:
                self._run.registry.hold(self._urn, item.id)
                return Created(item, adopted=False)
        raise OutcomeError(f"{self.what()} was not created, as GitHub's listing shows: {failure} Run again later.")

    def _post_once(self) -> tuple[T | None, Exception | None]:
        """Return the created object, or None and the failure after which the outcome is unknown."""
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

    def _confirm(self, before: Container[str], failure: Exception | None) -> T | None:
        """Read the listing until it shows the result of an unanswered create, or GitHub can no longer be processing it.

        A failed listing does not end the wait: an immediate new run might not see the object and create a second one.

        Returns:
            The only new object with our key and our values, or None if it certainly does not exist.

        Raises:
            OutcomeError: The listing cannot be read, or shows a new object that is not ours.
        """
        # Measured from the lost reply: the request may have been delayed for long before it was sent.
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
                    f"{self.what()}: {_ids(mine)} appeared during the create and may come from another client. "
                    "Check on GitHub what is there, then run again."
                )
            if mine:
                return mine[0]
        if unread is not None:
            raise OutcomeError(
                f"{self.what()} may have been created: {failure or 'The reply has no new id.'} "
                f"It could not be looked up: {unread} {self._next_run()}"
            )
        if failure is None:
            raise OutcomeError(
                f"{self.what()}: GitHub accepted the create, but its reply has no new id and the listing does not "
                f"show it yet. {self._next_run()}"
            )
        return None

    def _next_run(self) -> str:
        """Return the advice after an unknown outcome: what the next run does if the object exists."""
        if self._policy != ERROR:
            return "Run again: the next run lists first and adopts it if it exists."
        return (
            f'Run again: the next run lists first and stops if it exists, because of on_existing="{ERROR}". '
            f'To adopt it, set on_existing="{ADOPT_IF_IDENTICAL}".'
        )

    def _not_held(self, items: list[T]) -> list[T]:
        return [item for item in items if self._run.registry.holder(item.id, self._urn) is None]


def _ids(items: Iterable[Identified]) -> str:
    return " and ".join(item.id for item in items)
