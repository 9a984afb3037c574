"""An oracle of losses: what GitHub has before and after a plan, by target, computed from inputs and outputs alone.

It shares no code with the review, and none with the provider.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.review.world import SECRET, TYPE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

E, ORG, LAB, SECOND = "octo-enterprise", "octo-org", "octo-lab", "octo-second"
LOGINS = ("ann", "bob", "Carl", "dora", "emil")
LIMIT = 500
_WIDE = ("enterprise", "organization", "multi_user_customer")
_IDENTITY = ("enterprise", "organization", "budget_product_sku", "budget_scope", "budget_entity_name", "user")
_OPEN = (
    *("budget_amount", "prevent_further_usage", "budget_alerting", "exclude_cost_center_usage", "expires_at"),
    *("on_delete", "users", "organizations", "name"),
)
_LICENSES = ("ghas",)
Target = tuple[str, ...]


class Cap(NamedTuple):
    """One budget on GitHub."""

    amount: float
    hard: bool
    alerts: frozenset[str] | None = None
    expires_at: str | None = None
    excludes: bool = False
    unit: str = "$"

    @property
    def most(self) -> float:
        """The amount at which GitHub stops usage, or infinity."""
        return self.amount if self.hard else math.inf


@dataclass
class Resource:
    """One resource of a program, before or after."""

    kind: str
    inputs: dict[str, Any]
    kept: bool = False
    retained: bool = False
    expired: bool = False
    secret: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    def shown(self, sign: Any, unknown: str) -> dict[str, Any]:
        """Return the inputs as a plan has them, with the sign of secret ones and of those that are not known yet."""
        return {
            name: sign if name in self.secret else unknown if name in self.unknown else value
            for name, value in self.inputs.items()
        }

    def budgets(self) -> Iterator[tuple[Target, Cap]]:
        """Yield the budgets on GitHub by target."""
        if self.expired or self.kind == "CostCenter":
            return
        if self.kind == "UserBudgetBucket":
            for login, row in self.inputs["budgets"].items():
                fields = row if isinstance(row, dict) else {"budget_amount": row}
                target = ("enterprise", self.inputs["enterprise"], "user", "", login.lower(), "ai_credits")
                yield target, Cap(fields["budget_amount"], hard=True, expires_at=fields.get("expires_at"))
            return
        get = self.inputs.get
        noun = "enterprise" if self.kind == "EnterpriseBudget" else "organization"
        scope, sku = self.inputs["budget_scope"], self.inputs["budget_product_sku"].lower()
        entity = "" if scope in {"user", "multi_user_customer", noun} else get("budget_entity_name", "").lower()
        target = (noun, self.inputs[noun], scope, entity, get("user", "").lower(), sku)
        alerting = get("budget_alerting") or {}
        alerts = frozenset(map(str.lower, alerting.get("alert_recipients", ()))) if alerting.get("will_alert") else None
        unit = "licenses" if sku in _LICENSES else "$"
        hard, excludes = self.inputs["prevent_further_usage"], bool(get("exclude_cost_center_usage"))
        yield target, Cap(self.inputs["budget_amount"], hard, alerts, get("expires_at"), excludes, unit)


@dataclass
class Loss:
    """What one target loses, and the resources of which one must tell it."""

    names: set[str]
    what: str
    gates: set[str] = field(default_factory=lambda: {"loosening"})


World = dict[str, Resource]


def owners_of(world: World) -> dict[Target, str]:
    """Return the resource of each target."""
    return {target: name for name, each in world.items() for target, _ in each.budgets()}


def caps_of(world: World) -> dict[Target, Cap]:
    """Return the budgets of a program by target."""
    return {target: cap for each in world.values() for target, cap in each.budgets()}


def is_left(before: World, after: World, name: str) -> bool:
    """Return whether a budget stays on GitHub after its resource goes or gets another target."""
    old = before[name]
    if old.kind == "UserBudgetBucket" and name in after:
        return bool(after[name].inputs.get("on_delete", "keep" if old.kept else "") == "keep")
    return old.kept or old.retained


def losses(before: World, after: World) -> list[Loss]:
    """Return what is lost, by target, and what cannot be known."""
    return [
        *_lost_caps(before, after),
        *_new_and_large(before, after),
        *_hidden(before, after),
        *_lost_members(before, after),
    ]


def _lost_caps(before: World, after: World) -> Iterator[Loss]:
    olds, news, held, holds = caps_of(before), caps_of(after), owners_of(before), owners_of(after)
    for target, old in sorted(olds.items()):
        name = held[target]
        names = {name, holds.get(target, name)}
        hidden = {each for side in (before.get(name), after.get(name)) if side for each in side.secret}
        hidden |= set().union(*(after[each].unknown for each in names if each in after))
        new = news.get(target)
        if new is not None:
            for what, is_lost, *gates in _looser(old, new):
                if is_lost and what not in hidden:
                    yield Loss(names, f"{target}: {what}", {"loosening", *gates})
        elif not is_left(before, after, name) and not hidden & set(_IDENTITY):
            # One that takes its place can cover more than it.
            heir = next((each for each, other in holds.items() if other == name and each[2] in _WIDE), None)
            is_covered = heir is not None and (heir[0], heir[1], heir[5]) == (target[0], target[1], target[5])
            gates = ["increase"] if old.hard and not is_covered else []
            yield Loss(names, f"{target}: goes", {"loosening", "deletion", *gates})


def _looser(old: Cap, new: Cap) -> Iterator[tuple[Any, ...]]:
    """Yield each input with whether it allows more or tells fewer people, and the further gates that it stops."""
    raised = new.amount - old.amount
    yield "budget_amount", raised > 0, *(["increase"] if raised > LIMIT else [])
    yield "prevent_further_usage", old.hard and not new.hard, "increase"
    is_fewer = old.alerts is not None and (new.alerts is None or not old.alerts <= new.alerts)
    yield "budget_alerting", is_fewer
    yield "expires_at", bool(new.expires_at) and (new.expires_at or "") < (old.expires_at or "9")
    yield "exclude_cost_center_usage", new.excludes and not old.excludes


def _new_and_large(before: World, after: World) -> Iterator[Loss]:
    olds, holds = caps_of(before), owners_of(after)
    for target, new in sorted(caps_of(after).items()):
        resource = after[holds[target]]
        if target not in olds and not resource.unknown | resource.secret and new.amount > LIMIT:
            yield Loss({holds[target]}, f"{target}: new and large", {"increase"})


def _hidden(before: World, after: World) -> Iterator[Loss]:
    for name, new in after.items():
        if new.unknown:
            yield Loss({name}, "unknown", {"unknown"})
        old = before.get(name, new)
        if old.kind == new.kind and any(old.inputs.get(key) != new.inputs.get(key) for key in old.secret | new.secret):
            yield Loss({name}, "secret", {"loosening", "unknown", "increase"})


def _lost_members(before: World, after: World) -> Iterator[Loss]:
    for name, old in before.items():
        if old.kind != "CostCenter":
            continue
        heirs = {
            other: new
            for other, new in after.items()
            if new.kind == "CostCenter" and new.inputs["enterprise"] == old.inputs["enterprise"]
            and (other == name or (other not in before and new.inputs["name"].lower() == old.inputs["name"].lower()))
        }  # fmt: skip
        heir = next(((other, heirs[other]) for other in sorted(heirs, key=lambda each: each != name)), None)
        if heir is None:
            if not old.kept and not old.retained:
                yield Loss({name}, "archived", {"loosening", "deletion"})
            continue
        for kind in ("users", "organizations"):
            if kind in old.inputs and kind in heir[1].inputs and kind not in heir[1].unknown:
                gone = set(map(str.lower, old.inputs[kind])) - set(map(str.lower, heir[1].inputs[kind]))
                if gone:
                    yield Loss({name, heir[0]}, f"members {gone}")


# --- sums


class Total(NamedTuple):
    """The sum of caps of one owner, product and scope."""

    amount: float
    unlimited: int
    capped: int


def totals(before: World, after: World) -> dict[Target, tuple[Total, Total]]:
    """Return the sums before and after of the targets of the resources that change, where they differ."""
    olds, news, held = caps_of(before), caps_of(after), owners_of(before)
    groups: dict[Target, list[tuple[Cap | None, Cap | None]]] = {}
    for target in {*olds, *news}:
        old, new = olds.get(target), news.get(target)
        if old and not new and is_left(before, after, held[target]):
            new = old
            if held[target] not in after:
                continue
        if old == new:
            continue
        noun, owner, scope, *_, sku = target
        groups.setdefault((f"{noun} {owner}", sku, scope), []).append((old, new))
    found = {}
    for group, pairs in groups.items():
        both = _total([old for old, _ in pairs]), _total([new for _, new in pairs])
        if both[0] != both[1]:
            found[group] = both
    return found


def _total(caps: list[Cap | None]) -> Total:
    limits = [cap.most for cap in caps if cap is not None and cap.most < math.inf]
    return Total(sum(limits), len(caps) - len(limits), len(limits))


# --- plans


def steps(before: World, after: World, sign: Any = SECRET, unknown: str = UNKNOWN) -> list[dict[str, Any]]:
    """Return the steps of a plan, as a document has them."""
    found = []
    for number, name in enumerate(sorted({*before, *after})):
        old, new = before.get(name), after.get(name)
        kind = (new or old).kind  # type: ignore[union-attr]
        if old and new and old.kind != new.kind:
            found += [*steps({name: old}, {}, sign, unknown), *steps({}, {name: new}, sign, unknown)]
            continue
        prefix = "github-billing:index:UserBudgets$" if kind == "UserBudgetBucket" else ""
        made: dict[str, Any] = {"urn": f"urn:pulumi:dev::shop::{prefix}{TYPE}{kind}::{name}"}
        if old:
            outputs = {**old.shown(sign, unknown), **_outputs(old, number)}
            noun = "organization" if kind == "OrgBudget" else "enterprise"
            made["oldState"] = {
                "id": f"{noun}/{old.inputs[noun]}/id-{number}", "inputs": old.shown(sign, unknown),
                "outputs": outputs, "retainOnDelete": old.retained,
            }  # fmt: skip
        if new:
            made["newState"] = {"inputs": new.shown(sign, unknown)}
        made["op"] = "delete" if not new else "create" if not old else _op(old, new)
        if old and new:
            keys = {*old.inputs, *new.inputs}
            differs = [key for key in keys if old.inputs.get(key) != new.inputs.get(key) or key in new.unknown]
            made["diffReasons"] = sorted(differs)
        found.append(made)
    return found


def _outputs(old: Resource, number: int) -> dict[str, Any]:
    if old.kind == "UserBudgetBucket":
        rows = old.inputs["budgets"]
        return {"budget_ids": {login: f"id-{number}-{login}" for login in rows},
                "kept_on_delete": list(rows) if old.kept else []}  # fmt: skip
    more = {"expired": True} if old.expired else {}
    return {"kept_on_delete": old.kept, **more}


def _op(old: Resource, new: Resource) -> str:
    if old.kind == "CostCenter":
        is_new = old.inputs["enterprise"] != new.inputs["enterprise"]
    else:
        keys = [name for name in _IDENTITY if old.kind != "UserBudgetBucket"]
        is_new = any(old.inputs.get(name) != new.inputs.get(name) or name in new.unknown for name in keys)
    is_same = old.inputs == new.inputs and not new.unknown
    return "replace" if is_new else "same" if is_same else "update"


def as_events(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return steps as a stream of events."""
    found: list[dict[str, Any]] = [{"sequence": 0, "preludeEvent": {"config": {}}}]
    for step in made:
        sides = {new: step[old] for old, new in (("oldState", "old"), ("newState", "new")) if old in step}
        halves = ("create-replacement", "replace", "delete-replaced") if step["op"] == "replace" else (step["op"],)
        for op in halves:
            data = {"op": op, "urn": step["urn"], "diffs": step.get("diffReasons"), **sides}
            found.append({"sequence": len(found), "resourcePreEvent": {"metadata": data, "planning": True}})
    return [*found, {"sequence": len(found), "summaryEvent": {"resourceChanges": {}}}]


