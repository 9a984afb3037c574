"""What a preview says about one budget: an adoption, a conflict, and the consequences of a change."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import expiry, raises, safety
from billing_provider.budgets.cache import FRESH_SECONDS, OwnerCache
from billing_provider.budgets.create import BudgetCreate
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, live_inputs, natural_key
from billing_provider.budgets.safety import Limits, Terms
from billing_provider.budgets.skus import BUNDLES, PRODUCTS, SKUS, canonical_sku, known_sku
from billing_provider.budgets.states import BudgetState, read_spec
from billing_provider.core.errors import ConfigError, ForbiddenError, NotFoundError, OutcomeError
from billing_provider.core.inputs import Problem, near
from billing_provider.core.owners import COST_CENTER_SCOPES, PER_USER_SCOPES, Owner
from billing_provider.core.resource import read_state
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.preview.reads import NotComparedError
from billing_provider.preview.usage import LiveUsage
from billing_provider.runtime.on_delete import OnDelete

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import OwnerKind
    from billing_provider.preview.owners import KnownNames
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run

_SHOWN_SKUS = 5
_AI_CREDITS = "ai_credits"


@dataclass(frozen=True)
class _Change:
    """One new or changed budget.

    Attributes:
        owner: The owner of the budget.
        subject: The description of the budget, for messages.
        olds: The stored inputs; empty for a new budget.
        news: The checked inputs.
        live: The live budget with this key, if GitHub was read and has one.
        adopted: What the adoption of the live budget would change; None if the budget is in the state already.
    """

    owner: Owner
    subject: str
    olds: Mapping[str, Any]
    news: Mapping[str, Any]
    live: Budget | None = None
    adopted: list[str] | None = None

    @property
    def before(self) -> Mapping[str, Any]:
        """The inputs before the change: those of the live budget if it is known, else those of the state."""
        if self.live is None:
            return self.olds
        return live_inputs(self.owner, self.news, self.live, frozenset({self.live.budget_entity_name or ""}))

    @property
    def after(self) -> Mapping[str, Any]:
        """The inputs after the change: a field that the request does not contain stays as it is before."""
        before = self.before
        if self.olds:
            sent = raises.differing(self.owner, self.olds, self.news, IN_PLACE)
        else:
            sent = list(IN_PLACE) if self.adopted is None else self.adopted
        stays = set(IN_PLACE).difference(sent)
        news = {name: value for name, value in self.news.items() if name not in stays}
        return {**news, **{name: value for name, value in before.items() if name in stays}}


class BudgetPreview:
    """The comparison of declared budgets with GitHub, for one run; it only reads.

    Args:
        run: The state shared by the resources of this engine run.
        reads: Sends the reads.
        names: The names of owners and organizations that this run knows.
    """

    def __init__(self, run: Run, reads: PreviewReads, names: KnownNames) -> None:
        self._run, self._reads, self._names = run, reads, names
        self._lock = threading.Lock()
        self._declared: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._usage: dict[str, LiveUsage] = {}
        self._on_delete = OnDelete(run, "budget")
        self._said_uncovered = False

    def compare(
        self, kind: OwnerKind, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> list[Problem]:
        """Warn of the consequences of a change, and return what prevents it; an unchanged budget sends nothing.

        Args:
            kind: The kind of the owner.
            urn: The URN of the resource.
            olds: The stored inputs; empty for a new budget and for the new resource of a replacement.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet; a budget that has some is compared by its amount only.
        """
        olds = read_state(BudgetState, olds)
        if unknown:
            return self._refusal(olds, news) if unknown.isdisjoint(_TERMS) else []
        owner = Owner(kind, news[kind.noun])
        change = _Change(owner, str(natural_key(owner, news)), olds, news)
        if news["budget_scope"] not in PER_USER_SCOPES:
            with self._lock:
                self._declared.setdefault(owner.key, {})[change.subject] = news
        if not self._is_compared(change):
            return []
        try:
            change = self._reads.get(lambda: self._look(urn, change))
        except NotComparedError:
            pass
        except (ConfigError, OutcomeError) as error:
            return [Problem("", str(error))]
        except (ForbiddenError, NotFoundError) as error:
            return [Problem(kind.noun, f"{error}{self._names.near_owner(owner)}")]
        if found := self._refusal(change.before, change.after):
            return found
        for text in self._consequences(change):
            self._run.reporter.warn(f"{change.subject}: {text}")
        return []

    def _is_compared(self, change: _Change) -> bool:
        """Return whether a budget is new or changed; the new budget of a replacement is checked again, as a new one."""
        owner, olds, news = change.owner, change.olds, change.news
        now = datetime.fromtimestamp(self._run.clock.wall(), timezone.utc)
        if expiry.is_over(news, now) or expiry.comes_back(olds, news, now):
            return False
        different = set(raises.differing(owner, olds, news, (owner.kind.noun, *IDENTITY[2:], *IN_PLACE)))
        replaced = different & set(IDENTITY)
        if replaced == {"budget_entity_name"} and news["budget_scope"] in COST_CENTER_SCOPES:
            # It may be the same cost center, by its UUID instead of its name. Then no second check follows.
            return True
        return not olds or bool(different and not replaced)

    def _look(self, urn: str, change: _Change) -> _Change:
        """Return the change with the live budget.

        Raises:
            OutcomeError: A create could not adopt the live budget.
            ConfigError: The cost center or the organization does not exist.
            BillingError: GitHub cannot be read.
        """
        owner, news = change.owner, change.news
        policy = news.get("on_existing") or self._run.guards.on_existing
        creation = BudgetCreate(self._run, owner, urn, policy, read_spec(news))
        try:
            creation.find_entity(FRESH_SECONDS)
        except ConfigError:
            if self._run.registry.is_declared(("cost center", owner.slug.lower(), creation.entity.lower())):
                # This deployment creates it.
                return change
            raise
        live: Budget | None
        adopted: list[str] | None
        if change.olds:
            live, adopted = creation.present(), None
        else:
            live, adopted = creation.adoptable() or (None, None)
        if live is not None and creation.is_former(live):
            # An expired budget of this resource gets a new date before GitHub has removed it.
            adopted = None
        self._names.add_owner(owner)
        if live is None:
            self._names.check_organization(owner, news)
        return _Change(owner, change.subject, change.olds, news, live, adopted)

    def _refusal(self, before: Mapping[str, Any], news: Mapping[str, Any]) -> list[Problem]:
        guards = self._run.guards
        limits = Limits(guards.max_increase_usd, guards.max_increase_percent)
        reason = safety.refused(Terms.of(before) if before else None, Terms.of(news), limits)
        return [Problem("budget_amount", reason)] if reason else []

    def _consequences(self, change: _Change) -> Iterator[str]:
        old = Terms.of(change.before) if change.before else None
        new = Terms.of(change.after)
        words = "; ".join(safety.changes(old, new)) if old else ""
        if change.adopted is not None and change.live is not None:
            then = self._on_delete.after_adoption(kept=self._on_delete.keeps(change.news, adopted=True))
            yield f"adopts the existing budget {change.live.id}" + (f": {words}" if words else " as it is") + then
            if raised := raises.kept(change.news, change.live.budget_amount):
                yield raised
        elif words:
            yield words
        if safety.tightens(old, new):
            yield from self._stops(change, old, new)
        yield from self._overcommitted(change)
        yield from self._uncovered(change)
        yield from self._unlisted(change)

    def _stops(self, change: _Change, old: Terms | None, new: Terms) -> Iterator[str]:
        """Yield what a lower cap stops: people for a cap per person, else usage."""
        with self._lock:
            usage = self._usage.setdefault(change.owner.key, LiveUsage(self._run, change.owner, self._reads))
        live = change.live
        if change.news["budget_scope"] in PER_USER_SCOPES:
            people = usage.people(change.news, live.id if live else None, new.amount)
            yield from safety.blocks(old, new, people)
            return
        spend = usage.spend(change.news, live.consumed_amount if live else None)
        if old is None and (spend is None or spend.spent):
            yield safety.new_meter(spend.spent if spend else None)
        yield from safety.stops(old, new, spend)

    def _overcommitted(self, change: _Change) -> Iterator[str]:
        """Yield whether this budget and those that it covers, or that cover it, cannot all be used."""
        if change.news["budget_scope"] in PER_USER_SCOPES:
            return
        others = {name: fields for name, fields in self._shared(change.owner).items() if name != change.subject}
        below = [fields for fields in others.values() if safety.covers(change.news, fields)]
        if line := _sum_line(change.subject, change.news, below):
            yield line
        for name, umbrella in others.items():
            if safety.covers(umbrella, change.news):
                rest = [fields for fields in others.values() if safety.covers(umbrella, fields)]
                if line := _sum_line(name, umbrella, [*rest, change.news]):
                    yield line

    def _uncovered(self, change: _Change) -> Iterator[str]:
        """Yield once per run what caps of persons do not cover, if the owner has no other budget for AI credits."""
        if change.news["budget_scope"] not in PER_USER_SCOPES or self._said_uncovered:
            return
        self._said_uncovered = True
        if not any(_is_ai_credits(fields) for fields in self._shared(change.owner).values()):
            yield safety.UNCOVERED

    def _unlisted(self, change: _Change) -> Iterator[str]:
        """Yield names near a SKU that GitHub's reference does not list, and those that the owner's budgets use."""
        sku = change.news["budget_product_sku"]
        if known_sku(sku):
            return
        text = f"GitHub's reference does not list {sku}: check it with GitHub, valid SKUs differ by account"
        if names := near(sku, SKUS | PRODUCTS | BUNDLES):
            text += f"; similar: {', '.join(names)}"
        used = sorted({fields["budget_product_sku"] for fields in self._shared(change.owner).values()} - {sku})
        yield text + (f"; the owner's budgets use {', '.join(used[:_SHOWN_SKUS])}" if used else "")

    def _shared(self, owner: Owner) -> dict[str, Mapping[str, Any]]:
        """Return the budgets of an owner that are declared so far or listed, as inputs by their description.

        Budgets per person are left out: there can be thousands, and none of them covers another budget.
        """
        listed = [
            budget
            for budget in self._run.cache(OwnerCache, owner).listed()
            if budget.budget_scope not in PER_USER_SCOPES
        ]
        with self._lock:
            declared = dict(self._declared.get(owner.key, {}))
        names: dict[str, str] = {}
        if any(fields["budget_scope"] in COST_CENTER_SCOPES for fields in declared.values()):
            # GitHub returns the name of a cost center, and a program can declare it by its UUID.
            centers = self._reads.find(self._run.cache(CostCenterCache, owner).list_all) or []
            names = {center.id.lower(): center.name for center in centers}
        known = {
            str(natural_key(owner, {**fields, "budget_entity_name": names.get(fields["budget_entity_name"].lower())}))
            for fields in declared.values()
        }
        found = {
            str(natural_key(owner, fields)): fields
            for fields in (live_inputs(owner, {}, budget, frozenset()) for budget in listed)
        }
        return {**{name: fields for name, fields in found.items() if name not in known}, **declared}


_TERMS = ("budget_amount", "budget_product_sku", "budget_scope", "prevent_further_usage")


def _sum_line(name: str, umbrella: Mapping[str, Any], below: list[Mapping[str, Any]]) -> str | None:
    covered = [(fields["budget_scope"], Terms.of(fields)) for fields in below]
    return safety.overcommitted(name, Terms.of(umbrella), covered)


def _is_ai_credits(fields: Mapping[str, Any]) -> bool:
    return canonical_sku(fields["budget_product_sku"]) == _AI_CREDITS
