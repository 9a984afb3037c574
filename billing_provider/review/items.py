"""What a plan does to one resource, in words; each kind of resource has one function in `READERS`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from billing_provider.budgets import consequences
from billing_provider.budgets import told as words_of
from billing_provider.budgets.told import NOTHING_TOLD
from billing_provider.core.limits import Limits
from billing_provider.core.redact import clean, hiding

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from billing_provider.budgets.consequences import Terms
    from billing_provider.budgets.told import Told
    from billing_provider.review.plan import PlannedStep

    Pair = tuple[Terms | None, Terms | None]

REMOVED, REPLACED, LOOSENED, RAISED = "removed", "replaced", "loosened", "raised"
NOT_UNDERSTOOD, NEW, ADOPTED, CHANGED, LOWERED = "not understood", "new", "adopted", "changed", "lowered"
MOVED, KEPT, IMPORTED = "moved", "kept on GitHub", "imported"
ORDER = (
    *(REMOVED, REPLACED, LOOSENED, RAISED, NOT_UNDERSTOOD),
    *(ADOPTED, NEW, CHANGED, LOWERED, MOVED, KEPT, IMPORTED),
)
"""What can happen to a resource, in the order of a review; losses come before the others."""
QUIET = frozenset(
    {"same", "read", "read-replacement", "discard", "discard-replaced", "refresh", "remove-pending-replace"}
)
"""Pulumi's operations that change nothing on GitHub."""
TAKEN = "the state takes it; GitHub is not changed"
"""What an import means."""
NOT_YET = "(not known yet)"
"""What stands for a name that is not known yet."""
_LEAVES_THE_OBJECT = {"create", "create-replacement", "update", "import", "import-replacement"}
_TABLE, _AS_IT_IS = "UserBudgets", "what the plan does not show"
_MAX_TEXT, _MAX_NAME = 400, 60
MOST_TEXTS = 10
"""The most lines about single targets of one resource; the rest is counted."""


class Cap(NamedTuple):
    """The cap of one target before or after a plan, for the sum of caps.

    Attributes:
        owner: The owner, such as `enterprise octo-enterprise`.
        product: The product or SKU.
        scope: The scope; of a budget of many users, with what groups them.
        terms: The terms; None if no budget is there, or if it is not known.
        is_known: Whether it is known.
        is_each: Whether each of many users has it.
    """

    owner: str
    product: str
    scope: str
    terms: Terms | None = None
    is_known: bool = True
    is_each: bool = False


@dataclass(frozen=True)
class Item:
    """What a plan does to one resource.

    Attributes:
        change: One of `ORDER`.
        resource: The kind of resource.
        name: Its name in the program.
        urn: Its URN.
        before: The budget or cost center before; empty for none.
        after: The same after.
        texts: What it means, losses first, one line each.
        said: What else the preview says about it.
        unknown: What is not known, one line each.
        is_loss: Whether a cap goes, allows more, or tells fewer people.
        deletes: Whether a budget goes or a cost center is archived.
        told: What the words of the preview say.
        pairs: The terms of the budgets that change, before and after, for limits; None for no budget.
        hides_raise: Whether an amount or a hard stop changes that is secret: the raise can be any.
        caps: The caps of its targets before and after, by target.
        parts: The items of its parts: of a table, the rows that change.
    """

    change: str
    resource: str
    name: str
    urn: str
    before: str = ""
    after: str = ""
    texts: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_loss: bool = False
    deletes: bool = False
    told: Told = NOTHING_TOLD
    pairs: tuple[Pair, ...] = ()
    hides_raise: bool = False
    caps: dict[Hashable, tuple[Cap, Cap]] = field(default_factory=dict)
    parts: tuple[Item, ...] = ()

    @property
    def rank(self) -> tuple[bool, int, str, str]:
        """Its place in a review."""
        return not self.is_loss, ORDER.index(self.change), self.resource, self.urn

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that is said about it."""
        return (*self.texts, *self.unknown, *self.said)

    def raises_more_than(self, amount: float) -> bool:
        """Return whether an amount rises by more US dollars or licenses, or a hard stop goes."""
        is_over = any(consequences.refused(old, new, Limits(usd=amount)) for old, new in self.pairs)
        is_over = is_over or self.hides_raise or self.told.raised > amount
        return is_over or any(part.raises_more_than(amount) for part in self.parts)


class PairedStep(NamedTuple):
    """A step with what else the plan does to its object.

    Attributes:
        planned: The step.
        former: The step of another resource that gives the object up, and this one takes over; None for none.
    """

    planned: PlannedStep
    former: PlannedStep | None = None

    def changed(self, secret: frozenset[str]) -> frozenset[str]:
        """Return the secret inputs that change, or can: a plan may not say what differs, and nobody can compare them.

        Args:
            secret: The secret inputs, before or after.
        """
        differs = self.planned.differs
        return secret & differs if differs and self.former is None else secret


def said_about(step: PlannedStep, subject: str, repeated: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Return what the preview says about a resource: the words without its name, and the other texts.

    Args:
        step: The step.
        subject: How the words name the resource; empty if it is not known.
        repeated: Texts that the review says itself.
    """
    name = clean(subject)
    known = set(repeated)
    words, others = [], []
    for text in step.said:
        if name and text.startswith(f"{name}: "):
            words.append(text.removeprefix(f"{name}: "))
        else:
            others.append(text.removeprefix(f"{name} ") if name else text)
    return [word for word in words if word not in known], [text for text in others if text not in known]