def as_try(before: World, after: World) -> dict[str, Any]:
    """Return a plan as `try --json` writes it: inputs alone, and for a deletion what remains, in words."""
    found = [
        {
            "op": step["op"], "urn": step["urn"], "differs": step.get("diffReasons", []),
            "old": step.get("oldState", {}).get("inputs"), "new": step.get("newState", {}).get("inputs"), "means": "",
        }
        for step in steps(before, after, "[secret]", "[unknown]")
    ]  # fmt: skip
    return {"verb": "preview", "ok": True, "counts": {}, "steps": found, "diagnostics": []}


# --- random programs


def programs(random: Random) -> tuple[World, World]:
    """Return a program before and after a pull request."""
    before: World = {}
    for number in range(random.randint(0, 7)):
        _add(random, before, f"r{number}")
    after: World = {}
    for name, old in before.items():
        fate = random.random()
        if fate < 0.2:
            continue
        if fate < 0.3:
            _place(after, f"{name}-renamed", _copy(old))
        elif fate < 0.4:
            _place(after, name, _copy(old))
        else:
            _place(after, name, _changed(random, old))
    for number in range(random.randint(0, 3)):
        _add(random, after, f"n{number}")
    for each in before.values():
        each.kept, each.retained = (random.random() < 0.15 for _ in range(2))
    for name, each in before.items():
        # A budget that has expired comes back only by a change.
        is_same = name in after and after[name].inputs == each.inputs
        each.expired = "user" in each.inputs and not is_same and random.random() < 0.1
        each.unknown = frozenset()
    if random.random() < 0.3:
        _swap(random, after)
    return before, after


