"""What a plan does to a part of a table of user budgets: each row is read as a budget of its own, and told in sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.adopt.states import TYPE_PREFIX
from billing_provider.budgets import told
from billing_provider.budgets.expiry import NEVER_CREATED
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import KEEP
from billing_provider.core.redact import clean
from billing_provider.cost_centers.words import first_names
from billing_provider.review import budgets, items
from billing_provider.review.items import Item, PairedStep
from billing_provider.review.plan import NOTHING, PlannedStep, Values
from billing_provider.user_budgets.states import leaving, read_bucket
from billing_provider.user_budgets.texts import INPUTS
from billing_provider.user_budgets.words import RowChange, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.user_budgets.states import BucketState

_SHOWN = 40
_EXCLUSIVE = "the budgets of everybody without a row go: a preview that reads GitHub names them"


def read(step: PairedStep) -> Item:
    """Return what a step means for the budgets of the rows."""
    planned = step.planned
    if planned.op not in {"create", "update", "delete"}:
        return items.not_understood(planned, "this version does not know the operation for a table")
    try:
        before, after = _stored(planned.known), read_bucket(planned.new.fields)
    except ConfigError:
        return items.not_understood(planned, "its values in the plan are not those of a table")
    rows = list(_rows(planned, before, after))
    kept = [(login, item) for login, item in rows if item.change == items.KEPT]
    # A row without words that is not new is as it was.
    changed = [
        (login, item) for login, item in rows if item.change == items.NEW or (item.texts and item.change != items.KEPT)
    ]
    losses = [item for _, item in changed if item.is_loss]
    meant = told.read(planned.said)
    hidden = _hidden(planned.new)
    # What nobody can see can go; only a delete loses it in any case.
    old_hidden = set() if planned.retained and planned.op == "delete" else _hidden(planned.known) | _hidden(planned.old)
    loses_hidden = "budgets" in old_hidden
    others = _others(planned, before, after)
    is_loss = bool(losses) or meant.loses or loses_hidden or bool(others)
    texts = [
        *summary([_change(login, item) for login, item in changed]),
        *([f"{len(kept)} stay on GitHub"] if kept else []),
        *others,
        *(_choices(before, after) if planned.op == "update" else []),
    ]
    change = items.REMOVED if planned.op == "delete" and is_loss else items.CHANGED
    return Item(
        items.NEW if planned.op == "create" else items.LOOSENED if is_loss and planned.op == "update" else change,
        planned.resource,
        planned.name,
        planned.urn,
        before=_counted(before),
        after=_counted(after),
        texts=tuple(texts),
        said=planned.said,
        unknown=(
            *(f"{name} is not known" for name in sorted(hidden)),
            *(f"{name} before the step is not known" for name in sorted(old_hidden - hidden)),
        ),
        is_loss=is_loss,
        deletes=any(item.deletes for item in losses)
        or meant.deletes
        or bool(others)
        or (loses_hidden and planned.op == "delete"),
        told=meant,
        caps={key: cap for _, item in (*changed, *kept) for key, cap in item.caps.items()},
        parts=tuple(item for _, item in changed),
    )


def key_of(_: PlannedStep, __: Values) -> None:
    """Return that a part of a table is no object that another resource takes over."""


def _hidden(values: Values) -> frozenset[str]:
    """Return the inputs of a part of a table that are secret or not known yet."""
    return (values.unknown | values.secret) & {*INPUTS} - {"bucket"}


def _stored(known: Values) -> BucketState:
    """Return what a plan has of a table before a step.

    A plan without outputs, as that of `try`, does not say which rows have a budget: each one counts.
    """
    before = read_bucket(known.fields)
    if "budget_ids" in known.fields:
        return before
    ids = dict.fromkeys(before.budgets, NEVER_CREATED)
    kept = list(before.budgets) if before.on_delete == KEEP else []
    return before.model_copy(update={"budget_ids": ids, "kept_on_delete": kept})


def _others(planned: PlannedStep, before: BucketState, after: BucketState) -> list[str]:
    """Return who loses a budget that no row has, as the last refresh found them; a preview finds them by itself."""
    names = [login for login in before.others if login not in after.rows]
    if planned.op != "update" or not after.exclusive or not names:
        return []
    return [f"removes the budgets of {first_names(names)}, who are not in this table"]


def _choices(before: BucketState, after: BucketState) -> list[str]:
    """Return which inputs of the table change, besides its rows."""
    names = [name for name in INPUTS if name not in {"bucket", "budgets"}]
    sides = [(name, getattr(before, name), getattr(after, name)) for name in names]
    changed = [
        f"changes {name} from {clean(str(old or 'nothing'), _SHOWN)} to {clean(str(new or 'nothing'), _SHOWN)}"
        for name, old, new in sides
        if old != new
    ]
    return [*changed, *([_EXCLUSIVE] if after.exclusive and not before.exclusive else [])]


def _rows(planned: PlannedStep, before: BucketState, after: BucketState) -> Iterator[tuple[str, Item]]:
    """Yield the login of each row with what the step does to its budget."""
    olds, news = dict(before.states()), {login: after.declared(login) for login in after.rows}
    kind = after.kind if news else before.kind
    if "budgets" in _hidden(planned.new) | _hidden(planned.known):
        return
    olds = {login: old if login in news else leaving(old, after) for login, old in olds.items()}
    for login in sorted({*olds, *news}):
        old, new = (Values(side[login]) if login in side else NOTHING for side in (olds, news))
        op = "update" if old.fields and new.fields else "create" if new.fields else "delete"
        urn = f"urn:pulumi:s::p::{TYPE_PREFIX}{kind.resource}::{login}"
        # Pulumi's option keeps what the whole resource has, and no row that goes from it.
        row = PlannedStep(op, urn, old, old, new, retained=planned.retained and planned.op == "delete")
        yield login, budgets.read(PairedStep(row))


def _change(login: str, item: Item) -> RowChange:
    (old, new), *_ = item.pairs or ((None, None),)
    return RowChange.of(login, old, new, fate="row")


def _counted(bucket: BucketState) -> str:
    number = len(bucket.budgets)
    people = f"{number:,} {'person' if number == 1 else 'people'}"
    return f"budgets of {people} of {bucket.owner}" if number else ""
