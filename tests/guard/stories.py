"""Random stories of a stack: programs, changes by hand, expiry, members and faults, run after run; and a shrinker."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.guard.oracle import Finding, Memory, judge
from tests.guard.world import RECIPIENTS, Declared, Options, Program, World
from tests.support.clock import START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guard.world import Fields, Github, Run

E, ORG = "octo-enterprise", "octo-org"
DAY = 86_400.0
_BUNDLE = {"budget_product_sku": "ai_credits"}
KEYS: tuple[Fields, ...] = (
    {"enterprise": E, "budget_product_sku": "actions"},
    {"enterprise": E, "budget_product_sku": "packages"},
    {"enterprise": E, "budget_product_sku": "actions", "budget_scope": "organization", "budget_entity_name": ORG},
    {
        "enterprise": E,
        "budget_product_sku": "actions",
        "budget_scope": "repository",
        "budget_entity_name": "octo-org/website",
    },
    {
        "enterprise": E,
        "budget_product_sku": "actions",
        "budget_scope": "repository",
        "budget_entity_name": "octo-lab/website",
    },
    {"enterprise": E, "budget_product_sku": "actions", "budget_scope": "cost_center", "budget_entity_name": "Platform"},
    {"enterprise": E, **_BUNDLE, "budget_scope": "cost_center", "budget_entity_name": "Platform"},
    {"enterprise": E, **_BUNDLE, "budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform"},
    {"enterprise": E, **_BUNDLE, "budget_scope": "multi_user_customer"},
    {"enterprise": E, **_BUNDLE, "budget_scope": "user", "user": "octocat"},
    {"enterprise": E, **_BUNDLE, "budget_scope": "user", "user": "monalisa"},
    {"organization": ORG, "budget_product_sku": "actions"},
    {
        "organization": ORG,
        "budget_product_sku": "actions",
        "budget_scope": "repository",
        "budget_entity_name": "website",
    },
    {"organization": ORG, **_BUNDLE, "budget_scope": "user", "user": "octocat"},
)
"""What the budgets of all stories cover: few, so that they meet."""
_PER_USER = ("user", "multi_user_customer", "multi_user_cost_center")
_PEOPLE = ("octocat", "monalisa", "hubot")
_SECRET_PEOPLE = ("zebra-login", "okapi-login")
_SECRET_AMOUNTS = (7919, 7017, 6007, 5021)
QUIRKS = (
    *("alerting_for_user_missing", "bare_repository", "conflict_names_uuid", "consumed_everywhere"),
    *("cost_center_patch_needs_name", "cost_center_scope_echo", "create_echoes_user", "delete_says_budget_id"),
    *("duplicates_refused", "empty_entity", "expired_kept", "extra_fields", "flat_create", "float_amounts"),
    *("get_omits_expiry", "link_header", "list_lag", "long_ids", "missing_entity", "multi_user_customer_empty_entity"),
    *("no_id_in_create", "page_cap_10", "page_flags_missing", "patch_ignores_identity", "plural_sku"),
    *("recipients_lowercased", "recipients_reordered", "resource_long_types", "singular_ai_credit"),
    *("total_count_missing", "uppercase_login_echo", "uuid_echo", "whole_month_counts"),
)
"""The quirks that change what is read or written of budgets and cost centers."""
_READS = ("list_budgets", "list_budgets", "list_budgets", "get_budget", "list_cost_centers", "get_cost_center")
_READ_FAULTS = ("429_secondary_bare", "429_secondary", "503_before", "500_before", "reset_before", "short_list")
_OFF = {f"GITHUB_BILLING_MAX_{name}": "off" for name in ("INCREASE_USD", "INCREASE_PERCENT", "DELETES")}
_WRITES = ("create_budget", "update_budget", "delete_budget")
_LOST = ("reset_after", "503_after", "503_before")


@dataclass(frozen=True)
class Hand:
    """One change that others make: by hand on GitHub, or by the time.

    Attributes:
        act: `add`, `edit`, `remove`, `rename` or `pass`.
        key: What the budget covers, for the first four.
        fields: The fields of `add` and `edit`; the new key for `rename`; `days` for `pass`.
    """

    act: str
    key: Fields = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)

    def do(self, world: World) -> None:
        """Do it, if there is such a budget."""
        if self.act == "pass":
            world.github.time.sleep(self.fields["days"] * DAY)
            return
        if self.act == "add":
            if _may_add(world, self.key):
                noun = "enterprise" if "enterprise" in self.key else "organization"
                world.add(noun, self.key[noun], **_live(self.key, self.fields))
            return
        for id_, each in world.github.budgets().items():
            if not _covers(world, each, self.key):
                continue
            if self.act == "remove":
                world.sandbox.remove_budget(id_)
            elif self.act == "rename":
                if _may_add(world, self.fields):
                    names = ("budget_entity_name", "user")
                    live = _live(self.fields, {})
                    world.sandbox.edit_budget(id_, **{name: live[name] for name in names if name in live})
            else:
                world.sandbox.edit_budget(id_, **self.fields)


@dataclass(frozen=True)
class Step:
    """One step: what others do, and the runs that follow.

    Attributes:
        verb: `up` (a preview, the run, and a preview after it), `only preview`, `refresh` or `destroy`.
        program: What the program declares from here on.
        hand: What others do before.
        between: What others do between the preview and the run.
        options: How the runs are started; the faults are triggered as `faulty` says.
        faulty: The runs that meet the faults: `preview`, `up` or both.
    """

    verb: str
    program: Program = field(default_factory=dict)
    hand: tuple[Hand, ...] = ()
    between: tuple[Hand, ...] = ()
    options: Options = field(default_factory=Options)
    faulty: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """A whole story."""

    quirks: tuple[str, ...]
    steps: tuple[Step, ...]


def play(github: Github, story: Story) -> tuple[list[Finding], list[Run]]:
    """Play a story and return what is wrong, and the runs."""
    world = World(github, story.quirks)
    memory, found = Memory(), list[Finding]()

    def judged(run: Run) -> Run:
        found.extend(judge(run, world.runs[:-1], world.by_hand, memory, story.quirks))
        return run

    for step in story.steps:
        for each in step.hand:
            each.do(world)
        options = vars(step.options) | {"faults": ()}
        faults = {"faults": step.options.faults}
        if step.verb in ("refresh", "destroy"):
            start = world.refresh if step.verb == "refresh" else world.destroy
            judged(start(**{**options, **(faults if "up" in step.faulty else {})}))
            continue
        judged(world.preview(step.program, **{**options, **(faults if "preview" in step.faulty else {})}))
        if step.verb == "only preview":
            continue
        for each in step.between:
            each.do(world)
        run = judged(world.up(step.program, **{**options, **(faults if "up" in step.faulty else {})}))
        if not run.failed and not run.faulty:
            known = {name: replace(declared, unknown=()) for name, declared in step.program.items()}
            if known == step.program:
                judged(world.preview(known, **options))
            if step.options.ahead:
                judged(world.preview(known, **{**options, "ahead": 0.0}))
    return list(dict.fromkeys(found)), world.runs


# --- random stories


def story_of(seed: int) -> Story:
    """Return the story of a seed."""
    rng = random.Random(f"guard {seed}")  # noqa: S311 - no secret depends on it
    return _Teller(rng).story()


class _Teller:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.program: Program = {}
        self.config: dict[str, str] = {}

    def story(self) -> Story:
        rng = self.rng
        quirks = tuple(sorted(rng.sample(QUIRKS, rng.choice([0, 0, 1, 1, 2]))))
        if rng.random() < 0.4:
            self.config["maxIncreaseUsd"] = str(rng.choice([0, 100, 1000]))
        if rng.random() < 0.25:
            self.config["maxIncreasePercent"] = str(rng.choice([0, 10, 50]))
        if rng.random() < 0.1:
            self.config["maxDeletes"] = str(rng.choice([0, 1]))
        if rng.random() < 0.1:
            self.config["previewReads"] = "false"
        if rng.random() < 0.15:
            self.config["onDelete"] = rng.choice(["keep", "delete"])
        if rng.random() < 0.15:
            self.config["onExisting"] = rng.choice(["adopt", "error"])
        self.program = dict(self._new() for _ in range(rng.choice([1, 1, 2, 3])))
        hand = tuple(self._duplicates_by_hand())
        # Most first runs get through: a story without a state is a short one.
        options = self._options() if rng.random() < 0.2 else replace(self._options(), env=_OFF)
        first = Step("up", dict(self.program), hand, options=options)
        steps = [first, *(self._step() for _ in range(rng.choice([1, 2, 2, 3, 4])))]
        return Story(quirks, tuple(steps))

    def _step(self) -> Step:
        rng = self.rng
        hand = tuple(self._hand() for _ in range(rng.choice([0, 0, 0, 1, 2])))
        chance = rng.random()
        if chance < 0.08:
            return Step("refresh", hand=hand)
        if chance < 0.17:
            targets = frozenset(self._some_names()) if rng.random() < 0.3 else None
            return Step("destroy", hand=hand, options=self._options(targets=targets))
        for _ in range(rng.choice([1, 1, 1, 2])):
            self._change_program()
        targets = frozenset(self._some_names()) if rng.random() < 0.15 else None
        forced = frozenset(self._some_names()) if rng.random() < 0.08 else frozenset()
        faults, faulty = self._faults()
        between = (self._hand(),) if rng.random() < 0.08 else ()
        options = self._options(targets=targets, replace=forced, faults=faults)
        verb = "only preview" if rng.random() < 0.05 else "up"
        return Step(verb, dict(self.program), hand, between, options, faulty)

    def _options(self, **more: Any) -> Options:
        rng = self.rng
        env = {}
        if rng.random() < 0.15:
            env = dict(_OFF)
        ahead = 30 * DAY if rng.random() < 0.04 else 0.0
        slow = 20.0 if rng.random() < 0.1 else 0.0
        return Options(config=dict(self.config), env=env, ahead=ahead, slow=slow, **more)

    def _faults(self) -> tuple[tuple[Fields, ...], tuple[str, ...]]:
        rng = self.rng
        if rng.random() > 0.2:
            return (), ()
        if rng.random() < 0.75:
            times = rng.choice([1, 1, 2, 5, 9])
            rule = {"op": rng.choice(_READS), "action": rng.choice(_READ_FAULTS), "nth": rng.choice([1, 1, 2, 3])}
            return ({**rule, "times": times},), rng.choice([("preview",), ("up",), ("preview", "up")])
        return ({"op": rng.choice(_WRITES), "action": rng.choice(_LOST), "times": rng.choice([1, 2])},), ("up",)

    # The program.

    def _new(self, name: str = "") -> tuple[str, Declared]:
        rng = self.rng
        if rng.random() < 0.1:
            center = {"enterprise": E, "name": rng.choice(["Platform", "Apps"]), "users": rng.sample(_PEOPLE, 2)}
            policies = {"on_existing": rng.choice(["adopt", "adopt", None]), "on_delete": rng.choice(["delete", None])}
            return name or f"center{rng.randint(1, 2)}", Declared("CostCenter", _without_none({**center, **policies}))
        key = rng.choice(KEYS)
        secret: tuple[str, ...] = ()
        if rng.random() < 0.08:
            secret = rng.choice([("budget_amount",), ("budget_alerting",), ("budget_amount", "budget_alerting")])
            if key.get("budget_scope") == "user":
                secret = rng.choice([("budget_amount",), ("user",)])
        inputs = {**key, **self._terms(key, secret)}
        if "user" in secret:
            inputs["user"] = rng.choice(_SECRET_PEOPLE)
        if rng.random() < 0.35:
            inputs["on_existing"] = rng.choice(["adopt", "adopt", "adopt_if_identical", "error"])
        if rng.random() < 0.15:
            inputs["on_delete"] = rng.choice(["keep", "delete"])
        if key.get("budget_scope") == "user" and rng.random() < 0.1:
            inputs["on_raise"] = "keep"
        triggers: tuple[str, ...] = ()
        if rng.random() < 0.15:
            triggers = (rng.choice(["budget_amount", "prevent_further_usage", "budget_alerting", "expires_at"]),)
        kind = "EnterpriseBudget" if "enterprise" in key else "OrgBudget"
        return name or rng.choice("abcd"), Declared(kind, inputs, triggers, secret=secret)

    def _terms(self, key: Fields, secret: tuple[str, ...] = ()) -> Fields:
        terms: Fields = {"budget_amount": self._amount(secret)}
        scope = key.get("budget_scope", "")
        rng = self.rng
        if scope not in _PER_USER and rng.random() < 0.7:
            terms["prevent_further_usage"] = rng.random() < 0.75
        if scope == "user" and rng.random() < 0.4:
            terms["expires_at"] = self._day()
        if scope != "user" and rng.random() < 0.6:
            terms["budget_alerting"] = self._alerting(secret)
        if scope == "" and "enterprise" in key and rng.random() < 0.15:
            terms["exclude_cost_center_usage"] = rng.random() < 0.5
        return terms

    def _amount(self, secret: tuple[str, ...] = ()) -> int:
        if "budget_amount" in secret:
            return self.rng.choice(_SECRET_AMOUNTS)
        return 0 if self.rng.random() < 0.03 else self.rng.randint(11, 9999)

    def _alerting(self, secret: tuple[str, ...] = ()) -> Fields:
        people = _SECRET_PEOPLE if "budget_alerting" in secret else _PEOPLE
        will = self.rng.random() < 0.85
        return {
            "will_alert": will,
            "alert_recipients": self.rng.sample(people, self.rng.choice([0, 1, 1, 2])) if will else [],
        }

    def _day(self) -> str:
        return _date(self.rng.choice([5, 20, 60, 400]))

    def _change_program(self) -> None:
        rng = self.rng
        name = rng.choice(list(self.program)) if self.program else ""
        chance = rng.random()
        if not name or chance < 0.1:
            self.program.setdefault(*self._new())
        elif chance < 0.2:
            del self.program[name]
        elif chance < 0.3:
            declared = self.program.pop(name)
            new = rng.choice([each for each in "abcd" if each != name])
            if new not in self.program:
                alias = name if rng.random() < 0.3 else ""
                self.program[new] = replace(declared, alias=alias)
        elif chance < 0.45 and self.program[name].kind != "CostCenter" and not self.program[name].secret:
            self._move(name)
        else:
            for _ in range(rng.choice([1, 1, 2])):
                self._edit(name)

    def _move(self, name: str) -> None:
        old = self.program[name]
        noun = "enterprise" if old.kind == "EnterpriseBudget" else "organization"
        key = self.rng.choice([each for each in KEYS if noun in each])
        kept = {field: value for field, value in old.inputs.items() if field.startswith("on_") and field != "on_raise"}
        same = {field: old.inputs[field] for field in ("budget_amount",) if self.rng.random() < 0.4}
        self.program[name] = replace(old, inputs={**key, **self._terms(key), **same, **kept}, unknown=())

    def _edit(self, name: str) -> None:
        rng, old = self.rng, self.program[name]
        if old.kind == "CostCenter":
            members = rng.sample(_PEOPLE, rng.choice([0, 1, 2, 3]))
            renamed = {"name": rng.choice(["Platform", "Apps", "Data"])} if rng.random() < 0.35 else {}
            self.program[name] = replace(old, inputs={**old.inputs, "users": members, **renamed})
            return
        inputs = self._edited(old)
        unknown: tuple[str, ...] = ()
        if rng.random() < 0.12 and not old.secret:
            names = ("budget_amount", "budget_alerting", "prevent_further_usage", "budget_entity_name")
            choices = [each for each in names if inputs.get(each) is not None]
            choices += [RECIPIENTS] if inputs.get("budget_alerting") else []
            unknown = (rng.choice(choices),) if choices else ()
        self.program[name] = replace(old, inputs=_without_none(inputs), unknown=unknown)

    def _edited(self, old: Declared) -> Fields:
        """Return the inputs with one of them changed, removed or spelled in another way."""
        rng, inputs = self.rng, dict(old.inputs)
        scope = inputs.get("budget_scope", "")
        new: dict[str, tuple[Any, ...]] = {
            "budget_amount": (self._new_amount(old),),
            "on_existing": ("adopt", None),
            "on_delete": ("keep", "delete", None),
        }
        if scope == "user":
            new |= {"expires_at": (None, self._day(), self._day()), "on_raise": ("keep", None)}
        else:
            new |= {"budget_alerting": (None, self._alerting(old.secret), self._alerting(old.secret))}
        if scope not in _PER_USER:
            new |= {"prevent_further_usage": (not inputs.get("prevent_further_usage"), None)}
        if "user" not in old.secret:
            names = ("budget_entity_name", "user", "enterprise", "organization")
            new |= {each: (str(inputs[each]).swapcase(),) for each in names if each in inputs and rng.random() < 0.2}
        often = [each for each in ("budget_amount", "expires_at", "prevent_further_usage") if each in new]
        chosen = rng.choice([*new, *often])
        return {**inputs, chosen: rng.choice(new[chosen])}

    def _new_amount(self, old: Declared) -> int:
        if old.secret or self.rng.random() < 0.4:
            return self._amount(old.secret)
        # Within the limits, or lower.
        return int(old.inputs["budget_amount"] * self.rng.choice([1.04, 1.09, 1.3, 0.9, 0.4])) + 3

    # What others do.

    def _duplicates_by_hand(self) -> Iterator[Hand]:
        for name, declared in self.program.items():
            if declared.kind == "CostCenter" or self.rng.random() > 0.45:
                continue
            key = _key_of(declared.inputs)
            own = {each: value for each, value in declared.inputs.items() if each not in key and each[:3] != "on_"}
            is_alike = self.rng.random() < 0.4
            yield Hand("add", key, own if is_alike else self._hand_fields(key))
            if not is_alike and self.rng.random() < 0.85:
                self.program[name] = replace(declared, inputs={**declared.inputs, "on_existing": "adopt"})

    def _hand(self) -> Hand:
        rng = self.rng
        if rng.random() < 0.2:
            return Hand("pass", fields={"days": rng.choice([1, 10, 40])})
        mine = [_key_of(declared.inputs) for declared in self.program.values() if declared.kind != "CostCenter"]
        key = rng.choice(mine) if mine and rng.random() < 0.75 else rng.choice(KEYS)
        act = rng.choice(["edit", "edit", "edit", "remove", "add", "rename"])
        if act == "remove":
            return Hand(act, key)
        if act == "rename":
            return self._rename_by_hand(key)
        fields = self._hand_fields(key)
        if act == "edit":
            chosen = rng.sample(sorted(fields), rng.choice([1, 1, 2]) if len(fields) > 1 else 1)
            fields = {name: fields[name] for name in chosen}
        return Hand(act, key, fields)

    def _rename_by_hand(self, key: Fields) -> Hand:
        """Give what a budget covers another name; most programs follow."""
        same = ("enterprise", "organization", "budget_scope", "budget_product_sku")
        alike = [each for each in KEYS if each != key and [each.get(n) for n in same] == [key.get(n) for n in same]]
        if key.get("budget_scope") not in ("organization", "repository", "user") or not alike:
            return Hand("remove", key)
        new = self.rng.choice(alike)
        for name, declared in self.program.items():
            if declared.kind != "CostCenter" and _key_of(declared.inputs) == key and self.rng.random() < 0.7:
                self.program[name] = replace(declared, inputs={**declared.inputs, **new})
        return Hand("rename", key, new)

    def _hand_fields(self, key: Fields) -> Fields:
        rng, scope = self.rng, key.get("budget_scope", "")
        fields: Fields = {"budget_amount": self._amount()}
        if scope == "user":
            fields["expires_at"] = rng.choice([None, self._day()])
        else:
            fields["budget_alerting"] = self._alerting()
        if scope not in _PER_USER:
            fields["prevent_further_usage"] = rng.random() < 0.7
        return fields

    def _some_names(self) -> list[str]:
        return self.rng.sample("abcd", self.rng.choice([1, 2]))


def _date(days: int) -> str:
    return (datetime.fromtimestamp(START, timezone.utc) + timedelta(days=days)).date().isoformat()


def _without_none(inputs: Fields) -> Fields:
    return {name: value for name, value in inputs.items() if value is not None}


_IDENTITY = ("enterprise", "organization", "budget_product_sku", "budget_scope", "budget_entity_name", "user")


def _key_of(inputs: Fields) -> Fields:
    return {name: inputs[name] for name in _IDENTITY if name in inputs}


def _live(key: Fields, fields: Fields) -> Fields:
    """Return the fields of a budget that is made by hand, as GitHub stores it."""
    noun = "enterprise" if "enterprise" in key else "organization"
    live: Fields = {
        "budget_scope": key.get("budget_scope", noun),
        "budget_entity_name": key.get("user") or key.get("budget_entity_name") or key[noun],
        "budget_type": "BundlePricing" if key["budget_product_sku"] == "ai_credits" else "ProductPricing",
        **{name: key[name] for name in ("budget_product_sku", "user") if name in key},
    }
    if live["budget_scope"] == "repository" and "/" not in live["budget_entity_name"]:
        live["budget_entity_name"] = f"{key[noun]}/{live['budget_entity_name']}"
    if live["budget_scope"] in _PER_USER:
        live["prevent_further_usage"] = True
    if "budget_alerting" in fields:
        live["budget_alerting"] = {"alert_recipients": [], **fields["budget_alerting"]}
    return {**fields, **live}


def _may_add(world: World, key: Fields) -> bool:
    """Return whether there is no budget of a key yet, and its cost center, if it has one, is active."""
    budgets, centers = world.github.look()
    names = {center["name"].lower() for center in centers.values() if center["state"] == "active"}
    needs = str(key.get("budget_scope")).endswith("cost_center")
    is_there = not needs or key["budget_entity_name"].lower() in names
    return is_there and not any(_covers(world, each, key) for each in budgets.values())


def _covers(world: World, live: Fields, key: Fields) -> bool:
    """Return whether a stored budget is the one of a key."""
    noun = "enterprise" if "enterprise" in key else "organization"
    wanted = _live(key, {})
    centers = {center["id"]: center["name"] for center in world.github.look()[1].values()}
    there = centers.get(live["budget_entity_name"], live["budget_entity_name"])
    pairs = (
        (live["owner_kind"], noun),
        (live["owner"], key[noun]),
        (live["budget_scope"], wanted["budget_scope"]),
        (live["budget_product_sku"], wanted["budget_product_sku"]),
        (there, wanted["budget_entity_name"]),
    )
    return all(str(one).lower() == str(other).lower() for one, other in pairs)


# --- shrinking


def shrink(github: Github, story: Story, kind: str) -> tuple[Story, Finding]:
    """Return a story with as little as possible that still has a finding of a kind, and the finding."""

    def found(each: Story) -> Finding | None:
        return next((finding for finding in play(github, each)[0] if finding.kind == kind), None)

    kept = found(story)
    assert kept is not None
    again = True
    while again:
        again = False
        for smaller in _smaller(story):
            if (seen := found(smaller)) is not None:
                story, kept, again = smaller, seen, True
                break
    return story, kept


def _smaller(story: Story) -> Iterator[Story]:
    for at in range(len(story.steps)):
        yield replace(story, steps=(*story.steps[:at], *story.steps[at + 1 :]))
    for quirk in story.quirks:
        yield replace(story, quirks=tuple(each for each in story.quirks if each != quirk))
    for at, step in enumerate(story.steps):
        for smaller in _smaller_step(step):
            yield replace(story, steps=(*story.steps[:at], smaller, *story.steps[at + 1 :]))


def _smaller_step(step: Step) -> Iterator[Step]:
    for at in range(len(step.hand)):
        yield replace(step, hand=(*step.hand[:at], *step.hand[at + 1 :]))
    if step.between:
        yield replace(step, between=())
    yield from (replace(step, options=options) for options in _smaller_options(step.options))
    for name, declared in step.program.items():
        yield replace(step, program={each: value for each, value in step.program.items() if each != name})
        for smaller in _smaller_declared(declared):
            yield replace(step, program={**step.program, name: smaller})


def _smaller_options(options: Options) -> Iterator[Options]:
    simple: dict[str, Any] = {
        "targets": None,
        "replace": frozenset(),
        "env": {},
        "faults": (),
        "ahead": 0.0,
        "slow": 0.0,
    }
    for name, value in simple.items():
        if getattr(options, name) != value:
            yield replace(options, **{name: value})
    for name in options.config:
        yield replace(options, config={each: value for each, value in options.config.items() if each != name})


def _smaller_declared(declared: Declared) -> Iterator[Declared]:
    if declared.unknown:
        yield replace(declared, unknown=())
    if declared.replace_on_changes:
        yield replace(declared, replace_on_changes=())
    for name in sorted(set(declared.inputs) - {*_IDENTITY, "budget_amount", "name"}):
        yield replace(declared, inputs={each: value for each, value in declared.inputs.items() if each != name})


def tell(story: Story) -> str:
    """Return a story as lines."""
    lines = [f"quirks: {', '.join(story.quirks) or 'none'}"]
    for step in story.steps:
        lines += [f"  by hand: {each.act} {each.key} {each.fields}" for each in step.hand]
        options = {name: value for name, value in vars(step.options).items() if value}
        faults = f" faults in {step.faulty}" if step.options.faults else ""
        lines.append(f"  {step.verb} {options or ''}{faults}")
        for name, declared in step.program.items():
            extras = {each: value for each, value in vars(declared).items() if each not in ("kind", "inputs") and value}
            lines.append(f"    {name}: {declared.kind} {declared.inputs} {extras or ''}".rstrip())
        lines += [f"  then by hand: {each.act} {each.key} {each.fields}" for each in step.between]
    return "\n".join(lines)
