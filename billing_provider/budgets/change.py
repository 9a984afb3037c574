"""What an operation does to one cap: the terms before and after it, which words and limits read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import approved_raises, consequences
from billing_provider.budgets.consequences import RAISED_TO, Terms
from billing_provider.budgets.identity import IN_PLACE, live_inputs
from billing_provider.budgets.models import FIELDS
from billing_provider.core.resource import SECRET_INPUTS, secret_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import Owner
    from billing_provider.core.settings import Guards

NOTHING: Mapping[str, Any] = {}
"""The inputs of no budget."""


@dataclass(frozen=True)
class Change:
    """The change of one cap by a create, an adoption, an update, a replacement or a deletion.

    Attributes:
        before: The inputs before it: of the live budget as far as GitHub reports them, else of the state; empty for
            none.
        after: The inputs after it; empty for none. What a request does not contain stays as before.
        unknown_before: The inputs whose values before are not known: neither GitHub nor the state has them.
        unknown: The inputs that are not known yet, in a preview.
    """

    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    unknown_before: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

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

    def refusal(self, guards: Guards) -> str | None:
        """Return why the limits refuse this change, or None."""
        return consequences.refused(self.old, self.new, guards.limits)


def refusal(guards: Guards, change: Change, replaced: Change | None) -> str | None:
    """Return why the limits refuse a create, or None.

    Args:
        guards: The settings.
        change: From nothing, or from the adopted budget, to the declared one.
        replaced: From the budget that this one replaces, if there is one: it takes the place of nothing.
    """
    found = [each for each in (change if change.before or replaced is None else None, replaced) if each is not None]
    return next((reason for each in found if (reason := each.refusal(guards))), None)


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
