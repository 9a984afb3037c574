"""The review of a plan: what happens to each resource, the sum of caps, and whether a gate stops it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.adopt.states import BUCKET_KIND, TYPE_PREFIX
from billing_provider.audit.rules import in_words, judge
from billing_provider.audit.subjects import of_resource, of_resources
from billing_provider.budgets import told
from billing_provider.budgets.consequences import DOLLARS, worth
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.core.redact import clean
from billing_provider.cost_centers import words
from billing_provider.review import budgets, cost_centers, items, user_budgets
from billing_provider.review.items import Cap, Item, PairedStep
from billing_provider.review.targets import by_target, with_former
from billing_provider.runtime.registry import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from billing_provider.audit.rules import RuleFinding
    from billing_provider.audit.subjects import Subject
    from billing_provider.review.plan import PlannedStep, ReviewedPlan, Values
    from billing_provider.review.targets import Target


class Kind(NamedTuple):
    """How a review reads one kind of resource.

    Attributes:
        read: Returns what a step means.
        key: Returns what identifies the object on GitHub, before a step or after it; None if that is not known.
        words: Returns what a preview says about a new resource, without its name.
        adopts: How the word of a preview about an adoption begins, before GitHub's id.
    """

    read: Callable[[PairedStep], Item]
    key: Callable[[PlannedStep, Values], Hashable | None]
    words: Callable[[PlannedStep], list[str]]
    adopts: str


KINDS: Mapping[str, Kind] = {
    **{
        kind.resource: Kind(budgets.read, budgets.key_of, budgets.words_of, told.ADOPTS)
        for kind in OWNER_KINDS.values()
    },
    "CostCenter": Kind(cost_centers.read, cost_centers.key_of, cost_centers.words_of, words.ADOPTS),
    BUCKET_KIND: Kind(user_budgets.read, user_budgets.key_of, lambda _: [], told.ADOPTS),
}
"""What reads the steps of each kind of resource; another kind has an entry here."""
LOOSENING, DELETION, INCREASE, BLOCKS, UNKNOWN = "loosening", "deletion", "increase", "blocks", "unknown"
BROKEN = "rules"
UNSEEN = (
    "The rules see only the budgets that the plan lists: others of the owner can be in other stacks, or made by hand."
)
"""What rules cannot see in a plan."""
_SHOWN = 60
NO_RULES: Mapping[str, Any] = {}
GATES = (LOOSENING, DELETION, INCREASE, BLOCKS, UNKNOWN, BROKEN)
"""What a gate can stop."""


class Sum(NamedTuple):
    """The most that some caps allow a month.

    Attributes:
        amount: The sum of the amounts at which GitHub stops usage, in `unit`.
        unlimited: How many targets have no such amount: no budget, or one that only alerts.
        unknown: How many targets have a cap that is not known.
        unit: `$` or `licenses`.
        capped: How many targets GitHub stops.
    """

    amount: float
    unlimited: int
    unknown: int
    unit: str
    capped: int

    def __str__(self) -> str:
        """Return the sum in words."""
        parts = [worth(self.amount, self.unit)] if self.capped else []
        if self.unlimited:
            parts.append("no limit" if not self.capped and not self.unknown else f"{self.unlimited} without a limit")
        if self.unknown:
            parts.append(f"{self.unknown} not known")
        return " + ".join(parts)


class Total(NamedTuple):
    """The most that can be spent before and after, by the caps that a plan changes.

    Attributes:
        owner: The owner.
        product: The product or SKU.
        scope: The scope; budgets of one scope do not overlap, those of several can.
        before: The sum before.
        after: The sum after.
        is_each: Whether each of many users has it.
    """

    owner: str
    product: str
    scope: str
    before: Sum
    after: Sum
    is_each: bool


class Gate(NamedTuple):
    """A condition on which a review fails.

    Attributes:
        kind: One of `GATES`.
        amount: Of an increase, the largest one that passes.
    """

    kind: str
    amount: float = 0.0

    def __str__(self) -> str:
        """Return the gate as an option has it."""
        return f"{self.kind}>{self.amount:g}" if self.kind == INCREASE else self.kind


@dataclass(frozen=True)
class Review:
    """What a plan does.

    Attributes:
        plan: The plan.
        items: What it does to each resource that changes, losses first.
        totals: The sums of the caps that it changes.
        broken: What breaks the rules that are on, of the budgets that the plan lists, as they are after it.
        rules: How many rules are on.
        said: What the preview says besides: about no resource of this provider, or about one that does not change.
    """

    plan: ReviewedPlan
    items: list[Item]
    totals: list[Total]
    broken: list[RuleFinding]
    rules: int = 0
    said: tuple[str, ...] = ()

    @property
    def losses(self) -> list[Item]:
        """What goes, allows more, or tells fewer people."""
        return [item for item in self.items if item.is_loss]

    @property
    def changes(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.items or self.broken or self.unknown)

    @property
    def rules_in_words(self) -> list[str]:
        """What breaks the rules, one line each below a title, and what the rules cannot see; empty without rules."""
        if not self.rules:
            return []
        left_out = self.plan.left_out
        unseen = f"{UNSEEN} {left_out} unchanged resources are not in it." if left_out else UNSEEN
        return [*in_words(self.broken), unseen]

    @property
    def unknown(self) -> list[str]:
        """Why the plan is not all that there is, one line each."""
        found = [f"the preview failed, so the plan lacks steps: {error}" for error in self.plan.errors]
        if not self.plan.is_complete:
            found.append("the stream of events has no end, so the plan can lack steps")
        return found + [text for text in self.said if told.read([text]).unknown]

    @property
    def other_said(self) -> list[str]:
        """What the preview says besides, without the reasons of `unknown`."""
        unknown = set(self.unknown)
        return [text for text in self.said if text not in unknown]

    def stopped(self, gates: Iterable[Gate]) -> list[tuple[Gate, str]]:
        """Return the gates that stop the plan, each with the resource or the reason; in the given order."""
        found: list[tuple[Gate, str]] = []
        for gate in dict.fromkeys(gates):
            found += [(gate, f"{item.resource} {item.name}") for item in self.items if _stops(gate, item)]
            found += [(gate, reason) for reason in self.unknown] if gate.kind == UNKNOWN else []
            found += [(gate, f"{each.rule}: {each.what}") for each in self.broken] if gate.kind == BROKEN else []
        return found


def review(plan: ReviewedPlan, rules: Mapping[str, Any] = NO_RULES) -> Review:
    """Return the review of a plan.

    Args:
        plan: The plan.
        rules: The rules that are on, by name, with their settings.
    """
    found = [
        items.read(KINDS[step.planned.resource].read if step.planned.resource in KINDS else _no_reader, step)
        for step in _paired([each for each in plan.steps if each.op not in items.QUIET])
    ]
    changing = {_component(step.urn) for step in plan.steps if step.op not in items.QUIET}
    said = list(plan.general)
    for step in (*plan.tables, *(each for each in plan.steps if each.op in items.QUIET)):
        item = items.read(items.noted, PairedStep(step))
        if item.is_loss or item.told.stops or step.urn in changing:
            found.append(item)
        else:
            said += [f"{clean(step.name, _SHOWN)}: {text}" for text in item.texts]
    targets = by_target(found)
    ordered = sorted((with_former(item, targets) for item in found), key=lambda item: item.rank)
    broken = judge(of_resources(_after(plan)), rules)
    return Review(plan, ordered, _totals(targets), broken, len(rules), tuple(dict.fromkeys(said)))


def _component(urn: str) -> str:
    """Return the URN of the table to which a resource belongs, if it belongs to one."""
    return table_of(urn).replace(f"${TYPE_PREFIX}{BUCKET_KIND}::", "::")


def _after(plan: ReviewedPlan) -> Iterator[Subject]:
    """Yield the budgets of a plan as they are after it."""
    for step in plan.steps:
        if step.new.fields:
            yield from of_resource(step.resource, step.new.fields, step.new.unknown, step.name, step.urn)


def _no_reader(step: PairedStep) -> Item:
    return items.not_understood(step.planned, "this version does not know the kind of resource")


def _paired(steps: Sequence[PlannedStep]) -> list[PairedStep]:
    """Return the steps; an object that one resource gives up and another one takes over is one step."""
    made: dict[tuple[str, Hashable], PlannedStep] = {}
    for step in steps:
        if step.op == "create" and step.resource in KINDS:
            made.update({(step.resource, name): step for name in _names_of_new(step)})
    former: dict[str, PlannedStep] = {}
    for step in steps:
        if step.op == "delete" and step.resource in KINDS:
            names = (step.id.rpartition("/")[2], KINDS[step.resource].key(step, step.known))
            heirs = (made.get((step.resource, name)) for name in names if name)
            heir = next((each for each in heirs if each is not None and each.urn not in former), None)
            if heir is not None:
                former[heir.urn] = step
    gone = {step.urn for step in former.values()}
    return [PairedStep(step, former.get(step.urn)) for step in steps if step.urn not in gone]


def _names_of_new(step: PlannedStep) -> Iterator[Hashable]:
    """Yield what identifies the object of a new resource: its key, and GitHub's id if the preview says so."""
    kind = KINDS[step.resource]
    yield from filter(None, [kind.key(step, step.new)])
    for word in kind.words(step):
        # A name in the middle of a text is not trusted.
        if word.startswith(kind.adopts):
            yield re.split(r"[\s:;]", word.removeprefix(kind.adopts), maxsplit=1)[0]