def _copy(old: Resource) -> Resource:
    return Resource(old.kind, dict(old.inputs), secret=old.secret)


def _swap(random: Random, world: World) -> None:
    """Let two resources exchange their budgets."""
    names = [name for name, each in world.items() if each.kind in {"EnterpriseBudget", "OrgBudget"}]
    if len(names) > 1:
        one, other = random.sample(names, 2)
        world[one], world[other] = world[other], world[one]


def _add(random: Random, world: World, name: str) -> None:
    kind = random.choice(["EnterpriseBudget"] * 4 + ["OrgBudget", "UserBudgetBucket", "CostCenter", "CostCenter"])
    _place(world, name if kind != "UserBudgetBucket" else f"{name}-07", _made(random, kind))


def _place(world: World, name: str, made: Resource) -> None:
    """Add a resource, unless another one declares the same."""
    taken = owners_of(world)
    center = ("CostCenter", made.inputs.get("enterprise"), made.inputs.get("name"))
    centers = {("CostCenter", each.inputs.get("enterprise"), each.inputs.get("name")) for each in world.values()
               if each.kind == "CostCenter"}  # fmt: skip
    is_taken = center in centers if made.kind == "CostCenter" else any(target in taken for target, _ in made.budgets())
    if not is_taken:
        world[name] = made