def taken_over(former: PlannedStep | None) -> tuple[str, ...]:
    """Return which resource had the object before, if another one takes it over."""
    return () if former is None else (f"the resource {clean(former.name, _MAX_NAME)} had it before",)


def not_understood(step: PlannedStep, reason: str) -> Item:
    """Return the item of a step that cannot be read; it is a loss and can be a deletion, because it can be one."""
    return Item(
        NOT_UNDERSTOOD,
        step.resource,
        step.name,
        step.urn,
        texts=(f"Pulumi's operation is {clean(step.op, 40)}",),
        said=step.said,
        unknown=(reason,),
        is_loss=True,
        deletes=step.op not in _LEAVES_THE_OBJECT,
        told=words_of.read(step.said),
    )


def noted(step: PairedStep) -> Item:
    """Return what the preview says about a resource that has no change in the plan, or about a table as a whole.

    A plan does not show the budgets that a table adopts, or removes because it is exclusive.
    """
    planned = step.planned
    words, others = said_about(planned, planned.name)
    meant = words_of.read(texts := [*words, *others])
    return Item(
        LOOSENED if meant.loses else CHANGED,
        planned.resource or _TABLE,
        planned.name,
        planned.urn,
        before=_AS_IT_IS,
        after=_AS_IT_IS,
        texts=tuple(texts),
        is_loss=meant.loses,
        deletes=meant.deletes,
        told=meant,
    )


def _shortened(item: Item) -> Item:
    """Return an item whose texts are of bounded length."""
    return replace(
        item,
        resource=clean(item.resource, _MAX_TEXT),
        name=clean(item.name, _MAX_TEXT),
        urn=clean(item.urn),
        before=clean(item.before, _MAX_TEXT),
        after=clean(item.after, _MAX_TEXT),
        texts=_all_cleaned(item.texts),
        said=_all_cleaned(item.said),
        unknown=_all_cleaned(item.unknown),
    )


def _all_cleaned(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean(text, _MAX_TEXT) for text in texts))


def _hidden_values(steps: Iterable[PlannedStep | None]) -> Iterator[object]:
    """Yield the values of secret inputs that a plan shows; no text may show them."""
    for step in steps:
        if step is not None:
            for values in (step.old, step.state, step.new):
                yield from values.hidden


def read(reader: Callable[[PairedStep], Item], step: PairedStep) -> Item:
    """Return what a step means, without the values of secret inputs."""
    with hiding(_hidden_values(step)):
        return _shortened(reader(step))