def _totals(targets: Mapping[Hashable, Target]) -> list[Total]:
    groups: dict[tuple[str, str, str], list[tuple[Cap, Cap]]] = {}
    for before, after, _ in targets.values():
        if before != after or not after.is_known:
            groups.setdefault((after.owner, after.product, after.scope), []).append((before, after))
    totals = []
    for group, pairs in sorted(groups.items()):
        unit = next((cap.terms.unit for pair in pairs for cap in pair if cap.terms is not None), DOLLARS)
        befores, afters = ([pair[side] for pair in pairs] for side in (0, 1))
        totals.append(Total(*group, _sum(befores, unit), _sum(afters, unit), afters[0].is_each))
    return [total for total in totals if total.before != total.after or total.before.unknown]


def _sum(caps: Sequence[Cap], unit: str) -> Sum:
    known = [cap.terms for cap in caps if cap.is_known]
    limits = [terms for terms in known if terms is not None and terms.most < math.inf]
    amount = sum(terms.most for terms in limits)
    return Sum(amount, len(known) - len(limits), len(caps) - len(known), unit, len(limits))


def _stops(gate: Gate, item: Item) -> bool:
    return {
        LOOSENING: item.is_loss,
        DELETION: item.deletes,
        INCREASE: item.raises_more_than(gate.amount),
        BLOCKS: item.told.stops,
        UNKNOWN: bool(item.unknown) or item.told.unknown,
        BROKEN: False,
    }[gate.kind]
