"""What a plan does to a budget: the words are those of its `Change`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import consequences, removal, told
from billing_provider.budgets.approved_raises import differing
from billing_provider.budgets.change import NOTHING, Change
from billing_provider.budgets.consequences import Terms
from billing_provider.budgets.expiry import EXPIRED
from billing_provider.budgets.identity import IDENTITY, IN_PLACE, natural_key
from billing_provider.budgets.models import FIELDS
from billing_provider.budgets.skus import canonical_sku
from billing_provider.budgets.states import BudgetState
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import (
    MULTI_USER_COST_CENTER,
    MULTI_USER_CUSTOMER,
    OWNER_KINDS,
    Owner,
    OwnerKind,
)
from billing_provider.core.redact import MASK, clean
from billing_provider.core.resource import SECRET_INPUTS, read_state, secret_inputs
from billing_provider.review import items
from billing_provider.review.items import NOT_YET, Cap, Item, PairedStep, said_about
from billing_provider.runtime.on_delete import KEPT_ON_DELETE

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from billing_provider.review.items import Pair
    from billing_provider.review.plan import PlannedStep, Values

KINDS = {kind.resource: kind for kind in OWNER_KINDS.values()}
_NAMED = frozenset({"budget_entity_name", "user"})
_SCOPED = frozenset({"budget_scope", "budget_product_sku"})
_AMOUNTS = frozenset({"budget_amount", "prevent_further_usage"})
_EACH = frozenset({MULTI_USER_CUSTOMER, MULTI_USER_COST_CENTER})
_GONE = "its cap goes"
_LEAVES = "a budget that only alerts goes"
_WHICH = "which "
_WAYS_TO_STAY = (({EXPIRED: True}, False), ({KEPT_ON_DELETE: True}, False), (NOTHING, True))


class _Side:
    """A budget before or after a step.

    Args:
        kind: The kind of its owner.
        values: Its inputs, or its outputs in the state.

    Raises:
        ConfigError: It has no values, or one has a wrong type.
    """

    def __init__(self, kind: OwnerKind, values: Values) -> None:
        if not values.fields:
            raise ConfigError("the plan does not have the values of the budget")
        self.kind, self.unknown, self.secret = kind, values.unknown, values.secret
        self.fields = read_state(BudgetState, values.fields)
        self.owner = Owner(kind, self._shown(kind.noun))
        is_named = _NAMED.isdisjoint(self.unknown | self.secret) and {kind.noun, *_SCOPED} <= self.fields.keys()
        self.key = natural_key(self.owner, self.fields) if is_named else None

    @property
    def text(self) -> str:
        """The cap and what it covers."""
        return self.with_terms(self.fields)

    def with_terms(self, fields: Mapping[str, Any]) -> str:
        """Return the cap with the terms of other inputs, and what it covers."""
        terms = {name: value for name, value in fields.items() if name in {*IN_PLACE, SECRET_INPUTS}}
        names = {name: MASK for name in IDENTITY if name in self.secret}
        shown = {**dict.fromkeys(IDENTITY, ""), **dict.fromkeys(self.unknown, NOT_YET), **names, **self.fields, **terms}
        return removal.described(self.kind, shown, self.unknown)

    @property
    def subject(self) -> str:
        """How a preview names it; empty if that is not known."""
        return "" if self.key is None else str(self.key)

    @property
    def target(self) -> Hashable:
        """What it covers; unlike any other one if that is not known."""
        return object() if self.key is None else self.key

    def standing(self, terms: Terms | None) -> Terms | None:
        """Return the terms of the budget before, or None if it has expired: then GitHub has none."""
        return None if self.fields.get(EXPIRED) is True else terms

    def cap(self, terms: Terms | None, *, is_known: bool = True) -> Cap:
        """Return its cap for the sum of caps, with terms of before or after."""
        scope = self._shown("budget_scope")
        is_each = scope in _EACH
        entity = self._shown("budget_entity_name")
        hidden = terms is not None and bool(_AMOUNTS & (terms.unknown | terms.secret))
        return Cap(
            str(self.owner),
            canonical_sku(self._shown("budget_product_sku")),
            f"{scope} {entity}".strip() if is_each else scope,
            terms,
            is_known and not hidden,
            is_each,
        )

    def _shown(self, name: str) -> str:
        if name in self.unknown:
            return NOT_YET
        return MASK if name in self.secret else str(self.fields.get(name) or "")


def read(step: PairedStep) -> Item:
    """Return what a step means for a budget."""
    planned = step.planned
    kind = KINDS[planned.resource]
    try:
        return _READERS.get(planned.op, _other)(kind, step)
    except ConfigError:
        return items.not_understood(planned, "its values in the plan are not those of a budget")


def key_of(step: PlannedStep, values: Values) -> Hashable | None:
    """Return what a budget covers, or None if that is not known."""
    try:
        return _Side(KINDS[step.resource], values).key
    except ConfigError:
        return None


def words_of(step: PlannedStep) -> list[str]:
    """Return what the preview says about a new budget, without its name; empty if the name is not known."""
    return said_about(step, str(key) if (key := key_of(step, step.new)) else "")[0]


def _created(kind: OwnerKind, step: PairedStep) -> Item:
    planned, former = step.planned, step.former
    after = _Side(kind, planned.new)
    if former is not None:
        return _updated(kind, step)
    words, others = said_about(planned, after.subject)
    effect = Change({}, after.fields, unknown=after.unknown)
    adoption = _adoption(after, words, others)
    meant, unknown = told.read([*words, *others]), _unknown(None, after, step)
    terms = effect.new
    if adoption is None:
        return Item(
            items.NEW,
            *_named(planned),
            after=after.text,
            texts=tuple(words),
            said=tuple(others),
            unknown=unknown,
            told=meant,
            is_loss=meant.loses,
            deletes=meant.deletes,
            pairs=((None, terms),),
            hides_raise="budget_amount" in after.secret,
            caps={after.target: (after.cap(None), after.cap(terms))},
        )
    is_same = " as it is" in adoption
    return Item(
        items.ADOPTED,
        *_named(planned),
        before=after.text if is_same else "a budget on GitHub that the plan does not show",
        after=after.text,
        texts=tuple(words),
        said=tuple(others),
        unknown=unknown,
        is_loss=meant.loses,
        told=meant,
        hides_raise=not is_same and bool(after.secret & _AMOUNTS),
        caps={after.target: (after.cap(terms if is_same else None, is_known=is_same), after.cap(terms))},
    )


def _adoption(after: _Side, words: list[str], others: list[str]) -> str | None:
    """Return what a preview says after the beginning of an adoption, or None without one.

    A budget with a secret name, or one that is not known yet, is named in a way that the plan does not have.
    """
    found = [word.removeprefix(told.ADOPTS) for word in words if word.startswith(told.ADOPTS)]
    unnamed = [] if after.subject else [text.partition(f": {told.ADOPTS}")[2] for text in others]
    return next(filter(None, [*found, *unnamed]), None)


def _updated(kind: OwnerKind, step: PairedStep) -> Item:
    planned, former = step.planned, step.former
    before, after = _Side(kind, (former or planned).known), _Side(kind, planned.new)
    effect = Change.update(after.owner, before.fields, after.fields, None, after.unknown)
    old, new = Terms.of(effect.before), Terms.of(effect.after, effect.unknown)
    words, losses = _words(effect, step)
    told_words, others = said_about(planned, after.subject, ["; ".join(words), *words])
    meant = told.read([*told_words, *others])
    is_loss = bool(losses) or meant.loses
    is_raise = bool(losses) and all(line.startswith("raises ") for line in losses)
    is_lower = not is_loss and "budget_amount" not in new.unknown and new.amount < old.amount
    change = items.LOWERED if is_lower else items.CHANGED if former is None else items.MOVED
    if is_loss:
        change = items.RAISED if is_raise else items.LOOSENED
    return Item(
        change,
        *_named(planned),
        before=before.text,
        after=after.with_terms(effect.after),
        texts=(*words, *items.taken_over(former), *_quiet_changes(before, after, planned), *told_words),
        said=tuple(others),
        unknown=_unknown(before, after, step),
        is_loss=is_loss,
        told=meant,
        pairs=((before.standing(old), new),),
        hides_raise=_hides_raise(before, after, step),
        caps={after.target: (after.cap(before.standing(old)), after.cap(new))},
    )


def _replaced(kind: OwnerKind, step: PairedStep) -> Item:
    planned = step.planned
    before, after = _Side(kind, planned.known), _Side(kind, planned.new)
    stays = _stays(kind, planned, before)
    standing = Change.standing(before.owner, before.fields, None)
    effect = Change(standing, after.fields, unknown=after.unknown, replaces=True)
    words, losses = _words(effect, step)
    own = [f"replaces the {before.text} by a {after.text}", f"the replacement {'; '.join(words)}"]
    told_words, others = said_about(planned, after.subject, own)
    meant = told.read([*told_words, *others])
    moves = before.key is None or before.key != after.key
    goes = moves and not stays
    first = f"the old budget {stays}" if stays else "the old budget goes" if moves else "it is made anew"
    old, new = effect.old, effect.new
    caps = {after.target: (after.cap(None if moves else before.standing(old)), after.cap(new))}
    pairs: tuple[Pair, ...] = ((old, new),)
    if moves:
        stood = before.standing(old)
        caps = {before.target: (before.cap(stood), before.cap(stood if stays else None)), **caps}
    if not effect.is_covered:
        # What the old one covers has no cap any more; what the new one covers had another one until now, or none.
        pairs = ((None, new), *([(old, None)] if goes else []))
    return Item(
        items.REPLACED,
        *_named(planned),
        before=before.text,
        after=after.text,
        texts=(first, *words, *_quiet_changes(before, after, planned), *told_words),
        said=tuple(others),
        unknown=_unknown(before, after, step),
        is_loss=goes or bool(losses) or meant.loses,
        deletes=goes,
        told=meant,
        pairs=pairs,
        hides_raise=_hides_raise(before, after, step) or (goes and "prevent_further_usage" in before.secret),
        caps=caps,
    )


def _removed(kind: OwnerKind, step: PairedStep) -> Item:
    planned = step.planned
    before = _Side(kind, planned.known)
    terms = Terms.of(Change.standing(before.owner, before.fields, None))
    if stays := _stays(kind, planned, before):
        text, cap = before.text, before.cap(before.standing(terms))
        return Item(
            items.KEPT,
            *_named(planned),
            before=text,
            after=text,
            texts=(stays,),
            said=planned.said,
            is_loss=(meant := told.read(planned.said)).loses,
            told=meant,
            caps={before.target: (cap, cap)},
        )
    hidden = before.secret & _AMOUNTS
    stops = terms.stops or bool(hidden)
    return Item(
        items.REMOVED,
        *_named(planned),
        before=before.text,
        texts=(_GONE if stops else _LEAVES,),
        said=planned.said,
        unknown=tuple(f"{name} is secret" for name in sorted(hidden)),
        is_loss=True,
        deletes=True,
        told=told.read(planned.said),
        pairs=((terms, None),),
        hides_raise="prevent_further_usage" in hidden,
        caps={before.target: (before.cap(terms), before.cap(None))},
    )


def _imported(kind: OwnerKind, step: PairedStep) -> Item:
    planned = step.planned
    after = _Side(kind, planned.new)
    meant = told.read(planned.said)
    return Item(
        items.IMPORTED,
        *_named(planned),
        before=after.text,
        after=after.text,
        texts=(items.TAKEN,),
        said=planned.said,
        is_loss=meant.loses,
        told=meant,
    )


def _other(_: OwnerKind, step: PairedStep) -> Item:
    return items.not_understood(step.planned, "this version does not know the operation")


_READERS = {
    "create": _created,
    "create-replacement": _created,
    "update": _updated,
    "replace": _replaced,
    "delete": _removed,
    "delete-replaced": _removed,
    "import": _imported,
    "import-replacement": _imported,
}


def _named(planned: PlannedStep) -> tuple[str, str, str]:
    return planned.resource, planned.name, planned.urn


def _words(effect: Change, step: PairedStep) -> tuple[list[str], list[str]]:
    """Return the differences in words, and those of them that are losses."""
    old, new = Terms.of(effect.before), Terms.of(effect.after, effect.unknown)
    secret = step.changed(secret_inputs(effect.before) | secret_inputs(effect.after)) & set(IN_PLACE)
    changed = [consequences.secret_change(name) for name in FIELDS if name in secret]
    losses = list(dict.fromkeys([*consequences.losses(old, new), *changed]))
    return list(dict.fromkeys([*losses, *consequences.changes(old, new)])), losses


def _hides_raise(before: _Side, after: _Side, step: PairedStep) -> bool:
    return bool(step.changed(before.secret | after.secret) & _AMOUNTS)


def _quiet_changes(before: _Side, after: _Side, planned: PlannedStep) -> list[str]:
    """Return the inputs that differ and of which no word tells: only the state has them, or nothing is sent."""
    raw = {name for name in FIELDS if before.fields.get(name) != after.fields.get(name)}
    names = [name for name in FIELDS if name in raw | planned.differs and name not in before.secret | after.secret]
    sent = set(differing(after.owner, before.fields, after.fields, names))
    found = []
    for name in names:
        is_on_github = FIELDS[name].change in {"updates", "replaces"}
        if not is_on_github:
            found.append(f"changes {name} {_from_to(before, after, name)}")
        elif name not in sent | after.unknown:
            found.append(f"{name} is written differently: nothing is sent for it")
    return found


def _from_to(before: _Side, after: _Side, name: str) -> str:
    old, new = (clean(str(side.fields.get(name) or "nothing"), 40) for side in (before, after))
    return f"from {old} to {new}"


def _unknown(before: _Side | None, after: _Side, step: PairedStep) -> tuple[str, ...]:
    changed = sorted(step.changed(before.secret | after.secret)) if before else ()
    return (
        *(f"{name} is not known yet" for name in FIELDS if name in after.unknown),
        *(f"the direction of {name} is not known: it is secret" for name in changed if name in IN_PLACE),
    )


def _stays(kind: OwnerKind, planned: PlannedStep, before: _Side) -> str:
    """Return why the old budget stays on GitHub or is gone already, or an empty text."""
    if not planned.means:
        return removal.remains(before.fields, retained=planned.retained).removeprefix(_WHICH)
    # The steps of `try` have no outputs; their text repeats the cap, and then says what remains.
    cap = removal.cap_in_state(kind, before.fields)
    reasons = (removal.remains(state, retained=is_retained) for state, is_retained in _WAYS_TO_STAY)
    return next((reason.removeprefix(_WHICH) for reason in reasons if planned.means == f"{cap}, {reason}"), "")
