"""What an operation does to one cap: the terms before and after it, which words and limits read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import approved_raises, consequences
from billing_provider.budgets.consequences import RAISED_TO, Terms
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, live_inputs, natural_key
from billing_provider.budgets.models import FIELDS
from billing_provider.core.owners import MULTI_USER_CUSTOMER, PER_USER_SCOPES, owner_of
from billing_provider.core.resource import SECRET_INPUTS, secret_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.core.settings import Guards

NOTHING: Mapping[str, Any] = {}
"""The inputs of no budget."""
if TYPE_CHECKING:
    Remaining = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Change:
    """The change of one cap by a create, an adoption, an update, a replacement or a deletion.

    Attributes:
        before: The inputs before it: of the live budget as far as GitHub reports them, else of the state; empty for
            none.
        after: The inputs after it; empty for none. What a request does not contain stays as before.
        unknown_before: The inputs whose values before are not known: neither GitHub nor the state has them.
        unknown: The inputs that are not known yet, in a preview.
        replaces: Whether the budget before goes, and the one after, if there is one, is another budget.
    """

    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    unknown_before: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    replaces: bool = False

    @classmethod
    def update(
        cls,
        owner: Owner,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        live: Budget | None,
        unknown: frozenset[str] = frozenset(),
    ) -> Change:
        """Return the change by an update: only the fields that differ from the state are sent.

        Args:
            owner: The owner of the budget.
            olds: The inputs in the state; they stand for what GitHub's reply leaves out.
            news: The declared inputs.
            live: The budget as last read, or None if it was not read.
            unknown: The inputs that are not known yet.
        """
        before = cls.standing(owner, olds, live)
        sent = set(approved_raises.differing(owner, olds, news, [name for name in IN_PLACE if name not in unknown]))
        return cls(_with_secrets(before, olds, news), _after(before, news, sent, olds), unknown=unknown)

    @staticmethod
    def standing(owner: Owner, state: Mapping[str, Any], live: Budget | None) -> dict[str, Any]:
        """Return the inputs of a budget as it stands: on GitHub if it was read, else as the state has it.

        Args:
            owner: The owner of the budget.
            state: The outputs in the state; they stand for what GitHub's reply leaves out.
            live: The budget as last read, or None if it was not read.
        """
        before = _in_state(state) if live is None else live_inputs(owner, state, live, _names_of(live))
        return _with_secrets(before, state)

    @classmethod
    def adoption(
        cls,
        owner: Owner,
        news: Mapping[str, Any],
        live: Budget,
        sent: Iterable[str],
        olds: Mapping[str, Any] = NOTHING,
    ) -> Change:
        """Return the change by an adoption of a live budget.

        Args:
            owner: The owner of the budget.
            news: The declared inputs.
            live: The budget on GitHub.
            sent: The fields that the adoption changes.
            olds: The outputs in the state if this resource had the budget before.
        """
        scope = news["budget_scope"]
        before = live_inputs(owner, {name: olds[name] for name in FIELDS if name in olds}, live, _names_of(live))
        hidden = {
            name
            for name in IN_PLACE
            if FIELDS[name].in_scope(scope) and name not in live.model_fields_set and name not in before
        }
        after = _after(before, news, set(sent), olds)
        return cls(_with_secrets(before, olds, news), after, unknown_before=frozenset(hidden))

    def not_known_yet(self, unknown: frozenset[str]) -> Change:
        """Return the change without the values after it that are not known yet."""
        after = {name: value for name, value in self.after.items() if name not in unknown}
        return replace(self, after=after, unknown=unknown)

    @property
    def old(self) -> Terms | None:
        """The terms before; None if there was no budget."""
        return Terms.of(self.before, self.unknown_before) if self.before else None

    @property
    def new(self) -> Terms | None:
        """The terms after; None if there is no budget."""
        return Terms.of(self.after, self.unknown) if self.after else None

    def words(self) -> str:
        """Return every difference between two budgets in words, losses first; empty if one of them is none."""
        old, new = self.old, self.new
        return "; ".join(consequences.changes(old, new)) if old and new else ""

    @property
    def is_covered(self) -> bool:
        """Whether the budget after caps all usage that the one before does, as far as their inputs tell."""
        if not self.replaces or not self.unknown.isdisjoint(IDENTITY):
            return bool(self.after)
        return bool(self.before and self.after) and _covers(self.after, self.before)

    def refusal(self, guards: Guards, remaining: Remaining = lambda _before: NOTHING) -> str | None:
        """Return why the limits refuse this change, or None.

        Args:
            guards: The settings.
            remaining: Returns the inputs of the cap that remains when a budget goes, empty for none; None if that is
                not known, and a later check decides. It is asked only for a hard stop that goes.
        """
        limits, old = guards.limits, self.old
        if limits and old is not None and old.stops and not self.is_covered:
            rest = remaining(self.before)
            gone = None if rest is None else consequences.refused(old, Terms.of(rest) if rest else None, limits)
            if gone:
                return f"the new budget does not cover what the old one does: {gone}" if self.after else gone
        return consequences.refused(old, self.new, limits) if self.after else None


def refusal(
    guards: Guards, change: Change, replaced: Change | None, remaining: Remaining = lambda _before: NOTHING
) -> str | None:
    """Return why the limits refuse a create, or None.

    Args:
        guards: The settings.
        change: From nothing, or from the adopted budget, to the declared one.
        replaced: From the budget that this one replaces, if there is one. Where it covers the same, it takes the place
            of that one and of nothing else; for another person or object, it is judged as a new one too.
        remaining: As for `Change.refusal`.
    """
    found = [each for each in (change if change.before or replaced is None else None, replaced) if each is not None]
    reason = next((reason for each in found if (reason := each.refusal(guards, remaining))), None)
    if reason or replaced is None or change.before or not replaced.after or replaced.is_covered or not guards.limits:
        return reason
    # The person or object that gets it has another cap until now, or none.
    rest = remaining(replaced.after)
    new = Terms.of(replaced.after, replaced.unknown)
    return None if rest is None else consequences.refused(Terms.of(rest) if rest else None, new, guards.limits)


def _covers(umbrella: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether a budget caps all usage that another one does: the same, or that of more objects or persons."""
    if not other.get("budget_scope") or not other.get("budget_product_sku"):
        return False
    above, below = (natural_key(owner_of(fields), fields) for fields in (umbrella, other))
    caps_each = above.scope == MULTI_USER_CUSTOMER and below.scope in PER_USER_SCOPES
    is_wider = caps_each and (above.owner, above.sku) == (below.owner, below.sku)
    return above == below or is_wider or consequences.covers(umbrella, other)


def _in_state(olds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs in the state with the amount on GitHub: of a raise that is kept, it is the higher one."""
    known = {"budget_amount": approved_raises.known_amount(olds)} if "budget_amount" in olds else {}
    return {name: value for name, value in {**olds, **known}.items() if name != RAISED_TO}


def _names_of(live: Budget) -> frozenset[str]:
    return frozenset({live.budget_entity_name or ""})


def _after(
    before: Mapping[str, Any], news: Mapping[str, Any], sent: set[str], olds: Mapping[str, Any]
) -> dict[str, Any]:
    stays = set(IN_PLACE) - sent
    after = {name: value for name, value in news.items() if name not in stays}
    return _with_secrets({**after, **{name: value for name, value in before.items() if name in stays}}, olds, news)


def _with_secrets(fields: Mapping[str, Any], *declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with the names of those that are or were secret."""
    names = sorted(frozenset().union(*map(secret_inputs, declared)))
    return {**fields, **({SECRET_INPUTS: names} if names and fields else {})}
