"""What a preview says about one budget: an adoption, a conflict, and the consequences of a change."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from billing_provider.budgets import approved_raises, consequences, expiry, remaining, successor
from billing_provider.budgets.cache import FRESH_SECONDS, OwnerCache
from billing_provider.budgets.change import NOTHING, Change, refusal
from billing_provider.budgets.consequences import Terms
from billing_provider.budgets.create import BudgetCreate, replacement
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, live_inputs, natural_key
from billing_provider.budgets.skus import BUNDLES, PRODUCTS, SKUS, canonical_sku, known_sku
from billing_provider.budgets.states import BudgetState
from billing_provider.core.errors import (
    BillingError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OutcomeError,
)
from billing_provider.core.ids import parse_resource_id
from billing_provider.core.inputs import Problem, near
from billing_provider.core.owners import COST_CENTER_SCOPES, PER_USER_SCOPES, Owner
from billing_provider.core.resource import read_state, secret_inputs
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.models import cost_center_key
from billing_provider.preview.cost_center_caps import check_members
from billing_provider.preview.reads import NotComparedError
from billing_provider.preview.usage import LiveUsage
from billing_provider.runtime.create_once import ELSEWHERE
from billing_provider.runtime.on_delete import OnDelete

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from billing_provider.budgets.identity import NaturalKey
    from billing_provider.budgets.models import Budget
    from billing_provider.core.owners import OwnerKind
    from billing_provider.preview.owners import KnownNames
    from billing_provider.preview.reads import PreviewReads
    from billing_provider.runtime.run import Run

_SHOWN_SKUS = 5
_MOST_MISSING = 5
"""Maximum number of budgets of one run that are read one by one because the listing lacks them."""
_NOT_LISTED = (
    f"not compared with GitHub: further changed budgets, because the listing lacks more than {_MOST_MISSING} of them; "
    "run `pulumi refresh` if they were deleted"
)
_AI_CREDITS = "ai_credits"


@dataclass(frozen=True)
class _Compared:
    """One new or changed budget.

    Attributes:
        owner: The owner of the budget; None if the identity of the budget is not known yet.
        subject: The description of the budget, for messages.
        news: The checked inputs that are known.
        change: What the operation does to the cap.
        replaced: What it does to the cap of another budget, which this one replaces.
        live: The live budget, if GitHub was read and has one.
        is_adoption: Whether a create takes over the live budget, which this resource did not have before.
        is_former: Whether a replacement takes the live budget again, because it is the declared one.
        is_compared: Whether GitHub was read.
        remark: What is not sure about the live budget.
    """

    owner: Owner | None
    subject: str
    news: Mapping[str, Any]
    change: Change
    replaced: Change | None = None
    live: Budget | None = None
    is_adoption: bool = False
    is_former: bool = False
    is_compared: bool = False
    remark: str = ""


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
        self._declared: dict[str, dict[str, tuple[str | None, Mapping[str, Any]]]] = {}
        self._usage: dict[str, LiveUsage] = {}
        self._on_delete = OnDelete(run, "budget")
        self._gone: set[str] = set()
        self._missing_left = _MOST_MISSING
        self._said: set[tuple[str, str]] = set()
        self._asked: set[str] = set()
        self._keys: dict[str, tuple[Mapping[str, Any], str | None, NaturalKey]] = {}
        self._built: dict[str, tuple[Budget, Mapping[str, Any], NaturalKey]] = {}

    def compare(
        self, kind: OwnerKind, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> list[Problem]:
        """Warn of what a create, an adoption or a replacement does, and return what prevents it.

        Args:
            kind: The kind of the owner.
            urn: The URN of the resource.
            olds: The stored inputs. A budget in the state is compared by its id, which only a `diff` gets.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet; what depends on them is left out.
        """
        if olds:
            return []
        is_over = expiry.is_over(news, self._now())
        replaced = self._replaced(kind, urn, NOTHING if is_over else news, unknown)
        if is_over or not unknown.isdisjoint((kind.noun, *IDENTITY[2:])):
            # Nothing is created, or nothing tells which budget on GitHub it is.
            change = Change() if is_over else Change({}, news, unknown=unknown)
            return self._say(kind, urn, _Compared(None, f"a new {kind.noun} budget", news, change, replaced))
        owner = Owner(kind, news[kind.noun])
        found = _Compared(owner, str(natural_key(owner, news)), news, Change({}, news, unknown=unknown), replaced)
        self._declare(owner, found, None)
        try:
            found = self._reads.get(lambda: self._look(owner, urn, found))
        except NotComparedError:
            pass
        except (ConfigError, OutcomeError) as error:
            return [Problem("", f"{error}{self._if_renamed(kind, found)}")]
        except InvalidError as error:
            return [Problem(kind.noun, str(error))]
        except (ForbiddenError, NotFoundError) as error:
            return [Problem(kind.noun, f"{error}{self._names.near_owner(owner)}")]
        return self._say(kind, urn, found)

    def compare_update(  # noqa: PLR0917 - the arguments of a diff
        self,
        kind: OwnerKind,
        urn: str,
        id_: str,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        unknown: frozenset[str],
    ) -> bool:
        """Warn of what an update does; return whether the budget is gone from GitHub, so that it is created again.

        An unchanged budget sends nothing. Its id in the state is its identity, whatever the listing shows.

        Args:
            kind: The kind of the owner.
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet.

        Raises:
            ConfigError: The limits refuse the change, or GitHub refuses the read.
        """
        olds = read_state(BudgetState, olds)
        if not self._run.registry.is_checked(urn) or olds.get(expiry.EXPIRED):
            return False
        slug, budget_id = parse_resource_id(kind.noun, kind.resource, id_)
        owner = Owner(kind, slug)
        compared = _Compared(
            owner, str(natural_key(owner, {**olds, **news})), news, Change.update(owner, olds, news, None, unknown)
        )
        self._declare(owner, compared, budget_id)
        is_gone = self._update(kind, urn, owner, budget_id, olds, compared)
        if not is_gone and not unknown:
            approved_raises.warn(self._run, owner, budget_id, olds, news, replaced=False)
        return is_gone

    def _update(  # noqa: PLR0917 - what `compare_update` knows
        self, kind: OwnerKind, urn: str, owner: Owner, budget_id: str, olds: Mapping[str, Any], compared: _Compared
    ) -> bool:
        """Compare the fields that an update sends; return whether the budget is gone."""
        news, unknown = compared.news, compared.change.unknown
        sent = approved_raises.differing(owner, olds, news, [name for name in IN_PLACE if name not in unknown])
        if not sent:
            return False
        try:
            live = self._reads.get(lambda: self._find(owner, budget_id, olds))
        except NotComparedError:
            pass
        except BillingError as error:
            raise ConfigError(f"{error}{self._names.near_owner(owner)}") from None
        else:
            self._names.add_owner(owner)
            if live is None and expiry.is_over(olds, self._now()):
                # The update marks it as expired.
                return False
            if live is None:
                self._tell_gone(urn, compared.subject, budget_id)
                self._run.registry.replace(urn, budget_id, olds)
                return True
            if "expires_at" in sent and expiry.is_over(news, self._now()):
                raise ConfigError(
                    f"{compared.subject}: expires_at {news['expires_at']} has passed, and GitHub still has the budget: "
                    "give a later date, or leave it out"
                )
            compared = replace(compared, change=Change.update(owner, olds, news, live, unknown), live=live)
        if found := self._say(kind, urn, compared):
            raise ConfigError(f"{compared.subject}: {found[0].reason}")
        return False

    def _now(self) -> datetime:
        return self._run.clock.utc()

    def _declare(self, owner: Owner, compared: _Compared, budget_id: str | None) -> None:
        """Record a budget, for the sum of those that another one covers."""
        if compared.news.get("budget_scope") not in PER_USER_SCOPES:
            with self._lock:
                self._declared.setdefault(owner.key, {})[compared.subject] = (budget_id, compared.news)

    def _find(self, owner: Owner, budget_id: str, olds: Mapping[str, Any]) -> Budget | None:
        """Return a budget by its id, or None if it is provably gone; changes of one run share the listing.

        Raises:
            NotComparedError: The listing lacks too many budgets: it lags, and each would need a read of its own.
        """
        budgets = self._run.cache(OwnerCache, owner)
        listed = budgets.of_scope(olds["budget_scope"]).get(budget_id)
        if listed is not None:
            return listed
        if odd := next((each for each in budgets.opaque() if each.id == budget_id), None):
            self._run.reporter.warn(f"not compared with GitHub: {odd}")
            raise NotComparedError
        with self._lock:
            self._missing_left -= 1
            is_left = self._missing_left >= 0
        if not is_left:
            for text in self._unless_said(owner, _NOT_LISTED):
                self._run.reporter.warn(text)
            raise NotComparedError
        return budgets.read(budget_id)

    def _replaced(self, kind: OwnerKind, urn: str, news: Mapping[str, Any], unknown: frozenset[str]) -> Change | None:
        """Return the change from the former budget of a resource; None if there is none, or if it stays."""

        def find(owner: Owner, budget_id: str, state: Mapping[str, Any]) -> Budget | None:
            if self._run.registry.is_gone(budget_id):
                return None
            with suppress(NotComparedError, BillingError):
                live = self._reads.get(lambda: self._find(owner, budget_id, state))
                if live is None and not expiry.is_over(state, self._now()):
                    self._tell_gone(urn, str(natural_key(owner, state)), budget_id)
                return live
            return None

        return replacement(self._run, kind, urn, news, find, unknown=unknown)

    def _tell_gone(self, urn: str, subject: str, budget_id: str) -> None:
        """Note and tell that the budget of a resource is gone from GitHub."""
        self._gone.add(urn)
        self._run.registry.mark_gone(budget_id)
        self._run.reporter.warn(
            f"{subject}: the budget {budget_id} is gone from GitHub, so its cap does not hold; up creates it again"
        )

    def remaining_cap(self, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the inputs of the cap that remains when a budget goes; None if GitHub cannot be read."""
        with suppress(NotComparedError, BillingError):
            return remaining.remaining(self._run, before, lambda budgets: self._reads.get(budgets.complete))
        return None

    def _look(self, owner: Owner, urn: str, compared: _Compared) -> _Compared:
        """Return a new budget with the live one that its create adopts.

        Raises:
            OutcomeError: A create could not adopt the live budget.
            ConfigError: The cost center or the organization does not exist.
            BillingError: GitHub cannot be read.
        """
        unknown = compared.change.unknown
        policy = compared.news.get("on_existing") or self._run.guards.on_existing
        creation = BudgetCreate(self._run, owner, urn, policy, _placeholders(compared.news, unknown))
        try:
            creation.find_entity(FRESH_SECONDS)
        except ConfigError:
            # This deployment may create it. Another one may have had its name, and GitHub lists budgets with the name.
            if not self._run.registry.is_declared(cost_center_key(owner.slug, creation.entity)):
                raise
        if unknown and (present := creation.present()) is not None:
            # What is not known yet counts as equal.
            known = {
                name: value for name, value in live_inputs(owner, {}, present, frozenset()).items() if name in unknown
            }
            creation = BudgetCreate(self._run, owner, urn, policy, {**_placeholders(compared.news, unknown), **known})
            with suppress(ConfigError):
                creation.find_entity(FRESH_SECONDS)
        live, sent = creation.adoptable() or (None, [])
        self._names.add_owner(owner)
        if live is None:
            self._names.check_organization(owner, compared.news)
            check_members(self._run, owner, compared.news)
        elif not creation.is_former(live):
            # Another resource of this run that had it no longer replaces it.
            self._run.registry.hold(urn, live.id)
        change, replaced = creation.changes(live, [name for name in sent if name not in unknown])
        is_former = live is not None and creation.is_former(live)
        return replace(
            compared,
            change=change.not_known_yet(unknown),
            replaced=replaced and compared.replaced,
            live=live,
            is_adoption=live is not None and not is_former,
            is_former=is_former,
            is_compared=True,
            remark=creation.remark(live),
        )

    def _say(self, kind: OwnerKind, urn: str, compared: _Compared) -> list[Problem]:
        """Return the refusal by the limits; if there is none, warn of the consequences."""
        if reason := refusal(self._run.guards, compared.change, compared.replaced, self.remaining_cap):
            return [Problem("", f"{reason}{self._if_renamed(kind, compared)}")]
        goes = () if urn in self._gone and not compared.is_former else self._goes(kind, compared)
        for text in (*goes, *self._consequences(compared), *self._remains(compared)):
            self._run.tell(f"{compared.subject}: {text}")
        return []

    def _remains(self, compared: _Compared) -> Iterator[str]:
        """Yield which cap remains for a person whose own one goes or expires, as far as this run has listed it."""
        replaced, old, new = compared.replaced, compared.change.old, compared.change.new
        if replaced is not None and not replaced.is_covered:
            rest = remaining.words(self._run, replaced.before)
        elif old is not None and new is not None and new.expires_at and new.expires_at != old.expires_at:
            rest = remaining.words(self._run, compared.change.after)
        else:
            rest = ""
        if rest:
            yield rest

    @staticmethod
    def _if_renamed(kind: OwnerKind, compared: _Compared) -> str:
        """Return, as the end of a message, how the budget is kept if GitHub has renamed what it covers."""
        replaced = compared.replaced
        kept = successor.renamed(kind, replaced, compared.news, compared.change.unknown) if replaced else ()
        return "".join(f" {text[0].upper()}{text[1:]}." for text in kept)

    @staticmethod
    def _goes(kind: OwnerKind, compared: _Compared) -> Iterator[str]:
        """Yield what becomes of the budget that a resource has, by a replacement."""
        if compared.live is not None and compared.is_former:
            yield successor.keeps(compared.live.id)
        elif compared.replaced is not None:
            yield from successor.goes(
                kind, compared.replaced, compared.news, compared.change.unknown, is_compared=compared.is_compared
            )

    def _consequences(self, compared: _Compared) -> Iterator[str]:
        change, live = compared.change, compared.live
        old, new, words = change.old, change.new, change.words()
        if live is not None and compared.is_adoption:
            then = self._on_delete.after_adoption(kept=self._on_delete.keeps(compared.news, adopted=True))
            yield f"adopts the existing budget {live.id}" + (f": {words}" if words else _as_it_is(change)) + then
            if raised := approved_raises.kept(compared.news, live.budget_amount):
                yield raised
            if compared.remark:
                yield compared.remark
            if not self._run.registry.state(live.id) and self._run.is_new(ELSEWHERE):
                yield ELSEWHERE
        elif words:
            yield words
        if new is None or compared.owner is None or "budget_product_sku" in change.unknown:
            return
        if consequences.tightens(old, new):
            yield from self._stops(compared.owner, compared, old, new)
        yield from self._overcommitted(compared.owner, compared)
        yield from self._uncovered(compared.owner, compared)
        yield from self._unlisted(compared.owner, compared)

    def _stops(self, owner: Owner, compared: _Compared, old: Terms | None, new: Terms) -> Iterator[str]:
        """Yield what a lower cap stops: people for a cap per person, else usage."""
        with self._lock:
            usage = self._usage.setdefault(owner.key, LiveUsage(self._run, owner, self._reads))
        live, fields = compared.live, compared.change.after
        if fields["budget_scope"] in PER_USER_SCOPES:
            people = usage.people(fields, live.id if live else None, new.amount)
            yield from self._unless_said(owner, consequences.UNKNOWN_PEOPLE if people is None else "")
            yield from consequences.blocks(old, new, people)
            return
        spend = usage.spend(fields, live.consumed_amount if live else None)
        if old is None and (spend is None or spend.spent):
            yield consequences.new_meter(spend.spent if spend else None)
        yield from self._unless_said(owner, consequences.UNKNOWN_SPEND if spend is None and old is not None else "")
        yield from consequences.stops(old, new, spend)

    def _unless_said(self, owner: Owner, text: str) -> Iterator[str]:
        """Yield a text of an owner once per run: with hundreds of new caps it would hide the losses."""
        with self._lock:
            is_new = (owner.key, text) not in self._said
            self._said.add((owner.key, text))
        if text and is_new:
            yield text

    def _overcommitted(self, owner: Owner, compared: _Compared) -> Iterator[str]:
        """Yield whether this budget and those that it covers, or that cover it, cannot all be used."""
        fields = {**compared.news, **compared.change.after}
        if fields["budget_scope"] in PER_USER_SCOPES or not _has_shown_amount(fields):
            return
        umbrellas = {
            name: other
            for name, other in self._shared(owner, consequences.UMBRELLAS).items()
            if name != compared.subject and consequences.covers(other, fields)
        }
        is_umbrella = fields["budget_scope"] in consequences.UMBRELLAS
        if not umbrellas and not is_umbrella:
            return
        others = {name: other for name, other in self._shared(owner).items() if name != compared.subject}
        if is_umbrella:
            below = [other for other in others.values() if consequences.covers(fields, other)]
            if line := _sum_line(compared.subject, fields, below):
                yield line
        for name, umbrella in umbrellas.items():
            rest = [other for other in others.values() if consequences.covers(umbrella, other)]
            if line := _sum_line(name, umbrella, [*rest, fields]):
                yield line

    def _uncovered(self, owner: Owner, compared: _Compared) -> Iterator[str]:
        """Yield what caps of persons do not cover, if the owner has no other budget for AI credits."""
        if compared.change.after["budget_scope"] not in PER_USER_SCOPES:
            return
        with self._lock:
            is_asked = owner.key in self._asked
            self._asked.add(owner.key)
        # Once an owner: thousands of caps would each look at all budgets.
        if not is_asked and not any(_is_ai_credits(fields) for fields in self._shared(owner).values()):
            yield consequences.UNCOVERED

    def _unlisted(self, owner: Owner, compared: _Compared) -> Iterator[str]:
        """Yield names near a SKU that GitHub's reference does not list, and those that the owner's budgets use."""
        sku = compared.change.after["budget_product_sku"]
        if known_sku(sku):
            return
        text = f"GitHub's reference does not list {sku}: check it with GitHub, valid SKUs differ by account"
        if names := near(sku, SKUS | PRODUCTS | BUNDLES):
            text += f"; similar: {', '.join(names)}"
        used = sorted({fields["budget_product_sku"] for fields in self._shared(owner).values()} - {sku})
        yield text + (f"; the owner's budgets use {', '.join(used[:_SHOWN_SKUS])}" if used else "")

    def _shared(self, owner: Owner, scopes: Collection[str] | None = None) -> dict[str, Mapping[str, Any]]:
        """Return the budgets of an owner that are declared so far or listed, as inputs by their description.

        A declared budget with an id takes the place of the listed one with this id. Budgets per person are left out:
        there can be thousands, and none of them covers another budget. So are amounts that no text may show.

        Args:
            owner: The owner.
            scopes: Only the budgets of these scopes.
        """
        with self._lock:
            both = dict(self._declared.get(owner.key, {}))
        ids = {budget_id for budget_id, _ in both.values()}
        declared = {
            name: fields
            for name, (_, fields) in both.items()
            if (scopes is None or fields.get("budget_scope") in scopes) and _has_shown_amount(fields)
        }
        listed = [
            budget
            for budget in self._run.cache(OwnerCache, owner).listed()
            if (scopes is None or budget.budget_scope in scopes)
            if budget.budget_scope not in PER_USER_SCOPES and budget.id not in ids
        ]
        names: dict[str, str] = {}
        if any(fields["budget_scope"] in COST_CENTER_SCOPES for fields in declared.values()):
            # GitHub returns the name of a cost center, and a program can declare it by its UUID.
            centers = self._reads.find(self._run.cache(CostCenterCache, owner).list_all) or []
            names = {center.id.lower(): center.name for center in centers}
        known = {
            self._key(owner, name, fields, names.get(fields["budget_entity_name"].lower()))
            for name, fields in declared.items()
        }
        found = {
            key: fields
            for budget in listed
            for fields, key in [self._as_inputs(owner, budget)]
            if _has_shown_amount(fields, self._run.registry.state(budget.id))
        }
        return {**{str(key): fields for key, fields in found.items() if key not in known}, **declared}

    def _key(self, owner: Owner, subject: str, fields: Mapping[str, Any], center: str | None) -> NaturalKey:
        """Return the key of a declared budget with the name of its cost center; built once for all changes."""
        known = self._keys.get(subject)
        if known is None or known[0] is not fields or known[1] != center:
            key = natural_key(owner, {**fields, "budget_entity_name": center})
            known = self._keys[subject] = (fields, center, key)
        return known[2]

    def _as_inputs(self, owner: Owner, budget: Budget) -> tuple[Mapping[str, Any], NaturalKey]:
        """Return a listed budget as inputs, with its key; built once for all changes."""
        known = self._built.get(budget.id)
        if known is None or known[0] is not budget:
            fields = live_inputs(owner, {}, budget, frozenset())
            known = self._built[budget.id] = (budget, fields, natural_key(owner, fields))
        return known[1:]