def _made(random: Random, kind: str) -> Resource:
    if kind == "CostCenter":
        inputs: dict[str, Any] = {"enterprise": E, "name": random.choice(["Team", "Data", "Crew"])}
        for members, names in (("users", LOGINS), ("organizations", (ORG, LAB))):
            if random.random() < 0.7:
                inputs[members] = random.sample(names, random.randint(0, len(names)))
        return Resource(kind, inputs)
    if kind == "UserBudgetBucket":
        rows = random.sample(LOGINS, random.randint(1, len(LOGINS)))
        return Resource(kind, {"enterprise": E, "bucket": "07", "budgets": {login: _row(random) for login in rows}})
    return _made_budget(random, kind)


def _made_budget(random: Random, kind: str) -> Resource:
    noun = "enterprise" if kind == "EnterpriseBudget" else "organization"
    inputs: dict[str, Any] = {noun: random.choice([E, SECOND] if noun == "enterprise" else [ORG, LAB])}
    scopes = {"enterprise": ["enterprise", "organization", "user", "multi_user_customer", "repository"],
              "organization": ["organization", "repository"]}[noun]  # fmt: skip
    scope = inputs["budget_scope"] = random.choice(scopes)
    inputs["budget_product_sku"] = random.choice(["actions", "packages", "ghas", "ai_credits"])
    inputs["budget_amount"] = _amount(random)
    inputs["budget_type"] = "ProductPricing"
    inputs["prevent_further_usage"] = random.random() < 0.6
    if scope in {"user", "multi_user_customer"}:
        inputs |= {"budget_product_sku": "ai_credits", "budget_type": "BundlePricing", "prevent_further_usage": True}
    if scope == "user":
        inputs["user"] = random.choice(LOGINS)
        if random.random() < 0.3:
            inputs["expires_at"] = random.choice(["2030-01-31", "2031-01-31"])
    elif scope in {"organization", "repository"} and scope != noun:
        inputs["budget_entity_name"] = random.choice([ORG, LAB]) + ("/web" if scope == "repository" else "")
    if scope != "user":
        inputs["budget_alerting"] = _alerting(random)
    if scope == "enterprise" and random.random() < 0.3:
        inputs["exclude_cost_center_usage"] = random.random() < 0.5
    if random.random() < 0.3:
        inputs["on_delete"] = random.choice(["keep", "delete"])
    secret = frozenset(random.sample(["budget_amount", "prevent_further_usage"], random.random() < 0.1))
    return Resource(kind, inputs, secret=secret)


