"""What a plan does to a cost center and its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets import removal, told
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import ENTERPRISE
from billing_provider.core.redact import MASK, clean, quoted
from billing_provider.core.resource import read_state
from billing_provider.cost_centers import words
from billing_provider.cost_centers.models import IN_PLACE, MEMBER_KINDS, cost_center_key, differing
from billing_provider.cost_centers.states import CostCenterState
from billing_provider.review import items
from billing_provider.review.items import NOT_YET, Item, PairedStep, said_about

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from billing_provider.review.plan import PlannedStep, Values

_ARCHIVED = "it is archived: its budgets lose their object, and its members are in no cost center"
_SHOWN = 60


def read(step: PairedStep) -> Item:
    """Return what a step means for a cost center."""
    planned = step.planned
    read_one = _updated if step.former else _READERS.get(planned.op)
    if read_one is None:
        return items.not_understood(planned, "this version does not know the operation")
    try:
        return read_one(_Read(step))
    except ConfigError:
        return items.not_understood(planned, "its values in the plan are not those of a cost center")


def key_of(_: PlannedStep, values: Values) -> Hashable | None:
    """Return what identifies a cost center, or None if that is not known."""
    enterprise, name = (values.fields.get(each) for each in (ENTERPRISE, "name"))
    return cost_center_key(enterprise, name) if isinstance(enterprise, str) and isinstance(name, str) else None


def words_of(step: PlannedStep) -> list[str]:
    """Return what the preview says about a new cost center, without its name; empty if the name is not known."""
    name = step.new.fields.get("name")
    return said_about(step, _subject(name))[0] if isinstance(name, str) else []


def _subject(name: str) -> str:
    """Return how a preview names a cost center."""
    return f"the cost center {quoted(name)}" if name else ""


class _Read:
    """A step of a cost center.

    Args:
        step: The step.

    Raises:
        ConfigError: A value has a wrong type.
    """

    def __init__(self, step: PairedStep) -> None:
        planned = step.planned
        self.step, self.planned, self.former = step, planned, step.former
        self.secret = (step.former or planned).known.secret | planned.old.secret | planned.new.secret
        before = (step.former or planned).known
        self.old, self.new = (read_state(CostCenterState, values.fields) for values in (before, planned.new))
        name = self.new.get("name") or self.old.get("name") or ""
        self.words, self.others = said_about(planned, _subject(name))
        texts = [*self.words, *self.others]
        self.lifts = any(map(words.lifts_cap, texts))
        self.loses = self.lifts or any(map(words.removes_members, texts))

    @property
    def secret_members(self) -> list[str]:
        """The lists of members that change and are secret before or after the step: somebody can lose a cap."""
        planned = self.planned
        if not planned.new.fields:
            return []
        return sorted(self.step.changed(self.secret) & set(MEMBER_KINDS))

    @property
    def before(self) -> str:
        """The cost center before the step."""
        return _text(self.old, (self.former or self.planned).old)

    @property
    def after(self) -> str:
        """The cost center after it."""
        return _text(self.new, self.planned.new)

    @property
    def stays(self) -> str:
        """Why the old cost center stays on GitHub; empty if it is archived."""
        return removal.remains(self.old, retained=self.planned.retained).removeprefix("which ")

    def item(self, change: str, **more: Any) -> Item:
        """Return the item, with what all of them have."""
        planned = self.planned
        return Item(
            change,
            planned.resource,
            planned.name,
            planned.urn,
            said=tuple(self.others),
            unknown=(
                *(f"{name} is not known yet" for name in sorted(planned.new.unknown)),
                *(f"who leaves {name} is not known: it is secret" for name in self.secret_members),
            ),
            told=told.read([*self.words, *self.others]),
            **more,
        )


def _created(found: _Read) -> Item:
    is_adopted = any(text.startswith(words.ADOPTS) for text in found.words)
    change = items.ADOPTED if is_adopted else items.NEW
    return found.item(change, after=found.after, texts=tuple(found.words), is_loss=found.loses)


def _updated(found: _Read) -> Item:
    changed = _changes(found.planned, found.old, found.new)
    is_loss = found.loses or bool(found.secret_members) or any(map(words.removes_members, changed))
    change = items.LOOSENED if found.lifts else items.CHANGED if found.former is None else items.MOVED
    texts = (*changed, *items.taken_over(found.former), *found.words)
    return found.item(change, before=found.before, after=found.after, texts=texts, is_loss=is_loss)


def _replaced(found: _Read) -> Item:
    goes, stays = not found.stays, found.stays
    texts = (f"the old cost center {stays}" if stays else f"of the old one: {_ARCHIVED}", *found.words)
    is_loss = goes or found.loses
    return found.item(
        items.REPLACED, before=found.before, after=found.after, texts=texts, is_loss=is_loss, deletes=goes
    )


def _removed(found: _Read) -> Item:
    if found.stays:
        texts = (found.stays, *found.words)
        return found.item(items.KEPT, before=found.before, after=found.before, texts=texts, is_loss=found.loses)
    texts = (_ARCHIVED, *found.words)
    return found.item(items.REMOVED, before=found.before, texts=texts, is_loss=True, deletes=True)


def _imported(found: _Read) -> Item:
    return found.item(items.IMPORTED, before=found.after, after=found.after, texts=(items.TAKEN, *found.words))


_READERS: dict[str, Callable[[_Read], Item]] = {
    "create": _created,
    "create-replacement": _created,
    "update": _updated,
    "replace": _replaced,
    "delete": _removed,
    "delete-replaced": _removed,
    "import": _imported,
    "import-replacement": _imported,
}


def _changes(planned: PlannedStep, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    found = words.changes(old, new, differing(old, new))
    found += [
        f"declares {kind} from now on: {words.first_names(new[kind]) if new[kind] else 'none'}"
        for kind in MEMBER_KINDS
        if kind in new and kind not in old
    ]
    declared = {*new, *planned.new.unknown, *planned.new.secret}
    found += [
        f"no longer declares {kind}: they stay as they are"
        for kind in MEMBER_KINDS
        if kind in old and kind not in declared
    ]
    named = [name for name in sorted(planned.differs) if name not in IN_PLACE and not name.startswith("__")]
    found += [f"changes {name}" for name in named]
    secret = planned.old.secret | planned.new.secret
    return found + [f"changes {name}, which is secret" for name in sorted(secret & planned.differs)]


def _text(fields: Mapping[str, Any], values: Values) -> str:
    shown = {**fields, **dict.fromkeys(values.unknown, NOT_YET), **dict.fromkeys(values.secret, MASK)}
    counts = [words.counted(kind, len(fields[kind])) for kind in MEMBER_KINDS if fields.get(kind)]
    members = f" with {', '.join(counts)}" if counts else ""
    name, owner = (clean(str(shown.get(key, "")), _SHOWN) for key in ("name", ENTERPRISE))
    return f"cost center {name} of {owner}{members}"