def _has_shown_amount(fields: Mapping[str, Any], state: Mapping[str, Any] = NOTHING) -> bool:
    """Return whether the amount of a budget is known, and may be shown in a sum with others.

    Args:
        fields: The inputs of the budget.
        state: Its outputs in the state, which name the secret ones of a budget that GitHub lists.
    """
    terms = {"budget_amount", "prevent_further_usage"}
    return terms <= set(fields) and terms.isdisjoint(secret_inputs(fields) | secret_inputs(state))


def _placeholders(news: Mapping[str, Any], unknown: frozenset[str]) -> dict[str, Any]:
    """Return complete inputs for the search of a budget by its identity, which is known."""
    return {"budget_amount": 0, "prevent_further_usage": False, **news} if unknown else dict(news)


def _as_it_is(change: Change) -> str:
    hidden = sorted(name for name in change.unknown_before if name in change.after)
    if change.unknown:
        return f" as it is, apart from what is not known yet: {', '.join(sorted(change.unknown))}"
    return f" as it is, apart from what GitHub does not show: {', '.join(hidden)}" if hidden else " as it is"


def _sum_line(name: str, umbrella: Mapping[str, Any], below: list[Mapping[str, Any]]) -> str | None:
    covered = [(fields["budget_scope"], Terms.of(fields)) for fields in below]
    return consequences.overcommitted(name, Terms.of(umbrella), covered)


def _is_ai_credits(fields: Mapping[str, Any]) -> bool:
    return canonical_sku(fields["budget_product_sku"]) == _AI_CREDITS