def _amount(random: Random) -> int:
    return random.choice([0, 7, 100, 120, 1234, 1_000_000])


def _alerting(random: Random) -> dict[str, Any]:
    return {"will_alert": random.random() < 0.7, "alert_recipients": random.sample(LOGINS, random.randint(0, 2))}


def _row(random: Random) -> Any:
    amount = _amount(random)
    return (
        amount
        if random.random() < 0.6
        else {"budget_amount": amount, "expires_at": random.choice(["2030-01-31", "2031-01-31"])}
    )


def _changed(random: Random, old: Resource) -> Resource:
    """Return a resource with some of another one's inputs, and sometimes with inputs that are not known yet."""
    new, other = _copy(old), _made(random, old.kind)
    if old.kind == "UserBudgetBucket":
        _change_rows(random, new)
        return new
    if random.random() < 0.2:
        # Another target, with all that depends on it.
        new.inputs = other.inputs
        return new
    is_like = old.inputs.get("budget_scope") == other.inputs.get("budget_scope")
    for name in random.sample(_OPEN, 3):
        if is_like and name in other.inputs and (name in new.inputs or old.kind == "CostCenter"):
            new.inputs[name] = other.inputs[name]
        elif name in {"expires_at", "on_delete"}:
            new.inputs.pop(name, None)
        elif name == "budget_amount" and name in new.inputs:
            new.inputs[name] = _amount(random)
    if random.random() < 0.1:
        new.unknown = frozenset({random.choice([name for name in new.inputs if name not in new.secret])})
        new.unknown -= {"enterprise", "organization", "budget_scope"}
    return new


def _change_rows(random: Random, new: Resource) -> None:
    rows = new.inputs["budgets"] = dict(new.inputs["budgets"])
    for login in random.sample(LOGINS, 2):
        if login in rows and random.random() < 0.4:
            del rows[login]
        else:
            rows[login] = _row(random)
    if random.random() < 0.2:
        new.inputs["on_delete"] = random.choice(["keep", "delete"])
